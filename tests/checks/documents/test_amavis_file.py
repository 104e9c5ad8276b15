"""Amavis in a file of its own: what it says finds the mails of Postfix's log."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources.amavis_file import filter_alone, read_amavis
from checks.documents.sources.logfiles import LogFile
from checks.documents.sources.mails import Counted, MailLog, Tally
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.stretches import Stretches
from checks.documents.sources.uploads import Join, Uploads
from checks.evidence import Unparsable
from checks.files import FileEntry
from tests.checks.documents import test_amavis as amavis
from tests.helpers.correspondence import NOW, PATIENT, ZONE, Mail, daily_mails, entry, log

UTC = ZoneInfo("UTC")
WRITTEN = dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)


def apart(text: str, host: str = "") -> tuple[str, str]:
    """The lines of Postfix and those of Amavis, which calls the host by another name."""
    ours, filters = [], []
    for line in text.splitlines(keepends=True):
        if " amavis[" in line:
            name = line.partition(" amavis[")[0].split(" ")[-1]
            filters.append(line.replace(f" {name} amavis[", f" {host or name} amavis[", 1))
        else:
            ours.append(line)
    return "".join(ours), "".join(filters)


def day_by_day(*names: str) -> tuple[str, str]:
    """Both logs of a mail a day with a harmless attachment, and on 10 November of these ones."""
    days = [m.at.replace(tzinfo=None).isoformat() for m in daily_mails()]
    times = [*days, *["2026-11-10T09:00:00"] * len(names)]
    carried = [*["lich.pdf"] * len(days), *names]
    mta, filters = [], []
    for n, (at, name) in enumerate(zip(times, carried, strict=True)):
        to = ("dan@vnpt.vn",) if n < len(days) else amavis.SOYTE
        mail = Mail(at, to=to, queue=f"4PbC4z6W5Qz{n:04}")
        mta.append(log(mail))
        filters += [
            amavis.line(f'p.path x: "P=p1,L=1,N={name}"', at, f"{n}-1"),
            amavis.line(
                f"Passed CLEAN, Queue-ID: {mail.queue}, Hits: -, size: 1, "
                'Subject: "Gui", helo=x', at, f"{n}-1",
            ),
        ]  # fmt: skip
    return "".join(mta), "".join(filters)


def joined(
    mta: str, filters: str, zone: ZoneInfo = ZONE, mtime: dt.datetime = NOW
) -> tuple[MailLog, MailLog, Join]:
    """Both logs as two sources of one unit."""
    join = Join()
    told = read_amavis([entry("amavis.log", filters, mtime)], "filter", zone, amavis.FINDER)
    join.tell("filter", told.uploads)
    found = read_postfix([entry("mail.log", mta, mtime)], "mx", zone, amavis.FINDER, join=join)
    return found, told, join


def said(found: MailLog) -> tuple[object, ...]:
    """What a log says, but for the lines of the filter, which stand elsewhere."""
    report = found.report
    events = {(e.key, e.time, e.sender, e.recipient, e.mail, e.place.sha256) for e in found.events}
    counts = (report.mails, report.mails_with_headers, report.mails_with_names)
    return events, counts, report.mails_with_subjects, report.dropped


def test_a_recorded_log_says_the_same_apart() -> None:
    text = amavis.RECORDED.read_text()
    whole = read_postfix([entry("mail.log", text, WRITTEN)], "x", UTC, Finder(amavis.FINDER.signs))
    found, told, join = joined(*apart(text), UTC, WRITTEN)
    assert said(found) == said(whole)
    assert len(found.events) == 18
    assert {e.place.file for e in found.events} == {"amavis.log"}
    other, _, _ = joined(*apart(text, "mail.hoankiem.gov.vn"), UTC, WRITTEN)
    assert [(e.key, e.time) for e in other.events] == [(e.key, e.time) for e in found.events]
    settled = join.settled(told.report)
    assert (settled.mails, settled.unaddressed) == (0, 0)
    assert settled.joined == 13


def test_several_files_of_one_source_join_in_any_order() -> None:
    """One pattern that holds both: the filter's files are told first."""
    mta, filters = apart(amavis.filtered(*amavis.path(amavis.NAME), amavis.passed()))
    earlier = log(Mail("2026-11-09T08:00:00", "x"))
    for first in ("2026-11-01", "2026-11-10"):
        begun = f"{first}T08:00:00+07:00 mx amavis[1]: starting\n"
        given = {"mail.log.1": earlier, "mail.log": mta, "amavis.log": begun + filters}
        files = [entry(name, text) for name, text in given.items()]
        found = read_postfix(files, "mx", ZONE, amavis.FINDER)
        assert [e.place.line for e in found.events] == [2]
        assert (found.report.mails, found.report.mails_with_headers) == (2, 2)
        assert found.report.files == 3


