"""Real barman on a real PostgreSQL, from its listing to the verdicts."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import Origin, PointKind, PointState
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_rows import collected, judged, unseen
from tests.helpers.backup_series import DAY
from tests.helpers.backup_tools import backup as declared
from tests.helpers.postgres import Cluster, account, as_owner, cluster, programs

pytestmark = pytest.mark.slow

_CONFIG = """\
[barman]
barman_user = ACCOUNT
barman_home = FOLDER/barman
configuration_files_directory = FOLDER/conf.d
log_file = FOLDER/barman.log
log_level = INFO
[main]
description = "main"
conninfo = host=FOLDER user=postgres dbname=postgres password=only-for-this-test
streaming_conninfo = host=FOLDER user=postgres
backup_method = postgres
archiver = on
path_prefix = PROGRAMS
basebackup_retry_times = 0
"""
_ARCHIVE = "archive_command = 'cp %p FOLDER/barman/main/incoming/%f'"


class Tool:
    """barman with a configuration of its own."""

    def __init__(self, server: Cluster) -> None:
        self.server = server
        self.folder = server.folder
        self.config = server.folder / "barman.conf"
        text = _CONFIG.replace("FOLDER", str(self.folder)).replace("ACCOUNT", account())
        self.config.write_text(text.replace("PROGRAMS", str(programs())))
        as_owner("mkdir", "-p", f"{self.folder}/conf.d", f"{self.folder}/barman/main/incoming")

    def command(self, *words: str) -> list[str]:
        return ["barman", "-c", str(self.config), *words]

    def run(self, *words: str, check: bool = True) -> None:
        as_owner(*self.command(*words), check=check)

    def set(self, **more: Any) -> BackupSet:
        return declared("barman", **({"name": "main", "path": str(self.config)} | more))

    def state(self) -> dict[str, tuple[int, int]]:
        """Times and sizes of all files, but for the lock that barman takes to read its own log."""
        seen = (p for p in (self.folder / "barman").rglob("*") if p.suffix != ".lock")
        return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in seen}


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    """Two whole backups with their log."""
    assert shutil.which("barman"), "the tests need barman: run `tools/setup dev`"
    with cluster("sauro-barm-", "archive_mode = on", _ARCHIVE, "wal_level = replica") as server:
        made = Tool(server)
        made.run("cron")
        made.run("switch-wal", "--force", "--archive", "main")
        for _ in range(2):
            made.run("backup", "--immediate-checkpoint", "main")
        made.run("switch-wal", "--force", "--archive", "main")
        yield made


def test_two_whole_backups_are_read_and_nothing_is_written(tool: Tool, tmp_path: Path) -> None:
    before = tool.state()
    row, series = judged(tool.set(), tmp_path)
    assert tool.state() == before
    assert len(before) > 20
    assert row.status is Status.PASS
    assert len(series.points) == 2
    for point in series.points:
        assert (point.state, point.kind, point.origin) == (
            PointState.OK,
            PointKind.FULL,
            Origin.TOOL,
        )
        assert point.size
    newest = series.points[-1]
    assert newest.end is not None
    assert newest.start < newest.end
    (repository,) = series.repositories
    assert repository.location == f"{tool.folder}/barman/main"
    assert (repository.remote, repository.server, repository.encrypted) == (False, "h", False)
    assert series.archive is not None
    assert (series.archive.gaps, series.archive.failing_since) == (0, None)
    assert series.archive.last is not None


def test_no_password_leaves_the_host(tool: Tool) -> None:
    done = as_owner(*tool.command("-f", "json", "show-server", "main"))
    found = collected(tool.set())
    assert all(e.failure is None for e in found)
    assert "only-for-this-test" in done.stdout
    assert all(b"only-for-this-test" not in e.stdout + e.stderr for e in found)


def test_a_server_barman_does_not_know_and_no_configuration(tool: Tool, tmp_path: Path) -> None:
    kind, detail = unseen(tool.set(name="other"), tmp_path)
    assert (kind, "Unknown server" in detail) == (FailureKind.COMMAND_FAILED, True)
    kind, detail = unseen(tool.set(path=f"{tool.folder}/none.conf"), tmp_path)
    assert (kind, "none.conf" in detail) == (FailureKind.COMMAND_FAILED, True)


def test_another_account(tool: Tool, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may sudo without any rule")
    kind, detail = unseen(tool.set(run_as="nobody"), tmp_path)
    assert (kind, account() in detail) == (FailureKind.DENIED, True)
    row, series = judged(tool.set(run_as=account()), tmp_path)
    assert (row.status, len(series.points)) == (Status.PASS, 2)


@pytest.fixture
def _two_afterwards(tool: Tool) -> Iterator[None]:
    """What is no whole backup is gone after the test."""
    base = tool.folder / "barman" / "main" / "base"
    before = set(base.iterdir())
    yield
    for folder in set(base.iterdir()) - before:
        shutil.rmtree(folder)


@pytest.mark.usefixtures("_two_afterwards")
def test_a_killed_backup_is_running_for_ever_and_a_failed_one_no_good(
    tool: Tool, tmp_path: Path
) -> None:
    _kill_a_backup(tool)
    row, series = judged(tool.set(), tmp_path)
    killed = series.points[-1]
    assert killed.state is PointState.RUNNING
    assert abs((killed.start - series.points[-2].start).total_seconds()) < 300
    assert row.status is Status.PASS
    row, _ = judged(tool.set(every="6h"), tmp_path, DAY)
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stuck")

    broken = tool.folder / "bin"
    as_owner("mkdir", str(broken))
    (broken / "pg_basebackup").write_text(
        "#!/bin/sh\ncase $* in *version*) echo 'pg_basebackup (PostgreSQL) 15.0';; *) exit 1;; esac"
    )
    (broken / "pg_basebackup").chmod(0o755)
    text = tool.config.read_text()
    tool.config.write_text(text.replace(f"path_prefix = {programs()}", f"path_prefix = {broken}"))
    tool.run("backup", "--immediate-checkpoint", "main", check=False)
    tool.config.write_text(text)
    row, series = judged(tool.set(), tmp_path)
    failed = series.points[-1]
    assert (failed.state, failed.notes) == (PointState.INVALID, ("failed",))
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.newest_invalid")


def _kill_a_backup(tool: Tool) -> None:
    """Start a backup, wait for its row, and kill it with all that it started."""
    switch = ["setpriv", "--reuid", account(), "--regid", account(), "--clear-groups"]
    # Without an immediate checkpoint it waits for minutes, so there is time to kill it.
    tool.server.sql("create table big as select g, md5(g::text) from generate_series(1, 99999) g")
    process = subprocess.Popen(
        [*(switch if os.geteuid() == 0 else []), *tool.command("backup", "main")],
        cwd="/",
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = tool.folder / "barman" / "main" / "base"
    while not any("status=STARTED" in _text(p) for p in base.glob("*/backup.info")):
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _text(path: Path) -> str:
    return path.read_text(errors="replace")


def test_a_segment_that_is_lost(tool: Tool, tmp_path: Path) -> None:
    tool.server.sql("create table t (i int)", "select pg_switch_wal()")
    tool.server.sql("insert into t values (1)", "select pg_switch_wal()")
    tool.server.sql("insert into t values (2)")
    tool.run("switch-wal", "--force", "--archive", "main")
    segments = sorted(
        p
        for p in (tool.folder / "barman/main/wals").rglob("0*")
        if p.is_file() and len(p.name) == 24
    )
    log = tool.folder / "barman/main/wals/xlog.db"
    lost = segments[-2].name
    known = log.read_text()
    log.write_text("".join(s for s in known.splitlines(True) if not s.startswith(lost)))
    kept = segments[-2].rename(tool.folder / "kept")
    _, series = judged(tool.set(), tmp_path)
    kept.rename(segments[-2])
    log.write_text(known)
    assert series.archive is not None
    assert series.archive.gaps == 1
