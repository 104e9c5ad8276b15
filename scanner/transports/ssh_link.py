"""One authenticated SSH connection: connect, compare the host key, log in, all before a deadline.

paramiko's `Transport` is used directly, because the host key is then in hand before anything is
sent to the host, and each wait is ours: an event and the time that is left. Jump hosts are links
too, one per process, shared by every server behind them.
"""

from __future__ import annotations

import errno
import logging
import math
import random
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any, cast

import msgspec
from paramiko import Channel, Message, PKey, Transport
from paramiko.packet import Packetizer
from paramiko.ssh_exception import (
    AuthenticationException,
    BadAuthenticationType,
    ChannelException,
    IncompatiblePeer,
    PartialAuthentication,
    SSHException,
)

from checks.evidence import Failure, FailureKind
from scanner.transports.base import SshLimits
from scanner.transports.known_hosts import Expected, Key, KnownHosts, expected, judge
from scanner.transports.ssh_login import AgentKeys, Endpoint, Keys, Stop, candidates
from scanner.transports.wire import Guard, Pipe, tcp

# What goes wrong becomes a typed failure; paramiko's own words would only repeat it, with traces.
logging.getLogger("paramiko").setLevel(logging.CRITICAL + 1)

WINDOW = 512 * 1024
"""The most that a server may send ahead of what was read, per channel, in bytes."""

_BEFORE_LOGIN = 256 * 1024
_KEEPALIVE = 15
_LOGIN_FACTOR = 3
"""A login may take this many times the connect timeout: directories of accounts are slow."""
_STALL = 30.0
_REMEMBER_FAILED_JUMP = 30.0
_WEAK = {
    "ciphers": ["3des-cbc"],
    "macs": ["hmac-md5", "hmac-md5-96", "hmac-sha1-96"],
}
_FAST = ("aes128-gcm@openssh.com", "aes256-gcm@openssh.com")
_CLOSE = 97
_ON_A_CHANNEL = range(93, 101)
"""Messages that name the channel first (RFC 4254, section 9)."""
_ALGORITHMS = {"ssh-rsa": ("rsa-sha2-512", "rsa-sha2-256")}


class _Untimed(Packetizer):
    """Without the thread that paramiko starts per connection: the guard ends a slow handshake."""

    def start_handshake(self, timeout: float) -> None:
        """Nothing to start."""


class _Carrier(Transport):
    """A jump host's: says nothing more on a channel once it said that the channel ends.

    paramiko makes a message under the channel's lock and sends it after. When the other side ends
    the channel in between, OpenSSH sees data for a channel that is gone, a breach of the protocol,
    and ends the whole connection with the channels of all other servers.
    """

    def __init__(self, *args: Any, **more: Any) -> None:  # noqa: ANN401 - as the base
        super().__init__(*args, **more)
        self._order = threading.Lock()
        self._ended: set[bytes] = set()

    def _send_user_message(self, data: Message) -> None:
        said = data.asbytes()
        kind, channel = said[0], said[1:5]
        with self._order:
            if kind in _ON_A_CHANNEL:
                if channel in self._ended:
                    return
                if kind == _CLOSE:
                    self._ended.add(channel)
            super()._send_user_message(data)  # type: ignore[misc]  # not in the stubs

    def open_channel(self, *args: Any, **more: Any) -> Channel:  # noqa: ANN401 - as the base
        """As the base; a number that is given again is no longer that of an ended channel."""
        opened = super().open_channel(*args, **more)
        with self._order:
            self._ended.discard(opened.remote_chanid.to_bytes(4, "big"))
        return opened


class Link(msgspec.Struct):
    """An open, authenticated connection."""

    transport: Transport
    guard: Guard

    def close(self) -> None:
        """End it at once."""
        self.transport.close()
        self.guard.close()


