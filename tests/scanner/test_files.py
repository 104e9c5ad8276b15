"""Reading files of the project folder: nothing outside it, nothing half."""

from __future__ import annotations

import datetime as dt
import gzip
import hashlib
import os
from pathlib import Path

import pytest

from checks.evidence import FILES, Evidence, FailureKind, Probe, Request, Source
from checks.files import files_if_any, unpack
from scanner.transports.base import SizeLimits
from scanner.transports.files import FilesTransport

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
SMALL = SizeLimits(section_bytes=1000)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "registers").mkdir(parents=True)
    (folder / "registers" / "out-2.csv").write_bytes(b"two\n")
    (folder / "registers" / "out-1.csv").write_bytes(b"one\n")
    os.utime(folder / "registers" / "out-1.csv", (1_790_000_000, 1_790_000_000))
    (tmp_path / "secret").write_text("secret")
    return folder


def read(project: Path, path: str, *, limit: int = 0, stream: bool = False) -> Evidence:
    request = Request(
        probe="p",
        target=FILES,
        source=Source.FILES,
        params={"path": path},
        limit=limit,
        stream=stream,
    )
    found = FilesTransport(project, SMALL, lambda: NOW).collect([request])
    assert [e.key for e in found] == [request.key]
    return found[0]


def kind(evidence: Evidence) -> FailureKind | None:
    return evidence.failure.kind if evidence.failure else None


def test_every_file_of_a_pattern_comes_sorted_with_its_time(project: Path) -> None:
    entries = unpack(read(project, "registers/out-*.csv").stdout)
    assert [(e.name, bytes(e.data)) for e in entries] == [
        ("registers/out-1.csv", b"one\n"),
        ("registers/out-2.csv", b"two\n"),
    ]
    assert entries[0].mtime == dt.datetime.fromtimestamp(1_790_000_000, dt.UTC)


def test_an_absolute_path_inside_the_project_is_its_file(project: Path) -> None:
    path = str(project.resolve() / "registers" / "out-1.csv")
    assert unpack(read(project, path).stdout)[0].name == "registers/out-1.csv"


@pytest.mark.parametrize(
    "path", ["../secret", "registers/../../secret", "/etc/passwd", "", "../*", "a\0b", "**/../../*"]
)
def test_nothing_outside_the_project_is_read(project: Path, path: str) -> None:
    found = read(project, path)
    assert kind(found) is FailureKind.DENIED
    assert b"secret" not in found.stdout


def test_a_link_that_leads_out_is_refused_and_one_within_is_followed(project: Path) -> None:
    (project / "in.csv").symlink_to("registers/out-1.csv")
    assert bytes(unpack(read(project, "in.csv").stdout)[0].data) == b"one\n"
    (project / "out.csv").symlink_to(project.parent / "secret")
    found = read(project, "*.csv")
    assert kind(found) is FailureKind.DENIED
    assert found.failure is not None
    assert "out.csv" in found.failure.detail
    (project / "folder").symlink_to(project.parent)
    assert kind(read(project, "folder/secret")) is FailureKind.DENIED


def test_no_match_names_the_pattern(project: Path) -> None:
    for path in ("registers/in-*.csv", "registers", "none/*"):
        found = read(project, path)
        assert found.failure is not None
        assert found.failure.kind is FailureKind.COMMAND_FAILED
        assert found.failure.detail == f"no file matches {path} in the project folder"


def test_what_cannot_be_read_is_denied_by_name(project: Path) -> None:
    os.mkfifo(project / "pipe.csv")
    found = read(project, "pipe.csv")
    assert kind(found) is FailureKind.DENIED
    (project / "gone.csv").symlink_to("nowhere")
    (project / "pipe.csv").unlink()
    assert kind(read(project, "*.csv")) is FailureKind.DENIED


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_the_right_to_read_is_denied(project: Path) -> None:
    (project / "registers" / "out-1.csv").chmod(0)
    found = read(project, "registers/*.csv")
    assert kind(found) is FailureKind.DENIED


def test_too_much_is_truncated_and_never_cut(project: Path) -> None:
    (project / "big.csv").write_bytes(b"x" * 1001)
    assert kind(read(project, "big.csv")) is FailureKind.TRUNCATED
    assert kind(read(project, "big.csv", limit=5000)) is None


