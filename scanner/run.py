"""The scan itself. Read this first.

    plan ─► visit every target once ─► judge each case when its evidence is there ─► store

A target's rows are stored in one transaction as soon as they are judged, so a scan that is killed
loses nothing already judged, and a resumed one asks only for what is left.
"""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import msgspec

from checks.evidence import Evidence, Failure, FailureKind, Request
from checks.model import Memory, Message, Status, Subject
from checks.results import Result, Scan, TargetOutcome, fingerprint
from inventory.model import Inventory
from scanner.judge import Judge
from scanner.plan import Case, Plan, anew

JUDGED = frozenset({Status.PASS, Status.FAIL, Status.NOT_APPLICABLE})
"""Statuses of rows that a scan counts as judged."""

_AT_ONCE = 500
"""Groups of cases judged and stored together when there is nothing to wait for."""

Visited = tuple[str, list[Evidence], float]
"""A target, the evidence of its one visit in the order asked, and the seconds it took."""
Visitor = Callable[[Mapping[str, tuple[Request, ...]]], Generator[list[Visited]]]
"""Visits targets, each once, in any order; may begin when it is called. See `scanner.pool`."""


class Keeper(Protocol):
    """What a scan needs of the store; see `scanner.store.database`."""

    def save(
        self,
        scan_id: str,
        case_keys: Sequence[str],
        results: Sequence[Result],
        evidence: Sequence[tuple[Evidence, bool]],
        memories: Sequence[Memory],
        outcomes: Sequence[TargetOutcome],
    ) -> None:
        """Keep what visits brought, all of it or nothing."""
        ...


class Progress(msgspec.Struct, frozen=True):
    """How far a scan is."""

    targets_done: int
    targets: int
    rows: Mapping[Status, int]


def run(
    plan: Plan,
    head: Scan,
    *,
    visit: Visitor,
    judge: Judge,
    keep: Keeper,
    watch: Callable[[Progress], None],
) -> None:
    """Visit, judge and store every case of the plan; `watch` hears of each finished target.

    `head` is the scan without its rows. Rows go to `keep` only, so a large scan takes no memory.
    """
    desk = _Desk(plan, judge)
    rounds = _Rounds(head, visit, keep, watch)
    rounds.go(plan, desk)
    if desk.again:
        # What was asked from where an earlier scan stopped, and does not fit, is asked whole.
        whole = anew(desk.again)
        rounds.go(whole, _Desk(whole, judge))


class _Rounds:
    """Visits the targets of a plan and stores what comes of it, counting over all rounds."""

    def __init__(
        self,
        head: Scan,
        visit: Visitor,
        keep: Keeper,
        watch: Callable[[Progress], None],
    ) -> None:
        self._head = head
        self._visit = visit
        self._keep = keep
        self._watch = watch
        self._counts = dict.fromkeys(Status, 0)
        self._done = self._targets = 0
        self._outcomes: dict[str, TargetOutcome] = {}

    def go(self, plan: Plan, desk: _Desk) -> None:
        """One round: every target of the plan once."""
        visits = plan.visits
        sensitive = {r.key for asked in visits.values() for r in asked if r.sensitive}
        self._targets += len(visits)
        with contextlib.closing(self._visit(visits)) as arriving:
            # The first visits are under way meanwhile.
            for batch in desk.ready_without_evidence():
                self._store(batch, (), ())
            self._watch(Progress(self._done, self._targets, self._counts))
            for arrived in arriving:
                self._done += len(arrived)
                self._store(
                    desk.arrived(arrived),
                    [(e, e.key in sensitive) for _, found, _ in arrived for e in found],
                    [self._outcome(*visited) for visited in arrived],
                )
                self._watch(Progress(self._done, self._targets, self._counts))

    def _store(
        self,
        batch: _Batch,
        evidence: Sequence[tuple[Evidence, bool]],
        outcomes: Sequence[TargetOutcome],
    ) -> None:
        judged = batch.case_keys, batch.results
        self._keep.save(self._head.info.id, *judged, evidence, batch.memories, outcomes)
        _count(self._counts, batch.results)

    def _outcome(self, target: str, found: Sequence[Evidence], seconds: float) -> TargetOutcome:
        """How all visits of a target went: a second one does not make good the first."""
        now = outcome(target, self._head.inventory, found, seconds)
        before = self._outcomes.get(target)
        if before is not None:
            same = before.outcome == now.outcome
            now = msgspec.structs.replace(
                now,
                outcome=now.outcome if same else "partial",
                failure=now.failure if same else None,
                seconds=round(before.seconds + now.seconds, 3),
            )
        self._outcomes[target] = now
        return now


class _Batch(msgspec.Struct, frozen=True):
    """What became ready together."""

    case_keys: list[str]
    results: list[Result]
    memories: list[Memory]


