"""PDFs of the demo: one page of text, signed as often as is asked, each time as an update."""

from __future__ import annotations

import datetime as dt

from checks.signatures.writing import cms_file
from scanner.demo.authority import SigningKey

_ROOM = 8192
"""Hex digits kept free for a signature."""
_PAGE = 4
"""Objects: 1 catalogue, 2 pages, 3 page, 4 its text, 5 font, then a field and a signature each."""


def pdf(line: str) -> bytes:
    """A page with one line of plain ASCII."""
    objects = {
        **_frame(0),
        2: b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        _PAGE: _text(line),
        5: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    }
    return _with_objects(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", objects, 6)


def with_page(before: bytes, line: str) -> bytes:
    """The same with another text on its page, as an update behind everything else."""
    return _with_objects(before, {_PAGE: _text(line)}, 6 + 2 * _signatures(before))


def signed(before: bytes, by: SigningKey, at: dt.datetime) -> bytes:
    """The PDF with one more signature, over all that it holds by then; `at` is aware."""
    count = _signatures(before) + 1
    field, value = 4 + 2 * count, 5 + 2 * count
    objects = _frame(count)
    objects[field] = (
        b"<< /Type /Annot /Subtype /Widget /FT /Sig /T (Signature%d) /V %d 0 R"
        b" /Rect [0 0 0 0] /F 132 /P 3 0 R >>"
    ) % (count, value)
    objects[value] = (
        b"<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached"
        b" /M (D:%s+00'00') /ByteRange [0 %s %s %s] /Contents <%s> >>"
    ) % (
        at.astimezone(dt.UTC).strftime("%Y%m%d%H%M%S").encode(),
        *(b"*" * 10,) * 3,
        b"0" * _ROOM,
    )
    return _filled(_with_objects(before, objects, value + 1), by, at)


def _signatures(made: bytes) -> int:
    return made.count(b"/Type /Sig ")


def _frame(signatures: int) -> dict[int, bytes]:
    """The catalogue and the page, which list the fields of the signatures."""
    fields = b" ".join(b"%d 0 R" % (4 + 2 * n) for n in range(1, signatures + 1))
    form = b" /AcroForm << /Fields [%s] /SigFlags 3 >>" % fields if fields else b""
    notes = b" /Annots [%s]" % fields if fields else b""
    return {
        1: b"<< /Type /Catalog /Pages 2 0 R%s >>" % form,
        3: b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R%s"
        b" /Resources << /Font << /F1 5 0 R >> >> >>" % notes,
    }


def _text(line: str) -> bytes:
    body = f"BT /F1 14 Tf 72 760 Td ({line}) Tj ET".encode("ascii")
    return b"<< /Length %d >>\nstream\n%s\nendstream" % (len(body), body)


def _with_objects(before: bytes, objects: dict[int, bytes], size: int) -> bytes:
    """The objects, their table and the end after what is there; `size` is that of all numbers."""
    earlier = before.rfind(b"\nxref") + 1
    out = bytearray(before)
    if earlier:
        out += b"\n"
    table = b"" if earlier else b"0 1\n0000000000 65535 f \n"
    for number, body in sorted(objects.items()):
        table += b"%d 1\n%010d 00000 n \n" % (number, len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    place = len(out)
    previous = b" /Prev %d" % earlier if earlier else b""
    out += b"xref\n%strailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n" % (
        table,
        size,
        previous,
        place,
    )
    return bytes(out)


def _filled(made: bytes, by: SigningKey, at: dt.datetime) -> bytes:
    """The room of the newest signature filled; those before it begin with another digit."""
    start = made.index(b"/Contents <0") + len(b"/Contents ")
    end = start + _ROOM + 2
    for number in (start, end, len(made) - end):
        made = made.replace(b"*" * 10, b"%-10d" % number, 1)
    blob = cms_file([made[:start], made[end:]], by.key, by.certificate, (by.root,), at)
    return made[: start + 1] + blob.hex().encode().ljust(_ROOM, b"0") + made[end - 1 :]
