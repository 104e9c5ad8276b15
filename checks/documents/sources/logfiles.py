"""The files of a log: unpacked, copies left out, put in order of time, read in blocks."""

from __future__ import annotations

import bz2
import datetime as dt
import hashlib
import lzma
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import Protocol
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import Place, SourceKind
from checks.documents.sources.logtime import LET_GO, first_line, first_stamp, let_go
from checks.evidence import Unparsable
from checks.files import FileEntry

_GZIP, _BZIP2, _XZ, _ZSTD = b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd"
_NAMES = {_GZIP: "gzip", _BZIP2: "bzip2", _XZ: "xz", _ZSTD: "zstd"}
_MEMORY = 128 * 1024 * 1024
"""Bytes that unpacking an xz file may take; its own header says how much it wants."""
_HEAD = 65536
_BLOCK = 16 * 1024 * 1024
_PIECE = 128 * 1024
_LARGEST = 4 * 1024 * 1024 * 1024
"""Bytes that one compressed file may become."""
_LONGEST_LINE = 1024 * 1024


class LogFile(msgspec.Struct, frozen=True):
    """One file of a log."""

    name: str
    mtime: dt.datetime
    data: memoryview

    @property
    def packing(self) -> bytes:
        """The magic bytes of its compression; empty for plain text."""
        start = bytes(self.data[:6])
        return next((m for m in _NAMES if start.startswith(m)), b"")

    @property
    def compressed(self) -> bool:
        """Whether it is a gzip, bzip2, xz or zstd file."""
        return bool(self.packing)

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


def pieces(file: LogFile) -> Iterator[bytes]:
    """The text, with a line end put before it, in pieces of about 128 KiB cut before line ends.

    A file as long as one likes takes no more memory than some pieces do.
    """
    held: bytes = b"\n"
    for block in file.blocks():
        for at in range(0, len(block), _PIECE):
            text = b"".join((held, block[at : at + _PIECE]))
            cut = text.rfind(b"\n", 1)
            if cut < 0:
                # What has no end is no log line: it is looked at as far as it goes.
                cut = len(text) if len(text) > _LONGEST_LINE else 0
            if cut:
                yield text[:cut]
            held = text[cut:]
            if at % LET_GO == 0:
                let_go(block)
    if held:
        yield held


class _Unpacker(Protocol):
    """What `zlib`, `bz2` and `lzma` have in common here: never more than `step` bytes at a time."""

    def feed(self, data: bytes, step: int) -> bytes:
        """Text of these bytes and of what is still pending."""

    @property
    def pending(self) -> bool:
        """Whether more text is to come without more bytes."""

    @property
    def ended(self) -> bool:
        """Whether one member of the archive is over."""

    @property
    def rest(self) -> bytes:
        """What follows the member."""


class _Gzip:
    def __init__(self) -> None:
        self._inner = zlib.decompressobj(31)

    def feed(self, data: bytes, step: int) -> bytes:
        return self._inner.decompress(self._inner.unconsumed_tail + data, step)

    @property
    def pending(self) -> bool:
        return bool(self._inner.unconsumed_tail)

    @property
    def ended(self) -> bool:
        return self._inner.eof

    @property
    def rest(self) -> bytes:
        return self._inner.unused_data


class _Other:
    def __init__(self, inner: bz2.BZ2Decompressor | lzma.LZMADecompressor) -> None:
        self._inner = inner

    def feed(self, data: bytes, step: int) -> bytes:
        return self._inner.decompress(data, step)

    @property
    def pending(self) -> bool:
        return not self._inner.eof and not self._inner.needs_input

    @property
    def ended(self) -> bool:
        return self._inner.eof

    @property
    def rest(self) -> bytes:
        return self._inner.unused_data


def _unpacker(file: LogFile) -> _Unpacker:
    if file.packing == _GZIP:
        return _Gzip()
    if file.packing == _BZIP2:
        return _Other(bz2.BZ2Decompressor())
    if file.packing == _XZ:
        return _Other(lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY))
    raise Unparsable(f"{file.name}: packed with zstd, which cannot be read here; unpack it first")


