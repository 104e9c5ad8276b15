"""Postfix logs: which mails named a document, and to which domains they were delivered.

A transaction is a host, a queue id and a life: ids come back within a second, lines of several
mails lie between each other, and a content filter gives one mail two ids. Recipients are taken from
delivery lines only; a header line's text is the sender's and is never believed about addresses.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections import OrderedDict
from collections.abc import Iterable
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    FoundIn,
    MailTrace,
    Place,
    SourceKind,
    SourceReport,
)
from checks.documents.numbers import Finder
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.logfiles import LogFile, in_order
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.marks import Mention, is_automatic, is_secret, mentions
from checks.documents.sources.postfix_lines import (
    ANY,
    HEADER,
    INSIDE,
    LINE,
    PASSED_ON,
    SIZE,
    LineCounter,
    domain_of,
    header_text,
)
from checks.evidence import Unparsable
from checks.files import FileEntry

OPEN_LIVES = 200_000
"""Mails under way at once; beyond that the oldest are given up and counted."""
_ENDED = 20_000
"""Ended mails kept a while, because a filter's second id may end before the first is told of."""
_LONGEST = 8192
"""Bytes of a line that are looked at; Postfix writes at most 2000."""
_MENTIONS = 64
"""Documents that one mail may name; more is somebody's list."""


class MailLog(msgspec.Struct, frozen=True):
    """What a mail server's log says."""

    events: tuple[DocumentEvent, ...]
    report: SourceReport


class _Life:
    """One mail from the first line of its queue id to its removal."""

    __slots__ = ("delivered", "handed_on", "headers", "mentions", "queue", "secret", "sender",
                 "size", "started")  # fmt: skip

    def __init__(self, queue: bytes) -> None:
        self.queue = queue
        self.sender: bytes | None = None
        self.size = 0
        self.headers = False
        self.handed_on = False
        self.started = False
        self.secret = False
        self.mentions: dict[DocumentKey, tuple[Mention, Place]] = {}
        self.delivered: list[tuple[bytes, bytes, StampReader, int]] = []
        """Address, stamp, and what reads the stamp: read only when the mail names a document."""


