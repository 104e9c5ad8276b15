"""Finding document numbers: every rule of the notes as a case."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder, cell_key, organisations
from checks.folding import fold, words
from tests.helpers.correspondence import PATIENT

FINDER = Finder(["QĐ-UBND", "UBND-VHXH", "BC-UBND", "TTr-SYT", "UBND-HK", "QĐ-UBND-HK", "HĐND"])


def strong(text: str) -> list[str]:
    return [str(h.key) for h in FINDER.in_text(text) if not h.weak]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Quyết định 123/QĐ-UBND", ["123/QD-UBND"]),
        ("số 01/QĐ-UBND", ["01/QD-UBND"]),
        ("số 1/QĐ-UBND", ["01/QD-UBND"]),
        ("00123/QĐ-UBND", ["123/QD-UBND"]),
        ("123a/QĐ-UBND và 123b/QĐ-UBND", ["123a/QD-UBND", "123b/QD-UBND"]),
        ("12 / QĐ - UBND", ["12/QD-UBND"]),
        ("41/2025/QĐ-UBND", ["41/2025/QD-UBND"]),
        ("123/QĐUBND", ["123/QD-UBND"]),
        ("123/QDUBND", ["123/QD-UBND"]),
        ("7/qđ-ubnd", ["07/QD-UBND"]),
        ("7/QÐ-UBND", ["07/QD-UBND"]),  # Eth for the Vietnamese letter
        ("7/QƉ-UBND", ["07/QD-UBND"]),
        ("7/QĐ–UBND", ["07/QD-UBND"]),  # en dash
        ("7/QĐ−UBND", ["07/QD-UBND"]),  # minus sign
        ("7／QĐ-UBND", ["07/QD-UBND"]),  # full-width slash
        ("7⁄QĐ-UBND", ["07/QD-UBND"]),  # fraction slash
        ("７/QĐ-UBND", ["07/QD-UBND"]),  # full-width digit
        ("7/QĐ-\u200bUB\u200bND", ["07/QD-UBND"]),
        ("7/QĐ-UB\u00adND", ["07/QD-UBND"]),
        ("7\u00a0/\u00a0QĐ-UBND", ["07/QD-UBND"]),
        ("123/UBND-VHXH", ["123/UBND-VHXH"]),
        ("15/BC-UBND-HK", ["15/BC-UBND-HK"]),
        ("12/TTr-SYT về", ["12/TTR-SYT"]),
        ("57-NQ/TW", ["57-NQ/TW"]),
        ("18 - NQ/TU ngày", ["18-NQ/TU"]),
        ("30/2020/NĐ-CP", ["30/2020/ND-CP"]),
        ("(45/KH-UBND)", ["45/KH-UBND"]),
        ("45/KH-UBND.", ["45/KH-UBND"]),
        ("12/TTr-SYT To???? tri??nh so????", ["12/TTR-SYT"]),
        ("iPhone 15/PRO-MAX", []),
        ("ngày 01/10/2025", []),
        ("05/2025/HĐKT-ABC", []),
        ("tỷ lệ 3/4", []),
        ("24/7", []),
        ("0/QĐ-UBND", []),
        ("123456/QĐ-UBND", []),
        ("1.123/QĐ-UBND", []),
        ("A123/QĐ-UBND", []),
        ("12/QĐ", []),
        ("km 5/ABC-DEF", []),
    ],
)
def test_numbers_in_text(text: str, found: list[str]) -> None:
    assert strong(text) == found
    assert strong(unicodedata.normalize("NFD", text)) == found


def test_type_before_the_number_is_a_weak_hit() -> None:
    hits = FINDER.in_text("Gửi QĐ số 123 UBND phường")
    assert [(str(h.key), h.weak) for h in hits] == [("123/QD-UBND", True)]
    assert [h.weak for h in FINDER.in_name("QD so 123 UBND.pdf")] == [True]


def test_without_known_signs_only_whole_types_are_taken() -> None:
    assert Finder([]).in_text("123/UBND-VHXH") == []
    assert [str(h.key) for h in Finder([]).in_text("123/QĐ-ABC")] == ["123/QD-ABC"]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("123-QD-UBND.signed.pdf", ["123/QD-UBND"]),
        ("123_QĐ-UBND_signed_signed.pdf", ["123/QD-UBND"]),
        ("123-QĐ-UBND(đã ký).pdf", ["123/QD-UBND"]),
        ("123 QĐ UBND (1).docx", ["123/QD-UBND"]),
        ("41_2025_QĐ-UBND.pdf", ["41/2025/QD-UBND"]),
        ("20261020_123_QD_UBND.pdf", ["123/QD-UBND"]),
        ("CV so 45 UBND VHXH.pdf", ["45/UBND-VHXH"]),
        ("45a.UBND-VHXH_01.docx", ["45a/UBND-VHXH"]),
        ("123QDUBND.pdf", ["123/QD-UBND"]),
        ("12-QD-UBND-HK.pdf", ["12/QD-UBND-HK"]),
        ("123/QĐ-UBND.pdf", ["123/QD-UBND"]),
        ("12.BC-UBND va 13.BC-UBND.zip", ["12/BC-UBND", "13/BC-UBND"]),
        ("BC thang 10.2025.pdf", []),
        ("scan0001.pdf", []),
        ("IMG_20261020_101010.jpg", []),
        ("danh sach 15 nguoi.xlsx", []),
        ("", []),
    ],
)
def test_numbers_in_file_names(name: str, found: list[str]) -> None:
    assert [str(h.key) for h in FINDER.in_name(name)] == found
    assert [str(h.key) for h in FINDER.in_name(unicodedata.normalize("NFD", name))] == found


def test_a_name_that_starts_with_the_number_leads() -> None:
    assert [h.leading for h in FINDER.in_name("CV so 45 UBND VHXH.pdf")] == [True]
    assert [h.leading for h in FINDER.in_name("thuc hien 45-UBND-VHXH.pdf")] == [False]


@pytest.mark.parametrize(
    ("cell", "key"),
    [
        ("0123/QĐ-UBND", "123/2026/QD-UBND"),
        ("Số: 12/BC-VP.UBND", "12/2026/BC-VP.UBND"),
        ("7816/VPCP-TTĐT", "7816/2026/VPCP-TTDT"),
        ("52/2025/NQ-HĐND", "52/2025/NQ-HDND"),
        ("57-NQ/TW", "57-NQ/TW"),
        ("12b/UBND", "12b/2026/UBND"),
        ("123/QĐUBND", "123/2026/QD-UBND"),
    ],
)
def test_numbers_of_cells(cell: str, key: str) -> None:
    found = cell_key(cell, 2026)
    assert str(found) == key


@pytest.mark.parametrize("cell", ["", "123", "QĐ-UBND", "74fass22", "0/QĐ-UBND", "/", "20/10/2026"])
def test_cells_without_a_number(cell: str) -> None:
    assert cell_key(cell, 2026) is None


def test_organisations_leave_types_out() -> None:
    assert organisations(["QĐ-UBND-HK", "NQ/TW"]) == {"UBND", "HK", "TW"}


def test_folding_agrees_on_all_spellings() -> None:
    text = "Tờ trình số 5 của Sở Y tế, Đống Đa"
    assert fold(text) == fold(unicodedata.normalize("NFD", text)) == fold(text.lower())
    assert words(" Sở  Y-tế\u200b. ") == "SO Y TE"


@PATIENT
@given(st.text(max_size=300))
def test_no_text_breaks_the_finder(text: str) -> None:
    assert all(h.key.number > 0 for h in (*FINDER.in_text(text), *FINDER.in_name(text)))
    assert all(h.start < h.end for h in (*FINDER.in_text(text), *FINDER.in_name(text)))
    key = cell_key(text)
    assert key is None or key.sign


@PATIENT
@given(st.integers(1, 99999), st.sampled_from(["QĐ-UBND", "UBND-VHXH", "TTr-SYT"]))
def test_what_is_written_is_found_again(number: int, sign: str) -> None:
    (hit,) = FINDER.in_text(f"V/v {number}/{sign} ngày 20/10/2026")
    assert (hit.key.number, hit.key.sign) == (number, fold(sign))
    (named,) = FINDER.in_name(f"{number}-{sign}.pdf")
    assert named.key == hit.key
