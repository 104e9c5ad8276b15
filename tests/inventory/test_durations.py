"""Durations as people write them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inventory.durations import format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("90s", 90), ("15m", 900), ("3h", 10800), ("1d", 86400), ("2w", 1209600), ("0s", 0)],
)
def test_reads_every_unit(text: str, seconds: int) -> None:
    assert parse_duration(text) == dt.timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "d",
        "1 d",
        "1D",
        "-1d",
        "1.5h",
        "1d2h",
        "1d\n",
        "١d",
        "3 days",
        "P1D",
        "99999999999s",
    ],
)
def test_refuses_anything_else(text: str) -> None:
    with pytest.raises(ValueError, match="90s, 15m, 3h, 1d or 2w"):
        parse_duration(text)


def test_refuses_more_than_a_century() -> None:
    assert parse_duration("36525d").days == 36525
    for text in ("36526d", "9999999999w"):
        with pytest.raises(ValueError, match="100 years"):
            parse_duration(text)


@given(st.integers(0, 36525 * 86400))
def test_what_is_written_reads_back(seconds: int) -> None:
    length = dt.timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length
