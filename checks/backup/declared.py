"""Is a backup promised at all? Judged from the inventory alone."""

from __future__ import annotations

from collections.abc import Iterable

from checks.backup.promise import default_every
from checks.model import Check, Context, Scope, Severity, Verdict, check, failed, passed

CONTROLS = ("TCVN 14423:2026 x.11", "Decree 331/2026 Art. 28.1", "CIS 11.1", "NIST CP-9")


def severity_at(level: int | None) -> Severity:
    """How grave a failing backup is: backup is a statutory measure from level 3 on."""
    return Severity.CRITICAL if level is not None and level >= 3 else Severity.MAJOR


@check("backup.declared", Scope.SYSTEM, Severity.MAJOR, controls=CONTROLS).needs()
def declared(context: Context) -> Iterable[Verdict]:
    """Every system has a backup set, and every set a frequency of the unit's own."""
    system = context.subject.the_system
    severity = severity_at(system.level)
    if not system.backups:
        yield failed("backup.declared.none", {"sets": []}, severity)
        return
    without = [b.id for b in system.backups if not b.every.strip()]
    protected = {b.protects for b in system.backups}
    detail = {
        "sets": [b.id for b in system.backups],
        "without_frequency": without,
        "servers_without_set": [s for s in system.servers if s not in protected],
    }
    if without:
        yield failed(
            "backup.declared.no_frequency",
            detail,
            Severity.MINOR,
            sets=", ".join(without),
            every=default_every(system.level),
        )
        return
    yield passed("backup.declared.complete", detail, count=len(system.backups))


CHECKS: tuple[Check, ...] = (declared,)
