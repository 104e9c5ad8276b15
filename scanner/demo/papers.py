"""The demo's official correspondence as values: which documents there were and how each travelled.

Wards write to one another, to departments and to the city. Nearly all of it goes through the
document gateway; the story of a unit says what did not.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from random import Random

import msgspec

from scanner.demo.names import Place
from scanner.demo.plot import DocsStory, UnitPlot

PERIOD_DAYS = 45
"""How far back the correspondence reaches."""
_JUDGED = 26
"""Days back from the newest paper that are surely within the judged period."""
_LATE = 4
"""Days after which a paper is later than the next working day and not too late for the axis."""

_CIRCULAR = 9
"""Place from the newest of the paper that goes to a whole group."""
_GROUP, _CLUSTER = "UBND các phường, xã cụm", 6

_TYPES = ("BC", "TTr", "KH", "TB", "QĐ", "GM", "CV")
_DEPARTMENTS = {
    "noivu": "Sở Nội vụ",
    "taichinh": "Sở Tài chính",
    "xaydung": "Sở Xây dựng",
    "yte": "Sở Y tế",
    "khcn": "Sở Khoa học và Công nghệ",
}


class Way(StrEnum):
    """How a document reached one recipient."""

    GATEWAY = "gateway"
    MAIL = "mail"
    """Only by mail: the bypass that the scan must find."""
    COPY = "copy"
    """Through the gateway, and a courtesy copy by mail."""
    POST = "post"
    """By letter only."""
    NOTHING = "nothing"
    """In the register only."""


class Body(msgspec.Struct, frozen=True):
    """A body on the document axis; its code is simulated."""

    code: str
    name: str
    domain: str
    sign: str
    group: str = ""
    """Under which name registers mean it among others."""


class Delivery(msgspec.Struct, frozen=True):
    """One document to one recipient; `sent` is aware."""

    to: Body
    way: Way
    sent: dt.datetime
    received: bool = True
    """A receipt came back."""


class Paper(msgspec.Struct, frozen=True):
    """One outgoing document."""

    number: int
    sign: str
    """`BC-UBND-BĐ`."""
    date: dt.date
    title: str
    deliveries: tuple[Delivery, ...]
    registered: bool = True
    marked: bool = False
    """Its mails carry a secrecy mark."""
    group: str = ""
    """What the register says in place of the recipients' names."""

    @property
    def notation(self) -> str:
        """Number and sign, with the leading zero that decree 30/2020 asks for."""
        return f"{self.number:02}/{self.sign}"


def body_of(place: Place) -> Body:
    """A ward or commune as the directory knows it."""
    name = f"UBND {place.word} {place.name}"
    return Body(place.axis_code, name, place.domain, place.sign)


def directory(units: Sequence[UnitPlot]) -> tuple[Body, ...]:
    """Everybody on the axis: the units, the city and five departments."""
    others = [
        Body(f"H26.MP.S{n:02}", name, f"{box}.hanoi.example", f"S{box[:4].upper()}")
        for n, (box, name) in enumerate(_DEPARTMENTS.items(), start=1)
    ]
    city = Body("H26.MP.00", "UBND thành phố Hà Nội", "ubtp.hanoi.example", "UBTP")
    wards = [
        msgspec.structs.replace(body_of(unit.place), group=f"{_GROUP} {n // _CLUSTER + 1}")
        for n, unit in enumerate(units)
    ]
    return (city, *others, *wards)


def working_days(today: dt.date) -> list[dt.date]:
    """The working days of the period, oldest first, without today."""
    days = [today - dt.timedelta(days=n) for n in range(PERIOD_DAYS, 0, -1)]
    return [day for day in days if day.weekday() < 5]


def papers(
    unit: UnitPlot, bodies: Sequence[Body], now: dt.datetime, random: Random
) -> tuple[Paper, ...]:
    """The outgoing documents of a unit, oldest first."""
    own = body_of(unit.place)
    others = [body for body in bodies if body.code != own.code]
    number = random.randint(40, 300)
    found: list[Paper] = []
    for day in working_days(now.date()):
        if found and day.year != found[-1].date.year:
            number = 0  # numbers start again each year
        for _ in range(random.choice((1, 1, 2))):
            number += 1
            found.append(_paper(number, day, own, others, now, random))
    mine = next(body.group for body in bodies if body.code == own.code)
    members = [body for body in others if body.group == mine]
    if members:
        found[-_CIRCULAR] = _circular(found[-_CIRCULAR], mine, members)
    return _told(unit, tuple(found), random)


