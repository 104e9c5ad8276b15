"""Kind `veeam`: restore points or job sessions that somebody exported from Veeam.

`path` is a JSON or CSV file of the project: Enterprise Manager's `/api/vmRestorePoints`, or
`Get-VBRRestorePoint` or `Get-VBRBackupSession` through `ConvertTo-Json` or `Export-Csv` with times
in UTC (`.ToUniversalTime().ToString('o')`). `name` keeps the rows of one job, `match.host` those of
one machine. This rests on documented fields, not on a run of Veeam.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Origin,
    PointKind,
    PointState,
    Repository,
)
from checks.backup.sources.base import BackupSource
from checks.backup.sources.exports import (
    Record,
    export_request,
    first,
    fresh_records,
    moment,
    text,
    whole,
)
from checks.backup.sources.match import Found, bind
from checks.evidence import Answers, Failure, FailureKind, Probe, Request, Source, Unparsable
from checks.model import Context, Subject

KIND = "veeam"
EXPORT = Probe(
    id="backup.veeam",
    title="export of Veeam's restore points or job sessions",
    source=Source.FILES,
    limit=33_554_432,
)
_MACHINE = ("vmname", "vmdisplayname", "objectname", "machinename")
_JOB = ("jobname", "backupname")
_TIME = ("creationtimeutc", "creationtime", "starttimeutc", "starttime")
_END = ("endtimeutc", "endtime", "completiontimeutc", "completiontime")
_SIZE = ("backupsize", "approxsize", "size")
_KINDS = {
    "full": PointKind.FULL,
    "synthetic": PointKind.FULL,
    "increment": PointKind.INCREMENTAL,
    "incremental": PointKind.INCREMENTAL,
}
_RESULTS = {
    "0": (PointState.OK, 0),
    "success": (PointState.OK, 0),
    "1": (PointState.OK, 1),
    "warning": (PointState.OK, 1),
    "2": (PointState.INVALID, 0),
    "failed": (PointState.INVALID, 0),
    "-1": (PointState.RUNNING, 0),
    "none": (PointState.RUNNING, 0),
}
_NEVER = ("-10", "never")


def requests(subject: Subject) -> list[Request]:
    """The export."""
    return [export_request(subject.the_backup, EXPORT)]


def read(context: Context, answers: Answers) -> BackupSeries:
    """The rows of the set as a series.

    Raises:
        Unparsable: the export is stale or damaged, a row of the set has no time that can be read
            for sure, or the rows are of several machines and nothing says which is meant.
    """
    backup = context.subject.the_backup
    rows = [r for r in fresh_records(context, answers.one(EXPORT.id)) if _is_row(r)]
    mine = [r for r in rows if not backup.name or text(r, *_JOB) == backup.name]
    if rows and not mine:
        raise Unparsable(f"no row of the job {backup.name} in {backup.path}")
    found = [f for r in mine if (f := _found(r, context)) is not None]
    points, listing = bind(backup, found, _notes(mine))
    unseen = {
        field: Failure(kind=FailureKind.NOT_DECLARED, detail=what)
        for field, what in (
            ("remote", "where the repository lies: an export of restore points does not say"),
            ("encrypted", "encryption of the job's storage settings"),
            ("immutable", "immutability days of the repository"),
            ("deletable", "accounts that may delete from disk"),
            ("proofs", "SureBackup sessions and restores: register them"),
        )
    }
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=tuple(_chained(points)),
        listing=listing,
        repositories=(Repository(platform=KIND, location=backup.path, unseen=unseen),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _is_row(record: Record) -> bool:
    return first(record, *_TIME) is not None or first(record, "result") is not None


def _notes(rows: list[Record]) -> list[str]:
    """A job that ended well may have left out a machine."""
    return ["job_not_machine"] if any(not text(r, *_MACHINE) for r in rows) else []


def _found(record: Record, context: Context) -> Found | None:
    """A row as a point; None for a job that never ran."""
    result = text(record, "result", "jobresult").lower()
    if result in _NEVER:
        return None
    stamp = moment(first(record, *_TIME), context.zone)
    machine, job = text(record, *_MACHINE), text(record, *_JOB)
    who = machine or job or text(record, "name")
    if stamp is None:
        shown = text(record, *_TIME)
        raise Unparsable(
            f"{context.subject.the_backup.path}: time {shown!r} of {who}; export it as "
            "2026-11-21T16:05:00Z"
        )
    state, errors = _RESULTS.get(result, (PointState.INVALID if result else PointState.OK, 0))
    notes = ("result_not_known",) if result and result not in _RESULTS else ()
    if str(first(record, "iscorrupted")).lower() == "true":
        state, notes = PointState.INVALID, (*notes, "corrupted")
    end = moment(first(record, *_END), context.zone)
    kind = text(record, "type", "pointtype", "backuptype").lower()
    own = text(record, "uid", "id") or f"{who}@{stamp.time.isoformat()}"
    point = BackupPoint(
        id=own,
        start=stamp.time,
        end=end.time if end is not None and end.time >= stamp.time else None,
        uncertainty=stamp.uncertainty,
        # What an increment adds says nothing about whether it is whole.
        size=whole(record, *_SIZE) if "incr" not in kind else None,
        state=state,
        origin=Origin.TOOL,
        clock="writer",
        name=f"{who} {stamp.time:%Y-%m-%d %H:%M}",
        notes=notes if stamp.uncertainty <= 60 else (*notes, "zone_assumed"),
        kind=_KINDS.get(kind, PointKind.UNKNOWN),
        errors=errors,
    )
    return Found(point=point, host=machine, tags=frozenset({job} - {""}))


def _chained(points: tuple[BackupPoint, ...]) -> Iterator[BackupPoint]:
    """Increments with the restore point before them, which they need."""
    last = ""
    for point in points:
        if point.kind is PointKind.INCREMENTAL and last:
            yield msgspec.structs.replace(point, base=last)
        else:
            yield point
        if point.state is PointState.OK:
            last = point.id
