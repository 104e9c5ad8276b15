from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, Origin, PointKind, PointState
from checks.backup.sources.barman import LATEST, LISTING, LOGS, SERVER
from checks.evidence import Evidence, Failure, FailureKind, NotDeclared, Unparsable
from checks.probes.host import CLOCK
from inventory.model import BackupSet
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded, said


def server(**more: Any) -> BackupSet:
    return backup("barman", **({"name": "main"} | more))


def mixed(*more: Evidence) -> BackupSeries:
    return parsed(server(), recorded(LISTING.id, "mixed"), *more)


def listed(*rows: dict[str, Any]) -> BackupSeries:
    return parsed(server(), said(LISTING.id, json.dumps({"main": rows}).encode()))


def other(probe: str, text: str) -> Evidence:
    return Evidence(probe=probe, target="h", key="", taken=TAKEN, stdout=text.encode(), exit=0)


HANOI = other(CLOCK.id, f"epoch={TAKEN.timestamp():.1f}\noffset=+0700\ntz=Asia/Ho_Chi_Minh\n")
DONE = {"backup_id": "20261122T090000", "status": "DONE", "end_time_timestamp": "1795313007"}


def test_whole_failed_and_killed_ones() -> None:
    points = mixed().points
    assert [(p.name, p.state) for p in points] == [
        ("20261122T020325", PointState.OK),
        ("20261122T020326", PointState.OK),
        ("20261122T020331", PointState.RUNNING),
        ("20261122T020334", PointState.INVALID),
    ]
    assert points[3].notes == ("failed",)
    assert [p.size for p in points[:2]] == [39907421, 39907423]


def test_times_are_epochs_and_never_labels_or_texts() -> None:
    row = DONE | {"backup_id": "20300101T000000", "end_time": "Tue Jan  1 00:00:00 2030"}
    (point,) = listed(row).points
    assert (point.start, point.origin) == (at("2026-11-22 02:03:27"), Origin.TOOL)


def test_the_latest_one_also_tells_its_begin() -> None:
    points = mixed(recorded(LATEST.id, "mixed")).points
    newest = points[1]
    assert (newest.start, newest.end) == (at("2026-11-22 02:03:26"), at("2026-11-22 02:03:27"))
    assert (points[0].start, points[0].end) == (at("2026-11-22 02:03:26"), None)


def test_a_label_is_the_hosts_own_time_and_only_as_sure_as_its_zone() -> None:
    killed = mixed(HANOI).points[0]
    assert (killed.state, killed.start) == (PointState.RUNNING, at("2026-11-21 19:03:31"))
    assert killed.origin is Origin.NAME
    unsure = mixed()
    assert unsure.listing.notes == ("zone_unknown",)
    assert unsure.points[2].uncertainty == 14 * 3600


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("DONE", PointState.OK),
        ("WAITING_FOR_WALS", PointState.RUNNING),
        ("SYNCING", PointState.RUNNING),
        ("EMPTY", PointState.RUNNING),
        ("FAILED", PointState.INVALID),
        ("SOMETHING_NEW", PointState.INVALID),
    ],
)
def test_states(status: str, state: PointState) -> None:
    (point,) = listed(DONE | {"status": status}).points
    assert point.state is state


def test_done_without_an_end_is_no_good_one() -> None:
    row = {k: v for k, v in DONE.items() if k != "end_time_timestamp"}
    (point,) = listed(row).points
    assert point.state is PointState.INVALID


def test_incremental_ones_of_newer_versions() -> None:
    size = {"size_bytes": 5}
    full, incremental = listed(
        DONE | size | {"backup_type": "rsync"},
        DONE | size | {"backup_id": "20261122T100000", "backup_type": "incremental"},
    ).points
    assert (full.kind, full.size) == (PointKind.FULL, 5)
    assert (incremental.kind, incremental.size) == (PointKind.INCREMENTAL, None)


