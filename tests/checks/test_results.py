"""The arithmetic of statuses: going dark never raises a figure."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import SEVERITY_ORDER, STATUS_ORDER, Message, Severity, Status
from checks.results import Result, Tally, at_least, fingerprint, worst

statuses = st.lists(st.sampled_from(Status), max_size=40)


def test_counting() -> None:
    tally = Tally.of(
        [Status.PASS] * 5
        + [Status.FAIL] * 2
        + [Status.UNKNOWN] * 2
        + [Status.ERROR]
        + [Status.NOT_APPLICABLE] * 7
    )
    assert tally == Tally(fail=2, error=1, unknown=2, passed=5, not_applicable=7)
    assert (tally.total, tally.applicable, tally.seen) == (17, 10, 7)
    assert (tally.compliance, tally.coverage) == (0.5, 0.7)


def test_of_nothing_there_is_no_share() -> None:
    for nothing in (Tally(), Tally(not_applicable=3)):
        assert nothing.compliance is None
        assert nothing.coverage is None


@given(statuses)
def test_every_row_is_counted_once(rows: list[Status]) -> None:
    tally = Tally.of(rows)
    assert tally.total == len(rows)
    assert tally.applicable == sum(s is not Status.NOT_APPLICABLE for s in rows)


@given(statuses)
def test_compliance_never_exceeds_coverage(rows: list[Status]) -> None:
    tally = Tally.of(rows)
    if tally.compliance is None or tally.coverage is None:
        assert tally.applicable == 0
        return
    assert 0 <= tally.compliance <= tally.coverage <= 1
    assert (tally.compliance == 1) == (tally.passed == tally.applicable)


@given(
    statuses.filter(bool),
    st.sampled_from([Status.UNKNOWN, Status.ERROR]),
    st.data(),
)
def test_going_dark_never_raises_a_figure(
    rows: list[Status], dark: Status, data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(rows) - 1))
    before = Tally.of(rows)
    after = Tally.of([*rows[:at], dark, *rows[at + 1 :]])
    if before.compliance is not None:
        assert after.compliance is not None
        assert after.compliance <= before.compliance
    if before.coverage is not None:
        assert after.coverage is not None
        # A row that did not apply adds to what should have been seen.
        assert after.coverage <= before.coverage


@given(statuses)
def test_the_worst_is_in_it_and_nothing_is_worse(rows: list[Status]) -> None:
    found = worst(rows)
    if found is None:
        assert rows == []
        return
    assert found in rows
    assert all(STATUS_ORDER.index(found) <= STATUS_ORDER.index(s) for s in rows)


def test_the_order_of_statuses() -> None:
    assert worst([Status.NOT_APPLICABLE, Status.PASS]) is Status.PASS
    assert worst([Status.PASS, Status.UNKNOWN]) is Status.UNKNOWN
    assert worst([Status.UNKNOWN, Status.ERROR]) is Status.ERROR
    assert worst([Status.ERROR, Status.FAIL]) is Status.FAIL


@pytest.mark.parametrize("floor", SEVERITY_ORDER)
def test_at_least(floor: Severity) -> None:
    reached = [s for s in SEVERITY_ORDER if at_least(s, floor)]
    assert reached == list(SEVERITY_ORDER[: SEVERITY_ORDER.index(floor) + 1])


def test_a_row_knows_its_family() -> None:
    row = Result(
        check="backup.recent",
        unit="u",
        system=None,
        target="s",
        subject="",
        status=Status.PASS,
        severity=Severity.MAJOR,
        message=Message(id="backup.recent.fresh"),
    )
    assert row.family == "backup"
    assert msgspec.json.decode(msgspec.json.encode(row), type=Result) == row


def test_a_fingerprint_is_stable_and_tells_rows_apart() -> None:
    one = fingerprint("backup.recent", "u", "sys", "srv", "db")
    assert one == fingerprint("backup.recent", "u", "sys", "srv", "db")
    assert len(one) == 16
    assert int(one, 16) >= 0
    others = {
        fingerprint("backup.recent", "u", "sys", "srv", ""),
        fingerprint("backup.recent", "u", "sys", "srvdb", ""),
        fingerprint("backup.recent", "u", None, "sys", "srv"),
        fingerprint("backup.recen", "tu", "sys", "srv", "db"),
        one,
    }
    assert len(others) == 5
