"""Do official documents go through the electronic system? Three checks of a unit."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any, Literal

from checks.documents.agencies import Directory
from checks.documents.calendar import Calendar
from checks.documents.coverage import Coverage, Period, coverage_of, covered
from checks.documents.events import ROUTE_KINDS, DocumentEvents, SourceKind, SourceReport
from checks.documents.evidence import DOCUMENTS, MAILS, ROUTES
from checks.documents.matching import match
from checks.documents.pairs import Bypass, Matching, Rules
from checks.evidence import FailureKind, Unparsable
from checks.model import (
    Context,
    Message,
    Options,
    Scope,
    Severity,
    Status,
    Verdict,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from inventory.model import Documents

HOUSE_TARGET = 95
"""Percent of due pairs that must be routed where the unit set no target of its own."""
_LISTED = 50
"""Bypasses listed in one row; the total is always said."""


class PeriodOptions(Options, frozen=True):
    """What period is judged and how silence is read; days."""

    period_days: int = 30
    bridge_days: int = 7
    """Empty days in a register or gateway export that are no gap."""
    mail_bridge_days: int = 2
    """Empty days in a mail log that are no gap."""
    send_days: int = 5
    settle_days: int = 1
    """Working days before a missing row or receipt counts."""


class RoutedOptions(PeriodOptions, frozen=True):
    """Options of `documents.routed`; percent."""

    target: int = HOUSE_TARGET


class BypassOptions(PeriodOptions, frozen=True):
    """Options of `documents.bypass`."""

    header_share: int = 80
    """Percent of mails whose headers must be logged before silence means anything."""
    large_bytes: int = 30_000


class EvidenceOptions(PeriodOptions, frozen=True):
    """Options of `documents.evidence-complete`."""

    severity: Literal["minor", "major"] = "minor"
    stale_days: int = 7
    header_share: int = 80


@check(
    "documents.evidence-complete",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2, 22", "Decision 28/2018"),
    options=EvidenceOptions,
).needs(DOCUMENTS)
def evidence_complete(ctx: Context, events: DocumentEvents) -> Iterator[Verdict]:
    """One row for each kind of source: is it there, fresh, and does it cover the period?"""
    for kind in SourceKind:
        sources = events.of(kind)
        if not sources and kind in ROUTE_KINDS:
            severity = Severity(ctx.opt(EvidenceOptions).severity)
            said = _message(f"missing-{kind.value}")
            yield _part(kind.value, failed(said, {"source": kind.value}, severity))
        for source in sources:
            name = kind.value if len(sources) == 1 else f"{kind.value} {source.name}"
            yield _part(name, _source_verdict(ctx, source))


def _source_verdict(ctx: Context, source: SourceReport) -> Verdict:
    options = ctx.opt(EvidenceOptions)
    if source.failure is not None:
        said = Message(
            id=_message("unreadable"), args={"source": source.name, "what": source.failure.detail}
        )
        return Verdict(
            status=Status.UNKNOWN,
            message=said,
            detail={"source": source.name},
            failure=source.failure,
        )
    severity = Severity(options.severity)
    period = _period(ctx, options)
    days = Calendar.of(ctx.subject.inventory)
    mail = source.kind is SourceKind.MAIL
    bridge = options.mail_bridge_days if mail else options.bridge_days
    share = len(covered(source.days, period, bridge, days)) / len(period.days)
    detail = _source_detail(source, share)
    if source.last is None:
        return failed(_message("empty"), detail, severity, source=source.name)
    last = source.last.isoformat()
    if ctx.now - source.last > dt.timedelta(days=options.stale_days):
        return failed(_message("stale"), detail, severity, source=source.name, last=last)
    if share * 100 < ctx.coverage_floor:
        limit = ctx.coverage_floor / 100
        return failed(
            _message("gaps"), detail, severity, source=source.name, share=share, limit=limit
        )
    mails = source.mails + source.dropped
    if mail and mails and source.mails_with_headers * 100 < options.header_share * mails:
        seen = source.mails_with_headers / mails
        return failed(_message("headers"), detail, severity, source=source.name, share=seen)
    return passed(_message("complete"), detail, source=source.name, last=last, share=share)


def _source_detail(source: SourceReport, share: float) -> dict[str, Any]:
    return {
        "source": source.name,
        "coverage": round(share, 4),
        "first": _iso(source.first),
        "last": _iso(source.last),
        "files": source.files,
        "duplicate_files": source.duplicates,
        "lines": source.lines,
        "unparsed": source.unparsed,
        "repeated": source.repeated,
        "dropped": source.dropped,
        "mails": source.mails,
        "mails_with_headers": source.mails_with_headers,
    }


@check(
    "documents.routed",
    Scope.UNIT,
    Severity.MAJOR,
    controls=("Decree 30/2020 Art. 4.2, 18.1, 21.2", "Decision 28/2018", "QCVN 102:2016"),
    options=RoutedOptions,
).needs(ROUTES, DOCUMENTS)
def routed(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Share of due (document, agency) pairs that are on the gateway with a receipt."""
    options = ctx.opt(RoutedOptions)
    _refuse_unread(events, (SourceKind.REGISTER, SourceKind.GATEWAY))
    matching, coverage = _judged(ctx, events, options, Rules().large)
    said = ctx.subject.unit.documents or Documents()
    target = said.target if said.target is not None else options.target
    detail = {
        "numerator": matching.routed,
        "denominator": matching.due,
        "coverage": round(coverage.routes, 4),
        "target": target,
        "target_source": "unit" if said.target is not None else "house_default",
        **_common_detail(ctx, options, matching, coverage),
    }
    args = {"coverage": coverage.routes, "floor": ctx.coverage_floor / 100}
    if coverage.routes * 100 < ctx.coverage_floor:
        yield unknown(FailureKind.TRUNCATED, "documents.routed.cannot-tell", detail, **args)
    elif not matching.due:
        yield _nothing_due(ctx, matching, detail)
    else:
        rate = matching.routed / matching.due
        enough = matching.routed * 100 >= target * matching.due
        args = {
            "numerator": matching.routed,
            "denominator": matching.due,
            "rate": rate,
            "target": target / 100,
            "coverage": coverage.routes,
        }
        say = passed("documents.routed.enough", detail, **args)
        yield say if enough else failed("documents.routed.short", detail, None, **args)


