"""When an audit is due, in the face of missed runs and clocks that jump."""

from __future__ import annotations

import datetime as dt
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UserError
from scanner.schedule import (
    Every,
    Rhythm,
    WatchSettings,
    crontab_line,
    interval,
    is_due,
    next_due,
    systemd_units,
    watch,
)

HANOI = ZoneInfo("Asia/Ho_Chi_Minh")
BERLIN = ZoneInfo("Europe/Berlin")
NIGHTLY = "0 2 * * *"
DAY = dt.timedelta(days=1)


def utc(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC)


# ------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (WatchSettings(), "0 2 * * *"),
        (WatchSettings(every="6h"), dt.timedelta(hours=6)),
        (WatchSettings(every="1w"), dt.timedelta(weeks=1)),
        (WatchSettings(every="1d", at="02:30"), "30 2 * * *"),
        (WatchSettings(every="24h", at="7:05"), "5 7 * * *"),
        (WatchSettings(every="15 22 * * 1-5"), "15 22 * * 1-5"),
    ],
)
def test_settings_become_an_interval(settings: WatchSettings, expected: Every) -> None:
    assert interval(settings) == expected


@pytest.mark.parametrize(
    "settings",
    [
        WatchSettings(every=""),
        WatchSettings(every="often"),
        WatchSettings(every="30s"),
        WatchSettings(every="0d"),
        WatchSettings(every="0 0 30 2 *"),
        WatchSettings(every="* * * * * *"),
        WatchSettings(every="61 2 * * *"),
        WatchSettings(every="1d", at="25:00"),
        WatchSettings(every="1d", at="02:0"),
        WatchSettings(every="6h", at="02:00"),
        WatchSettings(every="١d"),
    ],
)
def test_settings_that_mean_nothing_are_refused_in_one_line(settings: WatchSettings) -> None:
    with pytest.raises(UserError) as caught:
        interval(settings)
    assert "watch." in str(caught.value)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------------------------------ due


def test_an_interval_is_counted_from_the_last_start() -> None:
    last = utc("2026-11-21T02:00:00")
    assert next_due(last, DAY, utc("2026-11-21T09:00:00"), HANOI) == utc("2026-11-22T02:00:00")
    assert not is_due(last, DAY, utc("2026-11-22T01:59:59"), HANOI)
    assert is_due(last, DAY, utc("2026-11-22T02:00:00"), HANOI)


def test_what_never_ran_is_due_now_or_at_its_first_slot() -> None:
    now = utc("2026-11-21T09:00:00")
    assert is_due(None, DAY, now, HANOI)
    assert next_due(None, NIGHTLY, now, HANOI) == utc("2026-11-21T19:00:00")


def test_cron_slots_are_in_the_zone_of_the_project() -> None:
    last = utc("2026-11-20T19:00:05")
    assert next_due(last, NIGHTLY, utc("2026-11-21T00:00:00"), HANOI) == utc("2026-11-21T19:00:00")


def test_cron_over_the_hour_that_does_not_exist_and_the_one_that_comes_twice() -> None:
    spring = next_due(utc("2026-03-28T01:30:10"), "30 2 * * *", utc("2026-03-28T12:00:00"), BERLIN)
    assert spring == utc("2026-03-29T01:00:00")
    autumn = utc("2026-10-25T00:30:05")  # 02:30 summer time, the first of two
    assert next_due(autumn, "30 2 * * *", autumn, BERLIN) == utc("2026-10-26T01:30:00")


@pytest.mark.parametrize("every", [DAY, NIGHTLY])
def test_many_missed_runs_are_caught_up_by_exactly_one(every: Every) -> None:
    last = utc("2026-11-10T19:00:00")
    now = utc("2026-11-21T09:00:00")
    assert is_due(last, every, now, HANOI)
    assert not is_due(now, every, now + dt.timedelta(minutes=1), HANOI)


@pytest.mark.parametrize("every", [DAY, NIGHTLY])
def test_a_small_step_back_starts_nothing_twice(every: Every) -> None:
    started = utc("2026-11-21T19:00:01")
    assert not is_due(started, every, started - dt.timedelta(seconds=30), HANOI)


