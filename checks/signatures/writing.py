"""Making detached signatures: raw Ed25519, and CMS that any program can verify."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding

from checks.signatures import ber
from checks.signatures.algorithms import Content

PrivateKey = Ed25519PrivateKey | rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_DATA = "1.2.840.113549.1.7.1"
_SIGNED_DATA = "1.2.840.113549.1.7.2"
_SHA256 = "2.16.840.1.101.3.4.2.1"
_SHA512 = "2.16.840.1.101.3.4.2.3"


def raw_file(data: bytes, key: Ed25519PrivateKey) -> bytes:
    """The text of a `.sig` file: the Ed25519 signature of these bytes in base64, one line."""
    return base64.b64encode(key.sign(data)) + b"\n"


def cms_file(
    content: Content,
    key: PrivateKey,
    certificate: x509.Certificate,
    others: Sequence[x509.Certificate],
    at: dt.datetime,
) -> bytes:
    """A detached CMS signature (DER) over the content; `at` (aware) is the signing time it claims.

    SHA-256, but SHA-512 with an Ed25519 key, as RFC 8419 says. `others` are the certificates that
    lead to a root. ValueError when key and certificate do not belong together.
    """
    if key.public_key() != certificate.public_key():
        raise ValueError("the key does not belong to the certificate")
    digest = _SHA512 if isinstance(key, Ed25519PrivateKey) else _SHA256
    attributes = _attributes(content, digest, at)
    signer = _sequence(
        _integer(1),
        _sequence(certificate.issuer.public_bytes(), _integer(certificate.serial_number)),
        _algorithm(digest),
        _tagged(0xA0, attributes),
        _signature_algorithm(key),
        ber.encode(ber.OCTETS, _sign(key, _tagged(ber.SET, attributes))),
    )
    chain = (certificate, *others)
    signed = _sequence(
        _integer(1),
        _set(_algorithm(digest)),
        _sequence(_oid(_DATA)),
        _tagged(0xA0, [c.public_bytes(Encoding.DER) for c in chain]),
        _set(signer),
    )
    return _sequence(_oid(_SIGNED_DATA), _tagged(0xA0, [signed]))


def _attributes(content: Content, digest: str, at: dt.datetime) -> list[bytes]:
    found = hashlib.new("sha512" if digest == _SHA512 else "sha256")
    for piece in content:
        found.update(piece)
    return [
        _attribute("1.2.840.113549.1.9.3", _oid(_DATA)),
        _attribute("1.2.840.113549.1.9.5", _time(at)),
        _attribute("1.2.840.113549.1.9.4", ber.encode(ber.OCTETS, found.digest())),
    ]


def _sign(key: PrivateKey, message: bytes) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(message)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(message, padding.PKCS1v15(), hashes.SHA256())
    return key.sign(message, _ecdsa())


def _ecdsa() -> ec.ECDSA:
    # The same bytes for the same content (RFC 6979), where the library below knows how.
    try:
        return ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
    except UnsupportedAlgorithm:
        return ec.ECDSA(hashes.SHA256())


def _signature_algorithm(key: PrivateKey) -> bytes:
    if isinstance(key, Ed25519PrivateKey):
        return _sequence(_oid("1.3.101.112"))
    if isinstance(key, rsa.RSAPrivateKey):
        return _sequence(_oid("1.2.840.113549.1.1.1"), ber.encode(0x05, b""))
    return _sequence(_oid("1.2.840.10045.4.3.2"))


# --------------------------------------------------------------------------------------- DER


def _sequence(*parts: bytes) -> bytes:
    return ber.encode(ber.SEQUENCE, b"".join(parts))


def _set(*parts: bytes) -> bytes:
    return _tagged(ber.SET, parts)


def _tagged(tag: int, parts: Iterable[bytes]) -> bytes:
    # DER puts the members of a set in order of their bytes.
    return ber.encode(tag, b"".join(sorted(parts)))


def _integer(number: int) -> bytes:
    return ber.encode(
        ber.INTEGER, number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)
    )


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    out = b""
    for number in (40 * first + second, *rest):
        octets = [number & 0x7F]
        while number := number >> 7:
            octets.append(number & 0x7F | 0x80)
        out += bytes(reversed(octets))
    return ber.encode(ber.OID, out)


def _algorithm(oid: str) -> bytes:
    return _sequence(_oid(oid))


def _attribute(oid: str, value: bytes) -> bytes:
    return _sequence(_oid(oid), _set(value))


def _time(at: dt.datetime) -> bytes:
    utc = at.astimezone(dt.UTC)
    if 1950 <= utc.year < 2050:
        return ber.encode(ber.UTC_TIME, utc.strftime("%y%m%d%H%M%SZ").encode())
    return ber.encode(ber.GENERALIZED_TIME, utc.strftime("%Y%m%d%H%M%SZ").encode())
