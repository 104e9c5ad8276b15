"""Listings of S3 page by page, in bounded memory: objects, unfinished uploads, and the end line."""

from __future__ import annotations

import datetime as dt
import heapq
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from checks.backup.sources.place import Place
from checks.backup.sources.s3_keys import is_finished
from checks.evidence import FailureKind
from scanner.transports.s3_errors import Problem
from scanner.transports.wire import Spool

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_END_ROOM = 256
"""Bytes kept free for the last line of a listing."""
_MOST_EMPTY = 100
"""Pages with nothing in them in a row; a store that sends more is leading us round."""

_encode = msgspec.json.Encoder().encode


class Page(NamedTuple):
    """Entries as they are written, the mark of the next page, and how much the store sent."""

    entries: list[dict[str, Any]]
    following: str | None
    sent: int


Fetch = Callable[[str | None], Page]
Client = Any
"""A client of boto3, which makes its classes while it runs."""


class Newest:
    """The keys of the newest finished copies of one place, picked while the listing passes by."""

    def __init__(self, place: Place, most: int) -> None:
        self._place = place
        self._most = most
        self._heap: list[tuple[dt.datetime, str]] = []
        self.listed = False
        """Whether a listing passed by at all."""

    def see(self, stamped: dt.datetime, key: str) -> None:
        """Keep an object if it is among the newest so far."""
        full = len(self._heap) >= self._most
        if full and (stamped, key) <= self._heap[0]:
            return
        if self.takes(key):
            (heapq.heapreplace if full else heapq.heappush)(self._heap, (stamped, key))

    def takes(self, key: str) -> bool:
        """Whether a key is that of a finished copy of the place."""
        return is_finished(key, self._place)

    def newest(self) -> list[tuple[dt.datetime, str]]:
        """Times and keys, newest first."""
        return sorted(self._heap, reverse=True)


class Asked(NamedTuple):
    """What an operation is given."""

    client: Client
    bucket: str
    params: Mapping[str, str]
    passing: Sequence[Newest] = ()
    """Those who look at the objects of this listing as they pass by."""
    newest: Newest | None = None
    """The newest objects of the place that this request is about."""

    @property
    def prefix(self) -> str:
        """The text that every key begins with."""
        return self.params.get("prefix", "")


class Pages:
    """Writes pages of entries as JSON lines until the end, the size limit or the deadline."""

    def __init__(self, spool: Spool, limit: int, end: float) -> None:
        self._spool = spool
        self._room = limit - _END_ROOM
        self._end = end
        self._total = 0
        self._bytes = 0

    def write_all(self, fetch: Fetch) -> None:
        """Fetch and write every page, then the line that ends a listing."""
        pages, empty, capped, mark = 0, 0, "", None
        marks: set[int] = set()
        while not capped:
            entries, mark, sent = fetch(mark)
            pages += 1
            empty = 0 if sent else empty + 1
            capped = self._write(entries)
            if mark is None:
                break
            # Hashes only: a thousand pages of marks need no more than that to see a circle.
            if hash(mark) in marks or empty > _MOST_EMPTY:
                raise Problem(FailureKind.UNPARSABLE, "the store sends the same pages again")
            marks.add(hash(mark))
            if not capped and time.monotonic() > self._end:
                capped = "time"
        last = {"total": self._total, "bytes": self._bytes, "pages": pages, "capped": capped}
        self._spool.write(_encode(last) + b"\n")

    def _write(self, entries: list[dict[str, Any]]) -> str:
        for entry in entries:
            line = _encode(entry) + b"\n"
            if self._spool.size + len(line) > self._room:
                return "bytes"
            self._spool.write(line)
            self._total += 1
            self._bytes += entry.get("size") or 0
        return ""


def objects(asked: Asked) -> Fetch:
    """`list`: every object under the prefix."""
    client: S3Client = asked.client

    def fetch(mark: str | None) -> Page:
        more: dict[str, Any] = {"ContinuationToken": mark} if mark else {}
        page = client.list_objects_v2(Bucket=asked.bucket, Prefix=asked.prefix, **more)
        expect(page, "IsTruncated")
        contents = page.get("Contents", [])
        entries = [
            {
                "key": found["Key"],
                "size": found["Size"],
                "last_modified": rfc3339(found["LastModified"]),
                "storage_class": found.get("StorageClass", ""),
                "etag": found.get("ETag", "").strip('"'),
            }
            for found in contents
        ]
        for newest in asked.passing:
            newest.listed = True
            for found in contents:
                newest.see(found["LastModified"], found["Key"])
        following = page.get("NextContinuationToken") if page["IsTruncated"] else None
        return Page(entries, following, len(contents))

    return fetch


def uploads(asked: Asked) -> Fetch:
    """`uploads`: every unfinished upload under the prefix."""
    client: S3Client = asked.client

    def fetch(mark: str | None) -> Page:
        more: dict[str, Any] = {}
        if mark:
            more["KeyMarker"], _, more["UploadIdMarker"] = mark.rpartition("\x1f")
        page = client.list_multipart_uploads(Bucket=asked.bucket, Prefix=asked.prefix, **more)
        expect(page, "IsTruncated")
        entries = [
            {
                "key": found["Key"],
                "initiated": rfc3339(found["Initiated"]),
                "upload_id": found.get("UploadId", ""),
            }
            for found in page.get("Uploads", [])
        ]
        following = f"{page.get('NextKeyMarker', '')}\x1f{page.get('NextUploadIdMarker', '')}"
        return Page(entries, following if page["IsTruncated"] else None, len(entries))

    return fetch


def expect(page: Mapping[str, Any], field: str) -> None:
    """Some stores answer everything with 200 and nothing: only a positive field is an answer."""
    if field not in page:
        raise Problem(FailureKind.UNPARSABLE, f"the store's answer lacks {field}")


def rfc3339(time_: dt.datetime) -> str:
    """A store's time in UTC, as it is written in evidence."""
    aware = time_ if time_.tzinfo else time_.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
