"""From the plot to the truth: which row each planted thing must end in, and why.

Written from the meaning of the stories, never from what a scan printed. Anything that tells no
story is expected to pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from functools import partial

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.expect_backups import Seen, backup_rows
from scanner.demo.expect_documents import documents_rows
from scanner.demo.kinds import HostKind
from scanner.demo.plot import (
    BackupStory,
    DocsStory,
    HostPlot,
    LevelStory,
    Plot,
    SystemPlot,
    UnitPlot,
)
from scanner.demo.records import recorded_level
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected, Planted, Truth

FAILURES = {
    HostKind.DOWN: FailureKind.UNREACHABLE,
    HostKind.CHANGED_KEY: FailureKind.HOST_KEY,
    HostKind.REFUSES: FailureKind.AUTH,
    HostKind.HANGS: FailureKind.TIMEOUT,
    HostKind.FLOODS: FailureKind.TRUNCATED,
    HostKind.DROPS: FailureKind.UNREACHABLE,
}
"""Why nothing comes back from a server."""

_CLOCK_MAJOR = 300
"""Seconds of skew from which a wrong clock is a major failure."""
_NEW_LAW = dt.date(2026, 7, 1)
_OLD_APPROVALS_END = dt.date(2027, 6, 30)
"""The last day on which an approval under the law of 2015 stands without more ado."""


def expect(plot: Plot) -> Truth:
    """Every row that a scan of the plot must have."""
    hosts = {host.id: host for host in plot.hosts}
    seen = Seen(
        failures={i: FAILURES.get(h.kind, "") for i, h in hosts.items()},
        sites={h.id: unit.place.slug for unit in plot.units for h in unit.hosts},
        faults={i: f"host.{h.kind}" if h.kind in FAILURES else "" for i, h in hosts.items()},
    )
    rows: list[Expected] = []
    for unit in plot.units:
        rows += [_clock_row(unit, host) for host in unit.hosts]
        for system in unit.systems:
            rows += _level_rows(unit, system, plot)
            waived = partial(_waived, plot, unit, "backup.*")
            rows += backup_rows(unit, system, seen, waived)
        mail = hosts[unit.docs.mail_host].kind if unit.docs.mail_host else HostKind.NORMAL
        rows += documents_rows(unit, FAILURES.get(mail, ""), f"host.{mail}")
    return Truth(planted=tuple(_planted(plot)), rows=tuple(rows))


def _planted(plot: Plot) -> Iterator[Planted]:
    for unit in plot.units:
        for host in unit.hosts:
            if host.kind is not HostKind.NORMAL:
                yield Planted(f"host.{host.kind}", host.id)
        for system in unit.systems:
            yield from _planted_in(system)
        if unit.docs.story is not DocsStory.FINE:
            yield Planted(f"documents.{unit.docs.story}", unit.place.code)
    for waiver in plot.waivers:
        state = "valid" if waiver.until >= plot.now.date() else "expired"
        yield Planted(f"waiver.{state}", waiver.target)


def _planted_in(system: SystemPlot) -> Iterator[Planted]:
    if system.story is not LevelStory.FINE:
        yield Planted(f"level.{system.story}", system.id)
    if not system.sets:
        yield Planted("backup.undeclared", system.id)
    elif not system.runs_on:
        yield Planted("backup.same_host", system.id)
    if not system.ruled:
        yield Planted("backup.no_rule", system.id)
    if system.sets and KINDS[system.kind].level >= YEARLY_LEVEL:
        yield Planted("backup.plain_files", system.id)
    for backup in system.sets:
        if not backup.restored:
            yield Planted("backup.never_restored", f"{system.id}/{backup.id}")
        if backup.story is not BackupStory.FINE:
            yield Planted(f"backup.{backup.story}", f"{system.id}/{backup.id}")


# -------------------------------------------------------------------------------------- servers


def _clock_row(unit: UnitPlot, host: HostPlot) -> Expected:
    failure = FAILURES.get(host.kind, "")
    severity = ""
    status = Status.UNKNOWN if failure else Status.PASS
    if host.kind is HostKind.SKEWED:
        status = Status.FAIL
        severity = Severity.MAJOR if abs(host.skew) >= _CLOCK_MAJOR else Severity.MINOR
    return Expected(
        check="host.clock",
        unit=unit.place.code,
        target=host.id,
        status=status,
        severity=severity,
        failure=failure,
        planted="" if host.kind is HostKind.NORMAL else f"host.{host.kind}",
    )


# --------------------------------------------------------------------------------------- levels


def _level_rows(unit: UnitPlot, system: SystemPlot, plot: Plot) -> Iterator[Expected]:
    for name in ("recorded", "approved", "reviewed"):
        status, failure = _level_verdict(system, name)
        severity = ""
        if status is Status.FAIL:
            grave = max(recorded_level(system), KINDS[system.kind].level) >= YEARLY_LEVEL
            severity = Severity.CRITICAL if grave else Severity.MAJOR
        if status is Status.PASS and name == "approved" and _lapsed(system, plot.now.date()):
            status, severity = Status.FAIL, Severity.MINOR
        yield Expected(
            check=f"security.level-{name}",
            unit=unit.place.code,
            system=system.id,
            target=system.id,
            status=status,
            severity=severity,
            failure=failure,
            waived=_waived(plot, unit, "security.*", system.id) and status is not Status.PASS,
            planted="" if system.story is LevelStory.FINE else f"level.{system.story}",
        )


def _level_verdict(system: SystemPlot, name: str) -> tuple[Status, str]:
    nothing_to_read = {
        LevelStory.UNASSESSED: FailureKind.NOT_DECLARED,
        LevelStory.LOST_RECORD: FailureKind.COMMAND_FAILED,
    }
    if system.story is LevelStory.UNASSESSED and name == "recorded":
        return Status.FAIL, ""
    if system.story in nothing_to_read:
        return Status.UNKNOWN, nothing_to_read[system.story]
    failing = {
        LevelStory.CLAIMED_LOW: ("recorded",),
        LevelStory.DRAFT: ("approved", "reviewed"),
        LevelStory.WRONG_AUTHORITY: ("approved",),
        LevelStory.REGULATION_LATE: ("approved",),
        LevelStory.REVIEW_OVERDUE: ("reviewed",),
    }
    failed = name in failing.get(system.story, ())
    return (Status.FAIL if failed else Status.PASS), ""


def _lapsed(system: SystemPlot, today: dt.date) -> bool:
    old = system.approved is not None and system.approved < _NEW_LAW
    return old and today > _OLD_APPROVALS_END


def _waived(plot: Plot, unit: UnitPlot, check: str, target: str) -> bool:
    return any(
        w.unit == unit.place.code
        and w.check == check
        and w.target == target
        and w.until >= plot.now.date()
        for w in plot.waivers
    )
