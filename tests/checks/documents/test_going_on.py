"""A log that is read on from where an earlier scan stopped says what the whole log says."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, SourceReport
from checks.documents.mail_logs import _GOING_ON
from checks.documents.numbers import Finder
from checks.documents.senders import Addresses, Senders
from checks.documents.sources.going_on import LogReader
from checks.documents.sources.mails import MailLog
from checks.documents.sources.reading import Reading
from checks.documents.sources.remembered import (
    Mark,
    Remembered,
    mark_bytes,
    mark_of,
    packed,
    unpacked,
)
from checks.evidence import AskWhole, Unparsable
from checks.files import FileEntry
from tests.checks.documents import test_amavis as amavis
from tests.checks.documents import test_exim as exim
from tests.helpers.correspondence import PATIENT, UNIT, ZONE, Mail
from tests.helpers.growing_log import Host, when

SIGNS = ("QĐ-UBND-HK",)
START = dt.datetime(2026, 11, 1, tzinfo=ZONE)


def scan(
    host: Host,
    now: dt.datetime,
    past: Remembered | None = None,
    signs: Sequence[str] = SIGNS,
    senders: Sequence[str] = (),
) -> tuple[MailLog, Remembered | None, bool]:
    """As the engine does: from the mark on and, when that does not fit, whole."""
    reading = Reading(
        name="x",
        zone=ZONE,
        directory=Directory((), UNIT),
        finder=Finder(signs),
        addresses=Addresses(senders=Senders(senders)),
    )
    for mark in [past.mark, None] if past and past.mark.begins else [None]:
        log = LogReader(_GOING_ON[host.kind], past, resumed=mark is not None, now=now)
        try:
            found = log.read(host.sent(now, mark), reading)
        except AskWhole:
            assert mark is not None
            continue
        memory = log.memory
        data = packed(memory) if memory else None
        # What is kept is what comes back.
        assert data is None or unpacked(data) == memory
        return found, memory, mark is not None
    raise AssertionError


def events(found: MailLog) -> list[DocumentEvent]:
    return sorted(found.events, key=lambda e: (str(e.time), e.place.line, str(e.key), e.recipient))


def report(found: MailLog) -> SourceReport:
    return msgspec.structs.replace(found.report, extra={})


def minutes(most: int) -> st.SearchStrategy[dt.timedelta]:
    return st.integers(0, most).map(lambda m: dt.timedelta(minutes=m))


@st.composite
def mails(draw: st.DrawFn) -> list[str]:
    """The lines of one mail: with or without a number, deferred, filtered, its id used again."""
    hour = draw(st.integers(0, 25 * 24))
    # Often over the full hour, where logs are cut.
    seconds = draw(st.sampled_from([0.0, 1800.0, 3599.5]))
    at = START + dt.timedelta(hours=hour, seconds=seconds)
    number = draw(st.integers(1, 40))
    named = draw(st.integers(0, 4)) > 0
    mail = Mail(
        at.replace(tzinfo=None).isoformat(),
        f"{number}/QĐ-UBND-HK" if named else draw(st.sampled_from(["", "Lịch họp"])),
        names=(f"{number}-QD-UBND-HK.pdf",) if named and draw(st.booleans()) else (),
        to=("a@soyte.gov.vn", "b@sovanhoa.gov.vn")[: draw(st.sampled_from([1, 2, 2]))],
        queue=draw(st.sampled_from(["", "8F2E6C", "9A1B2C"])),
        host=draw(st.sampled_from(["mx", "mx2"])),
    )
    late = draw(st.sampled_from([2, 3600, 2 * 86_400, int(4.9 * 86_400)]))
    lines = [*mail.opened(), *mail.headers(), *mail.queued()]
    if draw(st.integers(0, 3)) == 0:
        inner = Mail(
            (at + dt.timedelta(seconds=1)).replace(tzinfo=None).isoformat(),
            queue=mail.queue + "FF",
            to=mail.to,
            host=mail.host,
        )
        handed = f"sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as {inner.queue})"
        lines += [*inner.opened(), *inner.queued()]
        lines += [mail.delivery(t, handed, 2, "127.0.0.1[127.0.0.1]:10024") for t in mail.to]
        lines.append(mail.removed())
        mail = inner
    sent = draw(st.sampled_from(["sent (250 ok)", "sent (250 ok)", "bounced (550 no)"]))
    lines.append(mail.delivery(mail.to[0], seconds=2))
    if len(mail.to) > 1:
        lines.append(mail.delivery(mail.to[1], "deferred (timeout)", seconds=2))
        lines.append(mail.delivery(mail.to[1], sent, seconds=late))
    if draw(st.integers(0, 5)):
        lines.append(mail.removed(late + 1))
    return lines


NOISE = st.just(["2026-11-09T10:00:00.000000+07:00 mx sshd[3]: Accepted publickey for x\n"])


@st.composite
def hosts(draw: st.DrawFn) -> Host:
    lines = [
        line
        for each in draw(st.lists(st.one_of(mails(), mails(), NOISE), min_size=8, max_size=20))
        for line in each
    ]
    # A line every day, or days without any.
    if draw(st.booleans()):
        lines += [
            line
            for n in range(30)
            for line in Mail(f"{(START + dt.timedelta(days=n)).date()}T00:00:00").lines()
        ]
    rotations = [START + draw(minutes(30 * 24 * 60)) for _ in range(draw(st.integers(0, 4)))]
    return Host(
        lines=sorted(lines, key=when),
        rotations=sorted(rotations),
        numbered=draw(st.booleans()),
    )


@st.composite
def exim_hosts(draw: st.DrawFn) -> Host:
    """Mails of Exim, some of them deferred, in files that are rotated."""
    lines: list[str] = []
    for n in range(draw(st.integers(8, 20))):
        hour, seconds = draw(st.integers(0, 25 * 24)), draw(st.sampled_from([0, 1800, 3599]))
        at = START + dt.timedelta(hours=hour, seconds=seconds)
        number = draw(st.integers(0, 40))
        subject = f"{number}/QD-UBND-HK" if number else "x"
        one = exim.Mail(subject, queue=f"1xUynw-0{n:05}-21", at=at)
        late = draw(st.sampled_from([2, 3600, 2 * 86_400, int(3.9 * 86_400)]))
        lines += [*one.begun(), one.sent(), one.sent("b@sovanhoa.gov.vn", "->", late)]
        lines += [one.line("Completed", late)] if draw(st.integers(0, 5)) else []
    rotations = [START + draw(minutes(30 * 24 * 60)) for _ in range(draw(st.integers(0, 4)))]
    numbered = draw(st.booleans())
    return Host(sorted(lines, key=when), sorted(rotations), kind="exim", numbered=numbered)


STEPS = st.sampled_from([6, 24, 24, 48, 5 * 24, 9 * 24]).map(lambda h: dt.timedelta(hours=h))


@given(
    st.one_of(hosts(), hosts(), exim_hosts()),
    minutes(6 * 24 * 60),
    st.lists(STEPS, min_size=3, max_size=10),
)
@settings(PATIENT, max_examples=150)
def test_read_on_is_read_whole(host: Host, first: dt.timedelta, steps: list[dt.timedelta]) -> None:
    past: Remembered | None = None
    now = START + first
    for step in steps:
        now += step
        try:
            whole, _, _ = scan(host, now)
        except Unparsable:
            continue  # nothing in it yet
        found, past, _ = scan(host, now, past)
        assert events(found) == events(whole)
        assert report(found) == report(whole)


def sightings(found: MailLog) -> set[tuple[str, str, str]]:
    return {(e.place.sha256, str(e.key), e.recipient) for e in found.events}


@given(
    st.one_of(hosts(), exim_hosts()),
    st.integers(0, 3),
    st.lists(st.tuples(STEPS, st.floats(0, 1), st.sampled_from([0, 0, 0, 1, 40])), min_size=3),
)
@settings(PATIENT, max_examples=100)
def test_whatever_is_removed_what_was_found_stays_found(
    host: Host, keep: int, steps: list[tuple[dt.timedelta, float, int]]
) -> None:
    """Few files are kept, and now and then lines are cut out of the log."""
    host.keep = keep
    past: Remembered | None = None
    now, seen, days = START, set[tuple[str, str, str]](), frozenset[dt.date]()
    for step, where, cut in steps:
        now += step
        at = int(where * len(host.lines))
        del host.lines[at : at + cut]
        try:
            whole, _, _ = scan(host, now)
            found, past, _ = scan(host, now, past)
        except Unparsable:
            continue  # nothing in it yet, or no longer
        # What is left of a mail may tell of it by another line.
        assert any(c for _, _, c in steps) or sightings(found) >= sightings(whole)
        assert found.report.days >= whole.report.days
        assert sightings(found) >= seen
        assert found.report.days >= days
        seen, days = sightings(found), found.report.days


# ------------------------------------------------------------------------------- one by one


def day(n: float) -> dt.datetime:
    return START + dt.timedelta(days=n)


def mail(n: float, number: int = 0, seconds: float = 0) -> Mail:
    """A mail of a day; with a number one that names a document."""
    at = (day(n) + dt.timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
    return Mail(at, f"{number}/QĐ-UBND-HK" if number else "Lịch họp")


def log_of(*mails: Mail, days: int = 31) -> list[str]:
    every = [*(mail(n) for n in range(days)), *mails]
    return sorted((line for each in every for line in each.lines()), key=when)


def numbers(found: MailLog) -> list[int]:
    return sorted(e.key.number for e in found.events)


def test_only_the_rest_is_sent() -> None:
    host = Host(log_of(), rotations=[day(7), day(14), day(21)])
    _, past, _ = scan(host, day(20))
    assert past is not None
    assert past.until == day(14)
    sent = {f.name: f for f in host.sent(day(22.5), past.mark)}
    assert [sent[n].skipped for n in ("mail.log", "mail.log.1", "mail.log.2", "mail.log.3")] == [
        False,
        False,
        False,
        True,
    ]
    # Of the file in which the mark lies, the lines from a day before it on.
    first = bytes(sent["mail.log.2"].data).split(b":", 1)[0]
    assert first == str(6 * len(mail(0).lines()) + 1).encode()


def test_a_filtered_mail_over_the_mark_is_whole() -> None:
    outer, inner = mail(10, 12, seconds=-0.5), mail(10, seconds=0.5)
    handed = f"sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as {inner.queue})"
    lines = [
        *outer.opened(), *outer.headers(), *outer.queued(), *inner.opened(), *inner.queued(),
        outer.delivery(outer.to[0], handed, 2, "127.0.0.1[127.0.0.1]:10024"), outer.removed(),
        inner.delivery(inner.to[0], seconds=3), inner.removed(4),
    ]  # fmt: skip
    host = Host(sorted(log_of() + lines, key=when))
    _, past, _ = scan(host, day(16.1))
    assert past is not None
    assert past.until == day(10)
    whole, _, _ = scan(host, day(17))
    found, _, resumed = scan(host, day(17), past)
    assert resumed
    assert (numbers(found), report(found)) == ([12], report(whole))


class Both(Host):
    """Beside Postfix's log Amavis writes one of its own, which the same pattern holds."""

    told: list[str] = []

    def sent(self, now: dt.datetime, mark: Mark | None) -> list[FileEntry]:
        beside = Host(self.told, self.rotations, self.keep, self.numbered).sent(now, mark)
        ours = [msgspec.structs.replace(e, name=e.name.replace("mail", "amavis")) for e in beside]
        return [*super().sent(now, mark), *ours]


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("rotations", [[], [day(7), day(14), day(21)]], ids=["one file", "rotated"])
def test_a_filter_with_a_file_of_its_own_is_read_on_beside(
    rotations: list[dt.datetime], numbered: bool
) -> None:
    mails, told = [], []
    for n in range(62):
        at = day(n / 2).replace(tzinfo=None).isoformat()
        name = f"{n}-QD-UBND-HK.pdf" if n % 7 == 3 else "lich.pdf"
        mails.append(Mail(at, queue=f"4PbC4z6W5Qz{n:04}"))
        told += [
            amavis.line(f'p.path x: "P=p1,L=1,N={name}"', at, f"{n}-1"),
            amavis.line(f"Passed CLEAN, Queue-ID: {mails[-1].queue}, Hits: -, size: 1, "
                        'Subject: "Gui", helo=x', at, f"{n}-1"),
        ]  # fmt: skip
    lines = [line for each in mails for line in each.lines()]
    host = Both(lines, rotations, numbered=numbered, told=told)
    past: Remembered | None = None
    went_on = 0
    for step in range(3, 31, 3):
        whole, _, _ = scan(host, day(step + 0.3))
        found, past, resumed = scan(host, day(step + 0.3), past)
        assert numbers(found) == list(range(3, 2 * step + 1, 7))
        assert events(found) == events(whole)
        assert report(found) == report(whole)
        went_on += resumed
    assert went_on > 4


