"""Bacula's catalog as `bconsole` prints it; recorded with Bacula 9.6.7, some of it varied."""

from __future__ import annotations

import datetime as dt
import shlex
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, PointKind, PointState, ProofKind
from checks.backup.sources.bacula import JOBS
from checks.backup.sources.registry import SERIES
from checks.evidence import FailureKind, NotDeclared, Unparsable
from checks.probes.host import CLOCK
from inventory.model import BackupSet, PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded, said, subject

TAGS = PointFilter(tags=("Restore", "Verify"))


def job(name: str = "motcua-db", **more: Any) -> BackupSet:
    return backup("bacula", name=name, **more)


def case(name: str, of: str = "motcua-db", **more: Any) -> BackupSeries:
    return parsed(job(of, **more), recorded(JOBS.id, name))


def week(*changes: tuple[str, str], **more: Any) -> BackupSeries:
    """The recorded week with some of its text replaced."""
    text = bytes(recorded(JOBS.id, "week").stdout).decode()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return parsed(job(**more), said(JOBS.id, text.encode()))


def row(number: int, **more: Any) -> str:
    """A job as `llist` prints it."""
    keys: dict[str, Any] = {
        "JobId": number,
        "Name": "motcua-db",
        "PurgedFiles": 0,
        "Type": "B",
        "Level": "F",
        "ClientName": "motcua-fd",
        "JobStatus": "T",
        "StartTime": f"2026-11-{number:02} 23:05:00",
        "EndTime": f"2026-11-{number:02} 23:10:00",
        "JobTDate": int(at(f"2026-11-{number:02} 16:10").timestamp()),
        "JobFiles": 10,
        "JobBytes": 1000,
        "JobErrors": 0,
        "PoolName": "Daily",
        "PriorJobId": 0,
    } | more
    return "".join(f"{k:>16}: {v}\n" for k, v in keys.items()) + "\n"


def session(*rows: str, jobs: str = "motcua-db\n") -> BackupSeries:
    text = "1000 OK: 103 test-dir Version: 9.6.7\n" + "".join(rows) + ".jobs type=B\n" + jobs
    return parsed(job(match=TAGS), said(JOBS.id, text.encode()))


# ----------------------------------------------------------------------------------- what is run


def test_one_session_of_listing_commands_as_the_named_console() -> None:
    request = asked(job(repository="/etc/bacula/reader.conf"), JOBS.id)
    words = shlex.split(request.script, comments=False)
    assert "/etc/bacula/reader.conf" in words
    assert request.sudo == ()
    commands = words[words.index("%s\\n") + 1 : words.index("|")]
    assert {c.split()[0] for c in commands} == {"llist", ".jobs", "status", "quit"}
    assert commands[0].startswith('llist job="motcua-db"')
    assert "/etc/bacula/bconsole.conf" in asked(job(), JOBS.id).script


@pytest.mark.parametrize(
    "name", ["", 'a"b', "a\nrun job=x yes", "@exec", "-x", "a;b", "a\u00a0b", "x" * 200]
)
def test_a_name_that_is_no_job_runs_nothing(name: str) -> None:
    with pytest.raises(NotDeclared, match="name"):
        SERIES.requests(subject(job(name)))


def test_a_console_is_never_run_by_sudo() -> None:
    with pytest.raises(NotDeclared, match="run_as"):
        SERIES.requests(subject(job(run_as="bacula")))


@pytest.mark.parametrize("path", ["etc/x.conf", "/etc/a\nb"])
def test_the_configuration_lies_at_an_absolute_path(path: str) -> None:
    with pytest.raises(NotDeclared, match="repository"):
        SERIES.requests(subject(job(repository=path)))


# ------------------------------------------------------------------------------------- the points


def test_a_recorded_week_of_a_director_in_hanoi() -> None:
    series = case("week", match=TAGS)
    assert [p.start for p in series.points] == [at(f"2026-11-{day} 16:05") for day in range(16, 22)]
    assert [p.kind for p in series.points] == [
        PointKind.FULL,
        *[PointKind.INCREMENTAL] * 3,
        PointKind.DIFFERENTIAL,
        PointKind.INCREMENTAL,
    ]
    assert {p.state for p in series.points} == {PointState.OK}
    assert [p.base for p in series.points] == ["", "2", "3", "4", "2", "6"]
    assert [p.size for p in series.points] == [100000, None, None, None, None, None]
    assert series.points[0].end == at("2026-11-16 16:10")
    # The job Verify looked at the last run, which holds no file: that proves nothing.
    assert [(p.kind, p.ok) for p in series.proofs] == [(ProofKind.RESTORE, True)]
    assert series.scheduled is True
    assert [(r.id, r.expires_days) for r in series.repositories] == [("Daily", 35)]


def test_the_skew_of_the_host_is_taken_out() -> None:
    clock = said(CLOCK.id, b"epoch=%d\noffset=+0000\ntz=UTC\n" % (TAKEN.timestamp() + 600))
    series = parsed(job(), recorded(JOBS.id, "week"), clock)
    assert series.skew == pytest.approx(600, abs=1)
    assert abs(series.points[-1].start - at("2026-11-21 15:55")) <= dt.timedelta(seconds=1)


