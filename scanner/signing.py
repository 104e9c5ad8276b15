"""Private keys that sign: read from the formats people have, used once, kept nowhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    load_pem_private_key,
    load_ssh_private_key,
)
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

from checks.signatures.ber import Unreadable
from checks.signatures.certificates import certificate, certificates
from checks.signatures.writing import PrivateKey, cms_file, raw_file
from scanner.errors import UserError

MOST_BYTES = 65_536
"""A larger file is no key."""

Ask = Callable[[], bytes]
"""Brings the passphrase; called only when a key needs one."""


class SigningKey(msgspec.Struct, frozen=True):
    """A private key, with the certificate that says whose it is and those above it, if any."""

    key: PrivateKey
    certificate: x509.Certificate | None = None
    others: tuple[x509.Certificate, ...] = ()


def read_key(name: str, data: bytes, beside: bytes | None, ask: Ask) -> SigningKey:
    """The key of a file: PEM (PKCS#8, OpenSSH) or PKCS#12; `beside` is a file of certificates.

    Raises:
        UserError: it is no such key, the passphrase is wrong, or the certificate is another's.
    """
    if len(data) > MOST_BYTES:
        raise UserError(f"{name}: is too large to be a private key")
    if b"-----BEGIN " in data:
        found = SigningKey(_pem(name, data, ask))
    else:
        found = _pkcs12(name, data, ask)
    return found if beside is None else _with_certificate(name, found, beside)


def _pem(name: str, data: bytes, ask: Ask) -> PrivateKey:
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in data else load_pem_private_key
    try:
        try:
            key: object = load(data, None)
        except (TypeError, ValueError) as e:
            if "ncrypted" not in str(e) and "assword" not in str(e):
                raise
            key = load(data, ask())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            f"{name}: is no private key that can be read, or the passphrase is wrong"
        ) from None
    if not isinstance(key, PrivateKey):
        raise UserError(f"{name}: is a key of another kind: use Ed25519, RSA or ECDSA")
    return key


def _pkcs12(name: str, data: bytes, ask: Ask) -> SigningKey:
    try:
        try:
            bundle = load_pkcs12(data, None)
        except ValueError:
            if not data.startswith(b"\x30"):
                raise
            bundle = load_pkcs12(data, ask())
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise UserError(
            f"{name}: is neither a PEM key nor PKCS#12, or the passphrase is wrong"
        ) from None
    if not isinstance(bundle.key, PrivateKey) or bundle.cert is None:
        raise UserError(f"{name}: holds no Ed25519, RSA or ECDSA key with its certificate")
    others = tuple(c.certificate for c in bundle.additional_certs)
    return SigningKey(bundle.key, bundle.cert.certificate, others)


def _with_certificate(name: str, found: SigningKey, beside: bytes) -> SigningKey:
    try:
        given = [certificate(der) for der in certificates(beside)]
    except Unreadable as e:
        raise UserError(f"the certificate of {name}: {e}") from None
    own = [c for c in given if c.public_key() == found.key.public_key()]
    if not own:
        raise UserError(f"{name}: none of the certificates given belongs to this key")
    return SigningKey(found.key, own[0], tuple(c for c in given if c is not own[0]))


def sign(name: str, data: bytes, by: SigningKey, now: dt.datetime) -> tuple[str, bytes]:
    """The ending and the bytes of the signature file: `.sig` for a bare key, `.p7s` for X.509.

    `name` is the key's, for errors. Raises UserError when the key cannot sign that way.
    """
    if by.certificate is None:
        if not isinstance(by.key, Ed25519PrivateKey):
            raise UserError(
                f"{name}: an RSA or ECDSA key signs with its certificate: give --certificate FILE"
            )
        return ".sig", raw_file(data, by.key)
    first, last = by.certificate.not_valid_before_utc, by.certificate.not_valid_after_utc
    if not first <= now <= last:
        raise UserError(
            f"{name}: its certificate is valid from {first.date()} to {last.date()} only"
        )
    return ".p7s", cms_file([data], by.key, by.certificate, by.others, now)
