"""The figures and words of one report, as frozen values: writers show them and never count.

`reports.build` makes a `Report` from a scan; every format renders the same value. Times are aware
and in UTC, dates are calendar days in the report's zone, shares come from `checks.results.Tally`.
Every string is already in the report's language and free of control characters.
"""

from __future__ import annotations

import datetime as dt

from checks.model import Severity, Status
from checks.results import Tally
from reports.model_backup import BackupView, Count, Line, NextLevel, Value
from reports.model_documents import DocumentsView

FAMILIES = ("security", "backup", "documents")
"""The areas of the report, in their order; `host` rows count in the coverage only."""


class Clause(Value, frozen=True):
    """One clause of the headline: the figure that is set in bold, and the rest of the sentence."""

    strong: str
    rest: str = ""


class About(Value, frozen=True):
    """Where the figures come from."""

    scan: str
    tool: str
    started: dt.datetime
    finished: dt.datetime | None
    now: dt.datetime
    legal_basis: int
    complete: bool
    simulated: bool
    floor: int
    """Coverage floor, percent."""
    planned: int
    judged: int
    stale_hours: int | None
    """Age of the data in whole hours when it is over the limit, else None."""
    selective: bool
    """The scan looked at a part of the inventory only; other units are not counted."""
    week: int
    week_year: int
    first_day: dt.date
    last_day: dt.date
    digest: str
    """SHA-256 of the scan's rows, hex."""
    documents_until: dt.date | None = None
    """Day from which the details about documents are no longer kept; counts stay."""
    documents_ended: dt.date | None = None
    """Day on which they were removed."""
    single: bool = False
    """The scan is of one unit or one system: the terminal shows each system."""


class Area(Value, frozen=True):
    """One family over all units: how many units stand where. `change` is in units, None unknown."""

    family: str
    units: Tally
    change: int | None = None


class Seen(Value, frozen=True):
    """How much was seen. `rows` is the tally of checks; `causes` add up to what was not seen."""

    rows: Tally
    causes: tuple[Count, ...]
    dark_units: int
    """Units whose coverage is under the floor; `unit_causes` add up to it."""
    unit_causes: tuple[Count, ...]


class Changes(Value, frozen=True):
    """What moved since the previous scan: `now = before + new + reopened - fixed - gone`."""

    since: dt.datetime
    before: int
    new: int
    reopened: int
    fixed: int
    gone: int
    """No longer in the scan, or proved not applicable."""
    now: int
    rows_lost: int
    """Rows that had a verdict and have none now."""
    rows_regained: int
    units_lost: int
    """Units that fell under the coverage floor."""
    units_regained: int
    notes: tuple[str, ...] = ()
    """Keys of what makes the two scans hard to compare."""


class Open(Value, frozen=True):
    """The open findings of all units: `total` includes the waived and those out of sight."""

    total: int
    waived: int
    dark: int
    overdue: int
    """Open, not waived and past their day."""
    overdue_units: int
    clear: int
    """Not waived and with 6/6 clears, of `total - waived`."""


class Deadlines(Value, frozen=True):
    """What comes next."""

    due_soon: int
    due_before: dt.date
    waivers: int
    cutoff: dt.date
    cutoff_days: int


class Clear(Value, frozen=True):
    """One of the six clears; an empty `text` means that it is missing. `name` is a person's."""

    key: str
    text: str
    name: str = ""


class WaiverView(Value, frozen=True):
    """The accepted risk on a finding."""

    document: str
    owner: str
    approved_by: str
    reason: str
    until: dt.date
    days_left: int


class Proof(Value, frozen=True):
    """Which evidence a row stands on; never the evidence itself."""

    probe: str
    target: str
    taken: dt.datetime
    sha256: str


class Fact(Value, frozen=True):
    """One figure of a row's detail: the key of its label, and its text."""

    key: str
    text: str


class Finding(Value, frozen=True):
    """An open task: a failing row, or one that failed before and is out of sight now."""

    fingerprint: str
    check: str
    family: str
    status: Status
    severity: Severity
    title: str
    sentence: str
    rationale: str
    subject: str
    system: str
    level: int | None
    opened: dt.datetime
    due: dt.date
    overdue: int
    """Days past the due day; 0 or less means still in time."""
    new: bool
    reopened: bool
    dark: bool
    clears: tuple[Clear, ...]
    facts: tuple[Fact, ...] = ()
    proofs: tuple[Proof, ...] = ()
    waiver: WaiverView | None = None

    @property
    def clear_count(self) -> int:
        """How many of the six are there."""
        return sum(bool(c.text) for c in self.clears)


