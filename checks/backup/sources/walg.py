"""Kind `wal-g`: base backups that WAL-G lists on a server.

`repository` is WAL-G's configuration file when it is not the account's usual one. This rests on the
fields that WAL-G documents and on outputs in its tracker, not on a run of the tool.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    Repository,
)
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.outcome import outcome, succeeded, with_code
from checks.backup.sources.records import decode, refuse
from checks.backup.sources.tool import run, sudo_rule
from checks.backup.sources.writer import clocks_of, utc
from checks.backup.timing import Clockwork, Stamp
from checks.evidence import (
    Answers,
    Evidence,
    Failure,
    FailureKind,
    Need,
    Probe,
    Request,
    Unparsable,
)
from checks.model import Context, Subject
from checks.probes.host import CLOCK
from checks.texts import clean

KIND = "wal-g"
LIST = Probe(
    id="backup.wal-g",
    title="base backups of WAL-G (wal-g backup-list --detail --json)",
    timeout=60,
    limit=16_777_216,
)
_REFUSALS = {
    "InvalidAccessKeyId": "access key of WAL-G's storage",
    "SignatureDoesNotMatch": "secret key of WAL-G's storage",
}
_DELTA = "_D_"


class Backup(msgspec.Struct, frozen=True):
    """One row; MySQL's builds name their times otherwise, and old backups have no details."""

    backup_name: str
    start_time: dt.datetime | None = None
    finish_time: dt.datetime | None = None
    start_local_time: dt.datetime | None = None
    stop_local_time: dt.datetime | None = None
    time: dt.datetime | None = None
    modify_time: dt.datetime | None = None
    hostname: str = ""
    uncompressed_size: int | None = None
    compressed_size: int | None = None


def requests(subject: Subject) -> list[Request]:
    """The list of backups, and beside it the host's clock."""
    backup = subject.the_backup
    refuse(backup, "name", "path", "match", "password", "password_file")
    config = backup.repository.strip()
    file = (f"--config={config}",) if config else ()
    program = ("wal-g", *file, "backup-list", "--detail", "--json")
    asked = LIST.request(backup.server, config=config, run_as=backup.run_as)
    return [
        msgspec.structs.replace(
            asked, script=with_code(run(backup, program)), sudo=sudo_rule(backup, program)
        ),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """The base backups as a series."""
    backup = context.subject.the_backup
    listed = _listed(answers.one(LIST.id))
    clocks = clocks_of(backup, answers)
    names = [b.backup_name for b in listed]
    points, older = newest(_point(b, names, clocks) for b in listed)
    unseen = {
        field: Failure(kind=FailureKind.NOT_DECLARED, detail=what)
        for field, what in (
            ("remote", "where WAL-G's storage lies: declare the bucket"),
            ("encrypted", "WALG_LIBSODIUM_KEY or WALG_PGP_KEY in WAL-G's configuration"),
            ("immutable", "Object Lock of the bucket: declare it, and read it as kind s3 too"),
            ("deletable", "the policy of the bucket"),
            ("proofs", "WAL-G keeps no record of its verifications and restores: register them"),
        )
    }
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(total=len(listed), older=older),
        skew=clocks.skew,
        repositories=(Repository(platform=KIND, location=backup.repository, unseen=unseen),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _listed(evidence: Evidence) -> list[Backup]:
    """The rows; WAL-G prints nothing at all, not even `[]`, when its storage is empty."""
    done = outcome(evidence)
    if done.code and "AccessDenied" in done.errors:
        raise Unparsable(f"right to list WAL-G's storage: {done.said}", FailureKind.DENIED)
    if not bytes(evidence.stdout).strip():
        if "no backups found" in done.errors.lower():
            return []
        succeeded(evidence, _REFUSALS, {})
        # Nothing, and no word that there is nothing: a storage path that is wrong looks the same.
        raise Unparsable("wal-g printed nothing: not even that it found no backup")
    succeeded(evidence, _REFUSALS, {})
    return decode(evidence, list[Backup])


def _point(backup: Backup, names: list[str], clocks: Clockwork) -> BackupPoint:
    end = backup.finish_time or backup.stop_local_time
    start = backup.start_time or backup.start_local_time or end
    stored = backup.time or backup.modify_time
    name, _, onto = backup.backup_name.partition(_DELTA)
    delta = bool(onto)
    known = start or stored
    if known is None:
        raise Unparsable(f"{LIST.id}: {clean(backup.backup_name, 80)} has no time")
    began = clocks.true(utc(known)) if start is not None else Stamp(utc(known))
    return BackupPoint(
        id=backup.backup_name,
        start=began.time,
        end=clocks.true(utc(end)).time if end is not None else None,
        uncertainty=began.uncertainty,
        # What a delta adds says nothing about whether it is whole.
        size=None if delta else backup.compressed_size,
        data=None if delta else backup.uncompressed_size,
        origin=Origin.TOOL if start is not None else Origin.SERVER,
        clock="writer" if start is not None else "store",
        name=clean(backup.backup_name, 120),
        group=f"{clean(backup.hostname, 80)} {name.partition('_')[0]}".strip(),
        notes=_notes(start),
        kind=PointKind.INCREMENTAL if delta else PointKind.FULL,
        base=_base(onto, names) if delta else "",
    )


def _notes(start: dt.datetime | None) -> tuple[str, ...]:
    """WAL-G lists what it finished: of a run that failed, or left out a file, it says nothing."""
    # A copy of the objects renews the storage's time.
    return ("outcome_unsaid",) if start is not None else ("outcome_unsaid", "time_of_storage_only")


def _base(onto: str, names: list[str]) -> str:
    """The listed backup that a delta was made onto; a delta's name says only the start of it."""
    wanted = f"base_{onto}"
    fits = (n for n in names if n == wanted or n.startswith(wanted + _DELTA))
    return next(fits, wanted)
