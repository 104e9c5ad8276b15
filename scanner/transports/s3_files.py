"""Objects of a bucket as files: a key or pattern in, the packed files out (`checks.files`).

Two calls only, `ListObjectsV2` and `GetObject`, so only the newest version of each object is seen;
nothing is ever written. `.gz` is unpacked as it streams by, as the project's own files are.
"""

from __future__ import annotations

import datetime as dt
import gzip
import re
import time
import zlib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from checks.evidence import FailureKind
from checks.files import header
from checks.texts import clean
from scanner.transports.s3_errors import Problem, classify
from scanner.transports.s3_pages import Asked, expect
from scanner.transports.wire import Spool

if TYPE_CHECKING:
    from types_boto3_s3.client import S3Client

MOST_OBJECTS = 10_000
"""A pattern that matches more is a mistake."""
_MOST_PAGES = 100_000
_CHUNK = 1 << 18
_WILD = re.compile(r"\*\*/|\*\*|\*|\?")
_MEANS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


class Target(NamedTuple):
    """Where the objects are and how much of them may be read, until `end` (monotonic)."""

    asked: Asked
    limit: int
    end: float

    @property
    def place(self) -> str:
        """How the bucket is called in failures."""
        return f"bucket {self.asked.bucket}"

    def in_time(self) -> None:
        """Raise when the time is up."""
        if time.monotonic() > self.end:
            raise Problem(FailureKind.TIMEOUT, f"{self.place}: not all was read in time")


def read_objects(spool: Spool, target: Target) -> None:
    """Write every object that matches `path`, sorted by key.

    Raises:
        Problem: nothing matches, too much does, or one may not be read (names the right).
    """
    pattern = target.asked.params.get("path", "")
    keys = _matching(target, pattern)
    if not keys:
        detail = f"{target.place}: no object matches {pattern}"
        raise Problem(FailureKind.COMMAND_FAILED, detail)
    for key in sorted(keys):
        target.in_time()
        _add(spool, target, key)


def matcher(pattern: str) -> tuple[str, re.Pattern[str]]:
    """The text that all keys of a pattern begin with, and what the whole key must match.

    `*` and `?` stay within one folder, `**` does not; everything else stands for itself.
    """
    parts, at = [], 0
    for wild in _WILD.finditer(pattern):
        parts += [re.escape(pattern[at : wild.start()]), _MEANS[wild[0]]]
        at = wild.end()
    parts.append(re.escape(pattern[at:]))
    first = _WILD.search(pattern)
    prefix = pattern[: first.start()] if first else pattern
    return prefix, re.compile("".join(parts), re.DOTALL)


def _matching(target: Target, pattern: str) -> list[str]:
    client: S3Client = target.asked.client
    prefix, wanted = matcher(pattern)
    found: list[str] = []
    more: dict[str, Any] = {}
    for _ in range(_MOST_PAGES):
        target.in_time()
        page = client.list_objects_v2(Bucket=target.asked.bucket, Prefix=prefix, **more)
        expect(page, "IsTruncated")
        for each in page.get("Contents", []):
            key = each["Key"]
            # A key that ends in a slash is how consoles show an empty folder.
            if wanted.fullmatch(key) and not key.endswith("/"):
                found.append(key)
        if len(found) > MOST_OBJECTS:
            detail = f"{target.place}: more than {MOST_OBJECTS} objects match {pattern}"
            raise Problem(FailureKind.TRUNCATED, detail)
        following = page.get("NextContinuationToken") if page["IsTruncated"] else None
        if not following:
            return found
        if following == more.get("ContinuationToken"):
            break
        more = {"ContinuationToken": following}
    raise Problem(FailureKind.UNPARSABLE, f"{target.place}: the store sends the same pages again")


def _add(spool: Spool, target: Target, key: str) -> None:
    body = Spool()
    try:
        changed = _fetch(body, target, key, target.limit - spool.size)
    except BaseException:
        body.close()
        raise
    spool.write(header(clean(key), body.size, changed))
    data = body.finish()
    for at in range(0, len(data), _CHUNK):
        spool.write(data[at : at + _CHUNK])


def _fetch(body: Spool, target: Target, key: str, room: int) -> dt.datetime:
    """Write one object into its spool; when it was last changed."""
    client: S3Client = target.asked.client
    place = f"{target.place}: {clean(key)}"
    try:
        answer = client.get_object(Bucket=target.asked.bucket, Key=key)
        expect(answer, "LastModified")
        with answer["Body"] as stream:
            for chunk in _chunks(stream, packed=key.endswith(".gz")):
                body.write(chunk)
                target.in_time()
                if body.size > room:
                    break
    except (gzip.BadGzipFile, EOFError, zlib.error):
        raise Problem(FailureKind.UNPARSABLE, f"{place} is not a whole gzip file") from None
    except Problem:
        raise
    except Exception as e:  # noqa: BLE001 - whatever a store does is a typed failure
        kind, what = classify(e, "s3:GetObject")
        raise Problem(kind, f"{place}: {what}") from None
    if body.size > room:
        detail = f"{place} exceeds the limit of what is read at once"
        raise Problem(FailureKind.TRUNCATED, detail)
    return answer["LastModified"]


def _chunks(stream: Any, *, packed: bool) -> Iterator[bytes]:  # noqa: ANN401 - botocore's own
    source: Any = gzip.GzipFile(fileobj=stream) if packed else stream
    while chunk := source.read(_CHUNK):
        yield chunk
