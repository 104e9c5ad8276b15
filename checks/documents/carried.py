"""What the gateway says of each registered document and agency, folded from its rows.

The rows are kept as one large number each and sorted: five million take 200 MB, and their order in
the files never matters.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from checks.documents.agencies import Directory
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvent, DocumentKey, EventKind, Place, SourceKind
from checks.documents.lookup import Document, Documents
from checks.documents.packed import events_of

_ORDER = (EventKind.REVOKED, EventKind.REFUSED, EventKind.SENT_GATEWAY, EventKind.RECEIVED)
"""Of rows of the same second the last one wins."""
_ENDS = frozenset({EventKind.REVOKED, EventKind.REFUSED})
_KIND_BITS, _TIME_BITS, _AGENCY_BITS = 2, 36, 24
_ZERO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


class Sent(msgspec.Struct):
    """What the gateway says of one pair, its rows folded in order of time."""

    kind: EventKind
    time: dt.datetime
    """Of the first row since the last refusal or revocation."""


class Loose(msgspec.Struct):
    """A number on the gateway that the register does not have: the earliest row of it."""

    key: DocumentKey
    time: dt.datetime
    day: dt.date
    place: Place
    codes: set[str]


class Carried:
    """What went through the gateway, by document and agency."""

    def __init__(
        self,
        events: Sequence[DocumentEvent],
        documents: Documents,
        directory: Directory,
        period: Period,
    ) -> None:
        self.loose: dict[DocumentKey, Loose] = {}
        self.last: dt.datetime | None = None
        self.senders: set[str] = set()
        self._agencies: dict[str, int] = {}
        self._rows: list[int] = []
        codes: dict[str, str] = {}
        own: dict[str, bool] = {}
        for event in events_of(events, frozenset(_ORDER)):
            if event.time is None or event.place.source is not SourceKind.GATEWAY:
                continue
            for code in (event.sender, event.recipient):
                if code not in codes:
                    codes[code] = directory.code(code) or code
                    own[code] = not code or directory.is_own_code(code)
            # The same number and sign of another body is not this unit's document.
            if not own[event.sender]:
                continue
            if self.last is None or event.time > self.last:
                self.last = event.time
            self.senders.add(codes[event.sender])
            self._take(event, event.time, codes[event.recipient], documents, period)
        self._rows.sort()

    def _take(
        self,
        event: DocumentEvent,
        time: dt.datetime,
        code: str,
        documents: Documents,
        period: Period,
    ) -> None:
        day = documents.day(time)
        document = documents.find(event.key, day)
        if document is None:
            if day in period:
                self._loosen(event, time, code, day)
            return
        agency = self._agencies.setdefault(code, len(self._agencies))
        seconds = min(max(0, int((time - _ZERO).total_seconds())), (1 << _TIME_BITS) - 1)
        row = document.at << _AGENCY_BITS | agency
        row = (row << _TIME_BITS | seconds) << _KIND_BITS | _ORDER.index(event.kind)
        self._rows.append(row)

    def _loosen(self, event: DocumentEvent, time: dt.datetime, code: str, day: dt.date) -> None:
        key = msgspec.structs.replace(event.key, year=event.key.year or day.year)
        found = self.loose.setdefault(key, Loose(key, time, day, event.place, set()))
        found.codes.add(code)
        place = event.place
        if (time, place.file, place.line) < (found.time, found.place.file, found.place.line):
            found.time, found.day, found.place = time, day, place

    def of(self, document: Document, code: str) -> Sent | None:
        """What became of a document for one agency, or None when it never was on the gateway."""
        agency = self._agencies.get(code)
        if agency is None:
            return None
        row = document.at << _AGENCY_BITS | agency
        low = row << _TIME_BITS + _KIND_BITS
        at = bisect_left(self._rows, low)
        end = (row + 1) << _TIME_BITS + _KIND_BITS
        found: Sent | None = None
        while at < len(self._rows) and self._rows[at] < end:
            found = _folded(found, self._rows[at] - low)
            at += 1
        return found


def _folded(known: Sent | None, row: int) -> Sent:
    """One more row; what is sent after a refusal or a revocation is a new transmission.

    A second word of the same end, as a list and a packet may both have it, begins none.
    """
    kind = _ORDER[row & (1 << _KIND_BITS) - 1]
    if known is None or (known.kind in _ENDS and kind not in _ENDS):
        return Sent(kind, _ZERO + dt.timedelta(seconds=row >> _KIND_BITS))
    if kind is not EventKind.SENT_GATEWAY:
        known.kind = kind
    return known
