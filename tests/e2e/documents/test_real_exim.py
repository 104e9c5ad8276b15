"""The lines that `sauro documents sample` prints for Exim, in a real Exim that sends real mails.

The configuration around them is Debian's own; the planted mails are those of the real Postfix.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping, Sequence

import pytest
from msgspec.structs import replace

from checks.documents.completeness import mail_visible
from checks.documents.numbers import Finder
from checks.documents.routing import bypass
from checks.documents.samples import settings
from checks.documents.sources.exim import read_exim
from checks.documents.sources.mails import MailLog
from checks.evidence import Answers
from checks.model import Status
from inventory.model import MailSource
from tests.checks.documents import test_exim as lines
from tests.e2e.documents.test_planted_mails import (
    BYPASSES,
    DAYS,
    INNOCENTS,
    SIGN,
    Planted,
    handed_over,
)
from tests.e2e.documents.test_real_postfix import MAILS, message, part
from tests.helpers.correspondence import NOW, UNIT, ZONE, entry, judge, subject
from tests.helpers.exim import Exim, exim

pytestmark = pytest.mark.timeout(180)
assert UNIT.documents is not None
MAINLOG = MailSource(kind="exim", server="hk-mail", path="/var/log/exim4/mainlog*")
SUBJECT = subject(replace(UNIT, documents=replace(UNIT.documents, mail=(MAINLOG,))))
EVERY = (*BYPASSES, *INNOCENTS)


def bounces(mails: Sequence[Planted]) -> int:
    return sum(m.to[0].startswith("bounce") for m in mails)


def sent(running: Exim, mails: Sequence[Planted], before: Sequence[Planted] = ()) -> str:
    """The log of these mails and those before, as written on 10 November."""
    for mail in mails:
        running.send(mail.text, mail.to, mail.sender)
    every = (*before, *mails)
    text = running.log(len(every) + bounces(every))
    return re.sub(r"^\d{4}-\d\d-\d\d ", "2026-11-10 ", text, flags=re.MULTILINE)


@pytest.fixture(scope="module")
def server() -> Iterator[Exim]:
    with exim(settings("exim")) as running:
        yield running


@pytest.fixture(scope="module")
def innocent_log(server: Exim) -> str:
    return sent(server, INNOCENTS)


@pytest.fixture(scope="module")
def whole_log(server: Exim, innocent_log: str) -> str:
    return innocent_log and sent(server, BYPASSES, INNOCENTS)


def evidence(mails: Sequence[Planted], log: str, *, headers: bool = True) -> Answers:
    """Everything that the unit hands over: on every other day a mail that carries nothing."""
    said = ("Lich hop", "lich hop.pdf") if headers else ("", "")
    daily = [lines.Mail(*said, f"1xUyn{chr(97 + n // 26)}-0004{chr(97 + n % 26)}S-21")
             for n, _ in enumerate(DAYS)]  # fmt: skip
    for one, day in zip(daily, DAYS, strict=True):
        one.at = dt.datetime.combine(day, dt.time(8), ZONE)
    files = [entry("mainlog.1", lines.log(*daily)), entry("mainlog", log, NOW)]
    return handed_over(mails, files, SUBJECT)


def test_exactly_the_planted_bypasses_are_found(whole_log: str) -> None:
    (verdict,) = judge(bypass, SUBJECT, evidence(EVERY, whole_log))
    assert verdict.status is Status.FAIL
    shown = {int(b["key"].partition("/")[0]) for b in verdict.detail["bypasses"]}
    assert shown == {b.number for b in BYPASSES}
    assert verdict.detail["total"] == len(BYPASSES)


def test_innocents_alone_are_a_pass(innocent_log: str) -> None:
    given = evidence(INNOCENTS, innocent_log)
    (verdict,) = judge(bypass, SUBJECT, given)
    assert (verdict.status, verdict.detail["total"]) == (Status.PASS, 0)
    (visible,) = judge(mail_visible, SUBJECT, given)
    assert visible.status is Status.PASS


def test_without_the_settings_it_cannot_be_told() -> None:
    """The very same mails through Debian's Exim as it comes."""
    with exim({}) as running:
        given = evidence(EVERY, sent(running, EVERY), headers=False)
    (verdict,) = judge(bypass, SUBJECT, given)
    assert verdict.status is Status.UNKNOWN
    assert verdict.message.id == "documents.bypass.blind"
    (visible,) = judge(mail_visible, SUBJECT, given)
    assert visible.message.id == "documents.mail-visible.blind"


def read(files: Mapping[str, str], mails: Sequence[tuple[int, bytes, Sequence[str]]]) -> MailLog:
    with exim(files) as running:
        for _, mail, to in mails:
            running.send(mail, to)
        text = running.log(len(mails) + sum("bounce" in to[0] for _, _, to in mails))
    finder = Finder([SIGN, "BC-UBND-HK", "TTr-UBND-HK"])
    return read_exim([entry("mainlog", text, NOW)], "mainlog", ZONE, finder)


# A name in two parts that are cut inside the letter Đ, and inside the three characters of a byte.
CUT = (
    "Content-Type: application/pdf\r\nContent-Disposition: attachment;\r\n"
    " filename*0*=UTF-8''{}-Q%C{};\r\n filename*1*={}%90-UBND-HK%20k.pdf"
)


def test_every_number_is_found_where_it_went_and_nowhere_else() -> None:
    cut = [
        (41, message("Chao", part(CUT.format(41, "4", ""))), ["vt@soyte.gov.vn"]),
        (42, message("Chao", part(CUT.format(42, "", "4"))), ["vt@soyte.gov.vn"]),
    ]
    found = read(settings("exim"), [*MAILS, *cut])
    numbers = {number for number, _, _ in (*MAILS, *cut)} - {18}
    by = {n: {e.recipient for e in found.events if e.key.number == n} for n in numbers | {31}}
    assert by.pop(17) == {f"d{n}.gov.vn" for n in range(5)}
    assert by.pop(31) == set()  # the subject of a mail inside another
    assert set(by) == {e.key.number for e in found.events} - {17}
    assert set.union(*by.values()) == {"soyte.gov.vn"}
    report = found.report
    # Of the bounce, which is made inside and passes no ACL, `+subject` shows the subject.
    assert (report.mails, report.mails_with_headers) == (len(MAILS) + 3, len(MAILS) + 3)


def test_what_the_log_looks_like(whole_log: str) -> None:
    """Facts that the parser leans on, so that a later Exim that breaks them is noticed."""
    long = next(x for x in whole_log.splitlines() if "subj=[danh m" in x)
    assert long.endswith(r"103/Q\304\220-UBND-HK]")
    arrival = next(x for x in whole_log.splitlines() if ' T="danh m' in x)
    assert "103/" not in arrival  # +subject alone cuts after 100 bytes
    assert re.search(
        r"^2026-11-10 \S+ \S+ att=\[101-QD-UBND-HK.signed.pdf\]$", whole_log, re.MULTILINE
    )
    assert " ** bounce@soyte.gov.vn " in whole_log
    assert " == later@soyte.gov.vn " in whole_log
