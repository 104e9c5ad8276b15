"""Where the copies of a whole system lie: every set's listing, reduced to places and freshness."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import msgspec
from msgspec.structs import replace

from checks.backup.periodicity import Age, Thresholds, freshness, sort_points
from checks.backup.promise import promise_of
from checks.backup.same_data import same_data
from checks.backup.series import BackupPoint, BackupSeries, Repository
from checks.backup.sources.registry import SERIES
from checks.evidence import Answers, Failure, FailureKind, Need, NotDeclared, Request, Unparsable
from checks.model import Context, Fact, Scope, Subject
from inventory.model import BackupSet


class Place(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Copies of one set in one place. `device` is equal for places that share one fate."""

    set: str
    protects: str
    """Server whose data it holds; empty when the inventory does not say."""
    data: str = ""
    """Set that stands for its data: equal for sets that hold the same."""
    device: str
    location: str = ""
    own_host: bool | None = None
    """Whether it lies on the server that it protects; None when that cannot be known."""
    site: str = ""
    site_from: str = ""
    """The site of the data it protects; empty when the inventory does not say."""
    fresh: bool = False
    newest: dt.datetime | None = None
    age: float | None = None
    unseen: Failure | None = None
    """Why `own_host` is not known."""


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """The places of a system's copies, and the sets of which nothing could be seen."""

    places: tuple[Place, ...] = ()
    dark: dict[str, Failure] = {}
    bound: dict[str, str] = {}
    """Per dark set that is declared to be a copy, the set that stands for its data."""


def _requests(subject: Subject) -> list[Request]:
    """What every set asks, as one of several equals: missing evidence of one forbids passing."""
    found = []
    for each in sets_of(subject):
        try:
            wanted = SERIES.requests(each)
        except NotDeclared:
            continue  # told as dark when it is read
        found += [replace(r, need=Need.MEMBER) if r.need is Need.REQUIRED else r for r in wanted]
    return found


def sets_of(subject: Subject) -> Iterator[Subject]:
    """A subject of scope backup for each set of a system."""
    system = subject.the_system
    for backup in system.backups:
        target = backup.server or backup.bucket or system.id
        yield replace(subject, scope=Scope.BACKUP, target=target, name=backup.id, backup=backup)


def _parse(context: Context, answers: Answers) -> Copies:
    places: list[Place] = []
    dark: dict[str, Failure] = {}
    listed: dict[str, BackupSeries] = {}
    for each in sets_of(context.subject):
        try:
            series = _series(replace(context, subject=each), answers)
        except NotDeclared as e:
            dark[each.name] = Failure(kind=FailureKind.NOT_DECLARED, detail=str(e))
        except Unparsable as e:
            dark[each.name] = Failure(kind=e.kind, detail=str(e))
        else:
            if isinstance(series, Failure):
                dark[each.name] = series
            else:
                listed[each.name] = series
                places += places_of(replace(context, subject=each), series)
    data = same_data(context.subject.the_system.backups, listed)
    return Copies(
        places=tuple(replace(p, data=data[p.set]) for p in places),
        dark=dark,
        bound={b.id: data[b.id] for b in context.subject.the_system.backups if _bound(b, dark)},
    )


def _bound(backup: BackupSet, dark: dict[str, Failure]) -> bool:
    return bool(backup.copy_of) and backup.id in dark


def _series(context: Context, answers: Answers) -> BackupSeries | Failure:
    wanted = SERIES.requests(context.subject)
    keys = {(r.target, r.key) for r in wanted}
    own = [
        e
        for probe in dict.fromkeys(r.probe for r in wanted)
        for e in answers.all(probe)
        if (e.target, e.key) in keys
    ]
    failed = [e for e in answers.failures() if (e.target, e.key) in keys]
    needed = {(r.target, r.key) for r in wanted if r.need is not Need.OPTIONAL}
    for evidence in failed:
        if (evidence.target, evidence.key) in needed and evidence.failure is not None:
            return evidence.failure
    if needed - {(e.target, e.key) for e in own}:
        return Failure(kind=FailureKind.COMMAND_FAILED, detail=f"{context.subject.name}: no answer")
    return SERIES.parse(context, Answers([*own, *failed]))


def places_of(context: Context, series: BackupSeries) -> Iterator[Place]:
    """The places of one set with the freshness of the copies in each."""
    backup = context.subject.the_backup
    repositories = series.repositories or (_own_place(context.subject, series),)
    for repository in repositories:
        points = tuple(_points_in(repository, series, len(repositories) == 1))
        yield _placed(context, backup, repository, replace(series, points=points))


def _points_in(repository: Repository, series: BackupSeries, only: bool) -> Iterator[BackupPoint]:
    for point in series.points:
        if point.repository == repository.id or (only and not point.repository):
            yield point


def _own_place(subject: Subject, series: BackupSeries) -> Repository:
    """A set whose source knows of no repository lies where it is read."""
    backup = subject.the_backup
    return Repository(
        location=backup.path,
        platform=series.source,
        server=backup.server or backup.bucket,
        remote=True if backup.bucket else None,
    )


def _placed(
    context: Context, backup: BackupSet, repository: Repository, series: BackupSeries
) -> Place:
    lies = _server(backup, repository)
    own_host, why = _on_own_host(backup, repository, lies)
    newest, age, fresh = _freshness(context, series)
    return Place(
        set=backup.id,
        protects=backup.protects,
        device=lies or repository.location or f"{backup.system}/{backup.id}",
        location=repository.location,
        own_host=own_host,
        site=_site(context.subject, backup, lies),
        site_from=_site_of(context.subject, backup.protects),
        fresh=fresh,
        newest=newest,
        age=age,
        unseen=why,
    )


def _server(backup: BackupSet, repository: Repository) -> str:
    if repository.server:
        return repository.server
    return backup.server if repository.remote is False else ""


def _on_own_host(
    backup: BackupSet, repository: Repository, lies: str
) -> tuple[bool | None, Failure | None]:
    if not backup.protects:
        what = f"backup set {backup.system}/{backup.id}: protects"
        return None, Failure(kind=FailureKind.NOT_DECLARED, detail=what)
    if lies:
        return lies == backup.protects, None
    if repository.remote is True:
        # Outside the server where it is listed, and at the address of none that is declared.
        return False, None
    return None, repository.unseen.get("remote", _unsaid(backup))


def _unsaid(backup: BackupSet) -> Failure:
    what = f"backup set {backup.system}/{backup.id}: the server on which its repository lies"
    return Failure(kind=FailureKind.NOT_DECLARED, detail=what)


def _site(subject: Subject, backup: BackupSet, lies: str) -> str:
    return backup.site or _site_of(subject, lies)


def _site_of(subject: Subject, target: str) -> str:
    server = subject.inventory.servers.get(target)
    bucket = subject.inventory.buckets.get(target)
    return server.site if server else bucket.site if bucket else ""


def _freshness(
    context: Context, series: BackupSeries
) -> tuple[dt.datetime | None, float | None, bool]:
    backup = context.subject.the_backup
    promise = promise_of(backup, context.subject.the_system.level, context.zone)
    points = sort_points(series, promise, context.now, Thresholds())
    found = freshness(points, promise, context.now, context.zone)
    newest = found.newest.start if found.newest else None
    return newest, found.age, found.state in (Age.OK, Age.LATE)


COPIES: Fact[Copies] = Fact(id="backup.copies", requests=_requests, parse=_parse)
"""The places in which the copies of all sets of a system lie."""
