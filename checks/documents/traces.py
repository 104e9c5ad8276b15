"""What led to the result of a pair: every line that speaks of it.

Only the latest pairs of each result are traced, so that a unit of a million pairs costs no more
than its matching; those that simply went through are packed (`went`). No subject, name or address
is among the traces: numbers, times, codes, places, hashes.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

from checks.documents.agencies import Directory, Where
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvent, DocumentEvents, DocumentKey, EventKind, Place
from checks.documents.flows import OTHERS, Flow, flows_of
from checks.documents.grading import Graded, grade_mails
from checks.documents.judged import Judged
from checks.documents.kinds import kind_of
from checks.documents.lookup import Document, Documents
from checks.documents.outages import during, excuse_of
from checks.documents.packed import events_about, events_of
from checks.documents.pairs import OUTAGE, SECRET, Basis, Outage, Pair, Result
from checks.documents.went import KEY, packed
from checks.model import Context

TRACED = 30
"""Pairs listed for each result; how many there are stands in the counts."""
LINES = 5
"""Lines listed for one pair and source; the total is said."""
UNROUTED = (
    Result.BYPASS, Result.REFUSED, Result.NO_TRACE, Result.SENT_NO_RECEIPT, Result.PAPER,
    Result.LATE, Result.EXEMPT, Result.REVOKED, Result.PENDING, Result.EARLY, Result.COPY,
)  # fmt: skip
"""Results of which pairs are listed, the gravest first."""

_HEAP = 1000
"""How many pairs of one result are held beyond eight times those wanted while all are gone through.
"""
_AXIS = frozenset(
    {EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED, EventKind.REVOKED}
)
Line = dict[str, Any]
_Which = tuple[DocumentKey, str]


class _Swept:
    """What one pass over the pairs brings: there may be millions, and each is made anew."""

    def __init__(self, pairs: Iterable[Pair], went: int) -> None:
        self.flows: Counter[Flow] = Counter()
        self.total = 0
        """Pairs that did not simply go through."""
        # A document registered as secret is exempt unless a mail carried it.
        self._maybe: dict[DocumentKey, list[Flow]] = {}
        self._wanted = dict.fromkeys(UNROUTED, TRACED) | {Result.ROUTED: went}
        self._listed: dict[Result, list[Pair]] = {result: [] for result in self._wanted}
        for pair in pairs:
            result = pair.result
            flow = pair.date, pair.recipient, kind_of(pair.key.sign), result.value
            self.flows[flow] += 1
            if result is Result.EXEMPT or pair.mail is not None:
                self._maybe.setdefault(pair.key, []).append(flow)
            self.total += result is not Result.ROUTED
            wanted = self._wanted[result]
            if wanted:
                known = self._listed[result]
                known.append(pair)
                if len(known) >= 8 * wanted + _HEAP:
                    known[:] = sorted(known, key=_latest)[:wanted]

    @property
    def listed(self) -> list[Pair]:
        """The pairs that are listed: of each result but ROUTED the latest ones."""
        return [pair for result in UNROUTED for pair in self._latest(result)]

    @property
    def went(self) -> list[Pair]:
        """The latest pairs that simply went through."""
        return self._latest(Result.ROUTED)

    def _latest(self, result: Result) -> list[Pair]:
        return sorted(self._listed[result], key=_latest)[: self._wanted[result]]

    def hide_secrets(self, events: DocumentEvents, zone: ZoneInfo) -> None:
        """Of a secret document the flows tell neither partner nor kind."""
        secrets = secrets_of(self._maybe, events, zone) if self._maybe else {}
        for key in secrets:
            for flow in self._maybe.get(key, ()):
                self.flows[flow] -= 1
                self.flows[flow[0], OTHERS, OTHERS, flow[3]] += 1


def _latest(pair: Pair) -> tuple[int, tuple[int, str, str], str]:
    return -pair.date.toordinal(), pair.key.series, pair.recipient


def traced(ctx: Context, events: DocumentEvents, seen: Judged, went: int) -> Line:
    """What the row of the rate shows beside it: the counts of all pairs, the lines of some.

    Of a secret document there is only a day and a hash. `went` is of how many pairs that simply
    went through the lines are kept.
    """
    swept = _Swept(seen.matching.pairs, max(0, went))
    swept.hide_secrets(events, ctx.zone)
    found: Line = {"flows": flows_of(swept.flows), "pairs": [], "total_pairs": swept.total}
    shown, through = swept.listed, swept.went
    if not shown and not through:
        return found
    directory = Directory.of(ctx.subject.inventory, ctx.subject.unit)
    series = {p.key.series for pairs in (shown, through) for p in pairs}
    near = _Near(events, series, directory, ctx.zone)
    near.read(seen.period, seen.rules.large)
    proofs = _Proofs(events, seen, ctx.zone)
    found["pairs"] = [near.entry(pair, proofs) for pair in shown]
    return found | {KEY: packed(near.entry(pair, proofs) for pair in through)}


class _Proofs:
    """The lines that show the outages by which pairs are exempt."""

    def __init__(self, events: DocumentEvents, seen: Judged, zone: ZoneInfo) -> None:
        self._events, self._rules, self._calendar = events, seen.rules, seen.calendar
        self._zone = zone
        self._lines: dict[Outage, Line] = {}

    def of(self, pair: Pair, document: Document, mailed: dt.datetime | None) -> list[Line]:
        """The line of the outage that excuses a pair; `mailed` is when its first mail went."""
        time = mailed if pair.sent is None else None
        outage = excuse_of(document, time, self._rules, self._calendar, self._zone)
        if outage is None:
            return []
        if not self._lines:
            self._lines = dict(self._read())
        return [self._lines[outage]]

    def _read(self) -> Iterator[tuple[Outage, Line]]:
        """Each outage with the line that shows its beginning."""
        events = events_of(self._events.events, {EventKind.OUTAGE})
        timed = [(e.time, _spot(e.place), e) for e in events if e.time is not None]
        for time, _, event in sorted(timed, key=lambda t: t[:2], reverse=True):
            outage = during(self._rules.outages, time)
            if outage is not None:
                until = event.until or time
                yield outage, {**_timed(event), "until": until.isoformat()}


def secrets_of(
    keys: Iterable[DocumentKey], events: DocumentEvents, zone: ZoneInfo
) -> dict[DocumentKey, Place]:
    """Which of some registered documents are secret, each with a line that says so.

    The register says it by its reason code, a mail by a secrecy mark beside the number.
    """
    found = [*events_about(events.events, {key.series for key in keys})]
    return _secrets(found, Documents(found, zone))


def _secrets(events: Iterable[DocumentEvent], documents: Documents) -> dict[DocumentKey, Place]:
    found: dict[DocumentKey, Place] = {}
    for event in sorted(events, key=lambda e: _spot(e.place)):
        if event.kind is EventKind.REGISTERED and event.reason == SECRET:
            found.setdefault(event.key, event.place)
        elif event.mail is not None and event.mail.secret and event.time is not None:
            document = documents.find(event.key, documents.day(event.time))
            if document is not None:
                found[document.key] = event.place
    return found


class _Near:
    """The lines about some numbers, by document and agency."""

    def __init__(
        self,
        events: DocumentEvents,
        series: set[tuple[int, str, str]],
        directory: Directory,
        zone: ZoneInfo,
    ) -> None:
        self._directory = directory
        self._events = [*events_about(events.events, series)]
        self._documents = Documents(self._events, zone)
        self._rows: dict[DocumentKey, list[tuple[str, DocumentEvent]]] = {}
        self._sent: dict[_Which, list[DocumentEvent]] = {}
        self._posts: dict[_Which, list[DocumentEvent]] = {}
        self._mails: dict[_Which, list[Graded]] = {}
        self._by_key: dict[DocumentKey, Document] = {d.key: d for d in self._documents.all()}
        self._secrets = _secrets(self._events, self._documents)

    def read(self, period: Period, large: int) -> None:
        """Sort the lines by what they speak of; a mail over `large` bytes carries a document."""
        for event in self._events:
            if event.kind is EventKind.REGISTERED:
                self._rows.setdefault(event.key, []).append((event.recipient, event))
            elif event.kind in _AXIS:
                self._take_sent(event)
            elif event.kind is EventKind.POSTED:
                self._take_post(event)
        graded = grade_mails(self._events, self._documents, self._directory, period, large)
        for mail in graded.mails:
            if mail.document is not None and mail.where is Where.AGENCY:
                which = mail.document.key, mail.recipient
                self._mails.setdefault(which, []).append(mail)

    def _take_sent(self, event: DocumentEvent) -> None:
        if event.time is None or not self._directory.is_own_code(event.sender):
            return
        document = self._documents.find(event.key, self._documents.day(event.time))
        code = self._directory.code(event.recipient) or event.recipient
        if document is not None:
            self._sent.setdefault((document.key, code), []).append(event)

    def _take_post(self, event: DocumentEvent) -> None:
        day = self._documents.day(event.time) if event.time else event.date
        document = self._documents.find(event.key, day) if day else None
        if document is not None and event.recipient:
            for code in self._directory.agencies(event.recipient):
                self._posts.setdefault((document.key, code), []).append(event)

    def entry(self, pair: Pair, proofs: _Proofs) -> Line:
        """What speaks of one pair; the register's lines that name the agency come first."""
        which = pair.key, pair.recipient
        secret = self._secrets.get(pair.key)
        if secret is not None:
            return {"secret": True, "date": pair.date.isoformat(), "sha256": secret.sha256}
        document = self._by_key.get(pair.key)
        rows = self._register(pair)
        mails = sorted(self._mails.get(which, ()), key=lambda m: (m.time, _spot(m.place)))
        found: Line = {
            "key": str(pair.key),
            "date": pair.date.isoformat(),
            "recipient": pair.recipient,
            "result": pair.result.value,
            "sent": pair.sent.isoformat() if pair.sent else None,
        }
        sent, posts = _once(self._sent.get(which, ())), _once(self._posts.get(which, ()))
        put_lines(found, "register", [_at(e.place) for e in rows])
        put_lines(found, "gateway", [{**_timed(e), "said": e.kind.value} for e in sent])
        put_lines(found, "mails", [mail_line(m) for m in mails])
        put_lines(found, "post", [_timed(e) for e in posts])
        if pair.result is Result.EXEMPT:
            first = mails[0].time if mails else None
            found["exempt"] = _exempt(pair, document, first, proofs)
        return found

    def _register(self, pair: Pair) -> list[DocumentEvent]:
        rows = self._rows.get(pair.key, [])
        naming = [e for to, e in rows if pair.recipient in self._directory.agencies(to)]
        unique = {_spot(e.place): e for e in naming or [e for _, e in rows]}
        return _once(unique.values())


