"""The incoming register and the register of letters sent by post, as offices keep them."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources.incoming import read_incoming
from checks.documents.sources.postal import read_postal
from checks.documents.sources.reading import Reading
from checks.evidence import Unparsable
from tests.helpers.correspondence import AGENCIES, PATIENT, UNIT, ZONE, entry
from tests.helpers.workbooks import number, sheet, text, workbook

INCOMING_HEAD = (
    'Ngày đến,Số đến,Tác giả,"Số, ký hiệu",Ngày tháng,Tên loại và trích yếu nội dung,'
    "Đơn vị hoặc người nhận,Ngày chuyển,Ký nhận,Ghi chú\n"
)
POSTAL_HEAD = (
    '"Ngày chuyển","Số, ký hiệu văn bản",Nơi nhận văn bản,Số lượng bì,'
    "Ký nhận và dấu bưu điện,Ghi chú\n"
)


def reading(columns: dict[str, str] | None = None) -> Reading:
    return Reading(
        name="so.csv",
        zone=ZONE,
        directory=Directory(AGENCIES, UNIT),
        finder=Finder(()),
        columns=columns or {},
    )


def incoming(data: str | bytes) -> tuple[list[DocumentEvent], SourceReport]:
    events, report = read_incoming([entry("so.csv", data)], reading())
    return list(events), report


def postal(data: str | bytes) -> tuple[list[DocumentEvent], SourceReport]:
    events, report = read_postal([entry("so.csv", data)], reading())
    return list(events), report


def test_an_arrival_has_its_number_its_day_its_author_and_what_came() -> None:
    row = "09/11/2026,0412,Sở Y tế,55/SYT-VP,06/11/2026,Trích yếu,Văn phòng,09/11/2026,,\n"
    (event,), report = incoming(INCOMING_HEAD + row)
    assert (event.kind, str(event.key), event.sender, event.arrival) == (
        EventKind.ARRIVED,
        "55/2026/SYT-VP",
        "Sở Y tế",
        412,
    )
    assert event.time == dt.datetime(2026, 11, 8, 17, tzinfo=dt.UTC)
    assert event.date == dt.date(2026, 11, 6)
    assert (event.place.source, event.place.line) == (SourceKind.INCOMING, 2)
    assert report.days == {dt.date(2026, 11, 9)}
    assert "Trích" not in repr(event)


def test_the_year_of_an_arrival_is_that_of_the_document() -> None:
    row = "04/01/2027,3,Sở Y tế,990/SYT-VP,31/12/2026,x,y,,,\n"
    (event,), _ = incoming(INCOMING_HEAD + row)
    assert event.key.year == 2026


def test_a_citizens_letter_has_an_arrival_number_and_no_author_is_kept() -> None:
    (event,), _ = incoming(INCOMING_HEAD + "09/11/2026,413,Ông Nguyễn Văn A,,,Đơn,,,,\n")
    assert (event.key.number, event.arrival, event.sender) == (0, 413, "")


def test_arrivals_twice_without_a_day_or_under_another_number() -> None:
    row = "09/11/2026,412,Sở Y tế,55/SYT-VP,06/11/2026,x,y,,,\n"
    again = row.replace("412", "415")
    bad = "hôm qua,414,Sở Y tế,56/SYT-VP,06/11/2026,x,y,,,\n"
    events, report = incoming(INCOMING_HEAD + row + row + again + bad)
    assert [e.arrival for e in events] == [412, 415]
    assert (report.lines, report.repeated, report.unparsed) == (4, 1, 1)


def test_headers_of_other_offices_and_a_numbering_row() -> None:
    data = (
        "SỔ ĐĂNG KÝ VĂN BẢN ĐẾN;;;;\nNgày;Số;Cơ quan ban hành;Số ký hiệu;Ngày\n"
        "đến;đến;;văn bản;văn bản\n(1);(2);(3);(4);(5)\n9-11-26;7;Sở Y tế;'055/SYT;6/11/2026\n"
    )
    (event,), report = incoming(data)
    assert (event.key.number, event.arrival, event.place.line, report.lines) == (55, 7, 5, 1)


def test_an_incoming_register_as_a_workbook() -> None:
    names = ("Ngày đến", "Số đến", "Tác giả", "Số, ký hiệu", "Ngày tháng")
    head = [text(f"{c}1", said) for c, said in zip("ABCDE", names, strict=True)]
    row = [
        number("A2", 46335, 1),
        number("B2", 412),
        text("C2", "Sở Y tế"),
        text("D2", "'055/SYT"),
        number("E2", 46332),
    ]
    (event,), _ = incoming(workbook(sheet("".join(head), "".join(row))))
    assert (str(event.key), event.arrival, event.date) == (
        "55/2026/SYT",
        412,
        dt.date(2026, 11, 6),
    )


def test_a_letter_has_its_documents_and_its_recipients() -> None:
    row = '10/11/2026,"100/QĐ-UBND-HK; 101/QĐ-UBND-HK","Sở Y tế; Sở Văn hóa",2,,\n'
    events, report = postal(POSTAL_HEAD + row + row)
    assert [(str(e.key), e.recipient) for e in events] == [
        ("100/QD-UBND-HK", "Sở Y tế"),
        ("100/QD-UBND-HK", "Sở Văn hóa"),
        ("101/QD-UBND-HK", "Sở Y tế"),
        ("101/QD-UBND-HK", "Sở Văn hóa"),
    ]
    assert {e.kind for e in events} == {EventKind.POSTED}
    assert events[0].time == dt.datetime(2026, 11, 9, 17, tzinfo=dt.UTC)
    assert (report.kind, report.lines, report.repeated) == (SourceKind.POSTAL, 2, 1)


@pytest.mark.parametrize("row", [",100/QĐ,Sở Y tế,1,,\n", "10/11/2026,không số,Sở Y tế,1,,\n"])
def test_letters_that_say_nothing(row: str) -> None:
    good = "10/11/2026,100/QĐ-UBND,Sở Y tế,1,,\n"
    events, report = postal(POSTAL_HEAD + row + good)
    assert (len(events), report.unparsed) == (1, 1)
    with pytest.raises(Unparsable, match=r"so.csv: none of its 1 rows has a number and a day"):
        postal(POSTAL_HEAD + row)


def test_what_is_no_such_register_is_refused_with_its_place() -> None:
    for read in (incoming, postal):
        with pytest.raises(Unparsable, match=r"^so.csv:1: no header row with the columns"):
            read("a,b\n1,2\n")


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    for read, head in ((incoming, INCOMING_HEAD), (postal, POSTAL_HEAD)):
        for raw in (data, head.encode() + data, head.encode("utf-16") + data):
            try:
                assert read(raw)[1].files == 1
            except Unparsable as e:
                assert str(e).startswith("so.csv")  # noqa: PT017


def test_a_row_that_ends_before_its_recipients_names_none() -> None:
    # Found by fuzzing: spreadsheets leave out empty cells at the end of a row.
    events, _ = postal(POSTAL_HEAD + "10/11/2026,12/QĐ-UBND-HK\n")
    assert [(str(e.key), e.recipient) for e in events] == [("12/QD-UBND-HK", "")]
