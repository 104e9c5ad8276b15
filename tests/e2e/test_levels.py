"""Levels from a project folder to the rows of a scan: one planted fault, one check that says it.

Nothing here is on a host: records, registers, dossiers and attestations are files of the project.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
import yaml

from scanner.cli.main import main

TODAY = dt.datetime.now(dt.UTC).date()  # noqa: TID251 - the command reads the clock as well
PARTS = ("overview", "design", "statement", "plan")
Json = dict[str, Any]


def ago(days: int) -> dt.date:
    return TODAY - dt.timedelta(days=days)


def ahead(days: int) -> dt.date:
    return TODAY + dt.timedelta(days=days)


def word(control: str, until: dt.date) -> Json:
    return {
        "control": control,
        "explanation": "Đã làm",
        "attested_by": "Chánh Văn phòng",
        "date": ago(60),
        "until": until,
    }


class Project:
    """A ward whose levels are all in order; tests change `unit`, `record` and the files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.unit: Json = {
            "unit": "00070",
            "name": "Phường Hoàn Kiếm",
            "kind": "ward",
            "parent": "ha-noi",
            "attestations": [word("policy", ahead(90)), word("training", ahead(90))],
            "level_totals": {"systems": 1, "level_2": 1, "unclassified": 0, "approved": 1},
            "systems": {
                "vb": {
                    "name": "Quản lý văn bản",
                    "owner": "ha-noi",
                    "operator": "00070",
                    "security_unit": "ca",
                    "level": 2,
                    "assessment": "records/vb.yaml",
                    "attestations": [word("plan.mfa", ahead(90))],
                }
            },
        }
        self.record: Json = {
            "system": "vb",
            "level": 2,
            "type": "internal",
            "owner": "UBND thành phố Hà Nội",
            "criteria": {"personal_data": True, "state_secret": False, "harm": "none"},
            "proposal": {"document": "12/TTr-UBND", "date": ago(80)},
            "regulation": {"document": "05/QĐ-UBND", "date": ago(90)},
            "appraisal": {"document": "31/BC-CAHN", "date": ago(50), "by": "ca"},
            "approval": {"document": "88/QĐ-CAHN", "date": ago(40), "by": "ca"},
            "dossier": [
                {
                    "part": part,
                    "file": f"dossier/vb/{part}.pdf",
                    "sha256": hashlib.sha256(part.encode()).hexdigest(),
                }
                for part in PARTS
            ],
            "plan": {"status": "fully", "measures": [{"id": "mfa", "name": "Xác thực đa yếu tố"}]},
        }
        self.files: dict[str, bytes] = {f"dossier/vb/{p}.pdf": p.encode() for p in PARTS}

    def write(self) -> None:
        outside = [
            {"unit": "ha-noi", "name": "UBND thành phố Hà Nội", "kind": "city", "external": True},
            {"unit": "ca", "name": "Công an thành phố", "kind": "agency", "external": True},
        ]
        if "vb" in self.unit["systems"] and self.unit["systems"]["vb"].get("assessment"):
            self.files["records/vb.yaml"] = _yaml(self.record)
        self.files["inventory/units.yaml"] = b"---\n".join(map(_yaml, [*outside, self.unit]))
        self.files["sauro.yaml"] = b"language: vi\n"
        for name, data in self.files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)


def _yaml(value: Json) -> bytes:
    return yaml.safe_dump(value, allow_unicode=True, sort_keys=False).encode()


CHECKS = (
    "level-*",
    "dossier-complete",
    "plan-implemented",
    "redetermination-due",
    "regulation-issued",
    "transition",
    "attestations-valid",
    "statistics-consistent",
)


def scan(project: Project, capsys: pytest.CaptureFixture[str]) -> dict[str, Json]:
    """The rows by check, with the part of the unit where there are several."""
    project.write()
    asked = [a for c in CHECKS for a in ("--check", f"security.{c}")]
    main(["scan", "--project", str(project.folder), "--format", "json", "--quiet", *asked])
    rows = json.loads(capsys.readouterr().out)["results"]
    return {"/".join(p for p in (r["check"][9:], r["subject"]) if p): r for r in rows}


def wrong(rows: dict[str, Json]) -> dict[str, str]:
    return {
        name: row["status"]
        for name, row in rows.items()
        if row["status"] not in ("pass", "not_applicable")
    }