class _Group:
    """Cases of one subject that wait for the same answers."""

    __slots__ = ("cases", "left", "subject", "targets")

    def __init__(self, subject: Subject, targets: tuple[str, ...]) -> None:
        self.subject = subject
        self.targets = targets
        self.left = len(targets)
        self.cases: list[Case] = []


def _groups(cases: Iterable[Case]) -> Iterable[_Group]:
    found: dict[tuple[str, int], _Group] = {}
    for case in cases:
        key = case.subject.key, id(case.asked)
        group = found.get(key)
        if group is None:
            group = found[key] = _Group(case.subject, case.asked.targets)
        group.cases.append(case)
    return found.values()


class _Desk:
    """Knows which cases still wait for which targets, and holds evidence only as long."""

    def __init__(self, plan: Plan, judge: Judge) -> None:
        self._judge = judge
        self._waiting: dict[str, list[_Group]] = {}
        self._of_subject: dict[str, int] = {}
        self._seen: dict[tuple[str, str], Evidence] = {}
        self._users: dict[str, int] = {}
        self._at_once: list[_Group] = []
        self.again: list[Case] = []
        """Cases whose evidence did not fit what was remembered."""
        for group in _groups(plan.cases):
            subject, targets = group.subject.key, group.targets
            self._of_subject[subject] = self._of_subject.get(subject, 0) + 1
            if not targets:
                self._at_once.append(group)
            for target in targets:
                self._waiting.setdefault(target, []).append(group)
                self._users[target] = self._users.get(target, 0) + 1

    def ready_without_evidence(self) -> Iterator[_Batch]:
        """Cases that need nothing from anywhere, or for which nothing was declared, by and by."""
        groups, self._at_once = self._at_once, []
        for at in range(0, len(groups), _AT_ONCE):
            yield self._settle(groups[at : at + _AT_ONCE])

    def arrived(self, visits: Iterable[Visited]) -> _Batch:
        """Take in what visits brought and judge the cases that waited for it last."""
        ready = []
        for target, evidence, _ in visits:
            self._seen.update({(target, e.key): e for e in evidence})
            for group in self._waiting.pop(target, []):
                group.left -= 1
                if not group.left:
                    ready.append(group)
        return self._settle(ready)

    def _settle(self, groups: Sequence[_Group]) -> _Batch:
        batch = _Batch([], [], [])
        for group in groups:
            for case in group.cases:
                done = self._judge.judge(case, self._seen)
                if done.again:
                    self.again.append(case)
                    continue
                batch.case_keys.append(case.key)
                batch.results.extend(done.results)
                batch.memories.extend(done.memories)
            key = group.subject.key
            self._of_subject[key] -= 1
            if not self._of_subject[key]:
                del self._of_subject[key]
                self._judge.forget(group.subject)
        self._let_go(groups)
        return batch

    def _let_go(self, groups: Sequence[_Group]) -> None:
        """Drop evidence that no waiting case will ask for again."""
        idle = set()
        for group in groups:
            for target in group.targets:
                self._users[target] -= 1
                if not self._users[target]:
                    idle.add(target)
        if idle:
            self._seen = {k: e for k, e in self._seen.items() if k[0] not in idle}


def outcome(
    target: str, inventory: Inventory, evidence: Sequence[Evidence], seconds: float
) -> TargetOutcome:
    """How a visit went as a whole: nothing came back, some did, all did."""
    failures = [e.failure for e in evidence if e.failure is not None]
    owner = inventory.servers.get(target) or inventory.buckets.get(target)
    whole = bool(evidence) and len(failures) == len(evidence)
    return TargetOutcome(
        target=target,
        unit=owner.unit if owner else "",
        outcome="failed" if whole else ("partial" if failures else "ok"),
        failure=failures[0] if whole else None,
        seconds=round(seconds, 3),
    )


def _count(counts: dict[Status, int], results: Iterable[Result]) -> None:
    for row in results:
        counts[row.status] += 1


def with_the_unscanned(scan: Scan, rest: Plan) -> Scan:
    """A stopped scan with a row for every case that it did not reach: nothing is left out."""
    rows = tuple(_not_reached(case) for case in rest.cases)
    return msgspec.structs.replace(scan, results=scan.results + rows)


def _not_reached(case: Case) -> Result:
    subject = case.subject
    system = subject.system.id if subject.system else None
    message = Message(id="engine.not_scanned")
    return Result(
        check=case.check.id,
        unit=subject.unit.id,
        system=system,
        target=subject.target,
        subject=subject.name,
        status=Status.UNKNOWN,
        severity=case.check.severity,
        message=message,
        failure=Failure(kind=FailureKind.TIMEOUT, detail="not scanned"),
        fingerprint=fingerprint(
            case.check.id, subject.unit.id, system, subject.target, subject.name
        ),
    )


def started_id(started: dt.datetime, random_hex: str) -> str:
    """A scan's id: sorts by time, unique by its random part."""
    return f"{started:%Y%m%dT%H%M%SZ}-{random_hex}"
