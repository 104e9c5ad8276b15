"""How well backups are looked after: where the copies lie, who tried a restore, whose rule says so.

Cast last, so that the other stories stay where they are. The counts are for 126 units.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from scanner.demo.plot import BackupStory, SetPlot, SystemPlot, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL

T = TypeVar("T")
_ALL = 126
_SAME_HOST = 8
_NEVER_RESTORED = 12
_NO_RULE = 10
_TESTED = (40, 330)
"""Between how many days ago restores were tried."""
SECOND = "du-phong"
"""Id of the second set that systems of level 3 have, in another unit's care."""


def with_care(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Place the copies apart from what they protect, and register restores, but for a few."""
    systems = [s.id for u in units for s in u.systems if s.sets]
    alone = set(_some(_SAME_HOST, systems, units, random))
    unruled = set(_some(_NO_RULE, [s.id for u in units for s in u.systems], units, random))
    sets = [(s.id, b.id) for u in units for s in u.systems for b in s.sets]
    untried = set(_some(_NEVER_RESTORED, sets, units, random))
    found = []
    for number, unit in enumerate(units):
        neighbour = units[(number + 1) % len(units)].hosts[0].id
        told = []
        for system in unit.systems:
            others = [h.id for h in unit.hosts if h.id != system.host] or [neighbour]
            cared = replace(
                system,
                runs_on="" if system.id in alone else others[0],
                ruled=system.id not in unruled,
                sets=tuple(_tried(b, (system.id, b.id) in untried, random) for b in system.sets),
            )
            told.append(_doubled(cared, neighbour, random))
        found.append(replace(unit, systems=tuple(told)))
    return tuple(found)


def _some(count: int, roles: Sequence[T], units: Sequence[UnitPlot], random: Random) -> list[T]:
    return random.sample(roles, min(len(roles), max(1, round(count * len(units) / _ALL))))


def _tried(backup: SetPlot, never: bool, random: Random) -> SetPlot:
    # Of nothing there is nothing to restore.
    none = never or backup.story in (BackupStory.NEVER, BackupStory.NO_FOLDER)
    days = random.randint(*_TESTED)
    return replace(backup, restored=0 if none else days)


def _doubled(system: SystemPlot, neighbour: str, random: Random) -> SystemPlot:
    """From level 3 on a second copy lies with the neighbouring unit."""
    if KINDS[system.kind].level < YEARLY_LEVEL or not system.sets:
        return system
    copies = tuple(
        replace(
            first,
            id=f"{SECOND}-{number}" if number else SECOND,
            copy_of=first.id,
            store=neighbour,
            story=BackupStory.FINE,
            restored=random.randint(*_TESTED),
        )
        for number, first in enumerate(system.sets)
    )
    return replace(system, sets=(*system.sets, *copies))
