from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from cronsim import CronSim
from hypothesis import example, given, settings
from hypothesis import strategies as st

from checks.backup.periodicity import Age, Assessment, Grade, Thresholds, assess
from checks.backup.promise import Promise, Undated, duration, promise_of, runs_after
from checks.backup.series import BackupPoint, Listing, PointState
from checks.backup.slots import SlotState
from inventory.model import BackupSet
from tests.helpers.backup_series import (
    DAY,
    HOUR,
    NOW,
    UTC,
    at,
    daily,
    point,
    promise,
    series,
)

BERLIN = ZoneInfo("Europe/Berlin")
HANOI = ZoneInfo("Asia/Ho_Chi_Minh")


def judged(
    points: list[BackupPoint],
    kept: Promise | None = None,
    now: dt.datetime = NOW,
    zone: ZoneInfo = UTC,
    limits: Thresholds | None = None,
) -> Assessment:
    return assess(series(points), kept or promise(), now, zone, limits)


def local(text: str, zone: ZoneInfo) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(dt.UTC)


# ------------------------------------------------------------------- the 21 vectors of the research


def test_vector_01_perfect_passes() -> None:
    a = judged(daily(14))
    assert a.grade is Grade.PASS
    assert (a.coverage.kept, a.coverage.expected, a.coverage.missed) == (7, 7, 0)
    assert [s.state for s in a.strip] == [SlotState.KEPT] * 14


def test_vector_02_newest_due_two_hours_ago_warns() -> None:
    a = judged(daily(14, "2026-11-21 07:00"))
    assert (a.grade, a.freshness.state) == (Grade.WARN, Age.LATE)
    assert a.strip[-1].state is SlotState.PENDING


def test_vector_03_newest_due_seven_hours_ago_fails() -> None:
    a = judged(daily(14, "2026-11-21 02:00"))
    assert (a.grade, a.freshness.state) == (Grade.FAIL, Age.STALE)


def test_vector_04_one_hole_warns() -> None:
    a = judged(daily(14, skip=[3]))
    assert (a.grade, a.coverage.missed, a.coverage.longest_miss) == (Grade.WARN, 1, 1)


def test_vector_05_two_holes_apart_warn() -> None:
    a = judged(daily(14, skip=[2, 5]))
    assert (a.grade, a.coverage.missed, a.coverage.longest_miss) == (Grade.WARN, 2, 1)


def test_vector_06_two_holes_in_a_row_fail() -> None:
    a = judged(daily(14, skip=[2, 3]))
    assert (a.grade, a.coverage.longest_miss) == (Grade.FAIL, 2)


def test_vector_07_berlin_fall_back_week_with_ten_minutes_of_grace_passes() -> None:
    kept = promise("1d", BERLIN, grace=dt.timedelta(minutes=10))
    days = [f"2026-10-{d} 02:00" for d in range(18, 30)]
    a = judged([point(local(d, BERLIN)) for d in days], kept, at("2026-10-29 09:00"), BERLIN)
    assert a.grade is Grade.PASS
    on_the_day = judged(
        [point(local(d, BERLIN)) for d in days if d < "2026-10-26"],
        kept,
        local("2026-10-26 02:05", BERLIN),
        BERLIN,
    )
    assert on_the_day.grade is not Grade.FAIL


def test_vector_08_berlin_spring_forward_run_at_three_passes() -> None:
    kept = promise("30 2 * * *", BERLIN)
    days = [f"2026-03-{d} 02:30" for d in range(15, 29)] + ["2026-03-30 02:30", "2026-03-31 02:30"]
    starts = [local(d, BERLIN) for d in days] + [local("2026-03-29 03:00", BERLIN)]
    a = judged([point(s) for s in starts], kept, at("2026-03-31 09:00"), BERLIN)
    assert (a.grade, a.coverage.missed) == (Grade.PASS, 0)


WEEKDAYS = [p for p in daily(21, "2026-11-20 22:00") if p.start.weekday() < 5]


def test_vector_09_weekday_cron_judged_on_monday_morning_passes() -> None:
    a = judged(WEEKDAYS, promise("0 22 * * 1-5"), at("2026-11-23 09:00"))
    assert a.grade is Grade.PASS
    assert a.freshness.state is Age.OK


def test_vector_10_the_same_points_under_a_daily_policy_fail() -> None:
    assert judged(WEEKDAYS, promise("1d"), at("2026-11-23 09:00")).grade is Grade.FAIL


