"""What each kind of mail log lets the checks say: found, none, or cannot be told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import pytest
from msgspec.structs import replace

from checks.documents.completeness import mail_visible
from checks.documents.evidence import DOCUMENTS, GATEWAY, REGISTER
from checks.documents.mail_logs import MAIL_FILE
from checks.documents.routing import bypass
from checks.evidence import Answers
from checks.files import FileEntry
from checks.model import Status, Subject, Verdict
from inventory.model import MailSource
from tests.checks.documents import test_exchange as exchange
from tests.checks.documents import test_exim as exim
from tests.checks.documents import test_zimbra as zimbra
from tests.checks.documents.test_amavis_file import day_by_day
from tests.helpers.correspondence import (
    GATEWAY_HEAD,
    HEALTH,
    REGISTER_HEAD,
    UNIT,
    Mail,
    answer,
    daily_mails,
    entry,
    gateway,
    judge,
    log,
    register,
    subject,
)

DAYS = [dt.date(2026, 10, 15) + dt.timedelta(days=n) for n in range(37)]
NUMBER = "100/QĐ-UBND-HK"
NAME = "100-QD-UBND-HK.pdf"


def world(*logs: tuple[str, str]) -> tuple[Subject, Answers]:
    """A document a day on the axis, and one of 10 November that is not; these mail logs."""
    sources = tuple(MailSource(kind=k, path=f"mail/{n}.log") for n, (k, _) in enumerate(logs))
    assert UNIT.documents is not None
    subj = subject(replace(UNIT, documents=replace(UNIT.documents, mail=sources)))
    base = [(f"{n}/QĐ-UBND-HK", d) for n, d in enumerate(DAYS, 1)]
    rows = [(n, f"{d:%d/%m/%Y}", "Sở Y tế") for n, d in base]
    book = REGISTER_HEAD + register(*rows, (NUMBER, "10/11/2026", "Sở Y tế"))
    axis = GATEWAY_HEAD + gateway(*[(n, HEALTH, f"{d} 15:00:00", "03") for n, d in base])
    texts = {f"mail/{n}.log": text for n, (_, text) in enumerate(logs)}
    found = []
    for request in DOCUMENTS.requests(subj):
        given = {REGISTER.id: book, GATEWAY.id: axis}.get(request.probe)
        path = request.params["path"]
        assert (given is None) == (request.probe == MAIL_FILE.id)
        files: Sequence[FileEntry] = [entry(path, texts[path] if given is None else given)]
        found.append(answer(request, files))
    return subj, Answers(found)


def said(*logs: tuple[str, str]) -> tuple[Verdict, list[Verdict]]:
    subj, evidence = world(*logs)
    (verdict,) = judge(bypass, subj, evidence)
    return verdict, judge(mail_visible, subj, evidence)


def exchange_log(*rows: str) -> str:
    """A mail a day with a harmless subject, and these rows."""
    daily = [
        exchange.row(
            subject="Lịch họp",
            to="dan@vnpt.vn",
            at=f"{d}T01:00:00.000Z",
            network_message_id=f"day-{d}",
        )
        for d in DAYS
    ]
    return exchange.log(*daily, *rows)


def exim_log(*mails: exim.Mail) -> str:
    daily = [
        exim.Mail(
            "Lich hop", "lich hop.pdf", f"1xUyn{chr(97 + n // 26)}-0004{chr(97 + n % 26)}S-21"
        )
        for n in range(len(DAYS))
    ]
    for one, day in zip(daily, DAYS, strict=True):
        one.at = dt.datetime.combine(day, dt.time(8), exim.AT.tzinfo)
    return exim.log(*daily, *mails)


def test_exchange_finds_by_subject_and_never_says_none() -> None:
    sent = exchange.row(subject=f"Quyết định {NUMBER}", at="2026-11-10T02:00:00.000Z")
    verdict, (visible,) = said(("exchange", exchange_log(sent)))
    assert verdict.status is Status.FAIL
    assert [b["key"] for b in verdict.detail["bypasses"]] == ["100/2026/QD-UBND-HK"]
    assert visible.message.id == "documents.mail-visible.subjects-only"
    verdict, _ = said(("exchange", exchange_log()))
    assert (verdict.status, verdict.message.id) == (Status.UNKNOWN, "documents.bypass.blind")


def test_exim_with_the_settings_finds_by_name_and_can_say_none() -> None:
    at = dt.datetime(2026, 11, 10, 9, tzinfo=exim.AT.tzinfo)
    verdict, (visible,) = said(("exim", exim_log(exim.Mail("Gui", NAME, at=at))))
    assert verdict.status is Status.FAIL
    assert verdict.detail["bypasses"][0]["queue_id"] == exim.ID
    assert visible.status is Status.PASS
    verdict, _ = said(("exim", exim_log()))
    assert verdict.status is Status.PASS


def test_zimbra_alone_says_nothing_of_anyone() -> None:
    at = dt.datetime(2026, 11, 10, 9, tzinfo=zimbra.AT.tzinfo)
    days = "".join(
        zimbra.sending(
            "a.pdf",
            message=f"<{d}@y>",
            at=dt.datetime.combine(d, dt.time(8), zimbra.AT.tzinfo),
        )
        for d in DAYS
    )
    verdict, (visible,) = said(("zimbra", days + zimbra.sending(NAME, at=at)))
    assert (verdict.status, verdict.detail["total"]) == (Status.UNKNOWN, 0)
    assert visible.message.id == "documents.mail-visible.names-only"


@pytest.mark.parametrize("headers", [True, False])
def test_zimbra_with_the_mta_finds_and_with_headers_can_say_none(headers: bool) -> None:
    """The same mails: the MTA has subjects or nothing, the mailbox log has the names."""
    mails = [
        Mail(m.at.replace(tzinfo=None).isoformat(), m.subject if headers else "", to=m.to)
        for m in daily_mails()
    ]
    carried = Mail("2026-11-10T09:00:00", "Gui" if headers else "")
    mailbox = "".join(zimbra.sending("a.pdf", message=f"<{m.queue}@pc-7>", at=m.at) for m in mails)
    found = zimbra.sending(NAME, message=f"<{carried.queue}@pc-7>", at=carried.at)
    verdict, _ = said(("postfix", log(*mails, carried)), ("zimbra", mailbox + found))
    assert verdict.status is Status.FAIL
    assert verdict.detail["total"] == 1
    plain = zimbra.sending("b.pdf", message=f"<{carried.queue}@pc-7>", at=carried.at)
    verdict, rows = said(("postfix", log(*mails, carried)), ("zimbra", mailbox + plain))
    assert verdict.status is (Status.PASS if headers else Status.UNKNOWN)
    assert [r.status for r in rows] == [Status.PASS if headers else Status.FAIL]


@pytest.mark.parametrize("order", [1, -1])
def test_the_filter_in_a_file_of_its_own_finds_and_can_say_none(order: int) -> None:
    """Postfix logs no header; Amavis tells subjects and names, and has no row of its own."""

    def both(*names: str) -> list[tuple[str, str]]:
        mta, filters = day_by_day(*names)
        return [("postfix", mta), ("amavis", filters)][::order]

    verdict, rows = said(*both())
    assert verdict.status is Status.PASS
    assert [r.status for r in rows] == [Status.PASS]
    verdict, rows = said(*both(NAME))
    assert [b["key"] for b in verdict.detail["bypasses"]] == ["100/2026/QD-UBND-HK"]
    blind, filters = both(NAME)[::order]
    verdict, (visible,) = said(blind)
    assert verdict.status is Status.UNKNOWN
    assert visible.message.id == "documents.mail-visible.blind"
    verdict, (visible,) = said(filters)
    assert verdict.status is Status.UNKNOWN
    assert visible.message.id == "documents.mail-visible.no-recipients"
