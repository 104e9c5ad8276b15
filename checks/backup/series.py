"""The waist of the backup family: every tool's listing becomes one `BackupSeries` of points.

Checks judge this and nothing else, so a new tool costs one parser. All times are UTC.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec


class PointState(StrEnum):
    """What a source says of a point; ages and sizes are judged in `periodicity`, not here."""

    OK = "ok"
    INVALID = "invalid"
    """Failed, empty, or without the completion mark that its format promises."""
    RUNNING = "running"
    """Unfinished or perhaps still being written: neither a hit nor a miss."""


class Origin(StrEnum):
    """Where a point's time comes from, most trustworthy first."""

    TOOL = "tool"
    CONTENT = "content"
    NAME = "name"
    SERVER = "server"
    MTIME = "mtime"


class BackupPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One restore point. `start` is the time its data is of; it is right within `uncertainty` s."""

    id: str
    """Stable across scans: the same id is the same point."""
    start: dt.datetime
    end: dt.datetime | None = None
    uncertainty: float = 1.0
    size: int | None = None
    """Bytes as stored; None when the source does not say."""
    state: PointState = PointState.OK
    origin: Origin = Origin.MTIME
    clock: str = "host"
    """Whose clock stamped it: `host` (where it is listed), `writer`, or `store`."""
    name: str = ""
    checked: bool = False
    """Its content was looked at, not only its name and size."""
    group: str = ""
    """Points of one group are like with like: sizes are only compared within it."""
    notes: tuple[str, ...] = ()


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts about the listing itself."""

    truncated: bool = False
    """Not everything was listed, and what is missing may be the newest."""
    total: int = 0
    """Entries seen, points or not."""
    ignored: int = 0
    """Entries that are no points: checksums, logs, signatures, other names."""
    older: int = 0
    """Points left out because there are too many; all of them older than those kept."""
    notes: tuple[str, ...] = ()


class BackupSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every point of one backup set that is listed now, and those that earlier scans saw.

    `points` and `past` are sorted by `start`; `past` holds only points that are no longer listed.
    """

    asset: str
    source: str
    points: tuple[BackupPoint, ...] = ()
    past: tuple[BackupPoint, ...] = ()
    vanished: tuple[str, ...] = ()
    """Names of points of `past` that are gone before the end of the declared retention."""
    known_since: dt.datetime | None = None
    """When a scan first saw a point of this set; None when none is remembered."""
    listing: Listing = Listing()
    zone: str = ""
    """Zone in which times without one were read; empty when none was known."""
    skew: float = 0.0
    """Seconds by which the lister's clock is ahead of the scanner's; already taken out."""


def in_order(points: list[BackupPoint]) -> tuple[BackupPoint, ...]:
    """Points sorted by time, then id, so that equal listings give equal series."""
    return tuple(sorted(points, key=lambda p: (p.start, p.id)))
