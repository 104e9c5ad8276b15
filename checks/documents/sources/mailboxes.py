"""Mailboxes that may be looked into by a written order: headers and names of attachments only.

A message is walked from boundary to boundary: the headers of each part are read, its body is passed
over. What a box shows was sent from that box; what it does not show proves nothing.
"""

from __future__ import annotations

import datetime as dt
import email.utils
import hashlib
import re
from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

from checks.documents.events import Place, SourceKind, SourceReport
from checks.documents.sources.headers import decode_words, file_names
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.mails import Contents, Delivery, Tally
from checks.documents.sources.reading import Read, Reading
from checks.evidence import FailureKind, Unparsable
from checks.files import FileEntry
from inventory.model import MailboxSource, WrittenOrder

_HEADERS = 262_144
"""Bytes of one header block that are read."""
_PARTS = 1000
"""Parts of one message that are looked at."""
_FOLD = re.compile(rb"\r?\n[ \t]")
_FIELD = re.compile(rb"([A-Za-z-]{1,40}):[ \t]*([^\r\n]*)")
_END = re.compile(rb"\r?\n\r?\n")
_BOUNDARY = re.compile(rb'boundary\s*=\s*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))', re.IGNORECASE)
_DELIMITER = re.compile(rb"^--([^\r\n]{1,200}?)[ \t]*\r?$", re.MULTILINE)
_FROM = re.compile(rb"^From [^\r\n]*\r?\n", re.MULTILINE)
_SENT_TO = (b"to", b"cc", b"bcc")

_Headers = dict[bytes, list[bytes]]


def mailbox_path(source: MailboxSource) -> str:
    """The pattern of the files of a mailbox: a Maildir is named by its folder."""
    plain = not any(c in source.path for c in "*?[")
    if source.kind == "maildir" and plain:
        return source.path.rstrip("/") + "/cur/*"
    return source.path


def refuse_without_order(name: str, order: WrittenOrder, today: dt.date) -> None:
    """Raise `Unparsable` when the order does not hold on a day: nothing is read then."""
    if order.date > today:
        why = f"is of {order.date.isoformat()}, a day to come"
    elif order.until < today:
        why = f"ended on {order.until.isoformat()}"
    else:
        return
    raise Unparsable(
        f"{name}: not read, because the order {order.document} {why}: have it renewed, or remove "
        "the mailboxes from the inventory",
        FailureKind.NOT_DECLARED,
    )


def read_mailboxes(files: Sequence[FileEntry], reading: Reading, kind: str) -> Read:
    """The messages of every file; the same message in several boxes counts once.

    Raises:
        Unparsable: there are messages, and none of them has a sender and a date.
    """
    tally = Tally(reading.zone, reading.addresses)
    known: set[bytes] = set()
    messages = same = 0
    for entry in files:
        for message in _messages(memoryview(entry.data), kind):
            messages += 1
            headers = _parse(_block(message))
            identity = _identity(headers)
            if identity in known:
                same += 1
                continue
            known.add(identity)
            _read(message, headers, tally, reading, messages)
    if not messages and any(len(entry.data) for entry in files):
        raise Unparsable(f"{reading.name}: no line that begins a message of an mbox (`From `)")
    if messages and not tally.mails:
        raise Unparsable(f"{reading.name}: none of its {messages} messages has a sender and a date")
    log = tally.log(reading.name, len(files), 0)
    report = SourceReport(
        kind=SourceKind.MAILBOX,
        name=reading.name,
        files=len(files),
        lines=messages,
        unparsed=tally.unparsed,
        repeated=same,
        days=log.report.days,
        first=log.report.first,
        last=log.report.last,
        extra={"with_attachments": log.report.mails_with_names},
    )
    return log.events, report


