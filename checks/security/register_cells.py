"""Cells of a register of levels to the parts of a record; what is not clear is left empty."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from checks.dates import read_date
from checks.folding import words
from checks.security.level_record import Criteria, Decision, Inspection, LevelRecord, Plan
from checks.security.rules import LEVELS, rules
from inventory.model import Inventory

ALIASES: dict[str, tuple[str, ...]] = {
    "system": (
        "MAHETHONG", "MAHTTT", "MADINHDANH", "MAHETHONGTHONGTIN", "SYSTEM", "SYSTEMID", "ID", "MA",
    ),
    "name": (
        "TENHETHONG", "TENHTTT", "TENHETHONGTHONGTIN", "HETHONG", "HETHONGTHONGTIN", "HTTT", "NAME",
        "SYSTEMNAME",
    ),
    "owner": (
        "CHUQUAN", "CHUQUANHETHONG", "CHUQUANHTTT", "CHUQUANHETHONGTHONGTIN", "TENCHUQUAN", "OWNER",
        "DONVICHUQUAN",
    ),
    "operator": (
        "DONVIVANHANH", "VANHANH", "DONVIVANHANHHETHONG", "DONVIVANHANHHETHONGTHONGTIN",
        "DONVIQUANLYVANHANH", "OPERATOR",
    ),
    "security_unit": (
        "DONVICHUYENTRACH", "CHUYENTRACH", "DONVICHUYENTRACHVEANNINHMANG", "SECURITYUNIT",
        "DONVICHUYENTRACHVEANTOANTHONGTIN", "DONVICHUYENTRACHANM", "DONVICHUYENTRACHATTT",
    ),
    "type": ("LOAIHETHONG", "LOAIHINH", "LOAI", "LOAIHINHHETHONG", "LOAIHTTT", "TYPE"),
    "level": (
        "CAPDO", "CAPDOPHEDUYET", "CAPDODUOCPHEDUYET", "CAPDODAPHEDUYET", "CAPDOANTOAN", "LEVEL",
        "CAPDOANTOANTHONGTIN", "CAPDOHETHONG", "APPROVEDLEVEL",
    ),
    "proposed_level": ("CAPDODEXUAT", "DEXUATCAPDO", "CAPDEXUAT", "PROPOSEDLEVEL"),
    "state": (
        "TINHTRANG", "TINHTRANGPHEDUYET", "TRANGTHAI", "TINHTRANGHOSO", "TRANGTHAIHOSO", "STATUS",
        "TINHTRANGPHEDUYETHOSODEXUATCAPDO", "TINHTRANGPHEDUYETHOSO", "APPROVALSTATUS", "STATE",
    ),
    "proposal": ("TOTRINH", "SOTOTRINH", "TOTRINHDEXUAT", "VANBANDEXUAT", "PROPOSAL"),
    "proposal_date": ("NGAYTOTRINH", "NGAYDEXUAT", "NGAYTRINH", "PROPOSALDATE"),
    "appraisal": (
        "THAMDINH", "VANBANTHAMDINH", "SOVANBANTHAMDINH", "YKIENTHAMDINH", "APPRAISAL",
    ),
    "appraisal_date": ("NGAYTHAMDINH", "NGAYVANBANTHAMDINH", "APPRAISALDATE"),
    "appraisal_by": (
        "DONVITHAMDINH", "COQUANTHAMDINH", "APPRAISALBY", "APPRAISEDBY",
    ),
    "approval": (
        "QUYETDINH", "SOQUYETDINH", "QUYETDINHPHEDUYET", "SOQUYETDINHPHEDUYET", "QDPHEDUYET",
        "SOQD", "QUYETDINHPHEDUYETCAPDO", "QUYETDINHPHEDUYETHOSODEXUATCAPDO", "APPROVAL",
        "DECISION",
    ),
    "approval_date": ("NGAYPHEDUYET", "NGAYQUYETDINH", "NGAYKYQUYETDINH", "APPROVALDATE"),
    "approval_by": (
        "COQUANPHEDUYET", "DONVIPHEDUYET", "CAPPHEDUYET", "THAMQUYENPHEDUYET", "APPROVALBY",
        "APPROVEDBY",
    ),
    "approval_expected": (
        "DUKIENPHEDUYET", "NGAYDUKIENPHEDUYET", "THOIGIANDUKIENPHEDUYET", "APPROVALEXPECTED",
        "THOIGIANDUKIENDUOCPHEDUYET",
    ),
    "regulation": (
        "QUYCHE", "SOQUYCHE", "QUYCHEBAODAMANNINHMANG", "QUYCHEBAODAMANTOANTHONGTIN", "QUYCHEATTT",
        "QUYCHEANM", "REGULATION",
    ),
    "regulation_date": ("NGAYQUYCHE", "NGAYBANHANHQUYCHE", "REGULATIONDATE"),
    "plan": (
        "PHUONGAN", "TRIENKHAIPHUONGAN", "TINHTRANGTRIENKHAI", "TINHTRANGTRIENKHAIPHUONGAN",
        "TRIENKHAIDAYDUPHUONGAN", "TRIENKHAIDAYDUPHUONGANBAODAMANNINHMANG", "PLAN", "PLANSTATUS",
        "TRIENKHAIPHUONGANBAODAMANNINHMANG",
    ),
    "plan_expected": (
        "DUKIENHOANTHANH", "NGAYDUKIENHOANTHANH", "THOIGIANDUKIENHOANTHANH", "PLANEXPECTED",
        "THOIGIANDUKIENTRIENKHAIDAYDU",
    ),
    "inspection": (
        "KIEMTRA", "KIEMTRADANHGIA", "THUCHIENKIEMTRADANHGIA", "LOAIKIEMTRA", "INSPECTION",
    ),
    "inspection_date": (
        "NGAYKIEMTRA", "NGAYKIEMTRADANHGIA", "NGAYKIEMTRAGANNHAT", "INSPECTIONDATE",
    ),
    "inspection_document": (
        "VANBANKIEMTRA", "BIENBANKIEMTRA", "BAOCAOKIEMTRA", "INSPECTIONDOCUMENT",
    ),
    "personal_data": ("DULIEUCANHAN", "THONGTINCANHAN", "PERSONALDATA"),
    "private_data": ("THONGTINRIENG", "PRIVATEDATA"),
    "subjects": ("SOCHUTHEDULIEU", "SOCHUTHE", "SONGUOIDUNG", "SUBJECTS"),
    "sensitive_data": ("DULIEUNHAYCAM", "DULIEUCANHANNHAYCAM", "SENSITIVEDATA"),
    "state_secret": ("BIMATNHANUOC", "STATESECRET"),
    "procedures": ("THUTUCHANHCHINH", "GIAIQUYETTHUTUCHANHCHINH", "TTHC", "PROCEDURES"),
    "conditional_business": ("KINHDOANHCODIEUKIEN", "CONDITIONALBUSINESS"),
}  # fmt: skip
"""Headers in Vietnamese and English, as folded letters."""

_LEVEL = re.compile(r"[0-9]+")
_PAPER = re.compile(r"[0-9]{1,11}(?:/[0-9]{4})?/[^\W\d_][\w.&]*(?:-[\w.&]+)*")
_AROUND = frozenset({"SO", "NGAY", "THANG", "NAM", "NO", "OF", "DATED"})
"""Words that stand around number and date of a paper."""
_TYPES = (
    ("internal", ("NOI BO", "INTERNAL")),
    ("public_service", ("NGUOI DAN", "DOANH NGHIEP", "PUBLIC")),
    ("infrastructure", ("HA TANG", "INFRASTRUCTURE")),
    ("industrial", ("CONG NGHIEP", "INDUSTRIAL")),
    ("other", ("KHAC", "OTHER")),
)
_YES = frozenset({"CO", "X", "YES", "TRUE", "DUNG"})
_NO = frozenset({"KHONG", "NO", "FALSE", "SAI"})


def read_cells(cells: Mapping[str, str], system: str, inventory: Inventory) -> LevelRecord:
    """The record that the cells of a row make about a system, by its id.

    Units are given by id where their id or name is known.
    """
    level, proposed = _level(cells.get("level", "")), _level(cells.get("proposed_level", ""))
    state = _state(words(cells.get("state", "")))
    papers = {
        name: _paper(cells, name, inventory)
        for name in ("proposal", "appraisal", "approval", "regulation")
    }
    # A state that is reported without a paper leaves an empty paper: the checks name what lacks.
    for name in state:
        papers[name] = papers[name] or Decision()
    proposal = papers["proposal"]
    if proposal is not None and proposed is not None:
        papers["proposal"] = msgspec.structs.replace(proposal, level=proposed)
    return LevelRecord(
        system=system,
        level=level if level is not None else proposed,
        type=_word(cells.get("type", ""), _TYPES),
        owner=unit_id(inventory, cells.get("owner", "")),
        operator=unit_id(inventory, cells.get("operator", "")),
        security_unit=unit_id(inventory, cells.get("security_unit", "")),
        criteria=_criteria(cells),
        approval_expected=read_date(cells.get("approval_expected", "")),
        plan=_plan(cells),
        inspections=tuple(_inspections(cells)),
        proposal=papers["proposal"],
        appraisal=papers["appraisal"],
        approval=papers["approval"],
        regulation=papers["regulation"],
    )


def unit_id(inventory: Inventory, said: str) -> str:
    """The id of the unit or authority that is meant; what is not known stays as it was written."""
    text = said.strip()
    if not text or text in inventory.units:
        return text
    wanted = words(text)
    named = [i for i, u in inventory.units.items() if words(u.name) == wanted]
    if len(named) == 1:
        return named[0]
    for authority in rules().authorities.values():
        for known in authority.ids:
            if words(known) == wanted:
                return known
    return text


def _level(cell: str) -> int | None:
    """The one level that a cell names; None when it names none or several."""
    found = {int(n) for n in _LEVEL.findall(cell[:100])}
    (level,) = found if len(found) == 1 else (0,)
    return level if level in LEVELS else None


def _paper(cells: Mapping[str, str], name: str, inventory: Inventory) -> Decision | None:
    """A paper from its cells; number and date may stand in one: `88/QĐ-UBND ngày 01/3/2026`."""
    text = cells.get(name, "").strip()
    by = unit_id(inventory, cells.get(f"{name}_by", ""))
    date = read_date(cells.get(f"{name}_date", ""))
    number = _PAPER.search(text)
    rest = text[: number.start()] + text[number.end() :] if number else text
    date = date or read_date(rest)
    strange = set(words(re.sub(r"[0-9]+", " ", rest)).split()) - _AROUND
    document = text if strange or not (number or read_date(rest)) else number[0] if number else ""
    if not (document or by or date):
        return None
    return Decision(document=document, date=date, by=by)


def _state(said: str) -> tuple[str, ...]:
    """Which papers a reported state says that there are."""
    if not said or "CHUA" in said or "DU THAO" in said or "DRAFT" in said:
        return ()
    if "PHE DUYET" in said or "APPROVED" in said:
        return ("approval",)
    if "GUI" in said or "SUBMITTED" in said:
        return ("proposal",)
    return ("appraisal",) if "THAM DINH" in said or "APPRAISED" in said else ()


def _word(cell: str, known: tuple[tuple[str, tuple[str, ...]], ...]) -> Any:  # noqa: ANN401
    """The one word of ours that a cell means, empty when it means none or several."""
    said = words(cell)
    found = [ours for ours, signs in known if any(s in said for s in signs)]
    return found[0] if len(found) == 1 else ""


def _plan(cells: Mapping[str, str]) -> Plan | None:
    said = words(cells.get("plan", ""))
    expected = read_date(cells.get("plan_expected", ""))
    if not said and expected is None:
        return None
    status: Any = ""
    if "MOT SO" in said or "MOT PHAN" in said or "PARTLY" in said or "CHUA DAY DU" in said:
        status = "partly"
    elif "CHUA" in said or "NOT STARTED" in said:
        status = "not_started"
    elif "DAY DU" in said or "FULLY" in said:
        status = "fully"
    return Plan(status=status, expected=expected)


def _inspections(cells: Mapping[str, str]) -> Iterable[Inspection]:
    """Inspections that have a day; without one nobody can tell when it was."""
    date = read_date(cells.get("inspection_date", "")) or read_date(cells.get("inspection", ""))
    if date is None:
        return
    said = words(cells.get("inspection", ""))
    before = "TRUOC KHI" in said or "BEFORE" in said
    document = cells.get("inspection_document", "").strip()
    if before:
        yield Inspection(date=date, kind="before_use", document=document)
    if not before or "DINH KY" in said or "PERIODIC" in said:
        yield Inspection(date=date, kind="periodic", document=document)


def _criteria(cells: Mapping[str, str]) -> Criteria | None:
    said: dict[str, Any] = {}
    for name in Criteria.__struct_fields__:
        cell = words(cells.get(name, ""))
        if name == "subjects":
            digits = re.sub(r"[.,\s]", "", cells.get(name, ""))
            said[name] = int(digits) if digits.isdecimal() and len(digits) < 12 else None
        elif cell in _YES | _NO:
            said[name] = cell in _YES
    return Criteria(**said) if any(v is not None for v in said.values()) else None
