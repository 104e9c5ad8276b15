"""From rows to units and areas: the states of 2.1 and how much was seen.

A `Base` is one scan with its rows sorted by unit, so that this scan and the previous one are
counted by the same code.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

import msgspec

from checks.evidence import FailureKind
from checks.model import Severity, Status
from checks.results import Result, Scan, Tally, at_least, fingerprint
from inventory.model import Selection, Unit, UnitKind
from reports.model import FAMILIES
from reports.model_backup import Count

UNSEEN = (Status.UNKNOWN, Status.ERROR)
CAUSES = (*(k.value for k in FailureKind), "not_scanned", "unspecified", "error", "no_rows")
"""Why something was not seen, in the order of printing."""
KINDS = tuple(k.value for k in UnitKind)
Marks = frozenset[str]
NO_MARKS: Marks = frozenset()
_SAFE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Base(msgspec.Struct, frozen=True):
    """One scan, its counted units and their rows."""

    scan: Scan
    units: Mapping[str, Unit]
    rows: Mapping[str, tuple[Result, ...]]
    families: tuple[str, ...]

    @property
    def floor(self) -> float:
        """Coverage floor as a share."""
        return self.scan.info.coverage_floor / 100


def base(scan: Scan) -> Base:
    """Sort a scan's rows by unit; external units and their rows are left out everywhere.

    A scan of a part of the inventory counts the units that have rows; a whole scan counts every
    unit. A row of a unit that the inventory lacks is kept under a unit of that id.
    """
    rows: dict[str, list[Result]] = defaultdict(list)
    for row in scan.results:
        rows[row.unit].append(_marked(row))
    known = scan.inventory.units
    whole = not narrowed(scan.info.selection)
    units = {i: u for i, u in known.items() if not u.external and (whole or i in rows)}
    for unit in rows:
        if unit not in known:
            units[unit] = Unit(id=unit, name=unit, kind=UnitKind.AGENCY)
    asked = {r.family for r in scan.results}
    families = tuple(f for f in FAMILIES if f in asked or not scan.info.selection.checks)
    return Base(scan, units, {u: tuple(rows.get(u, ())) for u in units}, families)


def _marked(row: Result) -> Result:
    if row.fingerprint:
        return row
    mark = fingerprint(row.check, row.unit, row.system, row.target, row.subject)
    return msgspec.structs.replace(row, fingerprint=mark)


def narrowed(selection: Selection) -> bool:
    """Whether a selection leaves out targets (a choice of checks leaves out none)."""
    return any(
        (selection.units, selection.systems, selection.servers, selection.tags, selection.zones)
    )


def tally(rows: Iterable[Result]) -> Tally:
    """Count rows by status; a waiver changes nothing here."""
    return Tally.of(r.status for r in rows)


def below(rows: Tally, floor: float) -> bool:
    """Whether the coverage is under the floor; rows of which none applies are not under it."""
    if not rows.total:
        return True
    return rows.coverage is not None and rows.coverage < floor


def cell_status(
    rows: Sequence[Result], floor: float, dark_unit: bool, held: Marks = NO_MARKS
) -> Status:
    """The state of one unit in one area.

    Nothing asked is unknown, not fine. A unit under the floor is never met in any area, and one
    whose open finding (`held`, by fingerprint) went out of sight is not met by going dark.
    """
    if not rows:
        return Status.UNKNOWN
    counts = tally(rows)
    if counts.applicable == 0:
        return Status.NOT_APPLICABLE
    if any(r.status is Status.FAIL and _breaks(r) for r in rows):
        return Status.FAIL
    if counts.error:
        return Status.ERROR
    critical = any(r.status is Status.UNKNOWN and r.severity is Severity.CRITICAL for r in rows)
    out_of_sight = any(r.fingerprint in held and _breaks(r) for r in rows)
    if critical or out_of_sight or dark_unit or below(counts, floor):
        return Status.UNKNOWN
    return Status.PASS


def _breaks(row: Result) -> bool:
    return row.waiver is None and at_least(row.severity, Severity.MAJOR)


def unit_status(cells: Sequence[Status], dark_unit: bool) -> Status:
    """The state of a unit over its areas: the worst; not applicable only if all are."""
    order = (Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.PASS)
    found = next((s for s in order if s in cells), Status.NOT_APPLICABLE)
    if found is Status.PASS and dark_unit:
        return Status.UNKNOWN
    return found if cells else Status.UNKNOWN


def in_family(rows: Iterable[Result], family: str) -> tuple[Result, ...]:
    """The rows of one family."""
    return tuple(r for r in rows if r.family == family)


class Standing(msgspec.Struct, frozen=True):
    """Where a unit stands: its tally, whether it is too dark, its state per family and overall."""

    rows: Tally
    dark: bool
    cells: Mapping[str, Status]
    status: Status


def standing(on: Base, unit: str, held: Marks = NO_MARKS) -> Standing:
    """Judge one unit of a base; `held` are its open findings that are out of sight."""
    rows = on.rows[unit]
    counts = tally(rows)
    dark = below(counts, on.floor)
    cells = {f: cell_status(in_family(rows, f), on.floor, dark, held) for f in on.families}
    return Standing(counts, dark, cells, unit_status(tuple(cells.values()), dark))


def cause_of(row: Result) -> str:
    """Why a row without a verdict has none."""
    if row.status is Status.ERROR:
        return "error"
    if row.message.id == "engine.not_scanned":
        return "not_scanned"
    return row.failure.kind.value if row.failure else "unspecified"


def causes(rows: Iterable[Result]) -> tuple[Count, ...]:
    """Rows without a verdict by cause, most frequent first; they add up to all of them."""
    return _ranked(Counter(cause_of(r) for r in rows if r.status in UNSEEN))


def main_cause(rows: Iterable[Result]) -> str:
    """The most frequent cause of a unit; `no_rows` when nothing was asked of it."""
    found = causes(rows)
    return found[0].key if found else "no_rows"


def by_main_cause(units: Iterable[Sequence[Result]]) -> tuple[Count, ...]:
    """Units by their main cause, most frequent first."""
    return _ranked(Counter(main_cause(rows) for rows in units))


def _ranked(found: Counter[str]) -> tuple[Count, ...]:
    order = sorted(found, key=lambda c: (-found[c], CAUSES.index(c)))
    return tuple(Count(key=c, n=found[c]) for c in order)


def anchor(unit: str) -> str:
    """A fragment name that is safe whatever the unit is called."""
    if _SAFE_ID.fullmatch(unit):
        return f"u-{unit}"
    return f"u-x{sha256(unit.encode('utf-8', 'replace')).hexdigest()[:12]}"
