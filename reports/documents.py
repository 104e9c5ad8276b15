"""The table of documents of a unit: what became of each pair, and that the sums are right."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence

from checks.model import Status
from checks.results import Result
from checks.texts import clean
from reports.model_backup import Count
from reports.model_documents import Block, DocumentsView

_CHECK = "documents.routed"
BLOCKS = {
    "routed": ("routed", "copy", "early"),
    "not_routed": (
        "late", "sent_no_receipt", "refused", "bypass", "paper", "no_trace",
    ),
    "not_due": ("pending", "exempt", "revoked"),
}  # fmt: skip
"""Every result that a pair can have, once."""
BESIDE = (
    "unregistered",
    "free_mail",
    "recipients_group",
    "recipients_off_axis",
    "posted_unclear",
    "grade_c",
)
"""What is counted beside the pairs."""


def documents_view(rows: Sequence[Result]) -> DocumentsView | None:
    """The table from a unit's row about routing; None when that row counted nothing.

    A stored scan may be of another version: what is not there or of another shape is left out.
    """
    row = next((r for r in rows if r.check == _CHECK), None)
    counts = _counts(row.detail.get("counts")) if row is not None else {}
    period = _period(row.detail.get("period")) if row is not None else None
    if row is None or period is None or "pairs" not in counts:
        return None
    blocks = tuple(_block(key, names, counts) for key, names in BLOCKS.items())
    sums = {block.key: block.n for block in blocks}
    covered, groups = row.detail.get("covered"), row.detail.get("groups")
    return DocumentsView(
        status=row.status,
        start=period[0],
        end=period[1],
        pairs=counts["pairs"],
        due=counts.get("due", 0),
        routed=sums["routed"],
        target=_whole(row.detail.get("target")),
        coverage=_share(row.detail.get("coverage")),
        mail_coverage=_share(covered.get("mail") if isinstance(covered, Mapping) else None),
        judged=row.status in (Status.PASS, Status.FAIL),
        blocks=blocks,
        adds_up=sum(sums.values()) == counts["pairs"]
        and sums["routed"] + sums["not_routed"] == counts.get("due", 0),
        basis=_some(("exempt_proven", "exempt_word"), counts),
        beside=_some(BESIDE, counts),
        groups=tuple(clean(str(g)) for g in groups) if isinstance(groups, list) else (),
    )


def _period(found: object) -> tuple[dt.date, dt.date] | None:
    if not isinstance(found, list) or len(found) != 2:
        return None
    try:
        return dt.date.fromisoformat(str(found[0])), dt.date.fromisoformat(str(found[1]))
    except ValueError:
        return None


def _counts(found: object) -> dict[str, int]:
    if not isinstance(found, Mapping):
        return {}
    return {str(k): v for k, v in found.items() if isinstance(v, int)}


def _block(key: str, names: Sequence[str], counts: Mapping[str, int]) -> Block:
    parts = _some(names, counts)
    return Block(key=key, n=sum(part.n for part in parts), parts=parts)


def _some(names: Sequence[str], counts: Mapping[str, int]) -> tuple[Count, ...]:
    """The counts that are not nought, in their order."""
    return tuple(Count(key=n, n=counts[n]) for n in names if counts.get(n))


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _share(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
