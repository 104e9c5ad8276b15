"""The level that criteria speak for: every ground, what is missing, and more never lowers it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FailureKind
from checks.model import Severity, Status
from checks.security.level_record import Criteria, LevelRecord
from checks.security.plausible import level_plausible
from checks.security.rules import rules
from checks.security.suggest import suggest
from checks.texts import label, render
from tests.helpers.levels import GOOD, OLD, ZONE, but, faults, judge, name

LAW = rules()
BOOLS = (
    "personal_data",
    "private_data",
    "sensitive_data",
    "state_secret",
    "procedures",
    "conditional_business",
    "round_the_clock",
    "international",
    "national_data",
)
LEAST: dict[str, Any] = {
    **dict.fromkeys(BOOLS, False),
    "subjects": 0,
    "serves": "one_agency",
    "harm": "none",
    "works_grade": "IV",
}
"""Everything stated, nothing that raises a level."""


def record(kind: str, **criteria: Any) -> LevelRecord:
    return but(GOOD, type=kind, criteria=msgspec.convert(LEAST | criteria, Criteria))


@pytest.mark.parametrize(
    ("kind", "criteria", "new", "old"),
    [
        ("internal", {}, 1, 1),
        ("internal", {"personal_data": True}, 2, 2),
        ("internal", {"private_data": True}, 2, 2),
        ("internal", {"personal_data": True, "subjects": 500_000}, 2, 2),
        ("internal", {"state_secret": True}, 3, 3),
        ("internal", {"state_secret": True, "harm": "harm"}, 3, 3),
        ("internal", {"state_secret": True, "harm": "serious"}, 4, 4),
        ("internal", {"state_secret": True, "harm": "especially_serious"}, 5, 5),
        ("internal", {"harm": "especially_serious"}, 1, 1),
        ("public_service", {}, 2, 2),
        ("public_service", {"procedures": True}, 3, 3),
        ("public_service", {"conditional_business": True}, 3, 3),
        ("public_service", {"personal_data": True, "subjects": 9_999}, 2, 2),
        ("public_service", {"personal_data": True, "subjects": 10_000}, 2, 3),
        ("public_service", {"personal_data": True, "subjects": 99_999}, 2, 3),
        ("public_service", {"personal_data": True, "subjects": 100_000}, 3, 3),
        ("public_service", {"sensitive_data": True, "subjects": 9_999}, 2, 2),
        ("public_service", {"sensitive_data": True, "subjects": 10_000}, 3, 3),
        ("public_service", {"state_secret": True}, 3, 3),
        ("infrastructure", {}, 2, 2),
        ("infrastructure", {"serves": "ministry"}, 3, 3),
        ("infrastructure", {"serves": "province"}, 3, 3),
        ("infrastructure", {"serves": "nation"}, 3, 3),
        ("infrastructure", {"serves": "nation", "round_the_clock": True}, 4, 4),
        ("infrastructure", {"serves": "nation", "international": True}, 5, 5),
        ("infrastructure", {"serves": "province", "round_the_clock": True}, 3, 3),
        ("industrial", {}, 3, 3),
        ("industrial", {"works_grade": "II"}, 3, 3),
        ("industrial", {"works_grade": "I"}, 4, 4),
        ("industrial", {"works_grade": "special"}, 5, 5),
        ("other", {}, None, None),
        ("other", {"national_data": True}, 5, 5),
    ],
)
def test_each_ground(kind: str, criteria: dict[str, Any], new: int | None, old: int | None) -> None:
    for basis, level in ((2026, new), (2016, old)):
        found = suggest(record(kind, **criteria), LAW, basis)
        assert (found.level, found.open) == (level, ())
        assert found.possible == (level or 0)
        assert (found.ground is None) == (level is None)


def test_a_ground_that_is_certain_is_the_better_reason() -> None:
    found = suggest(record("internal", state_secret=True), LAW, 2026)
    assert found.ground is not None
    assert (found.ground.id, found.ground.certain) == ("secret", True)
    # A reading of the law is marked wherever it shows.
    elsewhere = suggest(record("public_service", state_secret=True), LAW, 2026)
    assert elsewhere.ground is not None
    assert not elsewhere.ground.certain
    verdict = judge(level_plausible, record("public_service", state_secret=True))
    assert "chưa đối chiếu Công báo" in render(verdict.message, "vi", ZONE)
    sure = judge(level_plausible, record("internal", state_secret=True))
    assert "Công báo" not in render(sure.message, "vi", ZONE)


def test_every_ground_has_words_and_a_condition_that_exists() -> None:
    for basis in LAW.bases.values():
        for ground in basis.grounds:
            assert label(f"security/ground-{ground.id}", "vi") != f"security/ground-{ground.id}"
            for language in ("vi", "en"):
                assert label(f"security/{ground.article}", language) != f"security/{ground.article}"
            assert set(ground.all) | set(ground.any) <= set(Criteria.__struct_fields__)
            for rank in ("serves", "harm", "works_grade"):
                word = getattr(ground, rank)
                assert not word or word in LAW.ranks[rank]
    for criterion in (*Criteria.__struct_fields__, "type"):
        assert label(f"security/criterion-{criterion}", "en") != f"security/criterion-{criterion}"


# ------------------------------------------------------------------------------------- properties

criteria = st.builds(
    Criteria,
    **{name: st.none() | st.booleans() for name in BOOLS},
    subjects=st.none() | st.integers(0, 200_000),
    serves=st.sampled_from(["", *LAW.ranks["serves"]]),
    harm=st.sampled_from(["", *LAW.ranks["harm"]]),
    works_grade=st.sampled_from(["", *LAW.ranks["works_grade"]]),
)
kinds = st.sampled_from(["internal", "public_service", "infrastructure", "industrial", "other", ""])


@st.composite
def more_than(draw: st.DrawFn, less: Criteria) -> Criteria:
    """The same criteria with one of them raised: false to true, more people, a graver word."""
    name = draw(st.sampled_from(Criteria.__struct_fields__))
    value = getattr(less, name)
    if name in BOOLS:
        raised: Any = True if value is not None else None
    elif name == "subjects":
        raised = None if value is None else value + draw(st.integers(0, 200_000))
    else:
        rank = LAW.ranks[name]
        raised = draw(st.sampled_from(rank[rank.index(value) :])) if value else ""
    return msgspec.structs.replace(less, **{name: raised})


@given(st.data(), kinds, st.sampled_from([2016, 2026]))
def test_more_of_anything_never_lowers_the_level(
    data: st.DataObject, kind: str, basis: int
) -> None:
    less = data.draw(criteria)
    more = data.draw(more_than(less))
    low = suggest(but(GOOD, type=kind, criteria=less), LAW, basis)
    high = suggest(but(GOOD, type=kind, criteria=more), LAW, basis)
    assert (high.level or 0) >= (low.level or 0)
    assert high.possible >= low.possible


@given(st.data(), kinds, st.sampled_from([2016, 2026]))
def test_to_state_more_only_narrows_what_is_possible(
    data: st.DataObject, kind: str, basis: int
) -> None:
    """A criterion left out is neither true nor false: stating it stays between the two ends."""
    said = data.draw(criteria)
    name = data.draw(st.sampled_from(Criteria.__struct_fields__))
    empty = "" if name in LAW.ranks else None
    vague = suggest(
        but(GOOD, type=kind, criteria=msgspec.structs.replace(said, **{name: empty})), LAW, basis
    )
    exact = suggest(but(GOOD, type=kind, criteria=said), LAW, basis)
    assert (vague.level or 0) <= (exact.level or 0)
    assert exact.possible <= vague.possible
    assert (exact.level or 0) <= exact.possible


@given(criteria, kinds, st.sampled_from([2016, 2026]), st.integers(1, 5))
def test_a_pass_says_that_nothing_could_ask_for_more(
    said: Criteria, kind: str, basis: int, level: int
) -> None:
    made = but(GOOD, type=kind, criteria=said, level=level)
    found = judge(level_plausible, made, basis=basis, level=level)
    suggestion = suggest(made, LAW, found.detail["basis"])
    if found.status is Status.PASS:
        assert suggestion.level is not None
        assert level >= suggestion.possible
    if found.status is Status.FAIL:
        assert level < (suggestion.level or 0)
    if suggestion.level is not None and level < suggestion.level:
        assert found.status is Status.FAIL


# -------------------------------------------------------------------------------- level-plausible


def test_a_plausible_looking_but_too_low_level_fails_with_its_ground() -> None:
    found = judge(level_plausible, record("public_service", procedures=True))
    assert (found.status, name(found), found.severity) == (
        Status.FAIL,
        "too-low",
        Severity.MAJOR,
    )
    assert found.message.args["suggested"] == 3
    said = render(found.message, "vi", ZONE)
    assert "hệ thống giải quyết thủ tục hành chính" in said
    assert "Nghị định 331/2026/NĐ-CP, Điều 13" in said
    assert (found.detail["suggested"], found.detail["ground"]) == (3, "procedures")


def test_a_higher_level_than_suggested_passes() -> None:
    found = judge(level_plausible, record("internal"))
    assert (found.status, name(found)) == (Status.PASS, "higher")
    assert name(judge(level_plausible, record("internal", personal_data=True))) == "fits"


def test_what_was_seen_is_enough_to_fail_whatever_is_missing() -> None:
    low = but(GOOD, type="public_service", criteria=Criteria(procedures=True))
    assert judge(level_plausible, low).status is Status.FAIL


def test_missing_criteria_that_could_raise_it_are_named() -> None:
    found = judge(level_plausible, but(GOOD, type="internal", criteria=Criteria()))
    assert (found.status, name(found)) == (Status.UNKNOWN, "criteria-missing")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED
    # Personal data could bring no more than the level 2 that it has.
    assert found.detail["missing"] == ["state_secret", "harm"]
    assert "(state_secret)" in render(found.message, "en", ZONE)


def test_a_record_without_a_word_on_type_or_criteria_is_unknown() -> None:
    for made in (but(GOOD, type=""), but(GOOD, type="", criteria=None)):
        found = judge(level_plausible, made)
        assert (found.status, name(found)) == (Status.UNKNOWN, "criteria-missing")
        assert "type" in found.detail["missing"]
    other = judge(level_plausible, record("other"))
    assert (other.status, name(other)) == (Status.UNKNOWN, "no-ground")


def test_an_old_decision_is_held_against_the_old_threshold() -> None:
    people = {"personal_data": True, "subjects": 20_000}
    new = record("public_service", **people)
    assert judge(level_plausible, new).status is Status.PASS
    old = but(OLD, type="public_service", criteria=new.criteria)
    found = judge(level_plausible, old)
    assert (found.status, found.detail["basis"]) == (Status.FAIL, 2016)
    # That threshold is from memory, and the sentence says so.
    assert "Official Gazette" in render(found.message, "en", ZONE)
    assert judge(level_plausible, new, basis=2016).status is Status.FAIL


def test_an_infrastructure_that_several_units_use_serves_more_than_one() -> None:
    found = judge(level_plausible, record("infrastructure"), used_by=("hk", "ca"))
    assert (found.status, faults(found)) == (Status.FAIL, ["serves-more"])
    for units in ((), ("hk",), ("hk", "hk")):
        assert judge(level_plausible, record("infrastructure"), used_by=units).status is Status.PASS
    assert judge(level_plausible, record("internal"), used_by=("hk", "ca")).status is Status.PASS


def test_to_serve_more_than_one_is_formal_once_the_level_covers_it() -> None:
    for level, grave in ((2, Severity.MAJOR), (3, Severity.MINOR)):
        made = but(record("infrastructure"), level=level)
        found = judge(level_plausible, made, level=level, used_by=("hk", "ca"))
        assert (faults(found), found.severity) == (["serves-more"], grave)


def test_the_recorded_level_is_judged_and_the_claim_stands_in_for_none() -> None:
    made = record("public_service", procedures=True)
    assert judge(level_plausible, but(made, level=3), level=2).status is Status.PASS
    assert judge(level_plausible, but(made, level=None), level=2).status is Status.FAIL
    nothing = judge(level_plausible, but(made, level=None), level=None)
    assert (nothing.status, name(nothing)) == (Status.UNKNOWN, "no-level")


def test_a_record_of_another_system_says_nothing() -> None:
    assert name(judge(level_plausible, but(record("internal"), system="b"))) == "other-system"
