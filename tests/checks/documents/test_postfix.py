"""Postfix logs: lives, joins, deliveries, damage; nothing that a sender writes is believed."""

from __future__ import annotations

import datetime as dt
import hashlib
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import FoundIn
from checks.documents.numbers import Finder
from checks.documents.sources import logfiles
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.postfix_lines import header_text
from checks.evidence import Unparsable
from checks.files import FileEntry
from tests.helpers.correspondence import NOW, PATIENT, ZONE, Mail, daily_mails, entry, gz, log, word

FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK", "UBND-HK-VX"])
AT = "2026-11-10T08:00:00"
LATER = "2026-11-11T09:00:00"
NUMBER = "12/QĐ-UBND-HK"
NAME = "12-QD-UBND-HK.signed.pdf"


def read(*parts: str | bytes | FileEntry, lives: int = 1000, zone: ZoneInfo = ZONE) -> MailLog:
    files = [
        p if isinstance(p, FileEntry) else entry(f"mail.log.{n}", p) for n, p in enumerate(parts)
    ]
    return read_postfix(files, "mx:mail.log", zone, FINDER, lives)


def pairs(found: MailLog) -> list[tuple[str, str]]:
    return [(str(e.key), e.recipient) for e in found.events]


def test_a_mail_with_subject_and_name_is_one_event() -> None:
    found = read(log(Mail(AT, f"Gửi Quyết định {NUMBER}", names=(NAME,))))
    (event,) = found.events
    assert event.mail is not None
    assert (str(event.key), event.recipient) == ("12/QD-UBND-HK", "soyte.gov.vn")
    assert (event.mail.found, event.mail.leading, event.mail.size) == (FoundIn.NAME, True, 250_000)
    assert (event.mail.sender, event.sender) == ("hoankiem.gov.vn", "hoankiem.gov.vn")
    assert event.time == dt.datetime(2026, 11, 10, 1, 0, 2, tzinfo=dt.UTC)
    assert (found.report.mails, found.report.mails_with_headers) == (1, 1)


def test_place_and_hash_are_of_the_raw_header_line() -> None:
    mails = [Mail("2026-11-10T07:00:00", "Xin chào"), Mail(AT, NUMBER)]
    text = log(*mails)
    (event,) = read(text).events
    number = next(
        n for n, line in enumerate(text.splitlines(), 1) if NUMBER[:2] and word(NUMBER) in line
    )
    raw = text.splitlines()[number - 1]
    assert (event.place.line, event.place.ref) == (number, mails[1].queue)
    assert event.place.sha256 == hashlib.sha256(raw.encode()).hexdigest()


def test_lines_numbered_on_the_host_keep_their_numbers_and_hashes() -> None:
    text = log(Mail("2026-11-10T07:00:00", "Xin chào"), Mail(AT, NUMBER))
    numbered = "".join(f"{n + 1000}:{line}\n" for n, line in enumerate(text.splitlines()))
    plain, cut = read(text).events[0], read(numbered).events[0]
    assert cut.place.line == plain.place.line + 999
    assert cut.place.sha256 == plain.place.sha256
    assert cut.time == plain.time


def test_neither_subjects_nor_names_nor_addresses_leave_the_parser() -> None:
    shown = repr(read(log(Mail(AT, f"Bí mật nhà bếp {NUMBER}", names=("bep 12-QD-UBND-HK.pdf",)))))
    assert "bếp" not in shown
    assert "bep" not in shown
    assert "vanthu" not in shown


def test_one_mail_to_fifty_recipients() -> None:
    to = [f"phong{n}@p{n % 5}.gov.vn" for n in range(50)]
    found = read(log(Mail(AT, NUMBER, to=to)))
    assert sorted(e.recipient for e in found.events) == [f"p{n}.gov.vn" for n in range(5)]
    assert found.report.mails == 1


