"""Snapshots as restic 0.14, 0.18 and 0.19 list them, recorded, and what may be believed of them."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.backup.series import BackupSeries, Origin, PointState
from checks.backup.sources.registry import SERIES
from checks.backup.sources.restic import LOCKS, SNAPSHOTS, stale_locks
from checks.evidence import FailureKind, NotDeclared, Unparsable
from inventory.model import PointFilter
from tests.helpers.backup_series import at
from tests.helpers.backup_tools import TAKEN, asked, backup, parsed, recorded, said, subject

R = "/srv/backup/restic"
VERSIONS = ["0.14", "0.18", "0.19"]
NEWER = VERSIONS[1:]


def read(case: str, match: PointFilter | None) -> BackupSeries:
    return parsed(backup("restic", repository=R, match=match), recorded(SNAPSHOTS.id, case))


def one(**more: Any) -> dict[str, Any]:
    row = {"time": "2026-11-22T02:00:00Z", "hostname": "app1", "paths": ["/srv"], "id": "ab" * 32}
    return row | more


def listed(*rows: dict[str, Any], match: PointFilter | None = None) -> BackupSeries:
    answer = said(SNAPSHOTS.id, json.dumps(rows).encode())
    return parsed(backup("restic", repository=R, match=match), answer)


@pytest.mark.parametrize("version", VERSIONS)
def test_newest_per_host_and_every_offset_in_utc(version: str) -> None:
    first = read(f"{version}-several", PointFilter(host="app1"))
    # Written as Z, +07:00 and -05:00.
    assert [p.start for p in first.points][:2] == [at("2026-11-20 02:00"), at("2026-11-21 02:00")]
    assert {p.origin for p in first.points} == {Origin.TOOL}
    assert all(p.encrypted for p in first.points)
    assert first.listing.total == 7
    assert first.listing.ignored == 7 - len(first.points)
    second = read(f"{version}-several", PointFilter(host="app2"))
    assert abs(second.points[0].start - at("2026-11-22 02:00")) < dt.timedelta(minutes=5)


@pytest.mark.parametrize("version", VERSIONS)
def test_several_hosts_and_no_filter_are_nobodys(version: str) -> None:
    with pytest.raises(Unparsable, match=r"3 hosts \(app1, app2, app3\).*match.* of s/db") as e:
        read(f"{version}-several", None)
    assert e.value.kind is FailureKind.NOT_DECLARED


def test_paths_are_shown_without_control_characters() -> None:
    assert listed(one(paths=["/srv/\x1b[2Jx"])).points[0].paths != ("/srv/\x1b[2Jx",)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_lost_path_shows_and_stays_in_the_group(version: str) -> None:
    points = read(f"{version}-several", PointFilter(host="app1", tags=("daily",))).points
    assert [p.paths for p in points] == [
        ("/srv/app/data", "/srv/app/etc"),
        ("/srv/app/data", "/srv/app/etc"),
        ("/srv/app/etc",),
    ]
    assert len({p.group for p in points}) == 1


@pytest.mark.parametrize("version", NEWER)
def test_only_newer_restics_count_files(version: str) -> None:
    old = read("0.14-several", PointFilter(host="app1", tags=("daily",)))
    new = read(f"{version}-several", PointFilter(host="app1", tags=("daily",)))
    assert {(p.files, p.data) for p in old.points} == {(None, None)}
    assert [(p.files, p.data) for p in new.points] == [(2, 50002), (2, 50002), (1, 2)]


@pytest.mark.parametrize("version", NEWER)
def test_a_snapshot_of_nothing_is_no_backup(version: str) -> None:
    (point,) = read(f"{version}-several", PointFilter(host="app3")).points
    assert (point.state, point.notes) == (PointState.INVALID, ("empty_archive",))


@pytest.mark.parametrize("version", NEWER)
def test_a_date_given_by_hand_never_flatters(version: str) -> None:
    old = read("0.14-several", PointFilter(host="app2"))
    assert old.points[-1].start == at("2030-01-01 02:00")  # nothing else is known there
    new = read(f"{version}-several", PointFilter(host="app2"))
    assert new.points[-1].start.year == 2026
    assert "dated_by_hand" in new.points[-1].notes
    back = listed(
        one(
            time="2026-11-01T00:00:00Z",
            summary={
                "backup_start": "2026-11-22T02:00:00Z",
                "backup_end": "2026-11-22T02:10:00Z",
                "total_files_processed": 3,
                "total_bytes_processed": 30,
            },
        )
    )
    assert back.points[0].start == at("2026-11-01 00:00")


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("case", "kind", "words"),
    [
        ("wrong-password", FailureKind.AUTH, "password of the restic repository is wrong"),
        ("no-password", FailureKind.AUTH, "password_file or password"),
        ("no-password-file", FailureKind.AUTH, "/srv/none does not exist"),
        ("no-repository", FailureKind.COMMAND_FAILED, "unable to open config file"),
        ("denied", FailureKind.DENIED, "/srv/backup/closed"),
        ("truncated", FailureKind.UNPARSABLE, "no list of snapshots"),
    ],
)
def test_what_is_missing_is_named(version: str, case: str, kind: FailureKind, words: str) -> None:
    with pytest.raises(Unparsable, match=words) as caught:
        read(f"{version}-{case}", None)
    assert caught.value.kind is kind
    assert "{" not in str(caught.value)


def test_a_lock_that_somebody_holds_hides_nothing() -> None:
    mine = PointFilter(host="app2")
    assert read("0.19-locked", mine).points == read("0.19-several", mine).points


@pytest.mark.parametrize("version", VERSIONS)
def test_an_empty_repository_is_an_answer(version: str) -> None:
    found = read(f"{version}-none", None)
    assert (found.points, found.listing.total, found.listing.notes) == ((), 0, ())
    assert parsed(backup("restic", repository=R), said(SNAPSHOTS.id, b"null\n")).points == ()


def test_lines_of_progress_before_the_list() -> None:
    progress = b'{"message_type":"status","percent_done":0.5}\n'
    rows = json.dumps([one()]).encode()
    found = parsed(backup("restic", repository=R), said(SNAPSHOTS.id, progress + rows + b"\n"))
    assert len(found.points) == 1


def test_a_filter_that_fits_nothing_says_so() -> None:
    found = listed(one(), match=PointFilter(host="app9"))
    assert (found.points, found.listing.notes) == ((), ("nothing_matched",))


@pytest.mark.parametrize(
    ("wanted", "fits"),
    [
        (PointFilter(paths=("/srv",)), True),
        (PointFilter(paths=("/srv/db/",)), True),
        (PointFilter(paths=("/srv/d",)), False),
        (PointFilter(paths=("/srv/db/x",)), False),
        (PointFilter(paths=("/",)), True),
        (PointFilter(paths=("/srv", "/etc")), False),
        (PointFilter(tags=("a", "b")), True),
        (PointFilter(tags=("a", "c")), False),
        (PointFilter(host="app"), False),
        (PointFilter(host="app1", paths=("/srv/db",), tags=("b",)), True),
    ],
)
def test_every_field_of_a_filter_must_fit(wanted: PointFilter, fits: bool) -> None:
    found = listed(one(paths=["/srv/db"], tags=["a", "b"]), match=wanted)
    assert len(found.points) == fits


def test_paths_of_two_jobs_are_two_groups_and_those_of_mktemp_are_one() -> None:
    ids = ["a1" * 32, "a2" * 32, "a3" * 32]
    jobs = listed(
        *(one(id=i, paths=[p]) for i, p in zip(ids, ["/etc", "/srv", "/etc"], strict=True))
    )
    assert len({p.group for p in jobs.points}) == 2
    made = listed(*(one(id=i, paths=[f"/tmp/dump-{n}/db.sql"]) for n, i in enumerate(ids)))
    assert len({p.group for p in made.points}) == 1


def test_a_rewritten_snapshot_keeps_its_identity() -> None:
    found = listed(one(id="cd" * 32, original="ab" * 32))
    assert found.points[0].id == "ab" * 32


@pytest.mark.parametrize(("protects", "shift"), [("h", 1), ("other", 0), ("", 0)])
def test_a_wrong_clock_is_put_right_only_where_it_stamped(protects: str, shift: int) -> None:
    ahead = int(TAKEN.timestamp()) + 3600
    clock = said("host.clock", f"epoch={ahead}.0\noffset=+0000\ntz=UTC\n".encode())
    given = backup("restic", repository=R, protects=protects)
    found = parsed(given, said(SNAPSHOTS.id, json.dumps([one()]).encode()), clock)
    assert found.points[0].start == at("2026-11-22 02:00") - shift * dt.timedelta(hours=1)


# ------------------------------------------------------------------------------------------ locks


def lock(version: str, head: bytes, hours: float) -> tuple[str, ...]:
    given = recorded(LOCKS.id, version)
    made = dt.datetime.fromisoformat(json.loads(given.stdout)["time"][:19] + "+00:00")
    answer = said(LOCKS.id, head + given.stdout)
    return stale_locks(
        type(answer)(
            probe=answer.probe,
            target="h",
            key="",
            taken=made + dt.timedelta(hours=hours),
            stdout=answer.stdout,
            stderr=answer.stderr,
        )
    )


HERE = b"host=vm\nseen=all\n"


@pytest.mark.parametrize(
    ("head", "hours", "notes"),
    [
        (HERE, 2, ("stale_lock",)),
        (HERE, 0.5, ()),
        (b"host=vm\npid=28331\npid=30854\npid=17925\nseen=all\n", 2, ()),
        (b"host=vm\n", 2, ("old_lock",)),
        (b"host=elsewhere\nseen=all\n", 2, ("old_lock",)),
    ],
)
@pytest.mark.parametrize("version", VERSIONS)
def test_a_lock_is_stale_without_its_process(
    version: str, head: bytes, hours: float, notes: tuple[str, ...]
) -> None:
    assert lock(version, head, hours) == notes


# --------------------------------------------------------------------------------------- requests


def test_listing_takes_no_lock_and_writes_no_cache_and_hides_the_password() -> None:
    given = backup("restic", repository=R, password="env:RESTIC")  # noqa: S106 - a reference
    request = asked(given, SNAPSHOTS.id)
    assert "--no-lock --no-cache" in request.script
    assert request.secrets == {"RESTIC_PASSWORD": "env:RESTIC"}
    assert "RESTIC" not in request.script + request.key
    for word in ("--latest", "forget", "prune", "unlock"):
        assert word not in request.script


def test_another_account_runs_one_fixed_command() -> None:
    given = backup("restic", repository=R, run_as="root", password_file="/etc/restic/pw")  # noqa: S106
    words = ("restic", "-r", R, "--no-lock", "--no-cache", "--password-file", "/etc/restic/pw")
    assert asked(given, SNAPSHOTS.id).sudo == ("root", *words, "--json", "snapshots")
    assert asked(given, LOCKS.id).sudo == ("root", *words, "--json", "list", "locks")
    assert "cat lock" not in asked(given, LOCKS.id).script


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"repository": "rest:https://u:secret@h/"}, "without a password"),
        ({"repository": " "}, "repository"),
        ({"repository": R, "match": PointFilter(prefix="db-")}, "no names"),
        ({"repository": R, "run_as": "root", "password": "env:X"}, "password_file on the server"),
    ],
)
def test_what_cannot_be_asked_is_not_declared(more: dict[str, Any], words: str) -> None:
    with pytest.raises(NotDeclared, match=words) as caught:
        SERIES.requests(subject(backup("restic", **more)))
    assert "secret" not in str(caught.value)


@given(st.binary(max_size=300), st.binary(max_size=80))
def test_any_answer_is_read_or_refused(stdout: bytes, stderr: bytes) -> None:
    promised = backup("restic", repository=R)
    for answer in (said(SNAPSHOTS.id, stdout, 0, stderr), said(SNAPSHOTS.id, b"[]", 1, stderr)):
        try:
            parsed(promised, answer, said(LOCKS.id, b"host=h\nseen=all\n" + stdout))
        except Unparsable:
            continue
