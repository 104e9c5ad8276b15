"""Detached signatures: a file, and beside it who signed these very bytes.

`<file>.sig`: an Ed25519 signature, 64 bytes raw or in base64. `<file>.p7s`: CMS, DER or PEM.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from checks.signatures.ber import Unreadable
from checks.signatures.certificates import PublicKey, key_digest
from checks.signatures.cms import read_cms, verify
from checks.signatures.model import Fault, Signature

_SIZE = 64
_LONGEST = 4096


def read_raw(signature: bytes) -> bytes:
    """The 64 bytes of an Ed25519 signature file, raw or in base64; raises `Unreadable`."""
    if len(signature) == _SIZE:
        return signature
    if len(signature) > _LONGEST:
        raise Unreadable("is too large to be an Ed25519 signature")
    try:
        found = base64.b64decode(b"".join(signature.split()), validate=True)
    except binascii.Error:
        raise Unreadable("is neither 64 bytes nor their base64") from None
    if len(found) != _SIZE:
        raise Unreadable(f"holds {len(found)} bytes; an Ed25519 signature has 64")
    return found


def raw_signature(data: bytes, signature: bytes, keys: Sequence[PublicKey]) -> Signature:
    """Which of the keys signed these bytes; none did: `Fault.FORGED`, for the file or the key."""
    try:
        wanted = read_raw(signature)
    except Unreadable as e:
        return Signature(kind="ed25519", fault=Fault.UNREADABLE, reason=str(e))
    for key in keys:
        if not isinstance(key, Ed25519PublicKey):
            continue
        try:
            key.verify(wanted, data)
        except InvalidSignature:
            continue
        return Signature(kind="ed25519", key=key_digest(key))
    reason = "no declared Ed25519 key made this signature over these bytes"
    return Signature(kind="ed25519", fault=Fault.FORGED, reason=reason)


def cms_signatures(data: bytes, blob: bytes, known: Sequence[bytes] = ()) -> tuple[Signature, ...]:
    """Every signer of a CMS file over these bytes; at least one value, never raises.

    `known` are certificates (DER) of which the signer's may be one, when the blob holds none.
    """
    try:
        signed = read_cms(blob)
    except Unreadable as e:
        return (Signature(kind="x509", fault=Fault.UNREADABLE, reason=str(e)),)
    return verify(signed, [data], known)
