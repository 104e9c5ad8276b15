"""A real Bacula (Director, storage and file daemon), read by the real engine and judged."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from checks.backup.series import BackupSeries, PointKind, PointState, ProofKind
from checks.evidence import FailureKind
from checks.model import Status
from checks.results import Result
from inventory.model import BackupSet, PointFilter
from tests.helpers.backup_tools import backup, scanned
from tests.helpers.bacula import PASSWORD, Bacula, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bacula(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bacula]:
    """A full backup, an incremental of nothing, a partial, a failed and a running job, proofs."""
    root = tmp_path_factory.mktemp("bacula")
    server = Bacula(root)
    (root / "data" / "records").write_text("x" * 1000)
    with pytest.MonkeyPatch.context() as patch:
        for key, value in environment().items():
            patch.setenv(key, value)
        try:
            server.start()
            server.console("run job=motcua-gone yes", "run job=motcua-db level=Full yes")
            until(server, "motcua-db")
            server.console(
                "run job=Verify yes",
                "restore jobid=2 client=motcua-fd all done yes",
                "run job=motcua-db level=Incremental yes",
                "run job=motcua-part yes",
                "run job=motcua-slow yes",
            )
            until(server, "motcua-part")
            until(server, "motcua-gone", "f")
            yield server
        finally:
            server.stop()


def until(server: Bacula, job: str, status: str = "T") -> None:
    """Wait for a job's end."""
    deadline = time.monotonic() + 40
    while time.monotonic() < deadline:
        if f"JobStatus: {status}" in server.console(f"llist job={job} order=desc limit=1"):
            return
        time.sleep(0.2)
    raise AssertionError(server.console("llist jobs"))


def job(server: Bacula, name: str, console: str = "reader", **more: Any) -> BackupSet:
    given: dict[str, Any] = {"name": name, "repository": server.conf(console), "keep": None}
    return backup("bacula", **(given | more))


def rows(
    promised: BackupSet, folder: Path, later: dt.timedelta = dt.timedelta()
) -> dict[str, Result]:
    return scanned(promised, folder, later)[0]


def series(promised: BackupSet, folder: Path) -> BackupSeries:
    found = scanned(promised, folder)[1]
    assert found is not None
    return found


def test_a_job_with_an_incremental_of_nothing_over_its_full_is_recent(
    bacula: Bacula, tmp_path: Path
) -> None:
    mine = job(bacula, "motcua-db")
    found = series(mine, tmp_path)
    assert [(p.kind, p.state, p.base != "") for p in found.points] == [
        (PointKind.FULL, PointState.OK, False),
        (PointKind.INCREMENTAL, PointState.OK, True),
    ]
    assert found.points[0].size == 1000
    assert found.scheduled is True
    (pool,) = found.repositories
    assert (pool.id, pool.expires_days) == ("Daily", 35)
    assert rows(mine, tmp_path)["backup.recent"].status is Status.PASS


def test_it_is_stale_two_days_later(bacula: Bacula, tmp_path: Path) -> None:
    found = rows(job(bacula, "motcua-db"), tmp_path, dt.timedelta(days=2))
    assert found["backup.recent"].status is Status.FAIL
    assert found["backup.recent"].message.id == "backup.recent.stale"


def test_the_times_are_right_whatever_zone_the_director_writes(
    bacula: Bacula, tmp_path: Path
) -> None:
    newest = series(job(bacula, "motcua-db"), tmp_path).points[-1]
    assert abs(newest.start.timestamp() - time.time()) < 300


def test_a_missing_path_is_a_success_with_an_error(bacula: Bacula, tmp_path: Path) -> None:
    (point,) = series(job(bacula, "motcua-part"), tmp_path).points
    assert (point.state, point.errors) == (PointState.OK, 1)
    found = rows(job(bacula, "motcua-part"), tmp_path)
    assert found["backup.run-succeeded"].status is Status.FAIL
    assert series(job(bacula, "motcua-part"), tmp_path).scheduled is None


