"""The pairs of documents and recipient agencies, their results and their sums."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum

from checks.documents.events import DocumentKey, Place
from checks.documents.grading import Graded
from checks.evidence import Value

OUTAGE = "SU_CO_HE_THONG"
"""Reason code of a fault of the system: the only one that logs can prove or refute."""
EXEMPTIONS = frozenset({"MAT", "LUAT_DINH_GIAY", "NGOAI_TRUC", OUTAGE})
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
    PAPER = "paper"
    """Sent by post, and not through the axis."""
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
RECEIVED = ROUTED | {Result.LATE}
"""On the axis with a receipt, in time or not."""


class Outage(Value, frozen=True):
    """A time for which logs show that the exchange failed: whole minutes, the end not included."""

    begin: dt.datetime
    end: dt.datetime


class Rules(Value, frozen=True):
    """Limits of the matching; days, bytes."""

    send_days: int = 5
    """Working days within which a document must be on the axis."""
    settle_days: int = 1
    """Working days before a missing row or receipt means anything."""
    large: int = 30_000
    """A mail above this size carries more than words."""
    outages: tuple[Outage, ...] = ()
    """When the logs of the exchange show that it failed, in order; none touches another."""
    watched: frozenset[dt.date] = frozenset()
    """Days on which those logs show anything at all: a failure then would have been seen."""


class Basis(StrEnum):
    """On whose word a pair is exempt."""

    NONE = ""
    WORD = "word"
    """The register says so, and no log proves or refutes it."""
    PROOF = "proof"
    """The logs of the exchange show that it failed at that time."""


class Pair(Value, frozen=True, gc=False):
    """One document for one recipient agency on the axis."""

    key: DocumentKey
    date: dt.date
    recipient: str
    result: Result
    mail: Graded | None = None
    sent: dt.date | None = None
    """Day on which it was handed to the axis, when it was."""
    basis: Basis = Basis.NONE


class Bypass(Value, frozen=True):
    """A proven way around: the mail, and what it carried."""

    key: DocumentKey
    result: Result
    recipient: str
    """Agency code, or the domain of a free mail service."""
    mail: Graded
    date: dt.date | None
    secret: bool = False
    others: tuple[Graded, ...] = ()
    """More mails of the same document to the same recipient, in the order of time."""


class Unlisted(Value, frozen=True):
    """An own number seen outside that the register does not have."""

    key: DocumentKey
    day: dt.date
    place: Place
    """The earliest line that shows it."""
    secret: bool = False


class Matching(Value, frozen=True):
    """All pairs of a period, and the counts."""

    pairs: Sequence[Pair]
    bypasses: tuple[Bypass, ...]
    counts: dict[str, int]
    unlisted: tuple[Unlisted, ...] = ()
    groups: tuple[str, ...] = ()
    """Some of the groups of recipients that the directory cannot expand."""
    senders: int = 0
    """Senders on the gateway, when the unit's own code is not known."""

    @property
    def due(self) -> int:
        """Pairs that had to be routed by now."""
        return self.counts["due"]

    @property
    def routed(self) -> int:
        """Pairs that were."""
        return sum(self.counts[result.value] for result in ROUTED)
