"""Level records judged by the real checks, for the tests of Form 08: no host, no file, no clock."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from checks.model import Check, Context, Scope, Status, Subject, Verdict
from checks.results import EvidenceRef, Result, Scan, ScanInfo, fingerprint
from checks.security.level import level_approved, level_recorded, level_reviewed
from checks.security.level_record import Decision, Inspection, LevelRecord, Plan
from checks.security.plan import plan_implemented
from checks.security.record import RECORD, RECORD_IF_DECLARED
from inventory.model import Inventory, Letter, Person, Selection, System, Unit, UnitKind
from reports.form08.build import build_form
from reports.form08.model import Ask, Form08

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
SCANNED = dt.datetime(2026, 12, 14, 5, 0, tzinfo=dt.UTC)
"""Noon in Hà Nội of the day on which the data close."""
SHA = "4f2a" * 16

CITY = Unit(
    id="ha-noi",
    name="UBND Thành phố Hà Nội",
    kind=UnitKind.CITY,
    external=True,
    accountable=Person(name="Nguyễn Văn Mẫu", post="Chủ tịch UBND Thành phố"),
    letter=Letter(
        mandate="Luật Tổ chức chính quyền địa phương",
        address="79 phố Mẫu, Hà Nội",
        phone="024.3000.0001",
        email="vanthu@hanoi.example.vn",
        sign="UBND-NC",
        place="Hà Nội",
    ),
)
POLICE = Unit(
    id="ca-ha-noi",
    name="Công an Thành phố Hà Nội",
    kind=UnitKind.AGENCY,
    external=True,
    accountable=Person(name="Phạm Văn Thử", post="Giám đốc"),
    letter=Letter(
        mandate="88/QĐ-BCA", address="87 phố Thử", phone="024.3000.0002", email="ca@example.vn"
    ),
)


def ward(code: str = "00070", name: str = "Phường Hoàn Kiếm", **more: Any) -> Unit:
    """A ward whose letters can be signed."""
    given: dict[str, Any] = {
        "kind": UnitKind.WARD,
        "parent": "ha-noi",
        "accountable": Person(name="Lê Thị Mẫu", post="Chủ tịch UBND phường"),
        "officer": Person(post="Công chức CNTT"),
        "letter": Letter(sign="UBND-HK", place="Hoàn Kiếm"),
    }
    return Unit(id=code, name=name, **(given | more))


def system(code: str = "hk-a", **more: Any) -> System:
    """A system of level 2 of the city, run by the ward."""
    given: dict[str, Any] = {
        "unit": "00070",
        "name": f"Hệ thống {code}",
        "owner": "ha-noi",
        "operator": "00070",
        "security_unit": "ca-ha-noi",
        "level": 2,
        "assessment": f"records/{code}.yaml",
    }
    return System(id=code, **(given | more))


def day(text: str) -> dt.date:
    """An ISO date."""
    return dt.date.fromisoformat(text)


PROPOSAL = Decision(document="12/TTr-UBND", date=day("2026-02-01"))
REGULATION = Decision(document="5/QĐ-UBND", date=day("2026-01-10"), by="00070")
APPRAISAL = Decision(document="31/BC-CAHN", date=day("2026-02-20"), by="ca-ha-noi")
APPROVAL = Decision(document="88/QĐ-CAHN", date=day("2026-03-01"), by="ca-ha-noi")
PERIODIC = Inspection(
    date=day("2026-06-01"), kind="periodic", by="ca-ha-noi", document="40/BC-CAHN"
)
BEFORE_USE = Inspection(
    date=day("2024-06-01"), kind="before_use", by="ca-ha-noi", document="4/BC-CAHN"
)


def record(code: str = "hk-a", **more: Any) -> LevelRecord:
    """An approved record with everything that the form asks for; `more` overrides."""
    given: dict[str, Any] = {
        "system": code,
        "level": 2,
        "type": "internal",
        "proposal": PROPOSAL,
        "regulation": REGULATION,
        "appraisal": APPRAISAL,
        "approval": APPROVAL,
        "plan": Plan(status="partly", expected=day("2027-06-30")),
        "inspections": (PERIODIC,),
    }
    return LevelRecord(**(given | more))


def scan(
    records: dict[str, LevelRecord | None] | None = None,
    systems: list[System] | None = None,
    units: list[Unit] | None = None,
    more: list[Result] | None = None,
    **info: Any,
) -> Scan:
    """A scan of systems with their records; None is a system that names no record."""
    found = records if records is not None else {"hk-a": record()}
    mine = systems if systems is not None else [system(code) for code in found]
    everybody = {u.id: u for u in [CITY, POLICE, *(units if units is not None else [ward()])]}
    inventory = Inventory(units=everybody, systems={s.id: s for s in mine})
    given: dict[str, Any] = {
        "id": "20261214T050000Z-abc123",
        "started": SCANNED,
        "tool": "sauro 0.1.0",
        "legal_basis": 2026,
        "timezone": "Asia/Ho_Chi_Minh",
        "selection": Selection(),
        "complete": True,
    }
    about = ScanInfo(**(given | info))
    rows = [
        row
        for s in mine
        if s.id in found
        for row in judged(inventory, s, found[s.id], about.started, about.legal_basis)
    ]
    return Scan(info=about, inventory=inventory, results=(*rows, *(more or [])))


def judged(
    inventory: Inventory, of: System, told: LevelRecord | None, now: dt.datetime, basis: int = 2026
) -> list[Result]:
    """The rows of the checks that the form counts; without a record only the first speaks."""
    subject = Subject(
        scope=Scope.SYSTEM, inventory=inventory, unit=inventory.units[of.unit], target=of.id,
        system=of,
    )  # fmt: skip
    checks = (level_recorded, level_approved, level_reviewed, plan_implemented)
    rows = []
    for check in checks if told is not None else (level_recorded,):
        context = Context(
            now=now, zone=ZONE, legal_basis=basis, subject=subject, options=check.options()
        )
        # Facts beside the record, such as a register of levels, are not there.
        facts = [told if f.id in (RECORD.id, RECORD_IF_DECLARED.id) else None for f in check.needs]
        (verdict,) = check.judge(context, *facts)
        rows.append(_row(check, verdict, of, now))
    return rows


def _row(check: Check, verdict: Verdict, of: System, now: dt.datetime) -> Result:
    return Result(
        check=check.id,
        unit=of.unit,
        system=of.id,
        target=of.id,
        subject="",
        status=verdict.status,
        severity=verdict.severity or check.severity,
        message=verdict.message,
        detail=verdict.detail,
        failure=verdict.failure,
        evidence=(EvidenceRef(probe="security.record", target="", sha256=SHA, taken=now),),
        fingerprint=fingerprint(check.id, of.unit, of.id, of.id, ""),
    )


def form(found: Scan | None = None, language: str = "vi", **ask: Any) -> Form08:
    """Form 08 of a scan; of the city when nothing is asked."""
    return build_form(found if found is not None else scan(), Ask(**ask), language)


def counts(found: Form08) -> dict[str, tuple[int, int]]:
    """By figure how many systems count, and of how many nobody can tell."""
    return {f.key: (f.value, len(f.unclear)) for f in found.figures}


def keys(found: Form08, system: str | None = None) -> list[str]:
    """The keys of what is missing, of all or of one system, in the form's order."""
    return [x.key for x in found.lacking if system is None or x.system == system]


def unseen(found: Scan, check: str) -> Scan:
    """The scan with one check's rows gone dark."""
    rows = tuple(
        r
        if r.check != check
        else Result(
            check=r.check, unit=r.unit, system=r.system, target=r.target, subject=r.subject,
            status=Status.UNKNOWN, severity=r.severity, message=r.message,
            fingerprint=r.fingerprint,
        )
        for r in found.results
    )  # fmt: skip
    return Scan(info=found.info, inventory=found.inventory, results=rows)
