"""The page about levels is true: its examples are read as they stand, every check is there."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from checks.catalogue import builtin
from checks.security.level_record import Criteria, LevelRecord, parse_record
from checks.security.rules import rules
from inventory.decode import decode_yaml
from inventory.schema import UnitDoc

PAGE = (Path(__file__).parents[3] / "docs" / "levels.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
OTHERS = {"security.record-signed", "security.decision-signed"}
"""Told on the page about signing."""


def test_the_record_is_one() -> None:
    record = parse_record(EXAMPLES[0].encode(), "docs/levels.md")
    unsaid = {name for name in LevelRecord.__struct_fields__ if not getattr(record, name)}
    # These two are explained in the text.
    assert unsaid == {"approval_expected", "legal_basis"}
    assert "`approval_expected: " in PAGE
    assert "`legal_basis: 2016`" in PAGE


def test_the_blocks_of_the_inventory_are_read() -> None:
    assert len(EXAMPLES) == 4
    text = 'unit: "1"\nname: U\nkind: ward\n' + "".join(EXAMPLES[1:])
    unit = decode_yaml(text.encode(), UnitDoc, "docs/levels.md")
    assert unit.levels is not None
    assert unit.level_totals is not None
    assert [a.control for a in unit.attestations] == ["training"]


def test_every_criterion_and_control_is_named() -> None:
    assert [c for c in Criteria.__struct_fields__ if f"`{c}`" not in PAGE] == []
    assert [c for c in rules().attested if c != "plan" and f"`{c}`" not in PAGE] == []


def test_every_check_of_levels_has_its_line() -> None:
    ids = {c.id for c in builtin().checks if c.family == "security"} - OTHERS
    told = {f"security.{name}" for name in re.findall(r"^\| `([a-z-]+)` \| ", PAGE, re.MULTILINE)}
    types = {
        "security.internal",
        "security.industrial",
        "security.infrastructure",
        "security.other",
    }
    assert told - types == ids


def test_the_numbers_of_the_page_are_the_rules() -> None:
    law = rules()
    months = ", ".join(str(law.review_months[n]) for n in range(1, 6))
    assert f"within {months} months" in PAGE
    assert f"{law.transition.until:%-d %B %Y}" in PAGE
    assert f"{law.transition.building_until:%-d %B %Y}" in PAGE
    assert {a.months for a in law.attested.values()} == {12}


def test_the_examples_hold_no_key_twice() -> None:
    for text in EXAMPLES:
        assert yaml.safe_load(text)
