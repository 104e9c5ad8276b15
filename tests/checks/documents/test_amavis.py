"""Amavis between two lives of a mail in Postfix: its lines give subject and names."""

from __future__ import annotations

import datetime as dt
import hashlib
from pathlib import Path
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources.amavis import Tasks, part_names, subject_of
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from tests.helpers.correspondence import PATIENT, ZONE, Mail, entry, log, stamp

FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK"])
AT = "2026-11-10T08:00:00"
OUTER, INNER = "4PbC4z6W5Qz3tG1", "4PbC4z6W5Qz3tG3"
TASK = "04312-07"
SUBJECT = "Gửi Quyết định 12/QĐ-UBND-HK"
NAME = "12-QD-UBND-HK.signed.pdf"
SOYTE = ("vanthu@soyte.gov.vn",)


def read(text: str) -> MailLog:
    return read_postfix([entry("mail.log", text)], "mx:mail.log", ZONE, FINDER)


def line(rest: str, at: str = AT, task: str = TASK, host: str = "mx") -> str:
    when = stamp(Mail(at).at)
    return f"{when} {host} amavis[4312]: ({task}) {rest}\n"


def path(*names: str) -> list[str]:
    """Lines of log level 3: each part with the chain of parts above it."""
    top = "P=p003,L=1,M=multipart/mixed"
    return [
        line(
            f'p.path vanthu@soyte.gov.vn: "{top} | P=p002,L=1/{n},M=application/pdf,T=pdf,N={name}"'
        )
        for n, name in enumerate(names, 2)
    ]


def passed(subject: str | None = SUBJECT, queued_as: str = INNER) -> str:
    """The line of the verbose template of 2.13; the short one has no subject."""
    said = "" if subject is None else f', Subject: "{subject}", From: <vanthu@hoankiem.gov.vn>'
    return line(
        "Passed CLEAN {RelayedOutbound}, ORIGINATING LOCAL [10.0.7.21]:40312 [10.0.7.21] "
        "ESMTP/ESMTP <vanthu@hoankiem.gov.vn> -> <vanthu@soyte.gov.vn>, "
        f"Queue-ID: {OUTER}, Message-ID: <{OUTER}@pc-7>, mail_id: vQ7bT2z, b: FvXh3x0-k, "
        f"Hits: -0.999, size: 251034, queued_as: {queued_as}{said}, helo=pc-7, 712 ms"
    )


def filtered(*said: str, inner_first: bool = False) -> str:
    """A mail through Amavis, without one header line of Postfix's own."""
    outer, inner = Mail(AT, to=SOYTE, queue=OUTER), Mail(AT, to=SOYTE, queue=INNER)
    hop = outer.delivery(
        SOYTE[0],
        "sent (250 2.0.0 from MTA(smtp:[127.0.0.1]:10025): 250 2.0.0 Ok: queued as " + INNER + ")",
        relay="127.0.0.1[127.0.0.1]:10024",
    )
    sent = [inner.delivery(SOYTE[0]), inner.removed()]
    after = [*sent, *said, hop] if inner_first else [*said, hop, *sent]
    begun = [*outer.opened(), *outer.queued(), *inner.opened(), *inner.queued()]
    return "".join([*begun, *after, outer.removed(4)])


def test_subject_and_names_of_a_filtered_mail() -> None:
    for first in (True, False):
        found = read(filtered(*path(NAME, "phu luc.xlsx"), passed(), inner_first=first))
        (event,) = found.events
        assert event.mail is not None
        assert (str(event.key), event.recipient) == ("12/QD-UBND-HK", "soyte.gov.vn")
        assert (event.mail.found, event.mail.size) == ("name", 250_000)
        assert (found.report.mails, found.report.mails_with_headers) == (1, 1)


def test_place_is_the_line_of_amavis() -> None:
    text = filtered(passed())
    (event,) = read(text).events
    raw = text.splitlines()[event.place.line - 1]
    assert "Passed CLEAN" in raw
    assert event.place.ref == INNER
    assert event.place.sha256 == hashlib.sha256(raw.encode()).hexdigest()


def test_neither_subjects_nor_names_nor_addresses_leave_the_parser() -> None:
    found = read(filtered(*path("bep 12-QD-UBND-HK.pdf"), passed("Nhà bếp 12/QĐ-UBND-HK")))
    assert len(found.events) == 1
    shown = repr(found)
    assert "bếp" not in shown
    assert "bep" not in shown
    assert "vanthu" not in shown


