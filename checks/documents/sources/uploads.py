"""Where two logs of a unit tell of the same mail: joined by its Message-ID or its queue id.

A web mail server's log, or that of a content filter, has the names of attachments; the mail
transfer agent's has the recipients.
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


def queue_hash(queue: bytes, message_id: bytes) -> int:
    """A mail transfer agent's id of a mail as such a number.

    Long queue ids (those with a `z`) never come again; short ones do, within a second or two, so
    the Message-ID stands beside them.
    """
    return message_hash(queue if b"z" in queue else queue + b" " + message_id.strip(b"<> \t"))


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


class Others:
    """Other numbers of the same mails, in sixteen bytes each."""

    def __init__(self, pairs: Iterable[tuple[int, int]] = ()) -> None:
        """`pairs` are of another number and the one by which the mail stands in `sent`."""
        ordered = sorted(set(pairs))
        self._other = array("Q", (other for other, _ in ordered))
        self._sent = array("Q", (sent for _, sent in ordered))

    def sent(self, wanted: int) -> int:
        """The number by which this mail stands in `sent`; the same when it has no other."""
        at = bisect_left(self._other, wanted)
        return self._sent[at] if at < len(self._other) and self._other[at] == wanted else wanted


class Uploads(msgspec.Struct, frozen=True):
    """The mails that a log tells another of, by such numbers; no text of any of them."""

    sent: Hashes
    named: Hashes
    """Those of them whose names were listed."""
    documents: Mapping[int, Contents] = {}
    """Those of them that name documents."""
    subjects: Hashes = Hashes()
    """Those of them whose subjects were logged."""
    others: Others = Others()
    filtered: bool = False
    """Told by a content filter: of every mail that passed it, and by `queue_hash`. The numbers of
    a web client's mails are of their Message-IDs."""


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

    def ask(self, queue: bytes, message_id: bytes) -> Contents | None:
        """What is known of a mail that has its way to the recipients in another log."""
        contents = None
        for told in self._told.values():
            said = told.uploads
            wanted = queue_hash(queue, message_id) if said.filtered else message_hash(message_id)
            wanted = said.others.sent(wanted)
            at = said.sent.index(wanted)
            if at < 0:
                continue
            told.met[at] = 1
            contents = contents or Contents()
            named = wanted in said.named
            # Where a filter logs some names it logs all: a mail without had none.
            contents.named = contents.named or (named and said.filtered)
            contents.told = contents.told or (named and not said.filtered)
            contents.subject = contents.subject or wanted in said.subjects
            if wanted in said.documents:
                contents.add(said.documents[wanted])
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
            mails_with_subjects=told.unmet(told.uploads.subjects),
            unaddressed=told.unmet(told.uploads.documents),
        )
