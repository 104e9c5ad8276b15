from __future__ import annotations

import datetime as dt
import json
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest
from moto.server import ThreadedMotoServer

from checks.backup.sources.registry import SERIES
from checks.backup.sources.s3 import OBJECTS, UPLOADS
from checks.evidence import Answers, Evidence, FailureKind, Request
from checks.model import Context, Scope, Subject
from inventory.model import BackupSet, Bucket, Inventory, System, Unit, UnitKind
from scanner.transports import s3, s3_fast
from scanner.transports.s3 import S3Transport
from scanner.transports.wire import Spool
from tests.helpers.backup_series import NOW, UTC
from tests.helpers.web import Reply, send, web

SECRET = "wJalrXUtnFEMI-never-shown"  # noqa: S105 - a made-up key


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No credentials, settings or metadata service of this machine."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("S3_KEY", "AKIDEXAMPLE")
    monkeypatch.setenv("S3_SECRET", SECRET)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def filled(endpoint: str, name: str, keys: dict[str, bytes]) -> Any:
    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",  # noqa: S106
    )
    client.create_bucket(Bucket=name)
    for key, body in keys.items():
        client.put_object(Bucket=name, Key=key, Body=body)
    return client


def bucket(endpoint: str, name: str = "backups", **more: Any) -> Bucket:
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"}
    return Bucket(**{"id": "b", "unit": "u", "bucket": name, "endpoint": endpoint, **keys, **more})


def transport(where: Bucket, timeout: float = 20.0, project: Path = Path()) -> S3Transport:
    return S3Transport(where, clock=lambda: NOW, timeout=timeout, project=project)


def objects(prefix: str = "", **more: Any) -> Request:
    request = OBJECTS.request("b", operation="list", prefix=prefix)
    return msgspec.structs.replace(request, **more)


def uploads(prefix: str = "") -> Request:
    return UPLOADS.request("b", operation="uploads", prefix=prefix)


def lines(evidence: Evidence) -> list[dict[str, Any]]:
    assert evidence.failure is None, evidence.failure
    return [json.loads(line) for line in bytes(evidence.stdout).splitlines()]


def failure(evidence: Evidence) -> tuple[FailureKind, str]:
    assert evidence.failure is not None
    assert evidence.stdout == b""
    return evidence.failure.kind, evidence.failure.detail


# -------------------------------------------------------------------------------- a real S3 server


def test_objects_and_uploads_of_a_prefix(moto: str) -> None:
    client = filled(moto, "first", {"pg/é 1.dump": b"12345", "pg/2.dump": b"", "other": b"x"})
    client.create_multipart_upload(Bucket="first", Key="pg/3.dump")
    listed, unfinished = transport(bucket(moto, "first")).collect([objects("pg/"), uploads("pg/")])
    *found, end = lines(listed)
    assert {o["key"]: o["size"] for o in found} == {"pg/é 1.dump": 5, "pg/2.dump": 0}
    assert all(o["last_modified"].endswith("Z") and o["etag"] for o in found)
    assert list(found[0]) == ["key", "size", "last_modified", "storage_class", "etag"]
    assert end == {"total": 2, "bytes": 5, "pages": 1, "capped": ""}
    *running, end = lines(unfinished)
    assert [u["key"] for u in running] == ["pg/3.dump"]
    assert end["total"] == 1
    assert (listed.key, listed.target, listed.exit) == (objects("pg/").key, "b", 0)


def test_many_pages(moto: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "5")
    filled(moto, "many", {f"k{n:05}": b"x" for n in range(22)})
    (listed,) = transport(bucket(moto, "many")).collect([objects()])
    *found, end = lines(listed)
    assert len({o["key"] for o in found}) == 22
    assert end == {"total": 22, "bytes": 22, "pages": 5, "capped": ""}
    (cut,) = transport(bucket(moto, "many")).collect([objects(limit=1000)])
    *found, end = lines(cut)
    assert end["capped"] == "bytes"
    assert 0 < len(found) == end["total"] < 22
    assert len(bytes(cut.stdout)) <= 1000


def test_an_empty_bucket_is_an_answer_and_a_missing_one_is_none(moto: str) -> None:
    filled(moto, "empty", {})
    (listed,) = transport(bucket(moto, "empty")).collect([objects()])
    assert lines(listed) == [{"total": 0, "bytes": 0, "pages": 1, "capped": ""}]
    (absent,) = transport(bucket(moto, "absent")).collect([objects()])
    assert failure(absent)[0] is FailureKind.COMMAND_FAILED
    assert "no such bucket" in failure(absent)[1]


