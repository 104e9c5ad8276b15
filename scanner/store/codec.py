"""Values to bytes and back. Pure.

Packed bytes tell by their first byte what they are: `x` zlib, `{` JSON, anything else msgpack.
"""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_WORTH_IT = 1024
"""Bytes from which compressing is worth its time."""
_encoder = msgspec.msgpack.Encoder()
_escaped = re.compile(r"\\(\\|0|u[0-9a-f]{4})")


def pack(value: object) -> bytes:
    """Any value of ours as bytes.

    Integers beyond 64 bits go as JSON; halves of surrogate pairs, which no encoding can carry,
    become U+FFFD.
    """
    raw = _raw(value)
    if len(raw) < _WORTH_IT:
        return raw
    small = zlib.compress(raw, 1)
    return small if len(small) < len(raw) else raw


def _raw(value: object) -> bytes:
    try:
        return _encoder.encode(value)
    except OverflowError:
        return _or_mended(value, msgspec.json.encode)
    except UnicodeEncodeError:
        return _raw(_mended(msgspec.to_builtins(value, builtin_types=(dt.datetime, bytes))))


def _or_mended(value: object, encode: Callable[[Any], bytes]) -> bytes:
    try:
        return encode(value)
    except UnicodeEncodeError:
        return encode(_mended(msgspec.to_builtins(value)))


def _mended(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(k): _mended(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(v) for v in value]
    return value


def unpacker(kind: type[T]) -> Callable[[bytes], T]:
    """A fast reader of packed values of one type; it raises ValueError for damaged bytes."""
    from_msgpack = msgspec.msgpack.Decoder(kind)
    from_json = msgspec.json.Decoder(kind)

    def read(data: bytes) -> T:
        try:
            raw = zlib.decompress(data) if data[:1] == b"x" else data
            return from_json.decode(raw) if raw[:1] == b"{" else from_msgpack.decode(raw)
        except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise ValueError(f"{kind.__name__}: {e}") from e

    return read


def to_column(text: str) -> str:
    r"""Text that any database takes: NUL and lone surrogates escaped after a backslash."""
    if "\\" not in text and "\0" not in text:
        try:
            text.encode()
        except UnicodeEncodeError:
            pass
        else:
            return text
    text = text.replace("\\", "\\\\").replace("\0", "\\0")
    return text.encode("utf-8", "backslashreplace").decode()


def from_column(text: str) -> str:
    """Inverse of `to_column`."""
    if "\\" not in text:
        return text
    plain = {"\\": "\\", "0": "\0"}
    return _escaped.sub(lambda m: plain.get(m[1]) or chr(int(m[1][1:], 16)), text)


def to_micros(when: dt.datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (when - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> dt.datetime:
    """Inverse of `to_micros`, in UTC."""
    return _EPOCH + count * _MICROSECOND
