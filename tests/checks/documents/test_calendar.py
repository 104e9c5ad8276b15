"""Working days: weekends, public holidays, days worked in exchange, what the settings say."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.calendar import Calendar, public_holidays
from inventory.model import Inventory

DAY = dt.date.fromisoformat
KNOWN = Calendar.of(Inventory())


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-11-19", 1, "2026-11-20"),
        ("2026-11-20", 1, "2026-11-23"),
        ("2026-11-21", 1, "2026-11-23"),
        ("2026-11-18", 0, "2026-11-18"),
        ("2026-11-20", 5, "2026-11-30"),  # 24 November may be a day off: nobody is late for it
        ("2026-02-13", 1, "2026-02-23"),  # Tết
        ("2026-04-24", 1, "2026-04-28"),  # the 26th is a Sunday: the 27th is in lieu
        ("2024-05-01", 2, "2024-05-03"),
        ("2024-05-03", 1, "2024-05-04"),  # a Saturday worked for 29 April
        ("2026-08-21", 1, "2026-08-24"),  # an exchange that is not certain binds nobody
        ("2027-02-04", 1, "2027-02-12"),
        ("2029-11-23", 1, "2029-11-26"),  # beyond what is known only the week counts
    ],
)
def test_working_days(start: str, count: int, end: str) -> None:
    assert KNOWN.after(DAY(start), count) == DAY(end)


def test_settings_go_before_what_is_known() -> None:
    said = Inventory(
        holidays=(DAY("2024-05-04"), DAY("2026-11-20")), working_days=(DAY("2026-08-31"),)
    )
    found = Calendar.of(said)
    assert not found.works(DAY("2024-05-04"))
    assert not found.works(DAY("2026-11-20"))
    assert found.works(DAY("2026-08-31"))


def test_every_holiday_has_its_source_and_falls_on_no_day_twice() -> None:
    days = [d for h in public_holidays() for d in h.days]
    assert len(days) == len(set(days))
    assert {d.year for d in days} == {2024, 2025, 2026, 2027}
    for holiday in public_holidays():
        assert holiday.source
        assert set(holiday.name) == {"vi", "en"}
        assert all(d.weekday() >= 5 for d in holiday.worked)


@pytest.mark.parametrize("year", [2024, 2025, 2026, 2027])
def test_no_year_lacks_a_feast_of_the_law(year: int) -> None:
    for month, day in ((1, 1), (4, 30), (5, 1), (9, 2)):
        assert not KNOWN.works(dt.date(year, month, day))
    spring = [h for h in public_holidays() if h.name["en"] == "Lunar New Year"]
    (tet,) = [h for h in spring if h.days[0].year == year]
    assert len(tet.days) >= 5


_DAYS = st.dates(dt.date(2023, 12, 1), dt.date(2028, 2, 1))


@given(_DAYS, st.integers(0, 12))
def test_the_day_after_is_as_many_working_days_away(day: dt.date, count: int) -> None:
    assert KNOWN.between(day, KNOWN.after(day, count)) == count
    assert KNOWN.between(KNOWN.after(day, count), day) == 0
