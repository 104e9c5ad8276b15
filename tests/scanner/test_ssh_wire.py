"""The guard below SSH ends what would never end; the spool keeps large answers out of memory."""

from __future__ import annotations

import mmap
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.transports.wire import Guard, Spool

FOR_EVER = float("inf")


class Stuck:
    """A pipe that takes nothing and gives the same bytes for ever."""

    closed = 0

    def recv(self, nbytes: int, /) -> bytes:
        return b"x" * min(nbytes, 100)

    def send(self, s: bytes, /) -> int:
        raise TimeoutError(len(s))

    def settimeout(self, timeout: float | None, /) -> None:
        assert timeout

    def shutdown(self, how: int, /) -> None:
        raise OSError(how)

    def close(self) -> None:
        self.closed += 1


def test_a_link_without_a_deadline_still_does_not_wait_for_ever_to_send() -> None:
    guard = Guard(Stuck(), FOR_EVER, budget=1000, stall=0.01)
    with pytest.raises(EOFError):
        guard.send(b"data")


def test_after_the_deadline_both_directions_end() -> None:
    guard = Guard(Stuck(), time.monotonic() - 1, budget=1000)
    for call in (lambda: guard.send(b"data"), lambda: guard.recv(10)):
        with pytest.raises(EOFError):
            call()


def test_no_more_comes_in_than_the_budget_and_one_read() -> None:
    guard = Guard(Stuck(), FOR_EVER, budget=250)
    got = b""
    while not guard.exhausted:
        got += guard.recv(100)
    with pytest.raises(EOFError):
        guard.recv(1)
    assert len(got) == 300


def test_closing_twice_closes_once_even_when_the_line_is_gone() -> None:
    pipe = Stuck()
    guard = Guard(pipe, FOR_EVER, budget=1)
    guard.close()
    guard.close()
    assert pipe.closed == 1


@given(st.lists(st.binary(max_size=40)), st.integers(0, 100))
def test_a_spool_gives_back_what_it_got(chunks: list[bytes], memory: int) -> None:
    spool = Spool(memory)
    for chunk in chunks:
        spool.write(chunk)
    whole = b"".join(chunks)
    found = spool.finish()
    assert bytes(found[:]) == whole
    assert spool.size == len(whole)
    assert isinstance(found, mmap.mmap) is (len(whole) > memory)
