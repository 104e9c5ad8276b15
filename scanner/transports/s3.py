"""S3 buckets through boto3: read-only listings, written as the JSON lines of `checks`' kind `s3`.

Memory stays the same however many objects there are: a page of 1,000 is written to a spool before
the next one is asked for, and the spool moves to a file without a name when it grows.
"""

from __future__ import annotations

import datetime as dt
import logging
import mmap
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from checks.model import Evidence, Failure, FailureKind, Request
from checks.texts import clean
from inventory.model import Bucket
from scanner.transports.base import Clock, all_failed
from scanner.transports.s3_errors import classify
from scanner.transports.secrets import resolve
from scanner.transports.wire import Spool

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

_SECTION = 8_388_608
_END_ROOM = 256
"""Bytes kept free for the last line of a listing."""
_SOFT = 0.9
"""Share of the time after which a listing is ended on purpose, so that what came is kept."""
_MOST_EMPTY = 100
"""Pages without a single entry in a row; a store that sends more is leading us round."""

_HOPELESS = frozenset(
    {FailureKind.UNREACHABLE, FailureKind.AUTH, FailureKind.HOST_KEY, FailureKind.TIMEOUT}
)
"""Failures that every further request would meet as well."""

_encode = msgspec.json.Encoder().encode
_log = logging.getLogger(__name__)


class _Problem(Exception):  # noqa: N818 - becomes a failure
    def __init__(self, kind: FailureKind, detail: str) -> None:
        super().__init__(detail)
        self.failure = Failure(kind=kind, detail=clean(detail))


class S3Transport:
    """One visit to one bucket, with one client. `timeout` is for the whole visit, in seconds."""

    def __init__(self, bucket: Bucket, clock: Clock, timeout: float, project: Path) -> None:
        self._bucket = bucket
        self._clock = clock
        self._timeout = timeout
        self._project = project

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """Ask everything, one request after the other, within the visit's time."""
        found: list[Evidence | None] = [None] * len(requests)
        # boto3 limits single reads only; a store that sends one byte at a time would hold us for
        # ever. The visit runs beside us and is left to itself when its time is up.
        visit = threading.Thread(
            target=self._visit,
            args=(tuple(requests), found, time.monotonic()),
            name=f"s3-{self._bucket.id}",
            daemon=True,
        )
        visit.start()
        visit.join(self._timeout)
        late = f"{self._place()}: no complete answer within {self._timeout:.0f} s"
        lost = all_failed(requests, FailureKind.TIMEOUT, late, self._clock())
        return [answer or missing for answer, missing in zip(list(found), lost, strict=True)]

    def _place(self) -> str:
        where = f" at {self._bucket.endpoint}" if self._bucket.endpoint else ""
        return f"bucket {self._bucket.bucket}{where}"

    def _visit(
        self, requests: tuple[Request, ...], found: list[Evidence | None], began: float
    ) -> None:
        end = began + self._timeout * _SOFT
        hopeless: Failure | None = None
        client: S3Client | None = None
        for at, request in enumerate(requests):
            started = time.monotonic()
            stdout, failure = b"", hopeless
            if failure is None:
                try:
                    client = client or self._client(end)
                    stdout = self._answer(client, request, min(end, started + request.timeout))
                except Exception as e:  # noqa: BLE001 - whatever a store does is a typed failure
                    failure = self._failure(e, request)
            if failure is not None and failure.kind in _HOPELESS:
                hopeless = failure
            found[at] = Evidence(
                probe=request.probe,
                target=request.target,
                key=request.key,
                taken=self._clock(),
                stdout=stdout,
                exit=None if failure else 0,
                failure=failure,
                seconds=time.monotonic() - started,
            )
        if client is not None:
            client.close()

    def _client(self, end: float) -> S3Client:
        """The one client of this visit; boto3 loads here and nowhere else."""
        from boto3.session import Session  # noqa: PLC0415
        from botocore.config import Config  # noqa: PLC0415

        bucket = self._bucket
        keys = self._keys(end)
        session = Session(
            profile_name=bucket.profile or None,
            region_name=bucket.region or None,
            aws_access_key_id=keys[0],
            aws_secret_access_key=keys[1],
        )
        step = max(1.0, min(20.0, self._timeout / 3))
        client: S3Client = session.client(
            "s3",
            endpoint_url=bucket.endpoint or None,
            region_name=bucket.region or session.region_name or "us-east-1",
            config=Config(
                connect_timeout=min(10.0, step),
                read_timeout=step,
                retries={"total_max_attempts": 2, "mode": "standard"},
                # Stores of one's own rarely answer to a name for each bucket.
                s3={"addressing_style": "path" if bucket.endpoint else "auto"},
            ),
        )
        return client

    def _keys(self, end: float) -> tuple[str | None, str | None]:
        """Access key and secret; two times None leaves it to the profile or the surroundings."""
        bucket = self._bucket
        if not bucket.access_key and not bucket.secret_key:
            return None, None
        wait = max(0.1, min(10.0, end - time.monotonic()))

        def secret(reference: str) -> str:
            return resolve(reference, self._project, os.environ, wait)

        return secret(bucket.access_key), secret(bucket.secret_key)

    def _answer(self, client: S3Client, request: Request, end: float) -> bytes:
        operation = _OPERATIONS.get(request.params.get("operation", ""))
        if operation is None:
            name = request.params.get("operation", "")
            raise _Problem(FailureKind.MISSING_TOOL, f"S3 operation {name!r} is not known here")
        spool = Spool()
        try:
            pages = _Pages(spool, request.limit or _SECTION, end)
            pages.write_all(operation(client, self._bucket.bucket, request.params))
            data = spool.finish()
        finally:
            spool.close()
        if isinstance(data, mmap.mmap):
            # As everywhere, a view of a mapping passes as bytes only when it was asked for.
            return cast("bytes", memoryview(data)) if request.stream else data[:]
        return data

    def _failure(self, error: Exception, request: Request) -> Failure:
        if isinstance(error, _Problem):
            return error.failure
        right = _RIGHTS.get(request.params.get("operation", ""), "s3:ListBucket")
        kind, what = classify(error, right)
        if kind is FailureKind.COMMAND_FAILED:
            _log.info("%s: %s", self._place(), type(error).__name__)
        return Failure(kind=kind, detail=clean(f"{self._place()}: {what}"))


