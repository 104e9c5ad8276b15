"""Ansible ad hoc, module `raw` (the same script) or `setup` (its own facts); pipelining on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from common import measure, whole


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
        # Arguments that begin with a brace would be read as JSON; a colon does nothing in a shell.
        command += ["-a", ":\n{{ lookup('file', '" + str(path) + "') }}"]
    environ = os.environ | {
        "ANSIBLE_PIPELINING": "1",
        "ANSIBLE_SSH_ARGS": f"-F none -o UserKnownHostsFile={given['known_hosts']}",
        "ANSIBLE_HOME": str(folder / "ansible-home"),
        "ANSIBLE_PYTHON_INTERPRETER": "/usr/bin/python3",
        "ANSIBLE_NOCOLOR": "1",
        "LC_ALL": "C.UTF-8",
    }
    found = subprocess.run(command, capture_output=True, check=False, env=environ)
    # One block per host: `h0 | CHANGED | rc=0 >>` and the answer, or `h0 | SUCCESS => {`.
    blocks = {
        block.partition(b" |")[0]: block
        for block in re.split(rb"^(?=h\d+ \| )", found.stdout, flags=re.MULTILINE)
    }
    answered = 0
    for i in range(len(given["hosts"])):
        block = blocks.get(f"h{i}".encode(), b"")
        if _good(module, given, block):
            answered += 1
        else:
            print(f"h{i}", block[:300] or found.stderr[-300:], file=sys.stderr)
    return answered


def _good(module: str, given: dict[str, Any], block: bytes) -> bool:
    if module == "setup":
        return b" | SUCCESS => {" in block and b'"ansible_facts": {' in block
    return b" | rc=0 >>" in block and whole(given, block)


measure(scan)
