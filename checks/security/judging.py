"""What the level checks share: the day, the level that counts, and one row for several faults."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from checks.model import Arg, Context, Message, Severity, Status, Verdict
from checks.security.level_record import LevelRecord
from checks.security.rules import LEVELS, Rules
from checks.texts import clean

UNSURE = "security/not-certain"
HOUSE = "security/house-default"
"""Marks behind a sentence, for the form `label`."""


class Shortfall(msgspec.Struct, frozen=True):
    """One fault: the last part of its message id, the message's values, whether it is grave."""

    name: str
    args: dict[str, Arg] = {}
    grave: bool = True


def today_of(ctx: Context) -> dt.date:
    """The project's local day of the scan."""
    return ctx.now.astimezone(ctx.zone).date()


def mark(certain: bool) -> str:
    """The mark of a rule that was not checked against the Official Gazette."""
    return "" if certain else UNSURE


def of_other(ctx: Context, record: LevelRecord) -> Iterator[Shortfall]:
    """A record of another system proves nothing about this one."""
    if not record.system:
        yield Shortfall("no-system")
    elif record.system != ctx.subject.the_system.id:
        yield Shortfall("other-system", {"names": clean(record.system, 120)})


def recorded_level(record: LevelRecord) -> int | None:
    """The record's level when there is such a level."""
    return record.level if record.level in LEVELS else None


def highest(ctx: Context, record: LevelRecord | None) -> int | None:
    """The higher of the levels recorded and claimed, None when there is neither."""
    claimed = ctx.subject.the_system.level
    levels = [claimed, recorded_level(record) if record else None]
    return max((n for n in levels if n in LEVELS and n is not None), default=None)


def severity(ctx: Context, record: LevelRecord | None) -> Severity:
    """Critical from level 3 on, where the measures are mandatory by law."""
    return Severity.CRITICAL if (highest(ctx, record) or 0) >= 3 else Severity.MAJOR


def basis_of(rules: Rules, ctx: Context, record: LevelRecord) -> int:
    """The rule set that a record's decision is judged by.

    The law of the day of the decision; an older one when the record says that it was approved under
    it (a system that was being built when the law changed).
    """
    decided = record.approval.date if record.approval else None
    by_date = rules.basis_of(ctx.legal_basis, decided)
    return min(by_date, record.legal_basis or by_date)


def shortfall(
    check_id: str, found: Sequence[Shortfall], detail: dict[str, Any], grave: Severity
) -> Verdict:
    """One row for all of it: the first is the sentence, and every one stands in the detail."""
    first = found[0]
    listed = [{"message": f"{check_id}.{s.name}", "args": s.args} for s in found]
    return Verdict(
        status=Status.FAIL,
        message=Message(id=f"{check_id}.{first.name}", args=first.args),
        detail={**detail, "shortfalls": listed},
        severity=grave if first.grave else Severity.MINOR,
    )


def add_months(day: dt.date, months: int) -> dt.date:
    """The same day `months` later, or the last day of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))
