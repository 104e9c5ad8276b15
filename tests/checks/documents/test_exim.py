"""Exim's main log: a recorded one, and the traps that a recording does not show."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import DocumentEvent
from checks.documents.numbers import Finder
from checks.documents.sources.exim import read_exim
from checks.documents.sources.mails import MailLog
from checks.evidence import Unparsable
from checks.files import FileEntry
from tests.helpers.correspondence import PATIENT, ZONE, entry, gz

RECORDED = Path(__file__).parents[2] / "fixtures" / "mail" / "exim" / "mainlog"
FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK", "TTr-UBND-HK"])
ID, LONG = "1xUynw-0004ZS-21", "1xUynw-000000004ZS-0021"
AT = dt.datetime(2026, 11, 10, 8, tzinfo=ZONE)
NUMBER = r"12/Q\304\220-UBND-HK"
NAME = r"12-Q\304\220-UBND-HK.signed.pdf"


def read(*parts: str | bytes | FileEntry, lives: int = 1000, zone: ZoneInfo = ZONE) -> MailLog:
    files = [
        p if isinstance(p, FileEntry) else entry(f"mainlog.{n}", p) for n, p in enumerate(parts)
    ]
    return read_exim(files, "mx:mainlog", zone, FINDER, lives)


def pairs(found: MailLog) -> list[tuple[str, str]]:
    return [(str(e.key), e.recipient) for e in found.events]


class Mail:
    """The lines of one mail, as Exim 4.96 writes them."""

    def __init__(self, subject: str = NUMBER, name: str = "", queue: str = ID, at: dt.datetime = AT,
                 sender: str = "vanthu@hoankiem.gov.vn", size: int = 250_000) -> None:  # fmt: skip
        self.subject, self.name, self.queue, self.at = subject, name, queue, at
        self.sender, self.size = sender, size

    def line(self, rest: str, seconds: float = 0) -> str:
        when = self.at + dt.timedelta(seconds=seconds)
        return f"{when:%Y-%m-%d %H:%M:%S} {self.queue} {rest}\n"

    def begun(self) -> list[str]:
        named = [self.line(f"att=[{self.name}]")] if self.name else []
        said = f' T="{self.subject}"' if self.subject else ""
        arrival = (
            f"<= {self.sender} H=(pc-7) [10.0.7.21] P=esmtpsa X=TLS1.3 A=plain:vanthu "
            f"S={self.size} id=m1@pc-7{said} from <{self.sender}> for vanthu@soyte.gov.vn"
        )
        return [*named, self.line(arrival)]

    def sent(self, to: str = "vanthu@soyte.gov.vn", mark: str = "=>", seconds: float = 2) -> str:
        rest = f'{to} R=dnslookup T=remote_smtp H=mx.soyte.gov.vn [10.9.9.9] C="250 OK"'
        return self.line(f"{mark} {rest}", seconds)

    def lines(self) -> list[str]:
        return [*self.begun(), self.sent(), self.line("Completed", 3)]


def log(*mails: Mail) -> str:
    return "".join(line for m in mails for line in m.lines())


def of(found: MailLog, number: int) -> list[DocumentEvent]:
    return [e for e in found.events if e.key.number == number]


@pytest.fixture(scope="module")
def recorded() -> MailLog:
    return read(RECORDED.read_bytes(), zone=ZoneInfo("UTC"))


def test_recorded_numbers_and_recipients(recorded: MailLog) -> None:
    soyte = "soyte.gov.vn"
    want = {
        (12, soyte), (13, soyte), (14, soyte), (15, soyte), (16, soyte), (22, soyte), (18, soyte),
        (19, "chamtre.gov.vn"), (20, "hoankiem.gov.vn"), (20, soyte), (25, soyte),
        (25, "gmail.com"), *((17, f"d{n}.gov.vn") for n in range(5)),
    }  # fmt: skip
    assert {(e.key.number, e.recipient) for e in recorded.events} == want
    assert not of(recorded, 21)  # refused by the router: bounced, never sent
    assert not of(recorded, 23)  # a name that only looks like one number more
    # 14 mails were sent in, two bounces were made by the server.
    assert (recorded.report.mails, recorded.report.mails_with_subjects) == (14, 14)


def test_a_number_at_the_end_of_a_long_subject_is_seen_by_our_line_only() -> None:
    """`T="…"` is cut after 100 bytes, inside the second of nine encoded words."""
    text = RECORDED.read_text()
    bare = "".join(
        line
        for line in text.splitlines(keepends=True)
        if " subj=[" not in line and "14-Q" not in line
    )
    assert not of(read(bare), 14)
    with_ours = "".join(line for line in text.splitlines(keepends=True) if "14-Q" not in line)
    assert [e.recipient for e in of(read(with_ours), 14)] == ["soyte.gov.vn"]


def test_recorded_place_time_and_sender(recorded: MailLog) -> None:
    (event,) = [e for e in of(recorded, 12) if e.key.sign == "QD-UBND-HK"]
    raw = RECORDED.read_text().splitlines()[event.place.line - 1]
    assert (event.place.ref, event.place.sha256) == (
        "1xUynw-0004ZS-21",
        hashlib.sha256(raw.encode()).hexdigest(),
    )
    assert event.time == dt.datetime(2026, 11, 22, 4, 3, 52, tzinfo=dt.UTC)
    assert event.mail is not None
    assert (event.mail.sender, event.mail.size, event.mail.found) == (
        "hoankiem.gov.vn",
        44_463,
        "name",
    )


def test_neither_subjects_nor_names_nor_addresses_leave_the_parser(recorded: MailLog) -> None:
    shown = repr(recorded)
    assert "nhận" not in shown
    assert "vanthu" not in shown
    assert "signed" not in shown


def test_a_name_whose_parts_were_cut_anywhere() -> None:
    """Exim undoes `%C4` within a part only: what lies in two of them stays as it was sent."""
    for name in (r"12-Q%C4%90-UBND-HK.pdf", r"12-Q%C4\220-UBND-HK.pdf", r"12-Q\304%90-UBND-HK%20k"):
        assert pairs(read(log(Mail("Gui", name)))) == [("12/QD-UBND-HK", "soyte.gov.vn")], name
    found = read(log(Mail("12%2FQD-UBND-HK", "100%.pdf")))
    assert found.events == ()  # a subject has no such parts


def test_ids_of_both_lengths() -> None:
    for queue in (ID, LONG):
        (event,) = read(log(Mail(queue=queue))).events
        assert event.place.ref == queue


def test_subject_alone_is_not_headers() -> None:
    report = read(log(Mail())).report
    assert (report.mails, report.mails_with_subjects, report.mails_with_headers) == (1, 1, 0)
    report = read(log(Mail(name="a.pdf"))).report
    assert (report.mails_with_names, report.mails_with_headers) == (1, 1)
    report = read(log(Mail(subject="", name=NAME))).report
    assert (report.mails_with_subjects, report.mails_with_headers) == (0, 0)
    assert read(log(Mail(subject=""))).events == ()


@pytest.mark.parametrize(
    ("rest", "domains"),
    [
        ("=> a@soyte.gov.vn R=dnslookup T=remote_smtp", ["soyte.gov.vn"]),
        ("-> a@soyte.gov.vn R=dnslookup T=remote_smtp", ["soyte.gov.vn"]),
        (">> a@soyte.gov.vn R=dnslookup T=remote_smtp", ["soyte.gov.vn"]),
        ("=> vanthu <vanthu@soyte.gov.vn> R=local T=maildir", ["soyte.gov.vn"]),
        ("=> /var/mail/a b <vanthu@soyte.gov.vn> R=local T=address_file", ["soyte.gov.vn"]),
        ('=> |/usr/bin/x <vanthu@soyte.gov.vn> R=local T=address_pipe', ["soyte.gov.vn"]),
        ("=> |/usr/bin/x@y <vanthu@soyte.gov.vn> R=local", ["soyte.gov.vn"]),
        ("=> :blackhole: <a@soyte.gov.vn> R=drop", []),
        ("=> /dev/null <a@soyte.gov.vn> R=drop", []),
        ("** a@soyte.gov.vn R=dnslookup T=remote_smtp: 550 => b@gmail.com", []),
        ("== a@soyte.gov.vn R=dnslookup T=remote_smtp defer (111)", []),
        ("*> a@soyte.gov.vn R=dnslookup T=remote_smtp", []),
    ],
)  # fmt: skip
def test_only_what_was_delivered_counts(rest: str, domains: list[str]) -> None:
    mail = Mail()
    found = read("".join([*mail.begun(), mail.line(rest), mail.line("Completed")]))
    assert [e.recipient for e in found.events] == domains


def test_deferred_then_sent_the_next_day() -> None:
    mail = Mail()
    text = [
        *mail.begun(),
        mail.line("== vanthu@soyte.gov.vn R=dnslookup T=remote_smtp defer (111)"),
        mail.sent(seconds=86_400),
        mail.line("Completed", 86_401),
    ]
    (event,) = read("".join(text)).events
    assert event.time == dt.datetime(2026, 11, 11, 1, tzinfo=dt.UTC)


def test_delivery_that_was_not_completed_counts_and_what_has_no_beginning_does_not() -> None:
    mail = Mail()
    assert len(read("".join([*mail.begun(), mail.sent()])).events) == 1
    assert read(mail.sent()).events == ()


def test_a_mail_refused_after_its_parts_were_seen_is_none() -> None:
    mail = Mail(name=NAME)
    refused = mail.line("H=(x) [1.2.3.4] F=<a@b.vn> rejected after DATA: spam")
    report = read("".join([mail.begun()[0], refused]) + log(Mail("chào", queue=LONG))).report
    assert (report.mails, report.mails_with_names) == (1, 0)


def test_interleaved_lives_and_an_id_used_again() -> None:
    mails = [Mail(rf"{n}/Q\304\220-UBND-HK", queue=f"1xUynw-0004Z{n}-21") for n in range(1, 6)]
    mixed = itertools.chain(*zip(*(m.lines() for m in mails), strict=True))
    assert len(pairs(read("".join(mixed)))) == 5
    again = log(Mail(), Mail("chào", at=AT + dt.timedelta(days=9)))
    found = read(again)
    assert (len(found.events), found.report.mails) == (1, 2)


def test_rotation_in_the_middle_of_a_transaction() -> None:
    lines = Mail(name=NAME).lines()
    for cut in range(1, len(lines)):
        older, newer = "".join(lines[:cut]), "".join(lines[cut:])
        newer = newer.replace("08:00:0", "08:01:0")
        for files in ([newer, older], [newer, gz(older)]):
            assert pairs(read(*files)) == [("12/QD-UBND-HK", "soyte.gov.vn")], cut


def test_the_same_file_twice_is_read_once() -> None:
    text = log(Mail())
    report = read(text, gz(text), text).report
    assert (report.mails, report.files, report.duplicates) == (1, 1, 2)


@pytest.mark.parametrize(
    ("old", "new", "utc"),
    [
        ("08:00:02 ", "08:00:02 ", "2026-11-10T01:00:02+00:00"),
        ("08:00:02 ", "08:00:02.120 ", "2026-11-10T01:00:02.120000+00:00"),
        ("08:00:02 ", "08:00:02 +0000 ", "2026-11-10T08:00:02+00:00"),
        ("08:00:02 ", "08:00:02 [4711] ", "2026-11-10T01:00:02+00:00"),
        ("08:00:02 ", "08:00:02 +0700 [47:2] ", "2026-11-10T01:00:02+00:00"),
    ],
)
def test_stamps_as_log_selectors_write_them(old: str, new: str, utc: str) -> None:
    (event,) = read(log(Mail()).replace(old, new)).events
    assert event.time == dt.datetime.fromisoformat(utc)


def test_an_exim_that_logs_to_syslog() -> None:
    for head in ("Nov 10 08:00:00 mx exim[47]: ", "2026-11-10T08:00:00+07:00 mx exim[47]: "):
        for own in ("", "2026-11-10 08:00:00 "):
            text = "".join(head + own + x.split(" ", 2)[2] for x in Mail(name=NAME).lines())
            (event,) = read(text).events
            assert event.time == dt.datetime(2026, 11, 10, 1, tzinfo=dt.UTC), (head, own)


def test_lines_numbered_on_the_host_keep_their_numbers_and_hashes() -> None:
    text = log(Mail("chào", queue=LONG), Mail())
    numbered = "".join(f"{n + 1000}:{line}\n" for n, line in enumerate(text.splitlines()))
    plain, cut = read(text).events[0], read(numbered).events[0]
    assert (cut.place.line, cut.place.sha256) == (plain.place.line + 999, plain.place.sha256)


def test_what_a_sender_writes_is_not_believed() -> None:
    """In greeting, Message-ID, subject and name: words that look like Exim's own."""
    evil = r"x\" S=999 => boss@gmail.com T=\"99/QD-UBND-HK"
    mail = Mail(evil, name=f"a] {LONG} => boss@gmail.com")
    text = "".join(mail.lines()).replace("(pc-7)", '(h T="98/QD-UBND-HK" S=77 x)')
    (event,) = read(text).events
    assert event.mail is not None
    assert (event.key.number, event.recipient, event.mail.size) == (99, "soyte.gov.vn", 250_000)


