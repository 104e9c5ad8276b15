"""docs/inventory.md says what the schema says."""

from __future__ import annotations

from pathlib import Path

from inventory.reference import reference_markdown

PAGE = Path(__file__).parents[2] / "docs" / "inventory.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference_markdown(), (
        "run: .venv/bin/python -m inventory.reference > docs/inventory.md"
    )


def test_every_block_and_key_stands_in_it() -> None:
    page = reference_markdown()
    for title in (
        "## The document",
        "## `servers.ID`",
        "## `systems.ID.backups.ID`",
        "## `systems.ID.backups.ID.restore_tests[]`",
        "## `documents.mail[]`",
        "## `waivers[]`",
    ):
        assert title in page
    assert "| `level` | whole number, 1 to 5 |  | Security level claimed" in page
    assert "| `transport` | `bundle`, `local`, `ssh` | `ssh` |" in page
    assert "| `name` | text | required | Name. |" in page
