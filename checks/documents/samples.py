"""What a mail administrator should set so that the mail log shows what went around the axis.

The settings are data (`samples.yaml`), so that what is printed is what the tests run in the real
programs.
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from functools import cache
from importlib import resources
from typing import Any

import yaml

PRODUCTS = ("postfix", "postfix-amavis", "zimbra", "exchange", "exim")
_INDENT = "    "
_WIDTH = 96


@cache
def _data() -> dict[str, Any]:
    text = resources.files("checks.documents").joinpath("samples.yaml").read_text(encoding="utf-8")
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def settings(product: str) -> dict[str, str]:
    """The text of every file that a product needs, by its path."""
    return {f["path"]: f["text"] for f in _data()["products"][product]["files"]}


def sample(product: str, language: str) -> str:
    """Everything to know about one of `PRODUCTS`, as text for people to read.

    What must be approved and by whom stands first, then what becomes visible and what does not, the
    settings, the commands, how to undo them, and what to declare.
    """
    words, said = _data()["words"], _data()["products"][product]
    title = words["title"][language].format(product=said["name"])
    parts = [
        f"{title}\n{'=' * len(title)}",
        words["approve"][language].rstrip(),
        _filled(f"{words['shows'][language]}: {said['shows'][language]}"),
        _filled(f"{words['not_shown'][language]}: {said['not_shown'][language]}"),
    ]
    for path, text in settings(product).items():
        parts.append(
            f"{words['file'][language].format(path=path)}:\n\n{_indented(text.splitlines())}"
        )
    parts += [
        f"{words['apply'][language]}:\n\n{_indented(said['apply'])}",
        _filled(said["note"][language]),
        _filled(f"{words['undo'][language]}: {said['undo'][language]}:"),
        _indented(said["undo_commands"]),
        f"{words['declare'][language]}:\n\n{_indented(said['declare'].splitlines())}",
    ]
    return "\n\n".join(parts) + "\n"


def _filled(text: str) -> str:
    return textwrap.fill(text, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _indented(lines: Sequence[str]) -> str:
    return "\n".join(f"{_INDENT}{line}" if line else "" for line in lines)
