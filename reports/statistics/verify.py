"""Reading statistics that somebody sent: their shape and every sum, before anything is believed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

import msgspec

from reports.statistics.build import added
from reports.statistics.model import DIRECTIONS, Counts, Statistics, Subtotal, UnitStatistics

_SHOWN = 10
_MOST = 64 * 1024 * 1024


class StatisticsError(ValueError):
    """What is wrong with an export, the first faults of it, one sentence each."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        more = len(self.faults) - _SHOWN
        shown = list(self.faults[:_SHOWN]) + ([f"and {more} more"] if more > 0 else [])
        super().__init__("; ".join(shown))


def read_json(data: bytes) -> Statistics:
    """The statistics in a JSON export.

    Raises:
        StatisticsError: it is no such export, or its sums are wrong.
    """
    if len(data) > _MOST:
        raise StatisticsError([f"is larger than {_MOST // 1024 // 1024} MiB: no such export"])
    try:
        found = msgspec.json.decode(data, type=Statistics)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise StatisticsError([f"is no export of statistics: {e}"]) from None
    return believed(found)


def believed(found: Statistics) -> Statistics:
    """The same statistics when every sum is right; raises StatisticsError otherwise."""
    faults = [*_faults(found)]
    if faults:
        raise StatisticsError(faults)
    return found


def _faults(found: Statistics) -> Iterator[str]:
    header = found.header
    if header.first > header.last:
        yield f"the period begins on {header.first}, after its end on {header.last}"
    names = Counter(u.unit for u in found.units)
    yield from (f"unit {name} comes {n} times" for name, n in names.items() if n > 1)
    days = (header.last - header.first).days + 1
    for unit in found.units:
        yield from _of_unit(unit, days, small=header.small)
    for direction in DIRECTIONS:
        whole: Counts | None = getattr(found.total, direction)
        sum_of = added(getattr(u.total, direction) for u in found.units)
        yield from _differ(f"total {direction}", whole, sum_of)
        if whole is not None:
            yield from _within(f"total {direction}", whole, plain=False)


def _of_unit(unit: UnitStatistics, days: int, *, small: int) -> Iterator[str]:
    keys = Counter((s.by, s.partner, s.type) for s in unit.subtotals)
    for key, n in keys.items():
        if n > 1:
            yield f"unit {unit.unit}: {' '.join(key)} comes {n} times"
    for sub in unit.subtotals:
        if bool(sub.partner) != (sub.by != "type") or bool(sub.type) != (sub.by != "partner"):
            yield f"unit {unit.unit}: a subtotal by {sub.by} has the wrong key"
    for direction in DIRECTIONS:
        yield from _of_direction(unit, direction, days, small)


def _of_direction(unit: UnitStatistics, direction: str, days: int, small: int) -> Iterator[str]:
    where = f"unit {unit.unit} {direction}"
    total: Counts | None = getattr(unit.total, direction)
    seen = getattr(unit, f"{direction}_seen")
    if (total is None) != bool(seen.missing):
        yield f"{where}: figures and the reason for having none exclude each other"
    if seen.days > days or (total is not None and not seen.days):
        yield f"{where}: {seen.days} days seen in a period of {days}"
    if total is not None:
        yield from _within(where, total, plain=False)
    for by in ("partner", "type") if small else ("partner", "type", "partner_type"):
        parts = [s for s in unit.subtotals if s.by == by]
        yield from _parts(where, by, [(s, getattr(s, direction)) for s in parts], total, small)
    if not small:
        yield from _margins(where, direction, unit.subtotals)


def _parts(
    where: str,
    by: str,
    parts: list[tuple[Subtotal, Counts | None]],
    total: Counts | None,
    small: int,
) -> Iterator[str]:
    """Subtotals of one sort against the total."""
    for sub, counts in parts:
        if (counts is None) != (total is None):
            yield f"{where}: {by} {sub.partner}{sub.type} is not seen as the total is"
        elif counts is not None:
            yield from _within(f"{where} {by} {sub.partner} {sub.type}", counts, plain=small > 0)
    if total is None:
        return
    summed = added(c for _, c in parts) or Counts(total=0)
    expected = Counts(total=total.total) if small else total
    yield from _differ(f"{where}: subtotals by {by}", summed, expected)


def _margins(where: str, direction: str, subtotals: Iterable[Subtotal]) -> Iterator[str]:
    """What each partner and each kind have in the table of both, against their own subtotals."""
    subtotals = tuple(subtotals)
    fine = [s for s in subtotals if s.by == "partner_type"]
    for by in ("partner", "type"):
        sums: dict[str, list[Counts | None]] = {}
        for sub in fine:
            sums.setdefault(getattr(sub, by), []).append(getattr(sub, direction))
        for sub in subtotals:
            if sub.by == by:
                name = getattr(sub, by)
                own: Counts | None = getattr(sub, direction)
                yield from _differ(f"{where} {by} {name}", own, added(sums.get(name, [])))


def _within(where: str, counts: Counts, *, plain: bool) -> Iterator[str]:
    """Results against their own total."""
    if plain and not counts.results:
        return
    if sum(counts.results.values()) != counts.total:
        yield f"{where}: results add up to {sum(counts.results.values())}, not {counts.total}"


def _differ(where: str, one: Counts | None, other: Counts | None) -> Iterator[str]:
    if (one is None) != (other is None):
        yield f"{where}: seen in one place and not in the other"
    elif one is not None and other is not None:
        if one.total != other.total:
            yield f"{where}: {one.total} is not the sum {other.total}"
        zero = Counter(one.results), Counter(other.results)
        for result in sorted({*one.results, *other.results}):
            if zero[0][result] != zero[1][result]:
                yield f"{where}, {result}: {zero[0][result]} is not the sum {zero[1][result]}"
