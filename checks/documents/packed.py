"""Events by the million in little memory: columns of numbers, made into events when asked for.

A register of a million rows and the gateway's list beside it are several million events; as values
of their own they would take ten times as much. A reader adds events, everybody else sees a
sequence.
"""

from __future__ import annotations

import datetime as dt
from array import array
from collections.abc import Collection, Hashable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar, overload

from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    MailTrace,
    Place,
    SourceKind,
)

T = TypeVar("T", bound=Hashable)

_ZERO = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICRO = dt.timedelta(microseconds=1)
_NEVER = -(2**63)
_HASH = 32
_KINDS = tuple(EventKind)
_NUMBER = {kind: n for n, kind in enumerate(_KINDS)}
_Rare = tuple[int, str, str, MailTrace | None, dt.datetime | None, tuple[str, ...]]
"""Arrival number, queue id, hash of the content, how a mail spoke, end of an outage, mailboxes."""
_NOTHING: _Rare = (0, "", "", None, None, ())


class _Codes(Generic[T]):
    """Values that come again and again: each is kept once and has a number."""

    def __init__(self) -> None:
        self.all: list[T] = []
        self._known: dict[T, int] = {}

    def close(self) -> None:
        """Let go of what only finds a value's number; it is made anew when it is asked for."""
        self._known = {}

    def __call__(self, value: T) -> int:
        if self.all and not self._known:
            self._known = {known: n for n, known in enumerate(self.all)}
        found = self._known.get(value)
        if found is None:
            found = self._known[value] = len(self.all)
            self.all.append(value)
        return found


class Packed(Sequence[DocumentEvent]):
    """A growing sequence of events, about 70 bytes each; what is said again is left out.

    Two events say the same when all is equal but where they stand, in what, and how a mail spoke.
    """

    def __init__(self, events: Iterable[DocumentEvent] = ()) -> None:
        self._kinds = bytearray()
        self._times, self._dates, self._lines = array("q"), array("i"), array("I")
        self._hashes = bytearray()
        self._keys: _Codes[DocumentKey] = _Codes()
        self._files: _Codes[tuple[SourceKind, str]] = _Codes()
        self._texts: _Codes[str] = _Codes()
        self._key, self._file = array("I"), array("I")
        self._sender, self._recipient, self._reason = array("I"), array("I"), array("I")
        self._rare: dict[int, _Rare] = {}
        self._mailboxes: dict[tuple[str, ...], tuple[str, ...]] = {}
        self._seen: set[Hashable] = set()
        for event in events:
            self.add(event)

    def add(self, event: DocumentEvent) -> bool:
        """Take in an event, its hash in hex; False when it says the same as an earlier one."""
        key, place = self._keys(event.key), event.place
        texts = self._texts
        sender, recipient, reason = texts(event.sender), texts(event.recipient), texts(event.reason)
        date = 0 if event.date is None else event.date.toordinal()
        time = _NEVER if event.time is None else (event.time - _ZERO) // _MICRO
        kind = _NUMBER[event.kind]
        # One large number takes half the memory of a tuple.
        code = ((time << 24 | date) << 32 | key) << 8 | kind
        code = ((code << 32 | sender) << 32 | recipient) << 32 | reason
        rarely = event.arrival or event.until or event.mailboxes
        same: Hashable = (code, event.arrival, event.until, event.mailboxes) if rarely else code
        before = len(self._seen)
        self._seen.add(same)
        if len(self._seen) == before:
            return False
        if rarely or place.ref or event.content or event.mail is not None:
            told = self._mailboxes.setdefault(event.mailboxes, event.mailboxes)
            rare = event.arrival, place.ref, event.content, event.mail, event.until, told
            self._rare[len(self._kinds)] = rare
        self._kinds.append(kind)
        self._times.append(time)
        self._dates.append(date)
        self._lines.append(min(place.line, 2**32 - 1))
        self._hashes += bytes.fromhex(place.sha256)
        self._key.append(key)
        self._file.append(self._files((place.source, place.file)))
        self._sender.append(sender)
        self._recipient.append(recipient)
        self._reason.append(reason)
        return True

    def close(self) -> Packed:
        """Itself, after the last event: lets go of what only tells equal events apart."""
        self._seen = set()
        self._mailboxes = {}
        self._keys.close()
        return self

    @property
    def signs(self) -> frozenset[str]:
        """Every sign of a number in it."""
        return frozenset(key.sign for key in self._keys.all)

    def of(self, kinds: Collection[EventKind]) -> Iterator[DocumentEvent]:
        """The events of some kinds, in order."""
        wanted = {_NUMBER[kind] for kind in kinds}
        return (self._event(n) for n, kind in enumerate(self._kinds) if kind in wanted)

    def about(self, series: Collection[tuple[int, str, str]]) -> Iterator[DocumentEvent]:
        """The events about some numbers of any year, in order; no other is made."""
        wanted = {n for n, key in enumerate(self._keys.all) if key.series in series}
        return (self._event(n) for n, key in enumerate(self._key) if key in wanted)

    def __len__(self) -> int:
        return len(self._kinds)

    def __iter__(self) -> Iterator[DocumentEvent]:
        return map(self._event, range(len(self._kinds)))

    @overload
    def __getitem__(self, at: int) -> DocumentEvent: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[DocumentEvent]: ...
    def __getitem__(self, at: int | slice) -> DocumentEvent | Sequence[DocumentEvent]:
        found = range(len(self._kinds))[at]
        return self._event(found) if isinstance(found, int) else [self._event(n) for n in found]

    def _event(self, n: int) -> DocumentEvent:
        source, file = self._files.all[self._file[n]]
        arrival, ref, content, mail, until, mailboxes = self._rare.get(n, _NOTHING)
        time, date, texts = self._times[n], self._dates[n], self._texts.all
        return DocumentEvent(
            kind=_KINDS[self._kinds[n]],
            key=self._keys.all[self._key[n]],
            place=Place(
                source=source,
                file=file,
                line=self._lines[n],
                sha256=self._hashes[n * _HASH : (n + 1) * _HASH].hex(),
                ref=ref,
            ),
            time=None if time == _NEVER else _ZERO + dt.timedelta(microseconds=time),
            date=dt.date.fromordinal(date) if date else None,
            sender=texts[self._sender[n]],
            recipient=texts[self._recipient[n]],
            reason=texts[self._reason[n]],
            arrival=arrival,
            content=content,
            mail=mail,
            until=until,
            mailboxes=mailboxes,
        )


