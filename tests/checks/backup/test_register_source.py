"""A register of hand-made copies and restore tests: a person's word, never more."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup import recency
from checks.backup.series import BackupSeries, Origin, PointKind, PointState, ProofKind
from checks.backup.sources.register import TABLE
from checks.backup.sources.registry import SERIES
from checks.evidence import FILES, Answers, Evidence, NotDeclared, Unparsable
from checks.files import FileEntry, pack
from checks.model import Context, Scope, Status, Subject
from inventory.model import BackupSet, Inventory, System, Unit, UnitKind
from tests.helpers.backup_series import NOW, at
from tests.helpers.workbooks import number, sheet, text, workbook

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
VI = "Ngày,Loại,Kết quả,Nơi lưu,Dung lượng,Người thực hiện,Biên bản,Số phút\n"
EN = "date;type;result;place;size;by;document;minutes\n"


def subject(**more: Any) -> Subject:
    keys = {"id": "db", "system": "s", "kind": "register", "path": "r.csv", "every": "7d"}
    backup = BackupSet(**{**keys, **more})
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="s",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def context(**more: Any) -> Context:
    return Context(now=NOW, zone=HANOI, legal_basis=2026, subject=subject(**more))


def files(*texts: str, mtime: dt.datetime = NOW) -> bytes:
    return pack(
        FileEntry(name=f"r{i}.csv", mtime=mtime, data=t.encode()) for i, t in enumerate(texts)
    )


def read(text: str | bytes, mtime: dt.datetime = NOW, **more: Any) -> BackupSeries:
    body = files(text, mtime=mtime) if isinstance(text, str) else text
    found = Evidence(probe=TABLE.id, target=FILES, key="", taken=NOW, stdout=body)
    return SERIES.parse(context(**more), Answers([found]))


def row(date: str = "20/11/2026", kind: str = "Sao lưu", result: str = "Đạt", **more: str) -> str:
    cells = [more.get(k, "") for k in ("place", "size", "by", "document", "minutes")]
    return ",".join(f'"{c}"' for c in (date, kind, result, *cells)) + "\n"


def test_it_is_asked_for_in_the_project_and_needs_a_path() -> None:
    (asked,) = SERIES.requests(subject())
    assert (asked.target, asked.params) == (FILES, {"path": "r.csv"})
    with pytest.raises(NotDeclared, match="path"):
        SERIES.requests(subject(path=""))


def test_a_copy_and_a_restore_in_vietnamese() -> None:
    text = (
        VI
        + row("20/11/2026 17:30", place="NAS tầng 2", size="12,5 GB", by="Nguyễn Văn A")
        + row(
            "19/11/2026", "Khôi phục thử", "Đạt", document="BB-07/2026", minutes="95", by="Lê Thị B"
        )
    )
    series = read(text)
    (point,) = series.points
    assert point.start == at("2026-11-20 10:30")
    assert (point.state, point.origin) == (PointState.OK, Origin.PERSON)
    assert point.size == int(12.5 * 1024**3)
    (place,) = series.repositories
    assert (place.id, place.location) == (point.repository, "NAS tầng 2")
    assert place.remote is None
    assert "remote" in place.unseen
    (proof,) = series.proofs
    assert (proof.kind, proof.ok, proof.person) == (ProofKind.RESTORE, True, True)
    assert (proof.seconds, proof.document) == (95 * 60, "BB-07/2026")
    assert series.listing.notes == ("person_word",)


def test_the_same_in_english_with_other_separators() -> None:
    series = read(
        EN
        + "2026-11-20;full backup;success;NAS; 850 MB;an;;\n"
        + "2026-11-18;restore test;failed;;;an;M-1;45 min\n"
    )
    (point,) = series.points
    assert (point.kind, point.size) == (PointKind.FULL, 850 * 1024**2)
    (proof,) = series.proofs
    assert (proof.ok, proof.seconds) == (False, 2700)


def test_the_name_of_the_person_goes_no_further() -> None:
    series = read(VI + row(by="Nguyễn Văn A") + row(kind="Khôi phục", by="Nguyễn Văn A"))
    assert "Nguyễn" not in repr(series)


def test_a_day_without_an_hour_is_only_known_within_half_a_day() -> None:
    (point,) = read(VI + row("20/11/2026")).points
    assert point.start == at("2026-11-20 05:00")  # noon in Hà Nội
    assert point.uncertainty == 12 * 3600


@pytest.mark.parametrize(
    ("said", "note"),
    [
        ("Không đạt", "failed"),
        ("Thất bại", "failed"),
        ("failed", "failed"),
        ("", "no_result"),
        ("Thành công một phần", "result_not_understood"),
        ("Đạt, trừ ảnh quét", "result_not_understood"),
    ],
)
def test_only_a_clear_yes_is_a_good_copy(said: str, note: str) -> None:
    series = read(VI + row(result=said) + row(kind="Khôi phục thử", result=said))
    (point,) = series.points
    assert (point.state, point.notes) == (PointState.INVALID, (note,))
    assert [p.ok for p in series.proofs] == [False]


@pytest.mark.parametrize("said", ["Đạt", "ĐẠT.", "Thành công", "thanh cong", "Tốt", "OK", "Passed"])
def test_a_clear_yes(said: str) -> None:
    assert [p.state for p in read(VI + row(result=said)).points] == [PointState.OK]


def test_rows_that_were_written_ahead_are_no_copies() -> None:
    text = VI + row("20/11/2026") + row("20/11/2026", "Khôi phục thử")
    series = read(text, mtime=at("2026-11-02 08:00"))
    assert [(p.state, p.notes) for p in series.points] == [(PointState.INVALID, ("written_ahead",))]
    assert [p.ok for p in series.proofs] == [False]
    # The same day, and a file whose time is a zone off, are not ahead.
    for saved in ("2026-11-20 08:00", "2026-11-19 12:00"):
        assert [p.state for p in read(text, mtime=at(saved)).points] == [PointState.OK]


def test_one_copy_put_in_two_places_is_two_points() -> None:
    series = read(VI + row(place="NAS tầng 2; Ổ cứng số 1") + row("13/11/2026", place="nas TẦNG 2"))
    assert [p.repository for p in series.points] == ["NAS TANG 2", "NAS TANG 2", "O CUNG SO 1"]
    assert len({p.id for p in series.points}) == 3
    assert [r.location for r in series.repositories] == ["NAS tầng 2", "Ổ cứng số 1"]


@pytest.mark.parametrize(
    ("cell", "size"),
    [
        ("12,5 GB", int(12.5 * 1024**3)),
        ("1.234,5 MB", int(1234.5 * 1024**2)),
        ("1,234.5 MB", int(1234.5 * 1024**2)),
        ("1.234.567 KB", 1234567 * 1024),
        ("0 MB", 0),
        ("0,512 GB", int(0.512 * 1024**3)),
        ("850mb", 850 * 1024**2),
        ("1.234 MB", None),
        ("850", None),
        ("khoảng 2 đĩa", None),
        ("-5 GB", None),
        ("1e9 GB", None),
        ("", None),
    ],
)
def test_sizes_as_people_write_them(cell: str, size: int | None) -> None:
    assert [p.size for p in read(VI + row(size=cell)).points] == [size]


def test_a_unit_may_stand_in_the_header() -> None:
    text = "Ngày,Loại,Kết quả,Dung lượng (GB)\n20/11/2026,Sao lưu,Đạt,2\n"
    assert [p.size for p in read(text).points] == [2 * 1024**3]


@pytest.mark.parametrize("kind", ["Kiểm tra bản sao lưu", "Xóa bản sao lưu cũ", "Check of backups"])
def test_a_look_at_a_copy_makes_none(kind: str) -> None:
    assert read(VI + row() + row("21/11/2026", kind)).listing.ignored == 1


def test_rows_that_cannot_be_read_are_counted_and_said() -> None:
    series = read(VI + "(1),(2),(3),(4),(5),(6),(7),(8)\n" + row() + row("hôm qua") + row(kind="?"))
    assert (series.listing.total, len(series.points)) == (3, 1)
    assert series.listing.notes == ("person_word", "rows_not_understood")
    with pytest.raises(Unparsable, match="none of its 2 rows"):
        read(VI + row("hôm qua") + row(kind="?"))
    with pytest.raises(Unparsable, match="date, type"):
        read("a,b,c\n1,2,3\n")


def test_a_register_of_several_systems() -> None:
    text = (
        "Ngày,Hệ thống,Loại,Kết quả\n"
        "20/11/2026,Một cửa,Sao lưu,Đạt\n"
        "13/11/2026,Hộ tịch,Sao lưu,Đạt\n"
    )
    assert len(read(text).points) == 2
    assert [p.start for p in read(text, name="một cửa").points] == [at("2026-11-20 05:00")]
    with pytest.raises(Unparsable, match="system"):
        read(VI + row(), name="một cửa")


def test_several_files_are_one_register_and_a_row_in_two_is_one_copy() -> None:
    series = read(files(VI + row("20/11/2026") + row("13/11/2026"), VI + row("20/11/2026")))
    assert len(series.points) == 2


def test_a_weekly_register_is_judged_like_any_series() -> None:
    weeks = ("02/10", "09/10", "16/10", "23/10", "30/10", "06/11", "13/11", "20/11")
    text = VI + "".join(row(f"{w}/2026") for w in weeks)
    found = judged(text)
    assert found == [Status.PASS]
    # The last two fell out.
    assert judged(VI + "".join(row(f"{w}/2026") for w in weeks[:-2])) == [Status.FAIL]
    # Nobody wrote that it went well.
    assert judged(VI + "".join(row(f"{w}/2026", result="") for w in weeks)) == [Status.FAIL]


def judged(text: str) -> list[Status]:
    given = Context(
        now=NOW,
        zone=HANOI,
        legal_basis=2026,
        subject=subject(),
        options=recency.recent.options(),
    )
    return [v.status for v in recency.recent.judge(given, read(text))]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(alphabet='012/-,;"\n=@\x00đĐạSao luKhôi phục', max_size=40), max_size=6))
def test_nothing_that_people_write_breaks_it(rows: list[str]) -> None:
    try:
        series = read(VI + row() + "\n".join(rows))
    except Unparsable:
        return
    assert all(p.origin is Origin.PERSON for p in series.points)


def test_a_register_may_be_a_spreadsheet() -> None:
    head = text("A1", "Ngày") + text("B1", "Loại") + text("C1", "Kết quả")
    row = number("A2", 46346, 1) + text("B2", "Sao lưu") + text("C2", "Đạt")
    body = pack([FileEntry(name="r.xlsx", mtime=NOW, data=workbook(sheet(head, row)))])
    (point,) = read(body).points
    assert (point.start, point.state) == (at("2026-11-20 05:00"), PointState.OK)
