"""Paper for a document in the form of Decree 30/2020: pages, paragraphs, tables, on python-docx.

Lengths are millimetres, sizes of letters points. All text is Times New Roman.
"""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Sequence
from typing import Any, Literal

from docx import Document
from docx.document import Document as Docx
from docx.enum.section import WD_ORIENT, WD_SECTION
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.section import Section
from docx.shared import Mm, Pt

FONT = "Times New Roman"
BODY = 13.0
"""Size of the text; the decree has 13 to 14."""
TEXT_WIDTH = 165.0
WIDE = 252.0
"""Text width of an upright and of a landscape A4 page, between the margins."""
_TOP, _BOTTOM, _LEFT, _RIGHT = 20, 20, 30, 15
_FONTS = ("ascii", "hAnsi", "cs", "eastAsia")
_TWIPS = 1440 / 25.4
_EPOCH = (1980, 1, 1, 0, 0, 0)
_APP = (
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    '<Properties xmlns="http://schemas.openxmlformats.org/officeDocument/2006/'
    'extended-properties"><Application>sauro</Application></Properties>'
)

Align = Literal["left", "center", "right", "both"]
Element = Any
"""An lxml element of WordprocessingML."""


def element(tag: str, attributes: dict[str, str] | None = None, *children: Element) -> Element:
    """One element, `w:` names for tag and attributes."""
    made = OxmlElement(f"w:{tag}")
    for name, value in (attributes or {}).items():
        made.set(qn(f"w:{name}"), value)
    made.extend(children)
    return made


def twips(mm: float) -> str:
    """Millimetres in twentieths of a point."""
    return str(round(mm * _TWIPS))


# ---------------------------------------------------------------------------------------- the pages


def new_document(title: str, made: dt.datetime) -> Docx:
    """An empty document: fonts set everywhere, A4 upright, page numbers from the second page."""
    document = Document()
    _fonts(document)
    properties = document.core_properties
    properties.title, properties.language = title, "vi-VN"
    properties.author = properties.last_modified_by = properties.comments = ""
    properties.created = properties.modified = made.astimezone(dt.UTC).replace(tzinfo=None)
    package = document.part.package
    for key, rel in list(package.rels.items()):
        if rel.reltype.endswith("/thumbnail"):
            del package.rels[key]
    for part in package.iter_parts():
        if part.partname == "/docProps/app.xml":
            part._blob = _APP.encode()  # noqa: SLF001 - the template's names another program
    section = document.sections[0]
    _margins(section)
    section.different_first_page_header_footer = True
    section.header.is_linked_to_previous = False
    paragraph = section.header.paragraphs[0]._p  # noqa: SLF001 - the element is the interface
    paragraph.getparent().replace(paragraph, _page_number())
    return document


def landscape(document: Docx) -> Section:
    """Begin a section of landscape pages; the page number goes on, also on its first page."""
    section: Section = document.add_section(WD_SECTION.NEW_PAGE)
    section.orientation = WD_ORIENT.LANDSCAPE
    section.page_width, section.page_height = Mm(297), Mm(210)
    _margins(section, wide=True)
    section.different_first_page_header_footer = False
    return section


def _margins(section: Section, *, wide: bool = False) -> None:
    if not wide:
        section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(_TOP), Mm(_BOTTOM)
    section.left_margin, section.right_margin = Mm(_LEFT), Mm(_RIGHT)
    section.header_distance = section.footer_distance = Mm(10)


def _fonts(document: Docx) -> None:
    """One font in every script, and no font of the theme that would win over it."""
    styles = document.styles.element
    for fonts in styles.iter(qn("w:rFonts")):
        for name in list(fonts.attrib):
            del fonts.attrib[name]
        for name in _FONTS:
            fonts.set(qn(f"w:{name}"), FONT)
    for language in styles.iter(qn("w:lang")):
        for name in ("val", "eastAsia"):
            language.set(qn(f"w:{name}"), "vi-VN")
    normal = document.styles["Normal"]
    normal.font.name, normal.font.size = FONT, Pt(BODY)
    spacing = normal.paragraph_format
    spacing.space_after, spacing.space_before, spacing.line_spacing = Pt(0), Pt(0), 1.0


def _page_number() -> Element:
    def field(kind: str) -> Element:
        return element("r", None, size(13), element("fldChar", {"fldCharType": kind}))

    code = element("instrText")
    code.text = "PAGE"
    return element(
        "p",
        None,
        element("pPr", None, element("jc", {"val": "center"})),
        field("begin"),
        element("r", None, size(13), code),
        field("end"),
    )


def packed(document: Docx) -> bytes:
    """The file; the same document gives the same bytes."""
    raw, out = io.BytesIO(), io.BytesIO()
    document.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(name))
    return out.getvalue()


# ---------------------------------------------------------------------------------- text and tables


