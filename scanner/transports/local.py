"""The machine that the scanner runs on: the same script through `sh -s`, without SSH."""

from __future__ import annotations

import contextlib
import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Sequence
from typing import IO

from checks.evidence import Evidence, Failure, FailureKind, Request
from scanner.shell import NOISE_ERRORS, Answer, Batch, compose, split
from scanner.transports.base import Clock, SizeLimits, all_failed
from scanner.transports.wire import Spool

_CHUNK = 65536


class LocalTransport:
    """One visit to this machine. `timeout` is for the whole visit, in seconds."""

    def __init__(self, sizes: SizeLimits, clock: Clock, timeout: float) -> None:
        self._sizes = sizes
        self._clock = clock
        self._timeout = timeout

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """Run everything in one shell with a process group of its own."""
        batch = Batch(
            requests=tuple(requests),
            nonce=secrets.token_hex(16),
            seconds=self._timeout - min(5.0, self._timeout / 10),
            section_bytes=self._sizes.section_bytes,
            host_bytes=self._sizes.host_bytes,
        )
        began = time.monotonic()
        try:
            process = subprocess.Popen(
                ["/bin/sh", "-s"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd="/",
                start_new_session=True,
            )
        except OSError as e:
            detail = f"/bin/sh cannot be started: {e.strerror}"
            return all_failed(requests, FailureKind.COMMAND_FAILED, detail, self._clock())
        with process:
            pump = _Pump(process, batch)
            try:
                cause = pump.run(began + self._timeout, self._timeout)
            finally:
                _end(process)
        answer = Answer(
            stdout=pump.stdout.finish(),
            stderr=bytes(pump.stderr),
            taken=self._clock(),
            seconds=time.monotonic() - began,
            exit=process.returncode,
            cause=cause,
        )
        return split(batch, answer)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the whole group; what is left of it must not outlive the visit."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


class _Pump:
    def __init__(self, process: subprocess.Popen[bytes], batch: Batch) -> None:
        self._batch = batch
        self._script = memoryview(compose(batch))
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self.stdout = Spool()
        self.stderr = bytearray()

    def run(self, deadline: float, limit: float) -> Failure | None:
        with selectors.DefaultSelector() as selector:
            self._watch(selector)
            while selector.get_map():
                left = deadline - time.monotonic()
                if left <= 0:
                    return _failure(FailureKind.TIMEOUT, f"no complete answer within {limit:g} s")
                for key, _ in selector.select(left):
                    self._move(selector, key)
                if self.stdout.size > self._batch.stdout_bytes:
                    return _failure(FailureKind.TRUNCATED, "more output than host_bytes allows")
                if len(self.stderr) > NOISE_ERRORS:
                    return _failure(FailureKind.TRUNCATED, "too much on the error stream")
        return None

    def _watch(self, selector: selectors.BaseSelector) -> None:
        pairs = (
            (self._stdin, selectors.EVENT_WRITE),
            (self._stdout, selectors.EVENT_READ),
            (self._stderr, selectors.EVENT_READ),
        )
        for stream, event in pairs:
            if stream is not None:
                os.set_blocking(stream.fileno(), False)
                selector.register(stream, event)

    def _move(self, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
        stream = key.fileobj
        if stream is self._stdin:
            self._feed(selector, self._stdin)
            return
        data = os.read(key.fd, _CHUNK)
        if not data:
            selector.unregister(stream)
        elif stream is self._stdout:
            self.stdout.write(data)
        else:
            self.stderr += data

    def _feed(self, selector: selectors.BaseSelector, stdin: IO[bytes]) -> None:
        with contextlib.suppress(BlockingIOError, BrokenPipeError):
            self._script = self._script[os.write(stdin.fileno(), self._script[:_CHUNK]) :]
            if self._script:
                return
        selector.unregister(stdin)
        with contextlib.suppress(BrokenPipeError):
            stdin.close()


def _failure(kind: FailureKind, detail: str) -> Failure:
    return Failure(kind=kind, detail=detail)
