"""Joining the streams: for each document and recipient agency, which way did it go?

Every pair has exactly one result, and the counts add up; that is asserted here and shown in the
report. What a mail log cannot show is never counted as fine: see `coverage`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.agencies import Directory, Where, is_group, names_bodies
from checks.documents.calendar import WEEKS, Calendar
from checks.documents.carried import Carried, Sent
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvents, DocumentKey, EventKind
from checks.documents.grading import Graded, grade_mails
from checks.documents.lookup import Document, Documents
from checks.documents.outages import excuse_of, grace_of
from checks.documents.outside import Outside, bypasses_of
from checks.documents.packed import events_of
from checks.documents.pair_table import PairTable
from checks.documents.pairs import (
    EXEMPTIONS,
    NOT_DUE,
    OUTAGE,
    SECRET,
    Basis,
    Bypass,
    Matching,
    Pair,
    Result,
    Rules,
)
from checks.documents.reached import with_others
from checks.texts import clean

_EARLY = dt.timedelta(hours=1)
_GROUPS_SHOWN = 5


class Horizon(msgspec.Struct, frozen=True, kw_only=True):
    """Up to which day gateway and register can be believed, and since when the register can."""

    gateway: dt.date
    register: dt.date
    since: dt.date
    calendar: Calendar
    rules: Rules

    def settled(self, day: dt.date) -> bool:
        """Whether a gateway row for this day would be in the export by now."""
        return self.calendar.after(day, self.rules.settle_days) <= self.gateway

    def registered(self, day: dt.date) -> bool:
        """Whether a register row for this day would be there as well."""
        # In January a number may be of December: a register of the new year alone lacks it.
        needed = dt.date(day.year - 1, 12, 31) if day.month == 1 else day
        limit = self.calendar.after(day, self.rules.settle_days)
        return self.since <= needed and limit <= min(self.gateway, self.register)


class _Wanted(msgspec.Struct, gc=False):
    """A document with the agencies that the register names, and those that only a mail shows."""

    document: Document
    named: frozenset[str]
    mailed: frozenset[str]


def match(
    events: DocumentEvents,
    directory: Directory,
    period: Period,
    rules: Rules,
    zone: ZoneInfo,
    calendar: Calendar = WEEKS,
) -> Matching:
    """Join register, gateway, mail and post for the documents dated, or mailed out, in `period`."""
    documents = Documents(events.events, zone)
    counts: Counter[str] = Counter(documents=0)
    carried = Carried(events.events, documents, directory, period)
    graded = grade_mails(events.events, documents, directory, period, rules.large)
    counts.update(graded.counts)
    horizon = _horizon(carried, documents, period, calendar, rules)
    posted = _posted(events, documents, directory, counts)
    mails = _by_pair(graded.mails)
    recipients = _Recipients(directory, counts)
    judge = _Judge(carried, mails, posted, horizon, documents)
    pairs = PairTable()
    for wanted in _wanted(documents, recipients, period, mails, counts):
        for code in sorted(wanted.named | wanted.mailed):
            pairs.add(judge.pair(wanted, code))
    outside = Outside(graded.mails, carried, horizon, counts)
    found = [*bypasses_of(pairs), *outside.unregistered(), *outside.free_mail(pairs)]
    found = with_others(found, graded.mails)
    return _counted(pairs, found, counts, msgspec.structs.replace(
        _EMPTY,
        unlisted=tuple(outside.unlisted()),
        groups=tuple(sorted(recipients.groups)[:_GROUPS_SHOWN]),
        senders=0 if directory.own_codes else len(carried.senders - {""}),
    ))  # fmt: skip


_EMPTY = Matching(pairs=(), bypasses=(), counts={})


def _horizon(
    carried: Carried, documents: Documents, period: Period, calendar: Calendar, rules: Rules
) -> Horizon:
    never = period.start - dt.timedelta(days=1)
    gateway = documents.day(carried.last) if carried.last else never
    dates = [d.date for d in documents.all()]
    return Horizon(
        gateway=min(gateway, period.end),
        register=min(max(dates, default=never), period.end),
        since=min(dates, default=period.end),
        calendar=calendar,
        rules=rules,
    )


def _posted(
    events: DocumentEvents, documents: Documents, directory: Directory, counts: Counter[str]
) -> frozenset[tuple[DocumentKey, str]]:
    """Which documents went to which agencies by post."""
    found: set[tuple[DocumentKey, str]] = set()
    unclear: set[DocumentKey] = set()
    for event in events_of(events.events, {EventKind.POSTED}):
        day = documents.day(event.time) if event.time else event.date
        document = documents.find(event.key, day) if day else None
        if document is None:
            continue
        codes = directory.agencies(event.recipient) if event.recipient else frozenset[str]()
        found.update((document.key, code) for code in codes)
        if not codes:
            unclear.add(document.key)
    counts["posted_unclear"] = len(unclear)
    return frozenset(found)


class _Mailed(msgspec.Struct, gc=False):
    """What carried one document to one agency by mail."""

    best: Graded
    """Of the best grade, and of those the earliest."""
    first: dt.datetime
    secret: bool


def _by_pair(mails: Iterable[Graded]) -> dict[tuple[DocumentKey, str], _Mailed]:
    """The mails of each registered document to each agency."""
    found: dict[tuple[DocumentKey, str], _Mailed] = {}
    for mail in mails:
        if mail.document is None or mail.where is not Where.AGENCY:
            continue
        pair = mail.document.key, mail.recipient
        known = found.get(pair)
        if known is None:
            found[pair] = _Mailed(mail, mail.time, mail.secret)
            continue
        known.first = min(known.first, mail.time)
        known.secret |= mail.secret
        if mail.rank < known.best.rank:
            known.best = mail
    return found


class _Recipients:
    """The recipients of registers made out, each text once."""

    def __init__(self, directory: Directory, counts: Counter[str]) -> None:
        self.groups: set[str] = set()
        self._directory = directory
        self._counts = counts
        self._known: dict[str, tuple[frozenset[str], str]] = {}

    def codes(self, texts: Iterable[str]) -> frozenset[str]:
        """The agencies that texts mean, without the unit itself; the others are counted."""
        found: frozenset[str] = frozenset()
        for text in texts:
            known = self._known.get(text)
            if known is None:
                known = self._known[text] = self._made_out(text)
            found |= known[0]
            if known[1]:
                self._counts[known[1]] += 1
        return found

    def _made_out(self, text: str) -> tuple[frozenset[str], str]:
        codes = self._directory.agencies(text)
        if codes:
            several = "recipients_group_expanded" if len(codes) > 1 else ""
            return codes - self._directory.own_codes, several
        if not is_group(text):
            return frozenset(), "recipients_off_axis"
        if names_bodies(text):
            self.groups.add(clean(text, 80))
        return frozenset(), "recipients_group"


def _wanted(
    documents: Documents,
    recipients: _Recipients,
    period: Period,
    mails: Iterable[tuple[DocumentKey, str]],
    counts: Counter[str],
) -> Iterator[_Wanted]:
    """Each document of the period with its agencies, and older ones that were mailed out in it."""
    mailed: dict[DocumentKey, set[str]] = {}
    for key, code in mails:
        mailed.setdefault(key, set()).add(code)
    for document in documents.all():
        also = frozenset(mailed.get(document.key, ()))
        named: frozenset[str] = frozenset()
        if document.date in period:
            counts["documents"] += 1
            named = recipients.codes(document.recipients)
        if named or also:
            yield _Wanted(document, named, also - named)


class _Judge:
    """Says of each pair what became of it."""

    def __init__(
        self,
        carried: Carried,
        mails: dict[tuple[DocumentKey, str], _Mailed],
        posted: frozenset[tuple[DocumentKey, str]],
        horizon: Horizon,
        documents: Documents,
    ) -> None:
        self._carried = carried
        self._mails = mails
        self._posted = posted
        self._horizon = horizon
        self._documents = documents

    def pair(self, wanted: _Wanted, code: str) -> Pair:
        """One document for one agency."""
        document = wanted.document
        sent = self._carried.of(document, code)
        mailed = self._mails.get((document.key, code)) if self._mails else None
        mail = mailed.best if mailed else None
        day = self._documents.day(sent.time) if sent else None
        basis = self._exempt(document, sent, mailed)
        if basis is not Basis.NONE:
            result = Result.EXEMPT
        elif sent is None or day is None:
            result = self._untraced(document, mail, code, mailed_only=code in wanted.mailed)
        else:
            result = self._carried_result(document, sent, day, mail)
        return Pair(
            key=document.key,
            date=document.date,
            recipient=code,
            result=result,
            mail=mail,
            sent=day,
            basis=basis,
        )

    def _exempt(self, document: Document, sent: Sent | None, mailed: _Mailed | None) -> Basis:
        """On whose word a pair need not be on the axis."""
        if mailed is None and not document.reason:
            return Basis.NONE
        if mailed is not None and (mailed.secret or document.reason == SECRET):
            # No outage lets a secret be mailed; what else the register says stands.
            allowed = EXEMPTIONS - {SECRET, OUTAGE}
            return Basis.WORD if document.reason in allowed else Basis.NONE
        rules, calendar = self._horizon.rules, self._horizon.calendar
        # A mail beside the axis is not in place of it.
        time = mailed.first if mailed is not None and sent is None else None
        claimed = document.reason == OUTAGE
        zone = self._documents.zone
        if (time or claimed) and excuse_of(document, time, rules, calendar, zone):
            return Basis.PROOF
        if claimed and rules.watched.issuperset(grace_of(document, calendar)):
            return Basis.NONE  # Watched all that time, and nothing failed that would explain it.
        return Basis.WORD if document.reason in EXEMPTIONS else Basis.NONE

    def _untraced(
        self, document: Document, mail: Graded | None, code: str, *, mailed_only: bool
    ) -> Result:
        """What a pair is that never was on the gateway."""
        settled = self._horizon.settled
        if mail is not None and settled(max(document.date, mail.day)):
            return Result.BYPASS
        # A pair that only a fresh mail shows says nothing yet; one that the register names does:
        # a mail on its way is no better than none.
        if mailed_only or not settled(document.date):
            return Result.PENDING
        return Result.PAPER if (document.key, code) in self._posted else Result.NO_TRACE

    def _carried_result(
        self, document: Document, sent: Sent, day: dt.date, mail: Graded | None
    ) -> Result:
        """What a pair is that was on the gateway."""
        horizon = self._horizon
        if sent.kind is EventKind.REVOKED:
            return Result.REVOKED
        if sent.kind is EventKind.REFUSED:
            return Result.REFUSED
        if sent.kind is EventKind.SENT_GATEWAY:
            return Result.SENT_NO_RECEIPT if horizon.settled(day) else Result.PENDING
        if day > horizon.calendar.after(document.date, horizon.rules.send_days):
            return Result.LATE
        if mail is None:
            return Result.ROUTED
        return Result.EARLY if mail.time < sent.time - _EARLY else Result.COPY


def _counted(
    pairs: PairTable, bypasses: list[Bypass], counts: Counter[str], rest: Matching
) -> Matching:
    by_result, by_basis = pairs.by_result(), pairs.by_basis()
    named = {r.value: by_result[r] for r in Result if r is not Result.UNREGISTERED}
    due = sum(by_result[r] for r in Result if r not in NOT_DUE)
    if sum(named.values()) != len(pairs) or due + sum(by_result[r] for r in NOT_DUE) != len(pairs):
        raise AssertionError("the counts of document pairs do not add up")
    by_grade = Counter(b.mail.grade.value for b in bypasses)
    return msgspec.structs.replace(
        rest,
        pairs=pairs,
        bypasses=tuple(sorted(bypasses, key=_rank)),
        counts={
            "pairs": len(pairs),
            "due": due,
            **named,
            "exempt_proven": by_basis[Basis.PROOF],
            "exempt_word": by_basis[Basis.WORD],
            "unregistered": sum(b.result is Result.UNREGISTERED for b in bypasses),
            "free_mail": sum(b.mail.where is Where.FREE for b in bypasses),
            "grade_a": by_grade["A"],
            "grade_b": by_grade["B"],
            **{k: counts[k] for k in sorted(counts)},
        },
    )


def _rank(bypass: Bypass) -> tuple[str, dt.datetime, str, str]:
    return bypass.mail.grade.value, bypass.mail.time, str(bypass.key), bypass.recipient