def test_a_mail_that_a_filter_held_for_days_over_the_mark_parts_nothing() -> None:
    """Its beginning would not be sent again, so what it carried would be lost."""
    outer, inner = mail(8.5, 12), mail(10.5)
    handed = f"sent (250 2.0.0 from MTA: 250 2.0.0 Ok: queued as {inner.queue})"
    lines = [
        *outer.opened(), *outer.headers(), *outer.queued(), *inner.opened(), *inner.queued(),
        outer.delivery(outer.to[0], handed, 2 * 86_400 + 9, "127.0.0.1[127.0.0.1]:10024"),
        inner.delivery(inner.to[0], seconds=30), inner.removed(40),
    ]  # fmt: skip
    host = Host(sorted(log_of() + lines, key=when))
    found, past, _ = scan(host, day(16.1))
    assert past
    assert (numbers(found), past.mark.begins) == ([12], ())
    assert mark_of(mark_bytes(past.mark)) is None
    found, past, _ = scan(host, day(18), past)
    assert past
    assert (numbers(found), len(past.mark.begins)) == ([12], 1)


def test_another_sign_is_looked_for_in_the_whole_log() -> None:
    host = Host(log_of(Mail("2026-11-03T08:00:00", names=("7-XYZ-Q.pdf",), subject="x")))
    before, past, _ = scan(host, day(20))
    assert numbers(before) == []
    found, past, resumed = scan(host, day(21), past, ("QĐ-UBND-HK", "XYZ-Q"))
    assert (numbers(found), resumed) == ([7], False)
    assert "lines_changed" not in found.report.extra
    assert scan(host, day(22), past, ("QĐ-UBND-HK", "XYZ-Q"))[2]


