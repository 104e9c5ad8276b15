"""Series of points for the tests of the backup family."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from checks.backup.promise import Promise, promise_of
from checks.backup.series import BackupPoint, BackupSeries, in_order
from inventory.model import BackupSet

UTC = ZoneInfo("UTC")
NOW = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def at(text: str) -> dt.datetime:
    """A UTC time from `2026-11-22 02:00`."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


def point(start: dt.datetime, size: int | None = 1000, **more: Any) -> BackupPoint:
    """A good point; `more` overrides."""
    given: dict[str, Any] = {"id": start.isoformat(), "start": start, "size": size}
    return BackupPoint(**given | more)


def daily(
    count: int, newest: str = "2026-11-22 02:00", skip: Iterable[int] = ()
) -> list[BackupPoint]:
    """`count` points a day apart, the newest first; `skip` names those that are missing."""
    gone = set(skip)
    return [point(at(newest) - DAY * k) for k in range(count) if k not in gone]


def series(points: Iterable[BackupPoint], **more: Any) -> BackupSeries:
    """A series of these points."""
    return BackupSeries(asset="db", source="directory", points=in_order(list(points)), **more)


def promise(every: str = "1d", zone: ZoneInfo = UTC, **more: Any) -> Promise:
    """A declared promise."""
    given: dict[str, Any] = {"id": "db", "system": "s", "kind": "directory", "every": every}
    return promise_of(BackupSet(**given | more), 2, zone)
