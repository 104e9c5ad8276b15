"""Real pgBackRest on a real PostgreSQL, from its listing to the verdicts."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import PointKind, PointState
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_rows import judged, unseen
from tests.helpers.backup_series import DAY, HOUR
from tests.helpers.backup_tools import backup
from tests.helpers.postgres import Cluster, account, as_owner, cluster

pytestmark = pytest.mark.slow

_CONFIG = """\
[global]
repo1-path=FOLDER/repo1
repo1-retention-full=9
repo2-path=FOLDER/repo2
repo2-retention-full=9
repo2-cipher-type=aes-256-cbc
repo2-cipher-pass=only-for-this-test
log-path=FOLDER/log
lock-path=FOLDER/lock
spool-path=FOLDER/spool
start-fast=y
compress-type=none
archive-timeout=30

[main]
pg1-path=FOLDER/data
pg1-socket-path=FOLDER
"""
_PUSH = (
    "archive_command = 'pgbackrest --config=FOLDER/pgbackrest.conf --stanza=main archive-push %p'"
)


class Tool:
    """pgBackRest with a configuration of its own; repository 1 is plain, 2 is encrypted."""

    def __init__(self, server: Cluster, config: Path) -> None:
        self.server = server
        self.config = config

    @property
    def folder(self) -> Path:
        return self.config.parent

    def command(self, *words: str) -> list[str]:
        return ["pgbackrest", f"--config={self.config}", "--stanza=main", *words]

    def run(self, *words: str) -> None:
        as_owner(*self.command("--log-level-console=warn", *words))

    def set(self, **more: Any) -> BackupSet:
        return backup("pgbackrest", **({"name": "main", "path": str(self.config)} | more))

    def configured(self, name: str, old: str, new: str) -> Path:
        """Another configuration beside this one."""
        path = self.folder / name
        path.write_text(self.config.read_text().replace(old, new))
        path.chmod(0o644)
        return path


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    """Full, differential and incremental backup in repository 1, a full one in 2."""
    assert shutil.which("pgbackrest"), "the tests need pgbackrest: run `tools/setup dev`"
    with cluster("sauro-pgbr-", "archive_mode = on", _PUSH, "wal_level = replica") as server:
        config = server.folder / "pgbackrest.conf"
        config.write_text(_CONFIG.replace("FOLDER", str(server.folder)))
        config.chmod(0o644)
        shutil.chown(config, account())
        made = Tool(server, config)
        made.run("stanza-create")
        for repo, kind in ((1, "full"), (1, "diff"), (1, "incr"), (2, "full")):
            made.run(f"--repo={repo}", f"--type={kind}", "backup")
        yield made


def test_a_fresh_chain_in_two_repositories(tool: Tool, tmp_path: Path) -> None:
    row, series = judged(tool.set(), tmp_path)
    assert row.status is Status.PASS
    first, second = (r for r in series.repositories)
    assert (first.id, first.encrypted, second.id, second.encrypted) == ("1", False, "2", True)
    assert first.location == f"{tool.folder}/repo1"
    assert (first.remote, first.server) == (False, "h")
    full, diff, incr, other = series.points
    assert [p.kind for p in series.points] == [
        PointKind.FULL,
        PointKind.DIFFERENTIAL,
        PointKind.INCREMENTAL,
        PointKind.FULL,
    ]
    assert (full.base, diff.base, incr.base) == ("", full.id, diff.id)
    assert (other.repository, other.encrypted, full.encrypted) == ("2", True, False)
    assert all(p.state is PointState.OK and p.end and p.size and p.data for p in series.points)
    assert not series.listing.truncated


def test_each_repository_is_judged_by_itself(tool: Tool, tmp_path: Path) -> None:
    _, series = judged(tool.set(repository="1"), tmp_path)
    assert {p.repository for p in series.points} == {"1"}
    _, series = judged(tool.set(repository="2"), tmp_path)
    assert [p.repository for p in series.points] == ["2"]
    assert series.archive is not None
    assert series.archive.gaps == 0
    kind, detail = unseen(tool.set(repository="7"), tmp_path)
    assert kind is FailureKind.COMMAND_FAILED
    assert "no repository 7" in detail


def test_old_backups_are_stale_though_the_tool_says_ok(tool: Tool, tmp_path: Path) -> None:
    row, _ = judged(tool.set(), tmp_path, DAY * 3)
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stale")


def test_as_the_owner_by_sudo(tool: Tool, tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may sudo without any rule")
    tool.config.chmod(0o600)
    try:
        row, series = judged(tool.set(run_as=account()), tmp_path)
        assert (row.status, len(series.points)) == (Status.PASS, 4)
    finally:
        tool.config.chmod(0o644)


def test_nothing_is_written(tool: Tool, tmp_path: Path) -> None:
    def state() -> dict[str, tuple[int, int]]:
        seen = (p for name in ("repo1", "repo2", "lock", "log", "spool") for p in _under(name))
        return {str(p): (p.lstat().st_mtime_ns, p.lstat().st_size) for p in seen}

    def _under(name: str) -> Iterator[Path]:
        return (tool.folder / name).rglob("*")

    before: dict[str, tuple[int, int]] = {}
    while before != (before := state()):
        time.sleep(0.5)  # the server still archives what the tests before left
    judged(tool.set(), tmp_path)
    assert len(before) > 20
    assert state() == before


@pytest.mark.parametrize("wrong", ["unknown stanza", "no file"])
def test_what_is_not_there_is_unknown(tool: Tool, tmp_path: Path, wrong: str) -> None:
    if wrong == "unknown stanza":
        kind, detail = unseen(tool.set(name="other"), tmp_path)
        assert "missing stanza path" in detail
    else:
        kind, detail = unseen(tool.set(path=f"{tool.folder}/absent.conf"), tmp_path)
        assert "absent.conf" in detail
    assert kind is FailureKind.COMMAND_FAILED


def test_a_wrong_password_and_none(tool: Tool, tmp_path: Path) -> None:
    wrong = tool.configured("wrong.conf", "only-for-this-test", "something-else")
    kind, detail = unseen(tool.set(path=str(wrong), repository="2"), tmp_path)
    assert "repo2-cipher-pass" in detail
    assert kind is FailureKind.AUTH
    none = tool.configured("none.conf", "repo2-cipher-pass", "#")
    kind, detail = unseen(tool.set(path=str(none)), tmp_path)
    assert (kind, "repo2-cipher-pass" in detail) == (FailureKind.AUTH, True)
    # Repository 1 is read all the same; that 2 was not forbids to say that nothing newer exists.
    row, series = judged(tool.set(path=str(wrong)), tmp_path)
    assert (row.status, len(series.points)) == (Status.PASS, 3)
    row, _ = judged(tool.set(path=str(wrong)), tmp_path, DAY * 3)
    assert (row.status, row.message.id) == (Status.UNKNOWN, "backup.recent.truncated")


def test_a_running_backup_then_a_stuck_one_then_a_killed_one(tool: Tool, tmp_path: Path) -> None:
    with _halted_backup(tool):
        row, series = judged(tool.set(), tmp_path)
        (running,) = [p for p in series.points if p.state is PointState.RUNNING]
        assert row.status is Status.PASS
        assert running.notes == ()
        time.sleep(2.2)  # the age of a process is told in whole seconds
        row, _ = judged(tool.set(every="1s"), tmp_path)
        assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stuck")
    _, series = judged(tool.set(), tmp_path)
    assert len(series.points) == 4
    assert all(p.state is PointState.OK for p in series.points)


@contextlib.contextmanager
def _halted_backup(tool: Tool) -> Iterator[None]:
    """A backup that holds its lock and does not move; killed at the end."""
    switch = ["setpriv", "--reuid", account(), "--regid", account(), "--clear-groups"]
    command = tool.command("--repo=1", "--type=full", "--log-level-console=off", "backup")
    process = subprocess.Popen(
        [*(switch if os.geteuid() == 0 else []), *command],
        cwd="/",
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    lock = tool.folder / "lock" / "main-backup.lock"
    try:
        while not lock.exists() or not lock.stat().st_size:
            assert process.poll() is None
            time.sleep(0.01)
        process.send_signal(signal.SIGSTOP)
        yield
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        lock.unlink(missing_ok=True)


def test_a_repository_that_lost_its_log(tool: Tool, tmp_path: Path) -> None:
    copy = tool.folder / "lost"
    shutil.copytree(tool.folder / "repo1", copy)
    config = tool.configured("lost.conf", "repo1-path=", "repo1-path=")
    config.write_text(config.read_text().replace(f"{tool.folder}/repo1", str(copy)))
    promised = tool.set(path=str(config), repository="1")
    segments = sorted(copy.glob("archive/main/15-1/*/????????????????????????-*"))
    _, series = judged(promised, tmp_path, HOUR)
    assert (series.archive and series.archive.gaps) == 0
    segments[4].unlink()
    _, series = judged(promised, tmp_path, HOUR)
    assert (series.archive and series.archive.gaps) == 1
    for segment in segments[:3]:
        segment.unlink()
    _, series = judged(promised, tmp_path, HOUR)
    full, *_ = series.points
    assert (full.state, full.notes) == (PointState.INVALID, ("wal_missing",))
    (copy / "backup/main/backup.info").write_text("rubbish")
    (copy / "backup/main/backup.info.copy").write_text("rubbish")
    kind, detail = unseen(promised, tmp_path)
    assert (kind, "backup.info" in detail) == (FailureKind.COMMAND_FAILED, True)


def test_a_backup_of_broken_pages_is_no_good_one(tool: Tool, tmp_path: Path) -> None:
    server = tool.server
    server.sql(
        "create table spoilt as select g, repeat('x', 500) from generate_series(1, 500) g",
        "checkpoint",
    )
    page = server.data / server.sql("select pg_relation_filepath('spoilt')")
    with page.open("r+b") as file:
        file.seek(8192 * 3 + 4000)
        file.write(b"rubbish")
    tool.run("--repo=1", "--type=full", "backup")
    row, series = judged(tool.set(), tmp_path)
    newest = series.points[-1]
    server.sql("drop table spoilt")
    tool.run("--repo=1", f"--set={newest.name}", "expire")
    assert (newest.state, newest.notes) == (PointState.INVALID, ("page_checksum_errors",))
    assert newest.errors == 1
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.newest_invalid")
