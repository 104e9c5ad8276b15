"""`sauro init`: a project that passes, whole or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.security.record import parse_record
from inventory.load import load
from inventory.problems import InvalidInput
from inventory.starter import SETTINGS_FILE, starter_files, write_starter
from scanner.config import load_settings

EXAMPLES = Path(__file__).parents[2] / "examples"


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def test_it_passes_the_check(tmp_path: Path) -> None:
    written = write_starter(tmp_path / "new" / "project")
    folder = tmp_path / "new" / "project"
    assert written[-1] == folder / SETTINGS_FILE
    assert {str(p.relative_to(folder)) for p in written} == set(tree(folder))
    settings = load_settings(folder)
    inventory = load(Path(settings.inventory), folder, Path(settings.agencies))
    assert list(inventory.units) == ["ha-noi", "ca-ha-noi", "00070"]
    assert len(inventory.agencies) == 2
    system = inventory.systems["hk-one-stop"]
    record = parse_record((folder / system.assessment).read_bytes(), system.assessment)
    assert (record.system, record.level) == (system.id, system.level)
    # What nobody has decided yet must not pass a check in a new user's first report.
    assert record.approval is None
    documents = inventory.units["00070"].documents
    assert documents is not None
    assert documents.register is not None
    assert list(folder.glob(documents.register.path))


def test_the_examples_are_the_starter() -> None:
    ignored = (".db", "-wal", "-shm")
    found = {name: data for name, data in tree(EXAMPLES).items() if not name.endswith(ignored)}
    assert found == starter_files()


def test_a_project_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text("language: en\n", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(InvalidInput, match=r"is a project already \(it has sauro.yaml\)"):
        write_starter(tmp_path)
    assert tree(tmp_path) == before


def test_no_file_is_lost(tmp_path: Path) -> None:
    (tmp_path / "agencies.csv").write_text("mine", encoding="utf-8")
    (tmp_path / "inventory").write_text("a file where a folder should be", encoding="utf-8")
    before = tree(tmp_path)
    with pytest.raises(InvalidInput, match=r"agencies.csv: stands already, with other content"):
        write_starter(tmp_path)
    assert tree(tmp_path) == before


def test_it_can_be_done_again_after_it_was_cut_short(tmp_path: Path) -> None:
    write_starter(tmp_path)
    (tmp_path / SETTINGS_FILE).unlink()
    assert write_starter(tmp_path) == [tmp_path / SETTINGS_FILE]


def test_nothing_is_left_half_written(tmp_path: Path) -> None:
    (tmp_path / "inventory").write_text("in the way", encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be written"):
        write_starter(tmp_path)
    assert tree(tmp_path) == {"inventory": b"in the way"}
    assert [p.name for p in tmp_path.iterdir()] == ["inventory"]
