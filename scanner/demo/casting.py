"""Casting: which unit gets which servers, systems and stories; the same for the same seed.

The counts below are for 126 units and scale with the number of units; every story keeps at least
one role as long as there are roles left, so a small demo shows nearly everything as well.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from random import Random
from typing import TypeVar

from msgspec.structs import replace

from scanner.demo.axis import with_axis
from scanner.demo.care import with_care
from scanner.demo.decisions import with_decisions
from scanner.demo.dossiers import with_papers
from scanner.demo.kinds import HostKind
from scanner.demo.names import Place, person, places
from scanner.demo.plot import (
    BackupStory,
    DocsPlot,
    DocsStory,
    HostPlot,
    LevelStory,
    Plot,
    SetPlot,
    SystemPlot,
    UnitPlot,
    WaiverPlot,
)
from scanner.demo.seals import with_seals
from scanner.demo.systems import KINDS, YEARLY_LEVEL

ALL = 126
SERVERS = 200
"""Servers of 126 units."""
FEWEST = 3
DENSE = 20
"""Below this many units each gets more systems, so that every story finds a role."""
_NIGHT = (20, 21, 22, 23, 0, 1, 2, 3, 4, 5)
_ROLES = ("app", "tep", "mail", "luu", "bien")
_SKEWS = (420, -150, 3700)

_HOSTS = {
    HostKind.DOWN: 3,
    HostKind.CHANGED_KEY: 2,
    HostKind.REFUSES: 2,
    HostKind.HANGS: 2,
    HostKind.FLOODS: 1,
    HostKind.DROPS: 1,
    HostKind.SKEWED: 3,
}
_LEVELS = {
    LevelStory.UNASSESSED: 15,
    LevelStory.WRONG_AUTHORITY: 6,
    LevelStory.REVIEW_OVERDUE: 12,
    LevelStory.REGULATION_LATE: 5,
    LevelStory.DRAFT: 7,
    LevelStory.CLAIMED_LOW: 4,
    LevelStory.LOST_RECORD: 2,
}
_BACKUPS = {
    BackupStory.STALE: 10,
    BackupStory.TWO_GAPS: 6,
    BackupStory.NEVER: 4,
    BackupStory.SHRUNKEN: 5,
    BackupStory.EMPTY: 4,
    BackupStory.ONE_GAP: 8,
    BackupStory.COLLAPSED: 3,
    BackupStory.CUT: 3,
    BackupStory.NO_FOLDER: 2,
}
_DOCS = {
    DocsStory.BYPASS: 9,
    DocsStory.NO_GATEWAY: 5,
    DocsStory.NO_HEADERS: 6,
    DocsStory.UNTRACED: 7,
    DocsStory.NO_REGISTER: 3,
    DocsStory.UNDECLARED: 3,
    DocsStory.PAPER: 3,
    DocsStory.LATE: 5,
    DocsStory.NO_RECEIPT: 5,
    DocsStory.GAPS: 4,
    DocsStory.UNREGISTERED: 3,
    DocsStory.SECRET: 2,
    DocsStory.NOT_ENTERED: 6,
}
_NO_BACKUP_DECLARED = 6

T = TypeVar("T")
S = TypeVar("S")


def cast(count: int, now: dt.datetime, random: Random) -> Plot:
    """Plan a world of `count` units (3 to 126); `now` is aware and in the demo's zone."""
    if not FEWEST <= count <= ALL:
        raise ValueError(f"a demo has {FEWEST} to {ALL} units, not {count}")
    bare = _bare_units(count, now, random)
    units = _with_faulty_hosts(bare, random)
    units = _with_level_stories(units, now.date(), random)
    units = _with_backup_stories(units, random)
    units = _with_docs_stories(units, random)
    units = with_care(units, random)
    units = with_seals(units, random)
    units = with_decisions(units, random)
    units = with_papers(units, random)
    units = with_axis(units, random)
    return Plot(now=now, units=units, waivers=_waivers(units, now))


def scaled(counts: dict[S, int], units: int) -> list[S]:
    """The stories to tell among so many units: one of each first, then the others."""
    wanted = {story: max(1, round(n * units / ALL)) for story, n in counts.items()}
    first = list(wanted)
    return first + [story for story, n in wanted.items() for _ in range(n - 1)]


