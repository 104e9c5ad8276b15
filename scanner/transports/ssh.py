"""The SSH transport: one connection, one exec, every answer; within the host's time limit.

`sh -s` is the one command; the script of `scanner.shell` goes in over standard input while the
answer comes out, so that neither side can block the other.
"""

from __future__ import annotations

import random
import secrets
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from paramiko import Channel, Message, Transport
from paramiko.common import cMSG_CHANNEL_REQUEST
from paramiko.ssh_exception import ChannelException, SSHException

from checks.evidence import Evidence, Failure, FailureKind, Request
from inventory.model import Server
from scanner.shell import COMMAND, NOISE_ERRORS, Answer, Batch, compose, split
from scanner.transports.base import Clock, SizeLimits, SshLimits, all_failed
from scanner.transports.ssh_link import WINDOW, Link, Linker
from scanner.transports.ssh_login import Endpoint, Keys, Routes, Stop
from scanner.transports.wire import Spool

_CHUNK = 65536
_TAIL = 256
_OVERHEAD = 1 << 20
_NAP = 0.05


class SshShared:
    """What all visits of one process share: settings, keys, known hosts, jump hosts."""

    def __init__(
        self,
        servers: Mapping[str, Server],
        limits: SshLimits,
        sizes: SizeLimits,
        project: Path,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self.limits = limits
        self.sizes = sizes
        self.clock = clock
        self._servers = servers
        self._project = project
        self._rng = rng
        self._made: tuple[Routes, Linker] | None = None
        self._lock = threading.Lock()

    def tools(self) -> tuple[Routes, Linker]:
        """Made at the first visit; raises `Stop` when ssh_config or known_hosts is unusable."""
        with self._lock:
            if self._made is None:
                routes = Routes(self._servers, self._project, self.limits.config)
                linker = Linker(self.limits, self._project, Keys(), self._rng)
                self._made = (routes, linker)
            return self._made

    def close(self) -> None:
        """End the links to jump hosts."""
        with self._lock:
            if self._made is not None:
                self._made[1].close()
                self._made = None


class SshTransport:
    """One visit to one server."""

    def __init__(self, server: Server, shared: SshShared) -> None:
        self._server = server
        self._shared = shared

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """Ask everything in one exec; failures of the world come back as evidence."""
        shared = self._shared
        deadline = time.monotonic() + shared.limits.host_timeout
        try:
            routes, linker = shared.tools()
            end = routes.of(self._server)
            link = linker.open(end, deadline)
        except Stop as stop:
            return all_failed(requests, stop.failure.kind, stop.failure.detail, shared.clock())
        try:
            batch = _batch(requests, shared.sizes, deadline)
            return split(batch, _ask(link, end, batch, shared))
        except Stop as stop:
            return all_failed(requests, stop.failure.kind, stop.failure.detail, shared.clock())
        finally:
            link.close()


def _batch(requests: Sequence[Request], sizes: SizeLimits, deadline: float) -> Batch:
    left = deadline - time.monotonic()
    return Batch(
        requests=tuple(requests),
        nonce=secrets.token_hex(16),
        # The host stops by itself early enough for what is done to reach us.
        seconds=left - min(5.0, left / 10),
        section_bytes=sizes.section_bytes,
        host_bytes=sizes.host_bytes,
    )


def _ask(link: Link, end: Endpoint, batch: Batch, shared: SshShared) -> Answer:
    deadline = link.guard.deadline
    link.guard.budget += 2 * batch.stdout_bytes + _OVERHEAD
    try:
        left = max(0.1, min(deadline - time.monotonic(), 3 * shared.limits.connect_timeout))
        channel = link.transport.open_session(WINDOW, timeout=left)
        began = time.monotonic()
        _exec(link.transport, channel)
    except ChannelException as e:
        raise Stop(FailureKind.DENIED, f"{end.address} allows no session: {e.text}") from e
    except (SSHException, EOFError, OSError) as e:
        if link.transport.is_active():
            raise Stop(FailureKind.TIMEOUT, f"{end.address} opened no session: {e}") from e
        detail = f"{end.address} dropped the connection after the login"
        raise Stop(FailureKind.UNREACHABLE, detail) from e
    pump = _Pump(link.transport, channel, batch)
    cause = pump.run(deadline, shared.limits.host_timeout)
    taken, seconds = shared.clock(), time.monotonic() - began
    return Answer(
        stdout=pump.stdout.finish(),
        stderr=bytes(pump.stderr),
        taken=taken,
        seconds=seconds,
        exit=channel.exit_status if channel.exit_status_ready() else None,
        cause=cause,
    )


def _exec(transport: Transport, channel: Channel) -> None:
    """Ask for the command without waiting for the consent, which costs a round trip.

    The script may follow at once, as OpenSSH's own client does; a refusal closes the channel.
    `Channel.exec_command` sends the same message and waits, for ever.
    """
    message = Message()
    message.add_byte(cMSG_CHANNEL_REQUEST)
    message.add_int(channel.remote_chanid)
    message.add_string("exec")
    message.add_boolean(True)
    message.add_string(COMMAND)
    transport._send_user_message(message)  # type: ignore[attr-defined]  # noqa: SLF001


class _Pump:
    """Moves the script in and both streams out until there is nothing more to expect."""

    def __init__(self, transport: Transport, channel: Channel, batch: Batch) -> None:
        self._transport = transport
        self._channel = channel
        self._script = memoryview(compose(batch))
        self._batch = batch
        self._ready = threading.Event()
        self._tail = b""
        self.stdout = Spool()
        self.stderr = bytearray()
        # One event for both streams: either one alone can use up the channel's window.
        channel.in_buffer.set_event(self._ready)
        channel.in_stderr_buffer.set_event(self._ready)

    def run(self, deadline: float, limit: float) -> Failure | None:
        """Until the last marker, the end of the channel, the deadline or a limit."""
        while True:
            try:
                moved = self._feed() | self._drain()
            except (SSHException, EOFError, OSError):
                moved = self._drain()
                if not moved:
                    return self._gone()
            if self._complete():
                return None
            if self.stdout.size > self._batch.stdout_bytes:
                return _failure(FailureKind.TRUNCATED, "the host sent more than host_bytes allows")
            if len(self.stderr) > NOISE_ERRORS:
                return _failure(FailureKind.TRUNCATED, "the host floods its error stream")
            left = deadline - time.monotonic()
            if left <= 0:
                return _failure(FailureKind.TIMEOUT, f"no complete answer within {limit:g} s")
            if not moved:
                if self._over():
                    return self._gone()
                self._ready.wait(min(left, _NAP) if self._script else left)

    def _feed(self) -> bool:
        if not self._script or not self._channel.send_ready():
            return False
        sent = self._channel.send(self._script[:_CHUNK].tobytes())
        self._script = self._script[sent:] if sent else memoryview(b"")
        if not self._script:
            self._channel.shutdown_write()
        return True

    def _drain(self) -> bool:
        moved = False
        if self._channel.recv_ready():
            data = self._channel.recv(_CHUNK)
            self.stdout.write(data)
            self._tail = (self._tail + data)[-_TAIL:]
            moved = True
        if self._channel.recv_stderr_ready():
            data = self._channel.recv_stderr(_CHUNK)
            self.stderr += data
            moved = True
        return moved

    def _complete(self) -> bool:
        return self._batch.end in self._tail and self._tail.endswith(b"\n")

    def _over(self) -> bool:
        channel = self._channel
        ended = bool(channel.closed or channel.eof_received)
        return ended and not channel.recv_ready() and not channel.recv_stderr_ready()

    def _gone(self) -> Failure | None:
        """Nothing when the far side ended its output in order; the split then says what lacks."""
        if self._channel.eof_received or self._transport.is_active():
            return None
        return _failure(
            FailureKind.UNREACHABLE, "the connection was lost before the answer was complete"
        )


def _failure(kind: FailureKind, detail: str) -> Failure:
    return Failure(kind=kind, detail=detail)
