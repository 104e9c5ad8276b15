"""Reading a Postfix log of 5,000,000 lines, beside the programs one would otherwise use.

    .venv/bin/python benchmarks/mail_log.py [--lines 5000000] [--rounds 3] [--only sauro,pflogsumm]
    .venv/bin/python benchmarks/mail_log.py --memory 1,5,20          # peak memory by million lines

The log is made (`mail_made.py`): two files that follow each other, the older with old stamps. Every
contender is a process of its own, they take turns, and each tells a count that is known from the
making: whoever is wrong, or fast by leaving something out, is shown. `sauro` goes all the way to
pairs of document and domain; pflogsumm makes its report; lnav and DuckDB only count the deliveries;
`loop` is Python's bare loop over the lines. `sauro in 2 processes` reads each file in a process
of its own, as two logs: a mail that crosses from one into the other is then two halves.
"""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import mmap
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from mail_made import SIGNS, Truth, files

from checks.documents.numbers import Finder
from checks.documents.sources.postfix import read_postfix
from checks.files import FileEntry

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
PEERS = Path(__file__).parent.parent / ".venv-benchmark" / "bin" / "python"
_DUCKDB = """
import duckdb, sys
db = duckdb.connect()
db.execute("SET threads = 1")
lines = db.read_csv(sys.argv[1:], columns={"line": "VARCHAR"}, delimiter="\\x01", quotechar="",
    escapechar="", header=False, auto_detect=False, max_line_size=1 << 20)
print(db.sql(
    "SELECT count(*) FROM (SELECT regexp_extract(line, '^\\\\S+(?: +\\\\d+ \\\\S+)? \\\\S+ \\\\S*/"
    "[a-z-]+\\\\[\\\\d+\\\\]: ([0-9A-Za-z]{6,20}): to=<([^>]*)>.* status=(\\\\w+)', "
    "['queue', 'address', 'status']) AS found FROM lines) WHERE found.status = 'sent'"
).fetchall()[0][0])
"""


class Figures(msgspec.Struct):
    """What one run of one contender took."""

    wall: float
    cpu: float
    peak: float
    told: str


def mapped(path: Path) -> FileEntry:
    with path.open("rb") as file:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return FileEntry(name=path.name, mtime=NOW, data=memoryview(data))


def measure(what: str, paths: Sequence[Path]) -> None:
    """Run one of our own contenders in this process and print what it found."""
    if what == "loop":
        count = 0
        for path in paths:
            with path.open("rb") as file:
                for _ in file:
                    count += 1
        print(f"{count} lines")
        return
    gc.freeze()
    gc.set_threshold(10_000, 10, 10)  # as the scanner does while it judges
    found = read_postfix([mapped(p) for p in paths], "mail.log", ZONE, Finder(SIGNS))
    pairs = {(event.key, event.recipient) for event in found.events}
    print(f"{len(pairs)} pairs, {found.report.mails} mails")


def started(command: Sequence[str], folder: Path) -> subprocess.Popen[bytes]:
    here = {**os.environ, "HOME": str(folder), "PYTHONPATH": str(Path(__file__).parent.parent)}
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, env=here
    )


def run(commands: Sequence[Sequence[str]], folder: Path) -> Figures:
    """Run programs at the same time: wall, CPU of all, the largest peak, and what they said."""
    begin = time.perf_counter()
    running = [started(command, folder) for command in commands]
    cpu = peak = 0.0
    told = []
    for process in running:
        assert process.stdout is not None
        told.append(process.stdout.read().decode(errors="replace").strip())
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            assert process.stderr is not None
            raise SystemExit(f"{process.args!r}: {process.stderr.read().decode()[-400:]}")
        cpu += used.ru_utime + used.ru_stime
        peak = max(peak, used.ru_maxrss / 1024)
    return Figures(time.perf_counter() - begin, cpu, peak, "; ".join(told))


def ours(what: str, *paths: Path) -> list[str]:
    return [sys.executable, __file__, "--measure", what, *map(str, paths)]


