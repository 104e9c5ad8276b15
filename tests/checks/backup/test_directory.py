from __future__ import annotations

import bz2
import datetime as dt
import gzip
import lzma
import os
import shutil
import subprocess
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup import recency
from checks.backup.series import BackupPoint, BackupSeries, Origin, PointState
from checks.backup.sources.directory import CONTENT, LISTING, read_listing
from checks.backup.sources.directory_look import Look, read_content
from checks.backup.sources.registry import SERIES
from checks.evidence import Answers, Evidence, FailureKind, Need, Unparsable
from checks.model import Context, Scope, Subject
from checks.probes.host import CLOCK
from inventory.model import BackupSet, Inventory, System, Unit, UnitKind
from scanner.transports.base import SizeLimits
from scanner.transports.local import LocalTransport
from tests.helpers.backup_series import DAY, HOUR, NOW, UTC, at

PG = b"--\n-- PostgreSQL database dump\n--\n\nCREATE TABLE t();\n"
PG_END = b"--\n-- PostgreSQL database dump complete\n--\n\n\\unrestrict abc\n\n"
MYSQL = b"/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19  Distrib 10.11\n--\n"
MYSQL_END = b"INSERT INTO t VALUES (1);\n-- Dump completed on 2026-11-22  3:42:29\n"
HANOI_CLOCK = b"epoch=1795338000.0\noffset=+0700\ntz=Asia/Ho_Chi_Minh\n"


@pytest.fixture(scope="session")
def busybox(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every tool is BusyBox's."""
    program = shutil.which("busybox")
    assert program, "the tests need the Debian package busybox"
    folder = tmp_path_factory.mktemp("busybox")
    for name in subprocess.run([program, "--list"], capture_output=True, check=True).stdout.split():
        (folder / name.decode()).symlink_to(program)
    return folder


@pytest.fixture(params=["gnu", "busybox"])
def tools(request: pytest.FixtureRequest) -> dict[str, str]:
    """The environment of a host: GNU tools, or nothing but BusyBox."""
    if request.param == "gnu":
        return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
    return {"PATH": str(request.getfixturevalue("busybox")), "HOME": "/nonexistent"}


GNU = {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}
UTF8 = GNU | {"LC_ALL": "C.UTF-8"}


def subject(path: str, **more: Any) -> Subject:
    given = {"id": "db", "system": "s", "kind": "directory", "server": "h", "every": "1d"}
    backup = BackupSet(**{**given, "path": path, **more})
    system = System(id="s", unit="u", name="S", owner="u", backups=(backup,))
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="h",
        name="db",
        system=system,
        backup=backup,
    )


def run(script: str, tools: dict[str, str]) -> subprocess.CompletedProcess[bytes]:
    shell = shutil.which("sh", path=tools["PATH"])
    assert shell
    return subprocess.run(
        [shell, "-s"], input=script.encode(), capture_output=True, env=tools, check=False
    )


def ask(path: str, tools: dict[str, str], clock: bytes = HANOI_CLOCK) -> list[Evidence]:
    """The evidence of a set's requests; the clock is given, everything else is run for real."""
    found = []
    for request in SERIES.requests(subject(path)):
        if request.probe == CLOCK.id:
            out = clock
        else:
            done = run(request.script, tools)
            assert done.returncode == 0, done.stderr
            out = done.stdout
        found.append(
            Evidence(probe=request.probe, target="h", key=request.key, taken=NOW, stdout=out)
        )
    return found


def read(
    path: str, tools: dict[str, str] | None = None, clock: bytes = HANOI_CLOCK
) -> BackupSeries:
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(path))
    return SERIES.parse(context, Answers(ask(path, tools or GNU, clock)))


def only(path: Path | str, tools: dict[str, str] | None = None, **more: Any) -> BackupPoint:
    (point,) = read(str(path), tools, **more).points
    return point


def put(folder: Path, name: str, body: bytes = b"x" * 100, when: str = "2026-11-22 02:00") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
    stamp = at(when).timestamp()
    os.utime(path, (stamp, stamp))
    return path


# -------------------------------------------------------------------------------------- listings