def size(points: float, *, bold: bool = False, italic: bool = False) -> Element:
    """The properties of a run."""
    made = element("rPr", None, element("rFonts", dict.fromkeys(_FONTS, FONT)))
    if bold:
        made.append(element("b"))
    if italic:
        made.append(element("i"))
    half = str(round(points * 2))
    made.extend([element("sz", {"val": half}), element("szCs", {"val": half})])
    return made


def run(text: str, points: float = BODY, *, bold: bool = False, italic: bool = False) -> Element:
    """A run of text; line breaks within it stay."""
    made = element("r", None, size(points, bold=bold, italic=italic))
    for at, line in enumerate(text.split("\n")):
        if at:
            made.append(element("br"))
        told = element("t")
        told.text = line
        told.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
        made.append(told)
    return made


def paragraph(
    *runs: Element,
    align: Align = "both",
    first: float = 0,
    left: float = 0,
    after: float = 0,
    before: float = 0,
    keep: bool = False,
) -> Element:
    """A paragraph: `first` and `left` indents, space `before` and `after` in points.

    `keep` holds it on the page of what follows.
    """
    look = element("pPr")
    if keep:
        look.append(element("keepNext"))
    spacing = {"before": str(round(before * 20)), "after": str(round(after * 20)), "line": "240"}
    look.append(element("spacing", spacing | {"lineRule": "auto"}))
    if first or left:
        look.append(element("ind", {"left": twips(left), "firstLine": twips(first)}))
    look.append(element("jc", {"val": align}))
    return element("p", None, look, *runs)


def rule(indent: float) -> Element:
    """A thin line under a title, `indent` away from both edges."""
    edge = {"val": "single", "sz": "6", "space": "1", "color": "000000"}
    return element(
        "p",
        None,
        element(
            "pPr",
            None,
            element("pBdr", None, element("top", edge)),
            element("spacing", {"before": "20", "after": "0", "line": "60", "lineRule": "exact"}),
            element("ind", {"left": twips(indent), "right": twips(indent)}),
        ),
        element("r", None, size(3)),
    )


def layout(widths: Sequence[float], rows: Sequence[Sequence[Sequence[Element]]]) -> Element:
    """A borderless table that puts paragraphs side by side; its rows never break."""
    made = _table(widths, borders=False)
    for row in rows:
        line = element("tr", None, element("trPr", None, element("cantSplit")))
        for width, content in zip(widths, row, strict=True):
            line.append(_cell(width, content))
        made.append(line)
    return made


def grid(
    widths: Sequence[float],
    heads: Sequence[Sequence[str]],
    rows: Sequence[Sequence[str]],
    *,
    points: float = 10,
    centred: Sequence[int] = (),
) -> Element:
    """A table with borders; its heads are repeated on every page and no row breaks over two."""
    made = _table(widths, borders=True)
    for names in heads:
        marks = element("trPr", None, element("cantSplit"), element("tblHeader"))
        line = element("tr", None, marks)
        for width, name in zip(widths, names, strict=True):
            said = paragraph(run(name, points, bold=True), align="center")
            line.append(_cell(width, [said], middle=True))
        made.append(line)
    for row in rows:
        line = element("tr", None, element("trPr", None, element("cantSplit")))
        for at, (width, text) in enumerate(zip(widths, row, strict=True)):
            align: Align = "center" if at in centred else "left"
            line.append(_cell(width, [paragraph(run(text, points), align=align)]))
        made.append(line)
    return made


def _table(widths: Sequence[float], *, borders: bool) -> Element:
    look = element("tblPr")
    look.append(element("tblW", {"w": twips(sum(widths)), "type": "dxa"}))
    if borders:
        edge = {"val": "single", "sz": "4", "space": "0", "color": "000000"}
        sides = ("top", "left", "bottom", "right", "insideH", "insideV")
        look.append(element("tblBorders", None, *(element(s, edge) for s in sides)))
    look.append(element("tblLayout", {"type": "fixed"}))
    room = {"top": 0.4, "left": 1.2, "bottom": 0.6, "right": 1.2}
    look.append(element("tblCellMar", None, *(_room(s, w * borders) for s, w in room.items())))
    columns = [element("gridCol", {"w": twips(w)}) for w in widths]
    return element("tbl", None, look, element("tblGrid", None, *columns))


def _room(side: str, width: float) -> Element:
    return element(side, {"w": twips(width), "type": "dxa"})


def _cell(width: float, content: Sequence[Element], *, middle: bool = False) -> Element:
    look = element("tcPr", None, element("tcW", {"w": twips(width), "type": "dxa"}))
    if middle:
        look.append(element("vAlign", {"val": "center"}))
    return element("tc", None, look, *content)


def put(document: Docx, *content: Element) -> None:
    """Add paragraphs and tables at the end of the document."""
    body = document.element.body
    for one in content:
        body.insert(len(body) - 1, one)  # before the properties of the last section
