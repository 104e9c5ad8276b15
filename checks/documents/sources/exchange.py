"""Exchange message tracking logs: subjects and recipients, but never the name of an attachment.

So a mail is found here by its subject only, and no number of mails makes a pass: what went by file
name under another subject cannot be seen. One mail has several rows; those that say that it left
(SEND, SENDEXTERNAL) or reached a mailbox (DELIVER) are read, and it is counted once.
"""

from __future__ import annotations

import csv
import re
from collections import OrderedDict
from collections.abc import Sequence
from functools import partial
from zoneinfo import ZoneInfo

from checks.documents.numbers import Finder
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.headers import decode_words
from checks.documents.sources.logfiles import LineCounter, LogFile, in_order, place
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, Delivery, MailLog, Tally
from checks.evidence import Unparsable
from checks.files import FileEntry

EVENTS = ("SEND", "SENDEXTERNAL", "DELIVER")
NEEDED = r"^.{0,3}#Fields:|,(SEND|SENDEXTERNAL|DELIVER),"
"""Which lines are needed, for `grep -E`; three bytes may be a byte order mark."""
LINE = re.compile(
    rb"^(?:(\d+):)?(?:\xef\xbb\xbf)?(?:(#Fields:)([^\r\n]*)|"
    rb"([^\r\n#][^\r\n]*,(?:SEND|SENDEXTERNAL|DELIVER),[^\r\n]*))",
    re.MULTILINE,
)
_ANY = re.compile(
    rb"^(?:\d+:)?(?:\xef\xbb\xbf)?#(?:Software|Fields|Log-type|Date): ?", re.MULTILINE
)
OPEN_MAILS = 100_000
"""Mails whose rows may still follow each other; beyond that the oldest are closed."""
_LONGEST = 262_144
"""Bytes of a row; a longer one is not read."""
_TIME, _EVENT, _TO = "date-time", "event-id", "recipient-address"
_SUBJECT, _FROM, _SIZE = "message-subject", "sender-address", "total-bytes"
_IDS = ("network-message-id", "message-id")
"""The key of a mail; Exchange 2010 has only the second."""
_BOUNCE = "return-path"


class _Mail:
    """One mail from its first row to the time when no more of them is expected."""

    __slots__ = ("contents", "delivered", "sender", "size")

    def __init__(self, sender: bytes, size: int) -> None:
        self.sender = sender
        self.size = size
        self.contents = Contents()
        self.delivered: list[Delivery] = []


def read_exchange(
    files: Sequence[FileEntry],
    name: str,
    zone: ZoneInfo,
    finder: Finder,
    open_mails: int = OPEN_MAILS,
    addresses: Addresses = NO_ADDRESSES,
) -> MailLog:
    """Read the files of one server or of several as one stream; stamps are UTC, whatever `zone`.

    Raises:
        Unparsable: a file is a damaged archive, is no message tracking log, or lacks a column.
    """
    ordered, same = in_order(files, zone)
    reader = _Reader(zone, finder, open_mails, addresses)
    for file in ordered:
        if not len(file.data):
            continue
        reader.read(file)
    reader.end()
    return reader.tally.log(name, len(ordered), same)


class _Reader:
    """The mails whose rows are being read."""

    def __init__(
        self, zone: ZoneInfo, finder: Finder, open_mails: int, addresses: Addresses
    ) -> None:
        self.tally = Tally(zone, addresses, shows_names=False)
        self._finder = finder
        self._cap = open_mails
        self._open: OrderedDict[str, _Mail] = OrderedDict()
        self._columns: dict[str, int] = {}

    def read(self, file: LogFile) -> None:
        """Take in one file; each says its columns itself."""
        if _ANY.search(file.head()) is None:
            raise Unparsable(f"{file.name}:1: no line #Fields: of a message tracking log")
        stamps = StampReader(file.head(), file.mtime, ZoneInfo("UTC"))
        self._columns = {}
        base = 1
        for block in file.blocks():
            counter = LineCounter(block, base)
            for found in LINE.finditer(block):
                if found[2]:
                    self._columns = _columns(found[3], f"{file.name}:{counter.at(found.start())}")
                elif not self._columns:
                    line = counter.at(found.start())
                    raise Unparsable(f"{file.name}:{line}: a row before any line #Fields:")
                else:
                    self._row(found, file.name, counter, stamps)
            base = counter.at(len(block))

    def _row(
        self, found: re.Match[bytes], name: str, counter: LineCounter, stamps: StampReader
    ) -> None:
        self.tally.lines += 1
        cells = _cells(found[4])
        if len(cells) <= max(self._columns.values()):
            self.tally.unparsed += 1
            return
        if self._cell(cells, _EVENT) not in EVENTS:
            self.tally.lines -= 1  # the word stood in another column
            return
        stamp = self._cell(cells, _TIME).encode("ascii", "replace")
        time = stamps.read(stamp)
        self.tally.seen(time)
        key = next((v for v in (self._cell(cells, i) for i in _IDS) if v), "")
        if time is None or not key:
            return
        mail = self._open.get(key)
        if mail is None:
            where = partial(place, found, name, counter, key[:80].encode("ascii", "replace"))
            mail = self._mail(cells)
            subject = self._cell(cells, _SUBJECT)
            if subject:
                mail.contents.read_subject(self._finder, decode_words(subject), where)
            self._keep(key, mail)
        if mail.contents.noted:
            mail.delivered += [
                (address.encode("utf-8", "replace"), stamp, stamps, 0)
                for address in self._cell(cells, _TO).split(";")
                if "@" in address
            ]

    def _cell(self, cells: list[str], column: str) -> str:
        at = self._columns.get(column)
        return "" if at is None else cells[at].strip()

    def _mail(self, cells: list[str]) -> _Mail:
        sender = self._cell(cells, _FROM)
        bounce = self._cell(cells, _BOUNCE) == "<>" or sender == "<>"
        size = self._cell(cells, _SIZE)
        digits = size if size.isdecimal() and len(size) < 16 else "0"
        return _Mail(b"" if bounce else sender.encode("utf-8", "replace"), int(digits))

    def _keep(self, key: str, mail: _Mail) -> None:
        self._open[key] = mail
        if len(self._open) > self._cap:
            self._finish(self._open.popitem(last=False)[1])

    def _finish(self, mail: _Mail) -> None:
        self.tally.count(mail.contents, mail.size)
        self.tally.emit(mail.contents, mail.sender, mail.size, mail.delivered)

    def end(self) -> None:
        """The log is over."""
        for mail in self._open.values():
            self._finish(mail)
        self._open.clear()


def _columns(logged: bytes, where: str) -> dict[str, int]:
    names = [n.strip().lower() for n in logged.decode("utf-8", "replace").split(",")]
    known = (_TIME, _EVENT, _TO, _SUBJECT, _FROM, _SIZE, _BOUNCE, *_IDS)
    columns = {n: names.index(n) for n in known if n in names}
    for name in (_TIME, _EVENT, _TO, _SUBJECT, _FROM):
        if name not in columns:
            raise Unparsable(f"{where}: #Fields: names no column {name}")
    if not any(i in columns for i in _IDS):
        raise Unparsable(f"{where}: #Fields: names no column {_IDS[0]}")
    return columns


def _cells(row: bytes) -> list[str]:
    """The cells of one row; empty when it is none. A row never goes over its line."""
    if len(row) > _LONGEST:
        return []
    try:
        return next(csv.reader([row.decode("utf-8", "replace")], strict=True), [])
    except csv.Error:
        return []
