"""Do the documents that were sent carry the signatures that make them originals?

Only packets show it: an export of what was sent has no files. The light check reads which bytes
each certificate signed; it does not read the document, ask for revocations or verify time stamps.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Any

import msgspec

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvents, DocumentKey, EventKind, SourceReport
from checks.documents.evidence import DOCUMENTS
from checks.documents.judged import LISTED, PeriodOptions, period_of
from checks.documents.lookup import Documents
from checks.documents.packed import events_of
from checks.documents.pairs import SECRET
from checks.documents.seals import Mark, Packet, Sealed, Sheet, Signer
from checks.evidence import FailureKind, Value
from checks.model import (
    Arg,
    Context,
    Fact,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checks.signatures.declared import Known, read_trust, trust_requests
from checks.signatures.model import Fault
from checks.signatures.pdf import UNCHECKED
from checks.signatures.trust import KNOWN, Judged, Standing, judge

_OWN = "documents.signed"
_SENT = frozenset({EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED})
_BROKEN = (str(Fault.CHANGED), str(Fault.FORGED), str(Fault.RANGE))
_NAMES = 20
_Number = tuple[int, str, str, int]
"""Number, suffix, sign and year."""

SIGNERS: Fact[Known] = Fact(
    id="documents.signers",
    requests=lambda subject: trust_requests(subject.inventory, (subject.unit.id,)),
    parse=lambda ctx, answers: read_trust(ctx.subject.inventory, (ctx.subject.unit.id,), answers),
)
"""Whom the unit and those above it declare as signers, and the roots that they trust."""


class SignedOptions(PeriodOptions, frozen=True):
    """Options of `documents.signed`."""

    unsigned_share: int = 10
    """Percent of documents that may lack a signature: a house default, no rule says a number."""
    clock: dt.timedelta = dt.timedelta(minutes=10)
    """How far a signer's clock may be ahead of the sending."""


class State(StrEnum):
    """What the attached PDFs of one document say, the worst first."""

    ALTERED = "altered"
    """Other bytes than the signed ones, or a signature that no key of its certificate made."""
    APPENDED = "appended"
    """Bytes follow the last signature that none covers."""
    NONE = "none"
    NO_PERSON = "no-person"
    NO_ORGANISATION = "no-organisation"
    UNTOLD = "untold"
    """Cannot be read, or the certificates do not say whose they are."""
    COMPLETE = "complete"
    OTHER = "other-files"
    """Files, but no PDF."""
    EMPTY = "no-files"


_MISSING = (State.NONE, State.NO_PERSON, State.NO_ORGANISATION)
_JUDGED = (*_MISSING, State.ALTERED, State.APPENDED, State.UNTOLD, State.COMPLETE)


class Paper(msgspec.Struct):
    """One document that was sent, with its packets."""

    key: DocumentKey
    day: dt.date
    packets: list[tuple[dt.datetime, Packet]]

    @property
    def sheets(self) -> list[Sheet]:
        """The files of all its packets."""
        return [sheet for _, packet in self.packets for sheet in packet.sheets]

    @property
    def state(self) -> State:
        """The worst that was done to a file; else the best file, which is the document itself."""
        states = [sheet_state(s) for s in self.sheets]
        for grave in (State.ALTERED, State.APPENDED):
            if grave in states:
                return grave
        if any(packet.lost for _, packet in self.packets):
            states.append(State.UNTOLD)
        order = (State.COMPLETE, State.UNTOLD, State.NO_ORGANISATION, State.NO_PERSON, State.NONE)
        return next((s for s in order if s in states), State.OTHER if states else State.EMPTY)


def sheet_state(sheet: Sheet) -> State:
    """What one attached file says."""
    if not sheet.pdf:
        return State.OTHER
    if any(m.fault in _BROKEN for m in sheet.marks):
        return State.ALTERED
    signed = _signed(sheet)
    if signed and not any(m.added == 0 for m in sheet.marks):
        return State.APPENDED
    who = {m.signer for m in signed}
    if {Signer.PERSON, Signer.ORGANISATION} <= who:
        return State.COMPLETE
    if sheet.problem or Signer.UNTOLD in who or any(m.fault for m in sheet.marks):
        return State.UNTOLD
    lacking = State.NO_ORGANISATION if Signer.PERSON in who else State.NO_PERSON
    return lacking if signed else State.NONE


def _signed(sheet: Sheet) -> list[Mark]:
    return [m for m in sheet.marks if not m.fault and m.signer is not Signer.SERVICE]


class Seen(Value, frozen=True):
    """What is judged: the documents of the packets, how many were sent, whom to believe."""

    papers: tuple[Paper, ...]
    sent: int
    """Documents of the period in any list of what was sent."""
    judged: tuple[tuple[Mark, Judged | None], ...]
    """Each signature that holds, with the standing of who made it."""
    late: int


