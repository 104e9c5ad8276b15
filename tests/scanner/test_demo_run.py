"""The whole demo, small: planted, played, scanned over real SSH, and found exactly as planted."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace

from checks.results import Scan, ScanInfo
from inventory.model import Inventory, Selection
from scanner import app
from scanner.demo.demo import run_demo
from scanner.errors import UserError
from scanner.project import open_project
from scanner.store.database import Store


def lots(seed: int = 6) -> random.Random:
    return random.Random(seed)  # noqa: S311 - repeatable on purpose


def now() -> dt.datetime:
    return app.utc_now()


def real_scan(folder: Path) -> Scan:
    project = open_project(folder)
    with Store.open(project.store_url) as store:
        return app.rows_of(store, app.scan(project, store, Selection()))


@pytest.mark.slow
def test_the_scan_finds_exactly_what_was_planted_and_a_blind_one_is_caught(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    kept: list[Scan] = []

    def scan(folder: Path) -> Scan:
        # The connection's first wait is for a host that never speaks: no need to be patient here.
        settings = folder / "sauro.yaml"
        text = settings.read_text(encoding="utf-8")
        assert "connect_timeout: 15" in text
        settings.write_text(text.replace("connect_timeout: 15", "connect_timeout: 8"))
        kept.append(real_scan(folder))
        return kept[0]

    differences = run_demo(tmp_path / "demo", 3, now(), lots(), scan, said.append)
    assert not differences, "\n".join(said)
    assert kept[0].info.simulated
    assert kept[0].info.complete
    assert "Khớp hoàn toàn" in said[-1]
    # The same demo with a scanner that went blind must not be taken for a success.
    blind = replace(kept[0], results=kept[0].results[1:])
    assert run_demo(tmp_path / "demo", 3, now(), lots(), lambda _: blind, said.append)
    assert "KHÔNG KHỚP" in "\n".join(said)


def test_the_servers_are_gone_when_the_scan_breaks(tmp_path: Path) -> None:
    def broken(_: Path) -> Scan:
        raise RuntimeError("scan broke")

    def served() -> list[psutil.Process]:
        children = psutil.Process().children(recursive=True)
        return [p for p in children if "scanner.demo.serve" in p.cmdline()]

    with pytest.raises(RuntimeError, match="scan broke"):
        run_demo(tmp_path / "demo", 3, now(), lots(), broken, lambda _: None)
    assert served() == []


def test_a_stopped_scan_is_not_compared(tmp_path: Path) -> None:
    def stopped(_: Path) -> Scan:
        info = ScanInfo(
            id="x",
            started=now(),
            tool="t",
            legal_basis=2026,
            timezone="Asia/Ho_Chi_Minh",
            selection=Selection(),
        )
        return Scan(info=info, inventory=Inventory())

    with pytest.raises(UserError, match="nothing was compared"):
        run_demo(tmp_path / "demo", 3, now(), lots(), stopped, lambda _: None)


def test_a_folder_with_something_else_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(UserError, match="--out"):
        run_demo(tmp_path, 3, now(), lots(), real_scan, lambda _: None)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_too_few_units_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="3 to 126"):
        run_demo(tmp_path / "demo", 2, now(), lots(), real_scan, lambda _: None)
    assert not (tmp_path / "demo").exists()
