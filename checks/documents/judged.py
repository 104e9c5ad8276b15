"""What the checks of documents share: the period, its options, and the matching, made once."""

from __future__ import annotations

import datetime as dt
import weakref
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from checks.documents.agencies import Directory
from checks.documents.calendar import Calendar
from checks.documents.coverage import Coverage, Period, coverage_of
from checks.documents.events import DocumentEvents, SourceKind, SourceReport
from checks.documents.matching import match
from checks.documents.outages import outages_of
from checks.documents.pairs import Matching, Rules
from checks.evidence import FailureKind, Unparsable, Value
from checks.model import Context, Options, Verdict, unknown
from inventory.model import Inventory, Unit

LISTED = 50
"""Documents listed in one row; the total is always said."""


class PeriodOptions(Options, frozen=True):
    """What period is judged and how silence is read; days."""

    period_days: int = 30
    bridge_days: int = 7
    """Empty days in a register or gateway export that are no gap."""
    mail_bridge_days: int = 2
    """Empty days in a mail log that are no gap."""
    send_days: int = 5
    settle_days: int = 1
    """Working days before a missing row or receipt counts."""
    large_bytes: int = 30_000
    """A mail above this size carries more than words."""


class Judged(Value, frozen=True):
    """What a check looks at: the pairs, and how much of the period the evidence covers."""

    matching: Matching
    coverage: Coverage
    period: Period
    calendar: Calendar
    rules: Rules


def judged(ctx: Context, events: DocumentEvents, options: PeriodOptions) -> Judged:
    """The matching of a unit's period; checks with equal options share one."""
    period = period_of(ctx, options)
    calendar = Calendar.of(ctx.subject.inventory)
    days = (options.bridge_days, options.mail_bridge_days)
    rules = _rules(events, options)
    return Judged(
        matching=_matched(ctx, events, period, rules),
        coverage=coverage_of(events, period, *days, calendar),
        period=period,
        calendar=calendar,
        rules=rules,
    )


_Key = tuple[Inventory, Unit, Period, Rules, ZoneInfo]
_latest: list[tuple[weakref.ref[DocumentEvents], _Key, Matching]] = []
"""The last matching: the checks of a unit follow each other, and all but the first ask again."""


def _matched(ctx: Context, events: DocumentEvents, period: Period, rules: Rules) -> Matching:
    subject = ctx.subject
    key = subject.inventory, subject.unit, period, rules, ctx.zone
    for seen, known, found in tuple(_latest):
        if seen() is events and _same(key, known):
            return found
    directory = Directory.of(subject.inventory, subject.unit)
    calendar = Calendar.of(subject.inventory)
    made = match(events, directory, period, rules, ctx.zone, calendar)
    _latest[:] = [(weakref.ref(events, lambda _: _latest.clear()), key, made)]
    return made


def _same(one: _Key, other: _Key) -> bool:
    # Comparing whole inventories would take longer than the matching.
    return one[0] is other[0] and one[1] is other[1] and one[2:] == other[2:]


def _rules(events: DocumentEvents, options: PeriodOptions) -> Rules:
    watched = {day for source in events.under("x_road") for day in source.days}
    return Rules(
        send_days=options.send_days,
        settle_days=options.settle_days,
        large=options.large_bytes,
        outages=outages_of(events.events),
        watched=frozenset(watched),
    )


def period_of(ctx: Context, options: PeriodOptions) -> Period:
    """The days that are judged, the day of the evidence included."""
    return Period.before(ctx.now.astimezone(ctx.zone).date(), options.period_days)


def common_detail(seen: Judged) -> dict[str, Any]:
    """What every row about a period shows."""
    coverage = seen.coverage
    return {
        "period": [seen.period.start.isoformat(), seen.period.end.isoformat()],
        "counts": seen.matching.counts,
        "covered": {
            "register": round(coverage.register, 4),
            "gateway": round(coverage.gateway, 4),
            "mail": round(coverage.mail, 4),
        },
        "gaps": coverage.gaps,
        "groups": list(seen.matching.groups),
    }


def refuse_unread(sources: Iterable[SourceReport]) -> None:
    """A source that was there but could not be read forbids a judgement; names file and line."""
    for source in sources:
        if source.failure is not None:
            raise Unparsable(source.failure.detail)


def refuse_routes(events: DocumentEvents) -> None:
    """Without the register, or without any list of what was sent, no pair can be judged."""
    refuse_unread(events.of(SourceKind.REGISTER))
    sending = [s for s in events.of(SourceKind.GATEWAY) if s.key not in {"received", "x_road"}]
    refuse_unread(sending)


def sender_unknown(ctx: Context, seen: Judged, said: str, detail: dict[str, Any]) -> Verdict | None:
    """Several bodies send on the gateway, and none is known to be this unit: cannot tell."""
    if seen.matching.senders < 2:
        return None
    message = f"{said}.no-code"
    return unknown(
        FailureKind.NOT_DECLARED,
        message,
        detail,
        senders=seen.matching.senders,
        unit=ctx.subject.unit.id,
    )


def iso(time: dt.datetime | dt.date | None) -> str | None:
    """A moment or day for the detail of a row."""
    return None if time is None else time.isoformat()
