"""What a scan remembers of a mail log, so that the next one reads only the rest of it.

Remembered is everything that came of the mails whose first line lies before a moment some days
before the end of the log, the mark: such mails are over, so nothing that is under way has to be
kept. Mails that began later are read again. The mark is a time, so it does not matter whether logs
were rotated, renamed or compressed since. Of the lines that are read again a digest is kept: when
they no longer stand in the log as they did, nothing is built upon them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TypeVar
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import DocumentEvent
from checks.documents.sources.logtime import LET_GO, last_stamp, let_go
from checks.documents.sources.mail_probe import SENT_AS
from checks.documents.sources.mails import Counted
from checks.evidence import Value
from checks.files import FileEntry

T = TypeVar("T")
READING = 2
"""Of the readers: raised whenever they come to read the same lines in another way."""
VERSION = f"{READING}-{SENT_AS}"
OVER = dt.timedelta(days=6)
"""After which a mail gets nowhere any more: mail servers give up after five days at most."""
LEAD = dt.timedelta(days=1)
"""Read before the mark as well, for mails that a filter hands from one id to the next."""
OLDEST = dt.timedelta(days=400)
"""Events longer ago than any period are not remembered."""
_AHEAD = dt.timedelta(hours=1)
"""A last line that is later than its file by more is not believed."""
MOST = 8 * 1024 * 1024
"""Bytes of one log's memory, packed; beyond that the log is read whole every time."""
_UNPACKED = 128 * 1024 * 1024
_NUMBERED = re.compile(rb"\d+:")
_LINE_END = re.compile(rb"\n")
GONE = "~"
"""Stands after the name of a file that is no longer on the host."""


class Begin(Value, frozen=True):
    """Where in one file reading begins next time, and what stood there."""

    head: str
    """The checksum of the file's first line; see `FileEntry`."""
    line: int
    size: int
    """Bytes that were read of it from this line on, without the last line end."""
    digest: str
    last: dt.datetime | None
    """The file's last stamp."""


class Mark(Value, frozen=True):
    """What the next scan must know to ask for the rest."""

    version: str
    since: dt.datetime
    begins: tuple[Begin, ...]
    """None when the log could not be parted: it is read whole, and nothing found is forgotten."""


class Remembered(Value, frozen=True):
    """What is known of a log; `base` is of the mails that began before `until`, `rest` of others.

    `rest` is read again, and only needed when that is no longer possible.
    """

    mark: Mark
    until: dt.datetime
    knows: str
    """A digest of what was looked for, and how; see `knowing`."""
    base: Counted
    rest: Counted
    names: dict[str, str]
    """What files were called, to the checksums of their first lines."""
    known_since: dt.datetime
    """When the log was first read."""
    changed: dt.datetime | None = None
    """When lines that had been read were last found changed or gone."""


def knowing(signs: Iterable[str], zone: ZoneInfo, key: str, senders: Sequence[str] = ()) -> str:
    """A digest of what a reader looks for: signs, its zone, the key of hashes, own mailboxes."""
    said = msgspec.json.encode([VERSION, sorted(signs), zone.key, key, *senders])
    return hashlib.sha256(said).hexdigest()


# ------------------------------------------------------------------------------------- as bytes

_mark = msgspec.json.Decoder(Mark)
_remembered = msgspec.msgpack.Decoder(Remembered)


def mark_bytes(mark: Mark) -> bytes:
    """A mark as JSON."""
    return msgspec.json.encode(mark)


def mark_of(data: bytes) -> Mark | None:
    """Its inverse; None when it is of another version, damaged, or says that nothing is known."""
    found = _decoded(_mark.decode, data)
    return found if found is not None and found.version == VERSION and found.begins else None


def packed(known: Remembered) -> bytes | None:
    """As bytes; None when it is too much to be kept."""
    data = zlib.compress(msgspec.msgpack.encode(known), 6)
    return data if len(data) <= MOST else None


def unpacked(data: bytes) -> Remembered | None:
    """Its inverse, of any version that had the same fields; None when it is damaged."""
    unpacker = zlib.decompressobj()
    try:
        raw = unpacker.decompress(data, _UNPACKED)
    except zlib.error:
        return None
    return _decoded(_remembered.decode, raw) if unpacker.eof else None


def _decoded(decode: Callable[[bytes], T], data: bytes) -> T | None:
    try:
        return decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None


