"""Runs, contents and chains."""

from __future__ import annotations

import random
from typing import Any

import pytest

from checks.backup.content import ChainOptions, chain_whole, content_complete, run_succeeded
from checks.backup.periodicity import Thresholds
from checks.backup.series import Archive, BackupPoint, BackupSeries, Origin, PointKind, PointState
from checks.model import Severity
from tests.helpers.backup_judging import of_set, said
from tests.helpers.backup_series import DAY, HOUR, NOW, daily, point, series

TOOL: dict[str, Any] = {"origin": Origin.TOOL}
BAD = point(NOW - HOUR, id="bad", state=PointState.INVALID, name="x")
LAST_WEEK = point(NOW - 3 * DAY, id="bad", state=PointState.INVALID, name="x")


def tool(count: int = 14) -> list[BackupPoint]:
    return [point(p.start, name=f"p{n}", **TOOL) for n, p in enumerate(daily(count))]


@pytest.mark.parametrize(
    ("found", "level", "expected"),
    [
        (tool(), 2, ("good", "pass", None)),
        ([*tool(), BAD], 2, ("newest", "fail", Severity.MAJOR)),
        ([*tool(), BAD], 3, ("newest", "fail", Severity.CRITICAL)),
        ([*tool(), LAST_WEEK], 3, ("some", "fail", Severity.MINOR)),
        ([*tool(), point(NOW - HOUR, errors=2, **TOOL)], 2, ("partial", "fail", Severity.MAJOR)),
        ([*tool(), point(NOW - 3 * DAY, errors=2, **TOOL)], 2, ("some", "fail", Severity.MINOR)),
        # What nobody says is not good: names and sizes are no state.
        (daily(14), 2, ("silent", "unknown", None)),
        ([point(NOW - HOUR, notes=("outcome_unsaid",), **TOOL)], 2, ("silent", "unknown", None)),
        ([*daily(13)[1:], point(NOW - HOUR, checked=True)], 2, ("good", "pass", None)),
        ([], 2, ("none", "unknown", None)),
        ([point(NOW - HOUR, state=PointState.RUNNING)], 2, ("none", "unknown", None)),
        # Failures of long ago are history.
        (
            [*tool(), point(NOW - 13 * DAY, id="b", state=PointState.INVALID)],
            2,
            ("good", "pass", None),
        ),
        (
            [*tool(), point(NOW + 9 * DAY, id="b", state=PointState.INVALID)],
            2,
            ("good", "pass", None),
        ),
    ],
)
def test_run_succeeded(found: Any, level: int, expected: tuple[Any, ...]) -> None:
    assert said(of_set(run_succeeded, series(found), level)) == expected


def test_the_window_is_a_setting() -> None:
    made = series([*tool(), point(NOW - 13 * DAY, id="b", state=PointState.INVALID, name="b")])
    options = Thresholds(lookback_days=20)
    assert said(of_set(run_succeeded, made, 2, options))[0] == "some"


def test_more_runs_than_slots_are_all_of_the_window() -> None:
    hourly = [point(NOW - n * HOUR, name=f"{n}", **TOOL) for n in range(1, 200)]
    for hours, expected in ((100.0, "some"), (168.0, "some"), (168.1, "good")):
        bad = point(NOW - hours * HOUR, id="bad", name="bad", state=PointState.INVALID)
        assert said(of_set(run_succeeded, series([*hourly, bad]), every="1h"))[0] == expected


# --------------------------------------------------------------------------------------- content


def holding(*newest_first: Any, **more: Any) -> list[BackupPoint]:
    """A point a day, each with these paths (a tuple) or this number of files."""
    found = []
    for age, what in enumerate(newest_first):
        told = {"paths": what} if isinstance(what, tuple) else {"files": what}
        found.append(point(NOW - HOUR - age * DAY, id=f"{age}", **told | more))
    return found


AB = ("/etc", "/srv")


