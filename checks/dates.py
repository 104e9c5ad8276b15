"""Dates and times as people and programs write them in tables."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

_DMY = re.compile(r"(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})(?!\d)")
_YMD = re.compile(r"((?:19|20)\d\d)[/.\-](\d{1,2})[/.\-](\d{1,2})(?!\d)")
_WORDS = re.compile(r"(\d{1,2})\s*TH[AÁ]NG\s*(\d{1,2})\s*N[AĂ]M\s*(\d{4})")
_CLOCK = re.compile(
    r"[ T,]\s*(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*([AP]M|SA|CH)?"
    r"\s*(Z|[+-]\d\d:?\d\d)?$"
)
_SERIAL = re.compile(r"\d{5}(?:[.,]\d+)?$")
_EPOCH = re.compile(r"\d{10}(?:\d{3})?$")
_SERIAL_ZERO = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's day zero has no zone
_SERIALS = (20000.0, 80000.0)
"""1954 to 2119: other five-digit cells are not dates."""
_YEARS = (1900, 2199)
"""A slip of the pen beyond these (`01/01/9999`) is no date."""


def bare(cell: str) -> str:
    """A cell without what spreadsheets put around text: `'0123`, `="0123"`, spaces."""
    text = cell.strip()
    if text[:1].isalnum() and text[-1:].isalnum():
        return text  # nearly every cell: nothing is around it
    text = text.strip("\ufeff\u200b\xa0 ")
    if text.startswith('="') and text.endswith('"'):
        text = text[2:-1]
    return text.removeprefix("'").strip()


def read_date(cell: str) -> dt.date | None:
    """A day: dd/mm/yyyy, ISO, `ngày 5 tháng 10 năm 2026`, a spreadsheet serial; else None."""
    found = _local(bare(cell))
    return found.date() if found else None


def read_time(cell: str, zone: ZoneInfo) -> dt.datetime | None:
    """A moment in UTC; without an offset it is in `zone`. A day alone is its midnight."""
    text = bare(cell)
    if _EPOCH.match(text):
        return dt.datetime.fromtimestamp(int(text[:10]), dt.UTC)
    local = _local(text)
    if local is None:
        return None
    clock = _CLOCK.search(text.upper())
    offset = clock[5] if clock else None
    try:
        if offset:
            sign = dt.datetime.strptime(offset.replace("Z", "+0000"), "%z").tzinfo
            return local.replace(tzinfo=sign).astimezone(dt.UTC)
        return local.replace(tzinfo=zone).astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def has_clock(cell: str) -> bool:
    """Whether a cell gives a time of day, not only a day."""
    text = bare(cell).upper()
    if _SERIAL.match(text):
        return float(text.replace(",", ".")) % 1 != 0
    return bool(_EPOCH.match(text) or _CLOCK.search(text))


def _local(text: str) -> dt.datetime | None:
    try:
        if _SERIAL.match(text):
            serial = float(text.replace(",", "."))
            if not _SERIALS[0] <= serial <= _SERIALS[1]:
                return None
            return (_SERIAL_ZERO + dt.timedelta(days=serial)).replace(microsecond=0)
        upper = text.upper()
        if found := _YMD.search(upper):
            day = dt.datetime(int(found[1]), int(found[2]), int(found[3]))  # noqa: DTZ001
        elif found := _DMY.search(upper) or _WORDS.search(upper):
            year = int(found[3]) + (2000 if len(found[3]) == 2 else 0)
            day = dt.datetime(year, int(found[2]), int(found[1]))  # noqa: DTZ001
        else:
            return None
        if not _YEARS[0] <= day.year <= _YEARS[1]:
            return None
        clock = _CLOCK.search(upper)
        return day + _clock(clock) if clock else day
    except (ValueError, OverflowError):
        return None


def _clock(found: re.Match[str]) -> dt.timedelta:
    hour = int(found[1])
    if found[4] in {"PM", "CH"} and hour < 12:
        hour += 12
    elif found[4] in {"AM", "SA"} and hour == 12:
        hour = 0
    if hour > 23:
        raise ValueError
    return dt.timedelta(hours=hour, minutes=int(found[2]), seconds=int(found[3] or 0))
