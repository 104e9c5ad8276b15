"""Records of X-Road operational monitoring out of any JSON that holds them, piece by piece.

An array, one object a line, the answer `{"records": [...]}` or an export that wraps each record:
the objects that hold no further object are the records. Nothing is held but one of them.
"""

from __future__ import annotations

import codecs
import itertools
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from checks.evidence import Unparsable
from checks.files import FileEntry

LONGEST = 1 << 16
"""Bytes of one record."""
WINDOW = 1 << 18
"""Bytes that are looked at together."""
MOST_WIDE = 256 * 1024 * 1024
"""Bytes of a UTF-16 file, which is rewritten in memory."""
_MOST_UNCLOSED = 1000

# Up to the next brace that stands in no string; a string ends at its line's end at the latest, so
# that a damaged line costs no other. Every branch can go on, so nothing is ever tried twice.
_PIECE = re.compile(rb'[^"{}]*(?:"[^"\\\n]*(?:\\.[^"\\\n]*)*("?)[^"{}]*)*([{}]|\Z)')
_REST_OF_STRING = re.compile(rb'[^"\\\n]*(?:\\.[^"\\\n]*)*("?)')


class Record(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """What is read of a record; moments are milliseconds since 1970 in UTC."""

    request_in_ts: int | None = None
    request_out_ts: int | None = None
    client_member_code: str | None = None
    client_subsystem_code: str | None = None
    service_member_code: str | None = None
    service_subsystem_code: str | None = None
    service_code: str | None = None
    message_id: str | None = None
    x_request_id: str | None = None
    succeeded: bool | None = None
    fault_code: str | None = None
    status_code: int | None = None
    records: list[Any] | None = None
    """There in an answer without any record."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """One object of a file: where it begins, its bytes, and the record that it is, if any."""

    line: int
    raw: bytes
    record: Record | None


_decoder = msgspec.json.Decoder(Record, strict=False)


def records_of(entry: FileEntry) -> Iterator[Found]:
    """Every object that may be a record; raises Unparsable for a UTF-16 file that is too large."""
    data = _plain(entry)
    line, at = 1, 0
    for start, end in _spans(data):
        line += _lines(data, at, start)
        at = start
        raw = bytes(data[start:end]) if end - start <= LONGEST else b""
        record = _decoded(raw)
        if record is None or record.records is None:
            yield Found(line, raw, record)


def _plain(entry: FileEntry) -> memoryview:
    head = bytes(entry.data[:2])
    if head not in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return memoryview(entry.data)
    if len(entry.data) > MOST_WIDE:
        raise Unparsable(f"{entry.name}: too large for UTF-16; save it as UTF-8")
    return memoryview(str(entry.data, "utf-16", "replace").encode("utf-8", "replace"))


def _decoded(raw: bytes) -> Record | None:
    try:
        return _decoder.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def _spans(data: memoryview) -> Iterator[tuple[int, int]]:
    """Begin and end of each innermost object; nothing for each that never ends."""
    at, begin, end, depth = 0, -1, len(data), 0
    inside = False
    while at < end:
        limit = min(end, at + WINDOW)
        if inside:
            rest = _REST_OF_STRING.match(data, at, limit)
            inside, at = _cut(rest, limit), max(at + 1, rest.end() if rest else limit)
            continue
        here, last = at, None
        for found in _PIECE.finditer(data, at, limit):
            last = found
            brace = found[2]
            if not brace:
                break
            if brace == b"{":
                begin, depth = found.end() - 1, depth + 1
            else:
                depth = max(0, depth - 1)
                if begin >= 0:
                    yield begin, found.end()
                begin = -1
            here = found.end()
        # What was cut off by the window is looked at again, unless it alone is longer.
        if here > at and limit < end:
            at = here
        else:
            inside, at = _cut(last, limit), limit
    yield from itertools.repeat((end, end), min(depth, _MOST_UNCLOSED))


def _cut(found: re.Match[bytes] | None, limit: int) -> bool:
    """Whether a string was still open where the window ended; its last byte may be a backslash."""
    return found is not None and found[1] == b"" and found.end(1) >= limit - 1


def _lines(data: memoryview, start: int, end: int) -> int:
    return sum(
        bytes(data[at : min(end, at + WINDOW)]).count(b"\n") for at in range(start, end, WINDOW)
    )
