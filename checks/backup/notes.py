"""Remarks of sources and of the judgement in words: data in `notes.yaml`, two languages each."""

from __future__ import annotations

from functools import cache
from importlib import resources

import yaml

from checks.texts import clean

_LONGEST = 40


@cache
def known() -> dict[str, dict[str, str]]:
    """Words by language of every note id; an id that ends in `*` stands for all that begin so."""
    text = resources.files("checks.backup").joinpath("notes.yaml").read_text(encoding="utf-8")
    found: dict[str, dict[str, str]] = yaml.safe_load(text)
    return found


def remark(note: str, language: str) -> str:
    """A note in words; empty for one that is not known, of another version perhaps."""
    said = known().get(note)
    if said is not None and not note.endswith("*"):
        return said[language]
    starts = [k for k in known() if k.endswith("*") and note.startswith(k[:-1])]
    if not starts:
        return ""
    start = max(starts, key=len)
    rest = clean(note.removeprefix(start[:-1]), _LONGEST)
    return known()[start][language].replace("{rest}", rest)
