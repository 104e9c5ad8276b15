"""Spreadsheets: the registers that offices really keep, and files made to hurt the reader."""

from __future__ import annotations

import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks import workbooks
from checks.evidence import Unparsable
from checks.files import FileEntry
from checks.tables import read_table
from checks.workbooks import is_workbook, sheets
from tests.helpers.backup_series import NOW
from tests.helpers.workbooks import number, sheet, text, workbook

ALIASES = {"date": ("NGAY",), "type": ("LOAI",), "result": ("KETQUA",)}
NEEDED = ({"date", "type"},)


def entry(data: bytes, name: str = "r.xlsx") -> FileEntry:
    return FileEntry(name=name, mtime=NOW, data=data)


HEAD = text("A1", "Ngày") + text("B1", "Loại") + text("C1", "Kết quả")


def table(data: bytes) -> list[dict[str, str]]:
    return [r.cells for r in read_table(entry(data), ALIASES, {}, NEEDED)]


def test_a_register_kept_in_a_spreadsheet() -> None:
    data = workbook(
        sheet(
            HEAD,
            number("A2", 46346, 1) + text("B2", "Sao lưu") + text("C2", "Đạt"),
            number("A3", 46347.71875, 2) + text("B3", "Khôi phục thử") + text("C3", "Đạt"),
        )
    )
    assert is_workbook(entry(data))
    assert table(data) == [
        {"date": "2026-11-20", "type": "Sao lưu", "result": "Đạt"},
        {"date": "2026-11-21 17:15:00", "type": "Khôi phục thử", "result": "Đạt"},
    ]
    assert [r.line for r in read_table(entry(data), ALIASES, {}, NEEDED)] == [2, 3]


def test_every_sheet_with_the_header_counts_and_hidden_ones_do_not() -> None:
    row = text("A2", "20/11/2026") + text("B2", "Sao lưu")
    data = workbook(sheet(text("A1", "Ghi chú")), sheet(HEAD, row), sheet(HEAD, row), hidden=(3,))
    assert len(table(data)) == 1
    with pytest.raises(Unparsable, match="no sheet has a header row with the columns date, type"):
        table(workbook(sheet(text("A1", "Ghi chú"))))


def test_whole_numbers_stay_whole_and_a_title_may_stand_above() -> None:
    data = workbook(
        sheet(
            text("A1", "SỔ THEO DÕI SAO LƯU"),
            text("A2", "Ngày") + text("B2", "Loại") + text("C2", "Kết quả"),
            text("A3", "20/11/2026") + number("B3", 12) + number("C3", 1.5),
        )
    )
    assert table(data) == [{"date": "20/11/2026", "type": "12", "result": "1.5"}]


# --------------------------------------------------------------------------------- hostile files


def test_a_sheet_that_spans_everything_is_not_laid_out() -> None:
    data = workbook(sheet(HEAD, '<c r="XFD1048576"><v>1</v></c>'))
    with pytest.raises(Unparsable, match="1048576 rows and 16384 columns"):
        table(data)


@pytest.mark.parametrize("place", ["r='XFD1048576'", 'r = "XFD1048576"', 'r="xfd1048576"'])
def test_however_the_place_is_written(place: str) -> None:
    with pytest.raises(Unparsable, match="columns"):
        table(workbook(sheet(HEAD, f"<c {place}><v>1</v></c>")))


def test_a_place_across_two_chunks_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    data = workbook(sheet(HEAD, '<c r="XFD1048576"><v>1</v></c>'))
    for size in (61, 64, 67, 70):
        monkeypatch.setattr(workbooks, "_CHUNK", size)
        with pytest.raises(Unparsable, match="16384 columns"):
            table(data)


def test_a_bomb_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1_000_000)
    data = workbook(sheet(HEAD, text("A2", "x" * 2_000_000)))
    assert len(data) < 20_000
    with pytest.raises(Unparsable, match="unpacks to more than"):
        table(data)


def test_other_files_that_look_like_workbooks() -> None:
    with pytest.raises(Unparsable, match=r"\.xlsx or CSV"):
        list(sheets(entry(b"\xd0\xcf\x11\xe0" + bytes(600))))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as book:
        book.writestr("content.xml", "<x/>")
    with pytest.raises(Unparsable, match=r"no \.xlsx workbook"):
        list(sheets(entry(out.getvalue())))
    with pytest.raises(Unparsable, match="damaged"):
        list(sheets(entry(b"PK\x03\x04" + bytes(100))))
    assert not is_workbook(entry("Ngày,Loại\n".encode()))


@settings(max_examples=80, deadline=None)
@given(st.integers(0, 2000), st.binary(min_size=1, max_size=20))
def test_no_damage_breaks_it(where: int, junk: bytes) -> None:
    # Stored, not packed: so the damage reaches the XML and not only a checksum.
    whole = workbook(sheet(HEAD, text("A2", "20/11/2026") + text("B2", "Sao lưu")), packed=0)
    at = where % len(whole)
    data = whole[:at] + junk + whole[at + len(junk) :]
    try:
        found = table(data)
    except Unparsable:
        return
    assert all(isinstance(cell, str) for row in found for cell in row.values())
