"""The guard below SSH ends what would never end; the spool keeps large answers out of memory."""

from __future__ import annotations

import mmap
import socket
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from paramiko import Message, Transport

from scanner.transports import ssh_link
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


class Gone(Stuck):
    """A channel of a jump host that is gone."""

    def close(self) -> None:
        self.closed += 1
        raise EOFError


def test_the_end_of_a_visit_is_no_failure_when_the_jump_host_is_gone() -> None:
    pipe = Gone()
    Guard(pipe, FOR_EVER, budget=1000).close()
    assert pipe.closed == 1


def message(kind: int, channel: int) -> Message:
    made = Message()
    made.add_byte(bytes([kind]))
    made.add_int(channel)
    return made


def test_a_jump_host_hears_nothing_on_a_channel_after_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[tuple[int, int]] = []

    def send(_: Transport, data: Message) -> None:
        raw = data.asbytes()
        sent.append((raw[0], int.from_bytes(raw[1:5], "big")))

    monkeypatch.setattr(Transport, "_send_user_message", send)
    near, far = socket.socketpair()
    with near, far:
        carrier = ssh_link._Carrier(near)
        # Data, end, and then what another thread had in hand: data, an end of file, an end.
        for kind, channel in ((94, 3), (97, 3), (94, 3), (96, 3), (97, 3), (94, 4), (90, 3)):
            carrier._send_user_message(message(kind, channel))
        carrier.close()
    assert sent == [(94, 3), (97, 3), (94, 4), (90, 3)]
