"""Postfix logs: which mails named a document, and to which domains they were delivered.

A transaction is a host, a queue id and a life: ids come back within a second, lines of several
mails lie between each other, and a content filter gives one mail two ids. Recipients are taken from
delivery lines only; a header line's text is the sender's and is never believed about addresses.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterable
from functools import partial
from zoneinfo import ZoneInfo

from checks.documents.numbers import Finder
from checks.documents.sources.amavis import Tasks
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.logfiles import LineCounter, LogFile, in_order, place
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, Delivery, MailLog, Tally
from checks.documents.sources.postfix_lines import (
    ANY,
    HEADER,
    INSIDE,
    LINE,
    PASSED_ON,
    SIZE,
    header_text,
)
from checks.documents.sources.uploads import Join
from checks.evidence import Unparsable
from checks.files import FileEntry

OPEN_LIVES = 200_000
"""Mails under way at once; beyond that the oldest are given up and counted."""
_ENDED = 20_000
"""Ended mails kept a while, because a filter's second id may end before the first is told of."""
_LONGEST = 8192
"""Bytes of a line that are looked at; Postfix writes at most 2000."""


class _Life:
    """One mail from the first line of its queue id to its removal."""

    __slots__ = ("contents", "delivered", "handed_on", "queue", "sender", "size", "started")

    def __init__(self, queue: bytes) -> None:
        self.queue = queue
        self.sender: bytes | None = None
        self.size = 0
        self.handed_on = False
        self.started = False
        self.contents: Contents | None = None
        self.delivered: list[Delivery] = []

    def said(self) -> Contents:
        """What was logged of its subject and names, to be added to."""
        if self.contents is None:
            self.contents = Contents()
        return self.contents


