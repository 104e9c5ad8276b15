"""The vaults of AWS Backup as places that hold copies: locks, expiry, copies elsewhere."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence

from checks.backup.series import Repository
from checks.backup.sources.aws_lines import CopyJob, Point, Vault
from checks.evidence import Failure, FailureKind
from checks.texts import clean

_PLATFORM = "aws-backup"
_AIR_GAPPED = "LOGICALLY_AIR_GAPPED_BACKUP_VAULT"
_GOOD = ("COMPLETED", "AVAILABLE")


def sealed(vault: Vault, now: dt.datetime) -> bool:
    """Whether nobody can take the lock away: compliance mode after its date, or air-gapped."""
    if vault.vault_type == _AIR_GAPPED:
        return True
    return bool(vault.locked) and vault.lock_date is not None and vault.lock_date <= now


def lock_end(point: Point, vault: Vault, now: dt.datetime) -> dt.datetime | None:
    """Until when a recovery point cannot be deleted by anybody; None when that is not known."""
    if not sealed(vault, now):
        return None
    if point.calculated_lifecycle is not None and point.calculated_lifecycle.delete_at is not None:
        return point.calculated_lifecycle.delete_at
    if vault.min_retention_days:
        return point.creation_date + dt.timedelta(days=min(vault.min_retention_days, 36500))
    return None


def vault_places(
    points: Sequence[Point],
    vaults: Mapping[str, Vault],
    copies: Sequence[CopyJob],
    failures: Mapping[str, Failure],
    now: dt.datetime,
) -> tuple[Repository, ...]:
    """One place for each vault that holds points, and for each to which points were copied."""
    names = dict.fromkeys(p.backup_vault_name for p in points) or dict.fromkeys(vaults)
    return (
        *(_place(name, points, vaults.get(name), copies, failures, now) for name in names),
        *_elsewhere(copies, vaults.values()),
    )


def _place(
    name: str,
    points: Sequence[Point],
    vault: Vault | None,
    copies: Sequence[CopyJob],
    failures: Mapping[str, Failure],
    now: dt.datetime,
) -> Repository:
    own = [p for p in points if p.backup_vault_name == name and p.status in _GOOD]
    latest = max(own, key=lambda p: p.creation_date, default=None)
    unseen = {"restores": "proofs", "copies": "replicated"}
    missing = {field: failures[key] for key, field in unseen.items() if key in failures}
    immutable, deletable, notes = _lock(vault, now)
    if immutable is None:
        missing["immutable"] = failures.get("vaults") or _refused(vault, name)
    if deletable is None:
        missing["deletable"] = Failure(
            kind=FailureKind.NOT_DECLARED,
            detail="backup:DeleteRecoveryPoint of the protected server's own role, which the vault "
            "does not tell; a vault lock in compliance mode would answer it",
        )
    arn = vault.backup_vault_arn if vault is not None else ""
    return Repository(
        id=name,
        location=clean(arn or f"AWS Backup vault {name}"),
        platform=_PLATFORM,
        remote=True,
        encrypted=_encrypted(own),
        immutable=immutable,
        immutable_days=_locked_days(vault, latest) if immutable else None,
        deletable=deletable,
        expires_days=_expires(latest),
        replicated=None if "copies" in failures else _is_copied(latest, copies),
        unseen=missing,
        notes=notes,
    )


def _lock(
    vault: Vault | None, now: dt.datetime
) -> tuple[bool | None, bool | None, tuple[str, ...]]:
    """Immutable, deletable by the host, notes."""
    if vault is None or vault.kind or (vault.locked is None and vault.vault_type != _AIR_GAPPED):
        return None, None, ()
    if sealed(vault, now):
        return True, False, ()
    if not vault.locked:
        return False, None, ()
    if vault.lock_date is not None:
        # In its days of grace anybody with the right takes the lock away again.
        return False, None, ("lock_removable",)
    return True, None, ("lock_governance",)


def _refused(vault: Vault | None, name: str) -> Failure:
    known = vault is not None and vault.kind in list(FailureKind)
    kind = FailureKind(vault.kind) if vault is not None and known else FailureKind.UNPARSABLE
    said = vault.detail if vault is not None and vault.detail else f"no answer for vault {name}"
    return Failure(kind=kind, detail=clean(f"backup:DescribeBackupVault: {said}"))


def _locked_days(vault: Vault | None, latest: Point | None) -> float | None:
    if vault is not None and vault.min_retention_days:
        return float(vault.min_retention_days)
    return _expires(latest)


def _expires(latest: Point | None) -> float | None:
    """Days after which the service deletes the newest point; -1 and none mean never."""
    if latest is None or latest.lifecycle is None:
        return None
    days = latest.lifecycle.delete_after_days
    return float(days) if days is not None and days > 0 else None


def _encrypted(points: Iterable[Point]) -> bool | None:
    told = [True if p.encryption_key_arn else p.is_encrypted for p in points]
    if any(state is False for state in told):
        return False
    return True if told and all(told) else None


def _is_copied(latest: Point | None, copies: Iterable[CopyJob]) -> bool | None:
    if latest is None:
        return None
    mine = [c for c in copies if c.source_recovery_point_arn == latest.recovery_point_arn]
    return any(c.state == "COMPLETED" for c in mine)


def _elsewhere(copies: Iterable[CopyJob], vaults: Iterable[Vault]) -> Iterator[Repository]:
    """Vaults known only by the jobs that copied into them."""
    known = {v.backup_vault_arn for v in vaults}
    done = (c.destination_backup_vault_arn for c in copies if c.state == "COMPLETED")
    detail = "the vault lies elsewhere: make it a backup set of its own"
    why = Failure(kind=FailureKind.NOT_DECLARED, detail=detail)
    for arn in dict.fromkeys(a for a in done if a and a not in known):
        yield Repository(
            id=arn,
            location=clean(arn),
            platform=_PLATFORM,
            remote=True,
            unseen={"encrypted": why, "immutable": why, "deletable": why},
            notes=("known_by_copy_jobs",),
        )
