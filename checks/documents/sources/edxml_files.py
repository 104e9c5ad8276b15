"""The files attached to a packet as hashes: base64 decoded in a stream, ZIPs read with limits.

Nothing is written and no name or path of an archive is used. An archive within an archive is
hashed as the file that it is.
"""

from __future__ import annotations

import binascii
import hashlib
import io
import re
import zipfile
import zlib
from collections.abc import Iterator
from itertools import islice

from checks.documents.seals import Sheet
from checks.documents.sources.sheets import Sheets
from checks.evidence import FailureKind, Unparsable

MOST_PACKED = 64 * 1024 * 1024
"""Bytes of a ZIP that is looked into; other files are hashed at any size."""
MOST_UNPACKED = 256 * 1024 * 1024
MOST_RATIO = 200
"""Unpacked bytes for each packed one."""
MOST_MEMBERS = 1000
BUDGET = 8 * 1024 * 1024 * 1024
"""Bytes unpacked for one source, all packets together."""

_ZIP = b"PK\x03\x04"
_CHUNK = 1 << 18
_FIRST = 8
_ENTRY = re.compile(rb"PK\x01\x02")
_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    OverflowError,
)
"""What the standard library raises for a damaged or protected archive."""


class Budget:
    """How much may still be unpacked for one source."""

    def __init__(self, left: int = BUDGET) -> None:
        self.left = left

    def take(self, count: int) -> None:
        """Count unpacked bytes; raises Unparsable (truncated) at too many."""
        self.left -= count
        if self.left < 0:
            detail = "the packets unpack to more than is read at once"
            raise Unparsable(detail, FailureKind.TRUNCATED)


def open_zip(file: io.IOBase, data: bytes | bytearray | memoryview, most: int) -> zipfile.ZipFile:
    """An archive, its directory read; `file` is over `data`.

    Raises:
        Unparsable: it is damaged or has more than `most` members.
    """
    # Each entry of the directory is an object in memory, so they are counted before it is read.
    if sum(1 for _ in islice(_ENTRY.finditer(data), most + 1)) > most:
        raise Unparsable(f"an archive of more than {most} files")
    try:
        return zipfile.ZipFile(file)
    except _DAMAGED:
        raise Unparsable("a damaged archive") from None


def files_in(archive: zipfile.ZipFile) -> Iterator[zipfile.ZipInfo]:
    """The members that are no folders; their names are only shown."""
    # ZipInfo.is_dir fails for a name of no letters.
    return (member for member in archive.infolist() if not member.filename.endswith("/"))


def stream(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member piece by piece; raises Unparsable when it is damaged, protected or exotic."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Unparsable("an archive packed in an unusual way")
    try:
        with archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                yield chunk
    except _DAMAGED:
        raise Unparsable("a damaged or protected archive") from None


def zip_hashes(data: bytes | bytearray, budget: Budget, sheets: Sheets | None = None) -> list[str]:
    """SHA-256 of each file in an archive; raises Unparsable when it goes over a limit.

    `sheets` looks into the files as they stream by.
    """
    found = []
    room = min(MOST_UNPACKED, MOST_RATIO * len(data))
    with open_zip(io.BytesIO(data), data, MOST_MEMBERS) as archive:
        for member in files_in(archive):
            hasher = hashlib.sha256()
            if sheets is not None:
                sheets.begin()
            for chunk in stream(archive, member):
                room -= len(chunk)
                budget.take(len(chunk))
                if room < 0:
                    raise Unparsable("an archive that unpacks to too much")
                hasher.update(chunk)
                if sheets is not None:
                    sheets.feed(chunk)
            found.append(hasher.hexdigest())
            if sheets is not None:
                sheets.end(found[-1])
    if not found:
        raise Unparsable("an archive without a file")
    return found


class Attachments:
    """Takes the attachments of one packet as text and gives their hashes."""

    def __init__(self, budget: Budget, sheets: Sheets | None = None) -> None:
        self._budget = budget
        self._sheets = Sheets() if sheets is None else sheets
        self._sheets.done()  # What came of a packet that broke off is no other packet's.
        self._found: dict[str, None] = {}
        self._unhashed = 0
        self._begun = False
        self.begin()
        self._begun = False

    def begin(self) -> None:
        """An attachment begins."""
        self._begun, self._damaged, self._rest = True, False, ""
        self._hasher, self._size = hashlib.sha256(), 0
        self._packed: bytearray | None = None
        self._sheets.begin()

    def feed(self, text: str) -> None:
        """Some of its base64."""
        if not self._begun or self._damaged:
            return
        text = self._rest + text.translate(_SPACE)
        # The first bytes tell an archive: enough of them must be there at once.
        whole = len(text) // 4 * 4 if self._size or len(text) >= _FIRST else 0
        self._rest = text[whole:]
        self._decode(text[:whole])

    def _decode(self, text: str) -> None:
        try:
            self._take(binascii.a2b_base64(text, strict_mode=True))
        except (binascii.Error, ValueError):
            self._damaged = True

    def _take(self, data: bytes) -> None:
        if not self._size and data.startswith(_ZIP):
            self._packed = bytearray()
        self._size += len(data)
        if self._packed is None:
            self._hasher.update(data)
            self._sheets.feed(data)
        elif self._size > MOST_PACKED:
            self._damaged, self._packed = True, None
        else:
            self._packed += data

    def end(self) -> None:
        """It is complete."""
        if not self._begun:
            return
        self._begun = False
        if not self._damaged:
            self._decode(self._rest)
        if self._damaged:
            self._unhashed += 1
        elif self._packed is not None:
            try:
                self._found |= dict.fromkeys(zip_hashes(self._packed, self._budget, self._sheets))
            except Unparsable:
                self._unhashed += 1
        elif self._size:
            self._found[self._hasher.hexdigest()] = None
            self._sheets.end(self._hasher.hexdigest())
        self._packed = None

    def done(self) -> tuple[tuple[str, ...], int]:
        """The hashes in order, each once, and how many attachments have none."""
        return tuple(self._found), self._unhashed

    def sheets(self) -> tuple[Sheet, ...]:
        """What each file is, those of an archive that breaks off up to there; once for a packet."""
        return self._sheets.done()
