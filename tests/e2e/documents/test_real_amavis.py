"""The lines that `sauro documents sample` prints for Amavis, in a real one beside a real Postfix.

Postfix logs no headers and Amavis writes to a file of its own. The planted mails are those of the
real Postfix.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
import pytest
from msgspec.structs import replace

from checks.documents.completeness import mail_visible
from checks.documents.numbers import Finder
from checks.documents.routing import bypass
from checks.documents.samples import settings
from checks.documents.sources.postfix import read_postfix
from checks.evidence import Answers
from checks.files import FileEntry
from checks.model import Status, Subject
from inventory.model import MailSource
from tests.checks.documents.test_amavis_file import day_by_day
from tests.e2e.documents.test_planted_mails import (
    BYPASSES,
    INNOCENTS,
    SIGN,
    Planted,
    handed_over,
)
from tests.e2e.documents.test_real_exim import CUT
from tests.e2e.documents.test_real_postfix import HEALTH, message, part
from tests.helpers.amavisd import Amavis, filtered_postfix
from tests.helpers.correspondence import (
    NOW,
    UNIT,
    ZONE,
    entry,
    judge,
    subject,
)
from tests.helpers.mailserver import Postfix

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root only"),
    pytest.mark.timeout(180),
]
assert UNIT.documents is not None
MAIL, FILTER, BOTH = "/var/log/mail.log*", "/var/log/amavis.log*", "/var/log/mail/*"
LONG = 103
"""Its number stands after the hundredth character of the subject, where Amavis has cut."""


class Logs(msgspec.Struct, frozen=True):
    """The two logs of some mails, as written on 10 November."""

    mta: str
    filter: str


def unit(*sources: tuple[str, str]) -> Subject:
    """A unit with these mail logs: kind and path."""
    assert UNIT.documents is not None
    mail = tuple(MailSource(kind=kind, server="hk-mail", path=path) for kind, path in sources)
    return subject(replace(UNIT, documents=replace(UNIT.documents, mail=mail)))


APART = unit(("postfix", MAIL), ("amavis", FILTER))
TOGETHER = unit(("postfix", BOTH))


def november(text: str) -> str:
    return re.sub(r"^[A-Z][a-z]{2} [ \d]\d ", "Nov 10 ", text, flags=re.MULTILINE)


class Pair:
    """Both servers, and how many mails they have let go."""

    def __init__(self, server: Postfix, amavis: Amavis) -> None:
        self._server, self._amavis, self._ended = server, amavis, 0

    def sent(self, mails: Sequence[Planted]) -> Logs:
        """The logs of these mails and all before."""
        for mail in mails:
            self._server.send(mail.text, mail.to, mail.sender)
            # Each has two lives in Postfix; a bounce does not pass the filter.
            self._ended += 3 if mail.to[0].startswith("bounce") else 2
        mta = self._server.log(self._ended)
        return Logs(november(mta), november(self._amavis.log.read_text(errors="replace")))


@pytest.fixture(scope="module")
def servers() -> Iterator[Pair]:
    with filtered_postfix(settings("postfix-amavis")) as (server, amavis):
        yield Pair(server, amavis)


@pytest.fixture(scope="module")
def innocent(servers: Pair) -> Logs:
    return servers.sent(INNOCENTS)


@pytest.fixture(scope="module")
def whole(servers: Pair, innocent: Logs) -> Logs:
    assert innocent.mta
    return servers.sent(BYPASSES)


def evidence(mails: Sequence[Planted], logs: Logs, subj: Subject) -> Answers:
    """Everything that the unit hands over, the mails of other days written by hand."""
    before = day_by_day()
    mta = [entry("mail.log.1", before[0]), entry("mail.log", logs.mta, NOW)]
    told = [entry("amavis.log.1", before[1]), entry("amavis.log", logs.filter, NOW)]
    files: Mapping[str, list[FileEntry]] = {MAIL: mta, FILTER: told, BOTH: [*mta, *told]}
    return handed_over(mails, files, subj)


@pytest.mark.parametrize("subj", [APART, TOGETHER], ids=["apart", "one pattern"])
def test_exactly_the_planted_bypasses_are_found(whole: Logs, subj: Subject) -> None:
    (verdict,) = judge(bypass, subj, evidence((*BYPASSES, *INNOCENTS), whole, subj))
    assert verdict.status is Status.FAIL
    shown = {int(b["key"].partition("/")[0]) for b in verdict.detail["bypasses"]}
    assert shown == {b.number for b in BYPASSES} - {LONG}
    assert verdict.detail["total"] == len(BYPASSES) - 1


@pytest.mark.parametrize("subj", [APART, TOGETHER], ids=["apart", "one pattern"])
def test_innocents_alone_are_a_pass(innocent: Logs, subj: Subject) -> None:
    given = evidence(INNOCENTS, innocent, subj)
    (verdict,) = judge(bypass, subj, given)
    assert (verdict.status, verdict.detail["total"]) == (Status.PASS, 0)
    (visible,) = judge(mail_visible, subj, given)
    assert visible.status is Status.PASS


def test_without_what_amavis_says_it_cannot_be_told(whole: Logs) -> None:
    """Postfix's own log of these mails: nobody knows what they carried."""
    subj = unit(("postfix", MAIL))
    files = {MAIL: [entry("mail.log", whole.mta, NOW)]}
    (verdict,) = judge(bypass, subj, handed_over((*BYPASSES, *INNOCENTS), files, subj))
    assert verdict.status is Status.UNKNOWN
    assert verdict.message.id == "documents.bypass.blind"


def test_what_the_logs_look_like(servers: Pair, whole: Logs) -> None:
    """Facts that the parser leans on, so that a later Amavis that breaks them is noticed."""
    assert " mail.hoankiem.gov.vn /" in whole.filter  # where syslog has the short name
    assert " mail postfix/" in whole.mta
    assert re.search(r"amavisd\[\d+\]: \([\d-]+\) Passed CLEAN .*, Subject: \"", whole.filter)
    assert "Queue-ID: " in whole.filter  # smtp_send_xforward_command
    assert f"{LONG}/{SIGN}" not in whole.filter
    cut = [
        Planted(41, message("Chao", part(CUT.format(41, "4", "")))),
        Planted(42, message("Chao", part(CUT.format(42, "", "4")))),
    ]
    logs = servers.sent(cut)
    files = [entry("mail.log", logs.mta, NOW), entry("amavis.log", logs.filter, NOW)]
    found = read_postfix(files, "mail", ZONE, Finder([SIGN]))
    soyte = HEALTH.partition("@")[2]
    assert {(e.key.number, e.recipient) for e in found.events} >= {(41, soyte), (42, soyte)}
    mails = len(BYPASSES) + len(INNOCENTS) + len(cut) + 1
    # All but the bounce, which does not pass the filter.
    assert (found.report.mails, found.report.mails_with_headers) == (mails, mails - 1)
