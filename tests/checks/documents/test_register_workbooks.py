"""Registers kept in a spreadsheet: real workbooks with what offices do in them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
import xlsxwriter

from checks.documents.events import DocumentEvent, EventKind
from checks.documents.sources.gateway import read_gateway
from checks.documents.sources.register import Register, read_register
from checks.evidence import Unparsable
from tests.helpers.correspondence import ZONE, entry

Fill = Callable[[Any, Any], None]


def book(*fills: Fill) -> bytes:
    """A workbook with a sheet for each filler, as an office program would save it."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as made:
        for fill in fills:
            fill(made, made.add_worksheet())
    return out.getvalue()


def read(*fills: Fill) -> Register:
    return read_register([entry("so.xlsx", book(*fills))], "so.xlsx", {}, ZONE)


def shown(found: Register) -> list[tuple[str, dt.date | None, str]]:
    return [(str(e.key), e.date, e.recipient) for e in found.events]


def head(made: Any, sheet: Any) -> int:
    """The form of Annex IV: a title, a header merged over two rows, a row of column numbers."""
    bold = made.add_format({"bold": True, "text_wrap": True})
    sheet.merge_range("A1:F1", "ỦY BAN NHÂN DÂN PHƯỜNG HOÀN KIẾM", bold)
    sheet.merge_range("A2:F2", "SỔ ĐĂNG KÝ VĂN BẢN ĐI NĂM 2026", bold)
    for column, name in ((0, "Số, ký hiệu\nvăn bản"), (1, "Ngày tháng văn bản"), (4, "Nơi nhận")):
        sheet.merge_range(3, column, 4, column, name, bold)
    sheet.merge_range("C4:D4", "Nội dung", bold)
    sheet.write_row("C5", ["Trích yếu", "Người ký"], bold)
    sheet.merge_range(3, 5, 4, 5, "Ghi chú", bold)
    sheet.write_row("A6", ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)"])
    return 6


def register(made: Any, sheet: Any) -> None:
    at = head(made, sheet)
    date = made.add_format({"num_format": "dd/mm/yyyy"})
    rows: list[tuple[Any, Any, str]] = [
        ("0123/QĐ-UBND-HK", dt.date(2026, 11, 10), "Sở Y tế;\nSở Văn hóa;\n- Lưu: VT"),
        ("'0124/QĐ-UBND-HK", 46336, "Sở Y tế"),
        ("125a/UBND-HK", "11/11/2026", "Sở Y tế"),
    ]
    for n, (number, day, to) in enumerate(rows, at):
        sheet.write_string(n, 0, number)
        if isinstance(day, dt.date):
            sheet.write_datetime(n, 1, dt.datetime(day.year, day.month, day.day), date)  # noqa: DTZ001
        else:
            sheet.write(n, 1, day)
        sheet.write_row(n, 2, ["Trích yếu", "Người ký", to])
    last = at + len(rows)
    sheet.write_formula(last, 0, '=CONCATENATE("126","/QĐ-UBND-HK")', None, "126/QĐ-UBND-HK")
    sheet.write_formula(last, 1, "=B7+2", date, 46338)
    sheet.write(last, 4, "Sở Y tế")


def test_the_form_of_the_decree_with_what_offices_do_in_it() -> None:
    found = read(register)
    assert shown(found) == [
        ("123/2026/QD-UBND-HK", dt.date(2026, 11, 10), "Sở Y tế"),
        ("123/2026/QD-UBND-HK", dt.date(2026, 11, 10), "Sở Văn hóa"),
        ("124/2026/QD-UBND-HK", dt.date(2026, 11, 10), "Sở Y tế"),
        ("125a/2026/UBND-HK", dt.date(2026, 11, 11), "Sở Y tế"),
        ("126/2026/QD-UBND-HK", dt.date(2026, 11, 12), "Sở Y tế"),
    ]
    assert [e.place.line for e in found.events] == [7, 7, 8, 9, 10]
    assert (found.report.lines, found.report.unparsed) == (4, 0)


def test_a_sheet_for_each_month_and_notes_beside_them() -> None:
    def month(number: int) -> Fill:
        def fill(_: Any, sheet: Any) -> None:
            sheet.write_row("A1", ["Số ký hiệu", "Ngày", "Nơi nhận"])
            sheet.write_row("A2", [f"{number}/QĐ-UBND", f"05/{number:02}/2026", "Sở Y tế"])

        return fill

    def notes(_: Any, sheet: Any) -> None:
        sheet.write("A1", "Ghi chú của văn thư")

    assert [k for k, *_ in shown(read(month(9), notes, month(10)))] == [
        "09/2026/QD-UBND",
        "10/2026/QD-UBND",
    ]
    with pytest.raises(Unparsable, match=r"^so.xlsx: no sheet has a header row"):
        read(notes)


def test_numbers_as_figures_with_the_sign_in_a_column_of_its_own() -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row("A1", ["Số", "Ký hiệu", "Ngày", "Nơi nhận"])
        sheet.write_row("A2", [7, "QĐ-UBND", 46336, "Sở Y tế"])

    assert shown(read(fill)) == [("07/2026/QD-UBND", dt.date(2026, 11, 10), "Sở Y tế")]


def test_a_formula_that_was_never_reckoned_is_counted_and_not_guessed() -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row("A1", ["Số ký hiệu", "Ngày", "Nơi nhận"])
        sheet.write_row("A2", ["7/QĐ-UBND", 46336, "Sở Y tế"])
        sheet.write_formula("A3", '="8/QĐ-UBND"', None, "")
        sheet.write_formula("B3", "=1/0", None, "#DIV/0!")
        sheet.write("C3", "Sở Y tế")

    found = read(fill)
    assert (found.report.lines, found.report.unparsed, len(found.events)) == (2, 1, 1)


def test_the_gateways_list_as_a_workbook_with_times() -> None:
    def fill(made: Any, sheet: Any) -> None:
        time = made.add_format({"num_format": "dd/mm/yyyy hh:mm"})
        sheet.write_row("A1", ["ToCode", "Notation", "SentTime", "ReceivedTime", "ReceiveStatus"])
        sheet.write_row("A2", ["H26.5", "'07/QĐ-UBND"])
        moment = dt.datetime(2026, 11, 10, 8, 30)  # noqa: DTZ001
        sheet.write_datetime("C2", moment, time)
        sheet.write_datetime("D2", moment, time)
        sheet.write("E2", 3)

    found = read_gateway([entry("truc.xlsx", book(fill))], "truc.xlsx", {}, ZONE)
    (event,) = found.events
    assert isinstance(event, DocumentEvent)
    assert (str(event.key), event.kind) == ("07/QD-UBND", EventKind.RECEIVED)
    assert event.time == dt.datetime(2026, 11, 10, 1, 30, tzinfo=dt.UTC)
