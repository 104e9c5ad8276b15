"""Kind `register`: copies and trial restores that people wrote down, a table in the project.

What it says is a person's word: every point has the origin `person`, every proof says so, and the
listing carries the note `person_word`. A row that does not clearly say that it went well is no
good copy.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    Proof,
    ProofKind,
    Repository,
)
from checks.backup.sources.base import BackupSource, newest
from checks.backup.timing import HALF_DAY, Stamp, from_epoch
from checks.dates import has_clock, read_date, read_time
from checks.evidence import (
    Answers,
    Failure,
    FailureKind,
    NotDeclared,
    Probe,
    Request,
    Source,
    Unparsable,
)
from checks.files import FileEntry, files_request, unpack
from checks.folding import words
from checks.model import Context, Subject
from checks.tables import Row, is_numbering, read_table
from checks.texts import clean

KIND = "register"
TABLE = Probe(
    id="backup.register",
    title="register of hand-made backups and restore tests",
    source=Source.FILES,
    limit=8_388_608,
)

ALIASES = {
    "date": (
        "NGAY", "NGAYTHUCHIEN", "NGAYSAOLUU", "NGAYGIO", "THOIGIAN", "THOIDIEM", "DATE", "TIME",
    ),
    "type": ("LOAI", "LOAIVIEC", "CONGVIEC", "VIEC", "HINHTHUC", "TYPE", "KIND", "ACTION"),
    "result": ("KETQUA", "TINHTRANG", "TRANGTHAI", "RESULT", "STATUS", "OUTCOME"),
    "place": (
        "NOILUU", "NOILUUTRU", "VITRI", "VITRILUU", "VITRILUUTRU", "THIETBI", "THIETBILUU",
        "PLACE", "LOCATION", "STOREDAT", "MEDIA",
    ),
    "size": ("DUNGLUONG", "KICHTHUOC", "SIZE"),
    "size_mb": ("DUNGLUONGMB", "KICHTHUOCMB", "SIZEMB"),
    "size_gb": ("DUNGLUONGGB", "KICHTHUOCGB", "SIZEGB"),
    "by": (
        "NGUOITHUCHIEN", "NGUOILAM", "CANBOTHUCHIEN", "CANBO", "BY", "PERFORMEDBY", "PERSON",
    ),
    "document": (
        "BIENBAN", "SOBIENBAN", "BIENBANSO", "SOVANBAN", "HOSO", "DOCUMENT", "RECORD",
    ),
    "minutes": (
        "SOPHUT", "PHUT", "THOIGIANPHUT", "THOIGIANKHOIPHUC", "THOIGIANKHOIPHUCPHUT", "MINUTES",
        "DURATIONMINUTES",
    ),
    "system": (
        "HETHONG", "TENHETHONG", "HETHONGTHONGTIN", "UNGDUNG", "DULIEU", "SYSTEM", "NAME", "SET",
    ),
}  # fmt: skip
"""Headers in Vietnamese and English, as folded letters."""

_RESTORE = ("KHOI PHUC", "PHUC HOI", "RESTOR")
_BACKUP = ("SAO LUU", "BACKUP", "BACK UP")
_LOOKED = ("KIEM TRA", "CHECK", "VERIF", "XOA", "DELET")
"""A row that begins so is about a copy, and makes none."""
_KINDS = (
    (PointKind.FULL, ("DAY DU", "TOAN BO", "TOAN PHAN", "FULL")),
    (PointKind.DIFFERENTIAL, ("KHAC BIET", "VI SAI", "DIFF")),
    (PointKind.INCREMENTAL, ("GIA TANG", "TANG DAN", "INCREMENT")),
)
_GOOD = frozenset(
    {
        "DAT", "DAT YEU CAU", "THANH CONG", "TOT", "HOAN THANH", "XONG", "DA XONG", "OK",
        "SUCCESS", "SUCCESSFUL", "SUCCEEDED", "PASS", "PASSED", "DONE", "GOOD",
    }
)  # fmt: skip
_BAD = frozenset(
    {
        "KHONG DAT", "KHONG THANH CONG", "THAT BAI", "LOI", "BI LOI", "HONG", "KHONG",
        "FAILED", "FAIL", "FAILURE", "ERROR", "NO", "BAD",
    }
)  # fmt: skip
_UNITS = {"B": 1, "BYTE": 1, "BYTES": 1} | {
    name: 1024**power
    for power, letter in enumerate("KMGTP", 1)
    for name in (letter, f"{letter}B", f"{letter}IB")
}
_SIZE = re.compile(r"(\d[\d.,]*)\s*([A-Z]*)")
_MINUTES = re.compile(r"(\d{1,6})(?:[.,]\d+)?\s*(?:PHUT|P|MIN|MINS|MINUTES?)?")
_AHEAD = dt.timedelta(days=1)
"""A file's time may be off by a zone after unpacking; a row further ahead was written before."""


def requests(subject: Subject) -> list[Request]:
    """The table or tables of the set."""
    backup = subject.the_backup
    if not backup.path:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: path")
    return [files_request(TABLE, backup.path)]


class _Line(msgspec.Struct, frozen=True, kw_only=True):
    """A row that could be read. `result` is a note that says what is wrong with it, or empty."""

    row: Row
    stamp: Stamp
    restore: bool
    result: str


class _Book:
    """What reading the tables gathers."""

    def __init__(self) -> None:
        self.lines: list[_Line] = []
        self.total = 0
        self.strange = 0


