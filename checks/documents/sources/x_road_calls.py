"""Calls by the million, as one large number each: sorted, counted, and given back in order."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

from checks.documents.sources.x_road_outages import Call, Outage, State, moment, runs_of
from checks.texts import clean

_TIME_BITS, _STATE_BITS, _PARTNER_BITS, _ID_BITS = 44, 2, 16, 64
_PARTNERS = (1 << _PARTNER_BITS) - 1
"""The last number is everybody beyond."""
_LISTED = 20


class Calls:
    """Calls with partners, `>CODE` when this unit calls and `<CODE` when it is called."""

    def __init__(self) -> None:
        self._rows: list[int] = []
        self._partners: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._rows)

    def add(self, call: int, time: int, state: State, partner: str) -> None:
        """One record: an id of 64 bits, milliseconds since 1970, how the call ended, with whom."""
        known = self._partners.get(partner)
        if known is None:
            known = min(len(self._partners), _PARTNERS)
            if known < _PARTNERS:
                self._partners[partner] = known
        row = (call << _TIME_BITS | time) << _STATE_BITS | state
        self._rows.append(row << _PARTNER_BITS | known)

    def merge(self) -> int:
        """Make one of the records of each call, in order of time; how many there were too many.

        The call began at the earliest time, and ended as the graver record says.
        """
        self._rows.sort()
        found: list[int] = []
        last = -1
        for row in self._rows:
            partner = row & (1 << _PARTNER_BITS) - 1
            state = row >> _PARTNER_BITS & (1 << _STATE_BITS) - 1
            stamped = row >> _PARTNER_BITS + _STATE_BITS
            call, time = stamped >> _TIME_BITS, stamped & (1 << _TIME_BITS) - 1
            if call == last:
                earlier = found.pop()
                partner = earlier >> _ID_BITS & (1 << _PARTNER_BITS) - 1
                known = earlier >> _ID_BITS + _PARTNER_BITS
                time, state = known >> _STATE_BITS, max(state, known & (1 << _STATE_BITS) - 1)
            last = call
            found.append(
                ((time << _STATE_BITS | state) << _PARTNER_BITS | partner) << _ID_BITS | call
            )
        repeated = len(self._rows) - len(found)
        found.sort()
        self._rows = found
        return repeated

    def _each(self) -> Iterator[tuple[int, State, int, int]]:
        """Time, state, partner and id of every call, in order of time; after `merge`."""
        states = tuple(State)
        for row in self._rows:
            upper = row >> _ID_BITS
            yield (
                upper >> _PARTNER_BITS + _STATE_BITS,
                states[upper >> _PARTNER_BITS & (1 << _STATE_BITS) - 1],
                upper & (1 << _PARTNER_BITS) - 1,
                row & (1 << _ID_BITS) - 1,
            )

    def runs(self) -> Iterator[Outage]:
        """Every run of failures; after `merge`."""
        return runs_of(Call(time, state, call) for time, state, _, call in self._each())

    def ends(self) -> tuple[int, ...]:
        """The times of the first and the last call; after `merge`."""
        shift = _STATE_BITS + _PARTNER_BITS + _ID_BITS
        return tuple(row >> shift for row in (*self._rows[:1], *self._rows[-1:]))

    def days(self, zone: ZoneInfo) -> dict[dt.date, Counter[State]]:
        """How the calls of each day ended; after `merge`."""
        found: dict[dt.date, Counter[State]] = {}
        hour, counts = -1, Counter[State]()
        for time, state, _, _ in self._each():
            # Zones differ by quarters of an hour at the least.
            if time // 900_000 != hour:
                hour = time // 900_000
                counts = found.setdefault(moment(time).astimezone(zone).date(), Counter())
            counts[state] += 1
        return found

    def partners(self) -> tuple[Counter[str], Counter[str]]:
        """Calls by partner, and those of them that failed; after `merge`."""
        names = [*self._partners, *["?"] * (_PARTNERS + 1 - len(self._partners))]
        every, failed = Counter[str](), Counter[str]()
        for _, state, partner, _ in self._each():
            every[names[partner]] += 1
            if state is State.FAILED:
                failed[names[partner]] += 1
        return every, failed


def figures(calls: Calls, zone: ZoneInfo) -> dict[str, Any]:
    """Volume by result, day and partner, for the detail of a row; after `merge`."""
    days = calls.days(zone)
    total = sum(days.values(), Counter[State]())
    failed_days = {day: c for day, c in days.items() if c[State.FAILED]}
    every, failed = calls.partners()
    return {
        "calls": len(calls),
        **{f"calls_{state.name.lower()}": total[state] for state in State},
        "days_with_failures": len(failed_days),
        "days_with_failures_only": sum(not c[State.DONE] for c in failed_days.values()),
        "partners": len(every),
        "calls_by_partner": [
            {
                "code": clean(name[1:], 40),
                "direction": "in" if name.startswith("<") else "out",
                "calls": count,
                "failed": failed[name],
            }
            for name, count in sorted(every.items(), key=lambda c: (-c[1], c[0][1:], c[0]))[
                :_LISTED
            ]
        ],
    }