def test_the_filter_alone_tells_of_no_one() -> None:
    filters = "".join([*amavis.path(amavis.NAME), amavis.passed()])
    told = read_amavis([entry("a", filters)], "filter", ZONE, amavis.FINDER)
    join = Join()
    join.tell("filter", told.uploads)
    report = join.settled(told.report)
    assert (told.events, report.mails, report.joined, report.unaddressed) == ((), 1, 0, 1)
    with pytest.raises(Unparsable, match=r"^a:1: lines of Amavis only; declare it as kind amavis$"):
        read_postfix([entry("a", filters)], "mx", ZONE, amavis.FINDER)
    with pytest.raises(Unparsable, match=r"^a:1: no line of an Amavis log$"):
        read_amavis([entry("a", "x\n")], "filter", ZONE, amavis.FINDER)


def test_the_rest_of_a_log_may_be_lines_of_the_filter() -> None:
    """Read on from where an earlier scan stopped, a log of both is no log of Amavis alone."""
    rest = "".join(amavis.path(amavis.NAME))
    on = Stretches(lambda: Tally(ZONE), known=[Counted()])
    found = read_postfix([entry("a", rest)], "mx", ZONE, amavis.FINDER, stretches=on)
    assert (found.events, found.report.mails, found.report.lines) == ((), 0, 1)
    mta, filters = apart(amavis.filtered(*amavis.path(amavis.NAME), amavis.passed()))
    on = Stretches(lambda: Tally(ZONE), known=[Counted()])
    files = [entry("mail.log", mta), entry("amavis.log", filters)]
    assert len(read_postfix(files, "mx", ZONE, amavis.FINDER, stretches=on).events) == 1


def short_ids(text: str, message_id: str = "m1@pc-7") -> str:
    """With the short queue ids that are Postfix's default, and this Message-ID."""
    text = text.replace(amavis.OUTER, "8F2E6C1D").replace(amavis.INNER, "9A0B7C2E")
    return text.replace("8F2E6C1D@pc-7", message_id).replace("9A0B7C2E@pc-7", message_id)


def test_a_short_id_that_comes_again_is_another_mail() -> None:
    """Only the Message-ID tells them apart; of long ids none comes again."""
    text = amavis.filtered(*amavis.path(amavis.NAME), amavis.passed())
    mta, filters = apart(short_ids(text))
    assert len(joined(mta, filters)[0].events) == 1
    other, _ = apart(short_ids(text, "m2@pc-7"))
    later = other.replace("T08:", "T09:").replace("soyte.gov.vn", "gmail.com")
    found, _, _ = joined(mta + later, filters)
    assert [e.recipient for e in found.events] == ["soyte.gov.vn"]
    assert (found.report.mails, found.report.mails_with_headers) == (2, 1)


def test_long_ids_need_no_message_id() -> None:
    text = amavis.filtered(*amavis.path(amavis.NAME), amavis.passed())
    mta, filters = apart(text)
    found, _, _ = joined(mta, re.sub(r", Message-ID: <[^>]*>", "", filters))
    assert len(found.events) == 1


