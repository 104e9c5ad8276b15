"""What one log of a unit tells another about the same mail, joined by its Message-ID."""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Mapping

import msgspec

from checks.documents.sources.mails import Contents


def message_hash(message_id: bytes) -> int:
    """A Message-ID as a number of 64 bits, with or without its angle brackets."""
    digest = hashlib.blake2b(message_id.strip(b"<> \t"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class Uploads(msgspec.Struct, frozen=True):
    """The mails that a web client sent: eight bytes for each, more only if it names documents."""

    seen: array[int] = array("Q")
    """Hashes of their Message-IDs, sorted, each once."""
    named: frozenset[int] = frozenset()
    """Those among them whose names were listed."""
    documents: Mapping[int, Contents] = {}
    """Those among them whose names hold document numbers."""

    def index(self, message_id: bytes) -> int:
        """The place of a mail in `seen`, or -1."""
        wanted = message_hash(message_id)
        at = bisect_left(self.seen, wanted)
        return at if at < len(self.seen) and self.seen[at] == wanted else -1

    def contents(self, at: int) -> Contents:
        """What is known of the mail at a place of `seen`."""
        known = self.seen[at]
        told = Contents()
        if known in self.named:
            told.told = True
        if known in self.documents:
            told.add(self.documents[known])
        return told


NOTHING = Uploads()
"""No other log tells anything."""
