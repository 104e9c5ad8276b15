"""`sauro report --format form08` from the files of a project to the office's files."""

from __future__ import annotations

import io
import json
import sqlite3
import zlib
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest
from docx import Document
from python_calamine import CalamineWorkbook

from scanner.cli.main import main
from scanner.store.database import Store

SETTINGS = "inventory: inventory\nlanguage: vi\nlegal_basis: 2026\ntimezone: Asia/Ho_Chi_Minh\n"

UNITS = """\
unit: hn
name: UBND Thành phố Hà Nội
kind: city
external: true
---
unit: ca
name: Công an Thành phố
kind: agency
external: true
---
"""

WARD = """\
unit: "{code}"
name: Phường {code}
kind: ward
parent: hn
systems:
  {code}-own: {{name: Một, owner: hn, operator: "{code}", security_unit: ca, level: 2,
               assessment: records/{code}-own.yaml}}
  {code}-lost: {{name: Hai, owner: hn, operator: "{code}", security_unit: ca, level: 2,
                assessment: records/gone.yaml}}
  {code}-none: {{name: Ba, owner: hn, operator: "{code}", security_unit: ca, level: 1}}
---
"""

SHARED = """\
unit: "003"
name: Phường 003
kind: ward
parent: hn
systems:
  shared: {name: Dùng chung, owner: hn, operator: "001", security_unit: ca, level: 2,
           used_by: ["001", "002", "003"], assessment: records/shared.yaml}
"""

RECORD = """\
system: {id}
level: 2
type: internal
proposal: {{document: 12/TTr-UBND, date: 2026-02-01}}
regulation: {{document: 5/QĐ-UBND, date: 2026-01-10, by: hn}}
appraisal: {{by: ca, document: 31/BC-CAHN, date: 2026-02-20}}
approval: {{by: {by}, document: 88/QĐ-CAHN, date: 2026-03-01}}
plan: {{status: partly, expected: 2099-06-30}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three wards, a shared system, one wrong approver, lost records; scanned."""
    folder = tmp_path / "city"
    (folder / "inventory").mkdir(parents=True)
    (folder / "records").mkdir()
    (folder / "sauro.yaml").write_text(SETTINGS, encoding="utf-8")
    wards = "".join(WARD.format(code=c) for c in ("001", "002"))
    (folder / "inventory" / "all.yaml").write_text(UNITS + wards + SHARED, encoding="utf-8")
    for name, by in (("001-own", "ca"), ("002-own", "hn"), ("shared", "ca")):
        text = RECORD.format(id=name, by=by)
        (folder / "records" / f"{name}.yaml").write_text(text, encoding="utf-8")
    monkeypatch.delenv("SAURO_PROJECT", raising=False)
    monkeypatch.chdir(folder)
    main(["scan", "--quiet", "--check", "security.*"])
    return folder


def _this_year(folder: Path) -> list[str]:
    """The period of the scan's own year, wherever the clock of this machine stands."""
    with Store.open(f"sqlite:///{folder / 'sauro.db'}") as store:
        latest = store.latest()
    assert latest is not None
    return ["--from", f"{latest.started.year - 1}-12-15", "--to", f"{latest.started.year}-12-14"]


def _stored(folder: Path) -> list[dict[str, Any]]:
    """The results as they lie in the database, read without any of our code."""
    with sqlite3.connect(folder / "sauro.db") as db:
        blobs = [row[0] for row in db.execute("SELECT data FROM results")]
    return [msgspec.msgpack.decode(_plain(b)) for b in blobs]


def _plain(blob: bytes) -> bytes:
    try:
        return zlib.decompress(blob)
    except zlib.error:
        return blob


def _sheet(file: Path, name: str) -> list[list[Any]]:
    return CalamineWorkbook.from_path(file).get_sheet_by_name(name).to_python()


def _counts(file: Path) -> list[int]:
    return [int(row[1]) for row in _sheet(file, "Thông tin chung")[3:9]]