@pytest.mark.parametrize(
    ("name", "note"), [("full-gone", "no_full"), ("full-purged", "full_purged")]
)
def test_an_incremental_is_worth_nothing_without_a_full_that_is_there(name: str, note: str) -> None:
    parts = [p for p in case(name).points if p.kind is not PointKind.FULL]
    assert len(parts) == 5
    assert {p.state for p in parts} == {PointState.INVALID}
    assert {p.notes for p in parts} == {(note,)}


def test_a_listing_that_is_cut_does_not_say_that_the_full_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("checks.backup.sources.bacula.MOST_POINTS", 5)
    series = case("full-gone")
    assert {p.state for p in series.points} == {PointState.OK}
    assert series.listing.older


@pytest.mark.parametrize(
    ("status", "state", "errors"),
    [
        *[(s, PointState.INVALID, 0) for s in "EfAID"],
        *[(s, PointState.RUNNING, 0) for s in "RCFSmMsjcdtpi"],
        ("W", PointState.OK, 1),
        ("e", PointState.OK, 1),
        ("T", PointState.OK, 0),
        ("?", PointState.INVALID, 0),
        ("", PointState.INVALID, 0),
    ],
)
def test_what_a_status_means(status: str, state: PointState, errors: int) -> None:
    (point,) = session(row(20, JobStatus=status)).points
    assert (point.state, point.errors) == (state, errors)


def test_an_incremental_is_based_on_the_last_good_run_only() -> None:
    series = session(
        row(17),
        row(18, Level="I", JobStatus="f"),
        row(19, Level="I", JobStatus="e"),
        row(20, Level="I"),
        row(21, Level="I"),
    )
    assert [p.base for p in series.points] == ["", "", "17", "17", "20"]


def test_a_full_without_a_file_is_no_backup_and_an_incremental_without_one_is() -> None:
    nothing = {"JobFiles": 0, "JobBytes": 0}
    series = session(row(18), row(19, Level="I", **nothing), row(20, **nothing))
    assert [p.state for p in series.points] == [PointState.OK, PointState.OK, PointState.INVALID]
    assert series.points[1].size is None
    assert series.points[2].notes == ("no_files",)


def test_recorded_failures_partial_and_running_runs() -> None:
    (failed,) = case("failed", "motcua-gone").points
    assert (failed.state, failed.notes) == (PointState.INVALID, ("job_status_f",))
    (partial,) = case("partial", "motcua-part").points
    assert (partial.state, partial.errors) == (PointState.OK, 1)
    (running,) = case("running", "motcua-slow").points
    assert (running.state, running.end) == (PointState.RUNNING, None)
    assert case("never-run", "never-run").points == ()


def test_thousands_with_commas_and_names_of_bareos() -> None:
    (point,) = session(row(20, JobBytes="1,234,567").replace("JobBytes", "jobbytes")).points
    assert point.size == 1234567


def test_a_copy_is_a_point_of_its_own_pool_and_a_migrated_job_is_gone() -> None:
    series = session(
        row(17, Type="M"),
        row(18, PriorJobId=17),
        row(19, Type="C", PriorJobId=18, PoolName="Offsite"),
    )
    assert [(p.id, p.repository) for p in series.points] == [("18", "Daily"), ("19", "Offsite")]
    assert [r.id for r in series.repositories] == ["Daily", "Offsite"]


def test_a_copied_incremental_needs_a_copied_full() -> None:
    alone = session(row(17), row(18, Level="I"), row(19, Level="I", Type="C"))
    assert [p.state for p in alone.points] == [PointState.OK, PointState.OK, PointState.INVALID]
    whole = session(row(17, Type="C"), row(19, Level="I", Type="C"))
    assert [p.base for p in whole.points] == ["", "17"]


def test_a_clock_that_was_put_back_while_the_job_ran() -> None:
    late = {"StartTime": "2026-11-20 23:30:00", "EndTime": "2026-11-20 23:10:00"}
    (point,) = session(row(20, **late)).points
    assert point.start == at("2026-11-20 16:10")
    assert point.uncertainty == 3600


def test_a_job_that_left_the_configuration_still_has_its_points() -> None:
    series = session(row(20), jobs="another\n")
    assert series.listing.notes == ("job_not_configured",)
    assert len(series.points) == 1


def test_a_volume_that_is_never_recycled_does_not_expire() -> None:
    kept = week(("AutoPrune: 1", "AutoPrune: 0"))
    assert [r.expires_days for r in kept.repositories] == [None]


# ------------------------------------------------------------------------------------- the proofs


def proof(**more: Any) -> list[tuple[ProofKind, bool]]:
    given = {"Name": "Restore", "Type": "R", "PoolName": "NULL"} | more
    return [(p.kind, p.ok) for p in session(row(18), row(20, **given)).proofs]


