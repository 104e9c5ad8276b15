"""Judge: from a case and its evidence to rows, under the five rules that keep a scan honest.

1. Needed evidence missing: `unknown` with the failure; the check is not called.
2. An exception of ours: `error` for this case only. (`Unparsable` on purpose: `unknown`.)
3. No verdict: `error`. A pass must be said.
4. One of several members missing: the check may fail on what was seen, but cannot pass.
5. Every case has exactly one row, or one per part; rows are counted and asserted.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from checks.evidence import (
    Answers,
    AskWhole,
    Evidence,
    Failure,
    FailureKind,
    Need,
    Request,
    Unparsable,
    Value,
)
from checks.model import Check, Context, Fact, Memory, Message, Options, Status, Subject, Verdict
from checks.pseudonyms import Pseudonyms
from checks.results import EvidenceRef, Result, WaiverRef, fingerprint
from checks.texts import clean
from inventory.model import Inventory
from inventory.waivers import find_waiver
from scanner.plan import Asked, Case

log = logging.getLogger(__name__)

Seen = Mapping[tuple[str, str], Evidence]
"""Evidence by target and request key."""
Brought = Sequence[tuple[Request, Evidence | None]]
"""The requests of a case with what they brought."""
_FINE = frozenset({Status.PASS, Status.NOT_APPLICABLE})


class Judged(Value, frozen=True):
    """What came of one case."""

    results: tuple[Result, ...]
    memories: tuple[Memory, ...] = ()
    again: bool = False
    """Nothing was judged: its facts must be asked whole."""


class _View(NamedTuple):
    """What came of what some facts asked, worked out once for all checks that need the same."""

    asked: Asked
    evidence: Mapping[tuple[str, str], Evidence]
    now: dt.datetime
    today: dt.date
    absent: Failure | None
    """The failure that forbids judging."""
    missing: Failure | None
    """The failure that only forbids passing."""
    refs: tuple[EvidenceRef, ...]


class _Known:
    """Of one subject: its parsed facts by id (or why they could not be), and its views."""

    __slots__ = ("facts", "views")

    def __init__(self) -> None:
        self.facts: dict[str, Any] = {}
        # By the identity of what was asked; each view keeps that alive.
        self.views: dict[int, _View] = {}


class Judge:
    """Judges the cases of one scan; keeps the parsed facts of a subject while its cases last.

    `started` stands in as the time of judgement for cases without evidence, `past` gives the
    memories of a kind and subject, `pseudonyms` hashes addresses; without it no hash is made.
    """

    def __init__(  # noqa: PLR0913 - one argument per source of truth, all by keyword
        self,
        *,
        started: dt.datetime,
        zone: ZoneInfo,
        legal_basis: int,
        coverage_floor: int,
        options: Callable[[Check], Options],
        past: Callable[[str, str], tuple[Memory, ...]],
        pseudonyms: Pseudonyms | None = None,
    ) -> None:
        self._started = started
        self._zone = zone
        self._legal_basis = legal_basis
        self._floor = coverage_floor
        self._options = options
        self._past = past
        self._pseudonyms = pseudonyms
        self._of_subject: dict[str, _Known] = {}

    def forget(self, subject: Subject) -> None:
        """Let go of a subject's facts once all of its cases are judged."""
        self._of_subject.pop(subject.key, None)

    def judge(self, case: Case, seen: Seen) -> Judged:
        """The rows of one case; never raises for a fault of a check or of the evidence."""
        key = case.subject.key
        known = self._of_subject.get(key)
        if known is None:
            known = self._of_subject[key] = _Known()
        view = known.views.get(id(case.asked))
        if view is None:
            view = known.views[id(case.asked)] = self._view(case.asked, seen)
        memories: list[Memory] = []
        try:
            verdicts = self._verdicts(case, view, known, memories)
        except AskWhole as e:
            log.info("%s: asked whole: %s", key, clean(str(e)))
            return Judged(results=(), again=True)
        rows = _rows(case, _hold_back(verdicts, view.missing), view)
        return Judged(results=rows, memories=tuple(memories))

    def _view(self, asked: Asked, seen: Seen) -> _View:
        brought = [(r, seen.get((r.target, r.key))) for r in asked.requests]
        absent, missing = _missing(brought)
        evidence = {(e.target, e.key): e for _, e in brought if e is not None}
        now = max([e.taken for e in evidence.values()], default=self._started)
        refs = tuple(
            EvidenceRef(probe=e.probe, target=e.target, sha256=e.sha256, taken=e.taken)
            for e in evidence.values()
            if e.failure is None
        )
        today = now.astimezone(self._zone).date()
        return _View(asked, evidence, now, today, absent, missing, refs)

    def _verdicts(
        self, case: Case, view: _View, known: _Known, memories: list[Memory]
    ) -> list[Verdict]:
        if case.undeclared:
            kind = FailureKind.NOT_DECLARED
            return [_cannot_tell(Failure(kind=kind, detail=case.undeclared))]
        if view.absent is not None:
            return [_cannot_tell(view.absent)]
        try:
            facts = [
                self._fact(fact, requests, view, (case, known, memories))
                for fact, requests in zip(case.check.needs, case.asked.of_facts, strict=True)
            ]
            context = self._context(case, view.now, self._options(case.check))
            verdicts = list(case.check.judge(context, *facts))
        except Unparsable as e:
            if case.asked.resumed and isinstance(e, AskWhole):
                raise
            failure = Failure(kind=e.kind, detail=clean(str(e)))
            return [_cannot_tell(failure)]
        except Exception as e:
            log.exception("check %s broke on %s", case.check.id, case.subject.key)
            what = clean(f"{case.check.id}: {type(e).__name__}: {e}")
            return [_error("engine.crashed", what)]
        return verdicts or [_error("engine.silent", "")]

    def _context(
        self,
        case: Case,
        now: dt.datetime,
        options: Options,
        past: tuple[Memory, ...] = (),
    ) -> Context:
        return Context(
            now=now,
            zone=self._zone,
            legal_basis=self._legal_basis,
            subject=case.subject,
            options=options,
            coverage_floor=self._floor,
            past=past,
            pseudonyms=self._pseudonyms,
        )

    def _fact(
        self,
        fact: Fact[Any],
        requests: Iterable[Request],
        view: _View,
        of: tuple[Case, _Known, list[Memory]],
    ) -> Any:  # noqa: ANN401 - each fact has its own type
        case, known, memories = of
        if fact.id in known.facts:
            found = known.facts[fact.id]
            if isinstance(found, Exception):
                raise found
            return found
        brought = [view.evidence.get((r.target, r.key)) for r in requests]
        evidence = [e for e in brought if e is not None]
        now = max([e.taken for e in evidence], default=self._started)
        past = self._past(fact.memory, case.subject.key) if fact.memory else ()
        context = self._context(case, now, self._options(case.check), past)
        try:
            value = fact.parse(context, Answers(evidence))
            if fact.remember is not None:
                memories.extend(fact.remember(context, value))
        except Exception as e:
            known.facts[fact.id] = e
            raise
        known.facts[fact.id] = value
        return value