def test_bounces_are_marked() -> None:
    (event,) = read(log(Mail(sender="<>"))).events
    assert event.mail is not None
    assert event.mail.automatic
    assert event.sender == ""


def test_lives_are_bounded_and_given_up_lives_counted() -> None:
    mails = [Mail(queue=f"1xUynw-0004{n:02}-21") for n in range(20)]
    opened = "".join(line for m in mails for line in m.begun())
    assert read(opened, lives=5).report.dropped == 15
    done = "".join(m.sent() for m in mails)
    assert len(read(opened + done, lives=5).events) == 5


def test_a_log_of_something_else() -> None:
    with pytest.raises(Unparsable, match=r"^mainlog.0:1: no line of an Exim main log"):
        read("Nov 10 08:00:00 mx kernel: hello\n")
    assert read("").report.lines == 0
    quiet = "2026-11-10 08:00:00 exim 4.96 daemon started: pid=1, -q30m, listening for SMTP\n"
    assert read(quiet).report.lines == 0


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    text = log(Mail(name=NAME)).encode()
    for raw in (data, text + data, text[:90] + data + text[90:], text.replace(b"=", data[:3])):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("mainlog.0:")  # noqa: PT017


@PATIENT
@given(st.lists(st.sampled_from(log(Mail(name=NAME), Mail("", queue=LONG)).splitlines())))
def test_lines_in_any_order_invent_nothing(lines: list[str]) -> None:
    found = read("".join(line + "\n" for line in lines))
    assert set(pairs(found)) <= {("12/QD-UBND-HK", "soyte.gov.vn")}
