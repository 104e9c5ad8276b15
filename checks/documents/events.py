"""The waist of the documents family: every register, export and log becomes these events.

An event never holds a subject, a file name or an address: only the number that was found, when,
between which agencies or mail domains, and where in which file it stands. Of the mailboxes that a
mail reached it has keyed hashes.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from checks.documents.seals import Sealed
from checks.evidence import Failure, Value
from checks.model import Memory


class SourceKind(StrEnum):
    """Which kind of evidence a source is."""

    REGISTER = "register"
    GATEWAY = "gateway"
    """What the document axis carried for this unit, either way."""
    MAIL = "mail"
    INCOMING = "incoming"
    """The incoming register."""
    POSTAL = "postal"
    """The register of letters sent by post."""
    MAILBOX = "mailbox"
    """Mailboxes looked into by a written order: what one does not show proves nothing."""


ROUTE_KINDS = (SourceKind.REGISTER, SourceKind.GATEWAY, SourceKind.MAIL)
"""What it takes to tell routed from bypassed."""


class EventKind(StrEnum):
    """What happened to a document, as one line of one source says it."""

    REGISTERED = "registered"
    """A row of the outgoing register, once per recipient named in it."""
    SENT_GATEWAY = "sent_gateway"
    """Handed to the document axis; no receipt yet."""
    RECEIVED = "received"
    """Handed to the axis and received."""
    REFUSED = "refused"
    """The recipient refused it or the transmission failed."""
    REVOKED = "revoked"
    """Taken back or replaced by the sender."""
    MAILED = "mailed"
    """A mail that names the document was delivered."""
    POSTED = "posted"
    """A row of the postal register, or paper announced beside the electronic document."""
    ARRIVED = "arrived"
    """A row of the incoming register: `sender` says from whom, as free text."""
    DELIVERED = "delivered"
    """The axis handed a document of `sender` (agency code) to this unit."""
    OUTAGE = "outage"
    """The axis or this unit's gateway answered with a fault; `key` is empty."""


class FoundIn(StrEnum):
    """Where in a mail the number was read."""

    NAME = "name"
    SUBJECT = "subject"


class DocumentKey(Value, frozen=True, gc=False):
    """A document's number: `sign` is folded (no accents, upper case), `year` 0 when not said.

    Number 0 with an empty sign is the key of events that concern no document.
    """

    number: int
    sign: str
    suffix: str = ""
    year: int = 0

    def __str__(self) -> str:
        year = f"{self.year}/" if self.year else ""
        if "/" in self.sign:  # party numbers: 57-NQ/TW
            return f"{self.number}{self.suffix}-{self.sign}"
        return f"{self.number:02}{self.suffix.lower()}/{year}{self.sign}"

    @property
    def series(self) -> tuple[int, str, str]:
        """The key without its year, for look-ups where the date decides the year."""
        return self.number, self.suffix, self.sign


class Place(Value, frozen=True, gc=False):
    """Where an event stands; `sha256` is of the raw line without its line end, in UTF-8."""

    source: SourceKind
    file: str
    line: int
    sha256: str
    ref: str = ""
    """Queue id, for mail logs."""


class MailTrace(Value, frozen=True, gc=False):
    """What grades a mail: how surely it carries the document itself."""

    found: FoundIn
    sender: str = ""
    """Mail domain of the envelope sender, empty for bounces."""
    size: int = 0
    """Bytes of the whole mail, 0 when the log does not say."""
    leading: bool = False
    """The name or subject starts with the number."""
    cites: bool = False
    """Words around the number say that it is only referred to or answered."""
    draft: bool = False
    automatic: bool = False
    """Sent by a machine (notices of the document system, bounces)."""
    weak: bool = False
    """Type before number, or no known sign: counted, never listed."""
    secret: bool = False
    """Carries a secrecy mark: only its day and hash may be shown."""
    ours: bool = False
    """The envelope sender is a mailbox that the unit declares as its own."""


