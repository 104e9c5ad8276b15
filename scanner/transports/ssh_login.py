"""How to reach and enter a server: inventory, ssh_config and defaults merged; keys loaded once."""

from __future__ import annotations

import getpass
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from paramiko import Agent, PKey, SSHConfig, SSHException
from paramiko.config import SSHConfigDict

from checks.evidence import Failure, FailureKind
from checks.texts import clean
from inventory.model import Server

DEFAULT_KEYS = ("~/.ssh/id_ed25519", "~/.ssh/id_ecdsa", "~/.ssh/id_rsa")
_MOST_JUMPS = 4
_LOCKED = "is locked with a passphrase: load it into ssh-agent, or give one without"
_MOST_KEYS = 5
"""A server counts every key that is tried and closes the line after six."""


class Stop(Exception):  # noqa: N818 - not an error of ours: the world said no
    """A visit that ends here; `again` says whether a further try may help."""

    def __init__(self, kind: FailureKind, detail: str, again: bool = False) -> None:
        super().__init__(detail)
        self.failure = Failure(kind=kind, detail=clean(detail, 1200))
        self.again = again


class Endpoint(msgspec.Struct, frozen=True):
    """Where a connection goes, as whom, and through which other endpoint."""

    name: str
    """As people call it: the server's id, or the name in ssh_config."""
    host: str
    port: int
    user: str
    key_files: tuple[str, ...] = ()
    """Empty: the agent, then the usual files."""
    pin: str = ""
    via: Endpoint | None = None

    @property
    def address(self) -> str:
        """For messages: `10.0.0.1:22`, `[2001:db8::1]:22`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Routes:
    """Turns a server into an endpoint. Raises `Stop` where that is impossible."""

    def __init__(self, servers: Mapping[str, Server], project: Path, config: str) -> None:
        self._servers = servers
        self._project = project
        self._config = _read_config(project, config)

    def of(self, server: Server, through: tuple[str, ...] = ()) -> Endpoint:
        """The endpoint of a server; `through` are the ids that led here."""
        if server.id in through or len(through) > _MOST_JUMPS:
            path = " → ".join((*through, server.id))
            raise Stop(FailureKind.UNREACHABLE, f"the jump hosts (via) form a loop: {path}")
        found = self._lookup(server.address)
        ssh = server.ssh
        files = (ssh.key_file,) if ssh.key_file else tuple(found.get("identityfile", ()))
        return Endpoint(
            name=server.id,
            host=found.get("hostname", server.address),
            port=ssh.port or _port(found, server.id),
            user=ssh.user or found.get("user", "") or getpass.getuser(),
            key_files=tuple(self._path(f) for f in files),
            pin=server.host_key,
            via=self._via(server, found, (*through, server.id)),
        )

    def _via(self, server: Server, found: SSHConfigDict, path: tuple[str, ...]) -> Endpoint | None:
        if server.ssh.via:
            jump = self._servers.get(server.ssh.via)
            if jump is None:
                raise Stop(FailureKind.NOT_DECLARED, f"jump host {server.ssh.via} is not declared")
            return self.of(jump, path)
        hops = found.get("proxyjump", "none")
        if hops.lower() != "none":
            return self._hops(hops.split(","))
        if found.get("proxycommand", "none").lower() != "none":
            raise Stop(
                FailureKind.UNREACHABLE,
                f"ssh_config wants a ProxyCommand for {server.id}: not supported; use ProxyJump "
                "there or `via` in the inventory",
            )
        return None

    def _hops(self, hops: Sequence[str]) -> Endpoint | None:
        """`user@host:port,…`: the last one is next to the server."""
        via: Endpoint | None = None
        for hop in hops[:_MOST_JUMPS]:
            user, _, place = hop.strip().removeprefix("ssh://").rpartition("@")
            name, port = _split_port(place)
            found = self._lookup(name)
            via = Endpoint(
                name=name,
                host=found.get("hostname", name),
                port=port or _port(found, name),
                user=user or found.get("user", "") or getpass.getuser(),
                key_files=tuple(self._path(f) for f in found.get("identityfile", ())),
                via=via,
            )
        return via

    def _lookup(self, name: str) -> SSHConfigDict:
        if self._config is None:
            return SSHConfigDict()
        try:
            return self._config.lookup(name)
        except (SSHException, ImportError, KeyError, ValueError) as e:
            raise Stop(FailureKind.UNREACHABLE, f"ssh_config cannot be used for {name}: {e}") from e

    def _path(self, file: str) -> str:
        return str(self._project / Path(file).expanduser())


def _read_config(project: Path, config: str) -> SSHConfig | None:
    path = project / Path(config).expanduser()
    if not config or not path.is_file():
        return None
    try:
        return SSHConfig.from_path(str(path))
    except (SSHException, UnicodeDecodeError, OSError, ValueError) as e:
        raise Stop(FailureKind.UNREACHABLE, f"{path}: ssh_config is not readable: {e}") from e


def _port(found: SSHConfigDict, name: str) -> int:
    text = found.get("port", "22")
    if not text.isascii() or not text.isdigit() or not 0 < int(text) < 65536:
        raise Stop(FailureKind.UNREACHABLE, f"ssh_config: port {text!r} of {name} is no port")
    return int(text)


def _split_port(place: str) -> tuple[str, int]:
    if place.startswith("["):
        host, _, rest = place[1:].partition("]")
        port = rest.removeprefix(":")
    else:
        host, _, port = place.partition(":") if place.count(":") == 1 else (place, "", "")
    return host, int(port) if port.isascii() and port.isdigit() else 0


class Keys:
    """Private keys by path, each read once for the whole process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loaded: dict[str, PKey | str] = {}

    def load(self, path: str) -> PKey | str:
        """The key, or why there is none, in words."""
        with self._lock:
            if path not in self._loaded:
                self._loaded[path] = _load(path)
            return self._loaded[path]


