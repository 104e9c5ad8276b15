"""The summary on a terminal: what a person reads in ten seconds.

Text of the report goes in as `rich` text, never as markup, so that no name can colour, link or
move anything.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from checks.model import STATUS_ORDER
from reports.model import Report, SystemView
from reports.model_backup import BackupView
from reports.model_documents import DocumentsView
from reports.said import Sayings, groups
from reports.said_documents import DocumentSayings
from reports.shapes import blocks, parts
from reports.words import Words

if TYPE_CHECKING:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

_STYLES = {
    "fail": "bold red",
    "error": "bold magenta",
    "unknown": "yellow",
    "pass": "green",
    "not_applicable": "dim",
}
_NARROWEST = 40
_SLOTS = {"kept": "▯", "late": "▮", "suspect": "◣", "missed": "✕", "pending": "_"}
"""Shapes carry the state of a slot; anything else is a question mark."""


def summary_text(report: Report, color: bool, width: int, path: str = "") -> str:
    """Headline, areas, how much was seen, what is wrong first (seven lines), where the report is.

    A scan of one unit or one system shows each of its systems as well.

    `width` in cells; without `color` there is no escape sequence at all.
    """
    from rich.console import Console  # noqa: PLC0415 - rich loads when used
    from rich.padding import Padding  # noqa: PLC0415 - rich loads when used

    words = Words(report.language, ZoneInfo(report.timezone))
    out = io.StringIO()
    console = Console(
        file=out,
        width=max(_NARROWEST, width),
        force_terminal=color,
        color_system="standard" if color else None,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for line in _warnings(report, words):
        console.print(line)
    console.print(_headline(report))
    if report.areas:
        console.print(Padding(_areas(report, words), (1, 0)))
    console.print(_seen(report, words))
    for line in _decisions(report, words):
        console.print(line)
    for each in _systems(report, words):
        console.print(each)
    if path:
        console.print(_text(words("term_report", path=path), "bold"), soft_wrap=True)
    return "".join(f"{line.rstrip()}\n" for line in out.getvalue().splitlines())


def _text(text: str, style: str = "") -> Text:
    from rich.text import Text  # noqa: PLC0415 - rich loads when used

    return Text(text, style=style)


def _warnings(report: Report, words: Words) -> list[Text]:
    about, said = report.about, []
    if about.simulated:
        said.append(words("simulated"))
    if not about.complete:
        said.append(words("partial", judged=about.judged, planned=about.planned))
    if about.selective:
        said.append(words("selective", n=len(report.units)))
    return [_text(s, "yellow") for s in said]


def _headline(report: Report) -> Text:
    line = _text("")
    for clause in report.headline:
        line.append(clause.strong, style="bold")
        line.append(f"{clause.rest}. ")
    line.rstrip()
    return line


def _areas(report: Report, words: Words) -> Table:
    from rich.table import Table  # noqa: PLC0415 - rich loads when used

    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    table.add_column(_text(words("areas_" + str(len(report.areas)), n=len(report.units))))
    for status in STATUS_ORDER:
        table.add_column(_text(words(f"status_{status}")), justify="right")
    table.add_column("", justify="right")
    for area in report.areas:
        counts = [_text(words.number(n), _STYLES[s] if n else "dim") for s, n in parts(area.units)]
        share = words.share(area.units.compliance)
        table.add_row(_text(words(f"family_{area.family}")), *counts, _text(share))
    return table


def _seen(report: Report, words: Words) -> Text:
    rows = report.seen.rows
    share = words.share(rows.coverage)
    said = words("term_seen", seen=rows.seen, total=rows.applicable, share=share)
    causes = ", ".join(f"{words(f'cause_{c.key}')} {words.number(c.n)}" for c in report.seen.causes)
    return _text(f"{said}: {causes}" if causes else said)


def _decisions(report: Report, words: Words) -> list[Text]:
    items = report.decisions.items
    if not items:
        return [_text(words("term_nothing"))]
    rule = words("decisions_rule", n=len(items), total=report.decisions.total)
    lines = [_text(f"{words('term_wrong')} {rule}", "bold")]
    for item in items:
        line = _text("  ")
        line.append(f"{item.unit}: {item.task}. ")
        line.append(words.due(item.due, item.overdue), style="bold red" if item.overdue > 0 else "")
        lines.append(line)
    return lines


def _in(cells: int, text: Text) -> Padding:
    from rich.padding import Padding  # noqa: PLC0415 - rich loads when used

    return Padding(text, (0, 0, 0, cells))


def _systems(report: Report, words: Words) -> list[Text | Padding]:
    """Every system of a scan that is of one unit or one system only."""
    if not report.about.single:
        return []
    sayings = Sayings(words)
    lines = [x for u in report.units for s in u.systems for x in _system(s, words, sayings)]
    return lines + [x for u in report.units for x in _documents(u.documents, words)]


def _documents(found: DocumentsView | None, words: Words) -> list[Text | Padding]:
    """What became of the documents of a unit, with the sums."""
    if found is None:
        return []
    sayings = DocumentSayings(words)
    lines: list[Text | Padding] = [_text(""), _text(words("documents_title"), "bold")]
    lines.append(_in(2, _text(sayings.rate(found), _STYLES[found.status])))
    for label, n, made_of in sayings.rows(found):
        said = f"{label}: {words.number(n)}" + (f" ({made_of})" if made_of else "")
        lines.append(_in(2, _text(said)))
    lines.append(_in(2, _text(sayings.sums(found), "" if found.adds_up else "bold red")))
    return lines + [_in(2, _text(note)) for note in sayings.notes(found)]


def _system(system: SystemView, words: Words, sayings: Sayings) -> list[Text | Padding]:
    level = words("level", n=system.level) if system.level else words("level_none")
    lines: list[Text | Padding] = [_text(""), _text(f"{system.name} ({level})", "bold")]
    for each in system.backups:
        lines += _backup(each, words, sayings)
    found = system.next_level
    if found is not None:
        lines.append(_in(2, _text(sayings.next_title(found), "green" if found.met else "bold")))
        lines += [_in(4, _text(f"{label}: {said}")) for label, said in sayings.next_lines(found)]
    return lines


def _backup(b: BackupView, words: Words, sayings: Sayings) -> list[Text | Padding]:
    said = f"{words('backup_set', id=b.id)}: {b.kind}, {sayings.promise(b)}, {sayings.newest(b)}"
    lines: list[Text | Padding] = [
        _in(2, _text(said, "bold" if b.ratio is not None and b.ratio > 1 else ""))
    ]
    if b.strip is not None:
        shapes = "".join(_SLOTS.get(state, "?") for _, state in b.strip.slots)
        lines.append(_in(4, _text(f"{shapes} {sayings.strip(b.strip)}")))
    if len(b.sizes) > 1:
        lines.append(_in(4, _text(f"{blocks(b.sizes)} {sayings.sizes(b.sizes)}")))
    lines += [_in(4, _text(f"{label}: {x}")) for label, values in sayings.facts(b) for x in values]
    for group in groups(b.lines):
        line = _text("")
        line.append(f"{words(f'status_{group.status}')} ({group.n}): ", _STYLES[group.status])
        line.append(" ".join(sentence for sentence, _, _ in group.sentences))
        lines.append(_in(4, line))
    return lines
