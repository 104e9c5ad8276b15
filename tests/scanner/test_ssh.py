"""The SSH transport against real OpenSSH servers on loopback."""

from __future__ import annotations

import datetime as dt
import errno
import hashlib
import random
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from checks.evidence import Evidence, FailureKind, Request, Source
from checks.probes.host import CLOCK, IDENTITY, read_clock
from inventory.model import Server, SshSettings
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.ssh import SshShared, SshTransport
from tests.helpers.sshd import Sshd, fingerprint, free_port, keygen, keygen_once

pytestmark = pytest.mark.ssh

FAST = SshLimits(connect_timeout=60, host_timeout=120, config="", retries=0)


RETRYING = msgspec.structs.replace(FAST, retries=2)


def now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)  # noqa: TID251 - a real visit has a real clock


class Lab:
    """Keys, a project folder and whatever servers a test starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir()
        self.key = folder / "id"
        self.public = keygen(self.key)
        self.host_key = folder / "host"
        self.host_public = keygen(self.host_key)

    def sshd(self, name: str = "a", address: str = "127.0.0.2", options: str = "") -> Sshd:
        return Sshd(self.folder / name, [self.host_key], self.public, address, options)

    def server(self, sshd: Sshd, **changes: object) -> Server:
        ssh = SshSettings(user=sshd.user, port=sshd.port, key_file=str(self.key))
        server = Server(
            id="srv", unit="u", address=sshd.address, host_key=self.host_public, ssh=ssh
        )
        return msgspec.structs.replace(server, **changes)

    def visit(
        self,
        server: Server,
        requests: list[Request],
        limits: SshLimits = FAST,
        sizes: SizeLimits | None = None,
        others: tuple[Server, ...] = (),
    ) -> list[Evidence]:
        servers = {s.id: s for s in (server, *others)}
        sizes = sizes or SizeLimits()
        shared = SshShared(servers, limits, sizes, self.project, now, random.Random(1))  # noqa: S311
        try:
            found = SshTransport(server, shared).collect(requests)
        finally:
            shared.close()
        assert [e.key for e in found] == [r.key for r in requests]
        return found


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Lab:
    return Lab(tmp_path_factory.mktemp("lab"))


@pytest.fixture(scope="module")
def sshd(lab: Lab) -> Iterator[Sshd]:
    with lab.sshd() as server:
        yield server


def ask(script: str, name: str = "p", **fields: object) -> Request:
    request = Request(probe=name, target="srv", source=Source.SHELL, script=script)
    return msgspec.structs.replace(request, **fields)


def kinds(found: list[Evidence]) -> set[FailureKind | None]:
    return {e.failure.kind if e.failure else None for e in found}


def detail(found: list[Evidence]) -> str:
    assert found[0].failure is not None
    return found[0].failure.detail


def _raiser(error: Exception) -> Callable[..., None]:
    def raise_it(*_: object) -> None:
        raise error

    return raise_it


def test_everything_is_answered_over_one_connection_and_one_exec(lab: Lab, sshd: Sshd) -> None:
    before = (sshd.connections, sshd.execs)
    requests = [CLOCK.request("srv"), IDENTITY.request("srv")]
    requests += [ask(f"echo {i}", f"p{i}") for i in range(30)]
    found = lab.visit(lab.server(sshd), requests)
    assert kinds(found) == {None}
    assert [e.stdout for e in found[2:]] == [b"%d\n" % i for i in range(30)]
    assert (sshd.connections, sshd.execs) == (before[0] + 1, before[1] + 1)
    clock = read_clock(found[0])
    assert abs(clock.skew) <= clock.uncertainty + 0.02


# ----------------------------------------------------------------------------------- host keys


def test_an_unknown_host_key_is_refused_before_the_login(lab: Lab, sshd: Sshd) -> None:
    before = sshd.count("Accepted publickey")
    found = lab.visit(lab.server(sshd, host_key=""), [ask("id")])
    assert kinds(found) == {FailureKind.HOST_KEY}
    assert f"[127.0.0.2]:{sshd.port} {lab.host_public}" in detail(found)
    assert fingerprint(lab.host_key) in detail(found)
    assert sshd.count("Accepted publickey") == before


def test_the_line_that_is_proposed_makes_the_host_known(lab: Lab, sshd: Sshd) -> None:
    known = lab.project / "known_hosts"
    server = lab.server(sshd, host_key="")
    line = detail(lab.visit(server, [ask("id")])).rpartition(": ")[2]
    known.write_text(line + "\n")
    try:
        assert kinds(lab.visit(server, [ask("id")])) == {None}
        subprocess.run(["ssh-keygen", "-q", "-H", "-f", str(known)], check=True)
        assert known.read_text().startswith("|1|")
        assert kinds(lab.visit(server, [ask("id")])) == {None}
    finally:
        known.unlink()


def test_a_changed_host_key_is_refused_with_both_fingerprints(lab: Lab, sshd: Sshd) -> None:
    other = keygen(lab.folder / "changed")
    before = sshd.count("Accepted publickey")
    found = lab.visit(lab.server(sshd, host_key=other), [ask("id")])
    assert kinds(found) == {FailureKind.HOST_KEY}
    assert "has changed" in detail(found)
    assert fingerprint(lab.folder / "changed") in detail(found)
    assert fingerprint(lab.host_key) in detail(found)
    assert sshd.count("Accepted publickey") == before


def test_a_host_with_several_keys_shows_the_one_that_is_known(lab: Lab) -> None:
    publics = {}
    for kind in ("ecdsa", "rsa"):
        publics[kind] = keygen(lab.folder / kind, kind)
    keys = [lab.host_key, lab.folder / "ecdsa", lab.folder / "rsa"]
    with Sshd(lab.folder / "many", keys, lab.public, "127.0.0.9") as many:
        for public in (*publics.values(), lab.host_public):
            assert kinds(lab.visit(lab.server(many, host_key=public), [ask("id")])) == {None}


@pytest.mark.parametrize("pin", ["ssh-ed25519", "rubbish rubbish", "ssh-rsa AAAAC3NzaC1lZDI1NTE5"])
def test_a_pin_that_is_no_key_refuses(lab: Lab, sshd: Sshd, pin: str) -> None:
    found = lab.visit(lab.server(sshd, host_key=pin), [ask("id")])
    assert kinds(found) == {FailureKind.HOST_KEY}
    assert "type base64" in detail(found)


# --------------------------------------------------------------------------------------- logins


def test_a_wrong_key_is_an_auth_failure_and_is_tried_once(lab: Lab, sshd: Sshd) -> None:
    wrong = lab.folder / "wrong"
    keygen(wrong)
    server = lab.server(sshd)
    server = msgspec.structs.replace(
        server, ssh=msgspec.structs.replace(server.ssh, key_file=str(wrong))
    )
    before = sshd.connections
    found = lab.visit(server, [ask("id"), ask("uname")], RETRYING)
    assert kinds(found) == {FailureKind.AUTH}
    assert str(wrong) in detail(found)
    assert sshd.connections == before + 1


@pytest.mark.parametrize(
    ("name", "words"), [("locked", "passphrase"), ("none", "does not exist"), ("bad", "not a priv")]
)
def test_a_key_that_cannot_be_used_is_named(
    lab: Lab, sshd: Sshd, name: str, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    path = lab.folder / f"key-{name}"
    if name == "locked":
        keygen(path, passphrase="secret")  # noqa: S106 - of a key made for this test
    elif name == "bad":
        path.write_text("-----BEGIN rubbish-----\n")
    server = lab.server(sshd)
    server = msgspec.structs.replace(
        server, ssh=msgspec.structs.replace(server.ssh, key_file=str(path))
    )
    found = lab.visit(server, [ask("id")])
    assert kinds(found) == {FailureKind.AUTH}
    assert words in detail(found)
    assert str(path) in detail(found)


def test_an_agent_opens_what_a_locked_key_file_cannot(
    lab: Lab, sshd: Sshd, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place = tmp_path / "agent"
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", str(place)], stdout=subprocess.DEVNULL)
    try:
        monkeypatch.setenv("SSH_AUTH_SOCK", str(place))
        while not place.exists():
            assert agent.poll() is None
            time.sleep(0.01)
        subprocess.run(["ssh-add", "-q", str(lab.key)], check=True, stderr=subprocess.DEVNULL)
        server = lab.server(sshd, ssh=SshSettings(user=sshd.user, port=sshd.port))
        monkeypatch.setattr("scanner.transports.ssh_login.DEFAULT_KEYS", ())
        assert kinds(lab.visit(server, [ask("id")])) == {None}
    finally:
        agent.terminate()
        agent.wait()


# ------------------------------------------------------------------------------------ unreachable


def test_a_refused_port_says_so_and_is_tried_again(lab: Lab, sshd: Sshd) -> None:
    server = lab.server(sshd, address="127.0.0.2")
    ssh = msgspec.structs.replace(server.ssh, port=free_port("127.0.0.2"))
    found = lab.visit(msgspec.structs.replace(server, ssh=ssh), [ask("id")], RETRYING)
    assert kinds(found) == {FailureKind.UNREACHABLE}
    assert "refused the connection" in detail(found)


def test_a_name_that_is_not_known_says_so(lab: Lab, sshd: Sshd) -> None:
    # An address with a zone that does not exist fails in the resolver without asking any server.
    found = lab.visit(lab.server(sshd, address="fe80::1%nowhere0"), [ask("id")])
    assert kinds(found) == {FailureKind.UNREACHABLE}
    assert "is not known" in detail(found)


def test_a_network_without_a_route_says_so(lab: Lab, sshd: Sshd) -> None:
    error = OSError(errno.EHOSTUNREACH, "No route to host")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scanner.transports.ssh_link.tcp", _raiser(error))
        found = lab.visit(lab.server(sshd), [ask("id")])
    assert kinds(found) == {FailureKind.UNREACHABLE}
    assert "no route to host" in detail(found)


def test_a_host_that_drops_packets_times_out(lab: Lab, sshd: Sshd) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.3", 0))
        full.listen(0)
        # The queue of a socket that never accepts is full after a few: further SYNs are dropped.
        fillers = [socket.socket() for _ in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        server = lab.server(sshd, address="127.0.0.3")
        ssh = msgspec.structs.replace(server.ssh, port=full.getsockname()[1])
        limits = msgspec.structs.replace(FAST, connect_timeout=0.5)
        found = lab.visit(msgspec.structs.replace(server, ssh=ssh), [ask("id")], limits)
        for filler in fillers:
            filler.close()
    assert kinds(found) == {FailureKind.UNREACHABLE}
    assert "timed out" in detail(found)


# ----------------------------------------------------------------------------- what hosts answer


def test_a_flood_of_ten_gigabytes_costs_its_section_only(lab: Lab, sshd: Sshd) -> None:
    requests = [ask("echo a", "a"), ask("head -c 10000000000 /dev/zero"), ask("echo b", "b")]
    found = lab.visit(lab.server(sshd), requests)
    assert [e.failure.kind if e.failure else None for e in found] == [
        None,
        FailureKind.TRUNCATED,
        None,
    ]
    assert found[2].stdout == b"b\n"


def test_hanging_probes_cost_their_sections_only(lab: Lab, sshd: Sshd) -> None:
    requests = [ask("echo a", "a"), ask("sleep 60", timeout=1), ask("echo b", "b")]
    found = lab.visit(lab.server(sshd), requests)
    assert [e.failure.kind if e.failure else None for e in found] == [
        None,
        FailureKind.TIMEOUT,
        None,
    ]


def test_more_than_the_host_may_send_is_truncated_whatever_was_asked(lab: Lab, sshd: Sshd) -> None:
    sizes = SizeLimits(section_bytes=400_000, host_bytes=1_000_000)
    requests = [ask("head -c 400000 /dev/zero", f"p{i}") for i in range(6)]
    found = lab.visit(lab.server(sshd), requests, sizes=sizes)
    assert [e.failure is None for e in found] == [True, True, False, False, False, False]
    assert kinds(found[2:]) == {FailureKind.TRUNCATED}


def test_binary_and_escapes_arrive_untouched_as_evidence_and_clean_in_words(
    lab: Lab, sshd: Sshd
) -> None:
    every = "".join(f"\\{i:03o}" for i in range(256))
    requests = [ask(f"printf '{every}'"), ask("printf '\\033]0;owned\\007bad' >&2; exit 1", "b")]
    found = lab.visit(lab.server(sshd), requests)
    assert found[0].stdout == bytes(range(256))
    assert found[1].failure is not None
    assert found[1].failure.detail == "]0;ownedbad (exit code 1)"


def test_a_stream_is_a_view_of_a_file_and_may_exceed_the_section(lab: Lab, sshd: Sshd) -> None:
    script = "seq 1 800000"
    request = ask(script, limit=50_000_000, stream=True)
    found = lab.visit(lab.server(sshd), [request, ask("echo a", "a")])
    expected = "".join(f"{i}\n" for i in range(1, 800_001)).encode()
    assert isinstance(found[0].stdout, memoryview)
    assert bytes(found[0].stdout) == expected
    assert found[0].sha256 == hashlib.sha256(expected).hexdigest()
    assert found[1].stdout == b"a\n"


def test_a_script_of_half_a_megabyte_goes_through(lab: Lab, sshd: Sshd) -> None:
    requests = [ask(f"# {'x' * 50_000}\necho {i}", f"p{i}") for i in range(10)]
    found = lab.visit(lab.server(sshd), requests)
    assert [e.stdout for e in found] == [b"%d\n" % i for i in range(10)]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("/usr/sbin/nologin", "not available"),
        ("echo Menu: 1. backup 2. quit", "Menu: 1. backup"),
        ("true", "answered nothing"),
    ],
)
def test_an_account_with_a_forced_command_says_what_came_instead(
    lab: Lab, command: str, words: str
) -> None:
    with lab.sshd("forced", options=f"ForceCommand {command}\n") as forced:
        found = lab.visit(lab.server(forced), [ask("id")])
    assert kinds(found) == {FailureKind.COMMAND_FAILED}
    assert words in detail(found)


def test_noise_before_the_script_is_skipped(lab: Lab) -> None:
    noise = "ForceCommand echo 'Welcome to vm'; echo 'stty: not a tty' >&2; exec sh -s\n"
    with lab.sshd("noisy", options=noise) as noisy:
        found = lab.visit(lab.server(noisy), [ask("echo real", "p")])
    assert found[0].stdout == b"real\n"


def test_a_server_without_sessions_is_denied(lab: Lab) -> None:
    with lab.sshd("sessions", options="MaxSessions 0\n") as closed:
        found = lab.visit(lab.server(closed), [ask("id")])
    assert kinds(found) == {FailureKind.DENIED}


# ----------------------------------------------------------------------------------- jump hosts


def test_servers_behind_a_jump_host_share_one_connection_to_it(lab: Lab, sshd: Sshd) -> None:
    with lab.sshd("jump", "127.0.0.4") as jump:
        bastion = lab.server(jump, id="bastion")
        ssh = msgspec.structs.replace(lab.server(sshd).ssh, via="bastion")
        servers = [lab.server(sshd, id=f"srv{i}", ssh=ssh) for i in range(6)]
        known = {s.id: s for s in (bastion, *servers)}
        shared = SshShared(known, FAST, SizeLimits(), lab.project, now, random.Random(1))  # noqa: S311
        before = sshd.connections
        with ThreadPoolExecutor(6) as pool:
            visits = pool.map(lambda s: SshTransport(s, shared).collect([ask("echo a")]), servers)
            assert [e.stdout for found in visits for e in found] == [b"a\n"] * 6
        shared.close()
        assert (jump.connections, jump.execs, sshd.connections - before) == (1, 0, 6)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        ("key", FailureKind.HOST_KEY, "has changed"),
        ("down", FailureKind.UNREACHABLE, "refused"),
        ("closed", FailureKind.DENIED, "cannot reach"),
        ("target", FailureKind.UNREACHABLE, "cannot reach"),
        ("absent", FailureKind.NOT_DECLARED, "bastion is not declared"),
        ("loop", FailureKind.UNREACHABLE, "srv → bastion → srv"),
    ],
)
def test_what_is_wrong_with_a_jump_host_is_said(
    lab: Lab, sshd: Sshd, fault: str, kind: FailureKind, words: str
) -> None:
    options = "AllowTcpForwarding no\n" if fault == "closed" else ""
    with lab.sshd("jump2", "127.0.0.4", options) as jump:
        bastion = lab.server(jump, id="bastion")
        if fault == "key":
            bastion = msgspec.structs.replace(bastion, host_key=keygen_once(lab.folder / "jk"))
        if fault in ("down", "loop"):
            port = free_port("127.0.0.4") if fault == "down" else jump.port
            via = "srv" if fault == "loop" else ""
            ssh = msgspec.structs.replace(bastion.ssh, port=port, via=via)
            bastion = msgspec.structs.replace(bastion, ssh=ssh)
        port = free_port("127.0.0.2") if fault == "target" else sshd.port
        ssh = msgspec.structs.replace(lab.server(sshd).ssh, via="bastion", port=port)
        others = () if fault == "absent" else (bastion,)
        found = lab.visit(lab.server(sshd, ssh=ssh), [ask("id")], others=others)
    assert kinds(found) == {kind}
    assert words in detail(found)
    assert "bastion" in detail(found)


def test_the_target_behind_a_jump_host_has_its_own_key_checked(lab: Lab, sshd: Sshd) -> None:
    with lab.sshd("jump3", "127.0.0.4") as jump:
        ssh = msgspec.structs.replace(lab.server(sshd).ssh, via="bastion")
        server = lab.server(sshd, ssh=ssh, host_key=keygen_once(lab.folder / "jk"))
        found = lab.visit(server, [ask("id")], others=(lab.server(jump, id="bastion"),))
    assert kinds(found) == {FailureKind.HOST_KEY}
    assert "bastion" not in detail(found)


def test_ssh_config_gives_name_port_user_key_and_jump_host(lab: Lab, sshd: Sshd) -> None:
    with lab.sshd("jump4", "127.0.0.4") as jump:
        config = lab.project / "ssh_config"
        config.write_text(
            f"Host app\n HostName {sshd.address}\n Port {sshd.port}\n User {sshd.user}\n"
            f" IdentityFile {lab.key}\n ProxyJump gate\n"
            f"Host gate\n HostName {jump.address}\n Port {jump.port}\n User {jump.user}\n"
            f" IdentityFile {lab.key}\n"
        )
        (lab.project / "known").write_text(f"[127.0.0.4]:{jump.port} {lab.host_public}\n")
        limits = msgspec.structs.replace(FAST, config="ssh_config", known_hosts="known")
        server = Server(id="srv", unit="u", address="app", host_key=lab.host_public)
        found = lab.visit(server, [ask("echo a")], limits)
        assert kinds(found) == {None}
        assert jump.connections == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [("Host *\n ProxyCommand nc %h %p\n", "ProxyCommand"), ("Host *\n Port x\n", "is no port")],
)
def test_an_ssh_config_that_cannot_be_followed_says_so(
    lab: Lab, sshd: Sshd, text: str, words: str
) -> None:
    (lab.project / "odd_config").write_text(text)
    limits = msgspec.structs.replace(FAST, config="odd_config")
    ssh = SshSettings(user=sshd.user, key_file=str(lab.key))
    found = lab.visit(lab.server(sshd, ssh=ssh), [ask("id")], limits)
    assert kinds(found) == {FailureKind.UNREACHABLE}
    assert words in detail(found)


# ----------------------------------------------------------------------------------------- many


def test_many_visits_at_once_lose_nothing(lab: Lab, sshd: Sshd) -> None:
    server = lab.server(sshd)
    shared = SshShared({}, FAST, SizeLimits(), lab.project, now, random.Random(1))  # noqa: S311
    before = (sshd.connections, sshd.execs)
    with ThreadPoolExecutor(8) as pool:
        visits = list(
            pool.map(lambda _: SshTransport(server, shared).collect([ask("echo a")]), range(24))
        )
    assert [e.stdout for found in visits for e in found] == [b"a\n"] * 24
    assert (sshd.connections, sshd.execs) == (before[0] + 24, before[1] + 24)
