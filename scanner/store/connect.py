"""Opening a database: the file and its rights, the engine, how SQLite is told to behave."""

from __future__ import annotations

import os
from pathlib import Path
from sqlite3 import Connection as SqliteConnection
from sqlite3 import Error as SqliteError
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from scanner.store.errors import StoreError

WRITES = "sauro_writes"
"""Execution option of connections that mean to write: they queue before they read."""


def address(url_or_path: str | Path, *, create: bool) -> tuple[URL, str]:
    """The URL of a store and the name to show for it (never a password).

    Makes the file of a new SQLite store, readable by its owner only, as it holds evidence.

    Raises:
        StoreError: the folder is missing or cannot be written, or there is no store and `create`
            is not set.
    """
    text = str(url_or_path)
    if "://" not in text:
        path = Path(text).expanduser()
        _ensure_file(path, create=create)
        return URL.create("sqlite", database=str(path)), str(path)
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise StoreError(
            "store: this URL cannot be read: write postgresql://user@host/name or a file name"
        ) from None
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() not in {"sqlite", "postgresql"}:
        raise StoreError(
            f"store {url.render_as_string()}: only a SQLite file or a PostgreSQL URL is understood"
        )
    if url.get_backend_name() == "sqlite":
        if not url.database or url.database == ":memory:":
            raise StoreError("store: a store in memory would be lost: name a file")
        if "uri" not in url.query:
            _ensure_file(Path(url.database), create=create)
    return url, url.render_as_string(hide_password=True)


def _ensure_file(path: Path, *, create: bool) -> None:
    if path.is_dir():
        raise StoreError(f"store {path} is a folder: name a file in it")
    if not path.parent.is_dir():
        raise StoreError(f"store {path}: the folder {path.parent} does not exist: make it first")
    try:
        if path.exists():
            return
        if not create:
            raise StoreError(f"there is no store {path} yet: run `sauro scan` first")
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    except OSError as e:
        raise StoreError(
            f"store {path} cannot be made ({e.strerror}): make its folder writable"
        ) from None


def make_engine(url: URL, place: str, patience: float) -> Engine:
    """An engine whose SQLite connections wait `patience` seconds for other writers."""
    sqlite = url.get_backend_name() == "sqlite"
    arguments: dict[str, Any] = {"timeout": patience} if sqlite else {}
    try:
        engine = create_engine(url, connect_args=arguments)
    except ImportError as e:
        raise StoreError(
            f"store {place} needs a library that is not installed ({e.name}): "
            "install sauro with its extra `postgresql`"
        ) from None
    if sqlite:
        event.listen(engine, "connect", _tune)
        event.listen(engine, "begin", _begin)
    return engine


def _tune(dbapi: SqliteConnection, _record: object) -> None:
    # The driver's own transactions start only at the first write, which is too late: `_begin`.
    dbapi.isolation_level = None
    try:
        dbapi.execute("PRAGMA foreign_keys = ON")
        # What is removed at the end of its time must not be left in the file's free space.
        dbapi.execute("PRAGMA secure_delete = ON")
        # With a write-ahead log NORMAL loses nothing when the process dies; a loss of power may
        # cost the last moments, never the file.
        dbapi.execute("PRAGMA synchronous = NORMAL")
        # Fold the log into the file every 16 MB instead of 4: that is when the disk is waited for.
        dbapi.execute("PRAGMA wal_autocheckpoint = 4000")
        # 8 MB: fingerprints land all over their index, which outgrows the usual 2 MB.
        dbapi.execute("PRAGMA cache_size = -8000")
    except SqliteError:
        dbapi.close()
        raise


def _begin(connection: Connection) -> None:
    # A reader that turns writer fails at once when another wrote in between, whatever the busy
    # timeout says; one that starts as a writer waits its turn.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def fold_log(engine: Engine) -> None:
    """Write the log into the file and empty it, so that nothing removed is left in it.

    Readers that are at work keep it from being emptied; the next call, or the last one to close the
    store, makes up for it.
    """
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        raw.close()


def use_write_ahead_log(engine: Engine) -> None:
    """Let readers and a writer work at the same time; the choice stays with the file."""
    if engine.dialect.name != "sqlite":
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA journal_mode")
        if cursor.fetchone() != ("wal",):
            cursor.execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()
