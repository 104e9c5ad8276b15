"""Level records as files of a project: a new one to fill in, and verifying the ones there are."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Literal

from checks.evidence import Unparsable
from checks.files import FileEntry, pack
from checks.results import Result
from checks.security.level_record import parse_record
from checks.security.register import register_rows, row_of
from checks.texts import clean
from inventory.model import Selection, System
from inventory.select import choose
from scanner.errors import UserError
from scanner.judge import Judge
from scanner.project import Project
from scanner.transports.files import FilesTransport

VERIFIED = ("security.record-signed", "security.decision-signed")
"""The checks that `sauro record verify` runs."""
DEFAULT = "records/{system}.yaml"
"""Where a record is written when the inventory names no file."""

_NEW = {
    "vi": """\
# Hồ sơ cấp độ của: {name}
# Điền các mục, bỏ dấu # ở đầu dòng. Mục không biết thì để trống: phần mềm ghi "chưa kết luận",
# không coi là đạt. Mọi khóa: `sauro inventory schema --record`.
# Sửa xong thì ký lại: `sauro record sign {bare}`.
system: {id}
{level}
{owner}
{operator}
{security_unit}

# Loại hệ thống: internal | public_service | infrastructure | industrial | other
# type: internal

# Tiêu chí xác định cấp độ; phần mềm gợi ý cấp độ từ đây, không thay người phê duyệt.
# criteria: {{personal_data: true, subjects: 0, sensitive_data: false, state_secret: false}}

# Tờ trình đề xuất, quy chế bảo đảm an ninh mạng, thẩm định, phê duyệt: theo thứ tự thời gian.
# proposal: {{document: 12/TTr-UBND, date: 2026-02-01}}
# regulation: {{document: 5/QĐ-UBND, date: 2026-01-10}}
# appraisal: {{by: {appraiser}, document: 31/BC-CA, date: 2026-02-20}}

# CHỈ điền khi đã có quyết định: cấp độ trong danh mục chưa phải cấp độ được phê duyệt.
# approval: {{by: {appraiser}, document: 88/QĐ-CA, date: 2026-03-01}}

# Tệp của hồ sơ đề xuất cấp độ, kèm SHA-256 (`sha256sum TỆP`). Các phần: overview, design,
# statement, plan; cấp 4, 5 thêm opinion.
# dossier:
#   - {{part: overview, file: dossier/{bare}/tong-quan.pdf, sha256: …}}

# Phương án bảo đảm: not_started | partly | fully
# plan: {{status: not_started, expected: 2026-12-31}}

# inspections:
#   - {{date: 2026-06-01, kind: periodic, by: {appraiser}, document: 40/BC-CA}}
""",
    "en": """\
# Level record of: {name}
# Fill in and remove the # at the start of a line. What is not known stays out: the program says
# "cannot tell" and never counts it as fine. All keys: `sauro inventory schema --record`.
# Once it is changed, sign it again: `sauro record sign {bare}`.
system: {id}
{level}
{owner}
{operator}
{security_unit}

# Type of system: internal | public_service | infrastructure | industrial | other
# type: internal

# Criteria of the level; the program suggests a level from them and replaces no approval.
# criteria: {{personal_data: true, subjects: 0, sensitive_data: false, state_secret: false}}

# Proposal, the unit's security regulation, appraisal, approval: in order of time.
# proposal: {{document: 12/TTr-UBND, date: 2026-02-01}}
# regulation: {{document: 5/QĐ-UBND, date: 2026-01-10}}
# appraisal: {{by: {appraiser}, document: 31/BC-CA, date: 2026-02-20}}

# ONLY when there is a decision: the level of the inventory is a claim, no approved level.
# approval: {{by: {appraiser}, document: 88/QĐ-CA, date: 2026-03-01}}

# Files of the level dossier with their SHA-256 (`sha256sum FILE`). Parts: overview, design,
# statement, plan; at levels 4 and 5 also opinion.
# dossier:
#   - {{part: overview, file: dossier/{bare}/overview.pdf, sha256: …}}

# Security plan: not_started | partly | fully
# plan: {{status: not_started, expected: 2026-12-31}}

