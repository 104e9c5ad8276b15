"""What file names and sizes give away: dates, half-written files, companions, empty archives."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

import msgspec

_DATE = (
    r"(?P<y>(?:19|20)\d\d)(?P<s>[-_.]?)(?P<m>0[1-9]|1[0-2])(?P=s)(?P<d>0[1-9]|[12]\d|3[01])"
    r"|(?P<d2>0[1-9]|[12]\d|3[01])(?P<s2>[-_.])(?P<m2>0[1-9]|1[0-2])(?P=s2)(?P<y2>(?:19|20)\d\d)"
)
_TIME = (
    r"(?:(?:T|[-_. ]{1,2}|_at_|-at-)(?P<H>[01]\d|2[0-3])(?P<t>[-_.:h]?)(?P<M>[0-5]\d)"
    r"(?:(?P=t)m?(?P<S>[0-5]\d))?(?:[.,]\d{1,9})?(?P<z>Z|[+-][01]\d:?[0-5]\d|_?UTC)?)?"
)
_STAMP = re.compile(rf"(?<!\d)(?:{_DATE}){_TIME}(?!\d)", re.ASCII)
_COMPACT = re.compile(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)(?P<H>\d\d)(?P<M>\d\d)(?P<S>\d\d)?(?!\d)",
    re.ASCII,
)
_EPOCH = re.compile(r"(?<!\d)1\d{9}(?!\d)", re.ASCII)
_NUMBER = re.compile(r"\d{3,}", re.ASCII)
_HASH = re.compile(r"(?<![0-9a-z])(?=[a-f]*\d)[0-9a-f]{8,}(?![0-9a-z])", re.ASCII)
_WEEKDAY = re.compile(
    r"(?<![a-z])(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?(?![a-z])",
    re.ASCII | re.IGNORECASE,
)

_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".checkpoint")
_RSYNC = re.compile(r"\.(.+)\.[A-Za-z0-9]{6}")
_COMPANIONS = (
    ".md5",
    ".md5sum",
    ".sha1",
    ".sha256",
    ".sha256sum",
    ".sha512",
    ".sig",
    ".asc",
    ".log",
    ".sums",
)
_EMPTY = {".gz": 20, ".tgz": 20, ".zst": 13, ".xz": 32, ".txz": 32, ".bz2": 14}
"""Largest size of an archive with nothing in it, in bytes (measured with the usual programs)."""
_LARGEST_EMPTY = max(_EMPTY.values())


class Named(msgspec.Struct, frozen=True):
    """A date in a name. `time` is aware when the name says its zone, else naive.

    `whole_day` means that the name gives no time of day; `time` is then midnight.
    """

    time: dt.datetime
    whole_day: bool = False


def base(path: str) -> str:
    """The last component of a path or key."""
    return path.rstrip("/").rpartition("/")[2]


def date_in(name: str) -> Named | None:
    """The last date of a name (`db-20261122T0200Z.gz`, `22-11-2026`, `…_1763690400_…`), or None."""
    found: Named | None = None
    for named in _dates(name):
        # A name such as base-2025-01-01_inc-2026-11-22 says when it was made at its end; a date
        # with a time of day is worth more than one without.
        if found is None or found.whole_day or not named.whole_day:
            found = named
    return found


def _dates(name: str) -> Iterator[Named]:
    for match in _EPOCH.finditer(name):
        yield Named(dt.datetime.fromtimestamp(int(match[0]), dt.UTC))
    for pattern in (_COMPACT, _STAMP):
        for match in pattern.finditer(name):
            named = _read(match.groupdict())
            if named is not None:
                yield named


def _read(part: dict[str, str | None]) -> Named | None:
    year, month, day = (part.get(k) or part.get(f"{k}2") or "0" for k in "ymd")
    hour = part.get("H")
    try:
        time = dt.datetime(  # noqa: DTZ001 - naive on purpose: the name says no zone
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(part.get("M") or 0),
            int(part.get("S") or 0),
        )
    except ValueError:
        return None
    zone = part.get("z")
    if zone:
        time = time.replace(tzinfo=_offset(zone))
    return Named(time, whole_day=hour is None)


def _offset(text: str) -> dt.timezone:
    if text[0] not in "+-":
        return dt.UTC
    sign = -1 if text[0] == "-" else 1
    hours, minutes = int(text[1:3]), int(text[-2:])
    return dt.timezone(sign * dt.timedelta(hours=hours, minutes=minutes))


def is_companion(name: str) -> bool:
    """Whether a file only goes with points (checksums, signatures, logs), or is hidden."""
    low = base(name).lower()
    return low.endswith(_COMPANIONS) or (low.startswith(".") and not is_unfinished(name))


def is_unfinished(name: str) -> bool:
    """Whether the name says that the file is still being written."""
    low = base(name)
    return low.lower().endswith(_UNFINISHED) or _RSYNC.fullmatch(low) is not None


def is_empty(name: str, size: int) -> bool:
    """Whether a file of this size holds nothing: zero bytes, or an archive of an empty stream."""
    if size > _LARGEST_EMPTY:
        return False
    low = base(name).lower()
    ending = "." + low.rpartition(".")[2]
    return size <= _EMPTY.get(ending, 0)


def group_of(name: str) -> str:
    """The name without dates, weekdays, hashes and running numbers: what makes copies alike."""
    text = base(name)
    for pattern in (_EPOCH, _COMPACT, _STAMP, _HASH, _NUMBER, _WEEKDAY):
        text = pattern.sub("#", text)
    return text
