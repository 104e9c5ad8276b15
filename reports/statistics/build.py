"""From the rows of stored scans to the statistics of a period.

Each day is counted by the newest scan that judged it, so that what was still pending in an earlier
scan is counted as what became of it, and nothing twice.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from checks.documents.kinds import kinds
from checks.evidence import FailureKind
from checks.model import Status
from checks.results import Result, ScanInfo
from checks.texts import clean
from inventory.model import Unit
from reports.statistics.model import (
    OTHERS,
    SCHEMA,
    Both,
    By,
    Counts,
    Header,
    Kind,
    Seen,
    Statistics,
    Subtotal,
    UnitStatistics,
)

CHECKS = {"documents.incoming-registered": "incoming", "documents.routed": "outgoing"}
"""The rows that hold counts, and of which direction."""

_FLOW = re.compile(r"([0-9A-Za-z._*-]{1,40}) ([0-9A-Z*]{1,40}) ([a-z_]{1,40})")
_BYS: tuple[By, ...] = ("partner", "type", "partner_type")
Cells = Counter[tuple[str, str, str]]
"""Counts by partner, kind and result."""


class Ask(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for; both days are counted."""

    first: dt.date
    last: dt.date
    reporter: Unit
    units: tuple[Unit, ...]
    small: int = 0

    @property
    def days(self) -> frozenset[dt.date]:
        """Every day of the period."""
        count = (self.last - self.first).days + 1
        return frozenset(self.first + dt.timedelta(days=n) for n in range(count))


class _Side(msgspec.Struct):
    """What is known so far of one unit in one direction."""

    left: set[dt.date]
    """Days that no scan has counted yet."""
    cells: Cells = msgspec.field(default_factory=Counter)
    days: int = 0
    coverage: float | None = None
    missing: str = "no_scan"


def statistics(
    rows: Iterable[tuple[ScanInfo, Result]], ask: Ask, made: dt.datetime, tool: str
) -> Statistics:
    """The statistics of a period from rows of scans, the newest scan first."""
    sides: dict[tuple[str, str], _Side] = {}
    for unit in ask.units:
        for direction in CHECKS.values():
            sides[unit.id, direction] = _Side(left=set(ask.days))
    scans: dict[str, bool] = {}
    for info, row in rows:
        side = sides.get((row.unit, CHECKS.get(row.check, "")))
        if side is not None and _take(side, row):
            scans[info.id] = info.simulated
    units = tuple(_unit(unit, sides, ask.small) for unit in ask.units)
    header = Header(
        first=ask.first,
        last=ask.last,
        reporter=clean(ask.reporter.id),
        reporter_name=clean(ask.reporter.name),
        made=made,
        tool=tool,
        simulated=any(scans.values()),
        small=ask.small,
        scans=tuple(sorted(scans)),
    )
    return Statistics(
        schema=SCHEMA, header=header, units=units, types=_types(units), total=_whole(units)
    )


def _take(side: _Side, row: Result) -> bool:
    """Count the days of a row that no newer scan has counted; False when it has none."""
    first = side.days == 0
    flows, period = row.detail.get("flows"), _period(row.detail)
    if not isinstance(flows, Mapping) or period is None or _unseen(row, flows):
        if first and side.missing == "no_scan":
            older = "older_scan" if "counts" in row.detail or "deliveries" in row.detail else ""
            side.missing = older or (row.failure.kind.value if row.failure else row.status.value)
        return False
    start, end = period
    mine = {d for d in side.left if start <= d <= end}
    if not mine:
        return False
    side.left -= mine
    side.days += len(mine)
    side.missing = ""
    share = row.detail.get("coverage")
    if isinstance(share, int | float) and 0 <= share <= 1:
        side.coverage = min(float(share), 1.0 if side.coverage is None else side.coverage)
    for day in mine:
        side.cells.update(dict(_cells(flows.get(day.isoformat()))))
    return True


def _unseen(row: Result, flows: Mapping[str, Any]) -> bool:
    """Whether a row's counts stand for nothing: a zero would say that there were no documents."""
    if row.status not in {Status.UNKNOWN, Status.ERROR}:
        return False
    undeclared = row.failure is not None and row.failure.kind is FailureKind.NOT_DECLARED
    return undeclared or not flows


def _period(detail: Mapping[str, Any]) -> tuple[dt.date, dt.date] | None:
    found = detail.get("period")
    if not isinstance(found, list | tuple) or len(found) != 2:
        return None
    try:
        return dt.date.fromisoformat(str(found[0])), dt.date.fromisoformat(str(found[1]))
    except ValueError:
        return None


