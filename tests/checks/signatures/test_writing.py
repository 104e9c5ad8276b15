"""Signatures that we make: read back here, and verified by the real openssl and by pyHanko."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from asn1crypto import cms as other
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from pyhanko.sign.validation.generic_cms import validate_sig_integrity

from checks.signatures.detached import cms_signatures, raw_signature
from checks.signatures.writing import cms_file, raw_file
from tests.helpers.signing import Made, make, new_key, openssl

DATA = "system: hk-một-cửa\nlevel: 2\n".encode()
AT = dt.datetime(2026, 11, 20, 3, 4, 5, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def root() -> Made:
    return make(authority=True)


@pytest.mark.parametrize("kind", ["rsa", "ec", "ed25519"])
def test_what_we_sign_we_read(kind: str, root: Made) -> None:
    one = make(kind, root)
    blob = cms_file([DATA[:5], DATA[5:]], one.key, one.certificate, one.above, AT)
    (found,) = cms_signatures(DATA, blob)
    assert (found.fault, found.claimed, found.weak) == (None, AT, ())
    assert found.holder is not None
    assert found.holder.der == one.der
    assert found.others == (root.der,)
    assert not cms_signatures(DATA + b" ", blob)[0].holds


@pytest.mark.parametrize("kind", ["rsa", "ec"])
def test_openssl_verifies_it(kind: str, root: Made, tmp_path: Path) -> None:
    one = make(kind, root)
    (tmp_path / "content").write_bytes(DATA)
    (tmp_path / "root.crt").write_bytes(root.pem)
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - what the program compares with
    (tmp_path / "x.p7s").write_bytes(cms_file([DATA], one.key, one.certificate, one.above, now))
    args = ("cms", "-verify", "-binary", "-inform", "DER", "-in", "x.p7s", "-content", "content")
    checked = openssl(*args, "-purpose", "any", "-CAfile", "root.crt", cwd=tmp_path)
    assert checked == DATA
    (tmp_path / "content").write_bytes(DATA + b" ")
    with pytest.raises(AssertionError, match="Verification failure"):
        openssl(*args, "-purpose", "any", "-CAfile", "root.crt", cwd=tmp_path)


def test_another_reader_verifies_ed25519_too(root: Made) -> None:
    one = make("ed25519", root)
    blob = cms_file([DATA], one.key, one.certificate, one.above, AT)
    signed = other.ContentInfo.load(blob)["content"]
    signer = signed["signer_infos"][0]
    certificate = signed["certificates"][0].chosen
    for candidate in (c.chosen for c in signed["certificates"]):
        if candidate.serial_number == one.certificate.serial_number:
            certificate = candidate
    import hashlib  # noqa: PLC0415

    intact, valid = validate_sig_integrity(
        signer, certificate, "data", actual_digest=hashlib.sha512(DATA).digest()
    )
    assert (intact, valid) == (True, True)


def test_a_raw_signature_is_the_one_that_openssl_verifies(tmp_path: Path) -> None:
    import base64  # noqa: PLC0415

    key = Ed25519PrivateKey.generate()
    text = raw_file(DATA, key)
    assert raw_signature(DATA, text, [key.public_key()]).holds
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (tmp_path / "k.pub").write_bytes(public)
    (tmp_path / "record").write_bytes(DATA)
    (tmp_path / "sig").write_bytes(base64.b64decode(text))
    args = ("pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", "k.pub", "-in", "record")
    assert b"Success" in openssl(*args, "-sigfile", "sig", cwd=tmp_path)


def test_a_key_of_somebody_else_is_refused(root: Made) -> None:
    one = make("ec", root)
    with pytest.raises(ValueError, match="does not belong"):
        cms_file([DATA], new_key("ec"), one.certificate, (), AT)


@pytest.mark.parametrize("year", [1949, 1950, 2049, 2050])
def test_every_year_is_written_so_that_it_is_read(year: int, root: Made) -> None:
    one = make("ec", root)
    at = AT.replace(year=year)
    (found,) = cms_signatures(DATA, cms_file([DATA], one.key, one.certificate, (), at))
    assert found.claimed == at
