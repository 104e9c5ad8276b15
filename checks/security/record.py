"""The waist of the security family: however a level was recorded, it is read to a `LevelRecord`."""

from __future__ import annotations

from checks.evidence import Answers, NotDeclared, Probe, Request, Source, Unparsable
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

__all__ = (
    "RECORD",
    "RECORD_FILE",
    "RECORD_IF_DECLARED",
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
    path = subject.the_system.assessment
    if not path:
        raise NotDeclared(f"systems.{subject.the_system.id}.assessment")
    return [files_request(RECORD_FILE, path)]


def _requests_if_declared(subject: Subject) -> list[Request]:
    return _requests(subject) if subject.the_system.assessment else []


def _parse(ctx: Context, answers: Answers) -> LevelRecord:
    files = unpack(answers.one(RECORD_FILE.id).stdout)
    if len(files) != 1:
        path = ctx.subject.the_system.assessment
        raise Unparsable(f"{path}: {len(files)} files match; a record is exactly one file")
    return parse_record(bytes(files[0].data), files[0].name)


def _parse_if_declared(ctx: Context, answers: Answers) -> LevelRecord | None:
    return _parse(ctx, answers) if ctx.subject.the_system.assessment else None


RECORD: Fact[LevelRecord] = Fact(id="security.record", requests=_requests, parse=_parse)
"""The level record of a system subject; `NotDeclared` when the inventory names none."""

RECORD_IF_DECLARED: Fact[LevelRecord | None] = Fact(
    id="security.record-if-declared", requests=_requests_if_declared, parse=_parse_if_declared
)
"""The same; None is the positive finding that the inventory names no record."""
