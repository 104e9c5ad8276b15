"""Real borgmatic over real Borg: archives of every name, checks as proofs, no waiting for locks."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import ProofKind
from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_tools import backup, scanned

pytestmark = pytest.mark.slow

PASSWORD = "mật khẩu thử"  # noqa: S105 - of a repository that lives as long as the test
CONFIG = """\
location:
    source_directories: [{data}]
    repositories: [{repo}]
storage:
    encryption_passphrase: {password}
    archive_name_format: 'app-{{now}}'
consistency:
    checks: [{{name: repository}}, {{name: extract}}]
"""


class Home:
    """A home with a configuration, a repository and the state of one check."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("borgmatic"), "the Debian package borgmatic is needed"
        self.folder = folder
        self.repo = folder / "repo"
        self.data = folder / "srv"
        self.data.mkdir()
        (self.data / "file").write_text("x" * 1000)
        self.environ = os.environ | {"HOME": str(folder), "TZ": "UTC"}
        self.configs = {"good": PASSWORD, "wrong": "another"}
        for name, password in self.configs.items():
            given = {"data": self.data, "repo": self.repo, "password": password}
            (folder / f"{name}.yaml").write_text(CONFIG.format(**given))
        self.borg("init", "-e", "repokey-blake2", str(self.repo))
        for days in (1, 2, 3):
            when = time.gmtime(time.time() - days * 86400 - 3600)
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S", when)
            self.borg("create", "--timestamp", stamp, f"{self.repo}::old-{days}", str(self.data))
        self.borgmatic("create")
        self.borgmatic("check")

    def borg(self, *words: str) -> None:
        environ = self.environ | {"BORG_PASSPHRASE": PASSWORD}
        subprocess.run(["borg", *words], check=True, capture_output=True, env=environ)

    def borgmatic(self, action: str) -> None:
        config = str(self.folder / "good.yaml")
        command = ["borgmatic", "--log-file", os.devnull, "--config", config, action]
        done = subprocess.run(command, check=False, capture_output=True, env=self.environ)
        assert done.returncode == 0, done.stderr

    def set(self, config: str = "good", **more: Any) -> BackupSet:
        name = str(self.folder / f"{config}.yaml")
        return backup("borgmatic", **({"repository": str(self.repo), "name": name} | more))


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    return Home(tmp_path_factory.mktemp("borgmatic"))


@pytest.fixture(autouse=True)
def at_home(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(home.folder))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)


def test_archives_of_every_name_and_checks_as_proofs(home: Home) -> None:
    rows, series = scanned(home.set(), home.folder)
    assert series is not None
    assert rows["backup.recent"].status is Status.PASS
    assert len(series.points) == 4
    assert {p.kind for p in series.proofs} == {ProofKind.CHECK, ProofKind.EXTRACT}


def test_a_running_backup_does_not_hinder(home: Home) -> None:
    command = ["borg", "with-lock", str(home.repo), "sleep", "30"]
    environ = home.environ | {"BORG_PASSPHRASE": PASSWORD}
    with subprocess.Popen(command, env=environ, start_new_session=True) as running:
        lock = home.repo / "lock.exclusive"
        try:
            deadline = time.monotonic() + 20
            while not lock.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            assert lock.exists()
            rows, _ = scanned(home.set(), home.folder)
        finally:
            os.killpg(running.pid, signal.SIGKILL)
    shutil.rmtree(lock)
    assert rows["backup.recent"].status is Status.PASS


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"config": "wrong"}, FailureKind.AUTH),
        ({"config": "none"}, FailureKind.COMMAND_FAILED),
        ({"repository": "/nowhere"}, FailureKind.COMMAND_FAILED),
    ],
)
def test_what_cannot_be_seen_is_unknown(
    home: Home, given: dict[str, Any], kind: FailureKind
) -> None:
    rows, _ = scanned(home.set(**given), home.folder)
    for row in rows.values():
        assert row.status is Status.UNKNOWN
        assert row.failure is not None
        assert row.failure.kind is kind
        assert PASSWORD not in str(row)
