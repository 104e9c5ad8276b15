"""What is wrong with a file of the user's: where, what, and what mends it."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable

import msgspec


class Problem(msgspec.Struct, frozen=True, order=True):
    """One fault of one file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    path: str
    """Keys down to the value: `systems.hk-one-stop.backups.database.every`, `waivers[0].until`."""
    message: str
    """What is wrong and what mends it, without a full stop; never holds a secret."""

    def __str__(self) -> str:
        """One line: `file:line: path: message`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return ": ".join(part for part in (place, self.path, self.message) if part)


class InvalidInput(Exception):  # noqa: N818 - a word of the contract
    """The user's input cannot be used; carries every problem that was found, in file order."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def shown(text: str) -> str:
    """A piece of the user's text fit for a message: quoted, one line, no controls, cut at 60."""
    clean = "".join(c if c.isprintable() else "?" for c in text[:61])
    return f"'{clean[:60]}…'" if len(clean) > 60 else f"'{clean}'"


def did_you_mean(word: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` when something close is known, else nothing."""
    # difflib is quadratic in the length and linear in the count: both are bounded here, because
    # the word comes from a file and an inventory has tens of thousands of ids.
    near = [k for k in known if abs(len(k) - len(word)) <= 3] if len(word) <= 80 else []
    if len(near) > 2000:
        near = [k for k in near if k[:2] == word[:2] or k[-2:] == word[-2:]][:2000]
    found = difflib.get_close_matches(word, near, n=1, cutoff=0.6)
    return f"; did you mean {shown(found[0])}?" if found else ""
