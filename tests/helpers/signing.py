"""Real keys, certificates, CMS and PDF signatures, made anew for the tests that read them."""

from __future__ import annotations

import datetime as dt
import subprocess
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from asn1crypto import keys
from asn1crypto import x509 as other
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from pyhanko.pdf_utils.generic import StreamObject
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.writer import PageObject, PdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter
from pyhanko.sign.timestamps import DummyTimeStamper
from pyhanko_certvalidator.registry import SimpleCertificateStore

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Ed25519PrivateKey

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
END = dt.datetime(2031, 1, 1, tzinfo=dt.UTC)
WHO = {
    NameOID.COMMON_NAME: "Nguyễn Văn A",
    NameOID.ORGANIZATION_NAME: "UBND phường Hoàn Kiếm",
    NameOID.USER_ID: "CMND:012345678901",
    NameOID.SERIAL_NUMBER: "MST:0101234567",
    NameOID.EMAIL_ADDRESS: "a@hanoi.example",
}
"""A subject as Vietnamese authorities write them, personal numbers included."""


class Made(NamedTuple):
    """A certificate with its key, and those above it up to the root."""

    key: Private
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def der(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> bytes:
        """The certificate."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The private key, unencrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """Key file and certificate file for the programs that want them."""
        key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
        key.write_bytes(self.key_pem)
        certificate.write_bytes(self.pem)
        return key, certificate


def new_key(kind: str = "ec") -> Private:
    """A key: `ec`, `rsa`, `rsa-1024` or `ed25519`."""
    if kind == "ed25519":
        return Ed25519PrivateKey.generate()
    if kind == "ec":
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 1024 if kind == "rsa-1024" else 2048)


def make(
    kind: str = "ec",
    by: Made | None = None,
    *,
    who: dict[x509.ObjectIdentifier, str] | None = None,
    authority: bool = False,
    start: dt.datetime = START,
    end: dt.datetime = END,
    signs: bool = True,
    stamps: bool = False,
    certifies: bool | None = None,
) -> Made:
    """A certificate, self-signed or by another; `signs` puts digitalSignature in its key usage.

    `stamps` makes it one of a time stamp service; `certifies` sets keyCertSign by itself.
    """
    key = new_key(kind)
    subject = _name(who or ({NameOID.COMMON_NAME: "Root"} if authority else WHO))
    issuer = by.certificate.subject if by else subject
    usage = x509.KeyUsage(
        digital_signature=signs and not authority,
        content_commitment=signs and not authority,
        key_encipherment=not signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority if certifies is None else certifies,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
    public = key.public_key()
    above = by or Made(key, None)  # type: ignore[arg-type]
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
        .add_extension(x509.BasicConstraints(authority, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(above.key.public_key()), False
        )
    )
    if stamps:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])  # type: ignore[assignment]
        builder = builder.add_extension(usage, critical=True)
    bare = isinstance(above.key, Ed25519PrivateKey)
    certificate = builder.sign(above.key, None if bare else hashes.SHA256())
    chain = (by.certificate, *by.above) if by else ()
    return Made(key, certificate, chain)


def _name(parts: dict[x509.ObjectIdentifier, str]) -> x509.Name:
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])


def openssl(*args: str | Path, cwd: Path, stdin: bytes = b"") -> bytes:
    """Run the real program; its error output is the failure's text."""
    done = subprocess.run(
        ["openssl", *map(str, args)], cwd=cwd, input=stdin, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def openssl_cms(folder: Path, data: bytes, *by: Made, more: tuple[str, ...] = ()) -> bytes:
    """A detached CMS signature by the real program, DER."""
    (folder / "content").write_bytes(data)
    args: list[str | Path] = ["cms", "-sign", "-binary", "-in", "content", "-outform", "DER"]
    for number, one in enumerate(by):
        key, certificate = one.write(folder, f"signer-{number}")
        args += ["-signer", certificate, "-inkey", key]
    return openssl(*args, *more, cwd=folder)


def plain_pdf(text: bytes = b"BT ET") -> bytes:
    """A PDF of one page."""
    writer = PdfFileWriter(stream_xrefs=False)
    content = writer.add_object(StreamObject(stream_data=text))
    writer.insert_page(PageObject(contents=content, media_box=(0, 0, 595, 842)))
    out = BytesIO()
    writer.write(out)
    return out.getvalue()


def _loaded(one: Made) -> tuple[keys.PrivateKeyInfo, other.Certificate, SimpleCertificateStore]:
    """Key, certificate and those above it as pyHanko's own values."""
    store = SimpleCertificateStore()
    store.register_multiple(other.Certificate.load(c.public_bytes(Encoding.DER)) for c in one.above)
    der = one.key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return keys.PrivateKeyInfo.load(der), other.Certificate.load(one.der), store


def _service(one: Made) -> DummyTimeStamper:
    key, certificate, store = _loaded(one)
    return DummyTimeStamper(tsa_cert=certificate, tsa_key=key, certs_to_embed=store)


def signed_pdf(
    pdf: bytes, by: Made, name: str = "Sig1", *, pades: bool = False, stamp: Made | None = None
) -> bytes:
    """The PDF with one more signature, made by pyHanko; `stamp` is a time stamp service's."""
    key, certificate, store = _loaded(by)
    meta = signers.PdfSignatureMetadata(
        field_name=name,
        md_algorithm="sha512" if isinstance(by.key, Ed25519PrivateKey) else "sha256",
        subfilter=SigSeedSubFilter.PADES if pades else None,
    )
    out: BytesIO = signers.sign_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf)),
        meta,
        signer=signers.SimpleSigner(signing_cert=certificate, signing_key=key, cert_registry=store),
        timestamper=_service(stamp) if stamp else None,
    )
    return out.getvalue()


def stamped_pdf(pdf: bytes, service: Made) -> bytes:
    """The PDF with a document time stamp over all of it."""
    out: BytesIO = signers.PdfTimeStamper(_service(service)).timestamp_pdf(
        IncrementalPdfFileWriter(BytesIO(pdf)), "sha256"
    )
    return out.getvalue()


def updated_pdf(pdf: bytes, text: bytes = b"BT (changed) Tj ET") -> bytes:
    """The PDF with its page written anew behind everything, as an incremental update."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    page = writer.root["/Pages"]["/Kids"][0]
    page["/Contents"] = writer.add_object(StreamObject(stream_data=text))
    writer.mark_update(page.container_ref)
    out = BytesIO()
    writer.write(out)
    return out.getvalue()
