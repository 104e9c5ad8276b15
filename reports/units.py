"""One view per unit: its row of the matrix and everything in its section."""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Mapping, Sequence

import msgspec

from checks.model import Severity, Status
from checks.results import Result, at_least
from checks.texts import clean
from inventory.model import Person, System, Unit
from reports.changes import trend
from reports.collate import vi_key
from reports.documents import documents_view
from reports.findings import Desk, blind, finding, line, order, unit_name
from reports.model import Cell, Post, UnitView
from reports.model_backup import Line
from reports.rollup import (
    KINDS,
    Base,
    Standing,
    anchor,
    in_family,
    main_cause,
    tally,
)
from reports.systems import shared_views, system_views

_FEW = 3
"""Fewer units of a kind than this have no median worth the name."""


class Peers(msgspec.Struct, frozen=True):
    """Open findings, not waived, of the units of one kind."""

    units: int
    median: float | None


def unit_views(
    desk: Desk, on: Base, standings: Mapping[str, Standing], before: Mapping[str, Standing]
) -> tuple[UnitView, ...]:
    """Every counted unit, by kind, then by name in Vietnamese order, then by code."""
    by_system: dict[str, list[Result]] = defaultdict(list)
    for rows in on.rows.values():
        for row in rows:
            if row.system:
                by_system[row.system].append(row)
    using: dict[str, list[System]] = defaultdict(list)
    for system in on.scan.inventory.systems.values():
        for user in dict.fromkeys(system.used_by):
            using[user].append(system)
    peers = _peers(desk, on)
    ordered = sorted(
        on.units.values(), key=lambda u: (KINDS.index(u.kind.value), vi_key(u.name), u.id)
    )
    return tuple(
        msgspec.structs.replace(
            _view(desk, on, unit, standings[unit.id], peers[unit.kind.value]),
            trend=trend(standings[unit.id], before.get(unit.id)) if before else "",
            shared=shared_views(desk, unit, by_system, using[unit.id]),
        )
        for unit in ordered
    )


def is_open(desk: Desk, row: Result) -> bool:
    """Whether a row's finding is open."""
    return row.fingerprint in desk.book.now


def _peers(desk: Desk, on: Base) -> dict[str, Peers]:
    found: dict[str, list[int]] = defaultdict(list)
    for unit in on.units.values():
        live = sum(is_open(desk, r) and r.waiver is None for r in on.rows[unit.id])
        found[unit.kind.value].append(live)
    return {
        kind: Peers(len(n), statistics.median(n) if len(n) >= _FEW else None)
        for kind, n in found.items()
    }


def _view(desk: Desk, on: Base, unit: Unit, stands: Standing, peers: Peers) -> UnitView:
    rows = on.rows[unit.id]
    open_rows = [r for r in rows if is_open(desk, r)]
    found = sorted((finding(desk, unit, r) for r in open_rows), key=order)
    live = tuple(f for f in found if f.waiver is None)
    waived = tuple(f for f in found if f.waiver is not None)
    return UnitView(
        id=clean(unit.id),
        anchor=anchor(unit.id),
        name=clean(unit.name),
        kind=unit.kind.value,
        parent=unit_name(on.scan.inventory, unit.parent),
        status=stands.status,
        rows=stands.rows,
        dark=stands.dark,
        cause=main_cause(rows) if stands.dark else "",
        trend="",
        cells=tuple(_cell(desk, f, in_family(rows, f), stands) for f in on.families),
        open=len(found),
        waived_open=len(waived),
        waived_rows=sum(r.status is Status.FAIL and r.waiver is not None for r in rows),
        overdue=sum(f.overdue > 0 for f in live),
        peers=peers.units,
        median_open=peers.median,
        accountable=_post(unit.accountable),
        officer=_post(unit.officer),
        findings=live,
        blind=blind(desk, unit, rows),
        waived=waived,
        systems=system_views(desk, unit, rows),
        shared=(),
        documents=documents_view(rows),
        passed=_lines(desk, rows, Status.PASS),
        not_applicable=_lines(desk, rows, Status.NOT_APPLICABLE),
    )


def _post(person: Person) -> Post:
    return Post(post=clean(person.post), name=clean(person.name))


def _lines(desk: Desk, rows: Sequence[Result], status: Status) -> tuple[Line, ...]:
    return tuple(line(desk, r) for r in rows if r.status is status)


def _cell(desk: Desk, family: str, rows: Sequence[Result], stands: Standing) -> Cell:
    failing = [r for r in rows if r.status is Status.FAIL]
    dark = [r for r in rows if is_open(desk, r) and r.status is not Status.FAIL]
    return Cell(
        family=family,
        status=stands.cells[family],
        rows=tally(rows),
        notes=sum(r.waiver is None and not at_least(r.severity, Severity.MAJOR) for r in failing),
        waived=sum(r.waiver is not None for r in failing),
        new=sum(r.fingerprint in desk.book.new for r in failing),
        last_fail=min((_opened(desk, r) for r in dark), default=None),
    )


def _opened(desk: Desk, row: Result) -> dt.datetime:
    return desk.opened.get(row.fingerprint, desk.started)
