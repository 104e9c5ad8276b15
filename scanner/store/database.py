"""The store: scans, their rows, evidence, and what is remembered beyond a scan.

Everything in and out is a frozen value. Each `save` is one transaction: when it has returned,
killing the program loses nothing of it; when it has not, nothing of it is there.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from checks.evidence import Evidence
from checks.model import Memory, Status
from checks.results import Result, Scan, ScanInfo, TargetOutcome
from inventory.model import Inventory
from scanner.store import life, migrations, prune, reads, retire, tables, writes
from scanner.store.codec import from_micros, pack, to_column, to_micros
from scanner.store.connect import WRITES, address, fold_log, make_engine, use_write_ahead_log
from scanner.store.errors import FAULTS, StoreError, damaged, explain, is_busy, is_ours

T = TypeVar("T")

EVIDENCE_CAP = 4 * 1024 * 1024
"""Bytes of one output above which only its digest is kept."""
PATIENCE = 30.0
"""Seconds to wait for another writer."""


class Store:
    """An open store. May be used by several threads and, through its file, several programs."""

    def __init__(self, engine: Engine, place: str, *, patience: float, evidence_cap: int) -> None:
        self._engine = engine
        self._writer = engine.execution_options(**{WRITES: True})
        self._place = place
        self._patience = patience
        self._cap = evidence_cap
        self._statements = writes.Statements(engine.dialect)
        self._started: dict[str, int] = {}
        # One writer at a time in this program, in turn; SQLite's own waiting is not fair.
        self._turn = threading.Lock()

    @classmethod
    def open(
        cls,
        url_or_path: str | Path,
        *,
        create: bool = True,
        patience: float = PATIENCE,
        evidence_cap: int = EVIDENCE_CAP,
    ) -> Self:
        """Open a SQLite file or a PostgreSQL URL, bringing its layout up to date.

        Raises:
            StoreError: locked, full, read-only, damaged, not ours, of a newer version, or not there
                and not to be created.
        """
        url, place = address(url_or_path, create=create)
        engine = make_engine(url, place, patience)
        store = cls(engine, place, patience=patience, evidence_cap=evidence_cap)
        try:
            store._patiently(store._prepare)
        except BaseException:
            engine.dispose()
            raise
        return store

    def _prepare(self) -> None:
        use_write_ahead_log(self._engine)
        with self._engine.connect() as connection:
            ready = migrations.version(connection) == migrations.MIGRATIONS[-1].version
        if not ready:
            with self._writer.begin() as connection:
                migrations.migrate(connection, self._place)

    def close(self) -> None:
        """Close every connection; the last one to close a SQLite file tidies up its log."""
        self._engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, e: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.close()

    # ------------------------------------------------------------------------------ transactions

    def _patiently(self, work: Callable[[], T]) -> T:
        """Do it again while another writer is in the way, until patience ends."""
        end = time.monotonic() + self._patience
        while True:
            try:
                return work()
            except FAULTS as e:
                if is_ours(e):
                    raise
                if not is_busy(e) or time.monotonic() >= end:
                    raise explain(e, self._place) from e
            time.sleep(0.02)

    def _write(self, work: Callable[[Connection], T]) -> T:
        def once() -> T:
            with self._writer.begin() as connection:
                return work(connection)

        with self._turn:
            return self._patiently(once)

    def _read(self, ask: Callable[[Connection], T]) -> T:
        """One snapshot; damage found while reading is said in one line."""

        def once() -> T:
            with self._engine.connect() as connection:
                return ask(connection)

        try:
            return self._patiently(once)
        except reads.NoScanError as e:
            raise self._no_scan(str(e.args[0])) from None
        except ValueError as e:
            raise damaged(self._place, str(e)) from e

    # ----------------------------------------------------------------------------------- writing

    def begin(self, info: ScanInfo, inventory: Inventory, plan_digest: str) -> None:
        """Enter a scan that is about to start; entering the same unfinished one again is fine."""
        data = pack(inventory)
        digest = hashlib.sha256(data).hexdigest()
        row = {
            "id": to_column(info.id),
            "started": to_micros(info.started),
            "complete": int(info.complete),
            "plan": plan_digest,
            "question": reads.question(info),
            "inventory": digest,
            "info": pack(info),
        }

        def work(connection: Connection) -> None:
            known = connection.execute(
                select(tables.scans.c.plan, tables.scans.c.complete).where(reads.is_scan(info.id))
            ).one_or_none()
            if known is not None:
                if tuple(known) == (plan_digest, 0):
                    return
                raise StoreError(f"store {self._place} has another scan {info.id}: scan anew")
            # What a scan saw that was killed, and that nobody went on with, is known from here on.
            self._settle(connection, tables.scans.c.complete == 0)
            self._statements.keep_inventory(connection, digest, data)
            connection.execute(tables.scans.insert(), row)

        self._write(work)

    def save(
        self,
        scan_id: str,
        case_keys: Sequence[str],
        results: Sequence[Result],
        evidence: Sequence[tuple[Evidence, bool]],
        memories: Sequence[Memory],
        outcomes: Sequence[TargetOutcome],
    ) -> None:
        """Keep what visits brought, all of it or nothing; the flag marks sensitive evidence.

        Raises:
            StoreError: the store is locked for too long, full or read-only; nothing was written.
        """
        started, scan = self._start_of(scan_id), to_column(scan_id)
        outputs, answers = writes.evidence_rows(scan, evidence, self._cap)
        batch: writes.Batch = {
            "cases": writes.case_rows(scan, case_keys),
            "results": writes.result_rows(scan, results),
            "evidence": outputs,
            "answers": answers,
            "memories": writes.memory_rows(started, memories),
            "targets": writes.target_rows(scan, outcomes),
        }
        self._write(lambda connection: self._statements.put(connection, batch))

    def finish(self, info: ScanInfo) -> None:
        """Store the final word on a scan (figures, `finished`, `complete`)."""
        values = {"info": pack(info), "complete": int(info.complete)}
        self._start_of(info.id)

        def work(connection: Connection) -> None:
            connection.execute(update(tables.scans).where(reads.is_scan(info.id)).values(values))
            self._settle(connection, reads.is_scan(info.id))

        self._write(work)

    def _settle(self, connection: Connection, which: ColumnElement[bool]) -> None:
        """Write the turns of some scans, and anew of later ones that compared with less."""
        s = tables.scans.c
        due = set(connection.scalars(select(s.id).where(which)))
        first = select(func.min(s.started)).where(which).scalar_subquery()
        since = select(s.id, s.started).where(s.started >= first).order_by(s.started)
        changed = False
        for scan, started in connection.execute(since).all():
            if changed or scan in due:
                changed |= self._statements.settle(connection, scan, started)

    def prune(self, keep_days: int, now: dt.datetime) -> int:
        """Remove scans older than `keep_days`, but the last complete one of each selection.

        How long findings have been open is still known afterwards. Returns how many scans went.
        """
        if keep_days < 1:
            raise StoreError("prune: at least one day of scans must be kept")
        cutoff = now - dt.timedelta(days=keep_days)
        old = self._read(lambda c: prune.outdated(c, cutoff))
        for scan_id in old:
            # One transaction each, so that a scan that is running never waits for long.
            self._write(partial(prune.remove, scan_id=scan_id))
        self._write(lambda c: prune.sweep(c, cutoff))
        if old:
            self._patiently(lambda: fold_log(self._engine))
        return len(old)

    def retire(self, document_days: int, now: dt.datetime) -> int:
        """End the details about documents of scans that promised so, or began that long ago.

        Numbers, places, queue ids and hashes go, counts stay; 0 days means the promises only. What
        is remembered of mail logs ends in the same way, by the time of each mail. Returns how many
        scans it ended.
        """
        cutoff = now - dt.timedelta(days=document_days) if document_days else None
        due = retire.overdue(self.list_scans(), now, cutoff)
        for info in due:
            self._write(partial(retire.retire, info=info, now=now))
        trimmed = 0 if cutoff is None else self._write(lambda c: retire.trim_memories(c, cutoff))
        if due or trimmed:
            self._patiently(lambda: fold_log(self._engine))
        return len(due)

    def key(self, name: str, fresh: Callable[[], bytes]) -> bytes:
        """The key of a name, the same for ever; `fresh` makes it the first time."""
        known = self.known_key(name)
        if known is not None:
            return known
        made = fresh()

        def work(connection: Connection) -> bytes | None:
            self._statements.keep_key(connection, name, made)
            return reads.key(connection, name)  # another program may have been first

        return self._write(work) or made

    def destroy_key(self, name: str) -> bool:
        """Remove a key so that nothing of it is left in a SQLite file; whether there was one."""
        gone = self._write(
            lambda c: c.execute(delete(tables.keys).where(tables.keys.c.name == name)).rowcount
        )
        if gone:
            self._patiently(lambda: fold_log(self._engine))
        return bool(gone)

    # ----------------------------------------------------------------------------------- reading

    def known_key(self, name: str) -> bytes | None:
        """The key of a name; None when it was not made yet, or was destroyed."""
        return self._read(lambda c: reads.key(c, name))

    def resumable(
        self, plan_digest: str, *, not_before: dt.datetime | None = None
    ) -> ScanInfo | None:
        """The latest scan that asks the same question, when it is unfinished.

        None when a later one was finished: to go on with the older one would make old news of it.
        With `not_before` a scan that started earlier is not gone on with either.
        """
        found = self._read(lambda c: reads.newest(c, tables.scans.c.plan == plan_digest))
        if found is None or found.complete:
            return None
        return None if not_before and found.started < not_before else found

    def counts(self, scan_id: str) -> dict[Status, int]:
        """How many rows of a scan, finished or not, have each status."""
        return self._read(lambda c: reads.counts(c, scan_id))

    def targets(self, scan_id: str) -> tuple[TargetOutcome, ...]:
        """How the visits of a scan went so far, in the order of unit and target."""
        return self._read(lambda c: reads.targets(c, scan_id))

    def done_cases(self, scan_id: str) -> frozenset[str]:
        """Keys of the cases that a scan has judged."""
        return self._read(lambda c: reads.done_cases(c, scan_id))

    def latest(self, *, complete_only: bool = True) -> ScanInfo | None:
        """The scan that started last."""
        wanted = (tables.scans.c.complete == 1,) if complete_only else ()
        return self._read(lambda c: reads.newest(c, *wanted))

    def before(self, scan_id: str) -> ScanInfo | None:
        """The complete scan of the same selection that started last before this one."""
        return self._read(lambda c: reads.before(c, scan_id))

    def list_scans(self) -> list[ScanInfo]:
        """Every scan, newest first."""
        return self._read(reads.infos)

    def find(self, prefix: str) -> ScanInfo:
        """The scan whose id is, or alone starts with, `prefix`."""
        found = [i for i in self.list_scans() if i.id.startswith(prefix)]
        found = [i for i in found if i.id == prefix] or found
        if not found:
            raise self._no_scan(prefix)
        if len(found) > 1:
            raise StoreError(
                f"scan {prefix!r} may be {found[0].id} or {found[1].id} "
                f"({len(found)} in all): give more of the id"
            )
        return found[0]

    def load(self, scan_id: str) -> Scan:
        """A whole scan; rows are in the order of unit, system, target, check and subject."""
        return self._read(lambda c: reads.scan(c, scan_id))

    def results_of(self, scan_id: str, checks: Sequence[str] = (), unit: str = "") -> list[Result]:
        """The rows of a scan, finished or not, in the order of `load`; of some checks only.

        With `checks` those of one `unit` only can be asked for.
        """
        if checks:
            return self._read(lambda c: reads.results_of_checks(c, scan_id, checks, unit))
        return self._read(lambda c: reads.results(c, scan_id))

    def recall(self, kind: str, subject: str | None = None) -> dict[str, tuple[Memory, ...]]:
        """Everything remembered of a kind, by subject (or of one only), in order of its time."""
        return self._read(lambda c: reads.recall(c, kind, subject))

    def evidence(self, sha256: str) -> bytes | None:
        """An output by its digest; None when it is not there or only its digest was kept."""
        return self._read(lambda c: reads.output(c, sha256))

    def answers(self, scan_id: str) -> list[Evidence]:
        """The evidence of a scan, to be judged again.

        Where only the digest of an output was kept the evidence is a failure, never an empty
        answer.
        """
        return self._read(lambda c: reads.answers(c, scan_id))

    # ---------------------------------------------------------------------- the life of findings

    def opened(self, scan_id: str) -> dict[str, dt.datetime]:
        """Since when each row that is not fine now has been so, by fingerprint.

        That is the start of the first scan since its last pass (or proof that it does not apply).
        """
        start, lives = self._lives(scan_id, Status.FAIL, Status.UNKNOWN, Status.ERROR)
        return {key: from_micros(life.open_since(turns, start)) for key, turns in lives}

    def reopened(self, scan_id: str) -> frozenset[str]:
        """Fingerprints that failed, were then seen to pass, and fail in this scan."""
        _, lives = self._lives(scan_id, Status.FAIL)
        return frozenset(key for key, turns in lives if life.came_back(turns))

    def open_in_the_dark(self, scan_id: str) -> frozenset[str]:
        """Fingerprints that this scan could not see but that failed when last seen: still open."""
        _, lives = self._lives(scan_id, Status.UNKNOWN, Status.ERROR)
        return frozenset(key for key, turns in lives if life.open_in_the_dark(turns))

    # ------------------------------------------------------------------------------------ helpers

    def _lives(
        self, scan_id: str, *statuses: Status
    ) -> tuple[int, list[tuple[str, list[tuple[int, str]]]]]:
        start = self._start_of(scan_id)
        return start, self._read(lambda c: list(reads.lives(c, scan_id, statuses, start)))

    def _start_of(self, scan_id: str) -> int:
        if scan_id not in self._started:
            wanted = select(tables.scans.c.started).where(reads.is_scan(scan_id))
            found = self._read(lambda c: c.scalar(wanted))
            if found is None:
                raise self._no_scan(scan_id)
            self._started[scan_id] = found
        return self._started[scan_id]

    def _no_scan(self, scan_id: str) -> StoreError:
        return StoreError(
            f"store {self._place} has no scan {scan_id!r}: `sauro history` lists what there is"
        )
