"""Do documents go through the electronic system, in time, with receipts, and only there?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvents, Place, SourceKind
from checks.documents.evidence import DOCUMENTS, MAILS, ROUTES
from checks.documents.grading import SENDER_UNCLEAR
from checks.documents.judged import (
    LISTED,
    Judged,
    PeriodOptions,
    common_detail,
    iso,
    judged,
    refuse_routes,
    refuse_unread,
    sender_unknown,
)
from checks.documents.packed import events_about
from checks.documents.pairs import RECEIVED, Bypass, Pair, Result
from checks.documents.reached import reached
from checks.documents.traces import mail_line, put_lines, secrets_of, traced
from checks.evidence import FailureKind
from checks.model import (
    Context,
    Scope,
    Severity,
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


class RoutedOptions(PeriodOptions, frozen=True):
    """Options of `documents.routed`, its target in percent.

    Of the latest `went` pairs that simply went through the lines are kept, to be explained.
    """

    target: int = HOUSE_TARGET
    went: int = 2000


class BypassOptions(PeriodOptions, frozen=True):
    """Options of `documents.bypass`."""

    header_share: int = 80
    """Percent of mails whose headers must be logged before silence means anything."""


class ShareOptions(PeriodOptions, frozen=True):
    """Options of `documents.receipts` and `documents.timely`; percent."""

    target: int = HOUSE_TARGET


class TimelyOptions(ShareOptions, frozen=True):
    """Options of `documents.timely`."""

    days: int = 1
    """Working days after the document's date: the same or the next one."""


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
    refuse_routes(events)
    seen = judged(ctx, events, options)
    matching, coverage = seen.matching, seen.coverage
    said = ctx.subject.unit.documents or Documents()
    target = said.target if said.target is not None else options.target
    detail = {
        "numerator": matching.routed,
        "denominator": matching.due,
        "coverage": round(coverage.routes, 4),
        "target": target,
        "target_source": "unit" if said.target is not None else "house_default",
        **common_detail(seen),
        **traced(ctx, events, seen, options.went),
    }
    cannot = _cannot_tell(ctx, seen, "documents.routed", detail)
    if cannot is not None:
        yield cannot
    elif not matching.due:
        yield _nothing_due(ctx, seen, detail)
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


def _cannot_tell(ctx: Context, seen: Judged, own: str, detail: dict[str, Any]) -> Verdict | None:
    """Why a share of pairs means nothing, if so."""
    unclear = sender_unknown(ctx, seen, own, detail)
    if unclear is not None:
        return unclear
    coverage = seen.coverage.routes
    if coverage * 100 >= ctx.coverage_floor:
        return None
    floor = ctx.coverage_floor / 100
    return unknown(
        FailureKind.TRUNCATED, f"{own}.cannot-tell", detail, coverage=coverage, floor=floor
    )


def _nothing_due(ctx: Context, seen: Judged, detail: dict[str, Any]) -> Verdict:
    """No pair is due: proven by a register that names no agency, or not to be told."""
    counts = seen.matching.counts
    if not ctx.subject.inventory.agencies:
        return unknown(FailureKind.NOT_DECLARED, "documents.routed.no-directory", detail)
    if counts["pending"]:
        return unknown(
            FailureKind.STALE, "documents.routed.pending", detail, pending=counts["pending"]
        )
    none = not_applicable("documents.routed.nothing-due", documents=counts.get("documents", 0))
    return msgspec.structs.replace(none, detail=detail)


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
    refuse_routes(events)
    if all(s.failure is not None for s in events.of(SourceKind.MAIL)):
        refuse_unread(events.of(SourceKind.MAIL))
    seen = judged(ctx, events, options)
    matching, coverage = seen.matching, seen.coverage
    share = events.header_share
    found = matching.bypasses
    told = _hidden(ctx, events, found)
    detail = {
        "total": len(found),
        "bypasses": [_shown(b) for b in told[:LISTED]],
        "coverage": round(coverage.all, 4),
        "headers_logged": None if share is None else round(share, 4),
        **common_detail(seen),
        **({"hashed_with": ctx.pseudonyms.name} if ctx.pseudonyms else {}),
        **reached(told),
    }
    if found:
        secret = sum(b.secret for b in found)
        say = "documents.bypass.secret" if secret else "documents.bypass.found"
        severity = Severity.CRITICAL if secret else None
        yield failed(say, detail, severity, total=len(found), secret=secret)
    else:
        yield _none_found(ctx, events, seen, detail)


