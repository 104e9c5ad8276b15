"""One connection to a demo server: login, commands as real processes, and the planted faults."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from typing import IO

import paramiko
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
)

from scanner.demo.kinds import HostKind

_BLOCK = 32768
_KEX = ("curve25519-sha256@libssh.org",)
ZONE = "Asia/Ho_Chi_Minh"
"""The zone in which the demo's servers live, whatever machine plays them."""
_LOGIN_TIMEOUT = 30.0
_POLL = 0.2
_DROP_AFTER = 64
"""Bytes of the answer that get out before a dropping server is gone."""


class Live:
    """The processes that run for clients right now, so that none outlives the server."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[int] = set()
        self._ended = False

    def add(self, pid: int) -> None:
        """A process group was started; it is killed at once when the server is ending."""
        with self._lock:
            self._running.add(pid)
            ended = self._ended
        if ended:
            self.kill(pid)

    def kill(self, pid: int) -> None:
        """Kill a process group that is still known; a finished one is left alone."""
        with self._lock:
            if pid in self._running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)

    def forget(self, pid: int) -> None:
        """A process group was waited for."""
        with self._lock:
            self._running.discard(pid)

    def end(self) -> None:
        """Kill everything; later additions too."""
        with self._lock:
            self._ended = True
            running = list(self._running)
        for pid in running:
            self.kill(pid)


class _Login(paramiko.ServerInterface):
    """Lets one user in with one key, and takes exec requests."""

    def __init__(self, user: str, public_key: str, *, refuse: bool) -> None:
        self._user = user
        self._public_key = public_key
        self._refuse = refuse
        self.commands: queue.SimpleQueue[tuple[paramiko.Channel, str]] = queue.SimpleQueue()

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - paramiko's signature
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        known = key.get_base64() == self._public_key and username == self._user
        return AUTH_SUCCESSFUL if known and not self._refuse else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002
        if kind == "session":
            return OPEN_SUCCEEDED
        return OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        self.commands.put((channel, command.decode("utf-8", "replace")))
        return True


class Session:
    """Everything that happens on one accepted connection."""

    def __init__(
        self,
        *,
        kind: HostKind,
        home: str,
        host_key: paramiko.PKey,
        user: str,
        public_key: str,
        live: Live,
    ) -> None:
        self._kind = kind
        self._home = home
        self._host_key = host_key
        self._login = _Login(user, public_key, refuse=kind is HostKind.REFUSES)
        self._live = live

    def run(self, connection: socket.socket) -> None:
        """Serve until the client leaves; the world's errors end the connection, nothing else."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with contextlib.suppress(paramiko.SSHException, OSError, EOFError):
            transport = paramiko.Transport(connection)
            transport.daemon = True
            try:
                transport.auth_timeout = _LOGIN_TIMEOUT
                transport.get_security_options().kex = _KEX  # the cheapest for both sides
                transport.add_server_key(self._host_key)
                transport.start_server(server=self._login)
                self._commands(transport)
            finally:
                transport.close()

    def _commands(self, transport: paramiko.Transport) -> None:
        while transport.is_active():
            try:
                channel, command = self._login.commands.get(timeout=_POLL)
            except queue.Empty:
                continue
            with contextlib.suppress(OSError, EOFError):
                self._answer(transport, channel, command)

    def _answer(
        self, transport: paramiko.Transport, channel: paramiko.Channel, command: str
    ) -> None:
        if self._kind is HostKind.FLOODS:
            block = b"\x1b[31mflood <script>alert(1)</script>\n" * (_BLOCK // 36)
            while True:
                channel.sendall(block)
        send: Callable[[bytes], None] = channel.sendall
        if self._kind is HostKind.DROPS:
            send = _Dropping(transport, channel)
        code = _run(command, self._home, channel, send, self._live)
        channel.send_exit_status(code)
        channel.close()


class _Dropping:
    """Sends the first bytes of an answer and then cuts the line."""

    def __init__(self, transport: paramiko.Transport, channel: paramiko.Channel) -> None:
        self._transport = transport
        self._channel = channel

    def __call__(self, data: bytes) -> None:
        self._channel.sendall(data[:_DROP_AFTER])
        self._transport.close()
        raise OSError("dropped on purpose")


def _run(
    command: str,
    home: str,
    channel: paramiko.Channel,
    send: Callable[[bytes], None],
    live: Live,
) -> int:
    environment = {
        "PATH": f"{home}/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": home,
        "USER": "sauro",
        "SHELL": "/bin/sh",
        "TZ": ZONE,
    }
    with subprocess.Popen(  # noqa: S603 - running commands of the one known key is its purpose
        ["/bin/sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd=home,
        env=environment,
        start_new_session=True,
    ) as process:
        live.add(process.pid)
        assert process.stdin is not None  # noqa: S101 - asked for above
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        feeder = threading.Thread(target=_feed, args=(channel, process, live), daemon=True)
        errors = threading.Thread(
            target=_pump_errors, args=(process.stderr, channel.sendall_stderr), daemon=True
        )
        feeder.start()
        errors.start()
        try:
            _pump(process.stdout, send)
            errors.join()
            code = process.wait()
        finally:  # whatever of the group is left: its client is gone or has its answer
            live.kill(process.pid)
            process.wait()
            live.forget(process.pid)
        return code if code >= 0 else 128 - code


def _pump(source: IO[bytes], send: Callable[[bytes], None]) -> None:
    """Copy until the end; a client that left is noticed by the sending."""
    while block := source.read(_BLOCK):
        send(block)


def _pump_errors(source: IO[bytes], send: Callable[[bytes], None]) -> None:
    """The same for standard error; when the client left, the other stream says so as well."""
    with contextlib.suppress(OSError, ValueError):
        _pump(source, send)


def _feed(channel: paramiko.Channel, process: subprocess.Popen[bytes], live: Live) -> None:
    """Give the client's bytes to the command, then watch whether the client is still there."""
    assert process.stdin is not None  # noqa: S101 - the caller asked for it
    # ValueError: the command ended first and its pipe was closed meanwhile.
    with contextlib.suppress(OSError, ValueError):
        while block := channel.recv(_BLOCK):
            process.stdin.write(block)
    with contextlib.suppress(OSError, ValueError):
        process.stdin.close()
    while process.returncode is None:
        if channel.closed or not channel.get_transport().is_active():
            live.kill(process.pid)
            return
        time.sleep(_POLL)
