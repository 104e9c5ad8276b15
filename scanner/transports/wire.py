"""The wire below SSH: a socket that keeps a deadline and a byte limit, and a store for the answer.

paramiko reads a packet's head and rest with one `recv` each, waits for ever in places, and wakes
ten times a second to look whether it was closed. `Guard` stands between it and the socket: it reads
ahead, ends both directions at the deadline and wakes once a second.
"""

from __future__ import annotations

import contextlib
import mmap
import socket
import tempfile
import time
from typing import IO, Protocol

_WAKE = 1.0
_AHEAD = 32768
_MEMORY = 1 << 20


class Pipe(Protocol):
    """What a guard stands on: a socket, or a channel of a jump host."""

    def recv(self, nbytes: int, /) -> bytes:
        """Some bytes, none at the end."""
        ...

    def send(self, s: bytes, /) -> int:
        """How many bytes were taken."""
        ...

    def settimeout(self, timeout: float | None, /) -> None:
        """Seconds until a call raises TimeoutError."""
        ...

    def shutdown(self, how: int, /) -> None:
        """End both directions and wake whoever waits."""
        ...

    def close(self) -> None:
        """Give it back."""
        ...


class Guard:
    """A socket-like object for paramiko. Times are of the monotonic clock, in seconds."""

    def __init__(
        self, pipe: Pipe, deadline: float, budget: int, stall: float = float("inf")
    ) -> None:
        self._pipe = pipe
        self._closed = False
        self._ahead = b""
        self._at = 0
        self._received = 0
        self._stall = stall
        self.first = b""
        """The first bytes that came, for messages."""
        self.deadline = deadline
        """After this, both directions end."""
        self.budget = budget
        """The most bytes that may come in, all layers included."""
        pipe.settimeout(_WAKE)

    @property
    def exhausted(self) -> bool:
        """Whether more came than the budget allows."""
        return self._received > self.budget

    def recv(self, count: int) -> bytes:
        """Up to `count` bytes; raises EOFError when the time or the budget is used up."""
        if self._at >= len(self._ahead):
            if time.monotonic() > self.deadline or self.exhausted:
                raise EOFError
            self._ahead = self._pipe.recv(_AHEAD)
            self._at = 0
            self._received += len(self._ahead)
            self.first = self.first or self._ahead[:80]
        chunk = self._ahead[self._at : self._at + count]
        self._at += len(chunk)
        return chunk

    def send(self, data: bytes) -> int:
        """Some of the data; raises EOFError when the other side takes nothing for too long."""
        since = time.monotonic()
        while True:
            now = time.monotonic()
            if now > self.deadline or now - since > self._stall:
                raise EOFError
            try:
                return self._pipe.send(data)
            except TimeoutError:
                continue

    def settimeout(self, _: float | None) -> None:
        """Ignored: the guard wakes in its own rhythm."""

    def close(self) -> None:
        """End both directions at once; whoever waits in `recv` wakes."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError, EOFError):  # the other side may have been faster
            self._pipe.shutdown(socket.SHUT_RDWR)
        with contextlib.suppress(OSError, EOFError):  # a jump host may be gone as well
            self._pipe.close()


class Spool:
    """Collects an answer: small ones in memory, large ones in a file without a name."""

    def __init__(self, memory: int = _MEMORY) -> None:
        self._head = bytearray()
        self._file: IO[bytes] | None = None
        self._limit = memory
        self.size = 0

    def write(self, data: bytes) -> None:
        """Append."""
        self.size += len(data)
        if self._file is None and self.size <= self._limit:
            self._head += data
            return
        if self._file is None:
            self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed in `finish`
            self._file.write(self._head)
            self._head.clear()
        self._file.write(data)

    def finish(self) -> bytes | mmap.mmap:
        """All of it; a mapping of the file keeps it alive until the last view is gone."""
        if self._file is None:
            return bytes(self._head)
        with self._file as file:
            file.flush()
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def close(self) -> None:
        """Drop what was collected."""
        if self._file is not None:
            self._file.close()


def tcp(host: str, port: int, deadline: float) -> socket.socket:
    """A connected socket without Nagle's delay; raises OSError as the system words it."""
    last: OSError | None = None
    for family, kind, protocol, _, address in socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM
    ):
        left = deadline - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(left)
            # Nagle's algorithm meets delayed acknowledgements: 40 ms and three round trips.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            sock.connect(address)
        except OSError as e:
            sock.close()
            last = e
        else:
            return sock
    raise last or TimeoutError("timed out")
