"""What the lines of a Postfix log look like, and the small readings of their parts."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator

from checks.documents.events import Place, SourceKind
from checks.documents.sources import amavis
from checks.documents.sources.logfiles import LineCounter
from checks.documents.sources.logtime import QUICK_STAMP, STAMP

NEEDED = (
    rb"([^ /]+/[^ ]+ [0-9A-Za-z]{6,20}: "
    rb"(client=|uid=|message-id=|from=<|to=<|removed|info: header |warning: header )|"
    + amavis.NEEDED
    + rb")"
)
"""Which lines are needed, in words that Python and `grep -E` read alike."""
# Most of the time of reading a log is spent here: a line end to begin with is found faster than
# `^`, and what is possessive (`++`) is not tried again in a line that is not needed.
_NEEDED = (
    rb"(" + QUICK_STAMP + rb") ([^ \n]++) (?:[^ \n/]++/[^ \n]++ ([0-9A-Za-z]{6,20}+): "
    rb"(to=<|client=|from=<|message-id=|removed|uid=|(?:info|warning): header )|"
    rb"(?=[^ \n]++ \([\d-])[^ \n]{0,64}amavis[^ \n]{0,64}\[\d+\]: "
    rb"(?=\([\d-]+\) (?:\(!+\))?(?:Passed |p\.path |\.\.\.)))"
    rb"(.*)"
)
LINE = re.compile(rb"\n" + _NEEDED)
"""A needed line and the line end before it: stamp, host, queue id, what it says, and the rest."""
NUMBERED = re.compile(rb"\n\d++:" + _NEEDED)
"""The same where a search on the host put the number of each line before it."""
_FIRST = re.compile(rb"\n(\d+:)?(?:" + STAMP + rb") ")
ANY = re.compile(rb" [^ \n]+/[a-z-]+\[\d+\]: ")
PASSED_ON = re.compile(rb"(?:queued|forwarded) as ([0-9A-Za-z]{6,20})\b")
INSIDE = re.compile(rb"127\.|localhost\b|\[?::1\]?|local,|[^\s,]*\[(?:127\.|::1)|[^\s,]*private/")
SIZE = re.compile(rb" size=(\d{1,15})")
HEADERS = {b"subject": b": subj=[", b"content-disposition": b": cd=[", b"content-type": b": ct=["}
"""The headers that are looked at, in small letters, and what our directives put before a value."""
_ENVELOPE = re.compile(rb" from \S+; from=<")


def header_text(kind: bytes, logged: bytes) -> bytes:
    """The header's value: after our marker, which is never cut, else before the envelope.

    Taken from the first marker on: a subject that imitates the marker then only adds to the text.
    """
    _, marked, value = logged.partition(HEADERS[kind])
    if marked:
        return value.removesuffix(b"]")
    ends = [m.start() for m in _ENVELOPE.finditer(logged)]
    return logged[: ends[-1]] if ends else logged


class Piece:
    """Some lines of one file, each with a line end before it, and where they stand."""

    def __init__(self, name: str, text: bytes, before: int) -> None:
        """`before` is the number of the line that the first line end closes."""
        self.name = name
        self._text = text
        self._counter = LineCounter(memoryview(text), before)
        first = _FIRST.search(text)
        self._numbered = first is not None and first[1] is not None

    def needed(self) -> Iterator[re.Match[bytes]]:
        """The needed lines: stamp, host, queue id (None: the content filter), what, rest."""
        return (NUMBERED if self._numbered else LINE).finditer(self._text)

    @property
    def last(self) -> int:
        """The number of its last line."""
        return self._counter.at(len(self._text))

    def line(self, found: re.Match[bytes]) -> int:
        """The number of a needed line; numbers and places must be asked for in order."""
        if self._numbered:
            return int(found[0][1:].partition(b":")[0])
        return self._counter.at(found.start() + 1)

    def place(self, found: re.Match[bytes], queue: bytes) -> Place:
        """Where a needed line stands."""
        raw = found[0][1:].rstrip(b"\r")
        if self._numbered:
            raw = raw.partition(b":")[2]
        line = self.line(found)
        return Place(
            source=SourceKind.MAIL,
            file=self.name,
            line=line,
            sha256=hashlib.sha256(raw).hexdigest(),
            ref=queue.decode("ascii", "replace"),
        )
