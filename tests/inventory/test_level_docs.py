"""Attestations, reported figures and the register of levels in the inventory."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from inventory.load import load
from inventory.model import Attestation, FileSource, Inventory, LevelTotals
from inventory.problems import InvalidInput

HEAD = "unit: u\nname: U\nkind: ward\n"
WORD = "control: policy, explanation: Đã ban hành, attested_by: Chánh Văn phòng, date: 2026-01-31"

SYSTEM = "systems:\n  s:\n    name: S\n    owner: u\n"


def read(text: str, tmp_path: Path) -> Inventory:
    (tmp_path / "u.yaml").write_text(HEAD + text, encoding="utf-8")
    return load(tmp_path / "u.yaml", tmp_path)


def problems(text: str, tmp_path: Path) -> list[str]:
    with pytest.raises(InvalidInput) as e:
        read(text, tmp_path)
    return [f"{p.path}: {p.message}" for p in e.value.problems]


def test_an_attestation_ends_on_a_day(tmp_path: Path) -> None:
    found = read(f"attestations:\n  - {{{WORD}, valid_for: 365d, document: 7/BC-VP}}\n", tmp_path)
    assert found.units["u"].attestations == (
        Attestation(
            control="policy",
            explanation="Đã ban hành",
            attested_by="Chánh Văn phòng",
            date=dt.date(2026, 1, 31),
            until=dt.date(2027, 1, 31),
            document="7/BC-VP",
        ),
    )
    text = f"{SYSTEM}    attestations: [{{{WORD}, until: 2026-12-31}}]\n"
    (attested,) = read(text, tmp_path).systems["s"].attestations
    assert attested.until == dt.date(2026, 12, 31)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("", "either valid_for or until"),
        (", valid_for: 1d, until: 2026-12-31", "either valid_for or until"),
        (", until: 2026-01-30", "before the day"),
        (", valid_for: 23h", "at least one day"),
    ],
)
def test_an_attestation_without_an_end_is_refused(more: str, said: str, tmp_path: Path) -> None:
    (found,) = problems(f"attestations:\n  - {{{WORD}{more}}}\n", tmp_path)
    assert found.startswith("attestations[0]: ")
    assert said in found
    text = f"{SYSTEM}    attestations: [{{{WORD}{more}}}]\n"
    (found,) = problems(text, tmp_path)
    assert found.startswith("systems.s.attestations[0]: ")


def test_an_attestation_may_hold_for_its_own_day_only(tmp_path: Path) -> None:
    found = read(f"attestations:\n  - {{{WORD}, until: 2026-01-31}}\n", tmp_path)
    assert found.units["u"].attestations[0].until == dt.date(2026, 1, 31)


def test_an_end_beyond_the_calendar_is_refused(tmp_path: Path) -> None:
    word = WORD.replace("2026-01-31", "9999-12-31")
    (found,) = problems(f"attestations:\n  - {{{word}, valid_for: 1d}}\n", tmp_path)
    assert "beyond every calendar" in found


def test_the_register_the_folder_and_the_figures(tmp_path: Path) -> None:
    text = (
        "levels: {path: registers/levels.xlsx, columns: {system: Mã HTTT}}\n"
        "level_totals: {document: 40/BC-UBND, date: 2026-12-14, systems: 3, level_2: 2, "
        "unclassified: 1}\n"
        "systems:\n  s: {name: S, owner: u, dossier: dossier/s/}\n"
    )
    found = read(text, tmp_path)
    unit = found.units["u"]
    assert unit.levels == FileSource(path="registers/levels.xlsx", columns={"system": "Mã HTTT"})
    assert unit.level_totals == LevelTotals(
        document="40/BC-UBND",
        date=dt.date(2026, 12, 14),
        systems=3,
        levels=(None, 2, None, None, None),
        unclassified=1,
    )
    assert found.systems["s"].dossier == "dossier/s"


def test_an_external_unit_hands_over_nothing(tmp_path: Path) -> None:
    for key, value in (
        ("levels", "{path: a.csv}"),
        ("level_totals", "{systems: 1}"),
        ("attestations", f"[{{{WORD}, valid_for: 1d}}]"),
    ):
        (found,) = problems(f"external: true\n{key}: {value}\n", tmp_path)
        assert found.startswith(f"{key}: an external unit is never scanned")


def test_a_folder_outside_the_project_is_refused(tmp_path: Path) -> None:
    (found,) = problems("systems:\n  s: {name: S, owner: u, dossier: ../s}\n", tmp_path)
    assert "out of the project folder" in found
