"""Kind `s3`: objects under a prefix of a bucket.

The evidence of `backup.s3` is JSON lines, as the S3 transport writes them. Operation `list`: one
object a line, `{"key", "size", "last_modified", "storage_class", "etag"}`; operation `uploads`:
one unfinished upload a line, `{"key", "initiated", "upload_id"}`. Times are RFC 3339 in UTC. The
last line is `{"total", "bytes", "pages", "capped"}`; `capped` is empty, or says which limit ended
the listing early: `bytes` or `time`. The other operations are told in `s3_answers`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec

from checks.backup.names import base, date_in, group_of, is_empty, is_unfinished
from checks.backup.series import BackupPoint, BackupSeries, Listing, Origin, PointState, in_order
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.place import Place
from checks.backup.sources.s3_answers import RETENTION, RIGHTS, Facts
from checks.backup.sources.s3_bucket import locked, repository
from checks.backup.sources.s3_keys import is_point, place_in, prefix_of, wanted
from checks.backup.timing import FIRST, LATEST, NO_CLOCK, Stamp, choose, read_name
from checks.evidence import Answers, Evidence, Need, NotDeclared, Probe, Request, Source, Unparsable
from checks.model import Context, Subject

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


PROTECTION = Probe(
    id="backup.s3-protection",
    title=f"what the bucket does to protect its objects ({', '.join(RIGHTS.values())})",
    source=Source.S3,
    timeout=60,
    limit=1_048_576,
)
LOCKS = Probe(
    id="backup.s3-locks",
    title=f"locks of the newest objects under a prefix ({RETENTION})",
    source=Source.S3,
    timeout=30,
    limit=65_536,
)
MARKERS = Probe(
    id="backup.s3-markers",
    title="copies that are deleted but still there as versions (s3:ListBucketVersions)",
    source=Source.S3,
    timeout=20,
    limit=65_536,
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
    """The objects under the set's prefix; beside them what the bucket does to protect them."""
    backup = subject.the_backup
    if not backup.bucket:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: bucket")
    place = place_in(backup)
    prefix = prefix_of(place)
    newest_of = {"prefix": prefix, "folder": place.folder, "pattern": place.pattern}

    def beside(probe: Probe, operation: str, **more: str) -> Request:
        # Optional: what the store refuses here never hides the objects.
        return probe.request(backup.bucket, Need.OPTIONAL, operation=operation, **more)

    return [
        OBJECTS.request(backup.bucket, operation="list", prefix=prefix),
        beside(UPLOADS, "uploads", prefix=prefix),
        beside(PROTECTION, "protection"),
        beside(LOCKS, "locks", **newest_of),
        beside(MARKERS, "markers", **newest_of),
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """An object listing as a series, with the bucket as its one repository."""
    subject = context.subject
    place = place_in(subject.the_backup)
    counts = _Counts()
    found = newest(_points(answers.one(OBJECTS.id), place, counts))
    running = list(_running(answers.get(UPLOADS.id), place))
    end = counts.end
    facts = Facts(answers, PROTECTION.id, LOCKS.id, MARKERS.id)
    return BackupSeries(
        asset=subject.the_backup.id,
        source=KIND,
        points=in_order([*locked(found[0], facts), *running]),
        listing=Listing(
            truncated=bool(end and end.capped),
            total=counts.total,
            ignored=counts.ignored,
            older=found[1],
        ),
        repositories=(repository(subject, place, found[0], facts, context.now),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


class _Counts:
    """What streaming over a listing counts on the way."""

    def __init__(self) -> None:
        self.total = 0
        self.ignored = 0
        self.end: S3End | None = None


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
        if is_point(found.key, place):
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
        if wanted(upload.key, place):
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