def test_only_the_subject_is_not_headers() -> None:
    """Log level 2 and the verbose template: no name is seen, and that is said."""
    report = read(filtered(passed())).report
    assert (report.mails, report.mails_with_subjects, report.mails_with_headers) == (1, 1, 0)


def test_a_banned_part_does_not_show_that_names_are_logged() -> None:
    """Below log level 3 the names of banned parts are the only ones."""
    banned = line('p.path BANNED:1 x@y.vn: "P=p2,L=1,T=exe,N=12-QD-UBND-HK.exe", matching_key="x"')
    found = read(filtered(banned, passed("Chao")))
    assert [e.key.number for e in found.events] == [12]
    assert (found.report.mails_with_names, found.report.mails_with_headers) == (0, 0)


def test_only_the_names_are_not_headers() -> None:
    """Log level 3 and the short template, which shows no subject."""
    found = read(filtered(*path(NAME), passed(None)))
    assert len(found.events) == 1
    report = found.report
    assert (report.mails_with_subjects, report.mails_with_names) == (0, 1)
    assert report.mails_with_headers == 0


def test_the_short_template_shows_nothing() -> None:
    found = read(filtered(passed(None)))
    assert (found.events, found.report.mails_with_subjects) == ((), 0)


def test_what_amavis_says_of_the_first_id_when_the_second_is_not_in_the_log() -> None:
    mail = Mail(AT, to=SOYTE, queue=OUTER)
    lines = [*mail.opened(), *mail.queued(), passed(), mail.delivery(SOYTE[0]), mail.removed()]
    assert [str(e.key) for e in read("".join(lines)).events] == ["12/QD-UBND-HK"]


def test_what_was_blocked_was_not_sent() -> None:
    mail = Mail(AT, to=SOYTE, queue=OUTER)
    blocked = passed().replace("Passed CLEAN {RelayedOutbound}", "Blocked BANNED (x) {Discarded}")
    lines = [*mail.opened(), *mail.queued(), *path(NAME), blocked, mail.removed()]
    found = read("".join(lines))
    assert (found.events, found.report.mails) == ((), 1)


def test_a_line_that_amavis_cut_is_put_together() -> None:
    """Amavis cuts at 980 bytes, anywhere: inside a name, a letter, or the subject."""
    to = ",".join(f"<phong{n}@soyte.gov.vn>" for n in range(60))
    whole = passed().replace("<vanthu@soyte.gov.vn>", to)
    head, text = whole.rstrip("\n").split(f"({TASK}) ")
    for size in (120, 400, 980, len(text) - 130, len(text) - 150, len(text) - 160):
        pieces = [text[n : n + size] for n in range(0, len(text), size)]
        lines = [
            f"{head}({TASK}) {'...' if n else ''}{p}{'...' if n < len(pieces) - 1 else ''}\n"
            for n, p in enumerate(pieces)
        ]
        (event,) = read(filtered(*lines)).events
        assert str(event.key) == "12/QD-UBND-HK", size
        raw = filtered(*lines).splitlines()[event.place.line - 1]
        assert "Passed CLEAN" in raw, size


def test_tasks_lie_between_each_other() -> None:
    other = line(
        'p.path x@gmail.com: "P=p001,L=1,M=application/pdf,T=pdf,N=7-BC-UBND-HK.pdf"',
        task="04313-01",
    )
    found = read(filtered(*path(NAME), other, passed()))
    assert [str(e.key) for e in found.events] == ["12/QD-UBND-HK"]


def test_the_same_task_id_again_is_another_mail() -> None:
    victim = log(Mail("2026-11-10T09:00:00", to=("a@gmail.com",), queue="4PbC4z6W5Qz3tG9"))
    assert len(read(filtered(*path(NAME), passed()) + victim).events) == 1
    tasks = Tasks(FINDER)
    place = Mail  # never asked for: neither line names a document
    for text in (b'p.path x: "P=p1,L=1,N=a.pdf"', b"Passed CLEAN, Queue-ID: 4PbC4z6W5Qz3tG1"):
        ended = tasks.read(b"mx", b"(1-01) " + text, place)  # type: ignore[arg-type]
    assert ended is not None
    assert ended[1].named
    again = tasks.read(b"mx", b"(1-01) Passed CLEAN, Queue-ID: 4PbC4z6W5Qz3tG1", place)  # type: ignore[arg-type]
    assert again is not None
    assert not again[1].named


def test_tasks_are_bounded() -> None:
    tasks = Tasks(FINDER, limit=3)
    for n in range(50):
        tasks.read(b"mx", b'(%d-01) p.path x: "P=p1,L=1,N=a.pdf"' % n, lambda: None)  # type: ignore[arg-type,return-value]
    assert len(tasks._open) == 3


