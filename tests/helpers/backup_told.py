"""One history told by each backup tool in its own way, for the tests of equal verdicts."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from checks.backup.sources import (
    aws_backup,
    bacula,
    barman,
    borg,
    directory,
    kopia,
    mariadb_backup,
    pgbackrest,
    postgresql,
    proxmox,
    register,
    restic,
    s3,
    veeam,
    walg,
    windows,
)
from checks.evidence import FILES, Evidence, Probe
from checks.files import FileEntry, pack
from checks.probes.host import CLOCK
from tests.helpers.backup_series import NOW

HANOI = dt.timezone(dt.timedelta(hours=7))
LASTS = dt.timedelta(minutes=10)
ARN = "arn:aws:rds:ap-southeast-1:123456789012:db:one"
_ARNS = "arn:aws:backup:ap-southeast-1:123456789012"


class Run(NamedTuple):
    """One run of a backup. Its copy weighs `size` kilobytes unless it `failed`."""

    start: dt.datetime
    size: int = 1000
    failed: bool = False

    @property
    def wall(self) -> str:
        """The start by a clock in Hà Nội, without a zone."""
        return f"{self.start.astimezone(HANOI):%Y-%m-%d %H:%M:%S}"

    @property
    def day(self) -> str:
        """Its date, which says only roughly when it was."""
        return f"{self.start:%Y-%m-%d}"

    @property
    def end(self) -> dt.datetime:
        """When it was over."""
        return self.start + LASTS


class Size(StrEnum):
    """What a tool tells of a copy's weight."""

    STORED = "stored"
    DATA = "data"
    NONE = "none"


class Teller(NamedTuple):
    """How one tool tells a history. `failures` is whether it tells a run that failed."""

    kind: str
    tell: Callable[[Sequence[Run]], Sequence[Evidence]]
    keys: Mapping[str, Any]
    size: Size = Size.STORED
    failures: bool = True


def answer(probe: Probe, stdout: bytes, stderr: bytes = b"", target: str = "h") -> Evidence:
    """What a listing that worked brings back."""
    said = stderr + b"sauro-exit 0\n"
    return Evidence(probe=probe.id, target=target, key="", taken=NOW, stdout=stdout, stderr=said)


def as_json(found: object) -> bytes:
    """A tool's JSON."""
    return json.dumps(found).encode()


def lines(found: Sequence[Mapping[str, Any]]) -> bytes:
    """The lines of the S3 transport, the last of which ends the listing."""
    end = {"total": len(found), "bytes": 0, "pages": 1, "capped": ""}
    return b"".join(as_json(line) + b"\n" for line in (*found, end))


def exported(probe: Probe, *tables: tuple[str, bytes]) -> list[Evidence]:
    """Files of the project folder, written now."""
    body = pack(FileEntry(name=name, mtime=NOW, data=data) for name, data in tables)
    return [Evidence(probe=probe.id, target=FILES, key="", taken=NOW, stdout=body)]


def clock() -> Evidence:
    """A host in Hà Nội whose clock is right."""
    text = f"epoch={NOW.timestamp():.1f}\noffset=+0700\ntz=Asia/Ho_Chi_Minh\n"
    return answer(CLOCK, text.encode())


# ------------------------------------------------------------------------------- files and objects


def _listed(root: str, files: Sequence[tuple[str, dt.datetime, int]]) -> bytes:
    fields = ["root", root]
    for n, (name, time, size) in enumerate(files):
        stamp = int(time.timestamp())
        fields += [f"{stamp} {stamp} 0 {size} {n + 1}", f"{root}/{name}"]
    return "\0".join([*fields, "end", "0", ""]).encode()


def _bytes(run: Run) -> int:
    """A dump of which the program died leaves a file with nothing in it."""
    return 0 if run.failed else run.size * 1024


def _folder(runs: Sequence[Run]) -> list[Evidence]:
    files = [(f"db-{r.start:%Y%m%dT%H%M%S}Z.dump", r.start, _bytes(r)) for r in runs]
    return [answer(directory.LISTING, _listed("/b", files))]


def _bucket(runs: Sequence[Run]) -> list[Evidence]:
    found = [
        {"key": f"p/db-{r.day}.dump", "size": _bytes(r), "last_modified": r.start.isoformat()}
        for r in runs
    ]
    return [answer(s3.OBJECTS, lines(found))]


def _rclone(runs: Sequence[Run]) -> list[Evidence]:
    rows = [
        {
            "Path": f"db-{r.start:%Y%m%dT%H%M%SZ}.dump",
            "Size": _bytes(r),
            "ModTime": r.start.astimezone(HANOI).isoformat(),
        }
        for r in runs
    ]
    return [answer(Probe(id="backup.rclone", title=""), as_json(rows))]


