"""What simply went through, packed into one text: there may be thousands, each asked for alone.

A row that lists them as it lists the others would slow every report; packed, a pair takes about 50
bytes in the store, and only who asks for a number unpacks it.
"""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

KEY = "went"
"""The key of a row's detail under which they stand."""
HASH = 16
"""Characters of a hash that are kept: enough to tell that a line was changed."""
_MOST = 64 * 1024 * 1024
"""Bytes that are unpacked at most: a store may have been tampered with."""


class _Line(msgspec.Struct, frozen=True, array_like=True):
    place: str
    sha256: str
    time: str = ""
    said: str = ""


class _Pair(msgspec.Struct, frozen=True, array_like=True):
    key: str
    date: str
    recipient: str
    sent: str
    register: tuple[_Line, ...]
    gateway: tuple[_Line, ...]


_decode = msgspec.json.Decoder(tuple[_Pair, ...]).decode


def packed(entries: Iterable[Mapping[str, Any]]) -> str:
    """Entries of routed pairs as one text; secret ones are left out, empty when none is left."""
    pairs = [_pair(e) for e in entries if not e.get("secret")]
    if not pairs:
        return ""
    return base64.b85encode(zlib.compress(msgspec.json.encode(pairs), 9)).decode("ascii")


def unpacked(detail: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The entries of a row's detail, as `traces` makes them; none when nothing can be read."""
    text = detail.get(KEY)
    if not isinstance(text, str) or not text:
        return
    try:
        raw = zlib.decompressobj().decompress(base64.b85decode(text), _MOST)
        pairs = _decode(raw)
    except (ValueError, binascii.Error, zlib.error, msgspec.DecodeError, UnicodeDecodeError):
        return
    for pair in pairs:
        yield {
            "key": pair.key,
            "date": pair.date,
            "recipient": pair.recipient,
            "result": "routed",
            "sent": pair.sent,
            "register": [_shown(line) for line in pair.register],
            "gateway": [_shown(line) for line in pair.gateway],
        }


def _pair(entry: Mapping[str, Any]) -> _Pair:
    return _Pair(
        key=entry["key"],
        date=entry["date"],
        recipient=entry["recipient"],
        sent=entry["sent"] or "",
        register=tuple(_line(line) for line in entry.get("register", ())),
        gateway=tuple(_line(line) for line in entry.get("gateway", ())),
    )


def _line(line: Mapping[str, Any]) -> _Line:
    return _Line(
        line["place"], line["sha256"][:HASH], line.get("time") or "", line.get("said") or ""
    )


def _shown(line: _Line) -> dict[str, str]:
    said = {"time": line.time, "said": line.said}
    return {"place": line.place, "sha256": f"{line.sha256}…"} | {k: v for k, v in said.items() if v}
