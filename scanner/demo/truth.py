"""The planted truth as data, and how a scan is held against it, row by row."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import msgspec

from checks.model import STATUS_ORDER, Status
from checks.results import Result, Scan

Key = tuple[str, str, str, str, str]
"""Check, unit, system (or empty), target, subject: which row."""


class Expected(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one row of the scan must say. Empty `severity` and `failure` mean: whatever it says."""

    check: str
    unit: str
    target: str
    status: Status
    system: str = ""
    subject: str = ""
    severity: str = ""
    failure: str = ""
    """Failure kind of an unknown row."""
    waived: bool = False
    planted: str = ""
    """Key of the planted thing that the row speaks of; empty for what is simply in order."""

    @property
    def key(self) -> Key:
        """Which row is meant."""
        return (self.check, self.unit, self.system, self.target, self.subject)

    def agrees(self, row: Result) -> bool:
        """Whether a row says what was planted."""
        kind = row.failure.kind if row.failure else ""
        return (
            row.status is self.status
            and (not self.severity or row.severity == self.severity)
            and (not self.failure or kind == self.failure)
            and (row.waiver is not None) == self.waived
        )


class Planted(msgspec.Struct, frozen=True):
    """One planted thing: its key (`backup.stale`), and where it is (`ba-dinh-vb/csdl`)."""

    kind: str
    where: str


class Truth(msgspec.Struct, frozen=True):
    """Everything that was planted, and every row that a scan of it must have."""

    planted: tuple[Planted, ...]
    rows: tuple[Expected, ...]


class Differs(msgspec.Struct, frozen=True):
    """A row that says something else than what was planted."""

    expected: Expected
    found: Result


class Differences(msgspec.Struct, frozen=True):
    """Where truth and scan part; the demo has worked when there are none."""

    missing: tuple[Expected, ...] = ()
    unexpected: tuple[Result, ...] = ()
    different: tuple[Differs, ...] = ()
    twice: tuple[Key, ...] = ()
    """Rows that stand in the scan more than once."""
    lines: tuple[Line, ...] = ()
    rows: int = 0
    """How many rows were expected."""

    @property
    def wrong(self) -> int:
        """How many rows differ in one way or another."""
        parts = (self.missing, self.unexpected, self.different, self.twice)
        return sum(map(len, parts))

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return self.wrong > 0


class Line(msgspec.Struct, frozen=True):
    """One line of the table that the demo prints: a planted thing and what the scan made of it."""

    kind: str
    planted: int
    """How many of it were planted; for what is in order, how many rows."""
    rows: int
    agreeing: int
    verdicts: tuple[tuple[str, int], ...]
    """What the scan said of these rows: statuses and how often, worst first."""


def compare(truth: Truth, scan: Scan) -> Differences:
    """Hold every row of a scan against the planted truth."""
    expected = {row.key: row for row in truth.rows}
    found: dict[Key, Result] = {}
    twice = []
    for row in scan.results:
        key = _key(row)
        if key in found:
            twice.append(key)
        found[key] = row
    different = tuple(
        Differs(want, found[key])
        for key, want in expected.items()
        if key in found and not want.agrees(found[key])
    )
    return Differences(
        missing=tuple(want for key, want in expected.items() if key not in found),
        unexpected=tuple(row for key, row in found.items() if key not in expected),
        different=different,
        twice=tuple(twice),
        lines=tuple(_lines(truth, found)),
        rows=len(expected),
    )


def _key(row: Result) -> Key:
    return (row.check, row.unit, row.system or "", row.target, row.subject)


def _lines(truth: Truth, found: dict[Key, Result]) -> Iterable[Line]:
    rows: dict[str, list[Expected]] = {}
    for want in truth.rows:
        rows.setdefault(want.planted, []).append(want)
    kinds = list(dict.fromkeys(p.kind for p in truth.planted))
    for kind in [*kinds, *(k for k in rows if k not in kinds)]:
        wanted = rows.get(kind, []) or _waivable(truth, kind)
        said = [found[w.key].status for w in wanted if w.key in found]
        planted = sum(p.kind == kind for p in truth.planted) if kind else len(wanted)
        yield Line(
            kind=kind,
            planted=planted,
            rows=len(wanted),
            agreeing=sum(w.key in found and w.agrees(found[w.key]) for w in wanted),
            verdicts=tuple((s.value, said.count(s)) for s in STATUS_ORDER if s in said),
        )


def _waivable(truth: Truth, kind: str) -> list[Expected]:
    """The rows that a waiver of this kind speaks of."""
    places = {p.where for p in truth.planted if p.kind == kind}
    return [
        row
        for row in truth.rows
        if row.status not in (Status.PASS, Status.NOT_APPLICABLE)
        and not places.isdisjoint((row.target, f"{row.system}/{row.subject}"))
    ]


def write_truth(path: Path, truth: Truth) -> None:
    """Keep the truth beside the demo."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(truth), indent=1) + b"\n")


def read_truth(path: Path) -> Truth:
    """Read a truth that `write_truth` wrote."""
    return msgspec.json.decode(path.read_bytes(), type=Truth)


def describe(differences: Differences, most: int = 20) -> list[str]:
    """The first differences as lines of plain text; the wording of the demo's failure."""
    said = [f"missing: {_named(want.key)}: {want.status}" for want in differences.missing]
    said += [f"unexpected: {_named(_key(row))}: {_found(row)}" for row in differences.unexpected]
    said += [f"twice: {_named(key)}" for key in differences.twice]
    for pair in differences.different:
        want = pair.expected
        wish = " ".join(
            part
            for part in (want.status, want.severity, want.failure, "waived" * want.waived)
            if part
        )
        said.append(
            f"different: {_named(want.key)}: planted {want.planted or 'nothing'} → {wish}, "
            f"the scan says {_found(pair.found)}"
        )
    more = [f"… and {len(said) - most} more"] if len(said) > most else []
    return said[:most] + more


def _named(key: Key) -> str:
    check, unit, system, target, subject = key
    place = [unit, system, "" if target in (unit, system) else target, subject]
    return f"{check} {'/'.join(part for part in place if part)}"


def _found(row: Result) -> str:
    failure = f" ({row.failure.kind}: {row.failure.detail})" if row.failure else ""
    waived = " waived" if row.waiver else ""
    return f"{row.status} {row.severity}{waived}, {row.message.id}{failure}"
