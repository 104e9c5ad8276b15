"""Kind `pgbackrest`: the backups of a stanza as `pgbackrest info` tells them, per repository.

`name` is the stanza, `repository` the number of one repository (empty: all of them), `path` the
configuration file when it is not the usual one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

import msgspec

from checks.backup.series import (
    Archive,
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    in_order,
)
from checks.backup.sources import tool
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.pgbackrest_config import CONFIG, repositories
from checks.backup.sources.pgbackrest_info import Backup, Entry, Repo, Stanza
from checks.backup.sources.records import clock_of, decode, moment, need_server, refuse
from checks.backup.sources.wal import SEGMENT, Segment, archive_of
from checks.backup.timing import Clockwork, from_epoch
from checks.evidence import (
    Answers,
    Evidence,
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

KIND = "pgbackrest"
INFO = Probe(
    id="backup.pgbackrest",
    title="backups of a pgBackRest stanza, per repository",
    timeout=60,
    limit=8_388_608,
)
WAL = Probe(
    id="backup.pgbackrest-wal",
    title="write-ahead log segments in the archive of a pgBackRest stanza",
    timeout=60,
    limit=8_388_608,
)
# Nothing of other programs leaves the host: how long each runs, and for which stanza.
RUNS = Probe(
    id="backup.pgbackrest-runs",
    title="since when pgBackRest backups run",
    script=lambda _: (
        r"""ps -ww -eo etimes=,args= | awk '
{ tool = run = 0; stanza = "-"
  for (i = 2; i <= NF; i++) {
    if ($i ~ /^(.*\/)?pgbackrest$/ && i < 4) tool = 1
    if ($i ~ /^backup(:local|:remote)?$/) run = 1
    if ($i ~ /^--stanza=/) stanza = substr($i, 10)
    if ($i == "--stanza" && i < NF) stanza = $(i + 1)
  }
  if (tool && run) print $1, stanza
}'"""
    ),
    timeout=10,
    limit=65_536,
)
_QUIET = ("--log-level-console=off", "--log-level-stderr=error", "--log-level-file=off")
_REFUSALS = {"cipher-pass": "password of the repository"}
_KINDS = {
    "full": PointKind.FULL,
    "diff": PointKind.DIFFERENTIAL,
    "incr": PointKind.INCREMENTAL,
}
_ABSENT, _EMPTY, _NO_DATA, _MIXED = 1, 2, 3, 4
"""Status codes; anything else but 0 means that pgBackRest could not read something."""


# ------------------------------------------------------------------------------------- requests


def requests(subject: Subject) -> list[Request]:
    """The stanza's backups, and beside them what can be done without."""
    backup = subject.the_backup
    server = need_server(backup)
    refuse(backup, "match", "password_file")
    if not backup.name:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: name (the stanza)")
    number = _number(backup)
    options = [f"--config={backup.path}"] if backup.path else []
    options += [f"--stanza={backup.name}", *_QUIET]
    chosen = [f"--repo={number}"] if number else []
    secret = tool.password_environ(backup, f"PGBACKREST_REPO{number or 1}_CIPHER_PASS")
    listing = ["pgbackrest", "info", "--output=json", *options]
    logs = ["pgbackrest", "repo-ls", "--recurse", "--output=json", *options, *chosen]
    logs.append(f"archive/{backup.name}")
    params = {
        "name": backup.name,
        "path": backup.path,
        "repository": number,
        "run_as": backup.run_as,
    }
    params = {key: value for key, value in params.items() if value}
    made = []
    for probe, program, need in ((INFO, listing, Need.REQUIRED), (WAL, logs, Need.OPTIONAL)):
        made.append(
            msgspec.structs.replace(
                probe.request(server, need, **params),
                script=with_code(tool.run(backup, program)),
                secrets=secret,
                sudo=tool.sudo_rule(backup, program),
            )
        )
    config = {"path": backup.path} if backup.path else {}
    return [
        *made,
        RUNS.request(server, Need.OPTIONAL),
        CONFIG.request(server, Need.OPTIONAL, **config),
        CLOCK.request(server, Need.OPTIONAL),
    ]


