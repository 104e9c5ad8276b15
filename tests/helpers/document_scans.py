"""Stored-looking scans of one ward's correspondence, judged by the real checks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from checks.documents import completeness, entries, registers, routing, secrecy
from checks.documents.events import DocumentEvents
from checks.evidence import Unparsable
from checks.model import Check, Subject, Verdict, unknown
from checks.results import Result, Scan, ScanInfo, fingerprint
from inventory.model import Selection
from tests.helpers.correspondence import NOW
from tests.helpers.document_events import said

CHECKS: tuple[Check, ...] = (
    *completeness.CHECKS,
    *routing.CHECKS,
    *registers.CHECKS,
    *entries.CHECKS,
    *secrecy.CHECKS,
)


def row(check: Check, verdict: Verdict, subj: Subject) -> Result:
    """A verdict as the engine stores it."""
    mark = fingerprint(check.id, subj.unit.id, None, subj.target, verdict.subject)
    return Result(
        check=check.id,
        unit=subj.unit.id,
        system=None,
        target=subj.target,
        subject=verdict.subject,
        status=verdict.status,
        severity=verdict.severity or check.severity,
        message=verdict.message,
        detail=verdict.detail,
        failure=verdict.failure,
        fingerprint=mark,
    )


def rows(
    events: DocumentEvents, subj: Subject, now: dt.datetime = NOW, **options: Any
) -> list[Result]:
    """Every row of the documents checks about these events."""
    found: list[Result] = []
    for check in CHECKS:
        try:
            verdicts = said(check, events, subj, now, **options.get(check.id, {}))
        except Unparsable as e:
            verdicts = [unknown(e.kind, f"{check.id}.none")]
        found += [row(check, verdict, subj) for verdict in verdicts]
    return found


def scan(
    results: Iterable[Result], subj: Subject, now: dt.datetime = NOW, scan_id: str = "scan-1"
) -> Scan:
    """A finished scan of these rows."""
    results = tuple(results)
    info = ScanInfo(
        id=scan_id,
        started=now,
        finished=now + dt.timedelta(minutes=1),
        tool="sauro 0",
        legal_basis=2026,
        timezone="Asia/Ho_Chi_Minh",
        selection=Selection(),
        complete=True,
        planned=len(results),
        judged=len(results),
    )
    return Scan(info=info, inventory=subj.inventory, results=results)
