"""Scans and reports as JSON: the public form of the contract, with its schema.

`sauro.scan/1` is the scan row by row; `sauro.report/1` is the report's figures as they stand on
the page. Times are RFC 3339 in UTC. Fields may be added, never taken away or renamed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.went import KEY as WENT
from checks.evidence import Failure
from checks.model import Message, Severity, Status
from checks.results import EvidenceRef, Result, Scan, TargetOutcome, WaiverRef
from inventory.model import Selection
from reports.model import Report
from reports.voice import CHECK_TEXTS, Voice

SCAN_SCHEMA: Literal["sauro.scan/1"] = "sauro.scan/1"


class ScanHead(msgspec.Struct, frozen=True, kw_only=True):
    """About the scan. `planned` and `judged` count rows."""

    id: str
    started: dt.datetime
    finished: dt.datetime | None
    tool: str
    legal_basis: int
    complete: bool
    selection: dict[str, tuple[str, ...]]
    planned: int
    judged: int
    simulated: bool
    timezone: str
    coverage_floor: int
    documents_until: dt.datetime | None
    """When the details about documents are to be removed; counts stay."""
    documents_ended: dt.datetime | None
    """When they were."""


class ResultRow(msgspec.Struct, frozen=True, kw_only=True):
    """One check on one subject; `summary` is the sentence of `message` in one language."""

    check: str
    unit: str
    system: str | None
    target: str
    subject: str
    status: Status
    severity: Severity
    summary: str
    message: Message
    detail: dict[str, Any]
    failure: Failure | None
    evidence: tuple[EvidenceRef, ...]
    waiver: WaiverRef | None
    fingerprint: str


class ScanTail(msgspec.Struct, frozen=True, kw_only=True):
    """The last line of `jsonl`: everything but the results."""

    schema: Literal["sauro.scan/1"] = SCAN_SCHEMA
    scan: ScanHead
    targets: tuple[TargetOutcome, ...]


class ScanDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The whole scan as one object."""

    schema: Literal["sauro.scan/1"] = SCAN_SCHEMA
    scan: ScanHead
    targets: tuple[TargetOutcome, ...]
    results: tuple[ResultRow, ...]


def scan_json(scan: Scan, language: str, voice: Voice = CHECK_TEXTS) -> dict[str, Any]:
    """A scan as plain values, `sauro.scan/1`."""
    document = ScanDocument(
        scan=_head(scan), targets=scan.targets, results=tuple(_rows(scan, language, voice))
    )
    return _plain(document)


def result_json(
    result: Result, language: str, zone: ZoneInfo, voice: Voice = CHECK_TEXTS
) -> dict[str, Any]:
    """One row as plain values, as it stands in `results` and in a line of `jsonl`."""
    return _plain(_row(result, language, zone, voice))


def jsonl(scan: Scan, language: str, voice: Voice = CHECK_TEXTS) -> Iterator[str]:
    """One line per result, then one for the scan; without line ends."""
    for row in _rows(scan, language, voice):
        yield _text(row)
    yield _text(ScanTail(scan=_head(scan), targets=scan.targets))


def report_json(report: Report) -> dict[str, Any]:
    """The figures of the page as plain values, `sauro.report/1`."""
    return _plain(report)


def encode(document: dict[str, Any]) -> bytes:
    """Plain values as indented UTF-8 JSON with a final line end."""
    return msgspec.json.format(msgspec.json.encode(document), indent=1) + b"\n"


def scan_schema() -> dict[str, Any]:
    """JSON Schema of `sauro.scan/1`."""
    return msgspec.json.schema(ScanDocument)


def report_schema() -> dict[str, Any]:
    """JSON Schema of `sauro.report/1`."""
    return msgspec.json.schema(Report)


def _head(scan: Scan) -> ScanHead:
    info = scan.info
    return ScanHead(
        id=info.id,
        started=info.started,
        finished=info.finished,
        tool=info.tool,
        legal_basis=info.legal_basis,
        complete=info.complete,
        selection={f: getattr(info.selection, f) for f in Selection.__struct_fields__},
        planned=info.planned,
        judged=info.judged,
        simulated=info.simulated,
        timezone=info.timezone,
        coverage_floor=info.coverage_floor,
        documents_until=info.documents_until,
        documents_ended=info.documents_ended,
    )


def _rows(scan: Scan, language: str, voice: Voice) -> Iterator[ResultRow]:
    zone = ZoneInfo(scan.info.timezone)
    for result in scan.results:
        yield _row(result, language, zone, voice)


def _row(result: Result, language: str, zone: ZoneInfo, voice: Voice) -> ResultRow:
    return ResultRow(
        check=result.check,
        unit=result.unit,
        system=result.system,
        target=result.target,
        subject=result.subject,
        status=result.status,
        severity=result.severity,
        summary=voice.sentence(result.message, language, zone),
        message=result.message,
        detail={k: v for k, v in result.detail.items() if k != WENT},
        failure=result.failure,
        evidence=result.evidence,
        waiver=result.waiver,
        fingerprint=result.fingerprint,
    )


def _text(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode("utf-8")


def _plain(value: msgspec.Struct) -> dict[str, Any]:
    # Through JSON and back: times become text and a number that JSON cannot say becomes null.
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(value))
    return plain
