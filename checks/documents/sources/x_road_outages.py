"""When the exchange failed: from which moment to which, out of single calls that failed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec

SILENCE = 60 * 60 * 1000
"""Milliseconds between two failed calls after which nobody knows what was in between."""
SHORTEST = 15 * 60 * 1000
"""Milliseconds that an outage lasts at least: a shorter one keeps nobody from sending later."""

_REFUSALS = ("ACCESSDENIED", "UNKNOWN", "INVALID", "MISSING", "DUPLICATE", "INCONSISTENT")
"""How parts of a fault's code begin that tell of a bad request, and not of a failure."""


class State(IntEnum):
    """How a call ended; of two records of one call the higher one counts."""

    DONE = 0
    REFUSED = 1
    """The request was wrong or not allowed: the exchange itself works."""
    UNCLEAR = 2
    FAILED = 3
    """The network, a security server or the service behind it failed."""


class Call(msgspec.Struct, frozen=True, gc=False, order=True):
    """A call: milliseconds since 1970 in UTC, how it ended, and an id to find its record by."""

    time: int
    state: State
    id: int


class Outage(msgspec.Struct, frozen=True, gc=False):
    """A run of failed calls with none in between that worked; milliseconds since 1970."""

    start: int
    end: int
    first: int
    """The id of the first failed call."""
    count: int


def state_of(succeeded: bool | None, fault: str, status: int | None) -> State:
    """How a call ended, by its fault's code or the status of HTTP."""
    if succeeded:
        return State.DONE
    parts = fault.upper().split(".")
    if parts[0] == "SERVER":
        refused = any(part.startswith(_REFUSALS) for part in parts[1:])
        return State.REFUSED if refused else State.FAILED
    if parts[0] == "CLIENT":
        return State.REFUSED
    if status is not None and status >= 400:
        return State.FAILED if status >= 500 else State.REFUSED
    return State.UNCLEAR


def runs_of(calls: Iterable[Call]) -> Iterator[Outage]:
    """Every run of failures, however short; the calls come in order of time.

    What was refused or is unclear neither ends a run nor makes one longer.
    """
    start = end = count = first = 0
    for call in calls:
        if count and (
            call.state is State.DONE or (call.state is State.FAILED and call.time - end > SILENCE)
        ):
            yield Outage(start, end, first, count)
            count = 0
        if call.state is State.FAILED:
            if not count:
                start, first = call.time, call.id
            end = call.time
            count += 1
    if count:
        yield Outage(start, end, first, count)


def moment(milliseconds: int) -> dt.datetime:
    """The moment, in UTC."""
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)