def read(context: Context, answers: Answers) -> BackupSeries:
    """A register as a series.

    Raises:
        Unparsable: no header with a date and a type (and, when the set has a name, a system), or
            not one row that can be read.
    """
    backup = context.subject.the_backup
    book = _Book()
    for entry in unpack(answers.one(TABLE.id).stdout):
        _read_file(entry, context, book)
    if book.total and book.strange == book.total:
        raise Unparsable(
            f"{backup.path}: none of its {book.total} rows has a date and a known type"
        )
    copies = [line for line in book.lines if not line.restore]
    points, older = newest(p for line in copies for p in _points(line))
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            total=book.total,
            ignored=book.total - len(copies),
            older=older,
            notes=("person_word", *(["rows_not_understood"] if book.strange else [])),
        ),
        zone=context.zone.key,
        repositories=tuple(_places(copies)),
        proofs=tuple(_proof(line) for line in book.lines if line.restore),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _read_file(entry: FileEntry, context: Context, book: _Book) -> None:
    wanted = words(context.subject.the_backup.name)
    needed = {"date", "type"} | ({"system"} if wanted else set())
    for row in read_table(entry, ALIASES, {}, (needed,)):
        if is_numbering(row) or (wanted and words(row.cells.get("system", "")) != wanted):
            continue
        book.total += 1
        stamp = _stamp(row, context)
        what = words(row.cells.get("type", ""))
        restore = any(w in what for w in _RESTORE)
        copy = any(w in what for w in _BACKUP) and not what.startswith(_LOOKED)
        if stamp is None or not (restore or copy):
            book.strange += 1
            continue
        earliest = stamp.time - dt.timedelta(seconds=stamp.uncertainty)
        result = _result(row)
        if earliest > entry.mtime + _AHEAD:
            result = "written_ahead"
        book.lines.append(_Line(row=row, stamp=stamp, restore=restore, result=result))


def _stamp(row: Row, context: Context) -> Stamp | None:
    """When it was done; a whole day is its noon, within twelve hours."""
    cell = row.cells.get("date", "")
    time = read_time(cell, context.zone)
    if time is None or read_date(cell) is None or from_epoch(time.timestamp()) is None:
        return None
    if has_clock(cell):
        return Stamp(time, 60.0)
    return Stamp(time + dt.timedelta(hours=12), HALF_DAY)


def _result(row: Row) -> str:
    said = words(row.cells.get("result", ""))
    if said in _GOOD:
        return ""
    if not said:
        return "no_result"
    return "failed" if said in _BAD else "result_not_understood"


def _points(line: _Line) -> Iterable[BackupPoint]:
    """One point per place, for a row may say that the same copy was put in two."""
    cells = line.row.cells
    what = words(cells["type"])
    kind = next((k for k, signs in _KINDS if any(s in what for s in signs)), PointKind.UNKNOWN)
    for place in _named(cells.get("place", "")) or [""]:
        key = words(place)
        yield BackupPoint(
            id=f"{line.row.sha256[:16]}/{key}" if key else line.row.sha256[:16],
            start=line.stamp.time,
            uncertainty=line.stamp.uncertainty,
            size=_size(cells),
            state=PointState.INVALID if line.result else PointState.OK,
            origin=Origin.PERSON,
            clock="writer",
            name=clean(f"{cells['date']} {cells['type']}", 80),
            group=f"register {kind.value} {key}".strip(),
            notes=(line.result,) if line.result else (),
            kind=kind,
            repository=key,
        )


def _named(cell: str) -> list[str]:
    found = {words(part): part.strip() for part in re.split(r"[;\n\r+]+", cell)}
    return [part for key, part in found.items() if key]


def _places(lines: Iterable[_Line]) -> Iterable[Repository]:
    names: dict[str, str] = {}
    for line in lines:
        for place in _named(line.row.cells.get("place", "")):
            names.setdefault(words(place), place)
    silent = {
        field: Failure(kind=FailureKind.NOT_DECLARED, detail=f"a register does not say {what}")
        for field, what in (
            ("remote", "where its places lie"),
            ("encrypted", "whether copies are encrypted"),
            ("immutable", "whether copies can be changed"),
            ("deletable", "who can delete copies"),
        )
    }
    for key, name in sorted(names.items()):
        yield Repository(id=key, location=clean(name, 120), platform=KIND, unseen=silent)


def _proof(line: _Line) -> Proof:
    cells = line.row.cells
    minutes = _MINUTES.fullmatch(words(cells.get("minutes", "")))
    return Proof(
        kind=ProofKind.RESTORE,
        time=line.stamp.time,
        ok=not line.result,
        seconds=int(minutes[1]) * 60.0 if minutes else None,
        person=True,
        document=clean(cells.get("document", ""), 120),
        name=clean(cells["type"], 80),
    )


def _size(cells: dict[str, str]) -> int | None:
    """Bytes; None when there is no unit, or when 1.234 may be a thousand or one and a quarter."""
    for column, unit in (("size", ""), ("size_mb", "MB"), ("size_gb", "GB")):
        found = _SIZE.fullmatch(cells.get(column, "").strip().upper())
        number = _number(found[1]) if found else None
        scale = _UNITS.get((found[2] if found else "") or unit)
        if number is not None and scale is not None:
            return int(number * scale)
    return None


def _number(text: str) -> float | None:
    marks = [c for c in text if c in ".,"]
    if len(marks) == 1 and re.fullmatch(r"[1-9]\d{0,2}[.,]\d{3}", text):
        return None
    if len(set(marks)) == 2:
        whole, _, part = text.rpartition(marks[-1])
        text = re.sub(r"[.,]", "", whole) + "." + part
    elif len(marks) == 1:
        text = text.replace(",", ".")
    else:
        text = re.sub(r"[.,]", "", text)
    return float(text) if re.fullmatch(r"\d{1,15}(\.\d{0,9})?", text) else None