def test_levels_that_are_in_order_pass(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = scan(Project(tmp_path), capsys)
    assert wrong(rows) == {}
    assert set(rows) == {
        "level-recorded",
        "level-approved",
        "level-reviewed",
        "level-plausible",
        "dossier-complete",
        "plan-implemented",
        "redetermination-due",
        "regulation-issued",
        "transition",
        "attestations-valid/policy",
        "attestations-valid/training",
        "statistics-consistent",
    }


def wrong_approver(p: Project) -> None:
    p.record["approval"]["by"] = "00070"


def swapped_dates(p: Project) -> None:
    p.record["appraisal"]["date"], p.record["approval"]["date"] = ago(40), ago(50)


def changed_file(p: Project) -> None:
    p.files["dossier/vb/design.pdf"] = b"design, changed"


def lost_file(p: Project) -> None:
    del p.files["dossier/vb/plan.pdf"]


def lapsed_training(p: Project) -> None:
    p.unit["attestations"][1]["until"] = ago(1)


def lapsed_measure(p: Project) -> None:
    p.unit["systems"]["vb"]["attestations"][0]["until"] = ago(1)


def too_low(p: Project) -> None:
    p.record["criteria"]["state_secret"] = True


def changed_since(p: Project) -> None:
    p.record["changes"] = [{"date": ago(5), "kind": "expansion"}]


def no_regulation_number(p: Project) -> None:
    p.record["regulation"]["document"] = ""


def reviewed_long_ago(p: Project) -> None:
    for paper, days in (("regulation", 910), ("proposal", 900), ("appraisal", 850)):
        p.record[paper]["date"] = ago(days)
    p.record["approval"]["date"] = ago(800)


def other_owner(p: Project) -> None:
    p.record["owner"] = "Công an thành phố"


def wrong_totals(p: Project) -> None:
    p.unit["level_totals"]["unclassified"] = 1


@pytest.mark.parametrize(
    ("plant", "check"),
    [
        (wrong_approver, "level-approved"),
        (swapped_dates, "level-approved"),
        (changed_file, "dossier-complete"),
        (lost_file, "dossier-complete"),
        (lapsed_training, "attestations-valid/training"),
        (lapsed_measure, "plan-implemented"),
        (too_low, "level-plausible"),
        (changed_since, "redetermination-due"),
        (no_regulation_number, "regulation-issued"),
        (reviewed_long_ago, "level-reviewed"),
        (other_owner, "level-recorded"),
        (wrong_totals, "statistics-consistent"),
    ],
)
def test_each_planted_fault_is_caught_by_its_check_alone(
    plant: Callable[[Project], None],
    check: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    project = Project(tmp_path)
    plant(project)
    rows = scan(project, capsys)
    ours = {name: status for name, status in wrong(rows).items() if name != "transition"}
    assert ours == {check: "fail"}
    assert rows[check]["summary"]


def test_a_workbook_stands_in_for_records_and_lists_no_dossier(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = Project(tmp_path)
    project.unit["levels"] = {"path": "registers/levels.xlsx"}
    del project.unit["systems"]["vb"]["assessment"]
    (tmp_path / "registers").mkdir()
    book = xlsxwriter.Workbook(str(tmp_path / "registers" / "levels.xlsx"))
    sheet = book.add_worksheet("Sổ cấp độ")
    day = book.add_format({"num_format": "dd/mm/yyyy"})
    headers = (
        "STT", "Tên hệ thống", "Cấp độ", "Tờ trình", "Ngày tờ trình", "Thẩm định",
        "Ngày thẩm định", "Đơn vị thẩm định", "Quyết định phê duyệt", "Ngày phê duyệt",
        "Cơ quan phê duyệt", "Quy chế", "Ngày quy chế",
    )  # fmt: skip
    sheet.write_row(2, 0, headers)
    cells: list[object] = [
        1, "QUẢN LÝ VĂN BẢN", "Cấp 2", "12/TTr-UBND", ago(80), "31/BC-CAHN", ago(50),
        "Công an thành phố", "88/QĐ-CAHN", ago(40), "Công an thành phố", "05/QĐ-UBND", ago(90),
    ]  # fmt: skip
    for column, cell in enumerate(cells):
        if isinstance(cell, dt.date):
            sheet.write_datetime(3, column, dt.datetime.combine(cell, dt.time()), day)
        else:
            sheet.write(3, column, cell)
    book.close()
    rows = scan(project, capsys)
    assert rows["level-approved"]["status"] == "pass"
    assert rows["level-recorded"]["status"] == "pass"
    assert rows["statistics-consistent"]["status"] == "pass"
    assert wrong(rows) == {
        "level-plausible": "unknown",
        "dossier-complete": "unknown",
        "plan-implemented": "fail",
    }
