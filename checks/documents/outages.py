"""When the exchange was out, by the minute, and what that excuses."""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Sequence
from zoneinfo import ZoneInfo

from checks.documents.calendar import Calendar
from checks.documents.events import DocumentEvent, EventKind
from checks.documents.lookup import Document
from checks.documents.packed import events_of
from checks.documents.pairs import OUTAGE, Outage, Rules

_MINUTE = dt.timedelta(minutes=1)


def outages_of(events: Sequence[DocumentEvent]) -> tuple[Outage, ...]:
    """Every outage that the events tell, in order; those that touch or overlap are one.

    One without an end is proven for the minute in which it was seen, and for no other.
    """
    spans = sorted(
        (_minute(e.time), _minute(max(e.time, e.until or e.time)) + _MINUTE)
        for e in events_of(events, {EventKind.OUTAGE})
        if e.time is not None
    )
    found: list[Outage] = []
    for begin, end in spans:
        if found and begin <= found[-1].end:
            found[-1] = Outage(begin=found[-1].begin, end=max(end, found[-1].end))
        else:
            found.append(Outage(begin=begin, end=end))
    return tuple(found)


def during(outages: Sequence[Outage], time: dt.datetime) -> Outage | None:
    """The outage that lasted at a moment, the first and the last minute of it included."""
    at = bisect_right(outages, time, key=lambda o: o.begin)
    return outages[at - 1] if at and time < outages[at - 1].end else None


def excuse_of(
    document: Document,
    mailed: dt.datetime | None,
    rules: Rules,
    calendar: Calendar,
    zone: ZoneInfo,
) -> Outage | None:
    """The outage for which a document need not be on the axis; None when there is none.

    `mailed` is when the first mail carried it to the recipient. A mail within an outage needs no
    other word. For a document whose register names an outage as the reason, one will do on its day
    or the next working day, until the end of which it had time; a mail must then have gone after
    the outage began, and not later than that.
    """
    if mailed is not None and (found := during(rules.outages, mailed)):
        return found
    if document.reason != OUTAGE:
        return None
    days = grace_of(document, calendar)
    until = _midnight(days[-1] + dt.timedelta(days=1), zone)
    if mailed is not None:
        if mailed >= until:
            return None
        until = mailed
    for day in days:
        end = min(_midnight(day + dt.timedelta(days=1), zone), until)
        if found := _touching(rules.outages, _midnight(day, zone), end):
            return found
    return None


def grace_of(document: Document, calendar: Calendar) -> tuple[dt.date, dt.date]:
    """The day of a document and the next working day: the register tells no hour."""
    return document.date, calendar.after(document.date, 1)


def _touching(outages: Sequence[Outage], begin: dt.datetime, end: dt.datetime) -> Outage | None:
    """The first outage that shares a moment with [begin, end)."""
    at = bisect_right(outages, begin, key=lambda o: o.end)
    return outages[at] if at < len(outages) and outages[at].begin < end else None


def _midnight(day: dt.date, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), zone)


def _minute(time: dt.datetime) -> dt.datetime:
    return time.replace(second=0, microsecond=0)
