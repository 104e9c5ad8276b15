"""What a scan found: results, outcomes of targets, the scan; and the arithmetic of statuses."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from checks.evidence import Failure, Value
from checks.model import SEVERITY_ORDER, STATUS_ORDER, Message, Severity, Status
from inventory.model import Inventory, Selection


class EvidenceRef(Value, frozen=True):
    """Points at evidence in the store."""

    probe: str
    target: str
    sha256: str
    taken: dt.datetime


class WaiverRef(Value, frozen=True):
    """The waiver that covers a result, as it stood on the day of the scan."""

    reason: str
    document: str
    approved_by: str
    owner: str
    until: dt.date


class Result(Value, frozen=True):
    """One row: one check on one subject."""

    check: str
    unit: str
    system: str | None
    target: str
    subject: str
    status: Status
    severity: Severity
    message: Message
    detail: dict[str, Any] = {}
    failure: Failure | None = None
    evidence: tuple[EvidenceRef, ...] = ()
    waiver: WaiverRef | None = None
    fingerprint: str = ""

    @property
    def family(self) -> str:
        """The part of the check id before the first dot."""
        return self.check.split(".", 1)[0]


def fingerprint(check: str, unit: str, system: str | None, target: str, subject: str) -> str:
    """Identity of a row across scans: 16 hex digits of a SHA-256."""
    text = "\x1f".join((check, unit, system or "", target, subject))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


class TargetOutcome(Value, frozen=True):
    """How the one visit to a target went. `failure` is why nothing at all came back."""

    target: str
    unit: str
    outcome: Literal["ok", "partial", "failed"]
    failure: Failure | None = None
    seconds: float = 0.0


class ScanInfo(Value, frozen=True):
    """About a scan; `planned` and `judged` count rows (judged: pass, fail, not_applicable)."""

    id: str
    started: dt.datetime
    tool: str
    legal_basis: int
    timezone: str
    selection: Selection
    finished: dt.datetime | None = None
    complete: bool = False
    planned: int = 0
    judged: int = 0
    simulated: bool = False
    coverage_floor: int = 80
    documents_until: dt.datetime | None = None
    """When the details about documents (numbers, places, hashes) are to be removed; counts stay."""
    documents_ended: dt.datetime | None = None
    """When they were."""


class Scan(Value, frozen=True):
    """A whole scan with the inventory it was made of."""

    info: ScanInfo
    inventory: Inventory
    targets: tuple[TargetOutcome, ...] = ()
    results: tuple[Result, ...] = ()


class Tally(msgspec.Struct, frozen=True):
    """Counts of rows by status; the one place where shares are defined."""

    fail: int = 0
    error: int = 0
    unknown: int = 0
    passed: int = 0
    not_applicable: int = 0

    @classmethod
    def of(cls, statuses: Iterable[Status]) -> Tally:
        """Count statuses."""
        counts = dict.fromkeys(STATUS_ORDER, 0)
        for status in statuses:
            counts[status] += 1
        return cls(*(counts[s] for s in STATUS_ORDER))

    @property
    def total(self) -> int:
        """All rows."""
        return self.applicable + self.not_applicable

    @property
    def applicable(self) -> int:
        """The denominator of both shares: what was not seen stays in it."""
        return self.fail + self.error + self.unknown + self.passed

    @property
    def seen(self) -> int:
        """Numerator of the coverage: rows with a verdict."""
        return self.fail + self.passed

    @property
    def compliance(self) -> float | None:
        """Pass / (pass + fail + error + unknown), None when nothing applies."""
        return self.passed / self.applicable if self.applicable else None

    @property
    def coverage(self) -> float | None:
        """(pass + fail) / (pass + fail + error + unknown), None when nothing applies."""
        return self.seen / self.applicable if self.applicable else None


def worst(statuses: Iterable[Status]) -> Status | None:
    """The worst status, None of none."""
    return min(statuses, key=STATUS_ORDER.index, default=None)


def at_least(severity: Severity, floor: Severity) -> bool:
    """Whether a severity is as grave as the floor or graver."""
    return SEVERITY_ORDER.index(severity) <= SEVERITY_ORDER.index(floor)
