"""Coverage: which expected slots of a window have a good point, and how regular the series is.

Pure. With an interval, slots hang on the points themselves (a job that drifts by minutes is
regular); with cron, slots stand in the calendar of the policy's zone.
"""

from __future__ import annotations

import bisect
import datetime as dt
import math
from collections.abc import Sequence
from enum import StrEnum
from itertools import groupby, pairwise, takewhile
from statistics import median
from zoneinfo import ZoneInfo

import msgspec

from checks.backup.promise import Promise, runs_after

_HOUR = dt.timedelta(hours=1)
_DAILY = dt.timedelta(hours=20)
_EARLY = dt.timedelta(minutes=15)
_MOST_SLOTS = 50_000


class SlotState(StrEnum):
    """What became of one expected slot; the words stand in results and must not change."""

    KEPT = "kept"
    LATE = "late"
    SUSPECT = "suspect"
    MISSED = "missed"
    UNKNOWN = "unknown"
    PENDING = "pending"


class Slot(msgspec.Struct, frozen=True):
    """One expected run and its outcome; `time` is UTC."""

    time: dt.datetime
    state: SlotState


class Known(msgspec.Struct, frozen=True):
    """The good points of a series as times (UTC, sorted), and which of them are suspect."""

    times: tuple[dt.datetime, ...]
    suspect: frozenset[dt.datetime] = frozenset()


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How well a window is covered. Gaps and intervals are in seconds."""

    since: dt.datetime
    slots: tuple[Slot, ...] = ()
    kept: int = 0
    missed: int = 0
    unknown: int = 0
    longest_miss: int = 0
    """Longest run of missed slots."""
    longest_gap: float | None = None
    rhythm: int = 0
    """How many intervals the next two figures are made of."""
    median_interval: float | None = None
    mad: float | None = None
    """Median absolute deviation of the intervals."""

    @property
    def expected(self) -> int:
        """Slots that are due and of which something is known."""
        return self.kept + self.missed


def early(promise: Promise) -> dt.timedelta:
    """How long before its slot a run already counts for it."""
    return min(promise.grace, _EARLY)


def due_after(start: dt.datetime, promise: Promise, zone: ZoneInfo) -> dt.datetime:
    """When the point after one that started at `start` is due, without grace."""
    if promise.cron:
        return next(iter(runs_after(promise.cron, start + early(promise), zone)))
    due = start + promise.interval
    return due + _clock_change(start, due, promise, zone)


def _clock_change(a: dt.datetime, b: dt.datetime, promise: Promise, zone: ZoneInfo) -> dt.timedelta:
    """An hour of patience when the zone's clock changed between two runs a day or more apart."""
    if promise.interval < _DAILY:
        return dt.timedelta()
    changed = a.astimezone(zone).utcoffset() != b.astimezone(zone).utcoffset()
    return _HOUR if changed else dt.timedelta()


def missed_between(a: dt.datetime, b: dt.datetime, promise: Promise, zone: ZoneInfo) -> int:
    """How many runs an interval promise misses between two moments."""
    gap = b - a
    if gap <= promise.interval + promise.grace:
        return 0  # as nearly always, whatever the clock did
    patience = promise.grace + _clock_change(a, b, promise, zone)
    if gap <= promise.interval + patience:
        return 0
    return max(1, math.floor((gap - patience) / promise.interval))


def cover(
    known: Known, promise: Promise, since: dt.datetime, now: dt.datetime, zone: ZoneInfo
) -> Coverage:
    """Judge the window from `since` to `now`.

    Slots before the first known point are `unknown` (pruned or never made: nobody can tell) unless
    the promise says since when it holds; with no point at all every slot is missed.
    """
    slots = slots_of(known, promise, since, now, zone)
    inside = _thinned([t for t in known.times if since <= t <= now], promise.interval / 4)
    gaps = [(b - a).total_seconds() for a, b in pairwise(inside)]
    middle = median(gaps) if gaps else None
    trailing = [(now - inside[-1]).total_seconds()] if inside else []
    states = [s.state for s in slots]
    return Coverage(
        since=since,
        slots=tuple(slots),
        kept=sum(s in (SlotState.KEPT, SlotState.LATE, SlotState.SUSPECT) for s in states),
        missed=states.count(SlotState.MISSED),
        unknown=states.count(SlotState.UNKNOWN),
        longest_miss=max(
            (len(list(run)) for state, run in groupby(states) if state is SlotState.MISSED),
            default=0,
        ),
        longest_gap=max(gaps + trailing, default=None),
        rhythm=len(gaps),
        median_interval=middle,
        mad=median(abs(g - middle) for g in gaps) if middle is not None else None,
    )


