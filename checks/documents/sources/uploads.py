"""Where two logs of a unit tell of the same mail: joined by its Message-ID.

A web mail server's log has the names of attachments, the mail transfer agent's has the recipients.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping

import msgspec

from checks.documents.events import SourceReport
from checks.documents.sources.mails import Contents


def message_hash(message_id: bytes) -> int:
    """A Message-ID as a number of 64 bits, with or without its angle brackets."""
    digest = hashlib.blake2b(message_id.strip(b"<> \t"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class Uploads(msgspec.Struct, frozen=True):
    """The mails that a web client sent, by hash of their Message-ID; no text of any of them."""

    sent: frozenset[int] = frozenset()
    named: frozenset[int] = frozenset()
    """Those of them whose names were listed."""
    documents: Mapping[int, Contents] = {}
    """Those of them whose names hold document numbers."""


class Join:
    """What the logs of one unit tell each other while they are read: first `tell`, then `ask`."""

    def __init__(self) -> None:
        self._told: dict[str, Uploads] = {}
        self._hashes: array[int] | None = None
        self._met = bytearray()

    def tell(self, name: str, uploads: Uploads) -> None:
        """Take in what the source of this name knows."""
        self._told[name] = uploads
        self._hashes = None

    def __bool__(self) -> bool:
        return any(u.sent for u in self._told.values())

    def ask(self, message_id: bytes) -> Contents | None:
        """What is known of a mail that has its way to the recipients in another log."""
        wanted = message_hash(message_id)
        at = self._index(wanted)
        if at < 0:
            return None
        self._met[at] = 1
        contents = Contents()
        for uploads in self._told.values():
            contents.told = contents.told or wanted in uploads.named
            if wanted in uploads.documents:
                contents.add(uploads.documents[wanted])
        return contents

    def _index(self, wanted: int) -> int:
        # Eight bytes a mail instead of a hundred: a web mail server sends many.
        if self._hashes is None:
            every = frozenset[int]().union(*(u.sent for u in self._told.values()))
            self._hashes = array("Q", sorted(every))
            self._met = bytearray(len(self._hashes))
        at = bisect_left(self._hashes, wanted)
        return at if at < len(self._hashes) and self._hashes[at] == wanted else -1

    def _unmet(self, hashes: frozenset[int]) -> int:
        return sum(not self._met[self._index(h)] for h in hashes)

    def settled(self, report: SourceReport) -> SourceReport:
        """The report of a source that told, without the mails that another log counts."""
        uploads = self._told.get(report.name)
        if uploads is None:
            return report
        return msgspec.structs.replace(
            report,
            mails=self._unmet(uploads.sent),
            mails_with_names=self._unmet(uploads.named),
            unaddressed=self._unmet(frozenset(uploads.documents)),
        )