@pytest.mark.parametrize(
    ("found", "level", "expected"),
    [
        (holding(AB, AB, AB), 2, ("kept", "pass", None)),
        (holding(("/etc",), AB, AB), 2, ("lost", "fail", Severity.MAJOR)),
        (holding(("/etc",), AB, AB), 3, ("lost", "fail", Severity.CRITICAL)),
        # Lost some runs ago, and not come back.
        (holding(("/etc",), ("/etc",), AB), 2, ("lost", "fail", Severity.MAJOR)),
        (holding(("/etc", "/srv", "/opt"), AB), 2, ("kept", "pass", None)),
        (holding(("/",), AB), 2, ("kept", "pass", None)),
        (holding(("/etc", "/srv/"), AB), 2, ("kept", "pass", None)),
        (holding(("/etc", "/srv2"), AB), 2, ("lost", "fail", Severity.MAJOR)),
        (holding(100, 100, 100), 2, ("kept", "pass", None)),
        (holding(49, 100, 100), 2, ("less", "fail", Severity.MINOR)),
        (holding(50, 100, 100), 2, ("kept", "pass", None)),
        (holding(9, 100, 100), 2, ("less", "fail", Severity.MAJOR)),
        (holding(9, 100, 100), 4, ("less", "fail", Severity.CRITICAL)),
        (holding(10, 100, 100), 2, ("less", "fail", Severity.MINOR)),
        (holding(AB), 2, ("short_history", "unknown", None)),
        (daily(14), 2, ("opaque", "not_applicable", None)),
        ([], 2, ("none", "unknown", None)),
        ([BAD], 2, ("none", "unknown", None)),
    ],
)
def test_content_complete(found: Any, level: int, expected: tuple[Any, ...]) -> None:
    assert said(of_set(content_complete, series(found), level)) == expected


def test_content_that_only_remembered_points_held_is_lost_as_well() -> None:
    past = (point(NOW - 3 * DAY, id="gone", paths=AB),)
    made = series(holding(("/etc",)), past=past)
    verdict = of_set(content_complete, made)
    assert said(verdict)[0] == "lost"
    assert verdict.detail["lost"] == ["/srv"]


def test_what_is_remembered_only_is_no_copy_of_today() -> None:
    past = tuple(holding(AB, AB, AB)[::-1])
    assert said(of_set(content_complete, series([], past=past)))[0] == "none"
    newer = point(NOW - HOUR / 2, id="newer", paths=())
    made = series(holding(AB, AB), past=(newer,))
    assert said(of_set(content_complete, made))[0] == "kept"


def test_only_the_last_seven_are_the_measure() -> None:
    for runs, expected in ((6, "lost"), (7, "kept")):
        made = series(holding(("/etc",), *[("/etc",)] * runs, AB))
        assert said(of_set(content_complete, made))[0] == expected


def test_like_is_compared_with_like() -> None:
    both = [*holding(("/etc",), ("/etc",), group="a"), *holding(("/srv",), ("/srv",), group="b")]
    assert said(of_set(content_complete, series(both)))[0] == "kept"
    kinds = [
        *holding(5, 5, kind=PointKind.INCREMENTAL),
        *(point(NOW - k * DAY, id=f"f{k}", files=100, kind=PointKind.FULL) for k in (3, 4)),
    ]
    assert said(of_set(content_complete, series(kinds)))[0] == "kept"


def test_bytes_count_beside_files() -> None:
    points = [point(NOW - k * DAY, files=10, data=100 if k else 3) for k in range(5)]
    assert of_set(content_complete, series(points)).detail["share"] == 0.03


def test_a_future_point_is_no_measure() -> None:
    points = [*holding(AB, AB), point(NOW + 900 * DAY, id="f", paths=())]
    assert said(of_set(content_complete, series(points)))[0] == "kept"


# ---------------------------------------------------------------------------------------- chains


def link(age: float, base: str = "", **more: Any) -> BackupPoint:
    kind = PointKind.INCREMENTAL if base else PointKind.FULL
    return point(NOW - age * DAY, id=f"{age:g}", base=base, **{"kind": kind, **TOOL} | more)


WHOLE = (link(3), link(2, "3"), link(1, "2"))


