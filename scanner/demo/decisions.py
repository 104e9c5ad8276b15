"""Decisions of the demo as signed PDFs: real signatures, planted faults.

Cast after everything else. The counts are for 126 units.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from msgspec.structs import replace

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.authority import Authority, SigningKey
from scanner.demo.pdfs import pdf, signed, with_page
from scanner.demo.plot import DecisionStory, LevelStory, SystemPlot, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected, Planted

_ALL = 126
_COUNTS = {DecisionStory.ALTERED: 3, DecisionStory.SCANNED: 4, DecisionStory.SIGNED: 60}
ROOT = "certificates/root.crt"
"""The simulated authority's certificate, which the city trusts for every unit."""


def with_decisions(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Hand over some decisions as PDFs: most signed, some only scanned, some altered since."""
    fine = [s.id for u in units for s in u.systems if s.approved and s.story is LevelStory.FINE]
    random.shuffle(fine)
    stories: dict[str, DecisionStory] = {}
    for story, count in _COUNTS.items():
        for _ in range(max(1, round(count * len(units) / _ALL))):
            if fine:
                stories[fine.pop()] = story

    def told(system: SystemPlot) -> SystemPlot:
        return replace(system, decision=stories.get(system.id, DecisionStory.PAPER))

    return tuple(replace(u, systems=tuple(told(s) for s in u.systems)) for u in units)


def decision_path(system: SystemPlot) -> str:
    """Where the inventory says that a decision's PDF lies; empty when none was handed over."""
    return "" if system.decision is DecisionStory.PAPER else f"decisions/{system.id}.pdf"


# ------------------------------------------------------------------------------- what is expected


def planted_decision(system: SystemPlot) -> Iterator[Planted]:
    """What was planted in the decision's file."""
    if system.decision in (DecisionStory.ALTERED, DecisionStory.SCANNED):
        yield Planted(f"decision.{system.decision}", system.id)


def decision_row(unit: UnitPlot, system: SystemPlot, *, waived: bool) -> Expected:
    """The row of `security.decision-signed`; `waived` when a waiver covers it."""
    status, severity, failure, planted = Status.PASS, "", "", ""
    if system.story is LevelStory.LOST_RECORD:
        # Whether the record names a file cannot be seen.
        status, failure = Status.UNKNOWN, FailureKind.COMMAND_FAILED
        planted = f"level.{system.story}"
    elif system.decision is DecisionStory.PAPER:
        status = Status.NOT_APPLICABLE
    elif system.decision is not DecisionStory.SIGNED:
        status, planted = Status.FAIL, f"decision.{system.decision}"
        grave = KINDS[system.kind].level >= YEARLY_LEVEL
        severity = Severity.CRITICAL if grave else Severity.MAJOR
        if system.decision is DecisionStory.SCANNED:
            severity = Severity.MINOR
    settled = status in (Status.PASS, Status.NOT_APPLICABLE)
    return Expected(
        check="security.decision-signed",
        unit=unit.place.code,
        system=system.id,
        target=system.id,
        status=status,
        severity=severity,
        failure=failure,
        waived=waived and not settled,
        planted=planted,
    )


# ------------------------------------------------------------------------------------ the files


def write_decisions(
    out: Path, units: Sequence[UnitPlot], now: dt.datetime, authority: Authority
) -> None:
    """Write every decision that was handed over, and the authority's certificate."""
    (out / ROOT).parent.mkdir()
    (out / ROOT).write_bytes(authority.pem)
    (out / "decisions").mkdir()
    police = "Công an thành phố Hà Nội (mô phỏng)"
    by = authority.issue(police, police)
    for unit in units:
        for system in unit.systems:
            if decision_path(system) and system.approved:
                at = dt.datetime.combine(system.approved, dt.time(9, 30), tzinfo=now.tzinfo)
                (out / decision_path(system)).write_bytes(_pdf(system, at, by))


def _pdf(system: SystemPlot, at: dt.datetime, by: SigningKey) -> bytes:
    story = system.decision
    made = pdf(f"Quyet dinh phe duyet cap do: {system.id} (mo phong)")
    if story is DecisionStory.SCANNED:
        return made
    made = signed(made, by, at)
    # A later hand writes the page anew behind the signature, as an incremental update.
    rewritten = story is DecisionStory.ALTERED
    return with_page(made, f"Cap do 1: {system.id} (mo phong)") if rewritten else made
