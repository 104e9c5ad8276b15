"""Postfix logs: which mails named a document, and to which domains they were delivered.

A transaction is a host, a queue id and a life: ids come back within a second, lines of several
mails lie between each other, and a content filter gives one mail two ids. Recipients are taken from
delivery lines only; a header line's text is the sender's and is never believed about addresses.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable
from functools import partial
from itertools import islice
from zoneinfo import ZoneInfo

from checks.documents.numbers import Finder
from checks.documents.sources.amavis import Tasks
from checks.documents.sources.amavis_file import filter_alone, read_filter
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.logfiles import LogFile, in_order, pieces
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, Delivery, MailLog, Tally
from checks.documents.sources.postfix_lines import (
    ANY,
    HEADERS,
    INSIDE,
    PASSED_ON,
    SIZE,
    Piece,
    header_text,
)
from checks.documents.sources.stretches import Stretches
from checks.documents.sources.uploads import Join
from checks.evidence import Unparsable
from checks.files import FileEntry
from checks.pseudonyms import Pseudonyms

OPEN_LIVES = 200_000
"""Mails under way at once; beyond that the oldest are given up and counted."""
_ENDED = 20_000
"""Ended mails kept a while, because a filter's second id may end before the first is told of."""
_LONGEST = 8192
"""Bytes of a line that are looked at; Postfix writes at most 2000."""


