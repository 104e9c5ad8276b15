"""Do the figures that a unit reported on levels agree with its records, with nothing left over?

Every system of the unit is in exactly one bucket: a level, *unclassified* when no level is
recorded, or *unread* when its record is there and cannot be read. So a gap is a number, never a
silence.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from checks.evidence import Answers, FailureKind, Need, Request, Unparsable
from checks.files import files_request, unpack
from checks.folding import words
from checks.model import (
    Arg,
    Check,
    Context,
    Fact,
    Scope,
    Severity,
    Subject,
    Verdict,
    check,
    not_applicable,
    passed,
    unknown,
)
from checks.security.judging import Shortfall, recorded_level, shortfall, today_of
from checks.security.level_record import Decision, LevelRecord, parse_record
from checks.security.record import RECORD_FILE
from checks.security.register import (
    REGISTER,
    RegisterRow,
    record_of,
    register_rows,
    row_of,
)
from checks.security.rules import LEVELS
from checks.texts import clean
from inventory.index import index_of
from inventory.model import LevelTotals, System

_ID = "security.statistics-consistent"


class Book(msgspec.Struct, frozen=True, kw_only=True):
    """What a unit recorded of its systems: record, None for none; why one could not be read.

    `strangers` are rows of the register about no system of the inventory; `unreadable` is why the
    register itself said nothing, empty when it did or there is none.
    """

    records: dict[str, LevelRecord | None]
    unread: dict[str, str]
    strangers: tuple[str, ...] = ()
    unreadable: str = ""


def _systems(subject: Subject) -> tuple[System, ...]:
    return index_of(subject.inventory).systems_of.get(subject.unit.id, ())


def _requests(subject: Subject) -> list[Request]:
    asked = [
        files_request(RECORD_FILE, s.assessment, Need.OPTIONAL)
        for s in _systems(subject)
        if s.assessment
    ]
    if subject.unit.levels:
        asked.append(files_request(REGISTER, subject.unit.levels.path, Need.OPTIONAL))
    return asked


def _parse(ctx: Context, answers: Answers) -> Book:
    subject = ctx.subject
    rows, unreadable = _rows(subject, answers)
    records: dict[str, LevelRecord | None] = {}
    unread: dict[str, str] = {}
    by_key = {e.key: e.stdout for e in answers.all(RECORD_FILE.id)}
    for system in _systems(subject):
        try:
            if system.assessment:
                key = files_request(RECORD_FILE, system.assessment).key
                records[system.id] = _file(by_key.get(key), system.assessment)
            else:
                row = row_of(system, subject.inventory, rows)
                records[system.id] = record_of(row, system, subject.inventory) if row else None
        except Unparsable as e:
            unread[system.id] = clean(str(e), 200)
    if unreadable:
        # Whoever stands only in a register that cannot be read is not unclassified.
        unread |= {i: unreadable for i, r in records.items() if r is None}
    known = {i: r for i, r in records.items() if i not in unread}
    return Book(
        records=known,
        unread=unread,
        strangers=tuple(_strangers(rows, subject)),
        unreadable=unreadable,
    )


def _rows(subject: Subject, answers: Answers) -> tuple[tuple[RegisterRow, ...], str]:
    source = subject.unit.levels
    if source is None:
        return (), ""
    evidence = answers.get(REGISTER.id)
    if evidence is None:
        return (), f"{clean(source.path, 120)}: no answer"
    try:
        return register_rows(bytes(evidence.stdout), source.columns), ""
    except Unparsable as e:
        return (), clean(str(e), 200)


def _file(data: bytes | memoryview | None, path: str) -> LevelRecord:
    files = unpack(data) if data is not None else []
    if len(files) != 1:
        raise Unparsable(f"{clean(path, 120)}: no record")
    return parse_record(bytes(files[0].data), files[0].name)


def _strangers(rows: Sequence[RegisterRow], subject: Subject) -> Iterator[str]:
    """Rows that no system fits; one of another unit in a shared register is no stranger."""
    if not rows:
        return
    systems = subject.inventory.systems.values()
    ids, names = {s.id.casefold() for s in systems}, {words(s.name) for s in systems} - {""}
    for row in rows:
        if row.key not in ids and row.folded not in names:
            yield f"{clean(row.name or row.system, 80)} ({row.place})"


BOOK: Fact[Book] = Fact(id="security.book", requests=_requests, parse=_parse)
"""The level records of all systems of a unit."""


# ---------------------------------------------------------------------------------------- counting


def counts(book: Book, on: dt.date) -> dict[str, int]:
    """The figures of Form 08 as the records give them, counting papers up to a day.

    As in the form, a dossier is there once it was submitted, an approval says that it was
    appraised, and inspected means periodically, with a paper, within the form's year that the day
    lies in. An approval counts as recorded; the form leaves out those that `level-approved`
    refutes, and both say so.
    """
    year = _year_of_form(on)
    records = [r for r in book.records.values() if r is not None]
    levels = [recorded_level(r) for r in records]
    approved = [r for r in records if _signed(r.approval, on)]
    return {
        "systems": len(book.records) + len(book.unread),
        **{f"level-{n}": levels.count(n) for n in LEVELS},
        "unclassified": len(book.records) - sum(n is not None for n in levels),
        "dossiers": sum(
            any(_signed(p, on) for p in (r.proposal, r.appraisal, r.approval)) for r in records
        ),
        "appraised": sum(_signed(r.appraisal, on) or _signed(r.approval, on) for r in records),
        "approved": len(approved),
        "inspected": sum(
            any(
                i.kind == "periodic" and year <= i.date <= on and i.document.strip()
                for i in r.inspections
            )
            for r in approved
        ),
    }


def _year_of_form(day: dt.date) -> dt.date:
    """The first day of the form's year: figures of a year close on 14 December."""
    begins = dt.date(day.year, 12, 15)
    return begins if day >= begins else begins.replace(year=day.year - 1)


