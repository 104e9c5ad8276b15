"""Real mariadb-backup on a real MariaDB, from its folders to the verdicts."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import PointKind, PointState
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_rows import collected, judged, unseen
from tests.helpers.backup_series import DAY
from tests.helpers.backup_tools import backup as declared
from tests.helpers.postgres import in_memory

pytestmark = pytest.mark.slow


class Tool:
    """A MariaDB of its own, on a socket only, and what mariadb-backup made of it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.copies = folder / "copies"
        self.copies.mkdir()
        me = pwd.getpwuid(os.geteuid()).pw_name
        data = (f"--datadir={folder}/data", f"--user={me}")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run(
            [
                *("mariadb-install-db", "--no-defaults", *data, "--skip-test-db"),
                "--auth-root-authentication-method=normal",
            ],
            check=True,
            **quiet,  # type: ignore[call-overload]
        )
        small = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M")
        place = (f"--socket={folder}/s", f"--pid-file={folder}/pid", "--skip-networking")
        self.process = subprocess.Popen(
            ["mariadbd", "--no-defaults", *data, *place, *small],
            **quiet,  # type: ignore[call-overload]
        )

    def sql(self, text: str) -> bool:
        where = ("--no-defaults", "-S", f"{self.folder}/s", "-u", "root")
        done = subprocess.run(["mariadb", *where, "-e", text], capture_output=True, check=False)
        return done.returncode == 0

    def command(self, name: str, *more: str) -> list[str]:
        where = (f"--socket={self.folder}/s", f"--datadir={self.folder}/data", "--user=root")
        target = f"--target-dir={self.copies / name}"
        return ["mariadb-backup", "--no-defaults", "--backup", *where, target, *more]

    def make(self, name: str, *more: str, base: str = "", works: bool = True) -> None:
        """A backup with its log beside it."""
        after = [f"--incremental-basedir={self.copies / base}"] if base else []
        with (self.copies / f"{name}.log").open("wb") as log:
            command = self.command(name, *after, *more)
            code = subprocess.run(command, stdout=log, stderr=log, check=False).returncode
        assert (code == 0) is works, (self.copies / f"{name}.log").read_text()[-2000:]

    def set(self, **more: Any) -> BackupSet:
        return declared("mariadb-backup", **({"path": str(self.copies)} | more))


@pytest.fixture(scope="module")
def tool() -> Iterator[Tool]:
    """A full backup and two incremental ones after it."""
    assert shutil.which("mariadb-backup"), "the tests need mariadb-backup: run `tools/setup dev`"
    folder = Path(tempfile.mkdtemp(prefix="sauro-maria-", dir=in_memory()))
    made = Tool(folder)
    try:
        while not made.sql("select 1"):
            assert made.process.poll() is None
            time.sleep(0.1)
        made.sql("create database d; create table d.t (i int primary key) engine=innodb")
        made.make("full")
        # Past the checkpoint, so that each of them has positions of its own.
        made.sql("insert into d.t values (1); flush tables")
        made.make("inc1", base="full")
        made.sql("insert into d.t values (2); flush tables")
        made.make("inc2", base="inc1")
        yield made
    finally:
        made.process.kill()
        made.process.wait()
        shutil.rmtree(folder)


def test_a_chain(tool: Tool, tmp_path: Path) -> None:
    row, series = judged(tool.set(), tmp_path)
    assert row.status is Status.PASS
    full, first, second = series.points
    assert [p.name for p in series.points] == ["full", "inc1", "inc2"]
    assert [p.kind for p in (full, first, second)] == [
        PointKind.FULL,
        PointKind.INCREMENTAL,
        PointKind.INCREMENTAL,
    ]
    assert (full.base, first.base) == ("", full.id)
    assert second.base in (first.id, full.id)  # equal positions when nothing was flushed between
    assert full.size
    assert full.state is PointState.OK
    (repository,) = series.repositories
    assert (repository.location, repository.remote) == (str(tool.copies), False)
    row, _ = judged(tool.set(), tmp_path, DAY * 3)
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stale")


def test_a_prepared_copy_is_the_same_backup(tool: Tool, tmp_path: Path) -> None:
    copy = tmp_path / "full"
    shutil.copytree(tool.copies / "full", copy)
    subprocess.run(
        ["mariadb-backup", "--no-defaults", "--prepare", f"--target-dir={copy}"],
        check=True,
        capture_output=True,
    )
    _, series = judged(tool.set(path=str(tmp_path)), tmp_path)
    (point,) = series.points
    assert (point.state, point.kind, point.notes) == (
        PointState.OK,
        PointKind.FULL,
        ("prepared",),
    )
    _, series = judged(tool.set(), tmp_path)
    assert point.id == series.points[0].id


