"""Is the newest copy fresh, does the series have holes, are the copies as big as they should be?"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any

from checks.backup.duties import severity_at
from checks.backup.periodicity import Age, Assessment, Thresholds, assess
from checks.backup.promise import promise_of
from checks.backup.series import BackupSeries
from checks.backup.sizes import Measure, Sized
from checks.backup.sources.registry import SERIES
from checks.evidence import Failure, FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Message,
    Scope,
    Severity,
    Status,
    Verdict,
    check,
    failed,
    passed,
)

_TCVN = "TCVN 14423:2026 x.11"
_SHOWN = 14


@check(
    "backup.recent",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "CIS 11.2", "NIST CP-9"),
    options=Thresholds,
).needs(SERIES)
def recent(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """The newest good copy is no older than promised, and no run hangs."""
    a = _assessed(context, series)
    detail = _recent_detail(a, series)
    severity = severity_at(context.subject.the_system.level)
    newest = a.freshness.newest
    if newest is None:
        yield _without_point(a, detail, severity)
        return
    said: dict[str, Arg] = {
        "newest": newest.start.isoformat(),
        "age": int(a.freshness.age or 0),
        "promised": int(a.freshness.promised),
    }
    state = a.freshness.state
    fresh, late, stale, spoilt = _PROMISED[a.promise.workdays]
    if a.points.stuck:
        since = a.points.stuck[0].start.isoformat()
        yield failed("backup.recent.stuck", detail, severity, since=since)
    elif a.truncated and state is not Age.OK:
        yield _cannot_tell("backup.recent.truncated", _cut(series), detail)
    elif state is Age.STALE:
        yield failed(stale, detail, severity, **said)
    elif state is Age.UNSURE:
        doubt = newest.uncertainty
        why = f"the time of {newest.name or newest.id} is only known within {doubt:.0f} s"
        yield _cannot_tell("backup.recent.unsure", why, detail, FailureKind.UNPARSABLE, doubt=doubt)
    elif state is Age.LATE:
        yield failed(late, detail, Severity.MINOR, **said)
    elif a.newest_invalid:
        bad = max(a.points.invalid, key=lambda p: p.start)
        yield failed(spoilt, detail, Severity.MINOR, name=bad.name, **said)
    elif a.stopped:
        last = a.stopped[0]
        yield failed(
            "backup.recent.stopped",
            detail,
            Severity.MINOR,
            name=last.name,
            time=last.start.isoformat(),
            count=len(a.stopped),
        )
    elif a.points.future:
        ahead = a.points.future[-1]
        yield failed(
            "backup.recent.future",
            detail,
            Severity.MINOR,
            name=ahead.name,
            time=ahead.start.isoformat(),
        )
    else:
        yield passed(fresh, detail, **said)


@check(
    "backup.periodic",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "CIS 11.2", "NIST CP-9"),
    options=Thresholds,
).needs(SERIES)
def periodic(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Every slot that was due in the window has a good copy."""
    limits = context.opt(Thresholds)
    a = _assessed(context, series)
    detail = _periodic_detail(a)
    severity = severity_at(context.subject.the_system.level)
    c = a.coverage
    counts = {"kept": c.kept, "expected": c.expected, "missed": c.missed}
    known = len(a.points.valid) + len(a.points.gone)
    # A rhythm that only the memory knows is over: nothing of it could be restored today.
    if not a.points.valid:
        yield _without_slots(a, detail, severity)
    elif a.truncated and c.missed:
        yield _cannot_tell("backup.periodic.truncated", _cut(series), detail)
    elif c.longest_miss > limits.max_missed:
        yield failed("backup.periodic.gap", detail, severity, longest=c.longest_miss, **counts)
    elif not a.enough and a.old:
        yield failed(
            "backup.periodic.too_few", detail, severity, found=known, needed=limits.min_points
        )
    elif c.missed:
        yield failed("backup.periodic.hole", detail, Severity.MINOR, **counts)
    elif not a.enough or c.unknown:
        first = min(p.start for p in chain(a.points.valid, a.points.gone))
        needed = max(limits.min_points, c.kept + c.unknown)
        yield _cannot_tell(
            "backup.periodic.short_history",
            f"{known} of {needed} points, known since {first.date().isoformat()}",
            detail,
            found=known,
            needed=needed,
            since=first.isoformat(),
        )
    else:
        yield passed("backup.periodic.regular", detail, interval=_rhythm(a), **counts)


