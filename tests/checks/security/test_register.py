"""A register of levels: headers as offices write them, rows joined to systems, nothing guessed."""

from __future__ import annotations

import csv
import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FILES, Answers, Evidence, FailureKind, Need, NotDeclared, Unparsable
from checks.files import FileEntry, pack
from checks.model import Context, Scope, Severity, Status, Subject
from checks.security.level import level_approved, level_recorded
from checks.security.level_record import Criteria, Decision, Inspection, LevelRecord, Plan
from checks.security.record import (
    RECORD,
    RECORD_FILE,
    RECORD_IF_DECLARED,
    REGISTERED,
)
from checks.security.register import REGISTER, differences, record_of, register_rows, row_of
from checks.security.register_cells import ALIASES, read_cells, unit_id
from checks.texts import label, render
from inventory.model import FileSource, Inventory, System
from tests.helpers.levels import GOOD, SYSTEM, UNITS, ZONE, but, day, faults, judge, name
from tests.helpers.workbooks import sheet, text, workbook

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
UNIT = msgspec.structs.replace(UNITS["hk"], levels=FileSource(path="registers/levels.csv"))
OTHER = msgspec.structs.replace(SYSTEM, id="lan", name="Mạng nội bộ")
INVENTORY = Inventory(units=UNITS | {"hk": UNIT}, systems={"sys": SYSTEM, "lan": OTHER})

FORM = """\
PHỤ LỤC,,,,,,,,
STT,Mã HTTT,Tên hệ thống,Chủ quản,Đơn vị vận hành,Cấp độ đề xuất,Tình trạng phê duyệt,\
Quyết định phê duyệt,Cơ quan phê duyệt,Quy chế,Thẩm định,Đơn vị thẩm định,Tờ trình
(1),(2),(3),(4),(5),(6),(7),(8),(9),(10),(11),(12),(13)
1,sys,Một cửa,UBND Thành phố Hà Nội,Phường Hoàn Kiếm,2,Đã được phê duyệt,\
88/QĐ-CAHN ngày 01/9/2026,Công an thành phố,05/QĐ-UBND ngày 10/7/2026,31/BC-CAHN ngày 20/8/2026,\
Công an Thành phố,12/TTr-UBND ngày 01/8/2026
2,,Mạng nội bộ,,,Cấp 2,Đang dự thảo,,,,,,
Tổng cộng,,,,,,,,,,,,
"""


def packed(data: bytes | str, file: str = "registers/levels.csv") -> bytes:
    raw = data.encode() if isinstance(data, str) else data
    return pack([FileEntry(name=file, mtime=NOW, data=raw)])


def record(data: bytes | str, system: System = SYSTEM) -> LevelRecord | None:
    rows = register_rows(packed(data), {})
    row = row_of(system, INVENTORY, rows)
    return record_of(row, system, INVENTORY) if row else None


def test_a_register_as_an_office_writes_it() -> None:
    found = record(FORM)
    assert found == LevelRecord(
        system="sys",
        level=2,
        owner="ha-noi",
        operator="hk",
        proposal=Decision(document="12/TTr-UBND", date=day("2026-08-01"), level=2),
        appraisal=Decision(document="31/BC-CAHN", date=day("2026-08-20"), by="ca"),
        approval=Decision(document="88/QĐ-CAHN", date=day("2026-09-01"), by="ca"),
        regulation=Decision(document="05/QĐ-UBND", date=day("2026-07-10")),
    )
    # And it is judged as any record is.
    assert judge(level_approved, found).status is Status.PASS


def test_a_row_is_joined_by_name_where_it_has_no_id() -> None:
    found = record(FORM, OTHER)
    assert found == LevelRecord(system="lan", level=2)
    absent = msgspec.structs.replace(SYSTEM, id="x", name="Khác")
    assert record(FORM, absent) is None


def test_a_workbook_reads_the_same() -> None:
    grid = list(csv.reader(FORM.splitlines()))
    rows = [
        "".join(text(f"{'ABCDEFGHIJKLM'[c]}{r}", said) for c, said in enumerate(row) if said)
        for r, row in enumerate(grid, 1)
    ]
    book = workbook(sheet(*rows), sheet(text("A1", "ghi chú")))
    assert record(book) == record(FORM)


def test_rows_that_add_up_are_no_systems_and_systems_that_sound_so_are() -> None:
    said = "Tên hệ thống,Cấp độ\nTổng cộng,5\nCộng,3\nCổng thông tin,1\nTổng đài 1022,2\n"
    assert [r.name for r in register_rows(packed(said), {})] == ["Cổng thông tin", "Tổng đài 1022"]


