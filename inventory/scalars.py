"""Scalars of strict YAML to values: what a plain word would mean to YAML is never guessed at.

Every reader takes the text and whether it stands without quotes, and returns the value or raises
ValueError with a message that names the remedy.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from inventory.problems import did_you_mean, shown

Read = Callable[[str, bool], object]

# What YAML 1.1 or 1.2 takes for something else than text when it stands without quotes.
_NUMBER = re.compile(
    r"[-+]?(0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[0-9][0-9_]*(\.[0-9_]*)?([eE][-+]?[0-9]+)?"
    r"|\.[0-9][0-9_]*([eE][-+]?[0-9]+)?|[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?"
    r"|\.(inf|Inf|INF))|\.(nan|NaN|NAN)"
)
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?")
_TRUTHS = frozenset(["yes", "true", "on", "no", "false", "off"])
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})(\.[0-9]{1,17})?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_SUSPECT = frozenset("0123456789+-.~yYnNtTfFoO")


def meaning(text: str) -> str:
    """What YAML takes an unquoted word for: a number, a date, true or false, nothing, or ''."""
    if not text:
        return "nothing"
    if text[0] not in _SUSPECT or len(text) > 200:
        return ""
    if text == "~" or text.lower() == "null":
        return "nothing"
    if text.lower() in _TRUTHS:
        return "true or false"
    if _NUMBER.fullmatch(text):
        return "a number"
    return "a date" if _MOMENT.fullmatch(text) else ""


def read_text(text: str, plain: bool) -> str:
    """Text. An unquoted word that YAML takes for a number, date or truth value is refused."""
    if plain and (sense := meaning(text)):
        if sense == "nothing":
            raise ValueError("is empty: fill it in or remove the key")
        quoted = f'"{shown(text)[1:-1]}"'
        raise ValueError(f"without quotes YAML reads {sense}: put it in quotes, like {quoted}")
    if not text.isprintable() and _CONTROL.search(text):
        raise ValueError("holds control characters: remove them")
    return text


def read_int(text: str, plain: bool) -> int:
    """A whole number in decimal digits, at most 18 of them."""
    if not plain and _INTEGER.fullmatch(text):
        raise ValueError(f"expected a whole number: write {text} without quotes")
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"expected a whole number like 12, not {_what(text, plain)}")
    return int(text)


def read_float(text: str, plain: bool) -> float:
    """A number in decimal notation."""
    if not plain or not _DECIMAL.fullmatch(text):
        raise ValueError(f"expected a number like 12 or 0.5, not {_what(text, plain)}")
    return float(text)


def read_bool(text: str, plain: bool) -> bool:
    """`true` or `false`; yes, no, on and off are refused, because YAML versions differ there."""
    word = text.lower()
    if not plain or word not in ("true", "false"):
        raise ValueError(f"expected true or false, without quotes, not {_what(text, plain)}")
    return word == "true"


def read_none(text: str, plain: bool) -> None:
    """An empty value, `~` or `null`."""
    if not plain or meaning(text) != "nothing":
        raise ValueError(f"expected nothing, not {_what(text, plain)}")


def read_date(text: str, plain: bool) -> dt.date:
    """A day as YYYY-MM-DD, quoted or not."""
    if not _DAY.fullmatch(text):
        raise ValueError(f"expected a date as YYYY-MM-DD, not {_what(text, plain)}")
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no such day as {text}: correct it") from None


def choice(values: tuple[object, ...]) -> Read:
    """A reader of one of several words or whole numbers."""
    by_text = {str(v): v for v in values}
    numbers = all(isinstance(v, int) for v in values)
    listed = ", ".join(by_text)

    def read(text: str, plain: bool) -> object:
        if text not in by_text:
            near = did_you_mean(text, by_text)
            raise ValueError(f"{_what(text, plain)} is not one of: {listed}{near}")
        if numbers and not plain:
            raise ValueError(f"expected a whole number: write {text} without quotes")
        return by_text[text]

    return read


def plain_value(text: str, plain: bool) -> object:
    """The value that YAML's core schema gives: null, true, false, a number or text."""
    sense = meaning(text) if plain else ""
    if sense == "nothing":
        return None
    if sense == "true or false":
        return read_bool(text, plain)
    if sense == "a number":
        return read_int(text, plain) if _INTEGER.fullmatch(text) else read_float(text, plain)
    return text if sense else read_text(text, plain)


def _what(text: str, plain: bool) -> str:
    return "nothing" if plain and meaning(text) == "nothing" else shown(text)