def _read(
    message: memoryview, headers: _Headers, tally: Tally, reading: Reading, number: int
) -> None:
    sent = _date(headers)
    sender = next(iter(_addresses(headers, (b"from",))), b"")
    if sent is None or not sender:
        tally.unparsed += 1
        return
    contents = Contents()

    def place() -> Place:
        digest = hashlib.sha256(_block(message)).hexdigest()
        # Files of mailboxes are called by people's names and by subjects: the count tells which.
        return Place(source=SourceKind.MAILBOX, file=reading.name, line=number, sha256=digest)

    for subject in headers.get(b"subject", [])[:1]:
        contents.read_subject(reading.finder, decode_words(_text(subject)), place)
    for part in (headers, *_parts(message, headers)):
        for field in (b"content-disposition", b"content-type"):
            for value in part.get(field, [])[:1]:
                for name in file_names(_text(value)):
                    contents.read_name(reading.finder, name, place)
    tally.seen(sent)
    tally.count(contents, len(message))
    stamps = StampReader(memoryview(b""), sent, ZoneInfo("UTC"))
    stamp = sent.isoformat().encode()
    delivered: list[Delivery] = [
        (address, stamp, stamps, 0) for address in _addresses(headers, _SENT_TO)
    ]
    tally.emit(contents, sender, len(message), delivered)


def _messages(data: memoryview, kind: str) -> Iterator[memoryview]:
    """Every message of a file: an mbox has many, each behind a line that starts with `From `."""
    if kind != "mbox":
        if len(data):
            yield data
        return
    starts = [m.span() for m in _FROM.finditer(data) if _opens(data, m.start())]
    ends = [start for start, _ in starts[1:]] + [len(data)]
    for (_, begin), end in zip(starts, ends, strict=False):
        yield data[begin:end]


def _opens(data: memoryview, at: int) -> bool:
    # In a body such a line is quoted, or has no empty line before it.
    return at == 0 or bytes(data[max(0, at - 4) : at]).replace(b"\r", b"").endswith(b"\n\n")


def _block(message: memoryview, at: int = 0) -> bytes:
    """The headers that begin here, without the empty line that ends them."""
    head = bytes(message[at : at + _HEADERS])
    if head.startswith((b"\n", b"\r\n")):
        return b""
    end = _END.search(head)
    return head[: end.start()] if end else head


def _parse(block: bytes) -> _Headers:
    found: _Headers = {}
    for name, value in _FIELD.findall(_FOLD.sub(b" ", block)):
        found.setdefault(name.lower(), []).append(value)
    return found


def _parts(message: memoryview, headers: _Headers) -> Iterator[_Headers]:
    """The headers of the parts, of parts in parts too; a forwarded message stays closed."""
    known = _boundary(headers)
    if not known:
        return
    count = 0
    for found in _DELIMITER.finditer(message):
        if found[1] not in known:
            continue
        count += 1
        if count > _PARTS:
            return
        part = _parse(_block(message, found.end() + 1))
        known |= _boundary(part)
        yield part


def _boundary(headers: _Headers) -> set[bytes]:
    found = _BOUNDARY.search(b" ".join(headers.get(b"content-type", [])[:1]))
    return {found[1] or found[2]} if found else set()


def _identity(headers: _Headers) -> bytes:
    named = headers.get(b"message-id", [])
    said = named[:1] or [*headers.get(b"date", []), *headers.get(b"from", []),
                         *headers.get(b"subject", [])]  # fmt: skip
    return hashlib.sha256(b"\0".join(v.strip() for v in said)).digest()


def _date(headers: _Headers) -> dt.datetime | None:
    for value in headers.get(b"date", [])[:1]:
        try:
            found = email.utils.parsedate_to_datetime(value.decode("ascii", "replace")[:200])
            zone = dt.UTC if found.tzinfo is None else found.tzinfo
            return found.replace(tzinfo=zone).astimezone(dt.UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            return None
    return None


def _addresses(headers: _Headers, fields: Sequence[bytes]) -> list[bytes]:
    lines = [_text(v)[:100_000] for field in fields for v in headers.get(field, [])]
    found = (address for _, address in email.utils.getaddresses(lines))
    return [a.encode("utf-8", "replace") for a in found if "@" in a]


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")
