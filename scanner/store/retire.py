"""Ending the details of old scans about documents, while their counts stay for trends."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, bindparam, select, update

from checks.documents.retention import PREFIX, expired
from checks.results import Result, ScanInfo
from scanner.store.codec import pack, to_column, unpacker
from scanner.store.reads import is_scan
from scanner.store.tables import results, scans

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
    """End the details of one scan, inside the caller's transaction."""
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
    told = msgspec.structs.replace(info, documents_ended=now)
    connection.execute(update(scans).where(is_scan(info.id)).values(info=pack(told)))


def _ended(data: bytes, now: dt.datetime) -> Result:
    row = _result(data)
    return msgspec.structs.replace(row, detail=expired(row.detail, now))
