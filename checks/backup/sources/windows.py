"""Kind `windows-backup`: what somebody exported from Windows Server Backup.

`path` is one or more files of the project: `Get-WBSummary | ConvertTo-Json` and, for the series,
`Get-WBBackupSet | ConvertTo-Json`. This rests on documented fields, not on a run of the tool.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from checks.backup.series import BackupPoint, BackupSeries, Listing, Origin, PointState, Repository
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.exports import (
    Record,
    export_request,
    first,
    fresh_records,
    moment,
    text,
    whole,
)
from checks.backup.timing import Stamp
from checks.evidence import Answers, Failure, FailureKind, Probe, Request, Source, Unparsable
from checks.model import Context, Subject

KIND = "windows-backup"
EXPORT = Probe(
    id="backup.windows",
    title="export of Windows Server Backup's summary and backup sets",
    source=Source.FILES,
    limit=8_388_608,
)
_SAME = dt.timedelta(minutes=2)


class _Made(msgspec.Struct, frozen=True):
    stamp: Stamp
    target: str
    id: str = ""
    failed: str = ""


def requests(subject: Subject) -> list[Request]:
    """The export."""
    return [export_request(subject.the_backup, EXPORT)]


def read(context: Context, answers: Answers) -> BackupSeries:
    """Backup sets, and the last good and the last bad run of the summary, as a series.

    Raises:
        Unparsable: the export is stale or damaged, or is neither a summary nor a list of sets.
    """
    backup = context.subject.the_backup
    listed = fresh_records(context, answers.one(EXPORT.id))
    sets = [r for r in listed if "backuptime" in r]
    summaries = [r for r in listed if "lastsuccessfulbackuptime" in r or "lastbackuptime" in r]
    if not sets and not summaries:
        raise Unparsable(f"{backup.path}: neither Get-WBSummary nor Get-WBBackupSet")
    made = [m for r in sets if (m := _set(r, context)) is not None]
    for summary in summaries:
        made += [m for m in _runs(summary, context) if _is_new(m, made)]
    points, older = newest(_point(m) for m in made)
    following = [moment(first(s, "nextbackuptime"), context.zone) for s in summaries]
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            total=len(listed),
            older=older,
            # The summary alone tells of the last run only, and of how many there are.
            notes=() if sets else ("last_run_only",),
        ),
        zone=context.zone.key,
        repositories=tuple(_targets(made)),
        scheduled=any(f is not None for f in following) or None,
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _set(record: Record, context: Context) -> _Made | None:
    stamp = moment(first(record, "backuptime"), context.zone)
    if stamp is None:
        shown = text(record, "backuptime")
        raise Unparsable(f"{context.subject.the_backup.path}: time {shown!r} of a backup set")
    return _Made(stamp, _target(record), id=text(record, "versionid", "backupsetid"))


def _runs(summary: Record, context: Context) -> Iterator[_Made]:
    """The last good run, and the last one when it failed; years 1 and 1601 mean never."""
    good = moment(first(summary, "lastsuccessfulbackuptime"), context.zone)
    last = moment(first(summary, "lastbackuptime"), context.zone)
    if good is not None:
        yield _Made(good, _target(summary))
    result = first(summary, "lastbackupresulthr")
    if last is not None and result is None:
        yield _Made(last, _target(summary), failed="no_result")
    elif last is not None and whole(summary, "lastbackupresulthr") != 0:
        yield _Made(last, _target(summary), failed=f"result_{text(summary, 'lastbackupresulthr')}")


def _is_new(made: _Made, known: list[_Made]) -> bool:
    return bool(made.failed) or all(
        abs(made.stamp.time - k.stamp.time) > _SAME for k in known if not k.failed
    )


def _target(record: Record) -> str:
    found = first(record, "backuptarget", "lastbackuptarget")
    if isinstance(found, dict):
        named = {str(k).lower(): v for k, v in found.items()}
        return text(named, "targetpath", "label", "path")
    return text(record, "backuptarget", "lastbackuptarget")


def _point(made: _Made) -> BackupPoint:
    stamp = made.stamp
    notes = (made.failed,) if made.failed else ()
    return BackupPoint(
        id=f"{made.id or stamp.time.isoformat()}{'!' if made.failed else ''}",
        start=stamp.time,
        uncertainty=stamp.uncertainty,
        state=PointState.INVALID if made.failed else PointState.OK,
        origin=Origin.TOOL,
        name=made.id or f"{stamp.time:%Y-%m-%d %H:%M}",
        group="windows-backup",
        notes=notes if stamp.uncertainty <= 60 else (*notes, "zone_assumed"),
        repository=made.target,
    )


def _targets(made: list[_Made]) -> Iterator[Repository]:
    for target in sorted({m.target for m in made}):
        away = target.startswith("\\\\") and not target.startswith(("\\\\?\\", "\\\\.\\"))
        silent = {
            "encrypted": "BitLocker of the target",
            "immutable": "rights on the target",
            "deletable": "rights on the target",
            "proofs": "Windows Server Backup keeps no record of restores: register them",
        } | ({} if target else {"remote": "BackupTarget, which the export lacks"})
        yield Repository(
            id=target,
            location=target,
            platform=KIND,
            remote=away if target else None,
            unseen={k: Failure(kind=FailureKind.NOT_DECLARED, detail=v) for k, v in silent.items()},
        )
