"""The numbers a register gave out: which signs count together, gaps, order, starts of years."""

from __future__ import annotations

import datetime as dt
import itertools
from bisect import bisect_right
from collections.abc import Iterable, Sequence

import msgspec

from checks.documents.lookup import Document

_COLLISIONS = 0.01
"""Share of equal numbers up to which two signs may still count together."""
_MOST_SIGNS = 200
"""Signs that are compared with each other; the rest count for themselves."""
_FEW = 10
"""Numbers from which the beginning of a series can be told."""
_NEW_YEAR = dt.timedelta(days=10)
"""A register that begins this early in the year begins with number 1."""


class Series(msgspec.Struct):
    """Signs of one year that share one sequence of numbers."""

    year: int
    signs: list[str]
    numbers: set[int]
    documents: list[Document]

    @property
    def name(self) -> str:
        """How it is called in rows: its signs, three of them at most."""
        more = f" +{len(self.signs) - 3}" if len(self.signs) > 3 else ""
        return ", ".join(self.signs[:3]) + more


class Faults(msgspec.Struct, frozen=True):
    """What is wrong with the numbers of one series."""

    series: Series
    gaps: tuple[tuple[int, int], ...]
    """First and last missing number of each gap."""
    duplicates: tuple[Document, ...]
    """Numbers that stand in the register with two dates."""
    disordered: int
    """Documents whose date does not fit the dates of the numbers around it."""
    restarted: bool
    """Whether the year begins with a low number; true when that cannot be told."""

    @property
    def missing(self) -> int:
        """How many numbers are missing."""
        return sum(last - first + 1 for first, last in self.gaps)


def series_of(documents: Iterable[Document]) -> list[Series]:
    """The sequences of numbers in use, by year: offices count per sign, per type, or all in one.

    Signs count together when hardly any number stands under both and their gaps fill each other.
    """
    by_sign: dict[tuple[int, str], Series] = {}
    for document in documents:
        key = document.key
        found = by_sign.setdefault((key.year, key.sign), Series(key.year, [key.sign], set(), []))
        found.numbers.add(key.number)
        found.documents.append(document)
    joined: list[Series] = []
    ordered = sorted(by_sign.values(), key=lambda s: (s.year, -len(s.documents), s.signs))
    for at, one in enumerate(ordered):
        home = _home(one, joined) if at < _MOST_SIGNS else None
        if home is None:
            joined.append(one)
            continue
        home.signs += one.signs
        home.numbers |= one.numbers
        home.documents += one.documents
    return joined


def _home(one: Series, known: Iterable[Series]) -> Series | None:
    """The sequence that a sign belongs to, if its numbers fill the gaps of one."""
    best: tuple[int, Series] | None = None
    for other in known:
        if other.year != one.year:
            continue
        same = len(one.numbers & other.numbers)
        if same > max(1, _COLLISIONS * len(one.numbers)) or same == len(one.numbers):
            continue
        apart = _missing(one.numbers) + _missing(other.numbers)
        saved = apart - _missing(one.numbers | other.numbers)
        # With 0 one follows the other without a gap.
        if saved >= 0 and (best is None or saved > best[0]):
            best = saved, other
    return best[1] if best else None


def _missing(numbers: set[int]) -> int:
    return max(numbers) - min(numbers) + 1 - len(numbers)


def faults_of(series: Series, begins: dt.date) -> Faults:
    """What is wrong with a series; `begins` is the first date of the whole register."""
    numbers = sorted(series.numbers)
    known_start = len(numbers) >= _FEW and begins <= dt.date(series.year, 1, 1) + _NEW_YEAR
    # A year that goes on counting where the last one ended has no gap of thousands, but no start.
    restarted = not known_start or numbers[0] <= len(numbers)
    gaps = [(a + 1, b - 1) for a, b in itertools.pairwise(numbers) if b - a > 1]
    if known_start and restarted and numbers[0] > 1:
        gaps.insert(0, (1, numbers[0] - 1))
    ordered = sorted(series.documents, key=lambda d: (d.key.number, d.key.suffix, d.date))
    return Faults(
        series=series,
        gaps=tuple(gaps),
        duplicates=tuple(d for d in ordered if d.other is not None),
        disordered=_disordered([d.date for d in ordered if d.other is None]),
        restarted=restarted,
    )


def _disordered(dates: Sequence[dt.date]) -> int:
    """How many dates must be taken away until the others stand in order."""
    ends: list[dt.date] = []
    for date in dates:
        at = bisect_right(ends, date)
        ends[at : at + 1] = [date]
    return len(dates) - len(ends)
