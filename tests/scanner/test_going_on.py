"""Facts that go on where an earlier scan stopped: what is asked, and what when it does not fit."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence

import msgspec
import pytest

from checks.evidence import Answers, AskWhole, Evidence, Request
from checks.model import Check, Context, Fact, Memory, NoOptions, Scope, Status, Subject, Verdict
from checks.model import failed as bad
from checks.model import passed as good
from checks.results import Result, Scan, ScanInfo, TargetOutcome
from inventory.model import Selection
from scanner.judge import Judge
from scanner.plan import Plan, going_on, plan
from scanner.run import Progress, Visited, run
from tests.helpers.world import ECHO, NOW, ZONE, echo, failure, inventory, make

MARK = Memory(kind="mark", subject="server/u0/u0-s0/", id="log", time=NOW, data=b"7")


def parse(_: Context, answers: Answers) -> list[str]:
    words = [bytes(e.stdout).decode() for e in answers.all(ECHO.id)]
    if "torn" in words:
        raise AskWhole("the log was cut")
    return words


def resume(subject: Subject, marks: Sequence[Memory]) -> list[Request]:
    return [ECHO.request(subject.the_server.id, since=bytes(m.data).decode()) for m in marks]


LOG = Fact[list[str]](
    id="test.log",
    requests=lambda s: [ECHO.request(s.the_server.id)],
    parse=parse,
    marks="mark",
    resume=resume,
)


def judge(_: Context, words: list[str]) -> Iterable[Verdict]:
    yield good("engine.silent") if set(words) <= {"whole", "rest"} else bad("engine.silent")


def plain(_: Context, words: list[str]) -> Iterable[Verdict]:
    yield good("engine.silent") if words else bad("engine.silent")


CHECKS: list[Check] = [
    make(judge, LOG, check_id="host.log"),
    make(judge, LOG, check_id="host.same"),
    make(plain, echo(lambda s: [ECHO.request(s.the_server.id, word="x")]), check_id="host.other"),
]


class Kept:
    def __init__(self) -> None:
        self.rows: list[Result] = []
        self.keys: list[str] = []
        self.outcomes: dict[str, TargetOutcome] = {}
        self.evidence: list[str] = []

    def save(
        self,
        scan_id: str,  # noqa: ARG002
        case_keys: Sequence[str],
        results: Sequence[Result],
        evidence: Sequence[tuple[Evidence, bool]],
        memories: Sequence[Memory],  # noqa: ARG002
        outcomes: Sequence[TargetOutcome],
    ) -> None:
        self.rows += results
        self.keys += case_keys
        self.evidence += [e.key for e, _ in evidence]
        self.outcomes |= {o.target: o for o in outcomes}


def past(kind: str, subject: str) -> tuple[Memory, ...]:
    return (MARK,) if (kind, subject) == (MARK.kind, MARK.subject) else ()


def scan(made: Plan, says: Mapping[str, str]) -> tuple[Kept, list[list[str]], Progress]:
    """Each visit as its keys; `says` gives the answer to a key, `down` is a failure."""
    kept, visits, seen = Kept(), list[list[str]](), list[Progress]()

    def one(request: Request) -> Evidence:
        if says[request.key] == "down":
            return msgspec.structs.replace(failure(request.target), key=request.key)
        said = says[request.key].encode()
        return Evidence(
            probe=request.probe, target=request.target, key=request.key, taken=NOW, stdout=said
        )

    def visit(asked: Mapping[str, tuple[Request, ...]]) -> Generator[list[Visited]]:
        for target, requests in asked.items():
            visits.append([r.key for r in requests])
            yield [(target, [one(r) for r in requests], 0.1)]

    info = ScanInfo(
        id="s", started=NOW, tool="t", legal_basis=2026, timezone="UTC", selection=Selection()
    )
    judging = Judge(
        started=NOW,
        zone=ZONE,
        legal_basis=2026,
        coverage_floor=80,
        options=lambda _: NoOptions(),
        past=past,
    )
    head = Scan(info=info, inventory=inventory(1, 1))
    run(made, head, visit=visit, judge=judging, keep=kept, watch=seen.append)
    assert sorted(kept.keys) == sorted(c.key for c in made.cases)
    assert len(kept.rows) == len(made.cases)
    return kept, visits, seen[-1]


def a_plan(goes_on: bool = True) -> Plan:
    whole = plan(inventory(1, 1), Selection(), CHECKS)
    return going_on(whole, past) if goes_on else whole


SINCE, WHOLE, OTHER = "test.echo?since=7", "test.echo", "test.echo?word=x"


def test_what_is_remembered_is_not_asked_again() -> None:
    kept, visits, _ = scan(a_plan(), {SINCE: "rest", OTHER: "x"})
    assert visits == [[SINCE, OTHER]]
    assert {r.status for r in kept.rows} == {Status.PASS}


def test_without_a_past_everything_is_asked() -> None:
    whole = plan(inventory(1, 1), Selection(), CHECKS)
    none = going_on(whole, lambda _kind, _subject: ())
    assert none is whole
    _, visits, _ = scan(none, {WHOLE: "whole", OTHER: "x"})
    assert visits == [[WHOLE, OTHER]]


def test_only_cases_that_go_on_are_changed() -> None:
    whole, made = a_plan(goes_on=False), a_plan()
    assert [c.key for c in made.cases] == [c.key for c in whole.cases]
    assert [c.asked.resumed for c in made.cases if c.subject.scope is Scope.SERVER] == [
        True,
        True,
        False,
    ]
    assert made.cases[0].requests[0] is made.cases[1].requests[0]


def test_what_does_not_fit_is_asked_whole_in_the_same_scan() -> None:
    kept, visits, told = scan(a_plan(), {SINCE: "torn", WHOLE: "whole", OTHER: "x"})
    assert visits == [[SINCE, OTHER], [WHOLE]]
    assert {r.status for r in kept.rows} == {Status.PASS}
    assert (told.targets_done, told.targets) == (2, 2)
    assert sum(told.rows.values()) == len(kept.rows)
    assert kept.evidence == [SINCE, OTHER, WHOLE]


def test_it_is_asked_once_only() -> None:
    kept, visits, _ = scan(a_plan(), {SINCE: "torn", WHOLE: "torn", OTHER: "x"})
    assert len(visits) == 2
    rows = {r.check: r for r in kept.rows}
    assert rows["host.log"].status is Status.UNKNOWN
    assert rows["host.log"].failure
    assert rows["host.log"].failure.detail == "the log was cut"


@pytest.mark.parametrize(("second", "outcome"), [("down", "partial"), ("whole", "ok")])
def test_the_outcome_is_that_of_both_visits(second: str, outcome: str) -> None:
    kept, _, _ = scan(a_plan(), {SINCE: "torn", WHOLE: second, OTHER: "x"})
    assert kept.outcomes["u0-s0"].outcome == outcome
    assert kept.outcomes["u0-s0"].seconds == 0.2
