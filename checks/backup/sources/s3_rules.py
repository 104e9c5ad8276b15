"""Lifecycle and replication rules of a bucket: which of them reach the copies of a set."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import msgspec

from checks.backup.series import BackupPoint
from checks.backup.sources.s3_answers import Facts, says_nothing
from checks.evidence import Failure, FailureKind


class _And(msgspec.Struct, frozen=True, rename="pascal"):
    prefix: str = ""
    tags: tuple[object, ...] = ()
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None


class Filter(msgspec.Struct, frozen=True, rename="pascal"):
    """Which objects a rule is about. Tags cannot be seen without reading every object's."""

    prefix: str = ""
    tag: object = None
    and_: _And | None = msgspec.field(default=None, name="And")
    object_size_greater_than: int | None = None
    object_size_less_than: int | None = None

    @property
    def by_tag(self) -> bool:
        """Whether it goes by tags, which are not looked at."""
        return self.tag is not None or bool(self.and_ and self.and_.tags)

    def holds(self, prefix: str, keys: Sequence[str]) -> bool:
        """Whether it reaches copies under `prefix`, of which `keys` are listed."""
        own = self.and_.prefix if self.and_ is not None else self.prefix
        return prefix.startswith(own) or any(k.startswith(own) for k in keys)

    def fits(self, size: int | None) -> bool:
        """Whether an object of this size is meant."""
        source = self.and_ or self
        low, high = source.object_size_greater_than, source.object_size_less_than
        return size is None or ((low is None or size > low) and (high is None or size < high))


class _Expiration(msgspec.Struct, frozen=True, rename="pascal"):
    days: int | None = None
    date: dt.datetime | None = None


class _Noncurrent(msgspec.Struct, frozen=True, rename="pascal"):
    noncurrent_days: int | None = None


class Rule(msgspec.Struct, frozen=True, rename="pascal"):
    """A lifecycle rule. `prefix` is where rules had it before filters came."""

    status: str = ""
    prefix: str = ""
    filter: Filter | None = None
    expiration: _Expiration | None = None
    noncurrent_version_expiration: _Noncurrent | None = None


class _Destination(msgspec.Struct, frozen=True, rename="pascal"):
    bucket: str = ""
    account: str = ""


class ReplicationRule(msgspec.Struct, frozen=True, rename="pascal"):
    """One rule that sends copies elsewhere."""

    status: str = ""
    prefix: str = ""
    filter: Filter | None = None
    destination: _Destination = _Destination()


class Replication(msgspec.Struct, frozen=True, rename="pascal"):
    """The replication of a bucket."""

    rules: tuple[ReplicationRule, ...] = ()


class Expiry(msgspec.Struct, frozen=True):
    """After how many days the store itself deletes copies; None when no rule does."""

    days: float | None = None
    unseen: Failure | None = None
    notes: tuple[str, ...] = ()


def expiry(facts: Facts, points: Sequence[BackupPoint], prefix: str, by_version: bool) -> Expiry:
    """What lifecycle rules do to a set. `by_version`: its earlier copies are older versions."""
    told = facts.told("lifecycle", tuple[Rule, ...])
    if told.failure is not None:
        return Expiry(unseen=told.failure)
    if told.value is None:
        return Expiry()
    if not told.value:
        return Expiry(unseen=says_nothing("lifecycle"))
    days: list[float] = []
    notes: dict[str, None] = {}
    tagged = False
    for rule in told.value:
        if rule.status != "Enabled" or not _reaches(rule, points, prefix):
            continue
        found, said = _deletes(rule, by_version)
        if (rule.filter or Filter()).by_tag:
            # Whether the copies carry the tag is not looked at: perhaps they are deleted.
            tagged = tagged or bool(found)
            continue
        days += found
        notes.update(dict.fromkeys(said))
    least = min(days, default=None)
    unseen = None
    if tagged:
        notes["lifecycle_by_tag"] = None
        detail = "s3:GetObjectTagging: a lifecycle rule deletes objects by their tags"
        unseen = Failure(kind=FailureKind.NOT_DECLARED, detail=detail) if least is None else None
    return Expiry(least, unseen, tuple(notes))


def _reaches(rule: Rule, points: Sequence[BackupPoint], prefix: str) -> bool:
    filter_ = rule.filter or Filter(prefix=rule.prefix)
    keys = [p.id.rpartition("@")[0] for p in points if filter_.fits(p.size)]
    if points and not keys:
        return False
    return filter_.holds(prefix, keys)


def _deletes(rule: Rule, by_version: bool) -> tuple[list[float], list[str]]:
    """After how many days a rule deletes copies, and what else is to be said of it."""
    days: list[float] = []
    notes = []
    if rule.expiration is not None:
        if rule.expiration.days is not None and rule.expiration.days > 0:
            days.append(rule.expiration.days)
        if rule.expiration.date is not None:
            notes.append("lifecycle_by_date")
    older = rule.noncurrent_version_expiration
    if older is not None and older.noncurrent_days:
        notes.append("noncurrent_expires")
        if by_version:
            days.append(older.noncurrent_days)
    return days, notes