def _exempt(
    pair: Pair, document: Document | None, mailed: dt.datetime | None, proofs: _Proofs
) -> Line:
    reason = document.reason if document is not None else ""
    found: Line = {"reason": reason or OUTAGE, "basis": pair.basis.value}
    if pair.basis is Basis.PROOF and document is not None:
        found["proof"] = proofs.of(pair, document, mailed)
    return found


def put_lines(entry: Line, name: str, lines: list[Line]) -> None:
    """A bounded list under its name, with the total when it was cut."""
    if lines:
        entry[name] = lines[:LINES]
    if len(lines) > LINES:
        entry[f"total_{name}"] = len(lines)


def _once(events: Iterable[DocumentEvent]) -> list[DocumentEvent]:
    """Lines in order of time; of those that say the same, as two exports may, the first place."""
    never = dt.datetime.min.replace(tzinfo=dt.UTC)
    found: dict[tuple[str, dt.datetime | None, dt.date | None], DocumentEvent] = {}
    for event in sorted(events, key=lambda e: (e.time or never, _spot(e.place))):
        found.setdefault((event.kind, event.time, event.date), event)
    return [*found.values()]


def _spot(place: Place) -> tuple[str, int]:
    return place.file, place.line


def _at(place: Place) -> Line:
    return {"place": f"{place.file}:{place.line}", "sha256": place.sha256}


def _timed(event: DocumentEvent) -> Line:
    return {"time": event.time.isoformat() if event.time else None, **_at(event.place)}


def mail_line(mail: Graded) -> Line:
    """One mail as evidence: where it stands, and keyed hashes of the mailboxes that it reached."""
    return {
        "grade": mail.grade.value,
        "time": mail.time.isoformat(),
        "queue_id": mail.place.ref,
        **_at(mail.place),
        **({"mailboxes": list(mail.mailboxes)} if mail.mailboxes else {}),
    }
