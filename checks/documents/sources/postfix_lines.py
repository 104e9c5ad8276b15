"""What the lines of a Postfix log look like, and the small readings of their parts."""

from __future__ import annotations

import re

from checks.documents.sources import amavis
from checks.documents.sources.logtime import STAMP

NEEDED = (
    rb"([^ ]+/[a-z-]+\[[0-9]+\]: [0-9A-Za-z]{6,20}: "
    rb"(client=|uid=|message-id=|from=<|to=<|removed|info: header |warning: header )|"
    + amavis.NEEDED
    + rb")"
)
"""Which lines are needed, in words that Python and `grep -E` read alike."""
LINE = re.compile(
    rb"^(?:(\d+):)?(" + STAMP + rb") (\S+) (?:[^ \n]+/[a-z-]+\[\d+\]: ([0-9A-Za-z]{6,20}): "
    rb"(client=|uid=|message-id=|from=<|to=<|removed|(?:info|warning): header )|"
    rb"[^ \n]{0,64}amavis[^ \n]{0,64}\[\d+\]: (?=\([\d-]+\) (?:\(!+\))?"
    rb"(?:Passed |p\.path |\.\.\.)))"
    rb"([^\r\n]*)",
    re.MULTILINE,
)
ANY = re.compile(rb" [^ \n]+/[a-z-]+\[\d+\]: ")
PASSED_ON = re.compile(rb"(?:queued|forwarded) as ([0-9A-Za-z]{6,20})\b")
INSIDE = re.compile(rb"127\.|localhost\b|\[?::1\]?|local,|[^\s,]*\[(?:127\.|::1)|[^\s,]*private/")
SIZE = re.compile(rb" size=(\d{1,15})")
HEADER = re.compile(rb"(Subject|Content-Disposition|Content-Type): ?(.*)", re.IGNORECASE)
_MARKER = {b"subject": b": subj=[", b"content-disposition": b": cd=[", b"content-type": b": ct=["}
_ENVELOPE = re.compile(rb" from \S+; from=<")


def header_text(kind: bytes, logged: bytes) -> bytes:
    """The header's value: after our marker, which is never cut, else before the envelope.

    Taken from the first marker on: a subject that imitates the marker then only adds to the text.
    """
    _, marked, value = logged.partition(_MARKER[kind])
    if marked:
        return value.removesuffix(b"]")
    ends = [m.start() for m in _ENVELOPE.finditer(logged)]
    return logged[: ends[-1]] if ends else logged