def test_a_failed_job_is_no_copy(bacula: Bacula, tmp_path: Path) -> None:
    (point,) = series(job(bacula, "motcua-gone"), tmp_path).points
    assert (point.state, point.notes) == (PointState.INVALID, ("job_status_f",))
    found = rows(job(bacula, "motcua-gone"), tmp_path)["backup.recent"]
    assert (found.status, found.message.id) == (Status.FAIL, "backup.recent.all_invalid")


def test_a_running_job_is_neither_hit_nor_miss(bacula: Bacula, tmp_path: Path) -> None:
    (point,) = series(job(bacula, "motcua-slow"), tmp_path).points
    assert (point.state, point.end) == (PointState.RUNNING, None)
    found = rows(job(bacula, "motcua-slow"), tmp_path, dt.timedelta(days=3))["backup.recent"]
    assert found.message.id == "backup.recent.stuck"


def test_a_job_that_never_ran(bacula: Bacula, tmp_path: Path) -> None:
    assert series(job(bacula, "never-run"), tmp_path).points == ()
    assert rows(job(bacula, "never-run"), tmp_path)["backup.recent"].status is Status.FAIL


def test_restores_and_verifications_are_the_tool_s_own_records(
    bacula: Bacula, tmp_path: Path
) -> None:
    # The client has other backup jobs too, so what was restored must be said.
    found = series(job(bacula, "motcua-db"), tmp_path)
    assert found.proofs == ()
    assert "match.tags" in found.repositories[0].unseen["proofs"].detail
    untold = rows(job(bacula, "motcua-db"), tmp_path)["backup.restore-tested"]
    assert untold.status is Status.UNKNOWN
    assert untold.failure is not None
    assert "match.tags of s/db" in untold.failure.detail
    mine = job(bacula, "motcua-db", match=PointFilter(tags=("Restore", "Verify")))
    found = series(mine, tmp_path)
    assert [(p.kind, p.ok, p.person) for p in found.proofs] == [
        (ProofKind.VERIFY, True, False),
        (ProofKind.RESTORE, True, False),
    ]
    judged = rows(mine, tmp_path)
    assert judged["backup.restore-tested"].status is Status.PASS
    assert judged["backup.integrity-verified"].status is Status.PASS


@pytest.mark.parametrize(
    ("console", "kind", "says"),
    [
        ("blind", FailureKind.DENIED, "CommandACL: llist"),
        ("narrow", FailureKind.DENIED, "JobACL: motcua-db"),
        ("wrong", FailureKind.AUTH, "password"),
        ("absent", FailureKind.COMMAND_FAILED, "No such file"),
    ],
)
def test_what_is_missing_is_named_and_unknown(
    bacula: Bacula, tmp_path: Path, console: str, kind: FailureKind, says: str
) -> None:
    conf = {
        "wrong": lambda: bacula.changed("reader", PASSWORD, "another"),
    }.get(console, lambda: bacula.conf(console))()
    found = rows(job(bacula, "motcua-db", repository=conf), tmp_path)["backup.recent"]
    assert found.status is Status.UNKNOWN
    assert found.failure is not None
    assert found.failure.kind is kind
    assert says in found.failure.detail
    assert PASSWORD not in repr(found)


def test_an_unknown_job_and_a_missing_console_are_unknown(
    bacula: Bacula, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = rows(job(bacula, "no-such-job"), tmp_path)["backup.recent"]
    assert (found.status, found.failure and found.failure.kind) == (
        Status.UNKNOWN,
        FailureKind.COMMAND_FAILED,
    )
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    if not Path("/usr/sbin/bconsole").exists():
        found = rows(job(bacula, "motcua-db"), tmp_path)["backup.recent"]
        assert found.failure is not None
        assert found.failure.kind is FailureKind.MISSING_TOOL
        assert "bconsole" in found.failure.detail


def test_nothing_was_written(bacula: Bacula, tmp_path: Path) -> None:
    before = bacula.console("llist jobs jobtype=B")
    rows(job(bacula, "motcua-db"), tmp_path)
    assert bacula.console("llist jobs jobtype=B") == before
