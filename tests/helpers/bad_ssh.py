"""Servers that do what a real sshd cannot be made to do; in process, on loopback."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType

import paramiko
from paramiko.common import AUTH_SUCCESSFUL, OPEN_SUCCEEDED

Behaviour = Callable[[socket.socket, int], None]
"""Gets the accepted socket and how many came before it; closing is the helper's business."""


class BadHost:
    """A listening socket whose connections are each handed to a behaviour in a thread."""

    def __init__(self, behave: Behaviour, address: str = "127.0.0.3") -> None:
        self._behave = behave
        self._sock = socket.socket()
        self._sock.bind((address, 0))
        self._sock.listen(50)
        self.address = address
        self.port: int = self._sock.getsockname()[1]
        self.connections = 0
        self.execs = 0
        self.over = threading.Event()

    def __enter__(self) -> BadHost:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.over.set()
        self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                sock, _ = self._sock.accept()
            except OSError:
                return
            before, self.connections = self.connections, self.connections + 1
            threading.Thread(target=self._serve, args=(sock, before), daemon=True).start()

    def _serve(self, sock: socket.socket, before: int) -> None:
        with contextlib.suppress(OSError, EOFError, paramiko.SSHException), sock:
            self._behave(sock, before)


class Door(paramiko.ServerInterface):
    """Lets any key in, unless told otherwise, and notes the exec."""

    def __init__(self, login: Callable[[], int] = lambda: AUTH_SUCCESSFUL) -> None:
        self._login = login
        self.command = b""
        self.asked = threading.Event()
        self.accept_exec = True

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - as the base
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002
        return self._login()

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        return OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:  # noqa: ARG002
        self.command = command
        self.asked.set()
        return self.accept_exec


def speak(
    sock: socket.socket,
    key: paramiko.PKey,
    act: Callable[[paramiko.Channel], None],
    door: Door | None = None,
    window: int = 2 << 20,
) -> None:
    """Serve one SSH connection: log in, take one exec, then `act` on its channel."""
    door = door or Door()
    transport = paramiko.Transport(sock, default_window_size=window)
    try:
        transport.add_server_key(key)
        transport.start_server(server=door)
        channel = transport.accept(30)
        if channel is not None and door.asked.wait(30):
            act(channel)
            # A server that ends its side first resets the line, and what was sent may be lost.
            transport.join(10)
    finally:
        transport.close()
