"""The words of the reports: one file per language, chosen by key, with numbers and dates."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from checks import texts
from checks.texts import LANGUAGES, clean

MINUS = "−"
_LONGEST = 2000


@cache
def load(language: str) -> Mapping[str, Any]:
    """Every word of a language by key; an unknown language is a ValueError."""
    if language not in LANGUAGES:
        raise ValueError(f"no such language: {language!r}; there are {', '.join(LANGUAGES)}")
    file = resources.files("reports").joinpath("locale", f"{language}.yaml")
    found: Mapping[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return found


class Words:
    """The words, numbers and dates of one language in one time zone."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self.zone = zone
        self._words = load(language)

    def __call__(self, key: str, **values: object) -> str:
        """The phrase of a key; numbers are grouped, `n` chooses between `one` and `other`."""
        phrase = self._words[key]
        if not isinstance(phrase, str):
            phrase = phrase["one" if values.get("n") == 1 else "other"]
        shown = {k: self.show(v) for k, v in values.items()}
        return str(phrase.format_map(shown)) if shown else str(phrase)

    def has(self, key: str) -> bool:
        """Whether there is a phrase for a key."""
        return key in self._words

    def show(self, value: object) -> str:
        """A value as text: whole numbers grouped, days and moments as the language writes them."""
        if isinstance(value, dt.datetime):
            return self.moment(value)
        if isinstance(value, dt.date):
            return self.day(value)
        if isinstance(value, int | float):
            return self.number(value)
        return clean(str(value), _LONGEST)

    def number(self, value: float) -> str:
        """`1.234,5` or `1,234.5`; a real minus sign."""
        if float(value).is_integer():
            value = int(value)
        return texts.number(value, self.language).replace("-", MINUS)

    def day(self, value: dt.date) -> str:
        """The whole date."""
        return texts.day(value, self.language)

    def short_day(self, value: dt.date) -> str:
        """Day and month."""
        return self.day(value).rsplit("/" if self.language == "vi" else " ", 1)[0]

    def date_of(self, value: dt.datetime) -> dt.date:
        """The calendar day of a moment in the report's zone."""
        return value.astimezone(self.zone).date()

    def moment(self, value: dt.datetime) -> str:
        """Time and day in the report's zone."""
        return texts.moment(value, self.language, self.zone)

    def clock(self, value: dt.datetime) -> str:
        """The time of day in the report's zone."""
        return f"{value.astimezone(self.zone):%H:%M}"

    def duration(self, seconds: float) -> str:
        """A length of time in its two largest parts."""
        return texts.duration(seconds, self.language)

    def size(self, count: float) -> str:
        """Bytes in decimal units."""
        return texts.size(count, self.language)

    def share(self, share: float | None) -> str:
        """Whole percent, 0 and 100 only when exact; a dash word when nothing applies."""
        return self("nothing") if share is None else texts.percent(share)

    def change(self, n: int) -> str:
        """A change in words and a sign, never a sign alone."""
        if n == 0:
            return self("change_none")
        return self("change_up" if n > 0 else "change_down", n=abs(n))

    def due(self, day: dt.date, overdue: int) -> str:
        """The due day seen from now: overdue, today, or the day itself."""
        if overdue > 0:
            return self("overdue_days", n=overdue)
        return self("due_today") if overdue == 0 else self("due_on", day=self.short_day(day))
