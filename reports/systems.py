"""The systems of a unit, their backup sets, and the shared systems that it only uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checks.model import STATUS_ORDER, Status
from checks.results import Result, worst
from checks.texts import clean
from inventory.model import BackupSet, System, Unit
from reports import details
from reports.collate import vi_key
from reports.findings import Desk, line, unit_name
from reports.model import BackupView, SharedView, SystemView
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
    return SystemView(
        id=clean(system.id),
        name=clean(system.name),
        level=system.level,
        owner=unit_name(desk.inventory, system.owner),
        operator=unit_name(desk.inventory, system.operator),
        security_unit=unit_name(desk.inventory, system.security_unit),
        servers=len(system.servers),
        users=len({u for u in system.used_by if u != unit.id}),
        lines=tuple(line(desk, r) for r in _worst_first(record)),
        backups=tuple(
            _backup(desk, b, [r for r in rows if r.family == "backup" and r.subject == b.id])
            for b in system.backups
        ),
    )


def _worst_first(rows: Iterable[Result]) -> list[Result]:
    return sorted(rows, key=lambda r: (STATUS_ORDER.index(r.status), r.check, r.subject))


def _backup(desk: Desk, backup: BackupSet, rows: Rows) -> BackupView:
    """Merge the details of a set's rows; every one of them may be missing."""
    by_check = {r.check: r.detail for r in rows}
    recent = by_check.get("backup.recent", {})
    slots = by_check.get("backup.periodic", {})
    tests = sorted(backup.restore_tests, key=lambda t: t.date)
    return BackupView(
        id=clean(backup.id),
        kind=clean(backup.kind),
        promised=details.number(recent, "promised"),
        every=clean(backup.every),
        newest=details.moment(recent.get("newest")),
        age=details.number(recent, "age"),
        strip=details.strip(slots),
        sizes=details.sizes(by_check.get("backup.size-plausible", {})),
        restore=tests[-1].date if tests else None,
        restore_ok=bool(tests) and tests[-1].result == "ok",
        lines=tuple(line(desk, r) for r in _worst_first(rows) if r.status is not Status.PASS),
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
