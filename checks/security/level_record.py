"""A level record: what a unit wrote down about the security level of one system, key by key.

The structs are read from YAML, described by `record_schema` for editors, and are the one value that
all level checks judge. What a record leaves out is empty: judging that is a check's.
"""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from typing import Annotated, Any, Literal

import msgspec

from checks.evidence import Unparsable
from inventory.decode import decode_yaml
from inventory.fields import says
from inventory.problems import InvalidInput
from inventory.schema import fix_durations

SystemType = Literal["internal", "public_service", "infrastructure", "industrial", "other", ""]
Serves = Literal["one_agency", "province", "ministry", "nation", ""]
Harm = Literal["none", "harm", "serious", "especially_serious", ""]
WorksGrade = Literal["IV", "III", "II", "I", "special", ""]
ChangeKind = Literal[
    "function",
    "scope",
    "users",
    "data",
    "technology",
    "expansion",
    "connection",
    "incident",
    "request",
]
"""What makes a level be determined again."""
PlanStatus = Literal["not_started", "partly", "fully"]


class Part(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of a record's parts."""


class Criteria(Part, frozen=True):
    """What the level was derived from; what is left out is not known, which is no `false`."""

    personal_data: Annotated[
        bool | None, says("Whether it handles personal information of its users.")
    ] = None
    private_data: Annotated[
        bool | None, says("Whether it handles private information of organisations or people.")
    ] = None
    subjects: Annotated[int | None, says("Number of people whose data it handles.")] = None
    sensitive_data: Annotated[bool | None, says("Whether the personal data are sensitive.")] = None
    state_secret: Annotated[
        bool | None,
        says("Whether it handles state secrets or information of defence and security."),
    ] = None
    harm: Annotated[
        Harm,
        says("Harm to national security when such information or the system is lost."),
    ] = ""
    procedures: Annotated[
        bool | None, says("Whether it handles administrative procedures (thủ tục hành chính).")
    ] = None
    conditional_business: Annotated[
        bool | None,
        says("Whether it offers an online service on the list of conditional business."),
    ] = None
    serves: Annotated[
        Serves,
        says(
            "Whom an infrastructure serves; `province`: agencies of one province or several, "
            "`ministry`: of one ministry or sector."
        ),
    ] = ""
    round_the_clock: Annotated[
        bool | None, says("Whether a nation-wide infrastructure must run without any stop.")
    ] = None
    international: Annotated[
        bool | None, says("Whether a national infrastructure links the country with abroad.")
    ] = None
    works_grade: Annotated[
        WorksGrade, says("Grade of the works that an industrial control system runs.")
    ] = ""
    national_data: Annotated[
        bool | None,
        says("Whether it is a central storage of especially important national data."),
    ] = None


class Decision(Part, frozen=True):
    """A signed paper: its number and sign, its date, and the unit that issued it."""

    document: Annotated[str, says("Number and sign, such as `88/QĐ-UBND`.")] = ""
    date: Annotated[dt.date | None, says("Day on which it was signed.")] = None
    by: Annotated[
        str, says("Id of the unit that issued it; `mps` and others of the rule set outside.")
    ] = ""
    level: Annotated[
        int | None, says("Level that this very paper names, when it is not the record's `level`.")
    ] = None


class DossierPart(Part, frozen=True):
    """A file of the dossier."""

    part: Annotated[
        str,
        says(
            "Which part: `overview`, `design`, `statement`, `plan`, `opinion`, or a word of yours."
        ),
    ]
    file: Annotated[str, says("Path, relative to the project folder.")] = ""
    sha256: Annotated[str, says("SHA-256 of the file as approved, 64 hex digits.")] = ""


class Done(Part, frozen=True):
    """A person's word that a measure is carried out; it lapses by itself."""

    attested_by: Annotated[str, says("Who says so: name and post.")]
    date: Annotated[dt.date, says("Day on which it was said.")]
    valid_for: Annotated[
        dt.timedelta | None, says("How long it holds from that day (`365d`); or `until`.")
    ] = None
    until: Annotated[dt.date | None, says("Last day on which it holds; or `valid_for`.")] = None
    explanation: Annotated[str, says("How the person knows.")] = ""
    document: Annotated[str, says("Number of the paper that shows it.")] = ""


class Measure(Part, frozen=True):
    """A measure of the security plan."""

    id: Annotated[
        str,
        says("Short id; an attestation of the control `plan.ID` in the inventory speaks of it."),
    ]
    name: Annotated[str, says("What is to be done.")] = ""
    done: Annotated[Done | None, says("Who says that it is carried out.")] = None


class Plan(Part, frozen=True):
    """The security plan: how far it is carried out, and by when it will be."""

    status: Annotated[
        PlanStatus | Literal[""],
        says("As reported: not started, some measures, all of them; the measures decide."),
    ] = ""
    expected: Annotated[dt.date | None, says("Day by which all of it will be carried out.")] = None
    document: Annotated[str, says("Number of the decision on the plan (Form 07).")] = ""
    measures: Annotated[tuple[Measure, ...], says("Its measures.")] = ()


class Inspection(Part, frozen=True):
    """A look at whether the level still fits and the plan is kept."""

    date: Annotated[dt.date, says("Day of the minutes or report.")]
    kind: Annotated[
        Literal["periodic", "before_use", "ad_hoc"], says("As in Form 08, or ad hoc.")
    ] = "periodic"
    by: Annotated[str, says("Id of the unit that inspected.")] = ""
    document: Annotated[str, says("Number and sign; without one it does not count.")] = ""


class Change(Part, frozen=True):
    """Something that happened to the system and asks for a look at its level."""

    date: Annotated[dt.date, says("Day on which it took effect.")]
    kind: Annotated[
        ChangeKind,
        says("What changed; `incident`: a serious one, `request`: of a competent authority."),
    ]
    note: Annotated[str, says("What exactly.")] = ""
    document: Annotated[str, says("Number of the paper about it.")] = ""


class LevelRecord(Part, frozen=True):
    """What a unit wrote down about the level of one system."""

    system: Annotated[str, says("Id of the system in the inventory.")] = ""
    level: Annotated[int | None, says("The level, 1 to 5.")] = None
    type: Annotated[SystemType, says("Type of system.")] = ""
    owner: Annotated[str, says("Id or name of the owner (chủ quản).")] = ""
    operator: Annotated[str, says("Id or name of the unit that runs it (đơn vị vận hành).")] = ""
    security_unit: Annotated[
        str, says("Id or name of the designated security unit (đơn vị chuyên trách).")
    ] = ""
    criteria: Annotated[Criteria | None, says("What the level was derived from.")] = None
    proposal: Annotated[Decision | None, says("Proposal of the level.")] = None
    regulation: Annotated[
        Decision | None, says("The unit's own security regulation (quy chế).")
    ] = None
    appraisal: Annotated[Decision | None, says("Appraisal (thẩm định).")] = None
    approval: Annotated[Decision | None, says("Decision approving the level.")] = None
    approval_expected: Annotated[
        dt.date | None, says("By when the level will be approved, while it is not.")
    ] = None
    legal_basis: Annotated[
        Literal[2016, 2026] | None,
        says("Law under which it was approved; without it the date of the approval tells."),
    ] = None
    dossier: Annotated[tuple[DossierPart, ...], says("Files of the dossier.")] = ()
    plan: Annotated[Plan | None, says("The security plan.")] = None
    inspections: Annotated[tuple[Inspection, ...], says("Inspections, in any order.")] = ()
    changes: Annotated[
        tuple[Change, ...], says("What changed since, declared by whoever runs the system.")
    ] = ()

    @property
    def proposed_level(self) -> int | None:
        """The level that the proposal names; the record's when it names none."""
        return _of(self.proposal, self.level)

    @property
    def approved_level(self) -> int | None:
        """The level that the decision names; None while there is no decision."""
        return _of(self.approval, self.level) if self.approval else None


def _of(paper: Decision | None, level: int | None) -> int | None:
    return paper.level if paper is not None and paper.level is not None else level


def parse_record(data: bytes, file: str) -> LevelRecord:
    """Read a record from YAML; `Unparsable` says the places of what is wrong, the first three."""
    try:
        return decode_yaml(data, LevelRecord, file)
    except InvalidInput as e:
        more = f" (+{len(e.problems) - 3})" if len(e.problems) > 3 else ""
        raise Unparsable("; ".join(map(str, e.problems[:3])) + more) from None


def record_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a level record, for editors."""
    schema = msgspec.json.schema(LevelRecord)
    fix_durations(schema)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Sáu Rõ: the level record of one system",
    }
    return head | schema


_NUMBER = re.compile(
    r"[0-9]{1,11}(?:/[0-9]{4})?/[0-9A-ZĐ][0-9A-Za-zĐđ&.]*(?:-[A-ZĐ][0-9A-Za-zĐđ&.]*)*"
)


def well_formed(document: str) -> bool:
    """Whether it has the shape of a number and sign of Decree 30/2020: `88/QĐ-UBND`.

    A number under 10 without its leading 0 is let through: people write it so.
    """
    return _NUMBER.fullmatch(unicodedata.normalize("NFC", document.strip())) is not None
