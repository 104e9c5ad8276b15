"""The rows about backups that each story must end in: per system, and per set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import msgspec

from checks.evidence import FailureKind
from checks.model import Severity, Status
from scanner.demo.plot import BackupStory, SetPlot, SystemPlot, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL
from scanner.demo.truth import Expected

Said = tuple[Status, str, str]
"""Status, severity of a failure, failure kind of an unknown."""

_PASS: Said = (Status.PASS, "", "")
_NA: Said = (Status.NOT_APPLICABLE, "", "")
_MINOR, _MAJOR = Severity.MINOR, Severity.MAJOR
_FAIL_MINOR: Said = (Status.FAIL, _MINOR, "")
_UNTOLD: Said = (Status.UNKNOWN, "", FailureKind.NOT_DECLARED)

_FAILING: dict[BackupStory, dict[str, Severity]] = {
    BackupStory.STALE: {"recent": _MAJOR, "periodic": _MAJOR},
    BackupStory.ONE_GAP: {"periodic": _MINOR},
    BackupStory.TWO_GAPS: {"periodic": _MAJOR},
    BackupStory.SHRUNKEN: {"size-plausible": _MINOR},
    BackupStory.COLLAPSED: {"recent": _MAJOR, "periodic": _MAJOR, "size-plausible": _MAJOR},
    BackupStory.EMPTY: {
        "recent": _MAJOR,
        "periodic": _MAJOR,
        "size-plausible": _MAJOR,
        "run-succeeded": _MAJOR,
    },
    BackupStory.CUT: {
        "recent": _MAJOR,
        "periodic": _MAJOR,
        "size-plausible": _MAJOR,
        "run-succeeded": _MAJOR,
        "integrity-verified": _MAJOR,
    },
    BackupStory.NEVER: {
        "recent": _MAJOR,
        "periodic": _MAJOR,
        "history-sufficient": _MINOR,
        "retained": _MAJOR,
    },
}
"""Which checks fail, and how gravely below level 3; from there on major becomes critical."""

_OVERDUE = frozenset(
    {
        BackupStory.STALE,
        BackupStory.COLLAPSED,
        BackupStory.EMPTY,
        BackupStory.CUT,
        BackupStory.NEVER,
    }
)
"""Stories whose newest good copy does not keep the promise: such a copy does not count."""
_NOTHING_THERE = ("size-plausible", "run-succeeded", "content-complete", "chain-whole")
"""What cannot be told of a folder without a file."""
_ONE_FILE_EACH = ("content-complete", "chain-whole")
"""What does not apply to dumps that are one file each."""
_NOT_IN_A_FOLDER = ("encrypted", "immutable", "protected-from-host")
"""What a folder of files does not show, and is asked for from level 3 on."""
SET_CHECKS = (
    "recent",
    "periodic",
    "size-plausible",
    "history-sufficient",
    "retained",
    "automatic",
    *("run-succeeded", "content-complete", "chain-whole"),
    *_NOT_IN_A_FOLDER,
    "integrity-verified",
    "restore-tested",
    "restore-in-time",
)


class Seen(msgspec.Struct, frozen=True):
    """What stands around a system: per server why it tells nothing, if so, and its site."""

    failures: Mapping[str, str]
    sites: Mapping[str, str]
    faults: Mapping[str, str]
    """Per server the key of what is planted there, empty for nothing."""


def backup_rows(
    unit: UnitPlot, system: SystemPlot, seen: Seen, waived: Callable[[str], bool]
) -> Iterator[Expected]:
    """The rows of a system and its sets; `waived` says whether a target (`system/set`) is."""
    yield from _system_rows(unit, system, seen)
    for backup in system.sets:
        for name in SET_CHECKS:
            yield _set_row(unit, system, backup, name, seen, waived)


def _grave(system: SystemPlot) -> bool:
    return KINDS[system.kind].level >= YEARLY_LEVEL


def _fail(system: SystemPlot, severity: Severity = _MAJOR) -> Said:
    critical = severity is _MAJOR and _grave(system)
    return (Status.FAIL, Severity.CRITICAL if critical else severity, "")


# ------------------------------------------------------------------------------------ of a system


def _system_rows(unit: UnitPlot, system: SystemPlot, seen: Seen) -> Iterator[Expected]:
    rule = "" if system.ruled else "backup.no_rule"
    declared = _PASS if system.ruled else (Status.FAIL, _MAJOR if _grave(system) else _MINOR, "")
    planted = rule
    if not system.sets:
        declared, planted = _fail(system), "backup.undeclared"
    yield _of_system(unit, system, "declared", declared, planted)
    yield _of_system(unit, system, "rule-reviewed", _PASS if system.ruled else _UNTOLD, rule)
    for name in ("copies", "separate", "offsite"):
        said = _over_sets(system, name, seen)
        yield _of_system(unit, system, name, said, _reason(system, seen))


def _of_system(unit: UnitPlot, system: SystemPlot, name: str, said: Said, planted: str) -> Expected:
    status, severity, failure = said
    return Expected(
        check=f"backup.{name}",
        unit=unit.place.code,
        system=system.id,
        target=system.id,
        status=status,
        severity=severity,
        failure=failure,
        planted="" if status in (Status.PASS, Status.NOT_APPLICABLE) else planted,
    )


def _reason(system: SystemPlot, seen: Seen) -> str:
    """What was planted that explains the rows over all sets of a system."""
    if not system.sets:
        return "backup.undeclared"
    for backup in system.sets:
        fault = seen.faults[_store(system, backup)]
        if _dark(system, backup, seen):
            return fault or f"backup.{backup.story}"
    if not system.runs_on:
        return "backup.same_host"
    told = [b.story for b in system.sets if b.story in _OVERDUE]
    return f"backup.{told[0]}" if told else "backup.plain_files"


def _store(system: SystemPlot, backup: SetPlot) -> str:
    return backup.store or system.host


def _dark(system: SystemPlot, backup: SetPlot, seen: Seen) -> str:
    """Why nothing is seen of a set; empty when it is seen."""
    if backup.story is BackupStory.NO_FOLDER and not seen.failures[_store(system, backup)]:
        return FailureKind.COMMAND_FAILED
    return seen.failures[_store(system, backup)]


def _over_sets(system: SystemPlot, name: str, seen: Seen) -> Said:
    """Judged for each data by itself: a set and the copies that name it."""
    if not system.sets:
        return _lacking(system, name)
    dark = [failure for b in system.sets if (failure := _dark(system, b, seen))]
    if len(dark) == len(system.sets):
        return (Status.UNKNOWN, "", dark[0])
    told = [
        _of_data(system, own, name, seen)
        for own in _by_data(system)
        if not all(_dark(system, b, seen) for b in own)
    ]
    worst = next((s for s in told if s[0] is Status.FAIL), None)
    if worst is not None:
        return worst
    if not dark:
        return next((s for s in told if s is not _PASS), _PASS)
    # With some sets in the dark nothing passes; those that could have mended it are told first.
    return next((s for s in told if s[0] is Status.UNKNOWN), (Status.UNKNOWN, "", dark[0]))


def _by_data(system: SystemPlot) -> list[list[SetPlot]]:
    found: dict[str, list[SetPlot]] = {}
    for backup in system.sets:
        found.setdefault(backup.copy_of or backup.id, []).append(backup)
    return list(found.values())


def _of_data(system: SystemPlot, own: list[SetPlot], name: str, seen: Seen) -> Said:
    runs_on = system.runs_on or system.host
    lit = [b for b in own if not _dark(system, b, seen)]
    fresh = {_store(system, b) for b in lit if b.story not in _OVERDUE}
    found = {
        "copies": 1 + len(fresh) >= 3 and len(fresh | {runs_on}) >= 2,
        "separate": bool(fresh - {runs_on}),
        "offsite": any(seen.sites[s] != seen.sites[runs_on] for s in fresh),
    }[name]
    if found:
        return _PASS
    # Dark sets that are declared to be a copy of other data could not mend it.
    root = own[0].copy_of or own[0].id
    maybe = [
        _dark(system, b, seen)
        for b in system.sets
        if _dark(system, b, seen) and (b.copy_of or root) == root
    ]
    away = any(seen.sites[_store(system, b)] != seen.sites[runs_on] for b in lit)
    short = name == "copies" and 1 + len(fresh) + len(maybe) < 3
    overdue = name == "offsite" and away
    lacks = not maybe or short
    if lacks or KINDS[system.kind].level < YEARLY_LEVEL:
        return _lacking(system, name) if lacks else (Status.UNKNOWN, "", maybe[0])
    return (Status.UNKNOWN, "", "" if overdue else maybe[0])


def _lacking(system: SystemPlot, name: str) -> Said:
    level = KINDS[system.kind].level
    if name == "offsite":
        return _FAIL_MINOR if level >= YEARLY_LEVEL else _NA
    return _fail(system) if level >= (2 if name == "separate" else YEARLY_LEVEL) else _NA


# --------------------------------------------------------------------------------------- of a set


def _set_row(
    unit: UnitPlot,
    system: SystemPlot,
    backup: SetPlot,
    name: str,
    seen: Seen,
    waived: Callable[[str], bool],
) -> Expected:
    store = _store(system, backup)
    dark = _dark(system, backup, seen)
    said, planted = _set_verdict(system, backup, name)
    if backup.story is not BackupStory.FINE and not planted:
        planted = f"backup.{backup.story}"
    if dark:
        said = (Status.UNKNOWN, "", dark)
        planted = seen.faults[store] or f"backup.{backup.story}"
    status, severity, failure = said
    fine = status in (Status.PASS, Status.NOT_APPLICABLE)
    return Expected(
        check=f"backup.{name}",
        unit=unit.place.code,
        system=system.id,
        target=store,
        subject=backup.id,
        status=status,
        severity=severity,
        failure=failure,
        waived=waived(f"{system.id}/{backup.id}") and not fine,
        planted="" if fine and backup.story is BackupStory.FINE else planted,
    )


def _set_verdict(system: SystemPlot, backup: SetPlot, name: str) -> tuple[Said, str]:
    """What a set that was seen must end in, and what was planted if that is not its story."""
    failing = _FAILING.get(backup.story, {})
    untried = not backup.restored and name in ("restore-tested", "restore-in-time")
    if name in failing:
        return _fail(system, failing[name]), ""
    if backup.story is BackupStory.NEVER and name in (*_NOTHING_THERE, "automatic"):
        return _of_nothing(system, name), ""
    if name == "integrity-verified" and not _unpacks(backup):
        return (_FAIL_MINOR if _grave(system) else _NA), ""
    if name in _NOT_IN_A_FOLDER and _grave(system):
        # Whoever holds the server holds what lies on it; whether a disk is encrypted none can see.
        own = name != "encrypted" and _store(system, backup) == (system.runs_on or system.host)
        return (_FAIL_MINOR if own else _UNTOLD), "backup.plain_files"
    if untried:
        said = _fail(system) if name == "restore-tested" else _UNTOLD
        return said, "backup.never_restored"
    na = (*_ONE_FILE_EACH, *_NOT_IN_A_FOLDER)
    return (_NA if name in na else _PASS), ""


def _unpacks(backup: SetPlot) -> bool:
    """One of the newest three files holds something that can be unpacked."""
    if backup.story is BackupStory.EMPTY:
        return backup.days > 1  # the last two of a weekly set are empty, three of a daily one
    return backup.story not in (BackupStory.NEVER, BackupStory.NO_FOLDER)


def _of_nothing(system: SystemPlot, name: str) -> Said:
    """What can be told of a folder without a file."""
    if name == "automatic" and not _grave(system):
        return _NA
    untold = name not in ("size-plausible", "automatic")
    return (Status.UNKNOWN, "", FailureKind.NOT_DECLARED if untold else "")