def test_recipients_come_from_delivery_lines_only() -> None:
    mail = Mail(AT, NUMBER, to=("a@soyte.gov.vn",))
    reject = mail.line(
        0.15,
        "smtpd",
        "reject: RCPT from pc-7[10.0.7.21]: 550 5.1.1 <x@gmail.com>: "
        "Recipient address rejected; from=<vanthu@hoankiem.gov.vn> to=<x@gmail.com>",
    )
    text = mail.lines()
    assert pairs(read("".join([*text[:2], reject, *text[2:]]))) == [
        ("12/QD-UBND-HK", "soyte.gov.vn")
    ]


@pytest.mark.parametrize(
    ("status", "count"),
    [
        ("sent (250 2.0.0 Ok)", 1),
        ("sent (delivered to mailbox)", 1),
        ("bounced (host mx said: 550 5.1.1 status=sent (250 ok))", 0),
        ("deferred (connect to mx: Connection timed out)", 0),
        ("expired (delivery temporarily suspended)", 0),
        ("undeliverable (address lookup failed)", 0),
    ],
)
def test_only_what_was_sent_counts(status: str, count: int) -> None:
    mail = Mail(AT, NUMBER)
    text = [*mail.opened(), *mail.headers(), *mail.queued(), mail.delivery(mail.to[0], status)]
    assert len(read("".join(text)).events) == count


def test_deferred_then_sent_the_next_day() -> None:
    mail = Mail(AT, NUMBER)
    text = [
        *mail.opened(),
        *mail.headers(),
        *mail.queued(),
        mail.delivery(mail.to[0], "deferred (connection refused)"),
        mail.delivery(mail.to[0], seconds=86_400),
        mail.removed(86_401),
    ]
    (event,) = read("".join(text)).events
    assert event.time == dt.datetime(2026, 11, 11, 1, tzinfo=dt.UTC)


def test_an_id_used_again_at_once_is_another_mail() -> None:
    one = Mail(AT, NUMBER, to=("a@soyte.gov.vn",), queue="5E06C1A2")
    two = Mail("2026-11-10T08:00:05", "Xin chào", to=("b@gmail.com",), queue="5E06C1A2")
    assert pairs(read(log(one, two))) == [("12/QD-UBND-HK", "soyte.gov.vn")]
    # The same when the line `removed` of the first was lost.
    lost = "".join([*one.lines()[:-1], *two.lines()])
    found = read(lost)
    assert (pairs(found), found.report.mails) == ([("12/QD-UBND-HK", "soyte.gov.vn")], 2)
    # And when the second begins with its headers.
    headless = "".join([*one.lines()[:-1], *two.lines()[2:]])
    assert pairs(read(headless)) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_an_id_used_again_by_a_mail_that_the_server_made_itself() -> None:
    """A bounce begins with its message-id, has no client and perhaps no logged header."""
    one = Mail(AT, NUMBER, to=("a@soyte.gov.vn",), queue="5E06C1A2").lines()[:-1]
    two = Mail("2026-11-10T08:00:05", to=("b@gmail.com",), queue="5E06C1A2").lines()[1:]
    assert pairs(read("".join([*one, *two]))) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_lines_of_a_large_archive_are_counted_through_its_blocks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(logfiles, "_BLOCK", 2000)
    text = log(*daily_mails(days=9), Mail(AT, NUMBER))
    assert read(gz(text)).events[0].place.line == read(text).events[0].place.line > 40


def test_the_value_of_a_header_ends_before_the_bracket() -> None:
    assert header_text(b"subject", b"x from h[1]; from=<a>: subj=[7/BC [gap]]") == b"7/BC [gap]"
    assert header_text(b"subject", b"x from h[1]; from=<a>: subj=[cut off") == b"cut off"


def test_the_same_id_on_two_hosts() -> None:
    one = Mail(AT, NUMBER, to=("a@soyte.gov.vn",), queue="5E06C1A2", host="mx1")
    two = Mail(AT, "Xin chào", to=("b@gmail.com",), queue="5E06C1A2", host="mx2")
    mixed = [line for both in zip(one.lines(), two.lines(), strict=True) for line in both]
    assert pairs(read("".join(mixed))) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_interleaved_lives() -> None:
    mails = [
        Mail(
            f"2026-11-10T08:00:0{n}",
            f"{n + 1}/QĐ-UBND-HK",
            to=(f"a@p{n}.gov.vn",),
            queue=f"4PbC4z6W5Qz3tG{n}",
        )
        for n in range(5)
    ]
    mixed = "".join(
        line for lines in zip(*(m.lines() for m in mails), strict=True) for line in lines
    )
    assert pairs(read(mixed)) == [(f"{n + 1:02}/QD-UBND-HK", f"p{n}.gov.vn") for n in range(5)]


