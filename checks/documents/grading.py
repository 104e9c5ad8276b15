"""Grading mails: how surely does this mail carry a document of this unit to that recipient?"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from checks.documents.agencies import Directory, Recipient, Where
from checks.documents.coverage import Period
from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    FoundIn,
    MailTrace,
    Place,
)
from checks.documents.lookup import Document, Documents
from checks.documents.packed import events_of
from checks.evidence import Value
from checks.pseudonyms import bounded

_WINDOW = (-1, 30)
"""Days after a document's date in which a mail naming it is taken to carry it."""
_UNLISTED = -1


class Grade(StrEnum):
    """A is strong, B medium; C is counted and never listed."""

    A = "A"
    B = "B"
    C = "C"


class Graded(Value, frozen=True):
    """A mail of grade A or B; `recipient` is an agency code, or the domain of a free service."""

    key: DocumentKey
    document: Document | None
    grade: Grade
    where: Where
    recipient: str
    time: dt.datetime
    day: dt.date
    place: Place
    secret: bool = False
    mailboxes: tuple[str, ...] = ()
    """Keyed hashes of the addresses that it reached at the recipient."""

    @property
    def rank(self) -> tuple[str, dt.datetime]:
        """Sorts the strongest, then the earliest, first."""
        return self.grade.value, self.time


SENDER_UNCLEAR = "mails_sender_unclear"
"""Count of mails with a document that may be another body's, which writes from the same domain."""


class Grades(Value, frozen=True):
    """The mails worth listing, and how many were not."""

    mails: tuple[Graded, ...]
    counts: dict[str, int]


def grade_mails(
    events: Sequence[DocumentEvent],
    documents: Documents,
    directory: Directory,
    period: Period,
    large: int,
) -> Grades:
    """Grade what was mailed in the period by the unit itself to an agency or a free mail service.

    `large` is in bytes: a mail above it carries more than words.
    """
    counts: Counter[str] = Counter()
    found: list[Graded] = []
    seen: dict[object, int] = {}
    places: dict[str, Recipient] = {}
    for event in events_of(events, {EventKind.MAILED}):
        mail, time = event.mail, event.time
        same = event.key, time, event.recipient, mail
        if mail is None or time is None:
            continue
        if same in seen:  # two logs, or one log twice, may tell of the same mail
            _also(found, seen[same], event.mailboxes)
            continue
        seen[same] = _UNLISTED
        day = documents.day(time)
        if day not in period:
            continue
        if event.recipient not in places:
            places[event.recipient] = directory.by_domain(event.recipient)
        to = places[event.recipient]
        skip = _skip(mail, to, directory)
        if skip:
            counts[skip] += 1
            continue
        document = documents.find(event.key, day)
        grade = grade_of(mail, event.key, document, day, directory, large)
        if grade is Grade.C:
            counts["grade_c"] += 1
            continue
        sure = mail.ours or directory.is_own_sign(event.key.sign)
        if not sure and directory.shares(mail.sender):
            # The same number and sign may be another body's that writes from the same domain.
            counts[SENDER_UNCLEAR] += 1
            continue
        seen[same] = len(found)
        found.append(
            Graded(
                key=event.key,
                document=document,
                grade=grade,
                where=to.where,
                recipient=to.code or event.recipient,
                time=time,
                day=day,
                place=event.place,
                secret=mail.secret,
                mailboxes=event.mailboxes,
            )
        )
    return Grades(mails=tuple(found), counts=dict(counts))


def _also(found: list[Graded], n: int, mailboxes: tuple[str, ...]) -> None:
    """One second, one size, one number: whether one mail or several, these were reached too."""
    if n != _UNLISTED and mailboxes != found[n].mailboxes:
        every = bounded((*found[n].mailboxes, *mailboxes))
        found[n] = msgspec.structs.replace(found[n], mailboxes=every)


def _skip(mail: MailTrace, to: Recipient, directory: Directory) -> str:
    """Why a mail is no matter of the axis, as the name of its count; empty when it is one."""
    if mail.automatic:
        return "mails_automatic"
    if not directory.is_own_domain(mail.sender):
        return "mails_of_others"
    if directory.knows_senders and directory.shares(mail.sender) and not mail.ours:
        return "mails_of_others"
    return {
        Where.INTERNAL: "mails_internal",
        Where.OTHER: "mails_off_axis",
        Where.SHARED: "mails_recipient_unclear",
        Where.OTHER_AGENCY: "mails_recipient_unclear",
    }.get(to.where, "")


def grade_of(
    mail: MailTrace,
    key: DocumentKey,
    document: Document | None,
    day: dt.date,
    directory: Directory,
    large: int,
) -> Grade:
    """The grade of one number in one mail."""
    if mail.weak or mail.draft:
        return Grade.C
    if document is None:
        own = directory.is_own_sign(key.sign) and mail.found is FoundIn.NAME and mail.leading
        # A register of this year says nothing of another year's numbers.
        other_year = key.year not in (0, day.year)
        return Grade.B if own and not mail.cites and not other_year else Grade.C
    if not _WINDOW[0] <= (day - document.date).days <= _WINDOW[1]:
        return Grade.C
    if mail.found is FoundIn.NAME:
        # A name that speaks of the document (`thuc hien 12-QD-UBND`) is another document's.
        return Grade.C if mail.cites else Grade.A
    return Grade.B if mail.size > large and not mail.cites else Grade.C
