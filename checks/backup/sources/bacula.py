"""Kind `bacula`: the jobs that a Bacula Director's catalog lists, read through `bconsole`.

`name` is the job, `repository` the console's configuration when it is not the usual one. Make it a
Console resource of its own with `CommandACL = list, llist, status, .jobs, .clients`, in a file that
the scanner's account may read. There is no `run_as`: a right to run bconsole by sudo is a right to
run anything as that account, because a console obeys `@exec`. Verify and Restore jobs count when
their client has no other backup job, or when `match.tags` names them. Measured with Bacula 9.6.7.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    Proof,
    ProofKind,
    Repository,
)
from checks.backup.sources.bacula_rows import Row, Told, read_session
from checks.backup.sources.base import MOST_POINTS, BackupSource, newest
from checks.backup.sources.outcome import with_code
from checks.backup.sources.records import clock_of, refuse
from checks.backup.sources.tool import run
from checks.backup.timing import Clockwork
from checks.evidence import Answers, Failure, FailureKind, Need, NotDeclared, Probe, Request
from checks.model import Context, Subject
from checks.probes.host import CLOCK
from checks.texts import clean
from inventory.model import BackupSet

KIND = "bacula"
JOBS = Probe(
    id="backup.bacula",
    title="jobs of a Bacula catalog (bconsole: llist, status, .jobs)",
    timeout=60,
    limit=8_388_608,
)
USUAL = "/etc/bacula/bconsole.conf"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 :._-]{0,126}", re.ASCII)
_KINDS = {
    "F": PointKind.FULL,
    "f": PointKind.FULL,
    "D": PointKind.DIFFERENTIAL,
    "I": PointKind.INCREMENTAL,
}
_GOOD = frozenset("TW")
"""Bacula bases incrementals on these only."""
_WITH_ERRORS = frozenset("We")
_BAD = frozenset("EfAID")
_GOING = frozenset("RCFSmMsjcdtpqiLalBuw")
_LOOKS = {"A": ProofKind.VERIFY, "O": ProofKind.CHECK}
"""Verify levels that look at what was backed up; the others look at the client's own disk."""


def requests(subject: Subject) -> list[Request]:
    """One console session, and beside it the host's clock."""
    backup = subject.the_backup
    where = f"backup set {backup.system}/{backup.id}"
    refuse(backup, "run_as", "path", "password", "password_file")
    if not _NAME.fullmatch(backup.name):
        raise NotDeclared(f"{where}: name (a job of Bacula)")
    path = backup.repository.strip() or USUAL
    if not path.startswith("/") or "\0" in path or "\n" in path:
        raise NotDeclared(f"{where}: repository as the absolute path of a bconsole.conf")
    program = ("bconsole", "-n", "-c", path)
    told = " ".join(shlex.quote(line) for line in _commands(backup.name))
    script = with_code(f"printf '%s\\n' {told} | {{\n{run(backup, program)}\n}}")
    asked = JOBS.request(backup.server, path=path, name=backup.name)
    return [
        msgspec.structs.replace(asked, script=script),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]


