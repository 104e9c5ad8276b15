from __future__ import annotations

import contextlib
import datetime as dt
import json
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, PointKind, PointState
from checks.backup.sources.pgbackrest import INFO, RUNS, WAL
from checks.backup.sources.pgbackrest_config import CONFIG
from checks.evidence import Evidence, FailureKind, Need, NotDeclared, Unparsable
from checks.probes.host import CLOCK
from inventory.model import BackupSet
from tests.helpers.backup_series import DAY, at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded, said

NOW = TAKEN


def stanza(**more: Any) -> BackupSet:
    return backup("pgbackrest", **({"name": "main"} | more))


def case(recording: str, *more: Evidence, **keys: Any) -> BackupSeries:
    return parsed(stanza(**keys), recorded(INFO.id, recording), *more)


def refused(recording: str, **keys: Any) -> tuple[FailureKind, str]:
    with pytest.raises(Unparsable) as caught:
        case(recording, **keys)
    return caught.value.kind, str(caught.value)


def other(probe: str, text: str) -> Evidence:
    return Evidence(probe=probe, target="h", key="", taken=TAKEN, stdout=text.encode(), exit=0)


def altered(name: str, change: dict[str, Any], label: str = "20261122-014702F") -> BackupSeries:
    """A recorded case with one backup changed."""
    evidence = recorded(INFO.id, name)
    answer = json.loads(evidence.stdout)
    for one in answer[0]["backup"]:
        if one["label"] == label:
            one.update(change)
    return parsed(stanza(), said(INFO.id, json.dumps(answer).encode()))


def test_times_are_epochs_and_never_labels() -> None:
    moved = {"label": "20300101-000000F", "timestamp": {"start": 1795312022, "stop": 1795312030}}
    (point,) = [p for p in altered("chain", moved).points if p.name.startswith("2030")]
    assert (point.start, point.end) == (
        at("2026-11-22 01:47:02"),
        at("2026-11-22 01:47:10"),
    )


def test_a_chain_names_its_bases_per_repository() -> None:
    points = case("chain").points
    assert [(p.repository, p.kind, p.base) for p in points] == [
        ("1", PointKind.FULL, ""),
        ("1", PointKind.DIFFERENTIAL, "1:20261122-014702F"),
        ("1", PointKind.INCREMENTAL, "1:20261122-014702F_20261122-014711D"),
        ("2", PointKind.FULL, ""),
    ]
    assert [p.encrypted for p in points] == [False, False, False, True]
    assert {p.group for p in points} == {"repo1", "repo2"}
    # Full and incremental are alike by what a restore reads, not by what each of them added.
    assert {p.size for p in points[:3]} == {3043482, 3043483}


def test_one_repository_of_several() -> None:
    assert [p.repository for p in case("chain", repository="2").points] == ["2"]
    assert refused("chain", repository="3")[0] is FailureKind.COMMAND_FAILED


@pytest.mark.parametrize("error", [True, False, None])
def test_page_checksum_errors_spoil_a_backup(error: bool | None) -> None:
    point = altered("chain", {"error": error}).points[0]
    assert point.state is (PointState.INVALID if error else PointState.OK)
    assert point.errors == int(bool(error))


@pytest.mark.parametrize(
    ("start", "stop", "state"),
    [
        ("000000010000000000000002", "000000010000000000000002", PointState.OK),
        ("000000010000000000000001", "00000001000000000000000D", PointState.OK),
        ("000000010000000000000000", "000000010000000000000002", PointState.INVALID),
        ("000000010000000000000002", "00000001000000000000000E", PointState.INVALID),
        (None, None, PointState.OK),
    ],
)
def test_a_backup_needs_the_log_of_its_own_time(
    start: str | None, stop: str | None, state: PointState
) -> None:
    assert altered("chain", {"archive": {"start": start, "stop": stop}}).points[0].state is state


def test_versions_with_block_incremental_do_not_tell_what_a_restore_reads() -> None:
    stored = {"info": {"size": 22992609, "delta": 8458, "repository": {"delta": 430}}}
    full, diff, *_ = altered("chain", stored, "20261122-014702F_20261122-014711D").points
    assert (diff.size, diff.data) == (None, 22992609)
    assert full.size == 3043482


def test_a_held_lock_is_a_run_that_began_with_its_oldest_process() -> None:
    series = case("running", other(RUNS.id, "7 main\n90000 main\n999999 shop\n12 -\nx main\n"))
    (running,) = [p for p in series.points if p.state is PointState.RUNNING]
    assert running.start == NOW - dt.timedelta(seconds=90000)
    assert list(series.points) == sorted(series.points, key=lambda p: (p.start, p.id))
    (running,) = [p for p in case("running").points if p.state is PointState.RUNNING]
    assert (running.start, running.notes) == (NOW, ("start_unknown",))
    assert all(p.state is PointState.OK for p in case("chain").points)


@pytest.mark.parametrize(
    ("name", "kind", "words"),
    [
        ("unknown-stanza", FailureKind.COMMAND_FAILED, "missing stanza path"),
        ("no-configuration", FailureKind.COMMAND_FAILED, "pgbackrest.conf"),
        ("no-password", FailureKind.AUTH, "repo2-cipher-pass"),
        ("denied", FailureKind.DENIED, "Permission denied"),
    ],
)
def test_why_it_could_not_look(name: str, kind: FailureKind, words: str) -> None:
    found, detail = refused(name, **({"name": "other"} if name == "unknown-stanza" else {}))
    assert (found, words in detail) == (kind, True)