def test_own_headers_by_the_inventory() -> None:
    said = "Ký hiệu riêng;Mức\nsys;3\n"
    with pytest.raises(Unparsable, match="no header row"):
        register_rows(packed(said), {})
    (row,) = register_rows(packed(said), {"system": "Ký hiệu riêng", "level": "Mức"})
    assert record_of(row, SYSTEM, INVENTORY).level == 3
    with pytest.raises(Unparsable, match="no column is called"):
        register_rows(packed(said), {"systm": "Ký hiệu riêng"})


def test_two_rows_about_one_system_are_no_answer() -> None:
    said = "Mã HTTT,Cấp độ\nsys,2\nSYS,3\n"
    with pytest.raises(Unparsable, match=r"2 rows are about sys: registers/levels\.csv:2, "):
        record(said)


def test_a_name_of_two_systems_is_no_answer() -> None:
    twin = msgspec.structs.replace(OTHER, id="lan2")
    inventory = msgspec.structs.replace(INVENTORY, systems={"lan": OTHER, "lan2": twin})
    rows = register_rows(packed("Hệ thống,Cấp độ\nmang noi bo,2\n"), {})
    with pytest.raises(Unparsable, match="fits several systems"):
        row_of(OTHER, inventory, rows)
    # The same name in another unit does not matter, nor does a row that gives the id.
    elsewhere = msgspec.structs.replace(twin, unit="ca")
    apart = msgspec.structs.replace(INVENTORY, systems={"lan": OTHER, "lan2": elsewhere})
    assert row_of(OTHER, apart, rows) is not None
    by_id = register_rows(packed("Mã,Hệ thống,Cấp độ\nlan2,mang noi bo,2\n"), {})
    assert row_of(OTHER, inventory, by_id) is None
    assert row_of(twin, inventory, by_id) is not None


def test_no_header_is_taken_for_two_columns() -> None:
    names = [n for aliases in ALIASES.values() for n in aliases]
    assert len(names) == len(set(names))
    assert all(n.isascii() and n.isupper() and n.isalpha() for n in names)


# ------------------------------------------------------------------------------------------- cells


def cells(**said: str) -> LevelRecord:
    return read_cells(said, "sys", INVENTORY)


@pytest.mark.parametrize(
    ("cell", "level"),
    [
        ("2", 2),
        ("Cấp độ 3", 3),
        ("cấp 5", 5),
        ("", None),
        ("0", None),
        ("6", None),
        ("23", None),
        ("2 hoặc 3", None),
        ("II", None),
        ("chưa xác định", None),
    ],
)
def test_a_level_is_read_or_not_at_all(cell: str, level: int | None) -> None:
    assert cells(level=cell).level == level


def test_the_approved_level_wins_over_the_proposed_one() -> None:
    found = cells(level="2", proposed_level="3", proposal="12/TTr-UBND")
    assert (found.level, found.proposed_level) == (2, 3)
    assert cells(level="", proposed_level="3").level == 3


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ({"approval": "88/QĐ-CAHN"}, Decision(document="88/QĐ-CAHN")),
        (
            {"approval": "Số 88/QĐ-CAHN, ngày 1/9/2026"},
            Decision(document="88/QĐ-CAHN", date=day("2026-09-01")),
        ),
        (
            {"approval": "12/2026/QĐ-UBND ngày 01 tháng 9 năm 2026"},
            Decision(document="12/2026/QĐ-UBND", date=day("2026-09-01")),
        ),
        (
            {"approval": "88/QĐ-CAHN", "approval_date": "2026-09-01", "approval_by": "Bộ Công an"},
            Decision(document="88/QĐ-CAHN", date=day("2026-09-01"), by="bo-cong-an"),
        ),
        ({"approval": "01/9/2026"}, Decision(date=day("2026-09-01"))),
        ({"approval": "đang chờ ký"}, Decision(document="đang chờ ký")),
        # What is not understood stays whole, so that the checks can show it.
        ({"approval": "88/QĐ - CAHN"}, Decision(document="88/QĐ - CAHN")),
        ({"approval": ""}, None),
        ({"approval_by": "ca"}, Decision(by="ca")),
    ],
)
def test_a_paper_is_read_from_its_cells(said: dict[str, str], wanted: Decision | None) -> None:
    assert cells(**said).approval == wanted