def _number(backup: BackupSet) -> str:
    if not backup.repository:
        return ""
    if not re.fullmatch(r"[1-9][0-9]{0,2}", backup.repository, re.ASCII):
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: repository is the number of a pgBackRest "
            f"repository (1 for repo1-path), not {backup.repository!r}"
        )
    return backup.repository


# -------------------------------------------------------------------------------------- reading


def read(context: Context, answers: Answers) -> BackupSeries:
    """A stanza as a series; a stanza or repository that could not be read is no empty one."""
    backup = context.subject.the_backup
    info = answers.one(INFO.id)
    succeeded(info, _REFUSALS, {})
    stanza = _stanza(info, backup)
    wanted = [r for r in stanza.repo if backup.repository in ("", str(r.key))]
    _readable(stanza, wanted, backup)
    # The times are those of the database's host, which need not be the one that lists them.
    clocks = clock_of(answers) if backup.server == (backup.protects or backup.server) else None
    keys = {r.key for r in wanted}
    listed = [b for b in stanza.backup if b.database.key in keys]
    points, older = newest(_point(b, stanza, clocks) for b in listed)
    held = stanza.status.lock.backup.held or any(r.status.lock.backup.held for r in wanted)
    if held:
        points = in_order([*points, _running(backup, info, answers.get(RUNS.id))])
    unread = [r for r in wanted if r.status.code not in (0, _ABSENT, _EMPTY)]
    notes = ["repository_unreadable"] if unread else []
    notes += ["no_stanza"] if any(r.status.code == _ABSENT for r in wanted) else []
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            truncated=bool(unread),
            total=len(stanza.backup),
            ignored=len(stanza.backup) - len(listed),
            older=older,
            notes=tuple(notes),
        ),
        skew=clocks.skew if clocks else 0.0,
        repositories=repositories(
            context.subject, answers, {str(r.key): r.cipher or "" for r in wanted}
        ),
        archive=_archive(listed, answers.get(WAL.id), backup),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _stanza(info: Evidence, backup: BackupSet) -> Stanza:
    found = [s for s in decode(info, list[Stanza]) if s.name == backup.name]
    if not found:
        raise Unparsable(
            f"pgBackRest knows no stanza {clean(backup.name)}: is its configuration complete?",
            FailureKind.COMMAND_FAILED,
        )
    return found[0]


def _readable(stanza: Stanza, wanted: list[Repo], backup: BackupSet) -> None:
    """Raise when no repository of the set could be looked into."""
    if not wanted:
        raise Unparsable(
            f"pgBackRest has no repository {backup.repository or 1} for stanza {stanza.name}",
            FailureKind.COMMAND_FAILED,
        )
    if any(r.status.code in (0, _EMPTY) for r in wanted):
        return
    worst = max(wanted, key=lambda r: r.status.code)
    said = worst.status.message
    where = f"repository {worst.key} of stanza {stanza.name}"
    if "Permission denied" in said:
        raise Unparsable(f"{where}: {clean(said, 300)}", FailureKind.DENIED)
    if worst.cipher not in (None, "none") and re.match(r"\[(Format|Crypto)Error\]", said):
        # What follows quotes bytes that were decrypted with the wrong password.
        raise Unparsable(f"{where}: right repo{worst.key}-cipher-pass", FailureKind.AUTH)
    raise Unparsable(f"{where}: {clean(said, 300)}", FailureKind.COMMAND_FAILED)


