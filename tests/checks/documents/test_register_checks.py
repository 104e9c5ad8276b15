"""Numbers, unregistered numbers, arrivals, receipts, time, secrecy, and what a log can show."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest

from checks.documents.completeness import log_clock, log_gap, mail_visible
from checks.documents.events import (
    DocumentEvents,
    EventKind,
    FoundIn,
    MailTrace,
    SourceKind,
    SourceReport,
)
from checks.documents.evidence import DOCUMENTS
from checks.documents.registers import incoming_registered, numbering, unregistered
from checks.documents.rotation import missing_files
from checks.documents.routing import receipts, timely
from checks.documents.secrecy import secret_mark
from checks.evidence import Failure, FailureKind, Unparsable
from checks.model import Severity, Status, Verdict
from checks.texts import render
from tests.helpers.correspondence import (
    CULTURE,
    GATEWAY_HEAD,
    HEALTH,
    NOW,
    REGISTER_HEAD,
    ZONE,
    Mail,
    answers,
    context,
    daily_mails,
    gateway,
    judge,
    log,
    register,
    subject,
)
from tests.helpers.document_events import (
    DAY,
    MAIL,
    PERIOD,
    SOURCES,
    arrived,
    at,
    delivered,
    known,
    mailed,
    one,
    registered,
    report,
    said,
    secret,
    sent,
)

FEW = PERIOD[-3:]


def name(verdict: Verdict) -> tuple[Status, str]:
    for language in ("vi", "en"):
        assert "{" not in render(verdict.message, language, ZONE)
    return verdict.status, verdict.message.id.rpartition(".")[2]


def days(count: int) -> dt.date:
    return DAY + dt.timedelta(days=count)


# --------------------------------------------------------------------------------------- receipts


def test_receipts_are_counted_and_what_lacks_one_is_listed() -> None:
    assert name(one(receipts, known())) == (Status.PASS, "enough")
    silent = [sent(n, kind=EventKind.SENT_GATEWAY) for n in (100, 101)]
    refused = sent(102, kind=EventKind.REFUSED)
    rows = [r for n in (100, 101, 102) for r in registered(n)]
    verdict = one(receipts, known(rows, silent, refused))
    assert name(verdict) == (Status.FAIL, "short")
    assert (verdict.detail["numerator"], verdict.detail["denominator"]) == (30, 33)
    assert [p["result"] for p in verdict.detail["pairs"]] == [
        "sent_no_receipt",
        "sent_no_receipt",
        "refused",
    ]
    assert one(receipts, known(rows, silent, refused), target=90).status is Status.PASS


def test_a_receipt_that_may_still_come_is_not_missing() -> None:
    today = dt.date(2026, 11, 20)
    fresh = sent(100, kind=EventKind.SENT_GATEWAY, day=today)
    verdict = one(receipts, known(registered(100, day=today), fresh))
    assert verdict.detail["denominator"] == 30


# ----------------------------------------------------------------------------------------- timely


@pytest.mark.parametrize(
    ("written", "left", "late"),
    [
        ("2026-11-10", "2026-11-10", 0),
        ("2026-11-10", "2026-11-11", 0),
        ("2026-11-10", "2026-11-12", 1),
        ("2026-11-13", "2026-11-16", 0),  # over a weekend
        ("2026-11-13", "2026-11-17", 1),
        ("2026-11-14", "2026-11-16", 0),  # written on a Saturday
        ("2026-11-10", "2026-11-09", 0),  # sent before it was dated
    ],
)
def test_the_same_or_the_next_working_day_is_in_time(written: str, left: str, late: int) -> None:
    day, gone = dt.date.fromisoformat(written), dt.date.fromisoformat(left)
    verdict = one(timely, known(registered(100, day=day), sent(100, day=gone)))
    assert verdict.detail["denominator"] - verdict.detail["numerator"] == late
    assert len(verdict.detail["pairs"]) == late


def test_a_holiday_is_no_delay() -> None:
    off = subject()
    inventory = msgspec.structs.replace(off.inventory, holidays=(days(1), days(2)))
    events = known(registered(100), sent(100, day=days(3)))
    assert one(timely, events).detail["total"] == 1
    assert (
        one(timely, events, msgspec.structs.replace(off, inventory=inventory)).detail["total"] == 0
    )


def test_the_first_transmission_counts_and_the_worst_delays_are_shown_first() -> None:
    rows = [r for n in (100, 101, 102) for r in registered(n)]
    events = known(
        rows,
        sent(100, day=days(3)),
        sent(101, day=days(8)),
        sent(102),
        sent(102, day=days(9)),
    )
    verdict = one(timely, events)
    assert [p["key"].partition("/")[0] for p in verdict.detail["pairs"]] == ["101", "100"]
    assert name(verdict) == (Status.FAIL, "short")


@pytest.mark.parametrize("check", [receipts, timely])
def test_shares_need_coverage_and_something_sent(check: Any) -> None:
    few = (report(SourceKind.REGISTER), report(SourceKind.GATEWAY, days=FEW), MAIL)
    assert name(one(check, known(sources=few))) == (Status.UNKNOWN, "cannot-tell")
    nothing = DocumentEvents(events=tuple(registered(1)), sources=SOURCES)
    assert name(one(check, nothing)) == (Status.NOT_APPLICABLE, "nothing-sent")
    older = DocumentEvents(events=tuple(registered(1, day=dt.date(2026, 8, 1))), sources=SOURCES)
    assert name(one(check, older)) == (Status.NOT_APPLICABLE, "nothing-sent")
    broken = msgspec.structs.replace(
        SOURCES[0], failure=Failure(kind=FailureKind.UNPARSABLE, detail="so.csv:3: no")
    )
    with pytest.raises(Unparsable, match=r"so\.csv:3"):
        one(check, known(sources=(broken, *SOURCES[1:])))


# -------------------------------------------------------------------------------------- numbering


def numbered(
    *found: tuple[int, str, dt.date, str], sources: tuple[SourceReport, ...] = SOURCES
) -> Verdict:
    rows = [
        row for n, sign, day, suffix in found
        for row in registered(n, day=day, sign=sign, suffix=suffix, year=day.year)
    ]  # fmt: skip
    return one(numbering, DocumentEvents(events=tuple(rows), sources=sources))


def run(first: int, last: int, sign: str = "QD", start: dt.date = DAY) -> list[Any]:
    return [(n, sign, start + dt.timedelta(days=n - first), "") for n in range(first, last + 1)]


def test_numbers_without_a_fault() -> None:
    verdict = numbered(*run(41, 50))
    assert name(verdict) == (Status.PASS, "whole")
    assert verdict.detail["series"][0] == {
        "signs": "QD", "year": 2026, "first": 41, "last": 50, "gaps": [], "total_gaps": 0,
        "missing": 0,
    }  # fmt: skip


def test_gaps_are_named_as_ranges() -> None:
    verdict = numbered(*run(41, 42), *run(44, 45), *run(49, 50))
    assert name(verdict) == (Status.FAIL, "gaps")
    assert verdict.detail["series"][0]["gaps"] == ["43", "46–48"]
    assert (verdict.detail["missing"], verdict.severity) == (4, None)
    assert one(
        numbering,
        DocumentEvents(
            events=tuple(r for n in (1, 3) for r in registered(n, day=days(n))), sources=SOURCES
        ),
        gaps=1,
    ).status is Status.PASS  # fmt: skip


def test_gap_lists_are_bounded_and_the_total_is_said() -> None:
    verdict = numbered(*[(n * 2, "QD", DAY, "") for n in range(1, 400)])
    (shown,) = verdict.detail["series"]
    assert (len(shown["gaps"]), shown["total_gaps"], verdict.detail["missing"]) == (50, 398, 398)


def test_one_number_with_two_dates_is_twice_and_a_row_added_twice_is_not() -> None:
    assert name(numbered(*run(41, 44), (43, "QD", days(2), ""))) == (Status.PASS, "whole")
    verdict = numbered(*run(41, 44), (43, "QD", days(20), ""))
    assert (name(verdict), verdict.severity) == ((Status.FAIL, "twice"), Severity.MAJOR)
    assert verdict.detail["duplicates"] == [
        {"key": "43/2026/QD", "dates": ["2026-11-12", "2026-11-30"]}
    ]


def test_a_number_with_a_letter_is_a_document_of_its_own_and_fills_no_gap() -> None:
    letters = [(43, "QD", days(2), "A"), (43, "QD", days(2), "B")]
    assert name(numbered(*run(41, 42), *letters, *run(44, 45, start=days(3)))) == (
        Status.PASS,
        "whole",
    )


def test_signs_that_share_one_sequence_are_seen_to_and_others_are_apart() -> None:
    shared = [(n, ("BC", "QD", "TTR")[n % 3], days(n % 2), "") for n in range(10, 40)]
    verdict = numbered(*sorted(shared, key=lambda s: s[0]))
    assert verdict.detail["missing"] == 0
    assert [s["signs"] for s in verdict.detail["series"]] == ["BC, QD, TTR"]
    apart = numbered(*run(1, 9), *run(1, 9, "BC"))
    assert (name(apart), len(apart.detail["series"])) == ((Status.PASS, "whole"), 2)
    far = numbered(*run(100, 109), *run(500, 509, "BC"))
    assert (name(far), len(far.detail["series"])) == ((Status.PASS, "whole"), 2)


def test_dates_out_of_order_are_as_many_as_must_be_moved() -> None:
    dates = [days(n) for n in (0, 1, 9, 2, 3)]
    verdict = numbered(*[(n, "QD", day, "") for n, day in enumerate(dates, 41)])
    assert (name(verdict), verdict.detail["disordered"]) == ((Status.FAIL, "disordered"), 1)


def new_year(first: int, last: int) -> list[Any]:
    return run(first, last, start=dt.date(2026, 1, 2)) + run(
        last + 1, last + 30, start=dt.date(2026, 10, 20)
    )


def test_numbers_start_again_on_new_years_day() -> None:
    assert name(numbered(*new_year(1, 20))) == (Status.PASS, "whole")
    missing = numbered(*new_year(4, 20))
    assert missing.detail["series"][0]["gaps"] == ["1–3"]
    carried_on = numbered(*new_year(812, 830))
    assert name(carried_on) == (Status.FAIL, "not-restarted")
    assert carried_on.detail["missing"] == 0


def test_a_year_that_is_over_is_not_mixed_with_the_next() -> None:
    rows = [*run(90, 95, start=dt.date(2026, 12, 20)), *run(1, 12, start=dt.date(2027, 1, 4))]
    events = DocumentEvents(
        events=tuple(
            r for n, sign, day, _ in rows for r in registered(n, day=day, sign=sign, year=day.year)
        ),
        sources=SOURCES,
    )
    now = dt.datetime(2027, 1, 15, 10, tzinfo=dt.UTC)
    verdict = one(numbering, events, now=now)
    assert verdict.detail["missing"] == 0
    assert [s["year"] for s in verdict.detail["series"]] == [2026, 2027]


def test_without_coverage_or_documents_numbers_say_nothing() -> None:
    few = (report(SourceKind.REGISTER, days=FEW),)
    assert name(numbered(*run(41, 50), sources=few)) == (Status.UNKNOWN, "cannot-tell")
    assert name(numbered(sources=few)) == (Status.UNKNOWN, "empty")


# ----------------------------------------------------------------------------------- unregistered


def test_own_numbers_that_the_register_lacks() -> None:
    assert name(one(unregistered, known())) == (Status.PASS, "none")
    verdict = one(unregistered, known(sent(500), sent(500, CULTURE), mailed(501), mailed(500)))
    assert name(verdict) == (Status.FAIL, "found")
    # The mail of 500 is not the earliest line that shows it: the gateway had it at 15:00.
    assert [(d["key"], d["source"]) for d in verdict.detail["documents"]] == [
        ("500/2026/QD-UBND-HK", "gateway"),
        ("501/2026/QD-UBND-HK", "mail"),
    ]
    assert verdict.detail["total"] == 2


def test_what_may_still_be_registered_is_not_named() -> None:
    today = dt.date(2026, 11, 20)
    assert one(unregistered, known(sent(500, day=today))).detail["total"] == 0
    assert one(unregistered, known(sent(500, sender="H26.8"))).detail["total"] == 0


def test_of_an_unregistered_secret_only_day_and_hash_are_shown() -> None:
    trace = MailTrace(found=FoundIn.NAME, leading=True, size=9, secret=True)
    verdict = one(unregistered, known(mailed(501, trace=trace)))
    (shown,) = verdict.detail["documents"]
    assert set(shown) == {"secret", "date", "sha256"}


# ------------------------------------------------------------------------------ incoming-registered

BOOK = report(SourceKind.INCOMING, key="incoming")
RECEIVED = report(SourceKind.GATEWAY, "received.csv", "received")


def incoming(
    *events: Any, more: tuple[SourceReport, ...] = (BOOK, RECEIVED), **options: Any
) -> Verdict:
    # Entries until the last day, or nothing could be called missing.
    return one(
        incoming_registered, known(*events, arrived(999, day=PERIOD[-1]), more=more), **options
    )


@pytest.mark.parametrize(
    ("entry", "state"),
    [
        (arrived(55), "entered"),
        (arrived(55, day=days(1)), "entered"),
        (arrived(55, day=days(2)), "late"),
        (arrived(55, "Cơ quan không rõ"), "entered"),
        (arrived(55, "Sở Văn hóa"), "missing"),
        (arrived(55, HEALTH), "entered"),
        (arrived(55, year=2025), "missing"),
        (arrived(55, year=0), "entered"),
        (arrived(56), "missing"),
        (arrived(55, sign="SYT"), "missing"),
    ],
)
def test_a_delivery_is_entered_late_or_missing(entry: Any, state: str) -> None:
    verdict = incoming(delivered(55), entry)
    assert {s: verdict.detail[s] for s in ("entered", "late", "missing")} == {
        "entered": 0, "late": 0, "missing": 0, state: 1,
    }  # fmt: skip
    assert verdict.status is (Status.PASS if state == "entered" else Status.FAIL)


def test_the_authors_code_decides_between_two_of_the_same_number() -> None:
    entries = [arrived(55, "Sở Văn hóa", days(1)), arrived(55, "Sở Y tế", days(5))]
    verdict = incoming(delivered(55), delivered(55, CULTURE), *entries)
    assert (verdict.detail["entered"], verdict.detail["late"]) == (1, 1)
    assert verdict.detail["documents"][0]["from"] == HEALTH


def test_a_delivery_told_twice_is_one() -> None:
    verdict = incoming(delivered(55), delivered(55, day=days(3)), arrived(55))
    assert (verdict.detail["deliveries"], verdict.detail["entered"]) == (1, 1)


def test_what_came_by_mail_from_an_agency_is_to_be_entered_too() -> None:
    came = mailed(55, "hoankiem.gov.vn", sender="soyte.gov.vn", sign="SYT-VP")
    verdict = incoming(came)
    assert (verdict.detail["missing"], verdict.detail["documents"][0]["from"]) == (1, HEALTH)
    assert incoming(came, arrived(55)).status is Status.PASS
    quoted = MailTrace(found=FoundIn.NAME, leading=True, cites=True)
    for other in (
        mailed(55, "hoankiem.gov.vn", sender="gmail.com", sign="SYT-VP"),
        mailed(55, "hoankiem.gov.vn", sender="soyte.gov.vn", sign="SYT-VP", trace=quoted),
        mailed(55, "hoankiem.gov.vn", sender="soyte.gov.vn"),
        mailed(55, "sovanhoa.gov.vn", sender="soyte.gov.vn", sign="SYT-VP"),
    ):
        assert name(incoming(other)) == (Status.UNKNOWN, "no-deliveries")


def test_what_may_still_be_entered_is_pending() -> None:
    today = PERIOD[-1]
    assert name(incoming(delivered(55, day=today))) == (Status.UNKNOWN, "pending")
    verdict = incoming(delivered(55, day=today), delivered(56), arrived(56))
    assert (verdict.status, verdict.detail["pending"]) == (Status.PASS, 1)


def test_without_deliveries_or_coverage_nothing_is_said_of_arrivals() -> None:
    assert name(incoming()) == (Status.UNKNOWN, "no-deliveries")
    bare = known(arrived(1), sources=SOURCES[:2], more=(BOOK,))
    verdict = one(incoming_registered, bare)
    assert name(verdict) == (Status.UNKNOWN, "no-source")
    few = report(SourceKind.INCOMING, key="incoming", days=FEW)
    assert name(incoming(delivered(55), arrived(55), more=(few, RECEIVED))) == (
        Status.UNKNOWN,
        "cannot-tell",
    )


# ------------------------------------------------------------------------------------ secret-mark


def test_a_secrecy_mark_is_critical_and_shows_only_day_and_hash() -> None:
    assert name(one(secret_mark, known())) == (Status.PASS, "none")
    verdict = one(secret_mark, known(secret(sign="QD-UBND-HK"), secret(8, to="vnpt.vn")))
    assert name(verdict) == (Status.FAIL, "found")
    assert (verdict.severity or secret_mark.severity) is Severity.CRITICAL
    assert [set(line) for line in verdict.detail["lines"]] == [{"date", "sha256"}] * 2
    for private in ("QD-UBND-HK", "vnpt", "soyte", "mail.csv"):
        assert private not in str(verdict)


def test_a_document_registered_as_secret_may_be_neither_mailed_nor_on_the_axis() -> None:
    row = registered(100, reason="MAT")
    assert one(secret_mark, known(row)).status is Status.PASS
    by_mail = one(secret_mark, known(row, mailed(100)))
    by_axis = one(secret_mark, known(row, sent(100)))
    assert (by_mail.detail["total"], by_axis.detail["total"]) == (1, 1)
    assert by_axis.message.args["gateway"] == 1
    speaks = MailTrace(found=FoundIn.SUBJECT, cites=True)
    assert one(secret_mark, known(row, mailed(100, trace=speaks))).status is Status.PASS


def test_last_years_secret_is_not_this_years_document_of_the_same_number() -> None:
    rows = [
        *registered(100, day=dt.date(2025, 12, 20), reason="MAT", year=2025),
        *registered(100, day=DAY),
    ]
    assert one(secret_mark, known(rows, sent(100, year=0))).status is Status.PASS


def test_no_mark_is_only_seen_where_marks_could_be() -> None:
    blind = msgspec.structs.replace(MAIL, mails_with_headers=0)
    silent = msgspec.structs.replace(MAIL, mails=0, mails_with_headers=0)
    few = report(SourceKind.MAIL, mails=4, mails_with_headers=4, days=FEW)
    broken = msgspec.structs.replace(
        MAIL, failure=Failure(kind=FailureKind.DENIED, detail="/var/log/mail.log")
    )
    for source, said_ in (
        (blind, "blind"),
        (silent, "no-mail"),
        (few, "cannot-tell"),
        (broken, "partly"),
    ):
        verdict = one(secret_mark, known(sources=(*SOURCES[:2], source)))
        assert name(verdict) == (Status.UNKNOWN, said_)
    assert one(secret_mark, known(secret(), sources=(blind,))).status is Status.FAIL


# ------------------------------------------------------------------------------- what logs can show


@pytest.mark.parametrize(
    ("seen", "said_"),
    [
        ({"mails": 10, "mails_with_headers": 8}, "visible"),
        ({"mails": 10, "mails_with_headers": 7}, "partly"),
        ({"mails": 10, "mails_with_headers": 10, "dropped": 10}, "partly"),
        ({"mails": 10, "mails_with_subjects": 10}, "subjects-only"),
        ({"mails": 10, "mails_with_names": 4}, "names-only"),
        ({"mails": 10}, "blind"),
    ],
)
def test_what_a_mail_log_shows(seen: dict[str, Any], said_: str) -> None:
    verdict = one(mail_visible, known(sources=(report(SourceKind.MAIL, **seen),)))
    assert name(verdict) == (Status.PASS if said_ == "visible" else Status.FAIL, said_)
    assert verdict.detail["directive"] == "sauro documents sample"
    assert verdict.subject == "mail"


def test_a_log_without_mail_or_unreadable_shows_nothing() -> None:
    broken = report(SourceKind.MAIL, "a.log", failure=Failure(kind=FailureKind.DENIED, detail="x"))
    events = known(sources=(broken, report(SourceKind.MAIL, "b.log", mails=0)))
    for check, states in (
        (mail_visible, ["unreadable", "no-mail"]),
        (log_gap, ["unreadable", "whole"]),
        (log_clock, ["unreadable", "past"]),
    ):
        found = said(check, events)
        assert [v.message.id.rpartition(".")[2] for v in found] == states
        assert [v.subject for v in found] == ["mail a.log", "mail b.log"]


def gap(missing: list[int], **more: Any) -> Verdict:
    left = [d for n, d in enumerate(PERIOD) if n not in missing]
    return one(log_gap, known(sources=(report(SourceKind.MAIL, days=left, **more),)))


def test_a_silence_between_days_with_lines_is_a_gap() -> None:
    # PERIOD[0] is Saturday, 10 October.
    assert name(gap([])) == (Status.PASS, "whole")
    assert name(gap([3, 4])) == (Status.PASS, "whole")
    verdict = gap([3, 4, 5, 20, 21, 22, 23])
    assert name(verdict) == (Status.FAIL, "silent")
    assert verdict.detail["gaps"] == [["2026-10-13", "2026-10-15"], ["2026-10-30", "2026-11-02"]]
    assert verdict.message.args["first"] == "2026-10-30"


def test_before_the_first_and_after_the_last_line_there_is_no_gap() -> None:
    assert name(gap([0, 1, 2, 3, 4, 38, 39, 40, 41])) == (Status.PASS, "whole")
    assert name(gap(list(range(1, 42)))) == (Status.UNKNOWN, "short")


def test_a_holiday_of_many_days_is_no_gap_in_a_log() -> None:
    tet = [dt.date(2026, 2, 9) + dt.timedelta(days=n) for n in range(20)]
    for last, said_ in ((22, "whole"), (23, "silent")):
        left = [d for d in tet if not dt.date(2026, 2, 14) <= d <= dt.date(2026, 2, last)]
        source = report(SourceKind.MAIL, days=left)
        assert name(one(log_gap, known(sources=(source,))))[1] == said_


def hourly(missing: Any = lambda _day, _hour: False) -> Verdict:
    """A log with lines from seven to six on every day but what is missing."""
    hours = {
        int(at(day, f"{hour:02}:00").timestamp()) // 3600
        for day in PERIOD
        for hour in range(7, 18)
        if not missing(day, hour)
    }
    source = report(SourceKind.MAIL, hours=frozenset(hours))
    return one(log_gap, known(sources=(source,)))


def test_hours_of_a_working_day_that_otherwise_have_lines_are_missed() -> None:
    assert name(hourly()) == (Status.PASS, "whole")
    assert name(hourly(lambda d, h: d == DAY and h in (9, 10))) == (Status.PASS, "whole")
    verdict = hourly(lambda d, h: d == DAY and h in (9, 10, 11, 15))
    assert name(verdict) == (Status.FAIL, "silent-hours")
    assert verdict.detail["silent_hours"] == [
        ["2026-11-10T09:00:00+07:00", "2026-11-10T12:00:00+07:00"]
    ]


def test_hours_that_are_often_silent_are_no_habit() -> None:
    sunday = dt.date(2026, 11, 8)
    assert name(hourly(lambda d, _: d == sunday)) == (Status.PASS, "whole")
    seldom = hourly(lambda d, h: h > 12 and d.weekday() in (0, 1))
    assert name(seldom) == (Status.PASS, "whole")
    # The first and the last day are cut where the log begins and ends.
    assert name(hourly(lambda d, h: d in (PERIOD[0], PERIOD[-1]) and h < 15))[1] == "whole"


def test_a_missing_rotated_file_is_named() -> None:
    verdict = gap([], file_names=("/var/log/mail.log", "/var/log/mail.log.2.gz"))
    assert name(verdict) == (Status.FAIL, "missing-file")
    assert verdict.message.args["file"] == "/var/log/mail.log.1"


@pytest.mark.parametrize(
    ("names", "lacking"),
    [
        ((), ()),
        (("mail.log",), ()),
        (("mail.log", "mail.log.1", "mail.log.2.gz"), ()),
        (("mail.log.1", "mail.log.4.gz"), ("mail.log.2", "mail.log.3")),
        (("mail.log.2", "mail.log.3"), ()),
        (("mail.log", "mail.log.0", "mail.log.1.bz2"), ()),
        (("a/maillog-20261101", "a/maillog-20261108.gz", "a/maillog-20261122"),
         ("a/maillog-20261115",)),
        (("maillog-20261101", "maillog-20261108", "maillog-20261116"), ()),
        (("mailbox.log.2026-11-01.gz", "mailbox.log.2026-11-02", "mailbox.log.2026-11-04"),
         ("mailbox.log-20261103",)),
        (("maillog-20261101", "maillog-20261130"), ()),
        (("maillog-20261301", "x.log.99999"), ()),
        (("MSGTRK2026111012-1.LOG", "MSGTRK2026111014-1.LOG"), ()),
    ],
)  # fmt: skip
def test_rotation(names: tuple[str, ...], lacking: tuple[str, ...]) -> None:
    assert missing_files(names) == lacking


@pytest.mark.parametrize(("minutes", "said_"), [(-60, "past"), (5, "past"), (6, "future")])
def test_a_log_from_the_future_proves_no_order(minutes: int, said_: str) -> None:
    source = msgspec.structs.replace(MAIL, last=NOW + dt.timedelta(minutes=minutes))
    verdict = one(log_clock, known(sources=(source,)))
    assert name(verdict) == (Status.PASS if said_ == "past" else Status.FAIL, said_)


def test_a_mark_is_seen_in_a_mail_that_names_no_document() -> None:
    subj = subject()
    marked = Mail("2026-11-10T09:00:00", "[MẬT] Gửi anh Nam", to=("nam@vnpt.vn",), size=900)
    both = Mail("2026-11-11T09:00:00", "TỐI MẬT", names=("100-QD-UBND-HK.pdf",))
    log_text = log(*daily_mails(), marked, both)
    evidence = answers(REGISTER_HEAD + register(), GATEWAY_HEAD + gateway(), log_text, subj)
    (verdict,) = judge(secret_mark, subj, evidence)
    assert (verdict.status, verdict.detail["total"]) == (Status.FAIL, 2)
    assert [line["date"] for line in verdict.detail["lines"]] == ["2026-11-10", "2026-11-11"]
    assert "Nam" not in str(verdict)


def test_a_mail_log_tells_its_hours() -> None:
    subj = subject()
    text = log(*daily_mails(), Mail("2026-11-10T13:59:59", "x", to=("dan@vnpt.vn",)))
    evidence = answers(REGISTER_HEAD + register(), GATEWAY_HEAD + gateway(), text, subj)
    (source,) = DOCUMENTS.parse(context(subj, log_gap.options()), evidence).under("mail")
    wanted = {int(at(day, "07:00").timestamp()) // 3600 for day in source.days}
    # 13:59:59 and the lines of the same mail that follow it.
    more = {int(at(DAY, hour).timestamp()) // 3600 for hour in ("13:00", "14:00")}
    assert source.hours == wanted | more
