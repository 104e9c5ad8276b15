"""Ending the details of old scans about documents, while their counts stay for trends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, delete, select, update

from checks.documents.retention import MARKS, PREFIX, REMEMBERED, expired
from checks.results import Result, ScanInfo
from scanner.store.codec import pack, to_column, to_micros, unpacker
from scanner.store.reads import is_scan
from scanner.store.tables import memories, results, scans

_result = unpacker(Result)


def overdue(
    infos: Sequence[ScanInfo], now: dt.datetime, cutoff: dt.datetime | None
) -> list[ScanInfo]:
    """Scans whose details have ended: by their own promise, or as they began before `cutoff`."""
    return [
        info
        for info in infos
        if info.documents_ended is None
        and (
            (info.documents_until is not None and info.documents_until <= now)
            or (cutoff is not None and info.started < cutoff)
        )
    ]


def retire(connection: Connection, info: ScanInfo, now: dt.datetime) -> None:
    """End the details of one scan, and what it remembered, inside the caller's transaction."""
    mine = results.c.scan == to_column(info.id)
    keys = results.c.fingerprint, results.c.part
    wanted = select(*keys, results.c.data).where(mine, results.c.check_id.startswith(PREFIX))
    rows = [
        {"f": row.fingerprint, "p": row.part, "d": pack(_ended(row.data, now))}
        for row in connection.execute(wanted)
    ]
    if rows:
        same = keys[0] == bindparam("f"), keys[1] == bindparam("p")
        statement = update(results).where(mine, *same).values(data=bindparam("d"))
        connection.execute(statement, rows)
    _forget(connection, info)
    told = msgspec.structs.replace(info, documents_ended=now)
    connection.execute(update(scans).where(is_scan(info.id)).values(info=pack(told)))


def _forget(connection: Connection, info: ScanInfo) -> None:
    """Forget what this scan was the last to remember of mail logs."""
    ours = memories.c.last_seen == to_micros(info.started)
    kinds = (to_column(MARKS), to_column(REMEMBERED))
    connection.execute(delete(memories).where(memories.c.kind.in_(kinds), ours))


def trim_memories(connection: Connection, cutoff: dt.datetime) -> int:
    """End what is remembered of mail logs and older than `cutoff`; how many memories changed."""
    from checks.documents.sources.remembered import ended  # noqa: PLC0415 - loads all it may hold

    m, limit = memories.c, to_micros(cutoff)
    wanted = select(m.subject, m.id, m.data)
    old = connection.execute(wanted.where(m.kind == to_column(REMEMBERED), m.time < limit)).all()
    for row in old:
        same = m.kind == to_column(REMEMBERED), m.subject == row.subject, m.id == row.id
        values = {"data": ended(bytes(row.data), cutoff), "time": limit}
        connection.execute(update(memories).where(*same).values(values))
    return len(old)


def _ended(data: bytes, now: dt.datetime) -> Result:
    row = _result(data)
    return msgspec.structs.replace(row, detail=expired(row.detail, now))
