"""What the tests of backup tools ask of a real scan: the row, the series, or why there is none."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from checks.backup.series import BackupSeries
from checks.backup.sources.registry import SERIES
from checks.evidence import Evidence, FailureKind
from checks.model import Status
from checks.results import Result
from inventory.model import BackupSet
from scanner.transports.base import SizeLimits
from scanner.transports.local import LocalTransport
from tests.helpers.backup_tools import TAKEN, scanned, subject


def judged(
    promised: BackupSet, folder: Path, later: dt.timedelta = dt.timedelta()
) -> tuple[Result, BackupSeries]:
    """The row of `backup.recent` and the series behind it."""
    rows, series = scanned(promised, folder, later)
    assert series is not None, rows["backup.recent"].failure
    return rows["backup.recent"], series


def unseen(promised: BackupSet, folder: Path) -> tuple[FailureKind, str]:
    """Why nothing could be said of a set."""
    rows, series = scanned(promised, folder)
    row = rows["backup.recent"]
    assert series is None
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    return row.failure.kind, row.failure.detail


def collected(promised: BackupSet) -> list[Evidence]:
    """Everything that a visit of this machine brings back for a set."""
    transport = LocalTransport(SizeLimits(), lambda: TAKEN, 120)
    return transport.collect(SERIES.requests(subject(promised)))
