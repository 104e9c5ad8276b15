"""Attestations: a person's word holds from its day to its end, and is shown as a word."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from checks.evidence import FailureKind
from checks.model import Context, Scope, Severity, Status, Subject, Verdict
from checks.security.attested import attestations_valid
from checks.security.rules import rules
from checks.texts import render
from inventory.model import Attestation, Inventory
from tests.helpers.levels import SYSTEM, TODAY, UNITS, ZONE

ONE_DAY = dt.timedelta(days=1)
SAID = TODAY - dt.timedelta(days=100)
LATER = TODAY + dt.timedelta(days=90)


def word(control: str, until: dt.date = LATER, date: dt.date = SAID) -> Attestation:
    return Attestation(
        control=control,
        explanation="Đã làm",
        attested_by="Chánh Văn phòng",
        date=date,
        until=until,
        document="7/BC-VP",
    )


def judged(
    *said: Attestation, today: dt.date = TODAY, system: tuple[Attestation, ...] = ()
) -> dict[str, Verdict]:
    unit = msgspec.structs.replace(UNITS["hk"], attestations=said)
    inventory = Inventory(
        units=UNITS | {"hk": unit},
        systems={
            "sys": msgspec.structs.replace(SYSTEM, attestations=system),
            # Another unit's system is that unit's to answer for.
            "b": msgspec.structs.replace(SYSTEM, id="b", unit="ca", attestations=(word("x"),)),
        },
    )
    ctx = Context(
        now=dt.datetime(today.year, today.month, today.day, 2, tzinfo=ZONE),
        zone=ZONE,
        legal_basis=2026,
        subject=Subject(scope=Scope.UNIT, inventory=inventory, unit=unit, target="hk"),
    )
    found = list(attestations_valid.judge(ctx))
    for verdict in found:
        for language in ("vi", "en"):
            assert render(verdict.message, language, ZONE)
    assert len({v.subject for v in found}) == len(found)
    return {v.subject: v for v in found}


def short(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.status, verdict.message.id.rsplit(".", 1)[1], verdict.severity


def test_what_nobody_attested_is_not_known() -> None:
    found = judged()
    assert set(found) == {"policy", "training"}
    for control, verdict in found.items():
        assert short(verdict)[:2] == (Status.UNKNOWN, "missing")
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED
        assert control in verdict.failure.detail


def test_a_word_is_shown_as_a_word() -> None:
    found = judged(word("policy"), word("training"))
    assert [v.status for v in found.values()] == [Status.PASS, Status.PASS]
    said = render(found["policy"].message, "vi", ZONE)
    assert "theo lời Chánh Văn phòng" in said
    assert found["policy"].detail == {
        "control": "policy",
        "attested_by": "Chánh Văn phòng",
        "date": SAID.isoformat(),
        "until": LATER.isoformat(),
        "document": "7/BC-VP",
        "how": "attested",
    }


@pytest.mark.parametrize(
    ("until", "wanted"),
    [
        (TODAY - ONE_DAY, (Status.FAIL, "expired", Severity.MAJOR)),
        (TODAY, (Status.PASS, "attested", None)),
        (TODAY + ONE_DAY, (Status.PASS, "attested", None)),
    ],
)
def test_it_lapses_by_itself(until: dt.date, wanted: tuple[Any, ...]) -> None:
    assert short(judged(word("training", until))["training"]) == wanted


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        (TODAY - ONE_DAY, (Status.PASS, "attested", None)),
        (TODAY, (Status.PASS, "attested", None)),
        (TODAY + ONE_DAY, (Status.FAIL, "future", Severity.MAJOR)),
    ],
)
def test_a_word_of_tomorrow_is_no_word(date: dt.date, wanted: tuple[Any, ...]) -> None:
    assert short(judged(word("policy", date=date))["policy"]) == wanted


def test_training_is_yearly_whatever_the_unit_writes() -> None:
    said = word("training", until=dt.date(2099, 1, 1), date=dt.date(2025, 11, 21))
    assert judged(said, today=dt.date(2026, 11, 21))["training"].status is Status.PASS
    found = judged(said, today=dt.date(2026, 11, 22))["training"]
    assert short(found)[:2] == (Status.FAIL, "expired")
    assert found.message.args["until"] == "2026-11-21"
    # That is the standard's; for the policy it is the house's, and the sentence says so.
    assert "mặc định" not in render(found.message, "vi", ZONE)
    policy = word("policy", until=dt.date(2099, 1, 1), date=dt.date(2025, 11, 21))
    capped = judged(policy, today=dt.date(2026, 11, 22))["policy"]
    assert "mặc định của sản phẩm" in render(capped.message, "vi", ZONE)
    assert rules().attested["policy"].house_default


def test_a_word_that_ends_on_the_longest_day_itself_is_not_blamed_on_the_house() -> None:
    policy = word("policy", until=dt.date(2026, 11, 20), date=dt.date(2025, 11, 20))
    found = judged(policy)["policy"]
    assert short(found)[1] == "expired"
    assert "mặc định" not in render(found.message, "vi", ZONE)


def test_the_newest_word_that_holds_speaks() -> None:
    old, new = word("policy", TODAY - ONE_DAY), word("policy", date=SAID + ONE_DAY)
    assert judged(old, new)["policy"].status is Status.PASS
    assert judged(new, old)["policy"].status is Status.PASS
    # A word of tomorrow does not hide one that lapsed.
    future = word("policy", date=TODAY + ONE_DAY)
    assert short(judged(old, future)["policy"])[1] == "expired"


def test_further_words_of_the_unit_and_its_systems_are_judged_too() -> None:
    lapsed = word("drill", TODAY - ONE_DAY)
    found = judged(lapsed, word("plan.mfa"), system=(word("review"), word("plan.x"), lapsed))
    assert set(found) == {"policy", "training", "drill", "sys/review", "sys/drill"}
    assert short(found["drill"]) == (Status.FAIL, "expired", Severity.MINOR)
    assert short(found["sys/drill"]) == (Status.FAIL, "expired", Severity.MINOR)
    assert found["sys/review"].status is Status.PASS
    assert "drill" in render(found["drill"].message, "vi", ZONE)
    assert "security/" not in render(found["drill"].message, "vi", ZONE)
