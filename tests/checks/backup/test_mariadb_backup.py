from __future__ import annotations

import contextlib
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, Origin, PointKind, PointState
from checks.backup.sources.mariadb_backup import LISTING, read_listing
from checks.evidence import Evidence, NotDeclared, Unparsable
from checks.probes.host import CLOCK
from inventory.model import BackupSet
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded

GOOD = {
    "born": "1795313618",
    "changed": "1795313619",
    "info": "1",
    "uuid": "u1",
    "start_time": "2026-11-22 02:00:00",
    "end_time": "2026-11-22 02:10:00",
    "partial": "N",
    "format": "file",
    "backup_type": "full-backuped",
    "from_lsn": "0",
    "to_lsn": "100",
    "data": "1",
    "kilobytes": "50",
}


def folders(**more: Any) -> BackupSet:
    return backup("mariadb-backup", **({"path": "/srv/mariadb"} | more))


def other(probe: str, out: bytes) -> Evidence:
    return Evidence(probe=probe, target="h", key="", taken=TAKEN, stdout=out, exit=0)


def answer(*given: tuple[str, dict[str, str]], code: str = "0") -> Evidence:
    fields = ["root", "/srv/mariadb"]
    for name, values in given:
        fields += [f"/srv/mariadb/{name}", "".join(f"{k}={v}\n" for k, v in values.items())]
    return other(LISTING.id, "\0".join([*fields, "end", code, ""]).encode())


def one(without: str = "", **values: str) -> BackupSeries:
    known = {k: v for k, v in (GOOD | values).items() if k != without}
    return parsed(folders(), answer(("daily/full", known)))


def test_recorded_folders() -> None:
    series = parsed(folders(), recorded(LISTING.id, "mixed"))
    known = {p.name: p for p in series.points}
    full, first, second = known["full"], known["inc1"], known["inc2"]
    assert (full.kind, full.base) == (PointKind.FULL, "")
    assert (first.kind, first.base) == (PointKind.INCREMENTAL, full.id)
    assert second.base == first.id
    assert (first.size, full.size) == (None, 17512 * 1024)
    assert (known["part"].state, known["part"].notes) == (PointState.INVALID, ("partial",))
    assert known["killed"].state is PointState.RUNNING
    # The prepared copy is the same backup; what was streamed lies elsewhere and was not seen.
    assert len(known) == 5
    assert (series.listing.total, series.listing.ignored) == (7, 1)
    assert series.listing.truncated


def test_times_without_a_zone_are_the_hosts() -> None:
    clock = other(
        CLOCK.id,
        f"epoch={TAKEN.timestamp():.1f}\noffset=+0700\ntz=Asia/Ho_Chi_Minh\n".encode(),
    )
    (point,) = parsed(folders(), answer(("full", GOOD)), clock).points
    assert (point.start, point.end) == (at("2026-11-21 19:00"), at("2026-11-21 19:10"))
    assert point.origin is Origin.CONTENT
    (unsure,) = one().points
    assert unsure.uncertainty == 14 * 3600


@pytest.mark.parametrize(
    ("without", "values", "state", "note"),
    [
        ("", {}, PointState.OK, None),
        ("", {"backup_type": "log-applied"}, PointState.OK, "prepared"),
        ("", {"backup_type": "full-prepared"}, PointState.OK, "prepared"),
        ("", {"partial": "Y"}, PointState.INVALID, "partial"),
        ("", {"log": "ok"}, PointState.OK, None),
        ("", {"log": "broken"}, PointState.INVALID, "log_not_completed"),
        ("backup_type", {}, PointState.INVALID, "no_checkpoints"),
        ("to_lsn", {}, PointState.INVALID, "no_checkpoints"),
        ("", {"to_lsn": "-1"}, PointState.INVALID, "no_checkpoints"),
        ("data", {}, PointState.INVALID, "no_data"),
        ("start_time", {}, PointState.INVALID, "no_start_time"),
        ("", {"start_time": "yesterday"}, PointState.INVALID, "no_start_time"),
        ("", {"start_time": "2026-02-30 00:00:00"}, PointState.INVALID, "no_start_time"),
        ("info", {}, PointState.RUNNING, None),
    ],
)
def test_states(without: str, values: dict[str, str], state: PointState, note: str | None) -> None:
    (point,) = one(without, **values).points
    assert (point.state, point.notes) == (state, (note,) if note else ())


