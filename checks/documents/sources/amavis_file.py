"""Amavis writing to a file of its own: subjects and names for Postfix's log to join, by queue id.

Amavis says with every mail that passed under which ids Postfix knows it. Its own file calls the
host by its full name where syslog has the short one, so hosts are not compared here.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from checks.documents.numbers import Finder
from checks.documents.sources.amavis import Tasks
from checks.documents.sources.logfiles import LogFile, in_order, pieces
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, MailLog, Tally
from checks.documents.sources.postfix_lines import Piece, stamp_of, task_of
from checks.documents.sources.uploads import Hashes, Others, Uploads, queue_hash
from checks.evidence import Unparsable
from checks.files import FileEntry

_ANY = re.compile(rb" [^ \n]{0,64}amavis[^ \n]{0,64}\[\d+\]: ")
_POSTFIX = re.compile(rb" [^ \n/]{1,64}/[^ \n\[]{1,64}\[\d+\]: ")
_MESSAGE_ID = re.compile(rb", Message-ID: <?([^>,]{1,998})")


class FilterLog(MailLog, frozen=True):
    """What a filter's log says: no event of its own, but subjects and names for another log."""

    uploads: Uploads


def filter_alone(file: LogFile) -> bool:
    """Whether a file has lines of Amavis and none of Postfix."""
    found = False
    for block in file.blocks():  # a mail to hundreds fills pages, so all of it is looked at
        if _POSTFIX.search(block) is not None:
            return False
        found = found or _ANY.search(block) is not None
    return found


def read_amavis(files: Sequence[FileEntry], name: str, zone: ZoneInfo, finder: Finder) -> FilterLog:
    """Read the files of one log as one stream; `zone` is that of stamps without an offset.

    Raises:
        Unparsable: a file is a damaged archive, or nothing in the files looks like Amavis.
    """
    ordered, same = in_order(files, zone)
    done = read_filter(ordered, zone, finder)
    full = [f for f in ordered if len(f.data)]
    if full and not done.tally.lines and not any(_ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no line of an Amavis log")
    uploads = done.uploads()
    report = replace(
        done.tally.log(name, len(ordered), same).report,
        mails=len(uploads.sent),
        mails_with_names=len(uploads.named),
        mails_with_subjects=len(uploads.subjects),
        unaddressed=len(uploads.documents),
    )
    return FilterLog(events=(), report=report, uploads=uploads)


def read_filter(files: Iterable[LogFile], zone: ZoneInfo, finder: Finder) -> FilterReader:
    """Take in files that are in order already; lines of Postfix in them are passed over."""
    reader = FilterReader(zone, finder)
    for file in files:
        reader.read(file)
    return reader


class FilterReader:
    """The mails that passed so far."""

    def __init__(self, zone: ZoneInfo, finder: Finder) -> None:
        self.tally = Tally(zone, shows_names=False)
        self._zone = zone
        self._tasks = Tasks(finder)
        self._sent, self._named, self._subjects = array("Q"), array("Q"), array("Q")
        self._others: list[tuple[int, int]] = []
        self._documents: dict[int, Contents] = {}

    def uploads(self) -> Uploads:
        """What Postfix's log can ask for."""
        return Uploads(
            sent=Hashes(self._sent),
            named=Hashes(self._named),
            documents=self._documents,
            subjects=Hashes(self._subjects),
            others=Others(self._others),
            filtered=True,
        )

    def read(self, file: LogFile) -> None:
        """Take in one file."""
        stamps = StampReader(file.head(), file.mtime, self._zone)
        last, stamp, hour = 0, b"", b""
        for text in pieces(file):
            piece = Piece(file.name, text, last)
            for line, host, queue, _ in piece.needed():
                if queue:
                    continue
                self.tally.lines += 1
                stamp = stamp_of(line)
                if stamp[:13] != hour:
                    hour = stamp[:13]
                    self.tally.seen(stamps.read(stamp))
                place = partial(piece.place, line, b"")
                ended = self._tasks.read(host or piece.host, task_of(line), place)
                if ended is not None and ended[0]:
                    self._passed(*ended)
            last = piece.last
        if stamp:
            self.tally.seen(stamps.read(stamp))

    def _passed(self, queues: list[bytes], contents: Contents) -> None:
        message = _MESSAGE_ID.search(self._tasks.ended)
        said = message[1] if message else b""
        keys = [queue_hash(queue, said) for queue in queues]
        self._sent.append(keys[0])
        self._others += [(other, keys[0]) for other in keys[1:]]
        if contents.named:
            self._named.append(keys[0])
        if contents.subject:
            self._subjects.append(keys[0])
        if contents.noted or contents.secret:
            self._documents.setdefault(keys[0], Contents()).add(contents)
