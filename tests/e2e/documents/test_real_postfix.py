"""The settings that `sauro documents sample` prints, in a real Postfix that sends real mails."""

from __future__ import annotations

import base64
import datetime as dt
import os
import subprocess
from collections.abc import Iterator, Sequence
from urllib.parse import quote

import pytest

from checks.documents.numbers import Finder
from checks.documents.samples import settings
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from tests.helpers.correspondence import ZONE, entry, word
from tests.helpers.mailserver import Postfix, postfix

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root only"),
    pytest.mark.timeout(180),
]
FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK", "TTr-UBND-HK"])
CLERK, HEALTH = "vanthu@hoankiem.gov.vn", "vanthu@soyte.gov.vn"
RULES = "routing_header_checks.pcre"
PDF = base64.encodebytes(b"%PDF-1.7 " + bytes(30_000)).decode().replace("\n", "\r\n")


def printed() -> tuple[str, dict[str, str]]:
    """The lines of main.cf and the rules, letter for letter, but for the folder."""
    files = settings("postfix")
    main = files["/etc/postfix/main.cf"].replace("/etc/postfix", "{etc}")
    return main, {RULES: files[f"/etc/postfix/{RULES}"]}


def part(*headers: str) -> str:
    """One attachment; a header may be folded."""
    lines = "\r\n".join((*headers, "Content-Transfer-Encoding: base64"))
    return f"{lines}\r\n\r\n{PDF}"


def named(name: str) -> str:
    return part(
        "Content-Type: application/pdf", f'Content-Disposition: attachment; filename="{name}"'
    )


def message(subject: str, *parts: str, boundary: str = "b") -> bytes:
    head = (
        f"From: {CLERK}\r\nTo: Van phong <{HEALTH}>\r\nSubject: {subject}\r\n"
        f'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'
    )
    body = "".join(
        f"--{boundary}\r\n{p}\r\n" for p in ("Content-Type: text/plain\r\n\r\nKinh gui", *parts)
    )
    return f"{head}{body}--{boundary}--\r\n".encode()


LONG = " ".join(f"về việc triển khai phần {n} của kế hoạch;" for n in range(6))
NUMBER = "14/QĐ-UBND-HK"


def folded(text: str) -> str:
    """A subject as mail programs fold it: words of at most 75 characters, the number last."""
    words = [word(text[n : n + 15]) for n in range(0, len(text), 15)]
    return "\r\n ".join(words)


