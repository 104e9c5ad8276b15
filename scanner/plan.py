"""Plan: which checks are asked of which subjects, and the union of what that needs per target."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import Any

import msgspec

from checks.evidence import Need, NotDeclared, Request, Value
from checks.model import Check, Fact, Memory, Scope, Subject
from inventory.model import BackupSet, Inventory, Selection, System
from inventory.select import Chosen, choose

Past = Callable[[str, str], Sequence[Memory]]
"""The memories of a kind and subject."""


class Asked(Value, frozen=True):
    """What some facts of one subject ask: one value for all checks that need the same facts."""

    requests: tuple[Request, ...] = ()
    """All of it, each once."""
    of_facts: tuple[tuple[Request, ...], ...] = ()
    """What each of the facts asks, in their order."""
    targets: tuple[str, ...] = ()
    """Where the evidence comes from, each once."""
    resumed: bool = False
    """Some fact asks from where an earlier scan stopped."""


NOTHING = Asked()
"""Asked by a check that needs no evidence, or when the inventory does not say of whom."""


class Case(Value, frozen=True):
    """One check asked of one subject: the pair that ends in exactly one row (or one per part)."""

    check: Check
    subject: Subject
    asked: Asked = NOTHING
    undeclared: str = ""
    """Why nothing can be asked: what the inventory does not say."""

    @property
    def key(self) -> str:
        """Identity of the pair, the same in a resumed scan."""
        return f"{self.check.id}|{self.subject.key}"

    @property
    def requests(self) -> tuple[Request, ...]:
        """All that its facts ask, each once."""
        return self.asked.requests


class Plan(msgspec.Struct, frozen=True, dict=True):
    """Every case of a scan."""

    cases: tuple[Case, ...]

    @cached_property
    def visits(self) -> dict[str, tuple[Request, ...]]:
        """Per target the union of what its cases ask; equal keys are asked once."""
        wanted: dict[str, dict[str, Request]] = {}
        for case in self.cases:
            for request in case.requests:
                wanted.setdefault(request.target, {}).setdefault(request.key, request)
        return {target: tuple(asked.values()) for target, asked in wanted.items()}

    def without(self, done: frozenset[str]) -> Plan:
        """What is left of the plan when some cases are judged already."""
        return Plan(tuple(c for c in self.cases if c.key not in done)) if done else self

    def digest(self, inventory: Inventory, *settings: object) -> str:
        """Identity of a scan's question: a scan is only resumed when it is the same."""
        encoder = msgspec.json.Encoder(order="deterministic")
        hasher = hashlib.sha256(encoder.encode(inventory))
        for part in settings:
            hasher.update(encoder.encode(part))
        hasher.update("\n".join(case.key for case in self.cases).encode())
        for target, requests in self.visits.items():
            asked = (f"{target}\n{r.key}\n{r.script}" for r in requests)
            hasher.update("\n".join(asked).encode())
        return hasher.hexdigest()


def plan(inventory: Inventory, selection: Selection, checks: Iterable[Check]) -> Plan:
    """Pair the selected subjects with the checks of their scope.

    Raises:
        InvalidInput: the selection names something that the inventory does not have.
    """
    chosen = choose(inventory, selection)
    by_scope: dict[Scope, list[Check]] = {scope: [] for scope in Scope}
    for check in checks:
        by_scope[check.scope].append(check)
    shared = _Shared()
    return Plan(
        tuple(
            case
            for subject in subjects(inventory, chosen)
            for case in _cases(by_scope[subject.scope], subject, shared)
        )
    )


def going_on(whole: Plan, past: Past) -> Plan:
    """The same cases, asked from where earlier scans stopped if their facts can go on from there.

    The identity of a scan's question is that of the whole plan: it must not change with the past.
    """
    # Most checks have no such fact, and a first scan has no past: nothing is made anew for these.
    checks = {case.check.id: case.check for case in whole.cases}
    kinds = {
        name: {fact.marks for fact in check.needs if fact.resume is not None}
        for name, check in checks.items()
    }

    def goes_on(case: Case) -> bool:
        marks = kinds[case.check.id]
        return bool(marks) and any(past(kind, case.subject.key) for kind in marks)

    if not any(map(goes_on, whole.cases)):
        return whole
    return _asked_again(whole.cases, goes_on, _Shared(past))


def anew(cases: Iterable[Case]) -> Plan:
    """The same cases, asked as if nothing were remembered."""
    return _asked_again(cases, lambda _: True, _Shared())


