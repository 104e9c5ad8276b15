"""What can go wrong with a store, said in one line with the remedy."""

from __future__ import annotations

import sqlite3

from sqlalchemy.exc import DBAPIError

from scanner.errors import UserError

_NOT_ONE = "is not a store of sauro: name another file in `store:` of sauro.yaml"
_DAMAGED = "is damaged: restore it from a backup, or move it away to start a new one"

_SQLITE = {
    sqlite3.SQLITE_BUSY: "is locked by another program: wait for it to end, then try again",
    sqlite3.SQLITE_LOCKED: "is locked by another program: wait for it to end, then try again",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full: free some space, then scan with --resume",
    sqlite3.SQLITE_READONLY: "cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_PERM: "cannot be written: make the file and its folder writable",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened: check that the file and its folder can be written",
    sqlite3.SQLITE_IOERR: "cannot be read or written: check the disk, its free space and limits",
    sqlite3.SQLITE_NOTADB: _NOT_ONE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}


class StoreError(UserError):
    """The store cannot be used as asked: one line with the place and the remedy."""


FAULTS = (DBAPIError, sqlite3.Error)
"""What a database raises: wrapped, or bare while a connection is being made."""


def _bare(error: Exception) -> object:
    return error.orig if isinstance(error, DBAPIError) else error


def _code(error: Exception) -> int | None:
    # The low byte is the primary code; the rest tells sub-kinds apart.
    code = getattr(_bare(error), "sqlite_errorcode", None)
    return None if code is None else int(code) & 0xFF


def is_ours(error: Exception) -> bool:
    """Whether the fault is a mistake in our own statements, which must keep its trace."""
    return isinstance(_bare(error), sqlite3.ProgrammingError | sqlite3.InterfaceError)


def is_busy(error: Exception) -> bool:
    """Whether trying again may help, because another writer is at work."""
    return _code(error) in _BUSY


def explain(error: Exception, place: str) -> StoreError:
    """The one line for a fault of the database at `place`."""
    code = _code(error)
    if code in _SQLITE:
        return StoreError(f"store {place} {_SQLITE[code]}")
    if code == sqlite3.SQLITE_CONSTRAINT:
        return StoreError(
            f"store {place} no longer has the scan being written (was it pruned?): scan anew"
        )
    first = (str(_bare(error)).splitlines() or [""])[0]
    return StoreError(
        f"store {place} does not answer ({first}): check the database, then try again"
    )


def damaged(place: str, what: str) -> StoreError:
    """The one line for content that cannot be read back."""
    return StoreError(f"store {place} {_DAMAGED} ({what})")


def newer(place: str, found: int, known: int) -> StoreError:
    """The one line for a store that a later program has changed."""
    return StoreError(
        f"store {place} has version {found}, newer than this sauro understands ({known}): "
        "update sauro"
    )


def foreign(place: str) -> StoreError:
    """The one line for a database that belongs to another program."""
    return StoreError(f"store {place} {_NOT_ONE}")
