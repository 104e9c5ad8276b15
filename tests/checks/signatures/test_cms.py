"""Detached signatures by the real openssl and by cryptography: held, and every way to break."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, pkcs7
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.signatures import writing
from checks.signatures.ber import Unreadable, read
from checks.signatures.certificates import certificates, public_key
from checks.signatures.cms import read_cms
from checks.signatures.detached import cms_signatures, raw_signature, read_raw
from checks.signatures.model import Fault, Person
from checks.signatures.writing import cms_file
from tests.helpers.signing import END, START, Made, make, openssl, openssl_cms

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)
SHA256 = "2.16.840.1.101.3.4.2.1"
DATA = "system: hk-một-cửa\nlevel: 2\n".encode()


@pytest.fixture(scope="module")
def root() -> Made:
    return make("ec", authority=True)


@pytest.fixture(scope="module")
def signer(root: Made) -> Made:
    return make("rsa", root)


@pytest.mark.parametrize("kind", ["rsa", "ec"])
@pytest.mark.parametrize("more", [(), ("-keyid",), ("-md", "sha512"), ("-nodetach", "-indef")])
def test_what_openssl_signs_holds_and_only_over_these_bytes(
    kind: str, more: tuple[str, ...], root: Made, tmp_path: Path
) -> None:
    one = make(kind, root)
    blob = openssl_cms(tmp_path, DATA, one, more=more)
    (found,) = cms_signatures(DATA, blob)
    assert (found.fault, found.kind, found.weak) == (None, "x509", ())
    assert found.holder is not None
    assert found.holder.person.name == "Nguyễn Văn A"
    assert found.holder.person.organisation == "UBND phường Hoàn Kiếm"
    assert (found.holder.not_before, found.holder.not_after) == (START, END)
    assert found.holder.der == one.der
    assert found.key == found.holder.key
    assert found.claimed is not None
    assert abs(found.claimed - dt.datetime.now(dt.UTC)) < dt.timedelta(minutes=5)  # noqa: TID251
    for other in (DATA + b"\n", DATA[:-1], b"", DATA.replace(b"2", b"1")):
        (broken,) = cms_signatures(other, blob)
        assert broken.fault is Fault.CHANGED
        assert broken.key == ""


@pytest.mark.parametrize("word", ["CMS", "PKCS7"])
def test_pem_is_read_too(word: str, signer: Made, tmp_path: Path) -> None:
    blob = base64.encodebytes(openssl_cms(tmp_path, DATA, signer))
    pem = f"-----BEGIN {word}-----\n".encode() + blob + f"-----END {word}-----\n".encode()
    (found,) = cms_signatures(DATA, pem)
    assert found.holds
    (found,) = cms_signatures(DATA, pem.replace(b"-----END", b"-----ENDE"))
    assert found.fault is Fault.UNREADABLE


def test_what_cryptography_signs_holds(signer: Made) -> None:
    blob = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(DATA)
        .add_signer(signer.certificate, signer.key, hashes.SHA384())  # type: ignore[arg-type]
        .sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature, pkcs7.PKCS7Options.Binary])
    )
    (found,) = cms_signatures(DATA, blob)
    assert found.holds


def test_rsa_pss_and_weak_algorithms(root: Made, signer: Made, tmp_path: Path) -> None:
    pss = openssl_cms(tmp_path, DATA, signer, more=("-keyopt", "rsa_padding_mode:pss"))
    assert cms_signatures(DATA, pss)[0].holds
    old = openssl_cms(tmp_path, DATA, signer, more=("-md", "sha1"))
    assert cms_signatures(DATA, old)[0].weak == ("sha1",)
    small = openssl_cms(tmp_path, DATA, make("rsa-1024", root))
    assert cms_signatures(DATA, small)[0].weak == ("rsa-1024",)


def test_several_signers_are_each_told(root: Made, signer: Made, tmp_path: Path) -> None:
    blob = openssl_cms(tmp_path, DATA, signer, make("ec", root))
    assert [s.holds for s in cms_signatures(DATA, blob)] == [True, True]


def test_a_signature_by_another_key_is_forged(root: Made, signer: Made, tmp_path: Path) -> None:
    # The certificate of the official, put in the place of the forger's own: same name and number.
    forger = make("rsa", root)
    blob = openssl_cms(tmp_path, DATA, forger, more=("-nocerts",))
    (found,) = cms_signatures(DATA, blob, [forger.der])
    assert found.holds
    (found,) = cms_signatures(DATA, blob, [signer.der])
    assert found.fault is Fault.NO_CERTIFICATE
    good = openssl_cms(tmp_path, DATA, signer)
    place = good.rindex(b"\x04\x82\x01\x00") + 40
    broken = good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :]
    (found,) = cms_signatures(DATA, broken)
    assert found.fault is Fault.FORGED
    assert found.key == ""


def test_attributes_cannot_be_exchanged(signer: Made, tmp_path: Path) -> None:
    """The digest of other bytes, put into the signed attributes, is a forgery."""
    blob = openssl_cms(tmp_path, DATA, signer, more=("-md", "sha256"))
    other = DATA.replace(b"2", b"3")
    ours, theirs = _sha256(DATA), _sha256(other)
    assert blob.count(ours) == 1
    (found,) = cms_signatures(other, blob.replace(ours, theirs))
    assert found.fault is Fault.FORGED


def test_the_kind_of_content_is_signed_too(root: Made) -> None:
    one = make("ec", root)
    blob = cms_file([DATA], one.key, one.certificate, (), NOW)
    kind = bytes.fromhex("300b06092a864886f70d0107")
    assert blob.count(kind + b"\x01") == 1
    (found,) = cms_signatures(DATA, blob.replace(kind + b"\x01", kind + b"\x03"))
    assert found.fault is Fault.FORGED


def test_an_attribute_that_stands_twice_is_refused(
    root: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readers differ on which of the two counts, so neither does."""
    one = make("ec", root)
    ours, theirs = (writing._attributes([d], SHA256, NOW) for d in (DATA, b"other"))
    monkeypatch.setattr(writing, "_attributes", lambda *_: [*ours, theirs[-1]])
    for data in (DATA, b"other"):
        (found,) = cms_signatures(data, cms_file([data], one.key, one.certificate, (), NOW))
        assert found.fault is Fault.UNREADABLE


