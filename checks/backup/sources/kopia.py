"""Kind `kopia`: snapshots of the repository to which an account on a server is connected.

`repository` is the connection's configuration file when it is not the account's usual one; connect
it with `--readonly`. This rests on kopia's documented fields, not on a run of the tool.
"""

from __future__ import annotations

import datetime as dt

import msgspec

from checks.backup.series import BackupPoint, BackupSeries, Origin, PointState, Repository
from checks.backup.sources.base import BackupSource
from checks.backup.sources.match import Found, bind
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.records import clock_of, decode, refuse
from checks.backup.sources.tool import password_environ, run, sudo_rule
from checks.backup.sources.writer import utc
from checks.backup.timing import NO_CLOCK, Clockwork
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
from inventory.model import BackupSet

KIND = "kopia"
SNAPSHOTS = Probe(
    id="backup.kopia",
    title="snapshots of a kopia repository (kopia snapshot list --all --json)",
    timeout=60,
    limit=33_554_432,
)
STATUS = Probe(
    id="backup.kopia-status",
    title="encryption and retention lock of a kopia repository (kopia repository status --json)",
    timeout=30,
    limit=65_536,
    # It describes the storage, and nothing promises that every version leaves out its keys.
    sensitive=True,
)
_REFUSALS = {
    "invalid repository password": "the password of the kopia repository",
    "unable to get password": "the password of the kopia repository",
}
_CHECKPOINT = "checkpoint"
_UNSEEN = {
    "remote": "where the storage of the kopia repository lies",
    "deletable": "what the protected server's key to the storage allows",
    "proofs": "kopia keeps no record of its verifications and restores: register them",
}


class _Camel(msgspec.Struct, frozen=True, rename="camel"):
    pass


class Place(_Camel, frozen=True):
    """Whose snapshot it is."""

    host: str = ""
    user_name: str = ""
    path: str = ""


class Stats(_Camel, frozen=True):
    """What the run counted."""

    total_size: int | None = None
    file_count: int | None = None
    error_count: int = 0


class Summary(_Camel, frozen=True):
    """What the stored tree holds."""

    size: int | None = None
    files: int | None = None
    num_failed: int = 0


class Entry(_Camel, frozen=True):
    """The root of the stored tree."""

    summ: Summary | None = None


class Snapshot(_Camel, frozen=True):
    """One row of the list."""

    id: str
    source: Place
    start_time: dt.datetime
    end_time: dt.datetime | None = None
    incomplete: str = ""
    stats: Stats | None = None
    root_entry: Entry | None = None
    tags: dict[str, str] | None = None


class Lock(_Camel, frozen=True):
    """How long new blobs are kept; the period in nanoseconds."""

    mode: str = ""
    period: int = 0


class Format(_Camel, frozen=True):
    """How contents are stored."""

    encryption: str = ""


class Status(_Camel, frozen=True):
    """The part of the repository's status that is used."""

    content_format: Format | None = None
    blob_retention: Lock | None = None


def requests(subject: Subject) -> list[Request]:
    """The snapshots of every user and host, and beside them what protects the repository."""
    backup = subject.the_backup
    refuse(backup, "name", "path", "password_file")
    return [
        _asked(backup, SNAPSHOTS, ("snapshot", "list", "--all", "--json")),
        _asked(backup, STATUS, ("repository", "status", "--json"), Need.OPTIONAL),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]


def _asked(
    backup: BackupSet, probe: Probe, words: tuple[str, ...], need: Need = Need.REQUIRED
) -> Request:
    file = (f"--config-file={backup.repository.strip()}",) if backup.repository.strip() else ()
    program = ("env", "KOPIA_CHECK_FOR_UPDATES=false", "kopia", *file, *words)
    asked = probe.request(backup.server, need, config=backup.repository, run_as=backup.run_as)
    return msgspec.structs.replace(
        asked,
        script=with_code(run(backup, program)),
        secrets=password_environ(backup, "KOPIA_PASSWORD"),
        sudo=sudo_rule(backup, program),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """The set's snapshots as a series."""
    backup = context.subject.the_backup
    evidence = answers.one(SNAPSHOTS.id)
    succeeded(evidence, _REFUSALS, {})
    nothing = bytes(evidence.stdout).strip() == b"null"
    listed = [] if nothing else decode(evidence, list[Snapshot])
    # The host's clock stamps only what the host itself wrote.
    clocks = clock_of(answers) if backup.server == backup.protects else NO_CLOCK
    # Checkpoints are listed whatever is asked for, and hold a part of what the next row holds.
    done = [s for s in listed if s.incomplete != _CHECKPOINT]
    notes = ["incomplete_snapshots"] if any(s.incomplete for s in listed) else []
    points, listing = bind(backup, [_found(s, clocks) for s in done], notes)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=listing,
        skew=clocks.skew,
        repositories=(_repository(backup, answers.get(STATUS.id)),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _found(snapshot: Snapshot, clocks: Clockwork) -> Found:
    who = snapshot.source
    stats = snapshot.stats or Stats()
    summary = (snapshot.root_entry or Entry()).summ or Summary()
    start = clocks.true(utc(snapshot.start_time))
    end = clocks.true(utc(snapshot.end_time)).time if snapshot.end_time is not None else None
    files = summary.files if summary.files is not None else stats.file_count
    wrong = _wrong(snapshot, files)
    point = BackupPoint(
        id=snapshot.id,
        start=start.time,
        end=end,
        uncertainty=start.uncertainty,
        state=PointState.INVALID if wrong else PointState.OK,
        origin=Origin.TOOL,
        clock="host" if clocks is not NO_CLOCK else "writer",
        name=clean(f"{who.user_name}@{who.host}:{who.path}", 200),
        notes=(wrong,) if wrong else (),
        paths=(who.path,) if who.path else None,
        files=files,
        data=summary.size if summary.size is not None else stats.total_size,
        errors=max(stats.error_count, summary.num_failed, 0),
        encrypted=True,
    )
    tags = frozenset(f"{k.removeprefix('tag:')}:{v}" for k, v in (snapshot.tags or {}).items())
    return Found(point=point, host=who.host, tags=tags)


def _wrong(snapshot: Snapshot, files: int | None) -> str:
    """Why a row is no copy: somebody or a limit broke it off, or nothing is in it."""
    if snapshot.incomplete:
        return f"incomplete_{clean(snapshot.incomplete, 20)}"
    return "no_files" if files == 0 else ""


def _repository(backup: BackupSet, status: Evidence | None) -> Repository:
    unseen = {
        field: Failure(kind=FailureKind.NOT_DECLARED, detail=what)
        for field, what in _UNSEEN.items()
    }
    found = None
    try:
        if status is not None:
            succeeded(status, _REFUSALS, {})
            found = decode(status, Status)
    except Unparsable as e:
        unseen["immutable"] = Failure(kind=e.kind, detail="kopia repository status")
    if found is None:
        unseen.setdefault(
            "immutable",
            Failure(kind=FailureKind.COMMAND_FAILED, detail="kopia repository status --json"),
        )
        return Repository(platform=KIND, location=backup.repository, unseen=unseen)
    lock = found.blob_retention or Lock()
    days = lock.period / 86_400e9
    locked = bool(lock.mode) and days > 0
    return Repository(
        platform=KIND,
        location=backup.repository,
        encrypted=bool(found.content_format and found.content_format.encryption) or None,
        immutable=locked,
        immutable_days=days if locked else None,
        unseen=unseen,
    )
