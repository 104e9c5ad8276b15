"""Is the evidence itself whole? What is missing, out of date, full of gaps, blind or misdated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from checks.documents.calendar import Calendar
from checks.documents.coverage import BESIDE, covered
from checks.documents.events import ROUTE_KINDS, DocumentEvents, SourceKind, SourceReport
from checks.documents.evidence import DOCUMENTS, MAILS
from checks.documents.judged import LISTED, PeriodOptions, iso, period_of
from checks.documents.retention import LINES_CHANGED
from checks.documents.rotation import missing_files
from checks.documents.silence import silent_days, silent_hours
from checks.evidence import FailureKind
from checks.model import (
    Arg,
    Context,
    Message,
    Options,
    Scope,
    Severity,
    Status,
    Verdict,
    check,
    failed,
    passed,
    unknown,
)


class EvidenceOptions(PeriodOptions, frozen=True):
    """Options of `documents.evidence-complete`."""

    severity: Literal["minor", "major"] = "minor"
    stale_days: int = 7


class VisibleOptions(Options, frozen=True):
    """Options of `documents.mail-visible`."""

    header_share: int = 80
    """Percent of mails whose headers must be logged before silence means anything."""


class GapOptions(PeriodOptions, frozen=True):
    """Options of `documents.log-gap`: days that are a gap are more than `mail_bridge_days`."""

    silent_hours: int = 3
    """Hours without a line, on a working day, in which this log otherwise always has some."""


class ClockOptions(Options, frozen=True):
    """Options of `documents.log-clock`."""

    ahead: dt.timedelta = dt.timedelta(minutes=5)
    """How far a log may be ahead of the scanner's clock."""


@check(
    "documents.evidence-complete",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2, 22", "Decision 28/2018"),
    options=EvidenceOptions,
).needs(DOCUMENTS)
def evidence_complete(ctx: Context, events: DocumentEvents) -> Iterator[Verdict]:
    """One row for each source: is it there, fresh, and does it cover the period?"""
    for kind in SourceKind:
        sources = events.of(kind)
        # What came in, or how the exchange worked, is no list of what was sent.
        whole = [s for s in sources if s.key not in BESIDE]
        if not whole and kind in ROUTE_KINDS:
            severity = Severity(ctx.opt(EvidenceOptions).severity)
            said = _message(f"missing-{kind.value}")
            yield _part(kind.value, failed(said, {"source": kind.value}, severity))
        for source in sources:
            yield _part(_name(source, events), _source_verdict(ctx, source))


def _name(source: SourceReport, events: DocumentEvents) -> str:
    """What a source's row is called: its kind, else its key, with its name when there are more."""
    kind = source.kind.value
    if len(events.of(source.kind)) == 1 and source.key not in BESIDE:
        return kind
    alone = bool(source.key) and len(events.under(source.key)) == 1
    return source.key if alone else f"{source.key or kind} {source.name}"


def _unread(message: str, source: SourceReport) -> Verdict | None:
    if source.failure is None:
        return None
    args: dict[str, Arg] = {"source": source.name, "what": source.failure.detail}
    return Verdict(
        status=Status.UNKNOWN,
        message=Message(id=message, args=args),
        detail={"source": source.name},
        failure=source.failure,
    )


def _source_verdict(ctx: Context, source: SourceReport) -> Verdict:
    unread = _unread(_message("unreadable"), source)
    if unread is not None:
        return unread
    options = ctx.opt(EvidenceOptions)
    severity = Severity(options.severity)
    period = period_of(ctx, options)
    mail = source.kind is SourceKind.MAIL
    bridge = options.mail_bridge_days if mail else options.bridge_days
    days = covered(source.days, period, bridge, Calendar.of(ctx.subject.inventory))
    share = len(days) / len(period.days)
    detail = _source_detail(source, share)
    if source.kind in (SourceKind.POSTAL, SourceKind.MAILBOX):
        # A good month has no letters at all, and a box shows one desk: silence is no gap here.
        return passed(_message("read"), detail, source=source.name, lines=source.lines)
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
    return passed(_message("complete"), detail, source=source.name, last=last, share=share)


def _source_detail(source: SourceReport, share: float) -> dict[str, Any]:
    return {
        "source": source.name,
        "coverage": round(share, 4),
        "first": iso(source.first),
        "last": iso(source.last),
        "files": source.files,
        "duplicate_files": source.duplicates,
        "lines": source.lines,
        "unparsed": source.unparsed,
        "repeated": source.repeated,
        "dropped": source.dropped,
        "mails": source.mails,
        "mails_with_headers": source.mails_with_headers,
        "mails_without_recipients": source.unaddressed,
        **source.extra,
    }