def test_a_subject_cannot_name_another_mail() -> None:
    other = "4PbC4z6W5Qz3tG8"
    evil = f'x\\", Queue-ID: {other}, queued_as: {other}, Subject: \\"12/QĐ-UBND-HK'
    victim = Mail("2026-11-10T09:00:00", to=("a@gmail.com",), queue=other)
    text = "".join([*victim.opened(), *victim.queued()]) + filtered(passed(evil))
    text += victim.delivery("a@gmail.com")
    assert [e.recipient for e in read(text).events] == ["soyte.gov.vn"]


RECORDED = Path(__file__).parents[2] / "fixtures" / "mail" / "amavis" / "mail.log"


def test_a_recorded_log() -> None:
    """Every number is found where it went; the mail that only forwards another shows no name."""
    written = dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)
    given = entry("mail.log", RECORDED.read_bytes(), written)
    found = read_postfix([given], "mail.log", ZoneInfo("UTC"), FINDER)
    soyte = "soyte.gov.vn"
    want = {
        *((n, soyte) for n in (12, 13, 14, 15, 16, 18, 22, 25)),
        *((17, f"d{n}.gov.vn") for n in range(5)),
        (19, "chamtre.gov.vn"), (20, "hoankiem.gov.vn"), (21, "hoankiem.gov.vn"),
        (25, "gmail.com"),
    }  # fmt: skip
    assert {(e.key.number, e.recipient) for e in found.events} == want
    names = {e.key.number for e in found.events if e.mail and e.mail.found == "name"}
    assert names == {12, 14, 15, 16}
    report = found.report
    assert (report.mails, report.mails_with_headers, report.mails_with_names) == (14, 13, 6)


def test_names_that_stand_there_for_each_of_many_recipients() -> None:
    """Amavis says every part again for each recipient: the last part comes after 600 lines."""
    lines = [
        line(f'p.path p{n}@x.vn: "P=p9,L=1,M=a/b | P=p{part},L=1/{part},N={part}-BC-UBND-HK.pdf"')
        for part in (1, 2, 3)
        for n in range(300)
    ]
    found = read(filtered(*lines, passed(None)))
    assert [e.key.number for e in found.events] == [1, 2, 3]


def test_subjects_as_amavis_writes_them() -> None:
    before = b"Passed CLEAN, Hits: -, size: 12"
    for said, subject in (
        (b', Subject: "12/Q\xc4\x90-UBND", From: <a@b>', "12/QĐ-UBND"),
        (b', Subject: "say \\\\"hi\\\\" to", From: <a@b>', 'say "hi" to'),
        (b', Subject: "say ""hi"" to", From: <a@b>', 'say "hi" to'),
        (b', Subject: "a \\\\ b", From: <a@b>', "a \\ b"),
        (b', Subject: "=?utf-8?B?MTIvUcSQ?=", From: x', "12/QĐ"),
        (b', Subject: "cut off', "cut off"),
        (b', Subject: "a, b", helo=x', "a, b"),
    ):
        assert subject_of(before + said) == subject
    assert subject_of(b'Passed CLEAN, Message-ID: <x>, Subject: "no", From: <x>') is None


def test_names_as_amavis_writes_them() -> None:
    text = (
        b'p.path a@b: "P=p003,L=1,M=multipart/mixed | P=p002,L=1/2,M=application/pdf,T=pdf,'
        b'N=12, 13 v\xc3\xa0 14.pdf,N=x.pdf"'
    )
    assert part_names(text) == ["12, 13 và 14.pdf", "x.pdf"]
    assert part_names(b'p.path BANNED:1 a@b: "P=p2,L=1,T=exe,N=a.exe", matching_key="x"') == [
        "a.exe"
    ]
    assert part_names(b"p.path nothing") == []
    cut = b'p.path a@b: "P=p2,L=1/2,N=42-Q%C4\xef\xbf\xbd.pdf,N==?UTF-8?Q?42-Q%C4=90.pdf?="'
    assert part_names(cut)[1] == "42-QĐ.pdf"


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    for text in (data, b"Passed CLEAN, Hits: 1, size: 1" + data, b'p.path "P=' + data):
        part_names(text)
        subject_of(text)
    raw = filtered(*path(NAME), passed()).encode().replace(b"Subject", data[:9] + b"Subject")
    assert read_postfix([entry("x", raw)], "x", ZONE, FINDER).report.files == 1
