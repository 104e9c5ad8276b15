"""What a subject or a name says about its numbers, also when letters of it were lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import FoundIn
from checks.documents.numbers import Finder
from checks.documents.sources.marks import mentions
from tests.helpers.correspondence import PATIENT

FINDER = Finder(["QĐ-UBND-HK", "NQ-HĐND-HK", "BC-UBND-HK"])


def keys(text: str, where: FoundIn = FoundIn.SUBJECT) -> list[str]:
    return [str(m.key) for m in mentions(FINDER, text, where)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Quy???t ?????nh 12/Q??-UBND-HK", ["12/QD-UBND-HK"]),  # Postfix, smtputf8_enable = no
        ("Quy?t ??nh 12/Q?-UBND-HK", ["12/QD-UBND-HK"]),  # a program without Vietnamese
        ("12/Q\ufffd-UBND-HK", ["12/QD-UBND-HK"]),  # bytes that are no UTF-8
        ("9/NQ-H??ND-HK", ["09/NQ-HDND-HK"]),
        ("12/Q??-UBND-HK v? 7/BC-UBND-HK", ["12/QD-UBND-HK", "07/BC-UBND-HK"]),
        ("T??? tr??nh 13/TTr-SYT", ["13/TTR-SYT"]),  # what survives stays as it is
        ("12/Q??-UBND-XX", []),  # a sign that nobody knows is no finding
        ("7/BC-UBND-HK ? 12/Q?-XX", ["07/BC-UBND-HK"]),
        ("Quy?t ??nh", []),
    ],
)
def test_a_letter_that_became_a_question_mark(text: str, found: list[str]) -> None:
    assert keys(text) == found


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("12-Q??-UBND-HK.signed.pdf", ["12/QD-UBND-HK"]),
        ("12_Q?_UBND_HK (k?).pdf", ["12/QD-UBND-HK"]),
        ("12-Q??-UBND-XX.pdf", []),
        ("what?.pdf", []),
    ],
)
def test_and_in_names(name: str, found: list[str]) -> None:
    assert keys(name, FoundIn.NAME) == found


def test_a_repaired_number_leads_and_cites_as_a_plain_one() -> None:
    (lost,) = mentions(FINDER, "Thực hiện 12/Q??-UBND-HK", FoundIn.SUBJECT)
    (plain,) = mentions(FINDER, "Thực hiện 12/QĐ-UBND-HK", FoundIn.SUBJECT)
    assert lost == plain
    assert lost.cites


def test_names_are_cut_where_no_file_name_goes() -> None:
    assert keys("x" * 511 + " 12-QD-UBND-HK.pdf", FoundIn.NAME) == []
    assert keys(" " * 400 + "12-QD-UBND-HK.pdf", FoundIn.NAME) == ["12/QD-UBND-HK"]


@PATIENT
@given(st.text(max_size=300), st.sampled_from(FoundIn))
def test_any_text(text: str, where: FoundIn) -> None:
    for said in (text, f"12/Q??-{text}", f"{text}12-Q?-UBND-HK?.pdf"):
        assert all(m.found is where for m in mentions(FINDER, said, where))
