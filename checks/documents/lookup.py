"""The register as documents that can be looked up by number and day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import DocumentEvent, DocumentKey, EventKind

_BEFORE = 30
"""Days by which something may precede its registration and still be the same document."""
_AFTER = 335
"""Days after which the same number is the next year's."""


class Document(msgspec.Struct, frozen=True):
    """A registered document; `key` has its year."""

    key: DocumentKey
    date: dt.date
    recipients: tuple[str, ...]
    reason: str


class Documents:
    """All documents of a register."""

    def __init__(self, events: Iterable[DocumentEvent], zone: ZoneInfo) -> None:
        self._zone = zone
        rows: dict[DocumentKey, list[DocumentEvent]] = {}
        for event in events:
            if event.kind is EventKind.REGISTERED and event.date is not None:
                rows.setdefault(event.key, []).append(event)
        self._all = {key: _document(key, found) for key, found in rows.items()}
        self._series: dict[tuple[int, str, str], list[Document]] = {}
        for document in self._all.values():
            self._series.setdefault(document.key.series, []).append(document)

    def all(self) -> Iterable[Document]:
        """Every document, in the register's order."""
        return self._all.values()

    def reason(self, key: DocumentKey) -> str:
        """The reason code of a document, empty when it has none."""
        found = self._all.get(key)
        return found.reason if found else ""

    def day(self, time: dt.datetime) -> dt.date:
        """The day of a moment in the register's zone."""
        return time.astimezone(self._zone).date()

    def find(self, key: DocumentKey, day: dt.date) -> Document | None:
        """The document meant by a number seen on a day: numbers restart every year."""
        near = [
            (abs((day - d.date).days), d.date, d)
            for d in self._series.get(key.series, ())
            if key.year in (0, d.key.year) and -_BEFORE <= (day - d.date).days <= _AFTER
        ]
        return min(near, key=lambda n: n[:2])[2] if near else None


def _document(key: DocumentKey, rows: list[DocumentEvent]) -> Document:
    dates = [r.date for r in rows if r.date is not None]
    return Document(
        key=key,
        date=min(dates),
        recipients=tuple(dict.fromkeys(r.recipient for r in rows if r.recipient)),
        reason=next((r.reason for r in rows if r.reason), ""),
    )
