"""Postfix logs: which mails named a document, and to which domains they were delivered.

A transaction is a host, a queue id and a life: ids come back within a second, lines of several
mails lie between each other, and a content filter gives one mail two ids. Recipients are taken from
delivery lines only; a header line's text is the sender's and is never believed about addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from itertools import islice
from operator import length_hint
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.numbers import Finder
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.amavis import Tasks
from checks.documents.sources.amavis_file import filter_alone, read_filter
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.logfiles import LogFile, in_order, pieces
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, MailLog, Tally
from checks.documents.sources.postfix_lines import (
    ANY,
    HEADERS,
    INSIDE,
    PASSED_ON,
    Piece,
    header_text,
    recipient_of,
    sender_of,
    size_of,
    stamp_of,
    task_of,
)
from checks.documents.sources.stretches import Stretches
from checks.documents.sources.uploads import Join
from checks.evidence import Unparsable
from checks.files import FileEntry

OPEN_LIVES = 200_000
"""Mails under way at once; beyond that the oldest are given up and counted."""
_ENDED = 20_000
"""Ended mails kept a while, because a filter's second id may end before the first is told of."""
_LONGEST = 8192
"""Bytes of a line that are looked at; Postfix writes at most 2000."""


class _Life(msgspec.Struct, gc=False):
    """One mail from the first line of its queue id to its removal."""

    tally: Tally
    """Where it counts: that of the stretch in which it began."""
    queued: bytes | None = None
    """The queue manager's line about sender and size, once it has the mail."""
    handed_on: bool = False
    started: bool = False
    contents: Contents | None = None
    delivered: list[tuple[bytes, int]] | None = None
    """Lines that tell of deliveries, and the year of each where stamps have none.

    They are read only when the mail names a document, which few do.
    """

    def said(self) -> Contents:
        """What was logged of its subject and names, to be added to."""
        if self.contents is None:
            self.contents = Contents()
        return self.contents


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
    addresses: Addresses = NO_ADDRESSES,
    stretches: Stretches | None = None,
) -> MailLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    `join` knows the names that another log of the unit tells; `addresses` says what is made of
    senders and recipients.
    `stretches` takes what is read apart by time, for a scan that goes on where another stopped.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like a mail log.
    """
    ordered, same = in_order(files, zone)
    alone = [filter_alone(f) for f in ordered]
    # The rest of a log may well be some lines of its filter.
    if all(alone) and stretches is not None and stretches.goes_on:
        alone = [False for _ in ordered]
    if ordered and all(alone):
        raise Unparsable(f"{ordered[0].name}:1: lines of Amavis only; declare it as kind amavis")
    filters = [f for f, is_alone in zip(ordered, alone, strict=True) if is_alone]
    if filters:
        join = join if join is not None else Join()
        join.tell(f"{name} of the filter", read_filter(filters, zone, finder).uploads())
    stretches = stretches or Stretches(lambda: Tally(zone, addresses))
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
        self._stamps = stamps = StampReader(file.head(), file.mtime, self._zone)
        last = 0
        for text in pieces(file):
            piece = Piece(file.name, text, last)
            self._piece(piece, stamps)
            last = piece.last

    def _piece(self, piece: Piece, stamps: StampReader) -> None:  # noqa: C901, PLR0912 - see below
        """Take in some lines: the one loop in which time is spent, so calls are few here."""
        name, hour, line, year, counted = None, b"", b"", 0, 0
        mails = _Host()
        opened, join, cuts = mails.open, self._join, self._stretches.cuts
        rows = piece.needed()
        left = iter(rows)
        for line, host, queue, what in left:
            if line[:13] != hour:
                hour = line[:13]
                if cuts:
                    done = len(rows) - length_hint(left) - 1
                    self._tally.lines += done - counted
                    counted = done
                year = self._moment(line, host or piece.host, stamps, piece)
            if host != name:
                name, mails = host, self._host(host or piece.host)
                opened = mails.open
            if what == b"to=<":
                life = opened.get(queue)
                if life is None:  # nobody knows what it carried
                    continue
                status = line.find(b" status=")
                if not line.startswith(b" status=sent", status) or (
                    line.find(b"ed as ", status) > 0 and self._passed_on(mails, life, line)
                ):
                    continue
                if life.delivered is None:
                    life.delivered = [(line, year)]
                else:
                    life.delivered.append((line, year))
            elif what == b"removed":
                if queue in opened:
                    self._removed(mails, queue)
            elif what == b"message-id=":
                life = opened.get(queue)
                if life is None or life.queued is not None or join is not None:
                    self._identified(mails, queue, line)
            elif what == b"from=<":
                life = opened.get(queue)
                if life is not None:  # else tried again; it came in before the log begins
                    life.queued = line
            elif not queue:
                self._filtered(mails, host or piece.host, line, piece)
            elif what in (b"client=", b"uid="):
                life = opened.get(queue)
                if life is None or life.queued is not None or life.started:
                    life = self._new(mails, queue)
                life.started = True
            else:
                self._header(mails, queue, line, piece)
        self._tally.lines += len(rows) - counted
        if line:
            self._tally.seen(stamps.at(stamp_of(line), year))

    def _moment(self, line: bytes, host: bytes, stamps: StampReader, piece: Piece) -> int:
        """Count the moment of a line and tell its year, 0 when its stamp has one.

        From this line on, the lines of its hour lie in the stretch of its time.
        """
        stamp = stamp_of(line)
        year = stamps.year_of(stamp)
        time = stamps.at(stamp, year)
        if self._stretches.cuts and time is not None:
            now = self._stretches.at(time, stamp, host)
            self._stretches.begin(now, piece.name, lambda: piece.line(line))
            self._tally = self._stretches.tallies[now]
        self._tally.seen(time)
        return year

    def _host(self, name: bytes) -> _Host:
        """The mails of a host; all hosts share the limits."""
        found = self._hosts.get(name)
        if found is None:
            found = self._hosts[name] = _Host()
            self._cap = max(1, self._cap_of_all // len(self._hosts))
            self._kept = max(1, _ENDED // len(self._hosts))
        return found

    def _new(self, mails: _Host, queue: bytes) -> _Life:
        """A mail begins; if its id is in use, that mail has ended."""
        if queue in mails.open:
            self._removed(mails, queue)
        if len(mails.open) >= self._cap:
            self._give_up(mails.open)
        life = mails.open[queue] = _Life(self._tally)
        return life

    def _give_up(self, opened: dict[bytes, _Life]) -> None:
        """Forget the oldest; many at once, because finding the first of a dict takes long."""
        for queue in list(islice(opened, 1 + self._cap // 20)):
            self._tally.dropped += 1
            self._emit(opened.pop(queue))

    def _identified(self, mails: _Host, queue: bytes, line: bytes) -> None:
        """A Message-ID: a new life when the id is in use by a mail that is past its beginning."""
        life = mails.open.get(queue)
        if life is None or life.queued is not None:
            life = self._new(mails, queue)
        if self._join is not None:
            told = self._join.ask(queue, line.partition(b": message-id=")[2])
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

    def _header(self, mails: _Host, queue: bytes, line: bytes, piece: Piece) -> None:
        life = mails.open.get(queue)
        if life is None or life.queued is not None:
            # Headers come before the queue manager: the id is in use again.
            life = self._new(mails, queue)
        said = line.partition(b": header ")[2]
        name, _, logged = said[:_LONGEST].partition(b":")
        kind = name.lower()
        if kind not in HEADERS:
            return
        text = header_text(kind, logged.removeprefix(b" ")).decode("utf-8", "replace")
        where = partial(piece.place, line, queue)
        if kind == b"subject":
            life.said().read_subject(self._finder, decode_words(text), where)
            return
        for file_name in file_names(text):
            life.said().read_name(self._finder, file_name, where)

    def _filtered(self, mails: _Host, host: bytes, line: bytes, piece: Piece) -> None:
        """A line of the content filter: what it says belongs to a mail of Postfix's."""
        text = task_of(line)
        if self._tasks.is_quiet(text):
            return
        ended = self._tasks.read(host, text, partial(piece.place, line, b""))
        for queue in ended[0] if ended else ():
            life = mails.get(queue)
            if life is not None and not life.handed_on and ended:
                life.said().add(ended[1], queue)
                return

    def _passed_on(self, mails: _Host, life: _Life, line: bytes) -> bool:
        """Whether this delivery only gave the mail a second id on the same host."""
        line = line[:_LONGEST]
        status = line.find(b" status=")
        relay = line.find(b" relay=", 0, status) + 7
        if relay < 7 or INSIDE.match(line, relay) is None:
            return False
        passed = PASSED_ON.search(line, status)
        inner = None if passed is None else mails.get(passed[1])
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
        if outer.tally is not inner.tally:
            self._stretches.handed_on(outer.tally, inner.tally)

    def _finish(self, *lives: _Life) -> None:
        """Count ended mails and turn them into events, one for each document and domain."""
        tally, silent = self._tally, 0
        for life in lives:
            contents = life.contents
            if contents is None:
                if not life.handed_on and (life.queued is not None or life.delivered):
                    if life.tally is not tally:
                        tally.mails += silent
                        tally, silent = life.tally, 0
                    silent += 1
                continue
            if not life.handed_on and (life.queued is not None or life.delivered):
                life.tally.count(contents, size_of(life.queued or b""))
            self._emit(life)
        tally.mails += silent

    def _emit(self, life: _Life) -> None:
        if life.contents is not None and life.contents.noted:
            queued, stamps = life.queued or b"", self._stamps
            delivered = [
                (recipient_of(line), stamp_of(line), stamps, year)
                for line, year in life.delivered or ()
            ]
            life.tally.emit(life.contents, sender_of(queued), size_of(queued), delivered)

    def end(self) -> None:
        """The log is over: what was delivered of unfinished mails counts as well."""
        for mails in self._hosts.values():
            self._finish(*mails.before.values(), *mails.ended.values(), *mails.open.values())
        self._hosts.clear()
