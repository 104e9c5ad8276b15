"""The outgoing register: encodings, separators, headers, dates, recipients."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.dates import read_date, read_time
from checks.documents.sources.register import Register, read_register, recipients
from checks.evidence import Unparsable
from tests.helpers.correspondence import PATIENT, REGISTER_HEAD, ZONE, entry


def read(data: str | bytes, columns: dict[str, str] | None = None) -> Register:
    return read_register([entry("so.csv", data)], "so.csv", columns or {}, ZONE)


def rows(data: str | bytes, columns: dict[str, str] | None = None) -> list[tuple[str, str, int]]:
    return [(str(e.key), e.recipient, e.place.line) for e in read(data, columns).events]


PLAIN = REGISTER_HEAD + '123/QĐ-UBND,20/10/2026,Trích yếu,A,"Sở Y tế; Sở Văn hóa",,\n'
FOUND = [("123/2026/QD-UBND", "Sở Y tế", 2), ("123/2026/QD-UBND", "Sở Văn hóa", 2)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_encodings_and_line_ends(encoding: str, newline: str) -> None:
    assert rows(PLAIN.replace("\n", newline).encode(encoding)) == FOUND


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_separators(delimiter: str) -> None:
    head = delimiter.join(["Số ký hiệu", "Ngày tháng", "Nơi nhận"])
    body = delimiter.join(["123/QĐ-UBND", "20/10/2026", '"Sở Y tế; Sở Văn hóa"'])
    assert rows(f"{head}\n{body}\n") == FOUND


def test_windows_1258() -> None:
    head = "Số ký hiệu,Ngày tháng,Nơi nhận\n"
    data = (head + "123/QĐ-UBND,20/10/2026,Đống Đa\n").encode("utf-8").decode()
    import unicodedata  # noqa: PLC0415

    # The code page keeps ă â đ ê ô ơ ư whole and writes the tones as marks of their own.
    marks = "".join(
        unicodedata.normalize("NFC", c[0] + "".join(m for m in c[1:] if m in "\u0302\u0306\u031b"))
        + "".join(m for m in c[1:] if m not in "\u0302\u0306\u031b")
        for c in (unicodedata.normalize("NFD", ch) for ch in data)
    )
    assert rows(marks.encode("cp1258"))[0][0] == "123/2026/QD-UBND"


def test_headers_over_several_lines_titles_and_numbering_rows() -> None:
    data = (
        "ỦY BAN NHÂN DÂN PHƯỜNG,,\nSỔ ĐĂNG KÝ VĂN BẢN ĐI,,\n"
        '"Số, ký\nhiệu văn bản","NGÀY THÁNG\nVĂN BẢN",Nơi nhận  văn bản\n(1),(2),(3)\n'
        "7/QĐ-UBND,20/10/2026,Sở Y tế\n"
    )
    found = read(data)
    assert [(str(e.key), e.place.line) for e in found.events] == [("07/2026/QD-UBND", 7)]
    assert (found.report.lines, found.report.unparsed) == (1, 0)


def test_a_header_merged_over_two_rows() -> None:
    data = "Số ký,Ngày,Nơi nhận\nhiệu văn bản,tháng,\n7/QĐ-UBND,20/10/2026,Sở Y tế\n"
    assert rows(data) == [("07/2026/QD-UBND", "Sở Y tế", 3)]


def test_number_and_sign_in_columns_of_their_own() -> None:
    data = "Số,Ký hiệu,Ngày,Nơi nhận\n'07,QĐ-UBND,20/10/2026,Sở Y tế\n"
    assert rows(data) == [("07/2026/QD-UBND", "Sở Y tế", 2)]


def test_columns_of_another_name() -> None:
    data = "Cột 1,Cột 2,Cột 3\n7/QĐ-UBND,20/10/2026,Sở Y tế\n"
    columns = {"number_sign": "Cột 1", "date": "cot 2", "recipients": "CỘT 3"}
    assert rows(data, columns) == [("07/2026/QD-UBND", "Sở Y tế", 2)]
    with pytest.raises(Unparsable, match=r"so.csv:1: no header row with the columns"):
        read(data)


def test_text_marks_and_formulas_of_spreadsheets() -> None:
    data = 'Số ký hiệu,Ngày tháng,Nơi nhận\n\'0123/QĐ-UBND,46315,"=""Sở Y tế"""\n'
    (event,) = read(data).events
    assert (str(event.key), event.date, event.recipient) == (
        "123/2026/QD-UBND",
        dt.date(2026, 10, 20),
        "Sở Y tế",
    )


