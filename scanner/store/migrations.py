"""Numbered steps from an empty database to the newest layout, each run once, in order.

A step, once released, is never changed: later layouts get a step of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby

import msgspec
from sqlalchemy import Connection, func, insert, inspect, select

from scanner.store.codec import batch_of
from scanner.store.errors import foreign, newer
from scanner.store.tables import judged
from scanner.store.tables import migrations as applied


class Migration(msgspec.Struct, frozen=True):
    """One step; `up` gets the open transaction."""

    version: int
    name: str
    up: Callable[[Connection], None]


_FIRST = """
CREATE TABLE sauro_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE inventories (digest TEXT PRIMARY KEY, data {blob} NOT NULL);
CREATE TABLE scans (
    id TEXT PRIMARY KEY, started BIGINT NOT NULL, complete INTEGER NOT NULL, plan TEXT NOT NULL,
    question TEXT NOT NULL, inventory TEXT NOT NULL REFERENCES inventories (digest),
    info {blob} NOT NULL);
CREATE INDEX scans_started ON scans (started);
CREATE TABLE targets (
    scan TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE, target TEXT NOT NULL,
    unit TEXT NOT NULL, outcome TEXT NOT NULL, data {blob} NOT NULL, PRIMARY KEY (scan, target));
CREATE TABLE cases (
    scan TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE, key TEXT NOT NULL,
    PRIMARY KEY (scan, key)) {by_key};
CREATE TABLE results (
    scan TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE, fingerprint TEXT NOT NULL,
    part INTEGER NOT NULL, check_id TEXT NOT NULL, unit TEXT NOT NULL, status TEXT NOT NULL,
    severity TEXT NOT NULL, data {blob} NOT NULL, PRIMARY KEY (scan, fingerprint, part));
CREATE TABLE evidence (sha256 TEXT PRIMARY KEY, size BIGINT NOT NULL, data {blob});
CREATE TABLE answers (
    scan TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE, target TEXT NOT NULL,
    key TEXT NOT NULL, sha256 TEXT NOT NULL, data {blob} NOT NULL,
    PRIMARY KEY (scan, target, key));
CREATE INDEX answers_sha256 ON answers (sha256);
CREATE TABLE memories (
    kind TEXT NOT NULL, subject TEXT NOT NULL, id TEXT NOT NULL, time BIGINT NOT NULL,
    first_seen BIGINT NOT NULL, last_seen BIGINT NOT NULL, data {blob} NOT NULL,
    PRIMARY KEY (kind, subject, id));
CREATE TABLE turns (
    fingerprint TEXT NOT NULL, started BIGINT NOT NULL, state TEXT NOT NULL,
    PRIMARY KEY (fingerprint, started)) {by_key}
"""
_KEYS = "CREATE TABLE keys (name TEXT PRIMARY KEY, data {blob} NOT NULL)"
_JUDGED = """
CREATE TABLE judged (
    scan TEXT NOT NULL REFERENCES scans (id) ON DELETE CASCADE, batch TEXT NOT NULL,
    cases {blob} NOT NULL, PRIMARY KEY (scan, batch))
"""


def _judged(connection: Connection) -> None:
    """One row for what was judged together instead of one for each case; only unfinished scans."""
    _statements(connection, _JUDGED)
    found = connection.exec_driver_sql(
        "SELECT scan, key FROM cases WHERE scan IN (SELECT id FROM scans WHERE complete = 0) "
        "ORDER BY scan"
    )
    for scan, rows in groupby(found.all(), key=lambda row: row.scan):
        row = {"scan": scan, **batch_of([row.key for row in rows])}
        connection.execute(insert(judged), row)
    connection.exec_driver_sql("DROP TABLE cases")


def _statements(connection: Connection, text: str) -> None:
    sqlite = connection.dialect.name == "sqlite"
    words = {"blob": "BLOB" if sqlite else "BYTEA", "by_key": "WITHOUT ROWID" if sqlite else ""}
    for statement in text.format(**words).split(";"):
        connection.exec_driver_sql(statement)


MIGRATIONS: tuple[Migration, ...] = (
    Migration(1, "scans, results, evidence, memories, turns", lambda c: _statements(c, _FIRST)),
    Migration(2, "keys", lambda c: _statements(c, _KEYS)),
    Migration(3, "judged cases by the batch", _judged),
)


def version(connection: Connection) -> int:
    """The layout of this database; 0 when nothing of ours is in it."""
    if not inspect(connection).has_table(applied.name):
        return 0
    found = connection.scalar(select(func.max(applied.c.version)))
    return int(found or 0)


def migrate(
    connection: Connection, place: str, steps: tuple[Migration, ...] = MIGRATIONS
) -> list[int]:
    """Take the missing steps inside the caller's transaction; the versions that were taken.

    Raises:
        StoreError: the store is of a newer version, or the file belongs to another program.
    """
    now = version(connection)
    if now > steps[-1].version:
        raise newer(place, now, steps[-1].version)
    if now == 0 and connection.dialect.name == "sqlite" and inspect(connection).get_table_names():
        raise foreign(place)
    taken = []
    for step in steps:
        if step.version > now:
            step.up(connection)
            connection.execute(insert(applied).values(version=step.version, name=step.name))
            taken.append(step.version)
    return taken
