"""The systems of a unit, their backup sets, and the shared systems that it only uses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from checks.model import Status
from checks.results import Result, worst
from checks.texts import clean
from inventory.model import System, Unit
from reports.backups import backup_views, worst_first
from reports.collate import vi_key
from reports.findings import Desk, line, unit_name
from reports.levels import next_level
from reports.model import SharedView, SystemView
from reports.rollup import anchor

Rows = Sequence[Result]


def system_views(desk: Desk, unit: Unit, rows: Rows) -> tuple[SystemView, ...]:
    """The systems judged under a unit, by level and name."""
    by_system: dict[str, list[Result]] = {}
    for row in rows:
        if row.system:
            by_system.setdefault(row.system, []).append(row)
    known = desk.inventory.systems
    # A row may name a system that the inventory of the scan does not hold: show it by its id.
    ghosts = {i: System(id=i, unit=unit.id, name=i, owner="") for i in by_system if i not in known}
    mine = {i: s for i, s in {**known, **ghosts}.items() if i in by_system}
    ordered = sorted(mine.values(), key=lambda s: (-(s.level or 0), vi_key(s.name), s.id))
    return tuple(_system(desk, unit, s, by_system[s.id]) for s in ordered)


def _system(desk: Desk, unit: Unit, system: System, rows: Rows) -> SystemView:
    # The level record, whatever its state; other rows stand among the tasks or the passed.
    record = [r for r in rows if r.family == "security"]
    backups = [r for r in rows if r.family == "backup"]
    return SystemView(
        id=clean(system.id),
        name=clean(system.name),
        level=system.level,
        owner=unit_name(desk.inventory, system.owner),
        operator=unit_name(desk.inventory, system.operator),
        security_unit=unit_name(desk.inventory, system.security_unit),
        servers=len(system.servers),
        users=len({u for u in system.used_by if u != unit.id}),
        lines=tuple(line(desk, r) for r in worst_first(record)),
        backups=backup_views(desk, system, backups),
        next_level=next_level(desk, system, backups),
    )


def shared_views(
    desk: Desk, unit: Unit, by_system: Mapping[str, Rows], using: Sequence[System]
) -> tuple[SharedView, ...]:
    """The systems that a unit uses and another one answers for, by name; never counted here."""
    made = [
        SharedView(
            name=clean(s.name),
            # Nothing asked about it in this scan: that is not a pass.
            status=worst(r.status for r in by_system.get(s.id, ())) or Status.UNKNOWN,
            judged_at=unit_name(desk.inventory, s.unit),
            anchor=anchor(s.unit),
        )
        for s in using
        if s.unit != unit.id
    ]
    return tuple(sorted(made, key=lambda s: vi_key(s.name)))
