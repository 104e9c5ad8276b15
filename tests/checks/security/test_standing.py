"""The regulation, the old law and declared changes: the day before, on and after each date."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Severity, Status
from checks.security.judging import add_months
from checks.security.level_record import Change, Decision, LevelRecord
from checks.security.standing import (
    CHECKS,
    months_left,
    redetermination_due,
    regulation_issued,
    transition,
)
from checks.texts import render
from tests.helpers.levels import GOOD, OLD, TODAY, ZONE, but, day, faults, judge, name

ONE_DAY = dt.timedelta(days=1)


def test_a_record_of_another_system_says_nothing() -> None:
    for check in CHECKS:
        found = judge(check, but(GOOD, system="other"))
        assert (found.status, name(found)) == (Status.FAIL, "other-system")


def test_severity_follows_the_level() -> None:
    for level, grave in ((2, Severity.MAJOR), (3, Severity.CRITICAL)):
        found = judge(regulation_issued, but(GOOD, regulation=None, level=level), level=level)
        assert found.severity is grave


# -------------------------------------------------------------------------------------- regulation


@pytest.mark.parametrize(
    ("changes", "wanted", "severity"),
    [
        ({"regulation": None}, ["missing"], Severity.MAJOR),
        ({"regulation": {"date": None}}, ["no-date"], Severity.MAJOR),
        ({"regulation": {"date": TODAY + ONE_DAY}}, ["future"], Severity.MAJOR),
        ({"regulation": {"document": " "}}, ["no-number"], Severity.MINOR),
        ({"regulation": {"document": "quy chế"}}, ["bad-number"], Severity.MINOR),
        ({"regulation": {"document": "", "date": None}}, ["no-date", "no-number"], Severity.MAJOR),
    ],
)
def test_each_fault_of_a_regulation(
    changes: dict[str, Any], wanted: list[str], severity: Severity
) -> None:
    found = judge(regulation_issued, but(GOOD, **changes))
    assert (found.status, faults(found), found.severity) == (Status.FAIL, wanted, severity)


def test_a_regulation_of_today_is_issued() -> None:
    for record in (GOOD, but(GOOD, regulation={"date": TODAY}), but(GOOD, approval=None)):
        found = judge(regulation_issued, record)
        assert (found.status, name(found)) == (Status.PASS, "issued")


# -------------------------------------------------------------------------------------- transition


@pytest.mark.parametrize(
    ("today", "status", "said"),
    [
        ("2026-11-21", Status.PASS, "stands"),
        ("2027-06-01", Status.PASS, "stands"),
        ("2027-06-02", Status.PASS, "ending"),
        ("2027-06-29", Status.PASS, "ending"),
        ("2027-06-30", Status.PASS, "ending"),
        ("2027-07-01", Status.FAIL, "over"),
    ],
)
def test_a_level_under_the_old_law_stands_until_the_date(
    today: str, status: Status, said: str
) -> None:
    found = judge(transition, OLD, today=day(today))
    assert (found.status, name(found)) == (status, said)
    assert (found.detail["until"], found.detail["certain"]) == ("2027-06-30", False)
    for language, words in (("vi", "chưa đối chiếu Công báo"), ("en", "Official Gazette")):
        assert words in render(found.message, language, ZONE)


def test_the_months_that_are_left() -> None:
    assert judge(transition, OLD, today=day("2026-11-21")).message.args["months"] == 7
    assert judge(transition, OLD, today=day("2027-06-30")).message.args["days"] == 0
    assert judge(transition, OLD, today=day("2027-07-03")).message.args["late"] == 3 * 86400


@given(st.dates(dt.date(2026, 7, 1), dt.date(2027, 12, 31)))
def test_whole_months_end_before_the_last_day(today: dt.date) -> None:
    until = dt.date(2027, 6, 30)
    months = months_left(today, until)
    assert months >= 0
    if months:
        assert add_months(today, months) <= until + ONE_DAY
    if today <= until:
        assert add_months(today, months + 1) > until + ONE_DAY


@pytest.mark.parametrize(
    ("record", "basis", "said"),
    [
        (GOOD, 2026, "new-law"),
        (but(OLD, approval={"date": day("2026-07-01")}), 2026, "new-law"),
        (but(OLD, approval=None), 2026, "not-approved"),
        (OLD, 2016, "old-basis"),
        (GOOD, 2016, "old-basis"),
    ],
)
def test_where_there_is_no_transition(record: LevelRecord, basis: int, said: str) -> None:
    found = judge(transition, record, basis=basis)
    assert (found.status, name(found)) == (Status.NOT_APPLICABLE, said)


def test_a_system_that_was_being_built_is_under_the_old_law_by_its_record() -> None:
    built = but(OLD, approval={"date": day("2026-10-01")}, legal_basis=2016)
    assert judge(transition, built).status is Status.PASS
    assert judge(transition, built, today=day("2027-07-01")).status is Status.FAIL


def test_an_undated_decision_could_be_of_either_law() -> None:
    undated = but(OLD, approval={"date": None})
    assert (judge(transition, undated).status, name(judge(transition, undated))) == (
        Status.UNKNOWN,
        "no-date",
    )
    assert judge(transition, but(undated, legal_basis=2016)).status is Status.PASS


# --------------------------------------------------------------------------------- redetermination

APPROVED = day("2026-09-01")


def changed(*days: dt.date) -> LevelRecord:
    return but(GOOD, changes=tuple(Change(date=d, kind="connection") for d in days))


@pytest.mark.parametrize(
    ("when", "status", "said"),
    [
        (APPROVED - ONE_DAY, Status.PASS, "unchanged"),
        (APPROVED, Status.PASS, "unchanged"),
        (APPROVED + ONE_DAY, Status.FAIL, "due"),
        (TODAY, Status.FAIL, "due"),
        (TODAY + ONE_DAY, Status.PASS, "planned"),
    ],
)
def test_a_change_after_the_approval_is_not_covered(
    when: dt.date, status: Status, said: str
) -> None:
    for basis in (2016, 2026):
        found = judge(redetermination_due, changed(when), basis=basis)
        assert (found.status, name(found)) == (status, said)


def test_the_first_of_several_changes_is_named() -> None:
    found = judge(redetermination_due, changed(TODAY, day("2026-10-01"), day("2026-08-01")))
    assert found.message.args["count"] == 2
    assert found.message.args["changed"] == "2026-10-01"
    assert found.detail["due"] == ["2026-10-01", "2026-11-21"]
    assert "kết nối mới ngày 01/10/2026" in render(found.message, "vi", ZONE)


def test_a_newer_approval_covers_the_change() -> None:
    record = changed(day("2026-10-01"))
    assert judge(redetermination_due, record).status is Status.FAIL
    newer = but(record, approval={"date": day("2026-10-15")})
    assert judge(redetermination_due, newer).status is Status.PASS


def test_an_approval_of_today_covers_everything_until_now() -> None:
    record = but(changed(TODAY), approval={"date": TODAY})
    assert judge(redetermination_due, record).status is Status.PASS


def test_that_nothing_changed_is_said_to_be_a_word() -> None:
    found = judge(redetermination_due, GOOD)
    assert "Theo khai báo của đơn vị" in render(found.message, "vi", ZONE)


def test_without_an_approval_there_is_nothing_to_determine_again() -> None:
    found = judge(redetermination_due, but(GOOD, approval=None))
    assert found.status is Status.NOT_APPLICABLE
    for approval in (Decision(document="88/QĐ"), Decision(date=TODAY + ONE_DAY)):
        found = judge(redetermination_due, but(changed(TODAY), approval=approval))
        assert (found.status, name(found)) == (Status.UNKNOWN, "no-date")
