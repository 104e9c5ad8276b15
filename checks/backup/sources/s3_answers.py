"""The lines in which a bucket tells of its protections, typed, with three kinds of answer.

Evidence of `backup.s3-protection`: one line a question, `{"ask", "value"}`, or `{"ask", "code",
"kind", "detail"}` where the store refused. Of `backup.s3-locks`: one line for each of the newest
objects, `{"key", "last_modified", "value": {"mode", "until"}}` or the refusal. Of
`backup.s3-markers`: one line for each copy that a delete marker hides, `{"key", "deleted",
"stored", "bytes"}` with its lock. The last line is that of a listing.

A store may say no ("there is no such configuration"), refuse, or answer 200 with nothing in it:
only a positive field is a yes and only a known code is a no; all else is a failure that names the
right.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from checks.evidence import Answers, Failure, FailureKind
from checks.texts import clean

T = TypeVar("T")
Time = Annotated[dt.datetime, Meta(tz=True)]

RIGHTS = {
    "versioning": "s3:GetBucketVersioning",
    "lock": "s3:GetBucketObjectLockConfiguration",
    "encryption": "s3:GetEncryptionConfiguration",
    "public_block": "s3:GetBucketPublicAccessBlock",
    "policy": "s3:GetBucketPolicyStatus",
    "acl": "s3:GetBucketAcl",
    "ownership": "s3:GetBucketOwnershipControls",
    "lifecycle": "s3:GetLifecycleConfiguration",
    "replication": "s3:GetReplicationConfiguration",
}
"""Every question about a bucket, in the order asked, to the right that it needs."""
RETENTION = "s3:GetObjectRetention"

ABSENT = frozenset(
    {
        "ObjectLockConfigurationNotFoundError",
        "NoSuchObjectLockConfiguration",
        "ServerSideEncryptionConfigurationNotFoundError",
        "NoSuchPublicAccessBlockConfiguration",
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "ReplicationConfigurationNotFoundError",
        "OwnershipControlsNotFoundError",
    }
)
"""Codes by which a store says that there is none, which is an answer."""


class Told(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An answer: a value, a sure no (`value` None, no failure), or why it cannot be known."""

    value: T | None = None
    failure: Failure | None = None

    @property
    def absent(self) -> bool:
        """The store says that there is none."""
        return self.value is None and self.failure is None


class Retention(msgspec.Struct, frozen=True):
    """The lock of one object. `mode` is COMPLIANCE or GOVERNANCE."""

    mode: str = ""
    until: Time | None = None


class _Line(msgspec.Struct, frozen=True):
    ask: str = ""
    key: str = ""
    last_modified: Time | None = None
    stored: Time | None = None
    deleted: Time | None = None
    value: Any = None
    root: str = ""
    code: str = ""
    kind: str = ""
    detail: str = ""


_line = msgspec.json.Decoder(_Line)


class Lock(msgspec.Struct, frozen=True):
    """What is told of one object's lock; `time` is when the store stamped the object."""

    key: str
    time: dt.datetime
    retention: Told[Retention]


class Facts:
    """Everything a bucket told in one visit, looked up by question."""

    def __init__(self, answers: Answers, protection: str, locks: str, markers: str) -> None:
        self._missing = {e.probe: e.failure for e in answers.failures()}
        self._protection = protection
        self._asked = {line.ask: line for line in _lines(answers, protection)}
        self._locks = locks
        listed = _locks(_lines(answers, locks))
        self.locks = tuple(sorted(listed, key=lambda lock: (lock.time, lock.key), reverse=True))
        """Locks of the newest objects, newest first."""
        self.hidden = tuple(_locks(_lines(answers, markers)))
        """Copies that a delete marker hides, by the time they were stored."""

    def told(self, question: str, kind: type[T]) -> Told[T]:
        """The typed answer to one question about the bucket."""
        line = self._asked.get(question)
        right = RIGHTS[question]
        if line is None:
            failure = self._missing.get(self._protection)
            return Told(failure=failure or _failure(FailureKind.TIMEOUT, f"{right}: not asked"))
        return _told(line, kind, right)

    def root(self, question: str) -> str:
        """The name of the answer's outermost element, where it was noted."""
        line = self._asked.get(question)
        return line.root if line is not None else ""

    @property
    def locks_missing(self) -> Failure | None:
        """Why nothing is told of single objects, when it was asked and failed."""
        return self._missing.get(self._locks)


def says_nothing(question: str) -> Failure:
    """An answer without the field that would be the answer."""
    return _failure(
        FailureKind.UNPARSABLE, f"{RIGHTS[question]}: the store answers, but says nothing"
    )


def _told(line: _Line, kind: type[T], right: str) -> Told[T]:
    if line.code in ABSENT:
        return Told()
    if line.code or line.kind:
        detail = line.detail if right in line.detail else f"{right}: {line.detail or line.code}"
        return Told(failure=_failure(_kind(line.kind), detail))
    try:
        return Told(value=msgspec.convert(line.value, kind, strict=False))
    except (msgspec.ValidationError, OverflowError):
        return Told(failure=_failure(FailureKind.UNPARSABLE, f"{right}: the answer says nothing"))


def _kind(word: str) -> FailureKind:
    return FailureKind(word) if word in list(FailureKind) else FailureKind.COMMAND_FAILED


def _failure(kind: FailureKind, detail: str) -> Failure:
    return Failure(kind=kind, detail=clean(detail))


def _lines(answers: Answers, probe: str) -> list[_Line]:
    """Lines of a side listing; it stands beside the objects, so a broken line tells of nothing."""
    evidence = answers.get(probe)
    found = []
    for text in bytes(evidence.stdout).split(b"\n") if evidence is not None else ():
        try:
            found.append(_line.decode(text))
        except msgspec.DecodeError:
            continue
    return [line for line in found if line.ask or line.key]


def _locks(lines: list[_Line]) -> list[Lock]:
    return [
        Lock(line.key, time, _told(line, Retention, RETENTION))
        for line in lines
        if (time := line.last_modified or line.stored) is not None
    ]


class Field(msgspec.Struct, frozen=True):
    """What is known of one field of a repository: its value, or why there is none, and notes."""

    value: bool | None = None
    unseen: Failure | None = None
    notes: tuple[str, ...] = ()
    days: float | None = None
