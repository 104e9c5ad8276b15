"""How large a point is beside those before it: like with like, pure."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection
from enum import StrEnum

import msgspec

from checks.backup.series import BackupPoint, PointState

_COMPARED = 7
_ENOUGH_TO_COMPARE = 3


class Measure(StrEnum):
    """Which bytes of a point are compared; the words stand in results and must not change."""

    STORED = "stored"
    DATA = "data"
    """The data it protects: of tools that deduplicate nothing else is told."""


class Sized(msgspec.Struct, frozen=True):
    """A point's bytes beside the median of its predecessors; None with too few of them."""

    point: BackupPoint
    measure: Measure
    size: int
    usual: float | None

    @property
    def share(self) -> float | None:
        """Size as a share of the usual."""
        return self.size / self.usual if self.usual else None

    def below(self, share: float) -> bool:
        """Whether it is smaller than a share of the usual."""
        return self.usual is not None and self.usual > 0 and self.size / self.usual < share


def measured(point: BackupPoint) -> tuple[Measure, int] | None:
    """The bytes by which a point is compared: those stored, else those of its data.

    What an incremental point adds is neither; sources leave it out.
    """
    if point.size is not None:
        return Measure.STORED, point.size
    return None if point.data is None else (Measure.DATA, point.data)


def compare_sizes(points: list[BackupPoint]) -> list[Sized]:
    """Each finished point beside the median of the last seven before it, like with like."""
    before: dict[tuple[str, Measure], deque[int]] = defaultdict(lambda: deque(maxlen=_COMPARED))
    found = []
    for point in sorted(points, key=lambda p: (p.start, p.id)):
        known = measured(point)
        if known is None or point.state is PointState.RUNNING:
            continue
        measure, size = known
        earlier = before[point.group, measure]
        usual = _middle(earlier) if len(earlier) >= _ENOUGH_TO_COMPARE else None
        found.append(Sized(point, measure, size, usual))
        if size > 0 and point.state is PointState.OK:
            earlier.append(size)
    return found


def _middle(sizes: Collection[int]) -> float:
    """The median; `statistics` takes twice as long for so few."""
    ranked = sorted(sizes)
    half = len(ranked) // 2
    return ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2
