"""The shape of what `pgbackrest info` and `repo-ls` print as JSON, as far as it is used."""

from __future__ import annotations

import msgspec


class Times(msgspec.Struct, frozen=True):
    """Unix seconds."""

    start: int
    stop: int


class Range(msgspec.Struct, frozen=True):
    """First and last segment that a backup needs; none of one made offline."""

    start: str | None = None
    stop: str | None = None


class Stored(msgspec.Struct, frozen=True):
    """Bytes in the repository: of this backup alone, and of all that a restore needs."""

    delta: int | None = None
    size: int | None = None


class Sizes(msgspec.Struct, frozen=True):
    """Bytes of the database and of what is stored."""

    size: int | None = None
    repository: Stored = Stored()


class Place(msgspec.Struct, frozen=True):
    """A database system and the repository in which it is."""

    id: int = 0
    key: int = msgspec.field(name="repo-key", default=1)


class Backup(msgspec.Struct, frozen=True):
    """One backup. `error` is None where the cluster has no page checksums."""

    label: str
    type: str
    timestamp: Times
    error: bool | None = None
    prior: str | None = None
    info: Sizes = Sizes()
    archive: Range | None = None
    database: Place = Place()


class Logs(msgspec.Struct, frozen=True):
    """First and last archived segment of a database system in a repository."""

    database: Place = Place()
    min: str | None = None
    max: str | None = None


class Held(msgspec.Struct, frozen=True):
    """Whether the lock is held."""

    held: bool = False


class Lock(msgspec.Struct, frozen=True):
    """Locks of a stanza."""

    backup: Held = Held()


class Status(msgspec.Struct, frozen=True):
    """0 is fine, even without any recent backup."""

    code: int
    message: str = ""
    lock: Lock = Lock()


class Repo(msgspec.Struct, frozen=True):
    """A repository of a stanza."""

    key: int
    status: Status
    cipher: str | None = None


class Stanza(msgspec.Struct, frozen=True):
    """What `info` tells of a stanza."""

    name: str
    status: Status
    backup: list[Backup] = []
    archive: list[Logs] = []
    repo: list[Repo] = []
    cipher: str | None = None


class Entry(msgspec.Struct, frozen=True):
    """A file or folder of `repo-ls`."""

    type: str = ""
    time: int = 0