def filtered(*, headers_twice: bool, end_first: bool, status: str = "sent (250 Ok)") -> str:
    """A content filter: the mail comes back under a second id before the first is told of it."""
    to = ("a@soyte.gov.vn",)
    outer = Mail(AT, NUMBER, to=to, names=("a.pdf",), queue="4PbC4z6W5Qz3tG1")
    inner = Mail(AT, NUMBER, to=to, names=("a.pdf",), queue="4PbC4z6W5Qz3tG3")
    hop = outer.delivery(
        "a@soyte.gov.vn",
        "sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as "
        "4PbC4z6W5Qz3tG3)",
        relay="127.0.0.1[127.0.0.1]:10024",
    )
    begin = [*outer.opened(), *outer.headers(), *outer.queued(), *inner.opened()]
    begin += inner.headers() if headers_twice else []
    deliver = [inner.delivery("a@soyte.gov.vn", status), inner.removed()]
    rest = [*deliver, hop] if end_first else [hop, *deliver]
    return "".join([*begin, *inner.queued(), *rest, outer.removed(4)])


@pytest.mark.parametrize("headers_twice", [True, False])
@pytest.mark.parametrize("end_first", [True, False])
def test_two_ids_of_one_mail_count_once(headers_twice: bool, end_first: bool) -> None:
    found = read(filtered(headers_twice=headers_twice, end_first=end_first))
    assert pairs(found) == [("12/QD-UBND-HK", "soyte.gov.vn")]
    assert (found.report.mails, found.report.mails_with_headers) == (1, 1)


def test_what_the_filter_took_and_the_world_refused_was_not_sent() -> None:
    assert read(filtered(headers_twice=False, end_first=False, status="bounced (550)")).events == ()


def test_a_filter_whose_second_life_is_not_in_the_log() -> None:
    mail = Mail(AT, NUMBER)
    hop = mail.delivery(
        mail.to[0], "sent (250 Ok: queued as 4PbC4z6W5Qz3tG3)", relay="127.0.0.1[127.0.0.1]:10024"
    )
    text = "".join([*mail.opened(), *mail.headers(), *mail.queued(), hop, mail.removed()])
    assert pairs(read(text)) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_a_foreign_server_that_names_an_id_of_ours_changes_nothing() -> None:
    victim = Mail(AT, "Xin chào", to=("b@gmail.com",), queue="4PbC4z6W5Qz3tG3")
    mail = Mail(AT, NUMBER)
    named = mail.delivery(mail.to[0], "sent (250 Ok: queued as 4PbC4z6W5Qz3tG3)")
    text = [
        *victim.opened(),
        *mail.opened(),
        *mail.headers(),
        *mail.queued(),
        named,
        mail.removed(),
        *victim.headers(),
        *victim.queued(),
        victim.delivery("b@gmail.com"),
    ]
    assert pairs(read("".join(text))) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_rotation_in_the_middle_of_a_transaction() -> None:
    lines = Mail(AT, NUMBER, names=(NAME,)).lines()
    for cut in range(1, len(lines)):
        older, newer = "".join(lines[:cut]), "".join(lines[cut:])
        for files in ([newer, older], [newer, gz(older)]):
            assert pairs(read(*files)) == [("12/QD-UBND-HK", "soyte.gov.vn")], cut


def test_the_same_file_twice_is_read_once() -> None:
    text = log(Mail(AT, NUMBER))
    found = read(text, gz(text), text)
    assert (found.report.mails, found.report.files, found.report.duplicates) == (1, 1, 2)


