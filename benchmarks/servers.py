"""Real OpenSSH servers on loopback for benchmarks: many addresses, few sshd, and a delaying proxy.

sshd listens on at most 16 addresses, so 500 hosts take 32 of them. All addresses are in
127.0.0.0/8; nothing is reachable from outside.
"""

from __future__ import annotations

import asyncio
import getpass
import multiprocessing
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PER_DAEMON = 16


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


@contextmanager
def openssh(folder: Path, count: int) -> Iterator[tuple[list[tuple[str, int]], str, Path]]:
    """Start the servers; yields (address, port) of each, their public host key, the login key."""
    host_key = keygen(folder / "host_key")
    login = folder / "login_key"
    (folder / "authorized_keys").write_text(keygen(login) + "\n")
    (folder / "authorized_keys").chmod(0o600)
    port = free_port()
    hosts = [(address, port) for address in addresses(count)]
    daemon = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "sshd"
    Path("/run/sshd").mkdir(exist_ok=True)
    started = []
    try:
        for i in range(0, count, PER_DAEMON):
            config = folder / f"sshd_{i}.conf"
            listens = "".join(f"ListenAddress {a}:{p}\n" for a, p in hosts[i : i + PER_DAEMON])
            config.write_text(
                f"{listens}HostKey {folder / 'host_key'}\nPidFile none\nUsePAM no\n"
                f"AuthorizedKeysFile {folder / 'authorized_keys'}\nStrictModes no\n"
                "PasswordAuthentication no\nMaxStartups 2000\nMaxSessions 10\nLogLevel ERROR\n"
                f"AllowUsers {getpass.getuser()}\nPermitRootLogin prohibit-password\n"
            )
            command = [daemon, "-D", "-e", "-f", str(config)]
            started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))
        for address, at in hosts[::PER_DAEMON]:
            _wait(address, at)
        yield hosts, host_key, login
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


@contextmanager
def delayed(hosts: list[tuple[str, int]], milliseconds: float) -> Iterator[list[tuple[str, int]]]:
    """A proxy before every host that adds half of `milliseconds` each way to all that is said.

    Opening the connection itself is not delayed: add one round trip when counting them.
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
    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
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
                far_reader, far_writer = await asyncio.open_connection(far, far_port)
                for one in (writer, far_writer):
                    one.get_extra_info("socket").setsockopt(
                        socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
                    )
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))

            await asyncio.start_server(handle, address, port, backlog=256)
        ready.set()
        await asyncio.Event().wait()

    asyncio.run(serve())
