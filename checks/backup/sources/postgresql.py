"""Kind `postgresql`: what the database says of its archiving, and the base backups in a folder.

`name` is a database to log in to (`postgres`), `repository` the folder of its socket or its host
when not the usual one, `path` the folder in which `pg_basebackup` leaves its copies.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

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
from checks.backup.sources import directory_scripts as scripts
from checks.backup.sources import tool
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.folders import read_folders
from checks.backup.sources.outcome import succeeded, with_code
from checks.backup.sources.place import place_of
from checks.backup.sources.records import clock_of, decode, moment, need_server, refuse
from checks.backup.sources.repository import PLACE, describe
from checks.backup.sources.wal import failing_since
from checks.backup.timing import Clockwork, from_epoch
from checks.evidence import Answers, Evidence, Need, NotDeclared, Probe, Request
from checks.model import Context, Subject
from checks.probes.host import CLOCK
from inventory.model import BackupSet

KIND = "postgresql"
ARCHIVER = Probe(
    id="backup.postgresql-archiver",
    title="state of PostgreSQL's archiver (pg_stat_archiver)",
    timeout=20,
    limit=65_536,
)
_SQL = (
    "select json_build_object('mode', current_setting('archive_mode'), "
    "'archived', extract(epoch from last_archived_time), "
    "'failed', extract(epoch from last_failed_time)) from pg_stat_archiver"
)
_REFUSALS = dict.fromkeys(
    (
        "authentication failed",
        "no password supplied",
        "fe_sendauth",
        "no pg_hba.conf entry",
        'role "',
    ),
    "login to PostgreSQL with the right to read pg_stat_archiver",
)

# Per copy two NUL-ended fields, its path and lines `key=value`. pg_basebackup renames its manifest
# into place last; all times in a manifest are GMT.
_LOOK = r"""
for x do
  printf '%s\000' "$x"
  stat -c 'born=%W
changed=%Y' "$x"
  f=$x/backup_manifest
  if [ -e "$f" ]; then
    if [ ! -r "$f" ]; then echo denied=1; else
      echo "written=$(stat -c %Y "$f")"
      tail -c 200 "$f" | tr -d '\000' | grep -q '"Manifest-Checksum": "[0-9a-f]*"}' && echo end=1
      grep -m 1 '"Path": "backup_label"' "$f" |
        sed -n 's/.*"Last-Modified": "\([-0-9: ]*\) GMT".*/start=\1/p'
      grep -q '/INCREMENTAL\.' "$f" && echo incremental=1
    fi
  fi
  echo "kilobytes=$(du -sk "$x" 2>/dev/null | cut -f 1)"
  printf '\000'
done
"""
_NAMES = ("backup_manifest", "backup_manifest.tmp", "backup_label", "base.tar", "base.tar.*")


def _script(params: Mapping[str, str]) -> str:
    return scripts.folders(params, _NAMES, _LOOK)


COPIES = Probe(
    id="backup.postgresql-copies",
    title="base backups of PostgreSQL in a folder, with their times and sizes",
    script=_script,
    timeout=120,
    limit=4_194_304,
)


class _State(msgspec.Struct, frozen=True):
    mode: str
    archived: float | None = None
    failed: float | None = None


def requests(subject: Subject) -> list[Request]:
    """The archiver's state, and the folder of base backups when there is one."""
    backup = subject.the_backup
    server = need_server(backup)
    refuse(backup, "match")
    if not backup.name and not backup.path:
        where = f"backup set {backup.system}/{backup.id}"
        raise NotDeclared(f"{where}: name (a database to log in to) or path")
    made = [CLOCK.request(server, Need.OPTIONAL)]
    if backup.name:
        made.append(_archiver(backup))
    if backup.path:
        folder = place_of(backup).folder
        made.append(COPIES.request(server, path=folder))
        made.append(PLACE.request(server, Need.OPTIONAL, path=folder))
    return made


