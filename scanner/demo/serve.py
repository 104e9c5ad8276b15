"""One process of the demo's SSH servers: `python -m scanner.demo.serve CONFIG`.

The listening sockets are inherited from the parent, so no port is ever guessed. The process ends
by itself when its standard input closes, which happens however the parent dies.
"""

from __future__ import annotations

import contextlib
import logging
import os
import selectors
import socket
import sys
import threading
from pathlib import Path

import msgspec
import paramiko

from scanner.demo.kinds import HostKind
from scanner.demo.places import raise_open_files
from scanner.demo.session import Live, Session

_GRACE = 2.0


class ServedHost(msgspec.Struct, frozen=True, kw_only=True):
    """One server: the socket it listens on, who it claims to be, how it behaves."""

    id: str
    fd: int
    host_key: str
    """Path of the private key file."""
    kind: HostKind
    home: str
    """Working folder of the commands; its `bin` comes first in their PATH."""


class ServeConfig(msgspec.Struct, frozen=True, kw_only=True):
    """What one process serves and which login it lets in."""

    user: str
    public_key: str
    """Base64 part of the one key that may log in."""
    hosts: tuple[ServedHost, ...]


def main(argv: list[str]) -> int:
    """Serve until standard input closes; prints `ready` once every socket is watched."""
    config = msgspec.json.decode(Path(argv[1]).read_bytes(), type=ServeConfig)
    # The client's misbehaviour is the demo's subject: no traces of it on the terminal.
    logging.getLogger("paramiko").setLevel(logging.CRITICAL)
    raise_open_files()
    live = Live()
    held: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        for host in config.hosts:
            listener = socket.socket(fileno=host.fd)
            listener.setblocking(False)
            selector.register(listener, selectors.EVENT_READ, (host, _key(host)))
        selector.register(sys.stdin, selectors.EVENT_READ, None)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        _watch(selector, config, live, held)
    live.end()
    return 0


def _key(host: ServedHost) -> paramiko.PKey:
    return paramiko.Ed25519Key.from_private_key_file(host.host_key)


def _watch(
    selector: selectors.BaseSelector, config: ServeConfig, live: Live, held: list[socket.socket]
) -> None:
    while True:
        for key, _ in selector.select():
            if key.data is None:
                if not os.read(sys.stdin.fileno(), 64):
                    return
                continue
            host, host_key = key.data
            listener = key.fileobj
            assert isinstance(listener, socket.socket)  # noqa: S101
            with contextlib.suppress(OSError):
                connection, _address = listener.accept()
                if host.kind is HostKind.HANGS:
                    held.append(connection)  # accepted and never answered
                else:
                    _start(connection, host, host_key, config, live)


def _start(
    connection: socket.socket,
    host: ServedHost,
    host_key: paramiko.PKey,
    config: ServeConfig,
    live: Live,
) -> None:
    session = Session(
        kind=host.kind,
        home=host.home,
        host_key=host_key,
        user=config.user,
        public_key=config.public_key,
        live=live,
    )
    threading.Thread(target=session.run, args=(connection,), daemon=True).start()


if __name__ == "__main__":
    code = main(sys.argv)
    sys.stdout.flush()
    os._exit(code)  # daemon threads may sit in system calls; there is nothing left to tidy
