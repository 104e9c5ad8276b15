"""Level records to judge: a good one, an old one, and one verdict said in both languages."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from checks.catalogue import options_for
from checks.model import Check, Context, Message, Scope, Subject, Verdict
from checks.security.level_record import Decision, LevelRecord
from checks.texts import render
from inventory.model import Inventory, System, Unit, UnitKind

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = dt.date(2026, 11, 21)
UNITS = {
    "hk": Unit(id="hk", name="Phường Hoàn Kiếm", kind=UnitKind.WARD),
    "ha-noi": Unit(id="ha-noi", name="UBND Thành phố Hà Nội", kind=UnitKind.CITY),
    "ca": Unit(id="ca", name="Công an Thành phố", kind=UnitKind.AGENCY, external=True),
}
SYSTEM = System(
    id="sys",
    unit="hk",
    name="Một cửa",
    owner="ha-noi",
    operator="hk",
    security_unit="ca",
    level=2,
    assessment="records/sys.yaml",
)


def day(text: str) -> dt.date:
    return dt.date.fromisoformat(text)


def paper(document: str, date: str, by: str = "") -> Decision:
    return Decision(document=document, date=day(date), by=by)


GOOD = LevelRecord(
    system="sys",
    level=2,
    type="internal",
    proposal=paper("12/TTr-UBND", "2026-08-01"),
    regulation=paper("05/QĐ-UBND", "2026-07-10"),
    appraisal=paper("31/BC-CAHN", "2026-08-20", "ca"),
    approval=paper("88/QĐ-CAHN", "2026-09-01", "ca"),
)
OLD = LevelRecord(
    system="sys",
    level=2,
    proposal=paper("12/TTr-UBND", "2026-02-01"),
    regulation=paper("05/QĐ-UBND", "2026-01-10"),
    appraisal=paper("31/BC-CAHN", "2026-02-20", "ca"),
    approval=paper("88/QĐ-CAHN", "2026-06-30", "ca"),
)


def but(record: LevelRecord, **changes: Any) -> LevelRecord:
    """A record with other parts; a dict changes fields of a paper."""
    for name, value in changes.items():
        if isinstance(value, dict):
            changes[name] = msgspec.structs.replace(getattr(record, name), **value)
    return msgspec.structs.replace(record, **changes)


def judge(
    check: Check,
    record: LevelRecord | None,
    *more: Any,
    today: dt.date = TODAY,
    basis: int = 2026,
    options: dict[str, Any] | None = None,
    unit: Unit = UNITS["hk"],
    **system: Any,
) -> Verdict:
    subject_system = msgspec.structs.replace(SYSTEM, **system)
    subject = Subject(
        scope=Scope.SYSTEM,
        inventory=Inventory(units=UNITS, systems={"sys": subject_system}),
        unit=unit,
        target="sys",
        system=subject_system,
    )
    context = Context(
        now=dt.datetime(today.year, today.month, today.day, 2, 0, tzinfo=ZONE),
        zone=ZONE,
        legal_basis=basis,
        subject=subject,
        options=options_for(check, {check.id: options} if options else {}),
    )
    (verdict,) = check.judge(context, record, *more)
    assert isinstance(verdict, Verdict)
    # Whatever is said can be said in both languages, and stored.
    for language in ("vi", "en"):
        assert render(verdict.message, language, ZONE)
        for fault in verdict.detail.get("shortfalls", []):
            assert render(Message(id=fault["message"], args=fault["args"]), language, ZONE)
    msgspec.json.encode(verdict)
    return verdict


def name(verdict: Verdict) -> str:
    return verdict.message.id.rsplit(".", 1)[1]


def faults(verdict: Verdict) -> list[str]:
    return [f["message"].rsplit(".", 1)[1] for f in verdict.detail.get("shortfalls", [])]
