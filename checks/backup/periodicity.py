"""Is this series of restore points what was promised? Pure: values in, one `Assessment` out.

A lesser shortfall is `WARN` here and becomes a `fail` of severity minor in the checks.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from enum import StrEnum
from functools import lru_cache
from itertools import pairwise
from statistics import median
from zoneinfo import ZoneInfo

import msgspec

from checks.backup.promise import Promise
from checks.backup.series import BackupPoint, BackupSeries, PointState
from checks.backup.sizes import Sized, compare_sizes
from checks.backup.slots import Coverage, Known, Slot, cover, due_after, slots_of, strip_length
from checks.model import Options

_RHYTHM = 4
"""Fewer intervals than this say nothing about regularity."""
_SURE = 60.0
"""Times within this many seconds are taken as exact when a point is between due and overdue."""


class Thresholds(Options, frozen=True):
    """Limits of the backup checks; the defaults are the house's."""

    lookback_slots: int = 7
    lookback_days: int = 7
    """The window is the longer of both."""
    max_missed: int = 1
    """Missed slots in a row that are still a lesser shortfall."""
    min_points: int = 3
    max_run_hours: float = 0
    """A run that lasts longer is stuck; 0 means one interval."""
    suspect_share: float = 0.5
    """Smaller than this share of the usual size: suspect."""
    invalid_share: float = 0.1
    """Smaller than this share of the usual size: no backup at all."""
    future_slack: float = 300
    """Seconds by which a point may lie ahead of the scanner's clock."""
    dense_days: int = 0
    """Days within which pruning keeps every point; 0 means the declared retention."""


class Grade(StrEnum):
    """The whole assessment in one word, worst first."""

    FAIL = "fail"
    WARN = "warn"
    UNKNOWN = "unknown"
    PASS = "pass"  # noqa: S105


class Age(StrEnum):
    """How the newest good point stands to its promise."""

    OK = "ok"
    LATE = "late"
    STALE = "stale"
    UNSURE = "unsure"
    """The time is known too vaguely to say."""
    NONE = "none"


class Sorted(msgspec.Struct, frozen=True, kw_only=True):
    """The points of a series by what they are worth now; each tuple sorted by time."""

    valid: tuple[BackupPoint, ...] = ()
    """Good points that still exist."""
    gone: tuple[BackupPoint, ...] = ()
    """Good points that earlier scans saw."""
    invalid: tuple[BackupPoint, ...] = ()
    suspect: tuple[BackupPoint, ...] = ()
    """Valid, but much smaller than usual."""
    running: tuple[BackupPoint, ...] = ()
    stuck: tuple[BackupPoint, ...] = ()
    future: tuple[BackupPoint, ...] = ()
    sizes: tuple[Sized, ...] = ()
    """Every finished point whose size is known."""


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """The newest good point against its promise; `age`, `promised` and `allowed` in seconds."""

    state: Age
    newest: BackupPoint | None = None
    age: float | None = None
    promised: float = 0.0
    """The usual distance, for showing; the next slot may be nearer or farther."""
    allowed: float = 0.0
    """From the newest point to the next slot."""
    due: dt.datetime | None = None

    @property
    def ratio(self) -> float | None:
        """Age as a multiple of the distance to the next slot."""
        return None if self.age is None else self.age / self.allowed


