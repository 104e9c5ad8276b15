"""Values to bytes and back. Pure.

Packed bytes are msgpack, or zlib of that when they start with `x`, as no msgpack of ours does.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import zlib
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

T = TypeVar("T")
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_WORTH_IT = 1024
"""Bytes from which compressing is worth its time."""
_BIG = 1
"""Extension code of integers beyond 64 bits."""
_encoder = msgspec.msgpack.Encoder()
_escaped = re.compile(r"\\(\\|0|u[0-9a-f]{4})")


def pack(value: object) -> bytes:
    """Any value of ours as bytes.

    Halves of surrogate pairs, which no encoding can carry, become U+FFFD.
    """
    try:
        raw = _encoder.encode(value)
    except (OverflowError, UnicodeEncodeError):
        plain = msgspec.to_builtins(value, builtin_types=(dt.datetime, bytes))
        raw = _encoder.encode(_mended(plain))
    if len(raw) < _WORTH_IT:
        return raw
    small = zlib.compress(raw, 1)
    return small if len(small) < len(raw) else raw


def _mended(value: object) -> object:
    """What msgpack cannot carry, in a form that it can: integers beyond 64 bits, broken text."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_mended(k): _mended(v) for k, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_mended(v) for v in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**64:
        length = value.bit_length() // 8 + 1
        return msgspec.msgpack.Ext(_BIG, value.to_bytes(length, "big", signed=True))
    return value


def _extension(code: int, data: memoryview) -> int:
    if code != _BIG:
        raise ValueError(f"extension {code}")
    return int.from_bytes(data, "big", signed=True)


def unpacker(kind: type[T]) -> Callable[[bytes], T]:
    """A fast reader of packed values of one type; it raises ValueError for damaged bytes."""
    decoder = msgspec.msgpack.Decoder(kind, ext_hook=_extension)

    def read(data: bytes) -> T:
        try:
            return decoder.decode(zlib.decompress(data) if data[:1] == b"x" else data)
        except (zlib.error, msgspec.DecodeError, UnicodeDecodeError) as e:
            raise ValueError(f"{kind.__name__}: {e}") from e

    return read


def to_column(text: str) -> str:
    r"""Text that any database takes: NUL and lone surrogates escaped after a backslash."""
    if "\\" not in text and "\0" not in text:
        if text.isascii():
            return text
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


def batch_of(keys: Sequence[str]) -> dict[str, object]:
    """Texts of columns that belong together as one value, under a name of its own."""
    data = pack(keys)
    return {"batch": hashlib.sha256(data).hexdigest()[:16], "cases": data}


def to_micros(when: dt.datetime) -> int:
    """Microseconds since 1970 of an aware time."""
    return (when - _EPOCH) // _MICROSECOND


def from_micros(count: int) -> dt.datetime:
    """Inverse of `to_micros`, in UTC."""
    return _EPOCH + count * _MICROSECOND