class Blind(Value, frozen=True):
    """Rows of a unit that share a cause and a target and have no verdict, as one task."""

    cause: str
    status: Status
    severity: Severity
    target: str
    detail: str
    since: dt.datetime
    due: dt.date
    overdue: int
    clears: tuple[Clear, ...]
    rows: tuple[Line, ...]

    @property
    def clear_count(self) -> int:
        """How many of the six are there."""
        return sum(bool(c.text) for c in self.clears)


class SystemView(Value, frozen=True):
    """One system where it is judged."""

    id: str
    name: str
    level: int | None
    owner: str
    operator: str
    security_unit: str
    servers: int
    users: int
    """How many other units use it."""
    lines: tuple[Line, ...]
    backups: tuple[BackupView, ...]
    next_level: NextLevel | None = None
    """None without a level, above the highest, when exempt, and when backup was not looked at."""


class SharedView(Value, frozen=True):
    """A system that this unit uses and another one answers for; not counted here."""

    name: str
    status: Status
    judged_at: str
    anchor: str


class Cell(Value, frozen=True):
    """One unit in one area."""

    family: str
    status: Status
    rows: Tally
    notes: int
    """Open findings below major, not waived."""
    waived: int
    new: int
    last_fail: dt.datetime | None = None
    """When a finding that is now out of sight was opened."""


class Post(Value, frozen=True):
    """A post and who holds it; names are for unit sections only."""

    post: str
    name: str


class UnitView(Value, frozen=True):
    """One unit: its row of the matrix and its section."""

    id: str
    anchor: str
    name: str
    kind: str
    parent: str
    status: Status
    rows: Tally
    dark: bool
    """Coverage under the floor: never shown as met."""
    cause: str
    """The main cause of a dark unit, else empty."""
    trend: str
    """Key of the word that compares with the previous scan, or empty."""
    cells: tuple[Cell, ...]
    open: int
    waived_open: int
    """Open findings that are waived, those out of sight included."""
    waived_rows: int
    """Failing rows that are waived; a part of `rows.fail`."""
    overdue: int
    peers: int
    median_open: float | None
    """Median of open findings among units of the kind, None when there are fewer than three."""
    accountable: Post
    officer: Post
    findings: tuple[Finding, ...]
    blind: tuple[Blind, ...]
    waived: tuple[Finding, ...]
    systems: tuple[SystemView, ...]
    shared: tuple[SharedView, ...]
    documents: DocumentsView | None
    """None when nothing of its correspondence was counted."""
    passed: tuple[Line, ...]
    not_applicable: tuple[Line, ...]


class Decision(Value, frozen=True):
    """One line of the decisions table: posts and units, never persons or hosts."""

    unit: str
    anchor: str
    task: str
    severity: Severity
    due: dt.date
    overdue: int
    answerable: str
    authority: str
    more: int
    """Further tasks of the same unit that wait for a decision."""


class Decisions(Value, frozen=True):
    """The gravest task of each unit, at most seven; `total` counts every task that waits."""

    items: tuple[Decision, ...]
    total: int


class Report(Value, frozen=True):
    """Everything a writer shows."""

    language: str
    timezone: str
    place: str
    """Name of the body that all units belong to, or empty."""
    about: About
    headline: tuple[Clause, ...]
    families: tuple[str, ...]
    units_by_status: Tally
    kinds: tuple[Count, ...]
    areas: tuple[Area, ...]
    seen: Seen
    open: Open
    changes: Changes | None
    no_changes: str
    """Key of why there is no comparison, or empty."""
    deadlines: Deadlines
    decisions: Decisions
    units: tuple[UnitView, ...]
    """By kind, then in the order of the Vietnamese alphabet."""
    attention: tuple[int, ...]
    """Positions in `units`, those that need attention first."""
    due_days: tuple[Count, ...]
    """Days allowed by severity: the house's default."""
    schema: str = "sauro.report/1"