# inspections:
#   - {{date: 2026-06-01, kind: periodic, by: {appraiser}, document: 40/BC-CA}}
""",
}
_CLAIMED = {
    "vi": "level: {level}  # cấp độ khai trong danh mục: là đề xuất, chưa phải phê duyệt",
    "en": "level: {level}  # as the inventory claims: a proposal, no approval",
}
_UNCLAIMED = {
    "vi": "# level: 2  # danh mục chưa khai cấp độ",
    "en": "# level: 2  # the inventory claims none",
}


def new_record(system: System, language: Literal["vi", "en"]) -> str:
    """The text of a record to fill in: what the inventory says, all else as a comment."""
    level = (_UNCLAIMED if system.level is None else _CLAIMED)[language].format(level=system.level)
    return _NEW[language].format(
        # A name is a line of text: it cannot leave its comment.
        name=system.name,
        id=_quoted(system.id),
        bare=system.id,
        level=level,
        owner=_line("owner", system.owner),
        operator=_line("operator", system.operator),
        security_unit=_line("security_unit", system.security_unit),
        appraiser=_quoted(system.security_unit or "…"),
    )


def _line(key: str, value: str) -> str:
    return f"{key}: {_quoted(value)}" if value else f"# {key}:"


def _quoted(text: str) -> str:
    # Ids of digits alone, `no` and the like would be read as something else.
    return json.dumps(text, ensure_ascii=False)


def record_file(project: Project, system: System, *, registered: bool = False) -> tuple[str, Path]:
    """The record's path as the inventory says it, or the default, and where that is.

    `registered` takes the register of the unit for a system that has no record of its own.

    Raises:
        UserError: it is a pattern, or does not lie in the project folder.
    """
    said = system.assessment or DEFAULT.format(system=system.id)
    register = project.inventory.units[system.unit].levels
    if registered and register is not None and not system.assessment:
        said = register.path
    if any(sign in said for sign in "*?["):
        raise UserError(f"the record of {system.id}: {said} is a pattern: name one file")
    place = (project.folder / said).resolve()
    if not place.is_relative_to(project.folder):
        raise UserError(f"{said}: does not lie in the project folder: correct the inventory")
    return said, place


def read_record(project: Project, system: System, said: str, data: bytes) -> None:
    """See that a file says something of the system's level before anybody signs it.

    Raises:
        UserError: it is no record or register, or says nothing of this system.
    """
    register = project.inventory.units[system.unit].levels
    try:
        if register is not None and not system.assessment:
            entry = FileEntry(name=said, mtime=dt.datetime.fromtimestamp(0, dt.UTC), data=data)
            rows = register_rows(pack([entry]), register.columns)
            of = system.id if row_of(system, project.inventory, rows) else ""
        else:
            of = parse_record(data, said).system
    except Unparsable as e:
        raise UserError(f"{clean(str(e))}: correct it before it is signed") from None
    if of != system.id:
        shown = clean(of, 120) or "no such system"
        raise UserError(f"{said}: is about {shown}, not about {system.id}: nothing was signed")


def system_of(project: Project, system_id: str) -> System:
    """The system with this id; raises InvalidInput with what is near when there is none."""
    choose(project.inventory, Selection(systems=(system_id,)))
    return project.inventory.systems[system_id]


def verify(project: Project, systems: tuple[str, ...], now: dt.datetime) -> list[Result]:
    """The rows of the signature checks for these systems (all for none), from the files alone.

    Raises InvalidInput when there is no such system.
    """
    checks = tuple(c for c in VERIFIED if project.catalogue.get(c) is not None)
    plan = project.plan(Selection(systems=systems, checks=checks))
    files = FilesTransport(project.folder, project.settings.limits, lambda: now)
    seen = {
        (target, evidence.key): evidence
        for target, requests in plan.visits.items()
        for evidence in files.collect(requests)
    }
    judge = Judge(
        started=now,
        zone=project.zone,
        legal_basis=project.settings.legal_basis,
        coverage_floor=project.settings.coverage_floor,
        options=lambda check: project.options[check.id],
        past=lambda _kind, _subject: (),
    )
    return [row for case in plan.cases for row in judge.judge(case, seen).results]