def test_vector_11_only_fresh_point_dated_2030_fails() -> None:
    a = judged([*daily(14, "2026-11-12 02:00"), point(at("2030-01-01 00:00"))])
    assert a.grade is Grade.FAIL
    assert a.freshness.newest is not None
    assert a.freshness.newest.start == at("2026-11-12 02:00")


def test_vector_12_a_further_point_dated_2030_warns() -> None:
    assert judged([*daily(14), point(at("2030-01-01 00:00"))]).grade is Grade.WARN


def test_vector_13_newest_of_zero_bytes_fails() -> None:
    a = judged([point(NOW - 7 * HOUR, size=0), *daily(14)[1:]])
    assert (a.grade, a.newest_invalid) == (Grade.FAIL, True)


def test_vector_14_newest_one_percent_warns_without_the_ten_percent_rule() -> None:
    points = [point(NOW - 7 * HOUR, size=10), *daily(14)[1:]]
    assert judged(points, limits=Thresholds(invalid_share=0)).grade is Grade.WARN


def test_vector_14_newest_one_percent_fails_with_the_ten_percent_rule() -> None:
    assert judged([point(NOW - 7 * HOUR, size=10), *daily(14)[1:]]).grade is Grade.FAIL


def test_vector_15_run_in_progress_at_the_due_time_passes() -> None:
    running = point(at("2026-11-22 02:00"), state=PointState.RUNNING)
    a = judged([running, *daily(14)[1:]], now=at("2026-11-22 01:59") + dt.timedelta(seconds=59))
    assert (a.grade, "running" in a.notes) == (Grade.PASS, True)


def test_vector_16_running_for_45_hours_fails() -> None:
    running = point(NOW - 45 * HOUR, state=PointState.RUNNING)
    a = judged([running, *daily(14, "2026-11-20 02:00")])
    assert (a.grade, len(a.points.stuck)) == (Grade.FAIL, 1)


def test_vector_17_day_old_asset_with_one_point_is_unknown() -> None:
    kept = promise(effective_from=dt.date(2026, 11, 21))
    assert judged(daily(1), kept).grade is Grade.UNKNOWN


def test_vector_18_old_asset_with_one_manual_point_fails() -> None:
    kept = promise(effective_from=dt.date(2026, 1, 1))
    assert judged(daily(1), kept).grade is Grade.FAIL


def test_vector_19_thinned_series_with_six_dense_days_passes() -> None:
    thinned = daily(7) + [point(at("2026-11-16 02:00") - DAY * 7 * k) for k in range(1, 5)]
    assert judged(thinned, limits=Thresholds(dense_days=6)).grade is Grade.PASS


def test_vector_20_hourly_with_one_hole_warns() -> None:
    points = [point(NOW - HOUR * k) for k in range(24 * 9) if k != 20]
    a = judged(points, promise("1h"))
    assert (a.grade, a.coverage.missed) == (Grade.WARN, 1)


def test_vector_21_weekly_passes() -> None:
    points = [point(at("2026-11-22 02:00") - DAY * 7 * k) for k in range(13)]
    a = judged(points, promise("1w"))
    assert a.grade is Grade.PASS
    assert len(a.strip) == 13


# ----------------------------------------------------------------------------- beyond the vectors


def test_no_point_at_all_fails_and_shows_every_slot_missed() -> None:
    a = judged([])
    assert (a.grade, a.freshness.state) == (Grade.FAIL, Age.NONE)
    assert {s.state for s in a.strip} == {SlotState.MISSED}


def test_no_point_yet_is_unknown_while_the_first_is_not_due() -> None:
    kept = promise(effective_from=dt.date(2026, 11, 22))
    assert judged([], kept).grade is Grade.UNKNOWN


def test_history_too_short_for_the_window_is_unknown_not_a_pass() -> None:
    a = judged(daily(4))
    assert (a.grade, a.coverage.missed) == (Grade.UNKNOWN, 0)
    assert a.coverage.unknown >= 2


def test_declared_retention_limits_the_window() -> None:
    assert judged(daily(5), promise(keep=DAY * 5)).grade is Grade.PASS


def test_remembered_points_fill_the_window() -> None:
    seen = series(daily(4), past=series(daily(14)[4:]).points)
    assert assess(seen, promise(), NOW, UTC).grade is Grade.PASS


def test_a_remembered_point_never_makes_a_set_fresh() -> None:
    seen = series(daily(14)[3:], past=tuple(daily(3)))
    a = assess(seen, promise(), NOW, UTC)
    assert (a.grade, a.freshness.state) == (Grade.FAIL, Age.STALE)