class _Life:
    """One mail from the first line of its queue id to its removal."""

    __slots__ = ("contents", "delivered", "handed_on", "queued", "started", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        """Where it counts: that of the stretch in which it began."""
        self.queued: bytes | None = None
        """What the queue manager said of sender and size, once it has the mail."""
        self.handed_on = False
        self.started = False
        self.contents: Contents | None = None
        self.delivered: list[Delivery] = []

    def said(self) -> Contents:
        """What was logged of its subject and names, to be added to."""
        if self.contents is None:
            self.contents = Contents()
        return self.contents

    @property
    def sender(self) -> bytes:
        """Its envelope sender; empty when it has none or is not known."""
        return (self.queued or b"").partition(b">")[0]

    @property
    def size(self) -> int:
        """Its size in bytes; 0 when not known."""
        found = SIZE.search(self.queued or b"")
        return int(found[1]) if found else 0


class _Host:
    """The mails of one host: those under way, and those that ended a while ago."""

    __slots__ = ("before", "ended", "open")

    def __init__(self) -> None:
        self.open: dict[bytes, _Life] = {}
        self.ended: dict[bytes, _Life] = {}
        self.before: dict[bytes, _Life] = {}
        """What `ended` was when it had become large."""

    def get(self, queue: bytes) -> _Life | None:
        """The last mail of this id."""
        return self.open.get(queue) or self.ended.get(queue) or self.before.get(queue)


def read_postfix(  # noqa: PLR0913 - all that a reader may know
    files: Iterable[FileEntry],
    name: str,
    zone: ZoneInfo,
    finder: Finder,
    open_lives: int = OPEN_LIVES,
    join: Join | None = None,
    *,
    pseudonyms: Pseudonyms | None = None,
    stretches: Stretches | None = None,
) -> MailLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    `join` knows the names that another log of the unit tells, `pseudonyms` hashes addresses.
    `stretches` takes what is read apart by time, for a scan that goes on where another stopped.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like a mail log.
    """
    ordered, same = in_order(files, zone)
    alone = [filter_alone(f) for f in ordered]
    if ordered and all(alone):
        raise Unparsable(f"{ordered[0].name}:1: lines of Amavis only; declare it as kind amavis")
    filters = [f for f, is_alone in zip(ordered, alone, strict=True) if is_alone]
    if filters:
        join = join if join is not None else Join()
        join.tell(f"{name} of the filter", read_filter(filters, zone, finder).uploads())
    stretches = stretches or Stretches(lambda: Tally(zone, pseudonyms))
    reader = _Reader(stretches, zone, finder, open_lives, join)
    for file, is_alone in zip(ordered, alone, strict=True):
        if not is_alone:
            reader.read(file)
    reader.end()
    full = [f for f in ordered if len(f.data)]
    if full and not stretches.lines and not any(ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no line of a Postfix log")
    return stretches.log(name, len(ordered), same)


class _Reader:
    """The lives under way, and what came of the ended ones."""

    def __init__(
        self,
        stretches: Stretches,
        zone: ZoneInfo,
        finder: Finder,
        open_lives: int,
        join: Join | None,
    ) -> None:
        self._stretches = stretches
        self._tally = stretches.tallies[0]
        """Of the stretch in which the line lies that is read."""
        self._zone = zone
        self._finder = finder
        self._cap = self._cap_of_all = open_lives
        self._kept = _ENDED
        self._join = join or None
        self._tasks = Tasks(finder)
        self._hosts: dict[bytes, _Host] = {}

    def read(self, file: LogFile) -> None:
        """Take in one file."""
        stamps = StampReader(file.head(), file.mtime, self._zone)
        last = 0
        for text in pieces(file):
            piece = Piece(file.name, text, last)
            self._piece(piece, stamps)
            last = piece.last

    def _piece(self, piece: Piece, stamps: StampReader) -> None:  # noqa: C901, PLR0912 - see below
        """Take in some lines: the one loop in which time is spent, so calls are few here."""
        name, hour, stamp, year, lines, seen = b"", b"", b"", 0, 0, self._tally.seen
        cuts = self._stretches.cuts
        mails = _Host()
        opened = mails.open
        for found in piece.needed():
            stamp, host, queue, what, rest = found.groups()
            lines += 1
            if stamp[:13] != hour:
                hour = stamp[:13]
                year = stamps.year_of(stamp)
                time = stamps.at(stamp, year)
                if cuts and time is not None:
                    self._tally.lines += lines - 1
                    lines = 1
                    self._come_to(time, found, piece)
                    seen = self._tally.seen
                seen(time)
            if host != name:
                name, mails = host, self._hosts.get(host) or self._new_host(host)
                opened = mails.open
            if queue is None:
                self._filtered(mails, host, found, piece)
            elif what == b"to=<":
                life = opened.get(queue)
                # Without its beginning in the log nobody knows what it carried.
                status = rest.find(b" status=") + 8
                if life is not None and status > 8 and rest.startswith(b"sent", status):
                    if b" as " in rest and self._passed_on(mails, life, rest):
                        continue
                    address = rest[: rest.find(b">")]
                    life.delivered.append((address, stamp, stamps, year))
            elif what == b"removed":
                if queue in opened:
                    self._removed(mails, queue)
            elif what == b"from=<":
                life = opened.get(queue)
                if life is not None:  # else tried again; it came in before the log begins
                    life.queued = rest
            elif what.endswith(b"header "):
                self._header(mails, queue, found, piece)
            else:
                self._opened(mails, queue, what, rest)
        self._tally.lines += lines
        if stamp:
            seen(stamps.at(stamp, year))

    def _come_to(self, time: dt.datetime, found: re.Match[bytes], piece: Piece) -> None:
        """From this line on, the lines of its hour lie in the stretch of its time."""
        now = self._stretches.at(time, found[1], found[2])
        self._stretches.begin(now, piece.name, lambda: piece.line(found))
        self._tally = self._stretches.tallies[now]

    def _new_host(self, host: bytes) -> _Host:
        """Room for the mails of another host: all of them share the limits."""
        found = self._hosts[host] = _Host()
        self._cap = max(1, self._cap_of_all // len(self._hosts))
        self._kept = max(1, _ENDED // len(self._hosts))
        return found

    def _life(self, mails: _Host, queue: bytes) -> _Life:
        life = mails.open.get(queue)
        if life is None:
            if len(mails.open) >= self._cap:
                self._give_up(mails.open)
            life = mails.open[queue] = _Life(self._tally)
        return life

    def _give_up(self, opened: dict[bytes, _Life]) -> None:
        """Forget the oldest; many at once, because finding the first of a dict takes long."""
        for queue in list(islice(opened, 1 + self._cap // 20)):
            self._tally.dropped += 1
            self._emit(opened.pop(queue))

    def _opened(self, mails: _Host, queue: bytes, what: bytes, rest: bytes) -> None:
        """A first line: a new life when the id is in use by a mail that is past its beginning."""
        life = mails.open.get(queue)
        begins = what != b"message-id="
        if life is not None and (life.queued is not None or (begins and life.started)):
            self._removed(mails, queue)
            life = None
        if life is None:
            life = self._life(mails, queue)
        if begins:
            life.started = True
        elif self._join is not None:
            told = self._join.ask(queue, rest)
            if told is not None:
                life.said().add(told, queue)

    def _removed(self, mails: _Host, queue: bytes) -> None:
        """The mail of this id, which is under way, ends."""
        ended = mails.ended
        if queue in ended:
            self._finish(ended[queue])
        ended[queue] = mails.open.pop(queue)
        if len(ended) > self._kept:
            self._finish(*mails.before.values())
            mails.before, mails.ended = ended, {}

    def _header(self, mails: _Host, queue: bytes, found: re.Match[bytes], piece: Piece) -> None:
        life = mails.open.get(queue)
        if life is not None and life.queued is not None:
            # Headers come before the queue manager: the id is in use again.
            self._removed(mails, queue)
        life = self._life(mails, queue)
        name, _, logged = found[5][:_LONGEST].partition(b":")
        kind = name.lower()
        if kind not in HEADERS:
            return
        text = header_text(kind, logged.removeprefix(b" ")).decode("utf-8", "replace")
        where = partial(piece.place, found, queue)
        if kind == b"subject":
            life.said().read_subject(self._finder, decode_words(text), where)
            return
        for file_name in file_names(text):
            life.said().read_name(self._finder, file_name, where)

    def _filtered(self, mails: _Host, host: bytes, found: re.Match[bytes], piece: Piece) -> None:
        """A line of the content filter: what it says belongs to a mail of Postfix's."""
        ended = self._tasks.read(host, found[5], partial(piece.place, found, b""))
        for queue in ended[0] if ended else ():
            life = mails.get(queue)
            if life is not None and not life.handed_on and ended:
                life.said().add(ended[1], queue)
                return

    def _passed_on(self, mails: _Host, life: _Life, rest: bytes) -> bool:
        """Whether this delivery only gave the mail a second id on the same host."""
        rest = rest[:_LONGEST]
        status = rest.find(b" status=")
        relay = rest.find(b" relay=", 0, status) + 7
        passed = PASSED_ON.search(rest, status) if INSIDE.match(rest, relay) else None
        if relay < 7 or passed is None:
            return False
        inner = mails.get(passed[1])
        if inner is None or inner is life:
            return False
        self._hand_on(life, inner)
        return True

    def _hand_on(self, outer: _Life, inner: _Life) -> None:
        """The same mail under its second id: only that one's deliveries count."""
        outer.handed_on = True
        if outer.contents is not None:
            inner.said().add(outer.contents)
        inner.queued = inner.queued if inner.queued is not None else outer.queued
        self._stretches.handed_on(outer.tally, inner.tally)

    def _finish(self, *lives: _Life) -> None:
        """Count ended mails and turn them into events, one for each document and domain."""
        for life in lives:
            contents = life.contents
            if not life.handed_on and (life.queued is not None or life.delivered):
                if contents is None:
                    life.tally.mails += 1
                else:
                    life.tally.count(contents, life.size)
            if contents is not None:
                self._emit(life)

    def _emit(self, life: _Life) -> None:
        if life.contents is not None and life.contents.noted:
            life.tally.emit(life.contents, life.sender, life.size, life.delivered)

    def end(self) -> None:
        """The log is over: what was delivered of unfinished mails counts as well."""
        for mails in self._hosts.values():
            self._finish(*mails.before.values(), *mails.ended.values(), *mails.open.values())
        self._hosts.clear()
