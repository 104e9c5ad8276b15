"""Signatures of a PDF, the light check: ranges, digests and signers, without reading the document.

What it proves: which bytes each signer signed, and whether anything follows them. What it does not
tell stands in `UNCHECKED`; `pades` tells more where the optional extra is installed.
"""

from __future__ import annotations

import binascii
import datetime as dt
import re

from checks.signatures.ber import Unreadable
from checks.signatures.cms import read_cms, verify
from checks.signatures.model import Fault, Signature, Value

MOST_SIGNATURES = 32
MOST_BYTES = 64 * 1024 * 1024
_LONGEST_HEX = 2 * 4 * 1024 * 1024
_NEAR = 8192
"""A signature's dictionary is looked for this many bytes around its contents."""

UNCHECKED = ("revocation", "time-stamps", "changes-between-signatures")
"""What the light check does not look at; the trust chain is `trust`'s."""

_RANGE = re.compile(rb"/ByteRange\b")
_NUMBERS = re.compile(rb"\s*\[\s*(-?\d{1,15})\s+(-?\d{1,15})\s+(-?\d{1,15})\s+(-?\d{1,15})\s*\]")
# Possessive throughout: digits that end in nothing could be cut into numbers in endless ways.
_PLACE = re.compile(rb"\s*+(?:\d++\s++\d++\s++R|\[\s*+(?:(?:-?\d++|/?\*++)\s*+)*+\])")
_GAP = re.compile(rb"<(?:[0-9A-Fa-f]{2})+>")
_KIND = re.compile(rb"/SubFilter\s*/([A-Za-z0-9.#_-]{1,40})")
_TIME = re.compile(
    rb"/M\s*\(D(?::|\\072)(\d{4})(\d{2})(\d{2})(\d{2})?(\d{2})?(\d{2})?(?:(Z)|([+-])(\d{2})'?(\d{2})?'?)?"
)
_READ = (b"adbe.pkcs7.detached", b"ETSI.CAdES.detached", b"ETSI.RFC3161")


class PdfSignature(Value, frozen=True):
    """One signature of a PDF. `end` is where its bytes end, `added` how many follow them."""

    signature: Signature
    end: int
    added: int
    kind: str = ""
    """The `/SubFilter`, as the file says."""
    claimed: dt.datetime | None = None
    """Signing time by the signer's own clock, from the signature or its dictionary."""

    @property
    def whole(self) -> bool:
        """Whether it holds and nothing follows it in the file."""
        return self.signature.holds and self.added == 0


class PdfSignatures(Value, frozen=True):
    """Every signature of a PDF, in the order in which their bytes end; `size` of the file."""

    size: int
    signatures: tuple[PdfSignature, ...] = ()

    @property
    def people(self) -> tuple[PdfSignature, ...]:
        """Those of persons and organisations: time stamps say nothing of who agreed."""
        return tuple(s for s in self.signatures if s.signature.kind != "timestamp")


def read_pdf(data: bytes | memoryview) -> PdfSignatures:
    """Find and verify every signature; raises `Unreadable` when it is no PDF or out of bounds."""
    size = len(data)
    if size > MOST_BYTES:
        raise Unreadable(f"is larger than {MOST_BYTES // 1_048_576} MiB, the limit of what is read")
    if b"%PDF-" not in bytes(data[:1024]):
        raise Unreadable("is not a PDF")
    found: dict[tuple[int, ...], PdfSignature] = {}
    # A view: the signed bytes of a large file are hashed in place.
    data = memoryview(data)
    for mark in _RANGE.finditer(data):
        numbers = _NUMBERS.match(data, mark.end())
        if numbers is None:
            if _PLACE.match(data, mark.end()):
                found[(mark.start(),)] = _bad("its range is not four numbers", size)
            continue  # The name alone, in a text or a comment.
        span = tuple(int(n) for n in numbers.groups())
        if span not in found:
            found[span] = _signature(data, span)
        if len(found) > MOST_SIGNATURES:
            raise Unreadable(f"has more than {MOST_SIGNATURES} signatures")
    return PdfSignatures(size=size, signatures=tuple(sorted(found.values(), key=lambda s: s.end)))


def _bad(reason: str, size: int) -> PdfSignature:
    return PdfSignature(signature=_fault(Fault.RANGE, reason), end=size, added=0)


def _signature(data: memoryview, span: tuple[int, ...]) -> PdfSignature:
    size = len(data)
    start, first, second, rest = span
    end = second + rest
    if start != 0 or first <= 0 or rest < 0 or second <= first or end > size:
        return _bad("its range does not lie in the file", size)
    gap = bytes(data[first : min(second, first + _LONGEST_HEX + 3)])
    around = bytes(data[max(0, first - _NEAR) : first]).rpartition(b" obj")[2]
    around += b"<>" + bytes(data[second : second + _NEAR]).partition(b"endobj")[0]
    kind = ((m := _KIND.search(around)) and m[1]) or b""
    found = _verified(gap, kind, [data[:first], data[second:end]])
    return PdfSignature(
        signature=found,
        end=end,
        added=size - end,
        kind=kind.decode("ascii"),
        claimed=found.claimed or _time(around),
    )


def _verified(gap: bytes, kind: bytes, content: list[memoryview]) -> Signature:
    if not _GAP.fullmatch(gap):
        # Anything else in the gap would be shown, and signed by nobody.
        return _fault(Fault.RANGE, "its range leaves out more than the signature itself")
    if kind and kind not in _READ:
        return _fault(Fault.UNSUPPORTED, f"kind {kind.decode('ascii')} is not read")
    try:
        signed = read_cms(binascii.unhexlify(gap[1:-1]))
    except Unreadable as e:
        return _fault(Fault.UNREADABLE, str(e))
    found, *further = verify(signed, content)
    if further:
        return _fault(Fault.UNREADABLE, "several signers stand where a PDF has one")
    if found.kind != "timestamp" and signed.enclosed is not None and found.holds:
        # Detached it must be: what it encloses besides would be a second truth.
        return _fault(Fault.UNSUPPORTED, "the signature encloses its content")
    return found


def _fault(fault: Fault, reason: str) -> Signature:
    return Signature(kind="x509", fault=fault, reason=reason)


def _time(around: bytes) -> dt.datetime | None:
    found = _TIME.search(around)
    if found is None:
        return None
    year, month, day, hour, minute, second, _, sign, hours, minutes = found.groups()
    away = dt.timedelta(hours=int(hours or 0), minutes=int(minutes or 0))
    try:
        zone = dt.timezone(-away if sign == b"-" else away)
        at = dt.datetime(
            int(year),
            int(month),
            int(day),
            int(hour or 0),
            int(minute or 0),
            int(second or 0),
            tzinfo=zone,
        )
        return at.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
