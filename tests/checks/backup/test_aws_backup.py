"""What the records of AWS Backup become: points, places, proofs."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from checks.backup.series import BackupSeries, PointState, Repository
from checks.backup.sources.aws_backup import COPIES, JOBS, POINTS, RESTORES, VAULTS
from checks.backup.sources.registry import SERIES
from checks.catalogue import builtin
from checks.evidence import Answers, Evidence, Failure, FailureKind, Need, NotDeclared, Unparsable
from checks.model import Context, Scope, Status, Subject, Verdict
from inventory.model import BackupSet, Bucket, Inventory, System, Unit, UnitKind
from tests.helpers.backup_judging import judge
from tests.helpers.backup_series import NOW, UTC, at

ARN = "arn:aws:rds:ap-southeast-1:123456789012:db:one"
BASE = "arn:aws:backup:ap-southeast-1:123456789012"
ELSEWHERE = "arn:aws:backup:eu-west-1:999999999999:backup-vault:far"


def subject(name: str = ARN) -> Subject:
    backup = BackupSet(
        id="db", system="s", kind="aws-backup", bucket="b", name=name, every="1d", protects="h"
    )
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(buckets={"b": Bucket(id="b", unit="u", bucket="any", profile="hk")}),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="b",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def point(number: int | str, day: int = 22, **more: Any) -> dict[str, Any]:
    return {
        "RecoveryPointArn": f"{BASE}:recovery-point:{number}",
        "BackupVaultName": "daily",
        "ResourceArn": ARN,
        "CreationDate": f"2026-11-{day:02}T02:00:00Z",
        "CompletionDate": f"2026-11-{day:02}T02:30:00Z",
        "Status": "COMPLETED",
        "BackupSizeInBytes": 1000,
        "IsEncrypted": True,
        **more,
    }


def vault(**more: Any) -> dict[str, Any]:
    return {
        "BackupVaultName": "daily",
        "BackupVaultArn": f"{BASE}:backup-vault:daily",
        "VaultType": "BACKUP_VAULT",
        "Locked": False,
        **more,
    }


def read(
    points: list[dict[str, Any]],
    name: str = ARN,
    failed: tuple[str, ...] = (),
    capped: str = "",
    **side: list[dict[str, Any]],
) -> BackupSeries:
    """The series of these records; `side` is vaults, jobs, copies and restores."""
    probes = {"vaults": VAULTS, "jobs": JOBS, "copies": COPIES, "restores": RESTORES}
    given = [(POINTS, points), *((probes[k], found) for k, found in side.items())]
    evidence = [
        Evidence(probe=probe.id, target="b", key="", taken=NOW, stdout=text(found, capped))
        for probe, found in given
    ]
    denied = Failure(kind=FailureKind.DENIED, detail="the right is missing")
    evidence += [
        Evidence(probe=probes[k].id, target="b", key="", taken=NOW, failure=denied) for k in failed
    ]
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(name))
    return SERIES.parse(context, Answers(evidence))


def text(found: list[dict[str, Any]], capped: str = "") -> bytes:
    end = {"total": len(found), "bytes": 0, "pages": 1, "capped": capped}
    return b"".join(json.dumps(line).encode() + b"\n" for line in (*found, end))


def place(*args: Any, **more: Any) -> Repository:
    return read(*args, **more).repositories[0]


def test_what_is_asked_and_what_must_be_declared() -> None:
    first, *beside = SERIES.requests(subject())
    assert first.params == {"operation": "aws-points", "name": ARN}
    assert first.need is Need.REQUIRED
    assert {r.need for r in beside} == {Need.OPTIONAL}
    with pytest.raises(NotDeclared, match="name"):
        SERIES.requests(subject(""))


# ------------------------------------------------------------------------------------------ points


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("COMPLETED", PointState.OK),
        ("AVAILABLE", PointState.OK),
        ("CREATING", PointState.RUNNING),
        ("PARTIAL", PointState.INVALID),
        ("EXPIRED", PointState.INVALID),
        ("STOPPED", PointState.INVALID),
        ("DELETING", PointState.INVALID),
        ("SOMETHING_NEW", PointState.INVALID),
    ],
)
def test_only_complete_points_count(status: str, state: PointState) -> None:
    (found,) = read([point(1, Status=status)]).points
    assert found.state is state
    assert found.notes == ((f"status_{status.lower()}",) if state is PointState.INVALID else ())


def test_children_of_a_point_are_no_points_of_their_own() -> None:
    parent = point(1, IsParent=True)
    child = point(2, ParentRecoveryPointArn=parent["RecoveryPointArn"])
    series = read([parent, child])
    assert [p.id for p in series.points] == [parent["RecoveryPointArn"]]
    assert (series.listing.total, series.listing.ignored) == (2, 1)


def test_a_point_told_twice_is_one_with_what_its_vault_tells() -> None:
    brief = {k: v for k, v in point(1).items() if k != "IsEncrypted"}
    for told in ([brief, point(1)], [point(1), brief]):
        (found,) = read(told).points
        assert found.encrypted is True


def test_a_size_of_nothing_is_not_told_and_a_zero_is_no_proof_of_emptiness() -> None:
    (found,) = read([point(1, BackupSizeInBytes=0)]).points
    assert found.size is None
    assert found.start == at("2026-11-22 02:00")
    assert found.end == at("2026-11-22 02:30")


@pytest.mark.parametrize("form", ["continuous:db-one-1234", "continuous-1234"])
def test_a_continuous_point_is_as_old_as_nobody_tells(form: str) -> None:
    with pytest.raises(Unparsable, match="rds:DescribeDBInstances"):
        read([point(form, day=1)])
    series = read([point(form, day=1), point(1)])
    assert [p.name for p in series.points] == ["1"]
    assert series.listing.notes == ("continuous",)


def test_a_vault_of_several_resources_is_not_judged_as_one() -> None:
    other = point(2, ResourceArn=f"{ARN}-2")
    with pytest.raises(Unparsable, match="2 resources"):
        read([point(1), other], name="daily")
    assert len(read([point(1)], name="daily").points) == 1


def job(state: str, **more: Any) -> dict[str, Any]:
    return {
        "BackupJobId": "j",
        "ResourceArn": ARN,
        "State": state,
        "CreationDate": "2026-11-22T08:00:00Z",
        **more,
    }


@pytest.mark.parametrize(
    ("state", "found", "note"),
    [
        ("EXPIRED", PointState.INVALID, "never_started"),
        ("FAILED", PointState.INVALID, "job_failed"),
        ("ABORTED", PointState.INVALID, "job_aborted"),
        ("RUNNING", PointState.RUNNING, ""),
        ("CREATED", PointState.RUNNING, ""),
        ("COMPLETED", None, ""),
    ],
)
def test_jobs_that_left_no_point(state: str, found: PointState | None, note: str) -> None:
    points = read([point(1)], jobs=[job(state)]).points
    if found is None:
        assert len(points) == 1
        return
    assert (points[1].state, points[1].notes) == (found, (note,) if note else ())


def test_jobs_of_others_children_and_of_known_points_are_left_out() -> None:
    jobs = [
        job("FAILED", ResourceArn="arn:other"),
        job("FAILED", ParentJobId="p"),
        job("FAILED", RecoveryPointArn=point(1)["RecoveryPointArn"]),
    ]
    assert len(read([point(1)], jobs=jobs).points) == 1


def test_who_made_the_newest_point() -> None:
    plan: dict[str, Any] = {"CreatedBy": {"BackupPlanId": "p"}}
    assert read([point(1, 21), point(2, **plan)]).scheduled is True
    assert read([point(1, 21, **plan), point(2)]).scheduled is None


def test_a_listing_that_was_cut_or_broke() -> None:
    assert read([point(1)], capped="time").listing.truncated
    for broken in ([{"Status": "x"}], [{**point(1), "CreationDate": "2026-11-22T02:00:00"}]):
        with pytest.raises(Unparsable):
            read(broken)
    assert len(read([point(1)], jobs=[{"odd": 1}]).points) == 1


# ------------------------------------------------------------------------------------------ vaults


PAST, FUTURE = "2026-11-01T00:00:00Z", "2026-11-25T00:00:00Z"


@pytest.mark.parametrize(
    ("told", "immutable", "deletable", "notes"),
    [
        ({"Locked": True, "LockDate": PAST, "MinRetentionDays": 7}, True, False, ()),
        ({"Locked": True, "LockDate": FUTURE, "MinRetentionDays": 7}, False, None, "removable"),
        ({"Locked": True, "MinRetentionDays": 7}, True, None, "governance"),
        ({"Locked": False}, False, None, ()),
        ({"Locked": None}, None, None, ()),
        ({"VaultType": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "Locked": None}, True, False, ()),
        ({"Locked": None, "kind": "denied", "detail": "no"}, None, None, ()),
    ],
)
def test_a_lock_that_can_still_be_taken_away_is_none(
    told: dict[str, Any], immutable: bool | None, deletable: bool | None, notes: str
) -> None:
    line = {k: v for k, v in vault(**told).items() if v is not None}
    found = place([point(1)], vaults=[line])
    assert (found.immutable, found.deletable) == (immutable, deletable)
    assert found.notes == ((f"lock_{notes}",) if notes else ())
    assert ("immutable" in found.unseen) is (immutable is None)
    if immutable is None:
        assert "backup:DescribeBackupVault" in found.unseen["immutable"].detail


def test_until_when_a_sealed_point_stays() -> None:
    sealed = vault(Locked=True, LockDate=PAST, MinRetentionDays=7)
    (found,) = read([point(1)], vaults=[sealed]).points
    assert found.locked_until == at("2026-11-29 02:00")
    lasting = point(1, CalculatedLifecycle={"DeleteAt": "2026-12-27T02:00:00Z"})
    (found,) = read([lasting], vaults=[sealed]).points
    assert found.locked_until == at("2026-12-27 02:00")
    (found,) = read([lasting], vaults=[sealed | {"LockDate": FUTURE}]).points
    assert found.locked_until is None


def test_expiry_and_encryption_of_a_vault() -> None:
    kept = place([point(1, Lifecycle={"DeleteAfterDays": 35}), point(2, 21)], vaults=[vault()])
    assert (kept.expires_days, kept.encrypted, kept.remote) == (35, True, True)
    endless = place([point(1, Lifecycle={"DeleteAfterDays": -1})], vaults=[vault()])
    assert endless.expires_days is None
    assert place([point(1, IsEncrypted=False)]).encrypted is False
    brief = {k: v for k, v in point(1).items() if k != "IsEncrypted"}
    assert place([brief]).encrypted is None


def test_what_was_refused_is_named() -> None:
    found = place([point(1)], failed=("vaults", "copies", "restores"))
    assert found.immutable is None
    assert found.replicated is None
    assert {"immutable", "replicated", "proofs"} <= set(found.unseen)


# --------------------------------------------------------------------------------- copies, restores


def copy(state: str = "COMPLETED", source: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "CopyJobId": f"c{source}",
        "ResourceArn": ARN,
        "SourceRecoveryPointArn": f"{BASE}:recovery-point:{source}",
        "DestinationBackupVaultArn": ELSEWHERE,
        "DestinationRecoveryPointArn": f"{ELSEWHERE}:copy:{source}",
        "State": state,
        "CreationDate": "2026-11-22T03:00:00Z",
        "CompletionDate": "2026-11-22T04:00:00Z",
        **more,
    }


def test_a_copy_is_as_old_as_the_data_it_copied() -> None:
    series = read([point(1, 20), point(2, 22)], copies=[copy(source=1)], vaults=[vault()])
    here, there = series.repositories
    assert (here.replicated, there.id, there.remote) == (False, ELSEWHERE, True)
    (copied,) = [p for p in series.points if p.repository == ELSEWHERE]
    assert copied.start == at("2026-11-20 02:00")
    fresh = read([point(1)], copies=[copy()], vaults=[vault()])
    assert fresh.repositories[0].replicated is True


def test_copies_that_failed_or_whose_source_is_gone() -> None:
    failed = read([point(1)], copies=[copy("FAILED")])
    assert (len(failed.points), len(failed.repositories)) == (1, 1)
    assert failed.repositories[0].replicated is False
    gone = read([point(1)], copies=[copy(source=9)])
    assert [p.repository for p in gone.points] == ["daily"]


def restore(status: str = "COMPLETED", **more: Any) -> dict[str, Any]:
    return {
        "RestoreJobId": "r",
        "SourceResourceArn": ARN,
        "Status": status,
        "CreationDate": "2026-11-22T05:00:00Z",
        "CompletionDate": "2026-11-22T05:30:00Z",
        **more,
    }


@pytest.mark.parametrize(
    ("told", "ok"),
    [
        (restore(ValidationStatus="SUCCESSFUL"), True),
        (restore(), True),
        (restore(ValidationStatus="FAILED"), False),
        (restore(ValidationStatus="TIMED_OUT"), False),
        (restore(ValidationStatus="VALIDATING"), None),
        (restore("FAILED"), False),
        (restore("ABORTED"), False),
        (restore("RUNNING"), None),
        (restore(SourceResourceArn="arn:other"), None),
        (restore(ParentJobId="p"), None),
    ],
)
def test_restores_prove_by_their_end_and_their_validation(
    told: dict[str, Any], ok: bool | None
) -> None:
    proofs = read([point(1)], restores=[told]).proofs
    assert [p.ok for p in proofs] == ([] if ok is None else [ok])
    if proofs:
        assert proofs[0].seconds == 1800
        assert proofs[0].time == dt.datetime(2026, 11, 22, 5, 30, tzinfo=dt.UTC)
        assert not proofs[0].person


# ---------------------------------------------------------------------------------------- verdicts


SEALED = {"Locked": True, "LockDate": PAST, "MinRetentionDays": 35}


def verdict(check_id: str, series: BackupSeries) -> Verdict:
    """What a check says of these records at level 4, in which everything is required."""
    asked = subject()
    system = msgspec.structs.replace(asked.the_system, level=4)
    return judge(builtin()[check_id], series, msgspec.structs.replace(asked, system=system))


def series_of(lock: dict[str, Any], **more: Any) -> BackupSeries:
    days = [point(day, day) for day in range(8, 23)]
    return read(days, vaults=[vault(**lock)], **more)


@pytest.mark.parametrize(
    ("check", "lock", "status"),
    [
        ("backup.recent", {}, Status.PASS),
        ("backup.encrypted", {}, Status.PASS),
        ("backup.immutable", SEALED, Status.PASS),
        ("backup.immutable", SEALED | {"LockDate": FUTURE}, Status.FAIL),
        ("backup.immutable", SEALED | {"MinRetentionDays": 3}, Status.FAIL),
        ("backup.immutable", {}, Status.FAIL),
        ("backup.protected-from-host", SEALED, Status.PASS),
        ("backup.protected-from-host", SEALED | {"LockDate": FUTURE}, Status.UNKNOWN),
        ("backup.restore-tested", {}, Status.PASS),
    ],
)
def test_verdicts_on_the_records(check: str, lock: dict[str, Any], status: Status) -> None:
    found = series_of(lock, restores=[restore(ValidationStatus="SUCCESSFUL")])
    assert verdict(check, found).status is status


def test_a_vault_that_may_not_be_seen_is_unknown_and_names_the_right() -> None:
    refused = {"Locked": None, "kind": "denied", "detail": "the right is missing"}
    found = verdict("backup.immutable", series_of(refused))
    assert found.status is Status.UNKNOWN
    assert found.failure is not None
    assert found.failure.kind is FailureKind.DENIED
    assert "backup:DescribeBackupVault" in found.failure.detail


def test_a_job_that_never_started_is_no_copy() -> None:
    days = [point(day, day) for day in range(8, 21)]
    missed = [
        job("EXPIRED", BackupJobId=f"j{d}", CreationDate=f"2026-11-{d}T02:00:00Z") for d in (21, 22)
    ]
    found = verdict("backup.recent", read(days, jobs=missed))
    assert found.status is Status.FAIL


def test_restores_that_may_not_be_seen_are_unknown() -> None:
    found = verdict("backup.restore-tested", series_of({}, failed=("restores",)))
    assert found.status is Status.UNKNOWN
    failed_ = series_of({}, restores=[restore(ValidationStatus="FAILED")])
    assert verdict("backup.restore-tested", failed_).status is Status.FAIL
