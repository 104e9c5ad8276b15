"""Tables as offices hand them over: CSV of any encoding and separator, or XLSX workbooks."""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence, Set

import msgspec

from checks.dates import bare
from checks.decoding import encoding_of, lines_of
from checks.evidence import Unparsable
from checks.files import FileEntry
from checks.folding import letters, words
from checks.workbooks import is_workbook, sheets

_HEAD = 20
"""Rows in which the header must stand."""
_SPAN = 3
"""Rows that one header may take."""
_NUMBERING = re.compile(r"[\s(\[]*\d{1,2}[\s)\]]*$")

Aliases = Mapping[str, tuple[str, ...]]
"""For each of our columns the headers that mean it, as folded letters."""
Needed = Sequence[Set[str]]
"""Sets of our columns, any one of which is enough to read a table."""


class Row(msgspec.Struct, frozen=True):
    """One record: our columns that are there, the line it starts on, the hash of its raw text."""

    line: int
    sha256: str
    cells: dict[str, str]
    sheet: str = ""
    """Of a workbook, the sheet that holds it."""


class Layout(msgspec.Struct, frozen=True):
    """How a table is read; a workbook's has no delimiter."""

    delimiter: str
    header_rows: int
    """Records up to and with the header."""
    columns: dict[str, int]


def is_numbering(row: Row) -> bool:
    """Whether this is the row `(1) (2) (3)` that forms have under their header."""
    said = [c for c in row.cells.values() if c]
    return len(said) > 1 and all(_NUMBERING.match(c) for c in said)


def read_table(
    entry: FileEntry, aliases: Aliases, columns: Mapping[str, str], needed: Needed
) -> Iterator[Row]:
    """The records after the header; `columns` maps ours to theirs and wins over the aliases.

    Raises:
        Unparsable: no header holds the needed columns, or a record is no CSV; with file and line.
    """
    known = {**aliases, **{ours: (words(theirs),) for ours, theirs in columns.items()}}
    wanted = ", ".join(columns.get(n, n) for n in sorted(needed[0]))
    if is_workbook(entry):
        yield from _read_sheets(entry, known, needed, wanted)
        return
    encoding = encoding_of(entry.data)
    layout = _layout(entry, encoding, known, needed)
    if layout is None:
        raise Unparsable(f"{entry.name}:1: no header row with the columns {wanted}")
    records = _records(lines_of(entry, encoding), layout.delimiter, entry.name)
    for at, (line, raw, cells) in enumerate(records):
        if at >= layout.header_rows and any(c.strip() for c in cells):
            row = _row(line, raw.rstrip("\r\n"), cells, layout)
            # The second line of a merged header, or a remark: it has nothing of ours.
            if any(row.cells.values()):
                yield row


def _read_sheets(entry: FileEntry, known: Aliases, needed: Needed, wanted: str) -> Iterator[Row]:
    """The records of every sheet that has the header; sheets without one are notes."""
    readable = False
    for name, rows in sheets(entry):
        best = _best(rows[:_HEAD], "", known, needed)
        if best is None:
            continue
        readable = True
        for at, cells in enumerate(rows):
            if at >= best[1].header_rows and any(c.strip() for c in cells):
                row = _row(at + 1, "\t".join(cells), cells, best[1])
                if any(row.cells.values()):
                    yield msgspec.structs.replace(row, sheet=name)
    if not readable:
        raise Unparsable(f"{entry.name}: no sheet has a header row with the columns {wanted}")


def _row(line: int, raw: str, cells: Sequence[str], layout: Layout) -> Row:
    found = {
        ours: bare(cells[column]) for ours, column in layout.columns.items() if column < len(cells)
    }
    digest = hashlib.sha256(raw.encode("utf-8", "replace")).hexdigest()
    return Row(line=line, sha256=digest, cells=found)


def _records(
    lines: Iterator[str], delimiter: str, name: str
) -> Iterator[tuple[int, str, list[str]]]:
    """Each record with the line it starts on and its raw text."""
    raw: list[str] = []

    def kept() -> Iterator[str]:
        for line in lines:
            raw.append(line)
            yield line

    reader = csv.reader(kept(), delimiter=delimiter)
    start = 1
    while True:
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as e:
            raise Unparsable(f"{name}:{max(1, reader.line_num)}: {e}") from None
        yield start, "".join(raw), cells
        raw.clear()
        start = reader.line_num + 1


_Ranked = tuple[tuple[int, int, int], Layout]


def _layout(entry: FileEntry, encoding: str, known: Aliases, needed: Needed) -> Layout | None:
    best: _Ranked | None = None
    for delimiter in ",;\t|":
        found = _best(_head(lines_of(entry, encoding), delimiter), delimiter, known, needed)
        if found is not None and (best is None or found[0] > best[0]):
            best = found
    return best[1] if best else None


def _best(
    rows: Sequence[Sequence[str]], delimiter: str, known: Aliases, needed: Needed
) -> _Ranked | None:
    """The header that finds the most columns in the fewest rows, the earliest of them."""
    best: _Ranked | None = None
    for at in range(len(rows)):
        for span in range(1, _SPAN + 1):
            columns = _columns(rows[at : at + span], known)
            if not any(enough <= columns.keys() for enough in needed):
                continue
            rank = (len(columns), -span, -at)
            if best is None or rank > best[0]:
                best = rank, Layout(delimiter, min(at + span, len(rows)), columns)
    return best


def _head(lines: Iterator[str], delimiter: str) -> list[list[str]]:
    rows = []
    try:
        for _, _, cells in _records(lines, delimiter, ""):
            rows.append(cells)
            if len(rows) == _HEAD:
                break
    except Unparsable:
        pass  # this separator is wrong, or the error is met again when the table is read
    return rows


def _columns(rows: Sequence[Sequence[str]], known: Aliases) -> dict[str, int]:
    """Which column holds what, when these rows together are the header."""
    found: dict[str, int] = {}
    for column in range(max(map(len, rows), default=0)):
        header = " ".join(r[column] for r in rows if column < len(r))
        names = {letters(header), words(header)} - {""}
        for ours, theirs in known.items():
            if ours not in found and not names.isdisjoint(theirs):
                found[ours] = column
                break
    return found