def test_listed_objects_become_a_series(moto: str) -> None:
    keys = {f"pg/db-2026112{n}T020000Z.dump": b"x" * 100 for n in range(3)}
    filled(moto, "series", keys | {"pg/db-20261122T020000Z.dump.md5": b"x", "pgx/other": b"x"})
    backup = BackupSet(id="db", system="s", kind="s3", bucket="b", path="pg", every="1d")
    unit = Unit(id="u", name="U", kind=UnitKind.WARD)
    system = System(id="s", unit="u", name="S", owner="u", backups=(backup,))
    subject = Subject(
        scope=Scope.BACKUP,
        inventory=Inventory(),
        unit=unit,
        target="b",
        name="db",
        system=system,
        backup=backup,
    )
    answers = Answers(transport(bucket(moto, "series")).collect(SERIES.requests(subject)))
    context = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    series = SERIES.parse(context, answers)
    assert [p.start.day for p in series.points] == [20, 21, 22]
    assert (series.listing.total, series.listing.ignored) == (5, 2)


# ------------------------------------------------------------------------------- keys and secrets


def test_a_profile_that_is_not_there_is_a_matter_of_login(moto: str) -> None:
    where = bucket(moto, access_key="", secret_key="", profile="nobody")
    assert failure(transport(where).collect([objects()])[0])[0] is FailureKind.AUTH


def test_a_profile_and_no_keys_at_all(moto: str, tmp_path: Path) -> None:
    filled(moto, "profiled", {"a": b"x"})
    (tmp_path / "credentials").write_text(
        "[hk]\naws_access_key_id = a\naws_secret_access_key = b\n", encoding="utf-8"
    )
    named = bucket(moto, "profiled", access_key="", secret_key="", profile="hk")
    assert len(lines(transport(named).collect([objects()])[0])) == 2
    bare = bucket(moto, "profiled", access_key="", secret_key="")
    assert failure(transport(bare).collect([objects()])[0])[0] is FailureKind.AUTH


def test_keys_from_files_and_commands(moto: str, tmp_path: Path) -> None:
    filled(moto, "referred", {"a": b"x"})
    (tmp_path / "key").write_text("AKID\n", encoding="utf-8")
    command = f"command:{sys.executable} -c \"print('secret')\""
    where = bucket(moto, "referred", access_key="file:key", secret_key=command)
    assert len(lines(transport(where, project=tmp_path).collect([objects()])[0])) == 2


@pytest.mark.parametrize(
    ("reference", "told"),
    [
        ("env:NOT_SET", "env:NOT_SET is not set"),
        ("file:absent", "cannot be read"),
        ("command:absent-program --token hidden", "command:absent-program cannot be run"),
        (f"command:{sys.executable} -c exit(3)", "exit code 3"),
        ("plain-text", "never itself"),
    ],
)
def test_a_reference_without_a_secret_says_why_and_shows_nothing(
    reference: str, told: str, tmp_path: Path
) -> None:
    where = bucket("http://127.0.0.1:9", secret_key=reference)
    kind, detail = failure(transport(where, project=tmp_path).collect([objects()])[0])
    assert kind is FailureKind.AUTH
    assert told in detail
    assert "hidden" not in detail
    assert "plain-text" not in detail


# ------------------------------------------------------------------------------ a hostile server


@pytest.fixture
def hostile() -> Iterator[Callable[[Reply], str]]:
    with web() as start:
        yield start


def error(status: int, code: str) -> Reply:
    message = f"<Message>{SECRET}</Message>"
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code>{message}</Error>".encode()
    return lambda handler, _: send(handler, status, body)


@pytest.mark.parametrize(
    ("status", "code", "kind", "told"),
    [
        (403, "AccessDenied", FailureKind.DENIED, "s3:ListBucket "),
        (403, "InvalidAccessKeyId", FailureKind.AUTH, "refused"),
        (403, "SignatureDoesNotMatch", FailureKind.AUTH, "refused"),
        (403, "RequestTimeTooSkewed", FailureKind.AUTH, "refused"),
        (404, "NoSuchBucket", FailureKind.COMMAND_FAILED, "no such bucket"),
        (501, "NotImplemented", FailureKind.MISSING_TOOL, "does not offer"),
        (400, "Weird\x1b[31m", FailureKind.COMMAND_FAILED, ""),
        (418, "Teapot", FailureKind.COMMAND_FAILED, "Teapot"),
    ],
)
def test_refusals(
    hostile: Callable[[Reply], str], status: int, code: str, kind: FailureKind, told: str
) -> None:
    (answer,) = transport(bucket(hostile(error(status, code)))).collect([objects()])
    found, detail = failure(answer)
    assert found is kind
    assert told in detail
    assert SECRET not in detail
    assert "\x1b" not in detail


