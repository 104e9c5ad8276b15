"""A history as the tools of databases and whole suites tell it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from checks.backup.sources import (
    aws_backup,
    bacula,
    barman,
    mariadb_backup,
    pgbackrest,
    postgresql,
    veeam,
    walg,
    windows,
)
from checks.evidence import Evidence
from tests.helpers.backup_saying import (
    ARN,
    ARNS,
    HANOI,
    Run,
    answer,
    as_json,
    clock,
    exported,
    folders,
    lines,
)
from tests.helpers.backup_series import NOW


def by_pgbackrest(runs: Sequence[Run]) -> list[Evidence]:
    """Full backups of a stanza, and the clock."""
    rows = [
        {
            "label": f"{r.start.astimezone(HANOI):%Y%m%d-%H%M%S}F",
            "type": "full",
            "timestamp": {"start": int(r.start.timestamp()), "stop": int(r.end.timestamp())},
            "error": r.failed,
            "info": {"size": 1, "repository": {"delta": r.size * 1024, "size": r.size * 1024}},
            "archive": {"start": f"{1:024X}", "stop": f"{2:024X}"},
            "database": {"id": 1, "repo-key": 1},
        }
        for r in runs
    ]
    code = 0 if runs else 2
    place = {"database": {"id": 1, "repo-key": 1}, "min": f"{1:024X}", "max": f"{9:024X}"}
    stanza = {
        "name": "main",
        "status": {"code": code, "lock": {"backup": {"held": False}}},
        "backup": rows,
        "archive": [place],
        "repo": [{"key": 1, "cipher": "none", "status": {"code": code, "message": ""}}],
    }
    return [answer(pgbackrest.INFO, as_json([stanza])), clock()]


def by_barman(runs: Sequence[Run]) -> list[Evidence]:
    """Backups of a server, and the clock."""
    rows = []
    for run in runs:
        row: dict[str, object] = {"status": "FAILED"}
        if not run.failed:
            ended = str(int(run.start.timestamp()))
            row = {"status": "DONE", "end_time_timestamp": ended, "size_bytes": run.size * 1024}
        row["backup_id"] = f"{run.start.astimezone(HANOI):%Y%m%dT%H%M%S}"
        rows.append(row)
    return [answer(barman.LISTING, as_json({"main": rows})), clock()]


def by_mariadb(runs: Sequence[Run]) -> list[Evidence]:
    """Folders that hold full copies, and the clock."""
    found = []
    for n, run in enumerate(runs):
        ended = run.end.astimezone(HANOI)
        values = {
            "born": int(run.start.timestamp()),
            "info": 1,
            "uuid": f"u{n}",
            "start_time": run.wall,
            "end_time": f"{ended:%Y-%m-%d %H:%M:%S}",
            "partial": "N",
            "format": "file",
            "backup_type": "full-backuped",
            "from_lsn": 0,
            "to_lsn": 100 + n,
            "data": 1,
            "log": "broken" if run.failed else "ok",
            "kilobytes": run.size,
        }
        found.append((f"{n}", values))
    return [answer(mariadb_backup.LISTING, folders("/srv/m", found)), clock()]


def by_postgresql(runs: Sequence[Run]) -> list[Evidence]:
    """Base backups with their manifests, and the clock."""
    found = []
    for run in runs:
        values: dict[str, object] = {
            "born": int(run.start.timestamp()),
            "written": int(run.end.timestamp()),
            "start": f"{run.start:%Y-%m-%d %H:%M:%S}",
            "kilobytes": run.size,
        }
        found.append((f"base-{run.day}", values | ({} if run.failed else {"end": 1})))
    return [answer(postgresql.COPIES, folders("/srv/pg", found)), clock()]


def by_walg(runs: Sequence[Run]) -> list[Evidence]:
    """Base backups, and the clock."""
    rows = [
        {
            "backup_name": f"base_{n:024X}",
            "time": NOW.isoformat(),
            "start_time": r.start.isoformat(),
            "finish_time": r.end.isoformat(),
            "hostname": "h",
            "uncompressed_size": 1,
            "compressed_size": r.size * 1024,
        }
        for n, r in enumerate(runs)
        if not r.failed  # without its last object a backup is not listed
    ]
    empty = b"" if rows else b"INFO: No backups found\n"
    return [answer(walg.LIST, as_json(rows) if rows else b"", empty), clock()]


def by_bacula(runs: Sequence[Run]) -> list[Evidence]:
    """A console's session, and the clock."""
    blocks = []
    for n, run in enumerate(runs, 1):
        ended = run.end.astimezone(HANOI)
        values: dict[str, object] = {
            "JobId": n,
            "Name": "motcua",
            "PurgedFiles": 0,
            "Type": "B",
            "Level": "F",
            "ClientName": "motcua-fd",
            "JobStatus": "f" if run.failed else "T",
            "StartTime": run.wall,
            "EndTime": f"{ended:%Y-%m-%d %H:%M:%S}",
            "JobTDate": int(run.end.timestamp()),
            "JobFiles": 0 if run.failed else 10,
            "JobBytes": 0 if run.failed else run.size * 1024,
            "JobErrors": 0,
            "PoolName": "Daily",
        }
        blocks.append("".join(f"{k:>16}: {v}\n" for k, v in values.items()) + "\n")
    none = "No results to list.\n"
    text = "1000 OK: 103 test-dir\n" + ("".join(blocks) or none) + ".jobs type=B\nmotcua\n"
    return [answer(bacula.JOBS, text.encode()), clock()]


