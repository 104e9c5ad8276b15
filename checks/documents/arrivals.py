"""What came in, held against the incoming register: entered in time, late, or not at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import StrEnum
from zoneinfo import ZoneInfo

from checks.documents.agencies import Directory, Where
from checks.documents.calendar import Calendar
from checks.documents.coverage import Period
from checks.documents.events import (
    DocumentEvent,
    DocumentEvents,
    DocumentKey,
    EventKind,
    FoundIn,
    Place,
)
from checks.documents.packed import events_of
from checks.evidence import Value

_BEFORE = 2
"""Days by which a clerk's entry may precede the moment that a log shows."""
_AFTER = 335
"""Days after which the same number is the next year's."""


class State(StrEnum):
    """What became of a delivery."""

    ENTERED = "entered"
    LATE = "late"
    MISSING = "missing"
    PENDING = "pending"
    """Still in time, or after the last entry of the register."""


class Arrival(Value, frozen=True):
    """One document of another body that reached this unit."""

    key: DocumentKey
    sender: str
    """Agency code."""
    day: dt.date
    place: Place
    state: State
    entered: dt.date | None = None
    secret: bool = False


_Book = dict[tuple[int, str, str], list[tuple[dt.date, str, int]]]
"""By series: the day of entry, the author's code where it is known, the document's year."""


def arrivals_of(
    events: DocumentEvents,
    directory: Directory,
    period: Period,
    calendar: Calendar,
    limits: tuple[int, ZoneInfo],
) -> list[Arrival]:
    """Every delivery of the period, each document of each sender once, oldest first.

    `limits` are the working days within which an entry is in time, and the zone of days.
    """
    days, zone = limits
    book: _Book = {}
    last = period.start - dt.timedelta(days=1)
    for event in events_of(events.events, {EventKind.ARRIVED}):
        if event.time is not None:
            day = event.time.astimezone(zone).date()
            last = max(last, day)
            entry = day, directory.by_text(event.sender), event.key.year
            book.setdefault(event.key.series, []).append(entry)
    first: dict[tuple[tuple[int, str, str], str], tuple[dt.date, DocumentEvent]] = {}
    for sender, event in _came(events, directory):
        day = event.time.astimezone(zone).date() if event.time else period.start
        which = event.key.series, sender
        known = first.get(which)
        if day in period and (known is None or _order(day, event) < _order(*known)):
            first[which] = day, event
    found = []
    for (series, sender), (day, event) in first.items():
        key = event.key
        entered = _entry(book.get(series, ()), key, sender, day)
        limit = calendar.after(day, days)
        state = _state(entered, limit, min(last, period.end))
        secret = event.mail is not None and event.mail.secret
        arrival = Arrival(
            key=key, sender=sender, day=day, place=event.place, state=state, entered=entered,
            secret=secret,
        )  # fmt: skip
        found.append(arrival)
    return sorted(found, key=lambda a: (a.day, str(a.key), a.sender))


def _order(day: dt.date, event: DocumentEvent) -> tuple[dt.date, str, str, int]:
    return day, event.place.source.value, event.place.file, event.place.line


def _came(events: DocumentEvents, directory: Directory) -> Iterator[tuple[str, DocumentEvent]]:
    """What the axis delivered, and documents of other agencies that came by mail."""
    for event in events_of(events.events, {EventKind.DELIVERED, EventKind.MAILED}):
        if event.time is None or not event.key.number:
            continue
        if event.kind is EventKind.DELIVERED:
            yield directory.code(event.sender) or event.sender, event
        elif (sender := _mailed_by(event, directory)) != "":
            yield sender, event


def _mailed_by(event: DocumentEvent, directory: Directory) -> str:
    """The agency whose document a mail surely carried to this unit, or empty."""
    mail = event.mail
    if mail is None or mail.found is not FoundIn.NAME or not mail.leading:
        return ""
    if (
        mail.weak
        or mail.draft
        or mail.cites
        or mail.automatic
        or directory.is_own_sign(event.key.sign)
    ):
        return ""
    to_us = directory.own_domains and directory.is_own_domain(event.recipient)
    if directory.shares(event.recipient):
        return ""  # it may have come to another body that has the same domain
    sender = directory.by_domain(mail.sender) if to_us and mail.sender else None
    return sender.code if sender is not None and sender.where is Where.AGENCY else ""


def _entry(
    entries: Iterable[tuple[dt.date, str, int]], key: DocumentKey, sender: str, day: dt.date
) -> dt.date | None:
    """The first entry of a document at or after its delivery; the author's code decides."""
    fitting = [
        (author != sender, entered)
        for entered, author, year in entries
        if author in ("", sender)
        and (not key.year or not year or key.year == year)
        and -_BEFORE <= (entered - day).days <= _AFTER
    ]
    return min(fitting)[1] if fitting else None


def _state(entered: dt.date | None, limit: dt.date, last: dt.date) -> State:
    if entered is not None:
        return State.ENTERED if entered <= limit else State.LATE
    return State.MISSING if limit <= last else State.PENDING
