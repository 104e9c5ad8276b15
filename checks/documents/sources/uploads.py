"""Where two logs of a unit tell of the same mail: joined by its Message-ID.

A web mail server's log has the names of attachments, the mail transfer agent's has the recipients.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from checks.documents.events import SourceReport
from checks.documents.sources.mails import Contents


def message_hash(message_id: bytes) -> int:
    """A Message-ID as a number of 64 bits, with or without its angle brackets."""
    digest = hashlib.blake2b(message_id.strip(b"<> \t"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class Hashes:
    """A set of such numbers in eight bytes each: a web mail server sends many mails."""

    def __init__(self, hashes: Iterable[int] = ()) -> None:
        # A list for a moment, to sort them; eight bytes each afterwards.
        self._sorted = array("Q")
        last = -1
        for number in sorted(hashes):
            if number != last:
                self._sorted.append(number)
                last = number

    def __len__(self) -> int:
        return len(self._sorted)

    def __iter__(self) -> Iterator[int]:
        return iter(self._sorted)

    def index(self, wanted: int) -> int:
        """The place of a number, or -1."""
        at = bisect_left(self._sorted, wanted)
        return at if at < len(self._sorted) and self._sorted[at] == wanted else -1

    def __contains__(self, wanted: int) -> bool:
        return self.index(wanted) >= 0


class Uploads(msgspec.Struct, frozen=True):
    """The mails that a web client sent, by hash of their Message-ID; no text of any of them."""

    sent: Hashes
    named: Hashes
    """Those of them whose names were listed."""
    documents: Mapping[int, Contents] = {}
    """Those of them whose names hold document numbers."""


class _Told:
    """What one source told, and which of its mails another log has met."""

    def __init__(self, uploads: Uploads) -> None:
        self.uploads = uploads
        self.met = bytearray(len(uploads.sent))

    def unmet(self, hashes: Iterable[int]) -> int:
        """How many of these mails no other log has."""
        return sum(not self.met[self.uploads.sent.index(h)] for h in hashes)


class Join:
    """What the logs of one unit tell each other while they are read: first `tell`, then `ask`."""

    def __init__(self) -> None:
        self._told: dict[str, _Told] = {}

    def tell(self, name: str, uploads: Uploads) -> None:
        """Take in what the source of this name knows."""
        self._told[name] = _Told(uploads)

    def __bool__(self) -> bool:
        return any(len(t.uploads.sent) for t in self._told.values())

    def ask(self, message_id: bytes) -> Contents | None:
        """What is known of a mail that has its way to the recipients in another log."""
        wanted = message_hash(message_id)
        contents = None
        for told in self._told.values():
            at = told.uploads.sent.index(wanted)
            if at < 0:
                continue
            told.met[at] = 1
            contents = contents or Contents()
            contents.told = contents.told or wanted in told.uploads.named
            if wanted in told.uploads.documents:
                contents.add(told.uploads.documents[wanted])
        return contents

    def settled(self, report: SourceReport) -> SourceReport:
        """The report of a source that told, without the mails that another log counts."""
        told = self._told.get(report.name)
        if told is None:
            return report
        unmet = told.unmet(told.uploads.sent)
        return msgspec.structs.replace(
            report,
            mails=unmet,
            joined=len(told.uploads.sent) - unmet,
            mails_with_names=told.unmet(told.uploads.named),
            unaddressed=told.unmet(told.uploads.documents),
        )
