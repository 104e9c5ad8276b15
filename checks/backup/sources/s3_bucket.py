"""From what a bucket told of its protections to one `Repository`, pure.

A field is None when it cannot be known, and `unseen` then names the right or call that is missing.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from urllib.parse import urlsplit

import msgspec

from checks.backup.names import group_of
from checks.backup.series import BackupPoint, Repository
from checks.backup.sources.place import Place
from checks.backup.sources.s3_access import public
from checks.backup.sources.s3_answers import Facts, Field, says_nothing
from checks.backup.sources.s3_keys import below, prefix_of
from checks.backup.sources.s3_locks import deletable, ever_versioned, hidden, immutable, versioned
from checks.backup.sources.s3_rules import Filter, Replication, expiry
from checks.evidence import Failure, FailureKind
from checks.model import Subject
from checks.texts import clean
from inventory.index import index_of

_ENCRYPTED = (".gpg", ".pgp", ".age", ".enc", ".aes")


class _Algorithm(msgspec.Struct, frozen=True):
    SSEAlgorithm: str = ""


class _EncryptionRule(msgspec.Struct, frozen=True):
    ApplyServerSideEncryptionByDefault: _Algorithm | None = None


class _Encryption(msgspec.Struct, frozen=True, rename="pascal"):
    rules: tuple[_EncryptionRule, ...] = ()


def repository(
    subject: Subject, place: Place, points: Sequence[BackupPoint], facts: Facts, now: dt.datetime
) -> Repository:
    """The bucket of a set as a place that holds copies."""
    backup = subject.the_backup
    bucket = subject.inventory.buckets.get(backup.bucket)
    lock = immutable(facts, now)
    lies, remote = _lies(subject, bucket.endpoint if bucket else "")
    seen = {
        "immutable": lock,
        "versioned": versioned(facts),
        "encrypted": _encrypted(facts, points),
        "public": public(facts),
        "deletable": deletable(facts, now),
        "replicated": _replicated(facts, points, place),
        "remote": remote,
    }
    life = expiry(facts, points, below(place), overwritten(points) and ever_versioned(facts))
    unseen = {name: f.unseen for name, f in seen.items() if f.unseen is not None}
    if life.unseen is not None:
        unseen["expires_days"] = life.unseen
    where = f"{bucket.bucket if bucket else backup.bucket}/{prefix_of(place)}"
    at = f" ({urlsplit(bucket.endpoint).netloc})" if bucket and bucket.endpoint else ""
    return Repository(
        location=clean(f"s3://{where}{at}"),
        platform="s3",
        server=lies,
        remote=seen["remote"].value,
        encrypted=seen["encrypted"].value,
        immutable=lock.value,
        immutable_days=lock.days,
        versioned=seen["versioned"].value,
        public=seen["public"].value,
        deletable=seen["deletable"].value,
        expires_days=life.days,
        replicated=seen["replicated"].value,
        unseen=unseen,
        notes=(*(n for f in seen.values() for n in f.notes), *life.notes, *hidden(facts, now)),
    )


def locked(points: Sequence[BackupPoint], facts: Facts) -> tuple[BackupPoint, ...]:
    """The points with the dates until which their own locks hold."""
    until = {
        f"{lock.key}@{int(lock.time.timestamp())}": lock.retention.value.until
        for lock in facts.locks
        if lock.retention.value is not None and lock.retention.value.until is not None
    }
    return tuple(
        msgspec.structs.replace(p, locked_until=until[p.id]) if p.id in until else p for p in points
    )


def _key(point: BackupPoint) -> str:
    return point.id.rpartition("@")[0]


def overwritten(points: Sequence[BackupPoint]) -> bool:
    """Whether every name stays the same, so that earlier copies are but older versions."""
    return bool(points) and all(group_of(p.name) == p.name for p in points)


def _encrypted(facts: Facts, points: Sequence[BackupPoint]) -> Field:
    told = facts.told("encryption", _Encryption)
    if told.failure is not None:
        return Field(unseen=told.failure)
    if told.value is not None:
        rules = [r.ApplyServerSideEncryptionByDefault for r in told.value.rules]
        if any(r is not None and r.SSEAlgorithm for r in rules):
            return Field(value=True)
        return Field(unseen=says_nothing("encryption"))
    if points and all(p.name.lower().endswith(_ENCRYPTED) for p in points):
        detail = "the names say encrypted by the writer; s3:GetObject would be needed to see it"
        return Field(unseen=Failure(kind=FailureKind.NOT_DECLARED, detail=detail))
    return Field(value=False)


def _replicated(facts: Facts, points: Sequence[BackupPoint], place: Place) -> Field:
    """A rule says that objects are sent; that they arrive is seen only where they arrive."""
    told = facts.told("replication", Replication)
    if told.failure is not None:
        return Field(unseen=told.failure)
    if told.value is None:
        return Field(value=False)
    if not told.value.rules:
        return Field(unseen=says_nothing("replication"))
    keys = [_key(p) for p in points]
    targets = [
        rule.destination.bucket.rpartition(":")[2]
        for rule in told.value.rules
        if rule.status == "Enabled"
        and (rule.filter or Filter(prefix=rule.prefix)).holds(below(place), keys)
    ]
    if not targets:
        return Field(value=False, notes=("replication_elsewhere",))
    detail = (
        f"the rule sends copies to bucket {targets[0]}; whether they arrive is seen only there: "
        "declare it as a backup set too"
    )
    unseen = Failure(kind=FailureKind.NOT_DECLARED, detail=clean(detail))
    return Field(unseen=unseen, notes=("replication_rule",))


def _lies(subject: Subject, endpoint: str) -> tuple[str, Field]:
    """The server or bucket in which the copies lie, and whether outside the protected server."""
    backup = subject.the_backup
    host = urlsplit(endpoint).hostname or ""
    if not host:
        return backup.bucket, Field(value=True)
    servers = subject.inventory.servers
    if _loopback(host):
        # As seen from this machine, on which the store then runs.
        here = [s.id for s in servers.values() if s.transport == "local"]
        if len(here) == 1:
            return here[0], Field(value=here[0] != backup.protects)
        detail = f"on which server the store at {host} runs: give its own address as endpoint"
        unseen = Failure(kind=FailureKind.NOT_DECLARED, detail=clean(detail))
        return "", Field(unseen=unseen)
    found = [s.id for s in index_of(subject.inventory).servers_at.get(host, ())]
    if backup.protects in found:
        return backup.protects, Field(value=False)
    return (found[0] if found else backup.bucket), Field(value=True)


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
