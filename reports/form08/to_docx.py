"""Form 08 as an official letter in the form of Decree 30/2020.

The letter comes first; its table stands on landscape pages, in the letter when it is short and as
an annex when it is long. After it, on pages of their own: where each figure comes from, and what
must be done before the letter is signed.
"""

from __future__ import annotations

from collections.abc import Sequence

from docx.document import Document as Docx

from reports.form08 import paper
from reports.form08.model import Agency, Form08, Row
from reports.form08.paper import Element, grid, paragraph, put, run
from reports.form08.rules import Words, day, form, listed, long_day, table
from reports.form08.said import counted, finish_said, intro, of_simulated, ranges

INLINE_ROWS = 15
"""Up to so many systems the table stands in the letter, before the signature."""
_FIRST = 12.7
_COLUMNS = (10.5, 31.5, 22.5, 23, 12, 18, 29, 27, 20.5, 20.5, 20.5, 17)
_CENTRED = (0, 4, 5, 8, 9, 10, 11)
_FIGURE_COLUMNS = (72, 18, 46, 70, 46)
_SOURCE_COLUMNS = (10, 52, 70, 120)
_LACKING_COLUMNS = (10, 60, 112, 70)


def write_docx(found: Form08) -> bytes:
    """The letter with its annexes; the same form gives the same bytes."""
    document = paper.new_document(form("subject"), found.scanned)
    words = Words(found.language)
    put(document, *_head(found), *_section_1(found, words), *_section_2(found))
    if len(found.rows) <= INLINE_ROWS:
        paper.landscape(document)
        put(
            document,
            _title(form("section_3")),
            _table(found.rows),
            _notes(),
            *_end(found, paper.WIDE),
        )
    else:
        said = _body(form("annexed", n=len(found.rows)))
        put(document, _title(form("section_3")), said, *_end(found, paper.TEXT_WIDTH))
        paper.landscape(document)
        put(document, *_annex_head(found), _table(found.rows), _notes())
    paper.landscape(document)
    put(document, *_sources(found, words))
    _check_sheet(document, found, words)
    return paper.packed(document)


# --------------------------------------------------------------------------------------- the letter


def _head(found: Form08) -> list[Element]:
    letter = found.letter
    left = [paragraph(run(letter.above, 12), align="center")] if letter.above else []
    left += [paragraph(run(letter.name, 12, bold=True), align="center"), paper.rule(21)]
    right = [
        paragraph(run(form("nation"), 12, bold=True), align="center"),
        paragraph(run(form("motto"), 13, bold=True), align="center"),
        paper.rule(21.5),
    ]
    dated = form(
        "dated", place=letter.place or form("blank"), day="……", month="……", year=found.year
    )
    number = form("number", number="……", sign=letter.sign or form("blank"))
    under = [
        paragraph(run(number, 13), align="center", before=4),
        paragraph(run(form("subject"), 12), align="center", before=2),
    ]
    date = [paragraph(run(dated, 13, italic=True), align="center", before=4)]
    made = [paper.layout((64, 101), [(left, right), (under, date)])]
    if found.simulated:
        made.append(paragraph(run(of_simulated(found), 13, bold=True), align="center", before=6))
    return [*made, *_addressees(letter.to)]


def _addressees(to: Sequence[str]) -> list[Element]:
    if len(to) == 1:
        line = run(f"{form('to')} {to[0]}")
        return [paragraph(line, align="center", before=14, after=10)]
    if not to:
        line = run(f"{form('to')} {form('blank')}")
        return [paragraph(line, align="center", before=14, after=10)]
    made = [paragraph(run(form("to")), align="left", left=40, before=14)]
    ends = [";"] * (len(to) - 1) + ["."]
    for name, end in zip(to, ends, strict=True):
        made.append(paragraph(run(f"- {name}{end}"), align="left", left=60))
    return [*made, paragraph(run("", 6))]


def _section_1(found: Form08, words: Words) -> list[Element]:
    period = form(
        "period",
        issuer=found.letter.issuer,
        first=long_day(found.window.first),
        last=long_day(found.window.last),
    )
    names = table("figures")
    lines = [f"- {names[f.key]}: {counted(f, words)};" for f in found.figures]
    lines.append(f"- {form('finish')}: {finish_said(found.finish) or form('blank')}.")
    return [_body(period), _title(form("section_1")), *map(_body, lines)]


def _section_2(found: Form08) -> list[Element]:
    made = [_title(form("section_2"))]
    for key, agencies in (("owner", found.owners), ("security_unit", found.security_units)):
        made.append(paragraph(run(form(key), italic=True), first=_FIRST, after=6, keep=True))
        for agency in agencies or (Agency(id="", name=""),):
            made += [_body(text) for text in _agency(key, agency)]
    return made


def _agency(key: str, agency: Agency) -> list[str]:
    head = ", ".join(t for t in (agency.head, agency.post) if t)
    known = {
        "name": agency.name,
        "mandate": agency.mandate,
        "head": head,
        "address": agency.address,
        "phone": agency.phone,
        "email": agency.email,
    }
    said = {k: v or form("blank") for k, v in known.items()}
    return [phrase.format_map(said) for phrase in listed(f"{key}_fields")]


