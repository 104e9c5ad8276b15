"""Time stamps of log lines: ISO 8601 with or without an offset, and the old style without year."""

from __future__ import annotations

import datetime as dt
import itertools
import mmap
import re
from zoneinfo import ZoneInfo

STAMP = rb"\d{4}-\d\d-\d\dT[0-9:.]+(?:Z|[+-]\d\d:?\d\d)?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d"
"""Either style, as a pattern over bytes."""
QUICK_STAMP = rb"\d...-..-..T[^ ]{8,32}+|[A-Z].. .. .{8}"
"""The same for where every nanosecond counts: it also takes what is no time at all."""
_ISO = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:[.,]\d+)?(?: [+-]\d{4}\b)?"
_AT_START = re.compile(rb"^(?:\d+:)?(" + _ISO + rb"|" + STAMP + rb")[ ,]", re.MULTILINE)
_MONTHS = {
    m: i + 1 for i, m in enumerate(b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split())
}
_BACK = 183
"""Days by which an old stamp must go back to mean a new year rather than lines out of order."""
_STEP = 65536
LET_GO = 16 * 1024 * 1024
"""Bytes of a file after which what was read of it is let go."""


class StampReader:
    """Reads the stamps of one file in order; old-style years are inferred from `mtime`.

    The newest line of a file is not younger than the file itself, so its year is the latest that
    keeps it before `mtime` plus a day; the years before it follow from the jumps back.
    """

    def __init__(self, view: memoryview, mtime: dt.datetime, zone: ZoneInfo) -> None:
        self._zone = zone
        self._year = 0
        self._ordinal = 0
        self._hours: dict[bytes, dt.datetime | None] = {}
        samples = _samples(view)
        if samples:
            self._year = _first_year(samples, mtime.astimezone(zone))
            self._ordinal = samples[0]

    def read(self, stamp: bytes) -> dt.datetime | None:
        """The moment in UTC; None when there is no such time."""
        return self.at(stamp, self.year_of(stamp))

    def at(self, stamp: bytes, year: int) -> dt.datetime | None:
        """The moment in UTC of a stamp whose year was made out before; see `year_of`."""
        return self._modern(stamp) if stamp[:1].isdigit() else self._old(stamp, year)

    def year_of(self, stamp: bytes) -> int:
        """The year of the next stamp of the file; 0 when the stamp says it itself, or is none."""
        if stamp[:1].isdigit():
            return 0
        ordinal = _ordinal(stamp)
        if not ordinal:
            return 0
        if ordinal < self._ordinal - _BACK:
            self._year += 1
        elif ordinal > self._ordinal + _BACK and self._ordinal:
            # A straggler of the old year after the first line of the new one.
            return self._year - 1
        self._ordinal = ordinal
        return self._year

    def _modern(self, stamp: bytes) -> dt.datetime | None:
        try:
            text = stamp.decode("ascii")
            if text[-6:-4] in (" +", " -"):  # as Exim writes an offset
                text = text[:-6] + text[-5:]
            found = dt.datetime.fromisoformat(text)
            if found.tzinfo is None:
                found = found.replace(tzinfo=self._zone)
            return found.astimezone(dt.UTC)
        except (ValueError, OverflowError):
            return None

    def _old(self, stamp: bytes, year: int) -> dt.datetime | None:
        hour = b"%d " % year + stamp[:9]
        if hour not in self._hours:
            try:
                local = dt.datetime(
                    year, _MONTHS[stamp[:3]], int(stamp[4:6]), int(stamp[7:9]), tzinfo=self._zone
                )
                self._hours[hour] = local.astimezone(dt.UTC)
            except (ValueError, KeyError, OverflowError):
                self._hours[hour] = None
        start = self._hours[hour]
        try:
            late = dt.timedelta(minutes=int(stamp[10:12]), seconds=int(stamp[13:15]))
        except ValueError:
            return None
        return None if start is None else start + late


def _ordinal(stamp: bytes) -> int:
    """Day of a leap year, 1 to 366; 0 when it is no date."""
    try:
        day = dt.date(2024, _MONTHS[stamp[:3]], int(stamp[4:6]))
    except (ValueError, KeyError):
        return 0
    return day.timetuple().tm_yday


def let_go(view: memoryview) -> None:
    """Take the pages of a mapped file out of this process's memory; they are read anew if needed.

    Without this a log takes as much memory as it is long, as long as nobody else wants it.
    """
    if view.readonly and isinstance(view.obj, mmap.mmap):
        view.obj.madvise(mmap.MADV_DONTNEED)


def _samples(view: memoryview) -> list[int]:
    """Days of old-style stamps all through the file, in order; empty for the modern style."""
    found: list[int] = []
    for start in range(0, len(view), _STEP):
        # Far enough to meet a line start; the very last lines are looked at below.
        match = _AT_START.search(bytes(view[start : start + 8192]))
        if match is not None:
            if match[1][:1].isdigit():
                return []
            found.append(_ordinal(match[1]))
        if start % LET_GO == 0:
            let_go(view)
    last = [m[1] for m in _AT_START.finditer(bytes(view[-8192:]))]
    if last and not last[-1][:1].isdigit():
        found.append(_ordinal(last[-1]))
    return [f for f in found if f]


def _first_year(samples: list[int], mtime: dt.datetime) -> int:
    turns = sum(b < a - _BACK for a, b in itertools.pairwise(samples))
    newest = dt.date(2024, 1, 1) + dt.timedelta(days=samples[-1] - 1)
    limit = (mtime + dt.timedelta(days=1)).date()
    before = (newest.month, newest.day) <= (limit.month, limit.day)
    return limit.year - (not before) - turns


def first_stamp(view: memoryview, mtime: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """When a log begins, for putting rotated files in order; None when no line has a stamp."""
    match = _AT_START.search(bytes(view[:_STEP]))
    return StampReader(view, mtime, zone).read(match[1]) if match else None


def last_stamp(view: memoryview, mtime: dt.datetime, zone: ZoneInfo) -> dt.datetime | None:
    """When a log ends: the last stamp at its end; None when none of the last lines has one."""
    found = [m[1] for m in _AT_START.finditer(bytes(view[-_STEP:]))]
    if not found:
        return None
    # What is old-style has the year of the last line, which is the latest before `mtime`.
    return StampReader(memoryview(found[-1] + b" "), mtime, zone).read(found[-1])


def first_line(view: memoryview) -> bytes:
    """The first line with a stamp, at most 1 KiB of it; else the beginning of the file."""
    head = bytes(view[:_STEP])
    match = _AT_START.search(head)
    start = match.start() if match else 0
    return head[start : start + 1024].partition(b"\n")[0]
