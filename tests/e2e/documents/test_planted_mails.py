"""Planted bypasses and innocents, sent through a real Postfix and judged with register and axis.

The register, the axis and the mails of the other days are written by hand, so that the period is
covered; the day of the log is changed to one of that period, nothing else in it.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Mapping, Sequence

import msgspec
import pytest

from checks.documents.completeness import mail_visible
from checks.documents.routing import bypass
from checks.evidence import Answers
from checks.files import FileEntry
from checks.model import Status, Subject
from tests.e2e.documents.test_real_postfix import (
    CLERK,
    HEALTH,
    folded,
    message,
    named,
    part,
    printed,
    seven_parts,
)
from tests.helpers.correspondence import (
    GATEWAY_HEAD,
    NOW,
    REGISTER_HEAD,
    answers,
    daily_mails,
    entry,
    gateway,
    judge,
    log,
    register,
    subject,
    word,
)
from tests.helpers.correspondence import HEALTH as HEALTH_CODE
from tests.helpers.mailserver import Postfix, postfix

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="Postfix starts as root only"),
    pytest.mark.timeout(180),
]
SIGN = "QĐ-UBND-HK"
DAYS = [dt.date(2026, 10, 15) + dt.timedelta(days=n) for n in range(37)]
CULTURE = "vanthu@sovanhoa.gov.vn"


class Planted(msgspec.Struct):
    """One mail; `on_axis` when its document went through the axis, whatever the mail was."""

    number: int
    text: bytes
    to: Sequence[str] = (HEALTH,)
    sender: str = CLERK
    on_axis: bool = False
    registered: bool = True
    reason: str = ""


WORDY = "; ".join(f"danh mục nhiệm vụ quý {n} của phòng Văn hóa - Xã hội" for n in range(1, 5))
"""More than the 200 bytes that a log line keeps of a header by itself."""


def no(number: int) -> str:
    return f"{number}/{SIGN}"


BYPASSES = (
    Planted(101, message("Gui van ban", named("101-QD-UBND-HK.signed.pdf"))),
    Planted(102, message(word(f"Quyết định {no(102)}"), named("scan0001.pdf")), (CULTURE,)),
    Planted(103, message(folded(f"{WORDY} số {no(103)}"), named("scan0001.pdf"))),
    Planted(104, message("Gui", part(seven_parts(f"104-{SIGN} kế hoạch triển khai.pdf")))),
    Planted(105, message("Gui", named(word("105-QĐ-UBND-HK.pdf"))), ("so.y.te@gmail.com",)),
    Planted(106, message("Gui", named("106-QD-UBND-HK.pdf")), registered=False),
    Planted(107, message(f"Tám bít {no(107)}", named("x.pdf"))),
    Planted(108, message("Gui", named("108-QD-UBND-HK.pdf")), ("later@soyte.gov.vn",)),
)
INNOCENTS = (
    Planted(121, message(word(f"Dự thảo {no(121)} xin ý kiến"), named("du thao.docx"))),
    Planted(122, message(word(f"Báo cáo kết quả thực hiện {no(122)}"), named("bao cao.pdf"))),
    Planted(123, message(word(f"Bạn có văn bản mới {no(123)}")), sender="no-reply@edoc.gov.vn"),
    Planted(124, message(word(f"Bản sao {no(124)}"), named("124-QD-UBND-HK.pdf")), on_axis=True),
    Planted(125, message("Gui", named("125-QD-UBND-HK.pdf")), reason="SU_CO_HE_THONG"),
    Planted(126, message("Gui", named("126-QD-UBND-HK.pdf")), ("bounce@soyte.gov.vn",)),
    Planted(127, message("Gui", named("127-QD-UBND-HK.pdf")), ("vp@hoankiem.gov.vn",)),
    Planted(128, message(word(f"Re: {no(128)}"), named("tra loi.pdf")), sender="vt@soyte.gov.vn"),
    Planted(129, message(word(f"Bản tin tuần: {no(129)}")), ("dan@vnpt.vn",)),
    Planted(130, message(word("Hợp đồng 05/2025/HĐKT-ABC"), named("hop dong.pdf"))),
)


def server(extra: str, files: dict[str, str], mails: Sequence[Planted]) -> str:
    """The log of these mails, as written on 10 November."""
    with postfix(extra + "smtputf8_enable = no\n", files) as running:
        return sent(running, mails)


def sent(running: Postfix, mails: Sequence[Planted]) -> str:
    for mail in mails:
        running.send(mail.text, mail.to, mail.sender)
    bounces = sum(m.to[0].startswith("bounce") for m in mails)
    text = running.log(len(mails) + bounces)
    return re.sub(r"^[A-Z][a-z]{2} [ \d]\d ", "Nov 10 ", text, flags=re.MULTILINE)


def evidence(mails: Sequence[Planted], mail_log: str, *, headers: bool = True) -> Answers:
    """Everything that the unit hands over, when its mail server is a Postfix."""
    every_day = log(*daily_mails())
    if not headers:
        every_day = re.sub(r"^.*: info: header .*\n", "", every_day, flags=re.MULTILINE)
    files = [entry("mail.log.1", every_day), entry("mail.log", mail_log, NOW)]
    return handed_over(mails, files, subject())


def handed_over(
    mails: Sequence[Planted],
    files: list[FileEntry] | Mapping[str, list[FileEntry]],
    subj: Subject,
) -> Answers:
    """The register, what the axis took, and these files of the mail logs, by path for several."""
    book = REGISTER_HEAD + register(
        *[(no(n), f"{d:%d/%m/%Y}", "Sở Y tế") for n, d in enumerate(DAYS, 1)]
    )
    axis = [(no(n), HEALTH_CODE, f"{d} 15:00:00", "03") for n, d in enumerate(DAYS, 1)]
    for mail in mails:
        if mail.registered:
            to = {CULTURE: "Sở Văn hóa"}.get(mail.to[0], "Sở Y tế")
            book += register((no(mail.number), "10/11/2026", to), reason=mail.reason)
        if mail.on_axis:
            axis.append((no(mail.number), HEALTH_CODE, "2026-11-10 08:00:00", "03"))
    return answers(book, GATEWAY_HEAD + gateway(*axis), files, subj)


@pytest.fixture(scope="module")
def innocent_log() -> str:
    return server(*printed(), INNOCENTS)


@pytest.fixture(scope="module")
def whole_log(innocent_log: str) -> str:
    return innocent_log + server(*printed(), BYPASSES)


def test_exactly_the_planted_bypasses_are_found(whole_log: str) -> None:
    given = evidence((*BYPASSES, *INNOCENTS), whole_log)
    (verdict,) = judge(bypass, subject(), given)
    assert verdict.status is Status.FAIL
    shown = {int(b["key"].partition("/")[0]) for b in verdict.detail["bypasses"]}
    assert shown == {b.number for b in BYPASSES}
    assert verdict.detail["total"] == len(BYPASSES)


def test_innocents_alone_are_a_pass(innocent_log: str) -> None:
    (verdict,) = judge(bypass, subject(), evidence(INNOCENTS, innocent_log))
    assert (verdict.status, verdict.detail["total"]) == (Status.PASS, 0)
    (visible,) = judge(mail_visible, subject(), evidence(INNOCENTS, innocent_log))
    assert visible.status is Status.PASS


def test_without_the_settings_it_cannot_be_told() -> None:
    """The very same mails through a Postfix that logs no headers."""
    every = (*BYPASSES, *INNOCENTS)
    given = evidence(every, server("", {}, every), headers=False)
    (verdict,) = judge(bypass, subject(), given)
    assert verdict.status is Status.UNKNOWN
    assert verdict.message.id == "documents.bypass.blind"
    (visible,) = judge(mail_visible, subject(), given)
    assert visible.status is Status.FAIL
    assert visible.message.id == "documents.mail-visible.blind"