def _archiver(backup: BackupSet) -> Request:
    passfile = f"PGPASSFILE={backup.password_file}" if backup.password_file else ""
    program = (
        *(("env", passfile) if passfile else ()),
        *("psql", "-X", "-A", "-t", "-w", "-d", backup.name),
        *(("-h", backup.repository) if backup.repository else ()),
        *("-c", _SQL),
    )
    params = {"name": backup.name, "repository": backup.repository, "run_as": backup.run_as}
    return msgspec.structs.replace(
        ARCHIVER.request(backup.server, Need.REQUIRED, **{k: v for k, v in params.items() if v}),
        script=with_code(tool.run(backup, program)),
        secrets=tool.password_environ(backup, "PGPASSWORD"),
        sudo=tool.sudo_rule(backup, program),
    )


def read(context: Context, answers: Answers) -> BackupSeries:
    """Archive and base backups as a series; without a folder no base backup can be seen."""
    backup = context.subject.the_backup
    clocks = clock_of(answers)
    notes = []
    archive = None
    if backup.name:
        archive = _archive(answers.one(ARCHIVER.id), clocks)
        notes += [] if archive is not None else ["archive_mode_off"]
    points: tuple[BackupPoint, ...] = ()
    older, whole = 0, False
    repositories: tuple[Repository, ...] = ()
    if backup.path:
        place = place_of(backup)
        copies, whole = read_folders(answers.one(COPIES.id))
        wanted = [(n, v) for n, v in copies if place.holds(n.partition("/")[0])]
        points, older = newest(_point(name, values, clocks) for name, values in wanted)
        where = describe(context.subject, place.folder, KIND, answers.get(PLACE.id))
        repositories = (msgspec.structs.replace(where, id=""),)
        notes += [] if whole else ["partly_unreadable"]
    else:
        notes.append("base_backups_not_listed")
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            truncated=not whole, total=len(points) + older, older=older, notes=tuple(notes)
        ),
        skew=clocks.skew,
        repositories=repositories,
        archive=archive,
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _archive(evidence: Evidence, clocks: Clockwork) -> Archive | None:
    """The archiver's state; None when archiving is off."""
    succeeded(evidence, _REFUSALS, {})
    state = decode(evidence, _State)
    if state.mode == "off":
        return None

    def time(seconds: float | None) -> dt.datetime | None:
        return None if seconds is None else clocks.true(moment(seconds, ARCHIVER.id)).time

    last = time(state.archived)
    return Archive(last=last, failing_since=failing_since(last, time(state.failed)))


def _point(name: str, values: Mapping[str, str], clocks: Clockwork) -> BackupPoint:
    begun = _gmt(values.get("start", ""))
    first = from_epoch(_whole(values, "born") or _whole(values, "changed") or 0) or _NEVER
    written = _whole(values, "written")
    stamp = clocks.true(begun or first)
    end = clocks.true(from_epoch(written) or _NEVER).time if written else None
    kilobytes = _whole(values, "kilobytes")
    incremental = "incremental" in values
    state = PointState.OK
    notes: tuple[str, ...] = ()
    if written is None:
        state = PointState.RUNNING
    elif "end" not in values or begun is None:
        state, notes = PointState.INVALID, ("broken_manifest",)
    return BackupPoint(
        id=f"{name}:{int(stamp.time.timestamp())}",
        start=stamp.time,
        end=end if end is not None and end > stamp.time else None,
        uncertainty=stamp.uncertainty,
        # What an incremental one adds says nothing about whether it is whole.
        size=None if incremental or kilobytes is None else kilobytes * 1024,
        state=state,
        origin=Origin.CONTENT if begun is not None else Origin.MTIME,
        name=name,
        notes=notes,
        kind=PointKind.INCREMENTAL if incremental else PointKind.FULL,
    )


_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _whole(values: Mapping[str, str], key: str) -> int | None:
    text = values.get(key, "")
    return int(text) if re.fullmatch(r"[0-9]{1,15}", text, re.ASCII) else None


def _gmt(text: str) -> dt.datetime | None:
    if not re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", text, re.ASCII):
        return None
    try:
        time = dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return time if dt.MINYEAR + 1 < time.year < dt.MAXYEAR else None
