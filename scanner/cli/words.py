"""The command line follows LANG: Vietnamese or English, chosen once."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Literal


def language_of(environ: Mapping[str, str]) -> Literal["vi", "en"]:
    """`vi` or `en`, from LC_ALL, LC_MESSAGES, LANG in their usual order."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        value = environ.get(name, "")
        if value:
            return "vi" if value.lower().startswith("vi") else "en"
    return "en"


LANGUAGE = language_of(os.environ)


def t(vi: str, en: str) -> str:
    """The one of the two that the user reads."""
    return vi if LANGUAGE == "vi" else en
