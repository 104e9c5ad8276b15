"""Are the registers true? Numbers without gaps, nothing unregistered, arrivals entered in time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checks.documents.agencies import Directory
from checks.documents.arrivals import Arrival, State, arrivals_of
from checks.documents.calendar import Calendar
from checks.documents.coverage import covered
from checks.documents.events import DocumentEvents, SourceKind
from checks.documents.evidence import ARRIVALS, BOOK, DOCUMENTS, ROUTES
from checks.documents.flows import OTHERS, Flow, flows_of, partner_code, untold
from checks.documents.judged import (
    LISTED,
    PeriodOptions,
    common_detail,
    iso,
    judged,
    period_of,
    refuse_routes,
    refuse_unread,
    sender_unknown,
)
from checks.documents.kinds import kind_of
from checks.documents.lookup import Document, Documents
from checks.documents.pairs import Unlisted
from checks.documents.series import Faults, faults_of, series_of
from checks.documents.traces import secrets_of
from checks.evidence import FailureKind
from checks.model import (
    Arg,
    Context,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    passed,
    unknown,
)


class NumberingOptions(PeriodOptions, frozen=True):
    """Options of `documents.numbering`."""

    gaps: int = 0
    """Missing numbers of a year that are let pass."""
    disordered: int = 0
    """Documents out of the order of their dates that are let pass."""


class ArrivalOptions(PeriodOptions, frozen=True):
    """Options of `documents.incoming-registered`."""

    days: int = 1
    """Working days after the delivery: the same or the next one."""
    target: int = 95
    """Percent of deliveries that must be registered in time."""


@check(
    "documents.numbering",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 15",),
    options=NumberingOptions,
).needs(BOOK, DOCUMENTS)
def numbering(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Do the numbers of each year run from 1, once each, in the order of the dates?"""
    own, options = "documents.numbering", ctx.opt(NumberingOptions)
    refuse_unread(events.of(SourceKind.REGISTER))
    period = period_of(ctx, options)
    documents = Documents(events.events, ctx.zone)
    years = {period.start.year, period.end.year}
    judged_ones = [d for d in documents.all() if d.key.year in years]
    if not judged_ones:
        yield unknown(FailureKind.TRUNCATED, f"{own}.empty", {"years": sorted(years)})
        return
    begins = min(d.date for d in documents.all())
    found = [faults_of(s, begins) for s in series_of(judged_ones)]
    bridged = [
        covered(s.days, period, options.bridge_days, Calendar.of(ctx.subject.inventory))
        for s in events.of(SourceKind.REGISTER)
    ]
    share = len(frozenset().union(*bridged)) / len(period.days)
    twice = [d for f in found for d in f.duplicates]
    listed = _twice_shown(ctx, events, twice[:LISTED])
    yield _numbered(ctx, found, share, (len(judged_ones), len(twice), listed))


def _twice_shown(
    ctx: Context, events: DocumentEvents, twice: list[Document]
) -> list[dict[str, Any]]:
    """Numbers given twice as evidence; of a secret only the day and the hash of a line."""
    secrets = secrets_of((d.key for d in twice), events, ctx.zone) if twice else {}
    return [
        {"secret": True, "date": iso(d.date), "sha256": secrets[d.key].sha256}
        if d.key in secrets
        else {"key": str(d.key), "dates": [iso(d.date), iso(d.other)]}
        for d in twice
    ]


def _numbered(
    ctx: Context,
    found: list[Faults],
    share: float,
    counted: tuple[int, int, list[dict[str, Any]]],
) -> Verdict:
    own, options = "documents.numbering", ctx.opt(NumberingOptions)
    documents, twice, listed = counted
    missing = sum(f.missing for f in found)
    disordered = sum(f.disordered for f in found)
    unstarted = [f for f in found if not f.restarted]
    detail = {
        "documents": documents,
        "missing": missing,
        "duplicates": listed,
        "total_duplicates": twice,
        "disordered": disordered,
        "not_restarted": [f"{f.series.name} {f.series.year}" for f in unstarted[:LISTED]],
        "series": [_series_shown(f) for f in found[:LISTED]],
        "coverage": round(share, 4),
    }
    said: dict[str, Arg] = {"documents": documents, "missing": missing, "disordered": disordered}
    if twice:
        return failed(f"{own}.twice", detail, Severity.MAJOR, twice=twice, **said)
    if missing > options.gaps:
        return failed(f"{own}.gaps", detail, None, **said)
    if unstarted:
        return failed(f"{own}.not-restarted", detail, None, series=unstarted[0].series.name)
    if disordered > options.disordered:
        return failed(f"{own}.disordered", detail, None, **said)
    if share * 100 < ctx.coverage_floor:
        floor = ctx.coverage_floor / 100
        say = f"{own}.cannot-tell"
        return unknown(FailureKind.TRUNCATED, say, detail, coverage=share, floor=floor)
    return passed(f"{own}.whole", detail, documents=documents, series=len(found))


def _series_shown(faults: Faults) -> dict[str, Any]:
    numbers = faults.series.numbers
    return {
        "signs": faults.series.name,
        "year": faults.series.year,
        "first": min(numbers),
        "last": max(numbers),
        "gaps": [str(a) if a == b else f"{a}–{b}" for a, b in faults.gaps[:LISTED]],
        "total_gaps": len(faults.gaps),
        "missing": faults.missing,
    }


