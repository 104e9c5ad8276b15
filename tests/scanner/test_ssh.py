"""The SSH transport against real OpenSSH servers on loopback."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from checks.model import Evidence, FailureKind, Request, Source
from checks.probes.host import CLOCK, IDENTITY, read_clock
from inventory.model import Server, SshSettings
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.ssh import SshShared, SshTransport
from tests.helpers.sshd import Sshd, free_port, keygen

pytestmark = pytest.mark.ssh

FAST = SshLimits(connect_timeout=5, host_timeout=30, config="", retries=0)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - a real visit has a real clock


class Lab:
    """Keys, a project folder and whatever servers a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        self.key = folder / "id"
        self.public = keygen(self.key)
        self.host_key = folder / "host"
        self.host_public = keygen(self.host_key)

    def sshd(self, name: str = "a", address: str = "127.0.0.2", options: str = "") -> Sshd:
        return Sshd(self.folder / name, [self.host_key], self.public, address, options)

    def server(self, sshd: Sshd, **changes: object) -> Server:
        ssh = SshSettings(user=sshd.user, port=sshd.port, key_file=str(self.key))
        server = Server(
            id="srv", unit="u", address=sshd.address, host_key=self.host_public, ssh=ssh
        )
        return msgspec.structs.replace(server, **changes)

    def visit(
        self,
        server: Server,
        requests: list[Request],
        limits: SshLimits = FAST,
        sizes: SizeLimits | None = None,
        others: tuple[Server, ...] = (),
    ) -> list[Evidence]:
        servers = {s.id: s for s in (server, *others)}
        sizes = sizes or SizeLimits()
        shared = SshShared(servers, limits, sizes, self.project, now, random.Random(1))  # noqa: S311
        try:
            found = SshTransport(server, shared).collect(requests)
        finally:
            shared.close()
        assert [e.key for e in found] == [r.key for r in requests]
        return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def sshd(lab: Lab) -> Iterator[Sshd]:
    with lab.sshd() as server:
        yield server


def ask(script: str, name: str = "p", **fields: object) -> Request:
    request = Request(probe=name, target="srv", source=Source.SHELL, script=script)
    return msgspec.structs.replace(request, **fields)


def kinds(found: list[Evidence]) -> set[FailureKind | None]:
    return {e.failure.kind if e.failure else None for e in found}


def test_everything_is_answered_over_one_connection_and_one_exec(lab: Lab, sshd: Sshd) -> None:
    before = (sshd.connections, sshd.execs)
    requests = [CLOCK.request("srv"), IDENTITY.request("srv")]
    requests += [ask(f"echo {i}", f"p{i}") for i in range(30)]
    found = lab.visit(lab.server(sshd), requests)
    assert kinds(found) == {None}
    assert [e.stdout for e in found[2:]] == [b"%d\n" % i for i in range(30)]
    assert (sshd.connections, sshd.execs) == (before[0] + 1, before[1] + 1)
    clock = read_clock(found[0])
    assert abs(clock.skew) <= clock.uncertainty + 0.02
