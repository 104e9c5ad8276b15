"""The facts of the documents family: what is asked of a unit's sources, and how it is read.

The parsed events are one fact that copes with whatever is missing; two more facts only say which
sources a check cannot do without. Their requests are equal, so everything is asked once.
"""

from __future__ import annotations

from collections.abc import Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvents, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.packed import Joined, signs_of
from checks.documents.sources.amavis_file import read_amavis
from checks.documents.sources.exchange import read_exchange
from checks.documents.sources.exim import read_exim
from checks.documents.sources.gateway import read_gateway
from checks.documents.sources.gateway_codes import Codes
from checks.documents.sources.incoming import read_incoming
from checks.documents.sources.mail_probe import MAIL_LOG, mail_params
from checks.documents.sources.mailboxes import (
    mailbox_path,
    read_mailboxes,
    refuse_without_order,
)
from checks.documents.sources.packets import read_packets
from checks.documents.sources.postal import read_postal
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.reading import Read, Reader, Reading
from checks.documents.sources.received import read_received
from checks.documents.sources.register import read_register
from checks.documents.sources.uploads import Join
from checks.documents.sources.x_road import read_x_road
from checks.documents.sources.zimbra import read_zimbra
from checks.evidence import (
    Answers,
    Evidence,
    Failure,
    FailureKind,
    Need,
    NotDeclared,
    Probe,
    Request,
    Source,
    Unparsable,
    Value,
)
from checks.files import FileEntry, bucket_request, files_request, unpack
from checks.model import Context, Fact, Subject
from checks.texts import clean
from inventory.model import Documents, FileSource, MailboxSource, MailSource

_LIMIT = 2 * 1024 * 1024 * 1024
"""Bytes of one source: it lies on disk and is read piece by piece."""
_NAMES = 1000


class FileKind(Value, frozen=True):
    """A kind of source, a file of the project or of a bucket, under one key of `documents`."""

    key: str
    source: SourceKind
    probe: Probe
    read: Reader


def _probe(name: str, title: str) -> Probe:
    return Probe(
        id=f"documents.{name}",
        title=title,
        source=Source.FILES,
        limit=_LIMIT,
        stream=True,
        sensitive=True,
    )


REGISTER = _probe("register", "the outgoing register in the project folder")
GATEWAY = _probe("gateway", "the gateway export in the project folder")
RECEIVED = _probe("received", "the gateway's list of deliveries in the project folder")
PACKETS = _probe("packets", "edXML packets and status messages in the project folder")
X_ROAD = _probe("x-road", "operational monitoring data of X-Road in the project folder")
INCOMING = _probe("incoming", "the incoming register in the project folder")
POSTAL = _probe("postal", "the register of letters sent by post in the project folder")
MAILBOXES = _probe("mailboxes", "mailboxes in the project folder, by a written order")
MAIL_FILE = _probe("mail-file", "a mail log in the project folder")


def _read_gateway(files: Sequence[FileEntry], reading: Reading) -> Read:
    own, codes = reading.directory.is_own_code, Codes(reading.directory)
    done = read_gateway(files, reading.name, reading.columns, reading.zone, own, codes)
    return done.events, done.report


