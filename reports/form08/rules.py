"""What Form 08 says, read once from `form.yaml`: its period, its words and its fixed values."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import yaml

from checks.texts import LANGUAGES


class DayOfYear(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A day of every year."""

    month: int
    day: int

    def of(self, year: int) -> dt.date:
        """That day of one year."""
        return dt.date(year, self.month, self.day)


class Law(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When the report is due and what it covers; `due` by who sends it: `unit` or `owner`."""

    source: str
    in_force: dt.date
    legal_basis: int
    closes: DayOfYear
    first_year: int
    due: dict[str, DayOfYear]
    addressee: str


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file: `form` are the form's own words, `words` ours by language and key."""

    law: Law
    form: dict[str, Any]
    words: dict[str, dict[str, str]]


@cache
def page() -> Page:
    """Everything that `form.yaml` says."""
    text = resources.files("reports.form08").joinpath("form.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Page)


def law() -> Law:
    """The rules of the report."""
    return page().law


def form(key: str, **values: object) -> str:
    """One phrase of the form, in Vietnamese."""
    return str(page().form[key]).format_map({k: str(v) for k, v in values.items()})


def table(key: str) -> dict[str, str]:
    """The phrases of the form below one key: `figures`, `states`, `plans`, `inspections`."""
    found: dict[str, str] = page().form[key]
    return found


def listed(key: str) -> list[str]:
    """The phrases of a list of the form: `columns`, `owner_fields`, `security_unit_fields`."""
    found: list[str] = page().form[key]
    return found


class Words:
    """Our own words beside the form, in one language."""

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ValueError(f"no such language: {language!r}; there are {', '.join(LANGUAGES)}")
        self._words = page().words[language]
        self.language = language

    def __call__(self, key: str, **values: object) -> str:
        """The phrase of a key; days are written as Decree 30 has them."""
        shown = {k: day(v) if isinstance(v, dt.date) else str(v) for k, v in values.items()}
        return self._words[key].format_map(shown)


def day(value: dt.date) -> str:
    """`03/9/2026`, `01/02/2026`: Decree 30 has a leading 0 for days under 10 and months 1 and 2."""
    return f"{value:%d}/{month(value)}/{value.year}"


def month(value: dt.date) -> str:
    """The month as Decree 30 writes it."""
    return f"{value.month:02d}" if value.month <= 2 else str(value.month)


def long_day(value: dt.date) -> str:
    """`15 tháng 12 năm 2025`, to follow the word `ngày`."""
    return f"{value:%d} tháng {month(value)} năm {value.year}"