def read_postfix(
    files: Iterable[FileEntry],
    name: str,
    zone: ZoneInfo,
    finder: Finder,
    open_lives: int = OPEN_LIVES,
) -> MailLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like a mail log.
    """
    ordered, same = in_order(files, zone)
    reader = _Reader(zone, finder, open_lives)
    for file in ordered:
        reader.read(file)
    reader.end()
    full = [f for f in ordered if len(f.data)]
    if full and not reader.lines and not any(ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no line of a Postfix log")
    report = SourceReport(
        kind=SourceKind.MAIL,
        name=name,
        files=len(ordered),
        duplicates=same,
        lines=reader.lines,
        unparsed=reader.unparsed,
        dropped=reader.dropped,
        days=frozenset(reader.days),
        first=reader.first,
        last=reader.last,
        mails=reader.mails,
        mails_with_headers=reader.mails_with_headers,
    )
    return MailLog(events=tuple(reader.events), report=report)


class _Reader:
    """The lives under way, and what came of the ended ones."""

    def __init__(self, zone: ZoneInfo, finder: Finder, open_lives: int) -> None:
        self.events: list[DocumentEvent] = []
        self.days: set[dt.date] = set()
        self.first: dt.datetime | None = None
        self.last: dt.datetime | None = None
        self.lines = self.unparsed = self.dropped = self.mails = self.mails_with_headers = 0
        self._zone = zone
        self._finder = finder
        self._cap = open_lives
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
        hour, stamp = b"", b""
        for found in LINE.finditer(block):
            _, stamp, host, queue, what, rest = found.groups()
            self.lines += 1
            if stamp[:13] != hour:
                hour = stamp[:13]
                self._seen(stamps.read(stamp))
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
                self._opened(key, what)
        if stamp:
            self._seen(stamps.read(stamp))

    def _seen(self, time: dt.datetime | None) -> None:
        if time is None:
            self.unparsed += 1
            return
        self.days.add(time.astimezone(self._zone).date())
        self.first = min(self.first or time, time)
        self.last = max(self.last or time, time)

    def _life(self, key: bytes) -> _Life:
        life = self._open.get(key)
        if life is None:
            life = self._open[key] = _Life(key.rpartition(b"/")[2])
            if len(self._open) > self._cap:
                self.dropped += 1
                self._emit(self._open.popitem(last=False)[1])
        return life

    def _opened(self, key: bytes, what: bytes) -> None:
        """A first line: a new life when the id is in use by a mail that is past its beginning."""
        life = self._open.get(key)
        begins = what != b"message-id="
        if life is not None and (life.sender is not None or (begins and life.started)):
            self._removed(key)
        life = self._life(key)
        life.started = life.started or begins

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
        if kind == b"subject":
            life.headers = True
            said = [(FoundIn.SUBJECT, decode_words(text))]
        else:
            said = [(FoundIn.NAME, n) for n in file_names(text)]
        for where, value in said:
            life.secret = life.secret or is_secret(value)
            for mention in mentions(self._finder, value, where):
                self._note(life, mention, found, name, counter)

    def _note(
        self,
        life: _Life,
        mention: Mention,
        found: re.Match[bytes],
        name: str,
        counter: LineCounter,
    ) -> None:
        known = life.mentions.get(mention.key)
        if known is not None and known[0].rank <= mention.rank:
            return
        if known is None and len(life.mentions) >= _MENTIONS:
            return
        line = int(found[1]) if found[1] else counter.at(found.start())
        raw = found[0][len(found[1]) + 1 :] if found[1] else found[0]
        place = Place(
            source=SourceKind.MAIL,
            file=name,
            line=line,
            sha256=hashlib.sha256(raw).hexdigest(),
            ref=life.queue.decode("ascii", "replace"),
        )
        life.mentions[mention.key] = (mention, place)

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
            self.mails += 1
            self.mails_with_headers += life.headers
        self._emit(life)

    def _emit(self, life: _Life) -> None:
        if not life.mentions:
            return
        sender = (life.sender or b"").decode("utf-8", "replace")
        automatic = is_automatic(sender)
        delivered: dict[str, dt.datetime] = {}
        for address, stamp, stamps, year in life.delivered:
            time = stamps.at(stamp, year)
            if time is None:
                self.unparsed += 1
            else:
                delivered.setdefault(domain_of(address), time)
        for key, (mention, place) in life.mentions.items():
            trace = MailTrace(
                found=mention.found,
                sender=domain_of(life.sender or b""),
                size=life.size,
                leading=mention.leading,
                cites=mention.cites,
                draft=mention.draft,
                automatic=automatic or mention.notice,
                weak=mention.weak,
                secret=life.secret,
            )
            self.events += [
                DocumentEvent(
                    kind=EventKind.MAILED,
                    key=key,
                    place=place,
                    time=time,
                    sender=trace.sender,
                    recipient=domain,
                    mail=trace,
                )
                for domain, time in delivered.items()
            ]

    def end(self) -> None:
        """The log is over: what was delivered of unfinished mails counts as well."""
        for life in (*self._ended.values(), *self._open.values()):
            self._finish(life)
        self._ended.clear()
        self._open.clear()


def _hand_on(outer: _Life, inner: _Life) -> None:
    """The same mail under its second id: only that one's deliveries count."""
    outer.handed_on = True
    inner.headers = inner.headers or outer.headers
    inner.secret = inner.secret or outer.secret
    inner.sender = inner.sender if inner.sender is not None else outer.sender
    for key, (mention, place) in outer.mentions.items():
        known = inner.mentions.get(key)
        if known is None or mention.rank < known[0].rank:
            inner.mentions[key] = (mention, place)
