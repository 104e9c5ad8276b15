"""The register as documents that can be looked up by number and day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import DocumentEvent, DocumentKey, EventKind
from checks.documents.packed import events_of

_BEFORE = 30
"""Days by which something may precede its registration and still be the same document."""
_AFTER = 335
"""Days after which the same number is the next year's."""


class Document(msgspec.Struct, gc=False, kw_only=True):
    """A registered document; `key` has its year. Nobody changes it once the register is read."""

    key: DocumentKey
    date: dt.date
    recipients: tuple[str, ...] = ()
    reason: str = ""
    at: int = 0
    """Its place among the documents."""
    other: dt.date | None = None
    """Another date that a second row of the same number has."""


class Documents:
    """All documents of a register, by number; a million of them take little memory."""

    def __init__(self, events: Sequence[DocumentEvent], zone: ZoneInfo) -> None:
        self.zone = zone
        self._all: list[Document] = []
        # By sign and suffix, then by number: one document, or those of several years.
        self._series: dict[tuple[str, str], dict[int, tuple[Document, ...]]] = {}
        self._days: dict[dt.date, dt.date] = {}
        for event in events_of(events, {EventKind.REGISTERED}):
            if event.date is not None:
                self._take(event, self._days.setdefault(event.date, event.date))

    def _take(self, event: DocumentEvent, date: dt.date) -> None:
        key = event.key
        series = self._series.setdefault((key.sign, key.suffix), {})
        known = series.get(key.number, ())
        found = next((d for d in known if d.key.year == key.year), None)
        if found is None:
            found = Document(key=key, date=date, at=len(self._all))
            self._all.append(found)
            series[key.number] = (*known, found)
        if date != found.date:
            found.date, found.other = min(date, found.date), max(date, found.date)
        if event.recipient and event.recipient not in found.recipients:
            found.recipients = (*found.recipients, event.recipient)
        found.reason = max(found.reason, event.reason)

    def all(self) -> Sequence[Document]:
        """Every document, in the register's order."""
        return self._all

    def day(self, time: dt.datetime) -> dt.date:
        """The day of a moment in the register's zone; equal days are one object."""
        day = time.astimezone(self.zone).date()
        return self._days.setdefault(day, day)

    def find(self, key: DocumentKey, day: dt.date) -> Document | None:
        """The document meant by a number seen on a day: numbers restart every year."""
        found = self._series.get((key.sign, key.suffix), {}).get(key.number, ())
        near = [
            (abs((day - d.date).days), d.date, d.key.year, d)
            for d in found
            if key.year in (0, d.key.year) and -_BEFORE <= (day - d.date).days <= _AFTER
        ]
        return min(near, key=lambda n: n[:3])[3] if near else None
