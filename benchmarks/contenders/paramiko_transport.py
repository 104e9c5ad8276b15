"""A bare paramiko Transport: own socket, TCP_NODELAY, key compared, one channel, one exec."""

from __future__ import annotations

import base64
import socket
from typing import Any

import paramiko
from common import in_threads, measure


def scan(given: dict[str, Any]) -> int:
    key = paramiko.Ed25519Key.from_private_key_file(given["key"])
    expected = base64.b64decode(given["host_key"].split()[1])

    def one(address: str, port: int) -> bytes:
        sock = socket.create_connection((address, port), timeout=30)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = paramiko.Transport(sock)
        try:
            transport.start_client(timeout=30)
            if transport.get_remote_server_key().asbytes() != expected:
                raise ValueError("host key")
            transport.auth_publickey(given["user"], key)
            channel = transport.open_session(timeout=30)
            channel.settimeout(60)
            channel.exec_command("sh -s")
            channel.sendall(given["script"])
            channel.shutdown_write()
            parts = []
            while data := channel.recv(65536):
                parts.append(data)
            channel.recv_exit_status()
            return b"".join(parts)
        finally:
            transport.close()

    return in_threads(given, one)


measure(scan)
