"""Lengths of time as people write them in the inventory: `90s 15m 3h 1d 2w`."""

from __future__ import annotations

import datetime as dt
import re

PATTERN = r"^[0-9]{1,10}[smhdw]$"
_PARTS = re.compile(r"([0-9]{1,10})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_LONGEST = 36525 * 86400


def parse_duration(text: str) -> dt.timedelta:
    """Read `90s`, `15m`, `3h`, `1d` or `2w`; anything else, or over 100 years: ValueError."""
    found = _PARTS.fullmatch(text)
    if found is None:
        raise ValueError("expected a number and a unit: 90s, 15m, 3h, 1d or 2w")
    seconds = int(found[1]) * _SECONDS[found[2]]
    if seconds > _LONGEST:
        raise ValueError("is longer than 100 years: shorten it")
    return dt.timedelta(seconds=seconds)


def format_duration(length: dt.timedelta) -> str:
    """Write it so that `parse_duration` reads it back, in the largest unit that fits exactly."""
    seconds = round(length.total_seconds())
    for unit in "wdhm":
        if seconds and seconds % _SECONDS[unit] == 0:
            return f"{seconds // _SECONDS[unit]}{unit}"
    return f"{seconds}s"
