"""Questions to an open database, answered in frozen values.

Every function takes a connection and raises ValueError for content that cannot be read back.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, select

from checks.evidence import Evidence, Failure, FailureKind
from checks.model import STATUS_ORDER, Memory, Status
from checks.results import EvidenceRef, Result, Scan, ScanInfo, TargetOutcome
from inventory.model import Inventory
from scanner.store import tables
from scanner.store.codec import from_column, from_micros, to_column, unpacker
from scanner.store.life import STATE

read_info = unpacker(ScanInfo)
_inventory = unpacker(Inventory)
_outcome = unpacker(TargetOutcome)
_result = unpacker(Result)
_answer = unpacker(Evidence)
_keys = unpacker(list[str])
_scan = tables.scans.c


class NoScanError(LookupError):
    """There is no scan of the id that is its only argument."""


def question(info: ScanInfo) -> str:
    """What a scan was asked, the same for scans that can be compared: its selection, in any order.

    Simulated scans are never compared with real ones.
    """
    fields = msgspec.structs.asdict(info.selection)
    asked = {name: sorted(values) for name, values in fields.items() if values}
    if info.simulated:
        asked["simulated"] = []
    return to_column(repr(sorted(asked.items())))


def is_scan(scan_id: str) -> ColumnElement[bool]:
    """The condition on a scan's id."""
    return _scan.id == to_column(scan_id)


def newest(connection: Connection, *conditions: ColumnElement[bool]) -> ScanInfo | None:
    """The scan that started last of those that meet the conditions."""
    wanted = select(_scan.info).where(*conditions)
    data = connection.scalar(wanted.order_by(_scan.started.desc(), _scan.id.desc()).limit(1))
    return None if data is None else read_info(data)


def before(connection: Connection, scan_id: str) -> ScanInfo | None:
    """The complete scan of the same question that started last before this one.

    Raises:
        NoScanError: there is no such scan.
    """
    wanted = select(_scan.question, _scan.started).where(is_scan(scan_id))
    this = connection.execute(wanted).one_or_none()
    if this is None:
        raise NoScanError(scan_id)
    same = _scan.question == this.question
    return newest(connection, same, _scan.complete == 1, _scan.started < this.started)


def infos(connection: Connection) -> list[ScanInfo]:
    """Every scan, newest first."""
    wanted = select(_scan.info).order_by(_scan.started.desc(), _scan.id.desc())
    return [read_info(data) for data in connection.scalars(wanted)]


def scan(connection: Connection, scan_id: str) -> Scan:
    """A whole scan.

    Raises:
        NoScanError: there is no such scan.
    """
    joined = select(_scan.info, tables.inventories.c.data).join(tables.inventories)
    head = connection.execute(joined.where(is_scan(scan_id))).one_or_none()
    if head is None:
        raise NoScanError(scan_id)
    return Scan(
        info=read_info(head.info),
        inventory=_inventory(head.data),
        targets=targets(connection, scan_id),
        results=tuple(results(connection, scan_id)),
    )


def results(connection: Connection, scan_id: str) -> list[Result]:
    """The rows of a scan, in an order that does not depend on which target answered first."""
    found = connection.scalars(_data(tables.results, scan_id))
    return sorted(_alike(_result(data) for data in found), key=_row_order)


def _alike(rows: Iterable[Result]) -> Iterator[Result]:
    """The same rows, sharing what is equal: a third of the memory of a large scan."""
    texts: dict[str | None, Any] = {}
    seen: dict[tuple[EvidenceRef, ...], tuple[EvidenceRef, ...]] = {}
    for row in rows:
        names = [texts.setdefault(t, t) for t in (row.check, row.unit, row.system, row.target)]
        yield msgspec.structs.replace(
            row,
            check=names[0],
            unit=names[1],
            system=names[2],
            target=names[3],
            evidence=seen.setdefault(row.evidence, row.evidence),
        )


def results_of_checks(
    connection: Connection, scan_id: str, checks: Sequence[str], unit: str = ""
) -> list[Result]:
    """The rows of some checks only, or of those of one unit, in the same order."""
    table = tables.results.c
    wanted: list[ColumnElement[bool]] = [table.check_id.in_([to_column(c) for c in checks])]
    wanted += [table.unit == to_column(unit)] if unit else []
    found = connection.scalars(_data(tables.results, scan_id).where(*wanted))
    return sorted((_result(data) for data in found), key=_row_order)


def _row_order(row: Result) -> tuple[str, ...]:
    return (row.unit, row.system or "", row.target, row.check, row.subject, row.fingerprint)


def _data(table: Table, scan_id: str) -> Select[bytes]:
    # In the order of the key, so that rows of one identity keep theirs.
    mine = table.c.scan == to_column(scan_id)
    return select(table.c.data).where(mine).order_by(*table.primary_key.columns)


def done_cases(connection: Connection, scan_id: str) -> frozenset[str]:
    """Keys of the cases that a scan has judged."""
    wanted = select(tables.judged.c.cases).where(tables.judged.c.scan == to_column(scan_id))
    batches = map(_keys, connection.scalars(wanted))
    return frozenset(from_column(key) for keys in batches for key in keys)


