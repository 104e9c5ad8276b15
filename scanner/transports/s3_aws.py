"""AWS Backup through boto3's client `backup`: recovery points, vaults, copies and restores.

Written as JSON lines with the service's own field names; account ids of persons are left out.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from checks.evidence import FailureKind
from scanner.transports.s3_errors import Problem, classify
from scanner.transports.s3_pages import Asked, Fetch, Page, expect, rfc3339

_MOST_VAULTS = 10
_HOPELESS = frozenset({FailureKind.UNREACHABLE, FailureKind.AUTH, FailureKind.HOST_KEY})
_POINT = (
    "RecoveryPointArn",
    "BackupVaultName",
    "ResourceArn",
    "ResourceType",
    "Status",
    "StatusMessage",
    "CreationDate",
    "InitiationDate",
    "CompletionDate",
    "BackupSizeInBytes",
    "IsEncrypted",
    "EncryptionKeyArn",
    "IsParent",
    "ParentRecoveryPointArn",
    "Lifecycle",
    "CalculatedLifecycle",
    "LastRestoreTime",
    "CreatedBy",
    "VaultType",
)
_VAULT = (
    "BackupVaultName",
    "BackupVaultArn",
    "VaultType",
    "VaultState",
    "Locked",
    "LockDate",
    "MinRetentionDays",
    "MaxRetentionDays",
    "EncryptionKeyArn",
)
_JOB = (
    "BackupJobId",
    "BackupVaultName",
    "ResourceArn",
    "RecoveryPointArn",
    "State",
    "StatusMessage",
    "CreationDate",
    "CompletionDate",
    "StartBy",
    "IsParent",
    "ParentJobId",
    "BackupSizeInBytes",
)
_COPY = (
    "CopyJobId",
    "SourceBackupVaultArn",
    "SourceRecoveryPointArn",
    "DestinationBackupVaultArn",
    "DestinationRecoveryPointArn",
    "ResourceArn",
    "State",
    "StatusMessage",
    "CreationDate",
    "CompletionDate",
    "BackupSizeInBytes",
    "IsParent",
    "ParentJobId",
    "DestinationVaultType",
    "DestinationVaultLockState",
)
_RESTORE = (
    "RestoreJobId",
    "RecoveryPointArn",
    "SourceResourceArn",
    "Status",
    "StatusMessage",
    "ValidationStatus",
    "ValidationStatusMessage",
    "CreationDate",
    "CompletionDate",
    "RecoveryPointCreationDate",
    "BackupSizeInBytes",
    "IsParent",
    "ParentJobId",
)

Listed = Callable[..., Mapping[str, Any]]


def _kept(found: Mapping[str, Any], fields: tuple[str, ...]) -> dict[str, Any]:
    return {k: _plain(found[k]) for k in fields if found.get(k) is not None}


def _plain(value: object) -> object:
    if isinstance(value, dt.datetime):
        return rfc3339(value)
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    return value


def _token(answer: Mapping[str, Any]) -> str | None:
    return answer.get("NextToken") or None


def _name(asked: Asked) -> str:
    name = asked.params.get("name", "")
    if not name:
        raise Problem(FailureKind.NOT_DECLARED, "no resource or vault is named")
    return name


def points(asked: Asked) -> Fetch:
    """`aws-points`: recovery points of a vault, or of a resource in every vault that holds some."""
    name = _name(asked)
    client: Any = asked.client
    vaults: list[str] = []

    def of_resource(mark: str) -> Page:
        more = {"NextToken": mark} if mark else {}
        answer = client.list_recovery_points_by_resource(ResourceArn=name, **more)
        expect(answer, "RecoveryPoints")
        found = answer["RecoveryPoints"]
        for point in found:
            vault = point.get("BackupVaultName", "")
            if vault and vault not in vaults:
                vaults.append(vault)
        lines = [_by_resource(p, name) for p in found]
        token = _token(answer)
        # The same points once more from each vault, which alone tells encryption and lifecycle.
        following = f"r{token}" if token else ("0:" if vaults else None)
        return Page(lines, following, len(found))

    def of_vault(mark: str) -> Page:
        at, _, token = mark.partition(":")
        more: dict[str, Any] = {"NextToken": token} if token else {}
        if vaults:
            more["ByResourceArn"] = name
        vault = vaults[int(at)] if vaults else name
        after = f"{int(at) + 1}:" if int(at) + 1 < min(len(vaults), _MOST_VAULTS) else None
        try:
            answer = client.list_recovery_points_by_backup_vault(BackupVaultName=vault, **more)
        except Exception as error:
            if not vaults or classify(error, "")[0] in _HOPELESS:
                raise
            return Page([], after, 1)  # what the resource tells stays
        expect(answer, "RecoveryPoints")
        found = answer["RecoveryPoints"]
        token = answer.get("NextToken") or ""
        return Page([_kept(p, _POINT) for p in found], f"{at}:{token}" if token else after, 1)

    def fetch(mark: str | None) -> Page:
        if name.startswith("arn:") and (mark is None or mark[0] == "r"):
            return of_resource((mark or "r")[1:])
        return of_vault(mark or "0:")

    return fetch


def _by_resource(point: Mapping[str, Any], resource: str) -> dict[str, Any]:
    """This call names the size otherwise and does not repeat the resource."""
    size = {"BackupSizeInBytes": point.get("BackupSizeBytes")}
    return {"ResourceArn": resource, **_kept({**point, **size}, _POINT)}


def vaults(asked: Asked) -> Fetch:
    """`aws-vaults`: the vault, or every vault that the points of the resource lie in."""
    name = _name(asked)
    client: Any = asked.client
    found: list[str] = []

    def names() -> list[str]:
        if not name.startswith("arn:"):
            return [name]
        answer = client.list_recovery_points_by_resource(ResourceArn=name)
        listed = [p.get("BackupVaultName", "") for p in answer.get("RecoveryPoints", [])]
        return list(dict.fromkeys(v for v in listed if v))[:_MOST_VAULTS]

    def fetch(mark: str | None) -> Page:
        if mark is None:
            found.extend(names())
        if not found:
            return Page([], None, 0)
        at = int(mark or 0)
        try:
            told = _kept(client.describe_backup_vault(BackupVaultName=found[at]), _VAULT)
        except Exception as error:
            kind, what = classify(error, "backup:DescribeBackupVault")
            if kind in _HOPELESS:
                raise
            told = {"kind": kind.value, "detail": what}
        line = {"BackupVaultName": found[at], **told}
        return Page([line], str(at + 1) if at + 1 < len(found) else None, 1)

    return fetch


def _jobs(
    method: str, field: str, fields: tuple[str, ...], by_vault: str = ""
) -> Callable[[Asked], Fetch]:
    def listing(asked: Asked) -> Fetch:
        name = _name(asked)
        call: Listed = getattr(asked.client, method)
        given: dict[str, Any] = {}
        if name.startswith("arn:"):
            given["ResourceArn" if method.endswith("resource") else "ByResourceArn"] = name
        elif by_vault:
            given[by_vault] = name

        def fetch(mark: str | None) -> Page:
            answer = call(**given, **({"NextToken": mark} if mark else {}))
            expect(answer, field)
            return Page([_kept(j, fields) for j in answer[field]], _token(answer), 1)

        return fetch

    return listing


def restores(asked: Asked) -> Fetch:
    """`aws-restores`: restore jobs of the resource, or of the account for a vault."""
    method = "list_restore_jobs"
    if _name(asked).startswith("arn:"):
        method += "_by_protected_resource"
    return _jobs(method, "RestoreJobs", _RESTORE)(asked)


def right(params: Mapping[str, str]) -> str:
    """The right that an operation needs, which differs by what it is asked of."""
    name = OPERATIONS[params["operation"]][1]
    if not params.get("name", "").startswith("arn:"):
        name = name.replace("ByResource", "ByBackupVault")
    elif params["operation"] == "aws-restores":
        name += "ByProtectedResource"
    return name


OPERATIONS: dict[str, tuple[Callable[[Asked], Fetch], str]] = {
    "aws-points": (points, "backup:ListRecoveryPointsByResource"),
    "aws-vaults": (vaults, "backup:DescribeBackupVault"),
    "aws-jobs": (
        _jobs("list_backup_jobs", "BackupJobs", _JOB, "ByBackupVaultName"),
        "backup:ListBackupJobs",
    ),
    "aws-copies": (_jobs("list_copy_jobs", "CopyJobs", _COPY), "backup:ListCopyJobs"),
    "aws-restores": (restores, "backup:ListRestoreJobs"),
}
"""Operation to how it is fetched and the right that it needs, in the order asked."""
