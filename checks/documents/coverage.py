"""How much of a period the evidence covers: days seen, days missing, gaps."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterable

from checks.documents.calendar import WEEKS, Calendar
from checks.documents.events import ROUTE_KINDS, DocumentEvents, SourceKind
from checks.evidence import Value

BESIDE = frozenset({"received", "x_road", "mailboxes", "proxy"})
"""Keys of sources that say something, and nothing of whole days."""


class Period(Value, frozen=True):
    """Whole days in the project's zone, both ends included."""

    start: dt.date
    end: dt.date

    @classmethod
    def before(cls, today: dt.date, days: int) -> Period:
        """The last `days` days, today included."""
        return cls(start=today - dt.timedelta(days=max(1, days) - 1), end=today)

    @property
    def days(self) -> tuple[dt.date, ...]:
        """Every day, in order."""
        count = (self.end - self.start).days + 1
        return tuple(self.start + dt.timedelta(days=n) for n in range(count))

    def __contains__(self, day: dt.date) -> bool:
        return self.start <= day <= self.end


class Coverage(Value, frozen=True):
    """Shares are 0..1 of the period's days."""

    register: float
    gateway: float
    mail: float
    routes: float
    """Days with both register and gateway."""
    all: float
    """Days with all three."""
    gaps: dict[str, int]
    """Runs of days without evidence, by kind of source."""


def covered(
    seen: Iterable[dt.date], period: Period, bridge: int, calendar: Calendar = WEEKS
) -> frozenset[dt.date]:
    """Days of the period between sightings that are at most `bridge` empty days apart.

    An office sends nothing on a Sunday: a short silence is no gap, and holidays make none longer.
    Before the first sighting and after the last the same silence is allowed.
    """
    days = sorted(seen)
    found: set[dt.date] = set()
    edges = [
        (period.start - dt.timedelta(days=1), *days[:1]),
        *itertools.pairwise(days),
        (*days[-1:], period.end + dt.timedelta(days=1)),
    ]
    for a, b in (e for e in edges if len(e) == 2):
        between = [a + dt.timedelta(days=n) for n in range((b - a).days)]
        if sum(d not in calendar.off for d in between[1:]) <= bridge:
            found.update(between)
    found.update(days)
    return frozenset(d for d in found if d in period)


def coverage_of(
    events: DocumentEvents,
    period: Period,
    bridge: int,
    mail_bridge: int,
    calendar: Calendar = WEEKS,
) -> Coverage:
    """What the sources cover; of several mail logs only the days that all of them show count.

    Of several lists of what was sent one is enough. What the axis delivered to the unit, what an
    exchange says of its own work, and single mailboxes cover nothing.
    """
    seen = {}
    for kind in ROUTE_KINDS:
        by_mail = kind is SourceKind.MAIL
        found = [s.days for s in events.of(kind) if s.key not in BESIDE]
        if not by_mail:
            found = [frozenset[dt.date]().union(*found)]
        allowed = mail_bridge if by_mail else bridge
        each = [covered(days, period, allowed, calendar) for days in found]
        seen[kind] = frozenset.intersection(*each) if each else frozenset[dt.date]()
    register, gateway, mail = (seen[k] for k in ROUTE_KINDS)
    days = period.days
    return Coverage(
        register=len(register) / len(days),
        gateway=len(gateway) / len(days),
        mail=len(mail) / len(days),
        routes=len(register & gateway) / len(days),
        all=len(register & gateway & mail) / len(days),
        gaps={kind.value: _runs(days, found) for kind, found in seen.items()},
    )


def _runs(days: tuple[dt.date, ...], found: frozenset[dt.date]) -> int:
    missing = [d not in found for d in days]
    return sum(now and not before for before, now in zip([False, *missing], missing, strict=False))