def ended(data: bytes, cutoff: dt.datetime) -> bytes:
    """A packed memory without what is older than `cutoff`; empty when it cannot be read."""
    known = unpacked(data)
    if known is None:
        return b""
    utc = ZoneInfo("UTC")
    base, rest = without_old(known.base, cutoff, utc), without_old(known.rest, cutoff, utc)
    return packed(msgspec.structs.replace(known, base=base, rest=rest)) or b""


def without_old(known: Counted, cutoff: dt.datetime, zone: ZoneInfo) -> Counted:
    """The same without events, days and hours before `cutoff`; counts stay."""
    if known.first is None or known.first >= cutoff:
        return known
    day, hour = cutoff.astimezone(zone).date(), int(cutoff.timestamp()) // 3600
    return msgspec.structs.replace(
        known,
        events=tuple(e for e in known.events if e.time is None or e.time >= cutoff),
        days=frozenset(d for d in known.days if d >= day),
        hours=frozenset(h for h in known.hours if h >= hour),
        first=cutoff if known.last and known.last >= cutoff else None,
        last=known.last if known.last and known.last >= cutoff else None,
    )


# ------------------------------------------------------------------------------------- in a log


def later(
    files: Iterable[FileEntry], zone: ZoneInfo, past: Remembered | None
) -> tuple[dt.datetime, dt.datetime] | None:
    """From when on the next scan should read, and the mark; None when no line has a stamp.

    Neither goes back behind what is remembered.
    """
    ends = [
        stamp
        for f in files
        if (stamp := last_stamp(memoryview(f.data), f.mtime, zone)) and stamp <= f.mtime + _AHEAD
    ]
    if not ends:
        return None
    mark = (max(ends) - OVER).replace(minute=0, second=0, microsecond=0)
    if past is not None and mark <= past.until:
        return past.mark.since, past.until
    return mark - LEAD, mark


def begin_of(file: FileEntry, line: int, zone: ZoneInfo) -> Begin | None:
    """Where to begin in a file next time; None when that cannot be told."""
    view = memoryview(file.data)
    start = _position(view, line)
    if start is None or not file.head:
        return None
    # The last line may have been half written: it may go on, its beginning stays.
    size = len(view) - start - (bytes(view[-1:]) == b"\n")
    return Begin(
        head=file.head,
        line=line,
        size=size,
        digest=_digest(view[start : start + size]),
        last=last_stamp(view, file.mtime, zone),
    )


def fallen(files: Sequence[FileEntry], mark: Mark) -> tuple[Begin, ...]:
    """The stretches that no longer stand in the files as they did.

    None when another version made the mark: other lines may be sent now of the same log.
    """
    if mark.version != VERSION:
        return ()
    begins = mark.begins
    return tuple(b for b in begins if not any(_stands(f, b) for f in files if f.head == b.head))


def _stands(file: FileEntry, begin: Begin) -> bool:
    view = memoryview(file.data)
    start = _position(view, begin.line)
    if start is None or start + begin.size > len(view):
        return False
    return _digest(view[start : start + begin.size]) == begin.digest


def _position(view: memoryview, line: int) -> int | None:
    """Where a line begins; a search on the host may have put its number before it."""
    if _NUMBERED.match(view):
        if bytes(view[:24]).startswith(b"%d:" % line):
            return 0
        found = re.search(rb"\n%d:" % line, view)
        return None if found is None else found.start() + 1
    if line <= 1:
        return 0
    end = next(islice(_LINE_END.finditer(view), line - 2, None), None)
    return None if end is None else end.end()


def _digest(view: memoryview) -> str:
    hasher = hashlib.blake2b(digest_size=20)
    for at in range(0, len(view), LET_GO):
        hasher.update(view[at : at + LET_GO])
        let_go(view)
    return hasher.hexdigest()


# ------------------------------------------------------------------------------ what is carried on


def renamed(
    events: Iterable[DocumentEvent], before: dict[str, str], files: Iterable[FileEntry]
) -> tuple[DocumentEvent, ...]:
    """Events under the names that their files have now; `before` gives the checksums by name."""
    now: dict[str, str] = {}
    for file in files:
        now.setdefault(file.head, file.name)
    names = {name: now.get(head, name + GONE) for name, head in before.items() if head}
    return tuple(
        msgspec.structs.replace(e, place=msgspec.structs.replace(e.place, file=name))
        if (name := names.get(e.place.file, e.place.file)) != e.place.file
        else e
        for e in events
    )
