"""The mail logs of a unit: what is asked of each, how it is read, and what is remembered of it.

A log of Postfix or Exim on a server is read on from where an earlier scan stopped, see
`sources.remembered`. Not so where another log of the unit tells the names of its mails, because
that one is read whole.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from checks.documents.agencies import Directory
from checks.documents.events import SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.one_source import FileKind, answer_to, file_probe, guarded
from checks.documents.retention import MARKS, REMEMBERED
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.amavis_file import read_amavis
from checks.documents.sources.exchange import read_exchange
from checks.documents.sources.exim import read_exim
from checks.documents.sources.going_on import LogReader, ReadLog
from checks.documents.sources.mail_probe import MAIL_LOG, mail_params
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.reading import Read, Reader, Reading
from checks.documents.sources.remembered import (
    Mark,
    Remembered,
    mark_bytes,
    mark_of,
    packed,
    unpacked,
)
from checks.documents.sources.stretches import Stretches
from checks.documents.sources.uploads import Join
from checks.documents.sources.zimbra import read_zimbra
from checks.evidence import (
    Answers,
    AskWhole,
    Evidence,
    Failure,
    FailureKind,
    Need,
    Request,
    Unparsable,
    Value,
)
from checks.files import FileEntry, bucket_request, files_request
from checks.model import Context, Memory
from inventory.model import Documents, MailSource

MAIL_FILE = file_probe("mail-file", "a mail log in the project folder")


def _read_postfix(files: Sequence[FileEntry], reading: Reading) -> Read:
    done = read_postfix(
        files,
        reading.name,
        reading.zone,
        reading.finder,
        join=reading.join,
        addresses=reading.addresses,
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
    done = read_exchange(files, reading.name, *known, addresses=reading.addresses)
    return done.events, done.report


def _read_exim(files: Sequence[FileEntry], reading: Reading) -> Read:
    known = reading.zone, reading.finder
    done = read_exim(files, reading.name, *known, addresses=reading.addresses)
    return done.events, done.report


MAIL_KINDS: dict[str, Reader] = {
    "zimbra": _read_zimbra,
    "amavis": _read_amavis,
    "postfix": _read_postfix,
    "exchange": _read_exchange,
    "exim": _read_exim,
}
"""A reader for each kind of mail log, in the order of reading: the first two tell others."""

_TELLING = frozenset({"zimbra", "amavis"})
"""Kinds that tell another log the names of its mails."""


def _postfix_log(files: Sequence[FileEntry], reading: Reading, stretches: Stretches) -> MailLog:
    return read_postfix(
        files,
        reading.name,
        reading.zone,
        reading.finder,
        addresses=reading.addresses,
        stretches=stretches,
    )


def _exim_log(files: Sequence[FileEntry], reading: Reading, stretches: Stretches) -> MailLog:
    return read_exim(files, reading.name, reading.zone, reading.finder, stretches=stretches)


_GOING_ON: Mapping[str, ReadLog] = {"postfix": _postfix_log, "exim": _exim_log}
"""The kinds of logs that can be read on from where an earlier scan stopped."""


class Known(Value, frozen=True):
    """What all mail logs of a unit are read with."""

    directory: Directory
    finder: Finder
    addresses: Addresses = NO_ADDRESSES


class Mailed(Value, frozen=True):
    """What the mail logs of a unit brought, in the order declared, and what to remember of them."""

    read: tuple[Read, ...]
    memories: tuple[Memory, ...] = ()


def mail_name(source: MailSource) -> str:
    """How a mail source is called in rows: its path, after its server or bucket if it has one."""
    where = source.server or source.bucket
    return f"{where}:{source.path}" if where else source.path


def mail_requests(said: Documents, need: Need, memories: Sequence[Memory] = ()) -> list[Request]:
    """What is asked of every mail log; given marks (`MARKS`), from there on."""
    marks = {m.id: mark_of(m.data) for m in memories if m.kind == MARKS}
    return [
        _request(m, need, marks.get(_id(m)) if _goes_on(said, m) else None)
        for m in said.mail
        if m.kind in MAIL_KINDS
    ]


def _goes_on(said: Documents, source: MailSource) -> bool:
    telling = any(m.kind in _TELLING for m in said.mail)
    return bool(source.server) and source.kind in _GOING_ON and not telling


def _id(source: MailSource) -> str:
    return f"{source.kind} {mail_name(source)}"


def _request(source: MailSource, need: Need, mark: Mark | None = None) -> Request:
    if source.server:
        begins = [(b.head, b.line) for b in mark.begins] if mark else []
        since = mark.since if mark else None
        params = mail_params(source.kind, source.path, since, begins)
        return MAIL_LOG.request(source.server, need, **params)
    if source.bucket:
        return bucket_request(MAIL_FILE, source.bucket, source.path, need)
    return files_request(MAIL_FILE, source.path, need)


def read_mails(ctx: Context, said: Documents, answers: Answers, known: Known) -> Mailed:
    """Every mail log, whichever was read first; `ctx.past` has what is remembered of them.

    Raises:
        AskWhole: a log was asked for from where the memory ends, and does not fit it.
    """
    order, sources = [*MAIL_KINDS], said.mail
    join = Join()
    read: dict[int, Read] = {}
    memories: list[Memory] = []
    for n, source in sorted(
        enumerate(sources), key=lambda s: order.index(s[1].kind) if s[1].kind in order else 0
    ):
        reading = Reading(
            name=mail_name(source),
            zone=_zone(source, ctx.zone),
            directory=known.directory,
            finder=known.finder,
            join=join,
            addresses=known.addresses,
        )
        if _goes_on(said, source):
            read[n], more = _read_on(ctx, source, answers, reading)
            memories += more
        else:
            read[n] = _read_mail(source, answers, reading)
    settled = tuple((read[n][0], join.settled(read[n][1])) for n in range(len(sources)))
    return Mailed(read=settled, memories=tuple(memories))


def _read_mail(source: MailSource, answers: Answers, reading: Reading) -> Read:
    reader, name = MAIL_KINDS.get(source.kind), reading.name
    if reader is None:
        kinds = ", ".join(sorted(MAIL_KINDS))
        detail = f"documents.mail {name}: kind {source.kind} (known: {kinds})"
        failure = Failure(kind=FailureKind.NOT_DECLARED, detail=detail)
        return (), SourceReport(kind=SourceKind.MAIL, name=name, key="mail", failure=failure)
    answer = answer_to(answers, _request(source, Need.OPTIONAL))
    return guarded(_kind(reader), answer, reading)


def _kind(reader: Reader) -> FileKind:
    return FileKind(key="mail", source=SourceKind.MAIL, probe=MAIL_FILE, read=reader)


def _read_on(
    ctx: Context, source: MailSource, answers: Answers, reading: Reading
) -> tuple[Read, list[Memory]]:
    """A log of which something may be remembered."""
    own = _id(source)
    data = next((m.data for m in ctx.past if (m.kind, m.id) == (REMEMBERED, own)), None)
    past = unpacked(data) if data else None
    answer, resumed = _answer(answers, source, past)
    log = LogReader(_GOING_ON[source.kind], past, resumed=resumed, now=ctx.now)

    def read(files: Sequence[FileEntry], reading: Reading) -> Read:
        done = log.read(files, reading)
        return done.events, done.report

    found = guarded(_kind(read), answer, reading)
    if found[1].failure is not None:
        return found, []  # what is remembered stays as it is
    return found, _memories(ctx, own, log.memory, known=data is not None)


def _answer(
    answers: Answers, source: MailSource, past: Remembered | None
) -> tuple[Evidence | None, bool]:
    """The answer of a log, and whether it was asked for from where the memory ends."""
    whole = _request(source, Need.OPTIONAL)
    found = answer_to(answers, whole)
    if found is not None:
        return found, False
    if past is not None:
        found = answer_to(answers, _request(source, Need.OPTIONAL, past.mark))
    if found is None and any(
        e.target == whole.target and e.probe == whole.probe for e in answers.given
    ):
        # Another scan remembered something else since this one began to ask.
        raise AskWhole(f"{mail_name(source)}: what was remembered of it has changed meanwhile")
    return found, True


def _memories(ctx: Context, own: str, memory: Remembered | None, *, known: bool) -> list[Memory]:
    """What to keep; an empty memory makes an older one be forgotten."""
    data = packed(memory) if memory is not None else None
    if memory is None or data is None:
        if not known:
            return []
        time, mark, data = ctx.now, b"", b""
    else:
        time, mark = memory.base.first or memory.until, mark_bytes(memory.mark)
    subject = ctx.subject.key
    return [
        Memory(kind=MARKS, subject=subject, id=own, time=time, data=mark),
        Memory(kind=REMEMBERED, subject=subject, id=own, time=time, data=data),
    ]


def _zone(source: MailSource, default: ZoneInfo) -> ZoneInfo:
    if not source.timezone:
        return default
    try:
        return ZoneInfo(source.timezone)
    except (ZoneInfoNotFoundError, ValueError) as e:
        raise Unparsable(f"documents.mail {mail_name(source)}: timezone: {e}") from None
