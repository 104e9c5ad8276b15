"""Visits many targets at once; the only module with threads and processes of its own.

Threads take the next target when they are free, so a slow host holds up nobody and 20,000 targets
need no more than `workers` threads. With several processes each of them has its own threads; a
process that dies costs the visits it had in hand and is replaced.
"""

from __future__ import annotations

import contextlib
import math
import multiprocessing
import queue
import signal
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from multiprocessing.connection import Connection
from typing import Protocol

import msgspec

from checks.evidence import Evidence, Request

Visited = tuple[str, list[Evidence], float]
"""A target, its evidence in the order asked, and the seconds of the visit."""

_TICK = 0.2
_GATHER = 1.0
"""Seconds in which what else arrives is handed over together: storing costs less by the batch.

So much is visited again, at most, when a scan that was killed is resumed.
"""
_TOGETHER = 32
"""Visits handed over at once, at most."""
_PRELOADED = ["scanner.pool", "scanner.collect", "scanner.transports.ssh"]
"""What a visit needs, so that not every process loads it anew."""


class Collects(Protocol):
    """What the pool needs of `scanner.collect.Collector`; for processes it must be picklable."""

    def collect(self, target: str, requests: tuple[Request, ...]) -> list[Evidence]:
        """One visit."""
        ...

    def lost(self, requests: tuple[Request, ...], detail: str) -> list[Evidence]:
        """The evidence of a visit that came to nothing by a fault of ours."""
        ...

    def close(self) -> None:
        """After the last visit."""
        ...


class _Job(msgspec.Struct, frozen=True):
    target: str
    requests: tuple[Request, ...]


class _Done(msgspec.Struct, frozen=True):
    target: str
    evidence: list[Evidence]
    seconds: float


def visit_all(
    asked: Mapping[str, tuple[Request, ...]],
    collector: Collects,
    workers: int,
    processes: int,
    stop: threading.Event,
) -> Generator[list[Visited]]:
    """Visit every target once and yield them as they are done, in any order, a few at a time.

    Begins at once, whether or not anybody asks for the first result yet. When `stop` is set, or the
    generator is closed, no further visit begins and those under way are abandoned. Results wait in
    a bounded queue: a slow consumer slows the visits down.
    """
    visits = _visits(asked, collector, workers, (processes, stop))
    next(visits)
    return visits


def _visits(
    asked: Mapping[str, tuple[Request, ...]],
    collector: Collects,
    workers: int,
    rest: tuple[int, threading.Event],
) -> Generator[list[Visited]]:
    """An empty list when all have begun, then the visits."""
    processes, stop = rest
    if not asked:
        collector.close()
        yield []
        return
    workers = max(1, min(workers, len(asked)))
    processes = max(1, min(processes, workers))
    run = _Run(asked, collector, workers)
    count = workers if processes == 1 else processes
    for i in range(count):
        share = workers // processes + (i < workers % processes)
        work = (run.visit,) if processes == 1 else (run.feed, share)
        threading.Thread(target=work[0], args=work[1:], daemon=True, name=f"visits-{i}").start()
    try:
        yield []
        left = len(asked)
        while left and (done := run.gather(left, stop)):
            left -= len(done)
            yield done
    finally:
        run.stop.set()
        collector.close()