def counts(connection: Connection, scan_id: str) -> dict[Status, int]:
    """How many rows of a scan have each status."""
    r = tables.results.c
    wanted = (
        select(r.status, func.count().label("n"))
        .where(r.scan == to_column(scan_id))
        .group_by(r.status)
    )
    found = {row.status: row.n for row in connection.execute(wanted)}
    return {status: found.get(status.value, 0) for status in Status}


def targets(connection: Connection, scan_id: str) -> tuple[TargetOutcome, ...]:
    """How the visits of a scan went, in the order of unit and target."""
    visited = [_outcome(data) for data in connection.scalars(_data(tables.targets, scan_id))]
    return tuple(sorted(visited, key=lambda t: (t.unit, t.target)))


def recall(
    connection: Connection, kind: str, subject: str | None = None
) -> dict[str, tuple[Memory, ...]]:
    """Everything remembered of a kind, by subject (or of one only), in the order of its time."""
    t = tables.memories.c
    wanted = select(tables.memories).where(t.kind == to_column(kind))
    if subject is not None:
        wanted = wanted.where(t.subject == to_column(subject))
    found = connection.execute(wanted.order_by(t.subject, t.time, t.id))
    by_subject = groupby(found, key=lambda row: row.subject)
    return {from_column(s): tuple(_memory(kind, row) for row in rows) for s, rows in by_subject}


def _memory(kind: str, row: Row[*tuple[Any, ...]]) -> Memory:
    return Memory(
        kind=kind,
        subject=from_column(row.subject),
        id=from_column(row.id),
        time=from_micros(row.time),
        data=bytes(row.data),
        first_seen=from_micros(row.first_seen),
        last_seen=from_micros(row.last_seen),
    )


def output(connection: Connection, sha256: str) -> bytes | None:
    """An output by its digest; None when it is not there or only its digest was kept."""
    t = tables.evidence.c
    return _inflate(connection.scalar(select(t.data).where(t.sha256 == to_column(sha256))))


def answers(connection: Connection, scan_id: str) -> list[Evidence]:
    """The evidence of a scan; a failure stands where only the digest of an output was kept."""
    a, e = tables.answers, tables.evidence
    joined = select(a.c.data.label("told"), e.c.data.label("output"), e.c.size, e.c.sha256)
    joined = joined.join_from(a, e, a.c.sha256 == e.c.sha256)
    mine = a.c.scan == to_column(scan_id)
    found = connection.execute(joined.where(mine).order_by(a.c.target, a.c.key))
    return [_whole(row) for row in found]


def _whole(row: Row[*tuple[Any, ...]]) -> Evidence:
    told, output = _answer(row.told), _inflate(row.output)
    if output is not None:
        return msgspec.structs.replace(told, stdout=output)
    if told.failure is not None:
        return told
    gone = f"only the digest of {row.size} bytes was kept ({row.sha256})"
    return msgspec.structs.replace(told, failure=Failure(kind=FailureKind.TRUNCATED, detail=gone))


def _inflate(data: bytes | None) -> bytes | None:
    try:
        return None if data is None else zlib.decompress(data)
    except zlib.error as e:
        raise ValueError(f"evidence: {e}") from e


def lives(
    connection: Connection, scan_id: str, statuses: Sequence[Status], start: int
) -> Iterator[tuple[str, list[tuple[int, str]]]]:
    """Fingerprint and turns of each row of a scan that has one of the statuses.

    The last turn may be the scan's own, at its `start`: it is read from the rows themselves, so a
    scan that was killed has a life as well.
    """
    t = tables.turns.c
    now = _worst(connection, scan_id, statuses)
    asked = tables.results.c.fingerprint
    mine = select(asked).where(_has(scan_id, statuses)).distinct()
    past = select(t.fingerprint, t.started, t.state).where(
        t.fingerprint.in_(mine), t.started < start
    )
    found = connection.execute(past.order_by(t.fingerprint, t.started))
    before = {
        key: [(row.started, row.state) for row in rows]
        for key, rows in groupby(found, key=lambda row: row.fingerprint)
    }
    for key, status in sorted(now.items()):
        turns = before.get(key, [])
        if not turns or turns[-1][1] != STATE[status]:
            turns.append((start, STATE[status]))
        yield from_column(key), turns


def _has(scan_id: str, statuses: Sequence[Status]) -> ColumnElement[bool]:
    r = tables.results.c
    return (r.scan == to_column(scan_id)) & r.status.in_([s.value for s in statuses])


def _worst(connection: Connection, scan_id: str, statuses: Sequence[Status]) -> dict[str, Status]:
    """The worst status by the fingerprint of each row that has one of the statuses."""
    r = tables.results.c
    asked = select(r.fingerprint).where(_has(scan_id, statuses))
    rows = select(r.fingerprint, r.status).where(
        r.scan == to_column(scan_id), r.fingerprint.in_(asked)
    )
    worst: dict[str, Status] = {}
    for key, text in connection.execute(rows):
        status = Status(text)
        worst[key] = min(worst.get(key, status), status, key=STATUS_ORDER.index)
    return worst


def key(connection: Connection, name: str) -> bytes | None:
    """The key of a name; None when there is none."""
    return connection.scalar(select(tables.keys.c.data).where(tables.keys.c.name == name))
