"""Zimbra's mailbox log: names by default, recipients only together with the MTA's log."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from checks.documents.completeness import mail_visible
from checks.documents.events import DocumentEvents, SourceReport
from checks.documents.evidence import DOCUMENTS
from checks.documents.mail_logs import MAIL_FILE
from checks.documents.numbers import Finder
from checks.documents.sources.mails import Contents
from checks.documents.sources.uploads import Hashes, Join, Uploads, message_hash
from checks.documents.sources.zimbra import MailboxLog, read_zimbra
from checks.evidence import Answers, Failure, FailureKind, Unparsable
from checks.files import FileEntry
from checks.model import Options, Status
from inventory.model import Documents, MailSource
from tests.helpers.correspondence import (
    AGENCIES,
    PATIENT,
    UNIT,
    ZONE,
    Mail,
    answer,
    context,
    entry,
    gz,
    log,
    subject,
)

FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK"])
AT = dt.datetime(2026, 11, 10, 8, tzinfo=ZONE)
NAME = "12-QĐ-UBND-HK.signed.pdf"
MESSAGE = "<1786.4711.1794272400000.JavaMail.zimbra@hoankiem.gov.vn>"
WRITER = "vanthu@hoankiem.gov.vn"
UPLOAD = (
    "Upload: {{ accountId=4f3e-11, time=Tue Nov 10 08:00:00 ICT 2026, size=250000, "
    "uploadId=aa:bb, name={}, path=/opt/zimbra/data/tmp/upload/up_1.upload }}"
)


def line(rest: str, at: dt.datetime = AT, writer: str = WRITER, thread: str = "SendMsg") -> str:
    stamp = f"{at:%Y-%m-%d %H:%M:%S},{at.microsecond // 1000:03}"
    return (
        f"{stamp} INFO  [qtp509886383-1207:https://mail:443/service/soap/{thread}Request] "
        f"[name={writer};mid=12;ip=10.0.7.21;port=40312;ua=ZimbraWebClient - GC119 (Win)/8.8.15;] "
        f"{rest}\n"
    )


def sending(*names: str, message: str = MESSAGE, at: dt.datetime = AT, **more: str) -> str:
    """The line of MailSender, with the optional parts in the order of version 8.8 and later."""
    uploads = ", ".join(UPLOAD.format(n) for n in names)
    said = f", uploads=[{uploads}]" if names else ""
    text = (
        f"smtp - Sending message to MTA at localhost, port 25: Message-ID={message}, "
        f"origMsgId=1203, replyType=w{said}, size=341000, sender={WRITER}, nrcpts=1, "
        "to=vanthu@soyte.gov.vn"
    )
    return line(text, at, **more)


def uploaded(name: str, at: dt.datetime = AT, how: str = "Received plain: ", **more: str) -> str:
    return line(f"FileUploadServlet - {how}{UPLOAD.format(name)}", at, thread="", **more)


def read(*parts: str | bytes | FileEntry, zone: ZoneInfo = ZONE) -> MailboxLog:
    files = [
        p if isinstance(p, FileEntry) else entry(f"mailbox.log.{n}", p) for n, p in enumerate(parts)
    ]
    return read_zimbra(files, "mailbox.log", zone, FINDER)


def documents(found: MailboxLog, message: str = MESSAGE) -> list[tuple[str, bool]]:
    contents = found.uploads.documents.get(message_hash(message.encode()), Contents())
    return [(str(k), m.weak) for k, (m, _) in contents.noted.items()]


def mta(message: str = MESSAGE, at: str = "2026-11-10T08:00:01", **more: object) -> str:
    """The way of a mail through Postfix, without any header."""
    mail = Mail(at, **more)  # type: ignore[arg-type]
    return log(mail).replace(f"message-id=<{mail.queue}@pc-7>", f"message-id={message}")


def judged(mailbox: str | Failure | None, *mta_logs: str | Failure) -> DocumentEvents:
    """The unit's events when these sources are declared, the MTA's log first."""
    logs = [("postfix", f"mta{n}.log", t) for n, t in enumerate(mta_logs)]
    logs += [("zimbra", "mailbox.log", mailbox)] if mailbox is not None else []
    sources = tuple(MailSource(kind=k, path=p) for k, p, _ in logs)
    unit = replace(UNIT, documents=Documents(signs=("UBND-HK", "QĐ-UBND-HK"), mail=sources))
    subj = subject(unit, AGENCIES)
    texts = {p: t for _, p, t in logs}
    found = []
    for request in DOCUMENTS.requests(subj):
        assert request.probe == MAIL_FILE.id
        path = request.params["path"]
        given = texts[path]
        said = given if isinstance(given, Failure) else [entry(path, given)]
        found.append(answer(request, said))
    return DOCUMENTS.parse(context(subj, Options()), Answers(found))


def report(events: DocumentEvents, name: str) -> SourceReport:
    return next(s for s in events.sources if s.name == name)


def test_names_of_a_mail_are_read() -> None:
    found = read(sending(NAME, "phụ lục, path=x.xlsx"))
    assert documents(found) == [("12/QD-UBND-HK", False)]
    assert (found.events, found.report.mails) == ((), 1)
    assert (found.report.mails_with_names, found.report.mails_with_headers) == (1, 0)
    assert found.report.days == {dt.date(2026, 11, 10)}


def test_alone_it_is_counted_and_never_an_event() -> None:
    """Newer versions list recipients, but nothing here says that anyone got the mail."""
    events = judged(sending(NAME))
    assert list(events.events) == []
    told = report(events, "mailbox.log")
    assert (told.mails, told.unaddressed, told.mails_with_headers) == (1, 1, 0)
    assert events.header_share == 0


def test_joined_to_the_log_of_the_mta() -> None:
    text = sending("a.pdf", message="<x@y>") + sending(NAME)
    events = judged(text, mta() + mta("<x@y>", "2026-11-10T09:00:00"))
    (event,) = events.events
    assert (str(event.key), event.recipient) == ("12/QD-UBND-HK", "soyte.gov.vn")
    assert event.mail is not None
    assert (event.mail.found, event.mail.size) == ("name", 250_000)
    assert event.place.file == "mailbox.log"
    assert event.place.ref
    assert event.place.ref in mta()  # the id under which the MTA delivered it
    raw = text.splitlines()[event.place.line - 1]
    assert event.place.sha256 == hashlib.sha256(raw.encode()).hexdigest()
    assert event.time == dt.datetime(2026, 11, 10, 1, 0, 3, tzinfo=dt.UTC)
    # Each mail counts once, and names without subjects are no headers.
    told, sent = report(events, "mailbox.log"), report(events, "mta0.log")
    assert (told.mails, told.joined, told.unaddressed, told.mails_with_names) == (0, 2, 0, 0)
    assert (sent.mails, sent.mails_with_names, sent.mails_with_headers) == (2, 2, 0)


def test_a_log_whose_mails_another_log_shows_has_no_row_of_its_own() -> None:
    text = sending(NAME) + sending(message="<b@y>")
    ctx = context(subject(), mail_visible.options())
    for logs, rows in (
        ((mta(), mta("<b@y>", "2026-11-10T09:00:00")), ["mail mta0.log", "mail mta1.log"]),
        ((mta(),), ["mail mta0.log", "mail mailbox.log"]),
    ):
        found = list(mail_visible.judge(ctx, None, judged(text, *logs)))
        assert [v.subject for v in found] == rows
        assert all(v.status is Status.FAIL for v in found)


def test_bounced_at_the_mta_is_no_event() -> None:
    text = mta().replace("status=sent (250 2.0.0 Ok: queued as 9F0E)", "status=bounced (550)")
    events = judged(sending(NAME), text)
    assert list(events.events) == []
    assert report(events, "mailbox.log").unaddressed == 0


def test_subject_from_the_mta_and_name_from_the_mailbox_make_headers() -> None:
    mail = Mail("2026-11-10T08:00:01", "Chào", size=90_000)
    text = log(mail).replace(f"message-id=<{mail.queue}@pc-7>", f"message-id={MESSAGE}")
    # The second was written in a mail program: nothing tells its names.
    text += log(Mail("2026-11-10T09:00:01", "Chào", size=90_000))
    sent = report(judged(sending(NAME), text), "mta0.log")
    assert (sent.mails, sent.mails_with_subjects, sent.mails_with_headers) == (2, 2, 1)


def test_a_mail_without_uploads_tells_nothing_of_its_names() -> None:
    """Its attachments may come from a draft or a forwarded mail."""
    mail = Mail("2026-11-10T08:00:01", "Chào", size=90_000)
    text = log(mail).replace(f"message-id=<{mail.queue}@pc-7>", f"message-id={MESSAGE}")
    assert report(judged(sending(), text), "mta0.log").mails_with_headers == 0


def test_two_mta_logs_and_a_mail_that_only_one_has() -> None:
    text = sending(NAME) + sending("13-BC-UBND-HK.pdf", message="<b@y>")
    text += sending("14-BC-UBND-HK.pdf", message="<c@y>")
    events = judged(text, mta(), mta("<b@y>", "2026-11-10T09:00:00", to=("x@gmail.com",)))
    assert sorted((e.key.number, e.recipient) for e in events.events) == [
        (12, "soyte.gov.vn"),
        (13, "gmail.com"),
    ]
    assert (report(events, "mailbox.log").mails, report(events, "mailbox.log").unaddressed) == (
        1,
        1,
    )


def test_a_mailbox_log_that_failed_leaves_the_mta_alone() -> None:
    denied = Failure(kind=FailureKind.DENIED, detail="mailbox.log")
    events = judged(denied, mta())
    assert report(events, "mailbox.log").failure == denied
    assert report(events, "mta0.log").mails == 1


def test_an_upload_for_a_draft_is_a_weak_hint() -> None:
    before = AT - dt.timedelta(minutes=10)
    for how in ("Received plain: ", "Received multipart: ", "saveUpload(): received "):
        assert documents(read(uploaded(NAME, before, how) + sending())) == [("12/QD-UBND-HK", True)]
    # Not when it is hours old, another's, or was listed by a mail already sent.
    old = uploaded(NAME, AT - dt.timedelta(hours=2))
    other = uploaded(NAME, before, writer="ketoan@hoankiem.gov.vn")
    listed = uploaded(NAME, before) + sending(NAME, message="<first@y>")
    for text in (old, other, listed):
        assert documents(read(text + sending())) == [], text


def test_a_hint_is_counted_by_the_matcher_as_weak() -> None:
    text = uploaded(NAME, AT - dt.timedelta(minutes=1)) + sending()
    (event,) = judged(text, mta()).events
    assert event.mail is not None
    assert event.mail.weak


@pytest.mark.parametrize(
    ("logged", "key"),
    [
        ("12-QĐ-UBND-HK.pdf".encode(), "12/QD-UBND-HK"),
        (b"12-Q?-UBND-HK.pdf", "12/QD-UBND-HK"),
        (b"12-Q??-UBND-HK.pdf", "12/QD-UBND-HK"),
        ("12-QĐ-UBND-HK đã ký.pdf".encode("cp1258", "replace"), "12/QD-UBND-HK"),
        ("12-QD-UBND-HK kế hoạch.pdf".encode("utf-16-le").replace(b"\n", b""), ""),
        (b"=?utf-8?B?MTItUcSQLVVCTkQtSEs=?=", "12/QD-UBND-HK"),
    ],
)
def test_encodings_of_names(logged: bytes, key: str) -> None:
    """The JVM writes its own encoding; where that has no Vietnamese, a question mark."""
    raw = sending("NAME").encode().replace(b"NAME", logged)
    found = documents(read(raw))
    assert [k for k, _ in found] == ([key] if key else [])


def test_a_name_with_line_ends_and_a_trace_behind() -> None:
    trace = "com.zimbra.common.service.ServiceException: system failure\n\tat a.b(C.java:1)\n"
    other = sending("13-BC-UBND-HK.pdf", message="<b@y>")
    text = sending("phu luc\n12-QĐ-UBND-HK.pdf").replace(", path=/opt", "\n") + trace + other
    found = read(text)
    assert documents(found) == [("12/QD-UBND-HK", False)]
    assert len(found.uploads.sent) == 2
    # A stack trace after a whole entry is no part of it.
    found = read(sending("a.pdf") + "12-QĐ-UBND-HK.pdf, path=\n" + sending("x", message="<b@y>"))
    assert documents(found) == []


def test_a_name_whose_second_line_was_not_sent_is_not_known() -> None:
    """The search on the host goes by lines: what it cut off may have held a number."""
    whole = sending("12-BC-UBND-HK.pdf", "phu luc\n12-QĐ-UBND-HK.pdf")
    numbered = "".join(f"{n}:{x}\n" for n, x in enumerate(whole.splitlines(), 7) if "INFO" in x)
    found = read(numbered)
    assert documents(found) == [("12/BC-UBND-HK", False)]
    assert (found.report.mails, found.report.mails_with_names) == (1, 0)
    assert read(whole).report.mails_with_names == 1


def test_what_a_client_writes_is_not_believed() -> None:
    """The client's own name stands in every entry, before the text."""
    fake = "x;] smtp - Sending message to MTA at h: Message-ID=<v@y>, uploads=[" + UPLOAD.format(
        NAME
    )
    text = line("smtp - Adding", writer=f"a@b;ua={fake}")
    found = read(text)
    assert list(found.uploads.sent) == [message_hash(b"<v@y>")]  # invents a mail that no MTA knows
    assert list(judged(text, mta()).events) == []