def test_a_base_that_is_gone(tool: Tool, tmp_path: Path) -> None:
    shutil.copytree(tool.copies / "inc1", tmp_path / "inc1")
    _, series = judged(tool.set(path=str(tmp_path)), tmp_path)
    (point,) = series.points
    assert point.base.startswith("lsn:")


def test_partial_failed_and_unfinished_ones(tool: Tool, tmp_path: Path) -> None:
    tool.make("some", "--databases=d")
    row, series = judged(tool.set(), tmp_path)
    some = series.points[-1]
    assert (some.name, some.state, some.notes) == ("some", PointState.INVALID, ("partial",))
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.newest_invalid")
    shutil.rmtree(tool.copies / "some")

    tool.make("denied", "--password=only-for-this-test", works=False)
    (tool.copies / "half").mkdir()
    for name in ("ib_logfile0", "aria_log_control"):
        shutil.copy(tool.copies / "full" / name, tool.copies / "half" / name)
    _, series = judged(tool.set(), tmp_path)
    unfinished = {p.name for p in series.points if p.state is PointState.RUNNING}
    assert "half" in unfinished
    assert unfinished <= {"half", "denied"}
    row, _ = judged(tool.set(every="1h"), tmp_path, DAY)
    assert (row.status, row.message.id) == (Status.FAIL, "backup.recent.stuck")
    shutil.rmtree(tool.copies / "half")
    shutil.rmtree(tool.copies / "denied", ignore_errors=True)


def test_a_log_without_its_last_line(tool: Tool, tmp_path: Path) -> None:
    for name in ("full", "full.log"):
        subprocess.run(["cp", "-a", str(tool.copies / name), str(tmp_path / name)], check=True)
    log = tmp_path / "full.log"
    log.write_text(log.read_text().replace("completed OK!", "Error: write error"))
    _, series = judged(tool.set(path=str(tmp_path)), tmp_path)
    (point,) = series.points
    assert (point.state, point.notes) == (PointState.INVALID, ("log_not_completed",))


def test_a_stream_is_not_seen(tool: Tool, tmp_path: Path) -> None:
    command = tool.command("ignored", "--stream=xbstream", f"--extra-lsndir={tmp_path}/positions")
    with (tmp_path / "stream").open("wb") as file:
        subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=True)
    rows, series = judged(tool.set(path=str(tmp_path)), tmp_path)
    assert (series.points, series.listing.ignored) == ((), 1)
    assert (rows.status, rows.message.id) == (Status.UNKNOWN, "backup.recent.truncated")


def test_passwords_of_the_command_stay_on_the_host(tool: Tool) -> None:
    info = tool.copies / "full" / "xtrabackup_info"
    text = info.read_text()
    try:
        info.write_text(text.replace("tool_command = ", "tool_command = --password=secret-7 "))
        found = collected(tool.set())
        assert any(b"552" in e.stdout or b"uuid=" in e.stdout for e in found)
        assert all(b"secret-7" not in e.stdout + e.stderr for e in found)
    finally:
        info.write_text(text)


def test_dumps_in_a_folder(tool: Tool, tmp_path: Path) -> None:
    where = ("--no-defaults", "-S", f"{tool.folder}/s", "-u", "root")
    for name, tables, code in (("whole", (), 0), ("failed", ("t", "none"), 6)):
        with (tmp_path / f"{name}.sql").open("wb") as file:
            command = ["mariadb-dump", *where, "d", *tables]
            done = subprocess.run(command, stdout=file, stderr=subprocess.DEVNULL, check=False)
        assert done.returncode == code
        # Nobody writes to it any more.
        os.utime(tmp_path / f"{name}.sql", (time.time() - 60,) * 2)
    _, series = judged(declared("directory", path=str(tmp_path)), tmp_path)
    states = {p.name: (p.state, p.notes) for p in series.points}
    assert states["whole.sql"][0] is PointState.OK
    assert states["failed.sql"] == (PointState.INVALID, ("no_completion_mark",))


def test_no_folder(tool: Tool, tmp_path: Path) -> None:
    kind, detail = unseen(tool.set(path=f"{tmp_path}/none"), tmp_path)
    assert (kind, "none" in detail) == (FailureKind.COMMAND_FAILED, True)