def _duplicity(runs: Sequence[Run]) -> list[Evidence]:
    files = []
    for run in runs:
        name = f"duplicity-full.{run.start:%Y%m%dT%H%M%S}Z"
        # The first volume never came; the manifest and the second did.
        files.append((f"{name}.vol{1 + run.failed}.difftar.gpg", run.start, run.size * 1024))
        files.append((f"{name}.manifest.gpg", run.start, 0))
    return [answer(directory.LISTING, _listed("/srv/r", files))]


def _register(runs: Sequence[Run]) -> list[Evidence]:
    rows = [
        f"{r.start:%Y-%m-%d %H:%M};backup;{'failed' if r.failed else 'ok'};{r.size} KB\n"
        for r in runs
    ]
    return exported(register.TABLE, ("r.csv", ("date;type;result;size\n" + "".join(rows)).encode()))


# -------------------------------------------------------------------------- repositories of files


def _restic(runs: Sequence[Run], *, summary: bool) -> list[Evidence]:
    rows = []
    for n, run in enumerate(runs):
        if run.failed:
            continue  # it stopped before the snapshot was written
        figures = {
            "summary": {
                "backup_start": run.start.isoformat(),
                "backup_end": run.end.isoformat(),
                "total_files_processed": run.size,
                "total_bytes_processed": run.size * 1024,
            }
        }
        rows.append(
            {
                "time": run.start.astimezone(HANOI).isoformat(),
                "hostname": "h",
                "paths": ["/srv"],
                "id": f"{n:064x}",
            }
            | (figures if summary else {})
        )
    return [answer(restic.SNAPSHOTS, as_json(rows))]


def _borg(runs: Sequence[Run], *, figures: bool) -> list[Evidence]:
    rows, stats = [], []
    for n, run in enumerate(runs):
        rows.append(
            {
                "id": f"{n:064x}",
                # A broken-off run leaves a checkpoint, which is listed like an archive.
                "name": f"h-{run.day}{'.checkpoint' if run.failed else ''}",
                "start": run.start.replace(tzinfo=None).isoformat(timespec="microseconds"),
                "hostname": "h",
            }
        )
        size = {"nfiles": run.size, "original_size": run.size * 1024}
        stats.append({"id": f"{n:064x}", "stats": size})
    said = [answer(borg.ARCHIVES, as_json({"archives": rows, "encryption": {"mode": "repokey"}}))]
    newest = sorted(zip(runs, stats, strict=True), key=lambda p: p[0].start)[-10:]
    if figures:
        said.append(answer(borg.FIGURES, as_json({"archives": [s for _, s in newest]})))
    return said


def _kopia(runs: Sequence[Run]) -> list[Evidence]:
    rows = [
        {
            "id": f"{n:032x}",
            "source": {"host": "h", "userName": "root", "path": "/srv"},
            "startTime": r.start.isoformat(),
            "endTime": r.end.isoformat(),
            "stats": {"totalSize": r.size * 1024, "fileCount": 10, "errorCount": 0},
        }
        | ({"incomplete": "canceled"} if r.failed else {})
        for n, r in enumerate(runs)
    ]
    return [answer(kopia.SNAPSHOTS, as_json(rows))]


def _proxmox(runs: Sequence[Run]) -> list[Evidence]:
    rows = [
        {"backup-type": "vm", "backup-id": "101", "backup-time": int(r.start.timestamp())}
        # What is unfinished or broken has no size.
        | ({} if r.failed else {"size": r.size * 1024})
        for r in runs
    ]
    return [answer(proxmox.LIST, as_json(rows))]


# --------------------------------------------------------------------------------------- databases


def _pgbackrest(runs: Sequence[Run]) -> list[Evidence]:
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


def _barman(runs: Sequence[Run]) -> list[Evidence]:
    rows = []
    for run in runs:
        row: dict[str, object] = {"status": "FAILED"}
        if not run.failed:
            ended = str(int(run.start.timestamp()))
            row = {"status": "DONE", "end_time_timestamp": ended, "size_bytes": run.size * 1024}
        row["backup_id"] = f"{run.start.astimezone(HANOI):%Y%m%dT%H%M%S}"
        rows.append(row)
    return [answer(barman.LISTING, as_json({"main": rows})), clock()]


def _folders(root: str, found: Sequence[tuple[str, Mapping[str, object]]]) -> bytes:
    fields = ["root", root]
    for name, values in found:
        fields += [f"{root}/{name}", "".join(f"{k}={v}\n" for k, v in values.items())]
    return "\0".join([*fields, "end", "0", ""]).encode()