def _none_found(  # noqa: PLR0911 - one line for each reason reads best
    ctx: Context, events: DocumentEvents, seen: Judged, detail: dict[str, Any]
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
    if not Directory.of(ctx.subject.inventory, ctx.subject.unit).knows_mail:
        return unknown(FailureKind.NOT_DECLARED, "documents.bypass.no-directory", detail)
    coverage = seen.coverage
    unaddressed = sum(s.unaddressed for s in events.of(SourceKind.MAIL))
    if unaddressed:
        say = "documents.bypass.unaddressed"
        return unknown(FailureKind.TRUNCATED, say, detail, mails=unaddressed)
    unclear = sender_unknown(ctx, seen, "documents.bypass", detail)
    if unclear is not None:
        return unclear
    shared = seen.matching.counts.get(SENDER_UNCLEAR, 0)
    if shared:
        say = "documents.bypass.shared-domain"
        return unknown(FailureKind.NOT_DECLARED, say, detail, mails=shared)
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


def _hidden(ctx: Context, events: DocumentEvents, found: tuple[Bypass, ...]) -> tuple[Bypass, ...]:
    """What may be told of each: nothing when any line says that the document is secret."""
    if not found:
        return ()
    secrets = secrets_of((b.key for b in found), events, ctx.zone)
    # What nobody registered is known by its number alone.
    loose = {b.key.series for b in found if b.result is Result.UNREGISTERED}
    marked = {
        event.key.series
        for event in events_about(events.events, loose)
        if event.mail is not None and event.mail.secret
    }
    return tuple(
        msgspec.structs.replace(
            b,
            secret=b.secret
            or b.key in secrets
            or (b.result is Result.UNREGISTERED and b.key.series in marked),
        )
        for b in found
    )


def _shown(bypass: Bypass) -> dict[str, Any]:
    """One bypass as evidence; of a secret only the day and the hash of the line."""
    place = bypass.mail.place
    if bypass.secret:
        return {"secret": True, "date": bypass.mail.day.isoformat(), "sha256": place.sha256}
    shown: dict[str, Any] = {
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
    if bypass.mail.mailboxes:
        shown["mailboxes"] = list(bypass.mail.mailboxes)
    put_lines(shown, "also", [mail_line(m) for m in bypass.others])
    return shown


@check(
    "documents.receipts",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2.d, 21.2", "QCVN 102:2016"),
    options=ShareOptions,
).needs(ROUTES, DOCUMENTS)
def receipts(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Share of what was sent that came back with a receipt; lists what did not."""
    options = ctx.opt(ShareOptions)
    refuse_routes(events)
    seen = judged(ctx, events, options)
    counts = seen.matching.counts
    lacking = [
        pair
        for pair in seen.matching.pairs
        if pair.result in {Result.SENT_NO_RECEIPT, Result.REFUSED}
    ]
    total = sum(counts[r.value] for r in RECEIVED) + len(lacking)
    shown = _pairs_shown(ctx, events, lacking)
    detail = _share_detail(seen, options, (total - len(lacking), total), shown, len(lacking))
    args = {
        "without": counts[Result.SENT_NO_RECEIPT.value],
        "refused": counts[Result.REFUSED.value],
    }
    yield _share_verdict(ctx, seen, "documents.receipts", detail, args)


@check(
    "documents.timely",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2.c, 18.1", "Decision 28/2018"),
    options=TimelyOptions,
).needs(ROUTES, DOCUMENTS)
def timely(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Share of what was sent that left on the day of the document or the next working day."""
    options = ctx.opt(TimelyOptions)
    refuse_routes(events)
    seen = judged(ctx, events, options)
    sent = late = 0
    shown: list[Pair] = []
    for pair in seen.matching.pairs:
        # What was taken back may have been sent anew on paper or not at all: no time to judge.
        if pair.sent is None or pair.result in {Result.REVOKED, Result.EXEMPT}:
            continue
        sent += 1
        if pair.sent > seen.calendar.after(pair.date, options.days):
            late += 1
            shown.append(pair)
    shown.sort(key=lambda p: (p.date - (p.sent or p.date), str(p.key), p.recipient))
    listed = _pairs_shown(ctx, events, shown)
    detail = _share_detail(seen, options, (sent - late, sent), listed, late)
    yield _share_verdict(ctx, seen, "documents.timely", detail, {"late": late})


def _share_detail(
    seen: Judged,
    options: ShareOptions,
    share: tuple[int, int],
    listed: list[dict[str, Any]],
    lacking: int,
) -> dict[str, Any]:
    return {
        "numerator": share[0],
        "denominator": share[1],
        "coverage": round(seen.coverage.routes, 4),
        "target": options.target,
        "total": lacking,
        "pairs": listed,
        **common_detail(seen),
    }


def _pairs_shown(ctx: Context, events: DocumentEvents, pairs: list[Pair]) -> list[dict[str, Any]]:
    """The first of some pairs as evidence; of a secret only the day and the hash of a line."""
    listed = pairs[:LISTED]
    secrets = secrets_of((p.key for p in listed), events, ctx.zone) if listed else {}
    return [_pair_shown(pair, secrets.get(pair.key)) for pair in listed]


def _pair_shown(pair: Pair, secret: Place | None) -> dict[str, Any]:
    if secret is not None:
        return {"secret": True, "date": pair.date.isoformat(), "sha256": secret.sha256}
    return {
        "key": str(pair.key),
        "date": pair.date.isoformat(),
        "sent": iso(pair.sent),
        "recipient": pair.recipient,
        "result": pair.result.value,
    }


def _share_verdict(
    ctx: Context, seen: Judged, own: str, detail: dict[str, Any], args: dict[str, int]
) -> Verdict:
    """A share of what was sent against its target; percent."""
    cannot = _cannot_tell(ctx, seen, own, detail)
    if cannot is not None:
        return cannot
    good, total = detail["numerator"], detail["denominator"]
    if not total:
        return not_applicable(f"{own}.nothing-sent", documents=seen.matching.counts["documents"])
    said = {
        "numerator": good,
        "denominator": total,
        "rate": good / total,
        "target": detail["target"] / 100,
        "coverage": detail["coverage"],
        **args,
    }
    if good * 100 >= detail["target"] * total:
        return passed(f"{own}.enough", detail, **said)
    return failed(f"{own}.short", detail, None, **said)


CHECKS = (routed, bypass, receipts, timely)
