"""The waist of the security family: however a level was recorded, it is read to a `LevelRecord`."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Literal

import msgspec

from checks.evidence import Answers, NotDeclared, Probe, Request, Source, Unparsable
from checks.files import files_request, unpack
from checks.model import Context, Fact, Subject
from inventory.decode import decode_yaml
from inventory.problems import InvalidInput

RECORD_FILE = Probe(
    id="security.record",
    title="the level record of a system, a file of the project",
    source=Source.FILES,
)


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of a record's parts. What a record leaves out is empty: judging that is a check's."""


class Criteria(Part, frozen=True):
    """What the level was derived from; None and empty mean that the record does not say."""

    personal_data: bool | None = None
    subjects: int | None = None
    sensitive_data: bool | None = None
    state_secret: bool | None = None
    serves: Literal["one_agency", "province", "ministry", "nation", ""] = ""


class Decision(Part, frozen=True):
    """A signed paper: its number and sign, its date, and the unit that issued it."""

    document: str = ""
    date: dt.date | None = None
    by: str = ""


class DossierPart(Part, frozen=True):
    """A file of the dossier; `sha256` in hex."""

    part: str
    file: str = ""
    sha256: str = ""


class Plan(Part, frozen=True):
    """How far the security plan is carried out, and by when it will be."""

    status: Literal["not_started", "partly", "fully"]
    expected: dt.date | None = None


class Inspection(Part, frozen=True):
    """A look at whether the level still fits and the plan is kept."""

    date: dt.date
    kind: Literal["periodic", "before_use", "ad_hoc"] = "periodic"
    by: str = ""
    document: str = ""


class LevelRecord(Part, frozen=True):
    """What a unit wrote down about the level of one system."""

    system: str = ""
    level: int | None = None
    type: Literal["internal", "public_service", "infrastructure", "industrial", "other", ""] = ""
    criteria: Criteria | None = None
    proposal: Decision | None = None
    regulation: Decision | None = None
    appraisal: Decision | None = None
    approval: Decision | None = None
    approval_expected: dt.date | None = None
    """By when the level will be approved, while it is not."""
    dossier: tuple[DossierPart, ...] = ()
    plan: Plan | None = None
    inspections: tuple[Inspection, ...] = ()


def parse_record(data: bytes, file: str) -> LevelRecord:
    """Read a record from YAML; `Unparsable` says the places of what is wrong, the first three."""
    try:
        return decode_yaml(data, LevelRecord, file)
    except InvalidInput as e:
        more = f" (+{len(e.problems) - 3})" if len(e.problems) > 3 else ""
        raise Unparsable("; ".join(map(str, e.problems[:3])) + more) from None


_NUMBER = re.compile(
    r"[0-9]{1,11}(?:/[0-9]{4})?/[0-9A-ZĐ][0-9A-Za-zĐđ&.]*(?:-[A-ZĐ][0-9A-Za-zĐđ&.]*)*"
)


def well_formed(document: str) -> bool:
    """Whether it has the shape of a number and sign of Decree 30/2020: `88/QĐ-UBND`.

    A number under 10 without its leading 0 is let through: people write it so.
    """
    return _NUMBER.fullmatch(unicodedata.normalize("NFC", document.strip())) is not None


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