def test_other_mailboxes_are_looked_for_in_the_whole_log() -> None:
    host = Host(log_of(mail(1.5, 12)))
    before, past, _ = scan(host, day(20))
    assert [e.mail.ours for e in before.events if e.mail] == [False]
    ours = ("vanthu@hoankiem.gov.vn",)
    found, past, resumed = scan(host, day(21), past, senders=ours)
    assert ([e.mail.ours for e in found.events if e.mail], resumed) == ([True], False)
    assert scan(host, day(22), past, senders=ours)[2]


def test_what_was_rotated_away_stays_found() -> None:
    host = Host(log_of(mail(1.5, 12), mail(8.5, 13)), [day(7), day(14), day(21), day(28)], keep=1)
    found, past, _ = scan(host, day(13))
    assert numbers(found) == [12, 13]
    seen: list[frozenset[dt.date]] = [found.report.days]
    for n in (16, 21.5, 29):
        found, past, _ = scan(host, day(n), past)
        assert numbers(found) == [12, 13]
        assert "lines_changed" not in found.report.extra
        seen.append(found.report.days)
    assert all(a < b for a, b in itertools.pairwise(seen))
    assert len(seen[-1]) == 30
    assert numbers(scan(host, day(29))[0]) == []


@pytest.mark.parametrize("signs", [SIGNS, (*SIGNS, "XYZ-Q")], ids=["same", "other signs"])
@pytest.mark.parametrize("cut", ["emptied", "one line", "replaced"])
def test_a_log_that_was_tampered_with_shows_no_less(cut: str, signs: tuple[str, ...]) -> None:
    host = Host(log_of(mail(3.5, 12), mail(18.5, 13)))
    before, past, _ = scan(host, day(20))
    assert numbers(before) == [12, 13]
    old = [n for n, line in enumerate(host.lines) if when(line) <= day(20)]
    if cut == "emptied":
        host.lines = host.lines[old[-1] + 1 :]
    elif cut == "one line":
        ours = next(
            n for n in old if "queued as" in host.lines[n] and when(host.lines[n]) > day(18.4)
        )
        host.lines[ours] = host.lines[ours].replace("status=sent", "status=spam")
    else:
        host.lines = [line.replace("mx postfix", "my postfix") for line in host.lines[40:]]
    found, past, resumed = scan(host, day(21), past, signs)
    assert (sorted(set(numbers(found))), resumed) == ([12, 13], False)
    assert dt.datetime.fromisoformat(found.report.extra["lines_changed"]) == day(21)
    if signs is SIGNS:
        assert found.report.days >= before.report.days
    # And it is still said, and still found, when the log is read on from there.
    found, _, resumed = scan(host, day(30), past, signs)
    assert (sorted(set(numbers(found))), resumed) == ([12, 13], True)
    assert dt.datetime.fromisoformat(found.report.extra["lines_changed"]) == day(21)


