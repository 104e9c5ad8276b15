"""Scanning many hosts over SSH: this scanner beside what else could be used, in one run.

    .venv/bin/python benchmarks/ssh_fleet.py                        # 126 hosts, every contender
    .venv/bin/python benchmarks/ssh_fleet.py --hosts 500 --only sauro,paramiko-transport
    .venv/bin/python benchmarks/ssh_fleet.py --rtt 40               # 40 ms of added round trip
    .venv/bin/python benchmarks/ssh_fleet.py --server cheap --only sauro,sauro-2-processes
    .venv/bin/python benchmarks/ssh_fleet.py --round-trips | --memory | --soak

Real OpenSSH servers on loopback (or one cheap server in C, to see the client's own ceiling); strict
host key checks; the same script for all (Ansible `setup` gathers its own facts). Contenders take
turns, round by round; medians are printed with the lowest and the highest. `CPU` is the client's
processor time after its imports, with its child processes. The servers share the machine with the
client, so hosts per second are bound by sshd and its shell: compare rows of one table, not tables.
"""

from __future__ import annotations

import argparse
import os
import platform
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fleet import CONTENDERS, NONCE, Figures, run, task
from servers import (
    Host,
    Keys,
    addresses,
    cheap,
    compile_cheap,
    delayed,
    free_port,
    make_keys,
    openssh,
    record,
    round_trip,
)

TRIP_HOSTS = 20
SAURO = "sauro"


class Place:
    """One run of the benchmark: its folder, its keys, its options and the servers it starts."""

    def __init__(self, folder: Path, given: argparse.Namespace) -> None:
        self.folder = folder
        self.given = given
        self.keys: Keys = make_keys(folder)

    @contextmanager
    def servers(self, count: int) -> Iterator[tuple[list[Host], int]]:
        """`count` hosts of the kind asked for, and the process to count (0 when they are many)."""
        if self.given.server == "sshd":
            with openssh(self.folder, self.keys, count) as hosts:
                yield hosts, 0
        else:
            with self.cheap(count) as (hosts, pid):
                yield hosts, pid

    @contextmanager
    def cheap(self, count: int, hold: int = 0) -> Iterator[tuple[list[Host], int]]:
        """The cheap server, which answers with a recorded answer of this machine."""
        port = free_port()
        hosts = [(address, port) for address in addresses(count)]
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        sample = task(folder, hosts[:1], self.keys, 1)
        answers = record(folder, Path(sample["script"]).read_bytes(), NONCE)
        with cheap(compile_cheap(folder), self.keys, answers, hosts, hold) as pid:
            yield hosts, pid

    def task(self, hosts: list[Host], workers: int) -> dict[str, Any]:
        """What contenders are told about these hosts."""
        return task(Path(tempfile.mkdtemp(dir=self.folder)), hosts, self.keys, workers)


