"""parallel-ssh (libssh2 and gevent); its default interface checks no host key."""

from __future__ import annotations

import sys
from typing import Any

from common import measure, whole
from pssh.clients import ParallelSSHClient
from pssh.config import HostConfig


def scan(given: dict[str, Any]) -> int:
    hosts = [address for address, _ in given["hosts"]]
    client = ParallelSSHClient(
        hosts,
        user=given["user"],
        pkey=given["key"],
        pool_size=given["workers"],
        host_config=[HostConfig(port=port) for _, port in given["hosts"]],
        allow_agent=False,
    )
    # It has no simple way to give standard input to every host, so the script is the command.
    answers = client.run_command(given["script"].decode(), stop_on_errors=False)
    client.join(answers)
    answered = 0
    for host, found in zip(hosts, answers, strict=True):
        if found.exception is None and whole(given, "\n".join(found.stdout).encode()):
            answered += 1
        else:
            print(host, repr(found.exception or "its answer is not whole"), file=sys.stderr)
    return answered


measure(scan)
