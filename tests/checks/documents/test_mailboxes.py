"""Mailboxes under a written order: headers and attachment names of what was sent, nothing else."""

from __future__ import annotations

import contextlib
import datetime as dt
import email.message
import email.policy
import hashlib
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import SourceReport
from checks.documents.evidence import DOCUMENTS
from checks.documents.numbers import Finder
from checks.documents.routing import bypass
from checks.documents.sources.mailboxes import read_mailboxes
from checks.documents.sources.reading import Read, Reading
from checks.evidence import Answers, FailureKind, Unparsable
from checks.files import FileEntry
from checks.model import Status, Verdict
from inventory.model import Documents, FileSource, MailboxSource, WrittenOrder
from tests.helpers.correspondence import (
    AGENCIES,
    GATEWAY_HEAD,
    HEALTH,
    REGISTER_HEAD,
    UNIT,
    ZONE,
    answer,
    context,
    entry,
    gateway,
    judge,
    register,
    subject,
)

NUMBER = "12/QĐ-UBND-HK"
KEY = "12/QD-UBND-HK"
OWN = "vanthu@hoankiem.gov.vn"
ORDER = WrittenOrder(
    document="7/QĐ-UBND",
    date=dt.date(2026, 11, 1),
    by="Chủ tịch",
    purpose="Kiểm tra",
    until=dt.date(2026, 12, 31),
)


def message(
    subject_text: str = "Gửi văn bản",
    names: Sequence[str] = (),
    *,
    to: str = "vanthu@soyte.gov.vn",
    sender: str = OWN,
    date: str = "Tue, 10 Nov 2026 08:00:00 +0700",
    ref: str = "<1@hk>",
) -> email.message.EmailMessage:
    made = email.message.EmailMessage(policy=email.policy.SMTP)
    made["Subject"], made["From"], made["To"] = subject_text, sender, to
    made["Date"], made["Message-ID"] = date, ref
    made.set_content("Kính gửi quý cơ quan. Số 99/QĐ-UBND-HK chỉ có trong thân thư.")
    for name in names:
        made.add_attachment(b"%PDF-1.7", "application", "pdf", filename=name)
    return made


def read(*entries: FileEntry, kind: str = "eml") -> Read:
    reading = Reading(
        name="hop-thu/*",
        zone=ZONE,
        directory=Directory(AGENCIES, UNIT),
        finder=Finder(["QĐ-UBND-HK", "BC-UBND-HK"]),
    )
    return read_mailboxes(entries, reading, kind)


def eml(made: email.message.EmailMessage, name: str = "a.eml") -> FileEntry:
    return entry(name, made.as_bytes())


def test_a_sent_mail_tells_number_time_and_domain_and_no_word_more() -> None:
    made = message("V/v Quyết định số 12/QĐ-UBND-HK của ông Nguyễn Văn A", ["12 QĐ-UBND-HK.pdf"])
    events, report = read(eml(made, "Nguyễn Văn A.eml"))
    (event,) = events
    assert str(event.key) == KEY
    assert event.time == dt.datetime(2026, 11, 10, 1, tzinfo=dt.UTC)
    assert (event.sender, event.recipient) == ("hoankiem.gov.vn", "soyte.gov.vn")
    assert event.mail is not None
    assert (event.mail.found, event.mail.size) == ("name", len(made.as_bytes()))
    assert (event.place.file, event.place.line) == ("hop-thu/*", 1)
    head = made.as_bytes().partition(b"\r\n\r\n")[0]
    assert event.place.sha256 == hashlib.sha256(head).hexdigest()
    told = msgspec.json.encode((list(events), report)).decode()
    assert all(word not in told for word in ("Nguy", "vanthu", "Gửi", "pdf", "Quyết"))


def test_the_body_and_what_is_forwarded_inside_are_not_read() -> None:
    inner = message("Chuyển tiếp 12/QĐ-UBND-HK", ["12-QĐ-UBND-HK.pdf"])
    outer = message("Lịch họp")
    outer.make_mixed()
    outer.add_attachment(inner)
    assert list(read(eml(outer))[0]) == []
    assert list(read(eml(message()))[0]) == []


def test_parts_in_parts_and_every_way_to_write_a_name() -> None:
    made = message("Gửi", ["12/QĐ-UBND-HK.pdf".replace("/", "-")])
    raw = (
        b"From: vanthu@hoankiem.gov.vn\r\nTo: a@soyte.gov.vn\r\nCc: b@x.gov.vn\r\n"
        b"Date: Tue, 10 Nov 2026 08:00:00 +0700\r\nMessage-ID: <2@hk>\r\n"
        b'Content-Type: multipart/mixed;\r\n boundary="out er"\r\n\r\nwords\r\n--out er\r\n'
        b"Content-Type: multipart/alternative; boundary=inner\r\n\r\n--inner\r\n"
        b"Content-Type: application/pdf;\r\n name*0*=UTF-8''12-Q%C4%90-UB;\r\n name*1*=ND-HK.pdf"
        b"\r\n\r\nJVBERi0=\r\n--inner--\r\n--out er--\r\n"
    )
    events, _ = read(entry("b.eml", raw))
    assert {(str(e.key), e.recipient) for e in events} == {
        (KEY, "soyte.gov.vn"),
        (KEY, "x.gov.vn"),
    }
    assert {str(e.key) for e in read(eml(made))[0]} == {KEY}


