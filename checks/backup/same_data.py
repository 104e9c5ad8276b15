"""Which sets of a system hold the same data: those that say so, and those whose copies show it.

Two sets of one server are not copies of each other by that alone: one may hold its database and the
other its files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

from checks.backup.series import BackupPoint, BackupSeries, PointState
from inventory.model import BackupSet

_ALIKE = 3
"""So many equal files make two listings copies of each other; all of them when one has fewer."""


def same_data(sets: Sequence[BackupSet], listed: Mapping[str, BackupSeries]) -> dict[str, str]:
    """For each set the first set (in declared order) that holds the same data, itself at least."""
    first = {b.id: b.id for b in sets}
    for one, two in combinations(sets, 2):
        if one.protects == two.protects and (_declared(one, two) or _seen(one, two, listed)):
            keep, drop = first[one.id], first[two.id]
            first = {k: keep if v == drop else v for k, v in first.items()}
    return first


def _declared(one: BackupSet, two: BackupSet) -> bool:
    return one.copy_of == two.id or two.copy_of == one.id


def _seen(one: BackupSet, two: BackupSet, listed: Mapping[str, BackupSeries]) -> bool:
    if one.id not in listed or two.id not in listed:
        return False
    mine, other = (_good(listed[s.id]) for s in (one, two))
    return _same_files(mine, other) or _same_paths(mine, other)


def _good(series: BackupSeries) -> list[BackupPoint]:
    return [p for p in series.points if p.state is PointState.OK]


def _same_files(one: list[BackupPoint], two: list[BackupPoint]) -> bool:
    """The same names with the same sizes: files that were copied as they are."""
    mine, other = ({(p.name, p.size) for p in points if p.name and p.size} for points in (one, two))
    return len(mine & other) >= max(1, min(_ALIKE, len(mine), len(other)))


def _same_paths(one: list[BackupPoint], two: list[BackupPoint]) -> bool:
    """The newest of both say that they cover the same folders or databases."""
    mine, other = (max(points, key=lambda p: p.start, default=None) for points in (one, two))
    return mine is not None and other is not None and bool(mine.paths) and mine.paths == other.paths
