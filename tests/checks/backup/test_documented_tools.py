"""kopia, WAL-G and the Proxmox client: commands and documented fields; no run of the tools."""

from __future__ import annotations

import json
import shlex
import stat
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import BackupSeries, Origin, PointKind, PointState
from checks.backup.sources import kopia, proxmox, walg
from checks.backup.sources.registry import SERIES
from checks.evidence import FailureKind, NotDeclared, Unparsable
from checks.model import Status
from inventory.model import BackupSet, PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import asked, backup, parsed, said, scanned, subject

KOPIA, WALG, PBS = kopia.SNAPSHOTS.id, walg.LIST.id, proxmox.LIST.id


def as_json(rows: Any) -> bytes:
    return json.dumps(rows).encode()


def stub(folder: Path, name: str, body: str) -> None:
    """A program that answers as the real one is documented to."""
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


# ----------------------------------------------------------------------------------------- kopia


def snapshot(day: int, **more: Any) -> dict[str, Any]:
    given = {
        "id": f"k{day}",
        "source": {"host": "h1", "userName": "root", "path": "/srv/data"},
        "startTime": f"2026-11-{day:02}T16:00:00.123456789Z",
        "endTime": f"2026-11-{day:02}T16:20:00Z",
        "stats": {"totalSize": 5000, "fileCount": 10, "errorCount": 0, "ignoredErrorCount": 0},
        "rootEntry": {"summ": {"size": 5000, "files": 10, "numFailed": 0}},
        "retentionReason": ["latest-1"],
    }
    return given | more


def of_kopia(*rows: dict[str, Any], status: bytes | None = None, **more: Any) -> BackupSeries:
    evidence = [said(KOPIA, as_json(list(rows)))]
    evidence += [said(kopia.STATUS.id, status)] if status is not None else []
    return parsed(backup("kopia", **more), *evidence)


def test_kopia_is_asked_for_everybody_s_snapshots() -> None:
    mine = backup("kopia", repository="/etc/kopia/read.config", run_as="kopia")
    request = asked(mine, KOPIA)
    assert request.sudo == (
        *("kopia", "env", "KOPIA_CHECK_FOR_UPDATES=false", "kopia"),
        *("--config-file=/etc/kopia/read.config", "snapshot", "list", "--all", "--json"),
    )
    with_password = asked(backup("kopia", password="env:K"), KOPIA)  # noqa: S106 - a reference
    assert with_password.secrets == {"KOPIA_PASSWORD": "env:K"}
    assert asked(backup("kopia"), kopia.STATUS.id).sensitive
    with pytest.raises(NotDeclared):
        SERIES.requests(subject(backup("kopia", password_file="/p")))  # noqa: S106 - a path


def test_snapshots_of_kopia() -> None:
    series = of_kopia(snapshot(21), snapshot(20))
    assert [p.id for p in series.points] == ["k20", "k21"]
    newest = series.points[-1]
    assert abs((newest.start - at("2026-11-21 16:00")).total_seconds()) < 1
    assert newest.end == at("2026-11-21 16:20")
    assert (newest.paths, newest.files, newest.data, newest.encrypted) == (
        ("/srv/data",),
        10,
        5000,
        True,
    )


@pytest.mark.parametrize(
    ("reason", "points"),
    [
        # A checkpoint is a part of the row that comes after it.
        ("checkpoint", [("k20", PointState.OK, ())]),
        (
            "canceled",
            [
                ("k20", PointState.OK, ()),
                ("k21", PointState.INVALID, ("incomplete_canceled",)),
            ],
        ),
        (
            "limit",
            [("k20", PointState.OK, ()), ("k21", PointState.INVALID, ("incomplete_limit",))],
        ),
    ],
)
def test_what_kopia_broke_off_is_listed_and_no_copy(reason: str, points: list[Any]) -> None:
    series = of_kopia(snapshot(20), snapshot(21, incomplete=reason))
    assert [(p.id, p.state, p.notes) for p in series.points] == points
    assert "incomplete_snapshots" in series.listing.notes


def test_files_that_kopia_could_not_read_are_errors() -> None:
    failed = {"summ": {"size": 1, "files": 9, "numFailed": 2}}
    assert [p.errors for p in of_kopia(snapshot(20, rootEntry=failed)).points] == [2]
    counted = {"totalSize": 1, "fileCount": 9, "errorCount": 3}
    assert [p.errors for p in of_kopia(snapshot(20, stats=counted)).points] == [3]
    empty = {"summ": {"size": 0, "files": 0}}
    assert [p.state for p in of_kopia(snapshot(20, rootEntry=empty)).points] == [PointState.INVALID]


