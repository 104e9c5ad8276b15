"""One finished target to rows, and the prepared statements that write them."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    Text,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import Delete, Insert

from checks.evidence import Evidence
from checks.model import Memory
from checks.results import Result, TargetOutcome
from scanner.store import tables
from scanner.store.codec import pack, to_column, to_micros
from scanner.store.life import states

Row = dict[str, Any]
Batch = dict[str, list[Row]]
"""Rows by name of the statement that writes them, in the order in which they are written."""


def evidence_rows(
    scan: str, evidence: Iterable[tuple[Evidence, bool]], cap: int
) -> tuple[list[Row], list[Row]]:
    """Rows of outputs and of answers; sensitive outputs and those over `cap` bytes: digest only.

    The text that a sensitive request wrote to standard error is not kept either.
    """
    outputs, answers = [], []
    for one, sensitive in evidence:
        digest = one.sha256
        keep = not sensitive and len(one.stdout) <= cap
        data = zlib.compress(one.stdout, 1) if keep else None
        outputs.append({"sha256": digest, "size": len(one.stdout), "data": data})
        told = msgspec.structs.replace(one, stdout=b"", stderr=b"" if sensitive else one.stderr)
        answers.append(
            {
                "scan": scan,
                "target": to_column(one.target),
                "key": to_column(one.key),
                "sha256": digest,
                "data": pack(told),
            }
        )
    return outputs, answers


def result_rows(scan: str, results: Iterable[Result]) -> list[Row]:
    """Rows of results; those of one fingerprint are numbered, so that none replaces another."""
    seen: Counter[str] = Counter()
    rows = []
    for row in results:
        rows.append(
            {
                "scan": scan,
                "fingerprint": to_column(row.fingerprint),
                "part": seen[row.fingerprint],
                "check_id": to_column(row.check),
                "unit": to_column(row.unit),
                "status": row.status.value,
                "severity": row.severity.value,
                "data": pack(row),
            }
        )
        seen[row.fingerprint] += 1
    return rows


def turn_rows(started: int, results: Iterable[Result]) -> list[Row]:
    """The state of every row at the scan's start; the statement keeps only those that turned."""
    return [
        {"f": to_column(key), "t": started, "s": state} for key, state in states(results).items()
    ]


def memory_rows(started: int, memories: Iterable[Memory]) -> list[Row]:
    """Rows of memories; what does not say when it was seen was seen by this scan."""
    return [
        {
            "kind": to_column(m.kind),
            "subject": to_column(m.subject),
            "id": to_column(m.id),
            "time": to_micros(m.time),
            "first_seen": to_micros(m.first_seen) if m.first_seen else started,
            "last_seen": to_micros(m.last_seen) if m.last_seen else started,
            "data": m.data,
        }
        for m in memories
    ]


def target_rows(scan: str, outcomes: Iterable[TargetOutcome]) -> list[Row]:
    """Rows of the outcomes of targets."""
    return [
        {
            "scan": scan,
            "target": to_column(outcome.target),
            "unit": to_column(outcome.unit),
            "outcome": outcome.outcome,
            "data": pack(outcome),
        }
        for outcome in outcomes
    ]


def case_rows(scan: str, keys: Sequence[str]) -> list[Row]:
    """Rows of judged cases."""
    return [{"scan": scan, "key": to_column(key)} for key in keys]


class Statements:
    """Every statement of `save` as text, made once: building it anew took longer than writing."""

    def __init__(self, dialect: Dialect) -> None:
        postgres = dialect.name == "postgresql"
        self._insert = _postgresql_insert() if postgres else sqlite.insert
        # The driver gets rows by name.
        named = dialect if postgres else sqlite.dialect(paramstyle="named")
        made: dict[str, Insert | Delete] = {
            "targets": self._replace(tables.targets),
            "cases": self._insert(tables.cases).on_conflict_do_nothing(),
            "results": self._replace(tables.results),
            "evidence": self._evidence(),
            "answers": self._replace(tables.answers),
            "memories": self._memories(),
            "unturn": delete(tables.turns).where(
                tables.turns.c.fingerprint == bindparam("f", type_=Text),
                tables.turns.c.started == bindparam("t", type_=BigInteger),
            ),
            "turns": _turns(),
        }
        self.texts = {name: str(one.compile(dialect=named)) for name, one in made.items()}

    def put(self, connection: Connection, batch: Batch) -> None:
        """Write a batch inside the caller's transaction."""
        for name, rows in batch.items():
            if rows:
                connection.exec_driver_sql(self.texts[name], rows)

    def keep_inventory(self, connection: Connection, digest: str, data: bytes) -> None:
        """Write an inventory unless the same is there already."""
        connection.execute(
            self._insert(tables.inventories).on_conflict_do_nothing(),
            {"digest": digest, "data": data},
        )

    def keep_key(self, connection: Connection, name: str, data: bytes) -> None:
        """Write a key unless there is one of this name."""
        connection.execute(
            self._insert(tables.keys).on_conflict_do_nothing(), {"name": name, "data": data}
        )

    def _replace(self, table: Table) -> Insert:
        statement = self._insert(table)
        key = list(table.primary_key.columns)
        others = {c.name: statement.excluded[c.name] for c in table.c if not c.primary_key}
        return statement.on_conflict_do_update(index_elements=key, set_=others)

    def _evidence(self) -> Insert:
        # What was once kept as a digest only may come again from a request that is not sensitive.
        table = tables.evidence
        statement = self._insert(table)
        return statement.on_conflict_do_update(
            index_elements=[table.c.sha256],
            set_={"data": statement.excluded.data},
            where=table.c.data.is_(None) & statement.excluded.data.is_not(None),
        )

    def _memories(self) -> Insert:
        # A scan that started earlier may finish later: the freshest sighting wins in any order.
        table = tables.memories
        statement = self._insert(table)
        new = statement.excluded

        def freshest(name: str) -> ColumnElement[Any]:
            fresh = new.last_seen >= table.c.last_seen
            return case((fresh, new[name]), else_=table.c[name])

        first = case(
            (new.first_seen < table.c.first_seen, new.first_seen), else_=table.c.first_seen
        )
        return statement.on_conflict_do_update(
            index_elements=list(table.primary_key.columns),
            set_={
                "first_seen": first,
                "time": freshest("time"),
                "data": freshest("data"),
                "last_seen": freshest("last_seen"),
            },
        )


def _postgresql_insert() -> Callable[[Table], Any]:
    # Takes 2 MB, for nothing where the store is a file.
    from sqlalchemy.dialects import postgresql  # noqa: PLC0415

    return postgresql.insert


def _turns() -> Insert:
    table = tables.turns
    mark, start = bindparam("f", type_=Text), bindparam("t", type_=BigInteger)
    state = bindparam("s", type_=Text)
    earlier = table.alias("earlier")
    last = select(func.max(earlier.c.started)).where(
        earlier.c.fingerprint == mark, earlier.c.started < start
    )
    before = (
        select(table.c.state)
        .where(table.c.fingerprint == mark, table.c.started == last.scalar_subquery())
        .scalar_subquery()
    )
    new = select(mark, start, state).where(
        func.coalesce(before, literal_column("''", Text)) != state
    )
    return insert(table).from_select(["fingerprint", "started", "state"], new)
