"""What a unit's letters say of it: read as written, empty when it is left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from inventory.load import load
from inventory.model import Letter
from inventory.problems import InvalidInput


def _unit(tmp_path: Path, more: str) -> Letter:
    file = tmp_path / "u.yaml"
    file.write_text(f"unit: u\nname: U\nkind: ward\n{more}", encoding="utf-8")
    return load(tmp_path, tmp_path).units["u"].letter


def test_every_key_is_kept(tmp_path: Path) -> None:
    found = _unit(
        tmp_path,
        "letter:\n"
        "  mandate: 12/2025/QĐ-UBND\n  address: 1 Phố\n  phone: 024 1\n  email: u@example.vn\n"
        "  above: A\n  name: N\n  sign: UBND-VP\n  place: Láng\n"
        "  power: TM. ỦY BAN NHÂN DÂN\n  title: CHỦ TỊCH\n  signer: S\n"
        "  to: [Bộ Công an]\n  copies: [Đảng ủy]\n",
    )
    assert found == Letter(
        mandate="12/2025/QĐ-UBND",
        address="1 Phố",
        phone="024 1",
        email="u@example.vn",
        above="A",
        name="N",
        sign="UBND-VP",
        place="Láng",
        power="TM. ỦY BAN NHÂN DÂN",
        title="CHỦ TỊCH",
        signer="S",
        to=("Bộ Công an",),
        copies=("Đảng ủy",),
    )


def test_left_out_is_empty(tmp_path: Path) -> None:
    assert _unit(tmp_path, "") == Letter()


def test_a_wrong_key_and_a_broken_line_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="adress"):
        _unit(tmp_path, "letter: {adress: x}\n")
    with pytest.raises(InvalidInput, match="place"):
        _unit(tmp_path, 'letter: {place: "a\\nb"}\n')
