"""Kind `aws-backup`: recovery points that AWS Backup keeps in its vaults.

`bucket` names the bucket entry whose profile, region and keys are used, `name` is the resource's
ARN, or a vault that holds one resource only. The evidence is JSON lines with the service's own
field names; the last line is that of a listing, see `s3`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

import msgspec

from checks.backup.series import (
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    Proof,
    ProofKind,
    in_order,
)
from checks.backup.sources.aws_lines import CopyJob, Job, Point, RestoreJob, Vault, read_lines
from checks.backup.sources.aws_vaults import lock_end, vault_places
from checks.backup.sources.base import BackupSource, newest
from checks.evidence import Answers, Failure, Need, NotDeclared, Probe, Request, Source, Unparsable
from checks.model import Context, Subject

T = TypeVar("T")

KIND = "aws-backup"
_MEGABYTE = 1_048_576


def _probe(name: str, right: str, title: str, limit: int = _MEGABYTE) -> Probe:
    return Probe(
        id=f"backup.aws-{name}",
        title=f"{title} ({right})",
        source=Source.S3,
        timeout=60,
        limit=limit,
    )


POINTS = _probe(
    "points",
    "backup:ListRecoveryPointsByResource, backup:ListRecoveryPointsByBackupVault",
    "recovery points of AWS Backup",
    64 * _MEGABYTE,
)
VAULTS = _probe("vaults", "backup:DescribeBackupVault", "locks of the vaults of AWS Backup")
JOBS = _probe("jobs", "backup:ListBackupJobs", "jobs of AWS Backup", 16 * _MEGABYTE)
COPIES = _probe("copies", "backup:ListCopyJobs", "copies of AWS Backup to other vaults")
RESTORES = _probe("restores", "backup:ListRestoreJobs", "restores and their validation")

_STATES = {
    "COMPLETED": PointState.OK,
    "AVAILABLE": PointState.OK,
    "CREATING": PointState.RUNNING,
}
"""Every other state (PARTIAL, EXPIRED, STOPPED, DELETING) is no copy to rely on."""
_RUNNING_JOBS = frozenset({"CREATED", "PENDING", "RUNNING", "ABORTING"})
_BAD_JOBS = frozenset({"ABORTED", "FAILED", "EXPIRED", "PARTIAL"})
_BAD_VALIDATIONS = frozenset({"FAILED", "TIMED_OUT"})


def requests(subject: Subject) -> list[Request]:
    """The recovery points; beside them vault locks, jobs, copies and restores."""
    backup = subject.the_backup
    for key in ("bucket", "name"):
        if not getattr(backup, key):
            raise NotDeclared(f"backup set {backup.system}/{backup.id}: {key}")

    def ask(probe: Probe, need: Need = Need.OPTIONAL) -> Request:
        operation = probe.id.removeprefix("backup.")
        return probe.request(backup.bucket, need, operation=operation, name=backup.name)

    return [ask(POINTS, Need.REQUIRED), *(ask(p) for p in (VAULTS, JOBS, COPIES, RESTORES))]


def read(context: Context, answers: Answers) -> BackupSeries:
    """Recovery points of one resource as a series; each vault is a repository."""
    backup = context.subject.the_backup
    listed, capped = read_lines(answers.one(POINTS.id), Point)
    whole = _merged(listed)
    own = [p for p in whole if not p.parent_recovery_point_arn]
    resource = _one_resource(own, backup.name)
    vaults = {v.backup_vault_name: v for v in _side(answers, VAULTS, Vault)}
    arns = {p.recovery_point_arn: p for p in own}
    copies = [c for c in _side(answers, COPIES, CopyJob) if _is_of(c.resource_arn, resource)]
    snapshots = [p for p in own if not _continuous(p)]
    if own and not snapshots:
        raise Unparsable(
            "only a continuous recovery point is there: AWS Backup does not tell to which time it "
            "restores (rds:DescribeDBInstances tells it of a database); make snapshots too"
        )
    made = [_point(p, vaults, context.now) for p in snapshots]
    jobs = [j for j in _side(answers, JOBS, Job) if _is_of(j.resource_arn, resource)]
    kept, older = newest([*made, *_jobs(jobs, arns), *_copied(copies, arns)])
    # Children and jobs of other resources share no name: all of a set are like with like.
    alike = [msgspec.structs.replace(p, group=resource) for p in kept]
    return BackupSeries(
        asset=backup.id,
        source=KIND,
        points=in_order(alike),
        listing=Listing(
            truncated=bool(capped),
            total=len(whole),
            ignored=len(whole) - len(snapshots),
            older=older,
            notes=("continuous",) if len(snapshots) < len(own) else (),
        ),
        repositories=vault_places(snapshots, vaults, copies, _failures(answers), context.now),
        proofs=tuple(_proofs(_side(answers, RESTORES, RestoreJob), resource, set(arns))),
        scheduled=_scheduled(snapshots),
    )


SOURCE = BackupSource(kind=KIND, requests=requests, read=read)


def _side(answers: Answers, probe: Probe, kind: type[T]) -> list[T]:
    """What stands beside the points; a broken answer tells of nothing."""
    evidence = answers.get(probe.id)
    if evidence is None:
        return []
    try:
        return read_lines(evidence, kind)[0]
    except Unparsable:
        return []


def _failures(answers: Answers) -> dict[str, Failure]:
    """Which side requests failed, by their operation's last word."""
    return {e.probe.removeprefix("backup.aws-"): e.failure for e in answers.failures() if e.failure}


