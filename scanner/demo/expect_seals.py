"""Which row the signature of each planted record must end in, from the meaning of its story."""

from __future__ import annotations

from collections.abc import Iterator

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.plot import LevelStory, SealStory, SystemPlot, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected, Planted

_NOTHING_TO_READ = {
    LevelStory.UNASSESSED: FailureKind.NOT_DECLARED,
    LevelStory.LOST_RECORD: FailureKind.COMMAND_FAILED,
}
_REQUIRED_FROM = YEARLY_LEVEL


def planted_seal(system: SystemPlot) -> Iterator[Planted]:
    """What was planted in a record's signature."""
    if system.seal is not SealStory.SIGNED and system.story not in _NOTHING_TO_READ:
        yield Planted(f"seal.{system.seal}", system.id)


def seal_row(unit: UnitPlot, system: SystemPlot, *, waived: bool) -> Expected:
    """The row of `security.record-signed`; `waived` when a waiver covers it."""
    level = KINDS[system.kind].level
    status, severity, failure, planted = Status.PASS, "", "", ""
    if system.story in _NOTHING_TO_READ:
        status, failure = Status.UNKNOWN, _NOTHING_TO_READ[system.story]
        planted = f"level.{system.story}"
    elif system.seal is not SealStory.SIGNED:
        planted = f"seal.{system.seal}"
        status = Status.FAIL
        severity = Severity.CRITICAL if level >= YEARLY_LEVEL else Severity.MAJOR
        if system.seal is SealStory.UNSIGNED and level >= _REQUIRED_FROM:
            severity = Severity.MINOR
        elif system.seal is SealStory.UNSIGNED:
            status, severity, failure = Status.UNKNOWN, "", FailureKind.NOT_DECLARED
    return Expected(
        check="security.record-signed",
        unit=unit.place.code,
        system=system.id,
        target=system.id,
        status=status,
        severity=severity,
        failure=failure,
        waived=waived and status is not Status.PASS,
        planted=planted,
    )
