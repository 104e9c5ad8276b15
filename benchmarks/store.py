"""What keeping a scan costs: `Store.save` against bare sqlite3 writing the same rows.

    .venv/bin/python benchmarks/store.py [--targets 2000] [--rounds 3]

Both write, for every target, 10 results, 10 judged cases, 6 answers with their outputs, the
outcome, in one transaction each, into a file with a write-ahead log; ours writes the state of 10
findings as well, when the scan is finished.
The bare writer gets its bytes ready made and does no conversion, so it is the floor. The two take
turns, round by round; the best round of each counts.
"""

from __future__ import annotations

import argparse
import datetime as dt
import hashlib
import os
import resource
import sqlite3
import sys
import tempfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import msgspec
from sqlalchemy import URL

from checks.evidence import Evidence
from checks.model import Message, Severity, Status
from checks.results import EvidenceRef, Result, ScanInfo, TargetOutcome, fingerprint
from inventory.model import Inventory, Selection
from scanner.store import migrations, writes
from scanner.store.connect import make_engine
from scanner.store.database import Store

START = dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC)
INFO = ScanInfo(
    id="20261121T020000Z-abcdef",
    started=START,
    tool="benchmark",
    legal_basis=2026,
    timezone="UTC",
    selection=Selection(),
)


class Visit(msgspec.Struct):
    """What one target brings."""

    keys: list[str]
    rows: list[Result]
    evidence: list[tuple[Evidence, bool]]
    outcome: TargetOutcome


def visit(number: int) -> Visit:
    target = f"srv-{number:05}"
    evidence = [
        Evidence(
            probe=f"probe.{k}",
            target=target,
            key=f"probe.{k}?path=%2Fsrv%2Fbackups",
            taken=START,
            # Half of it does not compress, as digests, sizes and times in real listings.
            stdout=(os.urandom(128).hex() + " backup 2026-11-21\n" * 20).encode(),
            exit=0,
        )
        for k in range(6)
    ]
    refs = tuple(
        EvidenceRef(probe=e.probe, target=target, sha256=e.sha256, taken=START)
        for e in evidence[:2]
    )
    rows = [
        Result(
            check=f"backup.check-{k}",
            unit="00070",
            system="one-stop",
            target=target,
            subject="database",
            status=(Status.PASS, Status.FAIL, Status.UNKNOWN)[k % 3],
            severity=Severity.MAJOR,
            message=Message(id=f"backup.check-{k}.said", args={"age": 3600 * k}),
            detail={"points": [{"id": f"p{n}", "size": n * 1000} for n in range(5)]},
            evidence=refs,
            fingerprint=fingerprint(f"backup.check-{k}", "00070", "one-stop", target, "database"),
        )
        for k in range(10)
    ]
    keys = [f"{r.check}|backup/00070/one-stop/{target}/database" for r in rows]
    heard = [(e, False) for e in evidence]
    return Visit(keys, rows, heard, TargetOutcome(target=target, unit="00070", outcome="ok"))


def with_store(path: Path, visits: list[Visit]) -> tuple[float, float]:
    with Store.open(path) as store:
        store.begin(INFO, Inventory(), "plan")

        def work() -> None:
            for v in visits:
                store.save(INFO.id, v.keys, v.rows, v.evidence, [], [v.outcome])
            store.finish(msgspec.structs.replace(INFO, complete=True))

        return timed(work)


SQL = {
    "cases": "INSERT INTO judged VALUES (:scan, :batch, :cases)",
    "results": "INSERT INTO results VALUES "
    "(:scan, :fingerprint, :part, :check_id, :unit, :status, :severity, :data)",
    "evidence": "INSERT INTO evidence VALUES (:sha256, :size, :data)",
    "answers": "INSERT INTO answers VALUES (:scan, :target, :key, :sha256, :data)",
    "targets": "INSERT INTO targets VALUES (:scan, :target, :unit, :outcome, :data)",
}


def with_sqlite(path: Path, visits: list[Visit]) -> tuple[float, float]:
    engine = make_engine(URL.create("sqlite", database=str(path)), str(path), 30)
    with engine.begin() as connection:
        migrations.migrate(connection, str(path))
    engine.dispose()
    batches = [ready_made(v) for v in visits]
    raw = sqlite3.connect(path, isolation_level=None)
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("PRAGMA synchronous = NORMAL")

    def work() -> None:
        for batch in batches:
            raw.execute("BEGIN IMMEDIATE")
            for name, statement in SQL.items():
                raw.executemany(statement, batch[name])
            raw.execute("COMMIT")

    took = timed(work)
    raw.close()
    return took


def ready_made(v: Visit) -> writes.Batch:
    outputs, answers = writes.evidence_rows(INFO.id, v.evidence, 1 << 22)
    return {
        "cases": writes.case_rows(INFO.id, v.keys),
        "results": writes.result_rows(INFO.id, v.rows),
        "evidence": outputs,
        "answers": answers,
        "targets": writes.target_rows(INFO.id, [v.outcome]),
    }


def conversion(_: Path, visits: list[Visit]) -> tuple[float, float]:
    """What the values themselves cost: packing, digests and zlib, without a database."""

    def work() -> None:
        for v in visits:
            for row in v.rows:
                msgspec.msgpack.encode(row)
            for e, _sensitive in v.evidence:
                hashlib.sha256(e.stdout).hexdigest()
                zlib.compress(e.stdout, 1)

    return timed(work)


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds."""
    cpu, wall = time.process_time(), time.perf_counter()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--targets", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    visits = [visit(n) for n in range(options.targets)]
    ways = {"Store.save": with_store, "bare sqlite3": with_sqlite, "conversion only": conversion}
    best: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for number in range(options.rounds):
            for name, way in ways.items():
                took = way(Path(folder) / f"{name}-{number}.db", visits)
                best[name] = min(best.get(name, took), took)
        size = (Path(folder) / "Store.save-0.db").stat().st_size
        with Store.open(Path(folder) / "Store.save-0.db") as store:
            loaded, _ = timed(lambda: store.load(INFO.id))
            opened, _ = timed(lambda: store.opened(INFO.id))
    print(f"{options.targets} targets of 10 rows and 6 outputs, best of {options.rounds} rounds")
    print(f"{'':<18}{'ms/target':>10}{'CPU ms':>10}")
    for name, (wall, cpu) in best.items():
        print(
            f"{name:<18}{wall / options.targets * 1e3:>10.3f}{cpu / options.targets * 1e3:>10.3f}"
        )
    floor = best["bare sqlite3"][0] + best["conversion only"][0]
    print(f"Store.save / (bare sqlite3 + conversion): {best['Store.save'][0] / floor:.2f}")
    rows = options.targets * 10
    print(f"load {rows} rows {loaded:.2f} s, opened {opened:.2f} s, file {size / 1e6:.1f} MB")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")


if __name__ == "__main__":
    main()