def _signed(paper: Decision | None, on: dt.date) -> bool:
    return paper is not None and paper.date is not None and paper.date <= on


def reported(totals: LevelTotals | None) -> dict[str, int]:
    """The figures that the unit reported, under the same names."""
    if totals is None:
        return {}
    said = {
        "systems": totals.systems,
        **{f"level-{n}": count for n, count in zip(LEVELS, totals.levels, strict=False)},
        "unclassified": totals.unclassified,
        "dossiers": totals.dossiers,
        "appraised": totals.appraised,
        "approved": totals.approved,
        "inspected": totals.inspected,
    }
    return {name: count for name, count in said.items() if count is not None}


_STEPS = ("systems", "dossiers", "appraised", "approved", "inspected")
"""None of these may be more than the one before."""


def own_faults(said: Mapping[str, int]) -> Iterator[Shortfall]:
    """What is wrong with reported figures by themselves: they do not add up, or grow."""
    levels = [said.get(f"level-{n}") for n in LEVELS]
    total = said.get("systems")
    if total is not None and any(n is not None for n in levels):
        classified = sum(n for n in levels if n is not None)
        rest = total - classified - said.get("unclassified", 0)
        if rest:
            args: dict[str, Arg] = {"systems": total, "classified": classified, "rest": abs(rest)}
            yield Shortfall("rest" if rest > 0 else "too-many", args)
    steps = [(name, said[name]) for name in _STEPS if name in said]
    for (less, few), (more, many) in zip(steps[1:], steps, strict=False):
        if few > many:
            names: dict[str, Arg] = {
                "what": f"security/total-{less}",
                "other": f"security/total-{more}",
            }
            yield Shortfall("grows", names | {"count": few, "most": many})


@check(
    _ID,
    Scope.UNIT,
    Severity.MAJOR,
    controls=("ND331 Art. 35", "ND331 Annex, Form 08"),
).needs(BOOK)
def statistics_consistent(ctx: Context, book: Book) -> Iterable[Verdict]:
    """The figures reported are those of the records, and every system is in one bucket.

    Papers are counted up to the day of the report. Where a record cannot be read a figure may only
    be refuted by more than that record could explain.
    """
    totals, today = ctx.subject.unit.level_totals, today_of(ctx)
    on = min(totals.date, today) if totals and totals.date else today
    said, counted = reported(totals), counts(book, on)
    detail: dict[str, Any] = {
        "counted": counted,
        "reported": said,
        "on": on.isoformat(),
        "unread": book.unread,
        "strangers": list(book.strangers),
    }
    if not said and ctx.subject.unit.levels is None:
        yield not_applicable(f"{_ID}.nothing-reported")
        return
    faults = [*own_faults(said), *_differing(said, counted, len(book.unread)), *_strange(book)]
    if faults:
        yield shortfall(_ID, faults, detail, Severity.MAJOR)
    elif book.unread:
        what = next(iter(book.unread.values()))
        yield unknown(
            FailureKind.UNPARSABLE, f"{_ID}.unread", detail, count=len(book.unread), what=what
        )
    else:
        args = {name: counted[name] for name in ("systems", "unclassified", "approved")}
        yield passed(f"{_ID}.{'agree' if said else 'counted'}", detail, **args)


def _differing(
    said: Mapping[str, int], counted: Mapping[str, int], unread: int
) -> Iterator[Shortfall]:
    for name, count in said.items():
        # The total is known whatever could be read; the others may still grow by what was not.
        most = counted[name] + (0 if name == "systems" else unread)
        if not counted[name] <= count <= most:
            args: dict[str, Arg] = {"reported": count, "counted": counted[name]}
            yield Shortfall("differs", {"what": f"security/total-{name}", **args})


def _strange(book: Book) -> Iterator[Shortfall]:
    if book.strangers:
        args: dict[str, Arg] = {"count": len(book.strangers), "name": book.strangers[0]}
        yield Shortfall("stranger", args, grave=False)


CHECKS: tuple[Check, ...] = (statistics_consistent,)
