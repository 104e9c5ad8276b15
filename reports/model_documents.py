"""The values of a report about official correspondence."""

from __future__ import annotations

import datetime as dt

from checks.model import Status
from reports.model_backup import Count, Value


class Block(Value, frozen=True):
    """Pairs of one fate; the parts add up to `n`."""

    key: str
    """`routed`, `not_routed`, `not_due`."""
    n: int
    parts: tuple[Count, ...]


class DocumentsView(Value, frozen=True):
    """What became of the documents of a period, by document and recipient agency."""

    status: Status
    """Of the row that says whether documents are routed."""
    start: dt.date
    end: dt.date
    pairs: int
    due: int
    routed: int
    target: int
    """Percent."""
    coverage: float
    """Share of days with both register and gateway."""
    mail_coverage: float
    judged: bool
    """False when too little was seen to call the rate anything."""
    blocks: tuple[Block, ...]
    adds_up: bool
    """Whether the blocks make all pairs, and routed and not routed all that are due."""
    basis: tuple[Count, ...]
    """Exempt ones by what they rest on: `exempt_proven`, `exempt_word`."""
    beside: tuple[Count, ...]
    """What was counted and is no pair."""
    groups: tuple[str, ...]
    """Some of the groups of recipients that the directory does not know."""
