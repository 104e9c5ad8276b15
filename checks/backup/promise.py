"""What a backup set promises: how often, with which grace, since when. Declared, or the house's."""

from __future__ import annotations

import bisect
import datetime as dt
import math
from collections.abc import Iterator
from functools import cache, lru_cache
from importlib import resources
from itertools import islice, pairwise
from statistics import multimode
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import yaml
from cronsim import CronSim, CronSimError

from inventory.durations import parse_duration
from inventory.model import BackupSet

MIN_GRACE = dt.timedelta(minutes=10)
MAX_GRACE = dt.timedelta(days=1)
_LONGEST = dt.timedelta(days=3660)
_DAY = dt.timedelta(days=1)
_SECOND = dt.timedelta(seconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_IN_BLOCK = 64
_WORKDAYS = frozenset(range(5))


class Promise(msgspec.Struct, frozen=True, kw_only=True):
    """How often a good point is due. Exactly one of `interval` and `cron` rules.

    For cron `interval` is the middle distance between two runs, used for the lookback only.
    """

    every: str
    interval: dt.timedelta
    grace: dt.timedelta
    usual: dt.timedelta
    """What a person would call the distance between two copies; nothing is judged by it."""
    workdays: bool = False
    """One copy on each day from Monday to Friday."""
    cron: str = ""
    keep: dt.timedelta | None = None
    effective_from: dt.datetime | None = None
    assumed: bool = False
    """The unit declared no frequency; this one is the house default of its level."""


class Rhythm(msgspec.Struct, frozen=True):
    """How a person would call a cron expression: every so often, or every working day."""

    usual: dt.timedelta
    workdays: bool = False


class Undated(ValueError):  # noqa: N818 - says what it is
    """A frequency that is neither a duration nor a cron expression."""


def duration(text: str) -> dt.timedelta | None:
    """`90s 15m 3h 1d 2w` as a time span; None for anything else, nothing or over ten years."""
    try:
        span = parse_duration(text.strip())
    except ValueError:
        return None
    return span if dt.timedelta() < span <= _LONGEST else None


def default_every(level: int | None) -> str:
    """The house default frequency of a security level."""
    known: dict[Any, str] = defaults()["every"]
    return known.get(level, known["unknown"])


def default_keep(level: int | None) -> dt.timedelta:
    """The house default retention of a security level."""
    known: dict[Any, str] = defaults()["keep"]
    return parse_duration(known.get(level, known["unknown"]))


@cache
def defaults() -> dict[str, Any]:
    """The house defaults of the family, as they stand in `defaults.yaml`."""
    text = resources.files("checks.backup").joinpath("defaults.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def promise_of(backup: BackupSet, level: int | None, zone: ZoneInfo) -> Promise:
    """The promise of a set, filled up with the house defaults of its system's level.

    Raises:
        Undated: `every` is neither a duration nor a cron expression.
    """
    every = backup.every.strip() or default_every(level)
    start = backup.effective_from
    since = dt.datetime.combine(start, dt.time(), zone).astimezone(dt.UTC) if start else None
    interval, cron = duration(every), ""
    said = Rhythm(interval) if interval is not None else rhythm(every)
    if interval is None:
        cron, interval = every, _usual_gap(every, zone)
    return Promise(
        every=every,
        usual=said.usual,
        workdays=said.workdays,
        interval=interval,
        cron=cron,
        grace=backup.grace or min(max(interval / 8, MIN_GRACE), MAX_GRACE),
        keep=backup.keep,
        effective_from=since,
        assumed=not backup.every.strip(),
    )


def check_every(every: str) -> None:
    """Raise `Undated` when a declared frequency cannot be read."""
    if every.strip() and duration(every) is None:
        _usual_gap(every, ZoneInfo("UTC"))


@lru_cache(maxsize=4096)
def rhythm(cron: str) -> Rhythm:
    """The most common distance between the runs of an expression, the shortest of several.

    Raises:
        Undated: it is no cron expression, or one that never runs twice.
    """
    # By the wall clock: the days on which a zone's clock changes are not the usual ones.
    runs = _some_runs(cron, ZoneInfo("UTC"))
    gaps = [b - a for a, b in pairwise(runs)]
    usual = min(multimode(gaps))
    days = {run.weekday() for run in runs}
    over = {_DAY, 3 * _DAY}  # night to night, and over the weekend
    return Rhythm(usual, workdays=days == _WORKDAYS and set(gaps) == over)


@lru_cache(maxsize=4096)
def _usual_gap(cron: str, zone: ZoneInfo) -> dt.timedelta:
    """The median distance between the next runs of a cron expression."""
    gaps = sorted(b - a for a, b in pairwise(_some_runs(cron, zone)))
    return gaps[len(gaps) // 2]


def _some_runs(cron: str, zone: ZoneInfo) -> list[dt.datetime]:
    # Any fixed Monday does: only the distances count.
    runs = list(islice(_search(cron, dt.datetime(2026, 1, 5, tzinfo=dt.UTC), zone), 15))
    if len(runs) < 2:
        raise Undated(f"{cron!r} never runs twice")
    return runs


def runs_after(cron: str, after: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    """The runs of a cron expression in a zone later than a moment, in UTC, as Debian's cron does.

    Raises:
        Undated: it is no cron expression, or one that never runs twice.
    """
    number: int | None = (after - _EPOCH) // _span(cron)
    while number is not None:
        runs, number = _block(cron, zone, number)
        yield from runs[bisect.bisect_right(runs, after) :]


def _span(cron: str) -> dt.timedelta:
    """Whole days that hold some dozens of runs, so that a block is neither empty nor large."""
    days = math.ceil(rhythm(cron).usual * _IN_BLOCK / _DAY)
    return dt.timedelta(days=min(days, _LONGEST.days))


# Thousands of sets are promised by few expressions, over the same weeks: each run is sought once.
@lru_cache(maxsize=1024)
def _block(cron: str, zone: ZoneInfo, number: int) -> tuple[tuple[dt.datetime, ...], int | None]:
    """The runs of one stretch of the calendar, counted from `_EPOCH`, and which is the next one."""
    span = _span(cron)
    start = _EPOCH + span * number
    end = start + span
    runs: list[dt.datetime] = []
    for run in _search(cron, start - _SECOND, zone):
        if run >= end:
            return tuple(runs), (run - _EPOCH) // span
        runs.append(run)
    return tuple(runs), None


def _search(cron: str, after: dt.datetime, zone: ZoneInfo) -> Iterator[dt.datetime]:
    if len(cron.split()) != 5:
        raise Undated(f"{cron!r} is neither a duration (1d) nor a cron expression (0 2 * * *)")
    try:
        ticks = CronSim(cron, after.astimezone(zone))
    except (CronSimError, ValueError, IndexError):
        raise Undated(
            f"{cron!r} is neither a duration (1d) nor a cron expression (0 2 * * *)"
        ) from None
    for tick in ticks:
        run = tick.astimezone(dt.UTC)
        # Asked within an hour that comes twice, it begins with the run of the first time.
        if run > after:
            yield run