@check(
    "backup.size-plausible",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN, "NIST CP-9(1)"),
    options=Thresholds,
).needs(SERIES)
def size_plausible(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """The newest copy is not empty and not much smaller than those before it."""
    limits = context.opt(Thresholds)
    a = _assessed(context, series)
    severity = severity_at(context.subject.the_system.level)
    worst = _smallest_newest(a)
    detail = _size_detail(a, worst)
    if worst is None:
        yield _cannot_tell(
            "backup.size-plausible.none", "no finished copy with a known size", detail, found=0
        )
        return
    name, size = worst.point.name, worst.size
    broken = [n for n in worst.point.notes if n in _BROKEN]
    if size == 0 or "empty_archive" in worst.point.notes:
        yield failed("backup.size-plausible.empty", detail, severity, name=name, size=size)
    elif broken:
        yield failed("backup.size-plausible.broken", detail, severity, name=name, size=size)
    elif worst.share is None:
        count = len(a.points.sizes)
        yield _cannot_tell(
            "backup.size-plausible.short_history",
            f"{count} copies with a known size, at least 4 of a kind are needed to compare",
            detail,
            found=count,
        )
    else:
        said: dict[str, Arg] = {
            "name": name,
            "size": size,
            "usual": int(worst.usual or 0),
            "share": worst.share,
        }
        tiny, small, usual = _COMPARED[worst.measure]
        if worst.share < limits.invalid_share:
            yield failed(tiny, detail, severity, **said)
        elif worst.share < limits.suspect_share:
            yield failed(small, detail, Severity.MINOR, **said)
        else:
            yield passed(usual, detail, **said)


CHECKS: tuple[Check, ...] = (recent, periodic, size_plausible)

_NEAR = 0.02
"""A rhythm this near to the promised one is called by its name."""
_BROKEN = ("broken_archive", "no_completion_mark")
_PROMISED = {
    False: (
        "backup.recent.fresh",
        "backup.recent.late",
        "backup.recent.stale",
        "backup.recent.newest_invalid",
    ),
    True: (
        "backup.recent.fresh_workdays",
        "backup.recent.late_workdays",
        "backup.recent.stale_workdays",
        "backup.recent.newest_invalid_workdays",
    ),
}
_COMPARED = {
    Measure.STORED: (
        "backup.size-plausible.tiny",
        "backup.size-plausible.small",
        "backup.size-plausible.usual",
    ),
    Measure.DATA: (
        "backup.size-plausible.tiny_data",
        "backup.size-plausible.small_data",
        "backup.size-plausible.usual_data",
    ),
}


def _assessed(context: Context, series: BackupSeries) -> Assessment:
    backup = context.subject.the_backup
    promise = promise_of(backup, context.subject.the_system.level, context.zone)
    return assess(series, promise, context.now, context.zone, context.opt(Thresholds))


def _cannot_tell(
    message: str,
    why: str,
    detail: dict[str, Any],
    kind: FailureKind = FailureKind.TRUNCATED,
    **args: str | float,
) -> Verdict:
    return Verdict(
        status=Status.UNKNOWN,
        message=Message(id=message, args=args),
        detail=detail,
        failure=Failure(kind=kind, detail=why),
    )


def _rhythm(a: Assessment) -> int:
    """Seconds between two copies as a person would say it; the detail has the exact figure."""
    usual = a.promise.usual.total_seconds()
    found = a.coverage.median_interval or usual
    return int(usual if abs(found - usual) <= usual * _NEAR else found)


def _cut(series: BackupSeries) -> str:
    return f"only {series.listing.total} entries could be listed; the rest may hold newer points"


def _without_point(a: Assessment, detail: dict[str, Any], severity: Severity) -> Verdict:
    if a.points.stuck:
        since = a.points.stuck[0].start.isoformat()
        return failed("backup.recent.stuck", detail, severity, since=since)
    if a.truncated:
        return _cannot_tell("backup.recent.truncated", "the listing is not whole", detail)
    if a.young:
        return _cannot_tell("backup.recent.young", "0 points; the first is not due yet", detail)
    if a.points.invalid:
        bad = a.points.invalid[-1]
        return failed(
            "backup.recent.all_invalid",
            detail,
            severity,
            name=bad.name,
            count=len(a.points.invalid),
        )
    return failed("backup.recent.none", detail, severity)


def _without_slots(a: Assessment, detail: dict[str, Any], severity: Severity) -> Verdict:
    if a.truncated:
        return _cannot_tell("backup.periodic.truncated", "the listing is not whole", detail)
    if a.young:
        return _cannot_tell("backup.periodic.young", "0 points; the first is not due yet", detail)
    return failed("backup.periodic.none", detail, severity)


def _common(a: Assessment) -> dict[str, Any]:
    return {
        "every": a.promise.every,
        "assumed": a.promise.assumed,
        "grade": a.grade.value,
        "notes": list(a.notes),
    }


def _recent_detail(a: Assessment, series: BackupSeries) -> dict[str, Any]:
    f = a.freshness
    newest = f.newest
    return _common(a) | {
        "newest": newest.start.isoformat() if newest else None,
        "name": newest.name if newest else None,
        "origin": newest.origin.value if newest else None,
        "uncertainty": newest.uncertainty if newest else None,
        "age": f.age,
        "promised": f.promised,
        "workdays": a.promise.workdays,
        "ratio": f.ratio,
        "due": f.due.isoformat() if f.due else None,
        "grace": a.promise.grace.total_seconds(),
        "source": series.source,
        "points": len(a.points.valid),
        "invalid": len(a.points.invalid),
        "running": len(a.points.running),
        "future": len(a.points.future),
        "stopped": [p.name for p in a.stopped[:_SHOWN]],
        "vanished": list(series.vanished[:_SHOWN]),
        "zone": series.zone,
        "skew": series.skew,
    }


def _periodic_detail(a: Assessment) -> dict[str, Any]:
    c = a.coverage
    return _common(a) | {
        "slots": [[s.time.isoformat(), s.state.value] for s in a.strip],
        "window": c.since.isoformat(),
        "expected": c.expected,
        "kept": c.kept,
        "missed": c.missed,
        "unknown": c.unknown,
        "longest_gap": c.longest_gap,
        "median_interval": c.median_interval,
        "deviation": c.mad,
    }


def _smallest_newest(a: Assessment) -> Sized | None:
    """Of the newest finished copy of each group that is still being made, the worst."""
    newest: dict[tuple[str, Measure], Sized] = {}
    for sized in a.points.sizes:
        newest[sized.point.group, sized.measure] = sized
    if not newest:
        return None
    last = max(s.point.start for s in newest.values())
    current = [s for s in newest.values() if s.point.start >= last - a.promise.interval]
    return min(current, key=_worth)


def _worth(sized: Sized) -> tuple[bool, bool, float]:
    """Sorts worst first: bad ones, then comparable ones by share, then those without a measure."""
    point = sized.point
    bad = not sized.size or any(n in (*_BROKEN, "empty_archive") for n in point.notes)
    return not bad, sized.share is None, sized.share or 0.0


def _size_detail(a: Assessment, judged: Sized | None) -> dict[str, Any]:
    kind = (judged.point.group, judged.measure) if judged else None
    alike = [s for s in a.points.sizes if (s.point.group, s.measure) == kind][-_SHOWN:]
    return {
        "sizes": [[s.point.start.isoformat(), s.size] for s in alike],
        "measure": judged.measure.value if judged else None,
        "median": judged.usual if judged else None,
        "share": judged.share if judged else None,
        "name": judged.point.name if judged else None,
        "notes": list(judged.point.notes) if judged else [],
    }
