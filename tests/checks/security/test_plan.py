"""The plan from what people attest: lapsed words do not count, and a bare "all done" is no word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FailureKind
from checks.model import Severity, Status, Verdict
from checks.security.level_record import Done, LevelRecord, Measure, Plan
from checks.security.plan import plan_implemented, reached, steps
from checks.texts import render
from inventory.model import Attestation
from tests.helpers.levels import GOOD, OLD, TODAY, UNITS, ZONE, but, faults, judge, name

ONE_DAY = dt.timedelta(days=1)
SAID = TODAY - dt.timedelta(days=100)
LATER = TODAY + dt.timedelta(days=90)


def done(until: dt.date | None = LATER, date: dt.date = SAID, **more: Any) -> Done:
    return Done(attested_by="Tổ CNTT", date=date, until=until, **more)


def plan(*said: Done | None, status: Any = "", expected: dt.date | None = LATER) -> LevelRecord:
    measures = tuple(
        Measure(id=f"m{n}", name=f"Biện pháp {n}", done=d) for n, d in enumerate(said, 1)
    )
    return but(GOOD, plan=Plan(status=status, expected=expected, measures=measures))


def verdict(record: LevelRecord, **more: Any) -> Verdict:
    return judge(plan_implemented, record, **more)


def attested(control: str, until: dt.date = LATER, date: dt.date = SAID) -> Attestation:
    return Attestation(
        control=control, explanation="x", attested_by="Tổ CNTT", date=date, until=until
    )


def test_every_measure_attested_is_a_persons_word() -> None:
    found = verdict(plan(done(), done(LATER + ONE_DAY), status="fully"))
    assert (found.status, name(found)) == (Status.PASS, "fully")
    assert found.message.args == {"count": 2, "until": LATER.isoformat()}
    assert "Theo lời xác nhận" in render(found.message, "vi", ZONE)
    assert [m["how"] for m in found.detail["plan"]["measures"]] == ["attested", "attested"]
    assert found.detail["plan"]["status"] == "fully"


@pytest.mark.parametrize(
    ("until", "status"),
    [
        (TODAY - ONE_DAY, Status.FAIL),
        (TODAY, Status.PASS),
        (TODAY + ONE_DAY, Status.PASS),
    ],
)
def test_a_word_counts_on_its_last_day_and_not_on_the_next(until: dt.date, status: Status) -> None:
    for basis, record in ((2016, OLD), (2026, GOOD)):
        made = but(record, plan=plan(done(until)).plan)
        assert verdict(made, basis=basis).status is status


def test_an_expired_word_is_named_and_no_longer_counts() -> None:
    found = verdict(plan(done(), done(TODAY - ONE_DAY), status="fully"))
    assert (found.status, found.severity) == (Status.FAIL, Severity.MAJOR)
    assert faults(found) == ["expired", "overstated", "partly"]
    assert found.message.args["measure"] == "Biện pháp 2"
    assert found.detail["plan"]["status"] == "partly"
    assert found.detail["plan"]["reported"] == "fully"


@pytest.mark.parametrize(
    ("date", "counts"), [(TODAY - ONE_DAY, True), (TODAY, True), (TODAY + ONE_DAY, False)]
)
def test_a_word_of_tomorrow_is_no_word_yet(date: dt.date, counts: bool) -> None:
    found = verdict(plan(done(date=date)))
    assert (found.status is Status.PASS) == counts


def test_a_word_without_an_end_never_counts() -> None:
    found = verdict(plan(done(until=None)))
    assert faults(found) == ["partly"]
    assert found.detail["plan"]["measures"][0]["done"] is False


def test_length_and_day_give_the_earlier_end() -> None:
    for until, length, day in (
        (None, 100, TODAY),
        (LATER, 99, TODAY - ONE_DAY),
        (TODAY + ONE_DAY, 365, TODAY + ONE_DAY),
    ):
        record = plan(done(until, valid_for=dt.timedelta(days=length)))
        assert record.plan is not None
        (step,) = steps(record.plan, (), TODAY)
        assert step.word is not None
        assert step.word.until == day


def test_no_word_holds_longer_than_the_house_lets_it() -> None:
    long = done(until=dt.date(2099, 1, 1), date=dt.date(2025, 11, 21))
    assert verdict(plan(long), today=dt.date(2026, 11, 21)).status is Status.PASS
    found = verdict(plan(long), today=dt.date(2026, 11, 22))
    assert faults(found) == ["expired", "partly"]
    assert "mặc định của sản phẩm" in render(found.message, "vi", ZONE)
    # A word that ends by itself is not blamed on the house.
    own = verdict(plan(done(TODAY - ONE_DAY)))
    assert "mặc định" not in render(own.message, "vi", ZONE)
    endless = done(until=None, valid_for=dt.timedelta(days=36500), date=dt.date(9998, 1, 1))
    assert verdict(plan(endless)).status is Status.FAIL


def test_the_inventory_may_attest_a_measure() -> None:
    unit = msgspec.structs.replace(UNITS["hk"], attestations=(attested("plan.m2"),))
    record = plan(None, None)
    assert verdict(record, attestations=(attested("plan.m1"),), unit=unit).status is Status.PASS
    assert faults(verdict(record, attestations=(attested("plan.m1"),))) == ["partly"]
    # Another measure's, or another control's word says nothing here.
    for other in ("plan.m11", "plan", "m1", "policy"):
        assert faults(verdict(plan(None), attestations=(attested(other),))) == ["not-started"]
    # Of two words for a measure the one that holds speaks.
    both = verdict(plan(done(TODAY - ONE_DAY)), attestations=(attested("plan.m1"),))
    assert both.status is Status.PASS


@pytest.mark.parametrize(
    ("record", "wanted", "severity"),
    [
        (plan(done(), None), ["partly"], Severity.MINOR),
        (plan(done(), None, expected=TODAY), ["partly"], Severity.MINOR),
        (plan(done(), None, expected=TODAY - ONE_DAY), ["late", "partly"], Severity.MAJOR),
        (plan(done(), None, expected=None), ["no-date", "partly"], Severity.MAJOR),
        (plan(None, None), ["not-started"], Severity.MAJOR),
        (plan(None, status="partly"), ["overstated", "not-started"], Severity.MAJOR),
        (plan(status="partly"), ["partly-word"], Severity.MINOR),
        (plan(status="not_started"), ["not-started-word"], Severity.MAJOR),
        (plan(status="partly", expected=None), ["no-date", "partly-word"], Severity.MAJOR),
        (but(GOOD, plan=None), ["missing"], Severity.MAJOR),
        (but(plan(done()), system="other"), ["other-system"], Severity.MAJOR),
    ],
)
def test_each_state(record: LevelRecord, wanted: list[str], severity: Severity) -> None:
    found = verdict(record)
    assert (found.status, faults(found), found.severity) == (Status.FAIL, wanted, severity)
    assert name(found) == wanted[0]


def test_a_word_on_its_last_day_is_not_called_lapsed() -> None:
    assert faults(verdict(plan(done(TODAY), None))) == ["partly"]


def test_what_is_reported_as_it_is_counted_is_not_overstated() -> None:
    assert faults(verdict(plan(done(), None, status="partly"))) == ["partly"]
    assert faults(verdict(plan(None, status="not_started"))) == ["not-started"]


def test_what_was_attested_today_without_an_end_was_begun() -> None:
    assert faults(verdict(plan(done(until=None, date=TODAY)))) == ["partly"]
    assert faults(verdict(plan(done(until=None, date=TODAY + ONE_DAY)))) == ["not-started"]


def test_more_done_than_reported_passes() -> None:
    assert verdict(plan(done(), status="partly")).status is Status.PASS


@pytest.mark.parametrize(("status", "said"), [("fully", "only-word"), ("", "no-measures")])
def test_a_bare_word_is_not_known(status: str, said: str) -> None:
    found = verdict(plan(status=status))
    assert (found.status, name(found)) == (Status.UNKNOWN, said)
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED


days = st.dates(TODAY - dt.timedelta(days=800), TODAY + dt.timedelta(days=800))
words = st.none() | st.builds(
    Done,
    attested_by=st.just("Tổ CNTT"),
    date=days,
    until=st.none() | days,
    valid_for=st.none() | st.integers(0, 40_000).map(dt.timedelta),
)


@given(
    st.lists(words, max_size=4),
    st.sampled_from(["", "not_started", "partly", "fully"]),
    st.none() | days,
)
def test_it_passes_only_when_every_measure_has_a_word_that_holds(
    said: list[Done | None], status: str, expected: dt.date | None
) -> None:
    record = plan(*said, status=status, expected=expected)
    found = verdict(record)
    assert record.plan is not None
    told = steps(record.plan, (), TODAY)
    holding = [s.word is not None and s.word.holds(TODAY) for s in told]
    assert (found.status is Status.PASS) == (bool(told) and all(holding))
    assert reached(told, TODAY) == (found.detail["plan"]["status"] if told else None)
    for step in told:
        if step.word and step.word.until and step.measure.done and step.measure.done.until:
            assert step.word.until <= step.measure.done.until
