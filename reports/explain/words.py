"""The words of explanations, from `words.yaml` beside this module."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import resources
from typing import Any

import yaml

from checks.texts import clean


@cache
def _words() -> Mapping[str, Any]:
    text = resources.files("reports.explain").joinpath("words.yaml").read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.safe_load(text)
    return found


def term(kind: str, key: str, language: str, **values: object) -> str:
    """The phrase of a key; a key that nobody knows is shown as it is, made harmless."""
    known = _words()[kind].get(key)
    if known is None:
        return clean(key)
    text: str = known[language]
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", clean(str(value), 2000))
    return text


def rule(result: str, language: str) -> tuple[str, str]:
    """Title of a result and the rule that decides for it; the result itself when unknown."""
    known = _words()["results"].get(result)
    if known is None:
        return clean(result), ""
    return known[language]["title"], known[language]["because"]


def secret(language: str) -> tuple[str, str]:
    """Title and text of a document of which nothing may be told."""
    said = _words()["secret"][language]
    return said["title"], said["because"]
