from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.names import (
    Named,
    date_in,
    group_of,
    is_companion,
    is_empty,
    is_unfinished,
)
from checks.backup.series import Origin
from checks.backup.timing import NO_CLOCK, Clockwork, Stamp, choose, clockwork, read_name
from checks.probes.host import HostClock
from tests.helpers.backup_series import DAY, at


def naive(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("name", "time", "whole_day"),
    [
        ("db-2026-11-22.sql.gz", "2026-11-22", True),
        ("db_20261122.dump", "2026-11-22", True),
        ("db.2026.11.22.01.tar", "2026-11-22", True),
        ("sao-luu-22-11-2026.zip", "2026-11-22", True),
        ("22.11.2026_full.bak", "2026-11-22", True),
        ("db_20261122_0130.dump", "2026-11-22 01:30", False),
        ("db-20261122013015.dump", "2026-11-22 01:30:15", False),
        ("db-202611220130.dump", "2026-11-22 01:30", False),
        ("db-2026-11-22_01-30-15.dump", "2026-11-22 01:30:15", False),
        ("db 2026-11-22 01.30.dump", "2026-11-22 01:30", False),
        ("db-2026-11-22-01h30.dump", "2026-11-22 01:30", False),
        ("20261122T013015Z.manifest", "2026-11-22 01:30:15+00:00", False),
        ("2026-11-22T01:30:15.123+07:00.dump", "2026-11-22 01:30:15+07:00", False),
        ("2026-11-22T01:30:15-0500.dump", "2026-11-22 01:30:15-05:00", False),
        ("1795311015_gitlab_backup.tar", "2026-11-22 01:30:15+00:00", False),
        ("base-20260101_inc-20261122.tar", "2026-11-22", True),
        ("2026-11-22/db-02.dump", "2026-11-22", True),
        ("2026-11-22/20261122_0130.dump", "2026-11-22 01:30", False),
    ],
)
def test_dates_in_names(name: str, time: str, whole_day: bool) -> None:
    assert date_in(name) == Named(naive(time), whole_day)


@pytest.mark.parametrize(
    "name",
    [
        "db.dump",
        "20261399",
        "2026-02-30",
        "db-123456789.dump",
        "v1.2.3",
        "99999999999999",
        "",
        "٢٠٢٦-11-22",
    ],
)
def test_names_without_a_date(name: str) -> None:
    assert date_in(name) is None


def test_kinds_of_names() -> None:
    assert all(map(is_unfinished, ["a.part", "a.TMP", ".db.dump.x1Y2z3", "d/a.filepart"]))
    assert not any(map(is_unfinished, ["a.dump", ".hidden", "a.partial.gz", "part"]))
    assert all(map(is_companion, ["a.md5", "d/a.SHA256", "a.log", ".hidden"]))
    assert not any(map(is_companion, ["a.dump", "a.dump.part", ".db.dump.x1Y2z3", "log.gz"]))
    sizes = {"a.gz": 20, "a.zst": 13, "a.xz": 32, "a.bz2": 14, "a.dump": 0}
    assert all(is_empty(name, size) for name, size in sizes.items())
    assert not any(is_empty(name, size + 1) for name, size in sizes.items())


def test_names_of_a_group() -> None:
    assert group_of("a/db1-20261121_0200.dump") == group_of("b/db1-20261122_0200.dump")
    assert group_of("db1-20261122.dump") != group_of("db2-20261122.dump")
    assert group_of("x-0001.tar") == group_of("x-0002.tar")
    assert group_of("db-mon.dump") == group_of("db-Friday.dump")
    assert group_of("db-3f2a9c1e.dump") == group_of("db-0b1c2d3e.dump")
    assert group_of("monitor.dump") != group_of("satellite.dump")


@given(st.text(max_size=60))
def test_no_name_breaks_anything(name: str) -> None:
    named = date_in(name)
    if named is not None:
        assert read_name(named, NO_CLOCK) is not None
    group_of(name)
    is_empty(name, 0)


BERLIN = Clockwork(zone=ZoneInfo("Europe/Berlin"), zone_name="Europe/Berlin")


def test_an_ambiguous_time_is_the_earlier_and_vague_by_an_hour() -> None:
    stamp = BERLIN.local(naive("2026-10-25 02:30"))
    assert (stamp.time, stamp.uncertainty) == (at("2026-10-25 00:30"), 3600.0)


def test_a_time_that_never_was_is_shifted_on() -> None:
    assert BERLIN.local(naive("2026-03-29 02:30")).time == at("2026-03-29 01:30")
    assert BERLIN.local(naive("2026-03-29 02:30")).uncertainty == 1.0


def clock(skew: float = 0.0, zone: str = "", hours: int = 7) -> HostClock:
    return HostClock(skew=skew, uncertainty=0.5, offset=dt.timedelta(hours=hours), zone=zone)


def test_what_a_clock_says_of_its_stamps() -> None:
    assert clockwork(None) is NO_CLOCK
    assert NO_CLOCK.local(naive("2026-11-22 02:00")) == Stamp(at("2026-11-22 02:00"), 14 * 3600.0)
    named = clockwork(clock(zone="Asia/Ho_Chi_Minh"))
    assert named.local(naive("2026-11-22 02:00")) == Stamp(at("2026-11-21 19:00"), 1.0)
    offset_only = clockwork(clock())
    assert offset_only.local(naive("2026-11-22 02:00")) == Stamp(at("2026-11-21 19:00"), 3600.0)
    assert clockwork(clock(zone="No/Where")).zone_doubt == 3600.0
    assert clockwork(clock(skew=5.0)).skew == 0.0
    ahead = clockwork(clock(skew=120.0))
    assert ahead.true(at("2026-11-22 02:02")) == Stamp(at("2026-11-22 02:00"), 1.5)


def test_content_beats_the_name_and_the_older_one_wins() -> None:
    file, end = Stamp(at("2026-11-22 02:31")), Stamp(at("2026-11-22 02:30"))
    begun = Stamp(at("2026-11-22 02:00"))
    both = choose(file, begun, end)
    assert (both.start, both.origin, both.notes) == (begun.time, Origin.CONTENT, ())
    renamed = choose(file, Stamp(file.time), Stamp(file.time - DAY * 9))
    assert renamed.start == file.time - DAY * 9
    assert set(renamed.notes) == {"copied_or_touched", "named_newer_than_content"}
    old_name = choose(file, Stamp(file.time - DAY * 9), end)
    assert old_name.start == file.time - DAY * 9
    assert old_name.notes == ("named_older_than_content",)


def test_a_file_without_a_time_takes_that_of_its_name() -> None:
    lost = Stamp(dt.datetime(1970, 1, 1, tzinfo=dt.UTC))
    assert choose(lost, Stamp(at("2026-11-22 02:00")), None).start == at("2026-11-22 02:00")


@given(st.datetimes(dt.datetime(1990, 1, 1), dt.datetime(2100, 1, 1)))  # noqa: DTZ001
def test_the_chosen_time_is_never_later_than_the_files_own(name: dt.datetime) -> None:
    file = Stamp(at("2026-11-22 02:00"))
    chosen = choose(file, Stamp(name.replace(tzinfo=dt.UTC)), None)
    assert chosen.start <= file.time
