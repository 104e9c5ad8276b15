"""The vocabulary: identities, lookups, the decorator, and the orders that everything sorts by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Answers, Evidence, Failure, FailureKind, Need, Probe, Source, Unparsable
from checks.model import (
    SEVERITY_ORDER,
    STATUS_ORDER,
    Context,
    Fact,
    NoOptions,
    Options,
    Scope,
    Severity,
    Status,
    Subject,
    Verdict,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from inventory.model import BackupSet, Inventory, Server, System, Unit, UnitKind

NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
UNIT = Unit(id="u", name="U", kind=UnitKind.WARD)
LIST = Probe(id="t.list", title="lists", script=lambda p: f"ls {p['path']}", timeout=7, limit=9)


def evidence(probe: str, text: bytes = b"", failure: Failure | None = None) -> Evidence:
    return Evidence(probe=probe, target="s", key=probe, taken=NOW, stdout=text, failure=failure)


def subject(**more: object) -> Subject:
    fields: dict[str, object] = {"scope": Scope.SYSTEM, "target": "t", **more}
    return Subject(inventory=Inventory(), unit=UNIT, **fields)  # type: ignore[arg-type]


def test_the_orders_hold_every_member_once() -> None:
    assert sorted(STATUS_ORDER) == sorted(Status)
    assert STATUS_ORDER[0] is Status.FAIL
    assert STATUS_ORDER.index(Status.UNKNOWN) < STATUS_ORDER.index(Status.PASS)
    assert sorted(SEVERITY_ORDER) == sorted(Severity)
    assert SEVERITY_ORDER[0] is Severity.CRITICAL


def test_a_probe_fills_its_template() -> None:
    found = LIST.request("s", Need.MEMBER, path="/srv")
    assert (found.probe, found.target, found.script) == ("t.list", "s", "ls /srv")
    assert (found.source, found.need, found.timeout, found.limit) == (
        Source.SHELL,
        Need.MEMBER,
        7,
        9,
    )
    assert Probe(id="t.file", title="reads", source=Source.FILES).request("files").script == ""


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=4))
def test_equal_questions_have_equal_keys_and_others_have_not(params: dict[str, str]) -> None:
    probe = Probe(id="t.p", title="p", source=Source.FILES)

    def key(given: dict[str, str]) -> str:
        return msgspec.structs.replace(probe.request("a"), params=given).key

    assert key(params) == key(dict(reversed(params.items())))
    assert key(params) != key({**params, "more": "x" + params.get("more", "")})
    assert key({}) == "t.p"


def test_evidence_is_known_by_what_it_says_also_when_it_is_a_view() -> None:
    whole = evidence("p", b"abc")
    view = msgspec.structs.replace(whole, stdout=memoryview(b"abc"))
    assert whole.sha256 == view.sha256 != evidence("p", b"abd").sha256


def test_evidence_survives_being_stored() -> None:
    found = evidence("p", b"\x00\xff", Failure(kind=FailureKind.DENIED, detail="/etc/x"))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evidence) == found


def test_answers_leave_failures_out() -> None:
    broken = evidence("a", b"half", Failure(kind=FailureKind.TRUNCATED, detail="x"))
    answers = Answers([broken, evidence("a", b"1"), evidence("a", b"2"), evidence("b")])
    assert [e.stdout for e in answers.all("a")] == [b"1", b"2"]
    first = answers.get("a")
    assert first is not None
    assert first.stdout == b"1"
    assert answers.get("c") is None
    assert answers.failures() == (broken,)
    with pytest.raises(Unparsable, match="no answer of c"):
        answers.one("c")
    with pytest.raises(Unparsable):
        Answers([broken]).one("a")


def test_a_subject_gives_only_what_its_scope_has() -> None:
    server = Server(id="s", unit="u", address="x")
    system = System(id="y", unit="u", name="Y", owner="u")
    backup = BackupSet(id="b", system="y", kind="directory")
    full = subject(server=server, system=system, backup=backup)
    assert (full.the_server, full.the_system, full.the_backup) == (server, system, backup)
    for field in ("the_server", "the_system", "the_backup"):
        with pytest.raises(TypeError, match="scope system has no"):
            getattr(subject(), field)


def test_the_key_of_a_subject_tells_subjects_apart() -> None:
    one = System(id="y", unit="u", name="Y", owner="u")
    two = System(id="z", unit="u", name="Z", owner="u")
    keys = {
        subject(system=one, target="s", name="b").key,
        subject(system=two, target="s", name="b").key,
        subject(system=one, target="s", name="c").key,
        subject(system=one, target="r", name="b").key,
        subject(system=one, target="s", name="b", scope=Scope.BACKUP).key,
        subject(target="s", name="b").key,
    }
    assert len(keys) == 6
    # A new name of the system is no new subject.
    renamed = msgspec.structs.replace(one, name="Other")
    assert subject(system=renamed).key == subject(system=one).key


class Limits(Options, frozen=True):
    days: int = 7


def context(options: Options) -> Context:
    return Context(
        now=NOW, zone=ZoneInfo("UTC"), legal_basis=2026, subject=subject(), options=options
    )


def test_options_come_typed() -> None:
    assert context(Limits(days=3)).opt(Limits).days == 3
    with pytest.raises(TypeError, match="NoOptions, not Limits"):
        context(NoOptions()).opt(Limits)


TEXT: Fact[str] = Fact(id="t.text", requests=lambda _: [], parse=lambda _c, _a: "x")
SIZE: Fact[int] = Fact(id="t.size", requests=lambda _: [], parse=lambda _c, _a: 1)


def test_the_decorator_makes_a_value() -> None:
    @check("backup.one", Scope.BACKUP, Severity.MAJOR, controls=("X 1",), options=Limits).needs(
        TEXT, SIZE
    )
    def one(ctx: Context, text: str, count: int) -> Iterable[Verdict]:
        yield passed("backup.one.fine", text=text, size=count, days=ctx.opt(Limits).days)

    assert (one.id, one.family, one.scope, one.severity) == (
        "backup.one",
        "backup",
        Scope.BACKUP,
        Severity.MAJOR,
    )
    assert one.needs == (TEXT, SIZE)
    assert (one.controls, one.options) == (("X 1",), Limits)
    (said,) = one.judge(context(Limits()), "a", 2)
    assert said.message.args == {"text": "a", "size": 2, "days": 7}


def test_verdicts() -> None:
    fine = passed("a.b.c", {"k": 1}, n=2)
    assert (fine.status, fine.message.args, fine.detail) == (Status.PASS, {"n": 2}, {"k": 1})
    assert fine.severity is None
    bad = failed("a.b.c", None, Severity.MINOR, n=2)
    assert (bad.status, bad.severity, bad.detail) == (Status.FAIL, Severity.MINOR, {})
    dark = unknown(FailureKind.STALE, "a.b.c", n=2)
    assert dark.status is Status.UNKNOWN
    assert dark.failure is not None
    assert dark.failure.kind is FailureKind.STALE
    assert not_applicable("a.b.c", n=2).status is Status.NOT_APPLICABLE
