"""Exports left in the project: Veeam, Windows Server Backup, Proxmox; from documented fields."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, PointKind, PointState
from checks.backup.sources.exports import moment, records
from checks.backup.sources.registry import SERIES, SOURCES
from checks.evidence import FILES, Answers, Evidence, FailureKind, NotDeclared, Unparsable
from checks.files import FileEntry, pack
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Inventory, PointFilter, System, Unit, UnitKind
from tests.helpers.backup_series import HOUR, NOW, at

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
PROBES = {
    "veeam": "backup.veeam",
    "windows-backup": "backup.windows",
    "proxmox": "backup.proxmox-export",
}


def subject(kind: str, **more: Any) -> Subject:
    keys = {"id": "db", "system": "s", "kind": kind, "path": "export.json", "every": "1d"}
    backup = BackupSet(**{**keys, **more})
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="s",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def read(kind: str, *bodies: Any, mtime: dt.datetime = NOW, **more: Any) -> BackupSeries:
    texts = [b if isinstance(b, str) else json.dumps(b) for b in bodies]
    body = pack(FileEntry(name=f"e{i}", mtime=mtime, data=t.encode()) for i, t in enumerate(texts))
    found = Evidence(probe=PROBES[kind], target=FILES, key="", taken=NOW, stdout=body)
    context = Context(now=NOW, zone=HANOI, legal_basis=2026, subject=subject(kind, **more))
    return SERIES.parse(context, Answers([found]))


# ------------------------------------------------------------------------------------- all kinds


@pytest.mark.parametrize("kind", PROBES)
def test_an_export_is_a_file_of_the_project(kind: str) -> None:
    (asked,) = SERIES.requests(subject(kind))
    assert (asked.target, asked.probe, asked.params) == (
        FILES,
        PROBES[kind],
        {"path": "export.json"},
    )
    with pytest.raises(NotDeclared, match="path"):
        SERIES.requests(subject(kind, path=""))


@pytest.mark.parametrize("kind", PROBES)
def test_an_old_export_cannot_show_the_newest_copy(kind: str) -> None:
    with pytest.raises(Unparsable, match="newer export") as caught:
        read(kind, [], mtime=NOW - 28 * HOUR)
    assert caught.value.kind is FailureKind.STALE


@pytest.mark.parametrize("kind", PROBES)
@pytest.mark.parametrize("text", ["", "{", "[[", "just words", "<html>not found</html>"])
def test_what_is_no_export_is_not_an_empty_one(kind: str, text: str) -> None:
    with pytest.raises(Unparsable):
        read(kind, text)


@pytest.mark.parametrize("kind", PROBES)
def test_every_kind_is_listed(kind: str) -> None:
    assert SOURCES[kind].kind == kind


@pytest.mark.parametrize(
    ("said", "time", "doubt"),
    [
        ("2026-11-21T16:05:00.0000000Z", "2026-11-21 16:05", 1),
        ("2026-11-21T23:05:00+07:00", "2026-11-21 16:05", 1),
        ("2026-11-21 23:05:00", "2026-11-21 16:05", 3600),
        ("/Date(1795277100000)/", "2026-11-21 16:05", 1),
        ("/Date(1795277100000+0700)/", "2026-11-21 16:05", 1),
        ({"value": "/Date(1795277100000)/", "DateTime": "21. November"}, "2026-11-21 16:05", 1),
        (1795277100, "2026-11-21 16:05", 1),
        ("11/10/2026 16:05", None, 0),
        ("0001-01-01T00:00:00", None, 0),
        ("1601-01-01T00:00:00Z", None, 0),
        ("/Date(-62135596800000)/", None, 0),
        ("9999-12-31T23:59:59Z", None, 0),
        ("", None, 0),
        (None, None, 0),
        (True, None, 0),
        (["2026-11-21T16:05:00Z"], None, 0),
    ],
)
def test_times_as_exports_write_them(said: object, time: str | None, doubt: float) -> None:
    found = moment(said, HANOI)
    assert (found and found.time) == (at(time) if time else None)
    assert found is None or found.uncertainty == doubt


@settings(max_examples=80, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=12), x, max_size=3),
        max_leaves=12,
    ),
    st.sampled_from(sorted(PROBES)),
    st.sampled_from(["CreationTime", "BackupTime", "backup-time", "LastBackupTime", "files"]),
)
def test_no_json_breaks_a_parser(value: object, kind: str, key: str) -> None:
    with contextlib.suppress(Unparsable):
        read(kind, [{key: value, "backup-id": value, "backup-time": 1795277100, "x": [value]}])


def test_a_deep_nest_ends() -> None:
    deep = "[" * 50 + "]" * 50
    assert list(records(FileEntry(name="e", mtime=NOW, data=deep.encode()))) == []


# ----------------------------------------------------------------------------------------- Veeam


def restore_point(day: int, kind: str = "Increment", **more: Any) -> dict[str, Any]:
    given = {
        "UID": f"urn:{day}",
        "CreationTime": f"2026-11-{day:02}T16:00:00Z",
        "Type": kind,
        "VmDisplayName": "motcua",
        "BackupName": "Nightly",
    }
    return given | more


def test_restore_points_of_enterprise_manager() -> None:
    rows = [restore_point(19, "Full", ApproxSize=10**9), restore_point(20), restore_point(21)]
    for wrapped in (rows, {"Entities": {"VmRestorePoints": {"VmRestorePoints": rows}}}):
        series = read("veeam", wrapped)
        assert [p.start for p in series.points] == [at(f"2026-11-{d} 16:00") for d in (19, 20, 21)]
        assert [p.kind for p in series.points] == [
            PointKind.FULL,
            PointKind.INCREMENTAL,
            PointKind.INCREMENTAL,
        ]
        assert [p.base for p in series.points] == ["", "urn:19", "urn:20"]
        assert [p.size for p in series.points] == [10**9, None, None]


@pytest.mark.parametrize(
    ("result", "state", "errors"),
    [
        (0, PointState.OK, 0),
        ("Success", PointState.OK, 0),
        (1, PointState.OK, 1),
        ("Warning", PointState.OK, 1),
        (2, PointState.INVALID, 0),
        ("Failed", PointState.INVALID, 0),
        (-1, PointState.RUNNING, 0),
        ("None", PointState.RUNNING, 0),
        (7, PointState.INVALID, 0),
        ("Thành công", PointState.INVALID, 0),
    ],
)
def test_what_a_session_s_result_means(result: object, state: PointState, errors: int) -> None:
    row = {"JobName": "Nightly", "CreationTime": "2026-11-21T16:00:00Z", "Result": result}
    series = read("veeam", [row])
    assert [(p.state, p.errors) for p in series.points] == [(state, errors)]
    # That the job ended well does not say that every machine is in it.
    assert "job_not_machine" in series.listing.notes


def test_a_job_that_never_ran_has_no_point() -> None:
    row = {"JobName": "Nightly", "CreationTime": "0001-01-01T00:00:00", "Result": -10}
    assert read("veeam", [row]).points == ()


def test_csv_of_export_csv() -> None:
    text = (
        '#TYPE Selected.Veeam\r\n"JobName";"CreationTime";"EndTime";"Result"\r\n'
        '"Nightly";"2026-11-21T16:00:00.0000000Z";"2026-11-21T16:30:00.0000000Z";"Success"\r\n'
        '"Other";"2026-11-20T16:00:00.0000000Z";"";"Failed"\r\n'
    )
    (point,) = read("veeam", text, name="Nightly").points
    assert (point.start, point.end) == (at("2026-11-21 16:00"), at("2026-11-21 16:30"))
    with pytest.raises(Unparsable, match="no row of the job"):
        read("veeam", text, name="Weekly")


def test_a_time_that_can_be_read_in_two_ways_is_not_read() -> None:
    with pytest.raises(Unparsable, match="11/10/2026"):
        read("veeam", [restore_point(20, CreationTime="11/10/2026 4:00:00 PM")])


def test_several_machines_need_to_be_told_apart() -> None:
    rows = [restore_point(20), restore_point(21, VmDisplayName="hotich")]
    with pytest.raises(Unparsable, match="match"):
        read("veeam", rows)
    assert len(read("veeam", rows, match=PointFilter(host="motcua")).points) == 1


def test_a_corrupted_point_is_none() -> None:
    assert [p.state for p in read("veeam", [restore_point(20, IsCorrupted=True)]).points] == [
        PointState.INVALID
    ]


# -------------------------------------------------------------------------------- Windows backup


def summary(**more: Any) -> dict[str, Any]:
    given = {
        "NextBackupTime": "/Date(1795363500000)/",
        "NumberOfVersions": 12,
        "LastSuccessfulBackupTime": "/Date(1795277100000)/",
        "LastBackupTime": "/Date(1795277100000)/",
        "LastBackupTarget": "\\\\nas\\backup",
        "LastBackupResultHR": 0,
        "LastBackupResultDetailedHR": 0,
        "DetailedMessage": "",
    }
    return given | more


def test_a_summary_tells_of_the_last_run_only() -> None:
    series = read("windows-backup", summary())
    assert [(p.start, p.state) for p in series.points] == [(at("2026-11-21 16:05"), PointState.OK)]
    assert series.scheduled is True
    assert series.listing.notes == ("last_run_only",)
    assert [(r.location, r.remote) for r in series.repositories] == [("\\\\nas\\backup", True)]


def test_a_failed_last_run_stands_beside_the_last_good_one() -> None:
    series = read(
        "windows-backup",
        summary(LastBackupTime="/Date(1795335000000)/", LastBackupResultHR=-2147023537),
    )
    assert [p.state for p in series.points] == [PointState.OK, PointState.INVALID]
    assert series.points[1].notes == ("result_-2147023537",)
    unsaid = read("windows-backup", summary(LastBackupResultHR=None))
    assert [p.notes for p in unsaid.points if p.state is PointState.INVALID] == [("no_result",)]


def test_never_is_no_time() -> None:
    never = "/Date(-62135596800000)/"
    series = read(
        "windows-backup",
        summary(LastSuccessfulBackupTime=never, LastBackupTime=never, NextBackupTime=never),
    )
    assert series.points == ()
    assert series.scheduled is None


@pytest.mark.parametrize("target", ["E:", "\\\\?\\Volume{0f}\\", "Backup 2026_11_01 10:00 DISK_01"])
def test_a_local_volume_is_not_elsewhere(target: str) -> None:
    (place,) = read("windows-backup", summary(LastBackupTarget=target)).repositories
    assert place.remote is False


def test_the_series_of_backup_sets_and_its_summary_are_one() -> None:
    sets = [
        {
            "BackupTime": f"2026-11-{d}T16:05:00Z",
            "VersionId": f"11/{d}/2026-16:05",
            "Volume": [{"x": 1}],
        }
        for d in (19, 20, 21)
    ]
    series = read("windows-backup", sets, summary())
    assert [p.start for p in series.points] == [at(f"2026-11-{d} 16:05") for d in (19, 20, 21)]
    assert series.listing.notes == ()


# --------------------------------------------------------------------------------------- Proxmox


def snapshot(day: int, **more: Any) -> dict[str, Any]:
    given = {
        "backup-type": "vm",
        "backup-id": "101",
        "backup-time": int(at(f"2026-11-{day:02} 16:00").timestamp()),
        "size": 10**9,
        "files": [
            {"filename": "drive-scsi0.img.fidx", "crypt-mode": "encrypt"},
            {"filename": "index.json.blob", "crypt-mode": "sign-only"},
            {"filename": "client.log.blob", "crypt-mode": "none"},
        ],
        "verification": {"state": "ok", "upid": "UPID:x"},
        "protected": False,
    }
    return given | more


def test_snapshots_of_the_api_and_of_the_client() -> None:
    rows = [snapshot(20), snapshot(21)]
    for body in (rows, {"data": rows}):
        series = read("proxmox", body)
        assert [p.start for p in series.points] == [at("2026-11-20 16:00"), at("2026-11-21 16:00")]
        assert [p.verified for p in series.points] == [True, True]
        assert [p.encrypted for p in series.points] == [True, True]
        assert [p.size for p in series.points] == [10**9, 10**9]


@pytest.mark.parametrize("said", [None, {}, {"state": "?"}])
def test_without_a_verification_it_was_never_verified(said: object) -> None:
    assert [p.verified for p in read("proxmox", [snapshot(21, verification=said)]).points] == [None]


def test_a_failed_verification_is_no_copy() -> None:
    (point,) = read("proxmox", [snapshot(21, verification={"state": "failed"})]).points
    assert (point.verified, point.state) == (False, PointState.INVALID)


def test_a_snapshot_without_a_size_is_unfinished_or_broken() -> None:
    row = snapshot(21)
    del row["size"]
    (point,) = read("proxmox", [row]).points
    assert (point.state, point.notes) == (PointState.INVALID, ("no_size",))


@pytest.mark.parametrize(
    ("modes", "encrypted"),
    [(["encrypt", "none"], False), (["sign-only"], False), (["encrypt", None], None), ([], None)],
)
def test_encrypted_means_every_file(modes: list[str | None], encrypted: bool | None) -> None:
    files = [{"filename": f"f{i}", "crypt-mode": m} for i, m in enumerate(modes)]
    assert [p.encrypted for p in read("proxmox", [snapshot(21, files=files)]).points] == [encrypted]


def test_guests_of_one_datastore_are_told_apart() -> None:
    rows = [snapshot(20), snapshot(21, **{"backup-id": "102"})]
    with pytest.raises(Unparsable, match="match"):
        read("proxmox", rows)
    (point,) = read("proxmox", rows, match=PointFilter(host="101", tags=("vm",))).points
    assert point.start == at("2026-11-20 16:00")
    assert read("proxmox", rows, match=PointFilter(host="101", tags=("ct",))).points == ()
