"""Many visits at once: lazily, with bounded threads, whatever dies or hangs."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping

import pytest

from checks.evidence import Evidence, FailureKind, Request, Source
from scanner.pool import visit_all
from scanner.transports.base import all_failed

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


class Fake:
    """A collector that answers with the target's name; some names mean mischief."""

    def __init__(self) -> None:
        self.closed = False
        self.visited: list[str] = []

    def collect(self, target: str, requests: tuple[Request, ...]) -> list[Evidence]:
        self.visited.append(target)
        if target.startswith("dies"):
            os.kill(os.getpid(), signal.SIGKILL)
        if target.startswith("slow"):
            time.sleep(0.5)
        if target.startswith("hangs"):
            time.sleep(60)
        if target.startswith("raises"):
            raise RuntimeError(target)
        body = memoryview(target.encode()) if target.startswith("view") else target.encode()
        return [
            Evidence(probe=r.probe, target=target, key=r.key, taken=NOW, stdout=body)  # type: ignore[arg-type]
            for r in requests
        ]

    def lost(self, requests: tuple[Request, ...], detail: str) -> list[Evidence]:
        return all_failed(requests, FailureKind.COMMAND_FAILED, detail, NOW)

    def close(self) -> None:
        self.closed = True


def asked(*targets: str) -> dict[str, tuple[Request, ...]]:
    return {t: (Request(probe="p", target=t, source=Source.SHELL),) for t in targets}


def run(
    visits: Mapping[str, tuple[Request, ...]], workers: int = 4, processes: int = 1
) -> dict[str, list[Evidence]]:
    fake = Fake()
    found: dict[str, list[Evidence]] = {}
    for together in visit_all(visits, fake, workers, processes, threading.Event()):
        assert 1 <= len(together) <= 32
        for target, evidence, seconds in together:
            assert target not in found
            assert seconds >= 0
            found[target] = evidence
    assert fake.closed
    return found


@pytest.mark.parametrize("processes", [1, 2])
def test_every_target_is_visited_once(processes: int) -> None:
    names = [f"t{i}" for i in range(50)] + ["view"]
    found = run(asked(*names), processes=processes)
    assert {t: bytes(e[0].stdout).decode() for t, e in found.items()} == {n: n for n in names}


def test_nothing_to_visit_is_no_work() -> None:
    assert run({}) == {}


def test_a_slow_host_holds_up_nobody() -> None:
    visits = visit_all(asked("slow", "a", "b"), Fake(), 2, 1, threading.Event())
    assert [t for together in visits for t, _, _ in together] == ["a", "b", "slow"]


def test_twenty_thousand_targets_need_few_threads_and_are_taken_lazily() -> None:
    taken = 0

    class Lazy(dict[str, tuple[Request, ...]]):
        def items(self) -> Iterator[tuple[str, tuple[Request, ...]]]:  # type: ignore[override]
            nonlocal taken
            for item in super().items():
                taken += 1
                yield item

    before = threading.active_count()
    visits = visit_all(
        Lazy(asked(*(f"t{i}" for i in range(20_000)))), Fake(), 8, 1, threading.Event()
    )
    first = len(next(visits))
    time.sleep(0.1)
    assert threading.active_count() - before <= 8
    assert taken <= first + 2 * 8 + 8 + 8
    assert first + sum(map(len, visits)) == 20_000


@pytest.mark.parametrize("processes", [1, 2])
def test_stop_ends_it_at_once_whatever_hangs(processes: int) -> None:
    stop = threading.Event()
    began = time.monotonic()
    got = []
    fake = Fake()
    for together in visit_all(
        asked("a", "hangs1", "hangs2", "hangs3", "hangs4"), fake, 2, processes, stop
    ):
        got += [target for target, _, _ in together]
        stop.set()
    assert got == ["a"]
    assert fake.closed
    assert time.monotonic() - began < 30


def test_closing_the_generator_stops_the_visits() -> None:
    fake = Fake()
    visits = visit_all(asked(*(f"t{i}" for i in range(1000))), fake, 2, 1, threading.Event())
    next(visits)
    visits.close()
    assert fake.closed


def test_a_process_that_dies_costs_its_visits_and_not_the_scan() -> None:
    names = [f"t{i}" for i in range(20)]
    found = run(asked(*names[:10], "dies", *names[10:]), workers=2, processes=2)
    assert set(found) == {*names, "dies"}
    failure = found["dies"][0].failure
    assert failure is not None
    assert failure.kind is FailureKind.COMMAND_FAILED
    assert "worker process" in failure.detail
    lost = [t for t, e in found.items() if e[0].failure]
    assert lost == ["dies"]


def test_a_fault_in_the_pool_itself_is_raised_and_not_swallowed() -> None:
    with pytest.raises(RuntimeError, match="raises"):
        run(asked("a", "raises"))


def test_visits_begin_before_anybody_asks_for_one() -> None:
    fake = Fake()
    visits = visit_all(asked("a", "b"), fake, 2, 1, threading.Event())
    try:
        end = time.monotonic() + 10
        while len(fake.visited) < 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert sorted(fake.visited) == ["a", "b"]
    finally:
        visits.close()


def test_visits_that_nobody_took_end_with_the_generator() -> None:
    fake = Fake()
    visit_all(asked(*(f"t{i}" for i in range(1000))), fake, 2, 1, threading.Event()).close()
    assert fake.closed
    assert len(fake.visited) < 1000
