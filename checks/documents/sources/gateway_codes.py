"""Which agency codes of a source the directory knows: shown with the source, never guessed."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from typing import Any

from checks.documents.agencies import Directory
from checks.texts import clean

NO_CODE = frozenset({"", "NULL", "NONE", "N/A", "UNDEFINED"})
"""What programs write where they have no code."""
_LISTED = 10
_LONGEST = 100
"""Characters; what goes on longer is no code."""
_KEPT = 10_000
"""Distinct codes that are counted by name; beyond it only rows are."""


def bare_code(text: str) -> str:
    """A code as it is compared: upper case, no spaces around it; empty when there is none."""
    code = text.strip()[:_LONGEST].upper()
    return "" if code in NO_CODE else code


class Codes:
    """Counts the codes of a source by what the directory says of them."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory
        self._unknown: dict[str, int] = {}
        self._ambiguous: dict[str, int] = {}
        self._known: set[str] = set()
        self._beyond = 0

    def take(self, codes: Iterable[str]) -> None:
        """The codes of one row."""
        for code in codes:
            if code and code not in self._known:
                self._look_up(code)

    def _look_up(self, code: str) -> None:
        found = len(self._directory.codes(code))
        # The unit's own codes may stand in the inventory and not in the directory.
        if found == 1 or code in self._directory.own_codes:
            if len(self._known) < _KEPT:
                self._known.add(code)
            return
        counts = self._ambiguous if found else self._unknown
        if code in counts or len(counts) < _KEPT:
            counts[code] = counts.get(code, 0) + 1
        else:
            self._beyond += 1

    def told(self) -> dict[str, Any]:
        """For the detail of the source's row; nothing when every code is one agency's."""
        found: dict[str, Any] = {}
        for name, counts in (("unknown", self._unknown), ("ambiguous", self._ambiguous)):
            if counts:
                most = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
                found[f"{name}_codes"] = len(counts)
                found[f"{name}_code_rows"] = sum(counts.values())
                # What has a space in it is a name, and whose it is cannot be told.
                shown = (clean(code, 40) for code, _ in most if " " not in code)
                found[f"{name}_code_list"] = list(itertools.islice(shown, _LISTED))
        if self._beyond:
            found["more_code_rows"] = self._beyond
        return found
