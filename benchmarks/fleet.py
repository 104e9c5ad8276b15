"""What every contender of the SSH benchmark is given, and how each is run: a process of its own."""

from __future__ import annotations

import getpass
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import yaml

sys.path.insert(0, str(Path(__file__).parent.parent))

from servers import Host, Keys

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
PER_UNIT = 5
DAYS = 14

Figures = dict[str, float]
"""Of one run: `hosts`, `ok`, `wall` and `cpu` in seconds, `peak` and `child` in kB, …"""


def dumps(folder: Path) -> Path:
    """The backup directory that every host shows: a good daily series."""
    made = folder / "dumps"
    made.mkdir()
    now = time.time()
    for day in range(DAYS):
        path = made / f"db-{day:02}.sql"
        path.write_bytes(b"x" * (5000 + day) + b"\n-- PostgreSQL database dump complete\n")
        os.utime(path, (now - day * 86400,) * 2)
    return made


def _unit(first: int, hosts: list[Host], host_line: str, key: Path, backups: Path) -> str:
    members = list(enumerate(hosts, start=first))
    document: dict[str, Any] = {
        "unit": f"u{first}",
        "name": f"Unit {first}",
        "kind": "ward",
        "ssh": {"user": getpass.getuser(), "key_file": str(key)},
        "servers": {
            f"h{i}": {"address": a, "host_key": host_line, "ssh": {"port": p}}
            for i, (a, p) in members
        },
        "systems": {
            f"s{i}": {
                "name": f"System {i}",
                "owner": f"u{first}",
                "level": 2,
                "servers": [f"h{i}"],
                "backups": {
                    "db": {
                        "kind": "directory",
                        "server": f"h{i}",
                        "path": f"{backups}/*.sql",
                        "every": "1d",
                    }
                },
            }
            for i, _ in members
        },
    }
    return yaml.safe_dump(document, sort_keys=False)


def project(folder: Path, hosts: list[Host], host_line: str, key: Path) -> Path:
    """A project of these hosts, five to a unit, each with a system and a backup directory."""
    place = folder / "project"
    (place / "inventory").mkdir(parents=True)
    backups = dumps(folder)
    (place / "sauro.yaml").write_text("language: en\n")
    for unit in range(0, len(hosts), PER_UNIT):
        text = _unit(unit, hosts[unit : unit + PER_UNIT], host_line, key, backups)
        (place / "inventory" / f"u{unit}.yaml").write_text(text)
    return place


def task(folder: Path, hosts: list[Host], keys: Keys, workers: int) -> dict[str, Any]:
    """What every contender is told; the script is the one that this scanner would send."""
    known = folder / "known_hosts"
    known.write_text("".join(f"[{a}]:{p} {keys.host_line}\n" for a, p in hosts))
    config = folder / "ssh_config"
    config.write_text(f"Host *\n  UserKnownHostsFile {known}\n  StrictHostKeyChecking yes\n")
    place = project(folder, hosts, keys.host_line, keys.login)
    opened = open_project(place)
    requests = next(iter(opened.plan(Selection(servers=("h0",))).visits.values()))
    batch = Batch(
        requests=requests,
        nonce=NONCE,
        seconds=108,
        section_bytes=opened.settings.limits.section_bytes,
        host_bytes=opened.settings.limits.host_bytes,
    )
    script = folder / "script"
    script.write_bytes(compose(batch))
    return {
        "hosts": hosts,
        "user": getpass.getuser(),
        "key": str(keys.login),
        "host_key": keys.host_line,
        "known_hosts": str(known),
        "ssh_config": str(config),
        "script": str(script),
        "marker": NONCE,
        "sections": len(requests),
        "workers": workers,
        "project": str(place),
    }


def run(name: str, given: dict[str, Any], folder: Path, number: int = 0) -> Figures:
    """One contender, once. Ends the program when the contender itself breaks."""
    work = folder / f"{name}-{number}-{time.monotonic_ns()}"
    work.mkdir()
    one = given | {
        "folder": str(work),
        "store": str(work / "sauro.db"),
        "processes": 2 if name == "sauro-2-processes" else 1,
        "hosts": given["hosts"][: FEW.get(name, len(given["hosts"]))],
    }
    path = work / "task.json"
    path.write_text(json.dumps(one))
    python, script = CONTENDERS[name]
    if not Path(python).exists():
        sys.exit(f"{name} needs the peers' environment: run `tools/setup benchmark`")
    command = [python, str(HERE / "contenders" / script), str(path)]
    command += [name.partition("-")[2]] if name.startswith("ansible") else []
    environ = os.environ | {"PYTHONPATH": f"{HERE / 'contenders'}:{HERE.parent}"}
    ended = subprocess.run(command, capture_output=True, env=environ, timeout=1800, check=False)
    try:
        figures: Figures = json.loads(ended.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        sys.exit(f"{name} broke:\n{ended.stderr.decode(errors='replace')[-3000:]}")
    figures["hosts"] = len(one["hosts"])
    if figures["ok"] != figures["hosts"]:
        reasons = ended.stderr.decode(errors="replace").strip()[-900:]
        lost = figures["hosts"] - figures["ok"]
        print(f"{name}: {lost:.0f} of {figures['hosts']} lost:\n{reasons}", flush=True)
    return figures
