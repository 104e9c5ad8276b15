"""Silences of a log: days without a line, and hours in which this log otherwise always has some."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from checks.documents.calendar import Calendar

_FEWEST = 10
"""Working days from which the habit of an hour can be told."""
_HABIT = 0.9
"""Share of working days on which an hour must have lines to be one that always has some."""


def silent_days(
    days: frozenset[dt.date], calendar: Calendar, bridge: int
) -> list[tuple[dt.date, dt.date]]:
    """First and last day of each silence of more than `bridge` days that holds a working day."""
    found = []
    for before, after in itertools.pairwise(sorted(days)):
        empty = [before + dt.timedelta(days=n) for n in range(1, (after - before).days)]
        if sum(d not in calendar.off for d in empty) > bridge and any(map(calendar.works, empty)):
            found.append((empty[0], empty[-1]))
    return found


def silent_hours(
    hours: frozenset[int], calendar: Calendar, zone: ZoneInfo, least: int
) -> list[tuple[dt.datetime, dt.datetime]]:
    """Begin and end of each silence of `least` hours or more that this log otherwise never has.

    `hours` are hours since 1970. Only working days between the first and the last are looked at,
    and of them only the hours of the day that nearly always have lines.
    """
    by_day: dict[dt.date, set[int]] = {}
    for hour in hours:
        local = dt.datetime.fromtimestamp(hour * 3600, zone)
        by_day.setdefault(local.date(), set()).add(local.hour)
    # The first and the last day may be cut anywhere; a day without any line is not one of hours.
    working = [d for d in sorted(by_day)[1:-1] if calendar.works(d)]
    if len(working) < _FEWEST:
        return []
    usual = [h for h in range(24) if sum(h in by_day[d] for d in working) >= _HABIT * len(working)]
    found = []
    for day in working:
        for first, last in _runs(h for h in usual if h not in by_day[day]):
            if last - first + 1 >= least:
                begin = dt.datetime.combine(day, dt.time(first), zone)
                end = dt.datetime.combine(day, dt.time(last), zone) + dt.timedelta(hours=1)
                found.append((begin, end))
    return found


def _runs(hours: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of hours that follow each other."""
    for _, run in itertools.groupby(enumerate(hours), key=lambda pair: pair[1] - pair[0]):
        found = [hour for _, hour in run]
        yield found[0], found[-1]
