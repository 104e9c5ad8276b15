"""Counting while a table is read, so that every reader reports in the same way."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from checks.documents.events import DocumentEvent, SourceKind, SourceReport
from checks.documents.packed import Packed
from checks.evidence import Unparsable


class Tally:
    """What one source brought so far: its events, packed, and the figures of its report."""

    def __init__(self, kind: SourceKind, name: str, zone: ZoneInfo) -> None:
        self.events = Packed()
        self.files = self.lines = self.unparsed = self.repeated = 0
        self._kind, self._name, self._zone = kind, name, zone
        self._days: set[dt.date] = set()
        self._first: dt.datetime | None = None
        self._last: dt.datetime | None = None

    def seen(self, time: dt.datetime) -> None:
        """A row speaks of this moment."""
        self._days.add(time.astimezone(self._zone).date())
        if self._first is None or time < self._first:
            self._first = time
        if self._last is None or time > self._last:
            self._last = time

    def seen_day(self, day: dt.date) -> None:
        """A row speaks of this day."""
        if day not in self._days:
            self.seen(dt.datetime.combine(day, dt.time(), self._zone).astimezone(dt.UTC))

    def add(self, *events: DocumentEvent) -> None:
        """The events of one row; a row that says nothing new counts as repeated."""
        added = [self.events.add(event) for event in events]
        self.repeated += not any(added)

    def done(self, what: str) -> tuple[Packed, SourceReport]:
        """Events and report; raises Unparsable when no row at all has `what`."""
        if self.lines and self.unparsed == self.lines:
            raise Unparsable(f"{self._name}: none of its {self.lines} rows has {what}")
        report = SourceReport(
            kind=self._kind,
            name=self._name,
            files=self.files,
            lines=self.lines,
            unparsed=self.unparsed,
            repeated=self.repeated,
            days=frozenset(self._days),
            first=self._first,
            last=self._last,
        )
        return self.events.close(), report
