"""Reading one declared source: a failure to get or to read it is part of its report."""

from __future__ import annotations

import msgspec

from checks.documents.events import SourceKind, SourceReport
from checks.documents.sources.reading import Read, Reader, Reading
from checks.evidence import (
    Answers,
    AskWhole,
    Evidence,
    Failure,
    FailureKind,
    Probe,
    Request,
    Source,
    Unparsable,
    Value,
)
from checks.files import unpack
from checks.texts import clean

_LIMIT = 2 * 1024 * 1024 * 1024
"""Bytes of one source: it lies on disk and is read piece by piece."""
_NAMES = 1000


class FileKind(Value, frozen=True):
    """A kind of source, a file of the project or of a bucket, under one key of `documents`."""

    key: str
    source: SourceKind
    probe: Probe
    read: Reader


def file_probe(name: str, title: str) -> Probe:
    """The probe `documents.<name>`, which reads files of the project."""
    return Probe(
        id=f"documents.{name}",
        title=title,
        source=Source.FILES,
        limit=_LIMIT,
        stream=True,
        sensitive=True,
    )


def answer_to(answers: Answers, request: Request) -> Evidence | None:
    """The answer to one request, failed or not; several sources may share a probe."""
    every = (*answers.all(request.probe), *answers.failures())
    return next((e for e in every if (e.target, e.key) == (request.target, request.key)), None)


def guarded(kind: FileKind, answer: Evidence | None, reading: Reading) -> Read:
    """What a source brought; a failure to get or read it is part of the report.

    Raises:
        AskWhole: the answer does not fit what is remembered of the source.
    """
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
        except AskWhole:
            raise
        except Unparsable as e:
            failure = Failure(kind=e.kind, detail=str(e))
    return (), SourceReport(kind=kind.source, name=name, key=kind.key, failure=failure)