@pytest.mark.parametrize("every", [DAY, NIGHTLY])
def test_a_start_recorded_in_the_far_future_does_not_stop_audits_for_years(every: Every) -> None:
    now = utc("2026-11-21T09:00:00")
    assert is_due(utc("2036-01-01T00:00:00"), every, now, HANOI)
    assert not is_due(now, every, now, HANOI)


FIRST, LAST = (utc(t).replace(tzinfo=None) for t in ("2020-01-01T00:00:00", "2035-01-01T00:00:00"))
times = st.datetimes(FIRST, LAST, timezones=st.just(dt.UTC))
everys: st.SearchStrategy[Every] = st.one_of(
    st.timedeltas(dt.timedelta(minutes=1), dt.timedelta(days=40)),
    st.sampled_from([NIGHTLY, "*/5 * * * *", "0 22 * * 1-5", "30 2 1 * *"]),
)


@given(times, everys, times, st.sampled_from([HANOI, BERLIN, ZoneInfo("UTC")]))
def test_after_a_run_nothing_is_due_and_something_comes(
    last: dt.datetime, every: Every, now: dt.datetime, zone: ZoneInfo
) -> None:
    if is_due(last, every, now, zone):
        assert not is_due(now, every, now, zone)
    due = next_due(last, every, now, zone)
    assert is_due(last, every, max(now, due), zone)
    assert due <= now + dt.timedelta(days=400)


# ---------------------------------------------------------------------------------------- watch


class World:
    """A clock that only sleeping moves, with jumps; counts runs and stops at an end."""

    def __init__(self, start: str, naps: int, nap: dt.timedelta) -> None:
        self.now = utc(start)
        self.stop = threading.Event()
        self.runs: list[dt.datetime] = []
        self.naps = naps
        self.nap = nap
        self.jumps: dict[int, dt.timedelta] = {}
        self.slept: list[float] = []

    def clock(self) -> dt.datetime:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += self.nap + self.jumps.get(len(self.slept), dt.timedelta())
        if len(self.slept) >= self.naps:
            self.stop.set()

    def run(self) -> None:
        self.runs.append(self.now)

    def go(self, every: Every, last: str | None) -> list[str]:
        rhythm = Rhythm(every, HANOI, utc(last) if last else None)
        watch(self.run, rhythm, self.clock, self.sleep, self.stop)
        return [f"{t:%d %H:%M}" for t in self.runs]


HALF_HOUR = dt.timedelta(minutes=30)


def test_watch_runs_every_night_and_once_for_the_nights_it_missed() -> None:
    world = World("2026-11-21T09:00:00", naps=96, nap=HALF_HOUR)
    assert world.go(NIGHTLY, "2026-11-15T19:00:00") == ["21 09:00", "21 19:00", "22 19:00"]


def test_watch_that_never_ran_waits_for_the_first_slot_of_a_cron_expression() -> None:
    world = World("2026-11-21T09:00:00", naps=48, nap=HALF_HOUR)
    assert world.go(NIGHTLY, None) == ["21 19:00"]


def test_watch_survives_a_clock_that_is_set_back_by_a_year() -> None:
    world = World("2026-11-21T18:00:00", naps=100, nap=HALF_HOUR)
    world.jumps[10] = dt.timedelta(days=-365)
    assert world.go(NIGHTLY, "2026-11-20T19:00:00") == [
        "21 19:00",
        "21 23:00",
        "22 19:00",
        "23 19:00",
    ]


def test_watch_survives_a_clock_that_is_set_forward_and_back() -> None:
    world = World("2026-11-21T20:00:00", naps=40, nap=HALF_HOUR)
    world.jumps[4] = dt.timedelta(days=3000)
    world.jumps[8] = dt.timedelta(days=-3000)
    assert len(world.go(dt.timedelta(hours=12), "2026-11-21T19:00:00")) == 3


def test_watch_never_naps_long_enough_to_miss_a_stop() -> None:
    world = World("2026-11-21T09:00:00", naps=5, nap=HALF_HOUR)
    world.go(NIGHTLY, None)
    assert max(world.slept) <= 1