def _cells(flows: object) -> Iterator[tuple[tuple[str, str, str], int]]:
    """The counts of one day; a detail may be of any shape."""
    for text, count in flows.items() if isinstance(flows, Mapping) else ():
        found = _FLOW.fullmatch(text) if isinstance(text, str) else None
        if found and isinstance(count, int) and not isinstance(count, bool) and count > 0:
            yield (found[1], found[2], found[3]), count


def _unit(unit: Unit, sides: Mapping[tuple[str, str], _Side], small: int) -> UnitStatistics:
    incoming, outgoing = sides[unit.id, "incoming"], sides[unit.id, "outgoing"]
    return UnitStatistics(
        unit=clean(unit.id),
        name=clean(unit.name),
        incoming_seen=_seen(incoming),
        outgoing_seen=_seen(outgoing),
        total=Both(incoming=_total(incoming), outgoing=_total(outgoing)),
        subtotals=tuple(_subtotals(incoming, outgoing, small)),
    )


def _seen(side: _Side) -> Seen:
    return Seen(days=side.days, coverage=side.coverage, missing=side.missing)


def _total(side: _Side) -> Counts | None:
    return _counts(side.cells) if side.days else None


def _counts(cells: Mapping[tuple[str, str, str], int], *, plain: bool = False) -> Counts:
    results: Counter[str] = Counter()
    for (_, _, result), count in cells.items():
        results[result] += count
    shown = {} if plain else dict(sorted(results.items()))
    return Counts(total=results.total(), results=shown)


def _subtotals(incoming: _Side, outgoing: _Side, small: int) -> Iterator[Subtotal]:
    sides = incoming, outgoing
    shown = _folded((incoming.cells, outgoing.cells), small)
    for by in _BYS[:2] if small else _BYS:
        parts = [_parts(cells, by) for cells in shown]
        for partner, kind in sorted({*parts[0], *parts[1]}):
            ways = [
                _counts(part.get((partner, kind), {}), plain=bool(small)) if side.days else None
                for part, side in zip(parts, sides, strict=True)
            ]
            yield Subtotal(by=by, partner=partner, type=kind, incoming=ways[0], outgoing=ways[1])


def _parts(cells: Cells, by: By) -> dict[tuple[str, str], Cells]:
    found: dict[tuple[str, str], Cells] = {}
    for (partner, kind, result), count in cells.items():
        key = partner if by != "type" else "", kind if by != "partner" else ""
        found.setdefault(key, Counter())[partner, kind, result] += count
    return found


def _folded(sides: tuple[Cells, Cells], small: int) -> tuple[Cells, Cells]:
    """Counts in which no partner and no kind stands for fewer than `small` transmissions."""
    if not small:
        return sides
    few = [_few(sides, at, small) for at in (0, 1)]
    found: tuple[Cells, Cells] = Counter(), Counter()
    for cells, into in zip(sides, found, strict=True):
        for (partner, kind, result), count in cells.items():
            shown = OTHERS if partner in few[0] else partner
            into[shown, OTHERS if kind in few[1] else kind, result] += count
    return found


def _few(sides: tuple[Cells, Cells], at: int, small: int) -> frozenset[str]:
    """Which partners (0) or kinds (1) are counted together, so that their sum is not small either.

    One that is small in one direction is left out of both: zero would be wrong.
    """
    counts: dict[str, list[int]] = {OTHERS: [0, 0]}
    for way, cells in enumerate(sides):
        for key, count in cells.items():
            counts.setdefault(key[at], [0, 0])[way] += count
    few, together = {OTHERS}, counts.pop(OTHERS)
    for name, each in sorted(counts.items(), key=lambda c: (min(n or small for n in c[1]), c[0])):
        if any(0 < n < small for n in (*each, *together)):
            few.add(name)
            together = [a + b for a, b in zip(together, each, strict=True)]
    return frozenset(few)


def _whole(units: Sequence[UnitStatistics]) -> Both:
    return Both(
        incoming=added(u.total.incoming for u in units),
        outgoing=added(u.total.outgoing for u in units),
    )


def added(parts: Iterable[Counts | None]) -> Counts | None:
    """The sum of counts; None when none of them was seen."""
    seen = [p for p in parts if p is not None]
    results: Counter[str] = Counter()
    for part in seen:
        results.update(part.results)
    if not seen:
        return None
    return Counts(total=sum(p.total for p in seen), results=dict(sorted(results.items())))


def _types(units: Iterable[UnitStatistics]) -> dict[str, Kind]:
    used = sorted({s.type for u in units for s in u.subtotals if s.type in kinds()})
    return {code: msgspec.convert(dict(kinds()[code]), Kind) for code in used}
