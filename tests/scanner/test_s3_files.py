"""Objects of a bucket as files: what a unit hands over, from moto and from SeaweedFS."""

from __future__ import annotations

import datetime as dt
import gzip
import logging
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from moto.server import ThreadedMotoServer

from checks.catalogue import builtin
from checks.documents.events import EventKind
from checks.documents.evidence import DOCUMENTS, REGISTER
from checks.documents.mail_logs import MAIL_FILE
from checks.documents.uploads import UPLOADS
from checks.evidence import Answers, Evidence, FailureKind, Request
from checks.files import bucket_request, unpack
from checks.model import Options, Scope, Subject
from inventory.model import Bucket, Documents, FileSource, Inventory, MailSource, Selection
from scanner.collect import Collector
from scanner.plan import plan
from scanner.transports import s3_files
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.s3 import S3Transport
from scanner.transports.s3_files import matcher
from tests.helpers import stores
from tests.helpers.correspondence import (
    AGENCIES,
    REGISTER_HEAD,
    UNIT,
    context,
    daily_mails,
    gz,
    log,
    register,
)

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name, value in (
        ("S3_KEY", stores.KEY),
        ("S3_SECRET", stores.SECRET),
        ("S3_LISTER", stores.LISTER),
        ("S3_LISTER_SECRET", stores.LISTER_SECRET),
    ):
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="module")
def seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with stores.seaweed(tmp_path_factory.mktemp("seaweed")) as endpoint:
        yield endpoint


@pytest.fixture(params=["moto", "seaweed"])
def store(request: pytest.FixtureRequest) -> str:
    endpoint: str = request.getfixturevalue(request.param)
    return endpoint


def filled(endpoint: str, name: str, objects: dict[str, bytes]) -> Any:
    client = stores.client(endpoint)
    client.create_bucket(Bucket=name)
    for key, body in objects.items():
        client.put_object(Bucket=name, Key=key, Body=body)
    return client


def ask(endpoint: str, name: str, *requests: Request, **more: str) -> list[Evidence]:
    keys = {"access_key": "env:S3_KEY", "secret_key": "env:S3_SECRET"} | more
    where = Bucket(id="papers", unit="u", bucket=name, endpoint=endpoint, **keys)
    return S3Transport(where, clock=lambda: NOW, timeout=30, project=Path()).collect(requests)


def wanted(path: str, **more: Any) -> Request:
    return msgspec.structs.replace(bucket_request(REGISTER, "papers", path), **more)


def read(evidence: Evidence) -> dict[str, bytes]:
    assert evidence.failure is None, evidence.failure
    return {e.name: bytes(e.data) for e in unpack(evidence.stdout)}


def refused(evidence: Evidence) -> tuple[FailureKind, str]:
    assert evidence.failure is not None
    assert evidence.stdout == b""
    return evidence.failure.kind, evidence.failure.detail


def test_the_objects_of_a_pattern_come_as_files_the_newest_version_of_each(store: str) -> None:
    client = filled(store, "papers", {"out/sổ 1.csv": b"old", "out/2.csv": b"two", "in/3.csv": b""})
    client.put_object(Bucket="papers", Key="out/sổ 1.csv", Body=b"new")
    client.put_object(Bucket="papers", Key="out/deep/4.csv", Body=b"4")
    client.put_object(Bucket="papers", Key="out/2.csv.txt", Body=b"no")
    flat, deep, single, empty = ask(
        store, "papers", *map(wanted, ("out/*.csv", "out/**/*.csv", "out/2.csv", "in/*"))
    )
    assert list(read(flat).items()) == [("out/2.csv", b"two"), ("out/sổ 1.csv", b"new")]
    assert set(read(deep)) == {"out/2.csv", "out/sổ 1.csv", "out/deep/4.csv"}
    assert read(single) == {"out/2.csv": b"two"}
    assert read(empty) == {"in/3.csv": b""}
    (entry,) = unpack(single.stdout)
    assert entry.mtime.tzinfo is not None


def test_gzip_is_unpacked_and_a_damaged_one_is_named(store: str) -> None:
    whole = gzip.compress(b"one\n") + gzip.compress(b"two\n")
    filled(
        store,
        "papers-logs",
        {"a/mail.log.gz": whole, "b/mail.log.gz": whole[:-9], "c/x.gz": b"text"},
    )
    good, torn, text = ask(store, "papers-logs", *map(wanted, ("a/*", "b/*", "c/*")))
    assert read(good) == {"a/mail.log.gz": b"one\ntwo\n"}
    for evidence in (torn, text):
        kind, detail = refused(evidence)
        assert kind is FailureKind.UNPARSABLE
        assert "is not a whole gzip file" in detail


def test_large_objects_are_streamed_and_bounded(store: str) -> None:
    data = bytes(range(256)) * 40_000
    bomb = gzip.compress(b"\0" * 30_000_000)
    filled(store, "papers-large", {"one": data, "two": data, "bomb.gz": bomb})
    request = bucket_request(MAIL_FILE, "papers", "one")
    whole, cut, unpacked = ask(
        store,
        "papers-large",
        request,
        wanted("*o*", limit=len(data) + 1000),
        wanted("bomb.gz", limit=1_000_000),
    )
    assert isinstance(whole.stdout, memoryview)
    assert read(whole) == {"one": data}
    for evidence in (cut, unpacked):
        kind, detail = refused(evidence)
        assert kind is FailureKind.TRUNCATED
        assert "exceeds the limit" in detail


