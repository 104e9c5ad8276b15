r"""Files of the project folder as evidence: several files packed into one answer, and read back.

An answer is a sequence of entries, each a line of JSON and then the file's bytes:

    {"name":"registers/out-2026.csv","size":1234,"mtime":"2026-11-21T02:00:00Z"}\n<1234 bytes>

A log on a server adds `head`, a checksum of its first line, and `skipped`: there, and not read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

import msgspec

from checks.evidence import FILES, Need, Probe, Request, Source, Unparsable

LONGEST_HEADER = 8192
"""Bytes of an entry's header line, at most."""

_BUCKET_TIMEOUT = 600.0
"""Seconds for the objects of one source; the visit's own time may end it sooner."""


class FileEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One file: its path relative to the project folder, when it was last changed, what it holds.

    `data` is bytes or, when the answer is a view of a mapped file, a slice of that view: give it to
    `bytes(...)` or `str(data, "utf-8")` and keep no copy of a large one.
    """

    name: str
    mtime: dt.datetime
    data: bytes | memoryview
    head: str = ""
    """A checksum of its first line, where the answer has one: it stays when a log is rotated."""
    skipped: bool = False
    """It is there and was not read: all of it is older than what was asked for."""


class _Header(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    name: str
    size: int
    mtime: dt.datetime
    head: str = ""
    skipped: bool = False


_header_of = msgspec.json.Decoder(_Header).decode


def files_request(probe: Probe, path: str, need: Need = Need.REQUIRED) -> Request:
    """Ask for the files that match a path or glob pattern, relative to the project folder."""
    if probe.source is not Source.FILES:
        raise ValueError(f"{probe.id} does not read files")
    return probe.request(FILES, need, path=path)


def files_if_any(probe: Probe, path: str) -> Request:
    """The same for files that may well not be there: the answer is then empty, and no failure."""
    if probe.source is not Source.FILES:
        raise ValueError(f"{probe.id} does not read files")
    return probe.request(FILES, path=path, absent="empty")


def bucket_request(probe: Probe, bucket: str, path: str, need: Need = Need.REQUIRED) -> Request:
    """Ask for the same as objects of a bucket; the answer is packed in the same way.

    `path` is a key or pattern: `*` and `?` stay within one folder, `**` does not.
    """
    return Request(
        probe=probe.id,
        target=bucket,
        source=Source.S3,
        params={"operation": "read", "path": path},
        timeout=_BUCKET_TIMEOUT,
        limit=probe.limit,
        stream=probe.stream,
        sensitive=probe.sensitive,
        need=need,
    )


def header(name: str, size: int, mtime: dt.datetime) -> bytes:
    """The line that stands before a file's bytes; `mtime` is aware, `size` in bytes."""
    utc = mtime.astimezone(dt.UTC)
    return msgspec.json.encode(_Header(name=name, size=size, mtime=utc)) + b"\n"


def pack(entries: Iterable[FileEntry]) -> bytes:
    """Several files as one answer."""
    parts: list[bytes | memoryview] = []
    for entry in entries:
        parts += (header(entry.name, len(entry.data), entry.mtime), entry.data)
    return b"".join(parts)


def unpack(buffer: bytes | memoryview) -> list[FileEntry]:
    """The files of an answer, in order, without copying; raises `Unparsable` when it is damaged."""
    entries: list[FileEntry] = []
    at, end = 0, len(buffer)
    while at < end:
        line, found, _ = bytes(buffer[at : at + LONGEST_HEADER]).partition(b"\n")
        start = at + len(line) + 1
        try:
            head = _header_of(line)
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise Unparsable(f"damaged header of a packed file at byte {at}: {e}") from None
        if not found or head.size < 0 or start + head.size > end or head.mtime.tzinfo is None:
            raise Unparsable(f"packed file cut short or damaged at byte {at}")
        at = start + head.size
        entries.append(
            FileEntry(
                name=head.name,
                mtime=head.mtime,
                data=buffer[start:at],
                head=head.head,
                skipped=head.skipped,
            )
        )
    return entries