def _read_register(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_register(files, reading.name, reading.columns, reading.zone)
    return done.events, done.report


def _read_postfix(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_postfix(
        files,
        reading.name,
        reading.zone,
        reading.finder,
        join=reading.join,
        pseudonyms=reading.pseudonyms,
    )
    return done.events, done.report


def _read_zimbra(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_zimbra(files, reading.name, reading.zone, reading.finder)
    reading.join.tell(reading.name, done.uploads)
    return done.events, done.report


def _read_amavis(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_amavis(files, reading.name, reading.zone, reading.finder)
    reading.join.tell(reading.name, done.uploads)
    return done.events, done.report


def _read_exchange(files: Sequence[FileEntry], reading: Reading) -> Read:
    known = reading.zone, reading.finder
    done = read_exchange(files, reading.name, *known, pseudonyms=reading.pseudonyms)
    return done.events, done.report


def _read_exim(files: Sequence[FileEntry], reading: Reading) -> Read:
    known = reading.zone, reading.finder
    done = read_exim(files, reading.name, *known, pseudonyms=reading.pseudonyms)
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

MAIL_KINDS: dict[str, Reader] = {
    "zimbra": _read_zimbra,
    "amavis": _read_amavis,
    "postfix": _read_postfix,
    "exchange": _read_exchange,
    "exim": _read_exim,
}
"""A reader for each kind of mail log, in the order of reading: the first two tell others."""


def _declared(subject: Subject) -> Documents:
    said = subject.unit.documents
    if said is None:
        raise NotDeclared(f"documents of unit {subject.unit.id}")
    return said


def _source(said: Documents, kind: FileKind) -> FileSource | None:
    found: FileSource | None = getattr(said, kind.key)
    return found


def mail_name(source: MailSource) -> str:
    """How a mail source is called in rows: its path, after its server or bucket if it has one."""
    where = source.server or source.bucket
    return f"{where}:{source.path}" if where else source.path


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


def _mail(source: MailSource, need: Need) -> Request:
    if source.server:
        return MAIL_LOG.request(source.server, need, **mail_params(source.kind, source.path))
    if source.bucket:
        return bucket_request(MAIL_FILE, source.bucket, source.path, need)
    return files_request(MAIL_FILE, source.path, need)


def _all_requests(subject: Subject) -> list[Request]:
    said = _declared(subject)
    found = ((kind, _source(said, kind)) for kind in FILE_KINDS)
    asked = [_asked(kind, s, Need.OPTIONAL) for kind, s in found if s]
    asked += [_mail(m, Need.OPTIONAL) for m in said.mail if m.kind in MAIL_KINDS]
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


def _mail_requests(subject: Subject) -> list[Request]:
    said = _declared(subject)
    asked = [_mail(m, Need.MEMBER) for m in said.mail if m.kind in MAIL_KINDS]
    asked += [_mailbox(m) for m in said.mailboxes]
    if not asked:
        raise NotDeclared(f"documents.mail of unit {subject.unit.id}")
    return asked


def _parse(ctx: Context, answers: Answers) -> DocumentEvents:
    said = _declared(ctx.subject)
    directory = Directory(ctx.subject.inventory.agencies, ctx.subject.unit)
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
        answer = _answer(answers, _asked(kind, source))
        found.append(_guarded(kind, answer, reading))
        if kind.source is SourceKind.REGISTER:
            signs = signs | signs_of(found[-1][0])
    finder = Finder(signs)
    found += _read_mails(ctx, said.mail, answers, (directory, finder))
    found += [_read_mailbox(ctx, each, answers, (directory, finder)) for each in said.mailboxes]
    return DocumentEvents(
        events=Joined(events for events, _ in found),
        sources=tuple(report for _, report in found),
    )


def _read_mails(
    ctx: Context, sources: Sequence[MailSource], answers: Answers, known: tuple[Directory, Finder]
) -> list[Read]:
    """Every mail log, in the order declared, whichever was read first."""
    order = [*MAIL_KINDS]
    join = Join()
    read: dict[int, Read] = {}
    for n, source in sorted(
        enumerate(sources), key=lambda s: order.index(s[1].kind) if s[1].kind in order else 0
    ):
        read[n] = _read_mail(ctx, source, answers, (*known, join))
    return [(read[n][0], join.settled(read[n][1])) for n in range(len(sources))]


def _read_mail(
    ctx: Context, source: MailSource, answers: Answers, known: tuple[Directory, Finder, Join]
) -> Read:
    name = mail_name(source)
    reader = MAIL_KINDS.get(source.kind)
    if reader is None:
        kinds = ", ".join(sorted(MAIL_KINDS))
        detail = f"documents.mail {name}: kind {source.kind} (known: {kinds})"
        failure = Failure(kind=FailureKind.NOT_DECLARED, detail=detail)
        return (), SourceReport(kind=SourceKind.MAIL, name=name, key="mail", failure=failure)
    directory, finder, join = known
    reading = Reading(
        name=name,
        zone=_zone(source, ctx.zone),
        directory=directory,
        finder=finder,
        join=join,
        pseudonyms=ctx.pseudonyms,
    )
    answer = _answer(answers, _mail(source, Need.OPTIONAL))
    kind = FileKind(key="mail", source=SourceKind.MAIL, probe=MAIL_FILE, read=reader)
    return _guarded(kind, answer, reading)


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
        pseudonyms=ctx.pseudonyms,
    )
    kind = FileKind(key="mailboxes", source=SourceKind.MAILBOX, probe=MAILBOXES, read=read)
    return _guarded(kind, _answer(answers, _mailbox(source)), reading)


def _zone(source: MailSource, default: ZoneInfo) -> ZoneInfo:
    if not source.timezone:
        return default
    try:
        return ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError) as e:
        raise Unparsable(f"documents.mail {mail_name(source)}: timezone: {e}") from None


def _answer(answers: Answers, request: Request) -> Evidence | None:
    """The answer to one request, failed or not; several sources may share a probe."""
    every = (*answers.all(request.probe), *answers.failures())
    return next((e for e in every if (e.target, e.key) == (request.target, request.key)), None)


def _guarded(kind: FileKind, answer: Evidence | None, reading: Reading) -> Read:
    """What a source brought; a failure to get or read it is part of the report."""
    name = reading.name
    if answer is None:
        failure: Failure = Failure(kind=FailureKind.COMMAND_FAILED, detail=f"{name}: no answer")
    elif answer.failure is not None:
        failure = answer.failure
    else:
        try:
            files = unpack(answer.stdout)
            # Files of mailboxes are called by people's names and by subjects.
            shown = [] if kind.source is SourceKind.MAILBOX else files[:_NAMES]
            names = tuple(clean(f.name) for f in shown)
            events, report = kind.read(files, reading)
            return events, msgspec.structs.replace(report, key=kind.key, file_names=names)
        except Unparsable as e:
            failure = Failure(kind=e.kind, detail=str(e))
    return (), SourceReport(kind=kind.source, name=name, key=kind.key, failure=failure)


DOCUMENTS: Fact[DocumentEvents] = Fact(id="documents.events", requests=_all_requests, parse=_parse)
"""Everything a unit's sources say; what could not be read is named in the reports."""

ROUTES: Fact[None] = Fact(
    id="documents.routes", requests=_route_requests, parse=lambda _ctx, _answers: None
)
"""The register and what was sent must be there. Stands before `DOCUMENTS`: its need wins."""

MAILS: Fact[None] = Fact(
    id="documents.mails", requests=_mail_requests, parse=lambda _ctx, _answers: None
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
