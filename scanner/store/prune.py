"""Letting old scans go, without letting go of what is known about findings."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, delete, func, select

from scanner.store.codec import to_micros
from scanner.store.tables import answers, evidence, inventories, memories, results, scans, turns


def outdated(connection: Connection, cutoff: dt.datetime) -> list[str]:
    """Ids of scans older than `cutoff`, but the last complete one of each selection stays."""
    last = (
        select(func.max(scans.c.started))
        .where(scans.c.complete == 1)
        .group_by(scans.c.question)
        .scalar_subquery()
    )
    found = connection.scalars(
        select(scans.c.id)
        .where(scans.c.started < to_micros(cutoff))
        .where((scans.c.complete == 0) | scans.c.started.not_in(last))
        .order_by(scans.c.started)
    )
    return list(found)


def remove(connection: Connection, scan_id: str) -> None:
    """Remove one scan with everything that is only its own."""
    connection.execute(delete(scans).where(scans.c.id == scan_id))


def sweep(connection: Connection, cutoff: dt.datetime) -> None:
    """Remove what no scan refers to any more, and memories not seen since `cutoff`."""
    limit = to_micros(cutoff)
    connection.execute(delete(evidence).where(evidence.c.sha256.not_in(select(answers.c.sha256))))
    used = select(scans.c.inventory)
    connection.execute(delete(inventories).where(inventories.c.digest.not_in(used)))
    connection.execute(delete(memories).where(memories.c.last_seen < limit))
    shown = select(results.c.fingerprint)
    connection.execute(
        delete(turns).where(turns.c.started < limit, turns.c.fingerprint.not_in(shown))
    )
