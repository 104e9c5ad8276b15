"""Do the copies come back? Verification and restores, by the tools' records and people's word."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from checks.backup.declared import months_later
from checks.backup.duties import cannot_tell, lacking, severity_at, undeclared, unseen
from checks.backup.promise import defaults, duration
from checks.backup.series import BackupSeries, PointState, Proof, ProofKind
from checks.backup.sources.registry import SERIES
from checks.evidence import Failure, FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Options,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    passed,
)

_SHOWN = 10
_RESTORES = (ProofKind.EXTRACT, ProofKind.RESTORE)


class VerifyOptions(Options, frozen=True):
    """`days` that a verification is good for; null takes the house default (31)."""

    days: float | None = None


class RestoreOptions(Options, frozen=True):
    """Months between two trial restores by level; null takes the default of the level.

    A set's own `restore_every` comes first, but not past the legal number of levels 4 and 5.
    `first_days`: how old a set may be before its first trial restore is missed.
    """

    level_1_months: int | None = None
    level_2_months: int | None = None
    level_3_months: int | None = None
    level_4_months: int | None = None
    level_5_months: int | None = None
    first_days: int = 14

    def __post_init__(self) -> None:
        """Refuse intervals that are no interval."""
        for level in range(1, 6):
            months = self.months(level)
            if months is not None and not 1 <= months <= 120:
                raise ValueError("months must be from 1 to 120")

    def months(self, level: int | None) -> int | None:
        """What the settings say for a level, or None."""
        found: int | None = getattr(self, f"level_{level}_months", None)
        return found


class TimeOptions(Options, frozen=True):
    """`within` is how long a restore may take; null takes the house default (12h)."""

    within: dt.timedelta | None = None


@check(
    "backup.integrity-verified",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=("TCVN 14423:2026 x.11", "NIST CP-9(1)", "3-2-1-1-0"),
    options=VerifyOptions,
).needs(SERIES)
def integrity_verified(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """The copies were verified not long ago, without an error."""
    name = "integrity-verified"
    own = context.opt(VerifyOptions).days
    days = float(defaults()["verify_days"]) if own is None else own
    # A restore that failed is judged as such; one that worked has read the data as well.
    known = [
        p
        for p in _proofs(context, series)
        if p.time <= context.now and (p.ok or p.kind is not ProofKind.RESTORE)
    ]
    bad = _uncleared(known)
    last = max((p for p in known if _good(p)), key=lambda p: p.time, default=None)
    newest = max(
        (p for p in series.points if p.verified is not None), key=lambda p: p.start, default=None
    )
    detail = _detail(known) | {"days": days, "assumed": own is None}
    severity = severity_at(context.subject.the_system.level)
    if bad is not None:
        said: dict[str, Arg] = {"time": bad.time.isoformat(), "errors": bad.errors}
        yield failed(f"backup.{name}.errors", detail, severity, **said)
    elif newest is not None and newest.verified is False:
        yield failed(f"backup.{name}.point", detail, severity, name=newest.name or newest.id)
    elif last is not None and (context.now - last.time).total_seconds() <= days * 86400:
        yield passed(f"backup.{name}.verified", detail, time=last.time.isoformat())
    elif newest is not None and (context.now - newest.start).total_seconds() <= days * 86400:
        yield passed(f"backup.{name}.point_good", detail, name=newest.name or newest.id)
    elif last is not None or newest is not None:
        times = [last.time] if last is not None else []
        times += [newest.start] if newest is not None else []
        said = {"time": max(times).isoformat(), "limit": int(days * 86400)}
        yield lacking(context, name, "old", detail, **said)
    else:
        hidden = [r.unseen["proofs"] for r in series.repositories if "proofs" in r.unseen]
        if hidden:
            yield unseen(context, name, hidden[0], detail)
        else:
            yield lacking(context, name, "never", detail)


@check(
    "backup.restore-tested",
    Scope.BACKUP,
    Severity.MAJOR,
    controls=(
        "TCVN 14423:2026 x.11",
        "CIS 11.5",
        "NIST CP-9(2)",
        "ISO 27001 A.8.13",
    ),
    options=RestoreOptions,
).needs(SERIES)
def restore_tested(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """A restore was tried within the interval of the level, and the last one worked."""
    name = "restore-tested"
    level = context.subject.the_system.level
    restores = [
        p for p in _proofs(context, series) if p.kind in _RESTORES and p.time <= context.now
    ]
    detail = _detail(restores)
    if not restores:
        yield _never(context, series, detail)
        return
    bad = _uncleared(restores)
    last = bad or max(restores, key=lambda p: p.time)
    due, basis = _due(context, last)
    detail |= {"due": due.isoformat(), "basis": basis}
    said: dict[str, Arg] = {
        "date": last.time.astimezone(context.zone).date().isoformat(),
        "due": due.isoformat(),
    }
    if bad is not None:
        yield failed(f"backup.{name}.failed", detail, severity_at(level), **said)
    elif context.now.astimezone(context.zone).date() > due:
        yield failed(f"backup.{name}.overdue", detail, _overdue(level, basis), **said)
    elif last.person:
        document = last.document or "?"
        yield passed(f"backup.{name}.registered", detail, document=document, **said)
    elif last.kind is ProofKind.EXTRACT:
        yield passed(f"backup.{name}.sampled", detail, **said)
    else:
        yield passed(f"backup.{name}.tested", detail, **said)


def _overdue(level: int | None, basis: str) -> Severity:
    """A breach of the unit's own or the law's number weighs as the level; the house's less."""
    if basis != "house":
        return severity_at(level)
    return Severity.MAJOR if (level or 0) >= 3 else Severity.MINOR