def test_kopia_s_hosts_and_paths_are_told_apart() -> None:
    other = {"host": "h2", "userName": "root", "path": "/srv/data"}
    with pytest.raises(Unparsable, match="match"):
        of_kopia(snapshot(20), snapshot(21, source=other))
    bound = of_kopia(snapshot(20), snapshot(21, source=other), match=PointFilter(host="h1"))
    assert [p.id for p in bound.points] == ["k20"]


def test_what_locks_a_kopia_repository() -> None:
    status = {"contentFormat": {"encryption": "AES256-GCM-HMAC-SHA256"}}
    (place,) = of_kopia(snapshot(20), status=as_json(status)).repositories
    assert (place.encrypted, place.immutable, place.immutable_days) == (True, False, None)
    locked = status | {"blobRetention": {"mode": "COMPLIANCE", "period": 30 * 86400 * 10**9}}
    (place,) = of_kopia(snapshot(20), status=as_json(locked)).repositories
    assert (place.immutable, place.immutable_days) == (True, 30)
    (place,) = of_kopia(snapshot(20)).repositories
    assert place.immutable is None
    assert "immutable" in place.unseen


@pytest.mark.parametrize(
    ("stderr", "kind"),
    [
        (b"ERROR invalid repository password", FailureKind.AUTH),
        (b"ERROR open repository: repository is not connected", FailureKind.COMMAND_FAILED),
    ],
)
def test_why_kopia_could_not_look(stderr: bytes, kind: FailureKind) -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(backup("kopia"), said(KOPIA, b"", 1, stderr))
    assert caught.value.kind is kind


def test_an_empty_kopia_repository() -> None:
    assert parsed(backup("kopia"), said(KOPIA, b"null\n")).points == ()
    assert of_kopia().points == ()


# ----------------------------------------------------------------------------------------- WAL-G


def base(day: int, name: str = "", **more: Any) -> dict[str, Any]:
    given = {
        "backup_name": name or f"base_0000000100000000000000{day:02}",
        "time": "2026-11-22T03:00:00Z",
        "wal_file_name": f"0000000100000000000000{day:02}",
        "start_time": f"2026-11-{day:02}T16:00:00.5Z",
        "finish_time": f"2026-11-{day:02}T16:30:00.5Z",
        "date_fmt": "%Y-%m-%dT%H:%M:%S.%fZ",
        "hostname": "db1",
        "uncompressed_size": 2000,
        "compressed_size": 700,
        "is_permanent": False,
    }
    return given | more


def of_walg(*rows: dict[str, Any]) -> BackupSeries:
    return parsed(backup("wal-g"), said(WALG, as_json(list(rows))))


def test_wal_g_s_own_times_count_and_not_those_of_the_objects() -> None:
    series = of_walg(base(21), base(20))
    assert [p.start.replace(microsecond=0) for p in series.points] == [
        at("2026-11-20 16:00"),
        at("2026-11-21 16:00"),
    ]
    assert {p.origin for p in series.points} == {Origin.TOOL}
    assert [(p.size, p.data) for p in series.points] == [(700, 2000)] * 2


def test_a_backup_without_details_has_the_storage_s_time() -> None:
    row = {"backup_name": "base_000000010000000000000020", "time": "2026-11-20T16:30:00Z"}
    (point,) = of_walg(row).points
    assert (point.start, point.origin) == (at("2026-11-20 16:30"), Origin.SERVER)
    assert point.notes == ("outcome_unsaid", "time_of_storage_only")
    with pytest.raises(Unparsable, match="no time"):
        of_walg({"backup_name": "base_1"})


def test_deltas_hang_on_what_they_were_made_onto() -> None:
    full, first = "base_000000010000000000000018", "000000010000000000000019"
    rows = (
        base(18, full),
        base(19, f"base_{first}_D_000000010000000000000018"),
        base(20, f"base_000000010000000000000020_D_{first}"),
        base(21, "base_000000010000000000000021_D_000000010000000000000001"),
    )
    series = of_walg(*rows)
    assert [p.kind for p in series.points] == [PointKind.FULL, *[PointKind.INCREMENTAL] * 3]
    assert [p.base for p in series.points] == [
        "",
        full,
        f"base_{first}_D_000000010000000000000018",
        "base_000000010000000000000001",
    ]
    assert [p.size for p in series.points] == [700, None, None, None]