def test_files_of_a_folder_with_their_times_and_sizes(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    put(tmp_path, "a b.dump", b"x" * 5)
    put(tmp_path, "new\nline.dump", b"x" * 6, "2026-11-21 02:00")
    put(tmp_path, "tiếng Việt $(reboot) `x` '\".dump", b"x" * 7, "2026-11-20 02:00")
    put(tmp_path, "-rf.dump", b"x" * 8, "2026-11-19 02:00")
    put(tmp_path, "other.txt")
    put(tmp_path, "sub/deep.dump")
    (tmp_path / "link.dump").symlink_to("other.txt")
    (tmp_path / "folder.dump").mkdir()
    series = read(f"{tmp_path}/*.dump", tools)
    assert [(p.name, p.size) for p in series.points] == [
        ("-rf.dump", 8),
        ("tiếng Việt $(reboot) `x` '\".dump", 7),
        ("new\nline.dump", 6),
        ("a b.dump", 5),
    ]
    assert [p.start for p in series.points] == [at(f"2026-11-{d} 02:00") for d in range(19, 23)]
    assert {p.state for p in series.points} == {PointState.OK}
    assert (series.zone, series.skew) == ("Asia/Ho_Chi_Minh", 0.0)


def test_a_folder_without_a_pattern_reaches_two_levels_down(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    for name in ("top", "a/one", "a/b/two", "a/b/c/three", "lost+found/x"):
        put(tmp_path, name)
    assert sorted(p.name for p in read(f"{tmp_path}/", tools).points) == ["one", "top", "two"]


def test_a_single_file_is_a_point(tmp_path: Path, tools: dict[str, str]) -> None:
    assert only(put(tmp_path, "latest.dump"), tools).name == "latest.dump"


def test_a_folder_behind_a_link(tmp_path: Path, tools: dict[str, str]) -> None:
    put(tmp_path, "real/x.dump")
    (tmp_path / "link").symlink_to("real")
    assert only(tmp_path / "link", tools).name == "x.dump"


def test_an_empty_folder_is_an_answer(tmp_path: Path, tools: dict[str, str]) -> None:
    series = read(str(tmp_path), tools)
    assert (series.points, series.listing.truncated) == ((), False)


def test_a_missing_folder_fails_with_its_name(tmp_path: Path, tools: dict[str, str]) -> None:
    for request in SERIES.requests(subject(f"{tmp_path}/absent/*.dump"))[:2]:
        done = run(request.script, tools)
        assert done.returncode == 66
        assert f"no such file or directory: {tmp_path}/absent" in done.stderr.decode()


@pytest.mark.parametrize("closed", ["own", "above"])
def test_a_folder_that_must_not_be_read_names_the_right(tmp_path: Path, closed: str) -> None:
    put(tmp_path, "above/own/x.dump")
    denied = tmp_path / "above" / "own" if closed == "own" else tmp_path / "above"
    script = SERIES.requests(subject(f"{tmp_path}/above/own/*.dump"))[0].script
    denied.chmod(0o000)
    for part in tmp_path.parents:
        if part != Path("/") and part.stat().st_uid == os.getuid():
            part.chmod(part.stat().st_mode | 0o011)
    tmp_path.chmod(0o711)
    try:
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
        prefix = nobody if os.getuid() == 0 else []
        done = subprocess.run(
            [*prefix, "/bin/sh", "-s"],
            input=script.encode(),
            capture_output=True,
            env=GNU,
            cwd="/",
            check=False,
        )
    finally:
        denied.chmod(0o700)
    assert done.returncode != 0
    assert done.stderr.decode().startswith("sauro:denied ")
    assert str(tmp_path) in done.stderr.decode()


def test_a_home_folder_and_a_relative_one(tmp_path: Path, tools: dict[str, str]) -> None:
    put(tmp_path, "my backups/x.dump")
    tools = tools | {"HOME": str(tmp_path)}
    assert only("~/my backups/*.dump", tools).name == "x.dump"


def test_a_host_without_stat_says_which_tool_is_missing(tmp_path: Path, busybox: Path) -> None:
    few = tmp_path / "bin"
    few.mkdir()
    for name in ("sh", "find", "ls", "tr", "date"):
        (few / name).symlink_to(busybox / name)
    (tmp_path / "data").mkdir()
    script = SERIES.requests(subject(f"{tmp_path}/data"))[0].script
    done = run(script, {"PATH": str(few)})
    assert (done.returncode, done.stderr) == (127, b"sauro:missing stat\n")


@settings(max_examples=15, deadline=None)
@given(
    st.sets(
        st.binary(min_size=1, max_size=40).filter(
            lambda n: not set(n) & {0, 47} and n not in (b".", b"..")
        ),
        max_size=8,
    )
)
def test_any_name_survives_the_way(
    tmp_path_factory: pytest.TempPathFactory, names: set[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("names")
    for name in names:
        with open(os.path.join(os.fsencode(folder), b"f" + name), "wb"):  # noqa: PTH118, PTH123
            pass
    done = run(LISTING.request("h", path=str(folder), pattern="f*").script, UTF8)
    evidence = Evidence(probe=LISTING.id, target="h", key="", taken=NOW, stdout=done.stdout)
    entries, whole = read_listing(evidence)
    assert whole
    assert {e.name for e in entries} == {
        (b"f" + n).decode("utf-8", "backslashreplace") for n in names
    }


def test_over_the_local_transport_everything_arrives(tmp_path: Path) -> None:
    put(tmp_path, "db-20261122T020000Z.sql.gz", gzip.compress(PG + PG_END))
    about = subject(f"{tmp_path}/*.gz")
    transport = LocalTransport(SizeLimits(), lambda: NOW, timeout=60)
    evidence = transport.collect(SERIES.requests(about))
    assert [e.failure for e in evidence] == [None, None, None]
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=about)
    (point,) = SERIES.parse(context, Answers(evidence)).points
    assert (point.state, point.notes) == (PointState.OK, ())
    missing = transport.collect(SERIES.requests(subject(f"{tmp_path}/absent/")))
    assert missing[0].failure is not None
    assert missing[0].failure.kind is FailureKind.COMMAND_FAILED
    assert "absent" in missing[0].failure.detail


# --------------------------------------------------------------------------------------- content


def packed(body: bytes, ending: str) -> bytes:
    if ending == "zst":
        return subprocess.run(["zstd", "-qc"], input=body, capture_output=True, check=True).stdout
    pack: dict[str, Callable[[bytes], bytes]]
    pack = {"gz": gzip.compress, "xz": lzma.compress, "bz2": bz2.compress, "sql": bytes}
    return pack[ending](body)


@pytest.mark.parametrize("ending", ["sql", "gz", "xz", "bz2", "zst"])
@pytest.mark.parametrize(
    ("body", "bad"),
    [
        (PG + b"COPY;\n" * 9999 + PG_END, None),
        (PG + b"COPY;\n" * 9999, "no_completion_mark"),
        (MYSQL + MYSQL_END, None),
        (MYSQL, "no_completion_mark"),
        (b"-- nothing that promises a mark\n", None),
        (PG.replace(b"database dump", b"database cluster dump") + PG_END, "no_completion_mark"),
    ],
)
def test_completion_marks(
    tmp_path: Path, tools: dict[str, str], ending: str, body: bytes, bad: str | None
) -> None:
    if ending == "zst" and not shutil.which("zstd", path=tools["PATH"]):
        tools = tools | {"PATH": tools["PATH"] + ":/usr/bin"}
    put(tmp_path, f"db.{ending}", packed(body, ending))
    point = only(tmp_path, tools)
    assert (point.state is PointState.INVALID, bad in point.notes) == (
        bad is not None,
        bad is not None,
    )


def test_the_time_in_the_mark_is_the_writers_local_time(tmp_path: Path) -> None:
    put(tmp_path, "db.sql", MYSQL + MYSQL_END, "2026-11-21 20:42:30")
    point = only(tmp_path)
    assert (point.start, point.origin) == (at("2026-11-21 20:42:29"), Origin.CONTENT)


def test_an_old_dump_that_was_copied_is_still_old(tmp_path: Path) -> None:
    put(tmp_path, "db.sql", MYSQL + MYSQL_END.replace(b"11-22", b"10-01"), "2026-11-22 02:00")
    point = only(tmp_path)
    assert point.start == at("2026-09-30 20:42:29")
    assert "copied_or_touched" in point.notes


@pytest.mark.parametrize("ending", ["gz", "xz", "bz2", "zst"])
def test_empty_archives(tmp_path: Path, tools: dict[str, str], ending: str) -> None:
    put(tmp_path, f"db.sql.{ending}", packed(b"", ending))
    point = only(tmp_path, tools)
    assert (point.state, "empty_archive" in point.notes) == (PointState.INVALID, True)


def test_an_archive_of_nothing_with_a_long_name_in_it(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    path = tmp_path / "a-name-that-gzip-keeps-in-its-header.gz"
    with path.open("wb") as raw, gzip.GzipFile(filename=path.name, fileobj=raw, mode="wb"):
        pass
    os.utime(path, (at("2026-11-22 02:00").timestamp(),) * 2)
    assert path.stat().st_size > 20
    assert "empty_archive" in only(tmp_path, tools).notes


def test_a_cut_archive_is_broken(tmp_path: Path, tools: dict[str, str]) -> None:
    put(tmp_path, "db.sql.gz", gzip.compress(os.urandom(5000))[:3000])
    point = only(tmp_path, tools)
    assert (point.state, "broken_archive" in point.notes) == (PointState.INVALID, True)


@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize("cut", [False, True])
def test_tar_archives_end_with_nothing(
    tmp_path: Path, tools: dict[str, str], packs: bool, cut: bool
) -> None:
    inner = put(tmp_path, "in/data", os.urandom(9000))
    plain = tmp_path / "plain.tar"
    with tarfile.open(plain, "w") as archive:
        archive.add(inner, "data")
    body = plain.read_bytes()[: 5000 if cut else None]
    folder = tmp_path / "out"
    put(folder, "x.tar.gz" if packs else "x.tar", gzip.compress(body) if packs else body)
    assert only(folder, tools).state is (PointState.INVALID if cut else PointState.OK)


@pytest.mark.parametrize("shell", ["dash", "bash --posix", "busybox sh", "mksh", "ksh"])
def test_every_shell_tells_the_same_of_content(tmp_path: Path, shell: str) -> None:
    words = shell.split()
    if words[0] in ("mksh", "ksh") and shutil.which(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    put(tmp_path, "a b.sql.gz", gzip.compress(PG + b"COPY;\n" * 9999 + PG_END))
    put(tmp_path, "cut.gz", gzip.compress(os.urandom(5000))[:3000], "2026-11-21 02:00")
    put(tmp_path, "c.sql", PG, "2026-11-20 02:00")
    script = SERIES.requests(subject(f"{tmp_path}/"))[1].script
    done = subprocess.run(
        [*words, "-s"], input=script.encode(), capture_output=True, env=GNU, check=True
    )
    found = read_content(
        Evidence(probe=CONTENT.id, target="h", key="", taken=NOW, stdout=done.stdout)
    )
    assert {name: (look.bad, look.sure) for name, look in found.items()} == {
        "a b.sql.gz": ("", True),
        "cut.gz": ("broken_archive", False),
        "c.sql": ("no_completion_mark", False),
    }


def looks(folder: Path, tools: dict[str, str] = GNU) -> dict[str, Look]:
    _, content, *_ = ask(str(folder), tools)
    return read_content(content)


@pytest.mark.parametrize("packs", [False, True])
@pytest.mark.parametrize("rest", [0, 1, 3000, 4200, 4300, 9000])
def test_a_mark_counts_in_the_last_four_kibibytes_only(
    tmp_path: Path, tools: dict[str, str], rest: int, packs: bool
) -> None:
    body = PG + PG_END + b"-- another dump, cut short\n" + b"x" * rest
    put(tmp_path, "db.gz" if packs else "db.sql", gzip.compress(body) if packs else body)
    (look,) = looks(tmp_path, tools).values()
    late = len(body) - body.index(b"-- PostgreSQL database dump complete") <= 4096
    assert (look.bad, look.sure) == (("", True) if late else ("no_completion_mark", False))


def test_the_pieces_of_a_dump_are_read_as_one(tmp_path: Path, tools: dict[str, str]) -> None:
    put(tmp_path, "db.gz", b"".join(gzip.compress(line) for line in (PG + PG_END).splitlines(True)))
    (look,) = looks(tmp_path, tools).values()
    assert look.sure


@pytest.mark.parametrize("ending", ["gz", "bz2", "xz", "zst"])
@pytest.mark.parametrize("length", [0, 9999])
def test_a_name_that_lies_about_the_content(
    tmp_path: Path, tools: dict[str, str], ending: str, length: int
) -> None:
    put(tmp_path, f"whole.sql.{ending}", PG + b"COPY;\n" * length + PG_END)
    put(tmp_path, f"cut.sql.{ending}", PG + b"COPY;\n" * length, "2026-11-21 02:00")
    other = packed(PG + b"COPY;\n" * length + PG_END, "bz2" if ending == "gz" else "gz")
    put(tmp_path, f"packed.{ending}", other, "2026-11-20 02:00")
    found = looks(tmp_path, tools)
    assert found[f"whole.sql.{ending}"].sure
    assert found[f"cut.sql.{ending}"].bad == "no_completion_mark"
    assert found[f"packed.{ending}"].sure


def test_a_zip_archive_that_is_named_for_gzip_claims_nothing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "db.gz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("db.sql", PG + b"COPY;\n" * 9999)
        archive.writestr("more.sql", PG)
    os.utime(tmp_path / "db.gz", (at("2026-11-22 02:00").timestamp(),) * 2)
    assert only(tmp_path).state is PointState.OK


def test_a_dump_cannot_speak_for_others(tmp_path: Path, tools: dict[str, str]) -> None:
    forged = b"\0marks\0file\nmark=postgresql\nlook=done\nfile\nfile\n rc 0\n@rc=0\n"
    put(tmp_path, "a.sql", forged + PG)
    put(tmp_path, "b.sql", PG, "2026-11-21 02:00")
    put(tmp_path, "c.sql", PG + PG_END, "2026-11-20 02:00")
    found = looks(tmp_path, tools)
    assert [found[n].sure for n in ("a.sql", "b.sql", "c.sql")] == [False, False, True]


def test_too_big_to_unpack_is_said(tmp_path: Path) -> None:
    path = put(tmp_path, "db.gz", gzip.compress(PG + PG_END))
    with path.open("ab") as file:
        file.truncate(33_554_433)
    os.utime(path, (at("2026-11-22 02:00").timestamp(),) * 2)
    assert only(tmp_path).notes == ("content_not_read",)


def test_a_name_with_a_line_break_is_listed_but_not_opened(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    put(tmp_path, "new\nline.sql", PG)
    put(tmp_path, "old.sql", PG, "2026-11-21 02:00")
    found = {p.name: p for p in read(str(tmp_path), tools).points}
    assert found["new\nline.sql"].notes == ("content_not_read",)
    assert found["old.sql"].state is PointState.INVALID


def test_folders_below_are_looked_into(tmp_path: Path, tools: dict[str, str]) -> None:
    put(tmp_path, "2026/11/db.sql", PG)
    (look,) = looks(tmp_path, tools).values()
    assert look.bad == "no_completion_mark"


def test_only_the_newest_are_opened_and_nothing_of_them_is_told(tmp_path: Path) -> None:
    for day in range(10, 22):
        put(tmp_path, f"{day}.sql", PG + b"SECRET ROW\n", f"2026-11-{day} 02:00")
    listing, content, _ = ask(str(tmp_path), GNU)
    assert sorted(read_content(content)) == ["19.sql", "20.sql", "21.sql"]
    assert b"SECRET" not in listing.stdout + content.stdout


def test_a_host_without_the_decompressor_is_noted(tmp_path: Path, busybox: Path) -> None:
    few = tmp_path / "bin"
    few.mkdir()
    for tool in busybox.iterdir():
        if tool.name != "gzip":
            (few / tool.name).symlink_to(tool)
    put(tmp_path, "out/db.gz", gzip.compress(PG))
    point = only(tmp_path / "out", {"PATH": str(few)})
    assert (point.state, point.notes) == (PointState.OK, ("content_not_read",))


# ------------------------------------------------------------------------------- times and states


@pytest.mark.parametrize(
    ("name", "mtime", "start", "origin", "note"),
    [
        # The name's local time is the start, the file's time the end.
        ("db-20261122_020000.dump", "2026-11-21 19:20", "2026-11-21 19:00", Origin.NAME, None),
        ("db-2026-11-22T02:00:00Z.dump", "2026-11-22 02:10", "2026-11-22 02:00", Origin.NAME, None),
        # Copied or touched: the older stamp counts, whichever it is.
        (
            "db-20261101T020000Z",
            "2026-11-22 02:00",
            "2026-11-01 02:00",
            Origin.NAME,
            "copied_or_touched",
        ),
        (
            "db-20300101T020000Z",
            "2026-11-22 02:00",
            "2026-11-22 02:00",
            Origin.MTIME,
            "named_newer_than_file",
        ),
        # Only a day in the name: the file's own time when it agrees, else noon.
        ("db-22-11-2026.dump", "2026-11-21 19:20", "2026-11-21 19:20", Origin.MTIME, None),
        (
            "db-01.11.2026.dump",
            "2026-11-22 02:00",
            "2026-11-01 05:00",
            Origin.NAME,
            "copied_or_touched",
        ),
        ("db-1793500000.tar", "2026-11-01 02:30", "2026-11-01 02:26:40", Origin.NAME, None),
        ("db.dump", "2026-11-22 02:00", "2026-11-22 02:00", Origin.MTIME, None),
        ("db-20261399.dump", "2026-11-22 02:00", "2026-11-22 02:00", Origin.MTIME, None),
    ],
)
def test_which_time_counts(
    tmp_path: Path, name: str, mtime: str, start: str, origin: Origin, note: str | None
) -> None:
    folder = tmp_path / "backups-2020-01-01"
    put(folder, name, when=mtime)
    point = only(folder)
    assert (point.start, point.origin) == (at(start), origin)
    assert [n for n in point.notes if "named" in n or "copied" in n] == ([note] if note else [])


def test_without_a_zone_times_of_names_are_vague(tmp_path: Path) -> None:
    put(tmp_path, "db-20261101_020000.dump", when="2026-11-22 02:00")
    point = only(tmp_path, clock=b"")
    assert (point.start, point.uncertainty) == (at("2026-11-01 02:00"), 14 * 3600.0)
    assert "zone_unknown" in read(str(tmp_path), clock=b"").listing.notes


def test_a_clock_that_is_ahead_is_taken_out(tmp_path: Path) -> None:
    put(tmp_path, "db.dump", when="2026-11-23 02:00")
    ahead = f"epoch={(NOW + DAY).timestamp()}\noffset=+0000\ntz=UTC\n".encode()
    series = read(str(tmp_path), clock=ahead)
    assert series.points[0].start == at("2026-11-22 02:00")
    assert series.skew == 86400.0


def test_half_written_files_run_and_companions_are_left_out(
    tmp_path: Path, tools: dict[str, str]
) -> None:
    for name in ("a.dump", "b.dump.part", ".c.dump.a1B2c3", "d.dump.tmp"):
        put(tmp_path, name)
    for name in ("a.dump.sha256", "run.log", ".hidden"):
        put(tmp_path, name)
    wide = read(str(tmp_path), tools)
    narrow = read(f"{tmp_path}/*.dump", tools)
    for series in (wide, narrow):
        states = {p.name: p.state for p in series.points}
        assert states.pop("a.dump") is PointState.OK
        assert len(states) == 3
        assert set(states.values()) == {PointState.RUNNING}
    assert wide.listing.ignored == 3


def test_a_file_written_to_this_moment_may_still_grow_unless_its_mark_is_there(
    tmp_path: Path,
) -> None:
    when = f"{NOW - dt.timedelta(seconds=5):%Y-%m-%d %H:%M:%S}"
    put(tmp_path, "a/db.dump", when=when)
    put(tmp_path, "b/db.sql", PG + PG_END, when=when)
    assert only(tmp_path / "a").notes == ("may_still_grow",)
    assert only(tmp_path / "a").state is PointState.RUNNING
    assert only(tmp_path / "b").state is PointState.OK


def test_hard_links_are_one_point_and_ids_last(tmp_path: Path) -> None:
    first = put(tmp_path, "a.dump")
    (tmp_path / "b.dump").hardlink_to(first)
    before = only(tmp_path).id
    first.rename(tmp_path / "c.dump")
    assert only(tmp_path).id == before


def test_a_folder_with_very_many_files_keeps_the_newest() -> None:
    pairs = [f"{1_700_000_000 + n * 60} 1 0 5 {n}\0/d/{n}.dump\0" for n in range(2500)]
    out = "".join(["root\0/d\0", *pairs, "end\x000\0"]).encode()
    listed = Evidence(probe=LISTING.id, target="h", key="", taken=NOW, stdout=out)
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject("/d"))
    series = SERIES.parse(context, Answers([listed]))
    assert (len(series.points), series.listing.older, series.listing.total) == (2000, 500, 2500)
    assert series.points[-1].name == "2499.dump"


@pytest.mark.parametrize(
    "out", [b"", b"root\0/d\0", b"root\0/d\x001 1 1 1 1\0/d/x\0", b"end\x000\0", b"root\0/d\0end\0"]
)
def test_a_listing_that_broke_off_is_no_listing(out: bytes) -> None:
    with pytest.raises(Unparsable):
        read_listing(Evidence(probe=LISTING.id, target="h", key="", taken=NOW, stdout=out))


def test_a_partly_unreadable_folder_is_not_whole() -> None:
    listed = Evidence(
        probe=LISTING.id, target="h", key="", taken=NOW, stdout=b"root\0/d\0end\x001\0"
    )
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject("/d"))
    assert SERIES.parse(context, Answers([listed])).listing.truncated


# ------------------------------------------------------------------------------------- hostility


PIECES = st.sampled_from(
    [
        b"root\0/d\0",
        b"end\x000\0",
        b"1 1 1 1 1\0/d/x\0",
        b"9" * 30 + b" 1 1 1 1\0x\0",
        b"-1 -1 -1 -1 -1\0y\0",
        b"1 1 - 1 1\0/d/20261122\0",
        b"253402300800 1 1 1 1\0z\0",
        b"99999999999999999999 1 1 1 1\0z\0",
        b"1 1 1 1 1\0/d/99991231T235959\0",
        b"file\0/d/x\0",
        b"marks\0file\nhead=mysql\nlook=done\n\0",
        b"marks\0file\nmark=mysql\ncompleted=9999-12-31 23:59:59\nlook=done\n\0",
        b"completed=0-0-0\n",
        b"\0",
        b"\xff",
    ]
)


@settings(max_examples=400, deadline=None)
@given(
    st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=8).map(b"".join)),
    st.one_of(st.binary(max_size=200), st.lists(PIECES, max_size=8).map(b"".join)),
    st.one_of(st.binary(max_size=60), st.just(HANOI_CLOCK), st.just(b"epoch=9e99\noffset=+0000\n")),
)
def test_any_answer_is_a_series_or_unparsable(listing: bytes, content: bytes, clock: bytes) -> None:
    answers = Answers(
        Evidence(probe=probe, target="h", key="", taken=NOW, stdout=out)
        for probe, out in ((LISTING.id, listing), (CONTENT.id, content), (CLOCK.id, clock))
    )
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject("/d"))
    try:
        series = SERIES.parse(context, answers)
    except Unparsable:
        return
    assert SERIES.remember is not None
    SERIES.remember(context, series)
    for check in recency.CHECKS:
        judged = msgspec.structs.replace(context, options=check.options())
        (verdict,) = check.judge(judged, series)
        msgspec.json.encode(verdict)


def test_what_is_needed_and_what_is_not() -> None:
    needs = {r.probe: r.need for r in SERIES.requests(subject("/d/*.dump"))}
    assert needs == {LISTING.id: Need.REQUIRED, CONTENT.id: Need.OPTIONAL, CLOCK.id: Need.OPTIONAL}
    assert HOUR
