"""The SSH transport against hosts that hang, flood, drip, lie or drop the line, in process."""

from __future__ import annotations

import datetime as dt
import random
import re
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import paramiko
import pytest
from paramiko.common import AUTH_FAILED, AUTH_SUCCESSFUL

from checks.evidence import Evidence, FailureKind, Request, Source
from inventory.model import Server, SshSettings
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.ssh import SshShared, SshTransport
from tests.helpers.bad_ssh import BadHost, Behaviour, Door, speak

FAST = SshLimits(connect_timeout=4, host_timeout=4, config="", retries=0)
SMALL = SizeLimits(section_bytes=10_000, host_bytes=50_000)
REQUESTS = [
    Request(probe=f"p{i}", target="srv", source=Source.SHELL, script=f"echo {i}") for i in range(3)
]
HOST_KEY = paramiko.ECDSAKey.generate()
LATE = 30.0
"""Seconds after which a visit of at most 6 s has surely outlived its limit."""


@pytest.fixture(scope="module")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "id"
    paramiko.ECDSAKey.generate().write_private_key_file(str(path))
    return path


def visit(host: BadHost, key_file: Path, **limits: float) -> list[Evidence]:
    server = Server(
        id="srv",
        unit="u",
        address=host.address,
        host_key=f"{HOST_KEY.get_name()} {HOST_KEY.get_base64()}",
        ssh=SshSettings(user="sauro", port=host.port, key_file=str(key_file)),
    )
    shared = SshShared(
        {},
        msgspec.structs.replace(FAST, **limits),
        SMALL,
        key_file.parent,
        lambda: dt.datetime.now(dt.UTC),  # noqa: TID251 - a real visit has a real clock
        random.Random(1),  # noqa: S311
    )
    done: list[Evidence] = []
    thread = threading.Thread(
        target=lambda: done.extend(SshTransport(server, shared).collect(REQUESTS)), daemon=True
    )
    thread.start()
    thread.join(LATE)
    assert not thread.is_alive(), "a visit outlived its own time limit"
    assert [e.key for e in done] == [r.key for r in REQUESTS]
    return done


def kinds(found: list[Evidence]) -> list[FailureKind | None]:
    return [e.failure.kind if e.failure else None for e in found]


def detail(found: list[Evidence]) -> str:
    failure = next(e.failure for e in found if e.failure)
    return failure.detail


# ------------------------------------------------------------------------------ before the login


def silent(sock: socket.socket, _: int) -> None:
    while sock.recv(1000):
        pass


def banner_then_silent(sock: socket.socket, _: int) -> None:
    sock.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
    silent(sock, 0)


def banner_for_ever(sock: socket.socket, _: int) -> None:
    while True:
        sock.sendall(b"x" * 50 + b"\r\n")
        time.sleep(0.01)


def banner_without_end(sock: socket.socket, _: int) -> None:
    while True:
        sock.sendall(b"x" * 65536)


def drip(sock: socket.socket, _: int) -> None:
    while True:
        sock.sendall(b"S")
        time.sleep(0.1)


def web(sock: socket.socket, _: int) -> None:
    sock.recv(1000)
    sock.sendall(b"HTTP/1.1 400 Bad \x1b[31mRequest\r\n\r\n")


def rubbish(sock: socket.socket, _: int) -> None:
    sock.sendall(b"SSH-2.0-x\r\n" + bytes(range(256)) * 200)


def closes(sock: socket.socket, _: int) -> None:
    sock.close()


# Two limits end such a host at about the same time; which is first says how busy the machine is.
_NO_START = "sent no SSH greeting|did not finish the SSH handshake"


@pytest.mark.parametrize(
    ("behave", "kind", "words"),
    [
        (silent, FailureKind.TIMEOUT, _NO_START),
        (banner_then_silent, FailureKind.TIMEOUT, "did not finish the SSH handshake|sent no SSH"),
        (banner_for_ever, FailureKind.TIMEOUT, _NO_START),
        (banner_without_end, FailureKind.UNREACHABLE, "floods"),
        (drip, FailureKind.TIMEOUT, _NO_START),
        (web, FailureKind.UNREACHABLE, "does not speak SSH, it said: HTTP/1.1 400 Bad [31mRequest"),
        (rubbish, FailureKind.UNREACHABLE, ""),
        (closes, FailureKind.UNREACHABLE, "closed the connection"),
    ],
)
def test_hosts_that_never_get_to_a_login(
    behave: Behaviour, kind: FailureKind, words: str, key_file: Path
) -> None:
    with BadHost(behave) as host:
        found = visit(host, key_file, connect_timeout=1)
    assert set(kinds(found)) == {kind}
    assert any(w in detail(found) for w in words.split("|"))
    assert "\x1b" not in detail(found)


