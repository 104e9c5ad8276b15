"""Whatever keeps a listing from being read, of any kind: unknown, and what is missing is named."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import boto3
import msgspec
import pytest
from botocore.stub import Stubber

from checks.backup.sources import (
    bacula,
    barman,
    borg,
    borgmatic,
    pgbackrest,
    rclone,
    restic,
)
from checks.backup.sources.registry import SERIES, SOURCES
from checks.evidence import Evidence, Failure, FailureKind, NotDeclared
from checks.model import Status
from inventory.model import BackupSet, Bucket
from scanner.transports.s3 import S3Transport
from tests.helpers.backup_refused import Machine, Said, recording, rows_of
from tests.helpers.backup_series import DAY
from tests.helpers.backup_tools import TAKEN, backup, subject

AUTH, DENIED = FailureKind.AUTH, FailureKind.DENIED
FAILED, MISSING = FailureKind.COMMAND_FAILED, FailureKind.MISSING_TOOL
ARN = "arn:aws:rds:ap-southeast-1:123456789012:db:one"


class Tool(NamedTuple):
    """A set of a kind, and the program that lists it."""

    program: str
    keys: dict[str, Any]


TOOLS = {
    "restic": Tool("restic", {"repository": "/srv/backup/restic"}),
    "borg": Tool("borg", {"repository": "/srv/backup/borg"}),
    "borgmatic": Tool("borgmatic", {"repository": "/srv/backup/borg"}),
    "duplicity": Tool("duplicity", {"repository": "sftp://b@store.example.vn/r"}),
    "rclone": Tool("rclone", {"repository": "store:db"}),
    "pgbackrest": Tool("pgbackrest", {"name": "main"}),
    "barman": Tool("barman", {"name": "main"}),
    "postgresql": Tool("psql", {"name": "postgres"}),
    "bacula": Tool("bconsole", {"name": "motcua-db"}),
    "kopia": Tool("kopia", {}),
    "wal-g": Tool("wal-g", {}),
    "proxmox": Tool("proxmox-backup-client", {"repository": "a@pbs!t@pbs1:main"}),
}
FOLDERS: dict[str, dict[str, Any]] = {
    "directory": {"path": "/srv/sauro-none/*.dump"},
    "duplicity": {"repository": "/srv/sauro-none"},
    "mariadb-backup": {"path": "/srv/sauro-none"},
    "postgresql": {"path": "/srv/sauro-none"},
}
EXPORTS = ("veeam", "windows-backup", "proxmox", "register")
STORES = ("s3", "aws-backup")


def of_tool(kind: str, **more: Any) -> BackupSet:
    return backup(kind, **(TOOLS[kind].keys | more))


def check(promised: BackupSet, found: list[Evidence], why: FailureKind, *words: str) -> None:
    rows = rows_of(promised, found, **_buckets(promised))
    assert len(rows) > 8
    for row in rows.values():
        assert row.status is Status.UNKNOWN, row.check
        assert row.failure is not None
        assert row.failure.kind is why, row.failure
        for word in words:
            assert word in row.failure.detail, row.failure


def _buckets(promised: BackupSet) -> dict[str, Bucket]:
    if not promised.bucket:
        return {}
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}
    endpoint = "http://127.0.0.1:9" if promised.kind == "s3" else ""
    return {"b": Bucket(id="b", unit="u", bucket="copies", endpoint=endpoint, **keys)}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_every_kind_is_here() -> None:
    known = {*TOOLS, *FOLDERS, *EXPORTS, *STORES}
    assert known == set(SOURCES)
    assert {kind for kind, _, _, _ in ANSWERS} == set(TOOLS)


# ---------------------------------------------------------------------------------- the programs


@pytest.mark.parametrize("kind", TOOLS)
def test_a_program_that_is_not_there(kind: str, machine: Machine) -> None:
    promised = of_tool(kind)
    check(promised, machine.visit(promised), MISSING, TOOLS[kind].program)


def _recorded(
    kind: str, probe: str, versions: tuple[str, ...], cases: dict[str, tuple[FailureKind, str]]
) -> Iterator[tuple[str, Said, FailureKind, str]]:
    for version in versions:
        for case, (why, words) in cases.items():
            yield kind, recording(probe, f"{version}{case}"), why, words


# Recorded from the real tools, except where it says otherwise.
ANSWERS: list[tuple[str, Said, FailureKind, str]] = [
    *_recorded(
        "restic",
        restic.SNAPSHOTS.id,
        ("0.14-", "0.18-", "0.19-"),
        {
            "wrong-password": (AUTH, "the password of the restic repository is wrong"),
            "no-password": (AUTH, "the password of the restic repository"),
            "no-password-file": (AUTH, "/srv/none does not exist"),
            "no-repository": (FAILED, "/srv/backup/nothing/config"),
            "denied": (DENIED, "/srv/backup/closed"),
        },
    ),
    *_recorded(
        "borg",
        borg.ARCHIVES.id,
        ("1.2-", "1.4-"),
        {
            "wrong-password": (AUTH, "the passphrase of the Borg repository is wrong"),
            "no-password": (AUTH, "the passphrase of the Borg repository"),
            "no-password-file": (AUTH, "the passphrase file of the Borg repository"),
            "no-key": (AUTH, "the key file of the Borg repository"),
            "no-repository": (FAILED, "/srv/backup/nothing does not exist"),
            "not-a-repository": (FAILED, "/srv/backup/empty is not a valid repository"),
            "denied": (DENIED, "/srv/backup/closed/config"),
            "ssh-refused": (AUTH, "nobody@store"),
            "no-borg-there": (MISSING, "borg"),
            # Asked with --bypass-lock, which a forced command of the other side may leave out.
            "lock-held": (FAILED, "lock.exclusive"),
        },
    ),
    *_recorded(
        "borgmatic",
        borgmatic.ARCHIVES.id,
        ("1.7-", "2.1-"),
        {
            "wrong-password": (AUTH, "passphrase of the repository in borgmatic"),
            "no-repository": (FAILED, "/srv/backup/nothing"),
            "no-config": (FAILED, "not found in configuration files"),
            "no-borg": (MISSING, "borg"),
            "denied": (DENIED, "/srv/backup/closed/config"),
        },
    ),
    *_recorded(
        "rclone",
        rclone.FILES.id,
        ("1.60-",),
        {
            "wrong-password": (AUTH, "the password of rclone's configuration"),
            "no-password": (AUTH, "the password of rclone's configuration"),
            "no-remote": (FAILED, "gone:nothing"),
            "no-folder": (FAILED, "directory not found"),
        },
    ),
    *_recorded(
        "pgbackrest",
        pgbackrest.INFO.id,
        ("",),
        {
            "no-configuration": (FAILED, "/etc/none/pgbackrest.conf"),
            "no-password": (AUTH, "repo2-cipher-pass"),
            "denied": (DENIED, "/srv/pgbackrest/repo1/backup"),
            "unknown-stanza": (FAILED, "no stanza main"),
        },
    ),
    *_recorded(
        "barman",
        barman.LISTING.id,
        ("",),
        {
            "unknown-server": (FAILED, "Unknown server"),
            "no-configuration": (FAILED, "/etc/none/barman.conf"),
            "other-account": (DENIED, "run barman as 'postgres' user"),
        },
    ),
    *_recorded(
        "bacula",
        bacula.JOBS.id,
        ("",),
        {
            "no-configuration": (FAILED, "/srv/bacula/absent.conf"),
            "wrong-password": (AUTH, "name or password in its configuration"),
            "no-director": (FAILED, "reached no Director"),
            "blind": (DENIED, "CommandACL: llist"),
            "narrow": (DENIED, "JobACL: motcua-db"),
        },
    ),
    # In the words of the tools' sources or manuals.
    (
        "duplicity",
        Said(b"BackendException: ssh connection failed: Authentication failed.\n", 23),
        AUTH,
        "the password or key of the place where the copies lie",
    ),
    ("duplicity", Said(b"b@store: Permission denied (publickey).\n", 50), AUTH, "b@store"),
    ("postgresql", Said(b"psql: error: fe_sendauth: no password supplied\n", 2), AUTH, "login"),
    (
        "postgresql",
        Said(b'psql: error: FATAL:  Peer authentication failed for user "x"\n', 2),
        AUTH,
        "right to read pg_stat_archiver",
    ),
    (
        "postgresql",
        Said(b"ERROR:  permission denied for view pg_stat_archiver\n", 1),
        DENIED,
        "pg_stat_archiver",
    ),
    ("kopia", Said(b"ERROR invalid repository password\n"), AUTH, "password of the kopia"),
    ("kopia", Said(b"ERROR repository is not connected\n"), FAILED, "not connected"),
    ("wal-g", Said(b"ERROR: AccessDenied: status code: 403\n"), DENIED, "right to list WAL-G's"),
    ("wal-g", Said(b"ERROR: InvalidAccessKeyId: 403\n"), AUTH, "access key of WAL-G's storage"),
    (
        "wal-g",
        Said(b"ERROR: Failed to find any configured storage\n"),
        FAILED,
        "configured storage",
    ),
    (
        "proxmox",
        Said(b"Error: authentication failed - invalid credentials?\n", 255),
        AUTH,
        "password or token",
    ),
    ("proxmox", Said(b"Error: permission check failed.\n", 255), DENIED, "DatastoreAudit"),
    ("proxmox", Said(b"Error: error trying to connect\n", 255), FAILED, "trying to connect"),
]


@pytest.mark.parametrize(("kind", "said", "why", "words"), ANSWERS)
def test_a_program_that_says_why(
    kind: str, said: Said, why: FailureKind, words: str, machine: Machine
) -> None:
    promised = of_tool(kind)
    machine.add(TOOLS[kind].program, said)
    check(promised, machine.visit(promised), why, words)


def test_a_job_that_the_director_does_not_know(machine: Machine) -> None:
    promised = of_tool("bacula", name="no-such-job")
    machine.add("bconsole", recording(bacula.JOBS.id, "unknown-job"))
    check(promised, machine.visit(promised), FAILED, "no job no-such-job", "JobACL")


def test_a_second_repository_whose_password_is_wrong(machine: Machine) -> None:
    promised = of_tool("pgbackrest", repository="2")
    machine.add("pgbackrest", recording(pgbackrest.INFO.id, "wrong-password"))
    check(promised, machine.visit(promised), AUTH, "repo2-cipher-pass")


@pytest.mark.parametrize("kind", TOOLS)
@pytest.mark.parametrize("stdout", [b"", b"Segmentation fault\n", b"[{", b"\x00\xff"])
def test_a_program_that_says_nothing_that_can_be_read(
    kind: str, stdout: bytes, machine: Machine
) -> None:
    promised = of_tool(kind)
    machine.add(TOOLS[kind].program, Said(stdout=stdout, code=0))
    for row in rows_of(promised, machine.visit(promised)).values():
        assert row.status is Status.UNKNOWN, row.check
        assert row.failure is not None
        assert row.failure.kind in (FailureKind.UNPARSABLE, FAILED)


def _accepts(kind: str, **keys: str) -> bool:
    try:
        return bool(SERIES.requests(subject(of_tool(kind, **keys))))
    except NotDeclared:
        return False


@pytest.mark.parametrize("kind", [k for k in TOOLS if _accepts(k, run_as="root")])
def test_an_account_that_sudo_does_not_allow(kind: str, machine: Machine) -> None:
    promised = of_tool(kind, run_as="sauro-no-such-account")
    machine.add(TOOLS[kind].program, Said(code=0, stdout=b"[]"))
    check(promised, machine.visit(promised), DENIED, "sudo -u sauro-no-such-account")


WITH_PASSWORD = [k for k in TOOLS if _accepts(k, password="env:SAURO_P")]  # noqa: S106 - a reference


def test_which_kinds_take_a_password() -> None:
    assert {"restic", "borg", "rclone", "pgbackrest", "kopia", "proxmox"} < {*WITH_PASSWORD}


@pytest.mark.parametrize("kind", WITH_PASSWORD)
def test_a_password_that_nobody_set(kind: str, machine: Machine) -> None:
    promised = of_tool(kind, password="env:SAURO_P")  # noqa: S106 - a reference
    machine.add(TOOLS[kind].program, Said(code=0, stdout=b"[]"))
    check(promised, machine.visit(promised, {}), AUTH, "env:SAURO_P")


# -------------------------------------------------------------------------- folders, files, stores


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_not_there(kind: str, machine: Machine) -> None:
    promised = backup(kind, **FOLDERS[kind])
    check(promised, machine.visit(promised), FAILED, "/srv/sauro-none")


def exported(kind: str) -> BackupSet:
    return backup(kind, server="", path="copies/export.json")


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_that_is_not_there(kind: str, machine: Machine) -> None:
    promised = exported(kind)
    check(promised, machine.visit(promised), FAILED, "copies/export.json")


@pytest.mark.parametrize("kind", [k for k in EXPORTS if k != "register"])
def test_an_export_that_is_too_old_to_show_the_newest(kind: str, machine: Machine) -> None:
    # A register is no export: where nobody wrote a row, nobody made a copy.
    promised = exported(kind)
    path = machine.folder / promised.path
    path.parent.mkdir()
    path.write_text("[]")
    then = (TAKEN - 40 * DAY).timestamp()
    os.utime(path, (then, then))
    check(promised, machine.visit(promised), FailureKind.STALE, "copies/export.json")


S3_ERRORS = [
    ("AccessDenied", 403, DENIED, "s3:ListBucket"),
    ("InvalidAccessKeyId", 403, AUTH, "access key is refused"),
    ("SignatureDoesNotMatch", 403, AUTH, "access key is refused"),
    ("ExpiredToken", 400, AUTH, "access key is refused"),
    ("NoSuchBucket", 404, FAILED, "bucket copies"),
    ("NotImplemented", 501, MISSING, "does not offer this listing"),
    ("SlowDown", 503, FailureKind.TIMEOUT, "too busy"),
]
AWS_ERRORS = [
    ("AccessDeniedException", 403, DENIED, "backup:ListRecoveryPointsByResource"),
    ("UnrecognizedClientException", 403, AUTH, "access key is refused"),
    ("ServiceUnavailableException", 500, FailureKind.TIMEOUT, "too busy"),
]


def of_store(kind: str) -> BackupSet:
    more = {"name": ARN} if kind == "aws-backup" else {"path": "pg/"}
    return backup(kind, server="", bucket="b", **more)


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        *(("s3", error) for error in S3_ERRORS),
        *(("aws-backup", error) for error in AWS_ERRORS),
    ],
)
def test_a_store_that_refuses(
    kind: str,
    error: tuple[str, int, FailureKind, str],
    machine: Machine,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, status, why, words = error
    promised = of_store(kind)
    service = {"s3": "s3", "aws-backup": "backup"}[kind]
    method = {"s3": "list_objects_v2", "aws-backup": "list_recovery_points_by_resource"}[kind]
    client = boto3.client(
        service,
        region_name="ap-southeast-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106 - a made-up key
    )
    monkeypatch.setattr(S3Transport, "_client", lambda *_: client)
    with Stubber(client) as stub:
        stub.add_client_error(method, code, http_status_code=status)
        found = machine.visit(promised, None, **_buckets(promised))
    check(promised, found, why, words)


@pytest.mark.parametrize("kind", STORES)
def test_a_store_without_its_key(
    kind: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("S3_KEY", raising=False)
    promised = of_store(kind)
    check(promised, machine.visit(promised, None, **_buckets(promised)), AUTH, "env:S3_KEY")


def test_a_store_that_does_not_answer(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3_KEY", "a")
    monkeypatch.setenv("S3_SECRET", "b")
    promised = of_store("s3")
    found = machine.visit(promised, None, **_buckets(promised))
    check(promised, found, FailureKind.UNREACHABLE, "127.0.0.1:9")


# ------------------------------------------------------------------------------------- every kind


def _any(kind: str) -> BackupSet:
    if kind in TOOLS:
        return of_tool(kind)
    if kind in FOLDERS:
        return backup(kind, **FOLDERS[kind])
    return exported(kind) if kind in EXPORTS else of_store(kind)


@pytest.mark.parametrize("kind", SOURCES)
@pytest.mark.parametrize("why", FailureKind)
def test_a_visit_that_failed(kind: str, why: FailureKind) -> None:
    promised = _any(kind)
    lost = Failure(kind=why, detail="what is missing")
    requests = SERIES.requests(subject(promised, buckets=_buckets(promised)))
    found = [
        Evidence(probe=r.probe, target=r.target, key=r.key, taken=TAKEN, failure=lost)
        for r in requests
    ]
    check(promised, found, why, "what is missing")


def test_a_lock_that_somebody_holds_keeps_nothing_from_being_listed(machine: Machine) -> None:
    for program, said in (
        ("borg", recording(borg.ARCHIVES.id, "1.4-locked")),
        ("restic", recording(restic.SNAPSHOTS.id, "0.19-none")),
    ):
        machine.add(program, said)
    for kind in ("borg", "restic"):
        rows = rows_of(of_tool(kind), machine.visit(of_tool(kind)))
        assert rows["backup.recent"].status is not Status.UNKNOWN, msgspec.to_builtins(rows)
