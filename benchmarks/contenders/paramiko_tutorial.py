"""paramiko as its tutorial shows it: SSHClient, load_host_keys, connect, exec_command."""

from __future__ import annotations

from typing import Any

import paramiko
from common import in_threads, measure


def scan(given: dict[str, Any]) -> int:
    def one(address: str, port: int) -> bytes:
        client = paramiko.SSHClient()
        client.load_host_keys(given["known_hosts"])
        client.connect(address, port, given["user"], key_filename=given["key"])
        try:
            stdin, stdout, _ = client.exec_command("sh -s")
            stdin.write(given["script"])
            stdin.channel.shutdown_write()
            answer: bytes = stdout.read()
            return answer
        finally:
            client.close()

    return in_threads(given, one)


measure(scan)