class Linker:
    """Makes links: what all connections of a process share."""

    def __init__(self, limits: SshLimits, project: Path, keys: Keys, rng: random.Random) -> None:
        self._limits = limits
        self._keys = keys
        self._rng = rng
        self._place = str(project / Path(limits.known_hosts).expanduser())
        self._known = KnownHosts(_lines(Path(self._place)))
        self._jumps: dict[Endpoint, _Jump] = {}
        self._lock = threading.Lock()

    def open(self, end: Endpoint, deadline: float, kind: type[Transport] = Transport) -> Link:
        """A link to an endpoint; raises `Stop`. `deadline` is of the monotonic clock."""
        allowed = expected(end.host, end.port, end.pin, self._known, self._place)
        if isinstance(allowed, Failure):
            raise Stop(allowed.kind, allowed.detail)
        tries = self._limits.retries
        pause = 0.5
        while True:
            try:
                return self._once(end, allowed, deadline, kind)
            except Stop as stop:
                wait = pause * self._rng.uniform(0.5, 1.5)
                if not stop.again or tries <= 0 or time.monotonic() + wait > deadline:
                    raise
            time.sleep(wait)
            tries, pause = tries - 1, pause * 2

    def close(self) -> None:
        """End the jump hosts' links."""
        with self._lock:
            jumps, self._jumps = list(self._jumps.values()), {}
        for jump in jumps:
            jump.close()

    def _once(
        self, end: Endpoint, allowed: Expected, deadline: float, kind: type[Transport]
    ) -> Link:
        soon = min(deadline, time.monotonic() + self._limits.connect_timeout)
        pipe = self._pipe(end, soon)
        soon = min(deadline, time.monotonic() + self._limits.connect_timeout)
        guard = Guard(pipe, soon, _BEFORE_LOGIN, _STALL)
        transport = kind(
            cast("socket.socket", guard),
            default_window_size=WINDOW,
            disabled_algorithms=_WEAK,
            packetizer_class=_Untimed,
        )
        link = Link(transport, guard)
        try:
            _prefer(transport, allowed)
            _handshake(link, end, soon)
            self._compare(transport, allowed)
            patience = _LOGIN_FACTOR * self._limits.connect_timeout
            guard.deadline = min(deadline, time.monotonic() + patience)
            self._login(link, end)
            guard.deadline = deadline
            transport.set_keepalive(_KEEPALIVE)
        except BaseException:
            link.close()
            raise
        return link

    def _compare(self, transport: Transport, allowed: Expected) -> None:
        seen = transport.get_remote_server_key()
        refused = judge(Key(seen.get_name(), seen.asbytes()), allowed, self._known)
        if refused is not None:
            raise Stop(refused.kind, refused.detail)

    def _pipe(self, end: Endpoint, deadline: float) -> Pipe:
        if end.via is not None:
            with self._lock:
                jump = self._jumps.setdefault(end.via, _Jump(self, end.via))
            return jump.channel(end, deadline)
        try:
            return tcp(end.host, end.port, deadline)
        except OSError as e:
            raise _unreachable(end, e, self._limits.connect_timeout) from None

    def _login(self, link: Link, end: Endpoint) -> None:
        with AgentKeys() as agent:
            usable, wrong = candidates(end, self._keys, agent)
            if not usable:
                said = "; ".join(wrong) or "no key file is given and ssh-agent has none"
                raise Stop(FailureKind.AUTH, f"cannot log in to {end.address}: {said}")
            for name, key in usable:
                reason = _try_key(link, end, key)
                if not reason:
                    return
                wrong.append(f"{name}: {reason}")
        said = "; ".join(wrong)
        raise Stop(FailureKind.AUTH, f"{end.address} did not let {end.user} in: {said}")


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as e:
        raise Stop(FailureKind.HOST_KEY, f"{path} cannot be read: {e.strerror}") from e


def _prefer(transport: Transport, allowed: Expected) -> None:
    """Ask first for the kinds of key that are known, as a host may have several."""
    options = transport.get_security_options()
    # One pass in C for secrecy and integrity; the other ciphers' MAC is compared byte by byte.
    fast = [name for name in _FAST if name in options.ciphers]
    options.ciphers = (*fast, *(name for name in options.ciphers if name not in fast))
    known = [name for key in allowed.keys for name in _ALGORITHMS.get(key.type, (key.type,))]
    first = [name for name in dict.fromkeys(known) if name in options.key_types]
    if first:
        options.key_types = (*first, *(n for n in options.key_types if n not in first))


def _handshake(link: Link, end: Endpoint, deadline: float) -> None:
    began = time.monotonic()
    done = threading.Event()
    link.transport.start_client(event=done)
    if not done.wait(max(0.0, deadline - time.monotonic())):
        waited = f"within {deadline - began:.0f} s"
        said = link.transport.remote_version
        what = "did not finish the SSH handshake" if said else "sent no SSH greeting"
        raise Stop(FailureKind.TIMEOUT, f"{end.address} took the connection but {what} {waited}")
    if not link.transport.is_active():
        raise _broken(link, end)


def _broken(link: Link, end: Endpoint) -> Stop:
    error = link.transport.get_exception()
    if time.monotonic() > link.guard.deadline:
        return Stop(FailureKind.TIMEOUT, f"{end.address} did not finish the SSH handshake in time")
    if link.guard.exhausted:
        return Stop(FailureKind.UNREACHABLE, f"{end.address} floods instead of speaking SSH")
    said = link.guard.first.decode("utf-8", "replace")
    if not said:
        # A server that is too busy closes or resets before its greeting.
        detail = f"{end.address} closed the connection before its SSH greeting"
        return Stop(FailureKind.UNREACHABLE, detail, again=True)
    if not link.transport.remote_version:
        return Stop(FailureKind.UNREACHABLE, f"{end.address} does not speak SSH, it said: {said}")
    if error is None or isinstance(error, EOFError | OSError):
        detail = f"{end.address} closed the connection during the SSH handshake"
        return Stop(FailureKind.UNREACHABLE, detail, again=True)
    why = "no common algorithm" if isinstance(error, IncompatiblePeer) else "the handshake failed"
    return Stop(FailureKind.UNREACHABLE, f"{end.address}: {why}: {error}")