@pytest.mark.parametrize(
    ("state", "papers"),
    [
        ("Đang dự thảo", []),
        ("Đã gửi thẩm định", ["proposal"]),
        ("Đã thẩm định", ["appraisal"]),
        ("Đã được phê duyệt", ["approval"]),
        ("appraised", ["appraisal"]),
        ("submitted", ["proposal"]),
        ("Chưa phê duyệt", []),
        ("", []),
        ("?", []),
    ],
)
def test_a_state_without_its_paper_leaves_an_empty_paper(state: str, papers: list[str]) -> None:
    found = cells(level="2", state=state)
    names = ("proposal", "appraisal", "approval")
    assert [n for n in names if getattr(found, n) is not None] == papers
    if papers == ["approval"]:
        assert "approval-no-number" in faults(judge(level_approved, found))


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ("Chưa triển khai", "not_started"),
        ("Đã triển khai một số hạng mục", "partly"),
        ("Chưa đầy đủ", "partly"),
        ("Đã triển khai đầy đủ", "fully"),
        ("đang làm", ""),
    ],
)
def test_the_words_of_form_08_for_a_plan(said: str, status: Any) -> None:
    found = cells(plan=said, plan_expected="31/12/2026")
    assert found.plan == Plan(status=status, expected=day("2026-12-31"))


def test_an_inspection_needs_a_day() -> None:
    assert cells(inspection="Định kỳ").inspections == ()
    both = cells(inspection="Trước khi đưa vào sử dụng, định kỳ", inspection_date="1/6/2026")
    assert [i.kind for i in both.inspections] == ["before_use", "periodic"]
    found = cells(inspection_date="1/6/2026", inspection_document="40/BC-CAHN")
    assert found.inspections == (Inspection(date=day("2026-06-01"), document="40/BC-CAHN"),)


def test_one_kind_of_inspection_is_one() -> None:
    before = cells(inspection="Trước khi đưa vào sử dụng", inspection_date="1/6/2026")
    assert [i.kind for i in before.inspections] == ["before_use"]
    periodic = cells(inspection="Định kỳ", inspection_date="1/6/2026")
    assert [i.kind for i in periodic.inspections] == ["periodic"]


def test_a_plan_may_have_a_state_or_a_day_alone() -> None:
    assert cells(plan="Chưa triển khai").plan == Plan(status="not_started")
    assert cells(plan_expected="31/12/2026").plan == Plan(expected=day("2026-12-31"))
    assert cells().plan is None


def test_criteria_say_yes_or_no_or_nothing() -> None:
    found = cells(personal_data="Có", sensitive_data="không", subjects="12.000", procedures="?")
    assert found.criteria == Criteria(personal_data=True, sensitive_data=False, subjects=12000)
    assert cells(level="2").criteria is None


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("Hệ thống nội bộ", "internal"),
        ("Phục vụ người dân, doanh nghiệp", "public_service"),
        ("Hạ tầng thông tin", "infrastructure"),
        ("Điều khiển công nghiệp", "industrial"),
        ("Khác", "other"),
        ("nội bộ và hạ tầng", ""),
        ("", ""),
    ],
)
def test_types(cell: str, kind: str) -> None:
    assert cells(type=cell).type == kind


def test_a_unit_is_known_by_id_or_name() -> None:
    assert unit_id(INVENTORY, "ca") == "ca"
    assert unit_id(INVENTORY, " CÔNG AN thành phố ") == "ca"
    assert unit_id(INVENTORY, "Thủ tướng Chính phủ") == "thu-tuong-chinh-phu"
    assert unit_id(INVENTORY, "Sở lạ") == "Sở lạ"
    twins = Inventory(units=UNITS | {"x": msgspec.structs.replace(UNITS["ca"], id="x")})
    assert unit_id(twins, "Công an thành phố") == "Công an thành phố"


@given(st.dictionaries(st.sampled_from(sorted(ALIASES)), st.text(max_size=40)))
def test_no_cell_breaks_the_reader(said: dict[str, str]) -> None:
    found = cells(**said)
    assert found.level in (None, 1, 2, 3, 4, 5)
    assert msgspec.json.decode(msgspec.json.encode(found), type=LevelRecord) == found


# ------------------------------------------------------------------------------- facts and checks


def subject(assessment: str, levels: bool = True) -> Subject:
    system = msgspec.structs.replace(SYSTEM, assessment=assessment)
    unit = UNIT if levels else UNITS["hk"]
    inventory = msgspec.structs.replace(INVENTORY, systems={"sys": system, "lan": OTHER})
    return Subject(scope=Scope.SYSTEM, inventory=inventory, unit=unit, target="sys", system=system)


def context(about: Subject) -> Context:
    return Context(now=NOW, zone=ZONE, legal_basis=2026, subject=about)


