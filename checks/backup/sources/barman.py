"""Kind `barman`: the backups of one PostgreSQL server as `barman list-backup` tells them.

`name` is the server's name in barman, `path` its configuration file when it is not the usual one.
Every listing of barman holds, while it reads, the lock of its list of segments; none is used that
would check, archive or create anything.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence

import msgspec

from checks.backup.series import (
    Archive,
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    Repository,
)
from checks.backup.sources import tool
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.outcome import outcome, with_code
from checks.backup.sources.records import clock_of, decode, moment, need_server, refuse
from checks.backup.sources.repository import describe
from checks.backup.sources.wal import SEGMENT, failing_since, missing
from checks.backup.timing import Clockwork
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

KIND = "barman"
LISTING = Probe(
    id="backup.barman", title="backups of a server in barman", timeout=60, limit=4_194_304
)
LATEST = Probe(
    id="backup.barman-latest",
    title="begin and write-ahead log of the latest backup in barman",
    timeout=60,
    limit=1_048_576,
)
LOGS = Probe(
    id="backup.barman-wal",
    title="write-ahead log segments since the latest backup in barman",
    timeout=60,
    limit=8_388_608,
)
SERVER = Probe(
    id="backup.barman-server",
    title="archiver's state, folder and encryption of a server in barman",
    timeout=60,
    limit=65_536,
)
_TOLD = "last_archived_time|last_failed_time|backup_directory|encryption|passive_node"
_LABEL = re.compile(r"(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)", re.ASCII)
_DONE = "DONE"
_BUSY = ("EMPTY", "STARTED", "SYNCING", "WAITING_FOR_WALS")
"""A killed backup keeps its `STARTED` for ever, and `barman check` does not count it."""


class _Row(msgspec.Struct, frozen=True):
    backup_id: str
    status: str
    end_time_timestamp: str | int | None = None
    size_bytes: int | None = None
    backup_type: str | None = None


class _Base(msgspec.Struct, frozen=True):
    begin_time_timestamp: str | int | None = None
    begin_wal: str | None = None


class _Details(msgspec.Struct, frozen=True):
    backup_id: str = ""
    base_backup_information: _Base = _Base()


# ------------------------------------------------------------------------------------- requests


def requests(subject: Subject) -> list[Request]:
    """The server's backups, and beside them what can be done without."""
    backup = subject.the_backup
    need_server(backup)
    refuse(backup, "match", "repository", "password_file", "password")
    if not backup.name:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: name (the server in barman)")
    name = backup.name
    return [
        _request(backup, LISTING, ("list-backup", name), Need.REQUIRED),
        _request(backup, LATEST, ("show-backup", name, "latest"), Need.OPTIONAL),
        _request(backup, LOGS, ("list-files", "--target", "wal", name, "latest"), Need.OPTIONAL),
        _request(backup, SERVER, ("show-server", name), Need.OPTIONAL),
        CLOCK.request(backup.server, Need.OPTIONAL),
    ]


def _request(backup: BackupSet, probe: Probe, words: Sequence[str], need: Need) -> Request:
    config = ("-c", backup.path) if backup.path else ()
    program = ("barman", *config, "-f", "json", *words)
    script = tool.run(backup, program)
    params = {"name": backup.name, "path": backup.path, "run_as": backup.run_as}
    return msgspec.structs.replace(
        probe.request(backup.server, need, **{k: v for k, v in params.items() if v}),
        script=_only_told(script) if probe is SERVER else with_code(script),
        sudo=tool.sudo_rule(backup, program),
    )


def _only_told(script: str) -> str:
    """Of all that `show-server` prints only what is used: connection strings hold passwords."""
    return (
        f"told=$(\n{script}\n) || exit $?\n"
        f"""told=$(printf '%s' "$told" | grep -oE '"({_TOLD})": ("[^"]*"|[a-z0-9]+)')\n"""
        "printf '%s\\n' \"$told\"\n"
        """d=$(printf '%s\\n' "$told" | sed -n 's/^"backup_directory": "\\(.*\\)"$/\\1/p')\n"""
        """[ -z "$d" ] || printf '"mount": "%s"\\n' "$(df -PT "$d" 2>/dev/null | tail -n 1)"\n"""
    )


# -------------------------------------------------------------------------------------- reading


def read(context: Context, answers: Answers) -> BackupSeries:
    """A server's backups as a series."""
    backup = context.subject.the_backup
    listed = answers.one(LISTING.id)
    rows = _rows(listed, backup)
    clocks = clock_of(answers)
    latest = _latest(answers.get(LATEST.id), backup)
    told = _told(answers.get(SERVER.id))
    encrypted = _encrypted(told)
    points, older = newest(_point(r, clocks, latest, encrypted) for r in rows)
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            total=len(rows),
            older=older,
            notes=() if clocks.zone is not None else ("zone_unknown",),
        ),
        zone=clocks.zone_name,
        skew=clocks.skew,
        repositories=(_repository(context.subject, told, answers, encrypted),),
        archive=_archive(answers.get(LOGS.id), latest, told),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _rows(listed: Evidence, backup: BackupSet) -> list[_Row]:
    done = outcome(listed)
    if done.code:
        said = done.said
        try:
            errors = decode(listed, dict[str, list[str]]).get("_ERROR", [])
            said = clean("; ".join(errors)) or said
        except Unparsable:
            pass  # it said so on the error stream
        denied = "please run barman as" in done.errors
        kind = FailureKind.DENIED if denied else FailureKind.COMMAND_FAILED
        raise Unparsable(said, kind)
    answer = decode(listed, dict[str, list[_Row]])
    if backup.name not in answer:
        raise Unparsable(f"barman said nothing of {clean(backup.name)}", FailureKind.COMMAND_FAILED)
    return answer[backup.name]


