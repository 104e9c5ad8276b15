"""YAML text to a plain tree of nodes with line numbers; what is dangerous in YAML is refused.

Read from the parser's event stream instead of its object tree: an alias is then seen as an alias,
nesting is counted before anything recurses, and nodes stay small.
"""

from __future__ import annotations

from typing import Any

import msgspec
import yaml
from yaml import events

from inventory.problems import Problem, shown

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 32
MAX_NODES = 2_000_000
_MAX_PROBLEMS = 500

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Scalar(msgspec.Struct, frozen=True, gc=False):
    """Text; `plain` when it stands without quotes, so that YAML may take it for a number."""

    line: int
    text: str
    plain: bool


class Mapping(msgspec.Struct, frozen=True):
    """Keys and values in the order of the file, each key once."""

    line: int
    entries: list[tuple[Scalar, Node]]


class Sequence(msgspec.Struct, frozen=True):
    """A list."""

    line: int
    items: list[Node]


class Refused(msgspec.Struct, frozen=True, gc=False):
    """Stands where something was refused and already reported."""

    line: int


Node = Scalar | Mapping | Sequence | Refused


class Parsed(msgspec.Struct, frozen=True):
    """Every document of a file, and what was refused; `broken` when the end was not reached."""

    documents: list[Node]
    problems: list[Problem]
    broken: bool = False


class _Stop(Exception):  # noqa: N818
    """Reading on makes no sense."""


class _Reader:
    """Turns one file's events into nodes. Recursion is bounded by MAX_DEPTH."""

    def __init__(self, loader: Any, file: str) -> None:  # noqa: ANN401 - either loader class
        self.next = loader.get_event
        self.file = file
        self.problems: list[Problem] = []
        self.nodes = 0
        self.told: set[str] = set()

    def tell(self, line: int, message: str, once: str = "") -> None:
        """Report; `once` names a sort of fault of which a file needs to hear only once."""
        if once in self.told or len(self.problems) >= _MAX_PROBLEMS:
            return
        if once:
            self.told.add(once)
        self.problems.append(Problem(self.file, line, "", message))

    def node(self, event: Any, depth: int) -> Node:  # noqa: ANN401 - events have no common type
        kind = type(event)
        line = event.start_mark.line + 1
        self.nodes += 1
        if self.nodes > MAX_NODES:
            self.tell(line, f"holds more than {MAX_NODES:,} values: split it into several files")
            raise _Stop
        if kind is events.AliasEvent:
            self.refuse_anchor(line)
            return Refused(line)
        if event.anchor is not None:
            self.refuse_anchor(line)
        if event.tag is not None:
            self.tell(line, f"the tag {shown(event.tag)} is not allowed: remove it")
        if kind is events.ScalarEvent:
            return Scalar(line, event.value, event.style is None or event.style == "")
        if depth >= MAX_DEPTH:
            self.tell(line, f"is nested more than {MAX_DEPTH} levels deep: no inventory is")
            raise _Stop
        if kind is events.MappingStartEvent:
            return self.mapping(line, depth + 1)
        return self.sequence(line, depth + 1)

    def refuse_anchor(self, line: int) -> None:
        self.tell(
            line, "anchors (&) and aliases (*) are not allowed: write the value out", "anchor"
        )

    def sequence(self, line: int, depth: int) -> Sequence:
        items: list[Node] = []
        while type(event := self.next()) is not events.SequenceEndEvent:
            items.append(self.node(event, depth))
        return Sequence(line, items)

    def mapping(self, line: int, depth: int) -> Mapping:
        entries: list[tuple[Scalar, Node]] = []
        seen: dict[str, int] = {}
        while type(event := self.next()) is not events.MappingEndEvent:
            key = self.node(event, depth)
            value = self.node(self.next(), depth)
            if type(key) is not Scalar:
                if type(key) is not Refused:
                    self.tell(key.line, "a key must be plain text, not a list or a mapping")
            elif key.text in seen:
                first = seen[key.text]
                message = f"the key {shown(key.text)} stands twice (first in line {first})"
                self.tell(key.line, f"{message}: keep one")
            else:
                seen[key.text] = key.line
                entries.append((key, value))
        return Mapping(line, entries)


def read_nodes(data: bytes, file: str) -> Parsed:
    """Read every document of a YAML file; never raises for what the bytes hold."""
    refused = _refuse_bytes(data, file)
    if refused is not None:
        return Parsed([], [refused], broken=True)
    documents: list[Node] = []
    reader: _Reader | None = None
    problems: list[Problem] = []
    broken = True
    try:
        # The pure-Python loader already reads, and may refuse, in its constructor.
        loader = _LOADER(data)
        reader = _Reader(loader, file)
        problems = reader.problems
        try:
            while (event := reader.next()) is not None:
                if type(event) is events.DocumentStartEvent:
                    documents.append(reader.node(reader.next(), 0))
            broken = False
        finally:
            loader.dispose()
    except _Stop:
        pass
    except yaml.YAMLError as error:
        problems.append(_syntax(error, data, file))
    return Parsed(documents, problems, broken)


def line_of(node: Node, path: tuple[str | int, ...]) -> int:
    """The line of the deepest part of a path that exists."""
    line = node.line
    for step in path:
        if type(node) is Mapping:
            found = next(((k, v) for k, v in node.entries if k.text == step), None)
            if found is None:
                break
            line, node = found[0].line, found[1]
        elif type(node) is Sequence and isinstance(step, int) and step < len(node.items):
            node = node.items[step]
            line = node.line
        else:
            break
    return line


def _refuse_bytes(data: bytes, file: str) -> Problem | None:
    if len(data) > MAX_BYTES:
        size = f"is larger than {MAX_BYTES // 1024 // 1024} MiB"
        return Problem(file, 0, "", f"{size}: split it into several files")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Problem(file, line, "", "is not UTF-8 text: save it as UTF-8")
    return None


def _syntax(error: yaml.YAMLError, data: bytes, file: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    if mark is not None:
        # At the end of the file the parser stands behind the last line.
        line = min(mark.line + 1, len(data.splitlines()) or 1)
    else:
        # Only the reader's errors (a character that YAML forbids) come without a mark.
        position = getattr(error, "position", None) or 0
        line = data.count(b"\n", 0, position) + 1
    clean = " ".join(str(reason).split())
    text = data.split(b"\n", line)[line - 1 : line]
    indent = text[0][: len(text[0]) - len(text[0].lstrip())] if text else b""
    hint = ": indent with spaces, not tabs" if b"\t" in indent else ""
    return Problem(file, line, "", f"is not valid YAML ({clean}){hint}")