def test_service_names_and_short_ids() -> None:
    text = log(Mail(AT, NUMBER, queue="8F2E6C"))
    renamed = (
        text.replace("postfix/smtpd", "postfix/submission/smtpd")
        .replace("postfix/smtp[", "postfix-out/smtp[")
        .replace("postfix/cleanup", "postfix/amavis/cleanup")
    )
    assert len(read(renamed).events) == 1


def test_old_style_stamps_in_a_zone_of_their_own() -> None:
    text = log(Mail("2026-11-09T08:00:00", NUMBER)).replace("2026-11-09T", "Nov  9 ")
    text = "".join(
        line.partition(".")[0] + " mx" + line.partition(" mx")[2] + "\n"
        for line in text.splitlines()
    )
    (event,) = read(text, zone=ZoneInfo("UTC")).events
    assert event.time == dt.datetime(2026, 11, 9, 8, 0, 2, tzinfo=dt.UTC)


MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]


def old_style(text: str) -> str:
    """The same log as a daemon without year and zone in its stamps writes it."""
    lines = []
    for line in text.splitlines():
        stamp, _, rest = line.partition(" ")
        when = dt.datetime.fromisoformat(stamp)
        lines.append(f"{MONTHS[when.month - 1]} {when.day:2} {when:%H:%M:%S} {rest}\n")
    return "".join(lines)


def test_old_stamps_over_new_year_in_rotated_files() -> None:
    """A mail of the old year is delivered in the new one, in another file."""
    mail = Mail("2026-12-31T23:59:58", NUMBER)
    lines = mail.lines()
    older = old_style(log(*daily_mails(NOW, 5)) + "".join(lines[:-2]))
    newer = old_style("".join(lines[-2:]) + log(Mail("2027-01-03T08:00:00", "Chào")))
    files = [
        FileEntry(
            name=name,
            mtime=dt.datetime.fromisoformat(mtime).replace(tzinfo=ZONE),
            data=data if isinstance(data, bytes) else data.encode(),
        )
        for name, data, mtime in (
            ("mail.log", newer, "2027-01-03T08:00:10"),
            # Packed in March, and the time of the file is that of the packing.
            ("mail.log.1.gz", gz(older), "2027-03-01T00:00:00"),
        )
    ]
    found = read(*files)
    (event,) = found.events
    assert event.time == dt.datetime(2026, 12, 31, 17, 0, 0, tzinfo=dt.UTC)
    assert found.report.last == dt.datetime(2027, 1, 3, 1, 0, 3, tzinfo=dt.UTC)
    assert {d.year for d in found.report.days} == {2026, 2027}


def test_plain_info_without_our_marker() -> None:
    mail = Mail(AT, "x")
    header = mail.line(
        0.2,
        "cleanup",
        f"info: header Subject: {word(NUMBER)} from pc-7[10.0.7.21];"
        " from=<vanthu@hoankiem.gov.vn> to=<a@b.vn> proto=ESMTP helo=<pc-7>",
    )
    named = mail.line(
        0.2,
        "cleanup",
        'warning: header Content-Disposition: attachment; filename="'
        '13-QD-UBND-HK.pdf" from pc-7[10.0.7.21]; from=<v@h.vn> to=<a@b.vn>',
    )
    text = [*mail.opened(), header, named, *mail.queued(), mail.delivery("a@soyte.gov.vn")]
    assert sorted(pairs(read("".join(text)))) == [
        ("12/QD-UBND-HK", "soyte.gov.vn"),
        ("13/QD-UBND-HK", "soyte.gov.vn"),
    ]


def test_a_subject_that_imitates_the_log_neither_hides_nor_invents() -> None:
    evil = (
        f"{NUMBER} from evil[1.2.3.4]; from=<boss@gmail.com> to=<all@soyte.gov.vn> "
        "proto=ESMTP helo=<x>: subj=["
    )
    mail = Mail(AT, "x", to=("b@gmail.com",))
    header = mail.line(
        0.2,
        "cleanup",
        f"info: header Subject: {evil} from pc-7[10.0.7.21]; "
        f"from=<v@hoankiem.gov.vn> to=<b@gmail.com> proto=ESMTP: subj=[{evil}]",
    )
    text = [*mail.opened(), header, *mail.queued(), mail.delivery("b@gmail.com"), mail.removed()]
    (event,) = read("".join(text)).events
    assert (event.recipient, event.sender) == ("gmail.com", "hoankiem.gov.vn")


