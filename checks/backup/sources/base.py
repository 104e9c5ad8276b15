"""What every kind of backup source gives, and the few things that several of them share."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Sequence

import msgspec

from checks.backup.names import group_of
from checks.backup.series import BackupPoint, BackupSeries, in_order
from checks.evidence import Answers, Request
from checks.model import Context, Subject

MOST_POINTS = 2000
"""Points kept of one listing, the newest of them; more say nothing further about a promise."""


class BackupSource(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of backup: what is asked for a set, and how the answer becomes a series.

    `requests` may raise `NotDeclared`, `read` may raise `Unparsable`.
    """

    kind: str
    requests: Callable[[Subject], Sequence[Request]]
    read: Callable[[Context, Answers], BackupSeries]


def newest(points: Iterable[BackupPoint]) -> tuple[tuple[BackupPoint, ...], int]:
    """The newest points in order, each id once, and how many were left out.

    Points without a group get that of their name.
    """
    count = 0

    def counted() -> Iterable[BackupPoint]:
        nonlocal count
        for point in points:
            count += 1
            yield point

    kept = heapq.nlargest(MOST_POINTS, counted(), key=lambda p: (p.start, p.id))
    # Hard links of one file, or one key listed twice, are one point.
    unique = {point.id: point for point in reversed(kept)}
    # Only here, because finding the group takes longer than everything else about a point.
    grouped = [
        p if p.group else msgspec.structs.replace(p, group=group_of(p.name))
        for p in unique.values()
    ]
    return in_order(grouped), count - len(kept)
