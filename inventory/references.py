"""What only all documents together can tell: doubles, ids that lead nowhere, circles."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

import msgspec

from inventory.build import Built, Path
from inventory.model import BackupSet, Documents, FileSource, System, Waiver
from inventory.problems import did_you_mean, shown

TellAt = Callable[[int, Path, str], None]
"""Reports a problem at a path of the document with this number."""


class Known(msgspec.Struct, frozen=True):
    """Every id that stands somewhere, even in a document that could not be read otherwise.

    So that one mistake in a unit does not make every reference to it look wrong as well.
    """

    units: frozenset[str]
    servers: frozenset[str]
    buckets: frozenset[str]
    systems: frozenset[str]


def check_references(documents: Mapping[int, Built], known: Known, tell: TellAt) -> None:
    """Report every id that leads nowhere and every circle, at its place."""
    hint = _Hints()
    for number, built in documents.items():
        _Links(number, built, known, tell, hint).check()
    _circles(
        {b.unit.id: (n, b.unit.parent) for n, b in documents.items()},
        lambda n, _, round_: tell(n, ("parent",), f"is its own ancestor ({round_}): correct it"),
    )
    _circles(
        {s.id: (n, s.ssh.via) for n, b in documents.items() for s in b.servers},
        lambda n, i, round_: tell(
            n, ("servers", i), f"is reached through itself (via: {round_}): correct it"
        ),
    )


class _Hints:
    """`did_you_mean` for the first few: looking through every id for thousands takes minutes."""

    def __init__(self, left: int = 50) -> None:
        self.left = left

    def __call__(self, word: str, known: Collection[str]) -> str:
        self.left -= 1
        return did_you_mean(word, known) if self.left >= 0 else ""


class _Links:
    """The references of one document."""

    def __init__(self, number: int, built: Built, known: Known, tell: TellAt, hint: _Hints) -> None:
        self.number = number
        self.built = built
        self.known = known
        self.tell = tell
        self.hint = hint

    def check(self) -> None:
        built = self.built
        self.one("unit", built.unit.parent, self.known.units, ("parent",))
        for server in built.servers:
            self.one(
                "server", server.ssh.via, self.known.servers, ("servers", server.id, "ssh", "via")
            )
        for system in built.systems:
            self.system(system)
        if built.unit.documents:
            self.documents(built.unit.documents)
        for index, waiver in enumerate(built.waivers):
            self.waiver(waiver, ("waivers", index, "target"))

    def documents(self, said: Documents) -> None:
        for key in ("mail", "proxy"):
            for index, log in enumerate(getattr(said, key)):
                place = ("documents", key, index)
                self.one("server", log.server, self.known.servers, (*place, "server"))
                self.one("bucket", log.bucket, self.known.buckets, (*place, "bucket"))
        for key in ("register", "incoming", "postal", "gateway", "received", "packets", "x_road"):
            source: FileSource | None = getattr(said, key)
            if source is not None:
                self.one("bucket", source.bucket, self.known.buckets, ("documents", key, "bucket"))

    def one(self, what: str, ref: str, among: Collection[str], place: Path) -> None:
        if ref and ref not in among:
            near = self.hint(ref, among)
            remedy = near or ": correct it, or declare it"
            self.tell(self.number, place, f"there is no {what} {shown(ref)}{remedy}")

    def system(self, system: System) -> None:
        known, place = self.known, ("systems", system.id)
        for key in ("owner", "operator", "security_unit"):
            self.one("unit", getattr(system, key), known.units, (*place, key))
        for index, ref in enumerate(system.used_by):
            self.one("unit", ref, known.units, (*place, "used_by", index))
        for index, ref in enumerate(system.servers):
            self.one("server", ref, known.servers, (*place, "servers", index))
        for backup in system.backups:
            self.backup(backup, (*place, "backups", backup.id), system)
        for index, ref in enumerate(system.backup_exempt.servers if system.backup_exempt else ()):
            if ref not in system.servers:
                near = self.hint(ref, system.servers)
                remedy = near or ": name one of its servers"
                message = f"{shown(ref)} is no server of this system{remedy}"
                self.tell(self.number, (*place, "backup_exempt", "servers", index), message)

    def backup(self, backup: BackupSet, place: Path, system: System) -> None:
        known = self.known
        self.one("server", backup.server, known.servers, (*place, "server"))
        self.one("bucket", backup.bucket, known.buckets, (*place, "bucket"))
        if backup.protects not in system.servers:
            self.one("server", backup.protects, known.servers, (*place, "protects"))

    def waiver(self, waiver: Waiver, place: Path) -> None:
        built, known, target = self.built, self.known, waiver.target
        if target in ("*", built.unit.id):
            return
        sets = {f"{s.id}/{b.id}" for s in built.systems for b in s.backups}
        own = {s.id for s in built.systems} | sets
        if target in own or target in known.servers or target in known.buckets:
            return
        if target in known.units or target.partition("/")[0] in known.systems - own:
            message = (
                f"{shown(target)} stands in another unit's file: a waiver reaches only its own"
            )
            self.tell(self.number, place, message)
            return
        near = self.hint(target, own | {s.id for s in built.servers})
        remedy = near or ": name one of this unit's, or * for all of it"
        what = "system, backup set, server or bucket"
        self.tell(self.number, place, f"there is no {what} {shown(target)}{remedy}")


def _circles(links: Mapping[str, tuple[int, str]], tell: Callable[[int, str, str], None]) -> None:
    """Report each circle of `id -> next id` once, at the first of its members in order."""
    done: set[str] = set()
    for start in links:
        trail: dict[str, None] = {}
        at = start
        while at in links and at not in done and at not in trail:
            trail[at] = None
            at = links[at][1]
        if at in trail:
            members = list(_from(trail, at))
            tell(links[at][0], at, " → ".join([*members, at]))
        done.update(trail)


def _from(trail: Iterable[str], start: str) -> Iterator[str]:
    found = False
    for each in trail:
        found = found or each == start
        if found:
            yield each
