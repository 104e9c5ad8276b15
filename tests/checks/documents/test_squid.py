"""A web proxy's log: a volume, never a document and never a finding."""

from __future__ import annotations

import contextlib
import datetime as dt
import re

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.sources.squid import LARGE, needed, read_squid, service_of
from checks.documents.uploads import UPLOADS, web_uploads
from checks.evidence import Answers, Source, Unparsable
from checks.files import FileEntry
from checks.model import Status, Verdict
from checks.texts import render
from inventory.model import Documents, MailSource
from tests.helpers.correspondence import NOW, UNIT, ZONE, answer, entry, gz, judge, subject

DAY = dt.datetime(2026, 11, 10, 3, tzinfo=dt.UTC)


def line(host: str, *, at: dt.datetime = DAY, sent: int | None = None, method: str = "") -> str:
    url = f"http://{host}/a?b" if method else f"{host}:443"
    size = "" if sent is None else f" {sent}"
    return (
        f"{at.timestamp():.3f}   1204 10.0.7.21 TCP_TUNNEL/200 5120 {method or 'CONNECT'} {url} "
        f"- HIER_DIRECT/203.0.113.9 -{size}\n"
    )


def told(text: str, *, declared: bool = True) -> Verdict:
    proxy = (MailSource(kind="squid", server="hk-mail", path="/var/log/squid/access.log"),)
    said = Documents(proxy=proxy if declared else ())
    subj = subject(msgspec.structs.replace(UNIT, documents=said))
    requests = UPLOADS.requests(subj)
    evidence = Answers([answer(r, [entry("access.log", text)]) for r in requests])
    (verdict,) = judge(web_uploads, subj, evidence)
    return verdict


@pytest.mark.parametrize(
    ("host", "service"),
    [
        ("tt-files-wpa.chat.zalo.me", "Zalo"),
        ("ZALO.ME.", "Zalo"),
        ("mail.google.com", "Gmail"),
        ("google.com", ""),
        ("notzalo.me", ""),
        ("drive.google.com.evil.vn", ""),
        ("", ""),
    ],
)
def test_a_host_is_of_a_service_by_its_whole_labels(host: str, service: str) -> None:
    assert service_of(host) == service


def test_only_connections_to_file_services_in_the_period_count() -> None:
    old = NOW - dt.timedelta(days=60)
    verdict = told(
        line("chat.zalo.me", sent=LARGE) + line("chat.zalo.me", sent=LARGE - 1)
        + line("drive.google.com", at=DAY + dt.timedelta(days=1), sent=5_000_000, method="POST")
        + line("vnexpress.net", sent=9_000_000) + line("dropbox.com", at=old, sent=9_000_000)
    )  # fmt: skip
    assert verdict.status is Status.NOT_APPLICABLE
    assert {k: v for k, v in verdict.detail.items() if k != "period"} == {
        "services": {"Zalo": 2, "Google Drive": 1},
        "sizes_logged": True,
        "connections": 3,
        "days": 2,
        "large": 2,
        "bytes": LARGE + 5_000_000,
    }
    said = render(verdict.message, "vi", ZONE)
    assert "không phải kết luận" in said
    assert "10.0.7.21" not in msgspec.json.encode(verdict).decode()


def test_a_log_in_a_bucket_is_asked_of_the_bucket_and_named_after_it() -> None:
    proxy = (MailSource(kind="squid", bucket="papers", path="proxy/access-*.log"),)
    subj = subject(msgspec.structs.replace(UNIT, documents=Documents(proxy=proxy)))
    (asked,) = UPLOADS.requests(subj)
    assert (asked.source, asked.target, asked.params["path"]) == (
        Source.S3,
        "papers",
        "proxy/access-*.log",
    )
    evidence = Answers([answer(asked, [entry("access.log", line("chat.zalo.me"))])])
    (verdict,) = judge(web_uploads, subj, evidence)
    assert verdict.detail["connections"] == 1


def test_squids_own_format_says_nothing_of_uploads() -> None:
    verdict = told(line("chat.zalo.me") + line("chat.zalo.me"))
    assert verdict.detail["sizes_logged"] is False
    assert "large" not in verdict.detail
    assert verdict.detail["connections"] == 2


def test_without_a_proxy_there_is_no_indicator() -> None:
    verdict = told("", declared=False)
    assert (verdict.status, verdict.message.id) == (
        Status.NOT_APPLICABLE,
        "documents.web-uploads.no-proxy",
    )


def test_another_format_and_a_damaged_archive_are_no_silence() -> None:
    apache = '10.0.7.21 - - [10/Nov/2026:10:00:00 +0700] "CONNECT zalo.me:443" 200 5 "-"\n'
    with pytest.raises(Unparsable, match=r"access.log:1: no line in Squid's own log format"):
        told(apache)
    cut = FileEntry(name="a.gz", mtime=NOW, data=gz(line("zalo.me") * 99)[:-30])
    with pytest.raises(Unparsable):
        read_squid([cut], "a", ZONE)


def test_what_the_host_sends_is_what_is_needed() -> None:
    sent = re.compile(needed())
    for host in ("zalo.me", "a.b.zalo.me", "mail.google.com"):
        assert sent.search(line(host))
        assert sent.search(line(host, method="GET"))
    assert not sent.search(line("notzalo.me"))
    numbered = "7:" + line("zalo.me")
    assert [v.connections for v in read_squid([entry("a", numbered)], "a", ZONE).volumes] == [1]


@given(st.binary(max_size=500))
def test_any_bytes_at_all(data: bytes) -> None:
    for raw in (data, line("zalo.me").encode() + data, b"1" * 11 + b".0 " + data):
        with contextlib.suppress(Unparsable):
            read_squid([entry("x", raw)], "x", ZONE)
