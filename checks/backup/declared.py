"""Is a backup promised at all, in writing, for every server? Judged from the inventory alone."""

from __future__ import annotations

import calendar
import datetime as dt
from collections.abc import Iterable
from typing import Any

from checks.backup.duties import cannot_tell, severity_at, undeclared
from checks.backup.promise import default_every, defaults
from checks.model import Check, Context, Options, Scope, Severity, Verdict, check, failed, passed
from inventory.model import BackupExemption, System

CONTROLS = ("TCVN 14423:2026 x.11", "Decree 331/2026 Art. 28.1", "CIS 11.1", "NIST CP-9")


class RuleOptions(Options, frozen=True):
    """`months` between two reviews of the rule; null takes the house default (12)."""

    months: int | None = None

    def __post_init__(self) -> None:
        """Refuse intervals that are no interval."""
        if self.months is not None and not 1 <= self.months <= 120:
            raise ValueError("months must be from 1 to 120")


@check("backup.declared", Scope.SYSTEM, Severity.MAJOR, controls=CONTROLS).needs()
def declared(context: Context) -> Iterable[Verdict]:
    """A written rule stands behind it, every server has a set, every set a frequency."""
    system = context.subject.the_system
    today = context.now.astimezone(context.zone).date()
    severity = severity_at(system.level)
    detail, bare = _bindings(system, today)
    exempt = system.backup_exempt
    lapsed = exempt if exempt is not None and today > exempt.until else None
    if not system.backups:
        yield _without_sets(system, exempt, lapsed, detail, severity)
    elif bare and detail["without_server"]:
        what = f"system {system.id}: protects, of the sets {', '.join(detail['without_server'])}"
        yield cannot_tell(
            "backup.declared.vague",
            undeclared(what),
            detail,
            sets=", ".join(detail["without_server"]),
            servers=", ".join(bare),
        )
    elif bare:
        name = "exemption_lapsed" if lapsed and set(bare) & _covered(system, lapsed) else "unbound"
        until = lapsed.until.isoformat() if lapsed else ""
        yield failed(
            f"backup.declared.{name}", detail, severity, servers=", ".join(bare), until=until
        )
    elif detail["without_frequency"]:
        yield failed(
            "backup.declared.no_frequency",
            detail,
            Severity.MINOR,
            sets=", ".join(detail["without_frequency"]),
            every=default_every(system.level),
        )
    elif system.backup_rule is None:
        grave = severity is Severity.CRITICAL
        yield failed("backup.declared.no_rule", detail, Severity.MAJOR if grave else Severity.MINOR)
    else:
        yield passed("backup.declared.complete", detail, count=len(system.backups))


def _without_sets(
    system: System,
    exempt: BackupExemption | None,
    lapsed: BackupExemption | None,
    detail: dict[str, Any],
    severity: Severity,
) -> Verdict:
    if exempt is None or (exempt.servers and set(exempt.servers) < set(system.servers)):
        return failed("backup.declared.none", detail, severity)
    said = {"until": exempt.until.isoformat(), "document": exempt.document}
    if lapsed:
        return failed("backup.declared.lapsed", detail, severity, **said)
    return passed("backup.declared.exempt", detail, **said)


def _bindings(system: System, today: dt.date) -> tuple[dict[str, Any], list[str]]:
    """What is bound to what, and the servers that are neither bound nor exempted today."""
    protected = {b.protects for b in system.backups}
    exempt = system.backup_exempt
    excused = _covered(system, exempt) if exempt and today <= exempt.until else frozenset()
    # One set that does not say whose data it holds may hold any server's.
    vague = [b.id for b in system.backups if not b.protects]
    bare = [s for s in system.servers if s not in protected and s not in excused]
    rule = system.backup_rule
    detail = {
        "sets": [b.id for b in system.backups],
        "without_frequency": [b.id for b in system.backups if not b.every.strip()],
        "without_server": vague,
        "servers_without_set": bare,
        "exempt": sorted(excused),
        "exempt_until": exempt.until.isoformat() if exempt else None,
        "rule": rule.document if rule else None,
    }
    return detail, bare


def _covered(system: System, exempt: BackupExemption) -> frozenset[str]:
    return frozenset(exempt.servers or system.servers)


@check(
    "backup.rule-reviewed",
    Scope.SYSTEM,
    Severity.MINOR,
    controls=("TCVN 14423:2026 4.11", "TCVN 14423:2026 5.11", "CIS 11.1", "ISO 27001 A.8.13"),
    options=RuleOptions,
).needs()
def rule_reviewed(context: Context) -> Iterable[Verdict]:
    """The written rule was issued or reviewed within a year."""
    system = context.subject.the_system
    rule = system.backup_rule
    if rule is None:
        yield cannot_tell(
            "backup.rule-reviewed.no_rule", undeclared(f"system {system.id}: backup_rule"), {}
        )
        return
    own = context.opt(RuleOptions).months
    months = own or int(defaults()["rule_months"])
    last = rule.reviewed or rule.date
    due = months_later(last, months)
    today = context.now.astimezone(context.zone).date()
    detail = {
        "document": rule.document,
        "last": last.isoformat(),
        "due": due.isoformat(),
        "months": months,
        "assumed": own is None,
    }
    said = {"document": rule.document, "last": last.isoformat(), "due": due.isoformat()}
    grave = Severity.MAJOR if (system.level or 0) >= 3 else Severity.MINOR
    if last > today:
        yield failed("backup.rule-reviewed.future", detail, grave, **said)
    elif today > due:
        yield failed("backup.rule-reviewed.overdue", detail, grave, **said)
    else:
        yield passed("backup.rule-reviewed.current", detail, **said)


def months_later(day: dt.date, months: int) -> dt.date:
    """The same day so many months on, or the last of its month."""
    years, month = divmod(day.month - 1 + months, 12)
    year = min(day.year + years, dt.MAXYEAR)
    return dt.date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


CHECKS: tuple[Check, ...] = (declared, rule_reviewed)