def test_an_mbox_holds_many_and_a_quoted_from_is_none() -> None:
    first, second = message(NUMBER, ref="<1@a>"), message("57/BC-UBND-HK", ref="<2@a>")
    first.set_content("Đoạn\nFrom đây trở đi\n\n>From trích\n")
    box = b"".join(
        b"From vanthu Tue Nov 10 01:00:00 2026\n" + m.as_bytes().replace(b"\r\n", b"\n") + b"\n"
        for m in (first, second, first)
    )
    events, report = read(entry("Sent", box), kind="mbox")
    assert {str(e.key): e.place.line for e in events} == {KEY: 1, "57/BC-UBND-HK": 2}
    assert (report.lines, report.repeated, report.unparsed) == (3, 1, 0)


def test_mails_without_date_or_sender_are_counted_and_all_of_them_are_an_error() -> None:
    bad = message(NUMBER, date="hôm qua", ref="<3@a>")
    events, report = read(eml(bad), eml(message(NUMBER)))
    assert (len(events), report.unparsed) == (1, 1)
    with pytest.raises(Unparsable, match="none of its 1 messages"):
        read(eml(bad))
    with pytest.raises(Unparsable, match="no line that begins a message"):
        read(eml(bad), kind="mbox")
    assert list(read(entry("empty", b""), kind="mbox")[0]) == []


# ------------------------------------------------------------------------------------- the order


def world(order: WrittenOrder, *names: str, kind: str = "eml") -> tuple[Verdict, SourceReport]:
    """A register and a gateway that lack one document, and a mailbox with these attachments."""
    said = Documents(
        signs=("UBND-HK",),
        register=FileSource(path="registers/out-*.csv"),
        gateway=FileSource(path="gateway/sent-*.csv"),
        mailboxes=(MailboxSource(kind=kind, path="hop-thu", order=order),),
    )
    subj = subject(msgspec.structs.replace(UNIT, documents=said))
    days = [dt.date(2026, 10, 15) + dt.timedelta(days=n) for n in range(37)]
    book = REGISTER_HEAD + register(
        *((f"{n}/QĐ-UBND-HK", f"{d:%d/%m/%Y}", "Sở Y tế") for n, d in enumerate(days, 100)),
        (NUMBER, "10/11/2026", "Sở Y tế"),
    )
    sent = GATEWAY_HEAD + gateway(
        *((f"{n}/QĐ-UBND-HK", HEALTH, f"{d} 15:00:00", "03") for n, d in enumerate(days, 100))
    )
    files = {
        "registers/out-*.csv": entry("registers/out.csv", book),
        "gateway/sent-*.csv": entry("gateway/sent.csv", sent),
        "hop-thu/cur/*" if kind == "maildir" else "hop-thu": eml(message("Gửi", names)),
    }
    evidence = Answers([answer(r, [files[r.params["path"]]]) for r in DOCUMENTS.requests(subj)])
    events = DOCUMENTS.parse(context(subj, bypass.options()), evidence)
    (source,) = events.under("mailboxes")
    assert source.file_names == ()
    # Of a shared domain too: a box that was handed over tells whose it is.
    assert all(e.mail.ours for e in events.events if e.mail is not None)
    (verdict,) = judge(bypass, subj, evidence)
    return verdict, source


@pytest.mark.parametrize("kind", ["eml", "maildir"])
def test_a_box_proves_a_bypass_and_its_silence_proves_nothing(kind: str) -> None:
    proven, source = world(ORDER, "12 QĐ-UBND-HK.pdf", kind=kind)
    assert source.failure is None
    assert proven.status is Status.FAIL
    (shown,) = proven.detail["bypasses"]
    assert (shown["key"], shown["grade"], shown["place"]) == (
        "12/2026/QD-UBND-HK",
        "A",
        "hop-thu:1",
    )
    assert world(ORDER, "lich hop.pdf")[0].status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"until": dt.date(2026, 11, 19)}, "ended on 2026-11-19"),
        ({"date": dt.date(2026, 11, 21)}, "a day to come"),
    ],
)
def test_without_an_order_that_holds_nothing_is_read(change: dict[str, dt.date], why: str) -> None:
    verdict, source = world(msgspec.structs.replace(ORDER, **change), "12 QĐ-UBND-HK.pdf")
    assert verdict.status is Status.UNKNOWN
    assert source.failure is not None
    assert source.failure.kind is FailureKind.NOT_DECLARED
    assert why in source.failure.detail
    assert "7/QĐ-UBND" in source.failure.detail
    last = msgspec.structs.replace(ORDER, date=dt.date(2026, 11, 20), until=dt.date(2026, 11, 20))
    assert world(last, "12 QĐ-UBND-HK.pdf")[0].status is Status.FAIL


@given(st.binary(max_size=2000), st.sampled_from(["eml", "mbox", "maildir"]))
def test_any_bytes_at_all_end_in_events_or_one_line(data: bytes, kind: str) -> None:
    head = b"From x\nFrom: a@b.vn\nDate: Tue, 10 Nov 2026 08:00:00 +0700\n"
    for raw in (data, head + data):
        with contextlib.suppress(Unparsable):
            read(entry("x", raw), kind=kind)


def test_a_message_of_endless_parts_is_left_in_time() -> None:
    raw = (
        b"From: a@hoankiem.gov.vn\nTo: b@soyte.gov.vn\nDate: Tue, 10 Nov 2026 08:00:00 +0700\n"
        b"Content-Type: multipart/mixed; boundary=b\n\n"
        + b"--b\nContent-Type: application/pdf; name=x.pdf\n\n" * 5000
        + b"--b\nContent-Type: application/pdf; name=12-QD-UBND-HK.pdf\n\n--b--\n"
    )
    events, _ = read(entry("x.eml", raw))
    assert list(events) == []
