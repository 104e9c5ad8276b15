"""Form 08 as a workbook: the table of 12 columns, where every figure comes from, what is missing.

Only values are written, never formulas: a text that begins with `=` stays a text.
"""

from __future__ import annotations

import datetime as dt
import io
import math
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec
import xlsxwriter
from xlsxwriter.format import Format
from xlsxwriter.workbook import Workbook
from xlsxwriter.worksheet import Worksheet

from checks.texts import clean
from reports.form08.model import Agency, Figure, Form08, Row, Source
from reports.form08.rules import Words, day, form, law, listed, table
from reports.form08.said import finish_said, intro, of_simulated

Cell = str | int | dt.date | dt.datetime | None
_LONGEST = 2000
_RISKY = ("=", "+", "-", "@")
_MAIN_WIDTHS = (5, 34, 24, 24, 9, 16, 30, 30, 13, 20, 13, 18)
_SOURCE_WIDTHS = (44, 15, 6, 26, 34, 14, 24, 13, 26, 12, 28, 20, 68, 18)
_HEAD_WIDTHS = (70, 60, 15)
_LACKING_WIDTHS = (6, 34, 80, 44, 26)
_A4, _A3 = 9, 8
_LINE = 14.5
"""Points of one line of text."""


class Styles(msgspec.Struct, frozen=True):
    """The formats of the book, by what they are for."""

    title: Format
    plain: Format
    head: Format
    text: Format
    quoted: Format
    number: Format
    date: Format
    time: Format


