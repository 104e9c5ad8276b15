"""Real restic: planted histories, judged by the engine over a shell on this machine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checks.backup.sources.restic import SNAPSHOTS
from checks.evidence import FailureKind
from checks.model import Status
from checks.results import Result
from inventory.model import BackupSet, PointFilter
from tests.helpers.backup_tools import asked, backup, scanned

pytestmark = pytest.mark.slow

PASSWORD = "mật khẩu thử"  # noqa: S105 - of a repository that lives as long as the test


class Repo:
    """A repository with three servers' snapshots."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("restic"), "the Debian package restic is needed"
        self.folder = folder
        self.path = folder / "repo"
        self.file = folder / "password"
        self.file.write_text(PASSWORD + "\n")
        self.data = folder / "srv"
        for name in ("etc", "db"):
            (self.data / name).mkdir(parents=True)
            (self.data / name / "file").write_text(name * 1000)
        self.run("init")
        for days in range(4):
            self.backup("fresh", days, "etc", "db")
        for days in (3, 4, 5):
            self.backup("stale", days, "etc")
        for days in (0, 3, 4):
            self.backup("gap", days, "etc")
        self.backup("partial", 1, "etc", "db")
        # Up to 0.18 a source that is gone is passed over; since 0.19 it ends with code 3, and the
        # snapshot is there all the same.
        self.backup("partial", 0, "etc", "gone", codes=(0, 3))

    def command(self, *words: str) -> list[str]:
        return ["restic", "-q", "-r", str(self.path), "--password-file", str(self.file), *words]

    def run(self, *words: str, codes: tuple[int, ...] = (0,)) -> None:
        command = self.command("--no-cache", *words)
        done = subprocess.run(command, check=False, capture_output=True, cwd=self.data)
        assert done.returncode in codes, done.stderr

    def backup(self, host: str, days: float, *paths: str, codes: tuple[int, ...] = (0,)) -> None:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(time.time() - days * 86400 - 3600))
        self.run("backup", "--host", host, "--time", when, *paths, codes=codes)

    def set(self, host: str, **more: Any) -> BackupSet:
        since = (dt.datetime.fromtimestamp(time.time(), dt.UTC) - dt.timedelta(days=3)).date()
        given: dict[str, Any] = {
            "repository": str(self.path),
            "password_file": str(self.file),
            "match": PointFilter(host=host),
            "effective_from": since,
        }
        return backup("restic", **(given | more))


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo(tmp_path_factory.mktemp("restic"))


def statuses(rows: dict[str, Result]) -> tuple[Status, Status]:
    return rows["backup.recent"].status, rows["backup.periodic"].status


@pytest.mark.parametrize(
    ("host", "recent", "periodic"),
    [
        ("fresh", Status.PASS, Status.PASS),
        ("stale", Status.FAIL, Status.FAIL),
        ("gap", Status.PASS, Status.FAIL),
    ],
)
def test_each_server_is_judged_by_its_own_snapshots(
    repo: Repo, host: str, recent: Status, periodic: Status
) -> None:
    before = sorted(p.name for p in (repo.path / "locks").iterdir())
    rows, series = scanned(repo.set(host), repo.folder)
    assert statuses(rows) == (recent, periodic)
    assert series is not None
    assert series.repositories[0].encrypted is True
    assert (series.repositories[0].remote, series.repositories[0].deletable) == (False, True)
    assert sorted(p.name for p in (repo.path / "locks").iterdir()) == before


def test_a_partial_snapshot_shows_by_its_paths(repo: Repo) -> None:
    rows, series = scanned(repo.set("partial"), repo.folder)
    assert series is not None
    whole, partial = series.points
    assert (whole.paths, partial.paths) != (None, None)
    assert len(whole.paths or ()) == 2
    assert whole.group == partial.group
    assert rows["backup.content-complete"].status is Status.FAIL
    # The same snapshot without the loss of a path would look like any other.
    assert rows["backup.run-succeeded"].status is Status.UNKNOWN
    assert rows["backup.encrypted"].status is Status.PASS


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({"password_file": "/etc/hostname"}, FailureKind.AUTH),
        ({"password_file": "/nowhere/password"}, FailureKind.AUTH),
        ({"password_file": ""}, FailureKind.AUTH),
        ({"repository": "/nowhere/repository"}, FailureKind.COMMAND_FAILED),
        ({"match": None}, FailureKind.NOT_DECLARED),
    ],
)
def test_what_cannot_be_seen_is_unknown(
    repo: Repo, broken: dict[str, Any], kind: FailureKind
) -> None:
    rows, _ = scanned(repo.set("fresh", **broken), repo.folder)
    for row in rows.values():
        assert row.status is Status.UNKNOWN
        assert row.failure is not None
        assert row.failure.kind is kind
        assert PASSWORD not in str(row)


def test_a_password_that_the_scanner_knows_leaves_no_trace(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAURO_TEST_RESTIC", PASSWORD)
    given = repo.set("fresh", password_file="", password="env:SAURO_TEST_RESTIC")  # noqa: S106
    rows, _ = scanned(given, repo.folder)
    assert statuses(rows) == (Status.PASS, Status.PASS)
    assert PASSWORD not in str(rows)


def test_a_running_backup_does_not_hinder(repo: Repo) -> None:
    command = repo.command("--no-cache", "backup", "--stdin", "--host", "running")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as running:
        try:
            locks = repo.path / "locks"
            deadline = time.monotonic() + 20
            while not any(locks.iterdir()) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert any(locks.iterdir())
            rows, series = scanned(repo.set("fresh"), repo.folder)
        finally:
            running.kill()
    assert statuses(rows) == (Status.PASS, Status.PASS)
    assert series is not None
    assert series.repositories[0].notes == ()


def test_a_server_without_restic_says_so(repo: Repo, tmp_path: Path) -> None:
    request = asked(repo.set("fresh"), SNAPSHOTS.id)
    done = subprocess.run(
        ["/bin/sh", "-c", request.script],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "sauro:missing restic" in done.stderr
