"""History, retention and rhythm."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from checks.backup.keeping import automatic, history_sufficient, retained
from checks.backup.periodicity import Thresholds
from checks.backup.series import BackupPoint, BackupSeries, Listing, Origin, Repository
from checks.evidence import FailureKind
from checks.model import Severity
from tests.helpers.backup_judging import OLD, of_set, said
from tests.helpers.backup_series import DAY, HOUR, NOW, at, daily, point, series

CUT = Listing(truncated=True, total=9)
LONG: dict[str, Any] = {"effective_from": OLD}
BEFORE = tuple(reversed(daily(12, "2026-11-20 02:00")))
EXPIRES = Repository(expires_days=14.0)


@pytest.mark.parametrize(
    ("found", "more", "expected"),
    [
        (daily(14), LONG, ("enough", "pass", None)),
        (daily(2), {}, ("short", "unknown", None)),
        (daily(2), LONG, ("few", "fail", Severity.MINOR)),
        ([], LONG, ("few", "fail", Severity.MINOR)),
        (series(daily(14), listing=CUT), LONG, ("short", "unknown", None)),
        (daily(5), {}, ("short", "unknown", None)),
        (
            series(daily(2), past=tuple(daily(12, "2026-11-20 02:00")[::-1])),
            {},
            ("enough", "pass", None),
        ),
    ],
)
def test_history_sufficient(found: Any, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    made = found if isinstance(found, BackupSeries) else series(found)
    assert said(of_set(history_sufficient, made, **more)) == expected


def test_remembered_points_count_with_the_listed_ones() -> None:
    verdict = of_set(history_sufficient, series(daily(2), past=BEFORE))
    assert verdict.message.args["found"] == 2 + len(BEFORE)


@pytest.mark.parametrize(
    ("found", "level", "more", "expected"),
    [
        (daily(30), 2, LONG, ("kept", "pass", None)),
        (daily(30), 2, {}, ("kept", "pass", None)),
        (daily(30), 2, {"keep": None}, ("kept_assumed", "pass", None)),
        (daily(10), 2, LONG, ("short", "fail", Severity.MAJOR)),
        (daily(10), 3, LONG, ("short", "fail", Severity.CRITICAL)),
        (daily(30), 3, LONG | {"keep": None}, ("short_assumed", "fail", Severity.MINOR)),
        (daily(10), 2, {}, ("young", "unknown", None)),
        (daily(10), 2, {"effective_from": NOW.date() - 10 * DAY}, ("growing", "pass", None)),
        ([], 2, LONG, ("none", "fail", Severity.MAJOR)),
        ([], 2, {"effective_from": NOW.date()}, ("young", "unknown", None)),
        (series(daily(10), listing=CUT), 2, LONG, ("unlisted", "unknown", None)),
        (series(daily(10), listing=Listing(older=5)), 2, LONG, ("unlisted", "unknown", None)),
        (series(daily(40), listing=Listing(older=5)), 2, LONG, ("kept", "pass", None)),
        (series(daily(30), repositories=(EXPIRES,)), 2, LONG, ("expires", "fail", Severity.MAJOR)),
        (
            series(daily(14), repositories=(EXPIRES,)),
            2,
            LONG | {"keep": 14 * DAY},
            ("kept", "pass", None),
        ),
        (series(daily(10), vanished=("x",)), 2, LONG, ("vanished", "fail", Severity.MAJOR)),
        (series(daily(30), vanished=("x",)), 3, LONG, ("thinned", "fail", Severity.MINOR)),
        (series(daily(10), known_since=NOW - 60 * DAY), 2, {}, ("short", "fail", Severity.MAJOR)),
        (
            series(daily(10), past=(point(NOW - 60 * DAY),)),
            2,
            {},
            ("short", "fail", Severity.MAJOR),
        ),
    ],
)
def test_retained(found: Any, level: int, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    made = found if isinstance(found, BackupSeries) else series(found)
    assert said(of_set(retained, made, level, **more)) == expected


def test_the_oldest_may_be_younger_by_one_run_its_grace_and_a_day() -> None:
    slack = DAY + 3 * HOUR + DAY
    for age, expected in ((30 * DAY - slack, "kept"), (30 * DAY - slack - HOUR, "short")):
        made = series([point(NOW - age), point(NOW - HOUR)])
        assert said(of_set(retained, made, **LONG))[0] == expected


def test_thinning_on_purpose_is_a_setting_that_excuses_no_loss() -> None:
    options = Thresholds(dense_days=7)
    for count, expected in ((30, "kept"), (10, "vanished")):
        made = series(daily(count), vanished=("x",))
        assert said(of_set(retained, made, 2, options, **LONG))[0] == expected


def test_the_stores_own_days_are_said() -> None:
    made = series(daily(30), repositories=(EXPIRES,))
    args = of_set(retained, made, **LONG).message.args
    assert (args["expires"], args["keep"]) == (14 * 86400, 30 * 86400)


def test_a_retention_of_the_house_is_said_to_be_one() -> None:
    assert of_set(retained, series(daily(30)), keep=None).detail["assumed"] is True
    assert of_set(retained, series(daily(30))).detail["assumed"] is False


def test_a_thinned_series_is_kept_by_its_oldest_point() -> None:
    thinned = [*daily(7), *(point(at("2026-11-22 02:00") - DAY * k) for k in (14, 21, 28, 29))]
    assert said(of_set(retained, series(thinned), **LONG))[0] == "kept"


def apart(*hours: float) -> list[BackupPoint]:
    """Points so many hours apart, the newest two hours ago."""
    found, time = [], NOW - 2 * HOUR
    for span in (0.0, *hours):
        time -= dt.timedelta(hours=span)
        found.append(point(time))
    return found


@pytest.mark.parametrize(
    ("found", "level", "scheduled", "expected"),
    [
        (daily(14), 2, None, ("regular", "pass", None)),
        (daily(14, skip=[3, 4]), 3, None, ("regular", "pass", None)),
        (apart(5, 40, 11, 30, 3, 50), 3, None, ("manual", "fail", Severity.CRITICAL)),
        # A quarter of the usual distance is no machine's rhythm any more.
        (apart(24, 30, 24, 18, 30, 18), 3, None, ("manual", "fail", Severity.CRITICAL)),
        (apart(24, 29, 24, 19, 29, 19), 3, None, ("regular", "pass", None)),
        (apart(5, 40, 11, 30, 3, 50), None, None, ("manual", "fail", Severity.MINOR)),
        (apart(5, 40, 11, 30, 3, 50), 2, None, ("below", "not_applicable", None)),
        (apart(5, 40, 11, 30, 3, 50), 3, True, ("scheduled", "pass", None)),
        ([], 3, True, ("unseen", "unknown", None)),
        (daily(3), 3, False, ("unscheduled", "fail", Severity.CRITICAL)),
        (daily(14), 3, False, ("regular", "pass", None)),
        (daily(4), 3, None, ("unseen", "unknown", None)),
        (daily(4), 2, None, ("below", "not_applicable", None)),
        (daily(5), 3, None, ("regular", "pass", None)),
    ],
)
def test_automatic(
    found: list[BackupPoint], level: int | None, scheduled: bool | None, expected: tuple[Any, ...]
) -> None:
    made = series(found, scheduled=scheduled)
    assert said(of_set(automatic, made, level)) == expected


def test_what_a_register_says_is_made_by_hand_however_regular() -> None:
    made = series([point(p.start, origin=Origin.PERSON) for p in daily(14)])
    assert said(of_set(automatic, made, 3)) == ("by_hand", "fail", Severity.CRITICAL)
    assert said(of_set(automatic, made, 2))[0] == "below"


def test_weekdays_only_are_regular() -> None:
    days = [point(at("2026-11-20 22:00") - DAY * k) for k in range(14) if k % 7 not in (5, 6)]
    assert said(of_set(automatic, series(days), 3, every="0 22 * * 1-5"))[0] == "regular"


def test_a_rhythm_of_the_past_is_none_of_today() -> None:
    made = series([], past=tuple(reversed(daily(14))))
    assert said(of_set(automatic, made, 3))[0] == "unseen"


def test_a_schedule_without_a_copy_proves_nothing() -> None:
    verdict = of_set(automatic, series([], scheduled=True), 3)
    assert verdict.failure is not None
    assert verdict.failure.kind is FailureKind.TRUNCATED