def _try_key(link: Link, end: Endpoint, key: PKey) -> str:
    """Log in with one key: nothing when that worked, else why not; raises `Stop`."""
    transport = link.transport
    done = threading.Event()
    try:
        transport.auth_publickey(end.user, key, done)
        answered = done.wait(max(0.0, link.guard.deadline - time.monotonic()))
    except (SSHException, EOFError, OSError) as e:
        raise Stop(FailureKind.AUTH, f"{end.address} ended the login of {end.user}: {e}") from e
    if transport.is_authenticated():
        return ""
    if not answered or time.monotonic() > link.guard.deadline:
        raise Stop(FailureKind.TIMEOUT, f"{end.address} did not answer the login of {end.user}")
    error = transport.get_exception()
    if not transport.is_active():
        said = f": {error}" if str(error or "") else ""
        raise Stop(FailureKind.AUTH, f"{end.address} ended the login of {end.user}{said}")
    if isinstance(error, PartialAuthentication):
        return f"a further step is wanted ({', '.join(error.allowed_types)})"
    if isinstance(error, BadAuthenticationType):
        return f"keys are not accepted here (only {', '.join(error.allowed_types)})"
    if error is None or isinstance(error, AuthenticationException):
        return "refused"
    return str(error)


def _unreachable(end: Endpoint, error: OSError, patience: float) -> Stop:
    reasons = {
        errno.ECONNREFUSED: "refused the connection (nothing listens there, or a firewall)",
        errno.ECONNRESET: "reset the connection",
        errno.EHOSTUNREACH: "cannot be reached: no route to host",
        errno.ENETUNREACH: "cannot be reached: no route to its network",
    }
    if isinstance(error, socket.gaierror):
        return Stop(FailureKind.UNREACHABLE, f"the name {end.host} is not known: {error.strerror}")
    if isinstance(error, TimeoutError):
        detail = f"{end.address} did not answer: timed out after {patience:g} s"
        return Stop(FailureKind.UNREACHABLE, detail, again=True)
    said = reasons.get(error.errno or 0, f"cannot be reached: {error.strerror or error}")
    again = error.errno in (errno.ECONNREFUSED, errno.ECONNRESET)
    return Stop(FailureKind.UNREACHABLE, f"{end.address} {said}", again=again)


class _Jump:
    """The one link of this process to a jump host; kept while it lives, made anew when it died."""

    def __init__(self, linker: Linker, end: Endpoint) -> None:
        self._linker = linker
        self._end = end
        self._lock = threading.Lock()
        self._link: Link | None = None
        self._failed: Failure | None = None
        self._failed_at = 0.0

    def channel(self, to: Endpoint, deadline: float) -> Pipe:
        """A pipe to `to` through the jump host; raises `Stop` that names the jump host."""
        transport = self._open(deadline).transport
        left = max(0.1, deadline - time.monotonic())
        place = (to.host, to.port)
        try:
            channel = transport.open_channel("direct-tcpip", place, ("127.0.0.1", 0), timeout=left)
        except ChannelException as e:
            kind = FailureKind.DENIED if e.code == 1 else FailureKind.UNREACHABLE
            raise Stop(
                kind, f"jump host {self._end.name} cannot reach {to.address}: {e.text}"
            ) from e
        except (SSHException, EOFError, OSError) as e:
            detail = f"jump host {self._end.name} cannot reach {to.address}: {e}"
            raise Stop(FailureKind.UNREACHABLE, detail) from e
        return cast("Pipe", channel)

    def _open(self, deadline: float) -> Link:
        if not self._lock.acquire(timeout=max(0.1, deadline - time.monotonic())):
            raise Stop(FailureKind.TIMEOUT, f"jump host {self._end.name} took too long")
        try:
            if self._link is not None and self._link.transport.is_active():
                return self._link
            self._link = self._anew(deadline)
            return self._link
        finally:
            self._lock.release()

    def _anew(self, deadline: float) -> Link:
        recent = time.monotonic() - self._failed_at < _REMEMBER_FAILED_JUMP
        if self._failed is not None and recent:
            raise Stop(self._failed.kind, self._failed.detail)
        try:
            link = self._linker.open(self._end, deadline, _Carrier)
        except Stop as stop:
            detail = f"jump host {self._end.name}: {stop.failure.detail}"
            self._failed = Failure(kind=stop.failure.kind, detail=detail)
            self._failed_at = time.monotonic()
            raise Stop(stop.failure.kind, detail) from stop
        # It outlives the visit that opened it and carries the answers of many.
        link.guard.deadline, link.guard.budget = math.inf, sys.maxsize
        return link

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
