"""Decisions of the demo as signed PDFs: a simulated authority, real signatures, planted faults.

Cast after everything else. The counts are for 126 units; keys and certificates are made with the
demo and open nothing else.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

import msgspec
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from msgspec.structs import replace

from checks.evidence import FailureKind
from checks.model import Severity, Status
from checks.signatures.writing import cms_file
from scanner.demo.keys import NewKey
from scanner.demo.plot import DecisionStory, LevelStory, SystemPlot, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected, Planted

_ALL = 126
_COUNTS = {DecisionStory.ALTERED: 3, DecisionStory.SCANNED: 4, DecisionStory.SIGNED: 60}
ROOT = "certificates/root.crt"
"""The simulated authority's certificate, which the city trusts for every unit."""
_ROOM = 8192
"""Hex digits kept free for a signature."""


def with_decisions(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Hand over some decisions as PDFs: most signed, some only scanned, some altered since."""
    fine = [s.id for u in units for s in u.systems if s.approved and s.story is LevelStory.FINE]
    random.shuffle(fine)
    stories: dict[str, DecisionStory] = {}
    for story, count in _COUNTS.items():
        for _ in range(max(1, round(count * len(units) / _ALL))):
            if fine:
                stories[fine.pop()] = story

    def told(system: SystemPlot) -> SystemPlot:
        return replace(system, decision=stories.get(system.id, DecisionStory.PAPER))

    return tuple(replace(u, systems=tuple(told(s) for s in u.systems)) for u in units)


def decision_path(system: SystemPlot) -> str:
    """Where the inventory says that a decision's PDF lies; empty when none was handed over."""
    return "" if system.decision is DecisionStory.PAPER else f"decisions/{system.id}.pdf"


# ------------------------------------------------------------------------------- what is expected


def planted_decision(system: SystemPlot) -> Iterator[Planted]:
    """What was planted in the decision's file."""
    if system.decision in (DecisionStory.ALTERED, DecisionStory.SCANNED):
        yield Planted(f"decision.{system.decision}", system.id)


def decision_row(unit: UnitPlot, system: SystemPlot, *, waived: bool) -> Expected:
    """The row of `security.decision-signed`; `waived` when a waiver covers it."""
    status, severity, failure, planted = Status.PASS, "", "", ""
    if system.story is LevelStory.LOST_RECORD:
        # Whether the record names a file cannot be seen.
        status, failure = Status.UNKNOWN, FailureKind.COMMAND_FAILED
        planted = f"level.{system.story}"
    elif system.decision is DecisionStory.PAPER:
        status = Status.NOT_APPLICABLE
    elif system.decision is not DecisionStory.SIGNED:
        status, planted = Status.FAIL, f"decision.{system.decision}"
        grave = KINDS[system.kind].level >= YEARLY_LEVEL
        severity = Severity.CRITICAL if grave else Severity.MAJOR
        if system.decision is DecisionStory.SCANNED:
            severity = Severity.MINOR
    settled = status in (Status.PASS, Status.NOT_APPLICABLE)
    return Expected(
        check="security.decision-signed",
        unit=unit.place.code,
        system=system.id,
        target=system.id,
        status=status,
        severity=severity,
        failure=failure,
        waived=waived and not settled,
        planted=planted,
    )


# ------------------------------------------------------------------------------------ the files


class _Authority(msgspec.Struct, frozen=True):
    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate
    root: x509.Certificate


def write_decisions(
    out: Path, units: Sequence[UnitPlot], now: dt.datetime, new_key: NewKey
) -> None:
    """Write every decision that was handed over, and the authority's certificate."""
    authority = _authority(now, new_key)
    (out / ROOT).parent.mkdir()
    (out / ROOT).write_bytes(authority.root.public_bytes(Encoding.PEM))
    (out / "decisions").mkdir()
    for unit in units:
        for system in unit.systems:
            if decision_path(system) and system.approved:
                at = dt.datetime.combine(system.approved, dt.time(9, 30), tzinfo=now.tzinfo)
                pdf = _pdf(system, at, authority)
                (out / decision_path(system)).write_bytes(pdf)


def _authority(now: dt.datetime, new_key: NewKey) -> _Authority:
    root_key, key = _signing_key(new_key), _signing_key(new_key)
    root_name = _name("Cơ quan chứng thực (mô phỏng)", "Dữ liệu mô phỏng")
    name = _name("Công an thành phố Hà Nội (mô phỏng)", "Công an thành phố Hà Nội (mô phỏng)")
    root = _certificate(root_name, root_key, root_name, root_key, now)
    return _Authority(key, _certificate(name, key, root_name, root_key, now), root)


def _signing_key(new_key: NewKey) -> ec.EllipticCurvePrivateKey:
    # Of the kind that authorities use; 31 bytes are never too large a number.
    secret = hashlib.sha256(new_key().private_bytes_raw()).digest()[:31]
    return ec.derive_private_key(int.from_bytes(secret, "big") or 1, ec.SECP256R1())


def _name(common: str, organisation: str) -> x509.Name:
    parts = {NameOID.COMMON_NAME: common, NameOID.ORGANIZATION_NAME: organisation}
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])


