"""A reader never sees half a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from scanner.errors import UserError
from scanner.files import write_whole


def test_folders_are_made_and_the_file_is_whole(tmp_path: Path) -> None:
    write_whole(tmp_path / "a/b/report.html", b"x" * 100_000)
    assert (tmp_path / "a/b/report.html").read_bytes() == b"x" * 100_000
    assert [p.name for p in (tmp_path / "a/b").iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(UserError, match="cannot be written"):
        write_whole(tmp_path / "file" / "report.html", b"x")
    assert (tmp_path / "file").read_text() == "here"


def test_a_folder_in_the_way_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(UserError, match="nothing was changed"):
        write_whole(tmp_path / "report.html", b"x")
    assert [p.name for p in tmp_path.iterdir()] == ["report.html"]