def evidence(probe: str, data: bytes) -> Evidence:
    return Evidence(probe=probe, target=FILES, key=probe, taken=NOW, stdout=data)


def test_what_is_asked_for() -> None:
    for fact in (RECORD, RECORD_IF_DECLARED):
        (asked,) = fact.requests(subject(""))
        assert (asked.probe, asked.need) == (REGISTER.id, Need.REQUIRED)
        (asked,) = fact.requests(subject("r.yaml"))
        assert asked.probe == RECORD_FILE.id
    (asked,) = REGISTERED.requests(subject("r.yaml"))
    assert (asked.probe, asked.need) == (REGISTER.id, Need.OPTIONAL)
    assert REGISTERED.requests(subject("")) == []
    with pytest.raises(NotDeclared):
        RECORD.requests(subject("", levels=False))


def test_without_a_record_file_the_row_is_the_record() -> None:
    about = context(subject(""))
    answers = Answers([evidence(REGISTER.id, packed(FORM))])
    assert RECORD.parse(about, answers) == RECORD_IF_DECLARED.parse(about, answers) == record(FORM)
    none = Answers([evidence(REGISTER.id, packed("Mã,Cấp độ\nx,2\n"))])
    assert RECORD_IF_DECLARED.parse(about, none) is None
    with pytest.raises(Unparsable, match="no row about sys") as e:
        RECORD.parse(about, none)
    assert e.value.kind is FailureKind.NOT_DECLARED


def test_a_record_file_wins_and_contradictions_are_told() -> None:
    about = context(subject("r.yaml"))
    answers = Answers([evidence(REGISTER.id, packed(FORM))])
    row = REGISTERED.parse(about, answers)
    assert row == record(FORM)
    assert judge(level_recorded, GOOD, row).status is Status.PASS
    wrong = but(GOOD, approval={"document": "89/QĐ-CAHN", "date": day("2026-09-02")})
    found = judge(level_recorded, wrong, row)
    assert (found.status, found.severity) == (Status.FAIL, Severity.MINOR)
    assert faults(found) == ["register-differs", "register-differs"]
    said = render(found.message, "vi", ZONE)
    assert "số quyết định phê duyệt" in said
    assert "89/QĐ-CAHN" in said
    assert "88/QĐ-CAHN" in said


def test_a_register_that_cannot_be_read_does_not_hide_the_record_file() -> None:
    about = context(subject("r.yaml"))
    for data in (b"", b"nothing\n", b"PK\x03\x04broken"):
        assert REGISTERED.parse(about, Answers([evidence(REGISTER.id, packed(data))])) is None
    assert REGISTERED.parse(about, Answers([])) is None
    with pytest.raises(Unparsable):
        RECORD.parse(context(subject("")), Answers([evidence(REGISTER.id, packed(b"nothing\n"))]))


def test_only_what_both_say_can_differ() -> None:
    assert differences(GOOD, LevelRecord(system="sys")) == []
    row = but(GOOD, level=3, type="other", plan=Plan(status="fully"))
    assert [d.field for d in differences(GOOD, row)] == ["level", "type"]
    told = differences(but(GOOD, plan=Plan(status="partly")), row)
    assert [d.field for d in told] == ["level", "type", "plan"]
    for found in told:
        assert label(f"security/field-{found.field}", "vi") != f"security/field-{found.field}"
    spelled = but(GOOD, approval={"document": "88/QD-CAHN"})
    assert differences(GOOD, spelled) == []


@pytest.mark.parametrize(
    ("role", "wrong"),
    [("owner", "Công an Thành phố"), ("operator", "ca"), ("security_unit", "Sở lạ")],
)
def test_the_roles_of_the_record_are_the_inventorys(role: str, wrong: str) -> None:
    right = {"owner": "ubnd thành phố hà nội", "operator": "hk", "security_unit": "ca"}
    assert judge(level_recorded, but(GOOD, **right), None).status is Status.PASS
    found = judge(level_recorded, but(GOOD, **{role: wrong}), None)
    assert faults(found) == [f"other-{role.replace('_', '-')}"]
    # Where the inventory names nobody there is nothing to differ from.
    if role != "owner":
        unnamed: dict[str, Any] = {role: ""}
        silent = judge(level_recorded, but(GOOD, **{role: wrong}), None, **unnamed)
        assert silent.status is Status.PASS


def test_no_row_and_no_file_is_seen_to_be_missing() -> None:
    found = judge(level_recorded, None, None, assessment="")
    assert (found.status, name(found)) == (Status.FAIL, "missing")
