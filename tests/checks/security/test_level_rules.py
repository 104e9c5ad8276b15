"""The law as data: complete, consistent, and chosen by date."""

from __future__ import annotations

import datetime as dt

import pytest

from checks.security.rules import LEVELS, rules


def test_every_basis_rules_every_level_with_known_roles_and_sources() -> None:
    law = rules()
    assert set(law.bases) == {2016, 2026}
    for basis in law.bases.values():
        assert set(basis.levels) == set(LEVELS)
        assert set(basis.sources) <= set(law.sources)
        for rule in basis.levels.values():
            assert rule.appraises
            assert rule.approves
            assert {*rule.appraises, *rule.approves} <= set(law.authorities)
            assert rule.source in basis.sources
    assert law.transition.basis in law.bases
    assert law.transition.source in law.sources
    assert set(law.review_months) == set(LEVELS)


def test_sources_and_forms_are_named_in_both_languages() -> None:
    law = rules()
    for title in (*(s.title for s in law.sources.values()), *law.forms.values()):
        assert set(title) == {"vi", "en"}
    assert sorted(law.forms) == [f"{n:02}" for n in range(1, 9)]


def test_no_id_stands_for_two_authorities() -> None:
    ids = [i for a in rules().authorities.values() for i in a.ids]
    assert len(ids) == len(set(ids))
    assert all(i == i.casefold() for i in ids)


@pytest.mark.parametrize(
    ("scan", "decided", "basis"),
    [
        (2026, None, 2026),
        (2026, dt.date(2026, 7, 1), 2026),
        (2026, dt.date(2026, 6, 30), 2016),
        (2026, dt.date(2016, 7, 1), 2016),
        (2026, dt.date(1999, 1, 1), 2016),
        (2016, None, 2016),
        (2016, dt.date(2026, 11, 1), 2016),
        (2016, dt.date(2020, 1, 1), 2016),
    ],
)
def test_a_decision_is_judged_by_the_law_of_its_day(
    scan: int, decided: dt.date | None, basis: int
) -> None:
    assert rules().basis_of(scan, decided) == basis
