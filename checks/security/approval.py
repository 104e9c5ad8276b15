"""What is wrong with the papers behind a level: pure, one `Shortfall` per fault, worst first."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from checks.model import Arg
from checks.security.judging import Shortfall, mark
from checks.security.level_record import Decision, LevelRecord, well_formed
from checks.security.rules import Basis, Rules
from checks.texts import clean
from inventory.model import Inventory, System

PARTS = ("approval", "appraisal", "proposal")
"""The papers of a level, weightiest first; the unit's regulation has a check of its own."""


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """What the papers of one system are held against; `today` is the project's local day.

    `delegates` names, per owner id, the units that decide in its stead; `further`, per authority,
    ids beyond those of the rules.
    """

    record: LevelRecord
    level: int
    system: System
    inventory: Inventory
    rules: Rules
    basis: Basis
    today: dt.date
    delegates: dict[str, tuple[str, ...]] = {}
    further: dict[str, tuple[str, ...]] = {}

    def paper(self, part: str) -> Decision | None:
        """One of the papers, or the regulation."""
        found: Decision | None = getattr(self.record, part)
        return found

    def date(self, part: str) -> dt.date | None:
        """Its date, None when it or its date is missing."""
        paper = self.paper(part)
        return paper.date if paper else None


def undeclared(case: Case) -> str:
    """Key of the inventory without which the authority cannot be told; empty when all is there."""
    rule = case.basis.levels[case.level]
    needed = {*rule.approves, *rule.appraises}
    if "security_unit" in needed and not case.system.security_unit:
        return f"systems.{case.system.id}.security_unit"
    return ""


def shortfalls(case: Case) -> list[Shortfall]:
    """Everything wrong, grave faults before formal ones, weightier papers before lighter ones."""
    found = [*_papers(case), *_authorities(case), *_order(case), *_agreement(case)]
    return sorted(found, key=lambda s: (not s.grave, _weight(s.name)))


def _weight(name: str) -> int:
    part = name.split("-", 1)[0]
    return PARTS.index(part) if part in PARTS else len(PARTS)


def _papers(case: Case) -> Iterator[Shortfall]:
    for part in PARTS:
        # The decision itself must be complete; a flaw in the number of a lesser paper is formal.
        weighty = part == "approval"
        paper = case.paper(part)
        if paper is None:
            yield Shortfall(f"{part}-missing", {"level": case.level}, part != "proposal")
            continue
        said: dict[str, Arg] = {"document": clean(paper.document.strip(), 120)}
        if not paper.document.strip():
            yield Shortfall(f"{part}-no-number", said, weighty)
        elif not well_formed(paper.document):
            yield Shortfall(f"{part}-bad-number", said, weighty)
        if paper.date is None:
            yield Shortfall(f"{part}-no-date", said, weighty)
        elif paper.date > case.today:
            yield Shortfall(f"{part}-future", said | {"date": paper.date.isoformat()})


def _authorities(case: Case) -> Iterator[Shortfall]:
    rule = case.basis.levels[case.level]
    runs = case.system.operator or case.record.operator.strip()
    operated = case.basis.independent_appraisal and runs and runs == case.system.security_unit
    for part, roles in (("approval", rule.approves), ("appraisal", rule.appraises)):
        paper = case.paper(part)
        if paper is None:
            continue
        by = paper.by.strip()
        said: dict[str, Arg] = {
            "by": unit_name(case.inventory, by),
            "expected": " / ".join(_label(case, r) for r in roles),
            "level": case.level,
        }
        sure = "" if rule.certain else "-unsure"
        if not by:
            yield Shortfall(f"{part}-no-authority{sure}", said)
        elif part == "appraisal" and operated and "security_unit" in roles:
            # The unit that runs the system does not appraise it: another one or a council does.
            if by == runs:
                yield Shortfall("appraisal-not-independent", said)
        elif not any(_is(case, by, role) for role in roles):
            yield Shortfall(f"{part}-wrong-authority{sure}", said)


def _is(case: Case, by: str, role: str) -> bool:
    if role == "security_unit":
        # Not declared: `undeclared` says so, and nobody is accused meanwhile.
        return not case.system.security_unit or by == case.system.security_unit
    if role == "owner":
        return by == case.system.owner or by in case.delegates.get(case.system.owner, ())
    return by.casefold() in case.rules.authorities[role].ids or by in case.further.get(role, ())


def _label(case: Case, role: str) -> str:
    ids = {"security_unit": case.system.security_unit, "owner": case.system.owner}
    named = ids.get(role)
    return unit_name(case.inventory, named) if named else case.rules.authorities[role].label


def unit_name(inventory: Inventory, unit: str) -> str:
    """The name of a unit of the inventory, else what was written, cleaned."""
    known = inventory.units.get(unit)
    return clean(known.name if known else unit, 120)


_MUST_FOLLOW = (
    ("appraisal", "proposal"),
    ("approval", "appraisal"),
    ("approval", "proposal"),
    ("approval", "regulation"),
)
"""Later paper, earlier paper; the same day is in order, since papers carry no hour."""


def _order(case: Case) -> Iterator[Shortfall]:
    for later, earlier in _MUST_FOLLOW:
        if earlier == "regulation" and not case.basis.regulation_before_approval:
            continue
        if (later, earlier) == ("approval", "proposal") and case.date("appraisal"):
            continue  # The two steps over the appraisal say it already.
        late, early = case.date(later), case.date(earlier)
        if late and early and late < early:
            said: dict[str, Arg] = {"date": late.isoformat(), "other": early.isoformat()}
            yield Shortfall(f"{later}-before-{earlier}", said)


def _agreement(case: Case) -> Iterator[Shortfall]:
    """The decision names the level of the record, and a law that was in force on its day."""
    named = case.record.approved_level
    if named is not None and named != case.level:
        yield Shortfall("approval-other-level", {"named": named, "level": case.level})
    claimed, decided = case.record.legal_basis, case.date("approval")
    if claimed is None or decided is None:
        return
    bases, last = case.rules.bases, case.rules.transition.building_until
    said: dict[str, Arg] = {"date": decided.isoformat()}
    if decided < bases[claimed].start:
        said |= {"start": bases[claimed].start.isoformat()}
        yield Shortfall("approval-law-too-new", said, grave=False)
    elif claimed == case.rules.transition.basis and decided > last:
        said |= {"last": last.isoformat(), "mark": mark(case.rules.transition.certain)}
        yield Shortfall("approval-law-too-old", said)
