"""SSH servers on loopback for benchmarks: real OpenSSH, a cheap one in C, and a delaying proxy.

sshd listens on at most 16 addresses, so 500 hosts take 32 of them. All addresses are in
127.0.0.0/8; nothing is reachable from outside.
"""

from __future__ import annotations

import asyncio
import getpass
import multiprocessing
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

PER_DAEMON = 16
# Bash reads ~/.bashrc when sshd starts it at shell level 1, and what lies there is this machine's
# affair: one line of a version manager took six times the processor time of sshd itself.
NO_START_FILES = "SetEnv SHLVL=1\n"
Host = tuple[str, int]
"""Address and port."""


class Keys(NamedTuple):
    """The key of every host as a line (type and base64), and the files of both private keys."""

    host_line: str
    host: Path
    login: Path


def addresses(count: int, second: int = 1) -> list[str]:
    """`count` loopback addresses, 127.`second`.1.1 and up."""
    return [f"127.{second}.{1 + i // 250}.{1 + i % 250}" for i in range(count)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def keygen(path: Path) -> str:
    """Make an ed25519 key and return its public line (type and base64)."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
    return " ".join(path.with_suffix(".pub").read_text().split()[:2])


def make_keys(folder: Path) -> Keys:
    """One key for all hosts and one to log in with; the folder also gets `authorized_keys`."""
    line = keygen(folder / "host_key")
    login = folder / "login_key"
    (folder / "authorized_keys").write_text(keygen(login) + "\n")
    (folder / "authorized_keys").chmod(0o600)
    return Keys(line, folder / "host_key", login)


@contextmanager
def openssh(folder: Path, keys: Keys, count: int) -> Iterator[list[Host]]:
    """Start real servers; yields where they listen."""
    port = free_port()
    hosts = [(address, port) for address in addresses(count)]
    daemon = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "sshd"
    if not Path("/run/sshd").is_dir():
        Path("/run/sshd").mkdir()
    started = []
    try:
        for i in range(0, count, PER_DAEMON):
            config = folder / f"sshd_{i}.conf"
            listens = "".join(f"ListenAddress {a}:{p}\n" for a, p in hosts[i : i + PER_DAEMON])
            config.write_text(
                f"{listens}HostKey {keys.host}\nPidFile none\nUsePAM no\n"
                f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\n"
                "PasswordAuthentication no\nMaxStartups 2000\nMaxSessions 10\nLogLevel ERROR\n"
                f"{NO_START_FILES}"
                f"AllowUsers {getpass.getuser()}\nPermitRootLogin prohibit-password\n"
            )
            command = [daemon, "-D", "-e", "-f", str(config)]
            started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        for address, at in hosts[::PER_DAEMON]:
            _wait(address, at)
        yield hosts
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(10)


def _wait(address: str, port: int, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while True:
        try:
            socket.create_connection((address, port), timeout=1).close()
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def record(folder: Path, script: bytes, nonce: str) -> tuple[Path, Path]:
    """Run the script here once; both streams, with marks for what is new in every answer.

    The marks (see cheap_server.c) stand for the nonce, the times in the script's markers and the
    wall clock that `date` printed.
    """
    found = subprocess.run(["sh", "-s"], input=script, capture_output=True, check=True)
    paths = (folder / "answer.out", folder / "answer.err")
    for path, stream in zip(paths, (found.stdout, found.stderr), strict=True):
        lines = []
        for line in stream.split(b"\n"):
            if nonce.encode() in line:
                line = re.sub(rb"(?<= )\d+\.\d\d(?= |$)", b"\2", line)  # noqa: PLW2901
                line = line.replace(nonce.encode(), b"\1")  # noqa: PLW2901
            elif line.startswith(b"epoch="):
                line = b"epoch=\3"  # noqa: PLW2901
            lines.append(line)
        path.write_bytes(b"\n".join(lines))
    return paths


def compile_cheap(folder: Path) -> Path:
    """The cheap server's program; ends this one when it cannot be built."""
    program = folder / "cheap_server"
    source = Path(__file__).with_name("cheap_server.c")
    command = ["gcc", "-O2", "-Wno-deprecated-declarations", "-o", program, source]
    try:
        subprocess.run([*command, "-lssh", "-lpthread"], check=True)
    except (OSError, subprocess.CalledProcessError) as e:
        sys.exit(f"the cheap server cannot be built ({e}); `tools/setup benchmark` installs libssh")
    return program


@contextmanager
def cheap(
    program: Path, keys: Keys, answers: tuple[Path, Path], hosts: list[Host], hold: int = 0
) -> Iterator[int]:
    """One process for all hosts, which answers at once or when `hold` connections have asked."""
    command = [program, keys.host, keys.login.with_suffix(".pub"), *answers]
    process = subprocess.Popen(
        [*map(str, command), str(hosts[0][1]), str(hold)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    try:
        process.stdin.write("\n".join(address for address, _ in hosts).encode())
        process.stdin.close()
        if process.stdout.readline() != b"ready\n":
            sys.exit("the cheap server did not start")
        yield process.pid
    finally:
        process.terminate()
        process.wait(10)
        process.stdout.close()


@contextmanager
def delayed(hosts: list[Host], milliseconds: float) -> Iterator[list[Host]]:
    """A proxy before every host that adds half of `milliseconds` each way to all that is said.

    The opening of a connection is answered at once, so its round trip is made up for before the
    host is reached. What the proxy cannot show is a host's TCP that holds small packets back until
    the last one was confirmed (Nagle): on a real line OpenSSH loses up to two round trips to that.
    """
    port = free_port()
    shown = [(address, port) for address in addresses(len(hosts), 2)]
    ready = multiprocessing.Event()
    process = multiprocessing.Process(
        target=_proxy, args=(hosts, shown, milliseconds / 2000, ready), daemon=True
    )
    process.start()
    try:
        ready.wait(30)
        yield shown
    finally:
        process.terminate()
        process.join()


def _proxy(hosts, shown, delay, ready) -> None:  # type: ignore[no-untyped-def] # noqa: ANN001
    async def pump(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter, waited: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def send() -> None:
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - loop.time()))
                if not data:
                    writer.close()
                    return
                writer.write(data)

        sender = asyncio.create_task(send())
        try:
            if waited:  # what was said while the connection opened is on its way already
                queue.put_nowait((loop.time(), await reader.read(65536)))
            while data := await reader.read(65536):
                queue.put_nowait((loop.time() + delay, data))
        except OSError:
            pass
        queue.put_nowait((loop.time() + delay, b""))
        await sender

    async def serve() -> None:
        for (address, port), (far, far_port) in zip(shown, hosts, strict=True):

            async def handle(
                reader: asyncio.StreamReader,
                writer: asyncio.StreamWriter,
                far: str = far,
                far_port: int = far_port,
            ) -> None:
                # A client would hear after one round trip, and its first words take half of one.
                await asyncio.sleep(3 * delay)
                far_reader, far_writer = await asyncio.open_connection(far, far_port)
                for one in (writer, far_writer):
                    one.get_extra_info("socket").setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
                    )
                await asyncio.gather(
                    pump(reader, far_writer, True), pump(far_reader, writer, False)
                )

            await asyncio.start_server(handle, address, port, backlog=256)
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(serve())


def round_trip(milliseconds: float, tries: int = 40) -> float:
    """The round trip through the proxy as it really is, in milliseconds: the median of an echo."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        echo = multiprocessing.Process(target=_echo, args=(listening,), daemon=True)
        echo.start()
        took = []
        with (
            delayed([listening.getsockname()], milliseconds) as places,
            socket.create_connection(places[0]) as sock,
        ):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.sendall(b"!")  # the opening of the connection is not counted
            sock.recv(1)
            for _ in range(tries):
                began = time.perf_counter()
                sock.sendall(b"?")
                sock.recv(1)
                took.append(1000 * (time.perf_counter() - began))
        echo.terminate()
        echo.join()
    return sorted(took)[tries // 2]


def _echo(listening: socket.socket) -> None:
    sock, _ = listening.accept()
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    while data := sock.recv(64):
        sock.sendall(data)
