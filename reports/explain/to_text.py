"""An explanation as lines for a terminal or a file: plain text, no escape sequence."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from checks.texts import clean, moment
from reports.explain.model import Case, Explanation, Lines, LineView
from reports.explain.words import term
from reports.words import load


def to_text(found: Explanation, language: str, zone: ZoneInfo) -> str:
    """Every line cleaned once more: what is printed never depends on who made the value."""
    return "\n".join(clean(line, 4000) for line in _lines(found, language, zone))


def _lines(found: Explanation, language: str, zone: ZoneInfo) -> Iterator[str]:
    words = load(language)
    yield f"{term('heads', 'explain', language)} {found.asked}"
    name = f" {found.unit_name}" if found.unit_name else ""
    yield f"{term('heads', 'unit', language)}: {found.unit}{name}"
    when = moment(found.scanned, language, zone)
    yield f"{term('heads', 'scan', language)}: {found.scan} ({when})"
    for label, text in found.facts:
        yield f"{label}: {text}"
    for row in found.rows:
        yield ""
        yield f"{words[f'status_{row.status}']}: {row.title} [{row.code}]"
        yield f"  {row.sentence}"
        if row.status == "fail":
            yield f"  {term('heads', 'remedy', language)}: {row.remedy}"
    if found.cases:
        yield ""
        yield f"{term('heads', 'cases', language)}: {len(found.cases)}/{found.total}"
    for n, case in enumerate(found.cases, 1):
        yield from _case(n, case, language, zone)
    yield ""
    yield from (f"* {note}" for note in found.notes)


def _case(n: int, case: Case, language: str, zone: ZoneInfo) -> Iterator[str]:
    of_day, to = term("heads", "of_day", language), term("heads", "to", language)
    parts = [case.number, f"{of_day} {case.date}" if case.date else ""]
    parts.append(f"{to} {case.recipient}" if case.recipient else "")
    head = " ".join(p for p in parts if p)
    yield f"{n}. {head}{': ' if case.title and head else ''}{case.title}"
    if case.because:
        yield f"   {case.because}"
    if case.sha256:
        yield f"   {term('heads', 'hash', language)} {case.sha256}"
    yield from (f"   {label}: {text}" for label, text in case.facts)
    for source in case.sources:
        yield from _source(source, language, zone)
    if len(case.found_in) > 1:
        yield f"   {term('heads', 'rows', language)}: {', '.join(case.found_in)}"


def _source(source: Lines, language: str, zone: ZoneInfo) -> Iterator[str]:
    yield f"   {source.title}:"
    for line in source.lines:
        yield f"     {_line(line, language, zone)}"
    if source.total > len(source.lines):
        yield f"     {term('heads', 'more', language, total=source.total)}"


def _line(line: LineView, language: str, zone: ZoneInfo) -> str:
    times = [moment(time, language, zone) for time in (line.time, line.until) if time]
    parts = [
        line.place,
        " – ".join(times),
        line.said,
        line.grade,
        f"{term('heads', 'queue', language)} {line.queue_id}" if line.queue_id else "",
        f"{term('heads', 'mailbox', language)} {', '.join(line.mailboxes)}"
        if line.mailboxes
        else "",
        f"SHA-256 {line.sha256}" if line.sha256 else "",
    ]
    return " · ".join(p for p in parts if p)