def test_same_name_in_both_headers_counts_once() -> None:
    mail = Mail(AT, "Xin chào", names=(NAME,))
    typed = mail.header("Content-Type", "ct", f' application/pdf;? name="{NAME}"')
    text = [*mail.opened(), *mail.headers(), typed, *mail.queued(), mail.delivery("a@soyte.gov.vn")]
    assert len(read("".join(text)).events) == 1


def test_headers_split_and_damaged_as_logged() -> None:
    mail = Mail(AT, "x")
    value = " attachment;?? filename*0*=UTF-8''12-Q%C4%90-UB;?? filename*1*=ND-HK%28k%C3%BD%29.pdf"
    text = [
        *mail.opened(),
        mail.header("Content-Disposition", "cd", value),
        *mail.queued(),
        mail.delivery("a@soyte.gov.vn"),
    ]
    assert pairs(read("".join(text))) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_share_of_mails_with_headers() -> None:
    found = read(
        log(Mail(AT, ""), Mail("2026-11-10T09:00:00", "Chào", names=("a.pdf",)), Mail(LATER))
    )
    assert (found.report.mails, found.report.mails_with_headers) == (3, 1)
    assert sorted(found.report.days) == [dt.date(2026, 11, 10), dt.date(2026, 11, 11)]


def test_subjects_without_a_single_name_are_not_headers() -> None:
    """Large mails and no name anywhere: the rule for attachments is missing in that server."""
    large = [Mail(f"2026-11-10T08:00:{n:02}", "Chào", size=90_000) for n in range(3)]
    small = [Mail(f"2026-11-10T09:00:{n:02}", "Chào", size=900) for n in range(9)]
    found = read(log(*large, *small)).report
    assert (found.mails, found.mails_with_subjects, found.mails_with_names) == (12, 12, 0)
    assert found.mails_with_headers == 0
    # Small mails alone are no reason to doubt; one name shows that names are logged.
    assert read(log(*small)).report.mails_with_headers == 9
    found = read(log(*large, *small, Mail(AT, "Chào", names=("a.pdf",)))).report
    assert (found.mails_with_headers, found.mails_with_names) == (13, 1)


def test_connections_without_a_mail_are_no_mails() -> None:
    assert read("".join(Mail(AT).opened()[:1])).report.mails == 0


def test_bounces_and_machines_are_marked() -> None:
    for sender in ("", "no-reply@edoc.gov.vn", "MAILER-DAEMON@mx.vn", "noreply+1@x.vn"):
        (event,) = read(log(Mail(AT, NUMBER, sender=sender))).events
        assert event.mail is not None
        assert event.mail.automatic, sender
    (event,) = read(log(Mail(AT, f"Bạn có văn bản mới {NUMBER}"))).events
    assert event.mail is not None
    assert event.mail.automatic
    (event,) = read(log(Mail(AT, NUMBER, sender="thongbao@hoankiem.gov.vn"))).events
    assert event.mail is not None
    assert not event.mail.automatic