def test_either_id_of_a_mail_finds_it() -> None:
    """The filter may hand mails to another server, whose ids this log does not know."""
    text = amavis.filtered(*amavis.path(amavis.NAME), amavis.passed(queued_as="4PbC4z6W5Qz9zz9"))
    mail = Mail(amavis.AT, to=amavis.SOYTE, queue=amavis.OUTER)
    mta, filters = log(mail), apart(text)[1]
    found, told, join = joined(mta, filters)
    assert [e.recipient for e in found.events] == ["soyte.gov.vn"]
    assert (join.settled(told.report).joined, join.settled(told.report).mails) == (1, 0)


def test_what_the_filter_stopped_was_not_sent() -> None:
    mail = Mail(amavis.AT, to=amavis.SOYTE, queue=amavis.OUTER)
    blocked = amavis.passed().replace("Passed CLEAN", "Blocked BANNED (x)")
    mta = "".join([*mail.opened(), *mail.queued(), mail.removed()])
    found, told, _ = joined(mta, "".join([*amavis.path(amavis.NAME), blocked]))
    assert (found.events, told.report.mails, told.report.unaddressed) == ((), 0, 0)


def test_a_mail_that_passed_the_filter_unread_is_not_visible() -> None:
    """One mail of two has its subject and names logged."""
    mta, filters = apart(amavis.filtered(*amavis.path(amavis.NAME), amavis.passed()))
    found, _, _ = joined(mta + log(Mail("2026-11-10T09:00:00")), filters)
    assert (found.report.mails, found.report.mails_with_headers) == (2, 1)


def test_the_short_template_tells_nothing() -> None:
    told = read_amavis([entry("a", amavis.passed(None))], "x", ZONE, amavis.FINDER)
    assert (told.report.mails, told.report.mails_with_subjects) == (0, 0)
    assert not Join()
    join = Join()
    join.tell("x", told.uploads)
    assert not join


def test_a_large_file_of_the_filter_is_known_by_all_of_it() -> None:
    """A mail to hundreds of recipients at the top of a file says nothing of Postfix for pages."""
    many = "".join(amavis.path(amavis.NAME)) * 1500
    assert len(many) > 200_000

    def alone(text: str) -> bool:
        return filter_alone(LogFile("x", NOW, memoryview(text.encode())))

    assert alone(many)
    assert alone(many.replace(" amavis[", " /usr/sbin/amavisd-new["))
    assert not alone(many + log(Mail(amavis.AT)))
    assert not alone(log(Mail(amavis.AT)))
    assert not alone("")


def test_places_name_the_file_and_line_of_the_filter() -> None:
    mta, filters = apart(amavis.filtered(*amavis.path(amavis.NAME), amavis.passed()))
    found, _, _ = joined(mta, "x\n" + filters)
    (event,) = found.events
    assert (event.place.file, event.place.line) == ("amavis.log", 2)
    assert event.place.ref == amavis.INNER


@PATIENT
@given(st.binary(max_size=300), st.integers(0, 3))
def test_any_bytes_are_read_or_refused(data: bytes, where: int) -> None:
    mta, filters = apart(amavis.filtered(*amavis.path(amavis.NAME), amavis.passed()))
    marks = (b"Passed", b", Queue-ID", b", Subject", b'"P=')
    raw = filters.encode().replace(marks[where], data + marks[where])
    for given_bytes in (data, raw, raw + data):
        join = Join()
        try:
            told = read_amavis([entry("a", given_bytes)], "x", ZONE, amavis.FINDER)
        except Unparsable as e:
            assert str(e).startswith("a:1: ")  # noqa: PT017
            continue
        join.tell("x", told.uploads)
        found = read_postfix([entry("m", mta)], "mx", ZONE, amavis.FINDER, join=join)
        assert {e.recipient for e in found.events} <= {"soyte.gov.vn"}
        assert found.report.mails == 1


def test_nothing_told_is_nothing_asked() -> None:
    files: list[FileEntry] = [entry("empty", "")]
    told = read_amavis(files, "x", ZONE, amavis.FINDER)
    assert isinstance(told.uploads, Uploads)
    assert (len(told.uploads.sent), told.report.lines) == (0, 0)
