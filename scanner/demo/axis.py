"""What some units of the demo hand over of the axis: packets in place of a list, its own log.

Cast after everything else, among the units whose correspondence is otherwise in order: one story
at a time is clearer. The counts are for 126 units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from random import Random

from msgspec.structs import replace

from scanner.demo.kinds import HostKind
from scanner.demo.papers import Paper, Way
from scanner.demo.plot import AxisStory, DocsStory, UnitPlot
from scanner.demo.truth import Planted

_ALL = 126
_COUNTS = {AxisStory.UNSIGNED: 3, AxisStory.OUTAGE: 4, AxisStory.PACKETS: 4}
BY_PACKETS = (AxisStory.PACKETS, AxisStory.UNSIGNED)
_BEGINS, _LASTS = dt.time(8, 0), dt.timedelta(hours=8, minutes=40)
"""When the exchange fails, on the day of one document that was then mailed."""
_BACK = 8
"""Place from the newest of that document: long enough ago that its being sent is overdue."""


def with_axis(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Give some units packets or an exchange's log; their mail can be seen, so nothing is hidden.

    Each story is told once before any is told again, as long as there are units for it.
    """
    normal = {h.id for u in units for h in u.hosts if h.kind is HostKind.NORMAL}
    fine = [u.place.code for u in units if u.docs.story is DocsStory.FINE]
    random.shuffle(fine)
    stories: dict[str, AxisStory] = {}
    wanted = {s: max(1, round(n * len(units) / _ALL)) for s, n in _COUNTS.items()}
    first = list(wanted)
    for story in first + [s for s, n in wanted.items() for _ in range(n - 1)]:
        # Some must be left that tell no story at all.
        if len(fine) > 1:
            stories[fine.pop()] = story

    def told(unit: UnitPlot) -> UnitPlot:
        story = stories.get(unit.place.code)
        if story is None:
            return unit
        mail_host = unit.docs.mail_host if unit.docs.mail_host in normal else ""
        return replace(unit, docs=replace(unit.docs, axis=story, mail_host=mail_host))

    return tuple(map(told, units))


def planted_axis(unit: UnitPlot) -> Iterator[Planted]:
    """What was planted on the axis of a unit."""
    if unit.docs.axis is not AxisStory.LIST:
        yield Planted(f"axis.{unit.docs.axis}", unit.place.code)


# ------------------------------------------------------------------------------------- the outage


def outage_of(sent: Sequence[Paper]) -> tuple[dt.datetime, dt.datetime]:
    """From when to when the exchange failed; both aware."""
    paper = sent[-_BACK]
    begin = dt.datetime.combine(paper.date, _BEGINS, tzinfo=paper.deliveries[0].sent.tzinfo)
    return begin, begin + _LASTS


def through_outage(sent: Sequence[Paper]) -> tuple[Paper, ...]:
    """The papers, with what fell into the outage mailed while it lasted."""
    begin, end = outage_of(sent)
    middle = begin + (end - begin) / 2

    def told(paper: Paper) -> Paper:
        if paper.date != begin.date():
            return paper
        mailed = (replace(d, way=Way.MAIL, sent=middle) for d in paper.deliveries)
        return replace(paper, deliveries=tuple(mailed))

    return tuple(map(told, sent))
