"""`pyinfra INVENTORY exec -- SCRIPT`, the tool as a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from common import measure, whole


def scan(given: dict[str, Any]) -> int:
    folder = Path(given["folder"])
    hosts = [
        (
            f"h{i}",
            {
                "ssh_hostname": address,
                "ssh_port": port,
                "ssh_user": given["user"],
                "ssh_key": given["key"],
                "ssh_known_hosts_file": given["known_hosts"],
                "ssh_strict_host_key_checking": "yes",
            },
        )
        for i, (address, port) in enumerate(given["hosts"])
    ]
    listed = folder / "pyinfra_hosts.py"
    listed.write_text(f"hosts = {hosts!r}\n")
    command = [str(Path(sys.executable).with_name("pyinfra")), "-y", "-v"]
    command += ["--parallel", str(given["workers"]), str(listed), "exec", "--"]
    command += [given["script"].decode()]
    found = subprocess.run(command, capture_output=True, check=False, cwd=folder)
    lines = (found.stdout + found.stderr).splitlines()
    answered = 0
    for i in range(len(hosts)):
        start = f"[h{i}] ".encode()
        mine = [line.strip() for line in lines if line.strip().startswith(start)]
        if whole(given, b"\n".join(mine)):
            answered += 1
        else:
            print(f"h{i}", mine[-3:], file=sys.stderr)
    if not answered:
        print(b"\n".join(lines[-10:]).decode(errors="replace"), file=sys.stderr)
    return answered


measure(scan)
