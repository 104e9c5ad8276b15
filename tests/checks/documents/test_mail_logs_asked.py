"""Which mail logs are asked for from a mark on, and what when memory and answer do not belong."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from checks.documents.evidence import DOCUMENTS, MAILS
from checks.documents.retention import MARKS, REMEMBERED
from checks.documents.sources.mail_probe import MAIL_LOG
from checks.documents.sources.remembered import VERSION, Begin, Mark, mark_bytes
from checks.evidence import Answers, AskWhole, Evidence, FailureKind
from checks.model import Memory, Options, Subject
from inventory.model import MailSource
from tests.helpers.correspondence import (
    DENIED,
    MAIL_PATH,
    NOW,
    UNIT,
    Mail,
    answer,
    context,
    entry,
    log,
    subject,
)

BEGIN = Begin(head="4038471504-75", line=41, size=9, digest="x", last=NOW)
MARK = Mark(version=VERSION, since=NOW - dt.timedelta(days=7), begins=(BEGIN,))
OWN = f"postfix hk-mail:{MAIL_PATH}"
SINCE = {"since": str(int(MARK.since.timestamp())), "begins": "4038471504-75:41"}


def memory(data: bytes = mark_bytes(MARK), kind: str = MARKS, own: str = OWN) -> Memory:
    return Memory(kind=kind, subject=subject().key, id=own, time=NOW, data=data)


def unit_with(*sources: MailSource) -> Subject:
    said = UNIT.documents
    assert said is not None
    said = msgspec.structs.replace(said, mail=sources)
    return subject(msgspec.structs.replace(UNIT, documents=said))


def asked(subj: Subject, *memories: Memory) -> dict[str, dict[str, str]]:
    assert DOCUMENTS.resume is not None
    found = DOCUMENTS.resume(subj, memories)
    return {r.params["path"]: dict(r.params) for r in found if r.probe.startswith("documents.mail")}


def test_a_log_of_postfix_on_a_server_is_asked_for_from_the_mark_on() -> None:
    assert asked(subject(), memory()) == {MAIL_PATH: {"path": MAIL_PATH, **SINCE}}
    assert asked(subject()) == {MAIL_PATH: {"path": MAIL_PATH}}


def test_both_facts_ask_the_same() -> None:
    assert DOCUMENTS.resume is not None
    assert MAILS.resume is not None
    keys = [
        {r.key for r in fact.resume(subject(), [memory()]) if r.probe == MAIL_LOG.id}
        for fact in (DOCUMENTS, MAILS)
        if fact.resume
    ]
    assert keys[0] == keys[1]
    assert len(keys[0]) == 1


def test_two_units_with_one_mark_ask_once() -> None:
    assert DOCUMENTS.resume is not None
    other = subject(msgspec.structs.replace(UNIT, id="00071", name="Phường Cửa Nam"))
    one, two = (
        [r.key for r in DOCUMENTS.resume(s, [memory()]) if r.probe == MAIL_LOG.id]
        for s in (subject(), other)
    )
    assert one == two


@pytest.mark.parametrize(
    "given",
    [
        memory(b""),
        memory(b"{"),
        memory(mark_bytes(msgspec.structs.replace(MARK, version="0-x"))),
        memory(mark_bytes(msgspec.structs.replace(MARK, begins=()))),
        memory(own="postfix hk-mail:/other"),
        memory(own=f"exim hk-mail:{MAIL_PATH}"),
        memory(kind=REMEMBERED),
    ],
    ids=["forgotten", "damaged", "version", "unparted", "other path", "other kind", "other"],
)
def test_what_is_no_mark_of_it_is_not_used(given: Memory) -> None:
    assert asked(subject(), given) == {MAIL_PATH: {"path": MAIL_PATH}}


@pytest.mark.parametrize("beside", ["zimbra", "amavis"])
def test_logs_that_another_tells_names_are_read_whole(beside: str) -> None:
    ours = MailSource(kind="postfix", server="hk-mail", path=MAIL_PATH)
    told = MailSource(kind=beside, server="hk-mail", path="/opt/x.log")
    assert "since" not in asked(unit_with(ours, told), memory())[MAIL_PATH]


@pytest.mark.parametrize("where", [{}, {"bucket": "papers"}])
def test_logs_elsewhere_are_read_whole(where: dict[str, str]) -> None:
    source = MailSource(kind="postfix", path="mail.log", **where)
    (params,) = asked(unit_with(source), memory(own="postfix mail.log")).values()
    assert "since" not in params


def answers(resumed: bool) -> Answers:
    assert DOCUMENTS.resume is not None
    found: list[Evidence] = []
    for request in DOCUMENTS.resume(subject(), [memory()] if resumed else []):
        ours = request.probe == MAIL_LOG.id
        text = log(Mail("2026-11-10T08:00:00", "12/QĐ-UBND-HK"))
        found.append(answer(request, [entry(MAIL_PATH, text)] if ours else DENIED))
    return Answers(found)


def test_an_answer_from_a_mark_without_its_memory_is_not_taken_for_the_whole() -> None:
    with pytest.raises(AskWhole):
        DOCUMENTS.parse(context(subject(), Options()), answers(resumed=True))
    whole = DOCUMENTS.parse(context(subject(), Options()), answers(resumed=False))
    assert len(whole.events) == 1


def test_a_log_that_cannot_be_reached_keeps_its_memory() -> None:
    failed = Answers(
        [msgspec.structs.replace(e, stdout=b"", failure=DENIED) for e in answers(False).given]
    )
    found = DOCUMENTS.parse(context(subject(), Options()), failed)
    (report,) = found.under("mail")
    assert report.failure
    assert report.failure.kind is FailureKind.DENIED
    assert found.memories == ()
