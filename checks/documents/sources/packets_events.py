"""What edXML messages say happened: sent, received, refused, taken back, delivered to this unit.

A message's `DocumentId` only ties messages to each other; nothing is read out of it, because it
often names another sender, day or number than the message itself.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from checks.dates import read_time
from checks.documents.events import DocumentEvent, DocumentKey, EventKind, Place
from checks.documents.sources.edxml import Message, first
from checks.documents.sources.edxml_values import changes_of, codes_of, figure, number_of, organs_of
from checks.documents.sources.gateway import status_of
from checks.documents.sources.gateway_codes import Codes, bare_code
from checks.documents.sources.reading import Reading
from checks.documents.sources.tally import Tally
from checks.evidence import Unparsable

_NEW, _REVOKE, _UPDATE, _REPLACE = "0", "1", "2", "3"
_ASKED_BACK = "13"
"""The one status that the sender of a document says, and not its recipient."""
_EARLIEST = 2010
"""Before that year there was no axis: such a time is none."""
_DOUBTFUL = dt.timedelta(days=366)
"""A message that is older than its document by more than this has a wrong day, not a wrong clock.
"""
_MOST_FILES = 16


class _Status(msgspec.Struct, frozen=True, gc=False):
    """A status message, kept until every packet was read."""

    place: Place
    by: str
    """Code of the agency that says it."""
    origin: str
    """Code of the agency whose document it concerns."""
    key: DocumentKey | None
    document: str
    code: str
    time: dt.datetime | None
    date: dt.date | None


class _Back(msgspec.Struct, frozen=True, gc=False):
    """A document that was taken back from some agencies."""

    place: Place
    sender: str
    key: DocumentKey | None
    document: str
    recipients: tuple[str, ...]
    time: dt.datetime


class Exchange:
    """The messages of one source, made into events; `settle` comes after the last message."""

    def __init__(self, reading: Reading, tally: Tally, codes: Codes) -> None:
        self.counts: Counter[str] = Counter()
        self._directory, self._zone = reading.directory, reading.zone
        self._tally, self._codes = tally, codes
        self._sent: dict[DocumentKey, tuple[dt.datetime, str]] = {}
        self._ids: dict[str, DocumentKey | None] = {}
        self._statuses: list[_Status] = []
        self._backs: list[_Back] = []
        self._deliveries: list[DocumentEvent] = []
        self._kept_out: set[tuple[str, tuple[int, str, str]]] = set()

    def take(self, message: Message, place: Place) -> None:
        """One message; raises Unparsable when it lacks what makes it evidence."""
        sender = bare_code(message.one("from", "organid"))
        if not sender:
            raise Unparsable("no code of the sender")
        if message.one("messageheader", "statuscode"):
            self._take_status(message, place, sender)
        elif self._directory.is_own_code(sender):
            self._send(message, place, sender)
        else:
            self._receive(message, place, sender)

    # ------------------------------------------------------------------------------ documents

    def _send(self, message: Message, place: Place, sender: str) -> None:
        key, date = number_of(message.groups["messageheader"][0])
        to = organs_of(message.all("to"))
        time = self._time(message, date, sending=True)
        business = message.business
        doing = first(business, "bussinessdoctype", "businessdoctype") or _NEW
        added, removed = changes_of(message) if doing == _UPDATE else ((), ())
        recipients = added if added or removed else to
        if not recipients and not removed:
            raise Unparsable("no code of a recipient")
        if key is None and doing != _REVOKE:
            raise Unparsable("no number of a document")
        self._codes.take((sender, *recipients, *removed))
        self._tally.seen(time)
        self._take_back(message, place, sender, (key, doing, recipients, removed, time))
        if doing == _REVOKE or key is None:
            self.counts["revocations"] += 1
            return
        if not recipients:
            return
        self.counts["documents_sent"] += 1
        self._known(message, key, time, sender)
        content = " ".join(message.files[:_MOST_FILES])
        about = (key, date, time, content)
        self._tally.add(*_each(EventKind.SENT_GATEWAY, place, sender, recipients, about))
        if figure(first(business, "paper")):
            self.counts["paper_beside"] += 1
            self._tally.add(*_each(EventKind.POSTED, place, sender, recipients, about))

    def _known(self, message: Message, key: DocumentKey, time: dt.datetime, sender: str) -> None:
        """Note a document of this unit, so that later messages can be tied to it."""
        earlier = self._sent.get(key)
        if earlier is None or time < earlier[0]:
            self._sent[key] = time, sender
        document = message.one("messageheader", "documentid")
        if document:
            same = self._ids.setdefault(document, key)
            if same != key:
                self._ids[document] = None  # Used twice: it ties nothing.

    def _take_back(
        self,
        message: Message,
        place: Place,
        sender: str,
        about: tuple[DocumentKey | None, str, Sequence[str], Sequence[str], dt.datetime],
    ) -> None:
        key, doing, recipients, removed, time = about
        meant = first(message.business, "documentid")
        if doing == _REVOKE:
            back = _Back(place, sender, key, meant, tuple(recipients), time)
            self._backs.append(back)
        elif removed:
            self._backs.append(_Back(place, sender, key, meant, tuple(removed), time))
        elif doing == _REPLACE:
            for info in message.all("replacementinfo"):
                organs = tuple(codes_of(info.get("organid", ()))) or tuple(recipients)
                old = first(info, "documentid")
                self._backs.append(_Back(place, sender, None, old, organs, time))

    def _receive(self, message: Message, place: Place, sender: str) -> None:
        """A packet of another agency: delivered to this unit, or none of its business."""
        key, date = number_of(message.groups["messageheader"][0])
        added, removed = changes_of(message)
        to = {*organs_of(message.all("to")), *added}
        if not any(map(self._directory.is_own_code, {*to, *removed})):
            self.counts["of_others"] += 1
            return
        if key is None:
            raise Unparsable("no number of a document")
        time = self._time(message, date, sending=False)
        doing = first(message.business, "bussinessdoctype", "businessdoctype") or _NEW
        self._codes.take((sender,))
        self._tally.seen(time)
        if doing == _REVOKE or any(map(self._directory.is_own_code, removed)):
            self._keep_out(sender, key)
            return
        self.counts["documents_delivered"] += 1
        content = " ".join(message.files[:_MOST_FILES])
        about = (key, date, time, content)
        self._deliveries += _each(EventKind.DELIVERED, place, sender, ("",), about)

    def _keep_out(self, sender: str, key: DocumentKey) -> None:
        """A delivery that was refused or taken back need not be in the incoming register."""
        self.counts["deliveries_taken_back"] += 1
        self._kept_out.add((self._present(sender), key.series))

    def _present(self, code: str) -> str:
        """An agency's present code, or the code as it stands when the directory does not know."""
        return self._directory.code(code) or code

    def _time(self, message: Message, date: dt.date | None, *, sending: bool) -> dt.datetime:
        """When this unit handed it over, or got it; the traces of others are the next best."""
        found = []
        for trace in message.all("traceheader"):
            time = read_time(first(trace, "timestamp"), self._zone)
            if time is not None and time.year >= _EARLIEST:
                found.append((bare_code(first(trace, "organid")), time))
        if not found:
            raise Unparsable("no time of sending")
        mine = [t for code, t in found if code and self._directory.is_own_code(code)]
        others = [t for _, t in found]
        time = min(mine or others) if mine or sending else max(others)
        return self._not_before(time, date)

    def _not_before(self, time: dt.datetime, date: dt.date | None) -> dt.datetime:
        """A message cannot be older than its document: one of two clocks was wrong."""
        if date is None:
            return time
        begin = dt.datetime.combine(date, dt.time(), self._zone).astimezone(dt.UTC)
        if not time < begin <= time + _DOUBTFUL:
            return time
        self.counts["older_than_their_document"] += 1
        return begin

    # ------------------------------------------------------------------------------- statuses

    def _take_status(self, message: Message, place: Place, by: str) -> None:
        header = message.groups["messageheader"][0]
        answers = [a for a in message.all("responsefor") if a]
        if not answers:
            raise Unparsable("a status that names no document")
        time = read_time(first(header, "timestamp"), self._zone)
        self.counts["status_messages"] += 1
        for answer in answers:
            key, date = number_of(answer)
            status = _Status(
                place=place,
                by=by,
                origin=bare_code(first(answer, "organid")),
                key=key,
                document=first(answer, "documentid"),
                code=first(header, "statuscode"),
                time=time if time and time.year >= _EARLIEST else None,
                date=date,
            )
            self._statuses.append(status)

    def settle(self) -> Iterator[tuple[str, str]]:
        """Make events of what could only be understood together; gives files with a problem."""
        for back in self._backs:
            self._settle_back(back)
        for status in self._statuses:
            yield from self._settle_status(status)
        for event in self._deliveries:
            if (self._present(event.sender), event.key.series) not in self._kept_out:
                self._tally.add(event)

    def _settle_back(self, back: _Back) -> None:
        key = self._ids.get(back.document) or back.key
        if key is None:
            self.counts["take_backs_of_unknown"] += 1
            return
        about = (key, None, back.time, "")
        self._tally.add(*_each(EventKind.REVOKED, back.place, back.sender, back.recipients, about))

    def _settle_status(self, status: _Status) -> Iterator[tuple[str, str]]:
        key = status.key or self._ids.get(status.document)
        if key is None:
            yield status.place.file, "a status that names no document"
            return
        kind = status_of({"ReceiveStatus": status.code})
        sent = self._sent.get(key) or self._sent.get(self._ids.get(status.document) or key)
        self._codes.take((status.by, status.origin))
        if kind is EventKind.SENT_GATEWAY:
            self.counts["unknown_status_codes"] += 1
        elif status.code.lstrip("0") == _ASKED_BACK:
            yield from self._settle_asked(status, key, sent)
        elif self._directory.is_own_code(status.origin) if status.origin else sent is not None:
            yield from self._settle_ours(status, key, kind, sent)
        elif self._directory.is_own_code(status.by) and status.origin:
            yield from self._settle_theirs(status, key, kind)
        else:
            self.counts["of_others"] += 1

    def _settle_asked(
        self, status: _Status, key: DocumentKey, sent: tuple[dt.datetime, str] | None
    ) -> Iterator[tuple[str, str]]:
        """The sender itself asks for its document back; the code beside it is the recipient's."""
        own, recipient = self._directory.own_codes, status.origin
        if self._directory.is_own_code(status.by):
            if not recipient or self._present(recipient) == self._present(status.by):
                self.counts["said_by_the_sender"] += 1
                return
            turned = msgspec.structs.replace(status, by=recipient, origin=status.by)
            yield from self._settle_ours(turned, key, EventKind.REVOKED, sent)
        elif own and (not recipient or self._directory.is_own_code(recipient)):
            self._keep_out(status.by, key)
        else:
            self.counts["of_others"] += 1

    def _settle_ours(
        self,
        status: _Status,
        key: DocumentKey,
        kind: EventKind,
        sent: tuple[dt.datetime, str] | None,
    ) -> Iterator[tuple[str, str]]:
        """An agency says what became of this unit's document."""
        if sent is None:
            self.counts["statuses_without_packet"] += 1
        time = status.time or (sent[0] if sent else None)
        if time is None:
            yield status.place.file, "a status without a time"
            return
        time = self._not_before(max(time, sent[0]) if sent else time, status.date)
        self._tally.seen(time)
        sender = status.origin or (sent[1] if sent else "")
        about = (key, status.date, time, "")
        self._tally.add(*_each(kind, status.place, sender, (status.by,), about))

    def _settle_theirs(
        self, status: _Status, key: DocumentKey, kind: EventKind
    ) -> Iterator[tuple[str, str]]:
        """This unit says what became of another agency's document: so it was delivered."""
        if kind is not EventKind.RECEIVED:
            self._keep_out(status.origin, key)
            return
        if status.time is None:
            yield status.place.file, "a status without a time"
            return
        time = self._not_before(status.time, status.date)
        self._tally.seen(time)
        about = (key, status.date, time, "")
        self._deliveries += _each(EventKind.DELIVERED, status.place, status.origin, ("",), about)


def _each(
    kind: EventKind,
    place: Place,
    sender: str,
    recipients: Iterable[str],
    about: tuple[DocumentKey, dt.date | None, dt.datetime, str],
) -> list[DocumentEvent]:
    key, date, time, content = about
    return [
        DocumentEvent(
            kind=kind,
            key=key,
            place=place,
            time=time,
            date=date,
            sender=sender,
            recipient=recipient,
            content=content,
        )
        for recipient in recipients
    ]
