"""Real S3 servers, from what they say of their buckets to the verdicts."""

from __future__ import annotations

import datetime as dt
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from checks.backup.series import BackupSeries, Repository
from checks.evidence import FailureKind
from checks.model import Status
from checks.results import Result
from inventory.model import BackupSet, Bucket
from tests.helpers import stores
from tests.helpers.backup_tools import scanned

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("S3_KEY", stores.KEY)
    monkeypatch.setenv("S3_SECRET", stores.SECRET)
    monkeypatch.setenv("S3_LISTER", stores.LISTER)
    monkeypatch.setenv("S3_LISTER_SECRET", stores.LISTER_SECRET)


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stores.seaweed(tmp_path_factory.mktemp("seaweed")) as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stores.rclone(tmp_path_factory.mktemp("rclone")) as endpoint:
        yield endpoint


def scan(
    endpoint: str, name: str, folder: Path, path: str = "db", **more: Any
) -> tuple[dict[str, Result], BackupSeries, Repository]:
    """The rows of a set in a bucket of this store, its series and its repository."""
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}
    given = {k: more.pop(k) for k in ("access_key", "secret_key") if k in more}
    bucket = Bucket(id="b", unit="u", bucket=name, endpoint=endpoint, **(keys | given))
    promised = BackupSet(
        **{
            "id": "db",
            "system": "s",
            "kind": "s3",
            "bucket": "b",
            "path": path,
            "protects": "h",
            "every": "1d",
            **more,
        }
    )
    rows, series = scanned(promised, folder, level=4, buckets={"b": bucket})
    assert series is not None, rows["backup.recent"].failure
    (place,) = series.repositories
    return rows, series, place


def statuses(rows: dict[str, Result], *names: str) -> list[Status]:
    return [rows[f"backup.{name}"].status for name in names]


