"""The rows that a scan must have about the levels of the demo's systems, by the story of each.

Written from the meaning of the stories, never from what a scan printed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.plot import LevelStory, PaperStory, SystemPlot, TotalsStory, UnitPlot, WordStory
from scanner.demo.records import recorded_level
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected, Planted

NEW_LAW = dt.date(2026, 7, 1)
OLD_APPROVALS_END = dt.date(2027, 6, 30)
"""The last day on which an approval under the law of 2015 stands without more ado."""

CHECKS = (
    "level-recorded",
    "level-approved",
    "level-reviewed",
    "level-plausible",
    "regulation-issued",
    "transition",
    "redetermination-due",
    "dossier-complete",
    "plan-implemented",
)
_NOTHING_TO_READ = {
    LevelStory.UNASSESSED: FailureKind.NOT_DECLARED,
    LevelStory.LOST_RECORD: FailureKind.COMMAND_FAILED,
}
_FAILING = {
    LevelStory.CLAIMED_LOW: ("level-recorded",),
    LevelStory.DRAFT: ("level-approved", "level-reviewed", "regulation-issued", "plan-implemented"),
    LevelStory.WRONG_AUTHORITY: ("level-approved",),
    LevelStory.REGULATION_LATE: ("level-approved",),
    LevelStory.REVIEW_OVERDUE: ("level-reviewed",),
}
_BY_PAPER = {
    PaperStory.TOO_LOW: "level-plausible",
    PaperStory.DATES_SWAPPED: "level-approved",
    PaperStory.CHANGED_SINCE: "redetermination-due",
    PaperStory.DOSSIER_ALTERED: "dossier-complete",
    PaperStory.OLD_LAW: "transition",
    PaperStory.PLAN_PARTLY: "plan-implemented",
    PaperStory.PLAN_LAPSED: "plan-implemented",
}
"""Which check speaks of what befell the papers; all but the old law fail it."""


def planted_papers(system: SystemPlot) -> Iterator[Planted]:
    """What was planted in the level of a system."""
    if system.story is not LevelStory.FINE:
        yield Planted(f"level.{system.story}", system.id)
    if system.paper is not PaperStory.FINE:
        yield Planted(f"level.{system.paper}", system.id)


def level_rows(
    unit: UnitPlot, system: SystemPlot, today: dt.date, waived: bool
) -> Iterator[Expected]:
    """One row per check of a system; `waived` tells whether a waiver covers what does not pass."""
    for name in CHECKS:
        status, failure = _verdict(system, name, today)
        severity = ""
        if status is Status.FAIL:
            grave = max(recorded_level(system), KINDS[system.kind].level) >= YEARLY_LEVEL
            severity = Severity.CRITICAL if grave else Severity.MAJOR
            if name == "plan-implemented" and system.paper is PaperStory.PLAN_PARTLY:
                severity = Severity.MINOR  # The rest has a date that has not come.
        settled = status in (Status.PASS, Status.NOT_APPLICABLE)
        yield Expected(
            check=f"security.{name}",
            unit=unit.place.code,
            system=system.id,
            target=system.id,
            status=status,
            severity=severity,
            failure=failure,
            waived=waived and not settled,
            planted=_planted(system, name),
        )


def word_rows(unit: UnitPlot) -> Iterator[Expected]:
    """One row per control that a unit attests, and one about the figures that it reported."""
    for control in ("policy", "training"):
        status, failure, severity = Status.PASS, "", ""
        if unit.words is WordStory.SILENT:
            status, failure = Status.UNKNOWN, FailureKind.NOT_DECLARED
        elif unit.words is WordStory.LAPSED and control == "training":
            status, severity = Status.FAIL, Severity.MAJOR
        yield Expected(
            check="security.attestations-valid",
            unit=unit.place.code,
            target=unit.place.code,
            subject=control,
            status=status,
            severity=severity,
            failure=failure,
            planted="" if unit.words is WordStory.FINE else f"words.{unit.words}",
        )
    said = {
        TotalsStory.NONE: (Status.NOT_APPLICABLE, ""),
        TotalsStory.RIGHT: (Status.PASS, ""),
        TotalsStory.WRONG: (Status.FAIL, "totals.wrong"),
    }
    yield Expected(
        check="security.statistics-consistent",
        unit=unit.place.code,
        target=unit.place.code,
        status=said[unit.totals][0],
        severity=Severity.MAJOR if unit.totals is TotalsStory.WRONG else "",
        planted=said[unit.totals][1],
    )


def _planted(system: SystemPlot, name: str) -> str:
    if _BY_PAPER.get(system.paper) == name:
        return f"level.{system.paper}"
    return "" if system.story is LevelStory.FINE else f"level.{system.story}"


def _verdict(system: SystemPlot, name: str, today: dt.date) -> tuple[Status, str]:
    story = system.story
    if story is LevelStory.UNASSESSED and name == "level-recorded":
        return Status.FAIL, ""
    if story in _NOTHING_TO_READ:
        return Status.UNKNOWN, _NOTHING_TO_READ[story]
    failing = (*_FAILING.get(story, ()), _BY_PAPER.get(system.paper, ""))
    if name != "transition" and name in failing:
        return Status.FAIL, ""
    if name == "transition":
        return _transition(system, today), ""
    if name == "redetermination-due" and system.approved is None:
        return Status.NOT_APPLICABLE, ""
    return Status.PASS, ""


def _transition(system: SystemPlot, today: dt.date) -> Status:
    if system.approved is None or system.approved >= NEW_LAW:
        return Status.NOT_APPLICABLE
    return Status.FAIL if today > OLD_APPROVALS_END else Status.PASS
