"""Zimbra's `mailbox.log`: the names of attachments that the web client sent, joined to the MTA.

A line of arrival at the MTA lists the uploads of a mail, and its Message-ID; who got it stands in
the MTA's own log. Recipients that newer versions list here were only asked for, so without that log
nothing is said of anyone. What was attached to a draft or kept of a forwarded mail is not among the
uploads: a mail without any tells nothing of its names, and what its writer uploaded shortly before
is a weak hint.
"""

from __future__ import annotations

import datetime as dt
import re
from array import array
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from msgspec.structs import replace

from checks.documents.numbers import Finder
from checks.documents.sources.headers import decode_words
from checks.documents.sources.logfiles import LineCounter, LogFile, in_order, place
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, MailLog, PlaceOf, Tally
from checks.documents.sources.uploads import Hashes, Uploads, message_hash
from checks.evidence import Unparsable
from checks.files import FileEntry

NEEDED = (
    r"^[0-9-]{10} [0-9:]{8},[0-9]{3} +[A-Z]+ .*\] (smtp - Sending message|"
    r"FileUploadServlet - (Received (plain|multipart): |saveUpload\(\): received )Upload: |"
    r"lmtp - Delivering message)"
)
"""Which lines are needed, for `grep -E`. Deliveries only show that the log was being written."""
_ENTRY = rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}"
LINE = re.compile(
    rb"^(?:(\d+):)?(" + _ENTRY + rb") +[A-Z]+ +[^\r\n]*?\] (smtp - Sending message|"
    rb"FileUploadServlet - (?:Received (?:plain|multipart): |saveUpload\(\): received )(?=Upload: )"
    rb"|lmtp - Delivering message)([^\r\n]*)",
    re.MULTILINE,
)
_ANY = re.compile(rb"^(?:\d+:)?" + _ENTRY + rb" +[A-Z]+ +\[", re.MULTILINE)
_NEXT = re.compile(rb"^(?:\d+:)?" + _ENTRY + rb" ", re.MULTILINE)
_ACCOUNT = re.compile(rb"\[name=([^;\]\s]{1,320});")
_MESSAGE_ID = re.compile(rb"Message-ID=(<[^>\s]{1,998}>)")
_UPLOAD = b"Upload: { accountId="
_HINT = dt.timedelta(minutes=60)
"""How long before a mail without uploads its writer's uploads are taken for its own."""
_WRITERS = 5_000
_RECENT = 20
_LONGEST = 65_536
"""Bytes of an entry that are looked at."""
_CONTINUED = 8_192
"""Bytes by which a name with line ends may go on."""


class MailboxLog(MailLog, frozen=True):
    """What a mailbox log says: no event of its own, but names for the MTA's log to join."""

    uploads: Uploads


def read_zimbra(
    files: Sequence[FileEntry], name: str, zone: ZoneInfo, finder: Finder
) -> MailboxLog:
    """Read the files of one log as one stream; `zone` is that of the server.

    Raises:
        Unparsable: a file is a damaged archive, or nothing looks like a mailbox log.
    """
    ordered, same = in_order(files, zone)
    reader = _Reader(zone, finder)
    for file in ordered:
        reader.read(file)
    full = [f for f in ordered if len(f.data)]
    if full and not reader.tally.lines and not any(_ANY.search(f.head()) for f in full):
        raise Unparsable(f"{full[0].name}:1: no entry of a Zimbra mailbox log")
    uploads = reader.uploads()
    reader.tally.mails = len(uploads.sent)
    reader.tally.unaddressed = len(uploads.documents)
    done = reader.tally.log(name, len(ordered), same)
    report = replace(done.report, mails_with_names=len(uploads.named))
    return MailboxLog(events=(), report=report, uploads=uploads)


