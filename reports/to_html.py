"""The report as one HTML file that loads nothing and works without scripts.

The templates show the figures of a `Report` and count nothing. Everything is escaped by jinja2;
the content-security policy allows the one style and the one script of the file by their digests.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from checks.model import STATUS_ORDER
from checks.results import Tally
from reports import said, shapes
from reports.model import Report
from reports.model_backup import Count
from reports.rules import rules
from reports.said_documents import DocumentSayings
from reports.words import Words

_FACES = (("400", "sauro-400.woff2"), ("700", "sauro-700.woff2"))


@cache
def _file(name: str) -> bytes:
    return resources.files("reports").joinpath("templates", *name.split("/")).read_bytes()


@cache
def style() -> str:
    """The style sheet with its two fonts inside."""
    faces = []
    for weight, name in _FACES:
        data = base64.b64encode(_file(f"fonts/{name}")).decode()
        faces.append(
            f'@font-face{{font-family:"Sauro Sans";font-weight:{weight};font-display:block;'
            f'src:url("data:font/woff2;base64,{data}") format("woff2")}}'
        )
    return "\n".join([*faces, _file("style.css").decode()])


@cache
def script() -> str:
    """The one script: sorting and search."""
    return _file("script.js").decode()


def _digest(text: str) -> str:
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def policy() -> str:
    """The content-security policy of the page."""
    return (
        f"default-src 'none'; style-src {_digest(style())}; script-src {_digest(script())}; "
        "font-src data:; base-uri 'none'; form-action 'none'"
    )


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def write_html(report: Report) -> dict[str, bytes]:
    """The file `report.html`, UTF-8."""
    return {"report.html": html(report).encode("utf-8")}


def html(report: Report) -> str:
    """The page of a report."""
    words = Words(report.language, ZoneInfo(report.timezone))
    page = _environment().get_template("report.html.j2").render(_context(report, words))
    return page + "\n"


def _context(report: Report, words: Words) -> dict[str, object]:
    about = report.about

    def listed(counts: Iterable[Count], prefix: str) -> str:
        return ", ".join(f"{words(prefix + c.key)} {words.number(c.n)}" for c in counts)

    return {
        "r": report,
        "w": words,
        "t": words,
        "num": words.number,
        "title": words("title", week=str(about.week), year=str(about.week_year)),
        "scanned": words(
            "scanned",
            start=words.clock(about.started),
            end=words.clock(about.finished or about.now),
        ),
        "style": Markup(style()),  # noqa: S704 - a file of this package
        "script": Markup(script()),  # noqa: S704 - a file of this package
        "policy": policy(),
        "statuses": [s.value for s in STATUS_ORDER],
        "ranks": {s.value: n for n, s in enumerate(STATUS_ORDER)},
        "bars": [shapes.segments(a.units) for a in report.areas],
        "bar_labels": [_bar_label(words, a.units) for a in report.areas],
        "seen_share": round(100 * (report.seen.rows.coverage or 0), 2),
        "listed": listed,
        "b_": said.Sayings(words),
        "d_": DocumentSayings(words),
        "groups": said.groups,
        "terse": said.terse,
        "by_sentence": said.by_sentence,
        "spark": shapes.spark,
        "drawn": shapes.drawn,
        "sum_line": _sum_line(report, words),
        "waiver_days": rules().waiver_days,
        "columns": _columns(report, words),
        "filters": _filters(report),
        "attention": [report.units[at] for at in report.attention],
        "due_list": ", ".join(
            words("note_due_item", name=words(f"severity_{c.key}").lower(), n=c.n)
            for c in report.due_days
        ),
    }


def _bar_label(words: Words, units: Tally) -> str:
    said = (f"{words(f'status_{s}')} {words.number(n)}" for s, n in shapes.parts(units))
    return ", ".join(said)


def _sum_line(report: Report, words: Words) -> str:
    """The closing sum of the changes, `118 + 7 + 3 − 12`; gone ones are taken off apart."""
    c = report.changes
    if c is None:
        return ""
    gone = f" − {words.number(c.gone)}" if c.gone else ""
    plus = " + ".join(words.number(n) for n in (c.before, c.new, c.reopened))
    return f"{plus} − {words.number(c.fixed)}{gone}"


def _columns(report: Report, words: Words) -> list[tuple[str, bool]]:
    """Headings of the matrix and whether the column is right-aligned."""
    areas = [(words(f"family_{f}"), False) for f in report.families]
    last = [(words("col_seen"), True), (words("col_overdue"), True), (words("col_trend"), False)]
    return [(words("col_unit"), False), *areas, *last]


def _filters(report: Report) -> list[tuple[str, int]]:
    states = [(s.value, n) for s, n in shapes.parts(report.units_by_status)]
    return [*states, ("overdue", report.open.overdue_units)]
