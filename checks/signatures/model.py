"""What is read from a signature, whoever made it: the values that all readers here share."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values of this package."""


class Fault(StrEnum):
    """Why a signature does not hold, or cannot be judged."""

    UNREADABLE = "unreadable"
    """It is no signature, or a damaged one."""
    CHANGED = "changed"
    """The signer signed other bytes."""
    FORGED = "forged"
    """The key of the certificate did not make it."""
    RANGE = "range"
    """PDF: the bytes that it leaves out hold more than the signature itself."""
    NO_CERTIFICATE = "no-certificate"
    """The signer's certificate is not there."""
    UNSUPPORTED = "unsupported"
    """Of a kind or by an algorithm that is not read here: nothing is said of it."""


class Person(Value, frozen=True):
    """Who a certificate says that somebody is; personal numbers and addresses are left out."""

    name: str = ""
    organisation: str = ""
    title: str = ""


class Holder(Value, frozen=True):
    """A signer's certificate. `fingerprint` and `key` are SHA-256 in hex of it and of its key."""

    person: Person
    issuer: Person
    not_before: dt.datetime
    not_after: dt.datetime
    fingerprint: str
    key: str
    der: bytes


class Signature(Value, frozen=True):
    """One signature over given bytes; `fault` is None when digest and signature both hold.

    That somebody may sign, or is who the certificate says, is `trust`'s to tell.
    """

    kind: str
    """`ed25519`, `x509` or `timestamp`."""
    fault: Fault | None = None
    reason: str = ""
    """One line on the fault."""
    holder: Holder | None = None
    key: str = ""
    """SHA-256 in hex of the public key that made it; empty when it does not hold."""
    claimed: dt.datetime | None = None
    """When it was signed, as the signer's own clock said (a time stamp: as the service said)."""
    stamped: bool = False
    """It carries a time stamp of a service, which the light check does not verify."""
    weak: tuple[str, ...] = ()
    """What is below the state of the art: `sha1`, `rsa-1024`."""
    others: tuple[bytes, ...] = ()
    """Further certificates (DER) that came along."""

    @property
    def holds(self) -> bool:
        """Whether these very bytes were signed by the key."""
        return self.fault is None
