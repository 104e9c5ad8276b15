"""Real Borg: planted histories, judged by the engine over a shell on this machine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checks.backup.sources.borg import ARCHIVES
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet, PointFilter
from tests.helpers.backup_tools import asked, backup, scanned

pytestmark = pytest.mark.slow

PASSWORD = "mật khẩu thử"  # noqa: S105 - of a repository that lives as long as the test


class Repo:
    """A repository with the archives of several jobs."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("borg"), "the Debian package borgbackup is needed"
        self.folder = folder
        self.path = folder / "repo"
        self.file = folder / "password"
        self.file.write_text(PASSWORD)
        self.data = folder / "srv"
        for name in ("etc", "db"):
            (self.data / name).mkdir(parents=True)
            for number in range(5):
                (self.data / name / f"{number}").write_text(name * 100)
        (self.data / "empty").mkdir()
        self.environ = os.environ | {
            "BORG_BASE_DIR": str(folder / "base"),
            "BORG_PASSPHRASE": PASSWORD,
            "TZ": "UTC",
        }
        self.run("init", "-e", "repokey-blake2", str(self.path))
        for days in range(4):
            self.backup("fresh", days, "etc", "db")
        for days in (3, 4, 5):
            self.backup("stale", days, "etc")
        for days in (0, 3, 4):
            self.backup("gap", days, "etc")
        self.backup("partial", 1, "etc", "db")
        (self.data / "db").rename(self.data / "away")
        self.backup("partial", 0, "etc", "db", code=1)
        self.backup("empty", 0, "empty")

    def run(self, *words: str, code: int = 0) -> None:
        done = subprocess.run(
            ["borg", *words], check=False, capture_output=True, cwd=self.data, env=self.environ
        )
        assert done.returncode == code, done.stderr

    def backup(self, job: str, days: float, *paths: str, code: int = 0) -> None:
        when = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - days * 86400 - 3600))
        name = f"{self.path}::{job}-{days}"
        self.run("create", "--timestamp", when, name, *paths, code=code)

    def set(self, job: str, **more: Any) -> BackupSet:
        now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
        given: dict[str, Any] = {
            "repository": str(self.path),
            "password_file": str(self.file),
            "match": PointFilter(prefix=f"{job}-"),
            "effective_from": (now - dt.timedelta(days=3)).date(),
        }
        return backup("borg", **(given | more))

    def files(self) -> dict[str, int]:
        return {str(p): p.stat().st_mtime_ns for p in self.path.rglob("*") if p.is_file()}


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Repo:
    return Repo(tmp_path_factory.mktemp("borg"))


@pytest.mark.parametrize(
    ("job", "recent", "periodic"),
    [
        ("fresh", Status.PASS, Status.PASS),
        ("stale", Status.FAIL, Status.FAIL),
        ("gap", Status.PASS, Status.FAIL),
        ("empty", Status.FAIL, Status.FAIL),
    ],
)
def test_each_job_is_judged_by_its_own_archives(
    repo: Repo, job: str, recent: Status, periodic: Status
) -> None:
    before = repo.files()
    rows, series = scanned(repo.set(job), repo.folder)
    assert (rows["backup.recent"].status, rows["backup.periodic"].status) == (recent, periodic)
    assert series is not None
    assert series.repositories[0].encrypted is True
    assert repo.files() == before


def test_archives_are_compared_by_the_data_that_they_protect(repo: Repo) -> None:
    row = scanned(repo.set("fresh"), repo.folder)[0]["backup.size-plausible"]
    assert (row.status, row.message.id) == (Status.PASS, "backup.size-plausible.usual_data")
    assert row.detail["measure"] == "data"
    assert {size for _, size in row.detail["sizes"]} == {5 * 300 + 5 * 200}
    empty = scanned(repo.set("empty"), repo.folder)[0]["backup.size-plausible"]
    assert (empty.status, empty.message.id) == (Status.FAIL, "backup.size-plausible.empty")


def test_times_do_not_hang_on_the_zone_and_nothing_is_left_behind(
    repo: Repo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    found = set()
    for zone in ("UTC", "Asia/Ho_Chi_Minh", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        _, series = scanned(repo.set("fresh"), repo.folder)
        assert series is not None
        found.add(series.points[-1].start)
    assert len(found) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_partial_archive_shows_by_its_files(repo: Repo) -> None:
    rows, series = scanned(repo.set("partial"), repo.folder)
    assert series is not None
    assert [p.files for p in series.points] == [10, 5]
    assert len({(p.group, p.paths) for p in series.points}) == 1
    assert rows["backup.content-complete"].detail["share"] <= 0.5
    assert rows["backup.run-succeeded"].status is Status.UNKNOWN
    assert rows["backup.encrypted"].status is Status.PASS


@pytest.mark.parametrize(
    ("broken", "kind"),
    [
        ({"password_file": "/etc/hostname"}, FailureKind.AUTH),
        ({"password_file": "/nowhere/password"}, FailureKind.AUTH),
        ({"password_file": ""}, FailureKind.AUTH),
        ({"repository": "/nowhere/repository"}, FailureKind.COMMAND_FAILED),
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


def test_a_passphrase_that_the_scanner_knows_leaves_no_trace(
    repo: Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SAURO_TEST_BORG", PASSWORD)
    given = repo.set("fresh", password_file="", password="env:SAURO_TEST_BORG")  # noqa: S106
    rows, _ = scanned(given, repo.folder)
    assert rows["backup.recent"].status is Status.PASS
    assert PASSWORD not in str(rows)


def test_a_running_backup_does_not_hinder(repo: Repo) -> None:
    command = ["borg", "with-lock", str(repo.path), "sleep", "30"]
    with subprocess.Popen(command, env=repo.environ, start_new_session=True) as running:
        try:
            deadline = time.monotonic() + 20
            lock = repo.path / "lock.exclusive"
            while not lock.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert lock.exists()
            rows, _ = scanned(repo.set("fresh"), repo.folder)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    shutil.rmtree(lock)
    assert rows["backup.recent"].status is Status.PASS


def test_a_server_without_borg_says_so(repo: Repo, tmp_path: Path) -> None:
    request = asked(repo.set("fresh", run_as="root"), ARCHIVES.id)
    done = subprocess.run(
        ["/bin/sh", "-c", request.script],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "sauro:missing borg" in done.stderr
