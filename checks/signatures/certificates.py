"""Certificates and public keys: read from files, and said without personal numbers."""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
    load_pem_public_key,
    load_ssh_public_key,
)
from cryptography.x509.oid import NameOID

from checks.signatures import ber
from checks.signatures.ber import Unreadable
from checks.signatures.model import Holder, Person
from checks.texts import clean

PublicKey = ed25519.Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey

MOST_BYTES = 1_048_576
"""A file of certificates or of a key that is larger is none."""
_MOST_CERTIFICATES = 256
REFUSED = (ValueError, TypeError, KeyError, UnsupportedAlgorithm, x509.InvalidVersion)
"""What `cryptography` raises on certificates and keys that are damaged or strange."""
_NUMBER = re.compile(r"\d(?:[ .-]?\d){7,}")
"""Eight digits or more: an identity card, a tax code, a telephone, never a name."""


@contextmanager
def quiet() -> Iterator[None]:
    """No warnings: certificates of old authorities break small rules; what matters is verified."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def certificate(der: bytes) -> x509.Certificate:
    """One certificate in DER; raises `Unreadable`."""
    try:
        with quiet():
            return x509.load_der_x509_certificate(der)
    except REFUSED as e:
        raise Unreadable(f"a certificate cannot be read: {reason(e)}") from None


def certificates(data: bytes) -> tuple[bytes, ...]:
    """Every certificate of a file, as DER: PEM, one or several, or one in DER.

    Raises `Unreadable`, also when there is none.
    """
    _bounded(data)
    if b"-----BEGIN " not in data:
        certificate(data)
        return (data,)
    try:
        with quiet():
            found = [c.public_bytes(Encoding.DER) for c in x509.load_pem_x509_certificates(data)]
    except REFUSED as e:
        raise Unreadable(f"the certificates cannot be read: {reason(e)}") from None
    if len(found) > _MOST_CERTIFICATES:
        raise Unreadable(f"more than {_MOST_CERTIFICATES} certificates in one file")
    return tuple(found)


def public_key(data: bytes) -> PublicKey:
    """A public key from PEM, DER or OpenSSH's one line; raises `Unreadable`."""
    _bounded(data)
    if b"PRIVATE KEY" in data:
        raise Unreadable("is a private key: keep it apart, and give its public key")
    try:
        if data.lstrip().startswith(b"-----BEGIN "):
            key: object = load_pem_public_key(data)
        elif data.startswith(b"ssh-"):
            key = load_ssh_public_key(data.strip())
        else:
            key = load_der_public_key(data)
    except REFUSED as e:
        raise Unreadable(f"the public key cannot be read: {reason(e)}") from None
    if not isinstance(key, PublicKey):
        raise Unreadable("the public key is of a kind that is not read: use Ed25519, RSA or ECDSA")
    return key


def _bounded(data: bytes) -> None:
    if len(data) > MOST_BYTES:
        raise Unreadable("is too large to be a key or a certificate")


def key_digest(key: PublicKey) -> str:
    """SHA-256 in hex of a key, the same for a bare one and one in a certificate."""
    spki = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def key_of(found: x509.Certificate) -> PublicKey | None:
    """The key of a certificate, None when it is of a kind that is not read."""
    try:
        key = found.public_key()
    except REFUSED:
        return None
    return key if isinstance(key, PublicKey) else None


def key_identifier(found: x509.Certificate) -> bytes:
    """The subject key identifier of a certificate; empty when it has none that can be read."""
    try:
        with quiet():
            extension = found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier)
    except (*REFUSED, x509.ExtensionNotFound, x509.DuplicateExtension):
        return b""
    return extension.value.digest


def issuer_and_serial(der: bytes) -> tuple[bytes, int]:
    """The issuer's name (DER) and the serial number, as they stand; raises `Unreadable`."""
    fields = ber.whole(der).parts[0].parts
    if len(fields) < 6:
        raise Unreadable("a certificate lacks its first fields")
    at = 1 if fields[0].tag == 0xA0 else 0
    return ber.der(fields[at + 2]), ber.integer(fields[at])


def holder(found: x509.Certificate) -> Holder:
    """What may be shown of a certificate, and what trust needs of it; raises `Unreadable`."""
    key = key_of(found)
    der = found.public_bytes(Encoding.DER)
    try:
        with quiet():
            return Holder(
                person=_person(lambda: found.subject),
                issuer=_person(lambda: found.issuer),
                not_before=found.not_valid_before_utc,
                not_after=found.not_valid_after_utc,
                fingerprint=hashlib.sha256(der).hexdigest(),
                key=key_digest(key) if key else "",
                der=der,
            )
    except REFUSED as e:
        raise Unreadable(f"a certificate cannot be read: {reason(e)}") from None


def _person(named: Callable[[], x509.Name]) -> Person:
    try:
        name = named()
    except REFUSED:
        return Person()  # Some name of an old alphabet: who it is stays unsaid, the key counts.
    # Only these three are ever taken: UID, serialNumber and e-mail hold identity card numbers,
    # tax codes and addresses of persons.
    first = {
        oid: next(_texts(name, oid), "")
        for oid in (NameOID.COMMON_NAME, NameOID.ORGANIZATION_NAME, NameOID.TITLE)
    }
    return Person(
        name=first[NameOID.COMMON_NAME],
        organisation=first[NameOID.ORGANIZATION_NAME],
        title=first[NameOID.TITLE],
    )


def _texts(name: x509.Name, oid: x509.ObjectIdentifier) -> Iterator[str]:
    for attribute in name.get_attributes_for_oid(oid):
        if isinstance(attribute.value, str):
            yield clean(_NUMBER.sub("…", attribute.value).strip(), 120)


def reason(error: Exception) -> str:
    """What a library says is wrong, in a line: without the certificate or number that it quotes."""
    said = str(error).partition("<")[0].removesuffix("(encountered processing ").strip()
    return clean(_NUMBER.sub("…", said) or type(error).__name__, 160)
