"""The files of a log: unpacked, duplicates left out, put in order of time, read in blocks."""

from __future__ import annotations

import datetime as dt
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.sources.logtime import first_stamp
from checks.evidence import Unparsable
from checks.files import FileEntry

_GZIP = b"\x1f\x8b"
_HEAD = 65536
_BLOCK = 16 * 1024 * 1024
_LARGEST = 4 * 1024 * 1024 * 1024
"""Bytes that one compressed file may become."""
_LONGEST_LINE = 1024 * 1024


class LogFile(msgspec.Struct, frozen=True):
    """One file of a log."""

    name: str
    mtime: dt.datetime
    data: memoryview

    @property
    def compressed(self) -> bool:
        """Whether it is a gzip file."""
        return bytes(self.data[:2]) == _GZIP

    def head(self) -> memoryview:
        """The first 64 KiB of text, or the whole of a plain file's view."""
        if not self.compressed:
            return self.data
        return memoryview(next(_inflate(self, _HEAD), b""))

    def blocks(self) -> Iterator[memoryview]:
        """The text in blocks that end with a line: a plain file is one block and is not copied."""
        if not self.compressed:
            yield self.data
            return
        rest = b""
        for piece in _inflate(self, _BLOCK):
            text = rest + piece
            cut = text.rfind(b"\n") + 1
            if cut:
                yield memoryview(text)[:cut]
            # A line without an end is no log line: give it up rather than collect it.
            rest = text[cut:] if len(text) - cut <= _LONGEST_LINE else b""
        if rest:
            yield memoryview(rest)


def _inflate(file: LogFile, step: int) -> Iterator[bytes]:
    """The text of a gzip file (several members too), at most `step` bytes at a time."""
    total, at = 0, 0
    inflater = zlib.decompressobj(31)
    pending = b""
    while at < len(file.data) or pending:
        if not pending:
            pending, at = bytes(file.data[at : at + _HEAD]), at + _HEAD
        try:
            piece = inflater.decompress(pending, step)
        except zlib.error as e:
            raise Unparsable(f"{file.name}: damaged gzip file ({e})") from None
        pending = inflater.unconsumed_tail
        if inflater.eof:
            pending = inflater.unused_data.lstrip(b"\0")
            inflater = zlib.decompressobj(31)
        total += len(piece)
        if total > _LARGEST:
            raise Unparsable(f"{file.name}: grows beyond {_LARGEST} bytes when unpacked")
        if piece:
            yield piece


def in_order(entries: Iterable[FileEntry], zone: ZoneInfo) -> tuple[list[LogFile], int]:
    """The files by the time of their first line, each once; and how many were the same again.

    A rotated file and its compressed twin count as the same: equal length and equal beginning.
    """
    found: dict[tuple[int, bytes], LogFile] = {}
    same = 0
    for entry in entries:
        file = LogFile(entry.name, entry.mtime, memoryview(entry.data))
        head = file.head()
        size = len(file.data)
        if file.compressed:
            size = int.from_bytes(file.data[-4:], "little")  # the length field at a gzip's end
        identity = size & 0xFFFFFFFF, hashlib.sha256(head[:_HEAD]).digest()
        same += identity in found
        found.setdefault(identity, file)
    keyed = [(_begins(f, zone), f.name, f) for f in found.values()]
    return [f for _, _, f in sorted(keyed, key=lambda k: k[:2])], same


def _begins(file: LogFile, zone: ZoneInfo) -> dt.datetime:
    return first_stamp(file.head(), file.mtime, zone) or file.mtime
