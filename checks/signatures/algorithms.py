"""The algorithms of CMS signatures, by their identifiers: which are read, and which are weak."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from checks.signatures import ber
from checks.signatures.ber import Node, Unreadable
from checks.signatures.certificates import PublicKey, reason

Content = Sequence[bytes | memoryview]
"""The signed bytes, in one piece or several."""

_SHA1, _SHA224 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.4"
_SHA256, _SHA384 = "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2"
_SHA512 = "2.16.840.1.101.3.4.2.3"
_HASHES: dict[str, hashes.HashAlgorithm] = {
    _SHA1: hashes.SHA1(),  # noqa: S303 - read, and called weak
    _SHA224: hashes.SHA224(),
    _SHA256: hashes.SHA256(),
    _SHA384: hashes.SHA384(),
    _SHA512: hashes.SHA512(),
}
_RSA = {
    "1.2.840.113549.1.1.5": _SHA1,
    "1.2.840.113549.1.1.11": _SHA256,
    "1.2.840.113549.1.1.12": _SHA384,
    "1.2.840.113549.1.1.13": _SHA512,
    "1.2.840.113549.1.1.14": _SHA224,
}
_ECDSA = {
    "1.2.840.10045.4.1": _SHA1,
    "1.2.840.10045.4.3.1": _SHA224,
    "1.2.840.10045.4.3.2": _SHA256,
    "1.2.840.10045.4.3.3": _SHA384,
    "1.2.840.10045.4.3.4": _SHA512,
}
_RSA_PLAIN, _RSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
_EC_PLAIN, _ED25519 = "1.2.840.10045.2.1", "1.3.101.112"
_SMALLEST_RSA = 2048


class Unsupported(Exception):  # noqa: N818 - says what it is
    """Not wrong, but of a kind that is not read here."""


def digest(name: str, content: Content) -> bytes:
    """The digest of the content by a hash's identifier; raises `Unsupported`."""
    found = hashlib.new(_hash(name).name, usedforsecurity=False)
    for piece in content:
        found.update(piece)
    return found.digest()


def _hash(name: str) -> hashes.HashAlgorithm:
    if name not in _HASHES:
        raise Unsupported(f"digests by algorithm {name} are not read")
    return _HASHES[name]


def check(key: PublicKey, algorithm: Node, hashed: str, signature: bytes, message: bytes) -> None:
    """Verify a signature over a message; `hashed` is the hash that the signer names beside it.

    Raises:
        InvalidSignature: the key did not make it.
        Unsupported: the algorithm is not read, or is none for this key.
        Unreadable: its parameters are damaged.
    """
    name = ber.oid(algorithm.parts[0])
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, message, *_rsa(name, algorithm, hashed))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_hash(_of_ecdsa(name, hashed))))
        elif name == _ED25519:
            key.verify(signature, message)
        else:
            raise Unsupported("key and algorithm of the signature do not fit")
    except UnsupportedAlgorithm as e:
        raise Unsupported(reason(e)) from None


def _of_ecdsa(name: str, hashed: str) -> str:
    return hashed if name == _EC_PLAIN else _named(_ECDSA, name)


def _named(table: dict[str, str], name: str) -> str:
    if name not in table:
        raise Unsupported(f"signatures by algorithm {name} are not read")
    return table[name]


def _rsa(
    name: str, algorithm: Node, hashed: str
) -> tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]:
    if name == _RSA_PSS:
        by, mask, salt = _pss(algorithm)
        return padding.PSS(padding.MGF1(_hash(mask)), salt), _hash(by)
    return padding.PKCS1v15(), _hash(hashed if name == _RSA_PLAIN else _named(_RSA, name))


def _pss(algorithm: Node) -> tuple[str, str, int]:
    """Hash, hash of the mask, and length of the salt; the defaults are those of RFC 4055."""
    by, mask, salt = _SHA1, _SHA1, 20
    for field in algorithm.parts[1].parts:
        inner = field.parts[0]
        if field.tag == 0xA0:
            by = ber.oid(inner.parts[0])
        elif field.tag == 0xA1:
            mask = ber.oid(inner.parts[1].parts[0])
        elif field.tag == 0xA2:
            salt = ber.integer(inner)
    if not 0 <= salt <= 512:
        raise Unreadable("the salt of the signature is out of bounds")
    return by, mask, salt


def weak(key: PublicKey, algorithm: Node, hashed: str) -> tuple[str, ...]:
    """What is below the state of the art in a signature that holds: `sha1`, `rsa-1024`."""
    name = ber.oid(algorithm.parts[0])
    used = {hashed, _RSA.get(name), _ECDSA.get(name)}
    if name == _RSA_PSS:
        used.add(_pss(algorithm)[0])
    found = ["sha1"] if _SHA1 in used else []
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < _SMALLEST_RSA:
        found.append(f"rsa-{key.key_size}")
    return tuple(found)
