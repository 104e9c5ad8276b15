"""Which host keys are believed: a pin of the inventory, else the known_hosts file, else none; pure.

The file is parsed once into dictionaries (paramiko's own store takes quadratic time to load), with
hashed names, `[host]:port`, patterns and `@revoked`; `@cert-authority` lines are not used.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import hashlib
import hmac
from collections.abc import Iterable

import msgspec

from checks.evidence import Failure, FailureKind
from checks.texts import clean

_LONGEST = 1200


class Key(msgspec.Struct, frozen=True):
    """A public host key: its type and its raw bytes."""

    type: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` prints it: `SHA256:…`."""
        digest = base64.b64encode(hashlib.sha256(self.blob).digest()).decode()
        return "SHA256:" + digest.rstrip("=")

    @property
    def line(self) -> str:
        """As it stands in known_hosts, without the name."""
        return f"{self.type} {base64.b64encode(self.blob).decode()}"


def parse_key(text: str) -> Key | None:
    """Read `type base64 [comment]`; None when it is not a key."""
    words = text.split()
    if len(words) < 2:
        return None
    try:
        blob = base64.b64decode(words[1], validate=True)
    except (binascii.Error, ValueError):
        return None
    name = words[0].encode()
    if blob[:4] != len(name).to_bytes(4, "big") or blob[4 : 4 + len(name)] != name:
        return None
    return Key(words[0], blob)


class KnownHosts:
    """A known_hosts file, ready to be asked many times."""

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self._names: dict[str, list[Key]] = {}
        self._hashed: list[tuple[bytes, bytes, Key]] = []
        self._patterns: list[tuple[list[str], Key]] = []
        self._revoked: set[bytes] = set()
        for line in lines:
            self._add(line.strip())

    def _add(self, line: str) -> None:
        mark, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        names, _, rest = rest.strip().replace("\t", " ").partition(" ")
        key = parse_key(rest)
        if key is None or line.startswith("#") or mark == "@cert-authority":
            return
        if mark == "@revoked":
            self._revoked.add(key.blob)
        elif names.startswith("|1|"):
            self._add_hashed(names, key)
        elif any(c in names for c in "*?!"):
            self._patterns.append((names.lower().split(","), key))
        else:
            for name in names.lower().split(","):
                self._names.setdefault(name, []).append(key)

    def _add_hashed(self, names: str, key: Key) -> None:
        try:
            salt, digest = (base64.b64decode(word) for word in names.split("|")[2:4])
        except (binascii.Error, ValueError):
            return
        self._hashed.append((salt, digest, key))

    def lookup(self, host: str, port: int) -> tuple[Key, ...]:
        """Every key that is known for a host, in the order of the file."""
        name = host_name(host, port)
        found = list(self._names.get(name, ()))
        raw = name.encode()
        for salt, digest, key in self._hashed:
            if hmac.compare_digest(hmac.digest(salt, raw, "sha1"), digest):
                found.append(key)
        found += [key for patterns, key in self._patterns if _matches(name, patterns)]
        return tuple(found)

    def revoked(self, key: Key) -> bool:
        """Whether a key is marked `@revoked`, for any host."""
        return key.blob in self._revoked


def _matches(name: str, patterns: list[str]) -> bool:
    # Square brackets belong to `[host]:port` here and are no set of characters.
    escaped = [p.replace("[", "[[]") for p in patterns]
    if any(p.startswith("!") and fnmatch.fnmatchcase(name, p[1:]) for p in escaped):
        return False
    return any(not p.startswith("!") and fnmatch.fnmatchcase(name, p) for p in escaped)


def host_name(host: str, port: int) -> str:
    """How a host is called in known_hosts: `host`, or `[host]:port` when the port is not 22."""
    return host.lower() if port == 22 else f"[{host.lower()}]:{port}"


class Expected(msgspec.Struct, frozen=True):
    """The keys that a host may show, and where they come from, in words."""

    name: str
    """As in known_hosts."""
    keys: tuple[Key, ...]
    place: str


def expected(host: str, port: int, pin: str, known: KnownHosts, place: str) -> Expected | Failure:
    """What a host may show; `place` is the path of the known_hosts file."""
    name = host_name(host, port)
    if not pin:
        return Expected(name, known.lookup(host, port), place)
    key = parse_key(pin)
    if key is None:
        detail = f"host_key of {name} in the inventory is not of the form `type base64`"
        return Failure(kind=FailureKind.HOST_KEY, detail=clean(detail))
    return Expected(name, (key,), "the inventory (host_key)")


def judge(seen: Key, allowed: Expected, known: KnownHosts) -> Failure | None:
    """None when the key is the right one; otherwise what to say, with the fingerprints."""
    name = allowed.name
    if known.revoked(seen):
        return _refuse(f"{name} showed a host key that is marked @revoked: {seen.fingerprint}")
    if any(hmac.compare_digest(seen.blob, key.blob) for key in allowed.keys):
        return None
    if allowed.keys:
        wanted = ", ".join(f"{k.type} {k.fingerprint}" for k in allowed.keys)
        return _refuse(
            f"the host key of {name} has changed: it showed {seen.type} {seen.fingerprint}, "
            f"{allowed.place} has {wanted}; somebody may be in between: ask who runs it, and "
            "only then put the new key there"
        )
    return _refuse(
        f"the host key of {name} is not known; it showed {seen.type} {seen.fingerprint}; when who "
        f"runs it has confirmed that, add this line to {allowed.place}: {name} {seen.line}"
    )


def _refuse(detail: str) -> Failure:
    return Failure(kind=FailureKind.HOST_KEY, detail=clean(detail, _LONGEST))
