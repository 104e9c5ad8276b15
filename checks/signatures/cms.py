"""CMS (PKCS#7) signatures: read here, verified with the primitives of `cryptography`.

Every signer must have signed attributes: their digest of the content and the key's signature over
them are both verified. Who the signer is, and whether anybody trusts him, is not judged here.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import re
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from checks.signatures import ber
from checks.signatures.ber import Node, Unreadable
from checks.signatures.certificates import (
    REFUSED,
    certificate,
    holder,
    issuer_and_serial,
    key_digest,
    key_identifier,
    key_of,
    reason,
)
from checks.signatures.model import Fault, Signature

MOST_BYTES = 4_194_304
"""Largest blob that is read."""
_MOST_SIGNERS = 16
_MOST_CERTIFICATES = 64

Content = Sequence[bytes | memoryview]
"""The signed bytes, in one piece or several."""

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_STAMP_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an identifier

_HASHES: dict[str, hashes.HashAlgorithm] = {
    "1.3.14.3.2.26": hashes.SHA1(),  # noqa: S303 - read, and called weak
    "2.16.840.1.101.3.4.2.1": hashes.SHA256(),
    "2.16.840.1.101.3.4.2.2": hashes.SHA384(),
    "2.16.840.1.101.3.4.2.3": hashes.SHA512(),
    "2.16.840.1.101.3.4.2.4": hashes.SHA224(),
}
_RSA = {
    "1.2.840.113549.1.1.5": "1.3.14.3.2.26",
    "1.2.840.113549.1.1.11": "2.16.840.1.101.3.4.2.1",
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
    "1.2.840.113549.1.1.14": "2.16.840.1.101.3.4.2.4",
}
_ECDSA = {
    "1.2.840.10045.4.1": "1.3.14.3.2.26",
    "1.2.840.10045.4.3.1": "2.16.840.1.101.3.4.2.4",
    "1.2.840.10045.4.3.2": "2.16.840.1.101.3.4.2.1",
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}
_RSA_PLAIN, _RSA_PSS = "1.2.840.113549.1.1.1", "1.2.840.113549.1.1.10"
_EC_PLAIN, _ED25519 = "1.2.840.10045.2.1", "1.3.101.112"


class _Unsupported(Exception):  # noqa: N818 - becomes a fault
    """Not wrong, but of a kind that is not read here."""


class _Broken(Exception):  # noqa: N818 - becomes a fault
    def __init__(self, fault: Fault, reason: str) -> None:
        super().__init__(reason)
        self.fault = fault


class Signed(msgspec.Struct, frozen=True, kw_only=True):
    """A blob taken apart: type and bytes of what it encloses, certificates, one node per signer."""

    content_type: str
    enclosed: bytes | None
    certificates: tuple[bytes, ...]
    signers: tuple[Node, ...]


class _Signer(msgspec.Struct, frozen=True, kw_only=True):
    sid: Node
    digest: str
    attributes: Node | None
    algorithm: Node
    signature: bytes
    unsigned: Node | None


def read_cms(blob: bytes) -> Signed:
    """Take a blob in BER, DER or PEM apart; raises `Unreadable`."""
    if len(blob) > MOST_BYTES:
        raise Unreadable("is too large to be a signature")
    data = _unarmoured(blob) if blob.lstrip()[:11] == b"-----BEGIN " else blob
    node, rest = ber.read(data)
    # A PDF keeps room for its signature and fills it with zeros.
    if rest.strip(b"\0"):
        raise Unreadable("more than a signature stands in its place")
    try:
        kind, wrapped = _group(node)[:2]
        if ber.oid(kind) != _SIGNED_DATA:
            raise Unreadable("is a CMS message, but no signature")
        fields = _group(_group(wrapped, 0xA0)[0])
        _, _, enclosed, *optional = fields
        certificates: tuple[bytes, ...] = ()
        for extra in optional[:-1]:
            if extra.tag == 0xA0:
                # Attribute certificates carry a context tag and are of no use here.
                certificates = tuple(ber.der(c) for c in extra.parts if c.tag == ber.SEQUENCE)
        signers = _group(optional[-1], ber.SET)
        content = _group(enclosed)
        inner = ber.octets(_group(content[1], 0xA0)[0]) if len(content) > 1 else None
        content_type = ber.oid(content[0])
    except (IndexError, ValueError) as e:
        raise Unreadable(f"is no CMS signature: {e}") from None
    if not 0 < len(signers) <= _MOST_SIGNERS or len(certificates) > _MOST_CERTIFICATES:
        raise Unreadable("has no signer, or more than a signature has")
    return Signed(
        content_type=content_type,
        enclosed=inner,
        certificates=certificates,
        signers=signers,
    )


_ARMOUR = re.compile(
    rb"-----BEGIN (?:PKCS7|CMS)-----\s+([A-Za-z0-9+/=\s]+)-----END (?:PKCS7|CMS)-----"
)


def _unarmoured(blob: bytes) -> bytes:
    found = _ARMOUR.fullmatch(blob.strip())
    if found is None:
        raise Unreadable("is no PEM block of a CMS signature")
    try:
        return base64.b64decode(b"".join(found[1].split()), validate=True)
    except binascii.Error:
        raise Unreadable("the base64 of the signature is damaged") from None


def _group(node: Node, tag: int = ber.SEQUENCE) -> tuple[Node, ...]:
    if node.tag != tag:
        raise Unreadable("a part of the signature is of another kind than it must be")
    return node.parts


def verify(signed: Signed, content: Content, known: Sequence[bytes] = ()) -> tuple[Signature, ...]:
    """Each signer of a blob against the content; `known` are further certificates (DER).

    A blob that encloses its content must enclose exactly these bytes. Never raises: a fault of one
    signer stands in his value.
    """
    if signed.content_type == _STAMP_INFO:
        return tuple(_stamp(signed, node, content, known) for node in signed.signers)
    outer = None
    if signed.enclosed is not None and signed.enclosed != b"".join(content):
        outer = _Broken(Fault.CHANGED, "the signature encloses other bytes than the file has")
    return tuple(_verified(signed, node, content, known, outer) for node in signed.signers)


def _verified(
    signed: Signed, node: Node, content: Content, known: Sequence[bytes], outer: _Broken | None
) -> Signature:
    found = Signature(kind="x509")
    try:
        signer = _signer(node)
        found = msgspec.structs.replace(
            found,
            claimed=_claimed(signer),
            stamped=signer.unsigned is not None and bool(_values(signer.unsigned, _STAMP_TOKEN)),
        )
        own = _own_certificate(signer, (*signed.certificates, *known))
        rest = tuple(c for c in signed.certificates if c != own)
        loaded = certificate(own)
        found = msgspec.structs.replace(found, holder=holder(loaded), others=rest)
        if outer is not None:
            raise outer
        _check_content(signer, signed.content_type, content)
        key = _check_signature(signer, loaded)
    except _Broken as e:
        return _with(found, e.fault, str(e))
    except _Unsupported as e:
        return _with(found, Fault.UNSUPPORTED, str(e))
    except (*REFUSED, IndexError) as e:
        return _with(found, Fault.UNREADABLE, reason(e))
    return msgspec.structs.replace(found, key=key, weak=_weak(signer, loaded))


def _with(found: Signature, fault: Fault, reason: str) -> Signature:
    return msgspec.structs.replace(found, fault=fault, reason=reason)


def _stamp(signed: Signed, node: Node, content: Content, known: Sequence[bytes]) -> Signature:
    """A document time stamp: it encloses a statement that holds the digest of the content."""
    enclosed = signed.enclosed or b""
    found = _verified(signed, node, [enclosed], known, None)
    found = msgspec.structs.replace(found, kind="timestamp", claimed=None)
    if not found.holds:
        return found
    try:
        fields = _group(ber.whole(enclosed))
        algorithm, digest = _group(fields[2])
        name = ber.oid(_group(algorithm)[0])
        if _digest(_hash(name), content) != ber.octets(digest):
            return _with(found, Fault.CHANGED, "the time stamp is of other bytes")
        return msgspec.structs.replace(found, claimed=ber.time(fields[4]))
    except _Unsupported as e:
        return _with(found, Fault.UNSUPPORTED, str(e))
    except (ValueError, IndexError) as e:
        return _with(found, Fault.UNREADABLE, str(e))


def _signer(node: Node) -> _Signer:
    _, sid, digest, *rest = _group(node)
    attributes = rest.pop(0) if rest[0].tag == 0xA0 else None
    algorithm, signature, *more = rest
    if signature.tag & 0x1F != ber.OCTETS:
        raise Unreadable("a signer has no signature")
    return _Signer(
        sid=sid,
        digest=ber.oid(_group(digest)[0]),
        attributes=attributes,
        algorithm=algorithm,
        signature=ber.octets(signature),
        unsigned=more[0] if more and more[0].tag == 0xA1 else None,
    )


def _values(attributes: Node, name: str) -> tuple[Node, ...]:
    """The values of an attribute; two attributes of one name are refused, since one would hide."""
    found = [_group(a) for a in attributes.parts]
    named = [parts[1] for parts in found if ber.oid(parts[0]) == name]
    if len(named) > 1:
        raise Unreadable("an attribute of the signature stands twice")
    return _group(named[0], ber.SET) if named else ()


def _one(attributes: Node, name: str) -> Node:
    values = _values(attributes, name)
    if len(values) != 1:
        raise Unreadable("an attribute of the signature is missing or has several values")
    return values[0]


def _claimed(signer: _Signer) -> dt.datetime | None:
    values = _values(signer.attributes, _SIGNING_TIME) if signer.attributes else ()
    return ber.time(values[0]) if values else None


def _own_certificate(signer: _Signer, among: Sequence[bytes]) -> bytes:
    for der in among:
        try:
            if _is_of(signer.sid, der):
                return der
        except (ValueError, IndexError):
            continue  # Somebody else's certificate in the same blob may be unreadable.
    raise _Broken(Fault.NO_CERTIFICATE, "the certificate of the signer is not there")


def _is_of(sid: Node, der: bytes) -> bool:
    if sid.tag & 0xDF == 0x80:
        wanted = ber.octets(sid)
        return bool(wanted) and key_identifier(certificate(der)) == wanted
    issuer, serial = _group(sid)[:2]
    return issuer_and_serial(der) == (ber.der(issuer), ber.integer(serial))


def _check_content(signer: _Signer, content_type: str, content: Content) -> None:
    if signer.attributes is None:
        raise _Unsupported("the signature has no signed attributes")
    if ber.oid(_one(signer.attributes, _CONTENT_TYPE)) != content_type:
        raise _Broken(Fault.FORGED, "the signer signed another kind of content")
    claimed = ber.octets(_one(signer.attributes, _MESSAGE_DIGEST))
    if _digest(_hash(signer.digest), content) != claimed:
        raise _Broken(Fault.CHANGED, "the signer signed other bytes")


def _hash(name: str) -> hashes.HashAlgorithm:
    if name not in _HASHES:
        raise _Unsupported(f"digests by algorithm {name} are not read")
    return _HASHES[name]


def _digest(algorithm: hashes.HashAlgorithm, content: Content) -> bytes:
    found = hashlib.new(algorithm.name, usedforsecurity=False)
    for piece in content:
        found.update(piece)
    return found.digest()


def _check_signature(signer: _Signer, found: x509.Certificate) -> str:
    """Verify the key's signature over the attributes; its digest, raises a fault."""
    key = key_of(found)
    if key is None or signer.attributes is None:
        raise _Unsupported("keys of this kind are not read")
    name = ber.oid(_group(signer.algorithm)[0])
    # Signed is the set of attributes by itself, not the tagged field of the message.
    message = ber.der(signer.attributes, ber.SET)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, message, *_rsa(name, signer))
        elif isinstance(key, ec.EllipticCurvePublicKey):
            digest = signer.digest if name == _EC_PLAIN else _named(_ECDSA, name)
            key.verify(signer.signature, message, ec.ECDSA(_hash(digest)))
        elif name == _ED25519:
            key.verify(signer.signature, message)
        else:
            raise _Broken(Fault.FORGED, "key and algorithm of the signature do not fit")
    except InvalidSignature:
        raise _Broken(Fault.FORGED, "the key of the certificate did not make it") from None
    except UnsupportedAlgorithm as e:
        raise _Unsupported(reason(e)) from None
    return key_digest(key)


