"""One finished target to rows, and the prepared statements that write them."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Table,
    case,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import sqlite
from sqlalchemy.sql.dml import Insert

from checks.evidence import Evidence
from checks.model import STATUS_ORDER, Memory, Severity, Status
from checks.results import Result, TargetOutcome
from scanner.store import tables
from scanner.store.codec import batch_of, pack, to_column, to_micros
from scanner.store.life import STATE

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
    seen: dict[str, int] = {}
    texts = {word: word.value for word in (*Status, *Severity)}
    rows = []
    for row in results:
        key = row.fingerprint
        part = seen[key] = seen.get(key, -1) + 1
        for text in (row.check, row.unit):
            if text not in texts:
                texts[text] = to_column(text)
        rows.append(
            {
                "scan": scan,
                "fingerprint": to_column(key),
                "part": part,
                "check_id": texts[row.check],
                "unit": texts[row.unit],
                "status": texts[row.status],
                "severity": texts[row.severity],
                "data": pack(row),
            }
        )
    return rows


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
    """The row of the cases that were judged together; none for none."""
    return [{"scan": scan, **batch_of([to_column(key) for key in keys])}] if keys else []


class Statements:
    """Every statement of `save` as text, made once: building it anew took longer than writing."""

    def __init__(self, dialect: Dialect) -> None:
        postgres = dialect.name == "postgresql"
        self._insert = _postgresql_insert() if postgres else sqlite.insert
        # The driver gets rows by name.
        named = dialect if postgres else sqlite.dialect(paramstyle="named")
        made: dict[str, Insert] = {
            "targets": self._replace(tables.targets),
            "cases": self._insert(tables.judged).on_conflict_do_nothing(),
            "results": self._replace(tables.results),
            "evidence": self._evidence(),
            "answers": self._replace(tables.answers),
            "memories": self._memories(),
        }
        self.texts = {name: str(one.compile(dialect=named)) for name, one in made.items()}

    def put(self, connection: Connection, batch: Batch) -> None:
        """Write a batch inside the caller's transaction."""
        for name, rows in batch.items():
            if rows:
                connection.exec_driver_sql(self.texts[name], rows)

    def settle(self, connection: Connection, scan: str, started: int) -> bool:
        """Write which rows of a scan turned: those whose state is another than the one before.

        May be done again, when there are more rows or an earlier scan was settled late. Tells
        whether that is other than what was written before.
        """
        t, mine = tables.turns.c, tables.results.c.scan == scan
        own = select(tables.results.c.fingerprint).where(mine)
        ours = (t.started == started) & t.fingerprint.in_(own)
        known = select(t.fingerprint, t.state).where(ours)
        before = set(connection.execute(known))
        connection.execute(delete(tables.turns).where(ours))
        added = connection.execute(_turned(scan, started)).rowcount
        return added != len(before) or before != set(connection.execute(known))

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


def _turned(scan: str, started: int) -> Insert:
    table, r = tables.turns, tables.results.c
    rank = case({status.value: n for n, status in enumerate(STATUS_ORDER)}, value=r.status)
    worst = select(r.fingerprint, func.min(rank).label("rank")).where(r.scan == scan)
    now = worst.group_by(r.fingerprint).subquery()
    state = case({n: STATE[status] for n, status in enumerate(STATUS_ORDER)}, value=now.c.rank)
    earlier = table.alias("earlier")
    last = select(func.max(earlier.c.started)).where(
        earlier.c.fingerprint == now.c.fingerprint, earlier.c.started < started
    )
    before = (
        select(table.c.state)
        .where(table.c.fingerprint == now.c.fingerprint, table.c.started == last.scalar_subquery())
        .scalar_subquery()
    )
    new = select(now.c.fingerprint, literal(started, BigInteger), state).where(
        func.coalesce(before, "") != state
    )
    return insert(table).from_select(["fingerprint", "started", "state"], new)
