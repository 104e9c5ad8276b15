"""Which transport answers for a target; and nothing that goes wrong in one loses the others."""

from __future__ import annotations

import logging
import os
import random
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checks.evidence import FILES, Evidence, FailureKind, Request
from checks.texts import clean
from inventory.model import Inventory, Server
from scanner.transports.base import Clock, SizeLimits, SshLimits, Transport, all_failed
from scanner.transports.secrets import arm

if TYPE_CHECKING:
    from scanner.transports.ssh import SshShared

_log = logging.getLogger(__name__)


class Collector:
    """Visits targets of one inventory, from any thread; a copy sent to a process starts afresh."""

    def __init__(
        self,
        inventory: Inventory,
        *,
        ssh: SshLimits,
        limits: SizeLimits,
        project: Path,
        clock: Clock,
        jitter: random.Random,
    ) -> None:
        # Only what a visit needs, as this is sent to every worker process.
        self._inventory = Inventory(servers=inventory.servers, buckets=inventory.buckets)
        self._ssh = ssh
        self._limits = limits
        self._project = project
        self._clock = clock
        self._jitter = jitter
        self._shared = self._share()

    def __getstate__(self) -> dict[str, Any]:
        # The system's source of chance cannot be sent, and connections belong to a process.
        return {**self.__dict__, "_shared": None, "_jitter": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._jitter = random.SystemRandom()
        self._shared = self._share()

    def collect(self, target: str, requests: Sequence[Request]) -> list[Evidence]:
        """Exactly one evidence per request, in order; a fault of ours becomes a failure."""
        if not requests:
            return []
        try:
            armed = [arm(r, self._project, os.environ) for r in requests]
            found = self._transport(target).collect(armed)
            _check(requests, found)
        except Exception as e:  # noqa: BLE001 - one target's fault costs its own rows only
            trace = clean(traceback.format_exc(), 8000)
            _log.error("fault while visiting %s: %s", clean(target), trace)
            detail = f"fault in the scanner: {type(e).__name__}: {clean(str(e))}"
            return self.lost(requests, detail)
        return found

    def lost(self, requests: Sequence[Request], detail: str) -> list[Evidence]:
        """The evidence of a visit that came to nothing by a fault of ours."""
        return all_failed(requests, FailureKind.COMMAND_FAILED, detail, self._clock())

    def close(self) -> None:
        """End what visits share: connections to jump hosts."""
        if self._shared is not None:
            self._shared.close()

    def _share(self) -> SshShared | None:
        # paramiko takes a quarter of a second to load: only where a server is reached by SSH.
        if all(server.transport != "ssh" for server in self._inventory.servers.values()):
            return None
        from scanner.transports.ssh import SshShared  # noqa: PLC0415

        return SshShared(
            self._inventory.servers,
            self._ssh,
            self._limits,
            self._project,
            self._clock,
            self._jitter,
        )

    def _transport(self, target: str) -> Transport:
        if target == FILES:
            from scanner.transports.files import FilesTransport  # noqa: PLC0415

            return FilesTransport(self._project, self._limits, self._clock)
        bucket = self._inventory.buckets.get(target)
        if bucket is not None:
            from scanner.transports.s3 import S3Transport  # noqa: PLC0415 - boto3 is slow to load

            return S3Transport(
                bucket, clock=self._clock, timeout=self._ssh.host_timeout, project=self._project
            )
        server = self._inventory.servers.get(target)
        if server is None:
            return _Absent(FailureKind.NOT_DECLARED, f"{target} is not declared", self._clock)
        return self._server(server)

    def _server(self, server: Server) -> Transport:
        if server.transport == "local":
            from scanner.transports.local import LocalTransport  # noqa: PLC0415

            return LocalTransport(self._limits, self._clock, self._ssh.host_timeout)
        if server.transport == "bundle":
            detail = f"no bundle was imported for {server.id}"
            return _Absent(FailureKind.NOT_DECLARED, detail, self._clock)
        from scanner.transports.ssh import SshTransport  # noqa: PLC0415

        if self._shared is None:
            raise RuntimeError("a server by SSH, but nothing shared was made for it")
        return SshTransport(server, self._shared)


class _Absent:
    """Stands where nothing can be asked, and says why."""

    def __init__(self, kind: FailureKind, detail: str, clock: Clock) -> None:
        self._kind = kind
        self._detail = detail
        self._clock = clock

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        return all_failed(requests, self._kind, self._detail, self._clock())


def _check(requests: Sequence[Request], found: Sequence[Evidence]) -> None:
    """Rows are counted on this: a transport that forgets one is a fault of ours."""
    if [r.key for r in requests] != [e.key for e in found]:
        raise RuntimeError(f"{len(requests)} requests brought {len(found)} answers, or others")
