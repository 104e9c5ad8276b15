"""Recipients' addresses become keyed hashes where their domain is taken, in every kind of log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args, get_type_hints

import msgspec
import pytest

from checks.documents.agencies import Directory
from checks.documents.mail_logs import MAIL_KINDS
from checks.documents.numbers import Finder
from checks.documents.senders import Addresses
from checks.documents.sources.mailboxes import read_mailboxes
from checks.documents.sources.reading import Read, Reading
from checks.documents.sources.uploads import Join
from checks.pseudonyms import MORE, MOST, Pseudonyms
from inventory.document_docs import MailboxDoc
from tests.checks.documents import test_amavis as amavis
from tests.checks.documents import test_exchange as exchange
from tests.checks.documents import test_exim as exim
from tests.checks.documents import test_mailboxes as boxes
from tests.helpers.correspondence import AGENCIES, PSEUDONYMS, UNIT, ZONE, Mail, entry, log

AT = "2026-11-10T08:00:00"
NAME = "12-QD-UBND-HK.pdf"
TO = ("Tran.An@gmail.com", "binh+hk@gmail.com", "vanthu@soyte.gov.vn")
BOX_KINDS = get_args(get_type_hints(MailboxDoc)["kind"])
SENT = boxes.message(names=[NAME], to=", ".join(f"Ông X <{to}>" for to in TO)).as_bytes()
OTHER = Pseudonyms(b"o" * 32)


def reading(pseudonyms: Pseudonyms | None, join: Join | None = None) -> Reading:
    return Reading(
        name="source",
        zone=ZONE,
        directory=Directory(AGENCIES, UNIT),
        finder=Finder(["QĐ-UBND-HK"]),
        addresses=Addresses(pseudonyms=pseudonyms),
        join=Join() if join is None else join,  # an empty one is false
    )


def postfix_text(to: Iterable[str] = TO) -> str:
    return log(Mail(AT, "Gửi", to=tuple(to), names=(NAME,)))


def exim_text() -> str:
    mail = exim.Mail()
    sent = [mail.line(f"=> {to} R=dnslookup T=remote_smtp H=mx [10.9.9.9]", 1) for to in TO]
    return "".join([*mail.begun(), *sent, mail.line("Completed", 2)])


def exchange_text() -> str:
    return exchange.log(exchange.row(to=";".join(TO)))


def read(kind: str, pseudonyms: Pseudonyms | None) -> Read:
    if kind in BOX_KINDS:
        opening = b"From - Tue Nov 10 08:00:00 2026\n" if kind == "mbox" else b""
        return read_mailboxes([entry("a", opening + SENT)], reading(pseudonyms), kind)
    if kind == "zimbra":  # tells names only; the recipients are in the other log of the server
        join = Join()
        MAIL_KINDS["zimbra"]([entry("mailbox.log", "")], reading(pseudonyms, join))
        return MAIL_KINDS["postfix"]([entry("mail.log", postfix_text())], reading(pseudonyms, join))
    if kind == "amavis":  # the same
        join, mail = Join(), Mail(AT, to=TO, queue=amavis.INNER)
        told = "".join([*amavis.path(NAME), amavis.passed("Gửi")])
        MAIL_KINDS["amavis"]([entry("amavis.log", told)], reading(pseudonyms, join))
        return MAIL_KINDS["postfix"]([entry("mail.log", log(mail))], reading(pseudonyms, join))
    text = {"postfix": postfix_text, "exim": exim_text, "exchange": exchange_text}[kind]()
    return MAIL_KINDS[kind]([entry("mail.log", text)], reading(pseudonyms))


KINDS = (*MAIL_KINDS, *BOX_KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_each_domain_has_the_hashes_of_its_own_mailboxes(kind: str) -> None:
    events, _ = read(kind, PSEUDONYMS)
    found = {e.recipient: e.mailboxes for e in events}
    hashed = [PSEUDONYMS.of(to.lower().encode()) for to in TO]
    assert found == {"gmail.com": tuple(sorted(hashed[:2])), "soyte.gov.vn": (hashed[2],)}
    told = msgspec.json.encode(list(events)).decode().lower()
    assert not [to for to in TO if to.partition("@")[0].lower() in told]


@pytest.mark.parametrize("kind", KINDS)
def test_without_a_key_there_is_no_hash_and_all_else_is_the_same(kind: str) -> None:
    hashed, report = read(kind, PSEUDONYMS)
    bare, same = read(kind, None)
    assert {e.mailboxes for e in bare} == {()}
    assert [msgspec.structs.replace(e, mailboxes=()) for e in hashed] == list(bare)
    assert report == same


@pytest.mark.parametrize("kind", KINDS)
def test_another_key_makes_other_hashes(kind: str) -> None:
    one, other = (
        {h for e in read(kind, key)[0] for h in e.mailboxes} for key in (PSEUDONYMS, OTHER)
    )
    assert len(one) == len(other) == 3
    assert not one & other


def test_an_address_written_two_ways_is_one_mailbox() -> None:
    text = postfix_text(["An@Gmail.com", "an@gmail.com", "AN@GMAIL.COM"])
    (event,) = MAIL_KINDS["postfix"]([entry("mail.log", text)], reading(PSEUDONYMS))[0]
    assert event.mailboxes == (PSEUDONYMS.of(b"an@gmail.com"),)


def test_a_mail_to_very_many_mailboxes_says_that_there_were_more() -> None:
    text = postfix_text(f"a{n}@gmail.com" for n in range(MOST + 5))
    (event,) = MAIL_KINDS["postfix"]([entry("mail.log", text)], reading(PSEUDONYMS))[0]
    assert len(event.mailboxes) == MOST + 1
    assert event.mailboxes[-1] == MORE


def test_the_documents_of_one_mail_share_their_hashes_in_memory() -> None:
    text = log(Mail(AT, "Gửi", to=TO[:1], names=(NAME, "13-QD-UBND-HK.pdf")))
    one, other = MAIL_KINDS["postfix"]([entry("mail.log", text)], reading(PSEUDONYMS))[0]
    assert one.key != other.key
    assert one.mailboxes is other.mailboxes
