"""Kind `s3`: objects under a prefix of a bucket.

The evidence of `backup.s3` is JSON lines, as the S3 transport writes them. Operation `list`: one
object a line, `{"key", "size", "last_modified", "storage_class", "etag"}`; operation `uploads`:
one unfinished upload a line, `{"key", "initiated", "upload_id"}`. Times are RFC 3339 in UTC. The
last line is `{"total", "bytes", "pages", "capped"}`; `capped` is empty, or says which limit ended
the listing early: `bytes` or `time`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from checks.backup.names import base, date_in, group_of, is_companion, is_empty, is_unfinished
from checks.backup.series import BackupPoint, BackupSeries, Listing, Origin, PointState
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.place import Place, place_of
from checks.backup.timing import FIRST, LATEST, NO_CLOCK, Stamp, choose, read_name
from checks.model import (
    Answers,
    Context,
    Evidence,
    Need,
    NotDeclared,
    Probe,
    Request,
    Source,
    Subject,
    Unparsable,
)

KIND = "s3"
OBJECTS = Probe(
    id="backup.s3",
    title="keys, times and sizes of the objects under a prefix (s3:ListBucket)",
    source=Source.S3,
    timeout=120,
    limit=268_435_456,
    stream=True,
)
UPLOADS = Probe(
    id="backup.s3-uploads",
    title="unfinished uploads under a prefix (s3:ListBucketMultipartUploads)",
    source=Source.S3,
    timeout=30,
    limit=1_048_576,
)


class S3Object(msgspec.Struct, frozen=True):
    """One line of operation `list`."""

    key: str
    size: int
    last_modified: dt.datetime
    storage_class: str = ""
    etag: str = ""


class S3Upload(msgspec.Struct, frozen=True):
    """One line of operation `uploads`."""

    key: str
    initiated: dt.datetime
    upload_id: str = ""


class S3End(msgspec.Struct, frozen=True):
    """The last line of a listing."""

    total: int
    bytes: int
    pages: int
    capped: str = ""


_object = msgspec.json.Decoder(S3Object)
_upload = msgspec.json.Decoder(S3Upload)
_end = msgspec.json.Decoder(S3End)


def requests(subject: Subject) -> list[Request]:
    """The objects under the set's prefix, and beside them the unfinished uploads."""
    backup = subject.the_backup
    if not backup.bucket:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: bucket")
    prefix = _prefix(_place(subject))
    return [
        OBJECTS.request(backup.bucket, operation="list", prefix=prefix),
        UPLOADS.request(backup.bucket, Need.OPTIONAL, operation="uploads", prefix=prefix),
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """An object listing as a series."""
    place = _place(context.subject)
    counts = _Counts()
    found = newest(_points(answers.one(OBJECTS.id), place, counts))
    running = list(_running(answers.get(UPLOADS.id), place))
    end = counts.end
    return BackupSeries(
        asset=context.subject.the_backup.id,
        source=KIND,
        points=(*found[0], *running),
        listing=Listing(
            truncated=bool(end and end.capped),
            total=counts.total,
            ignored=counts.ignored,
            older=found[1],
        ),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


class _Counts:
    """What streaming over a listing counts on the way."""

    def __init__(self) -> None:
        self.total = 0
        self.ignored = 0
        self.end: S3End | None = None


def _place(subject: Subject) -> Place:
    place = place_of(subject.the_backup)
    folder = place.folder.lstrip("/")
    return Place("" if folder == "." else folder, place.pattern)


def _prefix(place: Place) -> str:
    """The longest text that every wanted key begins with."""
    if not place.pattern:
        return place.folder
    literal = place.pattern
    for wild in "*?[":
        literal = literal.partition(wild)[0]
    return f"{place.folder}/{literal}" if place.folder else literal


def _wanted(key: str, place: Place) -> bool:
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


def _lines(evidence: Evidence) -> Iterator[bytes]:
    """Lines of a stdout that may be a view of a mapped file, without copying all of it."""
    view = memoryview(evidence.stdout)
    rest = b""
    for at in range(0, len(view), 1 << 20):
        parts = (rest + bytes(view[at : at + (1 << 20)])).split(b"\n")
        rest = parts.pop()
        yield from parts
    if rest:
        yield rest


def _points(evidence: Evidence, place: Place, counts: _Counts) -> Iterator[BackupPoint]:
    for line in _lines(evidence):
        if counts.end is not None:
            raise Unparsable(f"{evidence.probe}: lines after the end of the listing")
        try:
            if line.startswith(b'{"total"'):
                counts.end = _end.decode(line)
                continue
            found = _object.decode(line)
        except msgspec.DecodeError as e:
            raise Unparsable(f"{evidence.probe}: line {counts.total + 1}: {e}") from None
        counts.total += 1
        if _wanted(found.key, place) and not is_companion(found.key) and found.key[-1:] != "/":
            yield _point(found)
        else:
            counts.ignored += 1
    if counts.end is None:
        raise Unparsable(f"{evidence.probe}: the listing broke off")


def _point(found: S3Object) -> BackupPoint:
    stored = _utc(found.last_modified)
    named = date_in(found.key)
    # Who wrote the name, and in which zone, the store does not know: its own stamp decides unless
    # the name says its zone or lies days away.
    chosen = choose(
        Stamp(stored), read_name(named, NO_CLOCK) if named else None, None, Origin.SERVER
    )
    notes = list(chosen.notes)
    state = PointState.OK
    if is_unfinished(found.key):
        state = PointState.RUNNING
    elif is_empty(found.key, found.size):
        state = PointState.INVALID
        notes.append("empty_archive" if found.size else "empty_file")
    return BackupPoint(
        id=f"{found.key}@{int(stored.timestamp())}",
        start=chosen.start,
        end=stored if stored > chosen.start else None,
        uncertainty=chosen.uncertainty,
        size=max(0, found.size),
        state=state,
        origin=chosen.origin,
        clock="store" if chosen.origin is Origin.SERVER else "writer",
        name=base(found.key),
        notes=tuple(notes),
    )


def _running(evidence: Evidence | None, place: Place) -> Iterator[BackupPoint]:
    """Unfinished uploads; they are told beside the listing, so a broken answer tells of none."""
    for line in _lines(evidence) if evidence is not None else ():
        try:
            upload = _upload.decode(line)
        except msgspec.DecodeError:
            continue
        if _wanted(upload.key, place):
            started = _utc(upload.initiated)
            yield BackupPoint(
                id=f"{upload.key}@{upload.upload_id}",
                start=started,
                state=PointState.RUNNING,
                origin=Origin.SERVER,
                clock="store",
                name=base(upload.key),
                group=group_of(upload.key),
            )


def _utc(time: dt.datetime) -> dt.datetime:
    """A store's stamp as UTC; what is no time that could be meant lies at the end it is near."""
    wall = time.replace(tzinfo=dt.UTC)
    if not FIRST < wall < LATEST:
        return FIRST if wall <= FIRST else LATEST
    return time.astimezone(dt.UTC) if time.tzinfo else wall
