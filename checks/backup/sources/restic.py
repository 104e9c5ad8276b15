"""Kind `restic`: snapshots of a restic repository, 0.14 to 0.19, listed by restic itself."""

from __future__ import annotations

import datetime as dt
import json
import shlex
from collections.abc import Iterator

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Origin,
    PointState,
    Repository,
)
from checks.backup.sources.base import BackupSource
from checks.backup.sources.match import Found, bind
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.repository import PLACE, address_of, describe, locate
from checks.backup.sources.tool import password_environ, run, sudo_rule
from checks.backup.sources.writer import PROCESSES, clocks_of, is_stale, told_of, utc
from checks.backup.timing import Clockwork
from checks.evidence import (
    Answers,
    Evidence,
    Failure,
    FailureKind,
    Need,
    NotDeclared,
    Probe,
    Request,
    Unparsable,
)
from checks.model import Context, Subject
from checks.probes.host import CLOCK
from checks.texts import clean
from inventory.model import BackupSet

KIND = "restic"
SNAPSHOTS = Probe(
    id="backup.restic",
    title="snapshots of a restic repository (restic snapshots, without locks and cache)",
    timeout=60,
    limit=33_554_432,
)
LOCKS = Probe(
    id="backup.restic-locks",
    title="locks of a restic repository and the processes that hold them (restic list locks)",
    timeout=60,
    limit=65_536,
)

_BY_HAND = dt.timedelta(minutes=5)
_REFUSALS = {
    "wrong password": "the password of the restic repository is wrong",
    "no key found": "the password of the restic repository is wrong",
    "an empty password": "the password of the restic repository (password_file or password)",
    "Resolving password failed": "the password file of the restic repository",
}
_CODES = {12: "the password of the restic repository is wrong"}

_UNPROVED = Failure(
    kind=FailureKind.NOT_DECLARED,
    detail="restic does not record its checks and restores in the repository: register them",
)


class Summary(msgspec.Struct, frozen=True):
    """What restic 0.17 and later say of the run that made a snapshot."""

    backup_start: dt.datetime | None = None
    backup_end: dt.datetime | None = None
    total_files_processed: int | None = None
    total_bytes_processed: int | None = None


class Snapshot(msgspec.Struct, frozen=True):
    """One row of `restic snapshots --json`; rows of a rewritten snapshot name their original."""

    time: dt.datetime
    id: str
    hostname: str = ""
    paths: list[str] | None = None
    tags: list[str] | None = None
    original: str = ""
    summary: Summary | None = None


class Lock(msgspec.Struct, frozen=True):
    """One `restic cat lock`."""

    time: dt.datetime
    hostname: str = ""
    pid: int = 0


_snapshots = msgspec.json.Decoder(list[Snapshot] | None)


def requests(subject: Subject) -> list[Request]:
    """The snapshots, and beside them what can be done without: locks, the place, the clock."""
    backup = subject.the_backup
    address = address_of(backup)
    if backup.match is not None and backup.match.prefix:
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: match without prefix, "
            "as restic's snapshots have no names"
        )
    asked = [
        _asked(backup, SNAPSHOTS, ("snapshots",)),
        _asked(backup, LOCKS, ("list", "locks"), Need.OPTIONAL),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]
    if locate(address).local:
        asked.append(PLACE.request(backup.server, Need.OPTIONAL, path=locate(address).path))
    return asked


