"""What remains of a row about documents when its time is over: counts, no line and no document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

PREFIX = "documents."
"""Ids of the checks whose details end."""
EXPIRED = "expired"
"""The key that says when the rest was removed."""
REMEMBERED = "documents.mail"
"""Kind of the memories of what came of a mail log."""
MARKS = "documents.mail-mark"
"""Kind of those that say from where on the next scan asks for it; small."""
LINES_CHANGED = "lines_changed"
"""What a mail log's report says besides when lines that had been read were changed or gone."""

_WORDS = frozenset({"source", "target_source", "directive", "first", "last", "period"})
"""Keys whose texts name no document: of a source, its days, the unit's own target."""
_DEEPEST = 3


def expired(detail: Mapping[str, Any], now: dt.datetime) -> dict[str, Any]:
    """The numbers of a detail and whose they are; every list, place, number and hash is gone.

    A detail that has ended stays as it is.
    """
    if EXPIRED in detail:
        return dict(detail)
    kept = {key: value for key, value in detail.items() if _stays(key, value)}
    return {**kept, EXPIRED: now.isoformat()}


def _stays(key: str, value: object) -> bool:
    return key in _WORDS or _is_figure(value, _DEEPEST)


def _is_figure(value: object, depth: int) -> bool:
    """A number, or a table of numbers by name."""
    if value is None or isinstance(value, bool | int | float):
        return True
    if isinstance(value, Mapping) and depth:
        return all(_is_figure(each, depth - 1) for each in value.values())
    return False
