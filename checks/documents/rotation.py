"""Which file of a rotated log is missing, by the names of the others."""

from __future__ import annotations

import datetime as dt
import itertools
import re
from collections.abc import Iterable
from statistics import median_low

_PACKED = re.compile(r"\.(?:gz|xz|bz2|zst)$")
_NUMBERED = re.compile(r"^(.*\D)\.(\d{1,4})$")
_DATED = re.compile(r"^(.*?)[-._]?((?:19|20)\d\d)-?(\d\d)-?(\d\d)(\D*)$")
_FEWEST = 3
"""Dated files from which a rhythm can be told."""


def missing_files(names: Iterable[str]) -> tuple[str, ...]:
    """The names that should stand between the first and the last file of each log.

    >>> missing_files(["/var/log/mail.log", "/var/log/mail.log.1", "/var/log/mail.log.3.gz"])
    ('/var/log/mail.log.2',)
    """
    numbered: dict[str, set[int]] = {}
    dated: dict[tuple[str, str], set[dt.date]] = {}
    plain_names = {_PACKED.sub("", name) for name in names}
    for plain in plain_names:
        if found := _NUMBERED.match(plain):
            numbered.setdefault(found[1], set()).add(int(found[2]))
        elif found := _DATED.match(plain):
            day = _day(found[2], found[3], found[4])
            if day is not None:
                dated.setdefault((found[1], found[5]), set()).add(day)
    lacking = [
        f"{stem}.{n}"
        for stem, seen in sorted(numbered.items())
        # The log in use stands before number 1, or before number 0 where that is the custom.
        for n in range(1 if stem in plain_names and 0 not in seen else min(seen), max(seen))
        if n not in seen
    ]
    for (stem, _), days in sorted(dated.items()):
        lacking += [f"{stem}-{day:%Y%m%d}" for day in _lacking_days(days)]
    return tuple(lacking)


def _day(year: str, month: str, day: str) -> dt.date | None:
    try:
        return dt.date(int(year), int(month), int(day))
    except ValueError:
        return None


def _lacking_days(days: set[dt.date]) -> list[dt.date]:
    """The days on which a file should have been rotated, by the usual step between the others."""
    seen = sorted(days)
    steps = [(b - a).days for a, b in itertools.pairwise(seen)]
    if len(seen) < _FEWEST:
        return []
    step = dt.timedelta(days=median_low(steps))
    lacking: list[dt.date] = []
    for a, b in itertools.pairwise(seen):
        due = a + step
        # Half a step is leeway: rotation is skipped when a log is empty or a host was off.
        while (b - due) * 2 >= step:
            lacking.append(due)
            due += step
    return lacking