class _Reader:
    """The mails sent so far, and what each writer uploaded of late."""

    def __init__(self, zone: ZoneInfo, finder: Finder) -> None:
        self.tally = Tally(zone, shows_names=False)
        self._zone = zone
        self._finder = finder
        self._sent = array("Q")
        self._named = array("Q")
        self._documents: dict[int, Contents] = {}
        self._recent: OrderedDict[bytes, list[tuple[dt.datetime, Contents]]] = OrderedDict()

    def uploads(self) -> Uploads:
        """What another log can ask for."""
        return Uploads(
            sent=Hashes(self._sent),
            named=Hashes(self._named),
            documents=self._documents,
        )

    def read(self, file: LogFile) -> None:
        """Take in one file."""
        stamps = StampReader(file.head(), file.mtime, self._zone)
        base = 1
        for block in file.blocks():
            counter = LineCounter(block, base)
            for found in LINE.finditer(block):
                self._entry(found, block, stamps, partial(place, found, file.name, counter))
            base = counter.at(len(block))

    def _entry(
        self, found: re.Match[bytes], block: memoryview, stamps: StampReader, where: PlaceOf
    ) -> None:
        self.tally.lines += 1
        time = stamps.read(found[2])
        self.tally.seen(time)
        if time is None or found[3].startswith(b"lmtp"):
            return
        account = _ACCOUNT.search(found[0], 0, found.start(3) - found.start())
        writer = account[1] if account else b""
        entry = found[4][:_LONGEST] + _continued(found, block)
        names = list(_names(entry))
        if found[3].startswith(b"smtp"):
            self._mail(entry, names, (writer, time), where)
        elif writer:
            self._uploaded(writer, names, time, where)

    def _mail(
        self,
        entry: bytes,
        names: list[str],
        by: tuple[bytes, dt.datetime],
        where: PlaceOf,
    ) -> None:
        message = _MESSAGE_ID.search(entry)
        if message is None:
            self.tally.unparsed += 1
            return
        key = message_hash(message[1])
        self._sent.append(key)
        contents = Contents()
        for name in names:
            contents.read_name(self._finder, name, where)
        recent = self._recent.pop(by[0], [])
        if names and _whole(entry):
            self._named.append(key)
        elif not names:
            for time, hint in recent:
                if by[1] - time <= _HINT:
                    contents.add(hint)
        contents.named = False  # said by `told` where this is joined to another log
        if contents.noted or contents.secret:
            self._documents.setdefault(key, Contents()).add(contents)

    def _uploaded(self, writer: bytes, names: list[str], time: dt.datetime, where: PlaceOf) -> None:
        """An upload: perhaps for a draft, whose mail will not list it."""
        contents = Contents()
        for name in names:
            contents.read_name(self._finder, name, where)
        weak = {k: (replace(m, weak=True), p) for k, (m, p) in contents.noted.items()}
        contents.noted = weak
        if not weak and not contents.secret:
            return
        recent = self._recent.setdefault(writer, [])
        self._recent.move_to_end(writer)
        recent.append((time, contents))
        del recent[:-_RECENT]
        if len(self._recent) > _WRITERS:
            self._recent.popitem(last=False)


def _continued(found: re.Match[bytes], block: memoryview) -> bytes:
    """What follows a line whose last upload does not end in it: a name may hold line ends.

    Lines that a search on the host numbered do not follow each other in the file.
    """
    if found[1] or _UPLOAD not in found[4] or _whole(found[4]):
        return b""
    after = bytes(block[found.end() : found.end() + _CONTINUED])
    end = _NEXT.search(after)
    return after[: end.start()] if end else after


def _whole(entry: bytes) -> bool:
    """Whether the last upload's name ends in the entry: else it, or another, may be lost."""
    return entry.rfind(b", path=") > entry.rfind(_UPLOAD)


def _names(entry: bytes) -> Iterator[str]:
    """The names in `Upload: { accountId=…, time=…, size=…, uploadId=…, name=FILE, path=… }`."""
    for upload in entry.split(_UPLOAD)[1:]:
        start = upload.find(b", name=")
        if start < 0:
            continue
        end = upload.rfind(b", path=")
        raw = upload[start + 7 : end if end > start else len(upload)]
        yield decode_words(" ".join(raw.decode("utf-8", "replace").split()))
