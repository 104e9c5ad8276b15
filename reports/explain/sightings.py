"""Mailboxes that come again: what the stored rows of several scans tell of one keyed hash."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from zoneinfo import ZoneInfo

import msgspec

from checks.evidence import Value
from checks.pseudonyms import MORE
from checks.results import Result, ScanInfo
from checks.texts import day
from reports.details import moment
from reports.explain.cases import Entry, entries, hashes, short, text
from reports.explain.model import Case, Explanation
from reports.explain.words import term

CHECKS = ("documents.bypass", "documents.routed")
"""The checks whose rows list mails with their mailboxes."""
_REPEATS = 5
"""Mailboxes of one case of which it is told how often they come."""


class Sighting(Value, frozen=True):
    """One mail that brought a document to a mailbox."""

    unit: str
    number: str
    """The document's number."""
    recipient: str
    """Agency code or mail domain."""
    result: str
    """What became of the document for that recipient, such as `bypass` or `copy`."""
    time: dt.datetime | None
    place: str
    """File and line."""
    queue_id: str
    sha256: str
    scan: str
    """The newest scan that tells of it."""


Sightings = Mapping[str, tuple[Sighting, ...]]
"""By keyed hash, in the order of time; a mail that several scans saw is there once."""


def sightings(rows: Iterable[tuple[ScanInfo, Result]]) -> Sightings:
    """What rows tell, the newest scan's first; of a secret document they tell of no mailbox."""
    found: dict[str, dict[tuple[str, str, str], Sighting]] = {}
    for info, row in rows:
        if row.check not in CHECKS:
            continue
        for entry, line in _lines(row):
            made = Sighting(
                unit=row.unit,
                number=text(entry, "key"),
                recipient=text(entry, "recipient"),
                result=text(entry, "result"),
                time=moment(line.get("time") or line.get("mailed")),
                place=text(line, "place"),
                queue_id=text(line, "queue_id"),
                sha256=text(line, "sha256"),
                scan=info.id,
            )
            for mailbox in {*hashes(line)} - {MORE}:
                which = made.unit, made.number, made.sha256
                found.setdefault(mailbox, {}).setdefault(which, made)
    return {mailbox: tuple(sorted(seen.values(), key=_order)) for mailbox, seen in found.items()}


def _lines(row: Result) -> Iterator[tuple[Entry, Entry]]:
    """Every line of a mail in a row, with the entry whose document it carried."""
    for entry in entries(row):
        if entry.get("secret"):
            continue
        yield entry, entry
        for name in ("also", "mails"):
            listed = entry.get(name)
            for line in listed if isinstance(listed, list | tuple) else ():
                if isinstance(line, Mapping):
                    yield entry, line


def _order(seen: Sighting) -> tuple[str, str, str]:
    return seen.time.isoformat() if seen.time else "", seen.number, seen.place


def with_repeats(
    found: Explanation, rows: Iterable[tuple[ScanInfo, Result]], language: str, zone: ZoneInfo
) -> Explanation:
    """An explanation whose cases say which of their mailboxes got other documents as well."""
    seen = {short(mailbox): told for mailbox, told in sightings(rows).items()}
    cases = tuple(_repeated(case, seen, language, zone) for case in found.cases)
    return msgspec.structs.replace(found, cases=cases)


def _repeated(case: Case, seen: Sightings, language: str, zone: ZoneInfo) -> Case:
    shown = {m for s in case.sources for line in s.lines for m in line.mailboxes}
    often = {m: len({s.number for s in seen.get(m, ())}) for m in shown}
    most = sorted((m for m in shown if often[m] > 1), key=lambda m: (-often[m], m))[:_REPEATS]
    facts = []
    for mailbox in most:
        first, last = days_of(seen[mailbox], language, zone)
        said = term("facts", "repeated", language, documents=often[mailbox], first=first, last=last)
        facts.append((f"{term('facts', 'mailbox', language)} {mailbox}", said))
    return msgspec.structs.replace(case, facts=(*case.facts, *facts))


def days_of(seen: Iterable[Sighting], language: str, zone: ZoneInfo) -> tuple[str, str]:
    """The first and the last day of some mails, as people write them."""
    days = sorted(s.time.astimezone(zone).date() for s in seen if s.time is not None)
    return (day(days[0], language), day(days[-1], language)) if days else ("?", "?")
