"""Working days: Saturdays, Sundays and the public holidays of Viet Nam are none."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib import resources

import msgspec
import yaml

from checks.evidence import Value
from inventory.model import Inventory


class Holiday(Value, frozen=True, forbid_unknown_fields=True):
    """Days off for one reason, from `holidays.yaml`; `worked` are the days worked in exchange."""

    days: tuple[dt.date, ...]
    name: dict[str, str]
    source: str
    certain: bool
    """Whether the law or an announcement was read that says so."""
    worked: tuple[dt.date, ...] = ()


@cache
def public_holidays() -> tuple[Holiday, ...]:
    """The holidays that the program knows, in order."""
    text = resources.files("checks.documents").joinpath("holidays.yaml").read_text("utf-8")
    return msgspec.convert(yaml.safe_load(text), tuple[Holiday, ...])


class Calendar(Value, frozen=True):
    """Which days offices work; everything not named goes by the day of the week."""

    off: frozenset[dt.date] = frozenset()
    worked: frozenset[dt.date] = frozenset()

    @classmethod
    def of(cls, inventory: Inventory) -> Calendar:
        """The public holidays, with what the settings add or take away."""
        known = public_holidays()
        off = {d for h in known for d in h.days} | set(inventory.holidays)
        worked = {d for h in known if h.certain for d in h.worked} - set(inventory.holidays)
        said = frozenset(inventory.working_days)
        return cls(off=frozenset(off) - said, worked=frozenset(worked) | said)

    def works(self, day: dt.date) -> bool:
        """Whether it is a working day."""
        return day in self.worked or (day.weekday() < 5 and day not in self.off)

    def after(self, day: dt.date, count: int) -> dt.date:
        """The day `count` working days later; with 0 the day itself."""
        while count > 0:
            day += dt.timedelta(days=1)
            count -= self.works(day)
        return day

    def between(self, first: dt.date, last: dt.date) -> int:
        """How many working days lie after `first`, up to and with `last`; 0 when it is earlier."""
        days = (last - first).days
        return sum(self.works(first + dt.timedelta(days=n)) for n in range(1, days + 1))


WEEKS = Calendar()
"""Nothing but Saturdays and Sundays."""