class Assessment(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a series at one moment."""

    grade: Grade
    promise: Promise
    points: Sorted
    freshness: Freshness
    coverage: Coverage
    strip: tuple[Slot, ...]
    """The last slots, for showing; it may reach further back than the judged window."""
    young: bool
    """The promise has not held long enough for a first point to be due."""
    enough: bool
    """There are enough points to speak of a series."""
    old: bool
    """The set is known to be older than the window."""
    newest_invalid: bool
    """The newest finished point is no good, whatever stands before it."""
    truncated: bool
    stopped: tuple[BackupPoint, ...] = ()
    """The last point of each group that was made regularly and is made no more."""
    notes: tuple[str, ...] = ()


def assess(
    series: BackupSeries,
    promise: Promise,
    now: dt.datetime,
    zone: ZoneInfo,
    limits: Thresholds | None = None,
) -> Assessment:
    """Judge a series against its promise at `now` (UTC); `zone` is the policy's."""
    return _assess(_Same(series), promise, now, zone, limits or Thresholds())


class _Same:
    """A series as a cache key: equal to itself only, so that nothing of it is hashed."""

    def __init__(self, series: BackupSeries) -> None:
        self.series = series

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.series is other.series

    def __hash__(self) -> int:
        return id(self.series)


# A set's checks are judged one after another and all ask this, which is most of their work.
@lru_cache(maxsize=1)
def _assess(
    key: _Same, promise: Promise, now: dt.datetime, zone: ZoneInfo, limits: Thresholds
) -> Assessment:
    series = key.series
    points = sort_points(series, promise, now, limits)
    known = _known(points)
    age = freshness(points, promise, now, zone)
    back = _lookback(promise, limits)
    since = _window(promise, now, back, limits)
    coverage = cover(known, promise, since, now, zone)
    finished = max((*points.valid, *points.invalid), key=lambda p: p.start, default=None)
    draft = Assessment(
        grade=Grade.UNKNOWN,
        promise=promise,
        points=points,
        freshness=age,
        coverage=coverage,
        strip=_strip(known, promise, now, zone),
        young=_is_young(promise, now),
        enough=len(known.times) >= limits.min_points,
        old=_is_old(series, promise, now - back),
        newest_invalid=finished in points.invalid,
        truncated=series.listing.truncated,
        stopped=() if series.listing.truncated else _stopped(points, promise, limits),
        notes=_notes(series, points, coverage),
    )
    return msgspec.structs.replace(draft, grade=_grade(draft, limits))


def sort_points(
    series: BackupSeries, promise: Promise, now: dt.datetime, limits: Thresholds
) -> Sorted:
    """Tell good points from failed, running, stuck and future ones, and compare sizes."""
    edge = now + dt.timedelta(seconds=limits.future_slack)
    future: list[BackupPoint] = []
    rest: list[BackupPoint] = []
    for point in series.points:
        ahead = point.start > edge and point.start > edge + dt.timedelta(seconds=point.uncertainty)
        (future if ahead else rest).append(point)
    sizes = compare_sizes([*series.past, *rest])
    # An empty one is far below the usual too, but need have no usual to be compared with.
    small = {s.point.id for s in sizes if s.size == 0 or s.below(limits.invalid_share)}
    shrunk = {s.point.id for s in sizes if s.below(limits.suspect_share)}
    valid = [p for p in rest if p.state is PointState.OK and p.id not in small]
    good = {p.id for p in valid}
    newest = max((p.start for p in valid), default=None)
    longest = dt.timedelta(hours=limits.max_run_hours) or promise.interval
    running = [p for p in rest if p.state is PointState.RUNNING]
    # A half-written file that a later good point has overtaken is litter, not a stuck run.
    stuck = [
        p for p in running if now - p.start > longest and (newest is None or p.start >= newest)
    ]
    listed = {p.id for p in rest}
    return Sorted(
        valid=tuple(valid),
        gone=tuple(p for p in series.past if p.state is PointState.OK and p.start <= now),
        invalid=tuple(p for p in rest if p.id not in good and p.state is not PointState.RUNNING),
        suspect=tuple(p for p in valid if p.id in shrunk),
        running=tuple(running),
        stuck=tuple(stuck),
        future=tuple(future),
        sizes=tuple(s for s in sizes if s.point.id in listed),
    )


def freshness(points: Sorted, promise: Promise, now: dt.datetime, zone: ZoneInfo) -> Freshness:
    """How old the newest good point is, and whether that is within the promise."""
    newest = max(points.valid, key=lambda p: p.start, default=None)
    if newest is None:
        return Freshness(state=Age.NONE, promised=promise.usual.total_seconds())
    due = due_after(newest.start, promise, zone)
    doubt = dt.timedelta(seconds=newest.uncertainty)
    if now <= due - doubt:
        state = Age.OK
    elif now > due + promise.grace + doubt:
        state = Age.STALE
    else:
        state = Age.LATE if newest.uncertainty <= _SURE else Age.UNSURE
    return Freshness(
        state=state,
        newest=newest,
        age=max(0.0, (now - newest.start).total_seconds()),
        promised=promise.usual.total_seconds(),
        allowed=(due - newest.start).total_seconds(),
        due=due,
    )


def _known(points: Sorted) -> Known:
    both = sorted({p.start for p in (*points.valid, *points.gone)})
    return Known(tuple(both), frozenset(p.start for p in points.suspect))


def _lookback(promise: Promise, limits: Thresholds) -> dt.timedelta:
    return max(promise.interval * limits.lookback_slots, dt.timedelta(days=limits.lookback_days))


def _window(
    promise: Promise, now: dt.datetime, back: dt.timedelta, limits: Thresholds
) -> dt.datetime:
    starts = [now - back]
    if promise.effective_from is not None:
        starts.append(min(promise.effective_from, now))
    if promise.keep is not None:
        starts.append(now - promise.keep)
    if limits.dense_days:
        starts.append(now - dt.timedelta(days=limits.dense_days))
    return max(starts)


def _strip(known: Known, promise: Promise, now: dt.datetime, zone: ZoneInfo) -> tuple[Slot, ...]:
    length = strip_length(promise)
    since = now - promise.interval * (length * 2 if promise.cron else length) - promise.grace
    if promise.effective_from is not None:
        since = max(since, min(promise.effective_from, now))
    return tuple(slots_of(known, promise, since, now, zone)[-length:])


def _stopped(points: Sorted, promise: Promise, limits: Thresholds) -> tuple[BackupPoint, ...]:
    """One database of several that is dumped no more hides behind those that still are."""
    groups: dict[str, list[BackupPoint]] = defaultdict(list)
    for point in sorted((*points.valid, *points.gone), key=lambda p: p.start):
        groups[point.group].append(point)
    newest = max((g[-1].start for g in groups.values()), default=None)
    stopped = []
    for members in groups.values():
        if newest is None or len(members) < max(limits.min_points, 2):
            continue
        rhythm = median((b.start - a.start).total_seconds() for a, b in pairwise(members))
        silence = (newest - members[-1].start).total_seconds()
        patience = max(rhythm, promise.interval.total_seconds())
        if silence > 2 * patience + promise.grace.total_seconds():
            stopped.append(members[-1])
    return tuple(stopped)


def _is_young(promise: Promise, now: dt.datetime) -> bool:
    start = promise.effective_from
    return start is not None and now <= start + promise.interval + promise.grace


def _is_old(series: BackupSeries, promise: Promise, before: dt.datetime) -> bool:
    if promise.effective_from is not None:
        return promise.effective_from <= before
    seen = [p.start for p in (*series.points, *series.past)]
    if series.known_since is not None:
        seen.append(series.known_since)
    return bool(seen) and min(seen) <= before


def _notes(series: BackupSeries, points: Sorted, coverage: Coverage) -> tuple[str, ...]:
    notes = [*series.listing.notes]
    for point in (*points.valid, *points.invalid, *points.future):
        notes += point.notes
    for repository in series.repositories:
        notes += repository.notes
    if series.vanished:
        notes.append("vanished_before_retention")
    if len(points.running) > len(points.stuck):
        notes.append("running")
    if coverage.rhythm >= _RHYTHM and (coverage.mad or 0) > (coverage.median_interval or 0) / 4:
        notes.append("looks_manual")
    return tuple(dict.fromkeys(notes))


def _grade(a: Assessment, limits: Thresholds) -> Grade:
    """The first rule that applies, worst first; what a capped listing hides is no failure."""
    seen = not a.truncated
    age = a.freshness.state
    stale = age is Age.STALE or a.coverage.longest_miss > limits.max_missed
    rules = (
        (bool(a.points.stuck), Grade.FAIL),
        (age is Age.NONE, Grade.FAIL if seen and not a.young else Grade.UNKNOWN),
        (stale and seen, Grade.FAIL),
        (not a.enough, Grade.FAIL if a.old and seen else Grade.UNKNOWN),
        (bool(a.coverage.missed) and seen, Grade.WARN),
        (bool(a.points.future) or bool(a.stopped) or a.newest_invalid, Grade.WARN),
        (age is Age.LATE and seen, Grade.WARN),
        (a.freshness.newest in a.points.suspect, Grade.WARN),
        (age is not Age.OK or a.coverage.unknown + a.coverage.missed > 0, Grade.UNKNOWN),
    )
    return next((grade for applies, grade in rules if applies), Grade.PASS)