def test_which_jobs_prove_something() -> None:
    assert proof() == [(ProofKind.RESTORE, True)]
    assert proof(JobStatus="f") == [(ProofKind.RESTORE, False)]
    assert proof(JobErrors=3) == [(ProofKind.RESTORE, False)]
    assert proof(JobStatus="W") == [(ProofKind.RESTORE, True)]
    for stopped in ("A", "R", "C"):
        assert proof(JobStatus=stopped) == []
    # Nothing was restored, and that was a success.
    assert proof(JobFiles=0) == []
    assert proof(ClientName="another-fd") == []
    assert proof(Name="RestoreOfAnother") == []


def test_which_verify_jobs_looked_at_the_backup() -> None:
    verify = {"Name": "Verify", "Type": "V"}
    assert proof(**verify, Level="A") == [(ProofKind.VERIFY, True)]
    assert proof(**verify, Level="O") == [(ProofKind.CHECK, True)]
    assert proof(**verify, Level="A", JobStatus="D") == [(ProofKind.VERIFY, False)]
    for of_the_disk in ("V", "C", "d"):
        assert proof(**verify, Level=of_the_disk) == []
    # Verifying an incremental of nothing reads nothing.
    assert proof(**verify, Level="A", JobFiles=0) == []


def test_how_long_a_restore_took() -> None:
    (found,) = session(row(18), row(20, Name="Restore", Type="R")).proofs
    assert found.seconds == 300
    assert found.time == at("2026-11-20 16:05")


def test_proofs_of_a_client_with_several_jobs_need_their_names() -> None:
    series = case("week")
    assert series.proofs == ()
    failure = series.repositories[0].unseen["proofs"]
    assert (failure.kind, "match.tags" in failure.detail) == (FailureKind.NOT_DECLARED, True)
    assert series.repositories[0].unseen["restores"] == failure
    alone = week(("Name: motcua-part", "Name: motcua-db"))
    assert [p.kind for p in alone.proofs] == [ProofKind.RESTORE]


def test_only_a_restore_makes_it_doubtful_whether_there_was_one() -> None:
    text = "1000 OK: 103 test-dir\n" + row(18) + row(19, Name="other")
    verified = row(20, Name="Verify", Type="V", Level="O")
    restored = row(21, Name="Restore", Type="R")
    for rows, doubts in (
        ((), set()),
        ((verified,), {"proofs"}),
        ((verified, restored), {"proofs", "restores"}),
        # Of another client nothing can have come back to this one.
        ((row(21, Name="Restore", Type="R", ClientName="other-fd"),), set()),
    ):
        answer = said(JOBS.id, (text + "".join(rows) + ".jobs type=B\nmotcua-db\n").encode())
        unseen = parsed(job(), answer).repositories[0].unseen
        assert {k for k in unseen if k in ("proofs", "restores")} == doubts


# ------------------------------------------------------------------------------------ what lacks


@pytest.mark.parametrize(
    ("name", "kind", "says"),
    [
        ("wrong-password", FailureKind.AUTH, "password"),
        ("no-director", FailureKind.COMMAND_FAILED, "no Director"),
        ("no-configuration", FailureKind.COMMAND_FAILED, "No such file"),
        ("blind", FailureKind.DENIED, "CommandACL: llist"),
        ("narrow", FailureKind.DENIED, "JobACL: motcua-db"),
    ],
)
def test_what_is_missing_is_named(name: str, kind: FailureKind, says: str) -> None:
    with pytest.raises(Unparsable, match=says) as caught:
        case(name)
    assert caught.value.kind is kind


def test_an_unknown_job_is_not_one_without_runs() -> None:
    with pytest.raises(Unparsable, match="no-such-job") as caught:
        case("unknown-job", "no-such-job")
    assert caught.value.kind is FailureKind.COMMAND_FAILED


def test_a_configuration_that_may_not_be_read() -> None:
    text = b'bconsole: ERROR\nConfig error: Cannot open config file "/x": Permission denied\n'
    with pytest.raises(Unparsable) as caught:
        parsed(job(), said(JOBS.id, text, 1))
    assert caught.value.kind is FailureKind.DENIED


def test_a_session_that_broke_off_says_nothing() -> None:
    whole = bytes(recorded(JOBS.id, "week").stdout)
    with pytest.raises(Unparsable):
        parsed(job(), said(JOBS.id, whole[:400], 1))


@pytest.mark.parametrize("bad", ["JobTDate: 99999999999999", "JobTDate: 0x1", "JobTDate: 0"])
def test_a_job_without_a_time_is_not_guessed(bad: str) -> None:
    old = next(line for line in row(20).splitlines() if "JobTDate" in line)
    with pytest.raises(Unparsable, match="JobTDate"):
        session(row(20).replace(old, bad))


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=60), st.integers(0, 4000))
def test_no_text_breaks_it(text: str, where: int) -> None:
    whole = bytes(recorded(JOBS.id, "week").stdout).decode()
    try:
        series = parsed(job(), said(JOBS.id, (whole[:where] + text + whole[where:]).encode()))
    except Unparsable:
        return
    assert all(dt.datetime(1900, 1, 1, tzinfo=dt.UTC) < p.start for p in series.points)
