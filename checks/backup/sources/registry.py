"""Which kinds of backup there are, and the fact that every backup check needs."""

from __future__ import annotations

from checks.backup import history
from checks.backup.promise import Undated, check_every
from checks.backup.series import BackupSeries
from checks.backup.sources import (
    aws_backup,
    bacula,
    barman,
    borg,
    borgmatic,
    directory,
    duplicity,
    kopia,
    mariadb_backup,
    pgbackrest,
    postgresql,
    proxmox,
    rclone,
    register,
    restic,
    s3,
    veeam,
    walg,
    windows,
)
from checks.backup.sources.base import BackupSource
from checks.evidence import Answers, NotDeclared, Request
from checks.model import Context, Fact, Subject

SOURCES: dict[str, BackupSource] = {
    s.kind: s
    for s in (
        aws_backup.SOURCE,
        bacula.SOURCE,
        barman.SOURCE,
        borg.SOURCE,
        borgmatic.SOURCE,
        directory.SOURCE,
        duplicity.SOURCE,
        kopia.SOURCE,
        mariadb_backup.SOURCE,
        pgbackrest.SOURCE,
        postgresql.SOURCE,
        proxmox.SOURCE,
        rclone.SOURCE,
        register.SOURCE,
        restic.SOURCE,
        s3.SOURCE,
        veeam.SOURCE,
        walg.SOURCE,
        windows.SOURCE,
    )
}
"""Kind of a backup set to its source."""


def _source(subject: Subject) -> BackupSource:
    backup = subject.the_backup
    found = SOURCES.get(backup.kind)
    if found is None:
        known = ", ".join(sorted(SOURCES))
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: kind {backup.kind!r} is not known ({known})"
        )
    return found


def _requests(subject: Subject) -> list[Request]:
    backup = subject.the_backup
    try:
        check_every(backup.every)
    except Undated as e:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: every: {e}") from None
    return list(_source(subject).requests(subject))


_latest: list[tuple[tuple[object, ...], BackupSeries]] = []
"""The series read last: the checks of a system ask again for those of its sets."""


def _read(context: Context, answers: Answers) -> BackupSeries:
    asked = (context.subject.the_backup, context.now, context.zone, *answers.given)
    for known, series in _latest:
        if len(known) == len(asked) and all(a is b for a, b in zip(known, asked, strict=True)):
            return series
    series = _source(context.subject).read(context, answers)
    _latest[:] = [(asked, series), *_latest[:3]]
    return series


def _parse(context: Context, answers: Answers) -> BackupSeries:
    series = _read(context, answers)
    return history.merge(series, context.past, context.subject.the_backup.keep, context.now)


SERIES: Fact[BackupSeries] = Fact(
    id="backup.series",
    requests=_requests,
    parse=_parse,
    memory=history.KIND,
    remember=lambda context, series: history.remember(series, context.subject.key),
)
"""The restore points of a backup set: those listed now and those that earlier scans saw."""
