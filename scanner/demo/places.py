"""Where the demo's servers listen: loopback addresses and ports, reserved before they are told."""

from __future__ import annotations

import contextlib
import resource
import socket

import msgspec

_FIRST_PORT = 22022
_TRIES = 200
_OPEN_FILES = 4096


class Endpoint(msgspec.Struct, frozen=True):
    """An address and port of one server."""

    address: str
    port: int

    @property
    def known_as(self) -> str:
        """How known_hosts spells it."""
        return f"[{self.address}]:{self.port}"


class Reserved:
    """Bound sockets, one per endpoint; nobody else can take the ports while they are held."""

    def __init__(self, sockets: list[socket.socket]) -> None:
        self.sockets = sockets
        self.endpoints = tuple(Endpoint(*s.getsockname()[:2]) for s in sockets)

    def close(self) -> None:
        """Give every port back."""
        for one in self.sockets:
            one.close()


def reserve(count: int) -> Reserved:
    """Bind one socket per server.

    Linux answers on all of 127.0.0.0/8, so every server gets an address of its own and all share
    one port; elsewhere they share 127.0.0.1 and get a port each. Raises OSError when neither works.
    """
    raise_open_files()
    addresses = [f"127.77.{n // 250}.{n % 250 + 1}" for n in range(count)]
    if _usable(addresses[-1]):
        for port in range(_FIRST_PORT, _FIRST_PORT + _TRIES):
            sockets = _bind_all([(address, port) for address in addresses])
            if sockets:
                return Reserved(sockets)
    sockets = _bind_all([("127.0.0.1", 0)] * count)
    if sockets:
        return Reserved(sockets)
    raise OSError("no free loopback ports for the demo's servers")


def raise_open_files() -> None:
    """Lift the soft limit of open files towards the hard one: 200 sockets do not fit in macOS's."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _OPEN_FILES if hard == resource.RLIM_INFINITY else min(_OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _usable(address: str) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((address, 0))
        except OSError:
            return False
        return True


def _bind_all(wanted: list[tuple[str, int]]) -> list[socket.socket]:
    bound: list[socket.socket] = []
    for place in wanted:
        one = socket.socket()
        try:
            # Without SO_REUSEADDR: until they listen, two demos could otherwise share a port.
            one.bind(place)
        except OSError:
            one.close()
            for earlier in bound:
                earlier.close()
            return []
        bound.append(one)
    return bound
