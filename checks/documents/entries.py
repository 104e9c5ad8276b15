"""Are the arrival numbers of the incoming registers unbroken, each given once, and in order?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.documents.calendar import Calendar
from checks.documents.coverage import covered
from checks.documents.entry_numbers import Numbers, Twice, numbers_of
from checks.documents.events import DocumentEvents, SourceKind
from checks.documents.evidence import ARRIVALS, DOCUMENTS
from checks.documents.judged import LISTED, PeriodOptions, iso, period_of, refuse_unread
from checks.documents.series import Faults
from checks.evidence import FailureKind
from checks.model import Arg, Context, Scope, Severity, Verdict, check, failed, passed, unknown

_OWN = "documents.incoming-numbering"


class EntryOptions(PeriodOptions, frozen=True):
    """Options of `documents.incoming-numbering`: how many of each are let pass in a year."""

    gaps: int = 0
    disordered: int = 0
    unnumbered: int = 0


@check(
    _OWN,
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 22",),
    options=EntryOptions,
).needs(ARRIVALS, DOCUMENTS)
def incoming_numbering(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Do the arrival numbers of each book and year run on, once each, in the order of arrival?"""
    options = ctx.opt(EntryOptions)
    refuse_unread(events.of(SourceKind.INCOMING))
    period = period_of(ctx, options)
    years = frozenset({period.start.year, period.end.year})
    numbers = numbers_of(events.events, years, ctx.zone)
    sources = events.of(SourceKind.INCOMING)
    calendar = Calendar.of(ctx.subject.inventory)
    seen = frozenset().union(*(s.days for s in sources))
    days = covered(seen, period, options.bridge_days, calendar)
    share = len(days) / len(period.days)
    detail = _detail(numbers, share, sum(s.unparsed for s in sources))
    unclear = _unclear(numbers, detail)
    yield unclear if unclear is not None else _judged(ctx, numbers, share, detail)


def _detail(numbers: Numbers, share: float, unparsed: int) -> dict[str, Any]:
    return {
        "rows": numbers.rows,
        "unnumbered": numbers.unnumbered,
        "unread_rows": unparsed,
        "missing": sum(f.missing for f in numbers.found),
        "disordered": sum(f.disordered for f in numbers.found),
        "duplicates": [_twice_shown(t) for t in numbers.twice[:LISTED]],
        "total_duplicates": len(numbers.twice),
        "not_restarted": [f.series.year for f in numbers.found if not f.restarted],
        "books": [_book_shown(f) for f in numbers.found[:LISTED]],
        "total_books": len(numbers.found),
        "coverage": round(share, 4),
    }


def _twice_shown(twice: Twice) -> dict[str, Any]:
    return {
        "arrival": f"{twice.number}{twice.letter.lower()}",
        "year": twice.year,
        "dates": [iso(day) for day in twice.days],
        "places": list(twice.places),
    }


def _book_shown(faults: Faults) -> dict[str, Any]:
    """One book by its year and numbers: what it is called may be a person's name."""
    numbers = faults.series.numbers
    return {
        "year": faults.series.year,
        "first": min(numbers),
        "last": max(numbers),
        "gaps": [str(a) if a == b else f"{a}–{b}" for a, b in faults.gaps[:LISTED]],
        "total_gaps": len(faults.gaps),
        "missing": faults.missing,
        "disordered": faults.disordered,
    }


def _unclear(numbers: Numbers, detail: dict[str, Any]) -> Verdict | None:
    """Why the numbers mean nothing, if so."""
    if not numbers.rows:
        return unknown(FailureKind.TRUNCATED, f"{_OWN}.empty", detail)
    if numbers.unnumbered == numbers.rows:
        return unknown(FailureKind.UNPARSABLE, f"{_OWN}.no-numbers", detail, rows=numbers.rows)
    if numbers.mixed:
        return unknown(FailureKind.UNPARSABLE, f"{_OWN}.books", detail, twice=len(numbers.twice))
    return None


def _judged(  # noqa: PLR0911 - one line for each fault reads best
    ctx: Context, numbers: Numbers, share: float, detail: dict[str, Any]
) -> Verdict:
    options = ctx.opt(EntryOptions)
    missing, disordered = detail["missing"], detail["disordered"]
    said: dict[str, Arg] = {"rows": numbers.rows, "missing": missing, "disordered": disordered}
    if numbers.twice:
        twice = len(numbers.twice)
        return failed(f"{_OWN}.twice", detail, Severity.MAJOR, twice=twice, **said)
    if numbers.unnumbered > options.unnumbered:
        return failed(f"{_OWN}.unnumbered", detail, None, count=numbers.unnumbered, **said)
    unread = detail["unread_rows"]
    if missing > options.gaps + unread:
        return failed(f"{_OWN}.gaps", detail, None, **said)
    if detail["not_restarted"]:
        return failed(f"{_OWN}.not-restarted", detail, None, year=detail["not_restarted"][0])
    if disordered > options.disordered:
        return failed(f"{_OWN}.disordered", detail, None, **said)
    if missing > options.gaps:
        # The rows that could not be read may be the very numbers that lack.
        return unknown(FailureKind.UNPARSABLE, f"{_OWN}.unread", detail, unread=unread, **said)
    if share * 100 < ctx.coverage_floor:
        floor = ctx.coverage_floor / 100
        say = f"{_OWN}.cannot-tell"
        return unknown(FailureKind.TRUNCATED, say, detail, coverage=share, floor=floor)
    return passed(f"{_OWN}.whole", detail, rows=numbers.rows, books=len(numbers.found))


CHECKS = (incoming_numbering,)