def _never(context: Context, series: BackupSeries, detail: dict[str, Any]) -> Verdict:
    """Backed up but never restored: a failure, once the set is old enough to have been tried."""
    since = known_since(context, series)
    first = dt.timedelta(days=context.opt(RestoreOptions).first_days)
    level = context.subject.the_system.level
    detail |= {"since": since.isoformat() if since else None}
    stray = _stray(series)
    if stray is not None:
        return cannot_tell("backup.restore-tested.unassigned", stray, detail, what=stray.detail)
    for repository in series.repositories:
        # A tool that keeps no such records asks for registering them; a right that lacks may hide
        # a restore.
        hidden = repository.unseen.get("proofs")
        if hidden is not None and hidden.kind is not FailureKind.NOT_DECLARED:
            return unseen(context, "restore-tested", hidden, detail)
    if since is not None and context.now - since >= first:
        return failed(
            "backup.restore-tested.never", detail, severity_at(level), since=since.isoformat()
        )
    backup = context.subject.the_backup
    what = undeclared(f"backup set {backup.system}/{backup.id}: restore_tests")
    return cannot_tell("backup.restore-tested.young", what, detail)


def _stray(series: BackupSeries) -> Failure | None:
    """What must be declared to know whose the restores are that were recorded."""
    return next((r.unseen["restores"] for r in series.repositories if "restores" in r.unseen), None)


def known_since(context: Context, series: BackupSeries) -> dt.datetime | None:
    """The earliest moment at which the set is known to have existed; None when nothing tells."""
    known = [p.start for p in (*series.points, *series.past) if p.state is not PointState.RUNNING]
    if series.known_since is not None:
        known.append(series.known_since)
    start = context.subject.the_backup.effective_from
    if start is not None:
        known.append(dt.datetime.combine(start, dt.time(), context.zone).astimezone(dt.UTC))
    return min(known, default=None)


def _due(context: Context, last: Proof) -> tuple[dt.date, str]:
    """The last day of the next test, and by whose number: `own`, `law`, `settings`, `house`."""
    day = last.time.astimezone(context.zone).date()
    level = context.subject.the_system.level
    legal: dict[Any, int] = defaults()["restore_months_legal"]
    months = context.opt(RestoreOptions).months(level)
    own = context.subject.the_backup.restore_every
    house: dict[Any, int] = defaults()["restore_months"]
    if own is not None:
        choice = _days_later(day, own), "own"
    elif months is not None:
        choice = months_later(day, months), "settings"
    else:
        choice = months_later(day, house.get(level, house["unknown"])), "house"
    if level in legal:
        bound = months_later(day, legal[level])
        return (bound, "law") if choice[0] >= bound or choice[1] == "house" else choice
    return choice