def test_days_of_a_log_that_is_gone_are_not_seen_with_other_signs() -> None:
    host = Host(log_of(mail(1.5, 12)), [day(7), day(14)], keep=0)
    _, past, _ = scan(host, day(6))
    found, _, _ = scan(host, day(15), past, (*SIGNS, "XYZ-Q"))
    assert numbers(found) == [12]
    assert min(found.report.days) >= day(14).date()


def test_a_clock_that_goes_back_is_read_whole() -> None:
    host = Host(log_of(mail(3.5, 12)))
    _, past, _ = scan(host, day(20))
    right = host.lines
    host.lines = [line for line in right if when(line) <= day(20.5)] + mail(5, 13).lines()
    found, past, resumed = scan(host, day(21), past)
    assert (numbers(found), resumed) == ([12, 13], False)
    host.lines += [line for line in right if when(line) > day(20.5)]
    for n in (22, 26, 30):
        found, past, _ = scan(host, day(n), past)
        assert (numbers(found), report(found)) == ([12, 13], report(scan(host, day(n))[0]))


def test_places_have_the_names_and_numbers_of_now() -> None:
    host = Host(log_of(mail(8.5, 12)), [day(7), day(14), day(21), day(28)], keep=2)
    found, past, _ = scan(host, day(13))
    (event,) = found.events
    assert event.place.file == "mail.log"
    for n, name in ((16, "mail.log.1"), (22, "mail.log.2"), (29, "mail.log.2~")):
        found, past, resumed = scan(host, day(n), past)
        (now,) = found.events
        assert resumed
        assert (now.place.file, now.place.line) == (name, event.place.line)
        assert now.place.sha256 == event.place.sha256


