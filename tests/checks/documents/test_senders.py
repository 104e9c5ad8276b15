"""Several communes write from one mail domain through one server: whose mail is it?"""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.arrivals import arrivals_of
from checks.documents.calendar import WEEKS
from checks.documents.coverage import Period
from checks.documents.routing import bypass
from checks.documents.secrecy import secret_mark
from checks.documents.senders import Senders
from checks.evidence import Answers, FailureKind
from checks.model import Check, Status, Subject, Verdict
from inventory.model import Agency, Documents, Inventory, Unit, UnitKind
from tests.helpers.correspondence import (
    AGENCIES,
    GATEWAY_HEAD,
    NOW,
    REGISTER_HEAD,
    UNIT,
    ZONE,
    Mail,
    answers,
    daily_mails,
    gateway,
    judge,
    log,
    register,
    subject,
)
from tests.helpers.document_events import PERIOD, known, mailed

CITY = "hanoi.example"
SHARED = (
    Agency(code="H26.1.2", name="UBND phường Hoàn Kiếm", mail_domains=(CITY,)),
    Agency(code="H26.1.3", name="UBND phường Tây Hồ", mail_domains=(CITY,)),
    *AGENCIES[1:],
)
OURS, THEIRS = f"vanthu_hk@{CITY}", f"vanthu_th@{CITY}"


def ward(*senders: str) -> Subject:
    assert UNIT.documents is not None
    said = msgspec.structs.replace(UNIT.documents, signs=("UBND",), senders=senders)
    return subject(msgspec.structs.replace(UNIT, documents=said), SHARED)


def day(mail: Mail) -> Mail:
    """An ordinary mail, from the shared domain as all are."""
    mail.sender = OURS
    return mail


BOOK = [(n, f"{n:02}/11/2026", f"2026-11-{n:02} 09:00:00") for n in range(1, 21)] + [
    (30 + n, f"{n:02}/10/2026", f"2026-10-{n:02} 09:00:00") for n in range(15, 32)
]
"""A document of every day, all of them sent to the same agency."""


def evidence(subj: Subject, *mails: Mail) -> Answers:
    rows = [(f"{n}/QĐ-UBND", day_, "Sở Văn hóa") for n, day_, _ in BOOK]
    sent = [(f"{n}/QĐ-UBND", "H26.6", at, "done") for n, _, at in BOOK]
    lines = log(*sorted((*map(day, daily_mails()), *mails), key=lambda m: m.at))
    return answers(REGISTER_HEAD + register(*rows), GATEWAY_HEAD + gateway(*sent), lines, subj)


def document(sender: str) -> Mail:
    to, names = "vanthu@soyte.gov.vn", ("12-QD-UBND.pdf",)
    return Mail("2026-11-12T10:00:00", "Gửi văn bản", sender=sender, to=(to,), names=names)


def said(check: Check, subj: Subject, *mails: Mail) -> Verdict:
    (verdict,) = judge(check, subj, evidence(subj, *mails), NOW)
    return verdict


@pytest.mark.parametrize("sender", [OURS, THEIRS])
def test_a_mail_from_a_shared_domain_accuses_nobody_and_lets_nobody_pass(sender: str) -> None:
    found = said(bypass, ward(), document(sender))
    assert (found.status, found.message.id) == (Status.UNKNOWN, "documents.bypass.shared-domain")
    assert found.message.args == {"mails": 1}
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED


@pytest.mark.parametrize("declared", [OURS, f"*_hk@{CITY}", f"<VanThu_HK@{CITY.upper()}>"])
def test_declared_mailboxes_tell_whose_mail_it_is(declared: str) -> None:
    assert said(bypass, ward(declared), document(OURS)).message.id == "documents.bypass.found"
    others = said(bypass, ward(declared), document(THEIRS))
    assert others.message.id != "documents.bypass.shared-domain"
    assert others.detail["counts"]["mails_of_others"] == 1
    assert others.status is not Status.FAIL


def test_a_sign_that_only_the_unit_has_tells_it_as_well() -> None:
    unit = ward()
    assert unit.unit.documents is not None
    documents = msgspec.structs.replace(unit.unit.documents, signs=("UBND", "UBND-HK"))
    unit = subject(msgspec.structs.replace(unit.unit, documents=documents), SHARED)
    mail = document(OURS)
    mail.names = ("13-QD-UBND-HK.pdf",)
    book = register(("13/QĐ-UBND-HK", "12/11/2026", "Sở Y tế"))
    lines = log(*map(day, daily_mails()), mail)
    sent = gateway(*((f"{n}/QĐ-UBND", "H26.6", at, "done") for n, _, at in BOOK))
    given_ = answers(REGISTER_HEAD + book, GATEWAY_HEAD + sent, lines, unit)
    (found,) = judge(bypass, unit, given_, NOW)
    assert found.status is Status.FAIL


def test_a_domain_of_the_units_own_needs_no_mailboxes() -> None:
    own = document("vanthu@hoankiem.gov.vn")
    (found,) = judge(bypass, subject(), evidence(subject(), own), NOW)
    assert found.status is Status.FAIL


@pytest.mark.parametrize(
    ("senders", "sender", "status"),
    [
        ((), OURS, Status.UNKNOWN),
        ((OURS,), OURS, Status.FAIL),
        ((OURS,), THEIRS, Status.PASS),
    ],
)
def test_a_secrecy_mark_accuses_only_whose_mail_it_is(
    senders: tuple[str, ...], sender: str, status: Status
) -> None:
    mail = document(sender)
    mail.subject = "TỐI MẬT"
    assert said(secret_mark, ward(*senders), mail).status is status


def test_a_mail_to_a_shared_domain_is_no_arrival() -> None:
    came = known(mailed(55, CITY, sender="soyte.gov.vn", sign="SYT-VP"))
    period = Period(PERIOD[0], PERIOD[-1])
    rest = period, WEEKS, (1, ZONE)
    assert arrivals_of(came, Directory(SHARED, UNIT), *rest) == []
    alone = Directory((SHARED[0], *AGENCIES[1:]), UNIT)
    assert len(arrivals_of(came, alone, *rest)) == 1


def test_units_that_declare_the_same_domain_share_it() -> None:
    def unit(name: str) -> Unit:
        return Unit(
            id=name, name=name, kind=UnitKind.WARD, documents=Documents(domains=(f"@{CITY}",))
        )

    one, two = unit("one"), unit("two")
    alone = Inventory(units={"one": one})
    assert not Directory.of(alone, one).shares(CITY)
    both = Inventory(units={"one": one, "two": two})
    assert Directory.of(both, one).shares(CITY)
    assert Directory.of(both, one).shares(f"thu.{CITY}")
    assert not Directory.of(both, one).shares("gmail.com")


def test_a_star_is_any_text_of_one_part() -> None:
    senders = Senders([f"*_hk@{CITY}"])
    assert senders.own(f"an_hk@{CITY}".encode())
    assert not senders.own(f"an@evil.example_hk@{CITY}".encode())
    assert not senders.own(b"an_hk@other.example")
    assert not senders.own(b"x" * 10_000 + f"_hk@{CITY}".encode())
    assert not Senders().own(OURS.encode())


@given(st.binary(max_size=400))
def test_any_bytes_are_an_address_or_none(address: bytes) -> None:
    assert Senders(["*@*"]).own(address) in {True, False}
    assert not Senders([OURS]).own(b"x" + address + b"y")
