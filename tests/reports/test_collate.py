"""The order of the Vietnamese alphabet, against orders written down by hand."""

from __future__ import annotations

import random
from unicodedata import normalize

import pytest

from reports.collate import vi_key

LETTERS = list("aăâbcdđeêghiklmnoôơpqrstuưvxy")
TONES = ["ma", "mà", "mả", "mã", "má", "mạ"]
NAMES = [
    "An Khánh",
    "Ba Đình",
    "Ba Vì",
    "Bạch Mai",
    "Bất Bạt",
    "Bồ Đề",
    "Cầu Giấy",
    "Cổ Đô",
    "Cửa Nam",
    "Dân Hòa",
    "Dương Hòa",
    "Dương Nội",
    "Đa Phúc",
    "Đại Mỗ",
    "Đại Thanh",
    "Định Công",
    "Đoài Phương",
    "Đông Anh",
    "Đống Đa",
    "Đông Ngạc",
    "Gia Lâm",
    "Giảng Võ",
    "Ô Chợ Dừa",
    "Ô Diên",
    "Ứng Hòa",
    "Ứng Thiên",
    "Vân Đình",
    "Vật Lại",
    "Xuân Đỉnh",
    "Yên Bài",
]


@pytest.mark.parametrize(
    "expected", [LETTERS, TONES, ["ban", "bàn", "bản", "bang", "bằng", "bâng"]]
)
def test_letters_then_tones(expected: list[str]) -> None:
    mixed = list(expected)
    random.Random(3).shuffle(mixed)  # noqa: S311
    assert sorted(mixed, key=vi_key) == expected


def test_names_of_units() -> None:
    mixed = list(NAMES)
    random.Random(5).shuffle(mixed)  # noqa: S311
    assert sorted(mixed, key=vi_key) == NAMES


def test_decomposed_text_sorts_as_composed() -> None:
    whole, apart = "Đống Đa", normalize("NFD", "Đống Đa")
    assert vi_key(whole)[:3] == vi_key(apart)[:3]


def test_digits_count_before_letters_and_case_last() -> None:
    assert sorted(["móng b", "Móng 2", "móng 1", "Móng B"], key=vi_key) == [
        "móng 1",
        "Móng 2",
        "móng b",
        "Móng B",
    ]


def test_anything_has_a_key() -> None:
    for text in ("", "\x00", "漢字", "🏛", "a\u0301\u0301", "\u0301"):
        assert vi_key(text)[-1] == text
