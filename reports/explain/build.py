"""From a stored scan to the explanation of one row, or of one document of a unit."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeGuard
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import DocumentKey
from checks.documents.numbers import cell_key
from checks.documents.went import unpacked
from checks.results import Result, Scan, ScanInfo
from checks.texts import clean, day, percent
from reports.explain.cases import Cases, entries, key_of, text
from reports.explain.model import Case, Explanation, RowView
from reports.explain.sightings import with_repeats
from reports.explain.words import rule, term
from reports.voice import CHECK_TEXTS

FAMILY = "documents"
ROUTED = f"{FAMILY}.routed"
_SHORTEST = 4
Rows = Callable[[str], Iterable[tuple[ScanInfo, Result]]]
_COUNTS = (
    "due", "routed", "copy", "early", "late", "sent_no_receipt", "refused", "bypass", "paper",
    "no_trace", "pending", "exempt", "revoked", "unregistered",
)  # fmt: skip


class ExplainError(ValueError):
    """One clear line: what was asked, what is wrong with it, the remedy."""


def explain(
    scan: Scan, asked: str, unit: str, language: str, earlier: Rows | None = None
) -> Explanation:
    """What led to a row (by fingerprint) or to what is said of a document (by number, of `unit`).

    `earlier` gives the stored rows of a unit that tell of mailboxes, those of this scan as well.

    Raises:
        ExplainError: the id or unit is not known, is ambiguous, or is no matter of documents.
    """
    if unit and unit not in scan.inventory.units:
        raise ExplainError(f"no unit is called {clean(unit)!r}; `sauro inventory list` shows them")
    key = cell_key(asked) if re.match(r"\s*\d", asked) and "/" in asked else None
    if key is None:
        row = _row(scan, asked, unit)
        unit, made = row.unit, _of_row(scan, row, asked, language)
        return _with_repeats(scan, made, (unit, language), earlier)
    if not unit:
        raise ExplainError(
            f"{clean(asked)!r} is a document number, and every unit has its own: add --unit ID"
        )
    made = _of_document(scan, key, asked, unit, language)
    return _with_repeats(scan, made, (unit, language), earlier)


def _with_repeats(
    scan: Scan, made: Explanation, about: tuple[str, str], earlier: Rows | None
) -> Explanation:
    told = any(line.mailboxes for c in made.cases for s in c.sources for line in s.lines)
    if earlier is None or not told:
        return made
    return with_repeats(made, earlier(about[0]), about[1], ZoneInfo(scan.info.timezone))


def _code(row: Result) -> str:
    return f"{row.check}/{row.fingerprint[:_SHORTEST]}"


def _row(scan: Scan, asked: str, unit: str) -> Result:
    """The only row whose fingerprint begins as asked; `check/prefix` is understood as well."""
    check, _, prefix = asked.strip().rpartition("/")
    if len(prefix) < _SHORTEST or not re.fullmatch(r"[0-9a-f]+", prefix):
        raise ExplainError(
            f"{clean(asked)!r} is no id of a row and no document number: give the id that a report "
            "shows (documents.bypass/4f2a), or a number such as 123/QĐ-UBND with --unit ID"
        )
    found = [
        r
        for r in scan.results
        if r.fingerprint.startswith(prefix)
        and (not check or r.check == check)
        and (not unit or r.unit == unit)
    ]
    ours = [r for r in found if r.family == FAMILY]
    if not ours:
        other = f"; it is a row of {found[0].check}, not of documents" if found else ""
        raise ExplainError(
            f"scan {scan.info.id} has no row of documents {clean(asked)!r}{other}: look it up in "
            "the report of this scan, or name another by --scan ID"
        )
    if len(ours) > 1:
        shown = ", ".join(f"{r.check}/{r.fingerprint} (unit {r.unit})" for r in ours[:3])
        raise ExplainError(f"{clean(asked)!r} may be {shown}: give more of the id")
    return ours[0]


def _of_row(scan: Scan, row: Result, asked: str, language: str) -> Explanation:
    unit_rows = _rows_of(scan, row.unit)
    traced = _traced(unit_rows)
    cases = Cases(scan.inventory, language)
    found = [cases.case(_with_trace(e, traced), row, _code(row)) for e in entries(row)]
    total = _total(row, len(found))
    notes = [*_expired([row], language, scan)]
    if total > len(found) and not notes:
        notes.append(term("notes", "cut", language, shown=len(found), total=total))
    if row.check == ROUTED and "pairs" not in row.detail and "counts" in row.detail:
        notes.append(term("notes", "older", language))
    return _explanation(scan, (row.unit, asked, language), [row], found, (total, notes))


def _of_document(scan: Scan, key: DocumentKey, asked: str, unit: str, language: str) -> Explanation:
    rows = _rows_of(scan, unit)
    if not rows:
        raise ExplainError(
            f"scan {scan.info.id} did not look at the documents of unit {clean(unit)}: "
            "name another scan by --scan ID (`sauro history` lists them)"
        )
    chosen, wider = _listing(rows, key)
    traced = _traced(rows)
    cases = Cases(scan.inventory, language)
    merged: dict[tuple[str, str], Case] = {}
    for row, entry in chosen:
        case = cases.case(_with_trace(entry, traced), row, _code(row))
        which = case.number, case.recipient
        known = merged.get(which)
        if known is not None:
            richer = known if len(known.sources) >= len(case.sources) else case
            codes = tuple(dict.fromkeys((*known.found_in, *case.found_in)))
            case = msgspec.structs.replace(richer, found_in=codes)
        merged[which] = case
    notes = [term("notes", "wider", language)] if wider else []
    notes += _expired(rows, language, scan)
    if not merged:
        notes += _absent(rows, asked, language)
    shown = [r for r in rows if r.check == ROUTED or any(r is row for row, _ in chosen)]
    made = _explanation(
        scan, (unit, asked, language), shown, [*merged.values()], (len(merged), notes)
    )
    return msgspec.structs.replace(made, found=bool(merged))


def _rows_of(scan: Scan, unit: str) -> list[Result]:
    return [r for r in scan.results if r.unit == unit and r.family == FAMILY]


def _listing(
    rows: Iterable[Result], key: DocumentKey
) -> tuple[list[tuple[Result, Mapping[str, Any]]], bool]:
    """What speaks of a number; else what speaks of a sign that begins as the one asked for."""
    same, wider = [], []
    for row in rows:
        went = unpacked(row.detail) if row.check == ROUTED else ()
        for entry in (*entries(row), *went):
            found = key_of(entry)
            if found is None or (found.number, found.suffix) != (key.number, key.suffix):
                continue
            if key.year and found.year and key.year != found.year:
                continue
            if found.sign == key.sign:
                same.append((row, entry))
            elif found.sign.startswith(f"{key.sign}-"):
                wider.append((row, entry))
    return (same, False) if same else (wider, bool(wider))


def _traced(rows: Iterable[Result]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The traced pairs of a unit by number and recipient."""
    found = {}
    for row in rows:
        if row.check == ROUTED:
            found.update({(text(e, "key"), text(e, "recipient")): e for e in entries(row)})
    return found


