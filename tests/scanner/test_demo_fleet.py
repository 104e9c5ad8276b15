"""The demo's servers against real clients: a paramiko Transport and the `ssh` program."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from scanner.demo.fleet import Fleet, FleetHost
from scanner.demo.keys import key_pair
from scanner.demo.kinds import HostKind
from scanner.demo.places import Endpoint, Reserved, reserve

USER = "sauro"
KINDS = tuple(HostKind)


def new_key(path: Path) -> paramiko.PKey:
    key_pair(Ed25519PrivateKey.generate).write(path)
    return paramiko.Ed25519Key.from_private_key_file(str(path))


class Running:
    """A started fleet with one host of every kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.client_key = new_key(folder / "client")
        self.host_keys = {k: new_key(folder / f"{k}.key") for k in KINDS}
        hosts = []
        for kind in KINDS:
            home = folder / kind
            (home / "bin").mkdir(parents=True)
            hosts.append(FleetHost(id=kind, host_key=folder / f"{kind}.key", kind=kind, home=home))
        self.reserved: Reserved = reserve(len(KINDS))
        self.fleet = Fleet(
            tuple(hosts),
            self.reserved,
            user=USER,
            public_key=self.client_key.get_base64(),
            folder=folder,
        )

    def at(self, kind: HostKind) -> Endpoint:
        return self.reserved.endpoints[KINDS.index(kind)]

    def login(self, kind: HostKind, key: paramiko.PKey | None = None) -> paramiko.Transport:
        place = self.at(kind)
        transport = paramiko.Transport(
            socket.create_connection((place.address, place.port), timeout=20)
        )
        try:
            transport.start_client(timeout=20)
            assert transport.get_remote_server_key() == self.host_keys[kind]
            transport.auth_publickey(USER, key or self.client_key)
        except BaseException:
            transport.close()
            raise
        return transport

    def run(self, kind: HostKind, script: str) -> tuple[bytes, bytes, int]:
        transport = self.login(kind)
        try:
            channel = transport.open_session(timeout=20)
            channel.exec_command("sh -s")
            channel.sendall(script.encode())
            channel.shutdown_write()
            out = channel.makefile("rb").read()
            err = channel.makefile_stderr("rb").read()
            return out, err, channel.recv_exit_status()
        finally:
            transport.close()


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("fleet"))
    with running.fleet:
        yield running


def test_a_normal_host_runs_the_script_and_keeps_the_streams_and_the_exit_code_apart(
    fleet: Running,
) -> None:
    out, err, code = fleet.run(HostKind.NORMAL, "pwd; echo oops >&2; exit 7")
    assert out.decode().strip() == str(fleet.folder / "normal")
    assert err == b"oops\n"
    assert code == 7


def test_the_command_sees_nothing_of_our_environment(fleet: Running) -> None:
    out, _, _ = fleet.run(HostKind.NORMAL, "env")
    names = {line.partition("=")[0] for line in out.decode().splitlines()}
    assert names <= {"PATH", "HOME", "USER", "SHELL", "TZ", "PWD", "SHLVL", "_", "OLDPWD"}


def test_large_output_arrives_whole(fleet: Running) -> None:
    out, _, code = fleet.run(HostKind.NORMAL, "head -c 3000000 /dev/zero")
    assert (len(out), code) == (3_000_000, 0)


def test_a_host_with_a_changed_key_still_answers_with_its_own(fleet: Running) -> None:
    assert fleet.run(HostKind.CHANGED_KEY, "echo hi")[0] == b"hi\n"


def test_a_planted_command_comes_first_in_the_path(fleet: Running) -> None:
    planted = fleet.folder / "skewed" / "bin" / "date"
    planted.write_text("#!/bin/sh\necho never\n")
    planted.chmod(0o755)
    assert fleet.run(HostKind.SKEWED, "date")[0] == b"never\n"


