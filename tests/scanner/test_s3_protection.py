"""Operations `protection`, `locks` and `markers` of the S3 transport, on moto and worse stores."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from checks.backup.series import BackupSeries, Repository
from checks.backup.sources.registry import SERIES
from checks.backup.sources.s3 import LOCKS, MARKERS, OBJECTS, PROTECTION
from checks.backup.sources.s3_answers import RIGHTS
from checks.evidence import Answers, Evidence, FailureKind, Request
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Bucket, Inventory, System, Unit, UnitKind
from scanner.transports.s3 import S3Transport
from tests.helpers import stores
from tests.helpers.backup_series import NOW, UTC
from tests.helpers.web import Reply, send, web

EVERYBODY = "http://acs.amazonaws.com/groups/global/AllUsers"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("S3_KEY", stores.KEY)
    monkeypatch.setenv("S3_SECRET", stores.SECRET)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def hostile() -> Iterator[Callable[[Reply], str]]:
    with web() as start:
        yield start


def made(endpoint: str, name: str, **more: Any) -> Any:
    admin = stores.client(endpoint)
    admin.create_bucket(Bucket=name, **more)
    return admin


def subject(endpoint: str, name: str, path: str = "db") -> Subject:
    backup = BackupSet(id="db", system="s", kind="s3", bucket="b", path=path, every="1d")
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}
    bucket = Bucket(id="b", unit="u", bucket=name, endpoint=endpoint, **keys)
    return Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(buckets={"b": bucket}),
        unit=Unit(id="u", name="U", kind=UnitKind.WARD),
        target="b",
        name="db",
        system=System(id="s", unit="u", name="S", owner="u", backups=(backup,)),
        backup=backup,
    )


def visit(
    endpoint: str, name: str, requests: list[Request] | None = None, path: str = "db"
) -> dict[str, Evidence]:
    """The evidence of one visit by probe; by default of everything that a set asks."""
    asked = subject(endpoint, name, path)
    bucket = asked.inventory.buckets["b"]
    transport = S3Transport(bucket, clock=lambda: NOW, timeout=20, project=Path())
    found = transport.collect(SERIES.requests(asked) if requests is None else requests)
    return {e.probe: e for e in found}


def series(endpoint: str, name: str, path: str = "db") -> BackupSeries:
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject(endpoint, name, path))
    return SERIES.parse(context, Answers(visit(endpoint, name, path=path).values()))


def place(endpoint: str, name: str) -> Repository:
    (only,) = series(endpoint, name).repositories
    return only


def lines(evidence: Evidence) -> list[dict[str, Any]]:
    assert evidence.failure is None, evidence.failure
    return [json.loads(line) for line in bytes(evidence.stdout).splitlines()]


# ------------------------------------------------------------------------- moto, the whole matrix


def test_every_question_has_a_line(moto: str) -> None:
    made(moto, "asked")
    *told, end = lines(visit(moto, "asked")[PROTECTION.id])
    assert [line["ask"] for line in told] == list(RIGHTS)
    assert end == {"total": len(RIGHTS), "bytes": 0, "pages": len(RIGHTS), "capped": ""}
    by = {line["ask"]: line for line in told}
    assert by["lock"]["code"] == "ObjectLockConfigurationNotFoundError"
    assert "Versioning" in by["versioning"]["root"]
    assert by["acl"]["value"][0]["permission"] == "FULL_CONTROL"
    # Whose bucket it is, is nobody's business.
    owner = stores.client(moto).get_bucket_acl(Bucket="asked")["Owner"]["ID"]
    assert owner.encode() not in bytes(visit(moto, "asked")[PROTECTION.id].stdout)


def test_a_bucket_with_every_protection(moto: str) -> None:
    admin = made(moto, "all", ObjectLockEnabledForBucket=True)
    rule = {"DefaultRetention": {"Mode": "COMPLIANCE", "Days": 30}}
    admin.put_object_lock_configuration(
        Bucket="all", ObjectLockConfiguration={"ObjectLockEnabled": "Enabled", "Rule": rule}
    )
    sse = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    admin.put_bucket_encryption(Bucket="all", ServerSideEncryptionConfiguration={"Rules": [sse]})
    shut = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
    admin.put_public_access_block(
        Bucket="all", PublicAccessBlockConfiguration=dict.fromkeys(shut, True)
    )
    made(moto, "second")
    for name in ("all", "second"):
        admin.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    sent = {
        "ID": "r",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::second"},
    }
    role = "arn:aws:iam::123456789012:role/r"
    admin.put_bucket_replication(
        Bucket="all", ReplicationConfiguration={"Role": role, "Rules": [sent]}
    )
    admin.put_object(Bucket="all", Key="db/a", Body=b"x")
    found = place(moto, "all")
    assert (found.versioned, found.immutable, found.immutable_days) == (True, True, 30)
    assert (found.encrypted, found.public, found.deletable) == (True, False, False)
    assert "second" in found.unseen["replicated"].detail
    assert "replication_rule" in found.notes


def test_rights_that_open_a_bucket(moto: str) -> None:
    admin = made(moto, "granted")
    admin.put_bucket_acl(Bucket="granted", ACL="public-read-write")
    found = place(moto, "granted")
    assert (found.public, found.notes) == (True, ("acl_public",))


def test_lifecycle_rules_reach_the_prefix(moto: str) -> None:
    admin = made(moto, "aged")
    older = {"NoncurrentVersionExpiration": {"NoncurrentDays": 3}}
    first = {"ID": "a", "Status": "Enabled", "Filter": {"Prefix": "db/"}, "Expiration": {"Days": 7}}
    admin.put_bucket_lifecycle_configuration(
        Bucket="aged", LifecycleConfiguration={"Rules": [first | older]}
    )
    assert place(moto, "aged").expires_days == 7


def test_copies_under_delete_markers_over_many_pages(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin = made(moto, "deleted")
    admin.put_bucket_versioning(Bucket="deleted", VersioningConfiguration={"Status": "Enabled"})
    for n in range(15):
        admin.put_object(Bucket="deleted", Key=f"db/{n:02}", Body=b"x")
        admin.delete_object(Bucket="deleted", Key=f"db/{n:02}")
    admin.put_object(Bucket="deleted", Key="db/back", Body=b"x")
    admin.delete_object(Bucket="deleted", Key="db/back")
    admin.put_object(Bucket="deleted", Key="db/back", Body=b"x")
    admin.put_object(Bucket="deleted", Key="dbs/other", Body=b"x")
    admin.delete_object(Bucket="deleted", Key="dbs/other")
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "7")
    *told, end = lines(visit(moto, "deleted")[MARKERS.id])
    assert len(told) == 10
    assert end["capped"] == ""
    assert all(line["key"].startswith("db/") and line["key"] != "db/back" for line in told)
    assert "code" not in told[0]  # it locks nothing: no object is asked
    assert "delete_markers" in place(moto, "deleted").notes


def test_a_bucket_without_versions_is_not_listed_twice(moto: str) -> None:
    admin = made(moto, "once")
    admin.put_object(Bucket="once", Key="db/a", Body=b"x")
    assert lines(visit(moto, "once")[MARKERS.id])[-1]["total"] == 0


def test_locks_of_the_newest_copies_only(moto: str) -> None:
    admin = made(moto, "many-locks", ObjectLockEnabledForBucket=True)
    for n in range(12):
        admin.put_object(Bucket="many-locks", Key=f"db/{n:02}", Body=b"x")
    for other in ("db/x.md5", "db/y.part", "dbs/z"):
        admin.put_object(Bucket="many-locks", Key=other, Body=b"x")
    told = lines(visit(moto, "many-locks")[LOCKS.id])[:-1]
    assert sorted(line["key"] for line in told) == [f"db/{n:02}" for n in range(2, 12)]
    # moto answers 500 here, which is not known and no reason to call it unlocked.
    assert {line["code"] for line in told} == {"500"}
    assert place(moto, "many-locks").immutable is None


def test_locks_go_by_the_listing_of_the_same_visit(moto: str) -> None:
    made(moto, "alone", ObjectLockEnabledForBucket=True)
    request = LOCKS.request("b", operation="locks", prefix="db", folder="db", pattern="")
    found = visit(moto, "alone", [request])[LOCKS.id]
    assert found.failure is not None
    assert "listing" in found.failure.detail
    listed = OBJECTS.request("b", operation="list", prefix="db")
    assert visit(moto, "alone", [request, listed])[LOCKS.id].failure is None


def test_two_sets_of_one_bucket_ask_it_once() -> None:
    one, other = (SERIES.requests(subject("", "x", path)) for path in ("db", "files"))
    shared = {r.key for r in one} & {r.key for r in other}
    assert shared == {PROTECTION.request("b", operation="protection").key}


# ------------------------------------------------------------------------------- hostile stores


LISTING = (
    b"<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Name>b</Name>"
    b"<IsTruncated>false</IsTruncated><Contents><Key>db/a</Key><Size>9</Size>"
    b"<LastModified>2026-11-22T02:00:00.000Z</LastModified></Contents></ListBucketResult>"
)


def test_a_store_that_answers_all_with_a_listing_is_not_asked_for_objects(
    hostile: Callable[[Reply], str],
) -> None:
    asked: list[str] = []

    def reply(handler: BaseHTTPRequestHandler, _: int) -> None:
        asked.append(handler.path)
        send(handler, 200, LISTING)

    found = series(hostile(reply), "blind")
    assert len(found.points) == 1
    (where,) = found.repositories
    known = (where.versioned, where.immutable, where.encrypted, where.public, where.replicated)
    assert known == (None,) * 5
    assert not [path for path in asked if path.startswith("/blind/")]


def refusing(status: int, code: str) -> Reply:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode()

    def reply(handler: BaseHTTPRequestHandler, _: int) -> None:
        listed = "list-type" in handler.path
        send(handler, 200 if listed else status, LISTING if listed else body)

    return reply


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (403, "AccessDenied", FailureKind.DENIED),
        (501, "NotImplemented", FailureKind.MISSING_TOOL),
        (405, "MethodNotAllowed", FailureKind.MISSING_TOOL),
        (400, "InvalidRequest", FailureKind.COMMAND_FAILED),
    ],
)
def test_refusals_name_the_right_and_hide_no_object(
    hostile: Callable[[Reply], str], status: int, code: str, kind: FailureKind
) -> None:
    found = series(hostile(refusing(status, code)), "shut")
    assert len(found.points) == 1
    (where,) = found.repositories
    fields = {"versioned": "versioning", "immutable": "lock", "expires_days": "lifecycle"}
    for field, question in fields.items():
        assert getattr(where, field) is None
        assert where.unseen[field].kind is kind
        assert RIGHTS[question] in where.unseen[field].detail


def test_a_store_that_stops_answering_keeps_what_came(hostile: Callable[[Reply], str]) -> None:
    def reply(handler: BaseHTTPRequestHandler, _: int) -> None:
        if "list-type" in handler.path:
            send(handler, 200, LISTING)
        else:
            send(handler, 503, b"<Error><Code>SlowDown</Code></Error>")

    found = series(hostile(reply), "slow")
    assert len(found.points) == 1
    assert found.repositories[0].unseen["immutable"].kind is FailureKind.TIMEOUT


def test_versions_in_a_circle_end(hostile: Callable[[Reply], str]) -> None:
    version = (
        b"<Version><Key>db/a</Key><VersionId>1</VersionId><IsLatest>true</IsLatest><Size>1</Size>"
        b"<LastModified>2026-11-22T02:00:00.000Z</LastModified></Version>"
    )
    round_ = (
        b"<ListVersionsResult><IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker>"
        b"<NextVersionIdMarker>1</NextVersionIdMarker>" + version + b"</ListVersionsResult>"
    )
    status = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"

    def reply(handler: BaseHTTPRequestHandler, _: int) -> None:
        kinds = (("?versioning", status), ("?versions", round_), ("&versions", round_))
        send(handler, 200, next((b for k, b in kinds if k in handler.path), LISTING))

    found = visit(hostile(reply), "round")[MARKERS.id]
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNPARSABLE


def test_deleted_copies_are_seen_without_the_right_to_see_versioning(
    hostile: Callable[[Reply], str],
) -> None:
    stamp = b"<LastModified>2026-11-22T02:00:00.000Z</LastModified>"
    listed = (
        b"<ListVersionsResult><IsTruncated>false</IsTruncated>"
        b"<DeleteMarker><Key>db/a</Key><VersionId>2</VersionId><IsLatest>true</IsLatest>" + stamp
    )
    listed += b"</DeleteMarker><Version><Key>db/a</Key><VersionId>1</VersionId><Size>1</Size>"
    listed += b"<IsLatest>false</IsLatest>" + stamp + b"</Version></ListVersionsResult>"
    denied = b"<Error><Code>AccessDenied</Code></Error>"

    def reply(handler: BaseHTTPRequestHandler, _: int) -> None:
        versions = "versions" in handler.path
        plain = "list-type" in handler.path
        send(handler, 200 if versions or plain else 403, listed if versions else denied)

    *told, _ = lines(visit(hostile(reply), "kept")[MARKERS.id])
    assert [line["key"] for line in told] == ["db/a"]
