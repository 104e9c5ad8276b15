"""How long a large inventory takes to load, beside a bare `yaml.load` of the same text.

    .venv/bin/python benchmarks/inventory_load.py [--units 5000] [--servers 4] [--runs 3]

Both are measured in processes of their own, in turn, so that neither warms the other's memory.
"""

from __future__ import annotations

import argparse
import platform
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

from inventory.load import load

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBq00000000000000000000000000000000000000000"
HEAD = """unit: {code}
name: Phường Số {n}
kind: ward
parent: ha-noi
accountable: {{name: Nguyễn Văn A, post: Chủ tịch UBND phường, email: ct{n}@hanoi.example}}
officer: {{name: Trần Thị B, post: Công chức CNTT, email: it{n}@hanoi.example}}
zone: core
ssh: {{user: sauro, port: 22, key_file: ~/.ssh/id_ed25519}}
servers:
"""
SERVER = """  u{n}-s{k}:
    address: 10.{a}.{b}.{k}
    host_key: {key}
    tags: [app, db]
"""
SYSTEM = """  u{n}-y{k}:
    name: Hệ thống một cửa {k}
    owner: ha-noi
    operator: {code}
    used_by: [{code}]
    level: 2
    servers: [u{n}-s{k}]
    assessment: records/u{n}-{k}.yaml
    backups:
      database: {{kind: directory, server: u{n}-s{k}, path: /srv/pg/*.dump, every: 1d, keep: 30d}}
      files:
        kind: directory
        server: u{n}-s{k}
        path: /srv/backups/files
        every: "0 2 * * *"
        grace: 3h
        site: dc1
"""
TAIL = """documents:
  signs: [UBND-P{n}]
  register: {{path: registers/out-*.csv}}
  mail: [{{kind: postfix, server: u{n}-s0, path: /var/log/mail.log}}]
waivers:
  - {{check: backup.offsite, target: u{n}-y0, reason: chờ thiết bị, document: 12/TB-UBND,
     approved_by: ct, owner: it, until: 2026-12-31}}
"""


def unit(n: int, servers: int) -> str:
    place = {"n": n, "code": f'"{n:05d}"', "key": KEY, "a": n // 250, "b": n % 250}
    parts = [HEAD.format(**place)]
    parts += [SERVER.format(k=k, **place) for k in range(servers)]
    parts.append("systems:\n")
    parts += [SYSTEM.format(k=k, **place) for k in range(min(2, servers))]
    parts.append(TAIL.format(**place))
    return "".join(parts)


def write(folder: Path, units: int, servers: int) -> None:
    (folder / "0.yaml").write_text("unit: ha-noi\nname: Hà Nội\nkind: city\n", encoding="utf-8")
    for n in range(1, units + 1):
        (folder / f"{n:05d}.yaml").write_text(unit(n, servers), encoding="utf-8")


def measure(what: str, folder: Path) -> None:
    """Print what was read, seconds and the growth of the peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.perf_counter()
    if what == "load":
        inventory = load(folder, folder)
        count = f"{len(inventory.units)} units, {len(inventory.servers)} servers"
    else:
        loader = yaml.CSafeLoader
        kept = [yaml.load(p.read_bytes(), Loader=loader) for p in sorted(folder.glob("*.yaml"))]  # noqa: S506
        count = f"{len(kept)} documents"
    seconds = time.perf_counter() - start
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    print(f"{what:10} {seconds:7.2f} s  {grown:7.0f} MB  {count}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--units", type=int, default=5000)
    parser.add_argument("--servers", type=int, default=4, help="per unit")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--measure", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.measure[0], Path(options.measure[1]))
        return
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), options.units, options.servers)
        size = sum(p.stat().st_size for p in Path(name).iterdir()) / 1e6
        machine = f"Python {platform.python_version()}, {platform.machine()}"
        print(f"{options.units} units, {options.servers} servers each, {size:.1f} MB; {machine}")
        for _ in range(options.runs):
            for what in ("load", "yaml.load"):
                command = [sys.executable, __file__, "--measure", what, name]
                subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
