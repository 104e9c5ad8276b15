"""Audits: a whole round of scan and report, one at a time, by cron or on the own schedule."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec

from checks.results import Scan
from inventory.model import Selection
from inventory.problems import InvalidInput
from scanner import app
from scanner.errors import UserError
from scanner.lock import only_one
from scanner.project import Project, open_project
from scanner.run import Progress
from scanner.schedule import Rhythm, WatchSettings, crontab_line, interval, systemd_units
from scanner.schedule import watch as keep_watch
from scanner.store.database import Store

STALE = dt.timedelta(hours=20)
"""An unfinished audit older than this is left: its evidence and today's do not belong together."""


class Round(msgspec.Struct, frozen=True):
    """What an audit brought."""

    scan: Scan
    summary: str
    written: tuple[Path, ...]


def audit(
    project: Project,
    *,
    out: Path | None,
    stop: threading.Event,
    watch: Callable[[Progress], None],
    language: app.Language,
) -> Round:
    """Scan everything (going on with an unfinished audit), then write the reports.

    Raises:
        UserError: another audit of this project is running; the store or folder cannot be used.
    """
    now = app.utc_now()
    since = now.isoformat(timespec="seconds")
    with only_one(project.folder / "audit.lock", since), Store.open(project.store_url) as store:
        scanned = app.scan(
            project,
            store,
            Selection(),
            resume_since=now - STALE,
            stop=stop,
            watch=watch,
        )
        written = app.report(
            store,
            scan_id=scanned.info.id,
            forms=(),
            language=project.settings.language,
            out=out or project.folder / "reports",
        )
        found = app.rows_of(store, scanned)
        summary = app.printed(store, found, "table", language, color=False)
    return Round(found, summary, tuple(written))


def watch(
    folder: Path, *, out: Path | None, stop: threading.Event, say: Callable[[str], None]
) -> None:
    """Run audits on the schedule of the settings until `stop` is set.

    The inventory is read anew for each round, so that an edit needs no restart; a round that
    cannot start (a typing mistake, a locked store) says so and the next one is tried in its turn.
    """
    project = open_project(folder)
    every = interval(WatchSettings(every=project.settings.watch))
    with Store.open(project.store_url) as store:
        latest = store.latest(complete_only=False)

    def once() -> None:
        try:
            done = audit(
                open_project(folder),
                out=out,
                stop=stop,
                watch=lambda _: None,
                language=project.settings.language,
            )
        except (UserError, InvalidInput) as e:
            say(f"sauro: {e}")
            return
        say(done.summary)

    rhythm = Rhythm(every, project.zone, latest.started if latest else None)
    keep_watch(once, rhythm, app.utc_now, stop.wait, stop)


def timer_text(project: Project, executable: Path, *, systemd: bool) -> str:
    """A crontab line, or a systemd service and timer, that run `sauro audit` for this project."""
    folder, command = project.folder.resolve(), executable.resolve()
    if not systemd:
        return crontab_line(folder, command)
    return "\n".join(f"# {name}\n{text}" for name, text in systemd_units(folder, command).items())