def seven_parts(name: str) -> str:
    coded = quote(name)
    size = -(-len(coded) // 7)
    pieces = [coded[n : n + size] for n in range(0, len(coded), size)]
    said = [f"filename*{n}*={'' if n else 'UTF-8' + chr(39) * 2}{p}" for n, p in enumerate(pieces)]
    return "Content-Disposition: attachment;\r\n " + ";\r\n ".join(said)


INNER = message(word("31/QĐ-UBND-HK"), named("32-QD-UBND-HK.pdf"), boundary="inner").decode()
MAILS: tuple[tuple[int, bytes, Sequence[str]], ...] = (
    (11, message(word("Gửi 11/QĐ-UBND-HK"), named("x.pdf")), [HEALTH]),
    (12, message("Chao", named(word("12-QĐ-UBND-HK.signed.pdf"))), [HEALTH]),
    (13, message("Tờ trình 13/TTr-UBND-HK", named("x.pdf")), [HEALTH]),
    (14, message(folded(LONG + " " + NUMBER), named("x.pdf")), [HEALTH]),
    (15, message("Chao", part(seven_parts("15-QĐ-UBND-HK kế hoạch triển khai.pdf"))), [HEALTH]),
    (16, message("Chao", part('Content-Type: a/pdf;\r\n name="16-QD-UBND-HK.pdf"')), [HEALTH]),
    (17, message(word("17/QĐ-UBND-HK")), [f"p{n}@d{n % 5}.gov.vn" for n in range(50)]),
    (18, message(word("18/QĐ-UBND-HK")), ["bounce@soyte.gov.vn"]),
    (19, message(word("19/QĐ-UBND-HK")), ["later@soyte.gov.vn"]),
    (20, message("Tám bít 20/QĐ-UBND-HK"), [HEALTH]),
    (32, message("Fwd", f"Content-Type: message/rfc822\r\n\r\n{INNER}"), [HEALTH]),
)  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[Postfix]:
    main, files = printed()
    with postfix(main + "smtputf8_enable = no\n", files) as running:
        yield running


@pytest.fixture(scope="module")
def log(server: Postfix) -> str:
    for _, text, to in MAILS:
        server.send(text, to)
    return server.log(len(MAILS) + 1)  # the bounce is a mail as well


def read(text: str) -> MailLog:
    now = dt.datetime.now(dt.UTC)  # noqa: TID251 - the log was written now, without a year
    return read_postfix([entry("mail.log", text, now)], "mail.log", ZONE, FINDER)


def test_the_rules_are_read_by_postfix(server: Postfix) -> None:
    for header, action in (
        ("Subject:  12/QD", "INFO subj=[12/QD]"),
        ('Content-Type: a/b; name="x"', 'INFO ct=[ a/b; name="x"]'),
        ("Content-Type: a/b; name*0*=x", "INFO ct=[ a/b; name*0*=x]"),
        ('Content-Type: multipart/mixed; boundary="name"', ""),
        ("Content-Disposition: inline", ""),
        ("X-Subject: 12", ""),
    ):
        done = subprocess.run(
            [server.base / "usr/sbin/postmap", "-q", header, f"pcre:{server.root}/etc/{RULES}"],
            env=server.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.stdout.rstrip("\n"), done.stderr) == (action, ""), header


def test_every_number_is_found_where_it_went_and_nowhere_else(log: str) -> None:
    found = read(log)
    numbers = {number for number, _, _ in MAILS} - {18}
    assert {e.key.number for e in found.events} == numbers
    by = {n: {e.recipient for e in found.events if e.key.number == n} for n in numbers}
    assert by.pop(17) == {f"d{n}.gov.vn" for n in range(5)}
    assert set.union(*by.values()) == {"soyte.gov.vn"}
    assert found.report.mails == len(MAILS) + 1
    # The bounce is made inside and passes no header check; everything else was logged.
    assert found.report.mails_with_headers == len(MAILS)


def test_what_the_log_looks_like(log: str) -> None:
    """Facts that the parser leans on, so that a later Postfix that breaks them is noticed."""
    assert "subj=[T??? tr??nh 13/TTr-UBND-HK]" in log  # smtputf8_enable = no
    assert "Q??-UBND-HK]" in log
    assert word("31/QĐ-UBND-HK") not in log  # the empty nested_header_checks
    assert 'filename="32-QD-UBND-HK.pdf"' in log  # parts of a forwarded mail are seen
    line = next(x for x in log.splitlines() if "subj=[" in x and len(x) > 900)
    plain, _, ours = line.partition(": subj=[")
    last = word((LONG + " " + NUMBER)[-(len(LONG + " " + NUMBER) % 15 or 15) :])
    assert last in ours
    assert last not in plain  # INFO alone is cut at 200 bytes


def test_without_the_settings_nothing_is_seen() -> None:
    with postfix() as server:
        for _, text, to in MAILS[:3]:
            server.send(text, to)
        found = read(server.log(3))
    assert found.events == ()
    report = found.report
    assert (report.mails, report.mails_with_headers, report.mails_with_subjects) == (3, 0, 0)


def test_plain_info_loses_the_number_at_the_end() -> None:
    """The recipe that is found everywhere; why ours writes the value again."""
    rules = "/^Subject:/ INFO\n/^Content-Disposition:/ INFO\n"
    with postfix("header_checks = pcre:{etc}/plain.pcre\n", {"plain.pcre": rules}) as server:
        for _, text, to in MAILS[:4]:
            server.send(text, to)
        found = read(server.log(4))
    assert {e.key.number for e in found.events} == {11, 12, 13}
