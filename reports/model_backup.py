"""The values of a report about backups, and the small ones that every part uses."""

from __future__ import annotations

import datetime as dt

import msgspec

from checks.model import Status


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the report's values."""


class Count(Value, frozen=True):
    """A number with the key of the word beside it."""

    key: str
    n: int


class Line(Value, frozen=True):
    """A row of the scan in one line."""

    check: str
    status: Status
    title: str
    sentence: str
    subject: str
    waived: bool = False


class Strip(Value, frozen=True):
    """Expected slots of a backup set, oldest first: when, and one of `details.SLOT_STATES`."""

    slots: tuple[tuple[dt.datetime, str], ...]
    counts: tuple[Count, ...]


class CopyView(Value, frozen=True):
    """Copies of a set in one place. `encrypted` and `immutable` are `yes`, `no` or `unknown`."""

    device: str
    platform: str
    site: str
    own_host: bool | None
    """On the server that it protects; None when that cannot be known."""
    elsewhere: bool | None
    """At another site than the data; None when a site is not known."""
    fresh: bool | None
    """Keeps the promise of its set; None when the scan does not say."""
    newest: dt.datetime | None
    encrypted: str
    immutable: str


class BackupView(Value, frozen=True):
    """One backup set: its promise, its newest copy, its rhythm. Ages in seconds, sizes in bytes.

    `verified`, `encrypted`, `immutable` and `protected` are `yes`, `no` or `unknown`.
    """

    id: str
    kind: str
    promised: float | None
    every: str
    newest: dt.datetime | None
    age: float | None
    strip: Strip | None
    sizes: tuple[float, ...]
    restore: dt.date | None
    restore_ok: bool
    lines: tuple[Line, ...]
    ratio: float | None = None
    """Age of the newest copy in times of what was promised."""
    workdays: bool = False
    """Promised on each day from Monday to Friday."""
    promise_assumed: bool = False
    """The unit declared no frequency; the promise is the house default of its level."""
    restore_person: bool = False
    """The last trial restore is a person's word, not a record of the tool."""
    restore_sample: bool = False
    """Only a part was read back."""
    restore_document: str = ""
    verified: str = "unknown"
    verified_at: dt.datetime | None = None
    encrypted: str = "unknown"
    immutable: str = "unknown"
    protected: str = "unknown"
    """Out of reach of the server that it protects."""
    copies: tuple[CopyView, ...] = ()
    copies_left: int = 0
    """Places beyond those in `copies`."""
    remarks: tuple[str, ...] = ()
    """What is remarked on the copies; nothing is judged by it."""
    copies_unseen: str = ""
    """Why the places of this set could not be seen, or empty."""


class Duty(Value, frozen=True):
    """One backup duty that a system does not meet, or of which nobody can tell."""

    check: str
    title: str
    grade: str
    """`required`, or `expected` as good practice."""
    subjects: tuple[str, ...]
    """The backup sets it is about; empty for the whole system, and when it is all of them."""


class NextLevel(Value, frozen=True):
    """What backup lacks to the next security level.

    `met`: every required duty is met for certain. `missing` is required, `advised` good practice.
    """

    level: int
    met: bool
    missing: tuple[Duty, ...]
    advised: tuple[Duty, ...]
    unclear: tuple[Duty, ...]
    """Nothing was seen that could tell, of both grades."""
