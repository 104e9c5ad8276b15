"""One edXML message (QCVN 102:2016) as plain values, however dirty or hostile its file is.

Names are read without their prefix, so that files with, without or with an undeclared one say the
same. A file with a DTD or entities is refused; what is nested too deeply or too large as well.
Names of people, subjects and abstracts are never kept.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping, Sequence
from xml.parsers import expat

import msgspec

from checks.documents.seals import Sheet
from checks.documents.sources.edxml_files import Attachments
from checks.evidence import Unparsable

MOST_BYTES = 512 * 1024 * 1024
MOST_DEPTH = 40
MOST_ELEMENTS = 200_000
MOST_PARTS = 20_000
"""Recipients, traces and the like of one message."""
LONGEST_TOKEN = 1 << 20
"""Bytes of one tag or comment: only text between tags may be longer."""
LONGEST_TEXT = 500
"""Characters of one value."""

_CHUNK = 1 << 16
_HEAD = 4096
"""Bytes in which the XML must begin."""
_GROUPS = {
    **{
        name: name
        for name in ("messageheader", "from", "to", "responsefor", "traceheader", "receiver",
                     "replacementinfo", "bussiness")
    },
    # The standard itself misspells it; in a SOAP envelope a status is a header of its own.
    "business": "bussiness",
    "status": "messageheader",
}  # fmt: skip
_VALUES = frozenset({
    "organid", "documentid", "code", "codenumber", "codenotation", "promulgationdate", "timestamp",
    "statuscode", "bussinessdoctype", "businessdoctype", "paper", "receivertype",
})  # fmt: skip
_ENCODED = "contenttransferencoded"

Group = Mapping[str, Sequence[str]]
"""The values of one element of the header, by folded name."""


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """What a message says: groups of values by the element that holds them."""

    groups: Mapping[str, Sequence[Group]]
    line: int
    """Where the number stands, or the header begins."""
    files: tuple[str, ...] = ()
    """SHA-256 of the attached files, those in a ZIP each by itself."""
    unhashed: int = 0
    """Attachments that are damaged, too large or unpack to too much."""
    sheets: tuple[Sheet, ...] = ()
    """What each attached file is, and who signed it."""
    repaired: bool = False
    """Something stood before the XML."""

    def one(self, group: str, value: str) -> str:
        """The first value of that name in the first such group; empty when there is none."""
        return first(self.groups[group][0], value) if self.groups.get(group) else ""

    def all(self, group: str) -> Sequence[Group]:
        """Every group of a name, in order."""
        return self.groups.get(group, ())

    @property
    def business(self) -> Group:
        """What is done with the document."""
        return next(iter(self.all("bussiness")), {})


def first(group: Group, *names: str) -> str:
    """The first value of a group under any of these names; programs write `null` for none."""
    for name in names:
        for value in group.get(name, ()):
            if value and value.upper() != "NULL":
                return value
    return ""


class _Refused(Exception):  # noqa: N818 - leaves the parser, never this module
    pass


def read_message(data: bytes | memoryview, attachments: Attachments) -> Message:
    """Read one file; `attachments` hashes what is attached.

    Raises:
        Unparsable: it is no edXML, is damaged before its end, or goes over a limit; the line says
            where.
    """
    if len(data) > MOST_BYTES:
        raise Unparsable(f"larger than {MOST_BYTES} bytes")
    begin, junk = _begin(data)
    handler = _Handler(attachments)
    parser = _parser(handler)
    handler.line = lambda: parser.CurrentLineNumber + junk.count(b"\n")
    try:
        for at in range(begin, len(data), _CHUNK):
            end = at + _CHUNK
            parser.Parse(bytes(data[at:end]), end >= len(data))
            _bound(end - begin - parser.CurrentByteIndex)
            if handler.closed:
                break
    except _Refused as e:
        raise Unparsable(f"line {handler.line()}: {e}") from None
    except expat.ExpatError as e:
        # What follows the document is not its matter.
        if not handler.closed:
            raise Unparsable(f"line {handler.line()}: {expat.ErrorString(e.code)}") from None
    except (LookupError, ValueError) as e:
        raise Unparsable(f"an encoding that is not supported: {type(e).__name__}") from None
    if not handler.groups.get("messageheader"):
        raise Unparsable("no message header of edXML")
    return handler.message(repaired=bool(junk.strip(codecs.BOM_UTF8 + b" \t\r\n")))


def _bound(waiting: int) -> None:
    """Refuse a tag or comment of which so many bytes were read without meeting its end."""
    if waiting > LONGEST_TOKEN + _CHUNK:
        raise _Refused("a tag or comment is too long")


def _begin(data: bytes | memoryview) -> tuple[int, bytes]:
    """Where the XML begins, and what stands before it."""
    head = bytes(data[:_HEAD])
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return 0, b""
    found = re.search(rb"<\?xml[ \t\r\n]", head) or re.search(rb"<", head)
    if found is None:
        raise Unparsable("no XML")
    return found.start(), head[: found.start()]


def _parser(handler: _Handler) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.StartDoctypeDeclHandler = _refuse
    parser.EntityDeclHandler = _refuse
    parser.ExternalEntityRefHandler = _refuse
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    return parser


def _refuse(*_: object) -> int:
    raise _Refused("a DTD or an entity, which edXML does not have")


class _Handler:
    """Collects the groups of the header and hands attachments on."""

    def __init__(self, attachments: Attachments) -> None:
        self.groups: dict[str, list[dict[str, list[str]]]] = {}
        self.closed = False
        self.line: Callable[[], int] = lambda: 0
        self._attachments = attachments
        self._open: list[str] = []
        self._within: list[dict[str, list[str]]] = []
        self._kept: list[str] | None = None
        self._room = 0
        self._elements = self._parts = self._at = self._header = 0

    def message(self, *, repaired: bool) -> Message:
        """What was collected."""
        files, unhashed = self._attachments.done()
        return Message(
            groups=self.groups,
            line=self._at or self._header or 1,
            files=files,
            unhashed=unhashed,
            sheets=self._attachments.sheets(),
            repaired=repaired,
        )

    def start(self, name: str, _: object) -> None:
        """An element begins."""
        name = name.rpartition(":")[2].lower()
        self._open.append(name)
        self._elements += 1
        if len(self._open) > MOST_DEPTH:
            raise _Refused(f"elements nested deeper than {MOST_DEPTH}")
        if self._elements > MOST_ELEMENTS:
            raise _Refused(f"more than {MOST_ELEMENTS} elements")
        self._kept = None
        if name in _GROUPS:
            self._begin_group(name)
        elif name in _VALUES and self._within:
            self._kept, self._room = [], LONGEST_TEXT
            if name == "code" and not self._at:
                self._at = self.line()
        elif name == _ENCODED:
            self._attachments.begin()

    def _begin_group(self, name: str) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise _Refused(f"more than {MOST_PARTS} parts of a header")
        group: dict[str, list[str]] = {}
        name = _GROUPS[name]
        self.groups.setdefault(name, []).append(group)
        self._within.append(group)
        if name == "messageheader":
            self._header = self._header or self.line()

    def text(self, text: str) -> None:
        """Some text, perhaps not all of an element's."""
        if self._kept is not None:
            if self._room > 0:
                self._kept.append(text[: self._room])
                self._room -= len(text)
        elif self._open and self._open[-1] == _ENCODED:
            self._attachments.feed(text)

    def end(self, _: str) -> None:
        """An element ends."""
        name = self._open.pop()
        if self._kept is not None and name in _VALUES and self._within:
            values = self._within[-1].setdefault(name, [])
            values.append("".join(self._kept).strip())
        elif name in _GROUPS and self._within:
            self._within.pop()
        elif name == _ENCODED:
            self._attachments.end()
        self._kept = None
        self.closed = not self._open
