"""Scanning many hosts over SSH: this scanner beside what else could be used, in one run.

    .venv/bin/python benchmarks/ssh_fleet.py                        # 126 hosts, every contender
    .venv/bin/python benchmarks/ssh_fleet.py --hosts 500 --only sauro,paramiko-transport
    .venv/bin/python benchmarks/ssh_fleet.py --rtt 40               # 40 ms of added round trip

Real OpenSSH servers on loopback; strict host key checks; the same script for all (Ansible `setup`
gathers its own facts). Contenders take turns, round by round; medians are printed with the lowest
and the highest. `CPU` is the client's processor time after its imports, with its child processes.
The servers share the machine with the client, so hosts per second are bound by sshd and its shell:
compare rows of one table, not tables.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))
sys.path.insert(0, str(Path(__file__).parent))

from servers import delayed, openssh

from inventory.model import Selection
from scanner.project import open_project
from scanner.shell import Batch, compose

HERE = Path(__file__).parent
OURS = sys.executable
PEERS = str(HERE.parent / ".venv-benchmark" / "bin" / "python")
NONCE = "b" * 32

CONTENDERS: dict[str, list[str]] = {
    "sauro": [OURS, "sauro_scan.py"],
    "sauro-2-processes": [OURS, "sauro_scan.py"],
    "paramiko-transport": [OURS, "paramiko_transport.py"],
    "paramiko-tutorial": [OURS, "paramiko_tutorial.py"],
    "ssh": [OURS, "ssh_program.py"],
    "asyncssh": [PEERS, "asyncssh_client.py"],
    "parallel-ssh": [PEERS, "parallel_ssh.py"],
    "pyinfra": [PEERS, "pyinfra_exec.py"],
    "testinfra-ssh": [PEERS, "testinfra_ssh.py"],
    "ansible-raw": [PEERS, "ansible_module.py"],
    "ansible-setup": [PEERS, "ansible_module.py"],
}
FEW = {"ansible-setup": 20}
"""Contenders that are run on fewer hosts, as they take many times longer."""


def project(folder: Path, hosts: list[tuple[str, int]], host_key: str, key: Path) -> Path:
    """A project of these hosts, five to a unit, each with a system and a backup directory."""
    place = folder / "project"
    (place / "inventory").mkdir(parents=True)
    dumps = folder / "dumps"
    dumps.mkdir()
    now = time.time()
    for day in range(14):
        path = dumps / f"db-{day:02}.sql"
        path.write_bytes(b"x" * (5000 + day) + b"\n-- PostgreSQL database dump complete\n")
        os.utime(path, (now - day * 86400,) * 2)
    (place / "sauro.yaml").write_text("language: en\n")
    for unit in range(0, len(hosts), 5):
        members = list(enumerate(hosts[unit : unit + 5], start=unit))
        document: dict[str, Any] = {
            "unit": f"u{unit}",
            "name": f"Unit {unit}",
            "kind": "ward",
            "ssh": {"user": os.environ.get("USER", "root"), "key_file": str(key)},
            "servers": {
                f"h{i}": {"address": a, "host_key": host_key, "ssh": {"port": p}}
                for i, (a, p) in members
            },
            "systems": {
                f"s{i}": {
                    "name": f"System {i}",
                    "owner": f"u{unit}",
                    "level": 2,
                    "servers": [f"h{i}"],
                    "backups": {
                        "db": {
                            "kind": "directory",
                            "server": f"h{i}",
                            "path": f"{dumps}/*.sql",
                            "every": "1d",
                        }
                    },
                }
                for i, _ in members
            },
        }
        path = place / "inventory" / f"u{unit}.yaml"
        path.write_text(yaml.safe_dump(document, sort_keys=False))
    return place


def write_task(
    folder: Path, hosts: list[tuple[str, int]], given: argparse.Namespace, **more: Any
) -> dict[str, Any]:
    known = folder / "known_hosts"
    known.write_text("".join(f"[{a}]:{p} {more['host_key']}\n" for a, p in hosts))
    config = folder / "ssh_config"
    config.write_text(f"Host *\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n")
    place = project(folder, hosts, more["host_key"], more["key"])
    opened = open_project(place)
    requests = next(iter(opened.plan(Selection(servers=("h0",))).visits.values()))
    script = folder / "script"
    script.write_bytes(
        compose(
            Batch(
                requests=requests,
                nonce=NONCE,
                seconds=60,
                section_bytes=opened.settings.limits.section_bytes,
                host_bytes=opened.settings.limits.host_bytes,
            )
        )
    )
    return {
        "hosts": hosts,
        "user": os.environ.get("USER", "root"),
        "key": str(more["key"]),
        "host_key": more["host_key"],
        "known_hosts": str(known),
        "ssh_config": str(config),
        "script": str(script),
        "marker": NONCE,
        "workers": given.workers,
        "project": str(place),
    }


def run(name: str, task: dict[str, Any], folder: Path, number: int) -> dict[str, float]:
    """One contender, once, as a process of its own."""
    work = folder / f"{name}-{number}"
    work.mkdir()
    given = task | {
        "folder": str(work),
        "store": str(work / "sauro.db"),
        "processes": 2 if name == "sauro-2-processes" else 1,
        "hosts": task["hosts"][: FEW.get(name, len(task["hosts"]))],
    }
    path = work / "task.json"
    path.write_text(json.dumps(given))
    python, script = CONTENDERS[name]
    command = [python, str(HERE / "contenders" / script), str(path)]
    command += [name.partition("-")[2]] if name.startswith("ansible") else []
    environ = os.environ | {"PYTHONPATH": f"{HERE / 'contenders'}:{HERE.parent}"}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environ)
    out, err = process.communicate(timeout=900)
    try:
        figures: dict[str, float] = json.loads(out.splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"{name} broke:\n{err.decode()[-3000:]}")
    figures["hosts"] = len(given["hosts"])
    if figures["ok"] != figures["hosts"]:
        print(f"{name}: {figures['hosts'] - figures['ok']} lost: {err.decode()[-600:]}")
    return figures


def line(name: str, rounds: list[dict[str, float]]) -> str:
    def spread(values: list[float], form: str) -> str:
        low, high = min(values), max(values)
        return f"{statistics.median(values):{form}} [{low:{form}}-{high:{form}}]"

    speed = [r["ok"] / r["wall"] for r in rounds]
    cpu = [1000 * r["cpu"] / r["hosts"] for r in rounds]
    lost = sum(r["hosts"] - r["ok"] for r in rounds)
    return f"| {name} | {spread(speed, '.1f')} | {spread(cpu, '.1f')} | {lost:.0f} |"


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--hosts", type=int, default=126)
    options.add_argument("--workers", type=int, default=32)
    options.add_argument("--rounds", type=int, default=3)
    options.add_argument("--rtt", type=float, default=0, help="added round trip, milliseconds")
    options.add_argument("--only", default=",".join(CONTENDERS))
    given = options.parse_args()
    names = given.only.split(",")
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65536), hard))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        with openssh(folder, given.hosts) as (hosts, host_key, key):
            proxy = delayed(hosts, given.rtt) if given.rtt else None
            shown = proxy.__enter__() if proxy else hosts
            try:
                task = write_task(folder, shown, given, host_key=host_key, key=key)
                found: dict[str, list[dict[str, float]]] = {name: [] for name in names}
                for number in range(given.rounds):
                    for name in names:
                        found[name].append(run(name, task, folder, number))
            finally:
                if proxy:
                    proxy.__exit__(None, None, None)
    print(f"{given.hosts} hosts, {given.workers} connections at once, {given.rounds} rounds,")
    print(f"added round trip {given.rtt:g} ms; {os.cpu_count()} cores, {platform.platform()},")
    print(f"Python {platform.python_version()}; median [lowest-highest]")
    print("\n| contender | hosts/s | client CPU ms/host | lost |\n|---|---|---|---|")
    for name in names:
        print(line(name, found[name]))


if __name__ == "__main__":
    main()
