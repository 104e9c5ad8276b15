"""Spreadsheets as rows of text, read with the limits that a hostile file needs."""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterator

from checks.evidence import Unparsable
from checks.files import FileEntry
from checks.texts import clean

MOST_BYTES = 64 * 1024 * 1024
"""Unpacked, of all parts of a workbook."""
MOST_CELLS = 2_000_000
"""Of the rectangle that a sheet spans: the reader lays out all of it, empty or not."""

_ZIP = b"PK\x03\x04"
_OLD = b"\xd0\xcf\x11\xe0"
_CHUNK = 1 << 18
_OVERLAP = 64
_PLACE = re.compile(rb"\br\s*=\s*[\"']([A-Za-z]{1,3})([0-9]{1,7})[\"']")


def is_workbook(entry: FileEntry) -> bool:
    """Whether the file is a spreadsheet and no text, whatever its name says."""
    return bytes(entry.data[:4]) in (_ZIP, _OLD)


def sheets(entry: FileEntry) -> Iterator[tuple[str, list[list[str]]]]:
    """Every visible sheet with its name; dates as ISO, formulas as the value last saved.

    Raises:
        Unparsable: it is no XLSX workbook, is damaged or protected, or would unpack to too much.
    """
    if len(entry.data) > MOST_BYTES:
        raise Unparsable(f"{entry.name}: a workbook of more than {MOST_BYTES} bytes")
    from python_calamine import CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415 - heavy

    data = bytes(entry.data)
    _check(entry.name, data)
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        for meta in book.sheets_metadata:
            if meta.visible is SheetVisibleEnum.Visible:
                found = book.get_sheet_by_name(meta.name).to_python(skip_empty_area=False)
                yield meta.name, [[_text(cell) for cell in row] for row in found]
    except (KeyboardInterrupt, SystemExit, GeneratorExit):
        raise
    except BaseException as e:  # noqa: BLE001 - a panic of the reader is no Exception
        raise Unparsable(f"{entry.name}: no readable workbook: {clean(str(e), 200)}") from None


def _check(name: str, data: bytes) -> None:
    """Raise when unpacking or laying out the workbook would take too much."""
    if data.startswith(_OLD):
        raise Unparsable(f"{name}: an old .xls or a protected workbook; save it as .xlsx or CSV")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as parts:
            if "xl/workbook.xml" not in parts.namelist():
                raise Unparsable(f"{name}: no .xlsx workbook; save it as .xlsx or CSV")
            total = 0
            for part in parts.infolist():
                total = _measure(name, parts, part, total)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, OSError) as e:
        raise Unparsable(f"{name}: a damaged workbook: {clean(str(e), 200)}") from None


def _measure(name: str, parts: zipfile.ZipFile, part: zipfile.ZipInfo, total: int) -> int:
    rows = columns = 0
    rest = b""
    with parts.open(part) as stream:
        while chunk := stream.read(_CHUNK):
            total += len(chunk)
            if total > MOST_BYTES:
                raise Unparsable(f"{name}: unpacks to more than {MOST_BYTES} bytes")
            for letters, number in _PLACE.findall(rest + chunk):
                rows, columns = max(rows, int(number)), max(columns, _column(letters))
            rest = chunk[-_OVERLAP:]
    if rows * columns > MOST_CELLS:
        raise Unparsable(f"{name}: a sheet of {rows} rows and {columns} columns; save it as CSV")
    return total


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters.upper():
        number = number * 26 + letter - 64
    return number


def _text(cell: object) -> str:
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else f"{cell:%Y-%m-%d %H:%M:%S}"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    return "" if cell is None else str(cell)
