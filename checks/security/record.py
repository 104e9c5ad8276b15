"""The waist of the security family: however a level was recorded, it is read to a `LevelRecord`."""

from __future__ import annotations

from checks.evidence import (
    Answers,
    FailureKind,
    Need,
    NotDeclared,
    Probe,
    Request,
    Source,
    Unparsable,
)
from checks.files import files_request, unpack
from checks.model import Context, Fact, Subject
from checks.security.level_record import (
    Criteria,
    Decision,
    DossierPart,
    Inspection,
    LevelRecord,
    Plan,
    parse_record,
    well_formed,
)
from checks.security.register import REGISTER, record_of, register_rows, row_of
from checks.texts import clean

__all__ = (
    "RECORD",
    "RECORD_FILE",
    "RECORD_IF_DECLARED",
    "REGISTERED",
    "Criteria",
    "Decision",
    "DossierPart",
    "Inspection",
    "LevelRecord",
    "Plan",
    "parse_record",
    "well_formed",
)

RECORD_FILE = Probe(
    id="security.record",
    title="the level record of a system, a file of the project",
    source=Source.FILES,
)


def _requests(subject: Subject) -> list[Request]:
    asked = _requests_if_declared(subject)
    if not asked:
        raise NotDeclared(f"systems.{subject.the_system.id}.assessment")
    return asked


def _requests_if_declared(subject: Subject) -> list[Request]:
    """The record file; without one the register of the unit."""
    path = subject.the_system.assessment
    return [files_request(RECORD_FILE, path)] if path else _register(subject, Need.REQUIRED)


def _register(subject: Subject, need: Need) -> list[Request]:
    source = subject.unit.levels
    return [files_request(REGISTER, source.path, need)] if source else []


def _parse(ctx: Context, answers: Answers) -> LevelRecord:
    found = _parse_if_declared(ctx, answers)
    if found is None:
        where = ctx.subject.unit.levels.path if ctx.subject.unit.levels else "the register"
        detail = f"{clean(where, 120)}: no row about {ctx.subject.the_system.id}"
        raise Unparsable(detail, FailureKind.NOT_DECLARED)
    return found


def _parse_if_declared(ctx: Context, answers: Answers) -> LevelRecord | None:
    path = ctx.subject.the_system.assessment
    if not path:
        return row_record(ctx, answers) if ctx.subject.unit.levels else None
    files = unpack(answers.one(RECORD_FILE.id).stdout)
    if len(files) != 1:
        raise Unparsable(f"{path}: {len(files)} files match; a record is exactly one file")
    return parse_record(bytes(files[0].data), files[0].name)


def row_record(ctx: Context, answers: Answers) -> LevelRecord | None:
    """What the register of the unit says of the system; None when it has no row about it."""
    subject, source = ctx.subject, ctx.subject.unit.levels
    if source is None:
        return None
    rows = register_rows(bytes(answers.one(REGISTER.id).stdout), source.columns)
    row = row_of(subject.the_system, subject.inventory, rows)
    return record_of(row, subject.the_system, subject.inventory) if row else None


def _registered(ctx: Context, answers: Answers) -> LevelRecord | None:
    # The record file wins: a register that cannot be read is told by its own check.
    if not ctx.subject.the_system.assessment or answers.get(REGISTER.id) is None:
        return None
    try:
        return row_record(ctx, answers)
    except Unparsable:
        return None


RECORD: Fact[LevelRecord] = Fact(id="security.record", requests=_requests, parse=_parse)
"""The level record of a system subject, from its file or the unit's register; `NotDeclared` when
the inventory names neither, unknown with `not_declared` when the register has no row about it."""

RECORD_IF_DECLARED: Fact[LevelRecord | None] = Fact(
    id="security.record-if-declared", requests=_requests_if_declared, parse=_parse_if_declared
)
"""The same; None is the positive finding that nobody recorded a level."""

REGISTERED: Fact[LevelRecord | None] = Fact(
    id="security.registered",
    requests=lambda s: _register(s, Need.OPTIONAL) if s.the_system.assessment else [],
    parse=_registered,
)
"""What the register says beside the record file that wins over it; None when it says nothing."""