def contenders(paths: Sequence[Path]) -> dict[str, list[list[str]]]:
    names = [str(p) for p in paths]
    count = ";SELECT count(*) AS n FROM all_logs WHERE log_body LIKE '%status=sent %'"
    return {
        "sauro": [ours("sauro", *paths)],
        "pflogsumm": [["pflogsumm", *names]],
        "lnav": [["lnav", "-n", "-q", "-c", count, "-c", ":write-csv-to -", *names]],
        "DuckDB": [[str(PEERS), "-c", _DUCKDB, *names]],
        "loop": [ours("loop", *paths)],
        "sauro in 2 processes": [ours("sauro", p) for p in paths],
    }


def said(name: str, told: str) -> str:
    """The one figure of a program's output that can be compared."""
    if name == "pflogsumm":
        days = re.findall(r"^ {4}\w{3} +\d+ \d{4} +\d+ +(\d+)", told, re.MULTILINE)
        return f"{sum(map(int, days))} sent"
    if name in ("lnav", "DuckDB"):
        return f"{(re.findall(r'[0-9]+', told) or ['none'])[-1]} sent"
    return told


def wanted(name: str, truths: Sequence[Truth]) -> str:
    if name == "loop":
        return f"{sum(t.lines for t in truths)} lines"
    if name == "sauro":
        pairs = set().union(*(t.pairs for t in truths))
        return f"{len(pairs)} pairs, {sum(t.mails for t in truths)} mails"
    if name.startswith("sauro"):
        return "; ".join(f"{len(t.pairs)} pairs, {t.mails} mails" for t in truths)
    return f"{sum(t.sent for t in truths)} sent"


def compare(folder: Path, lines: int, rounds: int, only: str) -> None:
    made = list(files(folder, lines))
    paths, truths = [p for p, _ in made], [t for _, t in made]
    total = sum(t.lines for t in truths)
    size = sum(p.stat().st_size for p in paths) / 1e6
    print(f"{total:,} lines, {size:,.0f} MB, {rounds} rounds; Python {platform.python_version()}, ")
    print(f"{os.cpu_count()} × {platform.machine()}; load {os.getloadavg()[0]:.1f} before")
    table = {n: c for n, c in contenders(paths).items() if not only or n in only.split(",")}
    found: dict[str, list[Figures]] = {name: [] for name in table}
    for _ in range(rounds):
        for name, commands in table.items():
            found[name].append(run(commands, folder))
    print(f"{'':24} {'wall s':>7} {'CPU s':>20} {'lines / CPU s':>14} {'peak MB':>8}  told")
    for name, figures in found.items():
        cpu = [f.cpu for f in figures]
        middle = statistics.median(cpu)
        spread = f"{middle:.1f} [{min(cpu):.1f}-{max(cpu):.1f}]"
        wall = statistics.median(f.wall for f in figures)
        told = said(name, figures[0].told)
        right = "as made" if told == wanted(name, truths) else f"NOT {wanted(name, truths)}"
        peak = max(f.peak for f in figures)
        print(
            f"{name:24} {wall:7.1f} {spread:>20} {total / middle:14,.0f} {peak:8.0f}  {told}",
            end="",
        )
        print(f" ({right})")


def memory(folder: Path, millions: Sequence[int]) -> None:
    """Peak memory of one process, by length of the log."""
    for million in millions:
        made = list(files(folder, million * 1_000_000))
        used = run([ours("sauro", *(p for p, _ in made))], folder)
        lines = sum(t.lines for _, t in made)
        print(f"{lines:12,} lines: {used.peak:5.0f} MB, {used.cpu:6.1f} CPU s; {used.told}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lines", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--memory", metavar="MILLIONS")
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("paths", nargs="*", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        measure(given.measure, given.paths)
        return
    with tempfile.TemporaryDirectory(prefix="sauro-mail-") as folder:
        if given.memory:
            memory(Path(folder), [int(m) for m in given.memory.split(",")])
        else:
            compare(Path(folder), given.lines, given.rounds, given.only)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))
    main()
