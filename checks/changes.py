"""What changed between two scans, as a sum that closes. Pure.

For every pair of scans, counted in findings (fingerprints of rows):

    open_now = open_before + new + reopened - fixed - gone

*Open* is what fails, and what failed when it was last seen and cannot be seen now: going dark
closes nothing. So a finding that went dark stands under `still_open`, and again in `lost`, which
speaks of sight only and is no part of the sum; neither is `regained`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

import msgspec

from checks.model import STATUS_ORDER, Status
from checks.results import Result, ScanInfo

_DARK = frozenset({Status.UNKNOWN, Status.ERROR})
_SEEN = frozenset({Status.PASS, Status.FAIL})


class Change(msgspec.Struct, frozen=True):
    """One finding in both scans; None where the scan has no such row."""

    fingerprint: str
    old: Result | None
    new: Result | None


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """Every finding that is or was open, in exactly one of five classes; and changes of sight.

    Each tuple is in the order of unit, system, target, check and subject.
    """

    new: tuple[Change, ...]
    """Fails now and was not open; or is back in the plan, unseen, having failed when last seen."""
    reopened: tuple[Change, ...]
    """Fails now; was not open, but had failed and then passed."""
    still_open: tuple[Change, ...]
    """Was open, and fails or cannot be seen now."""
    fixed: tuple[Change, ...]
    """Was open, and passes now: the engine says pass only with evidence."""
    gone: tuple[Change, ...]
    """Was open; its row is no longer planned, or is proved not to apply."""
    lost: tuple[Change, ...]
    """Was seen (pass or fail), is not now (unknown or error)."""
    regained: tuple[Change, ...]
    """Was not seen, is now."""

    @property
    def open_before(self) -> int:
        """Findings open in the old scan."""
        return len(self.still_open) + len(self.fixed) + len(self.gone)

    @property
    def open_now(self) -> int:
        """Findings open in the new scan."""
        return len(self.still_open) + len(self.new) + len(self.reopened)

    @property
    def went_dark(self) -> tuple[Change, ...]:
        """The open findings that cannot be seen now."""
        return tuple(c for c in self.still_open if c.new is not None and c.new.status in _DARK)


def compare(
    old: Iterable[Result],
    new: Iterable[Result],
    *,
    reopened: Collection[str] = frozenset(),
    dark_open: Collection[str] = frozenset(),
) -> Changes:
    """Sort every finding of two scans into its class.

    `reopened`: fingerprints that fail in the new scan after a pass after a failure
    (`Store.reopened` of the new scan). `dark_open`: fingerprints that could not be seen but failed
    when last seen (`Store.open_in_the_dark` of both scans). Both scans must be whole and of the
    same selection (`obstacle`), else rows that were not looked at count as gone.
    """
    before, now = _by_fingerprint(old), _by_fingerprint(new)
    classes: dict[str, list[Change]] = {name: [] for name in Changes.__struct_fields__}
    for key in before.keys() | now.keys():
        change = Change(key, before.get(key), now.get(key))
        for name in _classes(change, key in reopened, key in dark_open):
            classes[name].append(change)
    return Changes(**{name: tuple(sorted(found, key=_order)) for name, found in classes.items()})


def obstacle(old: ScanInfo, new: ScanInfo) -> str:
    """Why two scans cannot be compared: `incomplete`, `selection`, `simulated`, or nothing."""
    if not (old.complete and new.complete):
        return "incomplete"
    if _asked(old) != _asked(new):
        return "selection"
    return "simulated" if old.simulated != new.simulated else ""


def _asked(info: ScanInfo) -> list[tuple[str, list[str]]]:
    return [(k, sorted(v)) for k, v in msgspec.structs.asdict(info.selection).items()]


def _by_fingerprint(rows: Iterable[Result]) -> dict[str, Result]:
    """One row per finding: the worst, should a check have given several the same identity."""
    found: dict[str, Result] = {}
    for row in rows:
        known = found.get(row.fingerprint)
        if known is None or _worse(row.status, known.status):
            found[row.fingerprint] = row
    return found


def _worse(one: Status, other: Status) -> bool:
    return STATUS_ORDER.index(one) < STATUS_ORDER.index(other)


def _classes(change: Change, came_back: bool, failed_last: bool) -> list[str]:
    old = change.old.status if change.old else None
    new = change.new.status if change.new else None
    names = []
    if old is Status.FAIL or (old in _DARK and failed_last):
        if new is Status.PASS:
            names.append("fixed")
        elif new is Status.FAIL or new in _DARK:
            names.append("still_open")
        else:
            names.append("gone")
    elif new is Status.FAIL:
        names.append("reopened" if came_back else "new")
    elif old is None and new in _DARK and failed_last:
        names.append("new")
    if old in _SEEN and new in _DARK:
        names.append("lost")
    elif old in _DARK and new in _SEEN:
        names.append("regained")
    return names


def _order(change: Change) -> tuple[str, ...]:
    row = change.new or change.old
    if row is None:
        return (change.fingerprint,)
    return (row.unit, row.system or "", row.target, row.check, row.subject, change.fingerprint)