def test_what_it_encloses_must_be_the_file(signer: Made, tmp_path: Path) -> None:
    blob = openssl_cms(tmp_path, DATA, signer, more=("-nodetach",))
    assert cms_signatures(DATA, blob)[0].holds
    assert blob.count(DATA) == 1
    # The digest of the file still holds; a reader of the blob would be shown something else.
    (found,) = cms_signatures(DATA, blob.replace(DATA, DATA.replace(b"2", b"5")))
    assert found.fault is Fault.CHANGED


def _sha256(data: bytes) -> bytes:
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return digest.finalize()


def test_kinds_that_are_not_read_say_so(signer: Made, tmp_path: Path) -> None:
    bare = openssl_cms(tmp_path, DATA, signer, more=("-noattr",))
    assert cms_signatures(DATA, bare)[0].fault is Fault.UNSUPPORTED
    md5 = openssl_cms(tmp_path, DATA, signer, more=("-md", "md5"))
    assert cms_signatures(DATA, md5)[0].fault is Fault.UNSUPPORTED


@pytest.mark.parametrize(
    "blob",
    [b"", b"\0", b"hello", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff", b"\x30\x03\x02\x01\x01"],
)
def test_what_is_no_signature(blob: bytes) -> None:
    (found,) = cms_signatures(DATA, blob)
    assert found.fault is Fault.UNREADABLE
    with pytest.raises(Unreadable):
        read_cms(blob)


def test_something_after_the_signature_is_refused(signer: Made, tmp_path: Path) -> None:
    blob = openssl_cms(tmp_path, DATA, signer)
    assert cms_signatures(DATA, blob + b"\0\0")[0].holds
    assert cms_signatures(DATA, blob + b"x")[0].fault is Fault.UNREADABLE


def test_deep_nesting_and_many_parts_end_at_once() -> None:
    for blob in (b"\x30\x80" * 100_000, b"\x30\x83\x10\x00\x00" + b"\x05\x00" * 524_288):
        (found,) = cms_signatures(DATA, blob)
        assert found.fault is Fault.UNREADABLE


# ------------------------------------------------------------------------------------- Ed25519


def test_ed25519_by_openssl_raw_and_in_base64(tmp_path: Path) -> None:
    openssl("genpkey", "-algorithm", "ed25519", "-out", "k.pem", cwd=tmp_path)
    public = public_key(openssl("pkey", "-in", "k.pem", "-pubout", cwd=tmp_path))
    (tmp_path / "record").write_bytes(DATA)
    sign = ("pkeyutl", "-sign", "-rawin", "-inkey", "k.pem", "-in", "record")
    raw = openssl(*sign, cwd=tmp_path)
    other = Ed25519PrivateKey.generate().public_key()
    for text in (raw, base64.b64encode(raw), base64.encodebytes(raw)):
        found = raw_signature(DATA, text, [other, public])
        assert found.holds
        assert found.key
        assert raw_signature(DATA, text, [other]).fault is Fault.FORGED
        assert raw_signature(DATA + b" ", text, [public]).fault is Fault.FORGED
        assert raw_signature(DATA, text, []).fault is Fault.FORGED


@pytest.mark.parametrize("text", [b"", b"x", b"%%%", base64.b64encode(b"1" * 63), b"A" * 9999])
def test_what_is_no_ed25519_signature(text: bytes) -> None:
    assert raw_signature(DATA, text, []).fault is Fault.UNREADABLE
    with pytest.raises(Unreadable):
        read_raw(text)


def test_keys_from_every_spelling_and_no_private_one() -> None:
    key = Ed25519PrivateKey.generate()
    public = key.public_key()
    for encoding, form in (
        (Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        (Encoding.OpenSSH, PublicFormat.OpenSSH),
    ):
        assert public_key(public.public_bytes(encoding, form)) == public
    with pytest.raises(Unreadable, match="private key"):
        public_key(make("ec").key_pem)
    for text in (b"", b"hello", b"ssh-ed25519 AAAA", b"-----BEGIN PUBLIC KEY-----\n", b"1" * 2**21):
        with pytest.raises(Unreadable):
            public_key(text)
        with pytest.raises(Unreadable):
            certificates(text)


def test_a_strange_certificate_is_no_proof_of_a_forgery(root: Made, tmp_path: Path) -> None:
    good = openssl_cms(tmp_path, DATA, make("ec", root))
    version = b"\xa0\x03\x02\x01\x02"
    assert good.count(version) == 1
    (found,) = cms_signatures(DATA, good.replace(version, b"\xa0\x03\x02\x01\x09"))
    assert found.fault is Fault.UNSUPPORTED
    # A name in an alphabet that it does not have: who it is stays unsaid.
    name = b"\x0c\x0fNguy"
    assert good.count(name) == 1
    (found,) = cms_signatures(DATA, good.replace(name, b"\x03\x0fNguy"))
    assert found.holds
    assert found.holder is not None
    assert found.holder.person == Person()


def test_keys_of_other_kinds_are_not_judged(tmp_path: Path) -> None:
    openssl("genpkey", "-genparam", "-algorithm", "DSA", "-out", "p", cwd=tmp_path)
    openssl("genpkey", "-paramfile", "p", "-out", "k", cwd=tmp_path)
    request = ("req", "-x509", "-key", "k", "-out", "c", "-subj", "/CN=Old", "-days", "9")
    openssl(*request, cwd=tmp_path)
    (tmp_path / "content").write_bytes(DATA)
    args = ("cms", "-sign", "-binary", "-in", "content", "-outform", "DER", "-signer", "c")
    (found,) = cms_signatures(DATA, openssl(*args, "-inkey", "k", cwd=tmp_path))
    assert found.fault is Fault.UNSUPPORTED


def test_personal_numbers_never_come_out(root: Made, tmp_path: Path) -> None:
    from cryptography.x509.oid import NameOID  # noqa: PLC0415

    who = {NameOID.COMMON_NAME: "Trần B 012345678901 - 0912 345 678", NameOID.TITLE: "Chủ tịch"}
    (found,) = cms_signatures(DATA, openssl_cms(tmp_path, DATA, make("ec", root, who=who)))
    assert found.holder is not None
    assert found.holder.person.name == "Trần B … - …"
    assert found.holder.person.title == "Chủ tịch"
    (found,) = cms_signatures(DATA, openssl_cms(tmp_path, DATA, make("ec", root)))
    assert found.holder is not None
    shown = str(found.holder.person) + str(found.holder.issuer) + found.reason
    for secret in ("012345678901", "0101234567", "CMND", "a@hanoi"):
        assert secret not in shown


# ---------------------------------------------------------------------------------------- fuzz


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return openssl_cms(tmp_path_factory.mktemp("cms"), DATA, make("ec"))


@settings(max_examples=400, deadline=None)
@given(st.data())
def test_a_damaged_signature_is_a_value_never_an_exception(
    good: bytes, data: st.DataObject
) -> None:
    blob = bytearray(good)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(blob) - 1))
        blob[at] = data.draw(st.integers(0, 255))
    cut = bytes(blob[: data.draw(st.integers(0, len(blob)))])
    for one in (bytes(blob), cut):
        assert cms_signatures(DATA, one)
        # Damage in a part that nobody signed may leave it whole; other bytes never pass.
        assert not any(s.holds for s in cms_signatures(DATA + b"!", one))


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_unreadable(blob: bytes) -> None:
    try:
        node, rest = read(blob)
    except Unreadable:
        pass
    else:
        assert node.raw + rest == blob
    assert all(not s.holds for s in cms_signatures(DATA, blob))
