"""Which accepted risk covers which row, and until when."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from inventory.model import Inventory, Waiver
from inventory.waivers import Row, covers, find_waiver

END = dt.date(2026, 12, 31)
DAY = dt.timedelta(days=1)


def waiver(**changes: Any) -> Waiver:
    values: dict[str, Any] = {
        "check": "backup.offsite",
        "target": "ya",
        "unit": "a",
        "reason": "r",
        "document": "d",
        "approved_by": "p",
        "owner": "o",
        "until": END,
    }
    return Waiver(**(values | changes))


def found(*waivers: Waiver, on: dt.date = END, **row: Any) -> Waiver | None:
    values: dict[str, Any] = {
        "check": "backup.offsite",
        "unit": "a",
        "system": "ya",
        "target": "s1",
        "subject": "db",
    }
    return find_waiver(Inventory(waivers=waivers), **(values | row), on=on)


@pytest.mark.parametrize(
    ("on", "holds"), [(END - DAY, True), (END, True), (END + DAY, False), (dt.date.min, True)]
)
def test_it_holds_through_its_last_day(on: dt.date, holds: bool) -> None:
    assert (found(waiver(), on=on) is not None) == holds


@pytest.mark.parametrize(
    ("target", "row", "covered"),
    [
        ("ya", {}, True),
        ("ya/db", {}, True),
        ("ya/other", {}, False),
        ("ya/db", {"subject": ""}, False),
        ("s1", {}, True),
        ("s1", {"target": "s2"}, False),
        ("cloud", {"target": "cloud"}, True),
        ("*", {}, True),
        ("*", {"system": None, "target": "a", "subject": ""}, True),
        # A unit's id means its own rows; `*` is the word for everything of it.
        ("a", {}, False),
        ("a", {"system": None, "target": "a", "subject": ""}, True),
        ("yb", {}, False),
        ("s*", {}, False),
        ("None", {"system": None, "subject": ""}, False),
    ],
)
def test_targets(target: str, row: dict[str, Any], covered: bool) -> None:
    assert (found(waiver(target=target), **row) is not None) == covered


@pytest.mark.parametrize(
    ("check", "covered"),
    [
        ("backup.offsite", True),
        ("backup.*", True),
        ("*", True),
        ("backup.off", False),
        ("security.*", False),
        ("Backup.Offsite", False),
        ("backup.[op]*", True),
    ],
)
def test_check_patterns(check: str, covered: bool) -> None:
    assert (found(waiver(check=check)) is not None) == covered


def test_it_reaches_no_other_unit() -> None:
    assert found(waiver(unit="b", target="*")) is None
    assert found(waiver(unit="b", target="ya")) is None
    row = Row("backup.offsite", "a", "ya", "s1", "db")
    assert covers(waiver(), row, END)
    assert not covers(waiver(unit="b"), row, END)


def test_the_one_that_holds_longest_wins() -> None:
    short, long = waiver(until=END - DAY, reason="short"), waiver(reason="long", target="*")
    again = waiver(reason="again", target="s1")
    assert found(short, long, on=END - DAY) == long
    assert found(long, short, again, on=END - DAY) == long
    assert found(waiver(until=END + DAY, check="security.*"), short, on=END - DAY) == short


def test_another_inventory_has_its_own_waivers() -> None:
    for reason in "xyz" * 10:
        mine = found(waiver(reason=reason))
        assert mine is not None
        assert mine.reason == reason