def test_the_right_that_is_missing_is_that_of_the_request(hostile: Callable[[Reply], str]) -> None:
    both = transport(bucket(hostile(error(403, "AccessDenied")))).collect([objects(), uploads()])
    assert "s3:ListBucket " in failure(both[0])[1]
    assert "s3:ListBucketMultipartUploads " in failure(both[1])[1]


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", FailureKind.UNPARSABLE),
        (b"<html>login</html>", FailureKind.UNPARSABLE),
        (b"<ListBucketResult></ListBucketResult>", FailureKind.UNPARSABLE),
        # boto3 itself makes an error 500 of what is no XML at all.
        (b"\x00\xff\x00", FailureKind.COMMAND_FAILED),
        (b"{}", FailureKind.COMMAND_FAILED),
    ],
)
def test_answers_that_say_nothing_are_no_listing(
    hostile: Callable[[Reply], str], body: bytes, kind: FailureKind
) -> None:
    address = hostile(lambda handler, _: send(handler, 200, body))
    assert failure(transport(bucket(address)).collect([objects()])[0])[0] is kind


def page(contents: str, token: str = "") -> bytes:
    more = f"<NextContinuationToken>{token}</NextContinuationToken>" if token else ""
    cut = str(bool(token)).lower()
    return (
        "<?xml version='1.0' encoding='UTF-8'?>"
        "<ListBucketResult xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Name>b</Name>"
        f"<IsTruncated>{cut}</IsTruncated>{more}{contents}</ListBucketResult>"
    ).encode()


ENTRY = (
    "<Contents><Key>k{}</Key><LastModified>2026-11-22T02:00:00.000Z</LastModified>"
    "<Size>1</Size></Contents>"
)


def test_entries_without_their_fields_are_unparsable(hostile: Callable[[Reply], str]) -> None:
    body = page("<Contents><Key>k</Key></Contents>")
    address = hostile(lambda handler, _: send(handler, 200, body))
    kind, _ = failure(transport(bucket(address)).collect([objects()])[0])
    assert kind is FailureKind.UNPARSABLE


def test_pages_in_a_circle_end(hostile: Callable[[Reply], str]) -> None:
    address = hostile(lambda handler, _: send(handler, 200, page(ENTRY.format(1), "same")))
    kind, detail = failure(transport(bucket(address)).collect([objects()])[0])
    assert kind is FailureKind.UNPARSABLE
    assert "again" in detail


def test_empty_pages_without_end_end(hostile: Callable[[Reply], str]) -> None:
    address = hostile(lambda handler, n: send(handler, 200, page("", f"t{n}")))
    kind, _ = failure(transport(bucket(address)).collect([objects()])[0])
    assert kind is FailureKind.UNPARSABLE


def test_a_listing_that_takes_too_long_is_kept_and_said_to_be_cut(
    hostile: Callable[[Reply], str],
) -> None:
    def slow(handler: BaseHTTPRequestHandler, n: int) -> None:
        time.sleep(0.2)
        send(handler, 200, page(ENTRY.format(n), f"t{n}"))

    (answer,) = transport(bucket(hostile(slow)), timeout=30).collect([objects(timeout=0.5)])
    *found, end = lines(answer)
    assert end["capped"] == "time"
    assert found


def test_a_server_that_says_nothing_times_out_and_is_not_asked_twice(
    hostile: Callable[[Reply], str],
) -> None:
    asked = []
    done = threading.Event()

    def silent(handler: BaseHTTPRequestHandler, _: int) -> None:
        asked.append(handler.path)
        done.wait(20)

    both = transport(bucket(hostile(silent)), timeout=3).collect([objects(), uploads()])
    done.set()
    assert [failure(e)[0] for e in both] == [FailureKind.TIMEOUT] * 2
    assert not any("uploads" in path for path in asked)


def test_a_server_that_drips_cannot_hold_the_visit(hostile: Callable[[Reply], str]) -> None:
    done = threading.Event()

    def drip(handler: BaseHTTPRequestHandler, _: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "100000")
        handler.end_headers()
        while not done.wait(0.05):
            handler.wfile.write(b" ")

    (answer,) = transport(bucket(hostile(drip)), timeout=1.5).collect([objects()])
    done.set()
    assert failure(answer)[0] is FailureKind.TIMEOUT


def test_nobody_there() -> None:
    kind, detail = failure(transport(bucket("http://127.0.0.1:9")).collect([objects()])[0])
    assert kind is FailureKind.UNREACHABLE
    assert "http://127.0.0.1:9" in detail


def test_no_https_there(hostile: Callable[[Reply], str]) -> None:
    address = hostile(error(200, "")).replace("http:", "https:")
    kind, _ = failure(transport(bucket(address)).collect([objects()])[0])
    assert kind is FailureKind.HOST_KEY


