"""Words planted where nothing may be kept from, and the search for them in everything written."""

from __future__ import annotations

import base64
import contextlib
import io
import sqlite3
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

_EDGE = 4
"""Letters at either end of base64 that depend on what stands beside."""


class Canaries:
    """Makes words that occur nowhere else, each for one purpose."""

    def __init__(self) -> None:
        self.words: dict[str, str] = {}

    def __call__(self, purpose: str) -> str:
        """The word of a purpose: letters only, as names and subjects have."""
        n = len(self.words)
        letters = "abcdefghij"
        return self.words.setdefault(
            purpose, f"Zqx{letters[n // 100 % 10]}{letters[n // 10 % 10]}{letters[n % 10]}kuvwyzq"
        )

    def found_in(self, data: bytes) -> list[str]:
        """Purposes of the words that stand in these bytes, in any disguise that mail uses."""
        low = data.lower()
        return [
            purpose
            for purpose, word in self.words.items()
            if any(disguise.lower() in low for disguise in plain(word))
            or any(disguise in data for disguise in encoded(word))
        ]


def plain(word: str) -> Iterator[bytes]:
    """Letters one after the other."""
    yield word.encode()
    yield word.encode("utf-16-le")
    yield quote("".join(f"{c}" for c in word)).encode()


def encoded(word: str) -> Iterator[bytes]:
    """In base64, at any of its three offsets."""
    for before in range(3):
        text = base64.b64encode(b" " * before + word.encode())
        yield text[_EDGE:-_EDGE]


def unpacked(data: bytes) -> Iterator[bytes]:
    """Bytes, and what they hold when they are an archive or compressed."""
    yield data
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for name in archive.namelist():
                yield name.encode()
                yield archive.read(name)
    with contextlib.suppress(zlib.error):
        yield zlib.decompress(data)


def files(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file below a folder, its name with it."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        for part in unpacked(path.read_bytes()):
            yield path.name, path.name.encode() + b"\n" + part


def cells(database: Path) -> Iterator[tuple[str, bytes]]:
    """Every value of every table of a SQLite file, compressed ones unpacked."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        listed = connection.execute("SELECT name FROM sqlite_master WHERE type='table'")
        for (name,) in listed.fetchall():
            for row in connection.execute(f"SELECT * FROM {name}"):  # noqa: S608 - our own names
                for value in row:
                    data = value if isinstance(value, bytes) else str(value).encode()
                    for part in unpacked(data):
                        yield name, part


def leaks(canaries: Canaries, parts: Iterable[tuple[str, bytes]]) -> list[str]:
    """Where which words were found."""
    return sorted({f"{place}: {p}" for place, data in parts for p in canaries.found_in(data)})
