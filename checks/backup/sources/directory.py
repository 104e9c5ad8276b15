"""Kind `directory`: a folder of dump files on a server, listed and looked at over a shell."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from checks.backup.names import base, date_in, is_companion, is_empty, is_unfinished
from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointState,
)
from checks.backup.sources import directory_scripts as scripts
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.directory_look import (
    Look,
    below,
    pairs_of,
    read_content,
    text_of,
)
from checks.backup.sources.directory_place import Mount, mount_of, repository
from checks.backup.sources.place import place_of
from checks.backup.timing import (
    Chosen,
    Clockwork,
    Stamp,
    choose,
    clockwork,
    from_epoch,
    read_name,
)
from checks.evidence import Answers, Evidence, Need, NotDeclared, Probe, Request, Unparsable
from checks.model import Context, Subject
from checks.probes.host import CLOCK, HostClock, read_clock

KIND = "directory"
LISTING = Probe(
    id="backup.directory",
    title="times, sizes and names of the files in a backup folder",
    script=scripts.listing,
    timeout=30,
    limit=8_388_608,
)
CONTENT = Probe(
    id="backup.directory-content",
    title="kind, completion mark and integrity of the newest files in a backup folder",
    script=scripts.looking,
    timeout=60,
    limit=65_536,
)

_GROWING = dt.timedelta(seconds=30)
"""A file written to within this span before the look may still be growing."""
_TOUCHED = dt.timedelta(hours=12)


class Entry(msgspec.Struct, frozen=True):
    """One listed file: times as stamped by the host (Unix seconds, birth 0 when unknown)."""

    name: str
    mtime: int
    ctime: int
    birth: int
    size: int
    inode: int


class _Reading(msgspec.Struct, frozen=True):
    """Everything needed to turn entries into points."""

    clocks: Clockwork
    seen_at: dt.datetime
    looks: Mapping[str, Look]


def requests(subject: Subject) -> list[Request]:
    """The listing, and beside it what can be done without: the content and the clock."""
    backup = subject.the_backup
    if not backup.server:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: server")
    place = place_of(backup)
    path, pattern = place.folder, place.pattern
    return [
        LISTING.request(backup.server, path=path, pattern=pattern),
        CONTENT.request(backup.server, Need.OPTIONAL, path=path, pattern=pattern),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """A folder's listing as a series."""
    listed = answers.one(LISTING.id)
    entries, whole = read_listing(listed)
    content = answers.get(CONTENT.id)
    clock = answers.get(CLOCK.id)
    clocks = clockwork(_clock(clock))
    reading = _Reading(
        clocks=clocks,
        seen_at=listed.taken,
        looks=read_content(content) if content is not None else {},
    )
    wanted = [e for e in entries if not is_companion(e.name)]
    points, older = newest(_point(e, reading) for e in wanted)
    # The newest that were looked at tell of the files as they are made now.
    plain = any(look.plain for look in reading.looks.values())
    notes = [] if whole else ["partly_unreadable"]
    notes += [] if content is not None else ["content_not_read"]
    notes += [] if clocks.zone is not None else ["zone_unknown"]
    return BackupSeries(
        asset=context.subject.the_backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            truncated=not whole,
            total=len(entries),
            ignored=len(entries) - len(wanted),
            older=older,
            notes=tuple(notes),
        ),
        zone=clocks.zone_name,
        skew=clocks.skew,
        repositories=(
            repository(
                context.subject,
                read_mount(listed),
                place_of(context.subject.the_backup).folder,
                "plain" if plain else "",
            ),
        ),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _clock(evidence: Evidence | None) -> HostClock | None:
    try:
        return read_clock(evidence) if evidence is not None else None
    except Unparsable:
        return None  # the zone is then unknown, and said to be


def read_listing(evidence: Evidence) -> tuple[list[Entry], bool]:
    """The entries of a listing, named from its root on, and whether every folder could be read.

    Raises:
        Unparsable: the answer broke off, or is not what the script prints.
    """
    pairs = list(pairs_of(evidence))
    if len(pairs) < 2 or pairs[0][0] != b"root" or pairs[-1][0] != b"end":
        raise Unparsable(f"{evidence.probe}: the listing broke off")
    root = pairs[0][1]
    entries = []
    for meta, path in pairs[1:-1]:
        if meta in (b"place", b"below"):
            continue
        try:
            mtime, ctime, birth, size, inode = (_whole(part) for part in meta.split(b" "))
        except ValueError:
            # A file that went away between two looks leaves no figures; anything else is strange.
            if meta:
                raise Unparsable(
                    f"{evidence.probe}: no figures of a file in {meta[:60]!r}"
                ) from None
            continue
        entries.append(Entry(below(root, path), mtime, ctime, max(0, birth), max(0, size), inode))
    return entries, pairs[-1][1] == b"0"


def read_mount(evidence: Evidence) -> Mount | None:
    """The file system on which a listed folder lies; None when the answer does not say."""
    told = dict(pairs_of(evidence))
    return mount_of(text_of(told.get(b"place", b"")), text_of(told.get(b"below", b"")))


def _whole(text: bytes) -> int:
    """An integer as `stat` prints it; a `-` for an unknown birth is 0."""
    if text in (b"-", b"?"):
        return 0
    if len(text) > 20:
        raise ValueError
    return int(text)


def _point(entry: Entry, reading: _Reading) -> BackupPoint:
    clocks = reading.clocks
    # A name with a line break is never opened.
    unread = Look(note="content_not_read" if "\n" in entry.name else "")
    look = reading.looks.get(entry.name, unread)
    written = clocks.true(from_epoch(entry.mtime) or _NEVER)
    born = clocks.true(from_epoch(entry.birth) or _NEVER) if entry.birth else None
    chosen = _time(entry, look, written, clocks)
    notes = [*chosen.notes, *([look.note] if look.note else [])]
    state = PointState.OK
    if is_empty(entry.name, entry.size):
        look = Look(bad="empty_archive" if entry.size else "empty_file")
    growing = written.time > reading.seen_at - _GROWING and not look.sure
    start = chosen.start
    if is_unfinished(entry.name):
        state = PointState.RUNNING
        start = min(written.time, born.time) if born else written.time
    elif growing and written.time <= reading.seen_at + _GROWING:
        state = PointState.RUNNING
        notes.append("may_still_grow")
    elif look.bad:
        state = PointState.INVALID
        notes.append(look.bad)
    if born and chosen.origin is Origin.MTIME and written.time - born.time > _TOUCHED:
        notes.append("rewritten_or_touched")
    return BackupPoint(
        id=f"{entry.mtime}:{entry.inode}",
        start=start,
        end=written.time if written.time > start else None,
        uncertainty=chosen.uncertainty,
        size=entry.size,
        state=state,
        origin=chosen.origin,
        clock="host",
        name=base(entry.name),
        checked=look.done,
        encrypted=True if look.cipher and not look.bad else None,
        verified=look.verified,
        notes=tuple(dict.fromkeys(notes)),
    )


def _time(entry: Entry, look: Look, written: Stamp, clocks: Clockwork) -> Chosen:
    named = date_in(entry.name)
    content = clocks.local(look.completed) if look.completed else None
    return choose(written, read_name(named, clocks) if named else None, content)


_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
