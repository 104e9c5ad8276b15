"""Geometry of bars and sparklines: lengths and points from figures that are already counted."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from checks.model import STATUS_ORDER, Status
from checks.results import Tally

_GAP = 0.4
_LEAST = 1.1
_END = 99.7
_ROOMY = 3.0
"""Percent of the bar: the gap between parts, the least width of a part, where the last one ends
(its outline needs room), the least for a figure of one digit."""


class Segment(msgspec.Struct, frozen=True):
    """One part of a bar, in percent of its length; `plate` is half the width of a figure, in px."""

    key: str
    n: int
    x: float
    width: float
    middle: float
    roomy: bool
    plate: int


def parts(units: Tally) -> tuple[tuple[Status, int], ...]:
    """The counts of a tally, worst first."""
    counts = (units.fail, units.error, units.unknown, units.passed, units.not_applicable)
    return tuple(zip(STATUS_ORDER, counts, strict=True))


def segments(units: Tally) -> tuple[Segment, ...]:
    """A stacked bar of fixed length: no part that exists is too thin to be seen."""
    there = [(status, n) for status, n in parts(units) if n]
    if not there:
        return ()
    space = 2 * _END - 100 - _GAP * (len(there) - 1)
    raw = [max(_LEAST, space * n / units.total) for _, n in there]
    made, x = [], 100 - _END
    for (status, n), width in zip(there, (r * space / sum(raw) for r in raw), strict=True):
        made.append(
            Segment(
                key=status.value,
                n=n,
                x=round(x, 3),
                width=round(width, 3),
                middle=round(x + width / 2, 3),
                roomy=width >= _ROOMY * (1 + len(str(n))) / 2,
                plate=5 + 5 * len(str(n)),
            )
        )
        x += width + _GAP
    return tuple(made)


class Points(msgspec.Struct, frozen=True):
    """A sparkline in a box of 120 by 24, and its last point."""

    line: str
    x: float
    y: float


def spark(values: Sequence[float]) -> Points:
    """Values from left to right on a scale that starts at zero."""
    top = max(values) or 1.0
    step = 112 / max(1, len(values) - 1)
    points = [(round(3 + i * step, 1), round(21 - 18 * v / top, 1)) for i, v in enumerate(values)]
    return Points(" ".join(f"{x},{y}" for x, y in points), *points[-1])


SLOT = 15
"""Width of one slot of a strip, in px."""


def drawn(slots: Sequence[tuple[object, str]]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """The states of a strip, each with where its slots begin, in px."""
    found: dict[str, list[int]] = {}
    for at, (_, state) in enumerate(slots):
        found.setdefault(state, []).append(at * SLOT)
    return tuple((state, tuple(places)) for state, places in found.items())


def blocks(values: Sequence[float]) -> str:
    """Values as a row of blocks on a scale that starts at zero; nothing at all is a low line."""
    top = max(values) or 1.0
    return "".join("▁▂▃▄▅▆▇█"[min(7, int(8 * v / top))] if v else "_" for v in values)