@pytest.mark.parametrize(
    ("subject", "cites", "draft", "secret"),
    [
        (NUMBER, False, False, False),
        (f"Gửi Sở Y tế Quyết định số {NUMBER}", False, False, False),
        (f"Re: {NUMBER}", True, False, False),
        (f"Báo cáo kết quả thực hiện Quyết định {NUMBER}", True, False, False),
        (f"Trả lời văn bản {NUMBER}", True, False, False),
        (f"Góp ý dự thảo thay thế {NUMBER}", True, True, False),
        (f"{NUMBER} (dự thảo)", False, True, False),
        (f"{NUMBER} về việc lấy ý kiến", False, False, False),
        (f"[MẬT] {NUMBER}", False, False, True),
        (f"Tối mật: {NUMBER}", False, False, True),
        (f"{NUMBER} đổi MẬT KHẨU thư", False, False, False),
        (f"{NUMBER} về BẢO MẬT hệ thống", False, False, False),
        (f"{NUMBER} về bí mật kinh doanh", False, False, False),
    ],
)
def test_what_a_subject_says_about_the_number(
    subject: str,
    cites: bool,
    draft: bool,
    secret: bool,
) -> None:
    (event,) = read(log(Mail(AT, subject))).events
    assert event.mail is not None
    assert (event.mail.cites, event.mail.draft, event.mail.secret) == (cites, draft, secret)


def test_lives_are_bounded_and_given_up_lives_counted() -> None:
    mails = [
        Mail(f"2026-11-10T08:00:{n:02}", NUMBER, queue=f"4PbC4z6W5Qz3t{n:02}BB") for n in range(20)
    ]
    opened = [line for m in mails for line in (*m.opened(), *m.headers(), *m.queued())]
    found = read("".join(opened), lives=5)
    assert found.report.dropped == 15
    delivered = [line for m in mails for line in (m.delivery("a@soyte.gov.vn"), m.removed())]
    assert len(read("".join([*opened, *delivered]), lives=5).events) == 5
    assert len(read("".join([*opened, *delivered]), lives=50).events) == 20


def test_one_mail_cannot_name_documents_without_end() -> None:
    subject = " ".join(f"{n}/QĐ-UBND-HK" for n in range(1, 200))
    assert len(read(log(Mail(AT, subject))).events) == 64


def test_a_log_of_something_else() -> None:
    with pytest.raises(Unparsable, match=r"^mail.log.0:1: no line of a Postfix log"):
        read("Nov 10 08:00:00 mx kernel: hello\n")
    assert read("").report.lines == 0
    quiet = "2026-11-10T08:00:00+07:00 mx postfix/anvil[3]: statistics: max connection rate 1\n"
    assert read(quiet).report.lines == 0


def test_windows_line_ends_and_a_view() -> None:
    text = log(Mail(AT, NUMBER)).replace("\n", "\r\n").encode()
    found = read(FileEntry(name="m", mtime=NOW, data=memoryview(text)))
    assert pairs(found) == [("12/QD-UBND-HK", "soyte.gov.vn")]


def test_domains_that_are_none_are_not_shown() -> None:
    (event,) = read(log(Mail(AT, NUMBER, to=("a@<b>\x1b[31m",)))).events[:1]
    assert event.recipient == "invalid.invalid"


def test_two_hundred_thousand_lines() -> None:
    mails = [
        Mail(
            (dt.datetime(2026, 11, 1) + dt.timedelta(seconds=3 * n)).isoformat(),  # noqa: DTZ001
            NUMBER if n % 100 == 0 else "Lịch họp",
            queue=f"4PbC4z6W5Qz{n % 997:03}B",
        )
        for n in range(29_000)
    ]
    text = log(*mails)
    assert text.count("\n") > 200_000 - 30_000
    found = read(text)
    assert (found.report.mails, len(found.events), found.report.dropped) == (29_000, 290, 0)


def test_a_file_without_line_ends() -> None:
    with pytest.raises(Unparsable):
        read(b"postfix/smtp status=sent subj=[=?utf-8?B?" * 200_000)


@PATIENT
@given(st.binary(max_size=400))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    text = log(Mail(AT, NUMBER)).encode()
    for raw in (data, text + data, text[:200] + data + text[200:], text.replace(b"=", data[:3])):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("mail.log.0:")  # noqa: PT017


@PATIENT
@given(st.lists(st.sampled_from(log(Mail(AT, NUMBER, names=(NAME,)), Mail(AT)).splitlines())))
def test_lines_in_any_order_invent_nothing(lines: list[str]) -> None:
    found = read("".join(line + "\n" for line in lines))
    assert set(pairs(found)) <= {("12/QD-UBND-HK", "soyte.gov.vn")}
