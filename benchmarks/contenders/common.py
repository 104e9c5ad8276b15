"""What every contender gets and gives: a JSON file of hosts in, one JSON line out.

Each contender logs in to every host with a strict host key check (parallel-ssh apart), sends the
same script once and counts the hosts whose answer is whole: every section closed with exit code 0,
in order, and the last marker. `cpu` is the processor time of the process and of the programs that
it started, from after its imports; `peak` its own largest resident memory and `child` that of its
largest program, both in kB.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import resource
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

VISITS: list[float] = []
"""Seconds that each visit took, where the contender is told."""


def task() -> dict[str, Any]:
    with Path(sys.argv[1]).open() as source:
        found: dict[str, Any] = json.load(source)
    found["script"] = Path(found["script"]).read_bytes()
    return found


def used() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    ended = own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime
    return ended + sum(map(_of_process, _alive()))


def _alive() -> list[Path]:
    """The child processes that have not ended, in `/proc`."""
    threads = Path("/proc/self/task").glob("*/children")
    return [Path("/proc") / pid for thread in threads for pid in thread.read_text().split()]


def _of_process(process: Path) -> float:
    """Processor seconds of a process and of those that it has seen the end of."""
    figures = (process / "stat").read_text().rpartition(")")[2].split()
    return sum(map(int, figures[11:15])) / os.sysconf("SC_CLK_TCK")


def memory(field: str = "VmHWM") -> int:
    """Of this process in kB, VmHWM or VmRSS; `ru_maxrss` would start from the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition(field + ":")[2].split()[0])


def whole(given: dict[str, Any], answer: bytes) -> bool:
    """Whether an answer has every section, ended well and in order, and the last marker."""
    marker = b"sauro:" + given["marker"].encode()
    number = rb" [0-9.]+"
    wanted = [
        rb"%s close %d%s\n.{0,9000}?%s exit 0\n" % (marker, i, number * 3, marker)
        for i in range(given["sections"])
    ]
    return (
        re.search(rb".*".join([*wanted, marker + b" end" + number]), answer, re.DOTALL) is not None
    )


def measure(scan: Callable[[dict[str, Any]], int], more: Mapping[str, float] | None = None) -> None:
    """Run a scan that returns how many hosts answered whole, and print its figures and `more`."""
    given = task()
    base = memory("VmRSS")
    cpu, began = used(), time.perf_counter()
    answered = scan(given)
    wall = time.perf_counter() - began
    for worker in multiprocessing.active_children():
        worker.join(10)  # its processor time counts once it has ended
    spent, peak = used() - cpu, memory()
    child = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    figures = {"ok": answered, "wall": wall, "cpu": spent, "base": base, "peak": peak}
    if VISITS:
        figures["visit"] = statistics.median(VISITS)
    # A program's figure starts from that of the process it was started by.
    figures["child"] = child if child > 1.2 * peak else 0
    print(json.dumps(figures | dict(more or {})))


def in_threads(given: dict[str, Any], one: Callable[[str, int], bytes]) -> int:
    """Visit every host in a thread of a pool; what went wrong goes to standard error."""

    def visit(host: list[Any]) -> bool:
        began = time.perf_counter()
        try:
            answer = one(host[0], host[1])
            VISITS.append(time.perf_counter() - began)
        except Exception as e:  # noqa: BLE001 - a lost host is a figure, not an end
            print(host, repr(e)[:400], file=sys.stderr)
            return False
        if whole(given, answer):
            return True
        print(host, "its answer is not whole:", answer[-200:], file=sys.stderr)
        return False

    with ThreadPoolExecutor(given["workers"]) as pool:
        return sum(pool.map(visit, given["hosts"]))