def by_veeam_points(runs: Sequence[Run]) -> list[Evidence]:
    """Restore points, exported."""
    rows = [
        {
            "UID": f"urn:{n}",
            "CreationTime": r.start.isoformat(),
            "Type": "Full",
            "VmDisplayName": "h",
            "BackupName": "Nightly",
            "ApproxSize": r.size * 1024,
            "IsCorrupted": r.failed,
        }
        for n, r in enumerate(runs)
    ]
    return exported(veeam.EXPORT, ("export.json", as_json(rows)))


def by_veeam_sessions(runs: Sequence[Run]) -> list[Evidence]:
    """Sessions of a job, exported."""
    rows = [
        {
            "JobName": "Nightly",
            "CreationTime": r.start.isoformat(),
            "EndTime": r.end.isoformat(),
            "Result": 2 if r.failed else 0,
        }
        for r in runs
    ]
    return exported(veeam.EXPORT, ("export.json", as_json(rows)))


def _powershell(time: dt.datetime | None) -> str:
    """PowerShell 5.1's dates; year 1 is its `never`."""
    return f"/Date({int(time.timestamp() * 1000) if time else -62135596800000})/"


def by_windows(runs: Sequence[Run]) -> list[Evidence]:
    """The summary and the backup sets, exported."""
    past = sorted(r for r in runs if r.start <= NOW)
    good = [r.start for r in past if not r.failed]
    summary = {
        "LastSuccessfulBackupTime": _powershell(good[-1] if good else None),
        "LastBackupTime": _powershell(past[-1].start if past else None),
        "LastBackupResultHR": -2139619308 if past and past[-1].failed else 0,
        "NumberOfVersions": len(good),
    }
    sets = [
        {"VersionId": f"v{n}", "BackupTime": _powershell(r.start), "BackupTarget": {"Label": "E:"}}
        for n, r in enumerate(runs)
        if not r.failed
    ]
    tables = ("summary.json", as_json(summary)), ("sets.json", as_json(sets))
    return exported(windows.EXPORT, *tables)


def by_aws(runs: Sequence[Run]) -> list[Evidence]:
    """Recovery points, and the jobs that failed."""
    points, jobs = [], []
    for n, run in enumerate(runs):
        common = {"CreationDate": run.start.isoformat(), "BackupVaultName": "daily"}
        times = common | {"CompletionDate": run.end.isoformat(), "ResourceArn": ARN}
        arn = f"{ARNS}:recovery-point:{n}"
        if run.failed:
            jobs.append(times | {"BackupJobId": f"j{n}", "State": "FAILED"})
        else:
            size = {"RecoveryPointArn": arn, "BackupSizeInBytes": run.size * 1024}
            points.append(times | size | {"Status": "COMPLETED"})
    return [
        answer(aws_backup.POINTS, lines(points), target="bucket"),
        answer(aws_backup.JOBS, lines(jobs), target="bucket"),
    ]
