"""Registers and exports of the project folder, through the real engine."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path

import pytest

from checks.backup.series import Origin
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_tools import backup, scanned
from tests.helpers.workbooks import sheet, text, workbook

ROWS = (
    (8 * 7, "Khôi phục thử", "Đạt", "45", "BB-12/2026"),
    *((7 * k, "Sao lưu", "Đạt", "", "") for k in range(8)),
)


def day(ago: int) -> str:
    """A day as people write it, `ago` days before today."""
    then = dt.datetime.fromtimestamp(time.time() - ago * 86400, dt.UTC)
    return f"{then:%d/%m/%Y}"


def register(folder: Path, *, kind: str = "csv", skip: int = 0) -> BackupSet:
    """A weekly register, without its newest `skip` copies."""
    rows = [(day(r[0]), *r[1:]) for r in ROWS if r[1] != "Sao lưu" or r[0] >= 7 * skip]
    head = ("Ngày", "Loại", "Kết quả", "Số phút", "Biên bản")
    if kind == "csv":
        body = "\n".join(",".join(r) for r in (head, *rows)).encode("utf-8-sig")
    else:
        cells = ["".join(text(f"{c}{n}", v) for c, v in zip("ABCDE", r, strict=True))
                 for n, r in enumerate((head, *rows), 1)]  # fmt: skip
        body = workbook(sheet(*cells))
    (folder / f"register.{kind}").write_bytes(body)
    return backup("register", server="", path=f"register.{kind}", every="7d", keep=None)


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_a_register_is_judged_and_says_whose_word_it_is(tmp_path: Path, kind: str) -> None:
    rows, series = scanned(register(tmp_path, kind=kind), tmp_path)
    assert series is not None
    assert {p.origin for p in series.points} == {Origin.PERSON}
    assert [p.person for p in series.proofs] == [True]
    assert rows["backup.recent"].status is Status.PASS
    assert rows["backup.periodic"].status is Status.PASS
    assert "person_word" in rows["backup.recent"].detail["notes"]


def test_weeks_that_nobody_wrote_down_are_missing(tmp_path: Path) -> None:
    rows, _ = scanned(register(tmp_path, skip=3), tmp_path)
    assert rows["backup.recent"].status is Status.FAIL
    assert rows["backup.periodic"].status is Status.FAIL


def test_a_register_that_is_not_there_is_unknown(tmp_path: Path) -> None:
    rows, _ = scanned(backup("register", server="", path="none.csv"), tmp_path)
    found = rows["backup.recent"]
    assert found.status is Status.UNKNOWN
    assert found.failure is not None
    assert "none.csv" in found.failure.detail


def test_an_export_is_believed_while_it_is_fresh(tmp_path: Path) -> None:
    now = time.time()
    times = [dt.datetime.fromtimestamp(now - 3600 - 86400 * k, dt.UTC) for k in range(8)]
    sets = [{"BackupTime": t.isoformat(), "VersionId": f"v{k}"} for k, t in enumerate(times)]
    (tmp_path / "wsb.json").write_text(json.dumps(sets))
    promised = backup("windows-backup", server="", path="wsb.json")
    assert scanned(promised, tmp_path)[0]["backup.recent"].status is Status.PASS
    stale = scanned(promised, tmp_path, dt.timedelta(days=3))[0]["backup.recent"]
    assert stale.status is Status.UNKNOWN
    assert stale.failure is not None
    assert stale.failure.kind is FailureKind.STALE
