"""From the plot to the truth: which row each planted thing must end in, and why.

Written from the meaning of the stories, never from what a scan printed. Anything that tells no
story is expected to pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.axis import planted_axis
from scanner.demo.decisions import decision_row, planted_decision
from scanner.demo.expect_backups import Seen, backup_rows
from scanner.demo.expect_documents import documents_rows
from scanner.demo.expect_levels import level_rows, planted_papers, word_rows
from scanner.demo.expect_seals import planted_seal, seal_row
from scanner.demo.kinds import HostKind
from scanner.demo.plot import (
    BackupStory,
    DocsStory,
    HostPlot,
    Plot,
    SystemPlot,
    TotalsStory,
    UnitPlot,
    WordStory,
)
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
            accepted = _waived(plot, unit, "security.*", system.id)
            rows += level_rows(unit, system, plot.now.date(), accepted)
            rows.append(seal_row(unit, system, waived=accepted))
            rows.append(decision_row(unit, system, waived=accepted))
            waived = partial(_waived, plot, unit, "backup.*")
            rows += backup_rows(unit, system, seen, waived)
        rows += word_rows(unit)
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
        if unit.totals is TotalsStory.WRONG:
            yield Planted("totals.wrong", unit.place.code)
        if unit.words is not WordStory.FINE:
            yield Planted(f"words.{unit.words}", unit.place.code)
        yield from planted_axis(unit)
        if unit.docs.story is not DocsStory.FINE:
            yield Planted(f"documents.{unit.docs.story}", unit.place.code)
    for waiver in plot.waivers:
        state = "valid" if waiver.until >= plot.now.date() else "expired"
        yield Planted(f"waiver.{state}", waiver.target)


def _planted_in(system: SystemPlot) -> Iterator[Planted]:
    yield from planted_papers(system)
    yield from planted_seal(system)
    yield from planted_decision(system)
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


def _waived(plot: Plot, unit: UnitPlot, check: str, target: str) -> bool:
    return any(
        w.unit == unit.place.code
        and w.check == check
        and w.target == target
        and w.until >= plot.now.date()
        for w in plot.waivers
    )