@check(
    "documents.unregistered",
    Scope.UNIT,
    Severity.MAJOR,
    controls=("Decree 30/2020 Art. 4.2.b, 15, 18.1",),
    options=PeriodOptions,
).needs(ROUTES, DOCUMENTS)
def unregistered(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Own numbers on the gateway or in mail that the register lacks."""
    own, options = "documents.unregistered", ctx.opt(PeriodOptions)
    refuse_routes(events)
    seen = judged(ctx, events, options)
    found = seen.matching.unlisted
    detail = {
        "total": len(found),
        "documents": [_unlisted_shown(u) for u in found[:LISTED]],
        "coverage": round(seen.coverage.routes, 4),
        **common_detail(seen),
    }
    unclear = sender_unknown(ctx, seen, own, detail)
    if unclear is not None:
        yield unclear
    elif found:
        yield failed(f"{own}.found", detail, None, total=len(found))
    elif seen.coverage.routes * 100 < ctx.coverage_floor:
        said: dict[str, Arg] = {
            "coverage": seen.coverage.routes,
            "floor": ctx.coverage_floor / 100,
        }
        yield unknown(FailureKind.TRUNCATED, f"{own}.cannot-tell", detail, **said)
    else:
        yield passed(f"{own}.none", detail, coverage=seen.coverage.routes)


def _unlisted_shown(found: Unlisted) -> dict[str, Any]:
    """One number as evidence; of a secret only the day and the hash of the line."""
    place = found.place
    if found.secret:
        return {"secret": True, "date": iso(found.day), "sha256": place.sha256}
    return {
        "key": str(found.key),
        "date": iso(found.day),
        "source": place.source.value,
        "place": f"{place.file}:{place.line}",
        "sha256": place.sha256,
    }


@check(
    "documents.incoming-registered",
    Scope.UNIT,
    Severity.MINOR,
    controls=("Decree 30/2020 Art. 4.2.b, 22, 23.1",),
    options=ArrivalOptions,
).needs(ARRIVALS, DOCUMENTS)
def incoming_registered(ctx: Context, _: None, events: DocumentEvents) -> Iterator[Verdict]:
    """Is what was delivered in the incoming register by the next working day?"""
    options = ctx.opt(ArrivalOptions)
    refuse_unread(events.of(SourceKind.INCOMING))
    refuse_unread(events.under("received", "packets"))
    directory = Directory.of(ctx.subject.inventory, ctx.subject.unit)
    period, calendar = period_of(ctx, options), Calendar.of(ctx.subject.inventory)
    found = arrivals_of(events, directory, period, calendar, (options.days, ctx.zone))
    books = [s.days for s in events.of(SourceKind.INCOMING)]
    days = covered(frozenset().union(*books), period, options.bridge_days, calendar)
    share = len(days) / len(period.days)
    late = [a for a in found if a.state in {State.LATE, State.MISSING}]
    good = sum(a.state is State.ENTERED for a in found)
    detail = {
        "period": [iso(period.start), iso(period.end)],
        "deliveries": len(found),
        "numerator": good,
        "denominator": good + len(late),
        **{state.value: sum(a.state is state for a in found) for state in State},
        "target": options.target,
        "coverage": round(share, 4),
        "total": len(late),
        "documents": [_arrival_shown(a, directory) for a in late[:LISTED]],
    }
    if events.under("received", "packets"):  # What only mail shows is not all that came.
        told = (_flow(a, directory) for a in found)
        detail["flows"] = flows_of([*told, *untold(events, directory, period, ctx.zone)])
    if found or events.under("received", "packets", "mail"):
        yield _entered(ctx, found, detail, share)
    else:
        say = "documents.incoming-registered.no-source"
        yield unknown(FailureKind.NOT_DECLARED, say, detail)


def _entered(ctx: Context, found: list[Arrival], detail: dict[str, Any], share: float) -> Verdict:
    own, options = "documents.incoming-registered", ctx.opt(ArrivalOptions)
    good, due = detail["numerator"], detail["denominator"]
    if not found:
        return unknown(FailureKind.TRUNCATED, f"{own}.no-deliveries", detail)
    if share * 100 < ctx.coverage_floor:
        floor = ctx.coverage_floor / 100
        say = f"{own}.cannot-tell"
        return unknown(FailureKind.TRUNCATED, say, detail, coverage=share, floor=floor)
    if not due:
        return unknown(FailureKind.STALE, f"{own}.pending", detail, pending=len(found))
    said: dict[str, Arg] = {
        "numerator": good,
        "denominator": due,
        "missing": detail[State.MISSING.value],
        "late": detail[State.LATE.value],
        "target": options.target / 100,
    }
    if good * 100 >= options.target * due:
        return passed(f"{own}.enough", detail, **said)
    return failed(f"{own}.short", detail, None, **said)


def _flow(arrival: Arrival, directory: Directory) -> Flow:
    if arrival.secret:
        return arrival.day, OTHERS, OTHERS, arrival.state.value
    sender, kind = partner_code(arrival.sender, directory), kind_of(arrival.key.sign)
    return arrival.day, sender, kind, arrival.state.value


def _arrival_shown(arrival: Arrival, directory: Directory) -> dict[str, Any]:
    """One delivery as evidence; of a secret only the day and the hash of the line."""
    place = arrival.place
    if arrival.secret:
        return {"secret": True, "date": iso(arrival.day), "sha256": place.sha256}
    return {
        "key": str(arrival.key),
        "from": partner_code(arrival.sender, directory),
        "delivered": iso(arrival.day),
        "entered": iso(arrival.entered),
        "state": arrival.state.value,
        "place": f"{place.file}:{place.line}",
        "sha256": place.sha256,
    }


CHECKS = (numbering, unregistered, incoming_registered)