def _point(backup: Backup, stanza: Stanza, clocks: Clockwork | None) -> BackupPoint:
    key = str(backup.database.key)
    start = moment(backup.timestamp.start, INFO.id)
    end = moment(backup.timestamp.stop, INFO.id)
    doubt = 1.0
    if clocks is not None:
        true = clocks.true(start)
        start, doubt, end = true.time, true.uncertainty, clocks.true(end).time
    cipher = next((r.cipher for r in stanza.repo if r.key == backup.database.key), None)
    notes = []
    if backup.error:
        notes.append("page_checksum_errors")
    if _without_log(backup, stanza):
        notes.append("wal_missing")
    return BackupPoint(
        id=f"{key}:{backup.label}",
        start=start,
        end=end if end > start else None,
        uncertainty=doubt,
        size=_size(backup),
        data=backup.info.size,
        state=PointState.INVALID if notes else PointState.OK,
        origin=Origin.TOOL,
        clock="host" if clocks is not None else "writer",
        name=backup.label,
        group=f"repo{key}",
        notes=tuple(notes),
        kind=_KINDS.get(backup.type, PointKind.UNKNOWN),
        base=f"{key}:{backup.prior}" if backup.prior else "",
        repository=key,
        errors=1 if backup.error else 0,
        encrypted=None if cipher is None else cipher != "none",
    )


def _size(backup: Backup) -> int | None:
    """Bytes stored of all that a restore needs: only so are full and incremental alike.

    Versions with block-incremental backups do not tell it; what an incremental one adds says
    nothing about whether it is whole.
    """
    stored = backup.info.repository
    return stored.size if stored.size is not None or backup.prior else stored.delta


def _without_log(backup: Backup, stanza: Stanza) -> bool:
    """Whether segments that the backup needs to be consistent lie outside its archive."""
    needed = backup.archive
    if needed is None or not needed.start or not needed.stop:
        return False  # made offline: it needs none
    logs = [a for a in stanza.archive if a.database == backup.database and a.min and a.max]
    return not any((a.min or "") <= needed.start and needed.stop <= (a.max or "") for a in logs)


def _running(backup: BackupSet, info: Evidence, runs: Evidence | None) -> BackupPoint:
    """The backup that holds the lock now; it began when its oldest process did."""
    ages = []
    for line in (bytes(runs.stdout) if runs else b"").decode("utf-8", "replace").splitlines():
        age, _, stanza = line.partition(" ")
        if stanza in ("-", backup.name) and re.fullmatch(r"[0-9]{1,9}", age, re.ASCII):
            ages.append(int(age))
    start = info.taken - dt.timedelta(seconds=max(ages, default=0))
    return BackupPoint(
        id="running",
        start=start,
        state=PointState.RUNNING,
        origin=Origin.TOOL,
        name=backup.name,
        group="running",
        notes=() if ages else ("start_unknown",),
    )


def _archive(listed: list[Backup], evidence: Evidence | None, backup: BackupSet) -> Archive | None:
    if evidence is None:
        return Archive() if listed else None
    try:
        succeeded(evidence, {}, {})
        entries = decode(evidence, dict[str, Entry])
    except Unparsable:
        return Archive() if listed else None
    segments = list(_segments(entries))
    if not segments:
        return Archive() if listed else None
    key = int(backup.repository or min((b.database.key for b in listed), default=1))
    full = [b for b in listed if b.type == "full" and b.database.key == key and b.archive]
    newest_full = max(full, key=lambda b: b.timestamp.start, default=None)
    since = newest_full.archive.start if newest_full and newest_full.archive else None
    return archive_of(segments, since or "", evidence.taken)


def _segments(entries: Mapping[str, Entry]) -> Iterator[Segment]:
    """The segments of the newest database system; an upgrade begins another archive."""
    places: dict[int, list[Segment]] = {}
    for path, entry in entries.items():
        found = re.match(r"[0-9.]+-([0-9]{1,6})/(?:[0-9A-F]{16}/)?([0-9A-F]{24})-", path, re.ASCII)
        time = from_epoch(entry.time)
        if entry.type == "file" and found and time and SEGMENT.fullmatch(found[2]):
            places.setdefault(int(found[1]), []).append(Segment(found[2], time))
    yield from places[max(places)] if places else ()
