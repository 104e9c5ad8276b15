"""The facts of the documents family: what is asked of a unit's sources, and how it is read.

The parsed events are one fact that copes with whatever is missing; two more facts only say which
sources a check cannot do without. Their requests are equal, so everything is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvents, SourceKind
from checks.documents.mail_logs import Known, mail_requests, read_mails
from checks.documents.numbers import Finder
from checks.documents.one_source import FileKind, answer_to, file_probe, guarded
from checks.documents.packed import Joined, signs_of
from checks.documents.retention import MARKS, REMEMBERED
from checks.documents.senders import ANYBODY, Addresses, Senders
from checks.documents.sources.gateway import read_gateway
from checks.documents.sources.gateway_codes import Codes
from checks.documents.sources.incoming import read_incoming
from checks.documents.sources.mailboxes import (
    mailbox_path,
    read_mailboxes,
    refuse_without_order,
)
from checks.documents.sources.packets import read_packets
from checks.documents.sources.postal import read_postal
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.received import read_received
from checks.documents.sources.register import read_register
from checks.documents.sources.x_road import read_x_road
from checks.evidence import (
    Answers,
    Need,
    NotDeclared,
    Request,
)
from checks.files import FileEntry, bucket_request, files_request
from checks.model import Context, Fact, Memory, Subject
from inventory.model import Documents, FileSource, MailboxSource

REGISTER = file_probe("register", "the outgoing register in the project folder")
GATEWAY = file_probe("gateway", "the gateway export in the project folder")
RECEIVED = file_probe("received", "the gateway's list of deliveries in the project folder")
PACKETS = file_probe("packets", "edXML packets and status messages in the project folder")
X_ROAD = file_probe("x-road", "operational monitoring data of X-Road in the project folder")
INCOMING = file_probe("incoming", "the incoming register in the project folder")
POSTAL = file_probe("postal", "the register of letters sent by post in the project folder")
MAILBOXES = file_probe("mailboxes", "mailboxes in the project folder, by a written order")


def _read_gateway(files: Sequence[FileEntry], reading: Reading) -> Read:
    own, codes = reading.directory.is_own_code, Codes(reading.directory)
    done = read_gateway(files, reading.name, reading.columns, reading.zone, own, codes)
    return done.events, done.report


def _read_register(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_register(files, reading.name, reading.columns, reading.zone)
    return done.events, done.report


FILE_KINDS = (
    FileKind(key="register", source=SourceKind.REGISTER, probe=REGISTER, read=_read_register),
    FileKind(key="gateway", source=SourceKind.GATEWAY, probe=GATEWAY, read=_read_gateway),
    FileKind(key="packets", source=SourceKind.GATEWAY, probe=PACKETS, read=read_packets),
    FileKind(key="received", source=SourceKind.GATEWAY, probe=RECEIVED, read=read_received),
    FileKind(key="x_road", source=SourceKind.GATEWAY, probe=X_ROAD, read=read_x_road),
    FileKind(key="incoming", source=SourceKind.INCOMING, probe=INCOMING, read=read_incoming),
    FileKind(key="postal", source=SourceKind.POSTAL, probe=POSTAL, read=read_postal),
)
"""Every kind of file, in the order of reading: the register first, because it tells the signs."""


def _declared(subject: Subject) -> Documents:
    said = subject.unit.documents
    if said is None:
        raise NotDeclared(f"documents of unit {subject.unit.id}")
    return said


def _source(said: Documents, kind: FileKind) -> FileSource | None:
    found: FileSource | None = getattr(said, kind.key)
    return found


def _asked(kind: FileKind, source: FileSource, need: Need = Need.REQUIRED) -> Request:
    if source.bucket:
        return bucket_request(kind.probe, source.bucket, source.path, need)
    return files_request(kind.probe, source.path, need)


def _file(subject: Subject, key: str) -> Request:
    kind = next(k for k in FILE_KINDS if k.key == key)
    source = _source(_declared(subject), kind)
    if source is None:
        raise NotDeclared(f"documents.{key} of unit {subject.unit.id}")
    return _asked(kind, source)


def _all_requests(subject: Subject, memories: Sequence[Memory] = ()) -> list[Request]:
    said = _declared(subject)
    found = ((kind, _source(said, kind)) for kind in FILE_KINDS)
    asked = [_asked(kind, s, Need.OPTIONAL) for kind, s in found if s]
    asked += mail_requests(said, Need.OPTIONAL, memories)
    return asked + [_mailbox(m) for m in said.mailboxes]


def _mailbox(source: MailboxSource) -> Request:
    return files_request(MAILBOXES, mailbox_path(source), Need.OPTIONAL)


def _route_requests(subject: Subject) -> list[Request]:
    """The register and whatever lists what was sent: an export, the packets themselves, or both."""
    said = _declared(subject)
    lists = [key for key in ("gateway", "packets") if getattr(said, key) is not None]
    found = [_file(subject, key) for key in ("register", *lists)]
    if not lists:
        raise NotDeclared(f"documents.gateway or documents.packets of unit {subject.unit.id}")
    return found


def _register_requests(subject: Subject) -> list[Request]:
    return [_file(subject, "register")]


def _incoming_requests(subject: Subject) -> list[Request]:
    return [_file(subject, "incoming")]


def _mail_requests(subject: Subject, memories: Sequence[Memory] = ()) -> list[Request]:
    said = _declared(subject)
    asked = mail_requests(said, Need.MEMBER, memories)
    asked += [_mailbox(m) for m in said.mailboxes]
    if not asked:
        raise NotDeclared(f"documents.mail of unit {subject.unit.id}")
    return asked


def _parse(ctx: Context, answers: Answers) -> DocumentEvents:
    said = _declared(ctx.subject)
    directory = Directory.of(ctx.subject.inventory, ctx.subject.unit)
    signs = directory.signs | set(said.signs)
    found: list[Read] = []
    for kind in FILE_KINDS:
        source = _source(said, kind)
        if source is None:
            continue
        reading = Reading(
            name=f"{source.bucket}:{source.path}" if source.bucket else source.path,
            zone=ctx.zone,
            directory=directory,
            finder=Finder(signs),
            columns=source.columns,
        )
        answer = answer_to(answers, _asked(kind, source))
        found.append(guarded(kind, answer, reading))
        if kind.source is SourceKind.REGISTER:
            signs = signs | signs_of(found[-1][0])
    finder = Finder(signs)
    addresses = Addresses(pseudonyms=ctx.pseudonyms, senders=Senders(said.senders))
    known = Known(directory=directory, finder=finder, addresses=addresses)
    mailed = read_mails(ctx, said, answers, known)
    found += mailed.read
    found += [_read_mailbox(ctx, each, answers, (directory, finder)) for each in said.mailboxes]
    return DocumentEvents(
        events=Joined(events for events, _ in found),
        sources=tuple(report for _, report in found),
        memories=mailed.memories,
    )


def _read_mailbox(
    ctx: Context, source: MailboxSource, answers: Answers, known: tuple[Directory, Finder]
) -> Read:
    def read(files: Sequence[FileEntry], reading: Reading) -> Read:
        today = ctx.now.astimezone(ctx.zone).date()
        refuse_without_order(source.path, source.order, today)
        return read_mailboxes(files, reading, source.kind)

    directory, finder = known
    reading = Reading(
        name=source.path,
        zone=ctx.zone,
        directory=directory,
        finder=finder,
        # What is sent from a box that the unit handed over is the unit's.
        addresses=Addresses(pseudonyms=ctx.pseudonyms, senders=ANYBODY),
    )
    kind = FileKind(key="mailboxes", source=SourceKind.MAILBOX, probe=MAILBOXES, read=read)
    return guarded(kind, answer_to(answers, _mailbox(source)), reading)


DOCUMENTS: Fact[DocumentEvents] = Fact(
    id="documents.events",
    requests=_all_requests,
    parse=_parse,
    memory=REMEMBERED,
    remember=lambda _ctx, events: events.memories,
    marks=MARKS,
    resume=_all_requests,
)
"""Everything a unit's sources say; what could not be read is named in the reports."""

ROUTES: Fact[None] = Fact(
    id="documents.routes", requests=_route_requests, parse=lambda _ctx, _answers: None
)
"""The register and what was sent must be there. Stands before `DOCUMENTS`: its need wins."""

MAILS: Fact[None] = Fact(
    id="documents.mails",
    requests=_mail_requests,
    parse=lambda _ctx, _answers: None,
    marks=MARKS,
    resume=_mail_requests,
)
"""Some mail log must be there, and a pass takes all of them. Stands before `DOCUMENTS`."""

BOOK: Fact[None] = Fact(
    id="documents.book", requests=_register_requests, parse=lambda _ctx, _answers: None
)
"""The outgoing register must be there. Stands before `DOCUMENTS`."""

ARRIVALS: Fact[None] = Fact(
    id="documents.arrivals", requests=_incoming_requests, parse=lambda _ctx, _answers: None
)
"""The incoming register must be there. Stands before `DOCUMENTS`."""
