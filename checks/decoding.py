"""The text of a file, line by line, in whatever encoding an office program wrote it."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator

from checks.evidence import Unparsable
from checks.files import FileEntry

LONGEST_LINE = 1 << 20
"""Characters; what has longer lines is no table."""
_CHUNK = 1 << 20


class _View(io.RawIOBase):
    """A file over bytes that lie in memory or in a mapping, without copying them."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = memoryview(data)
        self._at = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        piece = self._data[self._at : self._at + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)


def encoding_of(data: bytes | memoryview) -> str:
    """By its BOM, else UTF-16 by its zeros, else UTF-8, else Windows-1258."""
    head = bytes(data[:400])
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.count(0) * 3 > len(head):
        return "utf-16-be" if head[0] == 0 else "utf-16-le"
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        for at in range(0, len(data), _CHUNK):
            decoder.decode(data[at : at + _CHUNK])
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return "cp1258"
    return "utf-8-sig"


def text_of(entry: FileEntry) -> str:
    """The whole text of a file."""
    return bytes(entry.data).decode(encoding_of(entry.data), "replace")


def lines_of(entry: FileEntry, encoding: str) -> Iterator[str]:
    """The lines with their ends, read piece by piece; Unparsable when one is no line any more."""
    raw = io.BufferedReader(_View(entry.data), _CHUNK)
    text = io.TextIOWrapper(raw, encoding, "replace", newline="")
    number = 0
    while line := text.readline(LONGEST_LINE):
        number += 1
        if len(line) == LONGEST_LINE:
            raise Unparsable(f"{entry.name}:{number}: longer than {LONGEST_LINE} characters")
        yield line
