"""Kind `mariadb-backup`: folders that mariadb-backup, mariabackup or xtrabackup wrote.

`path` is the folder in which they lie (up to two levels deep), or one of them.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
)
from checks.backup.sources import directory_scripts as scripts
from checks.backup.sources.base import BackupSource, newest
from checks.backup.sources.folders import read_folders
from checks.backup.sources.place import Place, place_of
from checks.backup.sources.records import clock_of, need_server, refuse
from checks.backup.sources.repository import PLACE, describe
from checks.backup.timing import Clockwork, from_epoch
from checks.evidence import Answers, Evidence, Need, Probe, Request
from checks.model import Context, Subject
from checks.probes.host import CLOCK

KIND = "mariadb-backup"

# Per folder two NUL-ended fields, its path and lines `key=value`. The command that made a backup
# stays on the host: it may hold a password.
_LOOK = r"""
for x do
  printf '%s\000' "$x"
  stat -c 'born=%W
changed=%Y' "$x"
  for f in mariadb_backup_info xtrabackup_info; do
    [ -e "$x/$f" ] || continue
    [ -r "$x/$f" ] || { echo denied=1; break; }
    echo info=1
    head -c 65536 "$x/$f" | tr -d '\000' | sed -n -E \
      's/^(uuid|start_time|end_time|partial|incremental|encrypted|format) = (.*)$/\1=\2/p'
    break
  done
  for f in mariadb_backup_checkpoints xtrabackup_checkpoints; do
    [ -e "$x/$f" ] || continue
    [ -r "$x/$f" ] || { echo denied=1; break; }
    head -c 4096 "$x/$f" | tr -d '\000' |
      sed -n -E 's/^(backup_type|from_lsn|to_lsn) = (.*)$/\1=\2/p'
    break
  done
  for y in "$x"/ibdata*; do
    if [ -e "$y" ]; then echo data=1; break; fi
  done
  for y in "$x"/*.log "$x.log"; do
    if [ -f "$y" ] && head -c 8192 "$y" | grep -q -i -E 'mariadb-?backup|mariabackup|xtrabackup'
    then
      if tail -n 3 "$y" | grep -q 'completed OK!'; then echo log=ok; else echo log=broken; fi
    fi
  done
  echo "kilobytes=$(du -sk "$x" 2>/dev/null | cut -f 1)"
  printf '\000'
done
"""
_NAMES = (
    "xtrabackup_info",
    "mariadb_backup_info",
    "xtrabackup_checkpoints",
    "mariadb_backup_checkpoints",
    "backup-my.cnf",
    "ib_logfile0",
    "xtrabackup_logfile",
)


def _script(params: Mapping[str, str]) -> str:
    return scripts.folders(params, _NAMES, _LOOK)


LISTING = Probe(
    id="backup.mariadb-backup",
    title="backup folders of mariadb-backup with their times, positions and sizes",
    script=_script,
    timeout=120,
    limit=4_194_304,
)
_DONE_TYPES = ("full-backuped", "incremental", "log-applied", "full-prepared")
_TIME = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


class Folder(msgspec.Struct, frozen=True):
    """What was told of one folder: its path below the listed one, and its values."""

    name: str
    values: dict[str, str]

    def whole(self, key: str) -> int | None:
        """A value as a number of at least 0."""
        text = self.values.get(key, "")
        return int(text) if re.fullmatch(r"[0-9]{1,19}", text, re.ASCII) else None

    @property
    def streamed(self) -> bool:
        """Only the positions lie here; the copy itself went elsewhere as a stream."""
        return (
            "info" in self.values
            and "data" not in self.values
            and self.values.get("format", "file") != "file"
        )

    @property
    def incremental(self) -> bool:
        """It holds only what changed since its base."""
        return bool(self.whole("from_lsn"))


def requests(subject: Subject) -> list[Request]:
    """The folders, and beside them the clock and where they lie."""
    backup = subject.the_backup
    server = need_server(backup)
    refuse(backup, "match", "run_as", "repository", "name", "password_file", "password")
    place = place_of(backup)
    return [
        LISTING.request(server, path=place.folder),
        CLOCK.request(server, Need.OPTIONAL),
        PLACE.request(server, Need.OPTIONAL, path=place.folder),
    ]


def read(context: Context, answers: Answers) -> BackupSeries:
    """The folders as a series."""
    backup = context.subject.the_backup
    place = place_of(backup)
    folders, whole = read_listing(answers.one(LISTING.id))
    wanted = [f for f in folders if _fits(f, place)]
    here = [f for f in wanted if not f.streamed]
    clocks = clock_of(answers)
    points, older = newest(_chained(here, clocks))
    notes = [] if whole else ["partly_unreadable"]
    notes += ["stream_elsewhere"] if len(here) < len(wanted) else []
    notes += [] if clocks.zone is not None else ["zone_unknown"]
    where = describe(context.subject, place.folder, KIND, answers.get(PLACE.id))
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=points,
        listing=Listing(
            truncated=not whole or len(here) < len(wanted),
            total=len(folders),
            ignored=len(folders) - len(here),
            older=older,
            notes=tuple(notes),
        ),
        zone=clocks.zone_name,
        skew=clocks.skew,
        repositories=(msgspec.structs.replace(where, id=""),),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def read_listing(evidence: Evidence) -> tuple[list[Folder], bool]:
    """The folders of a listing, and whether all of them could be read.

    Raises:
        Unparsable: the answer broke off, or is not what the script prints.
    """
    found, whole = read_folders(evidence)
    return [Folder(name, values) for name, values in found], whole


def _fits(folder: Folder, place: Place) -> bool:
    return place.holds(folder.name.partition("/")[0])


def _chained(folders: Iterable[Folder], clocks: Clockwork) -> list[BackupPoint]:
    """Points with their bases: an incremental one begins where its base ended."""
    made = sorted(
        ((_point(f, clocks), f) for f in folders), key=lambda pair: (pair[0].start, pair[0].id)
    )
    ends: dict[int, str] = {}
    points = []
    for point, folder in made:
        begin, end = folder.whole("from_lsn"), folder.whole("to_lsn")
        if begin and point.state is not PointState.RUNNING:
            # A base that is not here is named all the same, so that it can be missed.
            base = ends.get(begin, f"lsn:{begin}")
            points.append(msgspec.structs.replace(point, base=base))
        else:
            points.append(point)
        if end is not None and point.state is PointState.OK:
            ends[end] = point.id
    return points


def _point(folder: Folder, clocks: Clockwork) -> BackupPoint:
    values = folder.values
    started, ended = _time(values.get("start_time")), _time(values.get("end_time"))
    bad = _why_bad(folder, started)
    finished = "info" in values
    if started is not None:
        stamp = clocks.local(started)
    else:
        first = folder.whole("born") or folder.whole("changed") or 0
        stamp = clocks.true(from_epoch(first) or _NEVER)
    end = clocks.local(ended).time if ended is not None else None
    kilobytes = folder.whole("kilobytes")
    kind = PointKind.INCREMENTAL if folder.incremental else PointKind.FULL
    state = PointState.INVALID if bad else PointState.OK
    notes = (bad,) if bad else ()
    if values.get("backup_type") in ("log-applied", "full-prepared"):
        notes = (*notes, "prepared")
    return BackupPoint(
        id=values.get("uuid") or f"{folder.name}:{int(stamp.time.timestamp())}",
        start=stamp.time,
        end=end if end is not None and end > stamp.time else None,
        uncertainty=stamp.uncertainty,
        # What an incremental one adds says nothing about whether it is whole.
        size=None if folder.incremental or kilobytes is None else kilobytes * 1024,
        state=state if finished else PointState.RUNNING,
        origin=Origin.CONTENT if started is not None else Origin.MTIME,
        name=folder.name,
        group=kind.value,
        notes=notes if finished else (),
        kind=kind if finished else PointKind.UNKNOWN,
        encrypted={"Y": True, "N": False}.get(values.get("encrypted", "")),
    )


_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def _why_bad(folder: Folder, started: dt.datetime | None) -> str:
    """Why a finished folder is no copy of the server; empty when it is one."""
    values = folder.values
    reasons = (
        (started is None, "no_start_time"),
        (
            values.get("backup_type") not in _DONE_TYPES or folder.whole("to_lsn") is None,
            "no_checkpoints",
        ),
        (values.get("log") == "broken", "log_not_completed"),
        (values.get("partial") == "Y", "partial"),
        ("data" not in values, "no_data"),
    )
    return next((why for applies, why in reasons if applies), "")


def _time(text: str | None) -> dt.datetime | None:
    """A naive time of the server, as its clock on the wall showed it."""
    if text is None or not _TIME.fullmatch(text):
        return None
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if dt.MINYEAR + 1 < time.year < dt.MAXYEAR else None
