"""Can the copies be stolen, changed or deleted? Judged on what the stores themselves say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from checks.backup.duties import lacking, severity_at, undeclared, unseen
from checks.backup.promise import defaults
from checks.backup.series import BackupPoint, BackupSeries, PointState, Repository
from checks.backup.sources.registry import SERIES
from checks.evidence import Failure
from checks.model import Check, Context, Options, Scope, Severity, Verdict, check, failed, passed

_TCVN_3 = "TCVN 14423:2026 5.11"


class LockOptions(Options, frozen=True):
    """`days` for which a copy is to stay locked; null takes the house default (7)."""

    days: float | None = None


@check(
    "backup.encrypted",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(_TCVN_3, "CIS 11.3", "NIST CP-9(8)", "AWS Backup 4"),
).needs(SERIES)
def encrypted(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Every place keeps its copies encrypted."""
    found = {_named(r): _is_encrypted(r, series) for r in _repositories(series)}
    detail: dict[str, Any] = {"places": found}
    plain = [name for name, state in found.items() if state is False]
    blind = [r for r in _repositories(series) if found[_named(r)] is None]
    if plain:
        yield lacking(context, "encrypted", "plain", detail, place=plain[0])
    elif blind:
        yield unseen(context, "encrypted", _why(context, blind[0], "encrypted"), detail)
    else:
        yield passed("backup.encrypted.encrypted", detail)


def _is_encrypted(repository: Repository, series: BackupSeries) -> bool | None:
    if repository.encrypted is not None:
        return repository.encrypted
    newest = _newest(repository, series)
    return newest.encrypted if newest is not None else None


@check(
    "backup.immutable",
    Scope.BACKUP,
    Severity.MINOR,
    controls=("NIST CP-9(8)", "AWS Backup 8", "AWS Backup 11", "3-2-1-1-0"),
    options=LockOptions,
).needs(SERIES)
def immutable(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """At least one place locks its copies against change for long enough."""
    own = context.opt(LockOptions).days
    needed = float(defaults()["immutable_days"]) if own is None else own
    locks = {_named(r): _locked_days(context, r, series) for r in _repositories(series)}
    known = [days for days in locks.values() if days is not None]
    detail: dict[str, Any] = {"places": locks, "needed": needed, "assumed": own is None}
    blind = [r for r in _repositories(series) if locks[_named(r)] is None]
    best = max(known, default=None)
    if best is not None and best >= needed:
        yield passed("backup.immutable.locked", detail, length=int(min(best, 36500) * 86400))
    elif blind:
        yield unseen(context, "immutable", _why(context, blind[0], "immutable"), detail)
    elif best:
        said = {"length": int(best * 86400), "needed": int(needed * 86400)}
        yield lacking(context, "immutable", "short", detail, **said)
    else:
        yield lacking(context, "immutable", "changeable", detail)


def _locked_days(context: Context, repository: Repository, series: BackupSeries) -> float | None:
    """For how many days new copies are locked; 0 when they are not, None when nobody knows."""
    newest = _newest(repository, series)
    if newest is not None and newest.locked_until is not None:
        span = newest.locked_until - newest.start
        return max(0.0, span.total_seconds() / 86400) if newest.locked_until > context.now else 0.0
    if repository.immutable is None:
        return None
    if not repository.immutable:
        return 0.0
    # Append-only has no end of its own.
    return 36500.0 if repository.immutable_days is None else repository.immutable_days


@check(
    "backup.protected-from-host",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=("TCVN 14423:2026 x.11", "CIS 11.3", "AWS Backup 3", "AWS Backup 7"),
).needs(SERIES)
def protected_from_host(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """Nobody from outside reads the copies, and the protected server cannot delete them all."""
    name = "protected-from-host"
    places = _repositories(series)
    detail: dict[str, Any] = {
        "places": {
            _named(r): {"deletable": r.deletable, "public": r.public, "versioned": r.versioned}
            for r in places
        }
    }
    public = [r for r in places if r.public]
    if public:
        level = context.subject.the_system.level
        where = _named(public[0])
        yield failed(f"backup.{name}.public", detail, severity_at(level), place=where)
        return
    safe = [r for r in places if r.deletable is False]
    # A bucket says whether it is public; where it did not, that it is safe is only half seen.
    blind = [r for r in places if r.deletable is None or "public" in r.unseen]
    if safe and not any("public" in r.unseen for r in places):
        yield passed(f"backup.{name}.safe", detail)
    elif blind:
        field = "deletable" if blind[0].deletable is None and not safe else "public"
        yield unseen(context, name, _why(context, blind[0], field), detail)
    else:
        yield lacking(context, name, "deletable", detail, place=_named(places[0]))


CHECKS: tuple[Check, ...] = (encrypted, immutable, protected_from_host)


def _repositories(series: BackupSeries) -> tuple[Repository, ...]:
    """The places of a set; one of which nothing is known, when its source knows of none."""
    return series.repositories or (Repository(platform=series.source),)


def _named(repository: Repository) -> str:
    return repository.location or repository.server or repository.id or repository.platform


def _newest(repository: Repository, series: BackupSeries) -> BackupPoint | None:
    only = len(_repositories(series)) == 1
    points = [
        p
        for p in series.points
        if p.state is PointState.OK and (p.repository == repository.id or only)
    ]
    return max(points, key=lambda p: p.start, default=None)


def _why(context: Context, repository: Repository, field: str) -> Failure:
    """Why a field is not known: what the source said, or that this kind cannot show it."""
    known = repository.unseen.get(field)
    if known is not None:
        return known
    backup = context.subject.the_backup
    what = (
        f"backup set {backup.system}/{backup.id}: kind {backup.kind} does not show whether its "
        f"copies are {_WORDS[field]}"
    )
    return undeclared(what)


_WORDS = {
    "encrypted": "encrypted",
    "immutable": "locked against change",
    "deletable": "out of the protected server's reach",
    "public": "closed to the public",
}