def test_the_totals_are_those_of_the_store(project: Path) -> None:
    assert main(["report", "--format", "form08", "-o", "out"]) == 0
    (file,) = Path("out").glob("*.xlsx")
    rows = _stored(project)
    passed = Counter(r["check"] for r in rows if r["status"] == "pass")
    systems = {r["system"] for r in rows if r["check"] == "security.level-recorded"}
    typed = [
        r
        for r in rows
        if r["check"] == "security.level-recorded" and r.get("detail", {}).get("type")
    ]
    assert len(systems) == 7
    assert _counts(file) == [
        len(systems),
        len(typed),
        len(typed),
        3,  # appraised: the two that are approved, and the one whose approver was wrong
        passed["security.level-approved"],
        0,
    ]
    sources = _sheet(file, "Nguồn số liệu")[3:]
    told = {r["fingerprint"]: r for r in rows}
    for line in sources:
        assert told[line[11]]["check"] == line[6]
        assert told[line[11]]["status"] == line[7]
    approved = [r for r in sources if "được phê duyệt cấp độ" in r[0] and r[1] == "Có"]
    assert {r[3] for r in approved} == {
        r["system"]
        for r in rows
        if r["check"] == "security.level-approved" and r["status"] == "pass"
    }


def test_units_add_up_to_the_owner_and_a_shared_system_counts_once(project: Path) -> None:
    totals = []
    for unit in ("001", "002", "003"):
        assert main(["report", "--format", "form08", "--unit", unit, "-o", "out"]) == 0
        (file,) = Path("out").glob(f"form08-*-{unit}.xlsx")
        totals.append(_counts(file))
    assert [t[0] for t in totals] == [4, 3, 0]
    assert main(["report", "--format", "form08", "--owner", "hn", "-o", "out"]) == 0
    (file,) = Path("out").glob("form08-*-hn.xlsx")
    assert _counts(file) == [sum(column) for column in zip(*totals, strict=True)]
    assert project.exists()


def test_both_files_are_written_and_named_and_are_the_same_again(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    period = _this_year(project)
    assert main(["report", "--format", "form08", "-o", "a", *period]) == 0
    written = [Path(line) for line in capsys.readouterr().out.split()]
    year = period[3][:4]
    assert [p.name for p in written] == [f"form08-{year}-hn.docx", f"form08-{year}-hn.xlsx"]
    assert main(["report", "--format", "form08", "-o", "b", *period]) == 0
    for path in written:
        assert path.read_bytes() == (Path("b") / path.name).read_bytes()
    text = [p.text for p in Document(io.BytesIO(written[0].read_bytes())).paragraphs]
    assert any(f"kỳ số liệu từ ngày 15 tháng 12 năm {int(year) - 1}" in t for t in text)
    assert sorted(p.name for p in Path("a").iterdir()) == [p.name for p in written]


def test_other_formats_go_along(project: Path) -> None:
    assert main(["report", "--format", "json", "--format", "form08", "-o", "out"]) == 0
    names = {p.suffix for p in Path("out").iterdir()}
    assert names == {".json", ".docx", ".xlsx"}
    assert json.loads(Path("out/scan.json").read_text())["schema"] == "sauro.scan/1"
    assert project.exists()


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--format", "form08", "--unit", "xx"], "no unit of the scan is called 'xx'"),
        (["--format", "form08", "--unit", "001", "--owner", "hn"], "not both"),
        (["--format", "form08", "--to", "2025-12-14"], "the first report closes on 2026-12-14"),
        (["--format", "form08", "--from", "14/12/2026"], "14/12/2026"),
        (["--unit", "001"], "add --format form08"),
        (["--format", "form8"], "there are: html, json, jsonl, form08"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(
    project: Path, args: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    assert main(["report", "-o", "out", *args]) == 64
    told = capsys.readouterr().err
    assert said in told
    assert told.count("\n") == 1
    assert not (project / "out").exists()


def test_a_folder_that_is_a_file_is_one_line(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "taken").write_text("x")
    capsys.readouterr()
    assert main(["report", "--format", "form08", "-o", "taken/in"]) == 64
    told = capsys.readouterr().err
    assert "taken/in" in told
    assert "cannot be written" in told
    assert told.count("\n") == 1
    assert (project / "taken").read_text() == "x"