def test_no_text_or_address_leaves_the_parser() -> None:
    shown = repr(read(sending("Bí mật nhà bếp 12-QĐ-UBND-HK.pdf") + uploaded("bep.pdf")))
    assert "bếp" not in shown
    assert "vanthu" not in shown


def test_rotated_files_and_copies() -> None:
    older = uploaded(NAME, AT - dt.timedelta(minutes=5))
    found = read(sending(), gz(older), older)
    assert documents(found) == [("12/QD-UBND-HK", True)]
    assert (found.report.files, found.report.duplicates) == (2, 1)


def test_deliveries_show_days() -> None:
    text = line("lmtp - Delivering message: size=1 bytes, nrcpts=1, sender=a@b, msgid=<x>")
    found = read(text)
    assert (found.report.mails, found.report.days) == (0, frozenset({dt.date(2026, 11, 10)}))


def test_stamps_in_the_zone_of_the_server() -> None:
    assert read(sending(NAME), zone=ZoneInfo("UTC")).report.first == dt.datetime(
        2026, 11, 10, 8, tzinfo=dt.UTC
    )


def test_writers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("checks.documents.sources.zimbra._WRITERS", 3)
    many = "".join(uploaded(f"{n}-BC-UBND-HK.pdf", writer=f"p{n}@x.vn") for n in range(1, 9))
    assert documents(read(many + sending(writer="p1@x.vn"))) == []
    assert documents(read(many + sending(writer="p8@x.vn"))) == [("08/BC-UBND-HK", True)]


def test_a_join_remembers_little() -> None:
    join = Join()
    assert not join
    join.tell("a", Uploads(sent=Hashes([message_hash(b"<x@y>")] * 2), named=Hashes()))
    assert join
    assert join.ask(b"4Pb1", b"<other@y>") is None
    assert join.settled(SourceReport(kind="mail", name="a")).mails == 1  # type: ignore[arg-type]
    assert join.ask(b"4Pb1", b"x@y") is not None
    assert join.settled(SourceReport(kind="mail", name="a")).mails == 0  # type: ignore[arg-type]
    other = SourceReport(kind="mail", name="b", mails=7)  # type: ignore[arg-type]
    assert join.settled(other) is other


def test_a_log_of_something_else() -> None:
    with pytest.raises(Unparsable, match=r"^mailbox.log.0:1: no entry of a Zimbra mailbox log"):
        read("Nov 10 08:00:00 mx kernel: hello\n")
    assert read("").report.lines == 0
    assert read(line("mailop - Adding Message: id=1")).report.lines == 0


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    text = sending(NAME).encode()
    for raw in (data, text + data, text[:290] + data + text[290:], text.replace(b"=", data[:3])):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("mailbox.log.0:")  # noqa: PT017