def _load(path: str) -> PKey | str:
    try:
        return PKey.from_path(path)
    except FileNotFoundError:
        return f"key file {path} does not exist"
    except PermissionError:
        return f"key file {path} may not be read"
    except TypeError:
        return f"key file {path} {_LOCKED}"
    except (SSHException, OSError, ValueError, UnsupportedAlgorithm) as e:
        if "encrypted" in str(e).lower() or "password" in str(e).lower():
            return f"key file {path} {_LOCKED}"
        return f"key file {path} is not a private key that can be used: {e}"


class AgentKeys:
    """The keys of ssh-agent, asked for only when needed; its connection lives as long as this."""

    def __init__(self) -> None:
        self._agent: Agent | None = None

    def __enter__(self) -> AgentKeys:
        return self

    def __exit__(self, *_: object) -> None:
        if self._agent is not None:
            self._agent.close()

    def list(self) -> Sequence[PKey]:
        """What the agent holds; nothing when there is none."""
        try:
            self._agent = Agent()
            return self._agent.get_keys()
        except (SSHException, OSError):
            return ()


def candidates(
    end: Endpoint, keys: Keys, agent: AgentKeys
) -> tuple[list[tuple[str, PKey]], list[str]]:
    """The keys to try, with their names, and what is wrong with those that cannot be tried."""
    usable: list[tuple[str, PKey]] = []
    wrong: list[str] = []
    for path in end.key_files:
        found = keys.load(path)
        if isinstance(found, str):
            wrong.append(found)
        else:
            usable.append((path, found))
    if usable and end.key_files:
        return usable[:_MOST_KEYS], wrong
    usable += [("a key of ssh-agent", key) for key in agent.list()]
    if not end.key_files:
        for path in DEFAULT_KEYS:
            found = keys.load(str(Path(path).expanduser()))
            if not isinstance(found, str):
                usable.append((path, found))
    return usable[:_MOST_KEYS], wrong
