"""Days covered, gaps, working days."""

from __future__ import annotations

import datetime as dt

from checks.documents.calendar import Calendar
from checks.documents.coverage import Period, coverage_of, covered
from checks.documents.events import DocumentEvents, SourceKind, SourceReport

START = dt.date(2026, 11, 1)
PERIOD = Period(start=START, end=START + dt.timedelta(days=29))


def day(n: int) -> dt.date:
    return START + dt.timedelta(days=n - 1)


def share(*seen: int, bridge: int = 2) -> int:
    return len(covered([day(n) for n in seen], PERIOD, bridge))


def test_a_period_has_its_days() -> None:
    assert len(PERIOD.days) == 30
    assert Period.before(day(30), 30) == PERIOD
    assert day(1) in PERIOD
    assert day(30) in PERIOD
    assert day(31) not in PERIOD


def test_short_silences_are_bridged_and_long_ones_are_not() -> None:
    assert share(*range(1, 31)) == 30
    assert share(*(n for n in range(1, 31) if n % 3 == 1)) == 30
    assert share(*(n for n in range(1, 31) if n not in (10, 11))) == 30
    assert share(*(n for n in range(1, 31) if n not in (10, 11, 12))) == 27


def test_ends_are_bridged_like_the_middle() -> None:
    assert share(*range(3, 29)) == 30
    assert share(*range(4, 28)) == 24
    assert share(*range(-10, 15)) == 14
    assert share() == 0
    assert share(-20, 60) == 0


def test_days_before_the_period_bridge_into_it() -> None:
    assert share(-1, *range(2, 31)) == 30


def test_several_mail_logs_must_all_show_a_day() -> None:
    def source(kind: SourceKind, days: range) -> SourceReport:
        return SourceReport(kind=kind, name="x", days=frozenset(day(n) for n in days))

    whole = range(1, 31)
    events = DocumentEvents(
        sources=(
            source(SourceKind.REGISTER, whole),
            source(SourceKind.GATEWAY, range(1, 16)),
            source(SourceKind.MAIL, whole),
            source(SourceKind.MAIL, range(11, 31)),
        )
    )
    found = coverage_of(events, PERIOD, 0, 0)
    assert (found.register, found.gateway, found.mail) == (1.0, 0.5, 20 / 30)
    assert (found.routes, found.all) == (0.5, 5 / 30)
    assert found.gaps == {"register": 0, "gateway": 1, "mail": 1}
    assert coverage_of(DocumentEvents(), PERIOD, 7, 7).all == 0


def test_a_holiday_makes_no_silence_longer() -> None:
    tet = Calendar(off=frozenset(day(n) for n in range(10, 17)))
    seen = [day(n) for n in range(1, 31) if not 10 <= n <= 18]
    assert len(covered(seen, PERIOD, 2, tet)) == 30
    assert len(covered(seen, PERIOD, 1, tet)) == 21