def _named(table: dict[str, str], name: str) -> str:
    if name not in table:
        raise _Unsupported(f"signatures by algorithm {name} are not read")
    return table[name]


def _rsa(name: str, signer: _Signer) -> tuple[padding.AsymmetricPadding, hashes.HashAlgorithm]:
    if name == _RSA_PSS:
        return _pss(signer.algorithm)
    digest = signer.digest if name == _RSA_PLAIN else _named(_RSA, name)
    return padding.PKCS1v15(), _hash(digest)


def _pss(algorithm: Node) -> tuple[padding.PSS, hashes.HashAlgorithm]:
    digest = mask = "1.3.14.3.2.26"
    salt = 20
    for field in _group(_group(algorithm)[1]):
        inner = field.parts[0]
        if field.tag == 0xA0:
            digest = ber.oid(_group(inner)[0])
        elif field.tag == 0xA1:
            mask = ber.oid(_group(_group(inner)[1])[0])
        elif field.tag == 0xA2:
            salt = ber.integer(inner)
    if not 0 <= salt <= 512:
        raise Unreadable("the salt of the signature is out of bounds")
    return padding.PSS(padding.MGF1(_hash(mask)), salt), _hash(digest)


def _weak(signer: _Signer, found: x509.Certificate) -> tuple[str, ...]:
    weak = []
    name = ber.oid(_group(signer.algorithm)[0])
    used = {signer.digest, _RSA.get(name), _ECDSA.get(name)}
    if "1.3.14.3.2.26" in used:
        weak.append("sha1")
    key = key_of(found)
    if isinstance(key, rsa.RSAPublicKey) and key.key_size < 2048:
        weak.append(f"rsa-{key.key_size}")
    return tuple(weak)
