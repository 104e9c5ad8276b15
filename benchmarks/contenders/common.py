"""What every contender gets and gives: a JSON file of hosts in, one JSON line out.

Each contender logs in to every host with a strict host key check, sends the same script once and
counts the answers that end with the script's last marker. `cpu` is its own processor time from
after its imports; the runner measures the whole process with its children as well.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any


def task() -> dict[str, Any]:
    with Path(sys.argv[1]).open() as source:
        found: dict[str, Any] = json.load(source)
    found["script"] = Path(found["script"]).read_bytes()
    return found


def used() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def done(marker: str, answer: bytes) -> bool:
    return f"sauro:{marker} end ".encode() in answer


def measure(scan: Callable[[dict[str, Any]], int]) -> None:
    """Run a scan that returns how many hosts answered whole, and print its figures."""
    given = task()
    cpu, began = used(), time.perf_counter()
    answered = scan(given)
    wall = time.perf_counter() - began
    print(json.dumps({"ok": answered, "wall": wall, "cpu": used() - cpu}))


def in_threads(given: dict[str, Any], one: Callable[[str, int], bytes]) -> int:
    def visit(host: list[Any]) -> bool:
        try:
            return done(given["marker"], one(host[0], host[1]))
        except Exception as e:  # noqa: BLE001 - a lost host is a figure, not an end
            print(host, repr(e), file=sys.stderr)
            return False

    with ThreadPoolExecutor(given["workers"]) as pool:
        return sum(pool.map(visit, given["hosts"]))