def test_nothing_listens_where_a_host_is_down(fleet: Running) -> None:
    place = fleet.at(HostKind.DOWN)
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((place.address, place.port), timeout=20)


def test_a_refusing_host_takes_no_login(fleet: Running) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        fleet.login(HostKind.REFUSES)


def test_another_key_is_not_let_in(fleet: Running) -> None:
    with pytest.raises(paramiko.AuthenticationException):
        fleet.login(HostKind.NORMAL, fleet.host_keys[HostKind.NORMAL])


def test_a_hanging_host_accepts_and_never_says_a_word(fleet: Running) -> None:
    place = fleet.at(HostKind.HANGS)
    with socket.create_connection((place.address, place.port), timeout=20) as connection:
        connection.sendall(b"SSH-2.0-test\r\n")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_flooding_host_never_stops(fleet: Running) -> None:
    transport = fleet.login(HostKind.FLOODS)
    channel = transport.open_session(timeout=20)
    channel.exec_command("sh -s")
    got = 0
    while got < 2_000_000:
        got += len(channel.recv(65536))
    transport.close()


def test_a_dropping_host_is_gone_in_the_middle_of_its_answer(fleet: Running) -> None:
    transport = fleet.login(HostKind.DROPS)
    channel = transport.open_session(timeout=20)
    channel.exec_command("sh -s")
    channel.sendall(b"head -c 5000 /dev/zero\n")
    channel.shutdown_write()
    assert 0 < len(channel.makefile("rb").read()) < 5000
    transport.join(20)
    assert not transport.is_active()
    transport.close()


def test_the_openssh_client_gets_its_answer(fleet: Running) -> None:
    if shutil.which("ssh") is None:
        pytest.skip("no ssh program")
    place = fleet.at(HostKind.NORMAL)
    key = fleet.host_keys[HostKind.NORMAL]
    known = fleet.folder / "known_hosts"
    known.write_text(f"{place.known_as} {key.get_name()} {key.get_base64()}\n")
    options = ["-F", "none", "-o", f"UserKnownHostsFile={known}", "-o", "IdentityAgent=none"]
    options += ["-o", "GlobalKnownHostsFile=none", "-o", "StrictHostKeyChecking=yes"]
    options += ["-o", "BatchMode=yes", "-i", str(fleet.folder / "client"), "-p", str(place.port)]
    done = subprocess.run(
        ["ssh", *options, f"{USER}@{place.address}", "sh -s"],
        input=b"echo over openssh; exit 3\n",
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.returncode) == (b"over openssh\n", 3), done.stderr


def test_a_command_is_killed_when_its_client_leaves(fleet: Running) -> None:
    transport = fleet.login(HostKind.NORMAL)
    channel = transport.open_session(timeout=20)
    channel.exec_command("sh -s")
    channel.sendall(b"echo $$\nsleep 1000\n")
    pid = int(channel.recv(100))
    transport.close()
    assert gone(pid)


def gone(pid: int) -> bool:
    """Wait, within reason, for a process to be gone (or dead and not yet reaped)."""
    for _ in range(400):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        stat = Path(f"/proc/{pid}/stat")
        if stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z":
            return True
        time.sleep(0.05)
    return False


def test_stopping_ends_the_processes_and_frees_the_ports(tmp_path: Path) -> None:
    running = Running(tmp_path)
    with running.fleet as fleet:
        pids = [p.pid for p in fleet.processes]
        assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
    for place in running.reserved.endpoints:
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind((place.address, place.port))


def test_the_servers_end_when_their_parent_is_killed(tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from tests.scanner.test_demo_fleet import Running\n"
        "with Running(Path(sys.argv[1])).fleet as fleet:\n"
        "    print(*[p.pid for p in fleet.processes], flush=True); time.sleep(1000)\n"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        stdout=subprocess.PIPE,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    ) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    assert len(pids) == 2
    assert all(gone(pid) for pid in pids)
