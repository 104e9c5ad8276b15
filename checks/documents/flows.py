"""How many documents went to and came from whom: counts by day, partner and kind, no document.

They stand in the details of rows, so that statistics can be made long after the details are gone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable

from checks.documents.agencies import Directory

CELLS = 5000
"""Counts of one row; what is beyond is summed under `OTHERS`, never left out."""
OTHERS = "*"
"""Partners, or kinds, that are not told apart."""

Flow = tuple[dt.date, str, str, str]
"""Day, partner's code, kind of document, result."""

_CODE = re.compile(r"(?=.*\d)[0-9A-Z][0-9A-Z._-]{0,39}")


def flows_of(found: Iterable[Flow], limit: int = CELLS) -> dict[str, dict[str, int]]:
    """`{day: {"PARTNER KIND RESULT": count}}`; the smallest counts give way when there are many."""
    counts = Counter(found)
    kept: Counter[Flow] = Counter()
    for n, (flow, count) in enumerate(sorted(counts.items(), key=lambda c: (-c[1], c[0]))):
        day, _, _, result = flow
        kept[flow if n < limit else (day, OTHERS, OTHERS, result)] += count
    days: dict[str, dict[str, int]] = {}
    for (day, partner, kind, result), count in sorted(kept.items()):
        days.setdefault(day.isoformat(), {})[f"{partner} {kind} {result}"] = count
    return days


def partner_code(code: str, directory: Directory) -> str:
    """A code that may be shown: the directory's, or one that looks like a code and no name."""
    known = directory.code(code)
    if known:
        return known
    plain = code.strip().upper()
    return plain if _CODE.fullmatch(plain) else OTHERS
