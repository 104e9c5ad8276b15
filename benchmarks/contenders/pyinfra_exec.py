"""`pyinfra INVENTORY exec -- SCRIPT`, the tool as a command."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

from common import measure


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
    answer = found.stdout + found.stderr
    return sum(
        f"[h{i}] ".encode() in answer and done_line(given["marker"], i, answer)
        for i in range(len(hosts))
    )


def done_line(marker: str, index: int, answer: bytes) -> bool:
    start = f"[h{index}]".encode()
    end = f"sauro:{marker} end ".encode()
    return any(start in line and end in line for line in answer.splitlines())


measure(scan)
