"""When the next audit is due, and the texts that let cron or systemd start it.

What is due is pure: the time comes in. `watch` is the only loop; the `schedule` library runs its
job, this module says when.
"""

from __future__ import annotations

import datetime as dt
import re
import shlex
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec
from cronsim import CronSim, CronSimError

from scanner.errors import UserError

Every = dt.timedelta | str
"""An interval, or a cron expression of five fields."""

TRUSTED_AHEAD = dt.timedelta(hours=1)
"""How far ahead of the clock a recorded start is still believed (a clock that was set back)."""
LONGEST_NAP = 0.5
"""Seconds after which `watch` looks at the clock again, however it may have jumped."""
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_LEAP_YEARS = dt.datetime(2023, 1, 1, tzinfo=dt.UTC)


class WatchSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `watch:` block of the settings.

    `every` is a duration (`6h`, `1d`) or a cron expression in the project's time zone; `at` is the
    time of day (`02:00`) of an `every` of `1d`.
    """

    every: str = "0 2 * * *"
    at: str = ""


def interval(settings: WatchSettings) -> Every:
    """The settings as something to reckon with.

    Raises:
        UserError: the texts mean nothing, or nothing that ever comes.
    """
    every, at = settings.every.strip(), settings.at.strip()
    length = _duration(every)
    if at:
        clock = re.fullmatch(r"([01]?\d|2[0-3]):([0-5]\d)", at, re.ASCII)
        if clock is None:
            raise UserError(f"sauro.yaml: watch.at: {at!r} is no time of day: write 02:00")
        if length != dt.timedelta(days=1):
            raise UserError(
                "sauro.yaml: watch.at goes with `every: 1d` only: "
                f'write every: "{int(clock[2])} {int(clock[1])} * * 1" for Mondays'
            )
        return f"{int(clock[2])} {int(clock[1])} * * *"
    if length is not None:
        if length < dt.timedelta(minutes=1):
            raise UserError(f"sauro.yaml: watch.every: {every!r} is under a minute: write 1h or 1d")
        return length
    return _cron(every)


def _duration(text: str) -> dt.timedelta | None:
    found = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    return dt.timedelta(**{_UNITS[found[2]]: int(found[1])}) if found else None


def _cron(text: str) -> str:
    try:
        # A first slot must exist: `0 0 30 2 *` is well formed and never comes.
        slot = next(CronSim(text, _LEAP_YEARS), None) if len(text.split()) == 5 else None
    except CronSimError:
        slot = None
    if slot is None:
        raise UserError(
            f"sauro.yaml: watch.every: {text!r} is neither a duration nor a cron expression that "
            'ever comes: write 1d or "0 2 * * *"'
        )
    return text


def next_due(
    last_started: dt.datetime | None, every: Every, now: dt.datetime, zone: ZoneInfo
) -> dt.datetime:
    """When the next run is due, UTC; at or before `now` means now.

    However many runs were missed, one is due: the next is counted from its start. What never ran
    is due at once for an interval, and at the next slot for a cron expression. A start recorded
    more than an hour ahead of the clock proves nothing, so a run is due.
    """
    if last_started is None:
        return now if isinstance(every, dt.timedelta) else _slot_after(every, now, zone)
    if last_started > now + TRUSTED_AHEAD:
        return now
    if isinstance(every, dt.timedelta):
        return last_started + every
    return _slot_after(every, last_started, zone)


def _slot_after(cron: str, when: dt.datetime, zone: ZoneInfo) -> dt.datetime:
    return next(CronSim(cron, when.astimezone(zone))).astimezone(dt.UTC)


def is_due(
    last_started: dt.datetime | None, every: Every, now: dt.datetime, zone: ZoneInfo
) -> bool:
    """Whether a run is due now."""
    return next_due(last_started, every, now, zone) <= now


class Rhythm(msgspec.Struct, frozen=True):
    """How often, in which zone, and when the last run started (None: never)."""

    every: Every
    zone: ZoneInfo
    last_started: dt.datetime | None = None


def watch(
    run: Callable[[], None],
    rhythm: Rhythm,
    clock: Callable[[], dt.datetime],
    sleep: Callable[[float], object],
    stop: threading.Event,
) -> None:
    """Run whenever it is due, until `stop` is set; a run missed while down is caught up once.

    `clock` gives aware times; `sleep` is best `stop.wait`, so that a stop is heeded at once. What
    `run` raises ends the loop.
    """
    import schedule  # noqa: PLC0415 - only the service needs it

    # The library reckons with the wall clock of its own process, and stands still for as long as
    # the clock was set back. So the job decides by our own reckoning, and the library runs it.
    last, begun = rhythm.last_started, clock()

    class Due(schedule.Job):
        @property
        def should_run(self) -> bool:
            # A cron expression that never ran waits for the first slot since the service began.
            since = begun if last is None and isinstance(rhythm.every, str) else last
            return is_due(since, rhythm.every, clock(), rhythm.zone)

    def go() -> None:
        nonlocal last
        last = clock()
        run()

    scheduler = schedule.Scheduler()
    Due(1, scheduler).seconds.do(go)
    while not stop.is_set():
        scheduler.run_pending()
        if not stop.is_set():
            sleep(LONGEST_NAP)


# --------------------------------------------------------------------------- texts for the system


def crontab_line(project: Path, executable: Path, every: Every = "0 2 * * *") -> str:
    """The line for `crontab -e` that audits a project; paths must be absolute.

    Raises:
        UserError: a path has a line break, or the interval is none that cron knows.
    """
    when = every if isinstance(every, str) else _as_cron(every)
    command = f"{_shell(executable)} audit --quiet --project {_shell(project)}"
    # Cron ends the command at a bare per cent sign, in quotes too.
    return f"{when} {command.replace('%', chr(92) + '%')}"


def _as_cron(every: dt.timedelta) -> str:
    minutes, seconds = divmod(int(every.total_seconds()), 60)
    if not seconds and minutes in {m for m in range(1, 60) if 60 % m == 0}:
        return f"*/{minutes} * * * *"
    hours, minutes = divmod(minutes, 60)
    if not (seconds or minutes) and hours in {1, 2, 3, 4, 6, 8, 12}:
        return f"0 */{hours} * * *"
    if every == dt.timedelta(days=1):
        return "0 2 * * *"
    if every == dt.timedelta(weeks=1):
        return "0 2 * * 1"
    raise UserError("cron knows no such interval: use a systemd timer or `sauro watch`")


def _shell(path: Path) -> str:
    return shlex.quote(_plain(path))


def _plain(path: Path) -> str:
    text = str(path)
    if not text.isprintable():
        raise UserError(f"the path {text!r} has signs that no schedule can hold: rename it")
    return text


def _unit_word(path: Path) -> str:
    """A path as one word of a unit file: specifiers and quotes escaped."""
    text = _plain(path).replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return f'"{text}"'


_SERVICE = """\
[Unit]
Description=Sauro audit: security level, backup and e-documents
Wants=network-online.target
After=network-online.target