def test_one_event_for_each_recipient_and_none_for_the_house() -> None:
    cell = (
        "- Như trên;\n- Sở Y tế (để b/c);\n- Sở Văn hóa, Công an thành phố;\n"
        "+ UBND các xã, phường;\n1. H26.9\n- Lưu: VT, VP, Hương."
    )
    assert recipients(cell) == [
        "Sở Y tế",
        "Sở Văn hóa",
        "Công an thành phố",
        "UBND các xã, phường",
        "H26.9",
    ]
    assert recipients("Các sở, ban, ngành thành phố, Sở Y tế") == [
        "Các sở, ban, ngành thành phố",
        "Sở Y tế",
    ]
    assert recipients("Sở Y tế, phòng Văn hóa") == ["Sở Y tế", "phòng Văn hóa"]
    assert recipients("Như trên; Lưu: VT") == []
    assert recipients("Sở Y tế, Lưu: VT, VX") == ["Sở Y tế"]
    assert recipients("Lưu VT") == []


def test_a_document_without_recipients_is_kept() -> None:
    assert rows(REGISTER_HEAD + "7/QĐ-UBND,20/10/2026,x,A,Lưu: VT,,\n") == [
        ("07/2026/QD-UBND", "", 2)
    ]


def test_a_row_added_twice_counts_once() -> None:
    line = "7/QĐ-UBND,20/10/2026,x,A,Sở Y tế,,\n"
    found = read(REGISTER_HEAD + line + line + line.replace("Sở Y tế", "Sở Y tế; Sở Văn hóa"))
    assert [e.recipient for e in found.events] == ["Sở Y tế", "Sở Văn hóa"]
    assert (found.report.lines, found.report.repeated) == (3, 1)


def test_rows_without_number_or_date_are_counted_not_hidden() -> None:
    bad = "7/QĐ-UBND,?,x,A,Sở Y tế,,\nx,20/10/2026,x,A,Sở Y tế,,\n\n,,,,,,\n"
    found = read(PLAIN + bad)
    assert (found.report.lines, found.report.unparsed, len(found.events)) == (3, 2, 2)
    with pytest.raises(Unparsable, match=r"so.csv: none of its 2 rows has a number and a date"):
        read(REGISTER_HEAD + bad)


def test_suffixes_years_and_reason_codes() -> None:
    data = REGISTER_HEAD + (
        "123a/QĐ-UBND,02/01/2026,x,A,Sở Y tế,,\n123b/QĐ-UBND,31/12/2025,x,A,Sở Y tế,,mat\n"
        "124/QĐ-UBND,05/01/2026,x,A,Sở Y tế,,Luật định giấy\n"
    )
    found = [(e.key.suffix, e.key.year, e.reason) for e in read(data).events]
    assert found == [("A", 2026, ""), ("B", 2025, "MAT"), ("", 2026, "LUAT_DINH_GIAY")]


def test_the_hash_is_of_the_raw_line() -> None:
    import hashlib  # noqa: PLC0415

    (event, _) = read(PLAIN).events
    assert event.place.sha256 == hashlib.sha256(PLAIN.splitlines()[1].encode()).hexdigest()


def test_subjects_do_not_leave_the_parser() -> None:
    assert "Trích" not in repr(read(PLAIN))