def write_xlsx(found: Form08) -> bytes:
    """The workbook; the same form gives the same bytes."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    words, styles = Words(found.language), _styles(book)
    created = found.scanned.astimezone(dt.UTC).replace(tzinfo=None)
    book.set_properties({"title": form("subject"), "author": "", "created": created})
    _table(book, found, words, styles)
    _sources(book, found, words, styles)
    _general(book, found, words, styles)
    _lacking(book, found, words, styles)
    book.close()
    return out.getvalue()


def _styles(book: Workbook) -> Styles:
    base = {"font_name": "Times New Roman", "font_size": 11, "valign": "top", "text_wrap": True}
    box = base | {"border": 1}
    return Styles(
        title=book.add_format(base | {"bold": True, "font_size": 13, "text_wrap": False}),
        plain=book.add_format(base | {"text_wrap": False}),
        head=book.add_format(
            box | {"bold": True, "align": "center", "valign": "vcenter", "bg_color": "#E8ECF1"}
        ),
        text=book.add_format(box),
        quoted=book.add_format(box | {"quote_prefix": True}),
        number=book.add_format(box | {"align": "center"}),
        date=book.add_format(box | {"align": "center", "num_format": "dd/mm/yyyy"}),
        time=book.add_format(box | {"align": "center", "num_format": "dd/mm/yyyy hh:mm"}),
    )


# ------------------------------------------------------------------------------------- the sheets


def _table(book: Workbook, found: Form08, words: Words, styles: Styles) -> None:
    pad = _pad(book, words("sheet_table"), _MAIN_WIDTHS, styles)
    pad.title(found, words, form("annex_title"))
    pad.heads(2, listed("columns"))
    pad.heads(3, [f"({n})" for n in range(1, 13)])
    for at, row in enumerate(found.rows, 4):
        pad.line(at, cells(row))
    last = 3 + len(found.rows)
    pad.sheet.freeze_panes(4, 2)
    pad.sheet.autofilter(3, 0, last, 11)
    pad.sheet.repeat_rows(2, 3)
    pad.sheet.print_area(0, 0, last, 11)
    if found.rows:
        both = form("both").join(table("inspections").values())
        for column, key in {5: "states", 9: "plans", 11: "inspections"}.items():
            values = [*table(key).values(), *([both] if column == 11 else [])]
            rule = {"validate": "list", "source": values}
            pad.sheet.data_validation(4, column, last, column, rule)


def cells(row: Row) -> list[Cell]:
    """The 12 columns of a row; what nobody knows is None."""
    seen = form("both").join(table("inspections")[s] for s in row.inspected)
    return [
        row.number,
        row.name,
        row.owner or None,
        row.operator or None,
        row.level,
        table("states").get(row.state),
        row.decision or None,
        row.regulation or None,
        row.approval_expected,
        table("plans").get(row.plan),
        row.plan_expected,
        seen or None,
    ]


_SOURCE_HEADS = (
    "figure", "counts", "row_no", "system_id", "system", "unit", "by_check", "status",
    "target", "subject", "scan", "mark", "evidence", "taken",
)  # fmt: skip


def _sources(book: Workbook, found: Form08, words: Words, styles: Styles) -> None:
    pad = _pad(book, words("sheet_sources"), _SOURCE_WIDTHS, styles)
    pad.title(found, words, words("source_title"))
    pad.heads(2, [words(k) for k in _SOURCE_HEADS])
    zone, at = ZoneInfo(found.timezone), 3
    for figure in found.figures:
        for source, word in _both(figure, words):
            pad.line(at, [table("figures")[figure.key], word, *_source(source, zone, words)])
            at += 1
    pad.sheet.freeze_panes(3, 0)
    pad.sheet.autofilter(2, 0, at - 1, len(_SOURCE_HEADS) - 1)
    pad.sheet.repeat_rows(2)


def _both(figure: Figure, words: Words) -> list[tuple[Source, str]]:
    counted = [(s, words("is_counted")) for s in figure.counted]
    return counted + [(s, words("not_seen")) for s in figure.unclear]


def _source(source: Source, zone: ZoneInfo, words: Words) -> list[Cell]:
    taken = source.taken.astimezone(zone).replace(tzinfo=None) if source.taken else None
    return [
        source.number,
        source.system,
        source.name,
        source.unit,
        source.check or words("from_inventory"),
        source.status,
        source.target,
        source.subject,
        source.scan,
        source.fingerprint,
        source.evidence,
        taken,
    ]


def _general(book: Workbook, found: Form08, words: Words, styles: Styles) -> None:
    pad = _pad(book, words("sheet_head"), _HEAD_WIDTHS, styles)
    pad.title(found, words, form("section_1"))
    pad.heads(2, [words(k) for k in ("item", "value", "unclear")])
    lines: list[Sequence[Cell]] = [
        [table("figures")[f.key], f.value, len(f.unclear)] for f in found.figures
    ]
    lines.append([form("finish"), finish_said(found.finish) or None, None])
    for key, agencies in (("owner", found.owners), ("security_unit", found.security_units)):
        for agency in agencies:
            lines.append([form(key), None, None])
            lines += _agency(key, agency)
    lines += [[words("note"), note, None] for note in found.notes]
    for at, line in enumerate(lines, 3):
        pad.line(at, line)
    pad.sheet.freeze_panes(3, 0)


def _agency(key: str, agency: Agency) -> list[Sequence[Cell]]:
    labels = [phrase.split(":", 1)[0] for phrase in listed(f"{key}_fields")]
    head = ", ".join(t for t in (agency.head, agency.post) if t)
    contact = "; ".join(t for t in (agency.phone, agency.email) if t)
    values = (agency.name, agency.mandate, head, agency.address, contact)
    return [[label, value or None, None] for label, value in zip(labels, values, strict=True)]


def _lacking(book: Workbook, found: Form08, words: Words, styles: Styles) -> None:
    pad = _pad(book, words("sheet_lacking"), _LACKING_WIDTHS, styles)
    pad.title(found, words, words("check_title"))
    pad.heads(2, [words(k) for k in ("row_no", "who", "what", "where", "system_id")])
    for at, item in enumerate(found.lacking, 1):
        pad.line(at + 2, [at, item.who, item.what, item.where, item.system or None])
    if not found.lacking:
        pad.sheet.write_string(3, 2, words("check_none"), styles.plain)
    pad.sheet.freeze_panes(3, 0)
    pad.sheet.autofilter(2, 0, 2 + len(found.lacking), 4)
    pad.sheet.repeat_rows(2)


# -------------------------------------------------------------------------------------- the writing


class Pad(msgspec.Struct, frozen=True):
    """A sheet to write on, line by line: line 0 is its title, 1 says where it is from, 2 heads."""

    sheet: Worksheet
    styles: Styles
    widths: tuple[int, ...]

    def title(self, found: Form08, words: Words, title: str) -> None:
        """The two lines above the table."""
        marked = f"{of_simulated(found)} {title}".strip()
        self.sheet.write_string(0, 0, f"{marked} ({law().source})", self.styles.title)
        from_ = f"{found.letter.issuer}. {intro(found, words)}"
        self.sheet.write_string(1, 0, from_, self.styles.plain)

    def heads(self, at: int, names: Sequence[str]) -> None:
        """A line of column heads."""
        for column, name in enumerate(names):
            self.sheet.write_string(at, column, name, self.styles.head)
        self._height(at, names)

    def line(self, at: int, values: Sequence[Cell]) -> None:
        """A line of values; None leaves a cell blank."""
        for column, value in enumerate(values):
            self._put(at, column, value)
        self._height(at, values)

    def _put(self, at: int, column: int, value: Cell) -> None:
        sheet, styles = self.sheet, self.styles
        if value is None or value == "":
            sheet.write_blank(at, column, None, styles.text)
        elif isinstance(value, dt.datetime):
            sheet.write_datetime(at, column, value, styles.time)
        elif isinstance(value, dt.date):
            midnight = dt.datetime.combine(value, dt.time())
            sheet.write_datetime(at, column, midnight, styles.date)
        elif isinstance(value, int):
            sheet.write_number(at, column, value, styles.number)
        else:
            text = clean(value, _LONGEST)
            # Shown as text by either style; the quote keeps it one when somebody edits the cell.
            risky = text.lstrip().startswith(_RISKY)
            sheet.write_string(at, column, text, styles.quoted if risky else styles.text)

    def _height(self, at: int, values: Sequence[Cell]) -> None:
        """Room for wrapped text, which not every program makes by itself."""
        texts = (day(v) if isinstance(v, dt.date) else str(v or "") for v in values)
        lines = (math.ceil(len(t) * 0.95 / w) for t, w in zip(texts, self.widths, strict=False))
        self.sheet.set_row(at, _LINE * max(1, min(max(lines, default=1), 20)))


def _pad(book: Workbook, name: str, widths: tuple[int, ...], styles: Styles) -> Pad:
    sheet = book.add_worksheet(name)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.set_landscape()
    sheet.set_paper(_A4 if sum(widths) < 200 else _A3)
    sheet.fit_to_pages(1, 0)
    sheet.set_margins(left=0.6, right=0.6, top=0.8, bottom=0.8)
    sheet.set_footer("&C&P/&N")
    return Pad(sheet, styles, widths)
