"""Headers as a log shows them, with the damage that logging does."""

from __future__ import annotations

import base64
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from checks.documents.sources.headers import decode_words, file_names
from tests.helpers.correspondence import PATIENT, word

SUBJECT = "Gửi Quyết định 123/QĐ-UBND về kế hoạch"


def test_one_word() -> None:
    assert decode_words(word(SUBJECT)) == SUBJECT
    assert decode_words(word("Xin chào", "utf-16")) == "Xin chào"


def test_text_around_words_stays() -> None:
    assert decode_words(f"Re: {word('Số 7')} [gấp]") == "Re: Số 7 [gấp]"


def test_quoted_printable() -> None:
    assert decode_words("=?utf-8?q?S=E1=BB=91_12/Q=C4=90-UBND?=") == "Số 12/QĐ-UBND"


def test_neighbours_are_joined_as_bytes() -> None:
    """A letter of two bytes is cut between two words."""
    raw = "QĐ".encode()
    one, two = (base64.b64encode(raw[a:b]).decode() for a, b in ((0, 2), (2, 3)))
    folded = f"=?UTF-8?B?{one}?=?? =?utf-8?B?{two}?="
    assert decode_words(folded) == "QĐ"
    assert decode_words(folded.replace("??", "?")) == "QĐ"
    assert decode_words(f"=?UTF-8?B?{one}?= =?utf-8?B?{two}?=") == "QĐ"


def test_line_breaks_logged_as_question_marks_are_no_text() -> None:
    text = f"{word('Báo cáo ')}?? {word('12/BC-UBND')}?\t{word(' quý IV')}"
    assert decode_words(text) == "Báo cáo 12/BC-UBND quý IV"


def test_a_word_that_is_cut_gives_what_is_left() -> None:
    for length in range(30, len(word(SUBJECT)) - 2):
        left = decode_words(word(SUBJECT)[:length])
        assert SUBJECT.startswith(left.rstrip("\ufffd")), length
    assert "123/QĐ-UBND" in decode_words(word(SUBJECT)[:-20])


def test_unknown_and_dangerous_charsets_are_read_as_utf8() -> None:
    data = base64.b64encode(b"12/BC-UBND").decode()
    for charset in ("rot13", "zip", "unicode_escape", "idna", "x-unknown"):
        assert decode_words(f"=?{charset}?B?{data}?=") == "12/BC-UBND"


def test_eight_bit_headers_without_smtputf8_keep_the_number() -> None:
    assert "12/TTr-SYT" in decode_words("To???? tri??nh so???? 12/TTr-SYT")


def test_plain_names() -> None:
    assert file_names(' attachment; filename="12-BC.pdf"; size=12') == ["12-BC.pdf"]
    assert file_names(" attachment; filename=12-BC.pdf") == ["12-BC.pdf"]
    assert file_names(' application/pdf;? name="a \\"b\\".pdf"') == ['a "b".pdf']
    assert file_names(" inline") == []


def test_encoded_words_in_names_though_not_allowed() -> None:
    name = "12-QĐ-UBND.pdf"
    assert file_names(f' attachment; filename="{word(name)}"') == [name]
    assert file_names(f" attachment; filename={word(name)}") == [name]
    two = f'"{word("12-QĐ-")}?? {word("UBND.pdf")}"'
    assert file_names(f" attachment;?? filename={two}") == [name]


def test_rfc_2231_parts_are_joined() -> None:
    raw = (
        " attachment;?? filename*0*=UTF-8''12-Q%C4%90-U;?? filename*1*=BND%20%C4%91;"
        "?? filename*2=.pdf"
    )
    assert file_names(raw) == ["12-QĐ-UBND đ.pdf"]


def test_rfc_2231_out_of_order_cut_inside_a_letter_and_without_its_last_part() -> None:
    coded = quote("12-QĐ-UBND đã ký.pdf")
    cut = coded.index("%C4") + 3
    raw = f" a; filename*1*={coded[cut:]}; filename*0*=utf-8''{coded[:cut]}"
    assert file_names(raw) == ["12-QĐ-UBND đã ký.pdf"]
    assert file_names(" a; filename*0*=utf-8''12-QD-UB; filename*2*=pdf") == ["12-QD-UB"]
    assert file_names(" a; filename*0*=utf-8''12-QD-UBND.p") == ["12-QD-UBND.p"]


def test_single_rfc_2231_value() -> None:
    assert file_names(f" a; filename*=UTF-8'vi'{quote('Số 7.pdf')}") == ["Số 7.pdf"]


@PATIENT
@given(st.text(max_size=400))
def test_no_text_breaks_the_decoders(text: str) -> None:
    assert isinstance(decode_words(text), str)
    assert all(file_names(text))


@PATIENT
@given(st.text(alphabet="=?utf-8BQ *'%\"\\;name0123", max_size=200))
def test_no_header_like_text_breaks_the_decoders(text: str) -> None:
    assert isinstance(decode_words(text), str)
    assert all(file_names("; name" + text))


@PATIENT
@given(st.text(max_size=60))
def test_words_decode_to_what_was_encoded(text: str) -> None:
    clean = text.encode("utf-8", "ignore").decode()
    assert decode_words(word(clean)) == clean