def _days_later(day: dt.date, span: dt.timedelta) -> dt.date:
    return dt.date.fromordinal(min(day.toordinal() + span.days, dt.date.max.toordinal()))


@check(
    "backup.restore-in-time",
    Scope.BACKUP,
    Severity.MINOR,
    controls=("AWS Backup 10", "NIST CP-10(4)"),
    options=TimeOptions,
).needs(SERIES)
def restore_in_time(context: Context, series: BackupSeries) -> Iterable[Verdict]:
    """The last successful restore took no longer than it may."""
    name = "restore-in-time"
    backup = context.subject.the_backup
    good = [
        p
        for p in _proofs(context, series)
        if p.kind is ProofKind.RESTORE and p.ok and p.time <= context.now
    ]
    timed = [p for p in good if p.seconds is not None]
    own = backup.restore_within or context.opt(TimeOptions).within
    allowed = (own or duration(defaults()["restore_within"]) or dt.timedelta()).total_seconds()
    detail = _detail(good) | {"allowed": allowed, "assumed": own is None}
    last = max(timed, key=lambda p: p.time, default=None)
    stray = None if good else _stray(series)
    if stray is not None:
        yield cannot_tell(f"backup.{name}.unassigned", stray, detail, what=stray.detail)
        return
    if last is None or last.seconds is None:
        missing = "restore_tests with minutes" if good else "restore_tests"
        what = undeclared(f"backup set {backup.system}/{backup.id}: {missing}")
        yield cannot_tell(f"backup.{name}.{'untimed' if good else 'none'}", what, detail)
        return
    said: dict[str, Arg] = {"took": int(last.seconds), "allowed": int(allowed)}
    suffix = "" if own is not None else "_assumed"
    if last.seconds > allowed:
        declared = backup.restore_within is not None
        level = context.subject.the_system.level
        severity = severity_at(level) if declared else Severity.MINOR
        yield failed(f"backup.{name}.slow{suffix}", detail, severity, **said)
    else:
        yield passed(f"backup.{name}.quick{suffix}", detail, **said)


CHECKS: tuple[Check, ...] = (integrity_verified, restore_tested, restore_in_time)


def _proofs(context: Context, series: BackupSeries) -> tuple[Proof, ...]:
    """What the tools recorded and what people registered."""
    return (*series.proofs, *_registered(context))


def _registered(context: Context) -> Iterator[Proof]:
    for test in context.subject.the_backup.restore_tests:
        day = dt.datetime.combine(test.date, dt.time(), context.zone)
        yield Proof(
            kind=ProofKind.RESTORE,
            time=day.astimezone(dt.UTC),
            ok=test.result == "ok",
            seconds=test.minutes * 60.0 if test.minutes is not None else None,
            person=True,
            document=test.document,
            name=test.by,
        )


def _good(proof: Proof) -> bool:
    return proof.ok and not proof.errors


def _uncleared(proofs: Iterable[Proof]) -> Proof | None:
    """The newest bad record that no later record of its strength or more has cleared."""
    known = list(proofs)
    strength = list(ProofKind).index
    bad = [
        p
        for p in known
        if not _good(p)
        and not any(
            _good(q) and q.time >= p.time and strength(q.kind) >= strength(p.kind) for q in known
        )
    ]
    return max(bad, key=lambda p: p.time, default=None)


def _detail(proofs: Iterable[Proof]) -> dict[str, Any]:
    newest = sorted(proofs, key=lambda p: p.time)[-_SHOWN:]
    return {
        "proofs": [
            {
                "kind": p.kind.value,
                "time": p.time.isoformat(),
                "ok": p.ok,
                "errors": p.errors,
                "seconds": p.seconds,
                "person": p.person,
                "document": p.document,
                "name": p.name,
            }
            for p in newest
        ]
    }
