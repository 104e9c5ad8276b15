"""The arrival numbers that incoming registers gave out, by book and year: gaps, doubles, order."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import DocumentEvent, DocumentKey, EventKind
from checks.documents.lookup import Document
from checks.documents.packed import events_of
from checks.documents.series import Faults, faults_of, series_of

_MIXED = 0.1
"""Share of numbers given twice from which a file rather holds several books."""
_FEW = 3
"""Doubles up to which it is one book with mistakes, however short."""

_Which = tuple[str, int, int, str]
"""Label of a book, year, number, and the letter behind it (`12a`)."""


class Twice(msgspec.Struct, frozen=True, order=True):
    """One number of one book for several documents."""

    year: int
    number: int
    letter: str
    days: tuple[dt.date, ...]
    places: tuple[str, ...]
    """File and line of the first two of them."""


class Numbers(msgspec.Struct, frozen=True):
    """What the incoming registers of a unit gave out in some years."""

    rows: int
    """Documents entered, each row once."""
    unnumbered: int
    """Rows without an arrival number."""
    found: tuple[Faults, ...]
    """By book and year; a book that nobody names is what its numbers make of it."""
    twice: tuple[Twice, ...]
    mixed: bool
    """So many numbers stand twice that a file may hold several books."""


class _Row(msgspec.Struct):
    first: dt.date
    what: set[tuple[DocumentKey, dt.date | None, str, dt.date]]
    places: list[str]


def numbers_of(events: Sequence[DocumentEvent], years: frozenset[int], zone: ZoneInfo) -> Numbers:
    """Read the rows of some years; days are those of `zone`.

    A book is what the register names as one. Rows that name none are taken by file and sheet: those
    that follow each other, or whose numbers fill each other's gaps (`series_of`), are one book.
    """
    rows: dict[_Which, _Row] = {}
    named: set[str] = set()
    total = unnumbered = 0
    for event in events_of(events, {EventKind.ARRIVED}):
        if event.time is None or (day := event.time.astimezone(zone).date()).year not in years:
            continue
        total += 1
        if not event.arrival:
            unnumbered += 1
            continue
        label = _label(event)
        if event.recipient and not event.recipient.startswith(SHEET):
            named.add(label)
        which = label, day.year, event.arrival, event.reason
        row = rows.setdefault(which, _Row(day, set(), []))
        row.first = min(row.first, day)
        row.what.add((event.key, event.date, event.sender, day))
        row.places.append(f"{event.place.file}:{event.place.line}")
    found = _faults(rows, named)
    twice = sorted(_twice(rows, found))
    return Numbers(
        rows=total,
        unnumbered=unnumbered,
        found=tuple(found),
        twice=tuple(twice),
        mixed=len(twice) > max(_FEW, _MIXED * len(rows)),
    )


SHEET = "#"
"""Begins the name of a sheet that stands in for that of a book."""


def _label(event: DocumentEvent) -> str:
    """The book that a row names, else its file and sheet."""
    if event.recipient and not event.recipient.startswith(SHEET):
        return event.recipient
    return f"{event.place.file}{event.recipient}"


def _faults(rows: dict[_Which, _Row], named: set[str]) -> list[Faults]:
    """The series of every named book by itself, and those that the others make."""
    parts: dict[tuple[str, int], list[Document]] = {}
    for (label, year, number, letter), row in rows.items():
        key = DocumentKey(number=number, sign=label, suffix=letter, year=year)
        parts.setdefault((label, year), []).append(Document(key=key, date=row.first))
    by_book: dict[str, list[Document]] = {}
    for (label, _), documents in parts.items():
        if label in named:
            by_book.setdefault(label, []).extend(documents)
    by_book[""] = _chained([d for (label, _), d in parts.items() if label not in named])
    return [
        # A book may be opened in summer; of one that begins in January the first number is known.
        faults_of(series, min(d.date for d in series.documents))
        for book in by_book.values()
        for series in series_of(book)
    ]


def _chained(parts: Iterable[list[Document]]) -> list[Document]:
    """Files that follow each other, in numbers and in days, under one sign: a file for each month.

    Where several could go before a file, it follows the one whose last number is the nearest.
    """
    chains: list[list[Document]] = []
    for part in sorted(parts, key=lambda p: (p[0].key.year, _first(p), min(map(_number, p)))):
        low = min(map(_number, part))
        before = [
            (last, n)
            for n, chain in enumerate(chains)
            if chain[0].key.year == part[0].key.year
            and (last := max(map(_number, chain))) < low
            and low - last - 1 <= len(chain) + len(part)
            and max(d.date for d in chain) <= _first(part)
        ]
        if before:
            chains[max(before)[1]] += part
        else:
            chains.append([*part])
    return [
        Document(
            key=msgspec.structs.replace(d.key, sign=chain[0].key.sign),
            date=d.date,
            recipients=(d.key.sign,),
        )
        for chain in chains
        for d in chain
    ]


def _first(documents: Iterable[Document]) -> dt.date:
    return min(d.date for d in documents)


def _number(document: Document) -> int:
    return document.key.number


def _twice(rows: dict[_Which, _Row], found: Iterable[Faults]) -> Iterable[Twice]:
    """Numbers of a series that stand for several documents, in one file or in two of one book."""
    for faults in found:
        year = faults.series.year
        labels: dict[tuple[int, str], list[str]] = {}
        for document in faults.series.documents:
            which = document.key.number, document.key.suffix
            label = document.recipients[0] if document.recipients else document.key.sign
            labels.setdefault(which, []).append(label)
        for (number, letter), books in labels.items():
            same = [rows[label, year, number, letter] for label in books]
            what = Counter(each for row in same for each in row.what)
            if len(what) > 1:
                days = tuple(sorted({each[-1] for each in what}))
                places = tuple(sorted(place for row in same for place in row.places)[:2])
                yield Twice(year, number, letter, days, places)