@check(
    _OWN,
    Scope.UNIT,
    Severity.MAJOR,
    controls=("Decree 30/2020 Art. 5, 13, Annex I", "Law 20/2023/QH15"),
    options=SignedOptions,
).needs(DOCUMENTS, SIGNERS)
def documents_signed(ctx: Context, events: DocumentEvents, known: Known) -> Iterator[Verdict]:
    """The PDFs of documents that were sent are signed by a person and by the organisation.

    A file beside the document, an annex, needs the organisation's signature only, so the best
    signed file is taken for the document. Without packets there is nothing to look into.
    """
    sources = events.under("packets")
    if not sources:
        yield not_applicable(f"{_OWN}.no-packets")
        return
    for source in sources:
        if source.failure is not None:
            yield unknown(source.failure.kind, f"{_OWN}.unread", source=source.name)
            return
    options = ctx.opt(SignedOptions)
    seen = _seen(ctx, events, sources, known)
    detail = _detail(ctx, events, seen, sources)
    yield (
        _wrong(seen, detail, options)
        or _doubtful(seen, detail)
        or _told(ctx, seen, detail, options)
    )


def _seen(
    ctx: Context, events: DocumentEvents, sources: Iterable[SourceReport], known: Known
) -> Seen:
    options = ctx.opt(SignedOptions)
    period = period_of(ctx, options)
    own = Directory.of(ctx.subject.inventory, ctx.subject.unit).is_own_code
    sealed = [s.seals for s in sources if s.seals is not None]
    packets = {p.sha256: p for s in sealed for p in s.packets}
    papers: dict[_Number, Paper] = {}
    sent: set[_Number] = set()
    taken: set[str] = set()
    for event in events_of(events.events, _SENT):
        if event.time is None or (event.sender and not own(event.sender)):
            continue
        day = event.time.astimezone(ctx.zone).date()
        if day not in period:
            continue
        # Exports often leave out the year; packets never do.
        number = (*event.key.series, event.key.year or day.year)
        sent.add(number)
        packet = packets.get(event.place.sha256)
        if packet is None or event.kind is not EventKind.SENT_GATEWAY or packet.sha256 in taken:
            continue
        taken.add(packet.sha256)
        paper = papers.setdefault(number, Paper(event.key, day, []))
        paper.packets.append((event.time, packet))
    found = tuple(sorted(papers.values(), key=lambda p: (p.day, str(p.key))))
    return Seen(
        papers=found,
        sent=len(sent),
        judged=tuple(_standings(found, sealed, known, ctx.now)),
        late=sum(_late(p, options.clock) for p in found),
    )


def _standings(
    papers: Iterable[Paper], sealed: Iterable[Sealed], known: Known, now: dt.datetime
) -> Iterator[tuple[Mark, Judged | None]]:
    signers = {key: s for each in sealed for key, s in each.signers.items()}
    cache: dict[tuple[str, dt.datetime | None], Judged] = {}
    for paper in papers:
        for mark in (m for sheet in paper.sheets for m in _signed(sheet)):
            signature = signers.get(mark.key)
            if signature is None:
                yield mark, None
                continue
            key = mark.key, mark.claimed
            if key not in cache:
                at = msgspec.structs.replace(signature, claimed=mark.claimed)
                cache[key] = judge(at, known.trust, now)
            # While a file of keys is unread nobody can be called a stranger.
            strange = known.unread and cache[key].standing is Standing.STRANGER
            yield mark, None if strange else cache[key]


def _late(paper: Paper, clock: dt.timedelta) -> bool:
    """Whether somebody says to have signed after the packet had left."""
    return any(
        mark.claimed is not None and mark.claimed > sent + clock
        for sent, packet in paper.packets
        for sheet in packet.sheets
        for mark in _signed(sheet)
    )


def _counts(seen: Seen) -> Counter[State]:
    return Counter(p.state for p in seen.papers)


def _total(counts: Counter[State]) -> int:
    return sum(counts[s] for s in _JUDGED)


def _wrong(seen: Seen, detail: dict[str, Any], options: SignedOptions) -> Verdict | None:
    counts = _counts(seen)
    total, missing = _total(counts), sum(counts[s] for s in _MISSING)
    if counts[State.ALTERED]:
        found = counts[State.ALTERED]
        return failed(f"{_OWN}.altered", detail, Severity.CRITICAL, count=found, total=total)
    if missing * 100 > options.unsigned_share * total:
        said: dict[str, Arg] = {
            "count": missing,
            "total": total,
            "none": counts[State.NONE],
            "person": counts[State.NO_PERSON],
            "organisation": counts[State.NO_ORGANISATION],
            "limit": options.unsigned_share / 100,
        }
        return failed(f"{_OWN}.unsigned", detail, None, **said)
    if counts[State.APPENDED]:
        found = counts[State.APPENDED]
        return failed(f"{_OWN}.appended", detail, Severity.MINOR, count=found, total=total)
    return None