@check(
    "documents.mail-visible",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2", "Decision 28/2018"),
    options=VisibleOptions,
).needs(MAILS, DOCUMENTS)
def mail_visible(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Does each mail log show subjects and names of attachments, so that a bypass can be seen?"""
    for source in events.under("mail"):
        told = source.joined + source.mails + source.dropped
        if source.joined and source.joined * 100 >= ctx.opt(VisibleOptions).header_share * told:
            continue  # names for the mails of another log, and that one has its row
        yield _part(_name(source, events), _visible(ctx, source))


def _visible(ctx: Context, source: SourceReport) -> Verdict:  # noqa: PLR0911 - one for each sight
    own = "documents.mail-visible"
    unread = _unread(f"{own}.unreadable", source)
    if unread is not None:
        return unread
    mails = source.mails + source.dropped
    detail = {
        "source": source.name,
        "mails": source.mails,
        "dropped": source.dropped,
        "headers": source.mails_with_headers,
        "subjects": source.mails_with_subjects,
        "names": source.mails_with_names,
        "directive": "sauro documents sample",
    }
    if not mails:
        return unknown(FailureKind.TRUNCATED, f"{own}.no-mail", detail, source=source.name)
    share = source.mails_with_headers / mails
    said: dict[str, Arg] = {"source": source.name, "share": share}
    if source.mails_with_headers * 100 >= ctx.opt(VisibleOptions).header_share * mails:
        return passed(f"{own}.visible", detail, **said)
    if source.mails_with_headers:
        return failed(f"{own}.partly", detail, None, **said)
    if source.mails_with_subjects and source.mails_with_names:
        return failed(f"{own}.no-recipients", detail, None, **said)
    if source.mails_with_subjects:
        return failed(f"{own}.subjects-only", detail, None, **said)
    if source.mails_with_names:
        return failed(f"{own}.names-only", detail, None, **said)
    return failed(f"{own}.blind", detail, None, **said)


@check(
    "documents.log-gap",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2", "TCVN 14423:2026"),
    options=GapOptions,
).needs(MAILS, DOCUMENTS)
def log_gap(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Has a mail log that otherwise shows every day a hole, or does a rotated file lack?"""
    for source in events.under("mail"):
        yield _part(_name(source, events), _gap(ctx, source))


def _changed(message: str, source: SourceReport) -> Verdict | None:
    """Lines that an earlier scan read, and that a later one found changed or gone."""
    time = source.extra.get(LINES_CHANGED)
    if time is None:
        return None
    detail = {"source": source.name, "first": iso(source.first), "last": iso(source.last)}
    return failed(message, {**detail, LINES_CHANGED: time}, source=source.name, time=str(time))


def _gap(ctx: Context, source: SourceReport) -> Verdict:
    own, options = "documents.log-gap", ctx.opt(GapOptions)
    unjudged = _unread(f"{own}.unreadable", source) or _changed(f"{own}.changed", source)
    if unjudged is not None:
        return unjudged
    if source.first is None or len(source.days) < 2:
        return unknown(FailureKind.TRUNCATED, f"{own}.short", {"source": source.name},
                       source=source.name, days=len(source.days))  # fmt: skip
    calendar = Calendar.of(ctx.subject.inventory)
    holes = silent_days(source.days, calendar, options.mail_bridge_days)
    hours = silent_hours(source.hours, calendar, ctx.zone, options.silent_hours)
    lacking = missing_files(source.file_names)
    detail = {
        "source": source.name,
        "first": iso(source.first),
        "last": iso(source.last),
        "gaps": [[a.isoformat(), b.isoformat()] for a, b in holes[:LISTED]],
        "total": len(holes),
        "silent_hours": [[a.isoformat(), b.isoformat()] for a, b in hours[:LISTED]],
        "total_hours": len(hours),
        "missing_files": list(lacking[:LISTED]),
    }
    if holes:
        first, last = max(holes, key=lambda hole: hole[1] - hole[0])
        said: dict[str, Arg] = {"source": source.name, "total": len(holes)}
        ends = {"first": first.isoformat(), "last": last.isoformat()}
        return failed(f"{own}.silent", detail, None, **said, **ends)
    if hours:
        longest = max(hours, key=lambda run: run[1] - run[0])
        said = {"source": source.name, "total": len(hours)}
        times = {"first": longest[0].isoformat(), "last": longest[1].isoformat()}
        return failed(f"{own}.silent-hours", detail, None, **said, **times)
    if lacking:
        return failed(f"{own}.missing-file", detail, None, source=source.name, file=lacking[0])
    return passed(f"{own}.whole", detail, source=source.name, days=len(source.days))


@check(
    "documents.log-clock",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2", "TCVN 14423:2026"),
    options=ClockOptions,
).needs(MAILS, DOCUMENTS)
def log_clock(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Is a mail log ahead of the scanner's clock? Then its times prove nothing."""
    own = "documents.log-clock"
    for source in events.under("mail"):
        unread = _unread(f"{own}.unreadable", source)
        if unread is not None:
            verdict = unread
        elif source.last is None:
            verdict = unknown(
                FailureKind.TRUNCATED, f"{own}.no-mail", {"source": source.name}, source=source.name
            )
        else:
            verdict = _ahead(ctx, source, source.last)
        yield _part(_name(source, events), verdict)


def _ahead(ctx: Context, source: SourceReport, last: dt.datetime) -> Verdict:
    own = "documents.log-clock"
    ahead = (last - ctx.now).total_seconds()
    detail = {"source": source.name, "last": iso(last), "ahead_seconds": max(0, round(ahead))}
    if ahead > ctx.opt(ClockOptions).ahead.total_seconds():
        said: dict[str, Arg] = {"source": source.name, "ahead": ahead, "last": last.isoformat()}
        return failed(f"{own}.future", detail, None, **said)
    return passed(f"{own}.past", detail, source=source.name, last=last.isoformat())


def _message(name: str) -> str:
    return f"documents.evidence-complete.{name}"


def _part(subject: str, verdict: Verdict) -> Verdict:
    return msgspec.structs.replace(verdict, subject=subject)


CHECKS = (evidence_complete, mail_visible, log_gap, log_clock)
