"""PostgreSQL's write-ahead log as segments of an archive: what is missing between them, pure.

A segment's name is 24 hexadecimal digits: timeline, log, and segment within the log. How many
segments a log has follows from the cluster's segment size, which names do not tell.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterable

import msgspec

from checks.backup.series import Archive

SEGMENT = re.compile(r"[0-9A-F]{24}", re.ASCII)
_UNSETTLED = dt.timedelta(minutes=5)
"""Segments that come in while the archive is listed make gaps that close by themselves."""


class Segment(msgspec.Struct, frozen=True):
    """One archived segment and when it was archived (UTC)."""

    name: str
    time: dt.datetime


def archive_of(
    segments: Iterable[Segment], since: str, now: dt.datetime, failing: dt.datetime | None = None
) -> Archive:
    """The state of an archive at `now`; gaps count from segment `since` on (empty: from the first).

    Before the newest full backup, retention may leave out segments on purpose.
    """
    known = [s for s in segments if SEGMENT.fullmatch(s.name)]
    last = max((s.time for s in known), default=None)
    settled = {s.name for s in known if s.time <= now - _UNSETTLED}
    # A gap ends at a settled segment; a late one within it closes it all the same.
    end = max(settled, default="")
    counted = {s.name for s in known if since <= s.name <= end}
    if since and since <= end:
        counted.add(since)
    gaps = missing(counted) if known else None
    if gaps is not None and since and since not in {s.name for s in known} and since <= end:
        gaps += 1
    return Archive(last=last, failing_since=failing, gaps=gaps)


def missing(names: Iterable[str]) -> int:
    """How many segments are missing between the first and the last of each timeline."""
    timelines: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for name in names:
        timelines[name[:8]].append((int(name[8:16], 16), int(name[16:], 16)))
    places = [place for line in timelines.values() for place in line]
    per_log = _per_log(places)
    count = 0
    for line in timelines.values():
        numbers = {log * per_log + segment for log, segment in line}
        count += max(numbers) - min(numbers) + 1 - len(numbers)
    return count


def _per_log(places: list[tuple[int, int]]) -> int:
    """Segments per log: the least power of two that holds all that were seen, 256 for one log."""
    highest = max((segment for _, segment in places), default=0)
    if len({log for log, _ in places}) < 2:
        return max(256, highest + 1)
    return 1 << highest.bit_length()


def failing_since(last: dt.datetime | None, failed: dt.datetime | None) -> dt.datetime | None:
    """Since when an archiver fails, from its last success and its last failure; None when well.

    PostgreSQL remembers only the last failure: nothing was archived since the last success.
    """
    if failed is None or (last is not None and failed <= last):
        return None
    return last or failed
