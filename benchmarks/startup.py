"""How long `sauro --version` takes to answer, beside a Python that does nothing.

    .venv/bin/python benchmarks/startup.py

Both are run in turn, 20 times each, after one run that is not counted (files not yet in memory).
"""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

RUNS = 20
SAURO = str(Path(sys.executable).with_name("sauro"))
COMMANDS = {
    "python -c pass": [sys.executable, "-c", "pass"],
    "sauro --version": [SAURO, "--version"],
    "sauro --help": [SAURO, "--help"],
}


def once(command: list[str]) -> float:
    """Milliseconds from starting a command to its end."""
    began = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return 1000 * (time.perf_counter() - began)


def main() -> None:
    taken: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(RUNS + 1):
        for name, command in COMMANDS.items():
            found = once(command)
            if number:
                taken[name].append(found)
    print(f"{RUNS} runs each, in turn; {os.cpu_count()} cores, {platform.platform()}, ", end="")
    print(f"Python {platform.python_version()}\n\n| command | ms, median | lowest | highest |")
    print("|---|---|---|---|")
    for name, each in taken.items():
        print(f"| `{name}` | {statistics.median(each):.0f} | {min(each):.0f} | {max(each):.0f} |")
    bare, ours = (statistics.median(taken[name]) for name in list(COMMANDS)[:2])
    print(
        f"\n`sauro --version` may take {1.5 * bare + 60:.0f} ms (1.5 times the bare one, + 60 ms):"
    )
    print(f"{'met' if ours <= 1.5 * bare + 60 else 'MISSED'} with {ours:.0f} ms.")


if __name__ == "__main__":
    main()