def test_a_capped_listing_never_proves_a_miss() -> None:
    cut = series(daily(14, "2026-11-12 02:00"), listing=Listing(truncated=True))
    assert assess(cut, promise(), NOW, UTC).grade is Grade.UNKNOWN


def test_a_time_known_to_fourteen_hours_is_unsure_near_its_due_time() -> None:
    vague = [point(p.start, uncertainty=14 * 3600.0) for p in daily(14)]
    assert judged(vague).freshness.state is Age.OK
    evening = NOW + 11 * HOUR
    assert judged(vague, now=evening).freshness.state is Age.UNSURE
    assert judged(vague, now=evening).grade is Grade.UNKNOWN
    older = [point(p.start, uncertainty=14 * 3600.0) for p in daily(14, "2026-11-18 02:00")]
    assert judged(older).freshness.state is Age.STALE


def test_re_runs_within_one_slot_count_once() -> None:
    twice = daily(14) + [point(p.start + 3 * HOUR) for p in daily(14)]
    a = judged(twice)
    assert (a.grade, a.coverage.kept) == (Grade.PASS, 7)


def test_a_lesser_shrink_is_suspect_only_on_the_newest() -> None:
    assert judged([point(NOW - 7 * HOUR, size=300), *daily(14)[1:]]).grade is Grade.WARN
    old = daily(14)
    old[4] = point(old[4].start, size=300)
    a = judged(old)
    assert a.grade is Grade.PASS
    assert SlotState.SUSPECT in [s.state for s in a.coverage.slots]


def test_sizes_are_compared_within_their_group_only() -> None:
    big = [point(p.start, size=10**9, group="big") for p in daily(14)]
    small = [point(p.start + HOUR, size=100, group="small", id=f"s{p.id}") for p in daily(14)]
    assert judged(big + small).grade is Grade.PASS


def test_litter_of_a_crashed_run_is_not_stuck_once_a_good_point_followed() -> None:
    litter = point(NOW - DAY * 5, state=PointState.RUNNING, id="litter")
    a = judged([litter, *daily(14)])
    assert (a.grade, a.points.stuck) == (Grade.PASS, ())


def test_cron_in_hanoi_counts_in_local_time_and_late_runs_are_shown() -> None:
    kept = promise("0 2 * * *", HANOI)
    starts = [local(f"2026-11-{d:02} 02:00", HANOI) for d in range(5, 23)]
    starts[-2] += 9 * HOUR
    a = judged([point(s) for s in starts], kept, at("2026-11-22 09:00"), HANOI)
    assert a.grade is Grade.PASS
    assert [s.state for s in a.strip][-3:] == [SlotState.KEPT, SlotState.LATE, SlotState.KEPT]
    assert len(a.strip) == 14


def test_cron_slots_that_are_not_due_are_pending() -> None:
    kept = promise("0 8 * * *")
    a = judged(daily(14, "2026-11-21 08:00"), kept)
    assert a.strip[-1].state is SlotState.PENDING
    assert a.freshness.state is Age.LATE


def test_a_run_a_little_before_its_slot_counts() -> None:
    kept = promise("0 2 * * *")
    a = judged(daily(14, "2026-11-22 01:50"), kept)
    assert a.grade is Grade.PASS


def test_a_hole_across_the_clock_change_is_one_hole() -> None:
    kept = promise("1d", BERLIN, grace=dt.timedelta(minutes=10))
    days = [f"2026-10-{d} 02:00" for d in range(15, 30) if d != 25]
    a = judged([point(local(d, BERLIN)) for d in days], kept, at("2026-10-29 09:00"), BERLIN)
    assert (a.grade, a.coverage.missed) == (Grade.WARN, 1)


def test_points_made_by_hand_are_noted() -> None:
    hours = [2, 12, 45, 60, 100, 120]
    a = judged([point(NOW - HOUR * h) for h in hours])
    assert "looks_manual" in a.notes


def test_durations_and_defaults() -> None:
    assert duration("90s") == dt.timedelta(seconds=90)
    assert duration("2w") == DAY * 14
    for wrong in ("", "0d", "1", "1.5d", "-1d", "999999w", "١d", "1d\n2"):
        assert duration(wrong) is None
    undeclared = BackupSet(id="db", system="s", kind="directory")
    assumed = {level: promise_of(undeclared, level, UTC) for level in (1, 2, 3, 4, 5, None)}
    assert [p.interval.days for p in assumed.values()] == [30, 7, 1, 1, 1, 7]
    assert all(p.assumed for p in assumed.values())
    assert promise("1h").grace == dt.timedelta(minutes=10)
    assert promise("30d").grace == DAY
    assert not promise("1h").assumed