def test_gzip_is_unpacked_within_the_limit(project: Path) -> None:
    (project / "log.gz").write_bytes(gzip.compress(b"line\n" * 100))
    assert bytes(unpack(read(project, "log.gz").stdout)[0].data) == b"line\n" * 100
    (project / "bomb.gz").write_bytes(gzip.compress(b"\0" * 50_000_000))
    assert kind(read(project, "bomb.gz")) is FailureKind.TRUNCATED
    (project / "cut.gz").write_bytes(gzip.compress(os.urandom(500))[:-20])
    assert kind(read(project, "cut.gz")) is FailureKind.UNPARSABLE
    (project / "no.gz").write_bytes(b"plain")
    assert kind(read(project, "no.gz")) is FailureKind.UNPARSABLE


def test_a_large_stream_is_a_view(project: Path) -> None:
    data = os.urandom(3_000_000)
    (project / "big.log").write_bytes(data)
    found = read(project, "big.log", limit=10_000_000, stream=True)
    assert isinstance(found.stdout, memoryview)
    assert bytes(unpack(found.stdout)[0].data) == data


def test_a_name_that_is_no_text_is_shown_all_the_same(project: Path) -> None:
    (project / os.fsdecode(b"r\xff.csv")).write_bytes(b"x")
    assert unpack(read(project, "r*.csv").stdout)[0].name == "r�.csv"


# ---------------------------------------------------------------------------- digests, not contents


def digests(project: Path, path: str, limit: int = 1000) -> tuple[Evidence, dict[str, str]]:
    request = Request(
        probe="p",
        target=FILES,
        source=Source.FILES,
        params={"path": path, "reduce": "sha256"},
        limit=limit,
    )
    (found,) = FilesTransport(project, SMALL, lambda: NOW).collect([request])
    return found, {e.name: bytes(e.data).decode() for e in unpack(found.stdout)}


def test_digests_are_of_the_files_as_they_lie_there(project: Path) -> None:
    folder = project / "dossier" / "a"
    folder.mkdir(parents=True)
    packed = gzip.compress(b"plan" * 5000)
    (folder / "Kế hoạch.pdf.gz").write_bytes(packed)
    (folder / "empty").write_bytes(b"")
    evidence, found = digests(project, "dossier/**/*", limit=len(packed))
    assert evidence.failure is None
    assert found == {
        "dossier/a/Kế hoạch.pdf.gz": hashlib.sha256(packed).hexdigest(),
        "dossier/a/empty": hashlib.sha256(b"").hexdigest(),
    }
    assert b"plan" not in evidence.stdout


def test_no_file_is_an_answer_when_digests_are_asked(project: Path) -> None:
    evidence, found = digests(project, "dossier/**/*")
    assert (evidence.failure, evidence.exit, found) == (None, 0, {})


def test_too_much_to_digest_is_cut_short_not_left_out(project: Path) -> None:
    (project / "d").mkdir()
    for name in ("1", "2"):
        (project / "d" / name).write_bytes(b"x" * 600)
    evidence, _ = digests(project, "d/*")
    assert kind(evidence) is FailureKind.TRUNCATED
    assert digests(project, "d/*", limit=1200)[0].failure is None


def test_what_cannot_be_read_has_no_digest_and_costs_no_other(project: Path) -> None:
    folder = project / "d"
    folder.mkdir()
    (folder / "good").write_bytes(b"x")
    (folder / "out").symlink_to(project.parent / "secret")
    os.mkfifo(folder / "pipe")
    evidence, found = digests(project, "d/*")
    assert evidence.failure is None
    assert found == {"d/good": hashlib.sha256(b"x").hexdigest(), "d/out": "", "d/pipe": ""}


def test_digests_stay_inside_the_project(project: Path) -> None:
    for path in ("../secret", "/etc/passwd", "d/../../secret"):
        assert kind(digests(project, path)[0]) is FailureKind.DENIED


def test_files_that_may_not_be_there_are_an_empty_answer_but_never_a_refused_one(
    project: Path,
) -> None:
    def asked(path: str) -> Evidence:
        request = files_if_any(Probe(id="p", title="p", source=Source.FILES), path)
        return FilesTransport(project, SMALL, lambda: NOW).collect([request])[0]

    assert (kind(asked("registers/none")), asked("registers/none").stdout) == (None, b"")
    assert [e.name for e in unpack(asked("registers/out-1.csv").stdout)] == ["registers/out-1.csv"]
    (project / "out").symlink_to(project.parent / "secret")
    for path in ("out", "../secret", ""):
        assert kind(asked(path)) is FailureKind.DENIED