def test_the_rows_of_wal_g_for_mysql() -> None:
    row = {
        "backup_name": "stream_20261121T160000Z",
        "modify_time": "2026-11-22T03:00:00Z",
        "start_local_time": "2026-11-21T23:00:00.007416+07:00",
        "stop_local_time": "2026-11-21T23:10:00+07:00",
        "uncompressed_size": 10,
        "compressed_size": 5,
    }
    (point,) = of_walg(row).points
    assert (point.start.replace(microsecond=0), point.end) == (
        at("2026-11-21 16:00"),
        at("2026-11-21 16:10"),
    )


def test_an_empty_storage_of_wal_g_is_said_on_the_other_stream() -> None:
    mine = backup("wal-g")
    nothing = said(WALG, b"", 0, b"INFO: 2026/11/22 09:00:00.1 No backups found\n")
    assert parsed(mine, nothing).points == ()
    with pytest.raises(Unparsable):
        parsed(mine, said(WALG, b"", 0))
    with pytest.raises(Unparsable) as caught:
        parsed(mine, said(WALG, b"", 1, b"ERROR: AccessDenied: status code: 403"))
    assert caught.value.kind is FailureKind.DENIED
    with pytest.raises(Unparsable) as caught:
        parsed(mine, said(WALG, b"", 1, b"ERROR: InvalidAccessKeyId: status code: 403"))
    assert caught.value.kind is FailureKind.AUTH


# --------------------------------------------------------------------------------------- Proxmox


def pbs(**more: Any) -> BackupSet:
    return backup("proxmox", repository="auditor@pbs!read@pbs1:main", **more)


def test_the_client_of_proxmox_and_its_password() -> None:
    request = asked(pbs(password_file="/etc/pbs/secret", name="prod"), PBS)  # noqa: S106
    words = shlex.split(request.script)
    assert "PBS_PASSWORD_FILE=/etc/pbs/secret" in words
    assert {"--repository=auditor@pbs!read@pbs1:main", "--ns=prod", "--output-format=json"} <= {
        *words
    }
    assert asked(pbs(password="env:P"), PBS).secrets == {"PBS_PASSWORD": "env:P"}  # noqa: S106
    for bad in ("", "-x", "a b", "a\nb"):
        with pytest.raises(NotDeclared, match="repository"):
            SERIES.requests(subject(backup("proxmox", repository=bad)))


def test_a_refused_client_of_proxmox() -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(pbs(), said(PBS, b"", 255, b"Error: authentication failed - invalid credentials"))
    assert caught.value.kind is FailureKind.AUTH
    with pytest.raises(Unparsable) as caught:
        parsed(pbs(), said(PBS, b"", 255, b"Error: permission check failed."))
    assert caught.value.kind is FailureKind.DENIED
    with pytest.raises(Unparsable):
        parsed(pbs(), said(PBS, b"nothing of that sort"))


# ------------------------------------------------------------------------ through the real engine

CASES = {
    "kopia": (backup("kopia"), "kopia", [snapshot(21)]),
    "wal-g": (backup("wal-g", repository="/etc/wal-g.yaml"), "wal-g", [base(21)]),
    "proxmox": (
        pbs(),
        "proxmox-backup-client",
        [
            {
                "backup-type": "vm",
                "backup-id": "101",
                "backup-time": int(at("2026-11-21 16:00").timestamp()),
                "size": 10,
            }
        ],
    ),
}


@pytest.mark.parametrize("kind", CASES)
def test_a_tool_that_is_there_is_read_and_one_that_is_not_is_named(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    promised, tool, rows = CASES[kind]
    found = scanned(promised, tmp_path)[0]["backup.recent"]
    assert found.status is Status.UNKNOWN
    assert found.failure is not None
    assert (found.failure.kind, found.failure.detail) == (FailureKind.MISSING_TOOL, tool)
    stub(tmp_path, tool, f"cat <<'END'\n{json.dumps(rows)}\nEND")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    series = scanned(promised, tmp_path)[1]
    assert series is not None
    assert len(series.points) == 1
