"""Which keys of a bucket a set means; the S3 transport picks the newest objects by it too."""

from __future__ import annotations

from checks.backup.names import is_companion, is_unfinished
from checks.backup.sources.place import Place, place_of
from inventory.model import BackupSet


def place_in(backup: BackupSet) -> Place:
    """The folder and the pattern of a set's `path`, as keys have them: no slash at the front.

    Raises:
        NotDeclared: see `place_of`.
    """
    place = place_of(backup)
    folder = place.folder.lstrip("/")
    return Place("" if folder == "." else folder, place.pattern)


def prefix_of(place: Place) -> str:
    """The longest text that every wanted key begins with."""
    if not place.pattern:
        return place.folder
    literal = place.pattern
    for wild in "*?[":
        literal = literal.partition(wild)[0]
    return f"{place.folder}/{literal}" if place.folder else literal


def below(place: Place) -> str:
    """The text that every wanted key begins with, but for an object that is the folder's name."""
    if place.pattern or not place.folder or place.folder[-1] in "-_.":
        return prefix_of(place)
    return f"{place.folder}/"


def wanted(key: str, place: Place) -> bool:
    """Whether a key lies in the place.

    `db` means the folder db/ or the object db, so that hk-1 never takes the points of hk-10; a path
    that ends in `-`, `_` or `.` is the beginning of names.
    """
    folder, _, name = key.rpartition("/")
    if place.pattern:
        return folder == place.folder and place.holds(name)
    if not place.folder or place.folder[-1] in "-_.":
        return key.startswith(place.folder)
    return key == place.folder or key.startswith(place.folder + "/")


def is_point(key: str, place: Place) -> bool:
    """Whether an object is a copy of the set, finished or not, and nothing that only goes along."""
    return wanted(key, place) and not is_companion(key) and key[-1:] != "/"


def is_finished(key: str, place: Place) -> bool:
    """Whether an object's name is that of a finished copy of the set."""
    return is_point(key, place) and not is_unfinished(key)
