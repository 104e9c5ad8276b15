"""From the plot to the truth: which row each planted thing must end in, and why.

Written from the meaning of the stories, never from what a scan printed. Anything that tells no
story is expected to pass.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from checks.model import FailureKind, Severity, Status
from scanner.demo.expect_documents import documents_rows
from scanner.demo.kinds import HostKind
from scanner.demo.plot import (
    BackupStory,
    DocsStory,
    HostPlot,
    LevelStory,
    Plot,
    SetPlot,
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
    rows: list[Expected] = []
    for unit in plot.units:
        rows += [_clock_row(unit, host) for host in unit.hosts]
        for system in unit.systems:
            rows += _level_rows(unit, system, plot)
            rows += _backup_rows(unit, system, hosts[system.host], plot)
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
    for backup in system.sets:
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


# -------------------------------------------------------------------------------------- backups

_MINOR, _MAJOR = Severity.MINOR, Severity.MAJOR
_BACKUPS: dict[BackupStory, dict[str, Severity]] = {
    BackupStory.STALE: {"recent": _MAJOR, "periodic": _MAJOR},
    BackupStory.ONE_GAP: {"periodic": _MINOR},
    BackupStory.TWO_GAPS: {"periodic": _MAJOR},
    BackupStory.SHRUNKEN: {"size-plausible": _MINOR},
    BackupStory.COLLAPSED: {"recent": _MAJOR, "periodic": _MAJOR, "size-plausible": _MAJOR},
    BackupStory.EMPTY: {"recent": _MAJOR, "periodic": _MAJOR, "size-plausible": _MAJOR},
    BackupStory.CUT: {"recent": _MAJOR, "periodic": _MAJOR, "size-plausible": _MAJOR},
    BackupStory.NEVER: {"recent": _MAJOR, "periodic": _MAJOR},
}
"""Which checks fail, and how gravely below level 3; from there on major becomes critical."""


def _backup_rows(
    unit: UnitPlot, system: SystemPlot, host: HostPlot, plot: Plot
) -> Iterator[Expected]:
    grave = KINDS[system.kind].level >= YEARLY_LEVEL
    yield Expected(
        check="backup.declared",
        unit=unit.place.code,
        system=system.id,
        target=system.id,
        status=Status.PASS if system.sets else Status.FAIL,
        severity="" if system.sets else Severity.CRITICAL if grave else _MAJOR,
        planted="" if system.sets else "backup.undeclared",
    )
    for backup in system.sets:
        for name in ("recent", "periodic", "size-plausible"):
            yield _backup_row(unit, system, host, backup, name, plot)


def _backup_row(
    unit: UnitPlot,
    system: SystemPlot,
    host: HostPlot,
    backup: SetPlot,
    name: str,
    plot: Plot,
) -> Expected:
    failure: str = FAILURES.get(host.kind, "")
    status, severity = Status.PASS, ""
    failing = _BACKUPS.get(backup.story, {})
    if failure:
        status = Status.UNKNOWN
    elif backup.story is BackupStory.NO_FOLDER:
        status, failure = Status.UNKNOWN, FailureKind.COMMAND_FAILED
    elif backup.story is BackupStory.NEVER and name == "size-plausible":
        status = Status.UNKNOWN
    elif name in failing:
        grave = failing[name] is _MAJOR and KINDS[system.kind].level >= YEARLY_LEVEL
        status, severity = Status.FAIL, Severity.CRITICAL if grave else failing[name]
    planted = f"host.{host.kind}" if host.kind in FAILURES else ""
    if backup.story is not BackupStory.FINE:
        planted = f"backup.{backup.story}"
    target = f"{system.id}/{backup.id}"
    return Expected(
        check=f"backup.{name}",
        unit=unit.place.code,
        system=system.id,
        target=system.host,
        subject=backup.id,
        status=status,
        severity=severity,
        failure=failure,
        waived=_waived(plot, unit, "backup.*", target) and status is not Status.PASS,
        planted=planted,
    )
