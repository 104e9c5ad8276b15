"""Which kind of document a number speaks of, by its sign; the kinds are data (`kinds.yaml`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib import resources
from typing import Any

import yaml

LETTER = "CV"
"""An official letter: its sign names only bodies (Decree 30/2020 Annex I)."""


@cache
def kinds() -> Mapping[str, Mapping[str, str]]:
    """Every kind by its folded abbreviation: `written`, `vi` and `en`."""
    text = resources.files("checks.documents").joinpath("kinds.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


@lru_cache(4096)
def kind_of(sign: str) -> str:
    """The folded abbreviation of a folded sign's kind (`QD-UBND-HK` gives QD, `UBND-VX` CV)."""
    first = re.split(r"[-/]", sign, maxsplit=1)[0]
    return first if first in kinds() else LETTER
