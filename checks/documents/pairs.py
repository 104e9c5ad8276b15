"""The pairs of documents and recipient agencies, their results and their sums."""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from checks.documents.events import DocumentKey
from checks.documents.grading import Graded
from checks.evidence import Value

EXEMPTIONS = frozenset({"MAT", "LUAT_DINH_GIAY", "NGOAI_TRUC", "SU_CO_HE_THONG"})
"""Reason codes for which a document need not go through the axis."""
SECRET = "MAT"  # noqa: S105 - the reason code of state secrets


class Result(StrEnum):
    """What became of one document for one recipient agency."""

    ROUTED = "routed"
    COPY = "copy"
    """Routed, and mailed as well."""
    EARLY = "early"
    """Routed, but a mail had gone out more than an hour before."""
    LATE = "late"
    """On the axis, but later than the limit."""
    SENT_NO_RECEIPT = "sent_no_receipt"
    REFUSED = "refused"
    BYPASS = "bypass"
    NO_TRACE = "no_trace"
    """Registered, and no trace of its going anywhere: not shown, which is not the same as bypassed.
    """
    PENDING = "pending"
    """Too recent, or after the end of the gateway's export: nothing can be said yet."""
    EXEMPT = "exempt"
    REVOKED = "revoked"
    UNREGISTERED = "unregistered"
    """Mailed under the unit's own number, which the register does not have; never one of the pairs.
    """


ROUTED = frozenset({Result.ROUTED, Result.COPY, Result.EARLY})
NOT_DUE = frozenset({Result.PENDING, Result.EXEMPT, Result.REVOKED})


class Rules(Value, frozen=True):
    """Limits of the matching; days, bytes."""

    send_days: int = 5
    """Working days within which a document must be on the axis."""
    settle_days: int = 1
    """Working days before a missing row or receipt means anything."""
    large: int = 30_000
    """A mail above this size carries more than words."""


class Pair(Value, frozen=True):
    """One document for one recipient agency on the axis."""

    key: DocumentKey
    date: dt.date
    recipient: str
    result: Result
    mail: Graded | None = None


class Bypass(Value, frozen=True):
    """A proven way around: the mail, and what it carried."""

    key: DocumentKey
    result: Result
    recipient: str
    """Agency code, or the domain of a free mail service."""
    mail: Graded
    date: dt.date | None
    secret: bool = False


class Matching(Value, frozen=True):
    """All pairs of a period, and the counts."""

    pairs: tuple[Pair, ...]
    bypasses: tuple[Bypass, ...]
    counts: dict[str, int]

    @property
    def due(self) -> int:
        """Pairs that had to be routed by now."""
        return sum(p.result not in NOT_DUE for p in self.pairs)

    @property
    def routed(self) -> int:
        """Pairs that were."""
        return sum(p.result in ROUTED for p in self.pairs)