def _circular(paper: Paper, group: str, members: Sequence[Body]) -> Paper:
    """A paper to all of a group, which the register names as one."""
    sent = paper.deliveries[0].sent
    deliveries = tuple(Delivery(body, Way.GATEWAY, sent) for body in members)
    return msgspec.structs.replace(paper, group=group, deliveries=deliveries)


def _paper(
    number: int,
    day: dt.date,
    own: Body,
    others: Sequence[Body],
    now: dt.datetime,
    random: Random,
) -> Paper:
    kind = random.choice(_TYPES)
    sign = own.sign if kind == "CV" else f"{kind}-{own.sign}"
    hour = dt.time(random.randint(8, 16), random.randint(0, 59), tzinfo=now.tzinfo)
    sent = dt.datetime.combine(day, hour)
    receivers = random.sample(list(others), min(len(others), random.choice((1, 1, 2, 3))))
    deliveries = []
    for body in receivers:
        copy = random.random() < 0.06
        moment = sent + dt.timedelta(minutes=random.randint(5, 100))
        deliveries.append(Delivery(body, Way.COPY if copy else Way.GATEWAY, moment))
    return Paper(
        number=number,
        sign=sign,
        date=day,
        title=f"Văn bản mô phỏng số {number}",
        deliveries=tuple(deliveries),
    )


def _told(unit: UnitPlot, found: tuple[Paper, ...], random: Random) -> tuple[Paper, ...]:
    """The papers as the story of a unit has them."""
    story = unit.docs.story
    share = {
        DocsStory.BYPASS: 0.25,
        DocsStory.UNTRACED: 0.4,
        DocsStory.PAPER: 0.3,
        DocsStory.LATE: 0.3,
        DocsStory.NO_RECEIPT: 0.3,
        DocsStory.GAPS: 0.1,
        DocsStory.UNREGISTERED: 0.1,
        DocsStory.SECRET: 0.0,
    }.get(story)
    if share is None:
        return found
    # The newest are left alone: they may still be on their way. The first has no gap before it.
    # One that went late must not have gone in the future.
    fewest = _LATE if story is DocsStory.LATE else 0
    near = (p for p in found[1:-5] if fewest <= (found[-1].date - p.date).days <= _JUDGED)
    settled = [p for p in near if not p.group]
    count = 1 if story is DocsStory.SECRET else max(3, int(len(settled) * share))
    chosen = {(p.date, p.number) for p in random.sample(settled, count)}
    told = (_changed(p, story) if (p.date, p.number) in chosen else p for p in found)
    return tuple(p for p in told if p is not None)


def _changed(paper: Paper, story: DocsStory) -> Paper | None:
    """One paper of a story; None when it never was."""
    match story:
        case DocsStory.GAPS:
            return None
        case DocsStory.UNREGISTERED:
            return msgspec.structs.replace(paper, registered=False)
        case DocsStory.SECRET:
            return msgspec.structs.replace(_by(paper, way=Way.COPY), marked=True)
        case DocsStory.LATE:
            return _by(paper, late=dt.timedelta(days=_LATE))
        case DocsStory.NO_RECEIPT:
            return _by(paper, received=False)
    ways = {DocsStory.BYPASS: Way.MAIL, DocsStory.PAPER: Way.POST}
    return _by(paper, way=ways.get(story, Way.NOTHING))


def _by(
    paper: Paper,
    way: Way | None = None,
    late: dt.timedelta = dt.timedelta(),
    received: bool = True,
) -> Paper:
    changed = tuple(
        msgspec.structs.replace(d, way=way or d.way, sent=d.sent + late, received=received)
        for d in paper.deliveries
    )
    return msgspec.structs.replace(paper, deliveries=changed)