def _commands(name: str) -> tuple[str, ...]:
    """Listing only. The job comes first, because its client decides which catalog is used."""
    last = f"order=desc limit={MOST_POINTS}"
    return (
        f'llist job="{name}" {last}',
        "llist jobs jobtype=V order=desc limit=300",
        "llist jobs jobtype=R order=desc limit=300",
        "llist jobs jobtype=B order=desc limit=300",
        "llist pools",
        ".jobs type=B",
        f'status schedule job="{name}" days=40',
        "quit",
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """A job's runs as a series."""
    backup = context.subject.the_backup
    told = read_session(answers.one(JOBS.id), backup.name)
    clocks = clock_of(answers)
    mine = [r for r in told.rows if r.name == backup.name]
    copies = [r for r in mine if r.type in ("B", "C")]
    whole = len(mine) < MOST_POINTS
    found, older = newest(_chained(copies, clocks, whole))
    proofs, unproved = _proofs(told, backup, clocks)
    # A schedule of which nothing is shown may be hidden by an ACL.
    own = re.compile(rf"\d\d:\d\d +{re.escape(backup.name)}(?: |$)")
    scheduled = any(own.search(line) for line in told.scheduled)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=found,
        listing=Listing(
            total=len(mine),
            ignored=len(mine) - len(copies),
            older=older if whole else older + 1,
            notes=() if backup.name in told.words else ("job_not_configured",),
        ),
        skew=clocks.skew,
        repositories=tuple(_pools(copies, told, unproved)),
        proofs=tuple(proofs),
        scheduled=scheduled or None,
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


class _Chain:
    """The runs on which the next incremental of one pool's line is based."""

    def __init__(self) -> None:
        self.full: Row | None = None
        self.last: Row | None = None


def _chained(rows: list[Row], clocks: Clockwork, whole: bool) -> Iterator[BackupPoint]:
    """The points with their bases, oldest first; copies form a chain of their own."""
    chains: dict[str, _Chain] = {}
    for row in rows:
        chain = chains.setdefault(row.type, _Chain())
        point = _point(row, clocks)
        kind = point.kind
        needed = chain.full if kind is PointKind.DIFFERENTIAL else chain.last
        if point.state is PointState.OK and kind in (
            PointKind.DIFFERENTIAL,
            PointKind.INCREMENTAL,
        ):
            wrong = ""
            if chain.full is None or needed is None:
                wrong = "no_full" if whole else ""
            elif chain.full.purged:
                wrong = "full_purged"
            point = msgspec.structs.replace(
                point,
                base=str(needed.id) if needed is not None else "",
                state=PointState.INVALID if wrong else PointState.OK,
                notes=(*point.notes, wrong) if wrong else point.notes,
            )
        yield point
        if row.status in _GOOD:
            chain.last = row
            chain.full = row if kind is PointKind.FULL else chain.full


def _point(row: Row, clocks: Clockwork) -> BackupPoint:
    kind = _KINDS.get(row.level, PointKind.UNKNOWN)
    state, notes = _state(row)
    full = kind in (PointKind.FULL, PointKind.UNKNOWN)
    if full and state is PointState.OK and row.files == 0:
        state, notes = PointState.INVALID, (*notes, "no_files")
    stamp = clocks.true(row.start, row.doubt)
    end = clocks.true(row.end).time if row.end is not None else None
    return BackupPoint(
        id=str(row.id),
        start=stamp.time,
        end=end,
        uncertainty=stamp.uncertainty,
        # What a partial run adds says nothing about whether it is whole; none is no fault.
        size=row.bytes if full else None,
        files=row.files if full else None,
        state=state,
        origin=Origin.TOOL,
        name=f"{clean(row.name, 80)} {row.level} {row.id}",
        group=f"{row.type} {kind.value} {clean(row.pool, 80)}".strip(),
        notes=notes,
        kind=kind,
        repository=clean(row.pool, 80),
        errors=max(row.errors, 1 if row.status in _WITH_ERRORS else 0),
    )


def _state(row: Row) -> tuple[PointState, tuple[str, ...]]:
    notes: tuple[str, ...] = ("files_purged",) if row.purged else ()
    if row.status in _GOING:
        return PointState.RUNNING, notes
    if row.status in _BAD:
        return PointState.INVALID, (*notes, f"job_status_{row.status}")
    if row.status in _GOOD or row.status in _WITH_ERRORS:
        return PointState.OK, notes
    return PointState.INVALID, (*notes, "job_status_not_known")


def _pools(rows: list[Row], told: Told, unproved: dict[str, str]) -> Iterator[Repository]:
    silent = {
        "remote": "where the storage daemon of the pool keeps its volumes",
        "encrypted": "PKI Encryption in the client's bacula-fd.conf, which the catalog lacks",
        "immutable": "whether volumes can be changed where they lie",
        "deletable": "what the console and the storage of the protected server may do",
    }
    missing = silent | unproved
    unseen = {
        k: Failure(kind=FailureKind.NOT_DECLARED, detail=clean(v)) for k, v in missing.items()
    }
    for pool in sorted({r.pool for r in rows}):
        yield Repository(
            id=clean(pool, 80),
            location=f"pool {clean(pool, 80)}" if pool else "",
            platform=KIND,
            expires_days=told.retention.get(pool),
            unseen=unseen,
        )


def _proofs(told: Told, backup: BackupSet, clocks: Clockwork) -> tuple[list[Proof], dict[str, str]]:
    """Verify and Restore jobs of the set, and what must be declared to know them.

    A restore whose set cannot be told is no failure to restore.
    """
    clients = {r.client for r in told.rows if r.name == backup.name and r.client}
    others = {r.name for r in told.rows if r.type == "B" and r.client in clients} - {backup.name}
    named = backup.match.tags if backup.match else ()
    candidates = [r for r in told.rows if r.type in ("R", "V") and r.client in clients]
    if named:
        candidates = [r for r in candidates if r.name in named]
    elif others and candidates:
        what = (
            f"match.tags of {backup.system}/{backup.id}: its Verify and Restore jobs, because "
            f"its client has other backup jobs too ({', '.join(sorted(others)[:3])})"
        )
        fields = ("proofs", *(("restores",) if any(r.type == "R" for r in candidates) else ()))
        return [], dict.fromkeys(fields, what)
    return [p for row in candidates if (p := _proof(row, clocks)) is not None], {}


def _proof(row: Row, clocks: Clockwork) -> Proof | None:
    """What a job proved; None when it is not over, was stopped, or looked at nothing."""
    kind = ProofKind.RESTORE if row.type == "R" else _LOOKS.get(row.level)
    ended = row.status in _GOOD or row.status in _WITH_ERRORS or row.status in "EfID"
    if kind is None or not ended or (row.files == 0 and row.status in _GOOD):
        return None
    return Proof(
        kind=kind,
        time=clocks.true(row.start).time,
        ok=row.status in _GOOD and row.errors == 0,
        errors=row.errors,
        seconds=row.seconds,
        name=f"{clean(row.name, 80)} {row.id}",
    )