@pytest.mark.parametrize("wrong", ["daily", "* * *", "99 2 * * *", "0 0 31 2 *", "0 2 * * * *"])
def test_a_frequency_that_is_none_is_refused(wrong: str) -> None:
    with pytest.raises(Undated, match=r"neither|never"):
        promise(wrong)


@pytest.mark.parametrize(
    ("cron", "usual", "workdays"),
    [
        ("0 2 * * *", DAY, False),
        ("30 2 * * 1-5", DAY, True),
        ("0 22 * * mon-fri", DAY, True),
        ("0 2,14 * * 1-5", 12 * HOUR, False),
        ("0 2 * * 1-6", DAY, False),
        ("0 2 * * 0", 7 * DAY, False),
        ("0 2 * * 1,3,5", 2 * DAY, False),
        ("0 * * * *", HOUR, False),
        ("*/20 8-17 * * *", HOUR / 3, False),
        ("0 2 1 * *", 31 * DAY, False),
    ],
)
def test_a_cron_expression_is_told_as_a_person_would(
    cron: str, usual: dt.timedelta, workdays: bool
) -> None:
    for zone in (UTC, HANOI, BERLIN):
        kept = promise(cron, zone)
        assert (kept.usual, kept.workdays) == (usual, workdays)


def test_what_is_shown_of_a_promise_does_not_move_its_slots() -> None:
    kept = promise("0 2 * * *", BERLIN)
    last = local("2026-10-24 02:03", BERLIN)
    a = judged([point(last)], kept, last + 23 * HOUR, BERLIN)
    assert (a.freshness.promised, a.freshness.state) == (86400.0, Age.OK)
    # The hour comes twice; the run is due the first time, three minutes short of a day later.
    assert a.freshness.due == local("2026-10-25 02:00", BERLIN)
    assert a.freshness.ratio == pytest.approx(23 / (23 + 57 / 60))
    friday = local("2026-11-20 22:00", HANOI)
    monday = local("2026-11-23 09:00", HANOI)
    b = judged([point(friday)], promise("0 22 * * 1-5", HANOI), monday, HANOI)
    assert (b.freshness.promised, b.freshness.allowed) == (86400.0, 3 * 86400.0)
    assert b.freshness.state is Age.OK
    assert b.freshness.ratio == pytest.approx(59 / 72)


def test_cron_runs_once_on_both_days_of_a_clock_change() -> None:
    spring = runs_after("30 2 * * *", at("2026-03-27 12:00"), BERLIN)
    assert [next(spring) for _ in range(3)][1] == at("2026-03-29 01:00")
    autumn = runs_after("30 2 * * *", at("2026-10-24 12:00"), BERLIN)
    assert [next(autumn) for _ in range(2)] == [at("2026-10-25 00:30"), at("2026-10-26 01:30")]


_CRONS = st.sampled_from(
    [
        *("0 2 * * *", "30 2 * * *", "*/20 8-17 * * *", "0 22 * * 1-5", "0 3 1 * *", "5 4 29 2 *"),
        *("15 0,12 * * 6", "0 1 L * *", "* 0 1 1 *", "0 0 1 1 *", "30 1 * * 0", "59 23 31 * *"),
    ]
)
_ZONES = st.sampled_from([UTC, HANOI, BERLIN, ZoneInfo("America/New_York"), ZoneInfo("Asia/Gaza")])


_CHANGES = [at(f"2026-{day} 00:00") for day in ("03-08", "03-28", "10-24", "11-01")]
"""Days on which one of the zones changes its clock, or the day before."""
_MOMENTS = st.one_of(
    st.integers(0, 35 * 365 * 86400).map(lambda s: at("1999-01-01 00:00") + s * HOUR / 3600),
    st.builds(
        lambda day, minutes: day + minutes * HOUR / 60,
        st.sampled_from(_CHANGES),
        st.integers(0, 48 * 60),
    ),
)


