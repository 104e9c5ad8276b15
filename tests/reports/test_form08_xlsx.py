"""The workbook of Form 08, read back by another program: values only, every figure traced."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import msgspec
import pytest
from python_calamine import CalamineWorkbook

from checks.security.level_record import Plan
from reports.form08.model import Form08
from reports.form08.rules import form as said
from reports.form08.rules import listed, table
from reports.form08.to_xlsx import write_xlsx
from tests.helpers.forms import BEFORE_USE, PERIODIC, day, form, record, scan, system, unseen, ward

NAMES = ["Mẫu 08", "Nguồn số liệu", "Thông tin chung", "Còn thiếu"]


def read(found: Form08, name: str) -> list[list[Any]]:
    book = CalamineWorkbook.from_filelike(io.BytesIO(write_xlsx(found)))
    return book.get_sheet_by_name(name).to_python(skip_empty_area=False)


def varied() -> Form08:
    """Systems of every state, plan and inspection."""
    none: dict[str, Any] = {"proposal": None, "appraisal": None, "approval": None}
    records = {
        "a": record("a", inspections=(PERIODIC, BEFORE_USE)),
        "b": record(
            "b", approval=None, approval_expected=day("2027-02-01"), inspections=(BEFORE_USE,)
        ),
        "c": record("c", **none | {"proposal": record().proposal}, plan=Plan(status="not_started")),
        "d": record("d", **none, inspections=()),
        "e": None,
    }
    systems = [*(system(c) for c in records), system("f")]
    return form(scan(records, systems))


def test_the_sheets_are_the_form_its_sources_its_counts_and_what_is_missing() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(write_xlsx(form())))
    assert book.sheet_names == NAMES


def test_the_table_holds_the_12_columns_as_typed_values() -> None:
    rows = read(varied(), NAMES[0])
    assert rows[2] == listed("columns")
    assert rows[3] == [f"({n})" for n in range(1, 13)]
    a, b, c, d, e, f = rows[4:]
    assert a[:6] == [
        1.0, "Hệ thống a", "UBND Thành phố Hà Nội", "Phường Hoàn Kiếm", 2.0, "Đã được phê duyệt",
    ]  # fmt: skip
    assert a[6] == "88/QĐ-CAHN ngày 01/3/2026 của Công an Thành phố Hà Nội"
    assert (a[8], a[10]) == ("", dt.date(2027, 6, 30))
    assert (b[5], b[8]) == ("Đã thẩm định", dt.date(2027, 2, 1))
    assert [r[5] for r in (c, d, e, f)] == ["Đã gửi thẩm định", "Đang dự thảo", "", ""]
    assert e[4:] == f[4:] == [""] * 8


def test_columns_6_10_and_12_hold_the_forms_values_and_no_other() -> None:
    rows = read(varied(), NAMES[0])[4:]
    both = said("both").join(table("inspections").values())
    allowed = {
        5: {*table("states").values(), ""},
        9: {*table("plans").values(), ""},
        11: {*table("inspections").values(), both, ""},
    }
    for column, values in allowed.items():
        found = {r[column] for r in rows}
        assert found <= values
        assert len(found) > 2
    assert table("states") == {
        "draft": "Đang dự thảo",
        "submitted": "Đã gửi thẩm định",
        "appraised": "Đã thẩm định",
        "approved": "Đã được phê duyệt",
    }
    assert list(table("plans").values()) == [
        "Chưa triển khai", "Đã triển khai một số hạng mục", "Đã triển khai đầy đủ",
    ]  # fmt: skip
    assert list(table("inspections").values()) == ["Trước khi đưa vào sử dụng", "Định kỳ"]


def test_one_row_stands_for_each_result_that_a_figure_counts() -> None:
    found = varied()
    head, *rows = read(found, NAMES[1])[2:]
    at = {name: n for n, name in enumerate(head)}
    by_name = {v: k for k, v in table("figures").items()}
    for figure in found.figures:
        mine = [r for r in rows if by_name[r[at["Chỉ tiêu"]]] == figure.key]
        counted = [r for r in mine if r[at["Được tính"]] == "Có"]
        unclear = [r for r in mine if r[at["Được tính"]] == "Chưa đủ căn cứ"]
        assert (len(counted), len(unclear)) == (figure.value, len(figure.unclear))
        assert len(mine) == len(counted) + len(unclear)
        assert [r[at["Mã hệ thống"]] for r in counted] == [s.system for s in figure.counted]
        assert [r[at["Mã kết quả"]] for r in counted] == [s.fingerprint for s in figure.counted]
    full = [r for r in rows if r[at["Phép kiểm tra"]].startswith("security.")]
    assert len(full) == len(rows) - 6  # the system that the scan left out, once in each figure
    assert {r[at["Lượt quét"]] for r in full} == {found.scan}
    assert {len(r[at["SHA-256 của bằng chứng"]]) for r in full} == {64}
    assert full[0][at["Thu thập lúc"]].isoformat() == "2026-12-14T12:00:00"


def test_the_counts_are_numbers() -> None:
    found = varied()
    rows = read(found, NAMES[2])
    assert [r[1:3] for r in rows[3:9]] == [[f.value, len(f.unclear)] for f in found.figures]
    assert rows[9][:2] == [said("finish"), ""]
    flat = [r[1] for r in rows]
    assert "Nguyễn Văn Mẫu, Chủ tịch UBND Thành phố" in flat
    assert "024.3000.0002; ca@example.vn" in flat


def test_what_is_missing_stands_in_its_own_sheet() -> None:
    found = varied()
    rows = read(found, NAMES[3])
    assert [r[1:] for r in rows[3:]] == [[x.who, x.what, x.where, x.system] for x in found.lacking]
    assert read(form(), NAMES[3])[3][2] == "Không còn thông tin nào thiếu."


def test_what_nobody_can_tell_is_blank() -> None:
    rows = read(form(unseen(scan(), "security.level-recorded")), NAMES[0])
    assert rows[4][4:] == [""] * 8


EVIL = [
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-2",
    "@SUM(A1)",
    "\t=1",
    "\x00=1+1\x1b[0m\u202e",
    "http://x.vn/",
]


@pytest.mark.parametrize("name", EVIL)
def test_a_name_never_becomes_a_formula_a_link_or_a_number(name: str) -> None:
    found = form(scan(systems=[system(name=name)], units=[ward(name=name)]))
    data = write_xlsx(found)
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        for part in book.namelist():
            text = book.read(part).decode("utf-8", "replace")
            assert "<f>" not in text
            assert "<hyperlink" not in text
            assert "externalLink" not in part
        quoted = 'quotePrefix="1"' in book.read("xl/styles.xml").decode()
        assert quoted is not name.startswith("http")
    shown = read(found, NAMES[0])[4][1]
    assert shown == found.rows[0].name
    assert isinstance(shown, str)


def test_a_very_long_name_is_cut_and_the_rest_stays() -> None:
    found = form(scan(systems=[system(name="Đ" * 40000)]))
    row = read(found, NAMES[0])[4]
    assert len(row[1]) <= 2000
    assert row[5] == "Đã được phê duyệt"


def test_the_same_form_gives_the_same_bytes_and_no_machine_in_them() -> None:
    found = form()
    data = write_xlsx(found)
    assert data == write_xlsx(msgspec.structs.replace(found))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        core = book.read("docProps/core.xml").decode()
    assert "2026-12-14T05:00:00Z" in core
    assert "<dc:creator></dc:creator>" in core


def test_simulated_data_are_marked_on_every_sheet() -> None:
    for name in NAMES:
        assert "MÔ PHỎNG" in read(form(scan(simulated=True)), name)[0][0]
        assert "MÔ PHỎNG" not in read(form(), name)[0][0]
