"""The incoming register (Decree 30/2020 Annex IV), as CSV or XLSX: one event for each row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from checks.dates import read_date
from checks.documents.entry_numbers import SHEET
from checks.documents.events import DocumentEvent, DocumentKey, EventKind, Place, SourceKind
from checks.documents.numbers import cell_key
from checks.documents.sources import register
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.tally import Tally
from checks.files import FileEntry
from checks.folding import fold, words
from checks.tables import Row, is_numbering, read_table
from checks.texts import clean

ALIASES = {
    "arrival_date": (
        "NGAYDEN", "NGAYTHANGDEN", "NGAYVANBANDEN", "NGAYNHAN", "NGAYTIEPNHAN", "NGAYVAOSO",
        "ARRIVALDATE",
    ),
    "arrival": ("SODEN", "SOVANBANDEN", "SOVBDEN", "SOTHUTUDEN", "SOVAOSO", "ARRIVAL"),
    "author": (
        "TACGIA", "TACGIAVANBAN", "COQUANBANHANH", "DONVIBANHANH", "NOIBANHANH", "COQUANGUI",
        "DONVIGUI", "NOIGUI", "COQUANBANHANHVANBAN", "AUTHOR",
    ),
    # "Sổ" and "số" are alike without accents, so a bare `Sổ văn bản đến` is no name of a book.
    "book": ("TENSO", "TENSODEN", "TENSOVANBAN", "TENSOVANBANDEN", "LOAISO", "QUYENSO", "BOOK"),
    **{ours: register.ALIASES[ours] for ours in ("number_sign", "number", "sign", "date")},
}  # fmt: skip
"""The headers of Annex IV and how offices shorten them."""

_NEEDED = (
    {"arrival_date", "author", "number_sign"},
    {"arrival_date", "author", "number", "sign"},
)
_FIGURES = re.compile(r"(\d{1,9})\s?([A-Z](?![A-Z0-9]))?")


def read_incoming(files: Sequence[FileEntry], reading: Reading) -> Read:
    """Read every file; `time` of an event is the beginning of the day of arrival.

    Raises:
        Unparsable: a file has no header of Annex IV or is no CSV (with file and line), or no row
            at all has a day of arrival.
    """
    tally = Tally(SourceKind.INCOMING, reading.name, reading.zone)
    for entry in files:
        tally.files += 1
        for row in read_table(entry, ALIASES, reading.columns, _NEEDED):
            if is_numbering(row):
                continue
            tally.lines += 1
            day = read_date(row.cells.get("arrival_date", ""))
            if day is None:
                tally.unparsed += 1
                continue
            tally.seen_day(day)
            tally.add(_event(row, entry.name, day, reading))
    return tally.done("a day of arrival")


def _event(row: Row, file: str, day: dt.date, reading: Reading) -> DocumentEvent:
    date = read_date(row.cells.get("date", ""))
    text = row.cells.get("number_sign") or "/".join(
        (row.cells.get("number", ""), row.cells.get("sign", ""))
    )
    # A letter of a citizen has no number; it still takes an arrival number.
    key = cell_key(text, date.year if date else 0) or DocumentKey(number=0, sign="")
    arrival = _FIGURES.search(fold(row.cells.get("arrival", "")))
    book = words(row.cells.get("book", ""))
    return DocumentEvent(
        kind=EventKind.ARRIVED,
        key=key,
        place=Place(source=SourceKind.INCOMING, file=file, line=row.line, sha256=row.sha256),
        time=dt.datetime.combine(day, dt.time(), reading.zone).astimezone(dt.UTC),
        date=date,
        sender=clean(row.cells.get("author", "")) if key.number else "",
        recipient=book or (f"{SHEET}{words(row.sheet)}" if row.sheet else ""),
        reason=(arrival[2] or "") if arrival else "",
        arrival=int(arrival[1]) if arrival else 0,
    )
