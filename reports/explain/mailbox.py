"""Is this address meant? What the stored rows tell of one mailbox, by its keyed hash alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from checks.evidence import Value
from checks.pseudonyms import Pseudonyms
from checks.results import Result, ScanInfo
from checks.texts import clean, moment
from reports.explain.cases import short
from reports.explain.sightings import Sighting, sightings
from reports.explain.words import rule, term

SCHEMA = "sauro.mailbox/1"
LISTED = 50
"""Mails listed; how many there are is said."""


class MailboxTraces(Value, frozen=True):
    """What is stored of one mailbox. The address itself is nowhere in it."""

    mailbox: str
    """The beginning of its keyed hash, as reports show it."""
    scans: int
    """Scans that were searched."""
    unsearched: int
    """Scans of documents that cannot be: hashed with another key or not at all, or ended."""
    units: int = 0
    documents: int = 0
    total: int = 0
    """Mails, listed or not."""
    mails: tuple[Sighting, ...] = ()
    """The latest ones, the newest first."""
    schema: str = SCHEMA

    @property
    def found(self) -> bool:
        """Whether any trace is stored."""
        return self.total > 0


def traces_of(
    address: bytes, pseudonyms: Pseudonyms, rows: Iterable[tuple[ScanInfo, Result]]
) -> MailboxTraces:
    """What rows, the newest scan's first, tell of an address; nothing keeps the address."""
    mailbox = pseudonyms.of(address)
    searched: set[str] = set()
    every: set[str] = set()

    def noted() -> Iterator[tuple[ScanInfo, Result]]:
        for info, row in rows:
            every.add(info.id)
            if row.detail.get("hashed_with") == pseudonyms.name:
                searched.add(info.id)
            yield info, row

    seen = sightings(noted()).get(mailbox, ())
    return MailboxTraces(
        mailbox=short(mailbox),
        scans=len(searched),
        unsearched=len(every - searched),
        units=len({s.unit for s in seen}),
        documents=len({(s.unit, s.number) for s in seen}),
        total=len(seen),
        mails=tuple(reversed(seen))[:LISTED],
    )


def to_text(found: MailboxTraces, language: str, zone: ZoneInfo) -> str:
    """As lines for a terminal: plain text, no escape sequence."""
    return "\n".join(clean(line, 4000) for line in _lines(found, language, zone))


def _lines(found: MailboxTraces, language: str, zone: ZoneInfo) -> Iterator[str]:
    def said(key: str, **values: object) -> str:
        return term("mailbox", key, language, **values)

    yield said("hash", mailbox=found.mailbox)
    yield said("searched", scans=found.scans)
    if found.unsearched:
        yield said("unsearched", scans=found.unsearched)
    if not found.found:
        yield said("none")
        return
    yield said("found", documents=found.documents, units=found.units, mails=found.total)
    for mail in found.mails:
        yield "  " + _mail(mail, language, zone)
    if found.total > len(found.mails):
        yield said("more", shown=len(found.mails), total=found.total)
    yield said("meaning")


def _mail(mail: Sighting, language: str, zone: ZoneInfo) -> str:
    parts = [
        moment(mail.time, language, zone) if mail.time else "",
        f"{mail.number} ({term('heads', 'unit', language).lower()} {mail.unit})",
        f"{term('heads', 'to', language)} {mail.recipient}",
        rule(mail.result, language)[0],
        mail.place,
        f"{term('heads', 'queue', language)} {mail.queue_id}" if mail.queue_id else "",
        f"SHA-256 {mail.sha256}" if mail.sha256 else "",
    ]
    return " · ".join(p for p in parts if p)
