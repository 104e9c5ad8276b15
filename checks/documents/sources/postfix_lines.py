"""What the lines of a Postfix log look like, and the small readings of their parts."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from checks.documents.events import Place, SourceKind
from checks.documents.sources import amavis
from checks.documents.sources.logtime import QUICK_STAMP, STAMP

NEEDED = (
    rb"([^ /]+/[^ ]+ [0-9A-Za-z]{6,20}: "
    rb"(client=|uid=|message-id=|from=<|to=<|removed|info: header |warning: header )|"
    + amavis.NEEDED
    + rb")"
)
"""Which lines are needed, in words that Python and `grep -E` read alike."""
# Most of the time of reading a log is spent here: a line end to begin with is found faster than
# `^`; what is possessive (`++`) or atomic (`(?>`) is not tried again in a line that is not needed;
# one character that a word must not have (`[^ ]`) is found much faster than one of two. So a word
# may go on in the next line, where nothing follows that fits, but for a stamp: see `stamp_of`. It
# has a limit, or it would be looked for to the end of the text after every line end.
_PROGRAM = (
    rb"(?>[^ \n/]++/[^ \n]++ (?=[0-9A-Za-z])|"
    rb"(?=[^ \n]++ \([\d-])[^ \n]{0,64}amavis[^ \n]{0,64}\[\d+\]: "
    rb"(?=\([\d-]+\) (?:\(!+\))?(?:Passed |p\.path |\.\.\.)))"
)
_SAID = (
    rb"(?:([0-9A-Za-z]{6,20}+): "
    rb"(to=<|client=|from=<|message-id=|removed|uid=|(?:info|warning): header )|(?=\()).*"
)
Row = tuple[bytes, bytes, bytes, bytes]
"""A needed line: itself, host (empty: the usual one), queue id (empty: Amavis), what it says."""
_FIRST = re.compile(rb"\n(\d+:)?(?:" + STAMP + rb") ([^ \n]+) ")
ANY = re.compile(rb" [^ \n]+/[a-z-]+\[\d+\]: ")
PASSED_ON = re.compile(rb"ed as (?:(?<=queued as )|(?<=forwarded as ))([0-9A-Za-z]{6,20})\b")
INSIDE = re.compile(rb"127\.|localhost\b|\[?::1\]?|local,|[^\s,]*\[(?:127\.|::1)|[^\s,]*private/")
_SIZE = re.compile(rb" size=(\d{1,15})")
HEADERS = {b"subject": b": subj=[", b"content-disposition": b": cd=[", b"content-type": b": ct=["}
"""The headers that are looked at, in small letters, and what our directives put before a value."""
_ENVELOPE = re.compile(rb" from \S+; from=<")


@lru_cache(64)
def _needed(host: bytes, numbered: bool) -> re.Pattern[bytes]:
    """Finds needed lines after line ends; a log's usual host is found faster than any other.

    `numbered` is when a search on the host put the number of each line before it.
    """
    usual = re.escape(host) + rb" postfix/[^ ]{1,256}+ (?=[0-9A-Za-z])"
    where = rb"(?>" + usual + rb"|([^ ]{1,256}+) " + _PROGRAM + rb")"
    number = rb"\d++:" if numbered else rb""
    return re.compile(rb"\n" + number + rb"((?:" + QUICK_STAMP + rb") " + where + _SAID + rb")")


def header_text(kind: bytes, logged: bytes) -> bytes:
    """The header's value: after our marker, which is never cut, else before the envelope.

    Taken from the first marker on: a subject that imitates the marker then only adds to the text.
    """
    _, marked, value = logged.partition(HEADERS[kind])
    if marked:
        return value.removesuffix(b"]")
    ends = [m.start() for m in _ENVELOPE.finditer(logged)]
    return logged[: ends[-1]] if ends else logged


def stamp_of(line: bytes) -> bytes:
    """The stamp that a needed line begins with, also where a line was cut within its stamp."""
    if not line[:1].isdigit():
        return line[:15]
    return line.partition(b" ")[0].rpartition(b"\n")[2]


def sender_of(line: bytes) -> bytes:
    """The envelope sender that the queue manager tells; empty when there is none."""
    return line.partition(b": from=<")[2].partition(b">")[0]


def size_of(line: bytes) -> int:
    """The size of the mail in bytes that the queue manager tells; 0 when it does not."""
    found = _SIZE.search(line)
    return int(found[1]) if found else 0


def recipient_of(line: bytes) -> bytes:
    """The address of a delivery."""
    said = line.partition(b": to=<")[2]
    return said[: said.find(b">")]


def task_of(line: bytes) -> bytes:
    """What Amavis says, from the number of its task on."""
    return line[line.find(b": (") + 2 :]


class Piece:
    """Some lines of one file, each with a line end before it, and where they stand."""

    def __init__(self, name: str, text: bytes, before: int) -> None:
        """`before` is the number of the line that the first line end closes."""
        self.name = name
        self._text = text
        self._at, self._line = 0, before
        first = _FIRST.search(text)
        self._numbered = first is not None and first[1] is not None
        self.host = first[2] if first else b"-"
        """Of its first line."""

    def needed(self) -> list[Row]:
        """The needed lines, in order."""
        return _needed(self.host, self._numbered).findall(self._text)

    @property
    def last(self) -> int:
        """The number of its last line."""
        return self._number(len(self._text))

    def line(self, line: bytes) -> int:
        """The number of a needed line; numbers and places must be asked for in order.

        Of lines that are equal to the byte it may be that of an earlier one.
        """
        at = self._text.find(line, self._at)
        if not self._numbered:
            return self._number(at) + line.count(b"\n")
        self._at = at
        return int(self._text[self._text.rfind(b"\n", 0, at) + 1 : at - 1])

    def place(self, line: bytes, queue: bytes) -> Place:
        """Where a needed line stands."""
        raw = line.rpartition(b"\n")[2].rstrip(b"\r")
        return Place(
            source=SourceKind.MAIL,
            file=self.name,
            line=self.line(line),
            sha256=hashlib.sha256(raw).hexdigest(),
            ref=queue.decode("ascii", "replace"),
        )

    def _number(self, at: int) -> int:
        self._line += self._text.count(b"\n", self._at, at)
        self._at = at
        return self._line