def test_a_busy_server_that_closes_early_is_tried_again(key_file: Path) -> None:
    def busy(sock: socket.socket, before: int) -> None:
        if before == 0:
            return
        speak(sock, HOST_KEY, answer(whole))

    with BadHost(busy) as host:
        found = visit(host, key_file, retries=1, host_timeout=20)
    assert kinds(found) == [None] * 3
    assert host.connections == 2


def test_retries_are_few(key_file: Path) -> None:
    with BadHost(closes) as host:
        visit(host, key_file, retries=2, host_timeout=20)
    assert host.connections == 3


def test_a_login_that_hangs_ends(key_file: Path) -> None:
    over = threading.Event()

    def wait() -> int:
        over.wait(LATE)
        return AUTH_FAILED

    def hang(sock: socket.socket, _: int) -> None:
        speak(sock, HOST_KEY, answer(whole), Door(login=wait))

    with BadHost(hang) as host:
        found = visit(host, key_file, connect_timeout=1)
        over.set()
    assert set(kinds(found)) == {FailureKind.TIMEOUT}
    assert "did not answer the login" in detail(found)


def test_a_refused_login_is_not_tried_again(key_file: Path) -> None:
    def refuse(sock: socket.socket, _: int) -> None:
        speak(sock, HOST_KEY, answer(whole), Door(login=lambda: AUTH_FAILED))

    with BadHost(refuse) as host:
        found = visit(host, key_file, retries=3)
    assert set(kinds(found)) == {FailureKind.AUTH}
    assert host.connections == 1


def test_another_host_key_is_refused_and_no_login_is_sent(key_file: Path) -> None:
    logins: list[int] = []

    def login() -> int:
        logins.append(1)
        return AUTH_SUCCESSFUL

    def other(sock: socket.socket, _: int) -> None:
        speak(sock, paramiko.ECDSAKey.generate(), answer(whole), Door(login=login))

    with BadHost(other) as host:
        found = visit(host, key_file, retries=3)
    assert set(kinds(found)) == {FailureKind.HOST_KEY}
    assert (host.connections, logins) == (1, [])


# ------------------------------------------------------------------------------- after the login

Script = Callable[[paramiko.Channel, str], None]
"""What a host does with the channel, given the nonce's marker that it read from the script."""


def answer(act: Script) -> Callable[[paramiko.Channel], None]:
    def serve(channel: paramiko.Channel) -> None:
        text = b""
        while b"\nall\n" not in text:
            data = channel.recv(65536)
            if not data:
                return
            text += data
        found = re.search(rb"sauro:[0-9a-f]{32}", text)
        assert found
        act(channel, found[0].decode())

    return serve


def section(marker: str, i: int, body: str = "fine\n") -> str:
    return (
        f"{marker} open {i}\n{body}{marker} close {i} 20 {i}.10 {i}.20\n"
        f"{marker} exit 0\n{marker} errors {i}\n"
    )