def _with_trace(
    entry: Mapping[str, Any], traced: Mapping[tuple[str, str], Mapping[str, Any]]
) -> Mapping[str, Any]:
    """An entry with the lines that the row of the rate keeps of the same pair."""
    if entry.get("secret"):
        return entry
    trace = traced.get((text(entry, "key"), text(entry, "recipient")))
    if trace is None or trace is entry:
        return entry
    # Where the trace has the mails, the lines of the entry are among them.
    rest = {k: v for k, v in entry.items() if k != "place" or "mails" not in trace}
    return {**trace, **rest}


def _total(row: Result, listed: int) -> int:
    name = "total_pairs" if row.check == ROUTED else "total"
    if row.check.endswith(".numbering"):
        name = "total_duplicates"
    total = row.detail.get(name)
    return total if isinstance(total, int) and total > listed else listed


def _expired(rows: Iterable[Result], language: str, scan: Scan) -> list[str]:
    days = sorted({d for r in rows if isinstance(d := r.detail.get("expired"), str)})
    zone = ZoneInfo(scan.info.timezone)
    return [
        term("notes", "expired", language, day=_local_day(value, zone, language))
        for value in days[:1]
    ]


def _local_day(value: str, zone: ZoneInfo, language: str) -> str:
    try:
        return day(dt.datetime.fromisoformat(value).astimezone(zone).date(), language)
    except ValueError:
        return clean(value)


