"""The simulated authority of the demo: one root, and the certificates that it issues.

Keys and certificates are made with the demo and open nothing else.
"""

from __future__ import annotations

import datetime as dt
import hashlib

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from scanner.demo.keys import NewKey

_YEARS = dt.timedelta(days=3650)


class SigningKey(msgspec.Struct, frozen=True):
    """A key with its certificate and the root above it."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    root: x509.Certificate


class Authority:
    """The root; `now` (aware) is in the middle of the time for which everything is valid."""

    def __init__(self, now: dt.datetime, new_key: NewKey) -> None:
        self._now, self._new_key = now, new_key
        self._key = self._new()
        self._name = _name("Cơ quan chứng thực (mô phỏng)", "Dữ liệu mô phỏng")
        self._root = self._certificate(self._name, self._key)

    @property
    def pem(self) -> bytes:
        """The root's certificate."""
        return self._root.public_bytes(Encoding.PEM)

    def issue(self, common: str, organisation: str) -> SigningKey:
        """A new key and its certificate, for a person of an organisation or the body itself."""
        key = self._new()
        return SigningKey(key, self._certificate(_name(common, organisation), key), self._root)

    def _new(self) -> ec.EllipticCurvePrivateKey:
        # Of the kind that authorities use; 31 bytes are never too large a number.
        secret = hashlib.sha256(self._new_key().private_bytes_raw()).digest()[:31]
        return ec.derive_private_key(int.from_bytes(secret, "big") or 1, ec.SECP256R1())

    def _certificate(self, name: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
        top = name == self._name
        usage = dict.fromkeys(
            ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
        )
        usage |= {"decipher_only": False, "key_cert_sign": top, "crl_sign": top}
        usage |= {"digital_signature": not top, "content_commitment": not top}
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        serial = hashlib.sha256(public).digest()[:8]
        above = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(int.from_bytes(serial, "big") >> 1 | 1)
            .not_valid_before(self._now - _YEARS)
            .not_valid_after(self._now + _YEARS)
            .add_extension(x509.BasicConstraints(top, None), critical=True)
            .add_extension(x509.KeyUsage(**usage), critical=True)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
            )
            .add_extension(above, critical=False)
        )
        try:
            return builder.sign(self._key, hashes.SHA256(), ecdsa_deterministic=True)
        except UnsupportedAlgorithm:
            return builder.sign(self._key, hashes.SHA256())


def _name(common: str, organisation: str) -> x509.Name:
    parts = {NameOID.COMMON_NAME: common, NameOID.ORGANIZATION_NAME: organisation}
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])