def _mariadb(runs: Sequence[Run]) -> list[Evidence]:
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
    return [answer(mariadb_backup.LISTING, _folders("/srv/m", found)), clock()]


def _postgresql(runs: Sequence[Run]) -> list[Evidence]:
    found = []
    for run in runs:
        values: dict[str, object] = {
            "born": int(run.start.timestamp()),
            "written": int(run.end.timestamp()),
            "start": f"{run.start:%Y-%m-%d %H:%M:%S}",
            "kilobytes": run.size,
        }
        found.append((f"base-{run.day}", values | ({} if run.failed else {"end": 1})))
    return [answer(postgresql.COPIES, _folders("/srv/pg", found)), clock()]


def _walg(runs: Sequence[Run]) -> list[Evidence]:
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


# ------------------------------------------------------------------------------------- whole suites


def _bacula(runs: Sequence[Run]) -> list[Evidence]:
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


def _veeam_points(runs: Sequence[Run]) -> list[Evidence]:
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


def _veeam_sessions(runs: Sequence[Run]) -> list[Evidence]:
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


def _windows(runs: Sequence[Run]) -> list[Evidence]:
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


def _aws(runs: Sequence[Run]) -> list[Evidence]:
    points, jobs = [], []
    for n, run in enumerate(runs):
        common = {"CreationDate": run.start.isoformat(), "BackupVaultName": "daily"}
        times = common | {"CompletionDate": run.end.isoformat(), "ResourceArn": ARN}
        arn = f"{_ARNS}:recovery-point:{n}"
        if run.failed:
            jobs.append(times | {"BackupJobId": f"j{n}", "State": "FAILED"})
        else:
            size = {"RecoveryPointArn": arn, "BackupSizeInBytes": run.size * 1024}
            points.append(times | size | {"Status": "COMPLETED"})
    return [
        answer(aws_backup.POINTS, lines(points), target="bucket"),
        answer(aws_backup.JOBS, lines(jobs), target="bucket"),
    ]


_FILE = {"server": "", "path": "export.json"}
TELLERS: dict[str, Teller] = {
    "directory": Teller("directory", _folder, {"path": "/b/*.dump"}),
    "s3": Teller("s3", _bucket, {"server": "", "bucket": "bucket", "path": "p"}),
    "rclone": Teller("rclone", _rclone, {"repository": "remote:r"}),
    "duplicity": Teller("duplicity", _duplicity, {"repository": "file:///srv/r"}),
    "register": Teller("register", _register, {"server": "", "path": "r.csv"}),
    # Restic and Borg list what ended with errors like anything else.
    "restic 0.14": Teller(
        "restic",
        lambda runs: _restic(runs, summary=False),
        {"repository": "/srv/r"},
        Size.NONE,
        failures=False,
    ),
    "restic 0.17": Teller(
        "restic",
        lambda runs: _restic(runs, summary=True),
        {"repository": "/srv/r"},
        Size.DATA,
        failures=False,
    ),
    "borg": Teller(
        "borg",
        lambda runs: _borg(runs, figures=True),
        {"repository": "/srv/r"},
        Size.DATA,
        failures=False,
    ),
    "borg as another account": Teller(
        "borg",
        lambda runs: _borg(runs, figures=False),
        {"repository": "/srv/r", "run_as": "borg"},
        Size.NONE,
        failures=False,
    ),
    "kopia": Teller("kopia", _kopia, {}, Size.DATA),
    "proxmox": Teller("proxmox", _proxmox, {"repository": "a@pbs!t@pbs1:main"}),
    "pgbackrest": Teller("pgbackrest", _pgbackrest, {"name": "main"}),
    "barman": Teller("barman", _barman, {"name": "main"}),
    "mariadb-backup": Teller("mariadb-backup", _mariadb, {"path": "/srv/m"}),
    "postgresql": Teller("postgresql", _postgresql, {"path": "/srv/pg"}),
    # WAL-G lists what it finished, and nothing of what it did not.
    "wal-g": Teller("wal-g", _walg, {}, failures=False),
    "bacula": Teller("bacula", _bacula, {"name": "motcua"}),
    "veeam restore points": Teller("veeam", _veeam_points, _FILE),
    "veeam sessions": Teller("veeam", _veeam_sessions, _FILE, Size.NONE),
    "windows-backup": Teller("windows-backup", _windows, _FILE, Size.NONE),
    "aws-backup": Teller("aws-backup", _aws, {"server": "", "bucket": "bucket", "name": ARN}),
}
"""A name to how that tool, read in that way, tells a history."""
