"""X-Road operational monitoring: who called whom and when, and when the exchange had failed.

Its records carry no document number. They show how much went over the exchange, on which days it
was watched, and proven outages; that a document was routed they never show.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from checks.documents.events import DocumentEvent, DocumentKey, EventKind, Place, SourceKind
from checks.documents.sources.gateway_codes import Codes, bare_code
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.tally import Tally
from checks.documents.sources.x_road_calls import Calls, figures
from checks.documents.sources.x_road_outages import (
    SHORTEST,
    Outage,
    State,
    moment,
    state_of,
)
from checks.documents.sources.x_road_records import Found, Record, records_of
from checks.evidence import FailureKind, Unparsable
from checks.files import FileEntry
from checks.folding import words
from checks.texts import clean

MOST_RECORDS = 3_000_000
_FAULTS = 20_000
"""Failed calls whose place in the file is remembered."""
_MEMBERS = 60_000
_SERVICES = 1000
_LONGEST = 100
"""Characters of a code or a name: no member has a longer one."""
_LISTED = 10
_OUTAGES = 20
_YEARS = (1262304000000, 4102444800000)
"""2010 to 2100 in milliseconds: what lies outside is no time."""
_HOUSEKEEPING = frozenset({
    "GETSECURITYSERVEROPERATIONALDATA", "GETSECURITYSERVERHEALTHDATA",
    "GETSECURITYSERVERMETRICS", "LISTMETHODS", "ALLOWEDMETHODS", "GETWSDL", "GETOPENAPI",
})  # fmt: skip
"""Calls of the exchange about itself: no document goes with them."""


def read_x_road(files: Sequence[FileEntry], reading: Reading) -> Read:
    """Read every file; the records that both sides keep of one call count once.

    Raises:
        Unparsable: no object is a record with a time, or there are more than can be compared (kind
            `truncated`).
    """
    exchange = _Exchange(reading)
    for entry in files:
        exchange.tally.files += 1
        for found in records_of(entry):
            exchange.take(found, entry.name)
    return exchange.done(files)


class _Exchange:
    """What the records of one source say together."""

    def __init__(self, reading: Reading) -> None:
        self.tally = Tally(SourceKind.GATEWAY, reading.name, reading.zone)
        self._directory, self._zone = reading.directory, reading.zone
        self._codes = Codes(reading.directory)
        self._own, self._others = Calls(), Calls()
        self._faults: dict[int, tuple[Place, str]] = {}
        self._services: Counter[str] = Counter()
        self._known: dict[tuple[str, str], str] = {}
        self._housekeeping = 0

    def take(self, found: Found, file: str) -> None:
        """One object of a file."""
        self.tally.lines += 1
        record = found.record
        time = _time(record) if record else None
        if record is None or time is None:
            self.tally.unparsed += 1
            return
        if (record.service_code or "").upper() in _HOUSEKEEPING:
            self._housekeeping += 1
            return
        if len(self._own) + len(self._others) >= MOST_RECORDS:
            detail = f"{file}: more than {MOST_RECORDS} records; hand over shorter periods"
            raise Unparsable(detail, FailureKind.TRUNCATED)
        call = _id(record, found.raw)
        state = _state(record)
        if state is State.FAILED and len(self._faults) < _FAULTS:
            self._faults.setdefault(call, (_place(found, file), _reason(record)))
        self._add(record, call, time, state)

    def _add(self, record: Record, call: int, time: int, state: State) -> None:
        client = self._code(record.client_member_code, record.client_subsystem_code)
        service = self._code(record.service_member_code, record.service_subsystem_code)
        own = self._directory.own_codes
        if service in own and client not in own:
            self._own.add(call, time, state, f"<{client}")
        else:
            calls = self._own if client in own else self._others
            calls.add(call, time, state, f">{service}")
        name = (record.service_code or "")[:_LONGEST]
        if name in self._services or len(self._services) < _SERVICES:
            self._services[name] += 1

    def _code(self, member: str | None, subsystem: str | None) -> str:
        """The agency that a subsystem or its member is; the member's own code when unknown."""
        which = (member or "")[:_LONGEST], (subsystem or "")[:_LONGEST]
        known = self._known.get(which)
        if known is None:
            codes = bare_code(which[0]), bare_code(which[1])
            found = (self._directory.code(code) for code in reversed(codes) if code)
            known = next(filter(None, found), codes[0])
            if len(self._known) < _MEMBERS:
                self._known[which] = known
        self._codes.take((known,))
        return known

    def done(self, files: Sequence[FileEntry]) -> Read:
        """Outages as events, everything else as figures of the report."""
        # A server of several bodies, none of them known to be this unit: all that it carried tells
        # whether it worked.
        calls = self._own if len(self._own) else self._others
        self.tally.repeated += calls.merge()
        runs = list(calls.runs())
        outages = [run for run in runs if run.end - run.start >= SHORTEST]
        self._find({outage.first for outage in outages} - self._faults.keys(), files)
        for outage in outages:
            self.tally.add(self._event(outage))
        for time in calls.ends():
            self.tally.seen(moment(time))
        for day in calls.days(self._zone):
            self.tally.seen_day(day)
        events, report = self.tally.done("a time of a call")
        extra: dict[str, Any] = {
            **figures(calls, self._zone),
            "outages": [
                [moment(o.start).isoformat(), moment(o.end).isoformat(), o.count]
                for o in outages[:_OUTAGES]
            ],
            "short_failures": len(runs) - len(outages),
            "services": {clean(k): n for k, n in self._services.most_common(_LISTED)},
            "calls_about_the_exchange": self._housekeeping,
            "calls_of_others": len(self._others) if calls is self._own else 0,
            "own_members_unknown": calls is self._others and bool(len(calls)),
            **self._codes.told(),
        }
        extra = {k: v for k, v in extra.items() if v}
        extra["total_outages"] = len(outages)
        return events, msgspec.structs.replace(report, extra=extra)

    def _find(self, wanted: set[int], files: Sequence[FileEntry]) -> None:
        """Read again for the places of calls that were too many to be remembered."""
        for entry in files if wanted else ():
            for found in records_of(entry):
                record = found.record
                if record is None or _state(record) is not State.FAILED:
                    continue
                call = _id(record, found.raw)
                if call in wanted:
                    wanted.discard(call)
                    self._faults[call] = _place(found, entry.name), _reason(record)
            if not wanted:
                return

    def _event(self, outage: Outage) -> DocumentEvent:
        place, reason = self._faults[outage.first]
        return DocumentEvent(
            kind=EventKind.OUTAGE,
            key=DocumentKey(number=0, sign=""),
            place=place,
            time=moment(outage.start),
            until=moment(outage.end),
            reason=reason,
        )


def _time(record: Record) -> int | None:
    """When the call was made, in milliseconds; None when that is not said or cannot be."""
    for time in (record.request_in_ts, record.request_out_ts):
        if time is not None and _YEARS[0] <= time < _YEARS[1]:
            return time
    return None


def _state(record: Record) -> State:
    return state_of(record.succeeded, record.fault_code or "", record.status_code)


def _id(record: Record, raw: bytes) -> int:
    """What both records of a call have in common; a record without it is a call of its own."""
    which = record.x_request_id or record.message_id
    name = which.encode("utf-8", "replace") if which else raw
    return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")


def _place(found: Found, file: str) -> Place:
    record = found.record
    return Place(
        source=SourceKind.GATEWAY,
        file=file,
        line=found.line,
        sha256=hashlib.sha256(found.raw).hexdigest(),
        ref=clean((record.message_id or "") if record else "", 80),
    )


def _reason(record: Record) -> str:
    status = f"HTTP {record.status_code}" if record.status_code else ""
    return words((record.fault_code or status)[:200]).replace(" ", "_")
