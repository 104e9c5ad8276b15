"""The composition of what is made of stored scans about documents: explanations, statistics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal
from zoneinfo import ZoneInfo

import msgspec

from scanner.errors import UserError
from scanner.store.database import Store

if TYPE_CHECKING:
    from reports.explain.model import Explanation

Language = Literal["vi", "en"]


def scan_asked_for(store: Store, scan_id: str | None) -> str:
    """The id of a scan: the one whose id begins so, else the latest whole one, else the latest.

    Raises:
        UserError: there is none.
    """
    if scan_id is not None:
        return store.find(scan_id).id
    latest = store.latest() or store.latest(complete_only=False)
    if latest is None:
        raise UserError("the store holds no scan yet: run `sauro scan` first")
    return latest.id


def explained(
    store: Store, scan_id: str | None, asked: str, unit: str, language: Language
) -> Explanation:
    """What led to a row, or to what is said of a document of `unit`.

    Raises:
        UserError: there is no scan, or what is asked for is not known.
    """
    from reports.explain.build import ExplainError, explain  # noqa: PLC0415

    found = store.load(scan_asked_for(store, scan_id))
    try:
        return explain(found, asked, unit, language)
    except ExplainError as e:
        raise UserError(str(e)) from e


def explanation_text(
    found: Explanation, language: Language, zone: ZoneInfo, *, as_json: bool
) -> str:
    """An explanation as it is printed."""
    if as_json:
        return msgspec.json.format(msgspec.json.encode(found), indent=1).decode()
    from reports.explain.to_text import to_text  # noqa: PLC0415

    return to_text(found, language, zone)
