from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import Archive, BackupSeries, PointKind, PointState
from checks.backup.sources.folders import read_folders
from checks.backup.sources.postgresql import ARCHIVER, COPIES
from checks.evidence import Evidence, FailureKind, NotDeclared, Unparsable
from inventory.model import BackupSet
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, said

NIGHT = at("2026-11-22 02:00")
NOON = at("2026-11-22 12:00")


def database(**more: Any) -> BackupSet:
    return backup("postgresql", **({"name": "postgres"} | more))


def copies(*blocks: tuple[str, str]) -> Evidence:
    fields = [
        "root",
        "/srv/pg",
        *(f for n, b in blocks for f in (f"/srv/pg/{n}", b)),
        "end",
        "0",
        "",
    ]
    return Evidence(
        probe=COPIES.id, target="h", key="", taken=TAKEN, stdout="\0".join(fields).encode()
    )


def archiver(archived: str, failed: str, mode: str = "on") -> BackupSeries:
    text = f'{{"mode" : "{mode}", "archived" : {archived}, "failed" : {failed}}}\n'
    return parsed(database(), said(ARCHIVER.id, text.encode()))


@pytest.mark.parametrize(
    ("archived", "failed", "archive"),
    [
        (NIGHT, None, Archive(last=NIGHT)),
        (NOON, NIGHT, Archive(last=NOON)),
        (NIGHT, NOON, Archive(last=NIGHT, failing_since=NIGHT)),
        (None, NOON, Archive(failing_since=NOON)),
        (None, None, Archive()),
    ],
)
def test_the_archiver(archived: Any, failed: Any, archive: Archive) -> None:
    given = [f"{t.timestamp():.6f}" if t else "null" for t in (archived, failed)]
    series = archiver(*given)
    assert series.archive == archive
    assert (series.listing.truncated, series.listing.notes) == (True, ("base_backups_not_listed",))


def test_archiving_that_is_off_is_no_archive() -> None:
    series = archiver("1", "null", "off")
    assert series.archive is None
    assert "archive_mode_off" in series.listing.notes


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (b'FATAL:  Peer authentication failed for user "x"', FailureKind.AUTH),
        (b"fe_sendauth: no password supplied", FailureKind.AUTH),
        (b'FATAL:  role "root" does not exist', FailureKind.AUTH),
        (b"connection to server failed: No such file or directory", FailureKind.COMMAND_FAILED),
        (b'FATAL:  database "x" does not exist', FailureKind.COMMAND_FAILED),
    ],
)
def test_why_it_could_not_look(words: bytes, kind: FailureKind) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(database(), said(ARCHIVER.id, b"", 2, words + b"\n"))
    assert caught.value.kind is kind


GOOD = "changed=1795312000\nborn=0\nwritten=1795312100\nend=1\nstart=2026-11-22 01:40:00\n"


@pytest.mark.parametrize(
    ("block", "state", "kind"),
    [
        (GOOD, PointState.OK, PointKind.FULL),
        (GOOD + "incremental=1\n", PointState.OK, PointKind.INCREMENTAL),
        (GOOD.replace("end=1\n", ""), PointState.INVALID, PointKind.FULL),
        (GOOD.replace("start=2026-11", "start=2026-31"), PointState.INVALID, PointKind.FULL),
        (GOOD.replace("written", "x"), PointState.RUNNING, PointKind.FULL),
    ],
)
def test_base_backups(block: str, state: PointState, kind: PointKind) -> None:
    (point,) = parsed(database(name="", path="/srv/pg"), copies(("a", block))).points
    assert (point.state, point.kind) == (state, kind)
    if "start=2026-11" in block:
        assert point.start == at("2026-11-22 01:40")


def test_a_pattern_chooses_copies() -> None:
    found = parsed(database(name="", path="/srv/pg/a*"), copies(("a", GOOD), ("b", GOOD)))
    assert [p.name for p in found.points] == ["a"]


def test_what_is_asked() -> None:
    request = asked(
        database(run_as="postgres", password_file="/etc/pass", repository="/run/pg"),  # noqa: S106
        ARCHIVER.id,
    )
    assert request.sudo[:5] == ("postgres", "env", "PGPASSFILE=/etc/pass", "psql", "-X")
    assert request.sudo[-2] == "-c"
    assert (request.sudo[7], request.sudo[10]) == ("-w", "-h")
    assert asked(database(password="env:P"), ARCHIVER.id).secrets == {"PGPASSWORD": "env:P"}  # noqa: S106


@pytest.mark.parametrize("keys", [{"name": ""}, {"server": ""}])
def test_what_is_not_declared(keys: dict[str, str]) -> None:
    with pytest.raises(NotDeclared):
        asked(database(**keys), ARCHIVER.id)


@settings(max_examples=60)
@given(st.data())
def test_a_cut_answer_never_passes_for_a_short_one(data: st.DataObject) -> None:
    whole = copies(("a", GOOD), ("b", GOOD)).stdout
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(Unparsable):
        read_folders(Evidence(probe=COPIES.id, target="h", key="", taken=TAKEN, stdout=cut))