def _certificate(
    name: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    by: ec.EllipticCurvePrivateKey,
    now: dt.datetime,
) -> x509.Certificate:
    top = name == issuer
    usage = dict.fromkeys(
        ("key_encipherment", "data_encipherment", "key_agreement", "encipher_only"), False
    )
    usage |= {"decipher_only": False, "key_cert_sign": top, "crl_sign": top}
    usage |= {"digital_signature": not top, "content_commitment": not top}
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    serial = hashlib.sha256(public).digest()[:8]
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(int.from_bytes(serial, "big") >> 1 | 1)
        .not_valid_before(now - dt.timedelta(days=3650))
        .not_valid_after(now + dt.timedelta(days=3650))
        .add_extension(x509.BasicConstraints(top, None), critical=True)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
        )
    )
    try:
        return builder.sign(by, hashes.SHA256(), ecdsa_deterministic=True)
    except UnsupportedAlgorithm:
        return builder.sign(by, hashes.SHA256())


def _pdf(system: SystemPlot, at: dt.datetime, authority: _Authority) -> bytes:
    story = system.decision
    pdf = _document(_text(f"Quyet dinh phe duyet cap do: {system.id} (mo phong)"), at, story)
    if story is DecisionStory.SCANNED:
        return pdf
    pdf = _signed(pdf, at, authority)
    if story is DecisionStory.ALTERED:
        # A later hand writes the page anew behind the signature, as an incremental update.
        anew = {4: _text(f"Cap do 1: {system.id} (mo phong)")}
        pdf = _with_objects(pdf, anew, pdf.rindex(b"\nxref") + 1)
    return pdf


def _text(line: str) -> bytes:
    body = f"BT /F1 14 Tf 72 760 Td ({line}) Tj ET".encode("ascii")
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)


def _document(page: bytes, at: dt.datetime, story: DecisionStory) -> bytes:
    signed = story is not DecisionStory.SCANNED
    form = b" /AcroForm << /Fields [6 0 R] /SigFlags 3 >>" if signed else b""
    notes = b" /Annots [6 0 R]" if signed else b""
    objects = {
        1: b"<< /Type /Catalog /Pages 2 0 R%s >>" % form,
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R%s"
        b" /Resources << /Font << /F1 5 0 R >> >> >>" % notes,
        4: page,
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    if signed:
        objects[6] = (
            b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature1) /V 7 0 R"
            b" /Rect [0 0 0 0] /F 132 /P 3 0 R >>"
        )
        objects[7] = (
            b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
            b" /M (D:%s+00'00') /ByteRange [0 %s %s %s] /Contents <%s> >>"
        ) % (
            at.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S").encode(),
            *(b"*" * 10,) * 3,
            b"0" * _ROOM,
        )
    return _with_objects(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", objects, 0)


def _with_objects(before: bytes, objects: dict[int, bytes], earlier: int) -> bytes:
    """The objects, their table and the end after what is there; `earlier` is its table's place."""
    out = bytearray(before)
    if earlier:
        out += b"\n"
    table = b"" if earlier else b"0 1\n0000000000 65535 f \n"
    for number, body in objects.items():
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    place = len(out)
    previous = b" /Prev %d" % earlier if earlier else b""
    size = 8 if earlier else max(objects) + 1
    out += b"xref\n%strailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        size,
        previous,
        place,
    )
    return bytes(out)


def _signed(pdf: bytes, at: dt.datetime, authority: _Authority) -> bytes:
    start = pdf.index(b"/Contents <0") + len(b"/Contents ")
    end = start + _ROOM + 2
    for number in (start, end, len(pdf) - end):
        pdf = pdf.replace(b"*" * 10, b"%-10d" % number, 1)
    blob = cms_file(
        [pdf[:start], pdf[end:]], authority.key, authority.certificate, (authority.root,), at
    )
    return pdf[: start + 1] + blob.hex().encode().ljust(_ROOM, b"0") + pdf[end - 1 :]