# ------------------------------------------------------------------------------------- operations

Page = tuple[list[dict[str, Any]], str | None]
"""Entries of a page as they are written, and the mark of the next one."""
Fetch = Callable[[str | None], Page]


class _Pages:
    """Writes pages of entries as JSON lines until the end, the size limit or the deadline."""

    def __init__(self, spool: Spool, limit: int, end: float) -> None:
        self._spool = spool
        self._room = limit - _END_ROOM
        self._end = end
        self._total = 0
        self._bytes = 0

    def write_all(self, fetch: Fetch) -> None:
        pages, empty, capped, mark = 0, 0, "", None
        marks: set[int] = set()
        while not capped:
            entries, mark = fetch(mark)
            pages += 1
            empty = 0 if entries else empty + 1
            capped = self._write(entries)
            if mark is None:
                break
            # Hashes only: a thousand pages of marks need no more than that to see a circle.
            if hash(mark) in marks or empty > _MOST_EMPTY:
                raise _Problem(FailureKind.UNPARSABLE, "the store sends the same pages again")
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
            self._bytes += entry.get("size", 0)
        return ""


def _list(client: S3Client, bucket: str, params: Mapping[str, str]) -> Fetch:
    def fetch(mark: str | None) -> Page:
        more: dict[str, Any] = {"ContinuationToken": mark} if mark else {}
        page = client.list_objects_v2(Bucket=bucket, Prefix=params.get("prefix", ""), **more)
        _expect(page, "IsTruncated")
        entries = [
            {
                "key": found["Key"],
                "size": found["Size"],
                "last_modified": _rfc3339(found["LastModified"]),
                "storage_class": found.get("StorageClass", ""),
                "etag": found.get("ETag", "").strip('"'),
            }
            for found in page.get("Contents", [])
        ]
        return entries, page.get("NextContinuationToken") if page["IsTruncated"] else None

    return fetch


def _uploads(client: S3Client, bucket: str, params: Mapping[str, str]) -> Fetch:
    def fetch(mark: str | None) -> Page:
        more: dict[str, Any] = {}
        if mark:
            more["KeyMarker"], _, more["UploadIdMarker"] = mark.rpartition("\x1f")
        page = client.list_multipart_uploads(Bucket=bucket, Prefix=params.get("prefix", ""), **more)
        _expect(page, "IsTruncated")
        entries = [
            {
                "key": found["Key"],
                "initiated": _rfc3339(found["Initiated"]),
                "upload_id": found.get("UploadId", ""),
            }
            for found in page.get("Uploads", [])
        ]
        following = f"{page.get('NextKeyMarker', '')}\x1f{page.get('NextUploadIdMarker', '')}"
        return entries, following if page["IsTruncated"] else None

    return fetch


_OPERATIONS: dict[str, Callable[[S3Client, str, Mapping[str, str]], Fetch]] = {
    "list": _list,
    "uploads": _uploads,
}
_RIGHTS = {"list": "s3:ListBucket", "uploads": "s3:ListBucketMultipartUploads"}


def _expect(page: Mapping[str, Any], field: str) -> None:
    """Some stores answer everything with 200 and nothing: only a positive field is an answer."""
    if field not in page:
        raise _Problem(FailureKind.UNPARSABLE, f"the store's answer lacks {field}")


def _rfc3339(time_: dt.datetime) -> str:
    aware = time_ if time_.tzinfo else time_.replace(tzinfo=dt.UTC)
    return aware.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
