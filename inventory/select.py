"""Which rows a selection means: the options of the command line against the inventory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

import msgspec

from inventory.model import BackupSet, Inventory, Selection, System
from inventory.problems import InvalidInput, Problem, did_you_mean, shown


class Chosen(msgspec.Struct, frozen=True):
    """The subjects that get rows, by id.

    `servers` are those with rows of their own; a chosen backup set is read wherever it lies, so
    its server or bucket may have to be visited without being among them. `buckets` are the places
    of the chosen sets, and all of a unit's that was chosen whole.
    """

    units: frozenset[str] = frozenset()
    servers: frozenset[str] = frozenset()
    buckets: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    backups: frozenset[str] = frozenset()
    """Backup sets as `system/set`."""

    def __bool__(self) -> bool:
        """Whether anything at all is chosen."""
        return bool(self.units or self.servers or self.systems or self.backups)


def choose(inventory: Inventory, selection: Selection) -> Chosen:
    """The subjects of a selection; an empty one means all but external units.

    Values of one option add up, different options narrow each other down. `--unit` and `--zone`
    mean the unit with all that stands in its file; `--system` the system, its backup sets and its
    servers; `--server` and `--tag` the server and the backup sets read on it or protecting it,
    without rows of systems; the last three give no rows of units. Raises InvalidInput when an id,
    tag or zone does not exist or a unit is external.
    """
    _refuse_unknown(inventory, selection)
    parts = [_of_units(inventory, {u.id for u in inventory.units.values() if not u.external})]
    if selection.units:
        parts.append(_of_units(inventory, selection.units))
    if selection.zones:
        zones = set(selection.zones)
        named = {u.id for u in inventory.units.values() if u.zone in zones}
        parts.append(_of_units(inventory, named))
    if selection.systems:
        parts.append(_of_systems(inventory, selection.systems))
    if selection.servers:
        parts.append(_of_servers(inventory, selection.servers))
    if selection.tags:
        tags = set(selection.tags)
        tagged = {s.id for s in inventory.servers.values() if tags.intersection(s.tags)}
        parts.append(_of_servers(inventory, tagged))
    return _with_buckets(inventory, _both(parts))


def _of_units(inventory: Inventory, ids: Collection[str]) -> Chosen:
    units = frozenset(ids)
    systems = [s for s in inventory.systems.values() if s.unit in units]
    return Chosen(
        units=units,
        servers=frozenset(s.id for s in inventory.servers.values() if s.unit in units),
        systems=frozenset(s.id for s in systems),
        backups=_sets(systems),
    )


def _of_systems(inventory: Inventory, ids: Iterable[str]) -> Chosen:
    systems = [inventory.systems[i] for i in ids]
    return Chosen(
        servers=frozenset(server for s in systems for server in s.servers),
        systems=frozenset(s.id for s in systems),
        backups=_sets(systems),
    )


def _of_servers(inventory: Inventory, ids: Iterable[str]) -> Chosen:
    servers = frozenset(ids)
    backups = (b for s in inventory.systems.values() for b in s.backups)
    touching = (b for b in backups if b.server in servers or b.protects in servers)
    return Chosen(servers=servers, backups=frozenset(f"{b.system}/{b.id}" for b in touching))


def _sets(systems: Iterable[System]) -> frozenset[str]:
    return frozenset(f"{s.id}/{b.id}" for s in systems for b in s.backups)


def _both(parts: Sequence[Chosen]) -> Chosen:
    return Chosen(
        units=frozenset.intersection(*(p.units for p in parts)),
        servers=frozenset.intersection(*(p.servers for p in parts)),
        systems=frozenset.intersection(*(p.systems for p in parts)),
        backups=frozenset.intersection(*(p.backups for p in parts)),
    )


def _with_buckets(inventory: Inventory, chosen: Chosen) -> Chosen:
    # Not intersected like the rest: a unit's copies may lie in a bucket of another unit's file.
    sets: list[BackupSet] = [b for s in inventory.systems.values() for b in s.backups]
    places = {b.bucket for b in sets if b.bucket and f"{b.system}/{b.id}" in chosen.backups}
    whole = {b.id for b in inventory.buckets.values() if b.unit in chosen.units}
    return msgspec.structs.replace(chosen, buckets=frozenset(places | whole))


def _refuse_unknown(inventory: Inventory, selection: Selection) -> None:
    units = inventory.units.values()
    servers = inventory.servers.values()
    known: list[tuple[str, tuple[str, ...], Collection[str]]] = [
        ("unit", selection.units, inventory.units),
        ("system", selection.systems, inventory.systems),
        ("server", selection.servers, inventory.servers),
        ("tag", selection.tags, {t for s in servers for t in s.tags} if selection.tags else ()),
        ("zone", selection.zones, {u.zone for u in units if u.zone and not u.external}),
    ]
    problems = [
        Problem("", 0, f"--{option}", f"there is no {option} {shown(value)}{_near(value, names)}")
        for option, values, names in known
        for value in values
        if value not in names
    ]
    problems += [
        Problem("", 0, "--unit", f"{shown(u)} is external: it is only named, never scanned")
        for u in selection.units
        if u in inventory.units and inventory.units[u].external
    ]
    if problems:
        raise InvalidInput(problems)


def _near(value: str, names: Collection[str]) -> str:
    return did_you_mean(value, names) or ": see `sauro inventory list`"