def test_an_address_that_is_none_and_an_operation_that_is_none(
    hostile: Callable[[Reply], str],
) -> None:
    (odd,) = transport(bucket("not an address")).collect([objects()])
    assert failure(odd)[0] is FailureKind.COMMAND_FAILED
    address = hostile(lambda handler, _: send(handler, 200, page("")))
    unknown = OBJECTS.request("b", operation="drop")
    first, second = transport(bucket(address)).collect([unknown, objects()])
    assert failure(first)[0] is FailureKind.MISSING_TOOL
    assert second.failure is None


def test_a_million_objects_are_never_in_memory_at_once(
    hostile: Callable[[Reply], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spool holds what was written; nothing else grows with the number of pages."""
    most = 0

    class Small(Spool):
        def write(self, data: bytes) -> None:
            nonlocal most
            super().write(data)
            most = max(most, len(self._head))

    monkeypatch.setattr(s3, "Spool", lambda: Small(memory=10_000))
    entries = "".join(ENTRY.format(n) for n in range(200))

    def reply(handler: BaseHTTPRequestHandler, n: int) -> None:
        send(handler, 200, page(entries, f"t{n}" if n < 9 else ""))

    (answer,) = transport(bucket(hostile(reply))).collect([objects()])
    assert lines(answer)[-1]["total"] == 2000
    assert isinstance(answer.stdout, memoryview)
    assert most <= 10_000


def test_times_are_written_in_utc(hostile: Callable[[Reply], str]) -> None:
    body = page(ENTRY.format(1).replace("02:00:00.000Z", "09:00:00+07:00"))
    address = hostile(lambda handler, _: send(handler, 200, body))
    (answer,) = transport(bucket(address)).collect([objects()])
    stamped = dt.datetime.fromisoformat(lines(answer)[0]["last_modified"])
    assert stamped == dt.datetime(2026, 11, 22, 2, tzinfo=dt.UTC)


STRANGE = (
    (
        "<Contents><Key>a%20b</Key><LastModified>2026-11-22T02:00:00.123Z</LastModified><Size>1</Size>"
        "<ETag>&quot;e&quot;</ETag><Owner><ID>o</ID></Owner></Contents>"
    ),
    (
        "<Contents><Key> é&amp;&lt; </Key><LastModified>2026-11-22T02:00:00+07:00</LastModified>"
        "<Size>0</Size><StorageClass>GLACIER</StorageClass></Contents>"
    ),
    (
        "<Contents><Key>k</Key><LastModified>Sun, 22 Nov 2026 02:00:00 GMT</LastModified>"
        "<Size>7</Size></Contents>"
    ),
    "<Contents><Key>k</Key><LastModified>2026-11-22T02:00:00</LastModified><Size>7</Size></Contents>",
    "<Contents><LastModified>2026-11-22T02:00:00Z</LastModified><Size>7</Size></Contents>",
    "<Contents><Key>k</Key><LastModified>2026-11-22T02:00:00Z</LastModified></Contents>",
    "<Contents><Key>k</Key><LastModified>2026-11-22T02:00:00Z</LastModified><Size>x</Size></Contents>",
    "",
)


@pytest.mark.parametrize("entry", [*STRANGE, ENTRY.format(1) + STRANGE[2], STRANGE[0] + STRANGE[1]])
@pytest.mark.parametrize("encoding", ["", "<EncodingType>url</EncodingType>"])
def test_the_fast_way_reads_what_boto3_reads(
    hostile: Callable[[Reply], str], monkeypatch: pytest.MonkeyPatch, entry: str, encoding: str
) -> None:
    body = page(encoding + entry)
    where = bucket(hostile(lambda handler, _: send(handler, 200, body)))
    (fast,) = transport(where).collect([objects()])
    monkeypatch.setattr(s3, "hasten", lambda _: None)
    (slow,) = transport(where).collect([objects()])
    assert bytes(fast.stdout) == bytes(slow.stdout)
    assert fast.failure == slow.failure


def test_the_fast_way_takes_whole_pages_only() -> None:
    taken: dict[str, Any] = {}
    answer: dict[str, Any] = {"status_code": 200, "body": page(ENTRY.format(1) + ENTRY.format(2))}
    s3_fast._take(answer, taken)
    assert [o["Key"] for o in taken["Contents"]] == ["k1", "k2"]
    assert b"Contents" not in answer["body"]
    assert b"IsTruncated" in answer["body"]
    odd = page(ENTRY.format(1) + STRANGE[4])
    for status, body in ((200, odd), (403, page(ENTRY.format(1))), (200, b"<x"), (200, b"")):
        taken.clear()
        answer = {"status_code": status, "body": body}
        s3_fast._take(answer, taken)
        assert (taken, answer["body"]) == ({}, body)
