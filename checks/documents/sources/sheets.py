"""Attached files looked into while they stream by: the signatures of PDFs, the light check.

A PDF is held whole while it is read, one at a time and never more than `MOST_PDF` bytes; the same
file in many packets is read once.
"""

from __future__ import annotations

import re

from cryptography.x509.oid import ObjectIdentifier

from checks.documents.seals import Mark, Sheet, Signer
from checks.folding import words
from checks.signatures.ber import Unreadable
from checks.signatures.certificates import REFUSED, certificate, quiet
from checks.signatures.model import Person, Signature
from checks.signatures.pdf import PdfSignature, read_pdf
from checks.texts import clean

MOST_PDF = 32 * 1024 * 1024
"""Bytes of a PDF whose signatures are read; a larger one is said to be too large."""
MOST_SHEETS = 50_000
"""Different PDFs of one source."""
MOST_SIGNERS = 5_000
"""Different certificates of one source whose chain can be followed."""

_HEAD = 1024
_UID = ObjectIdentifier("0.9.2342.19200300.100.1.1")
_SERIAL = ObjectIdentifier("2.5.4.5")
_ORGANISATION_ID = ObjectIdentifier("2.5.4.97")
_PERSONAL = (ObjectIdentifier("2.5.4.4"), ObjectIdentifier("2.5.4.42"))
"""Surname and given name."""
_OF_PEOPLE = re.compile(r"(?:CMND|CMT|CCCD|CC|DDCN|HC|PNO|PAS|IDC)[VN]{0,2}\s*[:\-]")
_OF_BODIES = re.compile(r"(?:MST|MNS|MSDN|GPKD|QHNS|MDVQHNS|VAT|NTR)[VN]{0,2}\s*[:\-]")
_BODIES = re.compile(
    r"(?:UBND|UY BAN|HDND|HOI DONG|BO|SO|PHONG|BAN|CUC|CHI CUC|TONG CUC|VU|VIEN|TRUNG TAM|TRUONG|"
    r"VAN PHONG|THANH TRA|DANG UY|TINH UY|THANH UY|MAT TRAN|HOI|LIEN DOAN|CONG TY|BENH VIEN|"
    r"TRAM|CONG AN|TOA AN|KHO BAC|BAO HIEM|NGAN HANG|QUY|DAI|BQL)\b"
)
"""How the names of bodies begin, folded."""
_NAME = re.compile(r"[A-Z]+(?: [A-Z]+){1,6}")


class Sheets:
    """Reads the attachments of one source, each by `begin`, `feed` and `end`."""

    def __init__(self) -> None:
        self.signers: dict[str, Signature] = {}
        self._known: dict[str, Sheet] = {}
        self._packet: list[Sheet] = []
        self._data: bytearray | None = None
        self._pdf = self._told = False
        self.begin()

    def begin(self) -> None:
        """A file begins; what came of one that was not ended is forgotten."""
        self._data, self._pdf, self._told = bytearray(), False, False

    def feed(self, data: bytes) -> None:
        """Some of its bytes, in pieces of any size."""
        held = self._data
        if held is None:
            return
        held += data
        if not self._told and len(held) >= _HEAD:
            self._tell(held)
        wanted = self._pdf or not self._told
        self._data = held if wanted and len(held) <= MOST_PDF else None

    def _tell(self, held: bytes | bytearray) -> None:
        """Say by its beginning whether it is a PDF."""
        self._told, self._pdf = True, b"%PDF-" in held[:_HEAD]

    def end(self, sha256: str) -> None:
        """It is complete; `sha256` is its digest in hex."""
        if not self._told:
            self._tell(self._data or b"")
        sheet = self._known.get(sha256)
        if sheet is None:
            sheet = self._read()
            if self._pdf and len(self._known) < MOST_SHEETS:
                self._known[sha256] = sheet
        self._packet.append(sheet)
        self.begin()

    def done(self) -> tuple[Sheet, ...]:
        """The files of the packet that ends here."""
        found, self._packet = tuple(self._packet), []
        return found

    def _read(self) -> Sheet:
        if not self._pdf:
            return Sheet()
        if self._data is None:
            return Sheet(pdf=True, problem=f"larger than {MOST_PDF >> 20} MiB")
        if len(self._known) >= MOST_SHEETS:
            return Sheet(pdf=True, problem=f"more than {MOST_SHEETS} different files")
        try:
            found = read_pdf(memoryview(self._data))
        except Unreadable as e:
            return Sheet(pdf=True, problem=clean(str(e)))
        return Sheet(pdf=True, marks=tuple(map(self._mark, found.signatures)))

    def _mark(self, found: PdfSignature) -> Mark:
        signature = found.signature
        key = signature.holder.fingerprint if signature.holder else ""
        if key and signature.holds and len(self.signers) < MOST_SIGNERS:
            self.signers.setdefault(key, signature)
        return Mark(
            signer=signer_of(signature),
            key=key,
            fault=str(signature.fault or ""),
            added=found.added,
            claimed=found.claimed,
            stamped=signature.stamped,
            weak=bool(signature.weak),
        )


def signer_of(signature: Signature) -> Signer:
    """Whether a person, an organisation or a service signed, by what the certificate says.

    Authorities put an identity card number into the certificates of people and a tax code into
    those of bodies: the kind of number tells, and the number is looked at and dropped. Without one
    the names tell.
    """
    if signature.kind == "timestamp":
        return Signer.SERVICE
    if signature.holder is None:
        return Signer.UNTOLD
    numbers, named = _numbers(signature.holder.der)
    if named or any(map(_OF_PEOPLE.match, numbers)):
        return Signer.PERSON
    return _by_names(signature.holder.person, any(map(_OF_BODIES.match, numbers)))


def _by_names(person: Person, taxed: bool) -> Signer:
    name, body = words(person.name), words(person.organisation)
    if name and (name == body or _BODIES.match(name)):
        return Signer.ORGANISATION
    if person.title:
        return Signer.PERSON
    if taxed:
        return Signer.ORGANISATION
    # A name that no body begins with, beside that of the body where somebody works.
    return Signer.PERSON if body and _NAME.fullmatch(name) else Signer.UNTOLD


def _numbers(der: bytes) -> tuple[list[str], bool]:
    """The numbers of a certificate's subject, and whether it has a person's surname."""
    numbers: list[str] = []
    named = False
    try:
        with quiet():
            for attribute in certificate(der).subject:
                if attribute.oid in _PERSONAL:
                    named = True
                elif attribute.oid in {_UID, _SERIAL, _ORGANISATION_ID}:
                    numbers.append(str(attribute.value).strip().upper()[:40])
    except (*REFUSED, Unreadable):
        return [], False
    # What names a person counts more than the tax code of his office beside it.
    return numbers, named
