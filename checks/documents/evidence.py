"""The facts of the documents family: what is asked of a unit's sources, and how it is read.

The parsed events are one fact that copes with whatever is missing; two more facts only say which
sources a check cannot do without. Their requests are equal, so everything is asked once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, DocumentEvents, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources.gateway import read_gateway
from checks.documents.sources.mail_probe import MAIL_LOG
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.register import read_register
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
)
from checks.files import FileEntry, files_request, unpack
from checks.model import Context, Fact, Subject
from inventory.model import Documents, FileSource, MailSource

_LIMIT = 256 * 1024 * 1024

REGISTER = Probe(
    id="documents.register",
    title="the outgoing register in the project folder",
    source=Source.FILES,
    limit=_LIMIT,
    stream=True,
    sensitive=True,
)
GATEWAY = Probe(
    id="documents.gateway",
    title="the gateway export in the project folder",
    source=Source.FILES,
    limit=_LIMIT,
    stream=True,
    sensitive=True,
)
MAIL_FILE = Probe(
    id="documents.mail-file",
    title="a mail log in the project folder",
    source=Source.FILES,
    limit=_LIMIT,
    stream=True,
    sensitive=True,
)

_Read = tuple[tuple[DocumentEvent, ...], SourceReport]


def _declared(subject: Subject) -> Documents:
    said = subject.unit.documents
    if said is None:
        raise NotDeclared(f"documents of unit {subject.unit.id}")
    return said


def mail_name(source: MailSource) -> str:
    """How a mail source is called in rows: its path, after its server when it is on one."""
    return f"{source.server}:{source.path}" if source.server else source.path


def _file(probe: Probe, source: FileSource | None, need: Need, what: str) -> Request:
    if source is None:
        raise NotDeclared(what)
    return files_request(probe, source.path, need)


def _mail(source: MailSource, need: Need) -> Request:
    if source.server:
        return MAIL_LOG.request(source.server, need, path=source.path)
    return files_request(MAIL_FILE, source.path, need)


def _all_requests(subject: Subject) -> list[Request]:
    said = _declared(subject)
    asked = [_mail(m, Need.OPTIONAL) for m in said.mail if m.kind in MAIL_KINDS]
    if said.gateway:
        asked.insert(0, files_request(GATEWAY, said.gateway.path, Need.OPTIONAL))
    if said.register:
        asked.insert(0, files_request(REGISTER, said.register.path, Need.OPTIONAL))
    return asked


def _route_requests(subject: Subject) -> list[Request]:
    said = _declared(subject)
    unit = subject.unit.id
    return [
        _file(REGISTER, said.register, Need.REQUIRED, f"documents.register of unit {unit}"),
        _file(GATEWAY, said.gateway, Need.REQUIRED, f"documents.gateway of unit {unit}"),
    ]


def _mail_requests(subject: Subject) -> list[Request]:
    said = _declared(subject)
    asked = [_mail(m, Need.MEMBER) for m in said.mail if m.kind in MAIL_KINDS]
    if not asked:
        raise NotDeclared(f"documents.mail of unit {subject.unit.id}")
    return asked


def _parse(ctx: Context, answers: Answers) -> DocumentEvents:
    said = _declared(ctx.subject)
    directory = Directory(ctx.subject.inventory.agencies, ctx.subject.unit)
    found: list[_Read] = []
    if said.register:
        found.append(_read_register(ctx, said.register, answers))
    if said.gateway:
        found.append(_read_gateway(ctx, said.gateway, answers, directory))
    signs = {e.key.sign for events, _ in found[:1] for e in events if said.register}
    finder = Finder(signs | directory.signs | set(said.signs))
    found += [_read_mail(ctx, source, answers, finder) for source in said.mail]
    return DocumentEvents(
        events=tuple(e for events, _ in found for e in events),
        sources=tuple(report for _, report in found),
    )


def _read_register(ctx: Context, source: FileSource, answers: Answers) -> _Read:
    def read(files: Sequence[FileEntry]) -> _Read:
        done = read_register(files, source.path, source.columns, ctx.zone)
        return done.events, done.report

    request = files_request(REGISTER, source.path)
    return _guarded(SourceKind.REGISTER, source.path, _answer(answers, request), read)


def _read_gateway(
    ctx: Context, source: FileSource, answers: Answers, directory: Directory
) -> _Read:
    def read(files: Sequence[FileEntry]) -> _Read:
        own = directory.is_own_code
        done = read_gateway(files, source.path, source.columns, ctx.zone, own)
        return done.events, done.report

    request = files_request(GATEWAY, source.path)
    return _guarded(SourceKind.GATEWAY, source.path, _answer(answers, request), read)


def _read_mail(ctx: Context, source: MailSource, answers: Answers, finder: Finder) -> _Read:
    name = mail_name(source)
    reader = MAIL_KINDS.get(source.kind)
    if reader is None:
        known = ", ".join(sorted(MAIL_KINDS))
        detail = f"documents.mail {name}: kind {source.kind} (known: {known})"
        failure = Failure(kind=FailureKind.NOT_DECLARED, detail=detail)
        return (), SourceReport(kind=SourceKind.MAIL, name=name, failure=failure)
    zone = _zone(source, ctx.zone)
    answer = _answer(answers, _mail(source, Need.OPTIONAL))
    return _guarded(SourceKind.MAIL, name, answer, lambda files: reader(files, name, zone, finder))


def _postfix(files: Sequence[FileEntry], name: str, zone: ZoneInfo, finder: Finder) -> _Read:
    done = read_postfix(files, name, zone, finder)
    return done.events, done.report


MAIL_KINDS: dict[str, Callable[[Sequence[FileEntry], str, ZoneInfo, Finder], _Read]] = {
    "postfix": _postfix
}
"""A reader for each kind of mail log."""


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


def _guarded(
    kind: SourceKind,
    name: str,
    answer: Evidence | None,
    read: Callable[[Sequence[FileEntry]], _Read],
) -> _Read:
    """What a source brought; a failure to get or read it is part of the report."""
    if answer is None:
        failure: Failure = Failure(kind=FailureKind.COMMAND_FAILED, detail=f"{name}: no answer")
    elif answer.failure is not None:
        failure = answer.failure
    else:
        try:
            return read(unpack(answer.stdout))
        except Unparsable as e:
            failure = Failure(kind=FailureKind.UNPARSABLE, detail=str(e))
    return (), SourceReport(kind=kind, name=name, failure=failure)


DOCUMENTS: Fact[DocumentEvents] = Fact(id="documents.events", requests=_all_requests, parse=_parse)
"""Everything a unit's sources say; what could not be read is named in the reports."""

ROUTES: Fact[None] = Fact(
    id="documents.routes", requests=_route_requests, parse=lambda _ctx, _answers: None
)
"""Register and gateway must both be there. Stands before `DOCUMENTS`, so that its need wins."""

MAILS: Fact[None] = Fact(
    id="documents.mails", requests=_mail_requests, parse=lambda _ctx, _answers: None
)
"""Some mail log must be there, and a pass takes all of them. Stands before `DOCUMENTS`."""