def slots_of(
    known: Known, promise: Promise, since: dt.datetime, now: dt.datetime, zone: ZoneInfo
) -> list[Slot]:
    """The slots of the window from `since` to `now`, oldest first."""
    make = _cron_slots if promise.cron else _interval_slots
    return make(known, promise, since, now, zone)


def _thinned(times: list[dt.datetime], apart: dt.timedelta) -> list[dt.datetime]:
    """Points of one run (several databases, a re-run) seen as one: the first of each bunch."""
    kept: list[dt.datetime] = []
    for time in times:
        if not kept or time - kept[-1] >= apart:
            kept.append(time)
    return kept


def strip_length(promise: Promise) -> int:
    """How many slots a report shows: two weeks of days, a quarter of weeks, 13 of anything else."""
    return 14 if _DAILY <= promise.interval <= dt.timedelta(hours=28) else 13


def _absent(known: Known, promise: Promise) -> SlotState:
    """What a slot before the first known point is."""
    if promise.effective_from is not None or not known.times:
        return SlotState.MISSED
    return SlotState.UNKNOWN


def _interval_slots(
    known: Known, promise: Promise, since: dt.datetime, now: dt.datetime, zone: ZoneInfo
) -> list[Slot]:
    inside = [t for t in known.times if since <= t]
    anchored = any(t < since for t in known.times)
    first = inside[0] if inside else now
    lead = SlotState.MISSED if anchored else _absent(known, promise)
    slots = _after(since, missed_between(since, first, promise, zone), promise, lead)
    run: list[dt.datetime] = []
    for time in inside:
        gone = missed_between(run[-1], time, promise, zone) if run else 0
        if gone:
            slots += _run_slots(run, known, promise)
            slots += _after(run[-1], gone, promise, SlotState.MISSED)
            run = []
        run.append(time)
    if not run:
        return slots
    slots += _run_slots(run, known, promise)
    gone = missed_between(run[-1], now, promise, zone)
    due = due_after(run[-1], promise, zone)
    if gone:
        slots += _after(run[-1], gone, promise, SlotState.MISSED)
    elif now > due:
        slots.append(Slot(due, SlotState.PENDING))
    return slots


def _after(start: dt.datetime, count: int, promise: Promise, state: SlotState) -> list[Slot]:
    """That many slots, one interval apart, the first one interval after `start`."""
    shown = min(count, _MOST_SLOTS)
    return [Slot(start + promise.interval * (k + 1), state) for k in range(shown)]


def _run_slots(run: Sequence[dt.datetime], known: Known, promise: Promise) -> list[Slot]:
    """The kept slots of an unbroken run: re-runs within one interval count once."""
    count = min(round((run[-1] - run[0]) / promise.interval), len(run) - 1, _MOST_SLOTS)
    slots = []
    for k in range(count, -1, -1):
        wanted = run[-1] - promise.interval * k
        nearest = _nearest(run, wanted)
        state = SlotState.SUSPECT if nearest in known.suspect else SlotState.KEPT
        slots.append(Slot(nearest, state))
    return slots


def _nearest(times: Sequence[dt.datetime], wanted: dt.datetime) -> dt.datetime:
    at = bisect.bisect_left(times, wanted)
    if at == 0 or at == len(times):
        return times[max(0, at - 1)]
    before, after = times[at - 1], times[at]
    return before if wanted - before <= after - wanted else after


def _cron_slots(
    known: Known, promise: Promise, since: dt.datetime, now: dt.datetime, zone: ZoneInfo
) -> list[Slot]:
    ahead = early(promise)
    second = dt.timedelta(seconds=1)
    runs: list[dt.datetime] = []
    for run in takewhile(
        lambda _: len(runs) < _MOST_SLOTS, runs_after(promise.cron, since - second, zone)
    ):
        runs.append(run)
        if run > now:
            break
    slots = []
    for run, following in pairwise(runs):
        own = known.times[
            bisect.bisect_left(known.times, run - ahead) : bisect.bisect_left(
                known.times, following - ahead
            )
        ]
        before = not known.times or following - ahead <= known.times[0]
        slots.append(Slot(run, _cron_state(own, run, before, known, promise, now)))
    return slots


def _cron_state(
    own: Sequence[dt.datetime],
    run: dt.datetime,
    before_all: bool,
    known: Known,
    promise: Promise,
    now: dt.datetime,
) -> SlotState:
    if own:
        if all(t in known.suspect for t in own):
            return SlotState.SUSPECT
        return SlotState.KEPT if own[0] <= run + promise.grace else SlotState.LATE
    if now < run + promise.grace:
        return SlotState.PENDING
    return _absent(known, promise) if before_all else SlotState.MISSED
