"""The scan as a whole: every pair has its row, each target is visited once, nothing is mixed up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Generator, Iterable, Mapping, Sequence

from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Evidence, Need, Request
from checks.model import Context, Memory, Scope, Status, Verdict, failed, passed
from checks.results import Result, Scan, ScanInfo, TargetOutcome
from inventory.model import Selection
from scanner.plan import Plan, plan
from scanner.run import Progress, Visited, run, with_the_unscanned
from tests.helpers.world import (
    NOW,
    a_judge,
    answer,
    failure,
    inventory,
    make,
    of_servers,
    one_server,
)


class Kept:
    """A store that remembers."""

    def __init__(self) -> None:
        self.rows: list[Result] = []
        self.keys: list[str] = []
        self.outcomes: list[TargetOutcome] = []

    def save(
        self,
        scan_id: str,  # noqa: ARG002
        case_keys: Sequence[str],
        results: Sequence[Result],
        evidence: Sequence[tuple[Evidence, bool]],  # noqa: ARG002
        memories: Sequence[Memory],  # noqa: ARG002
        outcomes: Sequence[TargetOutcome],
    ) -> None:
        self.rows += results
        self.keys += case_keys
        self.outcomes += outcomes


def all_fine(_: Context, words: list[str]) -> Iterable[Verdict]:
    yield passed("engine.silent") if set(words) <= {"fine"} else failed("engine.silent")


CHECKS = [
    make(all_fine, one_server(), check_id="host.one"),
    make(all_fine, one_server(), check_id="host.two"),
    make(all_fine, of_servers(Need.MEMBER), Scope.SYSTEM, check_id="host.all"),
]


def scan_of(made: Plan, says: Mapping[str, str], order: Sequence[str]) -> tuple[Kept, list[str]]:
    kept = Kept()
    visited: list[str] = []

    def visit(asked: Mapping[str, tuple[Request, ...]]) -> Generator[list[Visited]]:
        together: list[Visited] = []
        for target in sorted(asked, key=order.index):
            visited.append(target)
            assert len({r.key for r in asked[target]}) == len(asked[target])
            said = says[target]
            brought = [failure(target) if said == "down" else answer(target, said)]
            together.append((target, brought, 0.1))
            # One, then two, then three at once.
            if len(together) * (len(together) + 1) // 2 >= len(visited):
                yield together
                together = []
        if together:
            yield together

    info = ScanInfo(
        id="s", started=NOW, tool="t", legal_basis=2026, timezone="UTC", selection=Selection()
    )
    head = Scan(info=info, inventory=inventory(2, 3))
    seen: list[Progress] = []
    run(made, head, visit=visit, judge=a_judge(), keep=kept, watch=seen.append)
    assert seen[-1].targets_done == seen[-1].targets == len(visited)
    assert sum(seen[-1].rows.values()) == len(kept.rows)
    return kept, visited


@given(st.lists(st.sampled_from(["fine", "bad", "down"]), min_size=6, max_size=6), st.randoms())
def test_every_pair_has_its_row_whatever_the_order(states: list[str], random: object) -> None:
    known = inventory(2, 3)
    made = plan(known, Selection(), CHECKS)
    order = list(known.servers)
    random.shuffle(order)  # type: ignore[attr-defined]
    kept, visited = scan_of(made, dict(zip(known.servers, states, strict=True)), order)
    assert sorted(visited) == sorted(known.servers)
    assert sorted(kept.keys) == sorted(c.key for c in made.cases)
    assert len(kept.rows) == len(made.cases)
    by_system = {
        s.id: [states[list(known.servers).index(i)] for i in s.servers]
        for s in known.systems.values()
    }
    for row in kept.rows:
        if row.check == "host.all":
            members = by_system[row.target]
            want = (
                Status.UNKNOWN
                if all(m == "down" for m in members)
                else Status.FAIL
                if "bad" in members
                else Status.UNKNOWN
                if "down" in members
                else Status.PASS
            )
            assert row.status is want


def test_outcomes_tell_visits_apart() -> None:
    known = inventory(2, 3)
    made = plan(known, Selection(), CHECKS)
    says = dict.fromkeys(known.servers, "fine") | {"u0-s1": "down"}
    kept, _ = scan_of(made, says, list(known.servers))
    assert {o.target: o.outcome for o in kept.outcomes}["u0-s1"] == "failed"
    assert sum(o.outcome == "ok" for o in kept.outcomes) == 5
    assert all(o.unit == known.servers[o.target].unit for o in kept.outcomes)


def test_a_stopped_scan_shows_what_it_did_not_reach() -> None:
    known = inventory(1, 2)
    made = plan(known, Selection(), CHECKS)
    done = frozenset(c.key for c in made.cases[:2])
    info = ScanInfo(
        id="s", started=NOW, tool="t", legal_basis=2026, timezone="UTC", selection=Selection()
    )
    whole = with_the_unscanned(Scan(info=info, inventory=known), made.without(done))
    assert len(whole.results) == len(made.cases) - 2
    assert {r.status for r in whole.results} == {Status.UNKNOWN}


def test_the_plan_asks_a_target_once_for_all_checks() -> None:
    made = plan(inventory(1, 2), Selection(), CHECKS)
    assert {t: len(r) for t, r in made.visits.items()} == {"u0-s0": 1, "u0-s1": 1}


def test_a_plan_is_the_same_only_for_the_same_question() -> None:
    known = inventory(1, 2)
    first = plan(known, Selection(), CHECKS)
    assert first.digest(known) == plan(known, Selection(), CHECKS).digest(known)
    assert first.digest(known) != plan(known, Selection(), CHECKS[:2]).digest(known)
    assert first.digest(known) != first.digest(inventory(1, 3))
    assert first.digest(known, 1) != first.digest(known, dt.timedelta(1))
