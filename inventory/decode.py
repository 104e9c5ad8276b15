"""Strict YAML to msgspec structs, with every problem of the file found in one go.

A type is compiled once into nested functions; each takes a node and gives a value, or reports what
is wrong and gives BAD. Unknown keys are always errors. Hints beyond msgspec's own constraints go
into `msgspec.Meta(extra=…)`:

    check   a function from the text to None that raises ValueError with the remedy
    what    words for the constraint `pattern` ("letters, digits, . _ -, …")
    secret  true when the value must never be repeated in a message
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any, Final, TypeVar

from msgspec import inspect as mi

from inventory import scalars
from inventory.durations import parse_duration
from inventory.problems import InvalidInput, Problem, did_you_mean, shown
from inventory.yaml_nodes import Mapping, Node, Parsed, Refused, Scalar, Sequence, read_nodes

T = TypeVar("T")
MAX_PROBLEMS: Final = 1000
"""Of one file; a hostile file must not fill memory and time with complaints."""

BAD: Final = object()
"""Stands for a value that could not be read; why has been reported."""


class _Enough(Exception):  # noqa: N818
    """So many problems that nobody needs more of them."""


class Walk:
    """Where the decoder stands in a file, and what it found so far."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.path: list[str | int] = []
        self.problems: list[Problem] = []

    def fail(self, node: Node, message: str) -> object:
        """Report a problem at a node; returns BAD."""
        self.problems.append(Problem(self.file, node.line, path_text(self.path), message))
        if len(self.problems) >= MAX_PROBLEMS:
            raise _Enough
        return BAD


Decode = Callable[[Node, Walk], object]


def path_text(path: Iterable[str | int]) -> str:
    """Keys and indexes as one word: `waivers[0].until`."""
    parts = (f"[{p}]" if isinstance(p, int) else f".{shown(p)[1:-1]}" for p in path)
    return "".join(parts).removeprefix(".")


def decode_yaml(data: bytes, kind: type[T], file: str) -> T:
    """Read a file that holds exactly one document of a struct type.

    `file` is only for messages. Raises InvalidInput with every problem; nothing else, whatever the
    bytes hold.
    """
    parsed = read_nodes(data, file)
    values, problems = decode_documents(parsed, kind, file)
    if not parsed.broken and len(parsed.documents) != 1:
        what = "holds no document" if not parsed.documents else "holds several documents (---)"
        problems.append(Problem(file, 0, "", f"{what}: exactly one is expected"))
    if problems:
        raise InvalidInput(sorted(problems))
    value: T = values[0]  # type: ignore[assignment]  # no problems, so there is one and it is good
    return value


def decode_documents(
    parsed: Parsed, kind: type[T], file: str
) -> tuple[list[T | None], list[Problem]]:
    """Read each document of a parsed file; None stands for one that has problems."""
    walk = Walk(file)
    walk.problems.extend(parsed.problems)
    decode = decoder(kind)  # type: ignore[arg-type]  # mypy holds type[T] for not hashable
    values: list[T | None] = []
    try:
        for node in parsed.documents:
            value = decode(node, walk)
            values.append(None if value is BAD else value)  # type: ignore[arg-type]  # not BAD
    except _Enough:
        values += [None] * (len(parsed.documents) - len(values))
    return values, walk.problems


@cache
def decoder(kind: type) -> Decode:
    """The compiled reader of a struct type."""
    return _Compiler().of(mi.type_info(kind))


class _Compiler:
    """Builds decoders; `structs` lets a type refer to itself."""

    def __init__(self) -> None:
        self.structs: dict[type, Decode] = {}

    def of(self, info: mi.Type) -> Decode:
        extra: dict[str, Any] = {}
        while isinstance(info, mi.Metadata):
            extra = (info.extra or {}) | extra
            info = info.type
        if isinstance(info, mi.StructType):
            return self.struct(info)
        if isinstance(info, mi.UnionType):
            return self.union(info, extra)
        if isinstance(info, mi.DictType):
            return _dict(self.of(info.key_type), self.of(info.value_type))
        if isinstance(info, mi.VarTupleType | mi.ListType):
            make = tuple if isinstance(info, mi.VarTupleType) else list
            return _list(self.of(info.item_type), make, info.min_length or 0)
        if isinstance(info, mi.AnyType):
            return _any
        return _scalar(_reader(info, extra), extra)

    def struct(self, info: mi.StructType) -> Decode:
        if info.cls not in self.structs:
            fields: dict[str, tuple[str, Decode]] = {}
            self.structs[info.cls] = _struct(info, fields)
            fields.update((f.encode_name, (f.name, self.of(f.type))) for f in info.fields)
        return self.structs[info.cls]

    def union(self, info: mi.UnionType, extra: dict[str, Any]) -> Decode:
        some = [t for t in info.types if not isinstance(t, mi.NoneType)]
        inner = [self.of(mi.Metadata(t, extra=extra) if extra else t) for t in some]
        if len(inner) == 1 and len(info.types) == 2:
            return _optional(inner[0])
        if len(inner) < len(info.types):
            inner.append(_scalar(scalars.read_none, {}))
        return _first(inner)


def _struct(info: mi.StructType, fields: dict[str, tuple[str, Decode]]) -> Decode:
    required = [f.encode_name for f in info.fields if f.required]
    cls = info.cls

    def decode(node: Node, walk: Walk) -> object:
        if type(node) is not Mapping:
            return _wrong(node, walk, "a mapping (lines of `key: value`)")
        values: dict[str, object] = {}
        path = walk.path
        good = True
        for key, child in node.entries:
            path.append(key.text)
            field = fields.get(key.text)
            if field is None:
                good = False
                near = did_you_mean(key.text, fields)
                walk.fail(key, f"unknown key{near or '; known here: ' + ', '.join(fields)}")
            else:
                value = field[1](child, walk)
                values[field[0]] = value
                good &= value is not BAD
            path.pop()
        for name in required:
            if fields[name][0] not in values:
                good = False
                walk.fail(node, f"the key {name!r} is missing: add it")
        if not good:
            return BAD
        try:
            return cls(**values)
        except ValueError as error:
            return walk.fail(node, str(error))

    return decode