def read_postfix(
    files: Iterable[FileEntry],
    name: str,
    zone: ZoneInfo,
    finder: Finder,
    open_lives: int = OPEN_LIVES,
    join: Join | None = None,
) -> MailLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    `join` knows the names that another log of the unit tells.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like a mail log.
    """
    ordered, same = in_order(files, zone)
    reader = _Reader(zone, finder, open_lives, join)
    for file in ordered:
        reader.read(file)
    reader.end()
    full = [f for f in ordered if len(f.data)]
    if full and not reader.tally.lines and not any(ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no line of a Postfix log")
    return reader.tally.log(name, len(ordered), same)


class _Reader:
    """The lives under way, and what came of the ended ones."""

    def __init__(
        self, zone: ZoneInfo, finder: Finder, open_lives: int, join: Join | None = None
    ) -> None:
        self.tally = Tally(zone)
        self._zone = zone
        self._finder = finder
        self._cap = open_lives
        self._join = join or None
        self._tasks = Tasks(finder)
        # Ordered ones, because a plain dict finds its oldest key ever more slowly.
        self._open: OrderedDict[bytes, _Life] = OrderedDict()
        self._ended: OrderedDict[bytes, _Life] = OrderedDict()

    def read(self, file: LogFile) -> None:
        """Take in one file."""
        stamps = StampReader(file.head(), file.mtime, self._zone)
        base = 1
        for block in file.blocks():
            counter = LineCounter(block, base)
            self._block(file.name, block, stamps, counter)
            if file.compressed:
                base = counter.at(len(block))

    def _block(
        self, name: str, block: memoryview, stamps: StampReader, counter: LineCounter
    ) -> None:
        hour, stamp, lines, seen = b"", b"", 0, self.tally.seen
        for found in LINE.finditer(block):
            _, stamp, host, queue, what, rest = found.groups()
            lines += 1
            if stamp[:13] != hour:
                hour = stamp[:13]
                seen(stamps.read(stamp))
            if queue is None:
                self._filtered(host, found, name, counter)
                continue
            key = host + b"/" + queue
            if what == b"to=<":
                self._delivery(key, host, rest, stamp, stamps)
            elif what == b"removed":
                self._removed(key)
            elif what == b"from=<":
                self._queued(self._open.get(key), rest)
            elif what.endswith(b"header "):
                self._header(key, found, name, counter)
            else:
                self._opened(key, what, rest)
        self.tally.lines += lines
        if stamp:
            seen(stamps.read(stamp))

    def _life(self, key: bytes) -> _Life:
        life = self._open.get(key)
        if life is None:
            life = self._open[key] = _Life(key.rpartition(b"/")[2])
            if len(self._open) > self._cap:
                self.tally.dropped += 1
                self._emit(self._open.popitem(last=False)[1])
        return life

    def _opened(self, key: bytes, what: bytes, rest: bytes) -> None:
        """A first line: a new life when the id is in use by a mail that is past its beginning."""
        life = self._open.get(key)
        begins = what != b"message-id="
        if life is not None and (life.sender is not None or (begins and life.started)):
            self._removed(key)
        life = self._life(key)
        life.started = life.started or begins
        if self._join is not None and not begins:
            told = self._join.ask(rest)
            if told is not None:
                life.said().add(told, life.queue)

    def _queued(self, life: _Life | None, rest: bytes) -> None:
        if life is None:
            return  # tried again; it came in before the log begins
        life.sender = rest.partition(b">")[0]
        size = SIZE.search(rest)
        life.size = int(size[1]) if size else life.size

    def _removed(self, key: bytes) -> None:
        life = self._open.pop(key, None)
        if life is None:
            return
        earlier = self._ended.pop(key, None)
        if earlier is not None:
            self._finish(earlier)
        self._ended[key] = life
        if len(self._ended) > _ENDED:
            self._finish(self._ended.popitem(last=False)[1])

    def _header(self, key: bytes, found: re.Match[bytes], name: str, counter: LineCounter) -> None:
        life = self._open.get(key)
        if life is not None and life.sender is not None:
            self._removed(key)  # headers come before the queue manager: the id is in use again
        life = self._life(key)
        header = HEADER.match(found[6][:_LONGEST])
        if header is None:
            return
        kind = header[1].lower()
        text = header_text(kind, header[2]).decode("utf-8", "replace")
        where = partial(place, found, name, counter, life.queue)
        if kind == b"subject":
            life.said().read_subject(self._finder, decode_words(text), where)
            return
        for file_name in file_names(text):
            life.said().read_name(self._finder, file_name, where)

    def _filtered(
        self, host: bytes, found: re.Match[bytes], name: str, counter: LineCounter
    ) -> None:
        """A line of the content filter: what it says belongs to a mail of Postfix's."""
        ended = self._tasks.read(host, found[6], partial(place, found, name, counter))
        for queue in ended[0] if ended else ():
            key = host + b"/" + queue
            life = self._open.get(key) or self._ended.get(key)
            if life is not None and not life.handed_on and ended:
                life.said().add(ended[1], life.queue)
                return

    def _delivery(
        self, key: bytes, host: bytes, rest: bytes, stamp: bytes, stamps: StampReader
    ) -> None:
        life = self._open.get(key)
        if life is None:
            return  # its beginning is not in the log, and with it what it carried
        status = rest.find(b" status=") + 8
        if status < 8 or not rest.startswith(b"sent", status):
            return
        if (b"queued as " in rest or b"forwarded as " in rest) and self._passed_on(
            life, host, rest[:_LONGEST], status
        ):
            return
        life.delivered.append((rest[: rest.find(b">")], stamp, stamps, stamps.year_of(stamp)))

    def _passed_on(self, life: _Life, host: bytes, rest: bytes, status: int) -> bool:
        """Whether this delivery only gave the mail a second id on the same host."""
        relay = rest.find(b" relay=", 0, status) + 7
        passed = PASSED_ON.search(rest, status) if INSIDE.match(rest, relay) else None
        if relay < 7 or passed is None:
            return False
        inner_key = host + b"/" + passed[1]
        inner = self._open.get(inner_key) or self._ended.get(inner_key)
        if inner is None or inner is life:
            return False
        _hand_on(life, inner)
        return True

    def _finish(self, life: _Life) -> None:
        """Count an ended mail and turn it into events, one for each document and domain."""
        if not life.handed_on and (life.sender is not None or life.delivered):
            self.tally.count(life.contents, life.size)
        self._emit(life)

    def _emit(self, life: _Life) -> None:
        if life.contents is not None:
            self.tally.emit(life.contents, life.sender or b"", life.size, life.delivered)

    def end(self) -> None:
        """The log is over: what was delivered of unfinished mails counts as well."""
        for life in (*self._ended.values(), *self._open.values()):
            self._finish(life)
        self._ended.clear()
        self._open.clear()


def _hand_on(outer: _Life, inner: _Life) -> None:
    """The same mail under its second id: only that one's deliveries count."""
    outer.handed_on = True
    if outer.contents is not None:
        inner.said().add(outer.contents)
    inner.sender = inner.sender if inner.sender is not None else outer.sender