def _asked_again(cases: Iterable[Case], which: Callable[[Case], bool], shared: _Shared) -> Plan:
    found: list[Case] = []
    for _, of_subject in groupby(cases, key=lambda case: id(case.subject)):
        together = list(of_subject)
        chosen = [case for case in together if which(case)]
        made = _cases([case.check for case in chosen], together[0].subject, shared)
        again = dict(zip((id(case) for case in chosen), made, strict=True))
        found += [again.get(id(case), case) for case in together]
    return Plan(tuple(found))


def subjects(inventory: Inventory, chosen: Chosen) -> Iterator[Subject]:
    """Everything chosen that a row can speak of, unit by unit in the inventory's order."""
    for server in inventory.servers.values():
        if server.id in chosen.servers:
            yield Subject(
                scope=Scope.SERVER,
                inventory=inventory,
                unit=inventory.units[server.unit],
                target=server.id,
                server=server,
            )
    for system in inventory.systems.values():
        if system.id in chosen.systems:
            yield _of_system(inventory, Scope.SYSTEM, system, system.id)
        for backup in system.backups:
            if f"{system.id}/{backup.id}" in chosen.backups:
                place = backup.server or backup.bucket or system.id
                yield _of_system(inventory, Scope.BACKUP, system, place, backup)
    for unit in inventory.units.values():
        if unit.id in chosen.units and not unit.external:
            yield Subject(scope=Scope.UNIT, inventory=inventory, unit=unit, target=unit.id)


def _of_system(
    inventory: Inventory,
    scope: Scope,
    system: System,
    target: str,
    backup: BackupSet | None = None,
) -> Subject:
    return Subject(
        scope=scope,
        inventory=inventory,
        unit=inventory.units[system.unit],
        target=target,
        name=backup.id if backup else "",
        system=system,
        backup=backup,
    )


class _Shared:
    """Equal requests of several facts as one value: their scripts are most of a plan's memory."""

    def __init__(self, past: Past = lambda _kind, _subject: ()) -> None:
        self.past = past
        self._requests: dict[tuple[str, str, Need], Request] = {}
        self._scripts: dict[str, str] = {}

    def __call__(self, request: Request) -> Request:
        target, key = request.target, request.key
        found = self._requests.get((target, key, request.need))
        if found is None:
            script = self._scripts.setdefault(request.script, request.script)
            found = msgspec.structs.replace(request, script=script)
            self._requests[target, key, request.need] = found
        return found


def _cases(checks: Iterable[Check], subject: Subject, shared: _Shared) -> Iterator[Case]:
    """The cases of one subject; checks share facts, so each fact is asked once what it needs."""
    of_fact: dict[str, tuple[Request, ...] | NotDeclared] = {}
    resumed: set[str] = set()
    known: dict[tuple[str, ...], Asked | NotDeclared] = {}
    for check in checks:
        facts = tuple([fact.id for fact in check.needs])
        asked = known.get(facts)
        if asked is None:
            for fact in check.needs:
                if fact.id not in of_fact:
                    marks = shared.past(fact.marks, subject.key) if fact.resume else ()
                    of_fact[fact.id] = _of_fact(fact, subject, shared, marks)
                    resumed.update([fact.id] if marks else [])
            goes_on = not resumed.isdisjoint(facts)
            asked = known[facts] = _together([of_fact[i] for i in facts], goes_on)
        if isinstance(asked, NotDeclared):
            yield Case(check=check, subject=subject, undeclared=str(asked))
        else:
            yield Case(check=check, subject=subject, asked=asked)


def _of_fact(
    fact: Fact[Any], subject: Subject, shared: _Shared, marks: Sequence[Memory]
) -> tuple[Request, ...] | NotDeclared:
    try:
        wanted = fact.resume(subject, marks) if fact.resume and marks else fact.requests(subject)
        return tuple(shared(request) for request in wanted)
    except NotDeclared as e:
        return e


def _together(
    found: Iterable[tuple[Request, ...] | NotDeclared], resumed: bool
) -> Asked | NotDeclared:
    """What several facts ask; the first that cannot be asked forbids all."""
    requests: dict[tuple[str, str], Request] = {}
    of_facts = []
    for one in found:
        if isinstance(one, NotDeclared):
            return one
        of_facts.append(one)
        for request in one:
            requests.setdefault((request.target, request.key), request)
    if not requests:
        return Asked(of_facts=tuple(of_facts)) if of_facts else NOTHING
    return Asked(
        requests=tuple(requests.values()),
        of_facts=tuple(of_facts),
        targets=tuple(dict.fromkeys(r.target for r in requests.values())),
        resumed=resumed,
    )