def test_a_password_that_is_wrong_is_named_and_not_what_it_made_of_the_bytes() -> None:
    assert refused("wrong-password", repository="2") == (
        FailureKind.AUTH,
        "repository 2 of stanza main: right repo2-cipher-pass",
    )


@pytest.mark.parametrize("name", ["wrong-password", "checksum", "missing-data"])
def test_one_unreadable_repository_may_hold_newer_ones(name: str) -> None:
    series = case(name)
    assert series.points
    assert series.listing.truncated
    assert series.listing.notes == ("repository_unreadable",)


def test_a_repository_without_the_stanza_is_seen_to_be_empty() -> None:
    series = case("missing-repository")
    assert [p.repository for p in series.points] == ["2"]
    assert not series.listing.truncated
    assert series.listing.notes == ("no_stanza",)
    assert refused("missing-repository", repository="1")[0] is FailureKind.COMMAND_FAILED


def test_no_backups_yet_is_an_empty_series() -> None:
    series = case("no-backups")
    assert (series.points, series.listing.truncated, series.archive) == ((), False, None)


def test_an_answer_without_the_stanza() -> None:
    with pytest.raises(Unparsable) as caught:
        parsed(stanza(), said(INFO.id, b"[]"))
    assert caught.value.kind is FailureKind.COMMAND_FAILED


def test_the_archive() -> None:
    archive = case("chain", recorded(WAL.id, "chain", NOW + DAY)).archive
    assert archive is not None
    assert archive.gaps == 0
    assert archive.last is not None
    assert archive.last.date() == dt.date(2026, 11, 22)
    lost = recorded(WAL.id, "chain", NOW + DAY)
    entries = json.loads(lost.stdout)
    (gone,) = [path for path in entries if "/00000001000000000000000A-" in path]
    del entries[gone]
    lost = msgspec.structs.replace(lost, stdout=json.dumps(entries).encode())
    assert case("chain", lost).archive == msgspec.structs.replace(archive, gaps=1)
    # An archive that could not be listed is no whole one.
    unlisted = case("chain").archive
    assert unlisted is not None
    assert (unlisted.gaps, unlisted.last) == (None, None)


CONF = """\
read
[global]
repo1-path=/backup/pg
repo-host=repo.example
repo2-type=s3
repo2-s3-bucket=copies
repo2-path=/deep
[other]
repo1-path=/wrong
mount /backup/pg=
"""


def test_where_the_repositories_lie() -> None:
    first, second = case("chain", other(CONFIG.id, CONF)).repositories
    assert (first.location, first.remote, first.encrypted) == (
        "repo.example:/backup/pg",
        True,
        False,
    )
    assert (second.platform, second.remote, second.encrypted) == ("s3", True, True)
    assert "copies" in second.location
    one, two = case("chain").repositories
    assert (one.remote, one.server, one.encrypted, two.encrypted) == (None, "", False, True)
    assert one.unseen["remote"].detail


def test_the_configuration_gives_out_no_secret(tmp_path: Path) -> None:
    conf = tmp_path / "p.conf"
    conf.write_text(
        "[global]\nrepo1-cipher-pass=hidden\nrepo1-s3-key-secret=hidden\n repo1-path = /a\n"
        "repo1-host-config=/hidden\n#repo1-path=/hidden\n[main]\npg1-path=/hidden\n"
    )
    done = subprocess.run(
        ["sh", "-c", asked(stanza(path=str(conf)), CONFIG.id).script],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "hidden" not in done.stdout + done.stderr
    assert "repo1-path=/a\n" in done.stdout


def test_what_is_asked() -> None:
    request = asked(stanza(run_as="postgres", repository="2", name="a b"), WAL.id)
    program = request.sudo
    assert program[:3] == ("postgres", "pgbackrest", "repo-ls")
    assert "--repo=2" in program
    assert "'--stanza=a b'" in request.script
    assert request.need is Need.OPTIONAL
    secret = asked(stanza(password="env:PASS", repository="2"), INFO.id)  # noqa: S106
    assert secret.secrets == {"PGBACKREST_REPO2_CIPHER_PASS": "env:PASS"}
    assert "PASS" not in secret.script.replace("sauro", "")


@pytest.mark.parametrize(
    "keys", [{"name": ""}, {"repository": "/srv/repo"}, {"password_file": "/x"}, {"server": ""}]
)
def test_what_is_not_declared(keys: dict[str, str]) -> None:
    with pytest.raises(NotDeclared):
        asked(stanza(**keys), INFO.id)


def test_a_clock_that_is_wrong() -> None:
    clock = Evidence(
        probe=CLOCK.id,
        target="h",
        key="",
        taken=NOW,
        stdout=f"epoch={NOW.timestamp() + 3600:.1f}\noffset=+0000\ntz=UTC\n".encode(),
    )
    hour = dt.timedelta(hours=1)
    assert case("chain", clock).points[0].start == at("2026-11-22 01:47:02") - hour
    # Another machine's clock stamped them.
    elsewhere = case("chain", clock, protects="other").points[0]
    assert (elsewhere.start, elsewhere.clock) == (at("2026-11-22 01:47:02"), "writer")


@settings(max_examples=60)
@given(st.data())
def test_no_answer_breaks_the_reading(data: st.DataObject) -> None:
    whole = recorded(INFO.id, "chain").stdout
    cut = data.draw(st.integers(0, len(whole)))
    noise = data.draw(st.binary(max_size=20))
    with contextlib.suppress(Unparsable):
        parsed(stanza(), said(INFO.id, whole[:cut] + noise + whole[cut:]))
