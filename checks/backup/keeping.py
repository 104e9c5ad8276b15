"""Is there enough history, is it kept long enough, and does a machine make it?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from itertools import pairwise
from statistics import median
from typing import Any

from checks.backup.duties import cannot_tell, lacking, severity_at, unseen
from checks.backup.periodicity import Assessment, Thresholds, assess
from checks.backup.promise import default_keep, promise_of
from checks.backup.restore import known_since
from checks.backup.series import BackupSeries, Origin
from checks.backup.sources.registry import SERIES
from checks.evidence import Failure, FailureKind
from checks.model import Arg, Check, Context, Scope, Severity, Verdict, check, failed, passed

_TCVN = "TCVN 14423:2026 x.11"
_DAY = dt.timedelta(days=1)
_RHYTHM = 4
"""Fewer intervals than this say nothing about regularity."""
_COMPARED = 15
_SHOWN = 10


@check(
    "backup.history-sufficient",
    Scope.BACKUP,
    Severity.MINOR,
    controls=(_TCVN, "CIS 11.2"),
    options=Thresholds,
).needs(SERIES)
def history_sufficient(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Enough points are known, over the whole window, to speak of a series."""
    limits = context.opt(Thresholds)
    a = _assessed(context, series)
    known = len(a.points.valid) + len(a.points.gone)
    since = known_since(context, series)
    detail: dict[str, Any] = {
        "points": known,
        "remembered": len(a.points.gone),
        "needed": limits.min_points,
        "window": a.coverage.since.isoformat(),
        "since": since.isoformat() if since else None,
        "unknown_slots": a.coverage.unknown,
    }
    said: dict[str, Arg] = {"found": known, "needed": limits.min_points}
    if a.enough and not a.coverage.unknown and not a.truncated:
        yield passed("backup.history-sufficient.enough", detail, **said)
    elif a.truncated or not a.old:
        why = "the listing is not whole" if a.truncated else f"{known} points so far"
        failure = Failure(kind=FailureKind.TRUNCATED, detail=why)
        yield cannot_tell("backup.history-sufficient.short", failure, detail, **said)
    else:
        yield failed("backup.history-sufficient.few", detail, Severity.MINOR, **said)