def deal(stories: Sequence[S], roles: Sequence[T], random: Random, share: float) -> dict[T, S]:
    """Give stories to roles in random order; at most `share` of the roles get one."""
    order = list(roles)
    random.shuffle(order)
    return dict(zip(order[: max(1, int(len(order) * share))], stories, strict=False))


# ------------------------------------------------------------------------------------- the units


def _bare_units(count: int, now: dt.datetime, random: Random) -> tuple[UnitPlot, ...]:
    servers = max(SERVERS * count // ALL, len(_HOSTS) * 2, 4 * count if count < DENSE else 0)
    base, more = divmod(servers, count)
    numbers = [base + (n < more) for n in range(count)]
    random.shuffle(numbers)
    dense = count < DENSE
    return tuple(
        _bare_unit(place, min(number, len(_ROLES)), dense, now, random)
        for place, number in zip(places(count), numbers, strict=True)
    )


def _bare_unit(
    place: Place, servers: int, dense: bool, now: dt.datetime, random: Random
) -> UnitPlot:
    hosts = tuple(HostPlot(id=f"{place.slug}-{role}-01", role=role) for role in _ROLES[:servers])
    kinds = ["lan", "vb"]
    kinds += ["tin"] if dense or random.random() < 0.3 else []
    kinds += ["mc"] if dense or random.random() < 0.12 else []
    kinds += ["pan"] if dense or random.random() < 0.1 else []
    systems = []
    for number, kind in enumerate(kinds):
        host = hosts[1] if kind == "lan" and servers > 1 else hosts[0]
        sets = [_set(kind, number, now, random)]
        if dense:
            sets.append(replace(_set(kind, number, now, random), id="cau-hinh", dump="tar"))
        systems.append(
            SystemPlot(id=f"{place.slug}-{kind}", kind=kind, host=host.id, sets=tuple(sets))
        )
    mail = hosts[2] if servers > 2 else hosts[0]
    mailbox = place.domain
    head = f"Chủ tịch UBND {place.word}"
    clerk = f"Công chức công nghệ thông tin {place.word}"
    return UnitPlot(
        place=place,
        accountable=person(random, head, "chutich", mailbox),
        officer=person(random, clerk, "cntt", mailbox),
        hosts=hosts,
        systems=tuple(systems),
        docs=DocsPlot(mail_host=mail.id if random.random() < 0.6 else ""),
    )


def _set(kind: str, number: int, now: dt.datetime, random: Random) -> SetPlot:
    weekly = kind in {"lan", "tin"} and random.random() < 0.4
    # A run that just ended or is just due would be judged differently a minute later.
    hours = [h for h in _NIGHT if 2 <= (now.hour - h) % 24 <= 21]
    return SetPlot(
        id=KINDS[kind].set_name,
        dump=KINDS[kind].dump,
        days=7 if weekly else 1,
        hour=random.choice(hours),
        cron=not weekly and number % 2 == 1 and random.random() < 0.5,
    )


# ----------------------------------------------------------------------------------- the stories


def _with_faulty_hosts(units: Iterable[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    units = tuple(units)
    roles = [host.id for unit in units for host in unit.hosts]
    share = 0.5
    if len(units) < DENSE:  # leave the few servers that carry systems to the other stories
        roles = [host.id for unit in units for host in unit.hosts[2:]] + [units[-1].hosts[0].id]
        share = 0.8
    faults = deal(scaled(_HOSTS, len(units)), roles, random, share)
    skews = iter(_SKEWS * len(roles))

    def with_fault(host: HostPlot) -> HostPlot:
        kind = faults.get(host.id, HostKind.NORMAL)
        skew = next(skews) if kind is HostKind.SKEWED else 0
        return replace(host, kind=kind, skew=skew)

    # A mail log is streamed without a small limit: a flood in its place would cost minutes.
    floods = {host for host, kind in faults.items() if kind is HostKind.FLOODS}
    return tuple(
        replace(
            u,
            hosts=tuple(with_fault(h) for h in u.hosts),
            docs=replace(u.docs, mail_host="") if u.docs.mail_host in floods else u.docs,
        )
        for u in units
    )


def _with_level_stories(
    units: Iterable[UnitPlot], today: dt.date, random: Random
) -> tuple[UnitPlot, ...]:
    units = tuple(units)
    roles = [system.id for unit in units for system in unit.systems]
    stories = deal(scaled(_LEVELS, len(units)), roles, random, 0.6)
    raisable = {s.id for u in units for s in u.systems if KINDS[s.kind].truly}

    def told(system: SystemPlot) -> SystemPlot:
        story = stories.get(system.id, LevelStory.FINE)
        if story is LevelStory.CLAIMED_LOW and system.id not in raisable:
            story = LevelStory.UNASSESSED  # no criterion of this kind could raise it
        return replace(system, story=story, approved=_approved(system, story, today, random))

    return tuple(replace(u, systems=tuple(told(s) for s in u.systems)) for u in units)


def _approved(
    system: SystemPlot, story: LevelStory, today: dt.date, random: Random
) -> dt.date | None:
    if story in (LevelStory.UNASSESSED, LevelStory.LOST_RECORD, LevelStory.DRAFT):
        return None
    yearly = story is LevelStory.CLAIMED_LOW or KINDS[system.kind].level >= YEARLY_LEVEL
    shortest, longest = (60, 250) if yearly else (60, 500)
    if story is LevelStory.REVIEW_OVERDUE:
        shortest, longest = (420, 700) if yearly else (800, 1400)
    return today - dt.timedelta(days=random.randint(shortest, longest))


def _with_backup_stories(units: Iterable[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    units = tuple(units)
    seen = {h.id for u in units for h in u.hosts if h.kind is HostKind.NORMAL}
    roles = [(s.id, b.id) for u in units for s in u.systems if s.host in seen for b in s.sets]
    undeclared = max(1, round(_NO_BACKUP_DECLARED * len(units) / ALL))
    systems = [s.id for u in units for s in u.systems]
    silent = set(random.sample(systems, undeclared))
    roles = [role for role in roles if role[0] not in silent]
    stories = deal(scaled(_BACKUPS, len(units)), roles, random, 0.6)

    def told(system: SystemPlot) -> SystemPlot:
        if system.id in silent:
            return replace(system, sets=())
        return replace(
            system,
            sets=tuple(
                _fitted(b, stories.get((system.id, b.id), BackupStory.FINE)) for b in system.sets
            ),
        )

    return tuple(replace(u, systems=tuple(told(s) for s in u.systems)) for u in units)


def _fitted(backup: SetPlot, story: BackupStory) -> SetPlot:
    """A story needs the right kind of series: gaps want days, a cut dump wants a mark."""
    if story in (BackupStory.ONE_GAP, BackupStory.TWO_GAPS):
        backup = replace(backup, days=1)
    if story is BackupStory.CUT and backup.dump == "tar":
        backup = replace(backup, dump="pg")
    return replace(backup, story=story)


def _with_docs_stories(units: Iterable[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    units = tuple(units)
    stories = deal(scaled(_DOCS, len(units)), [u.place.code for u in units], random, 0.67)
    normal = {h.id for u in units for h in u.hosts if h.kind is HostKind.NORMAL}

    def told(unit: UnitPlot) -> UnitPlot:
        story = stories.get(unit.place.code, DocsStory.FINE)
        docs = replace(unit.docs, story=story)
        if story is not DocsStory.FINE and docs.mail_host not in normal:
            docs = replace(docs, mail_host="")  # one fault at a time tells a clearer story
        return replace(unit, docs=docs)

    return tuple(told(u) for u in units)


def _waivers(units: Sequence[UnitPlot], now: dt.datetime) -> tuple[WaiverPlot, ...]:
    today = now.date()
    found = []
    stale = [
        (u, s, b) for u in units for s in u.systems for b in s.sets if b.story is BackupStory.STALE
    ]
    bare = [(u, s) for u in units for s in u.systems if s.story is LevelStory.UNASSESSED]
    for unit, system, backup in stale[:1]:
        found.append(
            WaiverPlot(
                unit=unit.place.code,
                check="backup.*",
                target=f"{system.id}/{backup.id}",
                until=today + dt.timedelta(days=25),
            )
        )
    for unit, system in bare[:1]:
        found.append(
            WaiverPlot(
                unit=unit.place.code,
                check="security.*",
                target=system.id,
                until=today - dt.timedelta(days=9),
            )
        )
    return tuple(found)
