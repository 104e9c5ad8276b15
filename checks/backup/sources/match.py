"""Which points of a shared repository belong to a set, and which of them are like with like."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Sequence

import msgspec

from checks.backup.names import group_of
from checks.backup.series import BackupPoint, Listing
from checks.backup.sources.base import newest
from checks.evidence import FailureKind, Unparsable
from checks.texts import clean
from inventory.model import BackupSet, PointFilter

_CONTAINER = re.compile(r"[0-9a-f]{12}(?:[0-9a-f]{52})?", re.ASCII)


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A point as a repository lists it, with what a set may be bound by."""

    point: BackupPoint
    host: str = ""
    tags: frozenset[str] = frozenset()


def fits(wanted: PointFilter | None, found: Found) -> bool:
    """Whether every field of the filter that is given fits; no filter takes everything."""
    if wanted is None:
        return True
    paths = found.point.paths or ()
    return (
        (not wanted.host or wanted.host == found.host)
        and all(any(_above(w, p) for p in paths) for w in wanted.paths)
        and all(tag in found.tags for tag in wanted.tags)
        and found.point.name.startswith(wanted.prefix)
    )


def _above(wanted: str, path: str) -> bool:
    """Whether `wanted` is the path or a folder above it; /srv is not above /srv2."""
    wanted = posixpath.normpath(wanted)
    return path == wanted or path.startswith(wanted.rstrip("/") + "/")


def bind(
    backup: BackupSet, listed: Sequence[Found], notes: Iterable[str] = ()
) -> tuple[tuple[BackupPoint, ...], Listing]:
    """The points of a set, grouped, and what is to be said of the listing.

    Raises:
        Unparsable: copies of several hosts and no filter: the newest may be another system's.
    """
    hosts = sorted({f.host for f in listed if f.host})
    if backup.match is None and len(hosts) > 1:
        some = clean(", ".join(hosts[:5]))
        raise Unparsable(
            f"the repository holds copies of {len(hosts)} hosts ({some}); "
            f"the key 'match' of {backup.system}/{backup.id} must say which are its own",
            FailureKind.NOT_DECLARED,
        )
    mine = [f for f in listed if fits(backup.match, f)]
    labels = _groups(mine)
    points, older = newest(
        msgspec.structs.replace(f.point, group=label) for f, label in zip(mine, labels, strict=True)
    )
    said = [*notes, *(["nothing_matched"] if listed and not mine else [])]
    return points, Listing(
        total=len(listed), ignored=len(listed) - len(mine), older=older, notes=tuple(said)
    )


def _groups(listed: Sequence[Found]) -> list[str]:
    """One label per point: points of one host whose paths overlap are alike, however few they are.

    A path that is dropped or added must not make a new group, or nothing would be compared.
    """
    parent: dict[str, str] = {}

    def root(word: str) -> str:
        while parent.setdefault(word, word) != word:
            word = parent[word]
        return word

    firsts = []
    for found in listed:
        # A container's id and paths of mktemp differ by letters that say nothing.
        host = "#" if _CONTAINER.fullmatch(found.host) else found.host
        words = [f"{host}:{group_of(p) or p}" for p in found.point.paths or ()]
        words = words or [f"{host}:{group_of(found.point.name)}"]
        for word in words[1:]:
            low, high = sorted((root(words[0]), root(word)))
            parent[high] = low
        firsts.append(words[0])
    return [root(word) for word in firsts]
