"""Exports that people leave in the project: JSON as PowerShell or an API gives it, or CSV."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from checks.backup.promise import promise_of
from checks.backup.timing import FIRST, LATEST, Stamp, from_epoch
from checks.decoding import text_of
from checks.evidence import Evidence, FailureKind, NotDeclared, Probe, Request, Unparsable
from checks.files import FileEntry, files_request, unpack
from checks.model import Context
from checks.texts import clean
from inventory.model import BackupSet

Record = Mapping[str, Any]
"""One object of an export, its keys in lower case without spaces and underscores."""

_DEEPEST = 4
_WRAPPERS = frozenset(
    ("data", "value", "entities", "items", "results", "vmrestorepoints", "restorepoints")
)
"""Keys under which interfaces put the objects that were asked for."""
_POWERSHELL = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/")
_FRACTION = re.compile(r"(\.\d{6})\d+")
_ASSUMED = 3600.0
"""Seconds by which a time without a zone, read in the project's, may be off (daylight saving)."""
_NEVER = 1970
"""Windows writes the years 1 and 1601 for `never`."""


def export_request(backup: BackupSet, probe: Probe) -> Request:
    """Ask for the set's export.

    Raises:
        NotDeclared: the set has no path.
    """
    if not backup.path:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: path of the export")
    return files_request(probe, backup.path)


def fresh_records(context: Context, evidence: Evidence) -> list[Record]:
    """Every object of the set's exports.

    Raises:
        Unparsable: a file is neither JSON nor a table, or (`stale`) the newest export is older than
            the next copy was due, so that it cannot show it.
    """
    backup = context.subject.the_backup
    entries = unpack(evidence.stdout)
    newest = max((e.mtime for e in entries), default=None)
    promise = promise_of(backup, context.subject.the_system.level, context.zone)
    if newest is not None and context.now - newest > promise.interval + promise.grace:
        raise Unparsable(
            f"newer export than {backup.path} of {newest:%Y-%m-%d %H:%M} UTC", FailureKind.STALE
        )
    return [record for entry in entries for record in records(entry)]


def records(entry: FileEntry) -> Iterator[Record]:
    """The objects of one file, whatever lists and wrappers they lie in."""
    text = text_of(entry).strip()
    if text[:1] not in ("[", "{"):
        yield from _rows(entry.name, text)
        return
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError) as e:
        raise Unparsable(f"{entry.name}: {clean(str(e), 200)}") from None
    yield from _objects(found, _DEEPEST)


def _objects(value: Any, depth: int) -> Iterator[Record]:  # noqa: ANN401 - any JSON
    if isinstance(value, list):
        for item in value if depth else ():
            yield from _objects(item, depth - 1)
    elif isinstance(value, dict):
        named = {_key(k): v for k, v in value.items()}
        inner = [v for k, v in named.items() if k in _WRAPPERS and isinstance(v, (list, dict))]
        if not inner:
            yield named
        for item in inner if depth else ():
            yield from _objects(item, depth - 1)


def _rows(name: str, text: str) -> Iterator[Record]:
    # Export-Csv of PowerShell 5 writes a line about its types before the header.
    lines = [line for line in text.split("\n") if not line.startswith("#TYPE")]
    head = lines[0] if lines else ""
    separator = max(",;\t", key=head.count)
    if not head.count(separator):
        raise Unparsable(f"{name}: neither JSON nor a table with a header")
    try:
        for row in csv.DictReader(io.StringIO("\n".join(lines)), delimiter=separator):
            yield {_key(k): v for k, v in row.items() if k is not None}
    except csv.Error as e:
        raise Unparsable(f"{name}: {e}") from None


def _key(text: str) -> str:
    return re.sub(r"[\s_-]", "", str(text)).lower()


def first(record: Record, *keys: str) -> Any:  # noqa: ANN401 - any JSON
    """The first of these keys that says something, else None."""
    return next((record[k] for k in keys if record.get(k) not in (None, "")), None)


def text(record: Record, *keys: str) -> str:
    """The first of these keys as one clean line."""
    found = first(record, *keys)
    return "" if found is None or isinstance(found, (dict, list)) else clean(str(found), 200)


def whole(record: Record, *keys: str) -> int | None:
    """The first of these keys as a whole number that is not negative."""
    found = first(record, *keys)
    if isinstance(found, bool):
        return None
    said = str(found).strip()
    return int(said) if re.fullmatch(r"[0-9]{1,18}", said, re.ASCII) else None


def moment(value: Any, zone: ZoneInfo) -> Stamp | None:  # noqa: ANN401 - any JSON
    """A moment as exports write it; None for `never` and for what cannot be read for sure.

    `11/22/2026` may be read in two ways and is not read at all; a time without a zone is taken in
    the project's.
    """
    if isinstance(value, dict):
        value = {_key(k): v for k, v in value.items()}.get("value")
    said = str(value).strip() if isinstance(value, (str, int)) else ""
    powershell = _POWERSHELL.fullmatch(said)
    if powershell:
        return _epoch(int(powershell[1]) / 1000)
    if re.fullmatch(r"[0-9]{10}", said, re.ASCII):
        return _epoch(int(said))
    return _iso(said, zone)


def _iso(said: str, zone: ZoneInfo) -> Stamp | None:
    if not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:", said, re.ASCII):
        return None
    try:
        time = dt.datetime.fromisoformat(_FRACTION.sub(r"\1", said))
    except ValueError:
        return None
    if not max(FIRST.year, _NEVER) < time.year < LATEST.year:
        return None
    if time.tzinfo is not None:
        return Stamp(time.astimezone(dt.UTC))
    return Stamp(time.replace(tzinfo=zone).astimezone(dt.UTC), _ASSUMED)


def _epoch(seconds: float) -> Stamp | None:
    time = from_epoch(seconds)
    return Stamp(time) if time is not None and time.year > _NEVER else None
