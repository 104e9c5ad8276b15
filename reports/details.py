"""Reading the details of results: optional, of any shape, and never trusted.

A detail came through JSON from a check of any version. What is absent or of the wrong type is
left out; nothing here raises.
"""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from checks.results import Result
from checks.texts import clean, percent
from reports.model import Fact
from reports.model_backup import Count, Strip
from reports.words import Words

SLOT_STATES = ("kept", "late", "suspect", "missed", "unknown", "pending")
_MOST_SLOTS = 62
_MOST_SIZES = 60
_MOST_REACHED = 8
_SANE = 1e18


def number(detail: Mapping[str, Any], key: str) -> float | None:
    """A finite number, or None."""
    value = detail.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # An integer of any length is legal JSON, and comparing needs no conversion to a float.
    return float(value) if -_SANE < value < _SANE and not math.isnan(value) else None


def moment(value: object) -> dt.datetime | None:
    """An aware moment from RFC 3339, or None."""
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = dt.datetime.fromisoformat(value)
        return found.astimezone(dt.UTC) if found.tzinfo else None
    except (ValueError, OverflowError):
        return None


def pairs(detail: Mapping[str, Any], key: str) -> list[tuple[dt.datetime, Any]]:
    """A list of `[moment, value]` pairs in the order of time, malformed ones left out."""
    value = detail.get(key)
    if not isinstance(value, list | tuple):
        return []
    found = []
    for item in value:
        if isinstance(item, list | tuple) and len(item) == 2:
            when = moment(item[0])
            if when is not None:
                found.append((when, item[1]))
    return sorted(found, key=lambda p: p[0])


def strip(detail: Mapping[str, Any]) -> Strip | None:
    """The slots of `backup.periodic`, newest right; a state we do not know is unknown."""
    found = [
        (when, state if state in SLOT_STATES else "unknown")
        for when, state in ((w, s if isinstance(s, str) else "") for w, s in pairs(detail, "slots"))
    ][-_MOST_SLOTS:]
    if not found:
        return None
    counts = Counter(state for _, state in found)
    return Strip(
        slots=tuple(found),
        counts=tuple(Count(key=s, n=counts[s]) for s in SLOT_STATES if counts[s]),
    )


def sizes(detail: Mapping[str, Any]) -> tuple[float, ...]:
    """Sizes of `backup.size-plausible`, oldest first, in bytes."""
    found = (number({"n": size}, "n") for _, size in pairs(detail, "sizes"))
    return tuple(s for s in found if s is not None and s >= 0)[-_MOST_SIZES:]


def facts(row: Result, words: Words) -> tuple[Fact, ...]:
    """The figures of a row that have a label, each as text."""
    found = []
    for key, form in _FORMS.items():
        if key in row.detail:
            text = form(row.detail, key, words)
            if text:
                found.append(Fact(key=key, text=text))
    return tuple(found)


Form = Callable[[Mapping[str, Any], str, Words], str]


def _time(detail: Mapping[str, Any], key: str, words: Words) -> str:
    value = detail.get(key)
    when = moment(value)
    if when is not None:
        return words.moment(when)
    try:
        return words.day(dt.date.fromisoformat(value)) if isinstance(value, str) else ""
    except ValueError:
        return ""


def _length(detail: Mapping[str, Any], key: str, words: Words) -> str:
    value = number(detail, key)
    return "" if value is None else words.duration(value)


def _promised(detail: Mapping[str, Any], key: str, words: Words) -> str:
    if detail.get("workdays") is True:
        return words("backup_workdays")
    return _length(detail, key, words)


def _number(detail: Mapping[str, Any], key: str, words: Words) -> str:
    value = number(detail, key)
    return "" if value is None else words.number(value)


def _share(detail: Mapping[str, Any], key: str, _: Words) -> str:
    value = number(detail, key)
    return "" if value is None or not 0 <= value <= 1 else percent(value)


def _text(detail: Mapping[str, Any], key: str, _: Words) -> str:
    value = detail.get(key)
    return clean(value, 120) if isinstance(value, str) else ""


def _reached(detail: Mapping[str, Any], key: str, words: Words) -> str:
    """How many documents went to how many mailboxes, by recipient; a limited number of them."""
    value = detail.get(key)
    entries = (
        [e for e in value if isinstance(e, Mapping)] if isinstance(value, list | tuple) else []
    )
    said = []
    for entry in entries:
        documents, boxes = number(entry, "documents"), number(entry, "mailboxes")
        recipient = _text(entry, "recipient", words)
        if documents and boxes and min(documents, boxes) > 0 and recipient:
            form = "reached_entry_least" if entry.get("more") is True else "reached_entry"
            said.append(words(form, documents=documents, mailboxes=boxes, recipient=recipient))
    if len(said) > _MOST_REACHED or len(entries) < (number(detail, "total_reached") or 0):
        said = [*said[:_MOST_REACHED], "…"]
    return "; ".join(said)


_FORMS: dict[str, Form] = {
    "newest": _time,
    "age": _length,
    "promised": _promised,
    "due": _time,
    "expected": _number,
    "kept": _number,
    "missed": _number,
    "longest_gap": _length,
    "numerator": _number,
    "denominator": _number,
    "coverage": _share,
    "period": _text,
    "level": _number,
    "decision": _text,
    "approved": _time,
    "reviewed": _time,
    "skew": _length,
    "reached": _reached,
}
