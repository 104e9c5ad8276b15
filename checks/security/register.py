"""A register of levels: a table of the project with one row a system, read to `LevelRecord`s.

Headers are those that offices write, in Vietnamese or English, folded; `columns` of the inventory
names others. What a cell does not clearly say is left empty: judging that is a check's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from functools import lru_cache

import msgspec

from checks.evidence import Probe, Source, Unparsable
from checks.files import FileEntry, unpack
from checks.folding import words
from checks.security.level_record import LevelRecord
from checks.security.register_cells import ALIASES, read_cells
from checks.tables import is_numbering, read_table
from checks.texts import clean
from inventory.index import index_of
from inventory.model import Inventory, System

REGISTER = Probe(
    id="security.register",
    title="a register of security levels in the project folder",
    source=Source.FILES,
    limit=8_388_608,
)

_NEEDED = [{who, what} for who in ("system", "name") for what in ("level", "proposed_level")]
_TOTAL = frozenset({"TONG", "CONG", "TONG CONG", "TONG SO", "TONG SO HE THONG", "TOTAL", "SUM"})
"""Names of rows that add up; `Cổng thông tin` is a system."""


class RegisterRow(msgspec.Struct, frozen=True):
    """One row: where it stands, which system it means, and its cells by our columns.

    `key` and `folded` are id and name as they are compared.
    """

    file: str
    line: int
    system: str
    name: str
    key: str
    folded: str
    cells: dict[str, str]

    @property
    def place(self) -> str:
        """`file:line`, for messages."""
        return f"{clean(self.file, 120)}:{self.line}"


def register_rows(packed: bytes, columns: Mapping[str, str]) -> tuple[RegisterRow, ...]:
    """Every row about a system; the same table is read once, however many systems ask for it.

    Raises:
        Unparsable: no header names a system and a level, or the file is no table.
    """
    return _rows(packed, tuple(sorted(columns.items())))


@lru_cache(maxsize=4)
def _rows(packed: bytes, columns: tuple[tuple[str, str], ...]) -> tuple[RegisterRow, ...]:
    found: list[RegisterRow] = []
    for entry in unpack(packed):
        found += _read(entry, dict(columns))
    return tuple(found)


def _read(entry: FileEntry, columns: dict[str, str]) -> Iterable[RegisterRow]:
    unknown = [c for c in columns if c not in ALIASES]
    if unknown:
        known = ", ".join(ALIASES)
        raise Unparsable(f"{entry.name}: no column is called {clean(unknown[0], 60)}; {known}")
    for row in read_table(entry, ALIASES, columns, _NEEDED):
        system, name = row.cells.get("system", "").strip(), row.cells.get("name", "").strip()
        folded = words(name or system)
        if is_numbering(row) or not (system or name) or folded in _TOTAL:
            continue
        yield RegisterRow(
            file=entry.name,
            line=row.line,
            system=system,
            name=name,
            key=system.casefold(),
            folded=folded,
            cells=row.cells,
        )


def row_of(system: System, inventory: Inventory, rows: Iterable[RegisterRow]) -> RegisterRow | None:
    """The row about a system: by id, else by name; None when there is none.

    Raises:
        Unparsable: several rows are about it, or its name fits several systems of its unit.
    """
    own = {s.id: words(s.name) for s in index_of(inventory).systems_of[system.unit]}
    about = [(r, meant(r, own)) for r in rows]
    mine = [r for r, ids in about if ids == {system.id}]
    if not mine:
        fits = [r for r, ids in about if system.id in ids]
        if fits:
            raise Unparsable(f"{fits[0].place}: the name fits several systems: give their ids")
        return None
    if len(mine) > 1:
        places = ", ".join(r.place for r in mine[:3])
        raise Unparsable(f"{len(mine)} rows are about {system.id}: {places}")
    return mine[0]


def meant(row: RegisterRow, own: Mapping[str, str]) -> frozenset[str]:
    """Which of these systems (id to folded name) a row means: one by id, else all of its name."""
    by_id = [i for i in own if i.casefold() == row.key]
    if by_id:
        return frozenset(by_id)
    return frozenset(i for i, name in own.items() if row.folded and name == row.folded)


def record_of(row: RegisterRow, system: System, inventory: Inventory) -> LevelRecord:
    """The record that a row makes."""
    return read_cells(row.cells, system.id, inventory)


class Difference(msgspec.Struct, frozen=True):
    """A field in which record and register say different things, both as text."""

    field: str
    record: str
    register: str


def differences(record: LevelRecord, row: LevelRecord) -> list[Difference]:
    """What a record file and the register's row both say, and say differently."""
    found = []
    for field in ("level", "type", "approval_expected"):
        found += _differ(field, getattr(record, field), getattr(row, field))
    for field in ("proposal", "appraisal", "approval", "regulation"):
        one, other = getattr(record, field), getattr(row, field)
        if one is not None and other is not None:
            found += _differ(field, one.document.strip(), other.document.strip())
            found += _differ(f"{field}-date", one.date, other.date)
    if record.plan and row.plan:
        found += _differ("plan", record.plan.status, row.plan.status)
    return found


def _differ(field: str, one: object, other: object) -> list[Difference]:
    if one in (None, "") or other in (None, "") or one == other:
        return []
    if isinstance(one, str) and isinstance(other, str) and words(one) == words(other):
        return []
    return [Difference(field, _text(one), _text(other))]


def _text(value: object) -> str:
    return f"{value:%d/%m/%Y}" if isinstance(value, dt.date) else clean(str(value), 120)
