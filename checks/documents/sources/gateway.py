"""The gateway's list of transmissions (`StatusResult` columns) as CSV: one event per row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo

import msgspec

from checks.dates import read_time
from checks.documents.events import DocumentEvent, EventKind, Place, SourceKind, SourceReport
from checks.documents.numbers import cell_key
from checks.documents.sources.gateway_codes import Codes, bare_code
from checks.documents.sources.tally import Tally
from checks.files import FileEntry
from checks.folding import words
from checks.tables import Row, read_table

ALIASES = {
    "FromCode": ("FROMCODE", "FROMORGANID", "FROMORGANDOMAIN", "MADONVIGUI", "MACOQUANGUI"),
    "ToCode": (
        "TOCODE", "TOORGANID", "TOORGANDOMAIN", "RECEIVERID", "MADONVINHAN", "MACOQUANNHAN",
    ),
    "Notation": ("NOTATION", "SOKYHIEU", "SOVAKYHIEU", "SOKYHIEUVANBAN", "DOCCODE"),
    "CodeNumber": ("CODENUMBER",),
    "CodeNotation": ("CODENOTATION",),
    "SentTime": ("SENTTIME", "SENTDATE", "NGAYGUI", "THOIGIANGUI"),
    "ReceivedTime": ("RECEIVEDTIME", "RECEIVEDDATE", "NGAYNHAN", "THOIGIANNHAN"),
    "SendStatus": ("SENDSTATUS", "TRANGTHAIGUI"),
    "ReceiveStatus": ("RECEIVESTATUS", "TRANGTHAINHAN", "TRANGTHAI", "TAKEN"),
    "MessageType": ("MESSAGETYPE",),
    "Business": ("BUSSINESSDOCTYPE", "BUSINESSDOCTYPE"),
    "Draft": ("DRAFT", "BANNHAP", "DUTHAO"),
}  # fmt: skip
"""The columns of the axis' own software and of provincial axes that keep tables of the same content
(`fromOrganDomain`, `docCode`, `taken`); `Bussiness…` is how the standard itself spells it."""

_NEEDED = (
    {"ToCode", "Notation", "SentTime"},
    {"ToCode", "CodeNumber", "CodeNotation", "SentTime"},
)
_RECEIVED = frozenset({
    "01", "1", "03", "3", "04", "4", "05", "5", "06", "6", "DONE", "INBOX", "ACCEPTANCE",
    "ACCEPTED", "ASSIGNMENT", "PROCESSING", "RECEIVED", "DA_DEN", "DA_NHAN", "DA_TIEP_NHAN",
    "PHAN_CONG", "DANG_XU_LY", "HOAN_THANH", "TRUE",
})  # fmt: skip
_REFUSED = frozenset({
    "02", "2", "REJECTION", "REJECTED", "FAIL", "FAILED", "ERROR", "TU_CHOI",
    "TU_CHOI_TIEP_NHAN", "LOI", "GUI_LOI", "THAT_BAI",
})  # fmt: skip
_REVOKED = frozenset({
    "13", "15", "CANCELLATION", "CANCELLED", "REVOKED", "LAY_LAI", "THU_HOI", "DA_THU_HOI",
})  # fmt: skip
"""13 take back, 15 agreed to; 16 (take-back refused) leaves the document where it is."""
_STILL_THERE = frozenset({"16"})
_REPLACING = frozenset({"1", "3"})
"""Kinds of business that revoke or replace an earlier transmission."""
_YES = frozenset({"1", "TRUE", "YES", "CO", "X"})
_BETWEEN = re.compile(r"[\s;,|]+")


class Gateway(msgspec.Struct, frozen=True):
    """What the gateway says of this unit's transmissions."""

    events: Sequence[DocumentEvent]
    report: SourceReport


def read_gateway(
    files: Iterable[FileEntry],
    name: str,
    columns: Mapping[str, str],
    zone: ZoneInfo,
    is_own: Callable[[str], bool] = lambda _: True,
    codes: Codes | None = None,
) -> Gateway:
    """Read every file of an export; rows of other senders are left out, equal rows count once.

    A row may name several recipients; drafts and status messages are no transmissions.

    Raises:
        Unparsable: a file has no header in these columns or is no CSV (with file and line), or no
            row at all says what was sent where.
    """
    tally = Tally(SourceKind.GATEWAY, name, zone)
    for entry in files:
        tally.files += 1
        for row in read_table(entry, ALIASES, columns, _NEEDED):
            sender = bare_code(row.cells.get("FromCode", ""))
            if _beside(row) or (sender and not is_own(sender)):
                continue
            tally.lines += 1
            recipients = _recipients(row)
            events = _events(row, entry.name, zone, recipients)
            if not events or events[0].time is None:
                tally.unparsed += 1
                continue
            if codes is not None:
                codes.take((sender, *recipients))
            tally.seen(events[0].time)
            tally.add(*events)
    events_found, report = tally.done("a number, a recipient and a time")
    extra = codes.told() if codes is not None else {}
    return Gateway(events_found, msgspec.structs.replace(report, extra=extra))


def _beside(row: Row) -> bool:
    """Whether a row is no transmission of a document."""
    cells = row.cells
    return words(cells.get("MessageType", "")) == "STATUS" or words(cells.get("Draft", "")) in _YES


def _recipients(row: Row) -> list[str]:
    found = map(bare_code, _BETWEEN.split(row.cells.get("ToCode", "")))
    return list(dict.fromkeys(code for code in found if code))


def _events(
    row: Row, file: str, zone: ZoneInfo, recipients: Sequence[str]
) -> tuple[DocumentEvent, ...]:
    sent = read_time(row.cells.get("SentTime", ""), zone)
    text = row.cells.get("Notation") or "/".join(
        (row.cells.get("CodeNumber", ""), row.cells.get("CodeNotation", ""))
    )
    key = cell_key(text)
    if sent is None or key is None:
        return ()
    kind, sender = status_of(row.cells), bare_code(row.cells.get("FromCode", ""))
    place = Place(source=SourceKind.GATEWAY, file=file, line=row.line, sha256=row.sha256)
    return tuple(
        DocumentEvent(
            kind=kind, key=key, place=place, time=sent, sender=sender, recipient=recipient
        )
        for recipient in recipients
    )


def status_of(cells: Mapping[str, str]) -> EventKind:
    """What a row says became of the transmission; the graver word of its two statuses wins."""
    sent, received = (_word(cells.get(c, "")) for c in ("SendStatus", "ReceiveStatus"))
    # Figures are status codes of the receiver only; as a send status they mean something else.
    said = {received} if sent.isdigit() else {sent, received}
    if said & _REVOKED or cells.get("Business", "") in _REPLACING:
        return EventKind.REVOKED
    if said & _REFUSED:
        return EventKind.REFUSED
    # `done` as the send status means that the receiver's software has fetched it.
    if (
        received in _RECEIVED | _STILL_THERE
        or sent == "DONE"
        or read_time(cells.get("ReceivedTime", ""), ZoneInfo("UTC"))
    ):
        return EventKind.RECEIVED
    return EventKind.SENT_GATEWAY


@lru_cache(256)
def _word(status: str) -> str:
    return words(status).replace(" ", "_")
