"""The `ssh` program, one process per host, with its default algorithms."""

from __future__ import annotations

import subprocess
from typing import Any

from common import in_threads, measure


def scan(given: dict[str, Any]) -> int:
    options = ["-F", "none", "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", f"UserKnownHostsFile={given['known_hosts']}", "-i", given["key"]]

    def one(address: str, port: int) -> bytes:
        command = ["ssh", *options, "-p", str(port), f"{given['user']}@{address}", "sh -s"]
        found = subprocess.run(command, input=given["script"], capture_output=True, check=False)
        return found.stdout

    return in_threads(given, one)


measure(scan)
