"""How the `path` of a backup set is read: a folder (or prefix) with a pattern in its last part."""

from __future__ import annotations

import fnmatch
import re

import msgspec

from checks.evidence import NotDeclared
from inventory.model import BackupSet

_WILD = re.compile(r"[*?\[]")


class Place(msgspec.Struct, frozen=True):
    """A folder without its trailing slash, and the pattern of names in it; empty means all."""

    folder: str
    pattern: str = ""

    def holds(self, name: str) -> bool:
        """Whether a bare file name fits the pattern."""
        return not self.pattern or fnmatch.fnmatchcase(name, self.pattern)


def place_of(backup: BackupSet) -> Place:
    """Split the path of a set.

    Raises:
        NotDeclared: there is no path, or it has a pattern before its last part.
    """
    path = backup.path.strip()
    where = f"backup set {backup.system}/{backup.id}"
    if not path:
        raise NotDeclared(f"{where}: path")
    if "\0" in path or "\n" in path:
        raise NotDeclared(f"{where}: path without line breaks")
    folder, slash, last = path.rpartition("/")
    if _WILD.search(folder):
        raise NotDeclared(f"{where}: path with a pattern in its last part only, not {path}")
    if _WILD.search(last):
        return Place(folder or slash or ".", last)
    return Place(path.rstrip("/") or "/")