def test_an_incremental_one_belongs_to_the_newest_before_it_that_ends_where_it_begins() -> None:
    step = {"backup_type": "incremental", "from_lsn": "100", "to_lsn": "100"}
    series = parsed(
        folders(),
        answer(
            ("a", GOOD),
            ("b", GOOD | {"uuid": "u2", "start_time": "2026-11-22 03:00:00"}),
            ("c", GOOD | step | {"uuid": "u3", "start_time": "2026-11-22 04:00:00"}),
            ("d", GOOD | step | {"uuid": "u4", "start_time": "2026-11-22 05:00:00"}),
            ("e", GOOD | step | {"uuid": "u5", "start_time": "2026-11-22 01:00:00"}),
        ),
    )
    bases = {p.name: p.base for p in series.points}
    assert bases == {"a": "", "b": "", "c": "u2", "d": "u3", "e": "lsn:100"}


def test_a_broken_base_is_none() -> None:
    step = {"backup_type": "incremental", "from_lsn": "100", "uuid": "u2"}
    later = {"start_time": "2026-11-22 03:00:00"}
    series = parsed(folders(), answer(("a", GOOD | {"partial": "Y"}), ("b", GOOD | step | later)))
    assert series.points[1].base == "lsn:100"


def test_a_folder_that_is_written_again_each_week_gives_another_point() -> None:
    (first,) = one("uuid").points
    (second,) = one("uuid", start_time="2026-11-29 02:00:00").points
    assert first.id != second.id


def test_a_pattern_chooses_folders() -> None:
    given = answer(("full-1", GOOD), ("other", GOOD | {"uuid": "u2"}))
    points = parsed(folders(path="/srv/mariadb/full-*"), given).points
    assert [p.name for p in points] == ["full-1"]


@pytest.mark.parametrize("bad", [{"denied": "1"}, None])
def test_what_was_not_read_forbids_to_say_that_nothing_is_there(
    bad: dict[str, str] | None,
) -> None:
    given = answer(("a", bad)) if bad else answer(code="1")
    assert parsed(folders(), given).listing.truncated
    assert not parsed(folders(), answer()).listing.truncated


@settings(max_examples=60)
@given(st.data())
def test_a_cut_answer_never_passes_for_a_short_one(data: st.DataObject) -> None:
    whole = recorded(LISTING.id, "mixed").stdout
    with pytest.raises(Unparsable):
        read_listing(other(LISTING.id, whole[: data.draw(st.integers(0, len(whole) - 1))]))


@settings(max_examples=60)
@given(st.data())
def test_no_answer_breaks_the_reading(data: st.DataObject) -> None:
    whole = recorded(LISTING.id, "mixed").stdout
    cut = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    with contextlib.suppress(Unparsable):
        parsed(folders(), other(LISTING.id, whole[:cut] + noise + whole[cut:]))


@pytest.fixture(params=["gnu", "busybox"])
def tools(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the host's programs: GNU's, or nothing but BusyBox's."""
    if request.param == "gnu":
        return Path("/usr/bin")
    program = shutil.which("busybox")
    assert program, "the tests need the Debian package busybox"
    folder = tmp_path_factory.mktemp("tools") / "busybox"
    folder.mkdir()
    for name in subprocess.run([program, "--list"], capture_output=True, check=True).stdout.split():
        (folder / name.decode()).symlink_to(program)
    return folder


def test_strange_names_and_newer_file_names(tmp_path: Path, tools: Path) -> None:
    folder = tmp_path / "new\nline $(id) '"
    folder.mkdir()
    (folder / "mariadb_backup_info").write_text(
        "uuid = u9\nstart_time = 2026-11-22 02:00:00\npartial = N\ntool_command = --password=x\n"
    )
    (folder / "mariadb_backup_checkpoints").write_text(
        "backup_type = full-backuped\nfrom_lsn = 0\nto_lsn = 7\n"
    )
    (folder / "ibdata1").write_bytes(b"x" * 5000)
    script = asked(folders(path=str(tmp_path)), LISTING.id).script
    shell = tools / "sh" if tools.name == "busybox" else Path("/bin/sh")
    place = {"PATH": str(tools)}
    done = subprocess.run([shell, "-c", script], capture_output=True, check=True, env=place)
    (found,), whole = read_listing(other(LISTING.id, done.stdout))
    assert (found.name, whole) == ("new\nline $(id) '", True)
    assert found.values["uuid"] == "u9"
    assert "tool_command" not in found.values
    assert found.whole("kilobytes")


@pytest.mark.parametrize("keys", [{"path": ""}, {"run_as": "mysql"}, {"name": "x"}, {"server": ""}])
def test_what_is_not_declared(keys: dict[str, str]) -> None:
    with pytest.raises(NotDeclared):
        asked(folders(**keys), LISTING.id)
