"""The demo's backup files: real gzip, tar and dump files whose names, times and sizes tell stories.

A few kilobytes stand for gigabytes: only relative sizes matter. A server whose clock is wrong also
writes wrong names, marks and file times, as a real one would.
"""

from __future__ import annotations

import base64
import datetime as dt
import gzip
import io
import os
import tarfile
from collections.abc import Callable
from pathlib import Path
from random import Random

import msgspec
from msgspec.structs import replace

from scanner.demo.kinds import HostKind
from scanner.demo.layout import host_home, set_folder
from scanner.demo.plot import BackupStory, HostPlot, Plot, SetPlot, SystemPlot

DAILY_KEPT = 30
WEEKLY_KEPT = 13
_STALE_RUNS = (6, 24)
"""Between how many of the newest runs a stale set lacks; a weekly one lacks two or three."""
_GROWTH = 0.002
_JITTER = 0.04

_DATE = """\
#!/bin/sh
# Dữ liệu mô phỏng: a clock that is {skew} seconds ahead.
PATH=/usr/local/bin:/usr/bin:/bin
case " $* " in *" -r "* | *" -d "*) exec date "$@" ;; esac
now=$(( $(date +%s) + {skew} ))
if date -d "@$now" >/dev/null 2>&1; then exec date -d "@$now" "$@"; fi
exec date -r "$now" "$@"
"""


_DF = """\
#!/bin/sh
# Dữ liệu mô phỏng: every server keeps its files on a disk of its own, whatever holds the demo.
echo 'Filesystem Type 1024-blocks Used Available Capacity Mounted on'
echo '/dev/vda1 ext4 103081248 41232496 61848752 40% /'
"""


class Run(msgspec.Struct, frozen=True):
    """One backup file: when its dump began (true time), how large, and what it lacks."""

    start: dt.datetime
    share: float = 1.0
    """Of the usual size."""
    empty: bool = False
    cut: bool = False


_GAPS = {BackupStory.ONE_GAP: (3, 4), BackupStory.TWO_GAPS: (2, 4)}
"""Which runs, counted from the newest, never happened."""
_SPOILED: dict[BackupStory, Callable[[Run], Run]] = {
    BackupStory.SHRUNKEN: lambda run: replace(run, share=0.34),
    BackupStory.COLLAPSED: lambda run: replace(run, share=0.02),
    BackupStory.EMPTY: lambda run: replace(run, empty=True),
    BackupStory.CUT: lambda run: replace(run, cut=True),
}
"""What is wrong with the newest runs."""


def write_hosts(out: Path, plot: Plot, random: Random) -> None:
    """Make every server's folder, its disk and its clock if that is wrong, and all backup files."""
    by_id = {host.id: host for host in plot.hosts}
    for host in plot.hosts:
        (host_home(out, host.id) / "bin").mkdir(parents=True)
        _tool(out, host, "df", _DF)
        if host.kind is HostKind.SKEWED:
            _tool(out, host, "date", _DATE.format(skew=host.skew))
    for unit in plot.units:
        for system in unit.systems:
            for backup in system.sets:
                _write_set(
                    out, by_id[backup.store or system.host], system, backup, plot.now, random
                )


def _tool(out: Path, host: HostPlot, name: str, script: str) -> None:
    wrapper = host_home(out, host.id) / "bin" / name
    wrapper.write_text(script, encoding="utf-8")
    wrapper.chmod(0o755)


def runs(backup: SetPlot, now: dt.datetime, random: Random) -> list[Run]:
    """The files of a set that are there, newest first."""
    if backup.story in (BackupStory.NEVER, BackupStory.NO_FOLDER):
        return []
    kept = DAILY_KEPT if backup.days == 1 else WEEKLY_KEPT
    last = now.replace(hour=backup.hour, minute=0, second=0, microsecond=0)
    if last > now:
        last -= dt.timedelta(days=1)
    if backup.days > 1:
        last -= dt.timedelta(days=random.randint(1, backup.days - 3))
    steps = (dt.timedelta(days=backup.days * n) for n in range(kept))
    found = [Run(last - step + dt.timedelta(seconds=random.randint(2, 280))) for step in steps]
    return _told(backup, found, random)


def _told(backup: SetPlot, found: list[Run], random: Random) -> list[Run]:
    daily = backup.days == 1
    if backup.story is BackupStory.STALE:
        lost = random.randint(*_STALE_RUNS)
        return found[lost if daily else 2 + lost // _STALE_RUNS[1] :]
    if backup.story in _GAPS:
        first, after = _GAPS[backup.story]
        return found[:first] + found[after:]
    if backup.story in _SPOILED:
        count = 1 if backup.story is BackupStory.SHRUNKEN else 3 if daily else 2
        spoil = _SPOILED[backup.story]
        return [spoil(run) for run in found[:count]] + found[count:]
    return found


def _write_set(
    out: Path,
    host: HostPlot,
    system: SystemPlot,
    backup: SetPlot,
    now: dt.datetime,
    random: Random,
) -> None:
    folder = set_folder(out, system, backup)
    if backup.story is BackupStory.NO_FOLDER:
        folder.parent.mkdir(parents=True, exist_ok=True)
        return
    folder.mkdir(parents=True)
    usual = random.randint(6000, 10000)
    filler = base64.encodebytes(random.randbytes(usual * 2))
    ahead = dt.timedelta(seconds=host.skew)
    for age, run in enumerate(runs(backup, now, random)):
        size = usual * run.share * (1 - age * _GROWTH) * random.uniform(1 - _JITTER, 1 + _JITTER)
        shown = run.start + ahead
        end = shown + dt.timedelta(seconds=random.randint(60, 500))
        # The folder's compression takes a quarter off the filler again.
        body = filler[: int(size * 4 / 3)]
        ending = "tar.gz" if backup.dump == "tar" else "sql.gz"
        path = folder / f"{system.id}-{shown:%Y%m%d-%H%M}.{ending}"
        path.write_bytes(_content(backup.dump, body, run, shown, end))
        os.utime(path, (end.timestamp(), end.timestamp()))


def _content(dump: str, body: bytes, run: Run, start: dt.datetime, end: dt.datetime) -> bytes:
    if run.empty:
        return gzip.compress(b"", mtime=0)
    if dump == "tar":
        return gzip.compress(_tar(body, start), 1, mtime=0)
    if dump == "pg":
        head = "--\n-- PostgreSQL database dump\n--\n\nCOPY t FROM stdin;\n"
        mark = "\\.\n\n--\n-- PostgreSQL database dump complete\n--\n\n"
    else:
        head = "-- MariaDB dump 10.19  Distrib 10.11.6-MariaDB\n--\nINSERT INTO `t` VALUES\n"
        # The hour is padded with a blank, as the real program does.
        mark = f";\n\n-- Dump completed on {end:%Y-%m-%d} {end.hour:2}:{end:%M:%S}\n"
    text = head.encode() + body + (b"" if run.cut else mark.encode())
    return gzip.compress(text, 1, mtime=0)


def _tar(body: bytes, start: dt.datetime) -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as archive:
        member = tarfile.TarInfo("du-lieu/tep-mo-phong.bin")
        member.size = len(body)
        member.mtime = int(start.timestamp())
        archive.addfile(member, io.BytesIO(body))
    return packed.getvalue()
