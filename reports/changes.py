"""What moved between two scans: classes by fingerprint whose sum closes.

An *open finding* failed when it was last seen. One that went dark is still open; only a verdict
other than fail, or leaving the scan, closes it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

import msgspec

from checks.changes import Change, compare
from checks.model import Status
from checks.results import Result
from inventory.model import Selection
from reports.model import Changes
from reports.rollup import UNSEEN, Base, Standing


class Dark(msgspec.Struct, frozen=True):
    """Findings that a scan could not see but that failed when last seen: now, and before."""

    now: frozenset[str] = frozenset()
    before: frozenset[str] = frozenset()


class Ledger(msgspec.Struct, frozen=True):
    """Fingerprints of open findings: now, before, and those that are new or back in this scan."""

    now: frozenset[str]
    before: frozenset[str]
    new: frozenset[str]
    reopened: frozenset[str]


def by_fingerprint(on: Base | None) -> dict[str, Result]:
    """The rows of the counted units."""
    if on is None:
        return {}
    return {r.fingerprint: r for rows in on.rows.values() for r in rows}


def ledger(
    rows: Mapping[str, Result],
    old: Mapping[str, Result] | None,
    dark: Dark,
    reopened: frozenset[str],
) -> Ledger:
    """Sort the open findings of a scan and of the one before it (`old`, None for the first)."""
    if old is None:
        failing = frozenset(f for f, r in rows.items() if r.status is Status.FAIL)
        none: frozenset[str] = frozenset()
        return Ledger(failing | out_of_sight(dark.now, rows), none, none, none)
    found = compare(
        old.values(), rows.values(), reopened=reopened, dark_open=dark.now | dark.before
    )
    new, back, held = _ids(found.new), _ids(found.reopened), _ids(found.still_open)
    return Ledger(held | new | back, held | _ids(found.fixed) | _ids(found.gone), new, back)


def _ids(found: tuple[Change, ...]) -> frozenset[str]:
    return frozenset(change.fingerprint for change in found)


def out_of_sight(open_: frozenset[str], rows: Mapping[str, Result]) -> frozenset[str]:
    """The open findings of a scan that have no verdict in it."""
    return frozenset(f for f in open_ if f in rows and rows[f].status in UNSEEN)


def why_not(now: Base, previous: Base | None) -> str:
    """Key of the reason why there is nothing to compare with, or empty."""
    if previous is None:
        return "first"
    if not now.scan.info.complete:
        return "partial"
    if not previous.scan.info.complete:
        return "previous_partial"
    if _scope(now.scan.info.selection) != _scope(previous.scan.info.selection):
        return "selection"
    return ""


def _scope(selection: Selection) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(getattr(selection, f)) for f in selection.__struct_fields__)


def notes(now: Base, previous: Base) -> tuple[str, ...]:
    """Keys of what breaks the line between two scans: figures of units are not compared then."""
    mine, other = now.scan, previous.scan
    broken = {
        "note_units": set(now.units) != set(previous.units),
        "note_basis": mine.info.legal_basis != other.info.legal_basis,
        "note_floor": mine.info.coverage_floor != other.info.coverage_floor,
        "note_checks": {r.check for r in mine.results} != {r.check for r in other.results},
    }
    return tuple(key for key, is_so in broken.items() if is_so)


def changes(
    book: Ledger,
    rows: Mapping[str, Result],
    old: Mapping[str, Result],
    units: tuple[Mapping[str, Standing], Mapping[str, Standing]],
    since: dt.datetime,
    broken: tuple[str, ...],
) -> Changes:
    """The sum of the open findings, and what was lost from sight or came back into it."""
    left = book.before - book.now
    fixed = sum(1 for f in left if f in rows and rows[f].status is Status.PASS)
    now, before = units
    both = [u for u in now if u in before]
    shared = [f for f in rows if f in old]
    return Changes(
        since=since,
        before=len(book.before),
        new=len(book.new),
        reopened=len(book.reopened),
        fixed=fixed,
        gone=len(left) - fixed,
        now=len(book.now),
        rows_lost=_moved(shared, old, rows),
        rows_regained=_moved(shared, rows, old),
        units_lost=sum(now[u].dark and not before[u].dark for u in both),
        units_regained=sum(before[u].dark and not now[u].dark for u in both),
        notes=broken,
    )


def _moved(both: Iterable[str], seen: Mapping[str, Result], dark: Mapping[str, Result]) -> int:
    return sum(seen[f].status not in UNSEEN and dark[f].status in UNSEEN for f in both)


def trend(now: Standing, before: Standing | None) -> str:
    """Key of the word that compares a unit with its own past."""
    if before is None:
        return "trend_new"
    if now.dark != before.dark:
        return "trend_lost" if now.dark else "trend_back"
    rank = (Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)
    gap = rank.index(now.status) - rank.index(before.status)
    # Losing or gaining sight of something is neither better nor worse.
    if gap and not {now.status, before.status} & {*UNSEEN, Status.NOT_APPLICABLE}:
        return "trend_better" if gap > 0 else "trend_worse"
    return "trend_same" if gap == 0 else "trend_other"
