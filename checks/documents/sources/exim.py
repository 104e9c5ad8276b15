r"""Exim main logs: which mails named a document, and to which domains they were delivered.

Exim alone logs neither subject nor names. `log_selector = +subject` adds `T="…"` to the line of
arrival, cut after 100 bytes, so a number at the end of a long subject is lost; the ACL lines that
we recommend write `subj=[…]` and `att=[…]` whole. What is no printable ASCII stands as `\303\204`.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from urllib.parse import unquote_to_bytes
from zoneinfo import ZoneInfo

from checks.documents.numbers import Finder
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.headers import decode_words
from checks.documents.sources.logfiles import LineCounter, LogFile, in_order, place
from checks.documents.sources.logtime import STAMP, StampReader
from checks.documents.sources.mails import Contents, Delivery, MailLog, PlaceOf, Tally
from checks.documents.sources.stretches import Stretches
from checks.evidence import Unparsable
from checks.files import FileEntry

OPEN_LIVES = 200_000
"""Mails under way at once; beyond that the oldest are given up and counted."""
_LONGEST = 16_384
"""Bytes of a line that are looked at; Exim writes at most 8192."""
_NAMES = 200
"""Names of one mail that are looked at."""

_ID = rb"[0-9A-Za-z]{6}-[0-9A-Za-z]{6,11}-[0-9A-Za-z]{2,4}"
_WHAT = rb"<= |=> |-> |>> |Completed|att=\[|subj=\["
_STAMPED = r"[0-9-]{10} [0-9:.]+( [+-][0-9]{4})?"
NEEDED = (
    rf"^({_STAMPED}|[^ ]+( +[0-9]+ [0-9:]+)? [^ ]+ [^ ]*exim[^ ]*:( {_STAMPED})?) "
    r"(\[[0-9:]+\] )?" + _ID.decode("ascii") + " (" + _WHAT.decode("ascii") + ")"
)
"""Which lines are needed, for `grep -E`."""
_ISO = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?(?: [+-]\d{4})?"
LINE = re.compile(
    rb"^(?:(\d+):)?(?:(" + STAMP + rb") \S+ [^ \n]{0,64}exim[^ \n]{0,64}: (?:" + _ISO + rb" )?|"
    rb"(" + _ISO + rb") )(?:\[[\d:]+\] )?(" + _ID + rb") (" + _WHAT + rb")([^\r\n]*)",
    re.MULTILINE,
)
_ANY = re.compile(
    rb"^(?:\d+:)?(?:" + _ISO + rb" (?:\[\d+\] )?(?:" + _ID + rb" |exim |Start |End |H=|no |SMTP |"
    rb"unexpected |TLS |Warning)|" + STAMP + rb" \S+ exim)",
    re.MULTILINE,
)
_SUBJECT = re.compile(rb' T="((?:[^"\\]|\\.)*)(?:"|$)')
_SIZE = re.compile(rb" S=(\d{1,15})(?= |$)")
_PARENT = re.compile(rb" <([^<> ]+)>")
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_CONTROL = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"", b"v": b" ", b"f": b" "}


class _Life:
    """One mail from its first line to `Completed`."""

    __slots__ = ("contents", "delivered", "names", "sender", "size", "tally")

    def __init__(self, tally: Tally) -> None:
        self.tally = tally
        """Where it counts: that of the stretch in which it began."""
        self.contents: Contents | None = None
        self.sender: bytes | None = None
        self.size = 0
        self.names = 0
        self.delivered: list[Delivery] = []

    def said(self) -> Contents:
        """What was logged of its subject and names, to be added to."""
        if self.contents is None:
            self.contents = Contents()
        return self.contents


def read_exim(  # noqa: PLR0913 - all that a reader may know
    files: Sequence[FileEntry],
    name: str,
    zone: ZoneInfo,
    finder: Finder,
    open_lives: int = OPEN_LIVES,
    addresses: Addresses = NO_ADDRESSES,
    *,
    stretches: Stretches | None = None,
) -> MailLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    `stretches` takes what is read apart by time, for a scan that goes on where another stopped.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like an Exim log.
    """
    ordered, same = in_order(files, zone)
    stretches = stretches or Stretches(lambda: Tally(zone, addresses))
    reader = _Reader(stretches, zone, finder, open_lives)
    for file in ordered:
        reader.read(file)
    reader.end()
    full = [f for f in ordered if len(f.data)]
    if full and not stretches.lines and not any(_ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no line of an Exim main log")
    return stretches.log(name, len(ordered), same)


class _Reader:
    """The mails under way, and what came of the ended ones."""

    def __init__(
        self, stretches: Stretches, zone: ZoneInfo, finder: Finder, open_lives: int
    ) -> None:
        self._stretches = stretches
        self._tally = stretches.tallies[0]
        """Of the stretch in which the line lies that is read."""
        self._zone = zone
        self._finder = finder
        self._cap = open_lives
        self._open: OrderedDict[bytes, _Life] = OrderedDict()

    def read(self, file: LogFile) -> None:
        """Take in one file."""
        stamps = StampReader(file.head(), file.mtime, self._zone)
        base = 1
        for block in file.blocks():
            counter = LineCounter(block, base)
            self._block(file.name, block, stamps, counter)
            base = counter.at(len(block))

    def _block(  # noqa: C901 - the one loop in which time is spent
        self, name: str, block: memoryview, stamps: StampReader, counter: LineCounter
    ) -> None:
        hour, stamp = b"", b""
        for found in LINE.finditer(block):
            stamp, what = found[2] or found[3], found[5]
            if stamp[:13] != hour:
                hour = stamp[:13]
                time = stamps.read(stamp)
                if time is not None and self._stretches.cuts:
                    now = self._stretches.at(time, stamp, b"")
                    self._stretches.begin(now, name, partial(_line, found, counter))
                    self._tally = self._stretches.tallies[now]
                self._tally.seen(time)
            self._tally.lines += 1
            if what == b"Completed":
                self._completed(found[4])
                continue
            rest = found[6][:_LONGEST]
            if what in (b"=> ", b"-> "):
                self._delivery(self._open.get(found[4]), rest, stamp, stamps)
                continue
            life = self._life(found[4])
            where = partial(place, found, name, counter, found[4])
            if what == b"<= ":
                self._arrival(life, rest, where)
            elif what == b">> ":  # cutthrough: delivered before it has wholly arrived
                self._delivery(life, rest, stamp, stamps)
            elif what == b"subj=[":
                life.said().read_subject(self._finder, _text(rest.removesuffix(b"]")), where)
            elif life.names < _NAMES:
                life.names += 1
                life.said().read_name(self._finder, _name(rest.removesuffix(b"]")), where)
        if stamp:
            self._tally.seen(stamps.read(stamp))

    def _life(self, queue: bytes) -> _Life:
        life = self._open.get(queue)
        if life is None:
            life = self._open[queue] = _Life(self._tally)
            if len(self._open) > self._cap:
                oldest = self._open.popitem(last=False)[1]
                self._tally.dropped += oldest.sender is not None
                self._emit(oldest)
        return life

    def _arrival(self, life: _Life, rest: bytes, where: PlaceOf) -> None:
        sender = rest.partition(b" ")[0]
        life.sender = b"" if sender == b"<>" else sender
        # The real subject is the last: a quote inside one is written with a backslash.
        subject = None
        for subject in _SUBJECT.finditer(rest):  # noqa: B007 - the last one is wanted
            pass
        sizes = _SIZE.findall(rest, 0, subject.start() if subject else len(rest))
        life.size = int(sizes[-1]) if sizes else 0
        if subject is not None:
            life.said().read_subject(self._finder, _text(subject[1]), where)

    def _delivery(self, life: _Life | None, rest: bytes, stamp: bytes, stamps: StampReader) -> None:
        if life is None:
            return  # its beginning is not in the log, and with it what it carried
        address = _address(rest)
        if address:
            life.delivered.append((address, stamp, stamps, stamps.year_of(stamp)))

    def _completed(self, queue: bytes) -> None:
        life = self._open.pop(queue, None)
        if life is not None:
            self._finish(life)

    def _finish(self, life: _Life) -> None:
        if life.sender is not None:  # else it was refused before it had arrived
            life.tally.count(life.contents, life.size)
            self._emit(life)

    def _emit(self, life: _Life) -> None:
        if life.contents is not None and life.sender is not None:
            life.tally.emit(life.contents, life.sender, life.size, life.delivered)

    def end(self) -> None:
        """The log is over: what was delivered of unfinished mails counts as well."""
        for life in self._open.values():
            self._finish(life)
        self._open.clear()


def _line(found: re.Match[bytes], counter: LineCounter) -> int:
    return int(found[1]) if found[1] else counter.at(found.start())


def _address(rest: bytes) -> bytes:
    """The address of a delivery line; empty when it went nowhere.

    A local delivery shows the user, a file or a command first, the address in angle brackets.
    """
    first = rest.partition(b" ")[0]
    if first.startswith(b":blackhole:") or first == b"/dev/null":
        return b""
    if b"@" in first and first[:1] not in b"|/:":
        return first.strip(b"<>")
    parent = _PARENT.search(rest)
    return parent[1] if parent else b""


def _text(logged: bytes) -> str:
    """A subject without Exim's escapes and encoded words."""
    return decode_words(_ESCAPE.sub(_plain, logged).decode("utf-8", "replace"))


def _name(logged: bytes) -> str:
    """The same of a file name, and without what Exim leaves of a name in several parts.

    It undoes the `%C4` of each part by itself; one that lies in two parts stays.
    """
    plain = unquote_to_bytes(_ESCAPE.sub(_plain, logged))
    return decode_words(plain.decode("utf-8", "replace"))


def _plain(found: re.Match[bytes]) -> bytes:
    if len(found[1]) == 3:
        return bytes((int(found[1], 8) & 0xFF,))
    return _CONTROL.get(found[1], found[1])
