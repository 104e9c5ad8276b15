"""Dates and periods the report counts with, read once from `deadlines.yaml`."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib import resources

import msgspec
import yaml

from checks.model import Severity


class Cutoff(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The day of the year on which the data of the annual report close, and who says so."""

    month: int
    day: int
    source: str

    def after(self, today: dt.date) -> dt.date:
        """The next such day, today included."""
        this = dt.date(today.year, self.month, self.day)
        return this if this >= today else dt.date(today.year + 1, self.month, self.day)


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Periods in days unless they say otherwise."""

    annual_cutoff: Cutoff
    due_days: dict[Severity, int]
    stale_hours: int
    soon_days: int
    waiver_days: int
    decisions: int

    def due(self, opened: dt.date, severity: Severity) -> dt.date:
        """The due day of what was first seen on a day."""
        return opened + dt.timedelta(days=self.due_days[severity])


@cache
def rules() -> Rules:
    """The rules of this release."""
    text = resources.files("reports").joinpath("deadlines.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Rules)
