"""The register of letters sent by post (Decree 30/2020 Annex IV): direct proof of paper sent."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from checks.dates import read_date
from checks.documents.events import DocumentEvent, EventKind, Place, SourceKind
from checks.documents.numbers import cell_keys
from checks.documents.sources import register
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.tally import Tally
from checks.files import FileEntry
from checks.tables import Row, is_numbering, read_table

ALIASES = {
    **{
        ours: register.ALIASES[ours]
        for ours in ("transfer_date", "number_sign", "number", "sign", "recipients")
    },
    "date": register.ALIASES["date"],
}
"""The headers of Annex IV and how offices shorten them."""

_NEEDED = (
    {"transfer_date", "number_sign", "recipients"},
    {"date", "number_sign", "recipients"},
    {"transfer_date", "number", "sign", "recipients"},
)


def read_postal(files: Sequence[FileEntry], reading: Reading) -> Read:
    """Read every file; one envelope may hold several documents for several recipients.

    Raises:
        Unparsable: a file has no header of Annex IV or is no CSV (with file and line), or no row
            at all names a document and a day.
    """
    tally = Tally(SourceKind.POSTAL, reading.name, reading.zone)
    for entry in files:
        tally.files += 1
        for row in read_table(entry, ALIASES, reading.columns, _NEEDED):
            if is_numbering(row):
                continue
            tally.lines += 1
            events = tuple(_events(row, entry.name, reading))
            if not events:
                tally.unparsed += 1
                continue
            if events[0].time is not None:
                tally.seen(events[0].time)
            tally.add(*events)
    return tally.done("a number and a day")


def _events(row: Row, file: str, reading: Reading) -> Iterator[DocumentEvent]:
    day = read_date(row.cells.get("transfer_date", "")) or read_date(row.cells.get("date", ""))
    if day is None:
        return
    text = row.cells.get("number_sign") or "/".join(
        (row.cells.get("number", ""), row.cells.get("sign", ""))
    )
    time = dt.datetime.combine(day, dt.time(), reading.zone).astimezone(dt.UTC)
    for key in cell_keys(text):
        for recipient in register.recipients(row.cells.get("recipients", "")) or [""]:
            yield DocumentEvent(
                kind=EventKind.POSTED,
                key=key,
                place=Place(source=SourceKind.POSTAL, file=file, line=row.line, sha256=row.sha256),
                time=time,
                recipient=recipient,
            )