def _dict(key_decoder: Decode, value_decoder: Decode) -> Decode:
    def decode(node: Node, walk: Walk) -> object:
        if type(node) is not Mapping:
            return _wrong(node, walk, "a mapping (lines of `key: value`)")
        values: dict[object, object] = {}
        good = True
        for key, child in node.entries:
            walk.path.append(key.text)
            name = key_decoder(key, walk)
            value = value_decoder(child, walk)
            walk.path.pop()
            good &= name is not BAD and value is not BAD
            values[name] = value
        return values if good else BAD

    return decode


def _list(item_decoder: Decode, make: Callable[[list[object]], object], least: int) -> Decode:
    def decode(node: Node, walk: Walk) -> object:
        if type(node) is not Sequence:
            return _wrong(node, walk, "a list, like [a, b]")
        values: list[object] = []
        good = True
        for index, child in enumerate(node.items):
            walk.path.append(index)
            value = item_decoder(child, walk)
            walk.path.pop()
            good &= value is not BAD
            values.append(value)
        if len(values) < least:
            return walk.fail(node, f"needs at least {least} entries: add them")
        return make(values) if good else BAD

    return decode


def _scalar(read: scalars.Read, extra: dict[str, Any]) -> Decode:
    what = extra.get("what", "a single value")

    def decode(node: Node, walk: Walk) -> object:
        if type(node) is not Scalar:
            return _wrong(node, walk, what)
        try:
            return read(node.text, node.plain)
        except ValueError as error:
            return walk.fail(node, str(error))

    return decode


def _optional(inner: Decode) -> Decode:
    def decode(node: Node, walk: Walk) -> object:
        if type(node) is Scalar and node.plain and scalars.meaning(node.text) == "nothing":
            return None
        return inner(node, walk)

    return decode


def _first(inner: list[Decode]) -> Decode:
    """The first alternative that takes the node; the last one's complaints when none does."""

    def decode(node: Node, walk: Walk) -> object:
        before = len(walk.problems)
        for each in inner:
            del walk.problems[before:]
            value = each(node, walk)
            if value is not BAD:
                return value
        return BAD

    return decode


def _any(node: Node, walk: Walk) -> object:
    if type(node) is Scalar:
        return _scalar(scalars.plain_value, {})(node, walk)
    if type(node) is Sequence:
        return _list(_any, list, 0)(node, walk)
    return _dict(_key, _any)(node, walk)


_key = _scalar(scalars.read_text, {})


def _reader(info: mi.Type, extra: dict[str, Any]) -> scalars.Read:
    if isinstance(info, mi.StrType):
        return _text_reader(info, extra)
    if isinstance(info, mi.EnumType):
        return scalars.choice(tuple(info.cls))
    if isinstance(info, mi.LiteralType):
        return scalars.choice(tuple(info.values))
    if isinstance(info, mi.IntType):
        return _bounded(scalars.read_int, info.ge, info.le)
    if isinstance(info, mi.FloatType):
        return _bounded(scalars.read_float, info.ge, info.le)
    simple: dict[type[mi.Type], scalars.Read] = {
        mi.BoolType: scalars.read_bool,
        mi.DateType: scalars.read_date,
        mi.NoneType: scalars.read_none,
        mi.TimeDeltaType: lambda text, _: parse_duration(text),
    }
    if type(info) not in simple:
        raise TypeError(f"decode_yaml cannot read {type(info).__name__}")
    return simple[type(info)]


def _text_reader(info: mi.StrType, extra: dict[str, Any]) -> scalars.Read:
    # `$` would let a final line break pass.
    pattern = re.compile(re.sub(r"\$\Z", r"\\Z", info.pattern)) if info.pattern else None
    what = extra.get("what") or f"text like {info.pattern}"
    check: Callable[[str], None] | None = extra.get("check")
    secret = bool(extra.get("secret"))
    least, most = info.min_length or 0, info.max_length

    def read(text: str, plain: bool) -> object:
        if not secret:
            scalars.read_text(text, plain)
        if pattern is not None and not pattern.search(text):
            raise ValueError(f"expected {what}" + ("" if secret else f", not {shown(text)}"))
        if len(text) < least:
            raise ValueError("is empty: fill it in or remove the key")
        if most is not None and len(text) > most:
            raise ValueError(f"is longer than {most} characters: shorten it")
        if check is not None:
            check(text)
        return text

    return read


def _bounded(read: scalars.Read, least: float | None, most: float | None) -> scalars.Read:
    def bounded(text: str, plain: bool) -> object:
        value = read(text, plain)
        assert isinstance(value, int | float)  # noqa: S101 - for the type checker
        if (least is not None and value < least) or (most is not None and value > most):
            span = f"from {least} to {most}" if most is not None else f"{least} or more"
            raise ValueError(f"{text} is out of range: give a number {span}")
        return value

    return bounded


def _wrong(node: Node, walk: Walk, expected: str) -> object:
    if type(node) is Refused:
        return BAD
    if type(node) is Scalar:
        got = "nothing" if node.plain and scalars.meaning(node.text) == "nothing" else "text"
    else:
        got = "a list" if type(node) is Sequence else "a mapping"
    remedy = ": fill it in or remove the key" if got == "nothing" else ""
    return walk.fail(node, f"expected {expected}, not {got}{remedy}")
