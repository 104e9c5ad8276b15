"""Workbooks written by hand, part by part, so that tests can also write what no program would."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
TYPES = (
    '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="xml" ContentType="application/xml"/></Types>'
)
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts count="1"><numFmt numFmtId="164" '
    'formatCode="dd/mm/yyyy hh:mm"/></numFmts><fonts/><fills/><borders/><cellXfs count="3">'
    '<xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="164"/></cellXfs></styleSheet>'
)


def text(place: str, said: str) -> str:
    """A cell of text."""
    return f'<c r="{place}" t="inlineStr"><is><t>{escape(said)}</t></is></c>'


def number(place: str, value: float, style: int = 0) -> str:
    """A number; style 1 shows it as a date, 2 as a date with a time."""
    return f'<c r="{place}" s="{style}"><v>{value}</v></c>'


def sheet(*rows: str) -> str:
    """A sheet of rows of cells."""
    body = "".join(f'<row r="{i}">{r}</row>' for i, r in enumerate(rows, 1))
    return f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'


def workbook(*found: str, hidden: tuple[int, ...] = (), packed: int = 8) -> bytes:
    """A workbook of these sheets, as any office program would write it."""
    states = dict.fromkeys(hidden, ' state="hidden"')
    names = "".join(
        f'<sheet name="S{i}" sheetId="{i}" r:id="r{i}"{states.get(i, "")}/>'
        for i in range(1, len(found) + 1)
    )
    links = "".join(
        f'<Relationship Id="r{i}" Type="{LINKS}/worksheet" Target="worksheets/sheet{i}.xml"/>'
        for i in range(1, len(found) + 1)
    )
    package = "http://schemas.openxmlformats.org/package/2006/relationships"
    parts = {
        "[Content_Types].xml": TYPES,
        "_rels/.rels": f'<Relationships xmlns="{package}"><Relationship Id="r1" '
        f'Type="{LINKS}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><sheets>{names}</sheets>'
        "</workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{package}">{links}</Relationships>',
        "xl/styles.xml": STYLES,
    } | {f"xl/worksheets/sheet{i}.xml": s for i, s in enumerate(found, 1)}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", packed) as book:
        for name, body in parts.items():
            book.writestr(name, '<?xml version="1.0" encoding="UTF-8"?>' + body)
    return out.getvalue()
