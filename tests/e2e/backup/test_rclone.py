"""Real rclone against an S3 server on the loopback: originals' times beside those of the upload."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from checks.evidence import FailureKind
from checks.model import Status
from inventory.model import BackupSet
from tests.helpers.backup_tools import backup, scanned

DAY = 86400
ENVIRON = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
"""Without what this machine has set for other stores, which rclone would obey."""


class Remote:
    """A bucket behind an rclone remote called `store`."""

    def __init__(self, folder: Path, port: int) -> None:
        assert shutil.which("rclone"), "the Debian package rclone is needed"
        self.folder = folder
        self.config = folder / "rclone.conf"
        endpoint = f"http://127.0.0.1:{port}"
        self.config.write_text(
            "[store]\ntype = s3\nprovider = Other\naccess_key_id = test\n"
            f"secret_access_key = geheim\nendpoint = {endpoint}\nforce_path_style = true\n"
        )
        client = boto3.client(
            "s3",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="geheim",  # noqa: S106 - of a server that lives as long as this
        )
        client.create_bucket(Bucket="backups")
        self.fill("fresh", {f"db-{d}.sql.gz.{self.day(d)}": d for d in range(4)})
        self.fill("old", {f"db.{self.day(d)}": 10 + d for d in range(3)})
        self.fill("touched", {"dump.sql": 10})
        self.fill("mirror", {"a.txt": 0, "b.txt": 1, "c.txt": 5})

    def day(self, days: float) -> str:
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time.time() - days * DAY - 3600))

    def fill(self, name: str, files: dict[str, float]) -> None:
        place = self.folder / name
        place.mkdir()
        for file, days in files.items():
            (place / file).write_bytes(os.urandom(5000))
            os.utime(place / file, (time.time() - days * DAY - 3600,) * 2)
        command = [
            "rclone",
            "--config",
            str(self.config),
            "copy",
            str(place),
            f"store:backups/{name}",
        ]
        done = subprocess.run(
            [*command, "--s3-no-check-bucket"],
            check=False,
            capture_output=True,
            text=True,
            env=ENVIRON,
        )
        assert done.returncode == 0, done.stderr

    def set(self, name: str, **more: Any) -> BackupSet:
        now = dt.datetime.fromtimestamp(time.time(), dt.UTC)
        given: dict[str, Any] = {
            "repository": f"store:backups/{name}",
            "effective_from": (now - dt.timedelta(days=3)).date(),
        }
        return backup("rclone", **(given | more))


@pytest.fixture(scope="module")
def remote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Remote]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    try:
        yield Remote(tmp_path_factory.mktemp("rclone"), port)
    finally:
        server.stop()


@pytest.fixture(autouse=True)
def configured(remote: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ.keys() - ENVIRON.keys():
        monkeypatch.delenv(name)
    monkeypatch.setenv("RCLONE_CONFIG", str(remote.config))


@pytest.mark.parametrize(
    ("name", "recent", "periodic"),
    [
        ("fresh", Status.PASS, Status.PASS),
        ("old", Status.FAIL, Status.FAIL),
        ("touched", Status.FAIL, Status.FAIL),
    ],
)
def test_the_original_counts_and_not_the_upload(
    remote: Remote, name: str, recent: Status, periodic: Status
) -> None:
    rows, series = scanned(remote.set(name), remote.folder)
    assert (rows["backup.recent"].status, rows["backup.periodic"].status) == (recent, periodic)
    assert series is not None
    assert series.repositories[0].remote is True
    if name == "touched":
        assert "copied_or_touched" in series.points[0].notes
        assert series.points[0].end is not None


@pytest.mark.parametrize(
    ("repository", "kind"),
    [
        ("store:backups/mirror", FailureKind.NOT_DECLARED),
        ("store:nowhere/at-all", FailureKind.COMMAND_FAILED),
        ("nobody:backups", FailureKind.COMMAND_FAILED),
    ],
)
def test_what_cannot_be_judged_is_unknown(
    remote: Remote, repository: str, kind: FailureKind
) -> None:
    rows, _ = scanned(remote.set("fresh", repository=repository), remote.folder)
    for row in rows.values():
        assert row.status is Status.UNKNOWN
        assert row.failure is not None
        assert row.failure.kind is kind
        assert "geheim" not in str(row)


def test_a_locked_configuration_is_named(
    remote: Remote, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = tmp_path / "rclone.conf"
    locked.write_text("RCLONE_ENCRYPT_V0:\n" + "A" * 76 + "\n")
    monkeypatch.setenv("RCLONE_CONFIG", str(locked))
    rows, _ = scanned(remote.set("fresh"), remote.folder)
    failure = rows["backup.recent"].failure
    assert failure is not None
    assert failure.kind is FailureKind.AUTH
    assert "password of rclone's configuration" in failure.detail
