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
from typing import Any
from zoneinfo import ZoneInfo

from checks.evidence import (
    Answers,
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
from scanner.plan import Case

log = logging.getLogger(__name__)

Seen = Mapping[tuple[str, str], Evidence]
"""Evidence by target and request key."""
Asked = Sequence[tuple[Request, Evidence | None]]
"""The requests of a case or fact with what they brought."""


class Judged(Value, frozen=True):
    """What came of one case."""

    results: tuple[Result, ...]
    memories: tuple[Memory, ...] = ()


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
        self._facts: dict[tuple[str, str], Any] = {}

    def forget(self, subject: Subject) -> None:
        """Let go of a subject's facts once all of its cases are judged."""
        own = subject.key
        for key in [k for k in self._facts if k[1] == own]:
            del self._facts[key]

    def judge(self, case: Case, seen: Seen) -> Judged:
        """The rows of one case; never raises for a fault of a check or of the evidence."""
        asked = _looked_up(case.requests, seen)
        evidence = [e for _, e in asked if e is not None]
        now = max((e.taken for e in evidence), default=self._started)
        verdicts, memories, missing = self._verdicts(case, seen, asked, now)
        rows = _rows(case, _hold_back(verdicts, missing), evidence, now.astimezone(self._zone))
        return Judged(results=rows, memories=memories)

    def _verdicts(
        self, case: Case, seen: Seen, asked: Asked, now: dt.datetime
    ) -> tuple[list[Verdict], tuple[Memory, ...], Failure | None]:
        if case.undeclared:
            kind = FailureKind.NOT_DECLARED
            return [_cannot_tell(Failure(kind=kind, detail=case.undeclared))], (), None
        absent, missing = _missing(asked)
        if absent is not None:
            return [_cannot_tell(absent)], (), None
        memories: list[Memory] = []
        try:
            facts = [
                self._fact(fact, asked_for, case, seen, memories)
                for fact, asked_for in zip(case.check.needs, case.of_facts, strict=True)
            ]
            context = self._context(case, now, self._options(case.check))
            verdicts = list(case.check.judge(context, *facts))
        except Unparsable as e:
            failure = Failure(kind=e.kind, detail=clean(str(e)))
            return [_cannot_tell(failure)], (), None
        except Exception as e:
            log.exception("check %s broke on %s", case.check.id, case.subject.key)
            what = clean(f"{case.check.id}: {type(e).__name__}: {e}")
            return [_error("engine.crashed", what)], (), None
        return verdicts or [_error("engine.silent", "")], tuple(memories), missing

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
        case: Case,
        seen: Seen,
        memories: list[Memory],
    ) -> Any:  # noqa: ANN401 - each fact has its own type
        key = fact.id, case.subject.key
        if key in self._facts:
            found = self._facts[key]
            if isinstance(found, Exception):
                raise found
            return found
        evidence = [e for _, e in _looked_up(requests, seen) if e is not None]
        now = max((e.taken for e in evidence), default=self._started)
        past = self._past(fact.memory, case.subject.key) if fact.memory else ()
        context = self._context(case, now, self._options(case.check), past)
        try:
            value = fact.parse(context, Answers(evidence))
            if fact.remember is not None:
                memories.extend(fact.remember(context, value))
        except Exception as e:
            self._facts[key] = e
            raise
        self._facts[key] = value
        return value


def _looked_up(requests: Iterable[Request], seen: Seen) -> Asked:
    """Each request with its evidence."""
    return [(r, seen.get((r.target, r.key))) for r in requests]


def _missing(asked: Asked) -> tuple[Failure | None, Failure | None]:
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


def _rows(
    case: Case, verdicts: Sequence[Verdict], evidence: Sequence[Evidence], now: dt.datetime
) -> tuple[Result, ...]:
    rows = tuple(_row(case, verdict, evidence, now) for verdict in verdicts)
    if not rows or len({r.subject for r in rows}) != len(rows):
        what = f"{case.check.id}: {len(rows)} verdicts, not one for each part"
        return (_row(case, _error("engine.crashed", what), evidence, now),)
    return rows


def _row(case: Case, verdict: Verdict, evidence: Sequence[Evidence], now: dt.datetime) -> Result:
    subject = case.subject
    system = subject.system.id if subject.system else None
    name = "/".join(part for part in (subject.name, verdict.subject) if part)
    waiver = None
    if verdict.status not in (Status.PASS, Status.NOT_APPLICABLE):
        waiver = _waiver(subject.inventory, case, now.date())
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
        evidence=tuple(
            EvidenceRef(probe=e.probe, target=e.target, sha256=e.sha256, taken=e.taken)
            for e in evidence
            if e.failure is None
        ),
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