def _end(found: Form08, width: float) -> list[Element]:
    """The last sentence, the recipients, and who signs; they stay on one page of a text width."""
    letter = found.letter
    closing = form("closing", year=found.year, issuer=letter.issuer)
    copies = [form("copy", name=c) for c in letter.copies]
    recipients = (form("as_above"), *copies, form("filed"))
    left = [
        paragraph(run(form("recipients"), 12, bold=True, italic=True), align="left"),
        *(paragraph(run(line, 11), align="left") for line in recipients),
    ]
    right = [
        paragraph(run(line, bold=True), align="center", keep=True)
        for line in (letter.power, letter.title or form("blank"))
        if line
    ]
    right += [paragraph(run(""), keep=True) for _ in range(4)]
    right.append(paragraph(run(letter.signer or form("blank"), bold=True), align="center"))
    return [
        paragraph(run(closing), first=_FIRST, before=6, after=10, keep=True),
        paper.layout((width * 0.48, width * 0.52), [(left, right)]),
    ]


def _annex_head(found: Form08) -> list[Element]:
    letter = found.letter
    of = form(
        "annex_of",
        number="……",
        sign=letter.sign or form("blank"),
        day="……",
        month="……",
        year=found.year,
        issuer=letter.issuer,
    )
    return [
        paragraph(run(form("annex"), bold=True), align="center"),
        paragraph(run(form("annex_title"), bold=True), align="center"),
        paragraph(run(of, 13, italic=True), align="center", after=2),
        paper.rule(105),
        paragraph(run("", 6)),
    ]


def _table(rows: Sequence[Row]) -> Element:
    heads = [listed("columns"), [f"({n})" for n in range(1, 13)]]
    return grid(_COLUMNS, heads, [_cells(r) for r in rows], centred=_CENTRED)


def _cells(row: Row) -> list[str]:
    return [
        str(row.number),
        row.name,
        row.owner,
        row.operator,
        str(row.level or ""),
        table("states").get(row.state, ""),
        row.decision,
        row.regulation,
        day(row.approval_expected) if row.approval_expected else "",
        table("plans").get(row.plan, ""),
        day(row.plan_expected) if row.plan_expected else "",
        form("both").join(table("inspections")[s] for s in row.inspected),
    ]


def _notes() -> Element:
    return paragraph(run(form("notes"), 11, italic=True), before=4)


def _title(text: str) -> Element:
    return paragraph(run(text, bold=True), first=_FIRST, before=4, after=6, keep=True)


def _body(text: str) -> Element:
    return paragraph(run(text), first=_FIRST, after=6)


# ---------------------------------------------------------------------------- behind the letter


def _sources(found: Form08, words: Words) -> list[Element]:
    figures = [
        [
            table("figures")[f.key],
            str(f.value),
            ", ".join(dict.fromkeys(s.check or words("from_inventory") for s in f.counted)),
            ranges(s.number for s in f.counted),
            ranges(s.number for s in f.unclear),
        ]
        for f in found.figures
    ]
    rows = [[str(r.number), r.name, r.system, "\n".join(_proofs(r))] for r in found.rows]
    keys = ("figure", "count", "by_check", "counted", "unclear_rows")
    heads = [words(k) for k in keys]
    below = [words(k) for k in ("row_no", "system", "system_id", "mark")]
    return [
        paragraph(run(words("source_title"), bold=True), align="center", after=4),
        paragraph(run(intro(found, words), 11), align="left", after=6),
        paragraph(run(words("source_figures"), 12, bold=True), after=2, keep=True),
        grid(_FIGURE_COLUMNS, [heads], figures, points=10, centred=(1,)),
        paragraph(run(words("source_rows"), 12, bold=True), before=10, after=2, keep=True),
        grid(_SOURCE_COLUMNS, [below], rows, points=10, centred=(0,)),
    ]


def _proofs(row: Row) -> list[str]:
    return [f"{s.check} ({s.status}): {s.fingerprint}" for s in row.sources]


def _check_sheet(document: Docx, found: Form08, words: Words) -> None:
    paper.landscape(document)
    put(
        document,
        paragraph(run(words("check_title"), bold=True), align="center"),
        paragraph(run(words("check_note"), 13, italic=True), align="center", after=6),
    )
    for note in found.notes:
        put(document, paragraph(run(f"- {note}", 12), after=2))
    if not found.lacking:
        put(document, paragraph(run(words("check_none"), 12, bold=True), before=6))
        return
    said = words("check_count", n=len(found.lacking))
    heads = [words(k) for k in ("row_no", "who", "what", "where")]
    rows = [[str(n), x.who, x.what, x.where] for n, x in enumerate(found.lacking, 1)]
    put(
        document,
        paragraph(run(said, 12, bold=True), before=6, after=4, keep=True),
        grid(_LACKING_COLUMNS, [heads], rows, points=11, centred=(0,)),
        paragraph(run("", 2)),
    )
