from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.sources.wal import Segment, archive_of, failing_since, missing
from tests.helpers.backup_series import DAY, HOUR, NOW, at


def name(number: int, per_log: int = 256, timeline: int = 1) -> str:
    return f"{timeline:08X}{number // per_log:08X}{number % per_log:08X}"


def segments(*numbers: int, ago: dt.timedelta = HOUR) -> list[Segment]:
    return [Segment(name(n), NOW - ago) for n in numbers]


@given(st.integers(0, 5000), st.integers(3, 600), st.sampled_from([4, 16, 64, 256, 512]))
def test_a_whole_archive_has_no_gap_at_any_segment_size(first: int, count: int, per: int) -> None:
    # Over at least one full log, or within one: else the size of a segment cannot be told.
    first -= first % per
    assert missing(name(n, per) for n in range(first, first + count)) == 0


@given(st.sets(st.integers(1, 998), max_size=40))
def test_every_lost_segment_counts(lost: set[int]) -> None:
    kept = {0, 999, 255, 256, 511, 767} | (set(range(1000)) - lost)
    assert missing(name(n) for n in kept) == 1000 - len(kept)


def test_each_timeline_by_itself() -> None:
    first = [name(n) for n in (1, 2, 3)]
    second = [name(n, timeline=2) for n in (3, 4, 6)]
    assert missing([*first, *second]) == 1
    assert missing([]) == 0


def test_before_the_newest_full_backup_retention_may_leave_gaps() -> None:
    known = segments(1, 2, 7, 8, 9)
    assert archive_of(known, name(7), NOW).gaps == 0
    assert archive_of(known, name(2), NOW).gaps == 4
    assert archive_of(known, "", NOW).gaps == 4


def test_the_first_segment_that_is_needed_may_be_the_lost_one() -> None:
    assert archive_of(segments(8, 9), name(7), NOW).gaps == 1
    assert archive_of(segments(9, 10), name(7), NOW).gaps == 2


def test_what_comes_in_while_we_look_is_no_gap() -> None:
    known = [*segments(1, 2, 3), *segments(6, ago=dt.timedelta(minutes=2))]
    found = archive_of(known, "", NOW)
    assert (found.gaps, found.last) == (0, NOW - dt.timedelta(minutes=2))
    late = [*segments(1, 3), *segments(2, ago=dt.timedelta(minutes=1))]
    assert archive_of(late, "", NOW).gaps == 0


def test_other_files_of_an_archive_are_no_segments() -> None:
    known = [*segments(1, 2), Segment("00000002.history", NOW), Segment("x" * 24, NOW)]
    found = archive_of(known, "", NOW)
    assert (found.gaps, found.last) == (0, NOW - HOUR)
    assert archive_of([], "", NOW).gaps is None


@pytest.mark.parametrize(
    ("last", "failed", "since"),
    [
        (None, None, None),
        (at("2026-11-22 02:00"), None, None),
        (at("2026-11-22 02:00"), at("2026-11-22 01:00"), None),
        (at("2026-11-22 02:00"), at("2026-11-22 02:00"), None),
        (at("2026-11-20 02:00"), at("2026-11-22 02:00"), at("2026-11-20 02:00")),
        (None, at("2026-11-22 02:00"), at("2026-11-22 02:00")),
    ],
)
def test_since_when_an_archiver_fails(
    last: dt.datetime | None, failed: dt.datetime | None, since: dt.datetime | None
) -> None:
    assert failing_since(last, failed) == since


def test_an_archive_says_what_it_was_told() -> None:
    assert archive_of(segments(1), "", NOW, NOW - DAY).failing_since == NOW - DAY
