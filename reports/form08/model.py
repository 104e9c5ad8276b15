"""Form 08 as frozen values: the writers show them and never count.

Every text is free of control characters. An empty text or None is what nobody knows: it stays blank
in the form and stands in `lacking`.
"""

from __future__ import annotations

import datetime as dt
from typing import Literal

from checks.evidence import Value

FIGURES = ("total", "classified", "dossier", "appraised", "approved", "inspected")
"""The six counts of section 1, in the form's order."""

State = Literal["draft", "submitted", "appraised", "approved", ""]
PlanState = Literal["not_started", "partly", "fully", ""]
Seen = Literal["before_use", "periodic"]


class FormError(ValueError):
    """The form cannot be made as asked: one clear line for whoever asked."""


class Ask(Value, frozen=True):
    """What the form is asked for: one owner or one unit (or neither), and days of one's own."""

    owner: str = ""
    unit: str = ""
    first: dt.date | None = None
    last: dt.date | None = None


class Window(Value, frozen=True):
    """First and last day of the data, both included. `legal`: it is the period of the decree."""

    first: dt.date
    last: dt.date
    legal: bool


class Source(Value, frozen=True):
    """One result on which a row of the table stands; `number` is that row's."""

    number: int
    system: str
    name: str
    unit: str
    check: str
    status: str
    target: str
    subject: str
    scan: str
    fingerprint: str
    evidence: str = ""
    """SHA-256 of the first evidence of the result; empty when it has none."""
    taken: dt.datetime | None = None


class Figure(Value, frozen=True):
    """A count of section 1: one source for each system counted, and for each nobody can tell."""

    key: str
    counted: tuple[Source, ...]
    unclear: tuple[Source, ...] = ()

    @property
    def value(self) -> int:
        """How many systems are proved to count."""
        return len(self.counted)


class Finish(Value, frozen=True):
    """When all levels will be approved: `done`, a day, or neither when nobody knows."""

    done: bool = False
    day: dt.date | None = None


class Agency(Value, frozen=True):
    """An owner or a designated security unit, as section 2 asks."""

    id: str
    name: str
    mandate: str = ""
    head: str = ""
    post: str = ""
    address: str = ""
    phone: str = ""
    email: str = ""


class Letterhead(Value, frozen=True):
    """How the letter begins and ends; `name` may hold a line break."""

    issuer: str
    """The name within a sentence."""
    above: str
    name: str
    sign: str
    place: str
    to: tuple[str, ...]
    copies: tuple[str, ...]
    power: str
    title: str
    signer: str


class Row(Value, frozen=True):
    """One line of the table, columns 1 to 12; `system` is the id that the inventory gives."""

    number: int
    system: str
    name: str
    owner: str
    operator: str
    level: int | None
    state: State
    decision: str
    regulation: str
    approval_expected: dt.date | None
    plan: PlanState
    plan_expected: dt.date | None
    inspected: tuple[Seen, ...]
    sources: tuple[Source, ...]


class Lacking(Value, frozen=True):
    """Something to add or confirm before the letter is signed: who, what, where."""

    key: str
    who: str
    what: str
    where: str
    system: str = ""


class Form08(Value, frozen=True):
    """The whole report. `until` is the last day on which papers count: the scan's or the last."""

    language: str
    owner: str
    unit: str
    window: Window
    until: dt.date
    due: dt.date
    scan: str
    scanned: dt.datetime
    timezone: str
    tool: str
    legal_basis: int
    digest: str
    """SHA-256 of the scan's results, hex."""
    simulated: bool
    letter: Letterhead
    figures: tuple[Figure, ...]
    finish: Finish
    owners: tuple[Agency, ...]
    security_units: tuple[Agency, ...]
    rows: tuple[Row, ...]
    lacking: tuple[Lacking, ...]
    notes: tuple[str, ...]

    @property
    def year(self) -> int:
        """The year of the report: that in which its data close."""
        return self.window.last.year

    @property
    def stem(self) -> str:
        """Name of its files without the ending."""
        about = self.owner or self.unit
        safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in about)
        return f"form08-{self.year}-{safe}"