def end(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall(f"{marker} end 9.00\n".encode())


def whole(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall("".join(section(marker, i) for i in range(3)).encode())
    end(channel, marker)
    channel.close()


def answers_but_never_closes(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall("".join(section(marker, i) for i in range(3)).encode())
    end(channel, marker)
    channel.recv(1)
    threading.Event().wait(LATE)


def test_a_host_that_never_closes_the_channel_is_done_when_its_answer_is(key_file: Path) -> None:
    def behave(sock: socket.socket, _: int) -> None:
        speak(sock, HOST_KEY, answer(answers_but_never_closes))

    began = time.monotonic()
    with BadHost(behave) as host:
        found = visit(host, key_file, host_timeout=600)
    assert kinds(found) == [None] * 3
    assert time.monotonic() - began < LATE


def one_then_hangs(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\nhalf").encode())
    threading.Event().wait(LATE)


def one_then_drops(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\nhalf").encode())
    time.sleep(0.2)
    channel.get_transport().sock.close()


def one_then_closes(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\nhalf").encode())
    channel.close()


def one_then_floods(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\n").encode())
    while True:
        channel.sendall(b"\0" * 32768)


def one_then_floods_errors(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\n").encode())
    while True:
        channel.sendall_stderr(b"\0" * 32768)


def one_then_drips(channel: paramiko.Channel, marker: str) -> None:
    channel.sendall((section(marker, 0) + f"{marker} open 1\n").encode())
    while True:
        channel.sendall(b".")
        time.sleep(0.1)


def one_then_lies(channel: paramiko.Channel, _: str) -> None:
    forged = "sauro:" + "0" * 32
    channel.sendall("".join(section(forged, i) for i in range(3)).encode())
    channel.sendall(f"{forged} end 1\n".encode())
    channel.close()


@pytest.mark.parametrize(
    ("act", "expected"),
    [
        (one_then_hangs, [None, FailureKind.TIMEOUT, FailureKind.TIMEOUT]),
        (one_then_drips, [None, FailureKind.TIMEOUT, FailureKind.TIMEOUT]),
        (one_then_drops, [None, FailureKind.UNREACHABLE, FailureKind.UNREACHABLE]),
        (one_then_closes, [None, FailureKind.TRUNCATED, FailureKind.TRUNCATED]),
        (one_then_floods, [None, FailureKind.TRUNCATED, FailureKind.TRUNCATED]),
        (one_then_floods_errors, [None, FailureKind.TRUNCATED, FailureKind.TRUNCATED]),
        (one_then_lies, [FailureKind.COMMAND_FAILED] * 3),
        (whole, [None, None, None]),
    ],
)
def test_what_was_answered_whole_counts_and_the_rest_has_its_kind(
    act: Script, expected: list[FailureKind | None], key_file: Path
) -> None:
    def behave(sock: socket.socket, _: int) -> None:
        speak(sock, HOST_KEY, answer(act))

    with BadHost(behave) as host:
        found = visit(host, key_file)
    assert kinds(found) == expected, found
    assert all(e.stdout == b"fine\n" for e in found if e.failure is None)


def test_a_host_that_reads_nothing_and_floods_does_not_block_the_visit(key_file: Path) -> None:
    def never_reads(channel: paramiko.Channel) -> None:
        while True:
            channel.sendall(b"\0" * 32768)

    big = msgspec.structs.replace(REQUESTS[0], script="#" * 4_000_000)
    with BadHost(lambda sock, _: speak(sock, HOST_KEY, never_reads)) as host:
        before = REQUESTS[0]
        REQUESTS[0] = big
        try:
            found = visit(host, key_file)
        finally:
            REQUESTS[0] = before
    assert set(kinds(found)) == {FailureKind.TRUNCATED}


def test_a_host_that_stops_reading_the_wire_does_not_block_the_visit(
    key_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frozen = threading.Event()

    def freeze(channel: paramiko.Channel) -> None:
        # The server's own reader stops: the client's socket fills up in the middle of the script.
        transport = channel.get_transport()
        monkeypatch.setattr(
            transport.packetizer, "read_message", lambda: (frozen.wait(LATE), paramiko.Message())
        )
        frozen.wait(LATE)

    big = msgspec.structs.replace(REQUESTS[0], script="#" * 30_000_000)
    with BadHost(lambda sock, _: speak(sock, HOST_KEY, freeze, window=1 << 28)) as host:
        before = REQUESTS[0]
        REQUESTS[0] = big
        try:
            found = visit(host, key_file)
        finally:
            REQUESTS[0] = before
            frozen.set()
    assert set(kinds(found)) <= {FailureKind.TIMEOUT, FailureKind.UNREACHABLE}


def test_a_refused_exec_says_so(key_file: Path) -> None:
    door = Door()
    door.accept_exec = False
    with BadHost(lambda sock, _: speak(sock, HOST_KEY, lambda _: None, door)) as host:
        found = visit(host, key_file)
    assert door.command == b"sh -s"
    assert set(kinds(found)) <= {FailureKind.COMMAND_FAILED, FailureKind.UNREACHABLE}


def test_nothing_is_left_running_after_bad_visits(key_file: Path) -> None:
    with BadHost(silent) as host:
        visit(host, key_file)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        left = [
            t for t in threading.enumerate() if isinstance(t, paramiko.Transport | threading.Timer)
        ]
        if not [t for t in left if getattr(t, "server_mode", False) is False]:
            return
        time.sleep(0.05)
    raise AssertionError(left)
