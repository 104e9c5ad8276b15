"""From a scan to Form 08: the only place that counts. Every figure keeps the rows it counts."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

import msgspec

from checks.results import Result, Scan
from checks.texts import clean
from inventory.model import Inventory, System, Unit
from reports.collate import vi_key
from reports.findings import unit_name
from reports.form08.lacking import Case, Desk, lacking
from reports.form08.letter import issuer, letterhead
from reports.form08.model import (
    FIGURES,
    Agency,
    Ask,
    Figure,
    Finish,
    Form08,
    FormError,
    Row,
    Source,
    Window,
)
from reports.form08.rules import Words, day, form, law
from reports.form08.standing import APPROVED, CHECKS, RECORDED, Paper, Standing, looked, standing
from reports.form08.window import window, window_of
from reports.voice import CHECK_TEXTS, Voice


def build_form(scan: Scan, ask: Ask, language: str, voice: Voice = CHECK_TEXTS) -> Form08:
    """The annual report of one owner or one unit, from a scan.

    A system stands in exactly one owner's report, and in exactly one unit's: that of its operator,
    or of the unit in whose file it stands when it names none. Users of a system never count it.

    Raises:
        FormError: there is no such unit, no such period, or the scan is of another legal basis.
    """
    info, inventory = scan.info, scan.inventory
    if info.legal_basis != law().legal_basis:
        raise FormError(
            f"Form 08 is of the rules of {law().legal_basis}, but the scan was made by those of "
            f"{info.legal_basis}: set `legal_basis: {law().legal_basis}` and scan again"
        )
    ask = _narrowed(inventory, ask)
    scanned = info.started.astimezone(ZoneInfo(info.timezone)).date()
    period = window(law(), scanned, ask.first, ask.last)
    until = min(period.last, scanned)
    cases = _cases(scan, ask, period, until)
    rows = tuple(_row(inventory, scan, c, until) for c in cases)
    sender = inventory.units[ask.owner or ask.unit]
    owners = _agencies(inventory, [c.system.owner for c in cases] or [ask.owner])
    letter = letterhead(inventory, sender, ask, owners)
    security = _agencies(inventory, [c.system.security_unit for c in cases])
    desk = Desk(
        scan=scan,
        words=Words(language),
        voice=voice,
        window=period,
        scanned=scanned,
        until=until,
        sender=sender,
        letter=letter,
    )
    return Form08(
        language=language,
        owner=ask.owner,
        unit=ask.unit,
        window=period,
        until=until,
        due=law().due["owner" if ask.owner else "unit"].of(period.last.year),
        scan=info.id,
        scanned=info.started,
        timezone=info.timezone,
        tool=clean(info.tool),
        legal_basis=info.legal_basis,
        digest=hashlib.sha256(msgspec.json.encode(scan.results)).hexdigest(),
        simulated=info.simulated,
        letter=letter,
        figures=tuple(_figure(key, cases, rows) for key in FIGURES),
        finish=_finish(cases, rows),
        owners=owners,
        security_units=security,
        rows=rows,
        lacking=lacking(desk, cases, (owners, security)),
        notes=_notes(desk, ask, cases),
    )


# ---------------------------------------------------------------------------------- which systems


def _narrowed(inventory: Inventory, ask: Ask) -> Ask:
    """The ask with an owner or a unit; the only owner of the inventory needs no naming."""
    if ask.owner and ask.unit:
        raise FormError("the form is of one owner or of one unit: give --owner or --unit, not both")
    about = ask.owner or ask.unit
    if about and about not in inventory.units:
        raise FormError(
            f"no unit of the scan is called {clean(about)!r}: see `sauro inventory list`"
        )
    if about:
        return ask
    owners = sorted({s.owner for s in inventory.systems.values()} & set(inventory.units))
    if not owners:
        raise FormError("the inventory of the scan holds no system: name --owner or --unit")
    if len(owners) > 1:
        named = ", ".join(owners[:5]) + (", …" if len(owners) > 5 else "")
        raise FormError(f"{len(owners)} units own systems ({named}): choose one by --owner")
    return msgspec.structs.replace(ask, owner=owners[0])


def reporter(system: System) -> str:
    """The unit in whose report a system stands."""
    return system.operator or system.unit


def _cases(scan: Scan, ask: Ask, period: Window, until: dt.date) -> list[Case]:
    """The systems of the report in the order of their rows, each with where it stands."""
    by_system: dict[str, list[Result]] = {}
    for result in scan.results:
        if result.system and result.family == "security":
            by_system.setdefault(result.system, []).append(result)
    mine = [
        s
        for s in scan.inventory.systems.values()
        if (s.owner == ask.owner if ask.owner else reporter(s) == ask.unit)
    ]

    def order(system: System) -> tuple[object, ...]:
        operator = unit_name(scan.inventory, reporter(system))
        return vi_key(operator), -(system.level or 0), vi_key(system.name), system.id

    return [
        Case(
            number=n,
            system=s,
            standing=standing(by_system.get(s.id, ()), period, until),
        )
        for n, s in enumerate(sorted(mine, key=order), 1)
    ]


# ---------------------------------------------------------------------------- figures and the table


def _figure(key: str, cases: Sequence[Case], rows: Sequence[Row]) -> Figure:
    counted: list[Source] = []
    unclear: list[Source] = []
    for case, row in zip(cases, rows, strict=True):
        answer = True if key == "total" else getattr(case.standing, key)
        if answer is not False:
            (counted if answer else unclear).append(_told_by(key, case.standing, row))
    return Figure(key=key, counted=tuple(counted), unclear=tuple(unclear))


def _told_by(key: str, standing: Standing, row: Row) -> Source:
    """The result that a figure counts for one system; the inventory itself when it has none."""
    check = RECORDED
    if key in ("appraised", "approved") or (key == "dossier" and not standing.proposal):
        check = APPROVED
    if key == "inspected" and RECORDED in standing.rows:
        check = looked(standing.rows).check
    by_check = {s.check: s for s in row.sources}
    found = by_check.get(check) or by_check.get(RECORDED)
    if found is not None:
        return found
    return Source(
        number=row.number,
        system=row.system,
        name=row.name,
        unit="",
        check="",
        status="",
        target=row.system,
        subject="",
        scan="",
        fingerprint="",
    )


def _finish(cases: Sequence[Case], rows: Sequence[Row]) -> Finish:
    open_ = [r for c, r in zip(cases, rows, strict=True) if c.standing.approved is not True]
    days = [r.approval_expected for r in open_]
    known = [d for d in days if d is not None]
    if not rows or len(known) < len(days):
        return Finish()
    return Finish(day=max(known)) if known else Finish(done=True)


def _row(inventory: Inventory, scan: Scan, case: Case, until: dt.date) -> Row:
    system, at = case.system, case.standing
    approved = at.approved is True
    return Row(
        number=case.number,
        system=clean(system.id),
        name=clean(system.name),
        owner=unit_name(inventory, system.owner),
        operator=unit_name(inventory, system.operator),
        level=at.level,
        state=at.state,
        decision=_said(at.approval) if approved else "",
        regulation=_said(at.regulation),
        approval_expected=None if approved else _expected(at, scan, until),
        plan=at.plan,
        plan_expected=None if at.plan == "fully" else _ahead(at.plan_expected, scan),
        inspected=at.seen,
        sources=tuple(_sources(scan, case)),
    )


def _expected(at: Standing, scan: Scan, until: dt.date) -> dt.date | None:
    """When a level will be approved; a decision signed after the period tells it best."""
    if at.approval is not None and at.approval.date > until:
        return at.approval.date
    return _ahead(at.approval_expected, scan)


def _ahead(expected: dt.date | None, scan: Scan) -> dt.date | None:
    """A day that is not over; what was expected by a day gone by is not expected any more."""
    today = scan.info.started.astimezone(ZoneInfo(scan.info.timezone)).date()
    return expected if expected is not None and expected >= today else None


def _said(paper: Paper | None) -> str:
    if paper is None:
        return ""
    key = "paper_by" if paper.by else "paper"
    return form(key, document=paper.document, date=day(paper.date), by=paper.by)


def _sources(scan: Scan, case: Case) -> Iterable[Source]:
    for check in CHECKS:
        row = case.standing.rows.get(check)
        if row is not None:
            first = row.evidence[0] if row.evidence else None
            yield Source(
                number=case.number,
                system=clean(case.system.id),
                name=clean(case.system.name),
                unit=clean(row.unit),
                check=row.check,
                status=row.status.value,
                target=clean(row.target),
                subject=clean(row.subject),
                scan=scan.info.id,
                fingerprint=row.fingerprint,
                evidence=clean(first.sha256) if first else "",
                taken=first.taken if first else None,
            )


# ------------------------------------------------------------------------------- agencies and notes


def _agencies(inventory: Inventory, ids: Iterable[str]) -> tuple[Agency, ...]:
    """Each body once, in the order of names."""
    found = [inventory.units[i] for i in dict.fromkeys(ids) if i in inventory.units]
    return tuple(_agency(u) for u in sorted(found, key=lambda u: (vi_key(u.name), u.id)))


def _agency(unit: Unit) -> Agency:
    said = unit.letter
    return Agency(
        id=unit.id,
        name=issuer(unit),
        mandate=clean(said.mandate),
        head=clean(unit.accountable.name),
        post=clean(unit.accountable.post),
        address=clean(said.address),
        phone=clean(said.phone),
        email=clean(said.email),
    )


def _notes(desk: Desk, ask: Ask, cases: Sequence[Case]) -> tuple[str, ...]:
    words, period = desk.words, desk.window
    due = law().due["owner" if ask.owner else "unit"].of(period.last.year)
    notes = [words("due", day=due), words("number")]
    if not period.legal:
        legal = window_of(law(), period.last.year)
        notes.append(words("own_window", first=legal.first, last=legal.last))
    if period.first < law().in_force:
        notes.append(words("first_year", in_force=law().in_force))
    systems = desk.scan.inventory.systems.values()
    shared = [s for s in systems if ask.unit in s.used_by and reporter(s) != ask.unit]
    if ask.unit and shared:
        names = ", ".join(sorted({clean(s.name) for s in shared}, key=vi_key)[:10])
        notes.append(words("shared", n=len(shared), names=names))
    notes += _approvals(desk, cases)
    notes.append(words("declared_plan"))
    return tuple(notes)


def _approvals(desk: Desk, cases: Sequence[Case]) -> Iterable[str]:
    """That more approvals stand in the records than the figure counts, if so."""
    recorded = [c.standing for c in cases if _recorded(c.standing.claimed, desk.until)]
    approved = [at.approved for at in recorded]
    if not all(approved):
        yield desk.words(
            "approvals",
            recorded=len(recorded),
            counted=approved.count(True),
            refuted=approved.count(False),
            unclear=approved.count(None),
        )


def _recorded(paper: Paper | None, until: dt.date) -> bool:
    return paper is not None and paper.date <= until