def _latest(evidence: Evidence | None, backup: BackupSet) -> _Details:
    if evidence is None or outcome(evidence).code:
        return _Details()
    try:
        return decode(evidence, dict[str, _Details]).get(backup.name, _Details())
    except Unparsable:
        return _Details()


def _told(evidence: Evidence | None) -> Mapping[str, str]:
    """What was let out of `show-server`; empty when it did not answer."""
    told = {}
    text = bytes(evidence.stdout).decode("utf-8", "replace") if evidence is not None else ""
    for line in text.splitlines():
        key, _, value = line.partition(": ")
        told[key.strip('"')] = value.strip('"')
    return told


def _point(row: _Row, clocks: Clockwork, latest: _Details, encrypted: bool | None) -> BackupPoint:
    begun = _begun(row, latest)
    ended = _epoch(row.end_time_timestamp)
    notes: tuple[str, ...] = ()
    if begun is None and ended is None:
        # Failed and unfinished rows tell nothing but their label, in the host's own time.
        label = _label(row.backup_id)
        stamp = clocks.local(label)
    else:
        # With a clock that was put back the end may lie before the begin: the older cannot flatter.
        stamp = clocks.true(min((t for t in (begun, ended) if t is not None), default=_NEVER))
    state = PointState.INVALID
    if row.status == _DONE and ended is not None:
        state = PointState.OK
    elif row.status in _BUSY:
        state = PointState.RUNNING
    else:
        notes = ("failed",) if row.status == "FAILED" else ("status_unknown",)
    end = clocks.true(ended).time if ended else None
    incremental = row.backup_type == "incremental"
    return BackupPoint(
        id=row.backup_id,
        start=stamp.time,
        end=end if end is not None and end > stamp.time else None,
        uncertainty=stamp.uncertainty,
        # What an incremental one adds says nothing about whether it is whole.
        size=None if incremental else row.size_bytes,
        state=state,
        origin=Origin.NAME if begun is None and ended is None else Origin.TOOL,
        name=row.backup_id,
        group="barman",
        notes=notes,
        kind=PointKind.INCREMENTAL if incremental else PointKind.FULL,
        encrypted=encrypted,
    )


_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _begun(row: _Row, latest: _Details) -> dt.datetime | None:
    """The begin of a backup, which only details tell; the list knows the end."""
    if row.backup_id != latest.backup_id:
        return None
    return _epoch(latest.base_backup_information.begin_time_timestamp)


def _epoch(value: str | int | None) -> dt.datetime | None:
    if value is None or value == "":
        return None
    if not re.fullmatch(r"[0-9]{1,12}", str(value), re.ASCII):
        raise Unparsable(f"{LISTING.id}: {str(value)[:40]!r} is no Unix time")
    return moment(int(value), LISTING.id)


def _label(text: str) -> dt.datetime:
    found = _LABEL.fullmatch(text)
    try:
        if found:
            return dt.datetime(*(int(g) for g in found.groups()))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        pass
    raise Unparsable(f"{LISTING.id}: {clean(text, 60)!r} is no label of a backup")


def _encrypted(told: Mapping[str, str]) -> bool | None:
    """Whether barman encrypts; versions before 3.16 cannot, and then say nothing of it."""
    if not told:
        return None
    return told.get("encryption", "null") not in ("null", "none", "")


def _repository(
    subject: Subject, told: Mapping[str, str], answers: Answers, encrypted: bool | None
) -> Repository:
    folder = told.get("backup_directory", "")
    evidence = answers.get(SERVER.id)
    if not folder or evidence is None:
        failed = [e.failure for e in answers.failures() if e.probe == SERVER.id and e.failure]
        unseen = dict.fromkeys(("remote", "immutable", "deletable"), failed[0]) if failed else {}
        return Repository(
            platform=KIND, server=subject.the_backup.server, encrypted=encrypted, unseen=unseen
        )
    place = msgspec.structs.replace(evidence, stdout=told.get("mount", "").encode())
    found = describe(subject, folder, KIND, place)
    return msgspec.structs.replace(found, id="", encrypted=encrypted)


def _archive(logs: Evidence | None, latest: _Details, told: Mapping[str, str]) -> Archive | None:
    """The archiver's state as the database tells it, gaps since the latest backup's begin."""
    last, failed = _zoned(told.get("last_archived_time")), _zoned(told.get("last_failed_time"))
    gaps = None
    if logs is not None and outcome(logs).code == 0:
        try:
            paths = decode(logs, dict[str, list[str]]).get("_INFO", [])
        except Unparsable:
            paths = []
        names = {p.rpartition("/")[2] for p in paths}
        names = {n for n in names if SEGMENT.fullmatch(n)}
        begin = latest.base_backup_information.begin_wal or ""
        if names:
            first = {begin} if SEGMENT.fullmatch(begin) else set()
            gaps = missing(names | first) + len(first - names)
    if last is None and gaps is None and failed is None:
        return Archive() if logs is not None or told else None
    return Archive(last=last, failing_since=failing_since(last, failed), gaps=gaps)


def _zoned(text: str | None) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return time.astimezone(dt.UTC) if time.tzinfo is not None else None