def spent_by(pid: int) -> float:
    """Processor seconds of a running process; 0 for none."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float], form: str = ".1f") -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):{form}} [{low:{form}}-{high:{form}}]"


def describe(what: str) -> None:
    print(f"\n{what}; {os.cpu_count()} cores, {platform.platform()}, ", end="")
    print(f"Python {platform.python_version()}; median [lowest-highest]\n")


def compare(place: Place) -> None:
    """Every contender in turn, `rounds` times."""
    given, names = place.given, place.given.only.split(",")
    with ExitStack() as stack:
        hosts, pid = stack.enter_context(place.servers(given.hosts))
        if given.rtt:
            hosts = stack.enter_context(delayed(hosts, given.rtt))
        told = place.task(hosts, given.workers)
        found: dict[str, list[Figures]] = {name: [] for name in names}
        for number in range(given.rounds):
            for name in names:
                before = spent_by(pid)
                figures = run(name, told, place.folder, number)
                found[name].append(figures | {"server": spent_by(pid) - before})
    print_table(place, found)


def print_table(place: Place, found: dict[str, list[Figures]]) -> None:
    given = place.given
    describe(
        f"{given.hosts} hosts ({given.server}), {given.workers} connections at once, "
        f"{given.rounds} rounds, added round trip {given.rtt:g} ms"
    )
    ours = found.get(SAURO)
    print("| contender | hosts/s | sauro is faster by | client CPU ms/host | peak MB | lost |")
    print("|---|---|---|---|---|---|")
    for name, rounds in found.items():
        speed = [r["ok"] / r["wall"] for r in rounds]
        cpu = [1000 * r["cpu"] / r["hosts"] for r in rounds]
        lost = sum(r["hosts"] - r["ok"] for r in rounds)
        peak = max(max(r["peak"], r["child"]) for r in rounds) / 1024
        by = _ratio(ours, rounds, lambda r: r["ok"] / r["wall"]) if ours else ""
        print(f"| {name} | {spread(speed)} | {by} | {spread(cpu)} | {peak:.0f} | {lost:.0f} |")
    for name in (SAURO, "sauro-2-processes"):
        if name in found:
            load = [1000 * r["load"] / r["hosts"] for r in found[name]]
            print(f"\n{name}: of its CPU, {spread(load)} ms/host read the inventory.")
    if ours and "paramiko-transport" in found:
        bare = found["paramiko-transport"]
        whole = _ratio(ours, bare, lambda r: r["cpu"] / r["hosts"])
        scan = _ratio(ours, bare, lambda r: (r["cpu"] - r.get("load", 0.0)) / r["hosts"])
        print(f"\nCPU of sauro over the bare Transport's: {whole}; without the inventory {scan}.")
    if given.server == "cheap":
        for name, rounds in found.items():
            server = [1000 * r["server"] / r["hosts"] for r in rounds]
            print(f"\n{name}: the server took {spread(server)} ms/host.")


def _ratio(ours: list[Figures], theirs: list[Figures], figure: Callable[[Figures], float]) -> str:
    """The median of the ratios round by round, as neighbours in time disturb each other least."""
    pairs = zip(ours, theirs, strict=True)
    return f"{statistics.median([figure(a) / (figure(b) or 1e-9) for a, b in pairs]):.2f}"


def round_trips(place: Place) -> None:
    """The median visit, one after another, at 0 and at 40 ms added; the difference in round trips.

    Both go through the proxy, so its own time cancels.
    """
    names = ["sauro", "paramiko-transport"]
    added = place.given.rtt or 40.0
    with place.servers(TRIP_HOSTS) as (hosts, _):
        latency: dict[tuple[str, float], list[float]] = {}
        trip: dict[float, list[float]] = {0.0: [], added: []}
        for number in range(place.given.rounds):
            for delay, measured in trip.items():
                measured.append(round_trip(delay))
                with delayed(hosts, delay) as shown:
                    told = place.task(shown, 1)
                    for name in names:
                        visit = run(name, told, place.folder, number)["visit"]
                        latency.setdefault((name, delay), []).append(1000 * visit)
    real = statistics.median(trip[added]) - statistics.median(trip[0.0])
    describe(
        f"{TRIP_HOSTS} hosts ({place.given.server}) in turn; {real:.1f} ms of added round trip"
    )
    print(f"| contender | ms/visit at 0 ms | at {added:g} ms | round trips |\n|---|---|---|---|")
    for name in names:
        near, far = latency[name, 0.0], latency[name, added]
        trips = [(b - a) / real for a, b in zip(near, far, strict=True)]
        print(f"| {name} | {spread(near, '.0f')} | {spread(far, '.0f')} | {spread(trips, '.2f')} |")


def memory(place: Place) -> None:
    """Peak memory with few and with many connections open at once, of the same inventory."""
    count = place.given.hosts
    describe(f"{count} hosts (cheap server that answers when all connections are open)")
    print(
        "| contender | connections | base MB | peak MB | KB per connection |\n|---|---|---|---|---|"
    )
    for name in ("sauro", "paramiko-transport"):
        peaks: dict[int, float] = {}
        for workers in (1, 32, count):
            with place.cheap(count, hold=workers) as (hosts, _):
                figures = run(name, place.task(hosts, workers), place.folder)
            peaks[workers] = figures["peak"]
            each = (figures["peak"] - peaks[1]) / (workers - 1) if workers > 1 else 0
            shown = f"{figures['base'] / 1024:.1f} | {figures['peak'] / 1024:.1f}"
            print(f"| {name} | {workers} | {shown} | {f'{each:.0f}' if each else ''} |", flush=True)


def soak(place: Place) -> None:
    """The same fleet again and again: hosts lost, and scans that waited past their own timeout."""
    lost, late, longest = 0.0, 0.0, 0.0
    walls = []
    with place.servers(place.given.hosts) as (hosts, _):
        told = place.task(hosts, place.given.workers)
        for number in range(place.given.runs):
            figures = run("sauro", told, place.folder, number)
            lost += figures["hosts"] - figures["ok"]
            late += figures["late"]
            longest = max(longest, figures["longest"])
            walls.append(figures["wall"])
            print(f"run {number + 1}: {walls[-1]:.1f} s, {lost:.0f} lost so far", flush=True)
    describe(f"{place.given.runs} runs of {place.given.hosts} hosts ({place.given.server})")
    print(
        f"{lost:.0f} hosts lost, {late:.0f} visits past their timeout, the longest visit ", end=""
    )
    print(f"{longest:.1f} s; {spread(walls)} s per run")


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--hosts", type=int, help="126; 500 for --memory and --soak")
    parser.add_argument("--workers", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=10, help="of --soak")
    parser.add_argument("--rtt", type=float, default=0, help="added round trip, milliseconds")
    parser.add_argument("--server", choices=("sshd", "cheap"), default="sshd")
    parser.add_argument("--only", default=",".join(CONTENDERS))
    modes = parser.add_mutually_exclusive_group()
    for mode in (round_trips, memory, soak):
        name = mode.__name__.replace("_", "-")
        modes.add_argument(f"--{name}", dest="mode", action="store_const", const=mode)
    given = parser.parse_args()
    given.hosts = given.hosts or (500 if given.mode in (memory, soak) else 126)
    unknown = set(given.only.split(",")) - set(CONTENDERS)
    if unknown:
        parser.error(f"no contender is called {min(unknown)}; there are: {given.only}")
    return given


def main() -> None:
    given = options()
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        (given.mode or compare)(Place(Path(folder), given))
    print(f"\ntook {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