def test_no_backup_yet() -> None:
    series = listed()
    assert (series.points, series.listing.truncated) == ((), False)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("unknown-server", FailureKind.COMMAND_FAILED, "Unknown server 'other'"),
        ("no-configuration", FailureKind.COMMAND_FAILED, "does not exist"),
        ("other-account", FailureKind.DENIED, "please run barman as 'postgres' user"),
    ],
)
def test_why_it_could_not_look(name: str, kind: FailureKind, words: str) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(server(), recorded(LISTING.id, name))
    assert (caught.value.kind, words in str(caught.value)) == (kind, True)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b"[]",
        b'{"other": []}',
        b'{"main": [{"backup_id": "x", "status": "STARTED"}]}',
        b'{"main": [{"backup_id": "20261399T999999", "status": "STARTED"}]}',
        b'{"main": [{"backup_id": "x", "status": "DONE", "end_time_timestamp": "soon"}]}',
        b'{"main": [{"backup_id": "x", "status": "DONE", "end_time_timestamp": "999999999999"}]}',
    ],
)
def test_answers_that_say_nothing(answer: bytes) -> None:
    with pytest.raises(Unparsable):
        parsed(server(), said(LISTING.id, answer))


TOLD = """"backup_directory": "/srv/barman/main"
"last_archived_time": "2026-11-22 08:00:00.5+07:00"
"last_failed_time": {}
"mount": "/dev/sda1 ext4 9 1 8 12% /"
"""


def test_the_archiver() -> None:
    logs = recorded(LOGS.id, "mixed")
    latest = recorded(LATEST.id, "mixed")
    archive = mixed(latest, logs, other(SERVER.id, TOLD.format("null"))).archive
    assert archive is not None
    assert archive.last == at("2026-11-22 01:00:00") + dt.timedelta(seconds=0.5)
    assert (archive.gaps, archive.failing_since) == (0, None)
    failing = TOLD.format('"2026-11-22 09:00:00+07:00"')
    archive = mixed(latest, logs, other(SERVER.id, failing)).archive
    assert archive is not None
    assert archive.failing_since == archive.last
    assert mixed().archive is None


@pytest.mark.parametrize(("lost", "gaps"), [("04", 1), ("05", 1), ("07", 0)])
def test_segments_since_the_latest_backup(lost: str, gaps: int) -> None:
    logs = recorded(LOGS.id, "mixed")
    paths = [p for p in json.loads(logs.stdout)["_INFO"] if not p.endswith(lost)]
    logs = msgspec.structs.replace(logs, stdout=json.dumps({"_INFO": paths}).encode())
    archive = mixed(recorded(LATEST.id, "mixed"), logs).archive
    assert archive is not None
    assert archive.gaps == gaps


def test_the_repository() -> None:
    (found,) = mixed(other(SERVER.id, TOLD.format("null"))).repositories
    assert (found.location, found.remote, found.encrypted) == ("/srv/barman/main", False, False)
    (found,) = mixed(other(SERVER.id, TOLD.format("null") + '"encryption": "gpg"')).repositories
    assert found.encrypted is True
    lost = Failure(kind=FailureKind.TIMEOUT, detail="too long")
    gone = Evidence(probe=SERVER.id, target="h", key="", taken=TAKEN, failure=lost)
    (found,) = mixed(gone).repositories
    assert (found.remote, found.encrypted, found.unseen["remote"]) == (None, None, lost)


def test_what_is_asked() -> None:
    request = asked(server(run_as="barman", path="/etc/b.conf"), LISTING.id)
    assert request.sudo == (
        *("barman", "barman", "-c", "/etc/b.conf", "-f", "json"),
        *("list-backup", "main"),
    )


@pytest.mark.parametrize("keys", [{"name": ""}, {"repository": "/x"}, {"password_file": "/x"}])
def test_what_is_not_declared(keys: dict[str, str]) -> None:
    with pytest.raises(NotDeclared):
        asked(server(**keys), LISTING.id)


@settings(max_examples=60)
@given(st.data())
def test_no_answer_breaks_the_reading(data: st.DataObject) -> None:
    whole = recorded(LISTING.id, "mixed").stdout
    cut = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    with contextlib.suppress(Unparsable):
        parsed(server(), said(LISTING.id, whole[:cut] + noise + whole[cut:]))
