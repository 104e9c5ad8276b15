"""Traps in which others were caught, where no other test of this folder stands in their way."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from checks.backup.periodicity import Age, Assessment, Grade, Thresholds, assess
from checks.backup.recency import recent, size_plausible
from checks.backup.restore import integrity_verified
from checks.backup.safety import encrypted
from checks.backup.series import BackupPoint, BackupSeries, PointState, ProofKind
from checks.backup.slots import SlotState
from checks.backup.sources import barman, borg, borgmatic, kopia, pgbackrest, restic
from checks.evidence import Evidence
from checks.model import Status
from inventory.model import PointFilter
from tests.helpers.backup_judging import of_set, said
from tests.helpers.backup_series import DAY, HOUR, NOW, UTC, at, daily, point, promise, series
from tests.helpers.backup_tools import TAKEN, backup, parsed, recorded
from tests.helpers.backup_tools import said as answered

MINUTE = dt.timedelta(minutes=1)


def judged(points: list[BackupPoint], limits: Thresholds | None = None, **more: Any) -> Assessment:
    return assess(series(points), promise(**more), NOW, UTC, limits)


# ---------------------------------------------------------------------------------- the judgement


def test_a_file_a_little_ahead_of_the_clock_is_fresh_and_of_no_negative_age() -> None:
    a = judged([point(NOW + 4 * MINUTE), *daily(14)])
    assert (a.grade, a.freshness.state, a.points.future) == (Grade.PASS, Age.OK, ())
    assert (a.freshness.age, a.freshness.ratio) == (0.0, 0.0)
    ahead = judged([point(NOW + 6 * MINUTE), *daily(14)])
    assert (ahead.grade, len(ahead.points.future)) == (Grade.WARN, 1)
    assert judged([point(NOW + 6 * MINUTE), *daily(14)], Thresholds(future_slack=600)).grade is (
        Grade.PASS
    )
    # A vague time may lie ahead by as much as it is vague.
    assert judged([point(NOW + 6 * HOUR, uncertainty=50400.0), *daily(14)]).points.future == ()


def test_a_run_that_takes_days_has_a_limit_of_its_own() -> None:
    going = point(NOW - 30 * HOUR, state=PointState.RUNNING, id="going")
    points = [going, *daily(14, "2026-11-21 02:00")]
    assert len(judged(points).points.stuck) == 1
    a = judged(points, Thresholds(max_run_hours=48))
    assert (a.points.stuck, "running" in a.notes) == ((), True)
    # What runs is still no copy: the set goes stale meanwhile.
    assert a.freshness.state is Age.STALE


def test_old_copies_that_are_kept_on_purpose_raise_no_alarm() -> None:
    yearly = [point(NOW - DAY * 365 * k, id=f"y{k}") for k in range(1, 6)]
    assert judged([*yearly, *daily(14)]).grade is Grade.PASS
    apart = [point(p.start, id=p.id, group="yearly") for p in yearly]
    a = judged([*apart, *daily(14)])
    assert (a.grade, a.stopped) == (Grade.PASS, ())


def test_empty_dumps_that_push_the_good_ones_out() -> None:
    """A pipe hides the failure of the dump, and keeping the last seven evicts the good ones."""
    good = [point(NOW - DAY * k - 7 * HOUR, size=5000) for k in range(4, 7)]
    empty = [
        point(
            NOW - DAY * k - 7 * HOUR,
            size=20,
            state=PointState.INVALID,
            notes=("empty_archive",),
            name=f"{k}.gz",
        )
        for k in range(4)
    ]
    assert said(of_set(recent, series([*good, *empty])))[:2] == ("stale", "fail")
    assert said(of_set(size_plausible, series([*good, *empty])))[:2] == ("empty", "fail")
    # The good ones are gone by now: all that is left is no backup.
    assert said(of_set(recent, series(empty)))[:2] == ("all_invalid", "fail")


def test_the_unit_may_ask_for_more_or_bear_with_less() -> None:
    hole = daily(14, skip=[3])
    assert judged(hole).grade is Grade.WARN
    assert judged(hole, Thresholds(max_missed=0)).grade is Grade.FAIL
    pair = daily(14, skip=[3, 4])
    assert judged(pair).grade is Grade.FAIL
    assert judged(pair, Thresholds(max_missed=2)).grade is Grade.WARN
    # Outside a shorter window nobody looks; a window is never shorter than its slots.
    assert judged(pair, Thresholds(lookback_slots=2, lookback_days=2)).grade is Grade.PASS
    assert judged(pair, Thresholds(lookback_slots=7, lookback_days=2)).grade is Grade.FAIL
    assert judged(daily(14), Thresholds(min_points=15)).enough is False


def test_nothing_is_expected_outside_the_hours_of_a_run() -> None:
    office = "0 8-17 * * 1-5"
    runs = [
        point(at(f"2026-11-{day:02} {hour:02}:00"), id=f"{day}-{hour}")
        for day in range(9, 21)
        for hour in range(8, 18)
        if dt.date(2026, 11, day).weekday() < 5
    ]
    sunday = assess(series(runs), promise(office), NOW, UTC)
    assert (sunday.grade, sunday.coverage.missed) == (Grade.PASS, 0)
    monday = assess(series(runs), promise(office), at("2026-11-23 10:30"), UTC)
    assert monday.grade is Grade.FAIL
    assert [s.state for s in monday.strip][-3:-1] == [SlotState.MISSED] * 2


def test_two_clocks_in_two_zones_mean_the_same_run() -> None:
    """The zone of the promise counts, not that of the writer nor of the scanner."""
    hanoi = promise("0 2 * * *")
    local = [point(at("2026-11-22 02:00") - DAY * k) for k in range(14)]
    assert assess(series(local), hanoi, NOW, UTC).grade is Grade.PASS
    stamped = json.dumps(
        [
            {"time": "2026-11-22T09:00:00+07:00", "id": "a" * 64, "hostname": "h"},
            {"time": "2026-11-20T21:00:00-05:00", "id": "b" * 64, "hostname": "h"},
            {"time": "2026-11-20T02:00:00Z", "id": "c" * 64, "hostname": "h"},
        ]
    ).encode()
    found = parsed(backup("restic", repository="/r"), answered(restic.SNAPSHOTS.id, stamped))
    assert [p.start for p in found.points] == [p.start for p in reversed(local[:3])]


# -------------------------------------------------------------------------------------- the tools


def snapshots(*rows: dict[str, Any], match: PointFilter | None = None) -> BackupSeries:
    answer = answered(restic.SNAPSHOTS.id, json.dumps(rows).encode())
    return parsed(backup("restic", repository="/r", match=match), answer)


def test_containers_whose_host_name_is_new_on_each_run_are_one_series() -> None:
    hosts = ["3f2a9c1b7d4e", "0b1c2d3e4f5a", "9e8d7c6b5a40", "1234567890ab", "a1b2c3d4e5f6"]
    rows = [
        {
            "time": f"2026-11-{18 + k}T02:00:00Z",
            "id": host * 5,
            "hostname": host,
            "paths": ["/data"],
            "summary": {"total_files_processed": 9, "total_bytes_processed": 900 if k < 4 else 9},
        }
        for k, host in enumerate(hosts)
    ]
    found = snapshots(*rows, match=PointFilter(paths=("/data",)))
    assert len({p.group for p in found.points}) == 1
    assert said(of_set(size_plausible, found))[0] == "tiny_data"
    # Names that people gave stay apart.
    named = [row | {"hostname": f"app{k}"} for k, row in enumerate(rows)]
    assert len({p.group for p in snapshots(*named, match=PointFilter(paths=("/data",))).points}) > 1


def test_an_upgrade_of_the_client_splits_no_series() -> None:
    rows = [
        {
            "time": f"2026-11-{18 + k}T02:00:00Z",
            "id": f"{k}" * 64,
            "hostname": "app",
            "paths": ["/data"],
            "program_version": f"restic 0.1{k}.0",
        }
        for k in range(4)
    ]
    assert len({p.group for p in snapshots(*rows).points}) == 1


def test_a_listing_of_borg_that_tells_no_mode_is_not_called_plain() -> None:
    """Borg 2 tells its encryption under other keys."""
    rows = {
        "archives": [{"id": "a", "name": "db", "start": "2026-11-22T02:00:00.000000"}],
        "encryption": {"encryption": "aes256-ocb", "id_hash": "sha256"},
        "repository": {"id": "x", "location": "/r"},
    }
    answer = answered(borg.ARCHIVES.id, json.dumps(rows).encode())
    found = parsed(backup("borg", repository="/r"), answer)
    assert [p.start for p in found.points] == [at("2026-11-22 02:00")]
    assert (found.repositories[0].encrypted, found.points[0].encrypted) == (None, None)
    assert of_set(encrypted, found).status in (Status.UNKNOWN, Status.NOT_APPLICABLE)


def test_barman_may_tell_an_end_before_the_begin() -> None:
    done = {"backup_id": "20261122T090000", "status": "DONE", "end_time_timestamp": "1795313007"}
    details = {
        "main": {
            "backup_id": "20261122T090000",
            "base_backup_information": {"begin_time_timestamp": "1795316607"},
        }
    }
    rows = answered(barman.LISTING.id, json.dumps({"main": [done]}).encode())
    told = answered(barman.LATEST.id, json.dumps(details).encode())
    (found,) = parsed(backup("barman", name="main"), rows, told).points
    # The older of both cannot flatter.
    assert found.start == dt.datetime.fromtimestamp(1795313007, dt.UTC)
    assert found.end is None


def test_check_files_of_older_borgmatics_lie_elsewhere() -> None:
    files = recorded(borgmatic.PASSED.id, "1.7").stdout.decode()
    older = files.replace("/.local/state/borgmatic/checks/", "/.borgmatic/checks/")
    assert "/.borgmatic/checks/" in older
    listing = recorded(borgmatic.ARCHIVES.id, "1.7-several")
    kept = [
        parsed(
            backup("borgmatic", repository="/srv/backup/borg"),
            listing,
            answered(borgmatic.PASSED.id, text.encode()),
        ).proofs
        for text in (files, older)
    ]
    assert kept[0]
    assert kept[0] == kept[1]


@pytest.mark.parametrize("code", [3, 4, 5, 6, 99])
def test_a_status_of_pgbackrest_that_is_not_good_hides_copies(code: int) -> None:
    evidence = recorded(pgbackrest.INFO.id, "chain")
    answer = json.loads(evidence.stdout)
    answer[0]["repo"][0]["status"] = {"code": code, "message": "other"}
    answer[0]["status"] |= {"code": code, "message": "other"}
    text = answered(pgbackrest.INFO.id, json.dumps(answer).encode())
    found = parsed(backup("pgbackrest", name="main"), text)
    assert found.listing.truncated
    assert "repository_unreadable" in found.listing.notes


def test_kopia_of_old_wrote_the_offset_of_its_host() -> None:
    row = {
        "id": "k",
        "source": {"host": "h", "userName": "root", "path": "/srv"},
        "startTime": "2026-11-22T09:00:00.5+07:00",
        "endTime": "2026-11-22T09:20:00+07:00",
    }
    answer = answered(kopia.SNAPSHOTS.id, json.dumps([row]).encode())
    (found,) = parsed(backup("kopia"), answer).points
    assert found.start.replace(microsecond=0) == at("2026-11-22 02:00")
    assert found.end == at("2026-11-22 02:20")


def listed_by_name(names: list[str]) -> BackupSeries:
    rows = b"".join(
        f"1795312800 1795312800 0 100 {i}".encode() + b"\0/srv/dup/" + name.encode() + b"\0"
        for i, name in enumerate(names)
    )
    listing = Evidence(
        probe="backup.directory",
        target="h",
        key="",
        taken=TAKEN,
        stdout=b"root\0/srv/dup\0" + rows + b"end\x000\0",
        exit=0,
    )
    return parsed(backup("duplicity", repository="file:///srv/dup"), listing)


def test_statistics_beside_the_sets_of_duplicity_are_no_sets() -> None:
    full = "duplicity-full.20261120T020000Z"
    whole = [f"{full}.vol1.difftar.gpg", f"{full}.manifest.gpg"]
    extra = [f"{full}.jsonstat.gpg", "duplicity-inc.20261120T020000Z.to.20261121T020000Z.jsonstat"]
    found = listed_by_name([*whole, *extra])
    assert [(p.start, p.size) for p in found.points] == [(at("2026-11-20 02:00"), 200)]
    assert found.points == listed_by_name(whole).points


def test_a_check_of_a_repository_is_no_restore_however_fresh() -> None:
    found = parsed(
        backup("borgmatic", repository="/srv/backup/borg"),
        recorded(borgmatic.ARCHIVES.id, "1.7-several"),
        recorded(borgmatic.PASSED.id, "1.7"),
    )
    kinds = {p.kind for p in found.proofs}
    assert ProofKind.CHECK in kinds
    assert ProofKind.RESTORE not in kinds
    assert of_set(integrity_verified, found).status is not Status.ERROR
