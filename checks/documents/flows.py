"""How many documents went to and came from whom: counts by day, partner and kind, no document.

They stand in the details of rows, so that statistics can be made long after the details are gone.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

from checks.documents.agencies import Directory
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvents, EventKind
from checks.documents.packed import events_of

CELLS = 5000
"""Counts of one row; what is beyond is summed under `OTHERS`, never left out."""
OTHERS = "*"
"""Partners, or kinds, that are not told apart."""

Flow = tuple[dt.date, str, str, str]
"""Day, partner's code, kind of document, result."""

_CODE = re.compile(r"(?=.*\d)[0-9A-Z][0-9A-Z._-]{0,39}")


def flows_of(
    found: Iterable[Flow] | Mapping[Flow, int], limit: int = CELLS
) -> dict[str, dict[str, int]]:
    """`{day: {"PARTNER KIND RESULT": count}}`; the smallest counts give way when there are many.

    `found` are single transmissions, or how many of each there are.
    """
    counts = {flow: count for flow, count in Counter(found).items() if count}
    kept: Counter[Flow] = Counter()
    for n, (flow, count) in enumerate(sorted(counts.items(), key=lambda c: (-c[1], c[0]))):
        day, _, _, result = flow
        kept[flow if n < limit else (day, OTHERS, OTHERS, result)] += count
    days: dict[str, dict[str, int]] = {}
    for (day, partner, kind, result), count in sorted(kept.items()):
        days.setdefault(day.isoformat(), {})[f"{partner} {kind} {result}"] = count
    return days


def untold(
    events: DocumentEvents, directory: Directory, period: Period, zone: ZoneInfo
) -> Iterator[Flow]:
    """Deliveries of which only the sender is told, so that no kind nor entry can be: counted once.

    One whose packet was read as well has its number, and is none of them.
    """
    came = [*events_of(events.events, {EventKind.DELIVERED})]
    # A list tells the hash of the whole packet: that is where the packet's own event stands.
    known = {h for e in came if e.key.number for h in (e.content, e.place.sha256) if h}
    seen: set[tuple[str, ...]] = set()
    for event in came:
        place = event.place
        which = (event.content,) if event.content else (place.file, str(place.line))
        if event.key.number or event.time is None or event.content in known or which in seen:
            continue
        seen.add(which)
        day = event.time.astimezone(zone).date()
        if day in period:
            yield day, partner_code(event.sender, directory), OTHERS, "not_told"


def partner_code(code: str, directory: Directory) -> str:
    """A code that may be shown: the directory's, or one that looks like a code and no name."""
    known = directory.code(code)
    if known:
        return known
    plain = code.strip().upper()
    return plain if _CODE.fullmatch(plain) else OTHERS
