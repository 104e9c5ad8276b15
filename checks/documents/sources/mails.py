"""What readers of mail logs share: what one mail says of documents, and the count of all mails."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    FoundIn,
    MailTrace,
    Place,
    SourceKind,
    SourceReport,
)
from checks.documents.numbers import Finder
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.logtime import StampReader
from checks.documents.sources.marks import Mention, is_automatic, is_secret, mentions
from checks.evidence import Value
from checks.pseudonyms import bounded

LARGE = 30_000
"""Bytes above which a mail carries more than words."""
_MENTIONS = 64
"""Documents that one mail may name; more is somebody's list."""
_DOMAIN = re.compile(r"[a-z0-9.-]{1,253}$")


Delivery = tuple[bytes, bytes, StampReader, int]
"""Address, stamp and year of a delivery, and what reads them: only when a document is named."""


PlaceOf = Callable[[], Place]
"""Where a line stands: worked out only when it names a document."""


_MARK = Mention(
    key=DocumentKey(number=0, sign=""),
    found=FoundIn.SUBJECT,
    weak=True,
    leading=False,
    cites=False,
    draft=False,
    notice=False,
)
"""A secrecy mark beside which no document is named."""


class MailLog(msgspec.Struct, frozen=True):
    """What a mail server's log says."""

    events: tuple[DocumentEvent, ...]
    report: SourceReport


class Counted(Value, frozen=True):
    """What a tally holds, as a value that can be kept beyond a scan; see `Tally`."""

    events: tuple[DocumentEvent, ...] = ()
    lines: int = 0
    unparsed: int = 0
    dropped: int = 0
    mails: int = 0
    unaddressed: int = 0
    both: int = 0
    subjects: int = 0
    names: int = 0
    large_without: int = 0
    logs_names: bool = False
    days: frozenset[dt.date] = frozenset()
    hours: frozenset[int] = frozenset()
    first: dt.datetime | None = None
    last: dt.datetime | None = None


class Contents:
    """What was logged of one mail's subject and attachments: the numbers in it, no text."""

    __slots__ = ("named", "noted", "secret", "subject", "told")

    def __init__(self) -> None:
        self.subject = False
        """Its subject was logged."""
        self.named = False
        """Some attachment's name was logged."""
        self.told = False
        """Another log tells the names of this mail, all of them."""
        self.secret = False
        self.noted: dict[DocumentKey, tuple[Mention, Place]] = {}

    def read_subject(self, finder: Finder, text: str, place: PlaceOf) -> None:
        """Take in a decoded subject; `place` is asked for only when it names a document."""
        self.subject = True
        self._read(finder, text, FoundIn.SUBJECT, place)

    def read_name(self, finder: Finder, text: str, place: PlaceOf, *, alone: bool = False) -> None:
        """Take in the name of an attachment; `place` as for the subject.

        One that was logged for a reason of its own (`alone`) does not show that others would be.
        """
        self.named = self.named or not alone
        self._read(finder, text, FoundIn.NAME, place)

    def _read(self, finder: Finder, text: str, where: FoundIn, place: PlaceOf) -> None:
        if is_secret(text):
            self.secret = True
            self.noted.setdefault(_MARK.key, (_MARK, place()))
        for mention in mentions(finder, text, where):
            known = self.noted.get(mention.key)
            if known is not None and known[0].rank <= mention.rank:
                continue
            if known is None and len(self.noted) >= _MENTIONS:
                continue
            self.noted[mention.key] = (mention, place())

    def add(self, other: Contents, ref: bytes = b"") -> None:
        """The same mail as another line or another log tells of it; `ref` for places without."""
        self.subject = self.subject or other.subject
        self.named = self.named or other.named
        self.told = self.told or other.told
        self.secret = self.secret or other.secret
        for key, (mention, place) in other.noted.items():
            known = self.noted.get(key)
            if known is None or mention.rank < known[0].rank:
                if ref and not place.ref:
                    place = msgspec.structs.replace(place, ref=ref.decode("ascii", "replace"))  # noqa: PLW2901
                self.noted[key] = (mention, place)