def soon(days: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(time.time(), dt.UTC) + dt.timedelta(days=days)


def filled(endpoint: str, name: str, **more: Any) -> Any:
    """A bucket with one fresh copy."""
    admin = stores.client(endpoint)
    admin.create_bucket(Bucket=name, **more)
    admin.put_object(Bucket=name, Key="db/a.dump", Body=b"x" * 100)
    return admin


def locked(endpoint: str, name: str, mode: str, days: int) -> Any:
    """A bucket whose rule locks what comes after it."""
    admin = stores.client(endpoint)
    admin.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": mode, "Days": days}}
    admin.put_object_lock_configuration(
        Bucket=name, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    admin.put_object(Bucket=name, Key="db/a.dump", Body=b"x" * 100)
    return admin


# -------------------------------------------------------------------------------------- SeaweedFS


def test_a_bucket_that_protects_nothing(seaweed: str, tmp_path: Path) -> None:
    filled(seaweed, "plain")
    rows, series, place = scan(seaweed, "plain", tmp_path)
    assert [p.name for p in series.points] == ["a.dump"]
    assert (place.versioned, place.immutable, place.encrypted) == (False, False, False)
    assert (place.public, place.replicated, place.deletable) == (False, False, None)
    assert place.expires_days is None
    assert set(place.unseen) == {"deletable"}
    assert statuses(rows, "recent", "encrypted", "immutable") == [
        Status.PASS,
        Status.FAIL,
        Status.FAIL,
    ]
    row = rows["backup.protected-from-host"]
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert "s3:DeleteObjectVersion" in row.failure.detail


def test_a_sealed_and_encrypted_bucket(seaweed: str, tmp_path: Path) -> None:
    admin = locked(seaweed, "sealed", "COMPLIANCE", 30)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    admin.put_bucket_encryption(
        Bucket="sealed", ServerSideEncryptionConfiguration={"Rules": [rule]}
    )
    version = admin.head_object(Bucket="sealed", Key="db/a.dump")["VersionId"]
    with pytest.raises(ClientError):  # the store keeps its word
        admin.delete_object(Bucket="sealed", Key="db/a.dump", VersionId=version)
    rows, series, place = scan(seaweed, "sealed", tmp_path)
    assert (place.immutable, place.immutable_days, place.deletable) == (True, 30, False)
    assert (place.versioned, place.encrypted, place.public) == (True, True, False)
    assert place.notes == ()
    (point,) = series.points
    assert point.locked_until is not None
    assert abs(point.locked_until - soon(30)) < dt.timedelta(hours=1)
    assert statuses(rows, "encrypted", "immutable", "protected-from-host") == [Status.PASS] * 3


def test_a_lock_that_a_right_opens_is_no_seal(seaweed: str, tmp_path: Path) -> None:
    locked(seaweed, "governed", "GOVERNANCE", 9)
    rows, _, place = scan(seaweed, "governed", tmp_path)
    assert (place.immutable, place.immutable_days, place.deletable) == (True, 9, None)
    assert place.notes == ("lock_governance",)
    assert rows["backup.protected-from-host"].status is Status.UNKNOWN


def test_a_lock_without_a_rule_protects_nothing(seaweed: str, tmp_path: Path) -> None:
    admin = filled(seaweed, "ruleless", ObjectLockEnabledForBucket=True)
    rows, _, place = scan(seaweed, "ruleless", tmp_path)
    assert (place.immutable, place.notes) == (False, ("lock_without_rule",))
    assert rows["backup.immutable"].status is Status.FAIL
    # The tool that writes may lock each object itself, for as long as it says.
    kept = {"ObjectLockMode": "COMPLIANCE", "ObjectLockRetainUntilDate": soon(20)}
    admin.put_object(Bucket="ruleless", Key="own/b.dump", Body=b"x" * 100, **kept)
    rows, _, place = scan(seaweed, "ruleless", tmp_path, path="own")
    assert (place.immutable, place.deletable) == (True, False)
    assert place.immutable_days == pytest.approx(20, abs=0.2)
    assert rows["backup.immutable"].status is Status.PASS


def test_a_plain_delete_hides_a_locked_copy(seaweed: str, tmp_path: Path) -> None:
    admin = locked(seaweed, "hidden", "COMPLIANCE", 30)
    admin.put_object(Bucket="hidden", Key="db/b.dump", Body=b"x" * 100)
    admin.delete_object(Bucket="hidden", Key="db/b.dump")
    _, series, place = scan(seaweed, "hidden", tmp_path)
    assert [p.name for p in series.points] == ["a.dump"]
    assert place.notes == ("delete_markers", "delete_markers_hide_locked")


def test_a_public_bucket(seaweed: str, tmp_path: Path) -> None:
    admin = filled(seaweed, "open")
    statement = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::open/*",
    }
    policy = {"Version": "2012-10-17", "Statement": [statement]}
    admin.put_bucket_policy(Bucket="open", Policy=json.dumps(policy))
    rows, _, place = scan(seaweed, "open", tmp_path)
    assert (place.public, place.notes) == (True, ("policy_public",))
    row = rows["backup.protected-from-host"]
    assert row.status is Status.FAIL


def test_a_rule_that_deletes_before_the_promise_ends(seaweed: str, tmp_path: Path) -> None:
    admin = filled(seaweed, "short")
    rules = [
        {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "db/"}, "Expiration": {"Days": 7}},
        {"ID": "b", "Status": "Enabled", "Filter": {"Prefix": "x/"}, "Expiration": {"Days": 1}},
    ]
    admin.put_bucket_lifecycle_configuration(
        Bucket="short", LifecycleConfiguration={"Rules": rules}
    )
    rows, _, place = scan(seaweed, "short", tmp_path, keep=dt.timedelta(days=30))
    assert place.expires_days == 7
    assert rows["backup.retained"].status is Status.FAIL
    _, _, elsewhere = scan(seaweed, "short", tmp_path, path="y", keep=dt.timedelta(days=30))
    assert elsewhere.expires_days is None


def test_an_account_that_may_only_list(seaweed: str, tmp_path: Path) -> None:
    filled(seaweed, "guarded")
    own = {"access_key": "env:S3_LISTER", "secret_key": "env:S3_LISTER_SECRET"}
    rows, series, place = scan(seaweed, "guarded", tmp_path, **own)
    assert rows["backup.recent"].status is Status.PASS
    assert len(series.points) == 1
    assert (place.encrypted, place.immutable, place.versioned, place.public) == (None,) * 4
    rights = {
        "immutable": "s3:GetBucketObjectLockConfiguration",
        "encrypted": "s3:GetEncryptionConfiguration",
        "versioned": "s3:GetBucketVersioning",
        "public": "s3:GetBucketPolicyStatus",
        "expires_days": "s3:GetLifecycleConfiguration",
        "replicated": "s3:GetReplicationConfiguration",
    }
    for field, right in rights.items():
        assert place.unseen[field].kind is FailureKind.DENIED
        assert right in place.unseen[field].detail
    assert statuses(rows, "encrypted", "immutable", "protected-from-host") == [Status.UNKNOWN] * 3


def test_a_wrong_key(seaweed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(seaweed, "keyed")
    monkeypatch.setenv("S3_SECRET", "some-other-secret-00000000000000000000000")
    bucket = Bucket(
        id="b",
        unit="u",
        bucket="keyed",
        endpoint=seaweed,
        access_key="env:S3_KEY",
        secret_key="env:S3_SECRET",  # noqa: S106 - a reference
    )
    promised = BackupSet(id="db", system="s", kind="s3", bucket="b", path="db", every="1d")
    rows, series = scanned(promised, tmp_path, buckets={"b": bucket})
    assert series is None
    assert {r.status for r in rows.values()} <= {Status.UNKNOWN, Status.FAIL, Status.PASS}
    row = rows["backup.recent"]
    assert row.status is Status.UNKNOWN
    assert row.failure is not None
    assert row.failure.kind is FailureKind.AUTH


# ----------------------------------------------------------------------------------------- rclone


def test_a_store_that_answers_everything_with_a_listing(
    rclone: str, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    filled(rclone, "blind")
    rows, series, place = scan(rclone, "blind", tmp_path)
    assert rows["backup.recent"].status is Status.PASS
    assert len(series.points) == 1
    assert (place.immutable, place.encrypted, place.public, place.replicated) == (None,) * 4
    for field in ("immutable", "encrypted", "public", "replicated", "expires_days"):
        assert place.unseen[field].kind is FailureKind.UNPARSABLE
        assert "s3:Get" in place.unseen[field].detail
    assert statuses(rows, "encrypted", "immutable", "protected-from-host") == [Status.UNKNOWN] * 3
    # Asked for an object's lock it would send the object.
    log = next(tmp_path_factory.getbasetemp().glob("rclone*/log")).read_text()
    assert "retention" not in log