class DocumentEvent(Value, frozen=True, gc=False):
    """One line of evidence. Times are UTC; `date` is the document's own date where one is given."""

    kind: EventKind
    key: DocumentKey
    place: Place
    time: dt.datetime | None = None
    date: dt.date | None = None
    sender: str = ""
    """Agency code (gateway), empty for the unit's own register."""
    recipient: str = ""
    """Agency code (gateway), mail domain (mail), free text (register); empty when none is named.
    Of an incoming register's row the book, folded; the sheet after `#` when it names none."""
    reason: str = ""
    """The register's reason code for not using the axis, or a fault's code; folded. Of an incoming
    register's row the letter behind its arrival number (`12a`)."""
    arrival: int = 0
    """Arrival number of an incoming register's row."""
    content: str = ""
    """SHA-256 (hex) of the document's file, where a source has it; of several files, split by
    spaces. A list of deliveries has that of the whole packet."""
    until: dt.datetime | None = None
    """When an outage was last seen to last; it began at `time`."""
    mail: MailTrace | None = None
    mailboxes: tuple[str, ...] = ()
    """Keyed hashes of the addresses that a mail reached at `recipient` (`pseudonyms.bounded`)."""


class SourceReport(Value, frozen=True):
    """What one declared source brought, or why it brought nothing."""

    kind: SourceKind
    name: str
    """Path, with the server before a colon when it is on one."""
    key: str = ""
    """The key of `documents` under which it is declared: `gateway`, `x_road`, `mail`."""
    failure: Failure | None = None
    files: int = 0
    file_names: tuple[str, ...] = ()
    """What the files are called, the first thousand of them."""
    duplicates: int = 0
    """Files that were the same as another one and were left out."""
    lines: int = 0
    """Rows of a table, needed lines of a log."""
    unparsed: int = 0
    """Rows or lines that name no document or no date."""
    repeated: int = 0
    """Rows that say the same as an earlier row."""
    dropped: int = 0
    """Mails given up because too many were under way at once; not among `mails`."""
    days: frozenset[dt.date] = frozenset()
    """Days (in the project's zone) of which something was seen."""
    hours: frozenset[int] = frozenset()
    """Hours since 1970 (UTC) of which something was seen; only logs have them."""
    first: dt.datetime | None = None
    last: dt.datetime | None = None
    mails: int = 0
    mails_with_headers: int = 0
    """Mails of which both the subject and the names of attachments are known."""
    mails_with_subjects: int = 0
    mails_with_names: int = 0
    """Mails with at least one name of an attachment."""
    joined: int = 0
    """Mails of this log that another log of the unit counts, because it has their recipients."""
    unaddressed: int = 0
    """Mails that name a document and whose recipients no log shows; no event comes of them."""
    extra: dict[str, Any] = {}
    """What else a kind of source has to say, for the detail of its row: figures, short lists."""
    seals: Sealed | None = None
    """Who signed what is attached; only packets have it."""


class DocumentEvents(Value, frozen=True, weakref=True):
    """Everything a unit's sources say."""

    events: Sequence[DocumentEvent] = ()
    """In no order that means anything."""
    sources: tuple[SourceReport, ...] = ()
    memories: tuple[Memory, ...] = ()
    """What the next scan needs to read on from here."""

    def of(self, kind: SourceKind) -> tuple[SourceReport, ...]:
        """The declared sources of a kind."""
        return tuple(s for s in self.sources if s.kind is kind)

    def under(self, *keys: str) -> tuple[SourceReport, ...]:
        """The sources declared under these keys of `documents`."""
        return tuple(s for s in self.sources if s.key in keys)

    @property
    def header_share(self) -> float | None:
        """Share (0..1) of mails whose headers were logged and read; None when there was no mail."""
        mails = sum(s.mails + s.dropped for s in self.sources)
        return sum(s.mails_with_headers for s in self.sources) / mails if mails else None