class Tally:
    """The mails of one source: counts, days, and the events of those that name documents."""

    def __init__(
        self,
        zone: ZoneInfo,
        addresses: Addresses = NO_ADDRESSES,
        *,
        shows_names: bool = True,
    ) -> None:
        """`zone` decides the days; `shows_names` is whether this kind of log can show names.

        `addresses` says what is made of senders' and recipients' addresses.
        """
        self._shows_names = shows_names
        self._addresses = addresses
        self._mailboxes: dict[tuple[str, ...], tuple[str, ...]] = {}
        self.events: list[DocumentEvent] = []
        self.lines = self.unparsed = self.dropped = self.mails = self.unaddressed = 0
        self._zone = zone
        self._days: set[dt.date] = set()
        self._hours: set[int] = set()
        self._first: dt.datetime | None = None
        self._last: dt.datetime | None = None
        self._both = self._subjects = self._names = self._large_without = 0
        self._logs_names = False

    def seen(self, time: dt.datetime | None) -> None:
        """A line of this moment (UTC) was read; None is a stamp that is no time."""
        if time is None:
            self.unparsed += 1
            return
        self._days.add(time.astimezone(self._zone).date())
        self._hours.add(int(time.timestamp()) // 3600)
        self._first = min(self._first or time, time)
        self._last = max(self._last or time, time)

    def count(self, contents: Contents | None, size: int) -> None:
        """Count one mail of `size` bytes (0: not known) and what was logged of it."""
        self.mails += 1
        if contents is None:
            return
        named = contents.named or contents.told
        self._subjects += contents.subject
        self._names += named
        self._logs_names = self._logs_names or contents.named
        self._both += contents.subject and (named or size < LARGE)
        self._large_without += contents.subject and not named and size >= LARGE

    def emit(
        self,
        contents: Contents,
        sender: bytes,
        size: int,
        delivered: Iterable[Delivery],
    ) -> None:
        """The events of one mail: one for each document and domain, the first time it got there."""
        if not contents.noted:
            return
        times: dict[str, dt.datetime] = {}
        addresses: dict[str, set[bytes]] = {}
        for address, stamp, stamps, year in delivered:
            time = stamps.at(stamp, year)
            if time is None:
                self.unparsed += 1
            else:
                domain = domain_of(address)
                times.setdefault(domain, time)
                addresses.setdefault(domain, set()).add(address)
        mailboxes = {domain: self._hashed(found) for domain, found in addresses.items()}
        automatic = is_automatic(sender.decode("utf-8", "replace"))
        ours = self._addresses.senders.own(sender)
        for key, (mention, place) in contents.noted.items():
            if not key.number and len(contents.noted) > 1:
                continue  # what the mail names says it already
            trace = MailTrace(
                found=mention.found,
                sender=domain_of(sender),
                ours=ours,
                size=size,
                leading=mention.leading,
                cites=mention.cites,
                draft=mention.draft,
                automatic=automatic or mention.notice,
                weak=mention.weak,
                secret=contents.secret,
            )
            self.events += [
                DocumentEvent(
                    kind=EventKind.MAILED,
                    key=key,
                    place=place,
                    time=time,
                    sender=trace.sender,
                    recipient=domain,
                    mail=trace,
                    mailboxes=mailboxes[domain],
                )
                for domain, time in times.items()
            ]

    def _hashed(self, addresses: Iterable[bytes]) -> tuple[str, ...]:
        """Keyed hashes of the addresses: all that is kept of them."""
        pseudonyms = self._addresses.pseudonyms
        if pseudonyms is None:
            return ()
        found = bounded(pseudonyms.of(a) for a in addresses if b"@" in a)
        return self._mailboxes.setdefault(found, found)

    def counted(self) -> Counted:
        """What was read so far, as a value."""
        return Counted(
            events=tuple(self.events),
            lines=self.lines,
            unparsed=self.unparsed,
            dropped=self.dropped,
            mails=self.mails,
            unaddressed=self.unaddressed,
            both=self._both,
            subjects=self._subjects,
            names=self._names,
            large_without=self._large_without,
            logs_names=self._logs_names,
            days=frozenset(self._days),
            hours=frozenset(self._hours),
            first=self._first,
            last=self._last,
        )

    def take(self, other: Counted) -> None:
        """Add what another tally of the same log counted."""
        self.events += other.events
        self.lines += other.lines
        self.unparsed += other.unparsed
        self.dropped += other.dropped
        self.mails += other.mails
        self.unaddressed += other.unaddressed
        self._both += other.both
        self._subjects += other.subjects
        self._names += other.names
        self._large_without += other.large_without
        self._logs_names = self._logs_names or other.logs_names
        self._days |= other.days
        self._hours |= other.hours
        self._first = min((t for t in (self._first, other.first) if t), default=None)
        self._last = max((t for t in (self._last, other.last) if t), default=None)

    def log(self, name: str, files: int, duplicates: int) -> MailLog:
        """Everything that was read, as values."""
        report = SourceReport(
            kind=SourceKind.MAIL,
            name=name,
            files=files,
            duplicates=duplicates,
            lines=self.lines,
            unparsed=self.unparsed,
            dropped=self.dropped,
            days=frozenset(self._days),
            hours=frozenset(self._hours),
            first=self._first,
            last=self._last,
            mails=self.mails,
            mails_with_headers=self._visible(),
            mails_with_subjects=self._subjects,
            mails_with_names=self._names,
            unaddressed=self.unaddressed,
        )
        return MailLog(events=tuple(self.events), report=report)

    def _visible(self) -> int:
        """Mails of which subject and names are known.

        A log that shows large mails and not one name does not log names, whatever it says of
        subjects; one that shows some name logs them, so that a large mail without had none.
        """
        if not self._shows_names:
            return 0
        if self._logs_names:
            return self._both + self._large_without
        # Names told by another log say nothing of the mails that it does not know.
        return self._both if self._names or not self._large_without else 0


def domain_of(address: bytes) -> str:
    """The part after the last `@`, or a fixed word when it is no domain: it is shown to people."""
    domain = (
        address.rpartition(b"@")[2].decode("utf-8", "replace").lower() if b"@" in address else ""
    )
    return domain if not domain or _DOMAIN.match(domain) else "invalid.invalid"
