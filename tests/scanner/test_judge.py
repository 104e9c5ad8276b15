"""The five rules that keep a scan honest, each with its test."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Answers, FailureKind, Need, NotDeclared, Unparsable
from checks.model import (
    Context,
    Fact,
    Memory,
    Scope,
    Severity,
    Status,
    Verdict,
    check,
    failed,
    not_applicable,
    passed,
)
from inventory.model import Selection, Waiver
from scanner.judge import Seen
from scanner.plan import Case, plan
from tests.helpers.world import (
    NOW,
    a_judge,
    answer,
    echo,
    failure,
    inventory,
    make,
    of_servers,
    one_server,
)


def all_fine(_: Context, words: list[str]) -> Iterable[Verdict]:
    bad = [w for w in words if w != "fine"]
    yield failed("engine.silent", n=len(bad)) if bad else passed("engine.silent")


def only_case(check: object, known: object = None) -> Case:
    (case,) = plan(known or inventory(servers=1), Selection(), [check]).cases  # type: ignore[arg-type,list-item]
    return case


def seen(*evidence: object) -> Seen:
    return {(e.target, e.key): e for e in evidence}  # type: ignore[attr-defined,misc]


def test_rule_1_missing_evidence_is_unknown_and_the_check_is_not_called() -> None:
    called = []

    def judge(_: Context, words: list[str]) -> Iterable[Verdict]:
        called.append(words)
        yield passed("engine.silent")

    case = only_case(make(judge, one_server()))
    (row,) = a_judge().judge(case, seen(failure("u0-s0", FailureKind.DENIED, "/b"))).results
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert (row.failure.kind, row.failure.detail) == (FailureKind.DENIED, "/b")
    assert not called


def test_rule_1_evidence_that_never_came_is_unknown_too() -> None:
    (row,) = a_judge().judge(only_case(make(all_fine, one_server())), {}).results
    assert row.status is Status.UNKNOWN
    assert row.failure is not None


def test_rule_1_what_is_not_declared_is_unknown() -> None:
    def undeclared(_: object) -> list[object]:
        raise NotDeclared("unit u0: documents.gateway")

    case = only_case(make(all_fine, echo(undeclared)))  # type: ignore[arg-type]
    (row,) = a_judge().judge(case, {}).results
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert row.failure.kind is FailureKind.NOT_DECLARED
    assert "documents.gateway" in row.failure.detail


def test_rule_2_a_fault_of_ours_is_an_error_of_this_row_only() -> None:
    def broken(_: Context, words: list[str]) -> Iterable[Verdict]:
        raise ZeroDivisionError(words[0])

    case = only_case(make(broken, one_server()))
    (row,) = a_judge().judge(case, seen(answer("u0-s0"))).results
    assert row.status is Status.ERROR
    assert "ZeroDivisionError" in str(row.message.args["what"])


def test_rule_2_unparsable_on_purpose_is_unknown() -> None:
    def confused(_: Context, words: list[str]) -> Iterable[Verdict]:
        raise Unparsable(f"line 3: {words}")

    (row,) = a_judge().judge(only_case(make(confused, one_server())), seen(answer("u0-s0"))).results
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert row.failure.kind is FailureKind.UNPARSABLE


def test_rule_3_no_verdict_is_an_error() -> None:
    def silent(_: Context, __: list[str]) -> Iterable[Verdict]:
        return ()

    (row,) = a_judge().judge(only_case(make(silent, one_server())), seen(answer("u0-s0"))).results
    assert row.status is Status.ERROR


@pytest.mark.parametrize("verdict", [passed("engine.silent"), not_applicable("engine.silent")])
def test_rule_4_a_missing_member_forbids_a_pass(verdict: Verdict) -> None:
    def judge(_: Context, __: list[str]) -> Iterable[Verdict]:
        yield verdict

    case = only_case(make(judge, of_servers(Need.MEMBER), Scope.SYSTEM), inventory(servers=2))
    (row,) = a_judge().judge(case, seen(answer("u0-s0"), failure("u0-s1"))).results
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert row.failure.kind is FailureKind.UNREACHABLE


def test_rule_4_a_missing_member_does_not_hide_a_failure() -> None:
    case = only_case(make(all_fine, of_servers(Need.MEMBER), Scope.SYSTEM), inventory(servers=2))
    (row,) = a_judge().judge(case, seen(answer("u0-s0", "bad"), failure("u0-s1"))).results
    assert row.status is Status.FAIL


def test_rule_4_all_members_missing_is_rule_1() -> None:
    case = only_case(make(all_fine, of_servers(Need.MEMBER), Scope.SYSTEM), inventory(servers=2))
    (row,) = a_judge().judge(case, seen(failure("u0-s0"), failure("u0-s1"))).results
    assert row.status is Status.UNKNOWN


def test_optional_evidence_may_be_missing() -> None:
    case = only_case(make(all_fine, of_servers(Need.OPTIONAL), Scope.SYSTEM), inventory(servers=2))
    (row,) = a_judge().judge(case, seen(answer("u0-s0"), failure("u0-s1"))).results
    assert row.status is Status.PASS


def test_rule_5_two_verdicts_for_one_part_are_an_error() -> None:
    def twice(_: Context, __: list[str]) -> Iterable[Verdict]:
        yield passed("engine.silent")
        yield passed("engine.silent")

    (row,) = a_judge().judge(only_case(make(twice, one_server())), seen(answer("u0-s0"))).results
    assert row.status is Status.ERROR


def test_rule_5_a_row_for_each_part() -> None:
    def parts(_: Context, __: list[str]) -> Iterable[Verdict]:
        for part in ("a", "b"):
            yield msgspec.structs.replace(passed("engine.silent"), subject=part)

    rows = a_judge().judge(only_case(make(parts, one_server())), seen(answer("u0-s0"))).results
    assert [r.subject for r in rows] == ["a", "b"]
    assert len({r.fingerprint for r in rows}) == 2


@given(st.lists(st.sampled_from(["fine", "bad", "missing"]), min_size=1, max_size=5))
def test_less_evidence_never_makes_a_pass(states: list[str]) -> None:
    known = inventory(servers=len(states))
    case = only_case(make(all_fine, of_servers(Need.MEMBER), Scope.SYSTEM), known)
    evidence = seen(
        *(
            failure(f"u0-s{i}") if state == "missing" else answer(f"u0-s{i}", state)
            for i, state in enumerate(states)
        )
    )
    (row,) = a_judge().judge(case, evidence).results
    expected = (
        Status.FAIL if "bad" in states else Status.UNKNOWN if "missing" in states else Status.PASS
    )
    assert row.status is expected


@pytest.mark.parametrize(("days", "waived"), [(-1, False), (0, True), (1, True)])
def test_a_waiver_annotates_and_never_changes_a_status(days: int, *, waived: bool) -> None:
    today = NOW.astimezone(dt.timezone(dt.timedelta(hours=7))).date()
    waiver = Waiver(
        check="host.*",
        target="u0-s0",
        unit="u0",
        reason="replaced in December",
        document="12/TB-UBND",
        approved_by="ha-noi",
        owner="u0",
        until=today + dt.timedelta(days=days),
    )
    known = msgspec.structs.replace(inventory(servers=1), waivers=(waiver,))
    case = only_case(make(all_fine, one_server()), known)
    (row,) = a_judge().judge(case, seen(answer("u0-s0", "bad"))).results
    assert row.status is Status.FAIL
    assert (row.waiver is not None) is waived


def test_the_time_of_judgement_is_when_the_evidence_was_taken() -> None:
    times = []

    def judge(ctx: Context, _: list[str]) -> Iterable[Verdict]:
        times.append(ctx.now)
        yield passed("engine.silent")

    later = NOW + dt.timedelta(minutes=7)
    evidence = msgspec.structs.replace(answer("u0-s0"), taken=later)
    a_judge().judge(only_case(make(judge, one_server())), seen(evidence))
    assert times == [later]


def test_a_fact_is_parsed_once_for_all_checks_of_its_subject() -> None:
    parsed = []
    fact = one_server()

    def counting(ctx: Context, answers: object) -> list[str]:
        parsed.append(ctx.subject.key)
        return fact.parse(ctx, answers)  # type: ignore[arg-type]

    shared = msgspec.structs.replace(fact, parse=counting)
    checks = [make(all_fine, shared, check_id=f"host.c{i}") for i in range(3)]
    cases = plan(inventory(servers=1), Selection(), checks).cases
    judge = a_judge()
    rows = [judge.judge(c, seen(answer("u0-s0"))).results[0].status for c in cases]
    assert rows == [Status.PASS] * 3
    assert len(parsed) == 1


def test_what_a_fact_remembers_is_kept_when_another_fact_cannot_be_read() -> None:
    kept = Memory(kind="k", subject="s", id="1", time=NOW, data=b"{}")

    def unreadable(_: Context, __: Answers) -> list[str]:
        raise Unparsable("not a word")

    def judge(_: Context, __: list[str], ___: list[str]) -> Iterable[Verdict]:
        yield passed("engine.silent")

    ask = one_server().requests
    seen_before = echo(ask, "test.seen", remember=lambda _, __: [kept])
    broken = Fact(id="test.broken", requests=ask, parse=unreadable)
    both = check("host.test", Scope.SERVER, Severity.MAJOR).needs(seen_before, broken)(judge)
    done = a_judge().judge(only_case(both), seen(answer("u0-s0")))
    assert done.results[0].status is Status.UNKNOWN
    assert done.memories == (kept,)