@pytest.mark.parametrize(
    ("found", "level", "expected"),
    [
        (series(WHOLE), 2, ("whole", "pass", None)),
        (series(daily(14)), 2, ("standalone", "not_applicable", None)),
        (series((link(9), link(8))), 2, ("whole", "pass", None)),
        (series((link(3), link(1, "2"))), 2, ("orphan", "fail", Severity.MAJOR)),
        (series((link(3), link(1, "2"))), 3, ("orphan", "fail", Severity.CRITICAL)),
        # Everything that hangs on the lost one is lost with it.
        (series((link(3), link(2, "x"), link(1, "2"))), 2, ("orphan", "fail", Severity.MAJOR)),
        # An old orphan does not stop a restore of today.
        (series((link(3, "x"), link(2), link(1, "2"))), 2, ("orphan", "fail", Severity.MINOR)),
        (
            series((link(3), link(2, "3", state=PointState.INVALID), link(1, "2"))),
            2,
            ("orphan", "fail", Severity.MAJOR),
        ),
        (series((link(2, "1"), link(1, "2"))), 2, ("orphan", "fail", Severity.MAJOR)),
        (series((link(8), link(1, "8"))), 2, ("old_full", "fail", Severity.MINOR)),
        (series((link(7), link(1, "7"))), 2, ("whole", "pass", None)),
        (
            series((link(1, kind=PointKind.INCREMENTAL),)),
            2,
            ("no_full", "fail", Severity.MAJOR),
        ),
        (series(WHOLE, archive=Archive(last=NOW, gaps=0)), 2, ("whole", "pass", None)),
        (series(WHOLE, archive=Archive(gaps=2)), 2, ("archive_gap", "fail", Severity.MAJOR)),
        (
            series(WHOLE, archive=Archive(failing_since=NOW - DAY)),
            3,
            ("archive_failing", "fail", Severity.CRITICAL),
        ),
        (series(WHOLE, archive=Archive(last=NOW)), 2, ("archive_unseen", "unknown", None)),
        (series([]), 2, ("none", "unknown", None)),
        (series([point(NOW - DAY, name="db-incr-3.tar")]), 2, ("parts", "unknown", None)),
        (
            series([point(NOW - DAY, name="main-prince.tar")]),
            2,
            ("standalone", "not_applicable", None),
        ),
    ],
)
def test_chain_whole(found: BackupSeries, level: int, expected: tuple[Any, ...]) -> None:
    assert said(of_set(chain_whole, found, level)) == expected


def test_a_full_copy_may_be_as_old_as_the_unit_promises() -> None:
    made = series((link(29), link(1, "29")))
    assert said(of_set(chain_whole, made, every="4w"))[0] == "whole"
    assert said(of_set(chain_whole, made, every="1w"))[0] == "old_full"
    assert said(of_set(chain_whole, made, options=ChainOptions(full_days=30)))[0] == "whole"


def test_how_old_a_full_copy_may_be_is_said_and_whose_number_it_is() -> None:
    made = series((link(9), link(1, "9")))
    house = of_set(chain_whole, made)
    assert (house.message.args["limit"], house.detail["assumed"]) == (7 * 86400, True)
    own = of_set(chain_whole, made, options=ChainOptions(full_days=8))
    assert (own.message.args["limit"], own.detail["assumed"]) == (8 * 86400, False)


def test_a_base_that_is_only_remembered_is_gone() -> None:
    made = series((link(1, "3"),), past=(link(3),))
    assert said(of_set(chain_whole, made))[0] == "orphan"


def test_long_chains_in_any_order_are_walked_once() -> None:
    length = 1990
    links = [link(0, str(length))] + [
        link(n, str(n - 1) if n > 1 else "") for n in range(1, length + 1)
    ]
    random.Random(6).shuffle(links)  # noqa: S311 - repeatable on purpose
    made = BackupSeries(asset="db", source="x", points=tuple(links))
    assert said(of_set(chain_whole, made))[0] != "orphan"
    broken = tuple(p for p in links if p.id != "1")
    made = BackupSeries(asset="db", source="x", points=broken)
    verdict = of_set(chain_whole, made)
    assert said(verdict)[0] == "orphan"
    assert verdict.message.args["count"] == length
