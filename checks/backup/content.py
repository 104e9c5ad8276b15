"""Did the runs succeed, do the copies still hold everything, and is every chain whole?"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from statistics import median
from typing import Any

import msgspec

from checks.backup.duties import applies_not, cannot_tell, severity_at
from checks.backup.periodicity import Thresholds
from checks.backup.promise import defaults, promise_of
from checks.backup.series import BackupPoint, BackupSeries, Origin, PointKind, PointState
from checks.backup.sources.registry import SERIES
from checks.evidence import Failure, FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Options,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    passed,
)

_TCVN = "TCVN 14423:2026 x.11"
_UNSAID = "outcome_unsaid"
_COMPARED = 7
_SHOWN = 10
_PARTS = re.compile(r"(?<![a-z])(?:incr?|incremental|diff|differential)(?![a-z])", re.IGNORECASE)


class ContentOptions(Options, frozen=True):
    """Shares of the usual number of files or bytes below which content counts as lost."""

    suspect_share: float = 0.5
    lost_share: float = 0.1


class ChainOptions(Options, frozen=True):
    """`full_days` between two full copies; null takes the house default (7)."""

    full_days: float | None = None


# ------------------------------------------------------------------------------------------ runs


@check(
    "backup.run-succeeded",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "NIST CP-9(1)"),
    options=Thresholds,
).needs(SERIES)
def run_succeeded(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """What the tool or the copy itself says of the latest runs: all of them ended well."""
    name = "run-succeeded"
    runs = _latest(context, series)
    bad = [p for p in runs if p.state is PointState.INVALID or p.errors]
    stated = [p for p in runs if p in bad or _states(p)]
    detail = {
        "runs": len(runs),
        "stated": len(stated),
        "failed": [
            {"name": p.name, "time": p.start.isoformat(), "errors": p.errors, "notes": p.notes}
            for p in bad[-_SHOWN:]
        ],
    }
    severity = severity_at(context.subject.the_system.level)
    if bad and bad[-1] is runs[-1]:
        said: dict[str, Arg] = {"name": bad[-1].name, "time": bad[-1].start.isoformat()}
        partial = bad[-1].state is PointState.OK
        message = "partial" if partial else "newest"
        yield failed(f"backup.{name}.{message}", detail, severity, errors=bad[-1].errors, **said)
    elif bad:
        last = bad[-1]
        yield failed(
            f"backup.{name}.some",
            detail,
            Severity.MINOR,
            count=len(bad),
            runs=len(runs),
            name=last.name,
            time=last.start.isoformat(),
        )
    elif not stated:
        why = "no finished run" if not runs else "nothing says how the runs ended"
        failure = Failure(kind=FailureKind.NOT_DECLARED, detail=f"{_set(context)}: {why}")
        yield cannot_tell(f"backup.{name}.{'silent' if runs else 'none'}", failure, detail)
    else:
        yield passed(f"backup.{name}.good", detail, stated=len(stated), runs=len(runs))


def _states(point: BackupPoint) -> bool:
    """Whether somebody says how the run ended; some tools list a partial one like any other."""
    told = point.origin in (Origin.TOOL, Origin.PERSON)
    return point.checked or (told and _UNSAID not in point.notes)


def _latest(context: Context, series: BackupSeries) -> list[BackupPoint]:
    """The finished points of the window, and at least as many as the window has slots."""
    limits = context.opt(Thresholds)
    future = context.now + dt.timedelta(seconds=limits.future_slack)
    done = [p for p in series.points if p.start <= future and p.state is not PointState.RUNNING]
    since = context.now - dt.timedelta(days=limits.lookback_days)
    inside = sum(p.start >= since for p in done)
    return done[-max(inside, limits.lookback_slots, 1) :]


def _set(context: Context) -> str:
    backup = context.subject.the_backup
    return f"backup set {backup.system}/{backup.id}"


# --------------------------------------------------------------------------------------- content


class Loss(msgspec.Struct, frozen=True):
    """What the newest copy of a group holds no more, or less of than its predecessors."""

    point: BackupPoint
    paths: tuple[str, ...] = ()
    share: float = 1.0
    """Of the usual number of files or bytes, whichever fell further."""


@check(
    "backup.content-complete",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "NIST CP-9(b)"),
    options=ContentOptions,
).needs(SERIES)
def content_complete(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """The newest copy covers what those before it covered, those no longer listed included."""
    name = "content-complete"
    limits = context.opt(ContentOptions)
    severity = severity_at(context.subject.the_system.level)
    points = _usable(context, series)
    listed = {p.id for p in series.points}
    told = [p for p in points if _tells(p)]
    losses = list(_losses(told, listed))
    detail = _content_detail(told, losses)
    lost = next((x for x in losses if x.paths), None)
    least = min(losses, key=lambda x: x.share, default=None)
    if not any(p.id in listed for p in points):
        yield _nothing(context, name, detail)
    elif not told:
        yield applies_not(f"backup.{name}.opaque", detail, count=len(points))
    elif lost is not None:
        paths = ", ".join(lost.paths[:3])
        yield failed(f"backup.{name}.lost", detail, severity, paths=paths, count=len(lost.paths))
    elif least is not None and least.share < limits.suspect_share:
        grave = severity if least.share < limits.lost_share else Severity.MINOR
        yield failed(f"backup.{name}.less", detail, grave, share=least.share)
    elif not losses:
        failure = Failure(kind=FailureKind.TRUNCATED, detail="only one copy to compare so far")
        yield cannot_tell(f"backup.{name}.short_history", failure, detail)
    else:
        yield passed(f"backup.{name}.kept", detail, count=len(told))


def _nothing(context: Context, name: str, detail: dict[str, Any]) -> Verdict:
    failure = Failure(
        kind=FailureKind.NOT_DECLARED, detail=f"{_set(context)}: no usable copy to look at"
    )
    return cannot_tell(f"backup.{name}.none", failure, detail)


def _usable(context: Context, series: BackupSeries) -> list[BackupPoint]:
    ahead = context.now + dt.timedelta(minutes=5)
    both = [*series.past, *series.points]
    good = [p for p in both if p.state is PointState.OK and p.start <= ahead]
    return sorted(good, key=lambda p: (p.start, p.id))


def _tells(point: BackupPoint) -> bool:
    return not (point.paths is None and point.files is None and point.data is None)


def _losses(points: Iterable[BackupPoint], listed: Container[str]) -> Iterator[Loss]:
    """The newest copy of each group and kind beside those before it; groups of one say nothing.

    Earlier ones may be gone by now, the newest may not.
    """
    groups: dict[tuple[str, PointKind], list[BackupPoint]] = defaultdict(list)
    for point in points:
        groups[point.group, point.kind].append(point)
    for members in groups.values():
        while members and members[-1].id not in listed:
            members.pop()
        if len(members) > 1:
            *before, newest = members[-_COMPARED - 1 :]
            yield Loss(newest, _lost_paths(newest, before), _share(newest, before))


def _lost_paths(newest: BackupPoint, before: Iterable[BackupPoint]) -> tuple[str, ...]:
    if newest.paths is None:
        return ()
    earlier = {path for p in before for path in p.paths or ()}
    # A path is not lost when the copy now holds the folder above it.
    kept = tuple(f"{p.rstrip('/')}/" for p in newest.paths)
    return tuple(sorted(p for p in earlier if not f"{p.rstrip('/')}/".startswith(kept)))


def _share(newest: BackupPoint, before: list[BackupPoint]) -> float:
    shares = [1.0]
    for field in ("files", "data"):
        now: int | None = getattr(newest, field)
        known = [v for p in before if (v := getattr(p, field)) is not None]
        usual = median(known) if known else 0
        if now is not None and usual:
            shares.append(now / usual)
    return min(shares)


def _content_detail(told: list[BackupPoint], losses: list[Loss]) -> dict[str, Any]:
    newest = told[-1] if told else None
    return {
        "paths": list(newest.paths[:_SHOWN]) if newest and newest.paths else [],
        "files": newest.files if newest else None,
        "data": newest.data if newest else None,
        "lost": [path for x in losses for path in x.paths][:_SHOWN],
        "share": min((x.share for x in losses), default=None),
    }


# ---------------------------------------------------------------------------------------- chains


@check(
    "backup.chain-whole",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "NIST CP-10"),
    options=ChainOptions,
).needs(SERIES)
def chain_whole(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Every incremental copy has its base, a full one is recent, the log archive has no gap."""
    name = "chain-whole"
    own = context.opt(ChainOptions).full_days
    days = _full_days(context) if own is None else own
    points = _usable(context, msgspec.structs.replace(series, past=()))
    orphans = _orphans(points)
    fulls = [p for p in points if p.kind is PointKind.FULL]
    parts = [p for p in points if p.kind in (PointKind.INCREMENTAL, PointKind.DIFFERENTIAL)]
    archive = series.archive
    detail: dict[str, Any] = {
        "full": fulls[-1].start.isoformat() if fulls else None,
        "full_days": days,
        "assumed": own is None,
        "orphans": [p.name for p in orphans[-_SHOWN:]],
        "gaps": archive.gaps if archive else None,
        "failing_since": _iso(archive.failing_since) if archive else None,
        "archived": _iso(archive.last) if archive else None,
    }
    severity = severity_at(context.subject.the_system.level)
    if archive is not None and archive.failing_since is not None:
        since = archive.failing_since.isoformat()
        yield failed(f"backup.{name}.archive_failing", detail, severity, since=since)
    elif archive is not None and archive.gaps:
        yield failed(f"backup.{name}.archive_gap", detail, severity, gaps=archive.gaps)
    elif not points:
        yield _nothing(context, name, detail)
    elif orphans:
        last = orphans[-1]
        # Only what the newest copies hang on decides whether today can be restored.
        grave = severity if points[-1] in orphans else Severity.MINOR
        yield failed(f"backup.{name}.orphan", detail, grave, name=last.name, count=len(orphans))
    elif parts and (not fulls or (context.now - fulls[-1].start).total_seconds() > days * 86400):
        said: dict[str, Arg] = {
            "full": fulls[-1].start.isoformat() if fulls else "",
            "limit": int(days * 86400),
        }
        message = "old_full" if fulls else "no_full"
        grave = Severity.MINOR if fulls else severity
        yield failed(f"backup.{name}.{message}", detail, grave, **said)
    elif archive is not None and archive.gaps is None:
        failure = Failure(
            kind=FailureKind.TRUNCATED, detail=f"{_set(context)}: whole list of the log archive"
        )
        yield cannot_tell(f"backup.{name}.archive_unseen", failure, detail)
    elif fulls or parts or archive is not None:
        yield passed(f"backup.{name}.whole", detail)
    else:
        yield _standalone(context, points, detail)