def test_it_says_from_where_it_was_read() -> None:
    host = Host(log_of())
    _, past, _ = scan(host, day(20))
    found, _, _ = scan(host, day(21), past)
    assert found.report.extra == {
        "remembered_since": day(20).isoformat(),
        "read_from": day(13).astimezone(dt.UTC).isoformat(),
    }


def test_a_damaged_memory_is_none() -> None:
    _, past, _ = scan(Host(log_of()), day(20))
    assert past is not None
    data = packed(past)
    assert data is not None
    assert unpacked(data) == past
    for bad in (b"", b"x", data[:-9], data + b"\0", data[:40] + b"\xff" + data[41:]):
        assert unpacked(bad) in (None, past)


def of_another_version(past: Remembered) -> Remembered:
    mark = msgspec.structs.replace(past.mark, version="0-x")
    begins = [msgspec.structs.replace(b, digest="sent in another way") for b in mark.begins]
    mark = msgspec.structs.replace(mark, begins=tuple(begins))
    return msgspec.structs.replace(past, mark=mark, knows="other")


def test_another_version_reads_anew_and_accuses_nobody() -> None:
    host = Host(log_of(mail(1.5, 12), mail(15.5, 13)), [day(14)], keep=0)
    _, past, _ = scan(host, day(13))
    assert past is not None
    past = of_another_version(past)
    assert mark_of(mark_bytes(past.mark)) is None
    found, past, resumed = scan(host, day(21), past)
    assert (numbers(found), resumed) == ([12, 13], False)
    assert "lines_changed" not in found.report.extra
    assert min(found.report.days) == day(14).date()
    assert past is not None
    assert mark_of(mark_bytes(past.mark)) == past.mark


def test_no_text_of_a_mail_is_remembered() -> None:
    told = Mail(
        "2026-11-03T08:00:00",
        "Tờ trình 12/QĐ-UBND-HK mật danh",
        names=("bidanh 12-QD.pdf",),
        sender="bi.thu@hoankiem.gov.vn",
        to=("nguoi.nhan@soyte.gov.vn",),
    )
    late = Mail("2026-11-19T08:00:00", "13/QĐ-UBND-HK mật danh", to=("nguoi.nhan@soyte.gov.vn",))
    _, past, _ = scan(Host(log_of(told, late)), day(20))
    assert past is not None
    assert [len(past.base.events), len(past.rest.events)] == [1, 1]
    raw = msgspec.msgpack.encode(past)
    assert b"soyte.gov.vn" in raw
    for word in ("danh", "bidanh", "bi.thu", "nguoi.nhan", "pc-7", "message-id"):
        assert word.encode() not in raw


@pytest.mark.parametrize("numbered", [True, False])
def test_the_last_line_may_go_on_but_not_away(numbered: bool) -> None:
    last = mail(18.5, 12)
    lines = log_of(days=18) + last.lines()[:-1]
    host = Host([*lines[:-1], lines[-1][:90] + "\n"], numbered=numbered)
    assert "to=<" in host.lines[-1]
    _, past, _ = scan(host, day(19))
    host.lines = lines + mail(20, 13).lines()
    found, past, resumed = scan(host, day(21), past)
    assert (numbers(found), resumed) == ([12, 13], True)
    host.lines = lines
    found, _, resumed = scan(host, day(22), past)
    assert (numbers(found), resumed) == ([12, 13], False)
    assert "lines_changed" in found.report.extra
