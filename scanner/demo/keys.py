"""Keys of the demo: ed25519 pairs that live in its folder and open nothing else."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

NewKey = Callable[[], Ed25519PrivateKey]
"""Makes a key; `Ed25519PrivateKey.generate` outside tests: a guessable one would let others in."""


class KeyPair(msgspec.Struct, frozen=True):
    """A pair in OpenSSH's spelling."""

    private: bytes
    """The private key file."""
    public: str
    """`ssh-ed25519 AAAA…`."""

    @property
    def blob(self) -> str:
        """The base64 part of the public key."""
        return self.public.split()[1]

    def write(self, path: Path) -> None:
        """Write the private file, readable by its owner only from its first byte on."""
        path.touch(mode=0o600)
        path.write_bytes(self.private)


def key_pair(new_key: NewKey) -> KeyPair:
    """Make one pair."""
    key = new_key()
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    name = b"ssh-ed25519"
    blob = len(name).to_bytes(4, "big") + name + len(raw).to_bytes(4, "big") + raw
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return KeyPair(private, f"ssh-ed25519 {base64.b64encode(blob).decode()}")