def test_watch_that_is_stopped_during_a_run_ends_without_another() -> None:
    world = World("2026-11-21T09:00:00", naps=50, nap=DAY)

    def run() -> None:
        world.run()
        world.stop.set()

    watch(run, Rhythm(DAY, HANOI), world.clock, world.sleep, world.stop)
    assert len(world.runs) == 1
    assert world.slept == []


def test_a_signal_ends_the_service_cleanly() -> None:
    program = """
import datetime as dt, signal, sys, threading
from zoneinfo import ZoneInfo
from scanner.schedule import Rhythm, watch
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
started = lambda: print("started", flush=True)
rhythm = Rhythm(dt.timedelta(days=1), ZoneInfo("UTC"))
watch(started, rhythm, lambda: dt.datetime.now(dt.UTC), stop.wait, stop)
print("clean")
"""
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "started\n"
        child.send_signal(signal.SIGTERM)
        rest, _ = child.communicate(timeout=30)
    assert (rest, child.returncode) == ("clean\n", 0)


# ---------------------------------------------------------------------------------------- texts

ODD = Path('/srv/dự án 100% "của" ta\'s $HOME')


def test_the_crontab_line_reaches_the_shell_as_it_was_meant() -> None:
    line = crontab_line(ODD, Path("/opt/sáu rõ/bin/sauro"), "30 1 * * 1-5")
    when, command = line[:12], line[13:]
    assert when == "30 1 * * 1-5"
    assert "%" not in command.replace("\\%", "")
    as_cron_passes_it_on = command.replace("\\%", "%")
    assert shlex.split(as_cron_passes_it_on) == [
        "/opt/sáu rõ/bin/sauro",
        "audit",
        "--quiet",
        "--project",
        str(ODD),
    ]


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        (dt.timedelta(minutes=15), "*/15 * * * *"),
        (dt.timedelta(hours=1), "0 */1 * * *"),
        (dt.timedelta(hours=6), "0 */6 * * *"),
        (DAY, "0 2 * * *"),
        (dt.timedelta(weeks=1), "0 2 * * 1"),
    ],
)
def test_intervals_in_the_crontab(every: dt.timedelta, expected: str) -> None:
    assert crontab_line(Path("/p"), Path("/s"), every).startswith(expected + " /s ")


@pytest.mark.parametrize("minutes", [7, 61, 5 * 60, 50 * 60])
def test_intervals_that_cron_would_get_wrong_are_refused(minutes: int) -> None:
    with pytest.raises(UserError):
        crontab_line(Path("/p"), Path("/s"), dt.timedelta(minutes=minutes))


@pytest.mark.parametrize("name", ["a\nb", "a\rb", "a\0b", "a\x1bb"])
def test_paths_that_would_add_lines_are_refused(name: str) -> None:
    with pytest.raises(UserError):
        crontab_line(Path("/srv") / name, Path("/s"))
    with pytest.raises(UserError):
        systemd_units(Path("/srv") / name, Path("/s"))


def test_units_quote_what_systemd_would_read() -> None:
    units = systemd_units(ODD, Path("/opt/sáu rõ/sauro"))
    line = next(t for t in units["sauro-audit.service"].splitlines() if t.startswith("ExecStart"))
    assert line == (
        'ExecStart=:"/opt/sáu rõ/sauro" audit --quiet --project '
        '"/srv/dự án 100%% \\"của\\" ta\'s $HOME"'
    )
    assert "Persistent=true" in units["sauro-audit.timer"]


@pytest.mark.parametrize(
    ("calendar", "user"), [("", "sauro"), ("daily\nUser=root", "sauro"), ("daily", "a b")]
)
def test_units_refuse_what_would_change_them(calendar: str, user: str) -> None:
    with pytest.raises(UserError):
        systemd_units(Path("/p"), Path("/s"), calendar, user)


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_understands_the_units(tmp_path: Path) -> None:
    program = tmp_path / "sáu rõ" / "sauro"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    for name, text in systemd_units(tmp_path / "dự án", program, user="root").items():
        (tmp_path / name).write_text(text)
    told = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(tmp_path / "sauro-audit.timer")],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
    )
    ours = [line for line in told.stderr.splitlines() if "sauro-audit" in line]
    assert ours == []
