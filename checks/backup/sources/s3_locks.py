"""Whether what lies in a bucket can be changed or deleted: Object Lock, versions, second factor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

import msgspec

from checks.backup.sources.s3_access import world_writes
from checks.backup.sources.s3_answers import Facts, Field, Lock, Told, says_nothing
from checks.evidence import Failure, FailureKind

_SEALED = "COMPLIANCE"


class _Versioning(msgspec.Struct, frozen=True, rename="pascal"):
    status: str = ""
    mfa_delete: str = msgspec.field(default="", name="MFADelete")


class _Default(msgspec.Struct, frozen=True, rename="pascal"):
    mode: str = ""
    days: int | None = None
    years: int | None = None


class _LockRule(msgspec.Struct, frozen=True, rename="pascal"):
    default_retention: _Default | None = None


class _LockConfig(msgspec.Struct, frozen=True, rename="pascal"):
    object_lock_enabled: str = ""
    rule: _LockRule | None = None


def _default(told: Told[_LockConfig]) -> _Default | None:
    """The rule that locks every new object, when there is one."""
    config = told.value
    if config is None or config.object_lock_enabled != "Enabled" or config.rule is None:
        return None
    found = config.rule.default_retention
    return found if found is not None and _days(found) > 0 else None


def _days(rule: _Default) -> float:
    days = (rule.days or 0) + 365.0 * (rule.years or 0)
    return days if rule.mode else 0.0


def immutable(facts: Facts, now: dt.datetime) -> Field:
    """Whether new copies are locked, by the bucket's rule or one by one; `days` says how long."""
    told = facts.told("lock", _LockConfig)
    if told.failure is not None:
        return Field(unseen=told.failure)
    if told.value is None:
        return Field(value=False)
    if told.value.object_lock_enabled != "Enabled":
        return Field(unseen=says_nothing("lock"))
    bare = [lock for lock in facts.locks if _bare(lock, now)]
    rule = _default(told)
    if rule is not None:
        if bare and bare[0] == facts.locks[0]:
            # The rule is younger than the newest copy, which it therefore does not lock.
            return Field(value=False, notes=("lock_rule_too_young",))
        notes = () if rule.mode == _SEALED else ("lock_governance",)
        return Field(value=True, days=_days(rule), notes=notes)
    return _by_objects(facts, bare, now)


def _by_objects(facts: Facts, bare: Sequence[Lock], now: dt.datetime) -> Field:
    """A lock without a rule protects only what is locked object by object."""
    if facts.locks_missing is not None:
        return Field(unseen=facts.locks_missing)
    if bare or not facts.locks:
        return Field(value=False, notes=("lock_without_rule",))
    refused = [lock.retention.failure for lock in facts.locks if lock.retention.failure is not None]
    if refused:
        return Field(unseen=refused[0])
    days = [
        (held.until - lock.time).total_seconds() / 86400
        for lock in facts.locks
        if (held := lock.retention.value) is not None and held.until is not None
    ]
    sealed = all(_sealed(lock, now) for lock in facts.locks)
    notes = ("lock_by_object", *(() if sealed else ("lock_governance",)))
    return Field(value=True, days=max(0.0, round(min(days), 1)), notes=notes)


def _bare(lock: Lock, now: dt.datetime) -> bool:
    """Whether an object surely is not locked now."""
    held = lock.retention.value
    if held is None:
        return lock.retention.absent
    return held.until is None or held.until <= now


def _sealed(lock: Lock, now: dt.datetime) -> bool:
    held = lock.retention.value
    return held is not None and held.mode == _SEALED and held.until is not None and held.until > now


def _versioning(facts: Facts) -> Told[_Versioning]:
    told = facts.told("versioning", _Versioning)
    # An empty answer is "never enabled", but only if it is an answer to this question.
    empty = told.value is not None and not told.value.status
    if empty and "Versioning" not in facts.root("versioning"):
        return Told(failure=says_nothing("versioning"))
    return told


def versioned(facts: Facts) -> Field:
    """Whether a copy that is written over or deleted stays as a version."""
    told = _versioning(facts)
    if told.failure is not None:
        return Field(unseen=told.failure)
    status = told.value.status if told.value is not None else ""
    notes = ("versioning_suspended",) if status == "Suspended" else ()
    return Field(value=status == "Enabled", notes=notes)


def ever_versioned(facts: Facts) -> bool:
    """Whether older versions may be there, versioning suspended or not."""
    value = _versioning(facts).value
    return value is not None and value.status != ""


def deletable(facts: Facts, now: dt.datetime) -> Field:
    """Nobody deletes what a compliance lock or a second factor holds; who else may, is not told."""
    if world_writes(facts):
        return Field(value=True)
    rule = _default(facts.told("lock", _LockConfig))
    if immutable(facts, now).value and (
        (rule is not None and rule.mode == _SEALED)
        or (rule is None and all(_sealed(lock, now) for lock in facts.locks))
    ):
        return Field(value=False)
    versioning = _versioning(facts).value
    if versioning is not None and (versioning.status, versioning.mfa_delete) == (
        "Enabled",
        "Enabled",
    ):
        return Field(value=False)
    detail = (
        "s3:DeleteObjectVersion of the account that writes the copies, which the bucket does not "
        "tell; a COMPLIANCE lock would answer it"
    )
    return Field(unseen=Failure(kind=FailureKind.NOT_DECLARED, detail=detail))


def hidden(facts: Facts, now: dt.datetime) -> Iterator[str]:
    """Deleted copies whose versions are still there; those under a lock cannot be lost yet."""
    if facts.hidden:
        yield "delete_markers"
    if any((r := h.retention.value) and r.until and r.until > now for h in facts.hidden):
        yield "delete_markers_hide_locked"