def _absent(rows: Sequence[Result], asked: str, language: str) -> Iterator[str]:
    """Why nothing is listed about a number, and where to look."""
    routed = next((r for r in rows if r.check == ROUTED), None)
    counts = routed.detail.get("counts") if routed is not None else None
    if not isinstance(counts, Mapping):
        zone = ZoneInfo("UTC")
        why = CHECK_TEXTS.sentence(routed.message, language, zone) if routed else "?"
        yield term("notes", "unjudged", language, why=why)
    else:
        went = counts.get("routed")
        kept = sum(1 for _ in unpacked(routed.detail)) if routed is not None else 0
        yield term("notes", "absent", language, asked=asked, routed=went, kept=kept)
    sources = [text(r.detail, "source") for r in rows if r.check.endswith("evidence-complete")]
    named = ", ".join(dict.fromkeys(s for s in sources if s))
    if named:
        yield term("notes", "absent_look", language, sources=named)


def _explanation(
    scan: Scan,
    about: tuple[str, str, str],
    rows: Sequence[Result],
    cases: Sequence[Case],
    rest: tuple[int, list[str]],
) -> Explanation:
    unit, asked, language = about
    total, notes = rest
    zone = ZoneInfo(scan.info.timezone)
    known = scan.inventory.units.get(unit)
    notes = [*notes, term("notes", "private", language)]
    if any(c.sources or c.secret for c in cases):
        notes.append(term("notes", "look_up", language))
    return Explanation(
        scan=scan.info.id,
        scanned=scan.info.started,
        unit=clean(unit),
        unit_name=clean(known.name) if known else "",
        asked=clean(asked),
        rows=tuple(_shown(r, language, zone) for r in rows),
        facts=(*_facts(rows, language), *_kept(scan, language)),
        cases=tuple(cases),
        total=total,
        notes=tuple(notes),
    )


def _shown(row: Result, language: str, zone: ZoneInfo) -> RowView:
    return RowView(
        code=_code(row),
        status=row.status.value,
        title=CHECK_TEXTS.say(row.check, "title", language),
        sentence=CHECK_TEXTS.sentence(row.message, language, zone),
        remedy=CHECK_TEXTS.say(row.check, "remedy", language),
        fingerprint=row.fingerprint,
    )


def _facts(rows: Sequence[Result], language: str) -> Iterator[tuple[str, str]]:
    """Period, coverage, gaps and counts, from the first row that says them."""
    detail = next((r.detail for r in rows if "period" in r.detail), {})
    period = detail.get("period")
    if isinstance(period, list | tuple) and len(period) == 2:
        shown = "–".join(_day(p, language) for p in period)
        yield term("facts", "period", language), shown
    if _is_share(share := detail.get("coverage")):
        yield term("facts", "coverage", language), percent(share)
    covered = detail.get("covered")
    if isinstance(covered, Mapping):
        shown = ", ".join(
            f"{term('kinds', k, language)} {percent(v)}"
            for k, v in covered.items()
            if isinstance(k, str) and _is_share(v)
        )
        yield term("facts", "covered", language), shown
    gaps = detail.get("gaps")
    if isinstance(gaps, Mapping):
        shown = ", ".join(
            f"{term('kinds', str(k), language)} {v}" for k, v in gaps.items() if isinstance(v, int)
        )
        yield term("facts", "gaps", language), shown
    counts = detail.get("counts")
    if isinstance(counts, Mapping):
        shown = ", ".join(
            f"{rule(k, language)[0]} {n}"
            for k in _COUNTS
            if isinstance(n := counts.get(k), int) and (n or k == "due")
        )
        yield term("facts", "counts", language), shown


def _is_share(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and 0 <= value <= 1


def _kept(scan: Scan, language: str) -> Iterator[tuple[str, str]]:
    until = scan.info.documents_until
    if until is not None and scan.info.documents_ended is None:
        zone = ZoneInfo(scan.info.timezone)
        yield term("facts", "kept", language), day(until.astimezone(zone).date(), language)


def _day(value: object, language: str) -> str:
    try:
        return day(dt.date.fromisoformat(str(value)), language)
    except ValueError:
        return clean(str(value))