def _nothing_due(ctx: Context, matching: Matching, detail: dict[str, Any]) -> Verdict:
    """No pair is due: proven by a register that names no agency, or not to be told."""
    counts = matching.counts
    if not ctx.subject.inventory.agencies:
        return unknown(FailureKind.NOT_DECLARED, "documents.routed.no-directory", detail)
    if counts["pending"]:
        return unknown(
            FailureKind.STALE, "documents.routed.pending", detail, pending=counts["pending"]
        )
    return not_applicable("documents.routed.nothing-due", documents=counts.get("documents", 0))


@check(
    "documents.bypass",
    Scope.UNIT,
    Severity.MAJOR,
    controls=("Decree 30/2020 Art. 4.2, 19.2", "Decision 28/2018"),
    options=BypassOptions,
).needs(ROUTES, MAILS, DOCUMENTS)
def bypass(ctx: Context, _: None, __: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Mails of grade A or B that carried a document to an agency without the gateway."""
    options = ctx.opt(BypassOptions)
    _refuse_unread(events, (SourceKind.REGISTER, SourceKind.GATEWAY))
    if all(s.failure is not None for s in events.of(SourceKind.MAIL)):
        _refuse_unread(events, (SourceKind.MAIL,))
    matching, coverage = _judged(ctx, events, options, options.large_bytes)
    share = events.header_share
    found = matching.bypasses
    detail = {
        "total": len(found),
        "bypasses": [_shown(b) for b in found[:_LISTED]],
        "coverage": round(coverage.all, 4),
        "headers_logged": None if share is None else round(share, 4),
        **_common_detail(ctx, options, matching, coverage),
    }
    if found:
        secret = sum(b.secret for b in found)
        say = "documents.bypass.secret" if secret else "documents.bypass.found"
        severity = Severity.CRITICAL if secret else None
        yield failed(say, detail, severity, total=len(found), secret=secret)
    else:
        yield _none_found(ctx, events, coverage, detail)


def _none_found(
    ctx: Context, events: DocumentEvents, coverage: Coverage, detail: dict[str, Any]
) -> Verdict:
    """Nothing found is only a pass when a bypass would have been seen."""
    options = ctx.opt(BypassOptions)
    share = events.header_share
    unread = next((s for s in events.of(SourceKind.MAIL) if s.failure is not None), None)
    if unread is not None and unread.failure is not None:
        say = "documents.bypass.partly"
        return unknown(unread.failure.kind, say, detail, source=unread.name)
    if share is None:
        return unknown(FailureKind.TRUNCATED, "documents.bypass.no-mail", detail)
    if share * 100 < options.header_share:
        return unknown(FailureKind.TRUNCATED, "documents.bypass.blind", detail, share=share)
    if not Directory(ctx.subject.inventory.agencies, ctx.subject.unit).knows_mail:
        return unknown(FailureKind.NOT_DECLARED, "documents.bypass.no-directory", detail)
    if coverage.all * 100 < ctx.coverage_floor:
        return unknown(
            FailureKind.TRUNCATED,
            "documents.bypass.cannot-tell",
            detail,
            coverage=coverage.all,
            floor=ctx.coverage_floor / 100,
        )
    mails = sum(s.mails for s in events.of(SourceKind.MAIL))
    return passed("documents.bypass.none", detail, mails=mails, coverage=coverage.all)


def _shown(bypass: Bypass) -> dict[str, Any]:
    """One bypass as evidence; of a secret only the day and the hash of the line."""
    place = bypass.mail.place
    if bypass.secret:
        return {"secret": True, "date": bypass.mail.day.isoformat(), "sha256": place.sha256}
    return {
        "key": str(bypass.key),
        "result": bypass.result.value,
        "grade": bypass.mail.grade.value,
        "date": bypass.date.isoformat() if bypass.date else None,
        "mailed": bypass.mail.time.isoformat(),
        "recipient": bypass.recipient,
        "place": f"{place.file}:{place.line}",
        "queue_id": place.ref,
        "sha256": place.sha256,
    }


def _judged(
    ctx: Context, events: DocumentEvents, options: PeriodOptions, large: int
) -> tuple[Matching, Coverage]:
    directory = Directory(ctx.subject.inventory.agencies, ctx.subject.unit)
    period = _period(ctx, options)
    rules = Rules(send_days=options.send_days, settle_days=options.settle_days, large=large)
    days = Calendar.of(ctx.subject.inventory)
    coverage = coverage_of(events, period, options.bridge_days, options.mail_bridge_days, days)
    return match(events, directory, period, rules, ctx.zone, days), coverage


def _period(ctx: Context, options: PeriodOptions) -> Period:
    return Period.before(ctx.now.astimezone(ctx.zone).date(), options.period_days)


def _common_detail(
    ctx: Context, options: PeriodOptions, matching: Matching, coverage: Coverage
) -> dict[str, Any]:
    period = _period(ctx, options)
    return {
        "period": [period.start.isoformat(), period.end.isoformat()],
        "counts": matching.counts,
        "covered": {
            "register": round(coverage.register, 4),
            "gateway": round(coverage.gateway, 4),
            "mail": round(coverage.mail, 4),
        },
        "gaps": coverage.gaps,
    }


def _refuse_unread(events: DocumentEvents, kinds: Iterable[SourceKind]) -> None:
    """A source that was there but could not be read forbids a judgement; names file and line."""
    for kind in kinds:
        for source in events.of(kind):
            if source.failure is not None:
                raise Unparsable(source.failure.detail)


def _message(name: str) -> str:
    return f"documents.evidence-complete.{name}"


def _part(subject: str, verdict: Verdict) -> Verdict:
    return Verdict(
        status=verdict.status,
        message=verdict.message,
        detail=verdict.detail,
        severity=verdict.severity,
        failure=verdict.failure,
        subject=subject,
    )


def _iso(time: dt.datetime | None) -> str | None:
    return None if time is None else time.isoformat()


CHECKS = (evidence_complete, routed, bypass)
