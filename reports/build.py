"""From a scan to a report: the only place that counts. Writers show what stands here.

`build` reads from top to bottom as the report does. The arithmetic of states is in `rollup`, of
changes in `changes`, of tasks in `findings`.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from checks.model import SEVERITY_ORDER, Severity, Status
from checks.results import Result, Scan, Tally
from checks.texts import clean
from inventory.model import UnitKind
from reports import changes as moved
from reports.findings import Desk
from reports.headline import Figures, headline
from reports.model import About, Area, Changes, Deadlines, Open, Report, Seen, UnitView
from reports.model_backup import Count
from reports.rollup import KINDS, Base, Standing, base, by_main_cause, causes, narrowed, standing
from reports.rules import Rules, rules
from reports.tasks import decisions
from reports.units import unit_views
from reports.voice import CHECK_TEXTS, Voice
from reports.words import Words

Language = Literal["vi", "en"]
_NONE: frozenset[str] = frozenset()


def build(  # noqa: PLR0913 - one argument per source of truth, all by keyword
    scan: Scan,
    *,
    previous: Scan | None,
    opened: Mapping[str, dt.datetime],
    reopened: frozenset[str],
    now: dt.datetime,
    language: Language,
    dark_open: frozenset[str] = _NONE,
    dark_open_before: frozenset[str] = _NONE,
    voice: Voice = CHECK_TEXTS,
) -> Report:
    """Count a scan once, for every writer.

    `previous` is the scan to compare with, of the same selection, or None for the first report.
    `opened` says, by fingerprint, since when each row that is not fine has been so. `reopened` are
    the fingerprints that had been mended and failed again. `dark_open` are those that this scan
    could not see but that failed when last seen (`dark_open_before`: the same of `previous`).
    `now` is the moment of the report (aware). All days are those of the scan's time zone.
    """
    words = Words(language, ZoneInfo(scan.info.timezone))
    law = rules()
    mine, old = base(scan), base(previous) if previous is not None else None
    rows, old_rows = moved.by_fingerprint(mine), moved.by_fingerprint(old)
    dark = moved.Dark(dark_open, dark_open_before)
    book = moved.ledger(rows, None if old is None else old_rows, dark, reopened)
    standings = _standings(mine, moved.out_of_sight(book.now, rows))
    before = _standings(old, moved.out_of_sight(book.before, old_rows))
    reason = moved.why_not(mine, old)
    broken = moved.notes(mine, old) if old is not None and not reason else ()
    comparable = old is not None and not reason and not broken
    desk = Desk(
        inventory=scan.inventory,
        book=book,
        opened=opened,
        reopened=reopened,
        started=scan.info.started,
        today=words.date_of(now),
        words=words,
        voice=voice,
        rules=law,
    )
    views = unit_views(desk, mine, standings, before if not reason else {})
    about = _about(scan, words, now, law)
    by_status = Tally.of(v.status for v in views)
    areas = _areas(mine, standings, before if comparable else None)
    seen = _seen(mine, standings)
    open_ = _open(views)
    gain = by_status.passed - _met(before) if comparable else None
    return Report(
        language=language,
        timezone=scan.info.timezone,
        place=_place(scan),
        about=about,
        headline=headline(words, about, Figures(by_status, gain, len(areas), seen, open_)),
        families=mine.families,
        units_by_status=by_status,
        kinds=_kinds(mine),
        areas=areas,
        seen=seen,
        open=open_,
        changes=_changes(book, (rows, old_rows), (standings, before), old, broken)
        if not reason
        else None,
        no_changes=reason,
        deadlines=_deadlines(views, desk),
        decisions=decisions(desk, views),
        units=views,
        attention=_attention(views),
        due_days=tuple(Count(key=s.value, n=law.due_days[s]) for s in SEVERITY_ORDER),
    )


def _standings(on: Base | None, held: frozenset[str]) -> dict[str, Standing]:
    return {} if on is None else {u: standing(on, u, held) for u in on.units}


def _changes(
    book: moved.Ledger,
    rows: tuple[Mapping[str, Result], Mapping[str, Result]],
    units: tuple[Mapping[str, Standing], Mapping[str, Standing]],
    old: Base | None,
    broken: tuple[str, ...],
) -> Changes | None:
    if old is None:
        return None
    return moved.changes(book, rows[0], rows[1], units, old.scan.info.started, broken)


def _about(scan: Scan, words: Words, now: dt.datetime, law: Rules) -> About:
    info = scan.info
    age = (now - (info.finished or info.started)).total_seconds() / 3600
    # A scan of Monday 02:00 closes the week that ended the day before.
    week = words.date_of(info.started) - dt.timedelta(days=1)
    year, number, weekday = week.isocalendar()
    first = week - dt.timedelta(days=weekday - 1)
    return About(
        scan=clean(info.id),
        tool=clean(info.tool),
        started=info.started,
        finished=info.finished,
        now=now,
        legal_basis=info.legal_basis,
        complete=info.complete,
        simulated=info.simulated,
        floor=info.coverage_floor,
        planned=info.planned or len(scan.results),
        judged=info.judged,
        stale_hours=int(age) if age > law.stale_hours else None,
        selective=narrowed(info.selection),
        week=number,
        week_year=year,
        first_day=first,
        last_day=first + dt.timedelta(days=6),
        digest=hashlib.sha256(msgspec.json.encode(scan.results)).hexdigest(),
        documents_until=words.date_of(info.documents_until) if info.documents_until else None,
        documents_ended=words.date_of(info.documents_ended) if info.documents_ended else None,
        single=1 in (len(info.selection.units), len(info.selection.systems)),
    )


def _place(scan: Scan) -> str:
    """The one body at the top: a city, or the parent that all units share."""
    units = scan.inventory.units
    cities = [u for u in units.values() if u.kind is UnitKind.CITY]
    if len(cities) == 1:
        return clean(cities[0].name)
    parents = {u.parent for u in units.values() if not u.external and u.parent not in ("", u.id)}
    if len(parents) == 1:
        top = units.get(parents.pop())
        return clean(top.name) if top else ""
    return ""


def _areas(
    on: Base, standings: Mapping[str, Standing], before: Mapping[str, Standing] | None
) -> tuple[Area, ...]:
    made = []
    for family in on.families:
        units = Tally.of(s.cells[family] for s in standings.values())
        change = None
        if before is not None:
            was = [s.cells[family] for s in before.values() if family in s.cells]
            change = units.passed - Tally.of(was).passed if was else None
        made.append(Area(family=family, units=units, change=change))
    return tuple(made)


def _met(standings: Mapping[str, Standing]) -> int:
    return sum(s.status is Status.PASS for s in standings.values())


def _seen(on: Base, standings: Mapping[str, Standing]) -> Seen:
    dark = [u for u, s in standings.items() if s.dark]
    every = [r for rows in on.rows.values() for r in rows]
    return Seen(
        rows=Tally.of(r.status for r in every),
        causes=causes(every),
        dark_units=len(dark),
        unit_causes=by_main_cause(on.rows[u] for u in dark),
    )


def _kinds(on: Base) -> tuple[Count, ...]:
    counts = Counter(u.kind.value for u in on.units.values())
    return tuple(Count(key=k, n=counts[k]) for k in KINDS if counts[k])


def _open(views: Sequence[UnitView]) -> Open:
    live = [f for v in views for f in v.findings]
    waived = sum(v.waived_open for v in views)
    return Open(
        total=len(live) + waived,
        waived=waived,
        dark=sum(f.dark for v in views for f in (*v.findings, *v.waived)),
        overdue=sum(v.overdue for v in views),
        overdue_units=sum(v.overdue > 0 for v in views),
        clear=sum(f.clear_count == len(f.clears) for f in live),
    )


def _deadlines(views: Sequence[UnitView], desk: Desk) -> Deadlines:
    law, today = desk.rules, desk.today
    live = [f for v in views for f in v.findings]
    ending = {
        (v.id, w.document, w.until)
        for v in views
        for w in (f.waiver for f in v.waived)
        if w is not None and 0 <= w.days_left <= law.waiver_days
    }
    cutoff = law.annual_cutoff.after(today)
    return Deadlines(
        due_soon=sum(-law.soon_days <= f.overdue <= 0 for f in live),
        due_before=today + dt.timedelta(days=law.soon_days),
        waivers=len(ending),
        cutoff=cutoff,
        cutoff_days=(cutoff - today).days,
    )


def _attention(views: Sequence[UnitView]) -> tuple[int, ...]:
    rank = (Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE)

    def key(at: int) -> tuple[int, int, int, float, int]:
        v = views[at]
        grave = sum(f.severity in (Severity.CRITICAL, Severity.MAJOR) for f in v.findings)
        return rank.index(v.status), -v.overdue, -grave, v.rows.coverage or 0.0, at

    return tuple(sorted(range(len(views)), key=key))
