"""The statistics as values; their JSON form is `sauro.documents-statistics/1`.

The shape is that of Peppol's transaction statistics: a header with period and reporter, totals in
and out, subtotals by partner, by kind and by both, whose sums are checked. Counted are
transmissions: one document for one recipient is one.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Schema = Literal["sauro.documents-statistics/1"]
SCHEMA: Schema = "sauro.documents-statistics/1"
DIRECTIONS = ("incoming", "outgoing")
OTHERS = "*"
"""Partners, or kinds, that are counted together."""

Count = Annotated[int, Meta(ge=0)]
Code = Annotated[str, Meta(pattern=r"^[0-9A-Za-z._*-]{0,40}$")]
Word = Annotated[str, Meta(pattern=r"^[a-z_]{1,40}$")]
By = Literal["partner", "type", "partner_type"]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of the values."""


class Counts(Value, frozen=True):
    """Transmissions; the results add up to the total, unless they were left out as too small."""

    total: Count
    results: dict[Word, Count] = {}


class Both(Value, frozen=True):
    """Both directions; None where nothing was seen, which is not the same as none."""

    incoming: Counts | None
    outgoing: Counts | None


class Subtotal(Value, frozen=True):
    """Part of a unit's totals, for one partner, one kind, or one kind with one partner."""

    by: By
    partner: Code = ""
    """Agency code; empty when `by` is `type`."""
    type: Code = ""
    """Folded abbreviation of the kind; empty when `by` is `partner`."""
    incoming: Counts | None = None
    outgoing: Counts | None = None


class Seen(Value, frozen=True):
    """How much of the period the figures of one direction stand for."""

    days: Count
    """Days of the period of which some scan judged the documents."""
    coverage: float | None
    """The smallest share (0..1) of days with evidence among the scans used; None when none was."""
    missing: str = ""
    """Why there are no figures: a failure kind, `expired`, `older_scan` or `no_scan`."""


class UnitStatistics(Value, frozen=True):
    """The figures of one unit."""

    unit: str
    name: str
    incoming_seen: Seen
    outgoing_seen: Seen
    total: Both
    subtotals: tuple[Subtotal, ...] = ()


class Header(Value, frozen=True, rename={"first": "from", "last": "to"}):
    """Whose figures, of when, made when and how."""

    first: dt.date
    last: dt.date
    reporter: str
    reporter_name: str
    made: dt.datetime
    tool: str
    simulated: bool
    small: Count = 0
    """Partners and kinds below this count are counted together, and results per unit only."""
    scans: tuple[str, ...] = ()


class Kind(Value, frozen=True):
    """A kind of document in words."""

    written: str
    vi: str
    en: str


class Statistics(Value, frozen=True):
    """The whole export."""

    schema: Schema
    header: Header
    total: Both
    units: tuple[UnitStatistics, ...]
    types: dict[str, Kind] = {}


def json_schema() -> dict[str, Any]:
    """JSON Schema of the export."""
    return msgspec.json.schema(Statistics)
