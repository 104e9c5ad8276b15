"""CMS (PKCS#7) signatures: read here, verified with the primitives of `cryptography`.

Every signer must have signed attributes: their digest of the content and the key's signature over
them are both verified. Who the signer is, and whether anybody trusts him, is not judged here.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import re
from collections.abc import Sequence

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature

from checks.signatures import algorithms, ber
from checks.signatures.algorithms import Content, Unsupported
from checks.signatures.ber import Node, Unreadable
from checks.signatures.certificates import (
    REFUSED,
    PublicKey,
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

_SIGNED_DATA = "1.2.840.113549.1.7.2"
_STAMP_INFO = "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE = "1.2.840.113549.1.9.3"
_MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
_SIGNING_TIME = "1.2.840.113549.1.9.5"
_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14"  # noqa: S105 - an identifier


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
        loaded = _loaded(own)
        found = msgspec.structs.replace(found, holder=holder(loaded), others=rest)
        if outer is not None:
            raise outer
        _check_content(signer, signed.content_type, content)
        key = _key(loaded)
        _check_signature(signer, key)
    except _Broken as e:
        return _with(found, e.fault, str(e))
    except Unsupported as e:
        return _with(found, Fault.UNSUPPORTED, str(e))
    except (*REFUSED, IndexError) as e:
        return _with(found, Fault.UNREADABLE, reason(e))
    weak = algorithms.weak(key, signer.algorithm, signer.digest)
    return msgspec.structs.replace(found, key=key_digest(key), weak=weak)


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
        if algorithms.digest(name, content) != ber.octets(digest):
            return _with(found, Fault.CHANGED, "the time stamp is of other bytes")
        return msgspec.structs.replace(found, claimed=ber.time(fields[4]))
    except Unsupported as e:
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


def _loaded(der: bytes) -> x509.Certificate:
    try:
        return certificate(der)
    except Unreadable as e:
        # A strange certificate is no proof of a forgery.
        raise Unsupported(str(e)) from None


def _key(found: x509.Certificate) -> PublicKey:
    key = key_of(found)
    if key is None:
        raise Unsupported("keys of this kind are not read")
    return key


def _is_of(sid: Node, der: bytes) -> bool:
    if sid.tag & 0xDF == 0x80:
        wanted = ber.octets(sid)
        return bool(wanted) and key_identifier(certificate(der)) == wanted
    issuer, serial = _group(sid)[:2]
    return issuer_and_serial(der) == (ber.der(issuer), ber.integer(serial))


def _check_content(signer: _Signer, content_type: str, content: Content) -> None:
    if signer.attributes is None:
        raise Unsupported("the signature has no signed attributes")
    if ber.oid(_one(signer.attributes, _CONTENT_TYPE)) != content_type:
        raise _Broken(Fault.FORGED, "the signer signed another kind of content")
    claimed = ber.octets(_one(signer.attributes, _MESSAGE_DIGEST))
    if algorithms.digest(signer.digest, content) != claimed:
        raise _Broken(Fault.CHANGED, "the signer signed other bytes")


def _check_signature(signer: _Signer, key: PublicKey) -> None:
    if signer.attributes is None:
        raise Unsupported("the signature has no signed attributes")
    # Signed is the set of attributes by itself, not the tagged field of the message.
    message = ber.der(signer.attributes, ber.SET)
    try:
        algorithms.check(key, signer.algorithm, signer.digest, signer.signature, message)
    except InvalidSignature:
        raise _Broken(Fault.FORGED, "the key of the certificate did not make it") from None
