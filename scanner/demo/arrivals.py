"""What came in to a unit of the demo: on the gateway, and in its incoming register."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from random import Random

import msgspec

from scanner.demo.papers import Body, body_of, working_days
from scanner.demo.plot import DocsStory, UnitPlot

RECEIVED = ("Id", "From", "ContentLength", "ContentSha256", "CreatedTime", "Notation", "Status")
INCOMING = (
    "Ngày đến",
    "Số đến",
    "Tác giả",
    "Số, ký hiệu",
    "Ngày tháng",
    "Tên loại và trích yếu nội dung",
    "Đơn vị hoặc người nhận",
    "Ngày chuyển",
    "Ký nhận",
    "Ghi chú",
)
_TYPES = ("TB", "KH", "CV", "GM")
_SKIPPED = 10
"""Rows before the one that skips a number; never the first of a year, of which nobody could tell.
"""


class Arrival(msgspec.Struct, frozen=True):
    """One document of another body; `delivered` is aware."""

    number: int
    sign: str
    sender: Body
    delivered: dt.datetime
    entered: bool

    @property
    def notation(self) -> str:
        """Number and sign."""
        return f"{self.number:02}/{self.sign}"


def arrivals(
    unit: UnitPlot, bodies: Sequence[Body], now: dt.datetime, random: Random
) -> tuple[Arrival, ...]:
    """What reached a unit, oldest first; a quarter was never registered when that is its story."""
    others = [body for body in bodies if body.code != body_of(unit.place).code]
    forgetful = unit.docs.story is DocsStory.NOT_ENTERED
    number = random.randint(300, 900)
    found = []
    for at, day in enumerate(working_days(now.date())):
        number += random.randint(1, 9)
        sender, kind = random.choice(others), random.choice(_TYPES)
        hour = dt.time(random.randint(8, 15), random.randint(0, 59), tzinfo=now.tzinfo)
        found.append(
            Arrival(
                number=number,
                sign=sender.sign if kind == "CV" else f"{kind}-{sender.sign}",
                sender=sender,
                delivered=dt.datetime.combine(day, hour),
                entered=not (forgetful and at % 4 == 1),
            )
        )
    return tuple(found)


def received_rows(found: Sequence[Arrival], random: Random) -> list[tuple[str, ...]]:
    """The gateway's list of what it delivered."""
    return [
        (
            f"{random.getrandbits(64):016x}",
            arrival.sender.code,
            str(random.randint(90_000, 900_000)),
            f"{random.getrandbits(256):064x}",
            f"{arrival.delivered:%Y-%m-%d %H:%M:%S}",
            arrival.notation,
            "done",
        )
        for arrival in found
    ]


def incoming_rows(found: Sequence[Arrival], *, skips: bool) -> list[tuple[str, ...]]:
    """The incoming register; arrival numbers run on through the year, or skip one."""
    rows: list[tuple[str, ...]] = []
    given: Counter[int] = Counter()
    for arrival in (a for a in found if a.entered):
        day = f"{arrival.delivered:%d/%m/%Y}"
        if skips and len(rows) >= _SKIPPED and given[arrival.delivered.year]:
            given[arrival.delivered.year] += 1
            skips = False
        given[arrival.delivered.year] += 1
        rows.append(
            (
                day,
                str(given[arrival.delivered.year]),
                arrival.sender.name,
                arrival.notation,
                day,
                f"Văn bản đến mô phỏng số {arrival.number}",
                "Văn phòng",
                day,
                "",
                "",
            )
        )
    return rows
