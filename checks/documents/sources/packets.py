"""A folder of edXML packets and status messages: one file says one thing, a bad one only itself."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import msgspec

from checks.documents.events import Place, SourceKind
from checks.documents.seals import Packet, Sealed
from checks.documents.sources.edxml import read_message
from checks.documents.sources.edxml_files import Attachments, Budget
from checks.documents.sources.gateway_codes import Codes, bare_code
from checks.documents.sources.packets_events import Exchange
from checks.documents.sources.packets_zip import Found, packets_of
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.sheets import Sheets
from checks.documents.sources.tally import Tally
from checks.evidence import Unparsable
from checks.files import FileEntry
from checks.texts import clean

_LISTED = 5
_NEEDED = "a number, a sender, a recipient and a time"


def read_packets(files: Sequence[FileEntry], reading: Reading) -> Read:
    """Read every packet, those in ZIP archives too; a place's hash is of the whole packet.

    Raises:
        Unparsable: no packet at all could be read (the first reason is told), or the archives
            unpack to more than is read at once (kind `truncated`).
    """
    folder = _Folder(reading)
    budget = Budget()
    for entry in files:
        folder.tally.files += 1
        for found in packets_of(entry, budget):
            folder.take(found, budget)
    return folder.done()


class _Folder:
    """What the packets brought so far, and what was wrong with which."""

    def __init__(self, reading: Reading) -> None:
        self.tally = Tally(SourceKind.GATEWAY, reading.name, reading.zone)
        self._codes = Codes(reading.directory)
        self._exchange = Exchange(reading, self.tally, self._codes)
        self._seen: set[bytes] = set()
        self._own = reading.directory.is_own_code
        self._sheets = Sheets()
        self._sealed: list[Packet] = []
        self._problems: list[str] = []
        self._same = self._unhashed = self._repaired = 0

    def take(self, found: Found, budget: Budget) -> None:
        """One file: a message, the same as an earlier one, or a problem."""
        name, data = found
        self.tally.lines += 1
        try:
            if isinstance(data, Unparsable):
                raise data
            digest = hashlib.sha256(data)
            if digest.digest() in self._seen:
                self._same += 1
                return
            self._seen.add(digest.digest())
            message = read_message(data, Attachments(budget, self._sheets))
            self._unhashed += message.unhashed
            self._repaired += message.repaired
            place = Place(
                source=SourceKind.GATEWAY,
                file=name,
                line=message.line,
                sha256=digest.hexdigest(),
            )
            self._exchange.take(message, place)
            if self._own(bare_code(message.one("from", "organid"))):
                packet = Packet(sha256=place.sha256, sheets=message.sheets, lost=message.unhashed)
                self._sealed.append(packet)
        except Unparsable as e:
            self._problem(name, str(e))

    def _problem(self, name: str, why: str) -> None:
        self.tally.unparsed += 1
        if len(self._problems) < _LISTED:
            self._problems.append(clean(f"{name}: {why}"))

    def done(self) -> Read:
        """Everything, with what was wrong in the detail of the report."""
        for name, why in self._exchange.settle():
            self._problem(name, why)
        try:
            events, report = self.tally.done(_NEEDED)
        except Unparsable as e:
            raise Unparsable(f"{e}; {self._problems[0]}") from None
        counts = {**self._exchange.counts}
        if self._unhashed:
            counts["attachments_not_hashed"] = self._unhashed
        if self._repaired:
            counts["text_before_xml"] = self._repaired
        extra: dict[str, Any] = {k: counts[k] for k in sorted(counts) if counts[k]}
        if self._problems:
            extra["unreadable"] = self._problems
        return events, msgspec.structs.replace(
            report,
            duplicates=self._same,
            extra={**extra, **self._codes.told()},
            seals=Sealed(packets=tuple(self._sealed), signers=self._sheets.signers),
        )
