"""Verification and restores: records of tools, people's word, and what was never tried."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from checks.backup.restore import (
    RestoreOptions,
    TimeOptions,
    integrity_verified,
    restore_in_time,
    restore_tested,
)
from checks.backup.series import Proof, ProofKind, Repository
from checks.evidence import Failure, FailureKind
from checks.model import Severity
from inventory.model import RestoreTest
from tests.helpers.backup_judging import OLD, TODAY, of_set, said
from tests.helpers.backup_series import DAY, HOUR, NOW, daily, point, series

LONG: dict[str, Any] = {"effective_from": OLD}
CHECK, VERIFY, EXTRACT, RESTORE = ProofKind


def proof(kind: ProofKind, days: float, ok: bool = True, **more: Any) -> Proof:
    return Proof(kind=kind, time=NOW - dt.timedelta(days=days), ok=ok, **more)


def trial(days: int, result: Any = "ok", minutes: int | None = 30) -> RestoreTest:
    return RestoreTest(
        date=TODAY - dt.timedelta(days=days), result=result, minutes=minutes, document="12/BB"
    )


# ------------------------------------------------------------------------------------- integrity


@pytest.mark.parametrize(
    ("proofs", "level", "expected"),
    [
        ((proof(CHECK, 5),), 2, ("verified", "pass", None)),
        ((proof(CHECK, 31),), 3, ("verified", "pass", None)),
        ((proof(CHECK, 31.1),), 3, ("old", "fail", Severity.MINOR)),
        ((proof(CHECK, 40),), 2, ("below", "not_applicable", None)),
        ((), 3, ("never", "fail", Severity.MINOR)),
        ((), None, ("never", "fail", Severity.MINOR)),
        ((), 2, ("below", "not_applicable", None)),
        ((proof(VERIFY, 5, ok=False, errors=3),), 2, ("errors", "fail", Severity.MAJOR)),
        ((proof(VERIFY, 5, errors=3),), 3, ("errors", "fail", Severity.CRITICAL)),
        ((proof(VERIFY, 5, ok=False), proof(VERIFY, 2)), 2, ("verified", "pass", None)),
        # A look at the structure does not clear what reading the data found.
        ((proof(VERIFY, 5, ok=False), proof(CHECK, 2)), 2, ("errors", "fail", Severity.MAJOR)),
        ((proof(CHECK, 5, ok=False), proof(RESTORE, 2)), 2, ("verified", "pass", None)),
        ((proof(RESTORE, 5),), 3, ("verified", "pass", None)),
        # A restore that failed is told by its own check.
        ((proof(CHECK, 5), proof(RESTORE, 2, ok=False)), 3, ("verified", "pass", None)),
        ((proof(CHECK, -5),), 3, ("never", "fail", Severity.MINOR)),
    ],
)
def test_integrity_verified(
    proofs: tuple[Proof, ...], level: int | None, expected: tuple[Any, ...]
) -> None:
    assert said(of_set(integrity_verified, series(daily(14), proofs=proofs), level)) == expected


@pytest.mark.parametrize(
    ("verified", "expected"),
    [(True, ("point_good", "pass", None)), (False, ("point", "fail", Severity.MAJOR))],
)
def test_a_point_may_be_verified_by_itself(verified: bool, expected: tuple[Any, ...]) -> None:
    points = [*daily(14), point(NOW - HOUR, verified=verified)]
    assert said(of_set(integrity_verified, series(points))) == expected


def test_a_verified_point_grows_old_as_well() -> None:
    for days, expected in ((31, "point_good"), (32, "old")):
        made = series([point(NOW - days * DAY, verified=True)])
        verdict = of_set(integrity_verified, made, 3)
        assert said(verdict)[0] == expected
    assert verdict.message.args["time"] == (NOW - 32 * DAY).isoformat()


def test_records_that_could_not_be_read_are_unknown_where_they_are_asked_for() -> None:
    why = Failure(kind=FailureKind.DENIED, detail="read /var/log/borg")
    made = series(daily(14), repositories=(Repository(unseen={"proofs": why}),))
    verdict = of_set(integrity_verified, made, 3)
    assert said(verdict)[:2] == ("unseen", "unknown")
    assert verdict.failure == why
    assert said(of_set(integrity_verified, made, 2))[0] == "below"


# -------------------------------------------------------------------------------------- restores

BROKE = proof(RESTORE, 5, ok=False)


@pytest.mark.parametrize(
    ("proofs", "level", "more", "expected"),
    [
        ((proof(RESTORE, 5),), 2, {}, ("tested", "pass", None)),
        ((proof(EXTRACT, 5),), 2, {}, ("sampled", "pass", None)),
        ((), 2, {"restore_tests": (trial(5),)}, ("registered", "pass", None)),
        # Reading everything back is no restore.
        ((proof(VERIFY, 5),), 2, LONG, ("never", "fail", Severity.MAJOR)),
        ((), 2, LONG, ("never", "fail", Severity.MAJOR)),
        ((), 1, LONG, ("never", "fail", Severity.MAJOR)),
        ((), 3, LONG, ("never", "fail", Severity.CRITICAL)),
        ((), None, LONG, ("never", "fail", Severity.MAJOR)),
        ((proof(RESTORE, 5, ok=False),), 2, {}, ("failed", "fail", Severity.MAJOR)),
        ((proof(RESTORE, 5, ok=False),), 3, {}, ("failed", "fail", Severity.CRITICAL)),
        ((proof(RESTORE, 5, ok=False), proof(RESTORE, 2)), 2, {}, ("tested", "pass", None)),
        (
            (proof(RESTORE, 5, ok=False), proof(EXTRACT, 2)),
            2,
            {},
            ("failed", "fail", Severity.MAJOR),
        ),
        (
            (proof(RESTORE, 5), proof(RESTORE, 2, ok=False)),
            2,
            {},
            ("failed", "fail", Severity.MAJOR),
        ),
        ((proof(RESTORE, -5),), 2, LONG, ("never", "fail", Severity.MAJOR)),
        ((), 2, LONG | {"restore_tests": (trial(-3),)}, ("never", "fail", Severity.MAJOR)),
        ((), 2, {"restore_tests": (trial(9), trial(9, "failed"))}, ("registered", "pass", None)),
    ],
)
def test_restore_tested(
    proofs: tuple[Proof, ...], level: int | None, more: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert said(of_set(restore_tested, series(daily(20), proofs=proofs), level, **more)) == expected


@pytest.mark.parametrize(
    ("level", "last_good_day", "severity"),
    [
        (1, "2025-11-22", Severity.MINOR),
        (2, "2025-11-22", Severity.MINOR),
        (3, "2025-11-22", Severity.MAJOR),
        (4, "2026-05-22", Severity.CRITICAL),
        (5, "2026-08-22", Severity.CRITICAL),
        (None, "2025-11-22", Severity.MINOR),
    ],
)
def test_the_interval_of_each_level_to_the_day(
    level: int | None, last_good_day: str, severity: Severity
) -> None:
    day = dt.date.fromisoformat(last_good_day)
    for date, expected in ((day, "registered"), (day - DAY, "overdue")):
        tests = (RestoreTest(date=date, result="ok", document="1"),)
        verdict = of_set(restore_tested, series(daily(20)), level, restore_tests=tests)
        assert said(verdict)[0] == expected
    assert verdict.severity is severity


@pytest.mark.parametrize(
    ("level", "every", "days", "expected", "basis"),
    [
        (2, 90, 89, "registered", "own"),
        (2, 90, 91, "overdue", "own"),
        (2, 1000, 900, "registered", "own"),
        # The law's number bounds the unit's own.
        (4, 1000, 200, "overdue", "law"),
        (4, 30, 31, "overdue", "own"),
        (5, 365, 100, "overdue", "law"),
    ],
)
def test_the_units_own_interval_comes_first_within_the_law(
    level: int, every: int, days: int, expected: str, basis: str
) -> None:
    own = dt.timedelta(days=every)
    more: dict[str, Any] = {"restore_every": own, "restore_tests": (trial(days),)}
    verdict = of_set(restore_tested, series(daily(20)), level, **more)
    assert said(verdict)[0] == expected
    assert verdict.detail["basis"] == basis
    if expected == "overdue":
        assert verdict.severity is (Severity.CRITICAL if level >= 3 else Severity.MAJOR)


def test_the_settings_come_before_the_house() -> None:
    options = RestoreOptions(level_2_months=1)
    verdict = of_set(restore_tested, series(daily(20)), 2, options, restore_tests=(trial(40),))
    assert said(verdict)[0] == "overdue"
    assert verdict.detail["basis"] == "settings"
    with pytest.raises(ValueError, match="months"):
        RestoreOptions(level_3_months=0)


@pytest.mark.parametrize(
    ("made", "more", "expected"),
    [
        (series(daily(13)), {}, "young"),
        (series(daily(15)), {}, "never"),
        (series([]), {}, "young"),
        (series([]), LONG, "never"),
        (series(daily(3), known_since=NOW - DAY * 14), {}, "never"),
        (series(daily(3), past=(point(NOW - DAY * 20),)), {}, "never"),
    ],
)
def test_a_new_set_has_time_for_its_first_trial_but_does_not_pass(
    made: Any, more: dict[str, Any], expected: str
) -> None:
    verdict = of_set(restore_tested, made, **more)
    assert said(verdict)[0] == expected
    assert verdict.status.value == ("unknown" if expected == "young" else "fail")


@pytest.mark.parametrize(
    ("kind", "expected"),
    [(FailureKind.NOT_DECLARED, "never"), (FailureKind.DENIED, "unseen")],
)
def test_a_right_that_lacks_may_hide_a_restore(kind: FailureKind, expected: str) -> None:
    why = Failure(kind=kind, detail="backup:ListRestoreJobs")
    made = series(daily(20), repositories=(Repository(unseen={"proofs": why}),))
    assert said(of_set(restore_tested, made, **LONG))[0] == expected


def test_a_restore_of_nobody_knows_which_set_is_neither_here_nor_there() -> None:
    why = Failure(kind=FailureKind.NOT_DECLARED, detail="match.tags of s/db")
    place = Repository(unseen={"proofs": why, "restores": why})
    made = series(daily(20), repositories=(Repository(), place))
    for check in (restore_tested, restore_in_time):
        verdict = of_set(check, made, **LONG)
        assert said(verdict)[:2] == ("unassigned", "unknown")
        assert verdict.failure == why
        assert verdict.message.args == {"what": "match.tags of s/db"}
    # What is registered by hand is still judged.
    assert said(of_set(restore_tested, made, restore_tests=(trial(10),)))[0] == "registered"
    assert said(of_set(restore_tested, made, restore_tests=(trial(10, "failed"),)))[0] == "failed"
    assert said(of_set(restore_in_time, made, restore_tests=(trial(10),)))[0] == "quick_assumed"


def test_a_persons_word_is_said_to_be_one() -> None:
    verdict = of_set(restore_tested, series(daily(20)), restore_tests=(trial(5),))
    assert verdict.message.args["document"] == "12/BB"
    assert verdict.detail["proofs"][0]["person"] is True


# ------------------------------------------------------------------------------------------ time


@pytest.mark.parametrize(
    ("level", "more", "expected"),
    [
        (2, {"restore_tests": (trial(5),)}, ("quick_assumed", "pass", None)),
        (2, {"restore_tests": (trial(5, minutes=720),)}, ("quick_assumed", "pass", None)),
        (3, {"restore_tests": (trial(5, minutes=721),)}, ("slow_assumed", "fail", Severity.MINOR)),
        (
            2,
            {"restore_tests": (trial(5),), "restore_within": HOUR},
            ("quick", "pass", None),
        ),
        (
            2,
            {"restore_tests": (trial(5, minutes=61),), "restore_within": HOUR},
            ("slow", "fail", Severity.MAJOR),
        ),
        (
            4,
            {"restore_tests": (trial(5, minutes=61),), "restore_within": HOUR},
            ("slow", "fail", Severity.CRITICAL),
        ),
        (2, {"restore_tests": (trial(5, minutes=None),)}, ("untimed", "unknown", None)),
        (2, {"restore_tests": (trial(5, "failed"),)}, ("none", "unknown", None)),
        (2, {}, ("none", "unknown", None)),
        # The newest restore that was timed counts.
        (
            2,
            {"restore_tests": (trial(5, minutes=900), trial(2))},
            ("quick_assumed", "pass", None),
        ),
    ],
)
def test_restore_in_time(level: int, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    verdict = of_set(restore_in_time, series(daily(20)), level, **more)
    assert said(verdict) == expected
    assert verdict.detail["assumed"] is ("restore_within" not in more)


def test_the_settings_limit_is_no_assumption() -> None:
    options = TimeOptions(within=HOUR)
    made = series(daily(20), proofs=(proof(RESTORE, 5, seconds=3601.0),))
    assert said(of_set(restore_in_time, made, 2, options)) == ("slow", "fail", Severity.MINOR)
