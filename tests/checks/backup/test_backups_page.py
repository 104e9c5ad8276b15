"""The page about backups names every kind that can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from checks.backup.sources.registry import SOURCES
from checks.backup.sources.s3_answers import RETENTION, RIGHTS
from inventory.schema import BACKUP_KINDS

PAGE = (Path(__file__).parents[3] / "docs" / "backups.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_every_kind_stands_on_the_page(kind: str) -> None:
    assert f"`{kind}`" in PAGE


@pytest.mark.parametrize("right", [*RIGHTS.values(), RETENTION])
def test_every_right_stands_on_the_page(right: str) -> None:
    assert f"`{right}`" in PAGE


def test_the_inventory_knows_just_the_kinds_that_can_be_read() -> None:
    assert set(BACKUP_KINDS) == set(SOURCES)