def _missing(asked: Brought) -> tuple[Failure | None, Failure | None]:
    """The failure that forbids judging, and the one that only forbids passing."""
    absent: Failure | None = None
    partly: Failure | None = None
    failures = [(request, _failure(evidence, request.target)) for request, evidence in asked]
    for request, failure in failures:
        if failure is None or request.need is Need.OPTIONAL:
            continue
        if request.need is Need.REQUIRED:
            absent = absent or failure
        else:
            partly = partly or failure
    if partly is not None and all(f is not None for r, f in failures if r.need is Need.MEMBER):
        absent = absent or partly
    return absent, partly


def _failure(evidence: Evidence | None, target: str) -> Failure | None:
    if evidence is None:
        return Failure(kind=FailureKind.COMMAND_FAILED, detail=f"{target}: no answer")
    return evidence.failure


def _hold_back(verdicts: list[Verdict], missing: Failure | None) -> list[Verdict]:
    """Rule 4: what was seen is fine, but not everything was seen."""
    if missing is None:
        return verdicts
    held = Message(id="engine.partly", args={"kind": missing.kind.value})
    return [
        Verdict(
            status=Status.UNKNOWN,
            message=held,
            detail=v.detail,
            failure=missing,
            subject=v.subject,
        )
        if v.status in (Status.PASS, Status.NOT_APPLICABLE)
        else v
        for v in verdicts
    ]


def _cannot_tell(failure: Failure) -> Verdict:
    if failure.kind is FailureKind.NOT_DECLARED:
        message = Message(id="engine.not_declared", args={"what": failure.detail})
    else:
        message = Message(id="engine.missing", args={"kind": failure.kind.value})
    return Verdict(status=Status.UNKNOWN, message=message, failure=failure)


def _error(message: str, what: str) -> Verdict:
    return Verdict(status=Status.ERROR, message=Message(id=message, args={"what": what}))


def _rows(case: Case, verdicts: Sequence[Verdict], view: _View) -> tuple[Result, ...]:
    rows = tuple([_row(case, verdict, view) for verdict in verdicts])
    if not rows or (len(rows) > 1 and len({r.subject for r in rows}) != len(rows)):
        what = f"{case.check.id}: {len(rows)} verdicts, not one for each part"
        return (_row(case, _error("engine.crashed", what), view),)
    return rows


def _row(case: Case, verdict: Verdict, view: _View) -> Result:
    subject = case.subject
    system = subject.system.id if subject.system else None
    name, part = subject.name, verdict.subject
    if part:
        name = f"{name}/{part}" if name else part
    waiver = None
    if verdict.status not in _FINE:
        waiver = _waiver(subject.inventory, case, view.today)
    return Result(
        check=case.check.id,
        unit=subject.unit.id,
        system=system,
        target=subject.target,
        subject=name,
        status=verdict.status,
        severity=verdict.severity or case.check.severity,
        message=verdict.message,
        detail=verdict.detail,
        failure=verdict.failure,
        evidence=view.refs,
        waiver=waiver,
        fingerprint=fingerprint(case.check.id, subject.unit.id, system, subject.target, name),
    )


def _waiver(inventory: Inventory, case: Case, on: dt.date) -> WaiverRef | None:
    subject = case.subject
    found = find_waiver(
        inventory,
        check=case.check.id,
        unit=subject.unit.id,
        system=subject.system.id if subject.system else None,
        target=subject.target,
        subject=subject.name,
        on=on,
    )
    if found is None:
        return None
    return WaiverRef(
        reason=found.reason,
        document=found.document,
        approved_by=found.approved_by,
        owner=found.owner,
        until=found.until,
    )