class _Run:
    """One call of `visit_all`: what is left to ask, and the results on their way."""

    def __init__(
        self, asked: Mapping[str, tuple[Request, ...]], collector: Collects, workers: int
    ) -> None:
        self._left = iter(asked.items())
        self._lock = threading.Lock()
        self._collector = collector
        self._results: queue.Queue[Visited | BaseException] = queue.Queue(maxsize=2 * workers)
        self.stop = threading.Event()

    def gather(self, most: int, stop: threading.Event) -> list[Visited]:
        """The next results, at most `most` of them; none once `stop` is set."""
        found: list[Visited] = []
        end = math.inf
        while len(found) < min(most, _TOGETHER) and not stop.is_set():
            left = end - time.monotonic()
            if left <= 0:
                break
            try:
                done = self._results.get(timeout=min(left, _TICK))
            except queue.Empty:
                continue
            if isinstance(done, BaseException):
                raise done
            if not found:
                end = time.monotonic() + _GATHER
            found.append(done)
        return found

    def visit(self) -> None:
        """The life of a thread that visits by itself."""
        try:
            while (job := self._take()) is not None:
                done = _visit(self._collector, job)
                self._give((done.target, done.evidence, done.seconds))
        except BaseException as e:  # noqa: BLE001 - handed to the consumer, which raises it
            self._give(e)

    def feed(self, threads: int) -> None:
        """The life of a thread that keeps one process busy, and replaces it when it dies."""
        try:
            while not self.stop.is_set() and self._feed_one(_Process(self._collector, threads)):
                pass
        except BaseException as e:  # noqa: BLE001 - handed to the consumer, which raises it
            self._give(e)

    def _feed_one(self, process: _Process) -> bool:
        """Until nothing is left (false) or the process died (true)."""
        try:
            while not self.stop.is_set():
                while process.free and (job := self._take()) is not None:
                    process.send(job)
                if process.idle:
                    return False
                if (done := process.receive()) is not None:
                    self._give(done)
        except (EOFError, OSError):
            for visited in process.lost():
                self._give(visited)
            return True
        finally:
            process.end()
        return False

    def _take(self) -> _Job | None:
        with self._lock:
            found = None if self.stop.is_set() else next(self._left, None)
        return _Job(*found) if found else None

    def _give(self, result: Visited | BaseException) -> None:
        while not self.stop.is_set():
            with contextlib.suppress(queue.Full):
                self._results.put(result, timeout=_TICK)
                return


def _visit(collector: Collects, job: _Job) -> _Done:
    began = time.monotonic()
    evidence = collector.collect(job.target, job.requests)
    return _Done(job.target, evidence, time.monotonic() - began)


class _Process:
    """A process with threads of its own, as seen from here. Raises EOFError or OSError if dead."""

    def __init__(self, collector: Collects, threads: int) -> None:
        context = multiprocessing.get_context("forkserver")
        # Loaded once, in a process that has no threads yet; a worker begins, and is replaced, at
        # once.
        context.set_forkserver_preload(_PRELOADED)
        self._here, there = context.Pipe()
        self._collector = collector
        self._threads = threads
        self._jobs: dict[str, _Job] = {}
        self._process = context.Process(
            target=_serve, args=(there, collector, threads), daemon=True
        )
        self._process.start()
        there.close()

    @property
    def free(self) -> bool:
        """Whether it can take one more."""
        return len(self._jobs) < self._threads

    @property
    def idle(self) -> bool:
        """Whether it has nothing in hand."""
        return not self._jobs

    def send(self, job: _Job) -> None:
        self._jobs[job.target] = job
        self._here.send_bytes(msgspec.msgpack.encode(job))

    def receive(self) -> Visited | None:
        """The next result, or None after a short while without one."""
        if not self._here.poll(_TICK):
            return None
        done = msgspec.msgpack.decode(self._here.recv_bytes(), type=_Done)
        del self._jobs[done.target]
        return done.target, done.evidence, done.seconds

    def lost(self) -> Iterator[Visited]:
        """What it had in hand, as failures."""
        detail = "fault in the scanner: a worker process ended in the middle of this visit"
        for job in self._jobs.values():
            yield job.target, self._collector.lost(job.requests, detail), 0.0

    def end(self) -> None:
        """Close the pipe, at which an idle process ends by itself, and end a busy one."""
        self._here.close()
        if self._jobs:
            self._process.terminate()
        self._process.join(timeout=5)


def _serve(pipe: Connection, collector: Collects, threads: int) -> None:
    """The life of a worker process: jobs in, results out, until the pipe closes."""
    # An interrupt at the terminal reaches the whole group; the parent decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    jobs: queue.SimpleQueue[_Job] = queue.SimpleQueue()
    lock = threading.Lock()

    def work() -> None:
        while True:
            raw = msgspec.msgpack.encode(_visit(collector, jobs.get()))
            with lock, contextlib.suppress(OSError):
                pipe.send_bytes(raw)

    for _ in range(threads):
        threading.Thread(target=work, daemon=True).start()
    with contextlib.suppress(EOFError, OSError):
        while True:
            jobs.put(msgspec.msgpack.decode(pipe.recv_bytes(), type=_Job))
    collector.close()
