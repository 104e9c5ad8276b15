"""The statistics as one flat table in CSV, and back.

A row is one count. `by` is `total`, `partner`, `type`, `partner_type`, or `missing` when a
direction was not seen; an empty `result` is the sum of the results. Rows of unit `*` are the totals
over all units.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from checks.documents.kinds import kinds
from reports.statistics.model import (
    DIRECTIONS,
    SCHEMA,
    Both,
    Counts,
    Header,
    Kind,
    Seen,
    Statistics,
    Subtotal,
    UnitStatistics,
)
from reports.statistics.verify import StatisticsError, believed

COLUMNS = (
    "from", "to", "reporter", "reporter_name", "made", "simulated", "small", "unit", "name",
    "direction", "days", "coverage", "by", "partner", "type", "result", "count",
)  # fmt: skip
ALL = "*"
"""The unit of the rows over all units."""
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(found: Statistics) -> bytes:
    """UTF-8 with a byte order mark; no cell can become a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in _rows(found):
        writer.writerow([_safe(str(row.get(column, ""))) for column in COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _safe(text: str) -> str:
    return f"'{text}" if text.startswith((*_FORMULA, "'")) else text


def _plain(text: str) -> str:
    return text.removeprefix("'")


def _rows(found: Statistics) -> Iterator[dict[str, Any]]:
    header = found.header
    head = {
        "from": header.first,
        "to": header.last,
        "reporter": header.reporter,
        "reporter_name": header.reporter_name,
        "made": header.made.isoformat(),
        "simulated": int(header.simulated),
        "small": header.small,
    }
    for direction in DIRECTIONS:
        here = {**head, "unit": ALL, "direction": direction}
        total: Counts | None = getattr(found.total, direction)
        yield from _counts({**here, "by": "total" if total else "missing"}, total)
    for unit in found.units:
        for direction in DIRECTIONS:
            yield from _of_unit({**head, "direction": direction}, unit)


def _of_unit(head: dict[str, Any], unit: UnitStatistics) -> Iterator[dict[str, Any]]:
    direction = head["direction"]
    seen: Seen = getattr(unit, f"{direction}_seen")
    coverage = "" if seen.coverage is None else f"{seen.coverage:.4f}"
    here = {**head, "unit": unit.unit, "name": unit.name, "days": seen.days, "coverage": coverage}
    total: Counts | None = getattr(unit.total, direction)
    if total is None:
        yield {**here, "by": "missing", "result": seen.missing}
        return
    yield from _counts({**here, "by": "total"}, total)
    for sub in unit.subtotals:
        key = {"by": sub.by, "partner": sub.partner, "type": sub.type}
        yield from _counts({**here, **key}, getattr(sub, direction))


def _counts(here: dict[str, Any], counts: Counts | None) -> Iterator[dict[str, Any]]:
    if counts is None:
        yield here
        return
    yield {**here, "count": counts.total}
    for result, count in counts.results.items():
        yield {**here, "result": result, "count": count}


# ----------------------------------------------------------------------------------- and back again

Row = Mapping[str, str]
_Key = tuple[str, str, str]


def read_csv(data: bytes) -> Statistics:
    """The statistics in a CSV export; tool and scans are not part of it.

    Raises:
        StatisticsError: it is no such table (with the line), or its sums are wrong.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as e:
        raise StatisticsError([f"is no UTF-8 text: {e}"]) from None
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        if tuple(reader.fieldnames or ()) != COLUMNS:
            raise StatisticsError([f"line 1: expected the columns {', '.join(COLUMNS)}"])
        rows = [_checked(n, row) for n, row in enumerate(reader, 2)]
    except csv.Error as e:
        raise StatisticsError([f"is no CSV: {e}"]) from None
    if not rows:
        raise StatisticsError(["has no row"])
    return believed(_built(rows))


def _checked(line: int, row: dict[str, str]) -> Row:
    if None in row or None in row.values():
        raise StatisticsError([f"line {line}: expected {len(COLUMNS)} cells"])
    return {k: _plain(v) for k, v in row.items()}


def _built(rows: list[Row]) -> Statistics:
    first = rows[0]
    heads = {tuple(row[c] for c in COLUMNS[:7]) for row in rows}
    if len(heads) > 1:
        raise StatisticsError(["has rows of several reports: give one at a time"])
    try:
        header = Header(
            first=dt.date.fromisoformat(first["from"]),
            last=dt.date.fromisoformat(first["to"]),
            reporter=first["reporter"],
            reporter_name=first["reporter_name"],
            made=dt.datetime.fromisoformat(first["made"]),
            tool="",
            simulated=bool(int(first["simulated"])),
            small=int(first["small"]),
        )
        by_unit: dict[str, list[Row]] = {}
        for row in rows:
            by_unit.setdefault(row["unit"], []).append(row)
        whole = by_unit.pop(ALL, [])
        units = tuple(_unit(name, mine) for name, mine in by_unit.items())
        total = Both(**{d: _side(whole, d).get(("total", "", "")) for d in DIRECTIONS})
        found = Statistics(
            schema=SCHEMA, header=header, total=total, units=units, types=_types(units)
        )
        # The same rules as for JSON: codes, words and counts of the right form.
        return msgspec.convert(msgspec.to_builtins(found), Statistics, strict=False)
    except (ValueError, TypeError) as e:
        raise StatisticsError([f"has a cell that cannot be read: {e}"]) from None


def _unit(name: str, rows: list[Row]) -> UnitStatistics:
    sides = {direction: _side(rows, direction) for direction in DIRECTIONS}
    keys = dict.fromkeys(k for side in sides.values() for k in side if k[0] != "total")
    seen = {d: _seen([r for r in rows if r["direction"] == d]) for d in DIRECTIONS}
    return UnitStatistics(
        unit=name,
        name=rows[0]["name"],
        incoming_seen=seen["incoming"],
        outgoing_seen=seen["outgoing"],
        total=Both(**{d: sides[d].get(("total", "", "")) for d in DIRECTIONS}),
        subtotals=tuple(
            msgspec.convert(
                {
                    "by": by,
                    "partner": partner,
                    "type": kind,
                    **{
                        d: msgspec.to_builtins(sides[d].get((by, partner, kind)))
                        for d in DIRECTIONS
                    },
                },
                Subtotal,
            )
            for by, partner, kind in keys
        ),
    )


def _seen(rows: list[Row]) -> Seen:
    if not rows:
        return Seen(days=0, coverage=None, missing="no_scan")
    first = rows[0]
    missing = first["result"] if first["by"] == "missing" else ""
    coverage = float(first["coverage"]) if first["coverage"] else None
    return Seen(days=int(first["days"] or 0), coverage=coverage, missing=missing)


def _side(rows: Iterable[Row], direction: str) -> dict[_Key, Counts]:
    totals: dict[_Key, int] = {}
    results: dict[_Key, dict[str, int]] = {}
    for row in rows:
        if row["direction"] != direction or row["by"] == "missing" or not row["count"]:
            continue
        key = row["by"], row["partner"], row["type"]
        into = results.setdefault(key, {})
        name, count = row["result"], int(row["count"])
        if (name in into) if name else (key in totals):
            raise StatisticsError([f"{' '.join((row['unit'], *key, name))} comes twice"])
        if name:
            into[name] = count
        else:
            totals[key] = count
    return {key: Counts(total=n, results=results[key]) for key, n in totals.items()}


def _types(units: Iterable[UnitStatistics]) -> dict[str, Kind]:
    used = sorted({s.type for u in units for s in u.subtotals if s.type in kinds()})
    return {code: msgspec.convert(dict(kinds()[code]), Kind) for code in used}
