"""Events of a ward's correspondence as values, for tests that judge and read nothing."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any

import msgspec

from checks.documents.events import (
    DocumentEvent,
    DocumentEvents,
    DocumentKey,
    EventKind,
    FoundIn,
    MailTrace,
    Place,
    SourceKind,
    SourceReport,
)
from checks.model import Check, Options, Subject, Verdict
from tests.helpers.correspondence import HEALTH, NOW, ZONE, context, subject

SIGN = "QD-UBND-HK"
DAY = dt.date(2026, 11, 10)
"""A Tuesday in the middle of the period."""
PERIOD = tuple(dt.date(2026, 10, 10) + dt.timedelta(days=n) for n in range(42))
OWN = "H26.1.2"


def key(number: int, sign: str = SIGN, year: int = 2026, suffix: str = "") -> DocumentKey:
    return DocumentKey(number=number, sign=sign, year=year, suffix=suffix)


def place(source: SourceKind, *what: object, line: int = 1) -> Place:
    text = " ".join(map(str, what))
    return Place(
        source=source,
        file=f"{source.value}.csv",
        line=line,
        sha256=hashlib.sha256(text.encode()).hexdigest(),
    )


def at(day: dt.date, clock: str = "15:00") -> dt.datetime:
    return dt.datetime.combine(day, dt.time.fromisoformat(clock), ZONE).astimezone(dt.UTC)


def registered(
    number: int, *to: str, day: dt.date = DAY, reason: str = "", **of: Any
) -> list[DocumentEvent]:
    return [
        DocumentEvent(
            kind=EventKind.REGISTERED,
            key=key(number, **of),
            place=place(SourceKind.REGISTER, number, of, line=number),
            date=day,
            recipient=recipient,
            reason=reason,
        )
        for recipient in to or ("Sở Y tế",)
    ]


def sent(
    number: int,
    to: str = HEALTH,
    kind: EventKind = EventKind.RECEIVED,
    day: dt.date = DAY,
    clock: str = "15:00",
    sender: str = OWN,
    **of: Any,
) -> DocumentEvent:
    return DocumentEvent(
        kind=kind,
        key=key(number, **of),
        place=place(SourceKind.GATEWAY, number, to, day, clock, of, line=number),
        time=at(day, clock),
        sender=sender,
        recipient=to,
    )


def mailed(
    number: int,
    to: str = "soyte.gov.vn",
    day: dt.date = DAY,
    clock: str = "16:00",
    sender: str = "hoankiem.gov.vn",
    trace: MailTrace | None = None,
    *,
    mailboxes: tuple[str, ...] = (),
    **of: Any,
) -> DocumentEvent:
    base = trace or MailTrace(found=FoundIn.NAME, size=250_000, leading=True)
    return DocumentEvent(
        kind=EventKind.MAILED,
        key=key(number, **of),
        place=place(SourceKind.MAIL, number, to, day, clock, of, line=number),
        time=at(day, clock),
        sender=sender,
        recipient=to,
        mail=msgspec.structs.replace(base, sender=sender),
        mailboxes=mailboxes,
    )


def secret(number: int = 7, **more: Any) -> DocumentEvent:
    trace = MailTrace(found=FoundIn.SUBJECT, secret=True)
    return mailed(number, trace=trace, **more)


def posted(number: int, to: str = "Sở Y tế", day: dt.date = DAY, year: int = 0) -> DocumentEvent:
    return DocumentEvent(
        kind=EventKind.POSTED,
        key=key(number, year=year),
        place=place(SourceKind.POSTAL, number, to),
        time=at(day, "00:00"),
        recipient=to,
    )


def delivered(
    number: int, sender: str = HEALTH, day: dt.date = DAY, sign: str = "SYT-VP"
) -> DocumentEvent:
    return DocumentEvent(
        kind=EventKind.DELIVERED,
        key=key(number, sign),
        place=place(SourceKind.GATEWAY, "in", number, sender, day, line=number),
        time=at(day),
        sender=sender,
    )


def arrived(
    number: int,
    author: str = "Sở Y tế",
    day: dt.date = DAY,
    sign: str = "SYT-VP",
    year: int = 2026,
) -> DocumentEvent:
    return DocumentEvent(
        kind=EventKind.ARRIVED,
        key=key(number, sign, year),
        place=place(SourceKind.INCOMING, number, author, day),
        time=at(day, "00:00"),
        sender=author,
        arrival=number,
    )


def outage(day: dt.date = DAY, begin: str = "09:00", end: str = "17:00") -> DocumentEvent:
    return DocumentEvent(
        kind=EventKind.OUTAGE,
        key=DocumentKey(number=0, sign=""),
        place=place(SourceKind.GATEWAY, "fault", day, begin),
        time=at(day, begin),
        until=at(day, end),
    )


def report(kind: SourceKind, name: str = "", key: str = "", **more: Any) -> SourceReport:
    days = more.pop("days", PERIOD)
    return SourceReport(
        kind=kind,
        key=key or kind.value,
        name=name or f"{kind.value}.csv",
        days=frozenset(days),
        first=at(min(days)) if days else None,
        last=at(max(days)) if days else None,
        **more,
    )


MAIL = report(SourceKind.MAIL, mails=40, mails_with_headers=40)
SOURCES = (report(SourceKind.REGISTER), report(SourceKind.GATEWAY), MAIL)


def base() -> list[DocumentEvent]:
    """A document for each day of the period and a week before it, all of them routed in time."""
    found = []
    for n, day in enumerate(PERIOD, 1):
        found += [*registered(n, day=day), sent(n, day=day)]
    return found


def known(
    *events: DocumentEvent | Iterable[DocumentEvent],
    sources: tuple[SourceReport, ...] = SOURCES,
    more: tuple[SourceReport, ...] = (),
) -> DocumentEvents:
    """What the sources say besides the daily documents."""
    flat: list[DocumentEvent] = []
    for event in events:
        flat += [event] if isinstance(event, DocumentEvent) else event
    return DocumentEvents(events=(*base(), *flat), sources=(*sources, *more))


def said(
    check: Check,
    events: DocumentEvents,
    subj: Subject | None = None,
    now: dt.datetime = NOW,
    **options: Any,
) -> list[Verdict]:
    """What a check says of these events."""
    chosen: Options = check.options(**options)
    ctx = context(subj or subject(), chosen, now)
    return list(check.judge(ctx, *[None] * (len(check.needs) - 1), events))


def one(check: Check, events: DocumentEvents, subj: Subject | None = None, **more: Any) -> Verdict:
    """The only verdict of a check."""
    (verdict,) = said(check, events, subj, **more)
    return verdict
