"""What must be added or confirmed before the letter is signed: who, what, and where."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from checks.evidence import Value
from checks.model import Severity, Status
from checks.results import Result, Scan
from checks.texts import clean
from inventory.model import Inventory, System, Unit
from reports.findings import unit_name
from reports.form08.model import Agency, Lacking, Letterhead, Window
from reports.form08.rules import Words
from reports.form08.standing import (
    APPROVED,
    DECIDED,
    DOUBTS,
    PLANNED,
    RECORDED,
    SIGNED,
    Paper,
    Standing,
    forged,
)
from reports.voice import Voice


class Case(Value, frozen=True):
    """One system of the report: the number of its row and where it stands."""

    number: int
    system: System
    standing: Standing


class Desk(Value, frozen=True):
    """What is needed to say what is missing."""

    scan: Scan
    words: Words
    voice: Voice
    window: Window
    scanned: dt.date
    until: dt.date
    sender: Unit
    letter: Letterhead

    @property
    def inventory(self) -> Inventory:
        """The inventory that was scanned."""
        return self.scan.inventory

    def sentence(self, row: Result | None) -> str:
        """What a row says, without its last stop."""
        if row is None:
            return self.words("not_judged")
        zone = ZoneInfo(self.scan.info.timezone)
        return self.voice.sentence(row.message, self.words.language, zone).rstrip(".")


def lacking(
    desk: Desk, cases: Sequence[Case], agencies: tuple[Sequence[Agency], Sequence[Agency]]
) -> tuple[Lacking, ...]:
    """Everything that is missing: of the scan, of the letter, of the bodies, of each system."""
    found = [*_of_scan(desk), *_of_letter(desk, cases), *_of_agencies(desk, *agencies)]
    for case in cases:
        found += _of_system(desk, case)
    return tuple(found)


def _of_scan(desk: Desk) -> Iterator[Lacking]:
    info, words = desk.scan.info, desk.words
    said = {"day": desk.scanned, "last": desk.window.last}
    keys = {
        "lack_simulated": info.simulated,
        "lack_unfinished": not info.complete,
        "lack_early": desk.scanned < desk.window.last,
        "lack_late": desk.scanned > desk.window.last,
    }
    for key, applies in keys.items():
        if applies:
            where = "sauro.yaml" if key == "lack_simulated" else "sauro scan"
            yield Lacking(key=key, who=words("whoever_scans"), what=words(key, **said), where=where)


def _of_letter(desk: Desk, cases: Sequence[Case]) -> Iterator[Lacking]:
    name = desk.letter.issuer
    for key in ("sign", "place", "title", "signer"):
        if not getattr(desk.letter, key):
            yield _of_unit(desk, desk.sender, f"lack_{key}", name, f"letter.{key}")
    if not cases:
        yield _of_unit(desk, desk.sender, "lack_no_systems", name, "systems")
    for row in desk.scan.results:
        own = row.unit == desk.sender.id and row.system is None
        if own and _weighs(row):
            yield Lacking(
                key="lack_finding_of_unit",
                who=_officer(desk, desk.sender.id),
                what=desk.words("lack_finding_of_unit", name=name, why=desk.sentence(row)),
                where=f"unit {clean(desk.sender.id)}",
            )


def _of_agencies(
    desk: Desk, owners: Sequence[Agency], security: Sequence[Agency]
) -> Iterator[Lacking]:
    done: set[str] = set()
    for agency in (*owners, *security):
        unit = desk.inventory.units[agency.id]
        if agency.id in done:
            continue
        done.add(agency.id)
        # The form lets an owner leave its mandate blank, but not a security unit.
        if not agency.mandate and agency.id in {a.id for a in security}:
            yield _of_unit(desk, unit, "lack_mandate", agency.name, "letter.mandate")
        if not (agency.head and agency.post):
            yield _of_unit(desk, unit, "lack_head", agency.name, "accountable")
        for key in ("address", "phone", "email"):
            if not getattr(agency, key):
                yield _of_unit(desk, unit, f"lack_{key}", agency.name, f"letter.{key}")


def _of_unit(desk: Desk, unit: Unit, key: str, name: str, where: str) -> Lacking:
    return Lacking(
        key=key,
        who=_officer(desk, unit.id),
        what=desk.words(key, name=name),
        where=f"unit {clean(unit.id)}: {where}",
    )


# ------------------------------------------------------------------------------------ of a system


def _of_system(desk: Desk, case: Case) -> Iterator[Lacking]:
    system, at = case.system, case.standing
    for key in ("operator", "security_unit"):
        if not getattr(system, key):
            yield _item(desk, case, f"lack_{key}", f"systems.{clean(system.id)}.{key}")
    if not at.record:
        yield _no_record(desk, case)
        return
    yield from _of_record(desk, case)
    yield from _of_approval(desk, case)
    yield from _of_plan(desk, case)
    yield from _of_findings(desk, case)
    for look in at.looks:
        since = {"periodic": desk.window.first, "before_use": dt.date.min}.get(look.kind)
        if not look.document and since is not None and since <= look.date <= desk.until:
            where = _record(desk, system, "inspections")
            yield _item(desk, case, "lack_inspection_paper", where, day=look.date)


def _no_record(desk: Desk, case: Case) -> Lacking:
    rows, where = case.standing.rows, _record(desk, case.system)
    recorded = rows.get(RECORDED)
    if recorded is None:
        return _item(desk, case, "lack_not_scanned", "sauro scan")
    if forged(rows.get(SIGNED)):
        why = desk.sentence(rows[SIGNED])
        return _item(desk, case, "lack_signature", where, why=why)
    key = "lack_unseen" if case.standing.record is None else "lack_record"
    return _item(desk, case, key, where, why=desk.sentence(recorded))


def _of_record(desk: Desk, case: Case) -> Iterator[Lacking]:
    at, system = case.standing, case.system
    recorded = at.rows[RECORDED]
    if at.level is None:
        yield _item(desk, case, "lack_level", _record(desk, system, "level"))
    elif recorded.status is not Status.PASS:
        why = desk.sentence(recorded)
        yield _item(desk, case, "lack_mismatch", f"systems.{clean(system.id)}.level", why=why)
    if not at.classified:
        yield _item(desk, case, "lack_type", _record(desk, system, "type"))
    if at.proposal is None:
        yield _item(desk, case, "lack_proposal", _record(desk, system, "proposal"))
    if at.regulation is None:
        yield _item(desk, case, "lack_regulation", _record(desk, system, "regulation"))
    elif not at.regulation.by:
        yield _item(desk, case, "lack_regulation_by", _record(desk, system, "regulation.by"))


def _of_approval(desk: Desk, case: Case) -> Iterator[Lacking]:
    at, system = case.standing, case.system
    if at.approved:
        return
    where = _record(desk, system, "approval")
    decided = at.rows.get(DECIDED)
    why = desk.sentence(decided if forged(decided) else at.rows.get(APPROVED))
    if at.approved is None or (at.appraised is None and at.claimed is None):
        yield _item(desk, case, "lack_unjudged", where, why=why)
    elif at.approval is not None:
        yield _after(desk, case, at.approval, where)
        return
    elif at.claimed is not None:
        yield _item(desk, case, "lack_refused", where, why=why)
    where = _record(desk, system, "approval_expected")
    if at.approval_expected is None:
        yield _item(desk, case, "lack_expected", where)
    elif at.approval_expected < desk.scanned:
        yield _item(desk, case, "lack_expected_past", where, day=at.approval_expected)


def _after(desk: Desk, case: Case, paper: Paper, where: str) -> Lacking:
    said = {"document": paper.document, "day": paper.date}
    return _item(desk, case, "lack_after", where, **said)


def _of_plan(desk: Desk, case: Case) -> Iterator[Lacking]:
    at, system = case.standing, case.system
    planned, where = at.rows.get(PLANNED), _record(desk, system, "plan.status")
    if not (at.plan or at.plan_declared):
        yield _item(desk, case, "lack_plan", where)
    elif at.plan != at.plan_declared and at.plan_declared:
        yield _item(desk, case, "lack_plan_refuted", where, why=desk.sentence(planned))
    if at.plan != "fully":
        where = _record(desk, system, "plan.expected")
        if at.plan_expected is None:
            yield _item(desk, case, "lack_plan_expected", where)
        elif at.plan_expected < desk.scanned:
            yield _item(desk, case, "lack_plan_past", where, day=at.plan_expected)


def _of_findings(desk: Desk, case: Case) -> Iterator[Lacking]:
    """Failures that put a figure in doubt: to be mended or explained before the head signs."""
    for row in (*case.standing.rows.values(), *case.standing.others):
        if _weighs(row) and not forged(row):
            where = _record(desk, case.system)
            yield _item(desk, case, "lack_finding", where, why=desk.sentence(row))


def _weighs(row: Result) -> bool:
    grave = row.severity in (Severity.CRITICAL, Severity.MAJOR)
    return row.check in DOUBTS and row.status is Status.FAIL and grave and row.waiver is None


def _item(desk: Desk, case: Case, key: str, where: str, **said: object) -> Lacking:
    system = case.system
    return Lacking(
        key=key,
        who=_officer(desk, system.operator or system.unit),
        what=desk.words(key, name=clean(system.name), **said),
        where=where,
        system=clean(system.id),
    )


def _officer(desk: Desk, unit: str) -> str:
    """The post that does the work in a unit, with the unit; the unit alone when it names none."""
    found = desk.inventory.units.get(unit)
    name = unit_name(desk.inventory, unit) or clean(unit)
    if found is None or not (found.officer.post or found.officer.name):
        return name
    post = clean(found.officer.post or found.officer.name)
    return desk.words("post_of", post=post, unit=name)


def _record(desk: Desk, system: System, key: str = "") -> str:
    """Where a key of the level record is written: the file, the unit's register, or neither yet."""
    unit = desk.inventory.units.get(system.unit)
    path = system.assessment or (unit.levels.path if unit and unit.levels else "")
    if not path:
        return f"systems.{clean(system.id)}.assessment"
    return clean(f"{path}: {key}" if key else path)
