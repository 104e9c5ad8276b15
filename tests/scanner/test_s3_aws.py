"""AWS Backup: the calls, by botocore's Stubber on recorded shapes, and moto where it has them."""

from __future__ import annotations

import datetime as dt
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber
from moto.server import ThreadedMotoServer

from checks.backup.sources.aws_backup import COPIES, JOBS, POINTS, RESTORES, VAULTS
from checks.backup.sources.aws_lines import Vault, read_lines
from checks.evidence import Evidence, FailureKind, Need, Probe, Request
from inventory.model import Bucket
from scanner.transports import s3
from scanner.transports.s3 import S3Transport
from tests.helpers import stores
from tests.helpers.backup_series import NOW

ARN = "arn:aws:rds:ap-southeast-1:123456789012:db:one"
BASE = "arn:aws:backup:ap-southeast-1:123456789012"
AT = dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("S3_KEY", stores.KEY)
    monkeypatch.setenv("S3_SECRET", stores.SECRET)


def bucket(endpoint: str = "") -> Bucket:
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}
    return Bucket(id="b", unit="u", bucket="any", endpoint=endpoint, **keys)


def request(probe: Probe, name: str = ARN) -> Request:
    operation = probe.id.removeprefix("backup.")
    return probe.request("b", Need.OPTIONAL, operation=operation, name=name)


@pytest.fixture
def stub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stubber]:
    """The service as it is described to boto3: answers of another shape are refused."""
    client = boto3.client(
        "backup",
        region_name="ap-southeast-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - a made-up key
    )
    with Stubber(client) as stubber:
        monkeypatch.setattr(S3Transport, "_client", lambda *_: client)
        yield stubber
        stubber.assert_no_pending_responses()


def visit(*requests: Request, endpoint: str = "") -> list[Evidence]:
    where = bucket(endpoint)
    return S3Transport(where, clock=lambda: NOW, timeout=20, project=Path()).collect(requests)


def lines(evidence: Evidence) -> list[dict[str, Any]]:
    assert evidence.failure is None, evidence.failure
    return [json.loads(line) for line in bytes(evidence.stdout).splitlines()]


def point(number: int, **more: Any) -> dict[str, Any]:
    return {
        "RecoveryPointArn": f"{BASE}:recovery-point:{number}",
        "BackupVaultName": "daily",
        "CreationDate": AT,
        "Status": "COMPLETED",
        **more,
    }


def test_points_of_a_resource_and_what_its_vault_tells_of_them(stub: Stubber) -> None:
    by_resource = "list_recovery_points_by_resource"
    first = {"RecoveryPoints": [point(1, BackupSizeBytes=9)], "NextToken": "more"}
    stub.add_response(by_resource, first, {"ResourceArn": ARN})
    second = {"RecoveryPoints": [point(2, BackupVaultName="other")]}
    stub.add_response(by_resource, second, {"ResourceArn": ARN, "NextToken": "more"})
    by_vault = "list_recovery_points_by_backup_vault"
    full = point(1, BackupSizeInBytes=9, IsEncrypted=True, Lifecycle={"DeleteAfterDays": 35})
    asked = {"BackupVaultName": "daily", "ByResourceArn": ARN}
    stub.add_response(by_vault, {"RecoveryPoints": [], "NextToken": "v"}, asked)
    stub.add_response(by_vault, {"RecoveryPoints": [full]}, {**asked, "NextToken": "v"})
    stub.add_client_error(by_vault, "AccessDeniedException", http_status_code=403)
    *told, end = lines(visit(request(POINTS))[0])
    assert [line["RecoveryPointArn"][-1] for line in told] == ["1", "2", "1"]
    assert told[0]["BackupSizeInBytes"] == told[2]["BackupSizeInBytes"] == 9
    assert told[0]["ResourceArn"] == ARN
    assert told[2]["Lifecycle"] == {"DeleteAfterDays": 35}
    assert told[2]["CreationDate"] == "2026-11-22T02:00:00Z"
    assert end["capped"] == ""


def test_points_of_a_vault(stub: Stubber) -> None:
    stub.add_response(
        "list_recovery_points_by_backup_vault",
        {"RecoveryPoints": [point(1, ResourceArn=ARN)]},
        {"BackupVaultName": "daily"},
    )
    assert len(lines(visit(request(POINTS, "daily"))[0])) == 2


def test_vaults_of_a_resource_with_their_locks(stub: Stubber) -> None:
    listed = {"RecoveryPoints": [point(1), point(2), point(3, BackupVaultName="shut")]}
    stub.add_response("list_recovery_points_by_resource", listed, {"ResourceArn": ARN})
    lock = {"BackupVaultName": "daily", "Locked": True, "LockDate": AT, "MinRetentionDays": 7}
    stub.add_response("describe_backup_vault", lock, {"BackupVaultName": "daily"})
    stub.add_client_error("describe_backup_vault", "AccessDeniedException", http_status_code=403)
    daily, shut, _ = lines(visit(request(VAULTS))[0])
    assert (daily["Locked"], daily["LockDate"]) == (True, "2026-11-22T02:00:00Z")
    assert (shut["BackupVaultName"], shut["kind"]) == ("shut", "denied")
    assert "backup:DescribeBackupVault" in shut["detail"]


