"""Ansible ad hoc, module `raw` (the same script) or `setup` (its own facts); pipelining on."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import measure


def scan(given: dict[str, Any]) -> int:
    module = sys.argv[2]
    folder = Path(given["folder"])
    rows = [
        f"h{i} ansible_host={address} ansible_port={port}"
        for i, (address, port) in enumerate(given["hosts"])
    ]
    hosts = folder / "ansible.ini"
    hosts.write_text("[all]\n" + "\n".join(rows) + "\n")
    command = [str(Path(sys.executable).with_name("ansible")), "all", "-i", str(hosts)]
    command += ["-f", str(given["workers"]), "-u", given["user"], "--private-key", given["key"]]
    command += ["-m", module]
    if module == "raw":
        path = folder / "script.sh"
        path.write_bytes(given["script"])
        command += ["-a", "{{ lookup('file', '" + str(path) + "') }}"]
    environ = os.environ | {
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_ARGS": f"-F none -o UserKnownHostsFile={given['known_hosts']}",
        "ANSIBLE_HOME": str(folder / "ansible-home"),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    found = subprocess.run(command, capture_output=True, check=False, env=environ)
    if module == "raw":
        return found.stdout.count(f"sauro:{given['marker']} end ".encode()) // 2 or (
            found.stdout.count(b"rc=0")
        )
    return found.stdout.count(b"SUCCESS =>")


measure(scan)
