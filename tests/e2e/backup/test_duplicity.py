"""Real duplicity: planted chains, judged by the engine over a shell on this machine."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import PointKind
from checks.backup.sources.duplicity import read_status, status_request
from checks.backup.timing import NO_CLOCK
from checks.model import Status
from inventory.model import BackupSet
from scanner.transports.base import SizeLimits
from scanner.transports.local import LocalTransport
from tests.helpers.backup_tools import backup, scanned, subject

pytestmark = pytest.mark.slow


class Store:
    """A folder for each planted history."""

    def __init__(self, folder: Path) -> None:
        assert shutil.which("duplicity"), "the Debian package duplicity is needed"
        self.folder = folder
        self.data = folder / "srv"
        self.data.mkdir()
        for days in (3, 2, 1, 0):
            self.backup("fresh", days)
        shutil.copytree(folder / "fresh", folder / "broken")
        shutil.copytree(folder / "fresh", folder / "unfinished")
        shutil.copytree(folder / "fresh", folder / "stale")
        sets = sorted({p.name.split(".to.")[1].split(".")[0] for p in folder.glob("stale/*inc*")})
        for late in sets:
            for path in folder.glob(f"stale/*.to.{late}.*"):
                path.unlink()
        for path in folder.glob(f"broken/*.to.{sets[0]}.*"):
            path.unlink()
        for path in folder.glob(f"unfinished/*.to.{sets[-1]}.manifest*"):
            path.unlink()

    def backup(self, name: str, days: float) -> None:
        (self.data / "file").write_text(f"{days}" * 1000)
        when = str(int(time.time() - days * 86400 - 3600))
        state = ["--archive-dir", str(self.folder / "state"), "-v1", "--no-encryption"]
        target = f"file://{self.folder / name}"
        command = ["duplicity", *state, "--current-time", when, str(self.data), target]
        subprocess.run(command, check=True, capture_output=True, env=os.environ | {"TZ": "UTC"})

    def set(self, name: str, **more: Any) -> BackupSet:
        now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
        given: dict[str, Any] = {
            "repository": f"file://{self.folder / name}",
            "effective_from": (now - dt.timedelta(days=3)).date(),
        }
        return backup("duplicity", **(given | more))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    return Store(tmp_path_factory.mktemp("duplicity"))


@pytest.mark.parametrize(
    ("name", "recent", "periodic"),
    [
        ("fresh", Status.PASS, Status.PASS),
        ("stale", Status.FAIL, Status.FAIL),
        ("nowhere", Status.UNKNOWN, Status.UNKNOWN),
    ],
)
def test_histories(store: Store, name: str, recent: Status, periodic: Status) -> None:
    rows, series = scanned(store.set(name), store.folder)
    assert (rows["backup.recent"].status, rows["backup.periodic"].status) == (recent, periodic)
    if name == "fresh":
        assert series is not None
        assert rows["backup.chain-whole"].status is Status.PASS
        assert series.repositories[0].encrypted is False
    # Looking makes nothing, not even the folder that duplicity would make.
    assert (store.folder / name).exists() == (name != "nowhere")


def test_an_unfinished_run_is_no_backup(store: Store) -> None:
    rows, series = scanned(store.set("unfinished", every="3h"), store.folder)
    assert series is not None
    assert rows["backup.recent"].status is Status.FAIL
    assert [p.state.value for p in series.points] == ["ok", "ok", "ok", "running"]


def test_a_broken_chain_shows_by_its_base(store: Store) -> None:
    rows, series = scanned(store.set("broken"), store.folder)
    assert series is not None
    assert rows["backup.chain-whole"].status is Status.FAIL
    ids = {p.id for p in series.points}
    assert [p.base in ids for p in series.points if p.kind is PointKind.INCREMENTAL] == [
        False,
        True,
    ]


def test_its_own_status_says_the_same_and_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("TZ", "Asia/Ho_Chi_Minh")
    _, series = scanned(store.set("fresh"), store.folder)
    transport = LocalTransport(
        SizeLimits(), lambda: dt.datetime.fromtimestamp(time.time(), dt.UTC), 60
    )
    (answer,) = transport.collect([status_request(subject(store.set("fresh")))])
    points, listing = read_status(answer, NO_CLOCK)
    assert series is not None
    assert [(p.id, p.start, p.base) for p in points] == [
        (p.id, p.start.replace(microsecond=0), p.base) for p in series.points
    ]
    assert listing.notes == ()
    assert list(tmp_path.iterdir()) == []
