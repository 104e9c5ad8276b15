"""The waist of the backup family: every tool's listing becomes one `BackupSeries` of points.

Checks judge this and nothing else, so a new tool costs one parser. All times are UTC.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

import msgspec

from checks.evidence import Failure


class PointState(StrEnum):
    """What a source says of a point; ages and sizes are judged in `periodicity`, not here."""

    OK = "ok"
    INVALID = "invalid"
    """Failed, empty, or without the completion mark that its format promises."""
    RUNNING = "running"
    """Unfinished or perhaps still being written: neither a hit nor a miss."""


class Origin(StrEnum):
    """Where a point's time comes from, most trustworthy first."""

    TOOL = "tool"
    CONTENT = "content"
    NAME = "name"
    SERVER = "server"
    MTIME = "mtime"
    PERSON = "person"
    """Somebody wrote it down by hand."""


class PointKind(StrEnum):
    """How much a point holds by itself. A stronger kind satisfies what a weaker one would."""

    UNKNOWN = ""
    FULL = "full"
    DIFFERENTIAL = "differential"
    INCREMENTAL = "incremental"


class BackupPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One restore point. `start` is the time its data is of; it is right within `uncertainty` s."""

    id: str
    """Stable across scans: the same id is the same point."""
    start: dt.datetime
    end: dt.datetime | None = None
    uncertainty: float = 1.0
    size: int | None = None
    """Bytes as stored; None when the source does not say."""
    state: PointState = PointState.OK
    origin: Origin = Origin.MTIME
    clock: str = "host"
    """Whose clock stamped it: `host` (where it is listed), `writer`, or `store`."""
    name: str = ""
    checked: bool = False
    """Its content was looked at, not only its name and size."""
    group: str = ""
    """Points of one group are like with like: sizes are only compared within it."""
    notes: tuple[str, ...] = ()
    kind: PointKind = PointKind.UNKNOWN
    base: str = ""
    """Id of the point that an incremental or differential one needs; empty for a full one."""
    repository: str = ""
    """Id of the repository that holds it (`BackupSeries.repositories`); empty for the only one."""
    paths: tuple[str, ...] | None = None
    """What it covers (source paths, databases), sorted; None when the source does not say."""
    files: int | None = None
    """Files in it; None when the source does not say."""
    data: int | None = None
    """Bytes of the data it protects, before deduplication and compression."""
    errors: int = 0
    """Errors that the tool itself counted while making it."""
    encrypted: bool | None = None
    verified: bool | None = None
    """The tool's own verification of this very point: it passed, it failed, or none is known."""
    locked_until: dt.datetime | None = None
    """Nobody can delete it before, as far as the store says."""


class Repository(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that holds copies. None means: cannot be known from here, see `unseen`."""

    id: str = ""
    location: str = ""
    """As a person would name it; never with a password in it."""
    platform: str = ""
    """What keeps it: `directory`, `restic`, `s3`, …; two copies on one platform share its fate."""
    server: str = ""
    """Server or bucket id of the inventory in which it lies; empty when it lies elsewhere."""
    remote: bool | None = None
    """Whether it lies outside the server on which it was listed."""
    encrypted: bool | None = None
    immutable: bool | None = None
    """New copies cannot be changed or deleted for a time (lock, append-only)."""
    immutable_days: float | None = None
    versioned: bool | None = None
    public: bool | None = None
    deletable: bool | None = None
    """Whether the protected server's own account could delete its copies."""
    expires_days: float | None = None
    """Days after which the store itself deletes copies; None when no such rule is known."""
    replicated: bool | None = None
    unseen: dict[str, Failure] = {}
    """Why a field is None: name of the field to the right, tool or call that is missing.

    `proofs`: why there may be records that were not seen. `restores`: some were seen, but nobody
    can tell of which set.
    """
    notes: tuple[str, ...] = ()


class ProofKind(StrEnum):
    """What was proved of the copies, weakest first."""

    CHECK = "check"
    """The repository's structure was checked."""
    VERIFY = "verify"
    """The data was read back and compared with its checksums."""
    EXTRACT = "extract"
    """A trial extraction, or samples compared with the originals."""
    RESTORE = "restore"
    """A restore."""


class Proof(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One record that copies were checked or restored."""

    kind: ProofKind
    time: dt.datetime
    ok: bool
    errors: int = 0
    seconds: float | None = None
    """How long it took."""
    person: bool = False
    """A person's word (a register, the inventory), not a tool's record."""
    document: str = ""
    name: str = ""


class Archive(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Continuous archiving of a database's log between its backups."""

    last: dt.datetime | None = None
    failing_since: dt.datetime | None = None
    gaps: int | None = None
    """Missing segments between the first and the last; None when not known."""


class Listing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Facts about the listing itself."""

    truncated: bool = False
    """Not everything was listed, and what is missing may be the newest."""
    total: int = 0
    """Entries seen, points or not."""
    ignored: int = 0
    """Entries that are no points: checksums, logs, signatures, other names."""
    older: int = 0
    """Points left out because there are too many; all of them older than those kept."""
    notes: tuple[str, ...] = ()


class BackupSeries(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Every point of one backup set that is listed now, and those that earlier scans saw.

    `points` and `past` are sorted by `start`; `past` holds only points that are no longer listed.
    """

    asset: str
    source: str
    points: tuple[BackupPoint, ...] = ()
    past: tuple[BackupPoint, ...] = ()
    vanished: tuple[str, ...] = ()
    """Names of points of `past` that are gone before the end of the declared retention."""
    known_since: dt.datetime | None = None
    """When a scan first saw a point of this set; None when none is remembered."""
    listing: Listing = Listing()
    zone: str = ""
    """Zone in which times without one were read; empty when none was known."""
    skew: float = 0.0
    """Seconds by which the lister's clock is ahead of the scanner's; already taken out."""
    repositories: tuple[Repository, ...] = ()
    proofs: tuple[Proof, ...] = ()
    archive: Archive | None = None
    scheduled: bool | None = None
    """Whether a schedule is configured and enabled, as far as the source says."""


def in_order(points: list[BackupPoint]) -> tuple[BackupPoint, ...]:
    """Points sorted by time, then id, so that equal listings give equal series."""
    return tuple(sorted(points, key=lambda p: (p.start, p.id)))