def _asked(
    backup: BackupSet, probe: Probe, words: tuple[str, ...], need: Need = Need.REQUIRED
) -> Request:
    file = ("--password-file", backup.password_file) if backup.password_file else ()
    address = address_of(backup)
    program = ("restic", "-r", address, "--no-lock", "--no-cache", *file)
    script = run(backup, (*program, "--json", *words))
    if probe is LOCKS:
        # Who runs comes first, so that a lock is compared with what ran before it was read.
        script = PROCESSES.replace("NAME", "restic") + script
        if not backup.run_as:
            # One lock's number is no fixed argument, so sudo could not allow reading it.
            each = " ".join(shlex.quote(word) for word in program)
            script += f' | head -n 5 | while read -r id; do {each} cat lock "$id"; done'
    request = probe.request(
        backup.server,
        need,
        repository=address,
        password_file=backup.password_file,
        run_as=backup.run_as,
    )
    return msgspec.structs.replace(
        request,
        script=with_code(script),
        secrets=password_environ(backup, "RESTIC_PASSWORD"),
        sudo=sudo_rule(backup, (*program, "--json", *words)),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """A repository's snapshots as a series."""
    subject = context.subject
    backup = subject.the_backup
    evidence = answers.one(SNAPSHOTS.id)
    succeeded(evidence, _REFUSALS, _CODES)
    clocks = clocks_of(backup, answers)
    points, listing = bind(backup, [_found(s, clocks) for s in read_snapshots(evidence)])
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=listing,
        skew=clocks.skew,
        repositories=(_repository(subject, answers),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_snapshots(evidence: Evidence) -> list[Snapshot]:
    """The snapshots of a listing; 0.19 writes lines of progress before them.

    Raises:
        Unparsable: no line of it is a list of snapshots.
    """
    text = bytes(evidence.stdout)
    fault = "nothing"
    for part in (text, *reversed(text.splitlines())):
        if part.strip().startswith((b"[", b"null")):
            try:
                return _snapshots.decode(part) or []
            except msgspec.DecodeError as e:
                fault = str(e)
    raise Unparsable(f"{evidence.probe}: no list of snapshots ({clean(fault)})")


def _found(snapshot: Snapshot, clocks: Clockwork) -> Found:
    ran = snapshot.summary or Summary()
    claimed = utc(snapshot.time)
    began = utc(ran.backup_start) if ran.backup_start else claimed
    notes = []
    if abs(claimed - began) > _BY_HAND:
        # `--time` sets the first, nobody the second; the older one cannot flatter.
        notes.append("dated_by_hand")
    start = clocks.true(min(claimed, began))
    empty = ran.total_files_processed == 0 or ran.total_bytes_processed == 0
    return Found(
        point=BackupPoint(
            id=snapshot.original or snapshot.id,
            start=start.time,
            end=clocks.true(utc(ran.backup_end)).time if ran.backup_end else None,
            uncertainty=start.uncertainty,
            state=PointState.INVALID if empty else PointState.OK,
            origin=Origin.TOOL,
            clock="writer",
            name=clean(f"{snapshot.hostname} {snapshot.id[:8]}".strip()),
            # restic lists a snapshot of which it could not read everything like any other.
            notes=(*notes, "empty_archive" if empty else "outcome_unsaid"),
            paths=tuple(sorted({clean(p) for p in snapshot.paths or ()})),
            files=_count(ran.total_files_processed),
            data=_count(ran.total_bytes_processed),
            encrypted=True,
        ),
        host=snapshot.hostname,
        tags=frozenset(snapshot.tags or ()),
    )


def _count(number: int | None) -> int | None:
    return None if number is None else max(0, number)


# ------------------------------------------------------------------------------------- repository


def _repository(subject: Subject, answers: Answers) -> Repository:
    address = address_of(subject.the_backup)
    found = describe(subject, address, KIND, answers.get(PLACE.id))
    locks = answers.get(LOCKS.id)
    return msgspec.structs.replace(
        found,
        encrypted=True,
        unseen=found.unseen | {"proofs": _UNPROVED},
        notes=stale_locks(locks) if locks is not None else (),
    )


def stale_locks(evidence: Evidence) -> tuple[str, ...]:
    """A note when a run crashed and left its lock; locks of runs that go on are nothing to tell."""
    text = bytes(evidence.stdout).decode("utf-8", "replace")
    at = text.find("{")
    told = told_of(text[: max(at, 0)])
    notes = {
        is_stale(evidence.taken - utc(lock.time), lock.hostname, str(lock.pid), told)
        for lock in _locks(text[at:] if at >= 0 else "")
    } - {""}
    return tuple(sorted(notes))


def _locks(text: str) -> Iterator[Lock]:
    """Every lock of some JSON values behind one another; what is no lock ends it."""
    decoder = json.JSONDecoder()
    at = 0
    while (at := text.find("{", at)) >= 0:
        try:
            value, at = decoder.raw_decode(text, at)
            yield msgspec.convert(value, Lock)
        except (ValueError, RecursionError):
            return
