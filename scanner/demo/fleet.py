"""The demo's fleet: about 200 SSH servers on loopback, in a few processes of their own."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

import msgspec

from scanner.demo.kinds import HostKind
from scanner.demo.places import Reserved
from scanner.demo.serve import ServeConfig, ServedHost

_READY_TIMEOUT = 30.0
_STOP_TIMEOUT = 10.0
_BACKLOG = 64


class FleetHost(msgspec.Struct, frozen=True, kw_only=True):
    """One server of the fleet, in the order of the reserved endpoints."""

    id: str
    host_key: Path
    kind: HostKind
    home: Path


class Fleet:
    """Starts the servers on entering and ends them on leaving.

    The reserved sockets are handed to the server processes and closed here, except those of
    `down` hosts: they stay bound without listening, so that nothing else can answer there.
    """

    def __init__(
        self,
        hosts: tuple[FleetHost, ...],
        reserved: Reserved,
        *,
        user: str,
        public_key: str,
        folder: Path,
        processes: int = 2,
    ) -> None:
        """`public_key` is the base64 part of the only key let in; `folder` keeps the configs."""
        self._hosts = hosts
        self._reserved = reserved
        self._user = user
        self._public_key = public_key
        self._folder = folder
        self._count = max(1, min(processes, len(hosts)))
        self.processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Fleet:
        try:
            up = [
                (host, sock)
                for host, sock in zip(self._hosts, self._reserved.sockets, strict=True)
                if host.kind is not HostKind.DOWN
            ]
            for _, sock in up:
                sock.listen(_BACKLOG)
            for number in range(self._count):
                self._start(number, [(h, s.fileno()) for h, s in up[number :: self._count]])
            self._await_ready()
            for _, sock in up:
                sock.close()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End every process and give the ports back; safe to call twice."""
        for process in self.processes:
            if process.stdin is not None:
                with contextlib.suppress(OSError):
                    process.stdin.close()
        for process in self.processes:
            try:
                process.wait(_STOP_TIMEOUT)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self.processes.clear()
        self._reserved.close()

    def _start(self, number: int, hosts: list[tuple[FleetHost, int]]) -> None:
        served = tuple(
            ServedHost(
                id=host.id, fd=fd, host_key=str(host.host_key), kind=host.kind, home=str(host.home)
            )
            for host, fd in hosts
        )
        config = ServeConfig(user=self._user, public_key=self._public_key, hosts=served)
        path = self._folder / f"servers-{number}.json"
        path.write_bytes(msgspec.json.encode(config))
        self.processes.append(
            subprocess.Popen(  # noqa: S603 - this interpreter, our own module
                [sys.executable, "-m", "scanner.demo.serve", str(path)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                pass_fds=[fd for _, fd in hosts],
                start_new_session=True,  # Ctrl-C is the parent's affair; it ends them in order
                env={**os.environ, "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)},
            )
        )

    def _await_ready(self) -> None:
        deadline = time.monotonic() + _READY_TIMEOUT
        for process in self.processes:
            assert process.stdout is not None  # noqa: S101 - asked for above
            left = max(0.0, deadline - time.monotonic())
            ready, _, _ = select.select([process.stdout], [], [], left)
            if not ready or process.stdout.readline() != b"ready\n":
                raise RuntimeError("a process of the demo's servers did not start")
