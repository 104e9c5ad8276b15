"""The outgoing register (Decree 30/2020 Annex IV) as CSV: one event per document and recipient."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from checks.dates import read_date
from checks.documents.agencies import is_group
from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    Place,
    SourceKind,
    SourceReport,
)
from checks.documents.numbers import cell_key
from checks.documents.sources.tally import Tally
from checks.files import FileEntry
from checks.folding import words
from checks.tables import Row, is_numbering, read_table

ALIASES = {
    "number_sign": (
        "SOKYHIEUVANBAN", "SOKYHIEU", "SOVAKYHIEU", "SOVAKYHIEUVANBAN", "SOHIEU", "SOHIEUVANBAN",
        "SOKYHIEUVB", "SOVAKYHIEUVB", "NUMBERSIGN",
    ),
    "number": ("SO", "SODI", "SOVANBAN", "SOVB", "NUMBER"),
    "sign": ("KYHIEU", "KYHIEUVANBAN", "KYHIEUVB", "SIGN"),
    "date": (
        "NGAYTHANGVANBAN", "NGAYTHANGNAMVANBAN", "NGAYTHANGNAM", "NGAYTHANG", "NGAYVANBAN",
        "NGAYBANHANH", "NGAYPHATHANH", "NGAYVB", "NGAY", "DATE",
    ),
    "transfer_date": ("NGAYCHUYEN", "NGAYGUI", "NGAYCHUYENDI", "TRANSFERDATE"),
    "recipients": (
        "NOINHANVANBAN", "NOINHAN", "NOINHANVB", "DONVINHAN", "COQUANNHAN", "COQUANTOCHUCNHAN",
        "RECIPIENTS",
    ),
    "reason": (
        "MALYDO", "LYDOKHONGGUIDIENTU", "LYDOKHONGQUATRUC", "MALYDOKHONGQUATRUC", "LYDOMIEN",
        "REASON",
    ),
}  # fmt: skip
"""The headers of Annex IV and how offices shorten them."""

_NEEDED = ({"number_sign", "date", "recipients"}, {"number", "sign", "date", "recipients"})
_LEADING = re.compile(r"^[\s\-+*•–—]+|^\s*\d{1,2}[.)]\s+")
_COPY_KEPT = re.compile(
    r"\bL[uư]\u031b?u\b(?:\s*:|\s+(?:VT|VP|văn thư|van thu)\b|\s*$)", re.IGNORECASE
)
"""`Lưu: VT`, its accents composed, apart or missing."""
_BRACKETS = re.compile(
    r"\((?:de\s+)?(?:b/?c|bao cao|báo cáo|thực hiện|t/h|p/h|phối hợp|để[^)]*)\)", re.IGNORECASE
)
_PEOPLE_OF_THE_HOUSE = {"NHU TREN", "NHU DIEU", "NHUTREN", "VT", "VAN THU", "NT", "NHU KINH GUI"}
_BARE_KINDS = {"PHUONG", "XA", "DAC KHU", "SO", "BAN", "NGANH", "SO NGANH", "PHONG", "DOAN THE"}


class Register(msgspec.Struct, frozen=True):
    """What the register says."""

    events: Sequence[DocumentEvent]
    report: SourceReport


def read_register(
    files: Iterable[FileEntry], name: str, columns: Mapping[str, str], zone: ZoneInfo
) -> Register:
    """Read every file of a register; a row that says the same as an earlier one counts once.

    Raises:
        Unparsable: a file has no header of Annex IV or is no CSV (with file and line), or no row
            at all names a document.
    """
    tally = Tally(SourceKind.REGISTER, name, zone)
    for entry in files:
        tally.files += 1
        for row in read_table(entry, ALIASES, columns, _NEEDED):
            if is_numbering(row):
                continue
            tally.lines += 1
            found = _document(row)
            if found is None:
                tally.unparsed += 1
                continue
            tally.seen_day(found[1])
            named = recipients(row.cells.get("recipients", "")) or [""]
            tally.add(*(_event(row, entry.name, found, recipient) for recipient in named))
    return Register(*tally.done("a number and a date"))


def _document(row: Row) -> tuple[DocumentKey, dt.date] | None:
    date = read_date(row.cells.get("date", "")) or read_date(row.cells.get("transfer_date", ""))
    if date is None:
        return None
    text = row.cells.get("number_sign") or "/".join(
        (row.cells.get("number", ""), row.cells.get("sign", ""))
    )
    key = cell_key(text, date.year)
    return (key, date) if key else None


def _event(
    row: Row, file: str, found: tuple[DocumentKey, dt.date], recipient: str
) -> DocumentEvent:
    key, date = found
    return DocumentEvent(
        kind=EventKind.REGISTERED,
        key=key,
        place=Place(source=SourceKind.REGISTER, file=file, line=row.line, sha256=row.sha256),
        date=date,
        recipient=recipient,
        reason=words(row.cells.get("reason", "")).replace(" ", "_"),
    )


def recipients(cell: str) -> list[str]:
    """The bodies named in a cell; `như trên` and the copies kept (`Lưu: VT`) are left out."""
    found: list[str] = []
    for piece in re.split(r"[;\n\r]+", cell):
        for part in _COPY_KEPT.split(piece, maxsplit=1)[0].split(","):
            text = _BRACKETS.sub("", _LEADING.sub("", part)).strip(" .:-\t")
            said = words(text)
            # `UBND các xã, phường` is one group, and so is `các sở, ban, ngành thành phố`.
            goes_on = said in _BARE_KINDS or (text[:1].islower() and found and is_group(found[-1]))
            if goes_on and found:
                found[-1] = f"{found[-1]}, {text}"
            elif said and said not in _PEOPLE_OF_THE_HOUSE:
                found.append(text)
    return list(dict.fromkeys(found))
