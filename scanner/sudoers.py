"""The least sudo rules for what a plan runs as other accounts: exact programs, fixed arguments."""

from __future__ import annotations

import re
from collections.abc import Iterable

from checks.evidence import Request


def rules(login: str, requests: Iterable[Request]) -> list[str]:
    """One line per account and command, without doubles, to be put below /etc/sudoers.d.

    sudo wants full paths: a program without one is taken from /usr/bin, check it with `command -v`.
    """
    wanted = sorted({r.sudo for r in requests if r.sudo})
    return [
        f"{_word(login)} ALL=({_word(account)}) NOPASSWD: {' '.join(_command(words))}"
        for account, *words in wanted
    ]


def _command(words: list[str]) -> list[str]:
    program, *arguments = words
    full = program if program.startswith("/") else f"/usr/bin/{program}"
    # Without arguments a rule would allow any; "" allows none.
    return [_word(full), *([_word(a) for a in arguments] or ['""'])]


def _word(text: str) -> str:
    """A word in which sudoers sees no comma, wildcard, or any other sign of its own."""
    if not text:
        return '""'
    return re.sub(r"([\\,:=\s*?\[\]#!])", r"\\\1", text)