def test_jobs_copies_and_restores_of_a_resource(stub: Stubber) -> None:
    job = {"BackupJobId": "j", "CreationDate": AT, "State": "EXPIRED", "ResourceArn": ARN}
    stub.add_response("list_backup_jobs", {"BackupJobs": [job]}, {"ByResourceArn": ARN})
    copy = {"CopyJobId": "c", "CreationDate": AT, "State": "COMPLETED", "ResourceArn": ARN}
    stub.add_response("list_copy_jobs", {"CopyJobs": [copy]}, {"ByResourceArn": ARN})
    restore = {"RestoreJobId": "r", "CreationDate": AT, "Status": "COMPLETED"}
    stub.add_response(
        "list_restore_jobs_by_protected_resource",
        {"RestoreJobs": [restore | {"ValidationStatus": "SUCCESSFUL"}]},
        {"ResourceArn": ARN},
    )
    found = visit(request(JOBS), request(COPIES), request(RESTORES))
    assert [lines(e)[0].get("State") for e in found] == ["EXPIRED", "COMPLETED", None]
    assert lines(found[2])[0]["ValidationStatus"] == "SUCCESSFUL"


def test_a_vault_asks_by_its_name(stub: Stubber) -> None:
    stub.add_response("list_backup_jobs", {"BackupJobs": []}, {"ByBackupVaultName": "daily"})
    stub.add_response("list_copy_jobs", {"CopyJobs": []}, {})
    stub.add_response("list_restore_jobs", {"RestoreJobs": []}, {})
    found = visit(*(request(p, "daily") for p in (JOBS, COPIES, RESTORES)))
    assert [lines(e)[-1]["total"] for e in found] == [0, 0, 0]


@pytest.mark.parametrize(
    ("probe", "method", "right"),
    [
        (POINTS, "list_recovery_points_by_resource", "backup:ListRecoveryPointsByResource"),
        (JOBS, "list_backup_jobs", "backup:ListBackupJobs"),
        (COPIES, "list_copy_jobs", "backup:ListCopyJobs"),
        (RESTORES, "list_restore_jobs_by_protected_resource", "ListRestoreJobsByProtectedResource"),
    ],
)
def test_refusals_name_the_right(stub: Stubber, probe: Probe, method: str, right: str) -> None:
    stub.add_client_error(method, "AccessDeniedException", http_status_code=403)
    (found,) = visit(request(probe))
    assert found.failure is not None
    assert found.failure.kind is FailureKind.DENIED
    assert right in found.failure.detail


def test_a_vault_that_may_not_be_listed(stub: Stubber) -> None:
    method = "list_recovery_points_by_backup_vault"
    stub.add_client_error(method, "AccessDeniedException", http_status_code=403)
    (found,) = visit(request(POINTS, "daily"))
    assert found.failure is not None
    assert "backup:ListRecoveryPointsByBackupVault" in found.failure.detail
    assert found.failure.detail.startswith("AWS Backup: ")


@pytest.mark.parametrize("probe", [POINTS, JOBS, COPIES, RESTORES])
def test_an_answer_without_the_list_is_none(stub: Stubber, probe: Probe) -> None:
    methods = {
        POINTS.id: "list_recovery_points_by_resource",
        JOBS.id: "list_backup_jobs",
        COPIES.id: "list_copy_jobs",
        RESTORES.id: "list_restore_jobs_by_protected_resource",
    }
    stub.add_response(methods[probe.id], {})
    (found,) = visit(request(probe))
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNPARSABLE


@pytest.mark.parametrize(
    ("endpoint", "asked"),
    [
        ("", None),
        ("https://s3.ap-southeast-1.amazonaws.com", None),
        ("https://s3.cn-north-1.amazonaws.com.cn", None),
        ("https://s3.hanoi.example", "https://s3.hanoi.example"),
        ("https://amazonaws.com.evil.example", "https://amazonaws.com.evil.example"),
    ],
)
def test_keys_of_another_store_never_go_to_amazon(endpoint: str, asked: str | None) -> None:
    assert s3._endpoint(endpoint, "backup") == asked
    assert s3._endpoint(endpoint, "s3") == (endpoint or None)


def test_a_vault_lock_of_moto() -> None:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    endpoint = f"http://{host}:{port}"
    admin = stores.client(endpoint, service="backup")
    admin.create_backup_vault(BackupVaultName="daily")
    admin.put_backup_vault_lock_configuration(
        BackupVaultName="daily", MinRetentionDays=7, ChangeableForDays=3
    )
    (found,) = visit(request(VAULTS, "daily"), endpoint=endpoint)
    server.stop()
    ((vault,), capped) = read_lines(found, Vault)
    assert (vault.locked, vault.min_retention_days, capped) == (True, 7, "")
    assert vault.lock_date is not None
