"""The period of an annual report: from 15 December of the year before to 14 December."""

from __future__ import annotations

import datetime as dt

from reports.form08.model import FormError, Window
from reports.form08.rules import Law


def window_of(law: Law, year: int) -> Window:
    """The legal period of a year's report."""
    first = law.closes.of(year - 1) + dt.timedelta(days=1)
    return Window(first=first, last=law.closes.of(year), legal=True)


def window(law: Law, scanned: dt.date, first: dt.date | None, last: dt.date | None) -> Window:
    """The period asked for; what is left out comes from the calendar year of the scan's day.

    A scan of 20 December speaks of the period that closed six days before, one of 2 January of the
    period that has begun. With a first or a last day of one's own, the other is a year away.

    Raises:
        FormError: the days are the wrong way round, or the form was not yet in force.
    """
    found = window_of(law, scanned.year)
    if first is not None or last is not None:
        found = _own(first, last)
        legal = window_of(law, found.last.year)
        found = legal if (found.first, found.last) == (legal.first, legal.last) else found
    if found.first > found.last:
        raise FormError(
            f"the period begins on {found.first}, after its end {found.last}: "
            "give --from and --to the other way round"
        )
    if found.last < law.in_force:
        raise FormError(
            f"Form 08 is in force since {law.in_force}; the first report closes on "
            f"{law.closes.of(law.first_year)}: choose a later --to"
        )
    return found


def _own(first: dt.date | None, last: dt.date | None) -> Window:
    if last is None and first is not None:
        last = _a_year(first, 1) - dt.timedelta(days=1)
    if first is None and last is not None:
        first = _a_year(last + dt.timedelta(days=1), -1)
    if first is None or last is None:
        raise AssertionError("one of the two was given")
    return Window(first=first, last=last, legal=False)


def _a_year(start: dt.date, years: int) -> dt.date:
    """The same day of another year; 29 February becomes 1 March."""
    try:
        return start.replace(year=start.year + years)
    except ValueError:
        if not dt.MINYEAR <= start.year + years <= dt.MAXYEAR:
            raise FormError(f"no period is a year from {start}: choose another day") from None
        return dt.date(start.year + years, 3, 1)