def _inflate(file: LogFile, step: int) -> Iterator[bytes]:
    """The text of a packed file (several members too), at most `step` bytes at a time."""
    total, at = 0, 0
    unpacker, begun = _unpacker(file), False
    data = b""
    while at < len(file.data) or data or unpacker.pending:
        if not data and not unpacker.pending:
            data, at = bytes(file.data[at : at + _HEAD]), at + _HEAD
        if not begun:  # members may be padded, as on tapes
            data = data.lstrip(b"\0")
            if not data:
                continue
        try:
            piece = unpacker.feed(data, step)
        except (zlib.error, lzma.LZMAError, OSError, EOFError) as e:
            what = _NAMES[file.packing]
            raise Unparsable(f"{file.name}: damaged {what} file ({e})") from None
        data, begun = b"", True
        if unpacker.ended:
            data = unpacker.rest
            unpacker, begun = _unpacker(file), False
        total += len(piece)
        if total > _LARGEST:
            raise Unparsable(f"{file.name}: grows beyond {_LARGEST} bytes when unpacked")
        if piece:
            yield piece
    if begun:
        raise Unparsable(f"{file.name}: damaged {_NAMES[file.packing]} file (cut short)")


def in_order(entries: Iterable[FileEntry], zone: ZoneInfo) -> tuple[list[LogFile], int]:
    """The files by the time of their first line, each once; and how many were copies.

    A copy begins like another file and says no more: the same file again, its compressed twin, or
    the log as it was some days before.
    """
    groups: dict[bytes, list[LogFile]] = {}
    for entry in entries:
        file = LogFile(entry.name, entry.mtime, memoryview(entry.data))
        # Two logs hardly begin with the same line; only those that do are looked at closely.
        groups.setdefault(hashlib.sha256(first_line(file.head())).digest(), []).append(file)
    kept: list[LogFile] = []
    same = 0
    for group in groups.values():
        ours = group if len(group) == 1 else _without_copies(group)
        same += len(group) - len(ours)
        kept += ours
    # Of files that begin in the same moment the one that was finished first is the older one.
    keyed = [((_begins(f, zone), f.mtime, f.name), f) for f in kept]
    return [f for _, f in sorted(keyed, key=lambda k: k[0])], same


def _without_copies(files: list[LogFile]) -> list[LogFile]:
    """Those that no longer file begins with; of equal ones the first."""
    sized = sorted(
        ((sum(len(b) for b in f.blocks()), -n, f) for n, f in enumerate(files)),
        key=lambda s: s[:2],
        reverse=True,
    )
    kept: list[tuple[LogFile, bytes]] = []
    for _, _, file in sized:
        head = bytes(file.head()[:_HEAD])
        if not any(longer.startswith(head) for _, longer in kept):
            kept.append((file, head))
    return [f for f in files if any(f is k for k, _ in kept)]


def _begins(file: LogFile, zone: ZoneInfo) -> dt.datetime:
    return first_stamp(file.head(), file.mtime, zone) or file.mtime


class LineCounter:
    """Line numbers of growing offsets in a block, counted piece by piece."""

    def __init__(self, block: memoryview, base: int) -> None:
        self._block = block
        self._line = base
        self._offset = 0

    def at(self, offset: int) -> int:
        """The line that holds this offset; offsets must not go back."""
        while self._offset < offset:
            end = min(offset, self._offset + 1_048_576)
            self._line += bytes(self._block[self._offset : end]).count(b"\n")
            self._offset = end
        return self._line


def place(found: re.Match[bytes], name: str, counter: LineCounter, ref: bytes = b"") -> Place:
    """Where a line stands; its first group is the number that a search on the host gave it."""
    line = int(found[1]) if found[1] else counter.at(found.start())
    raw = found[0][len(found[1]) + 1 :] if found[1] else found[0]
    return Place(
        source=SourceKind.MAIL,
        file=name,
        line=line,
        sha256=hashlib.sha256(raw).hexdigest(),
        ref=ref.decode("ascii", "replace"),
    )
