"""Files of a folder of packets, those in ZIP archives one by one; no name is ever a path."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from checks.documents.sources.edxml_files import Budget, files_in, open_zip, stream
from checks.evidence import FailureKind, Unparsable
from checks.files import FileEntry
from checks.texts import clean

MOST_PACKETS = 100_000
"""In one archive."""
LARGEST = 128 * 1024 * 1024
"""Bytes of one packet in an archive: it is read into memory."""

_ZIPS = (b"PK\x03\x04", b"PK\x05\x06")

Found = tuple[str, bytes | memoryview | Unparsable]
"""What a packet is called, and what it holds or why it cannot be read."""


class _View(io.RawIOBase):
    """A file to seek in over bytes that lie in a mapping, without copying them."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: len(self._data)}[whence]
        if base + offset < 0:
            raise ValueError("before the beginning of an archive")
        self._at = base + offset
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def packets_of(entry: FileEntry, budget: Budget) -> Iterator[Found]:
    """The file itself, or each file of the archive that it is.

    Raises:
        Unparsable: all archives together unpack to more than is read at once (kind `truncated`).
    """
    if bytes(entry.data[:4]) not in _ZIPS:
        yield entry.name, entry.data
        return
    try:
        archive = open_zip(io.BufferedReader(_View(entry.data)), entry.data, MOST_PACKETS)
    except Unparsable as e:
        yield entry.name, e
        return
    with archive:
        for member in files_in(archive):
            name = f"{entry.name}:{clean(member.filename, 120)}"
            try:
                yield name, _whole(archive, member, budget)
            except Unparsable as e:
                if e.kind is FailureKind.TRUNCATED:
                    raise
                yield name, e


def _whole(archive: zipfile.ZipFile, member: zipfile.ZipInfo, budget: Budget) -> bytes:
    data = bytearray()
    for chunk in stream(archive, member):
        budget.take(len(chunk))
        data += chunk
        if len(data) > LARGEST:
            raise Unparsable(f"larger than {LARGEST} bytes")
    return bytes(data)