def test_days_and_ends() -> None:
    report = read(
        REGISTER_HEAD + "7/QĐ-UBND,20/10/2026,x,A,y,,\n8/QĐ-UBND,22/10/2026,x,A,y,,\n"
    ).report
    assert sorted(report.days) == [dt.date(2026, 10, 20), dt.date(2026, 10, 22)]
    assert report.first == dt.datetime(2026, 10, 19, 17, tzinfo=dt.UTC)


@pytest.mark.parametrize("data", ["", "a,b,c\n1,2,3\n", "\ufeff", "Số ký hiệu\n1\n", "\0" * 900])
def test_what_is_no_register(data: str) -> None:
    with pytest.raises(Unparsable, match=r"^so.csv:1: no header row"):
        read(data)


def test_a_cell_without_end_is_refused_with_its_line() -> None:
    with pytest.raises(Unparsable, match=r"^so.csv:\d+: field larger than field limit"):
        read(PLAIN + '"' + "x" * 200_000)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("20/10/2026", dt.date(2026, 10, 20)),
        ("5-1-2026", dt.date(2026, 1, 5)),
        ("05.01.2026", dt.date(2026, 1, 5)),
        ("2026-10-20", dt.date(2026, 10, 20)),
        ("2026/10/20 08:00:00", dt.date(2026, 10, 20)),
        ("20/10/26", dt.date(2026, 10, 20)),
        ("Hà Nội, ngày 05 tháng 10 năm 2026", dt.date(2026, 10, 5)),
        ("46315", dt.date(2026, 10, 20)),
        ("46315.75", dt.date(2026, 10, 20)),
        ("'20/10/2026", dt.date(2026, 10, 20)),
        ("30/02/2026", None),
        ("2014/02/30", None),
        ("01/01/9999", None),
        ("01/01/0026", None),
        ("12345", None),
        ("", None),
        ("hôm nay", None),
    ],
)
def test_dates(cell: str, day: dt.date | None) -> None:
    assert read_date(cell) == day


@pytest.mark.parametrize(
    ("cell", "utc"),
    [
        ("2026-10-20 08:00:00", "2026-10-20T01:00:00"),
        ("20/10/2026 08:00", "2026-10-20T01:00:00"),
        ("20/10/2026 2:30:00 PM", "2026-10-20T07:30:00"),
        ("20/10/2026 12:30 SA", "2026-10-19T17:30:00"),
        ("2026-10-20T08:00:00+07:00", "2026-10-20T01:00:00"),
        ("2026-10-20T08:00:00.123Z", "2026-10-20T08:00:00"),
        ("1792458000", "2026-10-20T01:00:00"),
        ("1792458000123", "2026-10-20T01:00:00"),
        ("46315.5", "2026-10-20T05:00:00"),
    ],
)
def test_times(cell: str, utc: str) -> None:
    assert read_time(cell, ZONE) == dt.datetime.fromisoformat(utc + "+00:00")


def test_a_year_beyond_all_years_is_no_moment() -> None:
    assert read_time("9999-12-31T23:00:00Z", ZONE) is None


@PATIENT
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    for raw in (data, PLAIN.encode() + data, REGISTER_HEAD.encode("utf-16") + data):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("so.csv:")  # noqa: PT017


@PATIENT
@given(st.text(max_size=80))
def test_any_text_is_a_date_or_none(text: str) -> None:
    for found in (read_date(text), read_time(text, ZONE)):
        assert found is None or found.year > 0
    assert all(recipients(text))


def test_a_row_that_ends_before_its_recipients_names_none() -> None:
    # Found by fuzzing: spreadsheets leave out empty cells at the end of a row.
    found = read(REGISTER_HEAD + "7/QĐ-UBND,20/10/2026\n")
    assert [(str(e.key), e.recipient) for e in found.events] == [("07/2026/QD-UBND", "")]
