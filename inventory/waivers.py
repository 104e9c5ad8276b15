"""Which accepted risk covers a result on a day, and which ones are about to end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import NamedTuple

from inventory.model import Inventory, Waiver


class Row(NamedTuple):
    """What a waiver is matched against: the naming fields of a result."""

    check: str
    unit: str
    system: str | None
    target: str
    subject: str


class _Same:
    """A tuple of waivers as a cache key: equal to itself only, so thousands need no hashing."""

    def __init__(self, waivers: tuple[Waiver, ...]) -> None:
        self.waivers = waivers

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and self.waivers is other.waivers

    def __hash__(self) -> int:
        return id(self.waivers)


# A scan asks once per row, with the same inventory: without the index, rows times waivers.
@lru_cache(maxsize=4)
def _by_unit(key: _Same) -> Mapping[str, tuple[Waiver, ...]]:
    found: dict[str, list[Waiver]] = {}
    for waiver in key.waivers:
        found.setdefault(waiver.unit, []).append(waiver)
    return {unit: tuple(waivers) for unit, waivers in found.items()}


def covers(waiver: Waiver, row: Row, on: dt.date) -> bool:
    """Whether a waiver covers a row on a day (of the project's zone); `until` is included."""
    return (
        on <= waiver.until
        and waiver.unit == row.unit
        and waiver.target in ("*", row.target, row.system, f"{row.system}/{row.subject}")
        and fnmatchcase(row.check, waiver.check)
    )


def pick(waivers: Iterable[Waiver], row: Row, on: dt.date) -> Waiver | None:
    """The waiver that covers a row on a day, the one that holds longest if several do."""
    # max keeps the first of equals, so the order of the file decides and nothing else.
    return max((w for w in waivers if covers(w, row, on)), key=lambda w: w.until, default=None)


def find_waiver(  # noqa: PLR0913 - the naming fields of a result, one by one
    inventory: Inventory,
    *,
    check: str,
    unit: str,
    system: str | None,
    target: str,
    subject: str,
    on: dt.date,
) -> Waiver | None:
    """The waiver that covers one row, or None; `until` is the last day on which it holds."""
    own = _by_unit(_Same(inventory.waivers)).get(unit) if inventory.waivers else None
    if not own:
        return None
    return pick(own, Row(check, unit, system, target, subject), on)