@check(
    "backup.retained",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "AWS Backup 2", "AWS Backup 5", "NIST CP-9"),
    options=Thresholds,
).needs(SERIES)
def retained(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Copies stay as long as promised: the oldest usable one is old enough, none went early."""
    backup, level = context.subject.the_backup, context.subject.the_system.level
    own = backup.keep
    keep = own or default_keep(level)
    a = _assessed(context, series)
    oldest = min((p.start for p in a.points.valid), default=None)
    expires = min((r.expires_days for r in series.repositories if r.expires_days), default=None)
    detail: dict[str, Any] = {
        "keep": keep.total_seconds(),
        "assumed": own is None,
        "oldest": oldest.isoformat() if oldest else None,
        "expires_days": expires,
        "vanished": list(series.vanished[:_SHOWN]),
    }
    limits = context.opt(Thresholds)
    kept = oldest is not None and context.now - oldest >= keep - _slack(a)
    # A number of the house's own, broken, is a lesser shortfall than the unit's.
    grave = severity_at(level) if own is not None else Severity.MINOR
    suffix = "" if own is not None else "_assumed"
    said: dict[str, Arg] = {"keep": int(keep.total_seconds())}
    if oldest is not None:
        said |= {"oldest": oldest.isoformat(), "age": int((context.now - oldest).total_seconds())}
    if expires is not None and dt.timedelta(days=expires) < keep:
        yield failed("backup.retained.expires", detail, grave, expires=expires * 86400, **_k(said))
    elif series.vanished and not (kept and limits.dense_days):
        # Daily, then weekly, then monthly: what went then lies between copies that stayed.
        name, weight = ("thinned", Severity.MINOR) if kept else ("vanished", grave)
        first, count = series.vanished[0], len(series.vanished)
        said = {"name": first, "count": count, **_k(said)}
        yield failed(f"backup.retained.{name}", detail, weight, **said)
    elif kept:
        yield passed(f"backup.retained.kept{suffix}", detail, **said)
    else:
        yield _too_young(context, series, a, detail, said, grave)


def _k(said: dict[str, Arg]) -> dict[str, Arg]:
    return {"keep": said["keep"]}


def _slack(a: Assessment) -> dt.timedelta:
    """Pruning takes a copy away at the end of its time, and the next one is not that old yet."""
    return a.promise.interval + a.promise.grace + _DAY


def _too_young(
    context: Context,
    series: BackupSeries,
    a: Assessment,
    detail: dict[str, Any],
    said: dict[str, Arg],
    grave: Severity,
) -> Verdict:
    """The oldest copy is not old enough: too early pruned, or never older?"""
    keep = dt.timedelta(seconds=int(said["keep"]))
    since = known_since(context, series)
    start = context.subject.the_backup.effective_from
    older = since is not None and context.now - since >= keep - _slack(a)
    if a.truncated or series.listing.older:
        failure = Failure(kind=FailureKind.TRUNCATED, detail="the oldest copies are not listed")
        return cannot_tell("backup.retained.unlisted", failure, detail, **_k(said))
    if older and "oldest" not in said:
        return failed("backup.retained.none", detail, grave, **_k(said))
    if older:
        suffix = "" if context.subject.the_backup.keep is not None else "_assumed"
        return failed(f"backup.retained.short{suffix}", detail, grave, **said)
    if start is not None and "oldest" in said:
        return passed("backup.retained.growing", detail, since=start.isoformat(), **said)
    backup = context.subject.the_backup
    failure = Failure(
        kind=FailureKind.NOT_DECLARED,
        detail=f"backup set {backup.system}/{backup.id}: effective_from",
    )
    return cannot_tell("backup.retained.young", failure, detail, **_k(said))


@check(
    "backup.automatic",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=("TCVN 14423:2026 5.11", "CIS 11.2", "AWS Backup 2"),
    options=Thresholds,
).needs(SERIES)
def automatic(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """A schedule is seen that does make copies, or the copies come with a machine's rhythm."""
    a = _assessed(context, series)
    starts = sorted({p.start for p in (*a.points.gone, *a.points.valid)})[-_COMPARED:]
    gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(starts)]
    usual = median(gaps) if gaps else 0.0
    spread = median(abs(g - usual) for g in gaps) if gaps else 0.0
    # What earlier scans saw says how it was; without a copy of today it is so no more.
    enough = bool(a.points.valid) and len(gaps) >= _RHYTHM
    detail: dict[str, Any] = {
        "scheduled": series.scheduled,
        "intervals": len(gaps),
        "median_interval": usual or None,
        "deviation": spread,
    }
    said: dict[str, Arg] = {"interval": int(usual), "deviation": int(spread)}
    if a.points.valid and all(p.origin is Origin.PERSON for p in a.points.valid):
        yield lacking(context, "automatic", "by_hand", detail)
    elif series.scheduled and a.points.valid:
        yield passed("backup.automatic.scheduled", detail)
    elif enough and spread < usual / 4:
        yield passed("backup.automatic.regular", detail, **said)
    elif series.scheduled is False:
        yield lacking(context, "automatic", "unscheduled", detail)
    elif enough:
        yield lacking(context, "automatic", "manual", detail, **said)
    else:
        few = f"{len(gaps)} intervals, {_RHYTHM} are needed"
        why = few if a.points.valid else "no usable copy"
        failure = Failure(kind=FailureKind.TRUNCATED, detail=why)
        yield unseen(context, "automatic", failure, detail)


CHECKS: tuple[Check, ...] = (history_sufficient, retained, automatic)


def _assessed(context: Context, series: BackupSeries) -> Assessment:
    backup = context.subject.the_backup
    promise = promise_of(backup, context.subject.the_system.level, context.zone)
    return assess(series, promise, context.now, context.zone, context.opt(Thresholds))
