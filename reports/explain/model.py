"""An explanation as values: writers show it and decide nothing.

Every string is in the language asked for and free of control characters. Nothing in it is a
subject, a name or an address: none of them is stored.
"""

from __future__ import annotations

import datetime as dt

import msgspec

SCHEMA = "sauro.explanation/1"


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the values."""


class LineView(Value, frozen=True):
    """One line of a register, a list or a log. `place` is file and line, as the scan saw it.

    Of what simply went through `sha256` is the beginning of the hash, followed by "…".
    """

    place: str
    sha256: str
    time: dt.datetime | None = None
    until: dt.datetime | None = None
    """Where the line tells of a time from `time` on."""
    said: str = ""
    """What the line says happened, in words."""
    queue_id: str = ""
    grade: str = ""
    mailboxes: tuple[str, ...] = ()
    """The beginnings of the keyed hashes of the mailboxes that a mail reached; `…` for more."""


class Lines(Value, frozen=True):
    """The lines of one source; `total` counts those that are not listed as well."""

    source: str
    """`register`, `gateway`, `mails`, `post` or `outage`."""
    title: str
    lines: tuple[LineView, ...]
    total: int


class Case(Value, frozen=True):
    """One document for one recipient agency, or one document that a check speaks of.

    Of a secret document only `date` and `sha256` are given.
    """

    number: str = ""
    date: str = ""
    recipient: str = ""
    """Agency code or mail domain, with the agency's name where the inventory knows it."""
    result: str = ""
    """The result's key, such as `bypass`; empty for a case that is no pair."""
    title: str = ""
    because: str = ""
    """The rule that decided."""
    sources: tuple[Lines, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()
    """Label and text of what else is known."""
    secret: bool = False
    sha256: str = ""
    found_in: tuple[str, ...] = ()
    """Codes of the rows that list it."""


class RowView(Value, frozen=True):
    """One row of the scan."""

    code: str
    """Check and fingerprint, as the reports show them."""
    status: str
    title: str
    sentence: str
    remedy: str
    fingerprint: str


class Explanation(Value, frozen=True):
    """What led to a verdict."""

    scan: str
    scanned: dt.datetime
    unit: str
    unit_name: str
    asked: str
    rows: tuple[RowView, ...]
    facts: tuple[tuple[str, str], ...] = ()
    """Label and text: period, coverage, gaps."""
    cases: tuple[Case, ...] = ()
    total: int = 0
    """Cases that the rows speak of, listed or not."""
    notes: tuple[str, ...] = ()
    """What is not stored, not listed or no longer kept, and how to look it up."""
    found: bool = True
    """Whether the document that was asked for is listed anywhere."""
    schema: str = SCHEMA
