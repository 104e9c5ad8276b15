"""Joining the three streams: for each document and recipient agency, which way did it go?

Every pair has exactly one result, and the counts add up; that is asserted here and shown in the
report. What a mail log cannot show is never counted as fine: see `coverage`.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.agencies import Directory, Where, is_group
from checks.documents.calendar import WEEKS, Calendar
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvent, DocumentEvents, DocumentKey, EventKind
from checks.documents.grading import Grade, Graded, grade_mails
from checks.documents.lookup import Document, Documents
from checks.documents.pairs import (
    EXEMPTIONS,
    NOT_DUE,
    SECRET,
    Bypass,
    Matching,
    Pair,
    Result,
    Rules,
)

_EARLY = dt.timedelta(hours=1)


class _Sent(msgspec.Struct):
    """What the gateway says of one pair, its rows folded in order of time."""

    kind: EventKind
    time: dt.datetime


class _Horizon(msgspec.Struct, frozen=True):
    """Up to which day gateway and register can be believed, and since when the register can."""

    gateway: dt.date
    register: dt.date
    since: dt.date
    zone: ZoneInfo
    calendar: Calendar

    def settled(self, day: dt.date, working_days: int) -> bool:
        """Whether a gateway row for this day would be in the export by now."""
        return self.calendar.after(day, working_days) <= self.gateway

    def registered(self, day: dt.date, working_days: int) -> bool:
        """Whether a register row for this day would be there as well."""
        # In January a number may be of December: a register of the new year alone lacks it.
        needed = dt.date(day.year - 1, 12, 31) if day.month == 1 else day
        limit = self.calendar.after(day, working_days)
        return self.since <= needed and limit <= min(self.gateway, self.register)


def match(
    events: DocumentEvents,
    directory: Directory,
    period: Period,
    rules: Rules,
    zone: ZoneInfo,
    calendar: Calendar = WEEKS,
) -> Matching:
    """Join register, gateway and mail for the documents dated, or mailed out, in `period`."""
    documents = Documents(events.events, zone)
    counts: Counter[str] = Counter()
    sent = _gateway(events.events, documents, directory, period, counts)
    graded = grade_mails(events.events, documents, directory, period, rules.large)
    counts.update(graded.counts)
    horizon = _horizon(sent_times(events.events), documents, period, zone, calendar)
    mails = _by_pair(graded.mails)
    pairs = [
        _pair(document, code, sent.get((document.key, code)), mails, rules, horizon)
        for document, code in _wanted(documents, directory, period, mails, counts)
    ]
    bypasses = _bypasses(pairs, documents)
    bypasses += _unregistered(graded.mails, sent, rules, horizon, counts)
    bypasses += _free_mail(graded.mails, pairs, counts)
    return _counted(pairs, bypasses, counts)


def sent_times(events: Iterable[DocumentEvent]) -> list[dt.datetime]:
    """When the gateway handled something."""
    kinds = {EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED, EventKind.REVOKED}
    return [e.time for e in events if e.kind in kinds and e.time is not None]


def _horizon(
    times: list[dt.datetime],
    documents: Documents,
    period: Period,
    zone: ZoneInfo,
    calendar: Calendar,
) -> _Horizon:
    never = period.start - dt.timedelta(days=1)
    gateway = max(times).astimezone(zone).date() if times else never
    dates = [d.date for d in documents.all()]
    return _Horizon(
        gateway=min(gateway, period.end),
        register=min(max(dates, default=never), period.end),
        since=min(dates, default=period.end),
        zone=zone,
        calendar=calendar,
    )


def _gateway(
    events: Iterable[DocumentEvent],
    documents: Documents,
    directory: Directory,
    period: Period,
    counts: Counter[str],
) -> dict[tuple[DocumentKey, str], _Sent]:
    rows = sorted(
        ((e.time, e) for e in events if e.time is not None and e.place.source == "gateway"),
        key=lambda row: row[0],
    )
    found: dict[tuple[DocumentKey, str], _Sent] = {}
    for time, event in rows:
        day = documents.day(time)
        document = documents.find(event.key, day)
        key = document.key if document else event.key
        if document is None and day in period:
            counts["gateway_unregistered"] += 1
        code = directory.code(event.recipient) or event.recipient
        known = found.get((key, code))
        if known is None or known.kind in {EventKind.REVOKED, EventKind.REFUSED}:
            found[key, code] = _Sent(event.kind, time)
        elif event.kind is not EventKind.SENT_GATEWAY:
            known.kind = event.kind
    return found


def _by_pair(mails: Iterable[Graded]) -> dict[tuple[DocumentKey, str], Graded]:
    """The best-graded, then earliest, mail of each registered document to each agency."""
    best: dict[tuple[DocumentKey, str], Graded] = {}
    for mail in mails:
        if mail.document is None or mail.where is not Where.AGENCY:
            continue
        pair = mail.document.key, mail.recipient
        if pair not in best or mail.rank < best[pair].rank:
            best[pair] = mail
    return best


def _wanted(
    documents: Documents,
    directory: Directory,
    period: Period,
    mails: dict[tuple[DocumentKey, str], Graded],
    counts: Counter[str],
) -> Iterable[tuple[Document, str]]:
    """Each pair once: those the register names, and those only a mail shows."""
    wanted: dict[tuple[DocumentKey, str], Document] = {}
    for document in documents.all():
        if document.date not in period:
            continue
        counts["documents"] += 1
        for text in document.recipients:
            code = directory.by_text(text)
            if code and code not in directory.own_codes:
                wanted[document.key, code] = document
            elif not code:
                counts["recipients_group" if is_group(text) else "recipients_off_axis"] += 1
    for (key, code), mail in mails.items():
        if mail.document is not None:
            wanted.setdefault((key, code), mail.document)
    return [(document, code) for (_, code), document in wanted.items()]


def _pair(
    document: Document,
    code: str,
    sent: _Sent | None,
    mails: dict[tuple[DocumentKey, str], Graded],
    rules: Rules,
    horizon: _Horizon,
) -> Pair:
    mail = mails.get((document.key, code))
    return Pair(
        key=document.key,
        date=document.date,
        recipient=code,
        result=_result(document, sent, mail, rules, horizon),
        mail=mail,
    )


def _result(  # noqa: PLR0911 - one line for each result reads best
    document: Document,
    sent: _Sent | None,
    mail: Graded | None,
    rules: Rules,
    horizon: _Horizon,
) -> Result:
    if document.reason in EXEMPTIONS and not (document.reason == SECRET and mail):
        return Result.EXEMPT
    if sent is None:
        since = document.date if mail is None else max(document.date, mail.day)
        if not horizon.settled(since, rules.settle_days):
            return Result.PENDING
        return Result.BYPASS if mail else Result.NO_TRACE
    if sent.kind is EventKind.REVOKED:
        return Result.REVOKED
    if sent.kind is EventKind.REFUSED:
        return Result.REFUSED
    day = sent.time.astimezone(horizon.zone).date()
    if sent.kind is EventKind.SENT_GATEWAY:
        done = horizon.settled(day, rules.settle_days)
        return Result.SENT_NO_RECEIPT if done else Result.PENDING
    if day > horizon.calendar.after(document.date, rules.send_days):
        return Result.LATE
    if mail is None:
        return Result.ROUTED
    return Result.EARLY if mail.time < sent.time - _EARLY else Result.COPY


def _bypasses(pairs: Iterable[Pair], documents: Documents) -> list[Bypass]:
    return [
        Bypass(
            key=pair.key,
            result=Result.BYPASS,
            recipient=pair.recipient,
            mail=pair.mail,
            date=pair.date,
            secret=pair.mail.secret or documents.reason(pair.key) == SECRET,
        )
        for pair in pairs
        if pair.result is Result.BYPASS and pair.mail is not None
    ]


def _unregistered(
    mails: Iterable[Graded],
    sent: dict[tuple[DocumentKey, str], _Sent],
    rules: Rules,
    horizon: _Horizon,
    counts: Counter[str],
) -> list[Bypass]:
    """Own numbers mailed out that the register does not have: one for each number and place."""
    on_gateway = {(key.series, code) for key, code in sent}
    found: dict[tuple[DocumentKey, str], Bypass] = {}
    for mail in mails:
        pair = mail.key, mail.recipient
        if mail.document is not None or pair in found:
            continue
        if (mail.key.series, mail.recipient) in on_gateway:
            counts["unregistered_on_gateway"] += 1
        elif not horizon.registered(mail.day, rules.settle_days):
            counts["mails_pending"] += 1
        else:
            found[pair] = Bypass(
                key=mail.key,
                result=Result.UNREGISTERED,
                recipient=mail.recipient,
                mail=mail,
                date=None,
                secret=mail.secret,
            )
    return list(found.values())


def _free_mail(
    mails: Iterable[Graded], pairs: Iterable[Pair], counts: Counter[str]
) -> list[Bypass]:
    """Mail to a free service stands for an agency only when some agency got nothing on the axis."""
    results: dict[DocumentKey, set[Result]] = {}
    for pair in pairs:
        results.setdefault(pair.key, set()).add(pair.result)
    found: dict[tuple[DocumentKey, str], Bypass] = {}
    for mail in mails:
        if mail.document is None or mail.where is not Where.FREE:
            continue
        document = mail.document
        if not results.get(document.key, set()) & {Result.NO_TRACE, Result.BYPASS}:
            counts["free_mail_copies"] += 1
            continue
        bypass = Bypass(
            key=document.key,
            result=Result.BYPASS,
            recipient=mail.recipient,
            mail=mail,
            date=document.date,
            secret=mail.secret or document.reason == SECRET,
        )
        found.setdefault((document.key, mail.recipient), bypass)
    return list(found.values())


def _counted(pairs: list[Pair], bypasses: list[Bypass], counts: Counter[str]) -> Matching:
    by_result = Counter(p.result for p in pairs)
    named = {r.value: by_result[r] for r in Result if r is not Result.UNREGISTERED}
    due = sum(by_result[r] for r in Result if r not in NOT_DUE)
    if sum(named.values()) != len(pairs) or due + sum(by_result[r] for r in NOT_DUE) != len(pairs):
        raise AssertionError("the counts of document pairs do not add up")
    by_grade = Counter(b.mail.grade for b in bypasses)
    return Matching(
        pairs=tuple(pairs),
        bypasses=tuple(sorted(bypasses, key=lambda b: (b.mail.grade, b.mail.time))),
        counts={
            "pairs": len(pairs),
            "due": due,
            **named,
            "unregistered": sum(b.result is Result.UNREGISTERED for b in bypasses),
            "free_mail": sum(b.mail.where is Where.FREE for b in bypasses),
            "grade_a": by_grade[Grade.A],
            "grade_b": by_grade[Grade.B],
            **{k: counts[k] for k in sorted(counts)},
        },
    )
