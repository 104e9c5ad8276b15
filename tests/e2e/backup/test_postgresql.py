"""Real PostgreSQL: its archiver's own state, and base backups of pg_basebackup in a folder."""

from __future__ import annotations

import os
import shutil
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
from tests.helpers.backup_series import DAY
from tests.helpers.backup_tools import backup as declared
from tests.helpers.postgres import Cluster, account, as_owner, cluster, programs

pytestmark = pytest.mark.slow

_ARCHIVE = "archive_command = 'test ! -e FOLDER/full && cp %p FOLDER/log/%f'"


class Tool:
    """A server with its archive in `log` and base backups in `copies`."""

    def __init__(self, server: Cluster) -> None:
        self.server = server
        self.copies = server.folder / "copies"
        as_owner("mkdir", f"{server.folder}/log", str(self.copies))

    def make(self, name: str, *more: str) -> Path:
        program = str(programs() / "pg_basebackup")
        where = ("-h", str(self.server.folder), "-U", "postgres", "-D", str(self.copies / name))
        as_owner("mkdir", "-p", str((self.copies / name).parent))
        as_owner(program, *where, "-c", "fast", "--no-sync", *more)
        return self.copies / name

    def set(self, **more: Any) -> BackupSet:
        return declared("postgresql", **({"path": str(self.copies)} | more))

    def archiver(self, **more: Any) -> BackupSet:
        given = {"name": "postgres", "repository": str(self.server.folder), "path": ""} | more
        return self.set(**given)

    def wait(self, column: str) -> None:
        """Until the archiver counts something."""
        while self.server.sql(f"select {column} from pg_stat_archiver") == "0":  # noqa: S608
            time.sleep(0.05)


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    with cluster("sauro-pg-", "archive_mode = on", _ARCHIVE, "wal_level = replica") as server:
        yield Tool(server)


def test_base_backups(tool: Tool, tmp_path: Path) -> None:
    tool.make("good/plain")
    tool.make("good/packed", "-F", "tar", "-z")
    row, series = judged(tool.set(path=f"{tool.copies}/good"), tmp_path)
    assert row.status is Status.PASS
    assert {p.name for p in series.points} == {"plain", "packed"}
    for point in series.points:
        assert (point.state, point.kind, point.notes) == (PointState.OK, PointKind.FULL, ())
        assert point.size
    assert (series.archive, series.repositories[0].remote) == (None, False)
    row, _ = judged(tool.set(path=f"{tool.copies}/good"), tmp_path, DAY * 3)
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stale")


def test_copies_that_are_no_good(tool: Tool, tmp_path: Path) -> None:
    whole = tool.make("bad/whole")
    cut, half = whole.with_name("cut"), whole.with_name("half")
    for folder in (cut, half):
        shutil.copytree(whole, folder)
    manifest = cut / "backup_manifest"
    manifest.write_bytes(manifest.read_bytes()[:-500])
    (half / "backup_manifest").rename(half / "backup_manifest.tmp")
    _, series = judged(tool.set(path=f"{tool.copies}/bad"), tmp_path)
    states = {p.name: p.state for p in series.points}
    assert (states["whole"], states["cut"], states["half"]) == (
        PointState.OK,
        PointState.INVALID,
        PointState.RUNNING,
    )


def test_the_archiver(tool: Tool, tmp_path: Path) -> None:
    tool.server.sql("create table t (i int)", "select pg_switch_wal()")
    tool.wait("archived_count")
    row, series = judged(tool.archiver(run_as=account() if os.geteuid() == 0 else ""), tmp_path)
    assert series.archive is not None
    assert series.archive.last is not None
    assert series.archive.failing_since is None
    # Archiving alone shows no backup, but it does not show that there is none.
    assert (row.status, row.message.id) == (Status.UNKNOWN, "backup.recent.truncated")
    (tool.server.folder / "full").touch()
    tool.server.sql("insert into t values (1)", "select pg_switch_wal()")
    tool.wait("failed_count")
    run_as = account() if os.geteuid() == 0 else ""
    _, failing = judged(tool.archiver(run_as=run_as), tmp_path)
    (tool.server.folder / "full").unlink()
    assert failing.archive is not None
    assert failing.archive.last is not None
    assert failing.archive.failing_since == failing.archive.last


def test_a_database_that_does_not_answer(tool: Tool, tmp_path: Path) -> None:
    kind, detail = unseen(tool.archiver(repository=f"{tmp_path}"), tmp_path)
    assert (kind, "connection to server" in detail) == (FailureKind.COMMAND_FAILED, True)
