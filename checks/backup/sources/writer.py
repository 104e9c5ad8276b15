"""The times that a tool wrote into its repository, as UTC by the scanner's clock."""

from __future__ import annotations

import datetime as dt

from checks.backup.timing import FIRST, LATEST, Clockwork, clockwork
from checks.evidence import Answers, Unparsable
from checks.probes.host import CLOCK, read_clock
from inventory.model import BackupSet

AGO = dt.timedelta(hours=1)
"""A lock older than this is either held by a process or left by one that crashed."""

PROCESSES = """\
echo "host=$(uname -n)"
if [ -r /proc/1/comm ]; then
  for p in /proc/[0-9]*; do
    c=
    read -r c <"$p/comm" && [ "$c" = NAME ] && echo "pid=${p#/proc/}"
  done 2>/dev/null
  echo seen=all
fi
"""
"""Sh text that says which processes called NAME run on the host, if it may see them all."""


def clocks_of(backup: BackupSet, answers: Answers) -> Clockwork:
    """The clock that stamped the points, if it is that of the server on which they are listed."""
    clock = answers.get(CLOCK.id)
    if clock is None or backup.server != backup.protects:
        return Clockwork()
    try:
        return clockwork(read_clock(clock))
    except Unparsable:
        return Clockwork()


def utc(time: dt.datetime) -> dt.datetime:
    """A stamp in UTC; without an offset, or at the ends of the calendar, as it stands."""
    wall = time.replace(tzinfo=dt.UTC)
    if not FIRST < wall < LATEST:
        return FIRST if wall <= FIRST else LATEST
    return time.astimezone(dt.UTC) if time.tzinfo else wall


def is_stale(age: dt.timedelta, hostname: str, pid: str, told: dict[str, frozenset[str]]) -> str:
    """The note on a lock by what `PROCESSES` told, or nothing: `stale_lock`, `old_lock`."""
    here = hostname in told.get("host", frozenset()) and "all" in told.get("seen", frozenset())
    if age < AGO or (here and pid in told.get("pid", frozenset())):
        return ""
    return "stale_lock" if here else "old_lock"


def told_of(text: str) -> dict[str, frozenset[str]]:
    """`key=value` lines as the values of each key."""
    found: dict[str, set[str]] = {}
    for line in text.splitlines():
        key, _, value = line.partition("=")
        found.setdefault(key, set()).add(value)
    return {key: frozenset(values) for key, values in found.items()}