@settings(max_examples=300, deadline=None)
@given(_CRONS, _ZONES, _MOMENTS)
@example("30 1 * * 0", ZoneInfo("America/New_York"), at("2026-11-01 06:06"))
def test_runs_that_are_remembered_are_those_that_are_sought(
    cron: str, zone: ZoneInfo, after: dt.datetime
) -> None:
    ticks = (tick.astimezone(dt.UTC) for tick in CronSim(cron, after.astimezone(zone)))
    # Asked within an hour that comes twice, it begins with the run of the first time.
    sought = (tick for tick in ticks if tick > after)
    found = runs_after(cron, after, zone)
    runs = [next(found) for _ in range(70)]
    assert runs == [next(sought) for _ in range(70)]
    assert runs == sorted(set(runs))
    assert runs[0] > after
    # Asked again from among them, the same come back.
    assert next(runs_after(cron, runs[5], zone)) == runs[6]
    assert next(runs_after(cron, runs[5] - dt.timedelta(microseconds=1), zone)) == runs[5]


# ------------------------------------------------------------------------------------- properties

_ORDER = [Grade.FAIL, Grade.WARN, Grade.UNKNOWN, Grade.PASS]
_PROMISES = st.sampled_from(
    [
        promise("1d"),
        promise("0 2 * * *"),
        promise("12h"),
        promise("2d", grace=3 * HOUR),
        promise("1d", keep=DAY * 5),
        promise("1d", effective_from=dt.date(2026, 11, 17)),
        promise("0 22 * * 1-5", BERLIN),
    ]
)
_HOURS = st.lists(st.integers(0, 24 * 20), max_size=30, unique=True)


@settings(max_examples=300, deadline=None)
@given(_HOURS, st.data(), _PROMISES)
def test_removing_points_never_turns_a_failure_into_a_pass(
    hours: list[int], data: st.DataObject, kept: Promise
) -> None:
    points = [point(NOW - HOUR * h) for h in hours]
    before = judged(points, kept, zone=BERLIN).grade
    left = [p for p in points if data.draw(st.booleans())]
    after = judged(left, kept, zone=BERLIN).grade
    if before in (Grade.FAIL, Grade.WARN):
        assert after is not Grade.PASS


@settings(max_examples=300, deadline=None)
@given(_HOURS, st.integers(1, 50_000), st.booleans(), _PROMISES)
def test_adding_a_future_or_running_point_never_improves_the_grade(
    hours: list[int],
    ahead: int,
    runs: bool,
    kept: Promise,
) -> None:
    points = [point(NOW - HOUR * h) for h in hours]
    extra = (
        point(NOW - HOUR * (ahead % 480), state=PointState.RUNNING, id="x")
        if runs
        else point(NOW + HOUR * ahead, id="x")
    )
    before = judged(points, kept, zone=BERLIN).grade
    after = judged([*points, extra], kept, zone=BERLIN).grade
    assert _ORDER.index(after) <= _ORDER.index(before)


@settings(max_examples=200, deadline=None)
@given(_HOURS, _PROMISES)
def test_counts_and_strips_are_coherent(hours: list[int], kept: Promise) -> None:
    a = judged([point(NOW - HOUR * h) for h in hours], kept, zone=BERLIN)
    times = [s.time for s in a.coverage.slots]
    assert times == sorted(times)
    assert a.coverage.expected == a.coverage.kept + a.coverage.missed
    assert len(a.strip) <= 14
    if a.grade is Grade.PASS:
        assert a.coverage.missed == 0
        assert a.freshness.state is Age.OK


def test_one_database_of_several_that_is_dumped_no_more_is_seen() -> None:
    going = [point(p.start, group="a", id=f"a{p.id}") for p in daily(14)]
    ended = [point(p.start + HOUR, group="b", id=f"b{p.id}") for p in daily(14)[5:]]
    a = judged([*going, *ended])
    assert (a.grade, [p.group for p in a.stopped]) == (Grade.WARN, ["b"])
    weekly = [point(NOW - DAY * (6 + 7 * k), group="w", id=f"w{k}") for k in range(4)]
    assert judged([*going, *weekly]).stopped == ()


def test_missed_slots_stand_where_they_were_due() -> None:
    a = judged(daily(14, skip=[2, 3]))
    missed = [s.time for s in a.strip if s.state is SlotState.MISSED]
    assert missed == [at("2026-11-19 02:00"), at("2026-11-20 02:00")]


def test_a_file_of_no_bytes_is_never_a_backup() -> None:
    a = judged([point(NOW - HOUR, size=0)])
    assert (a.freshness.state, a.newest_invalid) == (Age.NONE, True)


def test_empty_and_broken_points_do_not_set_what_is_usual() -> None:
    days = daily(12)
    empty = [point(p.start, size=0) for p in days[1:7]]
    broken = [point(p.start, size=1, state=PointState.INVALID) for p in days[7:9]]
    usual = judged([days[0], *empty, *broken, *days[9:]]).points.sizes[-1].usual
    assert usual == 1000
