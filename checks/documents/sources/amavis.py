"""Amavis lines in a Postfix log: the subject of a mail that passed, and the names of its parts.

The subject stands in the line `Passed …` when the verbose template is set (decoded, and once more
raw), the names in lines `p.path …` from log level 3 on, again for each recipient. All carry the id
of Amavis's task; the first also the ids that Postfix knows the mail by. A line over 980 bytes is
cut, and what follows begins with three dots. Checked against a recorded log of version 2.13.
"""

from __future__ import annotations

import re
from collections import OrderedDict

from checks.documents.events import Place
from checks.documents.numbers import Finder
from checks.documents.sources.headers import decode_words
from checks.documents.sources.mails import Contents, PlaceOf

NEEDED = rb"[^ ]*amavis[^ ]*\[[0-9]+\]: \([0-9-]+\) (\(!+\))?(Passed |p\.path |\.\.\.)"
"""Which lines are needed, in words that Python and `grep -E` read alike."""

OPEN_TASKS = 20_000
_LONGEST = 32_768
"""Bytes of a line put together again that are looked at."""
_PARTS = 200
"""Parts of one mail that are looked at."""
_HEAD = re.compile(rb"\(([0-9-]{3,40})\) (?:\(!+\))?(Passed |p\.path |\.\.\.)")
_QUEUE = re.compile(rb", Queue-ID: ([0-9A-Za-z]{6,20})(?=, |$)")
_QUEUED_AS = re.compile(rb", queued_as: ([0-9A-Za-z]{6,20})\b")
# Hits and size come after everything that the sender can choose but the subject.
_SIZE = re.compile(rb", Hits: [^,]{1,20}, size: \d+")
_QUIET = re.compile(rb", Subject: \"|\.\.\.$")
_NAME = re.compile(rb"(?:^|,)N=")
_KEY = re.compile(rb",[A-Z]=")
_CUT = re.compile(rb"%([0-9A-Fa-f]{2})")
"""What Amavis leaves of a name in several parts: a `%C4` that lies in two of them stays."""


class _Task:
    __slots__ = ("contents", "cut", "parts", "place")

    def __init__(self) -> None:
        self.contents = Contents()
        self.cut = b""
        """The beginning of a line whose end is still to come."""
        self.place: Place | None = None
        self.parts: set[bytes] = set()
        """Parts whose names were read: Amavis says them again for each recipient."""


class Tasks:
    """Amavis tasks under way; the oldest are forgotten when there are too many."""

    def __init__(self, finder: Finder, limit: int = OPEN_TASKS) -> None:
        self._finder = finder
        self._limit = limit
        self.ended = b""
        """The whole line that ended the last task."""
        self._open: OrderedDict[bytes, _Task] = OrderedDict()

    def is_quiet(self, text: bytes) -> bool:
        """Whether a line, from `(` on, tells nothing of a mail, as most lines do."""
        return (
            not self._open
            and b', Subject: "' not in text
            and text.startswith(b"Passed ", text.find(b") ") + 2)
            and not text.endswith(b"...")
        )

    def read(self, host: bytes, text: bytes, place: PlaceOf) -> tuple[list[bytes], Contents] | None:
        """Take in the text of a line, from `(` on.

        At the end of a task: the ids of its mail in Postfix, the second one first, and what was
        said of it.
        """
        head = _HEAD.match(text)
        if head is None:
            return None
        key = host + b"/" + head[1]
        task = self._open.get(key)
        if task is None and head[2] == b"Passed " and _QUIET.search(text) is None:
            return [], Contents()  # as most lines are: neither names nor subject
        if head[2] == b"...":
            if task is None or task.place is None:
                return None
            start, known = task.place, task.cut + text[head.end() :]
            return self._line(key, task, known, lambda: start)
        if task is None:
            task = self._open[key] = _Task()
            if len(self._open) > self._limit:
                self._open.popitem(last=False)
        return self._line(key, task, text[head.start(2) :], place)

    def _line(
        self, key: bytes, task: _Task, text: bytes, place: PlaceOf
    ) -> tuple[list[bytes], Contents] | None:
        if text.endswith(b"...") and len(text) < _LONGEST:
            # Worked out now, because line numbers cannot be asked for later.
            task.cut, task.place = text[:-3], place()
            return None
        task.cut, task.place = b"", None
        text = text[:_LONGEST]
        if text.startswith(b"p.path "):
            self._names(task, text, place)
            return None
        self._open.pop(key, None)
        self.ended = text
        subject = subject_of(text)
        if subject is not None:
            task.contents.read_subject(self._finder, subject, place)
        queue, second = _QUEUE.search(text), _QUEUED_AS.search(text)
        return [m[1] for m in (second, queue) if m], task.contents

    def _names(self, task: _Task, text: bytes, place: PlaceOf) -> None:
        part = text[text.find(b'"P=') :]
        if part in task.parts or len(task.parts) >= _PARTS:
            return
        task.parts.add(part)
        banned = text.startswith(b"p.path BANNED")  # logged at any level, unlike the others
        for name in part_names(text):
            task.contents.read_name(self._finder, name, place, alone=banned)


def subject_of(text: bytes) -> str | None:
    """The subject in a line `Passed …`; None when the template does not show it."""
    size = _SIZE.search(text)
    if size is None:
        return None
    start = text.find(b', Subject: "', size.end())
    if start < 0:
        return None
    start += len(b', Subject: "')
    ends = (text.rfind(b'", From: ', start), text.rfind(b'", ', start), text.rfind(b'"', start))
    end = next((e for e in ends if e >= 0), len(text))
    return decode_words(_plain(text[start:end]))


def part_names(text: bytes) -> list[str]:
    """The names in a line `p.path …: "P=p003,L=1,M=… | P=p002,L=1/2,M=…,T=pdf,N=name"`."""
    start = text.find(b'"P=')
    if start < 0:
        return []
    banned = text.rfind(b'", matching_key="')
    end = banned if banned > start else text.rfind(b'"')
    inner = text[start + 1 : end if end > start else len(text)]
    found: list[str] = []
    for part in inner.split(b" | "):
        marks = [m.end() for m in _NAME.finditer(part)]
        for begin in marks:
            stop = _KEY.search(part, begin)
            name = part[begin : stop.start() if stop else len(part)]
            if name.startswith(b"=?UTF-8?Q?"):
                name = _CUT.sub(rb"=\1", name)
            found.append(decode_words(_plain(name)))
    return list(dict.fromkeys(n for n in found if n))


def _plain(text: bytes) -> str:
    """Amavis writes a quote and a backslash twice, older versions put a backslash before them."""
    said = text.decode("utf-8", "replace").replace('""', '"')
    return re.sub(r"\\{1,2}([\"\\])", r"\1", said)