def test_nothing_that_matches_and_no_bucket_are_told_apart(store: str) -> None:
    filled(store, "papers-some", {"a": b"1"})
    (evidence,) = ask(store, "papers-some", wanted("b/*"))
    assert refused(evidence) == (
        FailureKind.COMMAND_FAILED,
        "bucket papers-some: no object matches b/*",
    )
    (evidence,) = ask(store, "none-such", wanted("a"))
    assert refused(evidence)[0] is FailureKind.COMMAND_FAILED
    assert "there is no such bucket" in refused(evidence)[1]


def test_a_login_that_may_only_list_names_the_right_that_lacks(seaweed: str) -> None:
    filled(seaweed, "papers-closed", {"a.csv": b"1"})
    lister = {"access_key": "env:S3_LISTER", "secret_key": "env:S3_LISTER_SECRET"}
    (evidence,) = ask(seaweed, "papers-closed", wanted("a.csv"), **lister)
    kind, detail = refused(evidence)
    assert kind is FailureKind.DENIED
    assert "the right s3:GetObject is missing" in detail
    assert "a.csv" in detail


def test_a_pattern_that_matches_too_much_is_a_mistake(
    moto: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_files, "MOST_OBJECTS", 2)
    filled(moto, "papers-many", {f"{n}": b"" for n in range(3)})
    (evidence,) = ask(moto, "papers-many", wanted("*"))
    assert refused(evidence)[0] is FailureKind.TRUNCATED


@pytest.mark.parametrize(
    ("pattern", "prefix", "key", "fits"),
    [
        ("a.csv", "a.csv", "a.csv", True),
        ("a.csv", "a.csv", "aXcsv", False),
        ("a/*.csv", "a/", "a/b/c.csv", False),
        ("a/**/*.csv", "a/", "a/c.csv", True),
        ("a/**/*.csv", "a/", "a/b/b/c.csv", True),
        ("a/**", "a/", "a/b/c\nd", True),
        ("a/?.csv", "a/", "a/1.csv", True),
        ("a/?.csv", "a/", "a//.csv", False),
        ("[a](b)+.csv", "[a](b)+.csv", "[a](b)+.csv", True),
    ],
)
def test_patterns(pattern: str, prefix: str, key: str, fits: bool) -> None:
    found, whole = matcher(pattern)
    assert found == prefix
    assert bool(whole.fullmatch(key)) is fits


PROXY_LINE = (
    "1794272400.000   1204 10.0.7.21 TCP_TUNNEL/200 5120 CONNECT zalo.me:443 - "
    "HIER_DIRECT/203.0.113.9 -\n"
)


def test_a_scan_reads_the_sources_of_a_unit_from_its_bucket(moto: str, tmp_path: Path) -> None:
    book = REGISTER_HEAD + register(("12/QĐ-UBND-HK", "10/11/2026", "Sở Y tế"))
    filled(
        moto,
        "papers-handed-over",
        {
            "registers/out-2026.csv": book.encode(),
            "mail/mail.log.gz": gz(log(*daily_mails())),
            "proxy/access.log.gz": gz(PROXY_LINE),
        },
    )
    where = Bucket(
        id="papers",
        unit=UNIT.id,
        bucket="papers-handed-over",
        endpoint=moto,
        access_key="env:S3_KEY",
        secret_key="env:S3_SECRET",  # noqa: S106 - a reference
    )
    said = Documents(
        register=FileSource(path="registers/*.csv", bucket="papers"),
        mail=(MailSource(kind="postfix", path="mail/*", bucket="papers"),),
        proxy=(MailSource(kind="squid", path="proxy/*", bucket="papers"),),
    )
    unit = msgspec.structs.replace(UNIT, documents=said)
    inventory = Inventory(units={unit.id: unit}, buckets={"papers": where}, agencies=AGENCIES)
    checks = [c for c in builtin().checks if c.id.startswith("documents.")]
    whole = plan(inventory, Selection(), checks)
    collector = Collector(
        inventory,
        ssh=SshLimits(),
        limits=SizeLimits(),
        project=tmp_path,
        clock=lambda: NOW,
        jitter=random.Random(7),  # noqa: S311 - nothing is retried here
    )
    found = [
        e for target, wanted in whole.visits.items() for e in collector.collect(target, wanted)
    ]
    collector.close()
    assert {e.target for e in found} == {"papers"}
    subject = Subject(scope=Scope.UNIT, inventory=inventory, unit=unit, target=unit.id)
    events = DOCUMENTS.parse(context(subject, Options()), Answers(found))
    assert [(s.name, s.failure, s.lines > 0) for s in events.sources] == [
        ("papers:registers/*.csv", None, True),
        ("papers:mail/*", None, True),
    ]
    assert [str(e.key) for e in events.events if e.kind is EventKind.REGISTERED] == [
        "12/2026/QD-UBND-HK"
    ]
    (proxy,) = UPLOADS.parse(context(subject, Options()), Answers(found))
    assert (proxy.name, [(v.service, v.connections) for v in proxy.volumes]) == (
        "papers:proxy/*",
        [("Zalo", 1)],
    )