[Service]
Type=oneshot
User={user}
# The colon keeps systemd from reading $ in the paths.
ExecStart=:{executable} audit --quiet --project {project}
# 1, 2 and 3 are findings, not faults of the service.
SuccessExitStatus=1 2 3
Nice=10
UMask=0077
# Hardening. Network and keys stay reachable, as SSH needs them: no PrivateNetwork, and homes
# can be read but not written. Remove NoNewPrivileges if `transport: local` must use sudo.
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={project}
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
CapabilityBoundingSet=
"""

_TIMER = """\
[Unit]
Description=Sauro audit, on schedule

[Timer]
OnCalendar={on_calendar}
# A run missed while the machine was off is made up for, once.
Persistent=true
AccuracySec=1min
Unit=sauro-audit.service

[Install]
WantedBy=timers.target
"""


def systemd_units(
    project: Path, executable: Path, on_calendar: str = "*-*-* 02:00:00", user: str = "sauro"
) -> Mapping[str, str]:
    """Service and timer by file name, for /etc/systemd/system; paths must be absolute.

    Raises:
        UserError: a path, the calendar or the user has signs that a unit file cannot hold.
    """
    if not on_calendar.isprintable() or not on_calendar.strip():
        raise UserError(f"the calendar {on_calendar!r} must be one line, as *-*-* 02:00:00")
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.-]*", user, re.ASCII):
        raise UserError(f"the user {user!r} is no name of a system account")
    return {
        "sauro-audit.service": _SERVICE.format(
            user=user, executable=_unit_word(executable), project=_unit_word(project)
        ),
        "sauro-audit.timer": _TIMER.format(on_calendar=on_calendar.replace("%", "%%")),
    }
