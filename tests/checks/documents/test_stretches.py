"""A log cut by time: the stretches together say what the whole says, and a mail lies in one."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources.mails import Counted, MailLog, Tally
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.stretches import Stretches
from tests.helpers.correspondence import PATIENT, ZONE, Mail, daily_mails, entry, log

FINDER = Finder(["QĐ-UBND-HK"])
NUMBER = "12/QĐ-UBND-HK"
NOON = dt.datetime(2026, 11, 12, 5, tzinfo=dt.UTC)
"""12:00 in Hà Nội."""


def read(text: str, stretches: Stretches | None = None) -> MailLog:
    return read_postfix([entry("mail.log", text)], "x", ZONE, FINDER, stretches=stretches)


def cut(*cuts: dt.datetime) -> Stretches:
    return Stretches(lambda: Tally(ZONE), cuts)


def sort(found: MailLog) -> MailLog:
    events = sorted(found.events, key=lambda e: (e.place.line, e.recipient))
    return msgspec.structs.replace(found, events=tuple(events))


@given(st.lists(st.integers(0, 24 * 42), max_size=4))
@PATIENT
def test_stretches_together_say_what_the_whole_says(hours: list[int]) -> None:
    text = log(
        *daily_mails(), Mail("2026-11-12T11:59:59", NUMBER), Mail("2026-11-12T12:00:00", NUMBER)
    )
    start = dt.datetime(2026, 10, 10, tzinfo=dt.UTC)
    stretches = cut(*(start + dt.timedelta(hours=h) for h in hours))
    assert sort(read(text, stretches)) == sort(read(text))


def test_a_mail_lies_where_it_began() -> None:
    before, after = (
        Mail("2026-11-12T11:59:59", NUMBER),
        Mail("2026-11-12T12:00:00", "13/QĐ-UBND-HK"),
    )
    stretches = cut(NOON)
    read(log(before, after), stretches)
    early, late = stretches.until(NOON), stretches.after(NOON)
    assert [[e.key.number for e in each.events] for each in (early, late)] == [[12], [13]]
    assert [early.mails, late.mails] == [1, 1]
    # Its lines lie where they stand: the last ones of the first mail after noon.
    assert early.lines + late.lines == read(log(before, after)).report.lines
    assert late.lines > early.lines


def test_what_is_known_takes_the_place_of_what_began_before() -> None:
    text = log(Mail("2026-11-12T11:00:00", NUMBER), Mail("2026-11-12T12:00:00", NUMBER))
    known = Counted(mails=41, lines=7)
    stretches = Stretches(lambda: Tally(ZONE), [NOON], since=NOON, known=[known])
    found = read(text, stretches)
    assert (found.report.mails, len(found.events)) == (42, 1)
    assert stretches.until(NOON) == known


def test_the_line_from_which_to_read_later_is_told() -> None:
    early, late = Mail("2026-11-12T11:00:00", NUMBER), Mail("2026-11-12T12:00:00", NUMBER)
    stretches = Stretches(lambda: Tally(ZONE), [NOON], later=(NOON, NOON))
    read("x\n" + log(early, late), stretches)
    assert stretches.begins == {"mail.log": 2 + len(early.lines())}


@pytest.mark.parametrize(("host", "crossed"), [("mx", {NOON}), ("mx2", set())])
def test_a_log_that_goes_back_is_noticed(host: str, crossed: set[dt.datetime]) -> None:
    """The clock of one host; another host has its own."""
    stretches = cut(NOON)
    first, then = Mail("2026-11-12T13:00:00"), Mail("2026-11-12T11:00:00", host=host)
    read(log(first, then), stretches)
    assert stretches.crossed == crossed


def test_old_stamps_lie_in_their_hour_too() -> None:
    lines = "".join(
        f"Nov 12 {at} mx postfix/smtpd[1]: 8F2E{n}C: client=x\n"
        for n, at in enumerate(("11:59:59", "12:00:00", "12:30:00"), 10)
    )
    stretches = cut(NOON)
    read(lines, stretches)
    assert (stretches.until(NOON).lines, stretches.after(NOON).lines) == (1, 2)
