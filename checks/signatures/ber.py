"""ASN.1 in BER and DER as far as signatures need it: tags and lengths read within tight bounds.

Signatures come from strangers. The reader takes both definite and indefinite lengths, since many
signing programs stream, and refuses what no signature has: long tag numbers, deep nesting.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from itertools import islice

import msgspec

SEQUENCE, SET, INTEGER, OCTETS, OID = 0x30, 0x31, 0x02, 0x04, 0x06
UTC_TIME, GENERALIZED_TIME = 0x17, 0x18
_CONSTRUCTED = 0x20
_INDEFINITE = 0x80
_DEEPEST = 32
_MOST_PARTS = 4096


class Unreadable(ValueError):  # noqa: N818 - says what it is
    """The bytes are no signature, certificate, key or PDF that can be read; one line says why."""


class Node(msgspec.Struct, frozen=True):
    """One value: its identifier octet, its contents without header, and all of its bytes."""

    tag: int
    body: bytes
    raw: bytes

    @property
    def parts(self) -> tuple[Node, ...]:
        """The values inside a constructed one, in order; raises `Unreadable`."""
        if not self.tag & _CONSTRUCTED:
            raise Unreadable("a simple ASN.1 value stands where a group is due")
        found = tuple(islice(_each(self.body), _MOST_PARTS + 1))
        if len(found) > _MOST_PARTS:
            raise Unreadable("an ASN.1 group has too many parts")
        return found


def read(data: bytes) -> tuple[Node, bytes]:
    """The first value and the bytes after it; raises `Unreadable`."""
    node, end = _node(data, 0, 0)
    return node, data[end:]


def whole(data: bytes) -> Node:
    """The only value; raises `Unreadable`, also when something follows it."""
    node, rest = read(data)
    if rest:
        raise Unreadable(f"{len(rest)} bytes follow the ASN.1 value")
    return node


def _each(body: bytes) -> Iterator[Node]:
    at = 0
    while at < len(body):
        node, at = _node(body, at, 0)
        yield node


def _node(data: bytes, at: int, depth: int) -> tuple[Node, int]:
    tag, start, length = _header(data, at)
    if length is not None:
        end = start + length
        if end > len(data):
            raise Unreadable("an ASN.1 value is cut short")
        return Node(tag, data[start:end], data[at:end]), end
    if not tag & _CONSTRUCTED or depth > _DEEPEST:
        raise Unreadable("an ASN.1 value has no length")
    inner = start
    while data[inner : inner + 2] != b"\0\0":
        _, inner = _node(data, inner, depth + 1)
    return Node(tag, data[start:inner], data[at : inner + 2]), inner + 2


def _header(data: bytes, at: int) -> tuple[int, int, int | None]:
    """Tag, where the contents begin, and their length; None when it is indefinite."""
    if at + 2 > len(data):
        raise Unreadable("an ASN.1 value is cut short")
    tag, first = data[at], data[at + 1]
    if tag & 0x1F == 0x1F:
        raise Unreadable("an ASN.1 tag is of a kind that no signature has")
    if first == _INDEFINITE:
        return tag, at + 2, None
    if first < _INDEFINITE:
        return tag, at + 2, first
    count = first & 0x7F
    if count > 4 or at + 2 + count > len(data):
        raise Unreadable("an ASN.1 length is out of bounds")
    return tag, at + 2 + count, int.from_bytes(data[at + 2 : at + 2 + count], "big")


def der(node: Node, tag: int | None = None) -> bytes:
    """The value with definite lengths throughout, under another tag when one is given."""
    return _der(node, node.tag if tag is None else tag, 0)


def _der(node: Node, tag: int, depth: int) -> bytes:
    body = node.body
    if node.tag & _CONSTRUCTED:
        if depth > _DEEPEST:
            raise Unreadable("ASN.1 values are nested too deep")
        body = b"".join(_der(part, part.tag, depth + 1) for part in node.parts)
    return encode(tag, body)


def encode(tag: int, body: bytes) -> bytes:
    """A value of these contents, in DER."""
    return bytes([tag]) + _length(len(body)) + body


def _length(size: int) -> bytes:
    if size < _INDEFINITE:
        return bytes([size])
    octets = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([_INDEFINITE | len(octets)]) + octets


def octets(node: Node) -> bytes:
    """The bytes of an octet string, whole or in pieces; raises `Unreadable`."""
    if not node.tag & _CONSTRUCTED:
        return node.body
    pieces = []
    for part in node.parts:
        if part.tag != OCTETS:
            raise Unreadable("an octet string is put together wrongly")
        pieces.append(part.body)
    return b"".join(pieces)


def oid(node: Node) -> str:
    """An object identifier with dots; raises `Unreadable`."""
    if node.tag != OID or not node.body or node.body[-1] & 0x80 or len(node.body) > 64:
        raise Unreadable("an object identifier is malformed")
    numbers, value = [], 0
    for octet in node.body:
        value = value << 7 | octet & 0x7F
        if not octet & 0x80:
            numbers.append(value)
            value = 0
    first = min(numbers[0] // 40, 2)
    return ".".join(map(str, [first, numbers[0] - 40 * first, *numbers[1:]]))


def integer(node: Node) -> int:
    """An integer; raises `Unreadable`."""
    if node.tag != INTEGER or not 0 < len(node.body) <= 64:
        raise Unreadable("an ASN.1 integer is malformed")
    return int.from_bytes(node.body, "big", signed=True)


_TIME = re.compile(rb"(\d{2}|\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.\d{1,9})?Z")


def time(node: Node) -> dt.datetime:
    """A UTCTime or GeneralizedTime in UTC, whole seconds; raises `Unreadable`."""
    found = _TIME.fullmatch(node.body)
    digits = {UTC_TIME: 2, GENERALIZED_TIME: 4}.get(node.tag)
    if found is None or digits != len(found[1]):
        raise Unreadable("a time in a signature is malformed")
    year = int(found[1])
    if digits == 2:
        year += 1900 if year >= 50 else 2000
    try:
        rest = (int(found[n]) for n in range(2, 7))
        return dt.datetime(year, *rest, tzinfo=dt.UTC)  # type: ignore[misc, arg-type]
    except ValueError:
        raise Unreadable("a time in a signature does not exist") from None