def _doubtful(seen: Seen, detail: dict[str, Any]) -> Verdict | None:
    trust = detail["trust"]
    if not seen.late and not trust["strangers"] and not trust["out_of_date"]:
        return None
    said: dict[str, Arg] = {
        "late": seen.late,
        "strangers": trust["strangers"],
        "dated": trust["out_of_date"],
    }
    return failed(f"{_OWN}.doubtful", detail, Severity.MINOR, **said)


def _told(ctx: Context, seen: Seen, detail: dict[str, Any], options: SignedOptions) -> Verdict:
    counts = _counts(seen)
    total, missing = _total(counts), sum(counts[s] for s in _MISSING)
    if not seen.papers:
        return unknown(FailureKind.TRUNCATED, f"{_OWN}.none-sent", detail)
    if not total:
        name = "no-pdf" if counts[State.OTHER] else "no-attachments"
        return unknown(FailureKind.TRUNCATED, f"{_OWN}.{name}", detail, count=len(seen.papers))
    said: dict[str, Arg] = {"count": counts[State.COMPLETE], "total": total, "sent": seen.sent}
    if (missing + counts[State.UNTOLD]) * 100 > options.unsigned_share * total:
        untold = counts[State.UNTOLD]
        return unknown(FailureKind.UNPARSABLE, f"{_OWN}.untold", detail, untold=untold, **said)
    if total * 100 < ctx.coverage_floor * seen.sent:
        floor = ctx.coverage_floor / 100
        return unknown(FailureKind.TRUNCATED, f"{_OWN}.partly", detail, floor=floor, **said)
    believed = all(j is not None and j.standing in KNOWN for _, j in seen.judged)
    return passed(f"{_OWN}.{'signed-trusted' if believed else 'signed'}", detail, **said)


def _detail(
    ctx: Context, events: DocumentEvents, seen: Seen, sources: Iterable[SourceReport]
) -> dict[str, Any]:
    """Counts, and the documents that are not as they should be; people are a number only."""
    counts = _counts(seen)
    bad = [p for p in seen.papers if p.state in (*_MISSING, *_JUDGED[3:6])]
    bad.sort(key=lambda p: list(State).index(p.state))
    secret = _secrets(ctx, events, bad[:LISTED])
    sheets = [s for p in seen.papers for s in p.sheets]
    return {
        "documents_sent": seen.sent,
        "documents_seen": len(seen.papers),
        "results": {str(s): counts[s] for s in State if counts[s]},
        "pdf_files": sum(s.pdf for s in sheets),
        "other_files": sum(not s.pdf for s in sheets),
        "files_not_read": sum(p.lost for paper in seen.papers for _, p in paper.packets),
        "problems": sorted({s.problem for s in sheets if s.problem})[:5],
        "documents": [_shown(p, p.key in secret) for p in bad[:LISTED]],
        "signed_after_sending": seen.late,
        "signing_times": "self-reported",
        "trust": _trust(seen),
        **_who(seen, sources),
        "not_checked": list(UNCHECKED),
    }


def _secrets(
    ctx: Context, events: DocumentEvents, papers: Iterable[Paper]
) -> frozenset[DocumentKey]:
    """Which of them the register has as secret: only their day and hash may be shown."""
    if not any(e.reason == SECRET for e in events_of(events.events, {EventKind.REGISTERED})):
        return frozenset()
    book = Documents(events.events, ctx.zone)
    found = ((p.key, book.find(p.key, p.day)) for p in papers)
    return frozenset(key for key, row in found if row is not None and row.reason == SECRET)


def _shown(paper: Paper, secret: bool) -> dict[str, str]:
    what = {"packet": paper.packets[0][1].sha256} if secret else {"document": str(paper.key)}
    return {**what, "sent": paper.day.isoformat(), "result": str(paper.state)}


def _trust(seen: Seen) -> dict[str, int]:
    """Signatures by what is known of who made them."""
    standing = Counter("unchecked" if j is None else str(j.standing) for _, j in seen.judged)
    return {
        "signatures": len(seen.judged),
        "known": sum(standing[str(s)] for s in KNOWN),
        "strangers": standing[str(Standing.STRANGER)],
        "not_checked": standing[str(Standing.UNCHECKED)],
        "out_of_date": sum(j is not None and j.in_date is False for _, j in seen.judged),
        "weak": sum(m.weak for m, _ in seen.judged),
    }


def _who(seen: Seen, sources: Iterable[SourceReport]) -> dict[str, Any]:
    signers = {k: s for each in sources if each.seals for k, s in each.seals.signers.items()}
    people = {m.key for m, _ in seen.judged if m.signer is Signer.PERSON}
    bodies = {m.key for m, _ in seen.judged if m.signer is Signer.ORGANISATION}
    names = {s.holder.person.name for k in bodies if (s := signers.get(k)) and s.holder}
    return {"people": len(people), "organisations": sorted(names)[:_NAMES]}


CHECKS = (documents_signed,)
