"""The letter of Form 08: in the form of Decree 30/2020, complete, the same bytes each time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from docx import Document
from docx.enum.section import WD_ORIENT
from docx.oxml.ns import qn

from inventory.model import Letter, Person
from reports.form08.model import Form08
from reports.form08.rules import listed, table
from reports.form08.to_docx import INLINE_ROWS, write_docx
from tests.helpers.forms import APPROVAL, form, record, scan, system, unseen, ward


def opened(found: Form08) -> Any:
    return Document(io.BytesIO(write_docx(found)))


def lines(node: Any) -> list[str]:
    """The text of every paragraph below a node, in the order of the page."""
    told = []
    for p in node.iter(qn("w:p")):
        parts = (
            "\n" if t.tag == qn("w:br") else t.text or "" for t in p.iter(qn("w:t"), qn("w:br"))
        )
        told.append("".join(parts))
    return told


def tables(document: Any) -> Iterator[list[list[str]]]:
    """The cells of every table with borders."""
    for found in document.element.body.iter(qn("w:tbl")):
        if found.find(qn("w:tblPr")).find(qn("w:tblBorders")) is not None:
            rows = found.findall(qn("w:tr"))
            yield [["\n".join(lines(c)) for c in r.findall(qn("w:tc"))] for r in rows]


def many(n: int) -> Form08:
    codes = [f"hk-{k:03d}" for k in range(n)]
    return form(scan({c: record(c) for c in codes}))


# --------------------------------------------------------------------------------------- the pages


def test_the_pages_are_a4_with_the_margins_of_the_decree() -> None:
    for section in opened(form()).sections:
        size = {round(section.page_width.mm), round(section.page_height.mm)}
        assert size == {210, 297}
        margins = (section.top_margin, section.bottom_margin, section.left_margin)
        assert [round(m.mm) for m in margins] == [20, 20, 30]
        assert round(section.right_margin.mm) == 15
    first, *others = opened(form()).sections
    assert first.orientation is WD_ORIENT.PORTRAIT
    assert all(s.orientation is WD_ORIENT.LANDSCAPE for s in others)


def test_the_page_number_is_centred_at_the_top_from_the_second_page_on() -> None:
    first, *others = opened(form()).sections
    assert first.different_first_page_header_footer
    assert lines(first.first_page_header._element) in ([], [""])
    header = first.header._element
    assert [c.text for c in header.iter(qn("w:instrText"))] == ["PAGE"]
    assert [j.get(qn("w:val")) for j in header.iter(qn("w:jc"))] == ["center"]
    for section in others:
        assert section.header.is_linked_to_previous
        assert not section.different_first_page_header_footer


def test_every_letter_is_times_new_roman_and_no_theme_wins_over_it() -> None:
    with zipfile.ZipFile(io.BytesIO(write_docx(form()))) as book:
        for name in ("word/styles.xml", "word/document.xml"):
            text = book.read(name).decode()
            assert "Times New Roman" in text
            assert "Theme=" not in text
    document = opened(form())
    for run in document.element.body.iter(qn("w:r")):
        fonts = run.find(qn("w:rPr")).find(qn("w:rFonts"))
        assert {fonts.get(qn(f"w:{k}")) for k in ("ascii", "hAnsi", "cs", "eastAsia")} == {
            "Times New Roman"
        }
    sizes = {int(s.get(qn("w:val"))) / 2 for s in document.element.body.iter(qn("w:sz"))}
    assert sizes <= {3, 6, 10, 11, 12, 13, 2}
    assert 13 in sizes


# -------------------------------------------------------------------------------------- the letter


def test_the_letter_begins_and_ends_as_the_decree_wants() -> None:
    told = lines(opened(form(unit="00070")).element.body)
    assert told[:9] == [
        "ỦY BAN NHÂN DÂN\nPHƯỜNG HOÀN KIẾM",
        "",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "",
        "Số: ……/UBND-HK",
        "V/v kết quả công tác bảo đảm an ninh mạng hệ thống thông tin",
        "Hoàn Kiếm, ngày …… tháng …… năm 2026",
        "Kính gửi: Ủy ban nhân dân thành phố Hà Nội",
    ]
    assert told[9] == (
        "Thực hiện quy định tại Điều 35, Điều 36 Nghị định số 331/2026/NĐ-CP, Ủy ban nhân dân "
        "phường Hoàn Kiếm báo cáo kết quả công tác bảo đảm an ninh mạng hệ thống thông tin (kỳ số "
        "liệu từ ngày 15 tháng 12 năm 2025 đến ngày 14 tháng 12 năm 2026) như sau:"
    )
    end = next(n for n, line in enumerate(told) if line.endswith("./."))
    assert told[end + 1 : end + 4] == ["Nơi nhận:", "- Như trên;", "- Lưu: VT."]
    assert [t for t in told[end + 4 : end + 11] if t] == [
        "TM. ỦY BAN NHÂN DÂN",
        "CHỦ TỊCH",
        "Lê Thị Mẫu",
    ]
    assert sum(line.endswith("./.") for line in told) == 1


def test_the_six_counts_and_the_day_stand_in_the_letter() -> None:
    told = lines(opened(form()).element.body)
    for name in table("figures").values():
        assert f"- {name}: 01;" in told
    assert told[told.index("1. Thông tin chung") + 7].endswith("phạm vi quản lý: đã hoàn thành.")


def test_what_nobody_can_tell_is_said_beside_the_count() -> None:
    dark = unseen(scan({"hk-a": record()}), "security.level-recorded")
    told = lines(opened(form(dark)).element.body)
    name = table("figures")["approved"]
    assert f"- {name}: ……… (chưa tính 1 hệ thống chưa đủ căn cứ);" in told
    mixed = scan({"hk-a": record()}, [system("hk-a"), system("hk-b")])
    told = lines(opened(form(mixed)).element.body)
    assert f"- {name}: 01 (chưa tính 1 hệ thống chưa đủ căn cứ);" in told


def test_section_2_says_what_is_declared_and_leaves_the_rest_blank() -> None:
    told = lines(opened(form()).element.body)
    assert "(3) Người đại diện, chức vụ: Nguyễn Văn Mẫu, Chủ tịch UBND Thành phố;" in told
    assert "(2) Quy định chức năng, nhiệm vụ và quyền hạn: 88/QĐ-BCA;" in told
    assert "(5) Thông tin liên hệ: số điện thoại 024.3000.0002; thư điện tử ca@example.vn." in told
    nobody = form(scan(systems=[system(security_unit="")]))
    told = lines(opened(nobody).element.body)
    assert "(1) Tên đơn vị chuyên trách về an ninh mạng: ………;" in told


def test_several_addressees_and_recipients_stand_in_lists() -> None:
    own = Letter(to=("Sở A", "Sở B"), copies=("Đảng ủy",), sign="X")
    told = lines(opened(form(scan(units=[ward(letter=own)]), unit="00070")).element.body)
    at = told.index("Kính gửi:")
    assert told[at + 1 : at + 3] == ["- Sở A;", "- Sở B."]
    assert "- Đảng ủy;" in told
    assert "………, ngày …… tháng …… năm 2026" in told


def test_nothing_known_of_the_sender_is_blank_and_no_crash() -> None:
    bare = ward(letter=Letter(), accountable=Person())
    told = lines(opened(form(scan(units=[bare]), unit="00070")).element.body)
    assert "Số: ……/………" in told
    assert told.count("………") == 2  # title and name of who signs


# --------------------------------------------------------------------------------------- the table


def test_the_table_has_the_12_columns_and_their_numbers() -> None:
    heads, numbers, row = next(tables(opened(form())))
    assert heads == listed("columns")
    assert numbers == [f"({n})" for n in range(1, 13)]
    assert row == [
        "1",
        "Hệ thống hk-a",
        "UBND Thành phố Hà Nội",
        "Phường Hoàn Kiếm",
        "2",
        "Đã được phê duyệt",
        "88/QĐ-CAHN ngày 01/3/2026 của Công an Thành phố Hà Nội",
        "5/QĐ-UBND ngày 10/01/2026 của Phường Hoàn Kiếm",
        "",
        "Đã triển khai một số hạng mục",
        "30/6/2027",
        "Định kỳ",
    ]


def test_tables_repeat_their_heads_and_hold_their_widths() -> None:
    for found in opened(many(40)).element.body.iter(qn("w:tbl")):
        look = found.find(qn("w:tblPr"))
        assert look.find(qn("w:tblLayout")).get(qn("w:type")) == "fixed"
        columns = [int(c.get(qn("w:w"))) for c in found.find(qn("w:tblGrid"))]
        assert abs(sum(columns) - int(look.find(qn("w:tblW")).get(qn("w:w")))) <= len(columns)
        assert sum(columns) <= round(252 * 1440 / 25.4) + len(columns)
        for row in found.findall(qn("w:tr")):
            assert row.find(qn("w:trPr")).find(qn("w:cantSplit")) is not None
            cells = [
                int(c.find(qn("w:tcPr")).find(qn("w:tcW")).get(qn("w:w")))
                for c in row.findall(qn("w:tc"))
            ]
            assert cells == columns
        if look.find(qn("w:tblBorders")) is not None:
            assert found.find(qn("w:tr")).find(qn("w:trPr")).find(qn("w:tblHeader")) is not None


@pytest.mark.parametrize(("n", "annexed"), [(INLINE_ROWS, False), (INLINE_ROWS + 1, True)])
def test_a_long_table_is_an_annex_behind_the_signature(n: int, *, annexed: bool) -> None:
    told = lines(opened(many(n)).element.body)
    assert (f"Chi tiết {n} hệ thống thông tin tại Phụ lục kèm theo." in told) is annexed
    assert ("PHỤ LỤC" in told) is annexed
    assert (told.index("Nơi nhận:") < told.index("(12)")) is annexed


# -------------------------------------------------------------------------- behind the letter


def test_each_figure_is_traced_to_rows_and_each_row_to_results() -> None:
    records = {
        f"hk-{k}": record(f"hk-{k}", approval=APPROVAL if k != 2 else None) for k in range(5)
    }
    found = form(scan({**records, "x": None}, [*(system(c) for c in records), system("x")]))
    _, figures, sources, _ = tables(opened(found))
    by_name = {line[0]: line[1:] for line in figures[1:]}
    approved = by_name[table("figures")["approved"]]
    assert approved == ["4", "security.level-approved", "1–2, 4–5", ""]
    assert by_name[table("figures")["total"]][:3] == ["6", "security.level-recorded", "1–6"]
    for row, line in zip(found.rows, sources[1:], strict=True):
        assert line[2] == row.system
        assert line[3].split("\n") == [
            f"{s.check} ({s.status}): {s.fingerprint}" for s in row.sources
        ]
    told = " ".join(lines(opened(found).element.body))
    assert found.digest in told
    assert found.scan in told


def test_what_is_missing_stands_on_the_last_page() -> None:
    found = form(scan({"hk-a": record(plan=None)}))
    last = list(tables(opened(found)))[-1]
    assert [line[1:] for line in last[1:]] == [[x.who, x.what, x.where] for x in found.lacking]
    told = lines(opened(form()).element.body)
    assert "Không còn thông tin nào thiếu." in told
    assert "(Lưu nội bộ, gỡ khỏi văn bản trước khi ban hành)" in told


def test_simulated_data_are_marked_before_anything_is_read() -> None:
    told = lines(opened(form(scan(simulated=True))).element.body)
    assert told.index("[DỮ LIỆU MÔ PHỎNG, KHÔNG CÓ GIÁ TRỊ BÁO CÁO]") < told.index(
        "Kính gửi: Bộ Công an"
    )
    assert not any("MÔ PHỎNG" in t for t in lines(opened(form()).element.body))


# ------------------------------------------------------------------------------------ the file


def test_the_same_form_gives_the_same_bytes_and_no_machine_in_them() -> None:
    found = form()
    data = write_docx(found)
    assert data == write_docx(msgspec.structs.replace(found))
    with zipfile.ZipFile(io.BytesIO(data)) as book:
        assert {i.date_time for i in book.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert not [n for n in book.namelist() if "thumbnail" in n]
        assert "Macintosh" not in book.read("docProps/app.xml").decode()
    properties = Document(io.BytesIO(data)).core_properties
    assert properties.created == properties.modified == found.scanned
    assert (properties.author, properties.last_modified_by) == ("", "")
    assert properties.language == "vi-VN"


def test_hostile_text_is_text_and_the_file_still_opens() -> None:
    evil = "=cmd|'/C calc'!A0 <w:p/> & \x00\x0b\u202e]]> {{7*7}} \ud800"
    found = form(scan(systems=[system(name=evil)], units=[ward(name=f"Phường {evil}")]))
    row = list(next(tables(opened(found))))[2]
    assert row[1] == "=cmd|'/C calc'!A0 <w:p/> & ]]> {{7*7}} "


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_form_is_vietnamese_in_every_language(language: str) -> None:
    told = lines(opened(form(language=language)).element.body)
    assert "1. Thông tin chung" in told
    assert ("CHECK BEFORE SIGNING" in told) is (language == "en")