def _merged(listed: Iterable[Point]) -> list[Point]:
    """Each recovery point once: what a vault tells of it is more than what the resource tells."""
    found: dict[str, Point] = {}
    for point in listed:
        known = found.get(point.recovery_point_arn)
        if known is None or known.is_encrypted is None:
            found[point.recovery_point_arn] = point
    return list(found.values())


def _one_resource(points: Iterable[Point], name: str) -> str:
    """The resource whose points these are.

    Raises:
        Unparsable: a vault of several resources: its newest point may be another system's.
    """
    if name.startswith("arn:"):
        return name
    found = sorted({p.resource_arn for p in points if p.resource_arn})
    if len(found) > 1:
        raise Unparsable(
            f"vault {name} holds {len(found)} resources; give the ARN of one as name: {found[0]}"
        )
    return found[0] if found else ""


def _is_of(arn: str, resource: str) -> bool:
    return bool(resource) and arn == resource


def _continuous(point: Point) -> bool:
    """Whether a point is a log that grows, whose creation says nothing of its newest data."""
    return ":recovery-point:continuous" in point.recovery_point_arn


def _point(point: Point, vaults: Mapping[str, Vault], now: dt.datetime) -> BackupPoint:
    state = _STATES.get(point.status, PointState.INVALID)
    vault = vaults.get(point.backup_vault_name)
    return BackupPoint(
        id=point.recovery_point_arn,
        start=point.creation_date,
        end=point.completion_date,
        # Several services report no size at all, as 0.
        size=point.backup_size_in_bytes or None,
        state=state,
        origin=Origin.TOOL,
        clock="store",
        name=point.recovery_point_arn.rpartition(":")[2],
        notes=() if state is not PointState.INVALID else (f"status_{point.status.lower()}",),
        kind=PointKind.FULL,
        repository=point.backup_vault_name,
        encrypted=True if point.encryption_key_arn else point.is_encrypted,
        locked_until=lock_end(point, vault, now) if vault is not None else None,
    )


def _jobs(jobs: Iterable[Job], points: Mapping[str, Point]) -> Iterator[BackupPoint]:
    """Jobs that left no point: running, failed, or never started in their window (EXPIRED)."""
    for job in jobs:
        if job.parent_job_id or job.recovery_point_arn in points:
            continue
        if job.state in _RUNNING_JOBS or job.state in _BAD_JOBS:
            running = job.state in _RUNNING_JOBS
            note = "never_started" if job.state == "EXPIRED" else f"job_{job.state.lower()}"
            yield BackupPoint(
                id=f"job:{job.backup_job_id}",
                start=job.creation_date,
                end=None if running else job.completion_date,
                state=PointState.RUNNING if running else PointState.INVALID,
                origin=Origin.TOOL,
                clock="store",
                name=job.backup_job_id,
                notes=() if running else (note,),
                repository=job.backup_vault_name,
            )


def _copied(copies: Iterable[CopyJob], points: Mapping[str, Point]) -> Iterator[BackupPoint]:
    """Finished copies, of the time of the data they copied; one whose source is gone tells none."""
    for copy in copies:
        source = points.get(copy.source_recovery_point_arn)
        if copy.state == "COMPLETED" and source is not None and not copy.parent_job_id:
            yield BackupPoint(
                id=copy.destination_recovery_point_arn or f"copy:{copy.copy_job_id}",
                start=source.creation_date,
                end=copy.completion_date,
                size=copy.backup_size_in_bytes or None,
                origin=Origin.TOOL,
                clock="store",
                name=copy.copy_job_id,
                kind=PointKind.FULL,
                repository=copy.destination_backup_vault_arn,
            )


def _proofs(jobs: Iterable[RestoreJob], resource: str, points: set[str]) -> Iterator[Proof]:
    """Restores that ended; one that is still being validated proves nothing yet."""
    for job in jobs:
        own = job.source_resource_arn == resource or job.recovery_point_arn in points
        ended = job.completion_date or job.creation_date
        if not own or job.parent_job_id or job.validation_status == "VALIDATING":
            continue
        if job.status not in ("COMPLETED", "FAILED", "ABORTED"):
            continue
        ok = job.status == "COMPLETED" and job.validation_status not in _BAD_VALIDATIONS
        took = (ended - job.creation_date).total_seconds() if job.completion_date else None
        yield Proof(
            kind=ProofKind.RESTORE,
            time=ended,
            ok=ok,
            errors=0 if ok else 1,
            seconds=max(0.0, took) if took is not None else None,
            name=job.restore_job_id,
        )


def _scheduled(points: Iterable[Point]) -> bool | None:
    """Whether a backup plan made the newest point; who made others is not looked at."""
    latest = max(points, key=lambda p: p.creation_date, default=None)
    by_plan = latest is not None and latest.created_by is not None and latest.created_by.plan
    return True if by_plan else None