class Joined(Sequence[DocumentEvent]):
    """Several sequences of events as one, without copying them."""

    def __init__(self, parts: Iterable[Sequence[DocumentEvent]]) -> None:
        self._parts = tuple(parts)

    def of(self, kinds: Collection[EventKind]) -> Iterator[DocumentEvent]:
        """The events of some kinds, in order."""
        for part in self._parts:
            yield from events_of(part, kinds)

    def about(self, series: Collection[tuple[int, str, str]]) -> Iterator[DocumentEvent]:
        """The events about some numbers of any year, in order."""
        for part in self._parts:
            yield from events_about(part, series)

    def __len__(self) -> int:
        return sum(map(len, self._parts))

    def __iter__(self) -> Iterator[DocumentEvent]:
        for part in self._parts:
            yield from part

    @overload
    def __getitem__(self, at: int) -> DocumentEvent: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[DocumentEvent]: ...
    def __getitem__(self, at: int | slice) -> DocumentEvent | Sequence[DocumentEvent]:
        found = range(len(self))[at]
        return self._one(found) if isinstance(found, int) else [self._one(n) for n in found]

    def _one(self, n: int) -> DocumentEvent:
        for part in self._parts:
            if n < len(part):
                return part[n]
            n -= len(part)
        raise IndexError(n)


def events_of(
    events: Sequence[DocumentEvent], kinds: Collection[EventKind]
) -> Iterator[DocumentEvent]:
    """The events of some kinds, in order; of packed ones no other is made."""
    if isinstance(events, Packed | Joined):
        return events.of(kinds)
    return (event for event in events if event.kind in kinds)


def events_about(
    events: Sequence[DocumentEvent], series: Collection[tuple[int, str, str]]
) -> Iterator[DocumentEvent]:
    """The events about some numbers (`DocumentKey.series`), in order, whichever the year."""
    if isinstance(events, Packed | Joined):
        return events.about(series)
    return (event for event in events if event.key.series in series)


def signs_of(events: Sequence[DocumentEvent]) -> frozenset[str]:
    """Every sign of a number among the events."""
    return events.signs if isinstance(events, Packed) else frozenset(e.key.sign for e in events)
