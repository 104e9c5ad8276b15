"""The gateway's list of what it delivered to this unit (`Knobstick` columns): one event a row.

Such a list rarely has the document's number; what it always has is who sent it, when, and the
SHA-256 of the packet, which ties a row to a packet of the folder.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections import Counter
from collections.abc import Sequence

import msgspec

from checks.dates import read_date, read_time
from checks.documents.events import DocumentEvent, DocumentKey, EventKind, Place, SourceKind
from checks.documents.numbers import cell_key
from checks.documents.sources import gateway
from checks.documents.sources.gateway_codes import Codes, bare_code
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.tally import Tally
from checks.files import FileEntry
from checks.folding import words
from checks.tables import Row, is_numbering, read_table
from checks.texts import clean

ALIASES = {
    "From": (
        "FROM", *gateway.ALIASES["FromCode"], "COQUANGUI", "DONVIGUI", "NOIGUI", "TENDONVIGUI",
        "COQUANBANHANH", "SENDER",
    ),
    "ToCode": gateway.ALIASES["ToCode"],
    "CreatedTime": (
        "CREATEDTIME", "CREATEDDATE", *gateway.ALIASES["ReceivedTime"], "NGAYDEN", "THOIGIANDEN",
        "NGAYTIEPNHAN", "SERVERTIMESTAMP",
    ),
    "UpdatedTime": ("UPDATEDTIME", "UPDATEDDATE", "NGAYCAPNHAT", "TIMESTAMP"),
    "ContentSha256": ("CONTENTSHA", "CONTENTHASH", "MABAM", "MABAMGOITIN"),
    "Id": ("ID", "DOCID", "MESSAGEID", "MAGOITIN", "EDXMLDOCID", "EDXMLDOCUMENTID"),
    "Status": ("STATUS", "STATUSCODE", *gateway.ALIASES["ReceiveStatus"]),
    "StatusDesc": ("STATUSDESC", "MOTATRANGTHAI", "COMMENT"),
    "MessageType": gateway.ALIASES["MessageType"],
    "Notation": gateway.ALIASES["Notation"],
    "CodeNumber": gateway.ALIASES["CodeNumber"],
    "CodeNotation": gateway.ALIASES["CodeNotation"],
    "Title": ("TITLE", "SUBJECT", "TRICHYEU", "TRICHYEUNOIDUNG", "TIEUDE"),
    "Date": ("PROMULGATIONDATE", "NGAYVANBAN", "NGAYBANHANH", "NGAYTHANGVANBAN"),
}  # fmt: skip
"""The columns of the axis' own software, and how provincial ones and offices call them."""

_NEEDED = ({"From", "CreatedTime"}, {"From", "UpdatedTime"})
_HEX = re.compile(r"[0-9A-Fa-f]{64}")


def read_received(files: Sequence[FileEntry], reading: Reading) -> Read:
    """Read every file; what the unit refused or gave back counts as not delivered.

    Raises:
        Unparsable: a file has no header in these columns or is no CSV (with file and line), or no
            row at all has a sender and a time.
    """
    tally = Tally(SourceKind.GATEWAY, reading.name, reading.zone)
    counts: Counter[str] = Counter()
    codes = Codes(reading.directory)
    for entry in files:
        tally.files += 1
        for row in read_table(entry, ALIASES, reading.columns, _NEEDED):
            if is_numbering(row):
                continue
            tally.lines += 1
            found = _event(row, entry.name, reading)
            if found is None or found.time is None:
                tally.unparsed += 1
                continue
            tally.seen(found.time)
            codes.take((found.sender,))
            why = _left_out(row, reading, found.sender)
            counts[why or "delivered"] += 1
            if not why:
                counts["without_number"] += not found.key.number
                counts["without_hash"] += not found.content
                tally.add(found)
    events, report = tally.done("a sender and a time")
    extra = {**{k: counts[k] for k in sorted(counts) if counts[k]}, **codes.told()}
    return events, msgspec.structs.replace(report, extra=extra)


def _event(row: Row, file: str, reading: Reading) -> DocumentEvent | None:
    cells = row.cells
    time = read_time(cells.get("CreatedTime", ""), reading.zone) or read_time(
        cells.get("UpdatedTime", ""), reading.zone
    )
    sender = bare_code(cells.get("From", ""))
    if time is None or not sender:
        return None
    return DocumentEvent(
        kind=EventKind.DELIVERED,
        key=_key(row, reading) or DocumentKey(number=0, sign=""),
        place=Place(
            source=SourceKind.GATEWAY,
            file=file,
            line=row.line,
            sha256=row.sha256,
            ref=clean(cells.get("Id", ""), 80),
        ),
        time=time,
        date=read_date(cells.get("Date", "")),
        sender=reading.directory.by_text(sender) or clean(sender, 80),
        content=_digest(cells.get("ContentSha256", "")),
    )


def _key(row: Row, reading: Reading) -> DocumentKey | None:
    """The document's number, where a column has it or the title begins with it."""
    cells = row.cells
    date = read_date(cells.get("Date", ""))
    text = cells.get("Notation") or "/".join(
        (cells.get("CodeNumber", ""), cells.get("CodeNotation", ""))
    )
    key = cell_key(text, date.year if date else 0)
    if key is not None:
        return key
    # Further on in a title a number is mostly another document's, which this one answers.
    for hit in reading.finder.in_text(cells.get("Title", "")):
        if hit.leading and not hit.weak:
            return hit.key
    return None


def _left_out(row: Row, reading: Reading, sender: str) -> str:
    """Why a row is no delivery of a document to this unit; empty when it is one."""
    cells, directory = row.cells, reading.directory
    to = bare_code(cells.get("ToCode", ""))
    if words(cells.get("MessageType", "")) == "STATUS":
        return "status_messages"
    if directory.own_codes and directory.is_own_code(sender):
        return "own_packets"
    if to and not directory.is_own_code(to):
        return "for_others"
    said = {_kind(cells.get(column, "")) for column in ("Status", "StatusDesc")}
    if EventKind.REFUSED in said:
        return "refused"
    return "given_back" if EventKind.REVOKED in said else ""


def _kind(status: str) -> EventKind:
    # A bare figure is a number of the software's own; the standard's codes have two digits.
    known = not status.isdigit() or len(status) == 2
    return gateway.status_of({"ReceiveStatus": status if known else ""})


def _digest(text: str) -> str:
    """A SHA-256 in hex, however it was written; empty when it is none."""
    text = text.strip()
    if _HEX.fullmatch(text):
        return text.lower()
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ""
    return raw.hex() if len(raw) == 32 else ""