def _full_days(context: Context) -> float:
    """The house's number, or one interval of a set that is promised less often than that."""
    backup, level = context.subject.the_backup, context.subject.the_system.level
    promise = promise_of(backup, level, context.zone)
    span = (promise.interval + promise.grace).total_seconds() / 86400
    return max(float(defaults()["full_days"]), span)


def _orphans(points: list[BackupPoint]) -> list[BackupPoint]:
    """Incremental copies whose base is gone or no good, and everything that hangs on them."""
    known = {p.id: p for p in points}
    whole: dict[str, bool] = {}
    for point in points:
        trail: dict[str, None] = {}
        at: BackupPoint | None = point
        while at is not None and at.base and at.id not in whole and at.id not in trail:
            trail[at.id] = None
            at = known.get(at.base)
        # A chain that leads nowhere, or back into itself, has no full copy at its end.
        good = at is not None and at.id not in trail and whole.get(at.id, not at.base)
        whole |= dict.fromkeys((*trail, point.id), good)
    return [p for p in points if not whole[p.id]]


def _standalone(context: Context, points: list[BackupPoint], detail: dict[str, Any]) -> Verdict:
    # Names of one group differ in their dates only.
    names = {p.group or p.name: p.name for p in points}
    parted = [name for group, name in names.items() if _PARTS.search(group)]
    if parted and any(p.origin is not Origin.TOOL for p in points):
        failure = Failure(
            kind=FailureKind.NOT_DECLARED,
            detail=f"{_set(context)}: a kind that shows which full copy {parted[-1]} needs",
        )
        return cannot_tell("backup.chain-whole.parts", failure, detail, name=parted[-1])
    return applies_not("backup.chain-whole.standalone", detail, count=len(points))


def _iso(time: dt.datetime | None) -> str | None:
    return time.isoformat() if time else None


CHECKS: tuple[Check, ...] = (run_succeeded, content_complete, chain_whole)
