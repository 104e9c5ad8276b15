"""The lines of AWS Backup as the transport writes them, typed; times are RFC 3339 with a zone."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from checks.evidence import Evidence, Unparsable

T = TypeVar("T")
Time = Annotated[dt.datetime, Meta(tz=True)]


class _Lifecycle(msgspec.Struct, frozen=True, rename="pascal"):
    delete_after_days: int | None = None


class _Calculated(msgspec.Struct, frozen=True, rename="pascal"):
    delete_at: Time | None = None


class _CreatedBy(msgspec.Struct, frozen=True, rename="pascal"):
    backup_plan_id: str = ""
    backup_plan_arn: str = ""

    @property
    def plan(self) -> bool:
        """Whether it was a plan and not a person."""
        return bool(self.backup_plan_id or self.backup_plan_arn)


class Point(msgspec.Struct, frozen=True, rename="pascal"):
    """A recovery point. Sizes in bytes."""

    recovery_point_arn: str
    creation_date: Time
    status: str
    backup_vault_name: str = ""
    resource_arn: str = ""
    completion_date: Time | None = None
    backup_size_in_bytes: int | None = None
    is_encrypted: bool | None = None
    encryption_key_arn: str = ""
    parent_recovery_point_arn: str = ""
    lifecycle: _Lifecycle | None = None
    calculated_lifecycle: _Calculated | None = None
    created_by: _CreatedBy | None = None


class Vault(msgspec.Struct, frozen=True, rename="pascal"):
    """A vault and its lock; `kind` and `detail` (lower case) say why nothing is told."""

    backup_vault_name: str
    backup_vault_arn: str = ""
    vault_type: str = ""
    locked: bool | None = None
    lock_date: Time | None = None
    min_retention_days: int | None = None
    kind: str = msgspec.field(default="", name="kind")
    detail: str = msgspec.field(default="", name="detail")


class Job(msgspec.Struct, frozen=True, rename="pascal"):
    """A backup job."""

    backup_job_id: str
    creation_date: Time
    state: str
    backup_vault_name: str = ""
    resource_arn: str = ""
    recovery_point_arn: str = ""
    completion_date: Time | None = None
    parent_job_id: str = ""


class CopyJob(msgspec.Struct, frozen=True, rename="pascal"):
    """A copy from one vault to another."""

    copy_job_id: str
    creation_date: Time
    state: str
    resource_arn: str = ""
    source_recovery_point_arn: str = ""
    destination_backup_vault_arn: str = ""
    destination_recovery_point_arn: str = ""
    completion_date: Time | None = None
    backup_size_in_bytes: int | None = None
    parent_job_id: str = ""


class RestoreJob(msgspec.Struct, frozen=True, rename="pascal"):
    """A restore, with the result of its validation when a restore testing plan asked for one."""

    restore_job_id: str
    creation_date: Time
    status: str
    validation_status: str = ""
    recovery_point_arn: str = ""
    source_resource_arn: str = ""
    completion_date: Time | None = None
    parent_job_id: str = ""


class _End(msgspec.Struct, frozen=True):
    total: int
    capped: str


_end = msgspec.json.Decoder(_End)


def read_lines(evidence: Evidence, kind: type[T]) -> tuple[list[T], str]:
    """The entries of one listing, and which limit cut it (empty when none did).

    Raises:
        Unparsable: a line is not of this kind, or the listing broke off.
    """
    *lines, last = bytes(evidence.stdout).rstrip(b"\n").split(b"\n")
    try:
        end = _end.decode(last)
    except msgspec.DecodeError:
        raise Unparsable(f"{evidence.probe}: the listing broke off") from None
    decoder = msgspec.json.Decoder(kind)
    found = []
    for number, line in enumerate(lines, 1):
        try:
            found.append(decoder.decode(line))
        except msgspec.DecodeError as e:
            raise Unparsable(f"{evidence.probe}: line {number}: {e}") from None
    return found, end.capped
