"""Judging many backup sets: 100,000 series of 60 points each.

    .venv/bin/python benchmarks/judging.py [--series 100000] [--points 60] [--rounds 1]

Two rows: `assess` finds holes, freshness and sizes of a series (what the checks share), `checks`
runs every check of scope backup on it and encodes its verdicts. The series are made outside the
clock, a thousand at a time: daily or by cron with the jitter of a machine, every tenth with a hole,
every twentieth stale, every fiftieth with an empty copy, so that all branches are taken.
"""

from __future__ import annotations

import argparse
import collections
import datetime as dt
import json
import os
import platform
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import msgspec

from checks.backup.periodicity import Thresholds, assess
from checks.backup.promise import promise_of
from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Origin,
    PointState,
    Repository,
    in_order,
)
from checks.catalogue import builtin
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Inventory, System, Unit, UnitKind

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime(2026, 11, 22, 9, tzinfo=dt.UTC)
UNIT = Unit(id="u", name="U", kind=UnitKind.WARD)
BATCH = 1000


def subject(number: int) -> Subject:
    backup = BackupSet(
        id=f"set-{number}",
        system="s",
        kind="directory",
        server="h",
        path="/srv/backups",
        every="1d" if number % 2 else "0 2 * * *",
        keep=dt.timedelta(days=30),
        protects="h",
    )
    system = System(id="s", unit="u", name="S", owner="u", level=1 + number % 5, backups=(backup,))
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(units={"u": UNIT}, systems={"s": system}),
        unit=UNIT,
        target="h",
        name=backup.id,
        system=system,
        backup=backup,
    )


def series(number: int, count: int, chance: random.Random) -> BackupSeries:
    newest = dt.datetime(2026, 11, 21, 19, tzinfo=dt.UTC)
    if number % 20 == 0:
        newest -= dt.timedelta(days=5)
    points = []
    for back in range(count):
        if number % 10 == 0 and back == 3:
            continue
        start = newest - dt.timedelta(days=back, seconds=-chance.randrange(600))
        size = 1_000_000 + chance.randrange(50_000)
        empty = number % 50 == 0 and back == 1
        points.append(
            BackupPoint(
                id=f"/srv/backups/db-{start:%Y%m%dT%H%M%SZ}.dump",
                start=start,
                size=0 if empty else size,
                state=PointState.INVALID if empty else PointState.OK,
                origin=Origin.NAME,
                name=f"db-{start:%Y%m%dT%H%M%SZ}.dump",
                group="db-#.dump",
                encrypted=True,
            )
        )
    place = Repository(platform="directory", server="h", remote=False, encrypted=True)
    return BackupSeries(
        asset=f"set-{number}",
        source="directory",
        points=in_order(points),
        known_since=NOW - dt.timedelta(days=200),
        repositories=(place,),
    )


def batches(total: int, count: int) -> Iterator[list[tuple[Subject, BackupSeries]]]:
    chance = random.Random(7)  # noqa: S311 - the same series in every round
    for start in range(0, total, BATCH):
        numbers = range(start, min(start + BATCH, total))
        yield [(subject(n), series(n, count, chance)) for n in numbers]


def assessed(found: list[tuple[Subject, BackupSeries]]) -> collections.Counter[str]:
    seen: collections.Counter[str] = collections.Counter()
    for asked, one in found:
        promise = promise_of(asked.the_backup, asked.the_system.level, ZONE)
        result = assess(one, promise, NOW, ZONE, Thresholds())
        seen[result.freshness.state.value] += 1
    return seen


def judged(found: list[tuple[Subject, BackupSeries]]) -> collections.Counter[str]:
    seen: collections.Counter[str] = collections.Counter()
    encode = msgspec.json.Encoder().encode
    checks = [c for c in builtin().checks if c.scope is Scope.BACKUP and len(c.needs) == 1]
    for asked, one in found:
        for check in checks:
            context = Context(
                now=NOW, zone=ZONE, legal_basis=2026, subject=asked, options=check.options()
            )
            for verdict in check.judge(context, one):
                encode(verdict)
                seen[verdict.status.value] += 1
    return seen


WORK = {"assess": assessed, "checks": judged}


def measure(what: str, total: int, count: int) -> None:
    """Print verdicts by status, seconds of judging, and memory before and at most (MB)."""
    WORK[what]([(subject(1), series(1, count, random.Random(1)))])  # noqa: S311 - warms up
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    seconds = 0.0
    seen: collections.Counter[str] = collections.Counter()
    for batch in batches(total, count):
        start = time.process_time()
        seen += WORK[what](batch)
        seconds += time.process_time() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps([dict(seen), seconds, before, peak]))


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--series", type=int, default=100_000)
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.series, given.points)
        return
    machine = f"Python {platform.python_version()}, {os.cpu_count()} × {platform.machine()}"
    print(f"{given.series:,} series of {given.points} points; one process; {machine}")
    print(f"{'':8} {'CPU seconds':>22} {'per series':>11} {'MB before':>10} {'peak':>6}  found")
    for what in WORK:
        rows = []
        for _ in range(given.rounds):
            command = [sys.executable, __file__, "--measure", what]
            command += ["--series", str(given.series), "--points", str(given.points)]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
            rows.append(json.loads(done.stdout.splitlines()[-1]))
        seconds = [row[1] for row in rows]
        middle = statistics.median(seconds)
        spread = f"{middle:.1f} ({min(seconds):.1f}–{max(seconds):.1f})"
        each = f"{middle / given.series * 1e3:.2f} ms"
        said = ", ".join(f"{n:,} {status}" for status, n in sorted(rows[0][0].items()))
        print(f"{what:8} {spread:>22} {each:>11} {rows[0][2]:10.0f} {rows[0][3]:6.0f}  {said}")


if __name__ == "__main__":
    main()
