"""Arrival numbers: gaps, doubles, order; several books; a new year; what cannot be told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.entries import incoming_numbering
from checks.documents.events import DocumentEvent, DocumentEvents, SourceKind
from checks.documents.numbers import Finder
from checks.documents.sources.incoming import read_incoming
from checks.documents.sources.reading import Reading
from checks.evidence import Failure, FailureKind, Unparsable
from checks.model import Severity, Status, Verdict
from checks.texts import render
from tests.helpers.correspondence import AGENCIES, NOW, PATIENT, UNIT, ZONE, entry
from tests.helpers.document_events import PERIOD, one, report
from tests.helpers.document_events import arrived as _arrived
from tests.helpers.workbooks import number, sheet, text, workbook

HEAD = "Ngày đến,Số đến,Tác giả,Số ký hiệu,Ngày tháng"
BOOK = report(SourceKind.INCOMING)


def arrived(
    number: int, at: int = 0, what: int = 0, book: str = "", file: str = "in.csv", **more: Any
) -> DocumentEvent:
    """Entry `number` on a day of the period, of document `what` (its own number by default)."""
    made = _arrived(what or number, day=more.pop("day", PERIOD[at]), **more)
    place = msgspec.structs.replace(made.place, file=file, line=number + 1)
    return msgspec.structs.replace(made, arrival=number, recipient=book, place=place)


def daily(first: int = 1, **of: Any) -> list[DocumentEvent]:
    return [arrived(first + n, n, **of) for n in range(len(PERIOD))]


def judged(
    *events: DocumentEvent, more: Any = BOOK, now: dt.datetime = NOW, **options: Any
) -> Verdict:
    said = one(
        incoming_numbering, DocumentEvents(events=events, sources=(more,)), now=now, **options
    )
    for language in ("vi", "en"):
        assert "{" not in render(said.message, language, ZONE)
    return said


def name(found: Verdict) -> tuple[Status, str]:
    return found.status, found.message.id.rpartition(".")[2]


def test_a_whole_book_passes_whatever_number_the_period_begins_with() -> None:
    found = judged(*daily(412))
    assert name(found) == (Status.PASS, "whole")
    assert found.message.args == {"rows": 42, "books": 1}
    assert found.detail["books"][0]["first"] == 412


def test_missing_numbers_are_named() -> None:
    events = daily()
    del events[30], events[11:13]
    found = judged(*events)
    assert (name(found), found.severity) == ((Status.FAIL, "gaps"), None)
    assert found.detail["books"][0]["gaps"] == ["12–13", "31"]
    assert found.detail["missing"] == 3
    assert judged(*events, gaps=3).status is Status.PASS


def test_one_number_for_two_documents_is_the_graver_fault() -> None:
    found = judged(*daily(), arrived(7, 6, what=900))
    assert (name(found), found.severity) == ((Status.FAIL, "twice"), Severity.MAJOR)
    (double,) = found.detail["duplicates"]
    assert (double["arrival"], double["year"], len(double["places"])) == ("7", 2026, 2)
    assert "900" not in str(found.detail["duplicates"])


def test_one_document_in_several_rows_is_no_double() -> None:
    """It was handed to several people, or the register was exported twice."""
    events = daily()
    assert judged(*events, *daily(file="copy.csv")).status is Status.PASS
    assert judged(*events, arrived(7, 6)).status is Status.PASS


def test_a_number_that_comes_again_on_another_day_is_a_double() -> None:
    assert name(judged(*daily(), arrived(7, 9)))[1] == "twice"


def test_a_letter_behind_a_number_makes_another_number() -> None:
    extra = msgspec.structs.replace(arrived(7, 6, what=900), reason="A")
    assert judged(*daily(), extra).status is Status.PASS


def test_numbers_go_with_the_days_of_arrival() -> None:
    events = daily()
    events[5] = arrived(6, 20)
    found = judged(*events)
    assert (name(found), found.detail["disordered"]) == ((Status.FAIL, "disordered"), 1)
    assert judged(*events, disordered=1).status is Status.PASS


def test_an_entry_without_a_number_is_a_fault_and_a_register_without_any_is_no_answer() -> None:
    found = judged(*daily(), arrived(0, 3, what=77))
    assert (name(found), found.message.args["count"]) == ((Status.FAIL, "unnumbered"), 1)
    nothing = judged(*(arrived(0, n, what=n + 1) for n in range(20)))
    assert name(nothing) == (Status.UNKNOWN, "no-numbers")


# -------------------------------------------------------------------------------------------- books


def test_every_book_that_is_named_counts_for_itself() -> None:
    found = judged(*daily(book="SO DEN UBND"), *daily(300, book="SO DEN HDND"))
    assert name(found) == (Status.PASS, "whole")
    assert found.message.args["books"] == 2
    # Two books never fill each other's gaps once they are named.
    halves = [e for e in daily() if e.arrival % 2], [e for e in daily() if not e.arrival % 2]
    apart = [msgspec.structs.replace(e, recipient=f"B{n}") for n in (0, 1) for e in halves[n]]
    assert name(judged(*apart))[1] == "gaps"


def test_what_a_book_is_called_is_shown_nowhere() -> None:
    events = daily(book="SO CUA BA NGUYEN THI A")
    found = judged(*events[:5], *events[6:], arrived(2, 1, what=900, book="SO CUA BA NGUYEN THI A"))
    assert "NGUYEN" not in str(found)


def test_books_in_files_of_their_own_need_no_name() -> None:
    found = judged(*daily(file="ubnd.csv"), *daily(500, file="hdnd.csv", sign="HD"))
    assert (name(found), found.message.args["books"]) == ((Status.PASS, "whole"), 2)


def test_files_of_one_book_are_one_book() -> None:
    events = [
        msgspec.structs.replace(e, place=msgspec.structs.replace(e.place, file=f"{n // 14}.csv"))
        for n, e in enumerate(daily())
    ]
    found = judged(*events)
    assert (name(found), found.message.args["books"]) == ((Status.PASS, "whole"), 1)
    # The last of a month, the first of the next, and one within.
    for at, gap in ((13, "14"), (14, "15"), (20, "21")):
        found = judged(*events[:at], *events[at + 1 :])
        assert [b["gaps"] for b in found.detail["books"]] == [[gap]]


def test_two_books_of_a_file_for_each_month_are_two() -> None:
    """What follows on is what is nearest: 1–14 and 15–28 beside 301–314 and 315–328."""
    events = [
        msgspec.structs.replace(
            e, place=msgspec.structs.replace(e.place, file=f"{first}-{n // 14}")
        )
        for first in (1, 301)
        for n, e in enumerate(daily(first, sign=f"S{first}"))
    ]
    found = judged(*events)
    assert (name(found), found.message.args["books"]) == ((Status.PASS, "whole"), 2)
    assert {b["first"] for b in found.detail["books"]} == {1, 301}


@pytest.mark.parametrize(("first", "begins"), [(60, 20), (23, 10)], ids=["far", "beside"])
def test_a_file_that_is_far_ahead_or_of_the_same_days_is_another_book(
    first: int, begins: int
) -> None:
    one_book = [arrived(n, n, file="a.csv") for n in range(1, 21)]
    other = [arrived(first + n, begins + n, file="b.csv", sign="HD") for n in range(12)]
    found = judged(*one_book, *other)
    assert (name(found), found.message.args["books"]) == ((Status.PASS, "whole"), 2)


def test_one_number_in_two_files_of_one_book_is_a_double() -> None:
    first = [arrived(n, n // 20, file="a.csv") for n in range(1, 401)]
    second = [arrived(n, 20, what=n + 5000, file="b.csv") for n in range(400, 801)]
    found = judged(*first, *second)
    assert (name(found)[1], found.detail["total_duplicates"]) == ("twice", 1)


def test_books_mixed_in_one_file_are_no_verdict_but_a_question() -> None:
    found = judged(*daily(), *daily(sign="HD", author="Sở Văn hóa"))
    assert name(found) == (Status.UNKNOWN, "books")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNPARSABLE
    assert found.message.args["twice"] == 42


# ----------------------------------------------------------------------------------------- new year

JANUARY = dt.datetime(2027, 1, 20, 10, tzinfo=dt.UTC)
EARLY = [dt.date(2026, 12, 22) + dt.timedelta(days=n) for n in range(30)]


def over_new_year(first: int) -> list[DocumentEvent]:
    """900 to 909 in December, and from `first` on in January."""
    old = [arrived(900 + n, day=day) for n, day in enumerate(EARLY[:10])]
    return old + [arrived(first + n, day=day, year=2027) for n, day in enumerate(EARLY[10:])]


def test_a_new_year_begins_again_from_one() -> None:
    book = report(SourceKind.INCOMING, days=EARLY)
    assert name(judged(*over_new_year(1), more=book, now=JANUARY)) == (Status.PASS, "whole")
    late = judged(*over_new_year(3), more=book, now=JANUARY)
    assert (name(late)[1], late.detail["missing"]) == ("gaps", 2)
    on = judged(*over_new_year(910), more=book, now=JANUARY)
    assert (name(on), on.message.args) == ((Status.FAIL, "not-restarted"), {"year": 2027})


def test_the_year_is_that_of_the_day_in_the_zone_of_the_project() -> None:
    """Midnight of 1 January in Hà Nội is still December in UTC."""
    (first,) = [e for e in over_new_year(1) if e.arrival == 1]
    assert first.time is not None
    assert first.time.year == 2026
    book = report(SourceKind.INCOMING, days=EARLY)
    found = judged(*over_new_year(1), more=book, now=JANUARY)
    assert [(b["year"], b["first"]) for b in found.detail["books"]] == [(2026, 900), (2027, 1)]


def test_a_book_that_is_opened_in_summer_has_no_gap_before_its_first_number() -> None:
    january = [arrived(n + 1, day=dt.date(2026, 1, 2)) for n in range(20)]
    summer = [arrived(n, n % 42, book="SO MAT", what=n + 900) for n in range(1, 12)]
    assert judged(*january, *summer, gaps=0).detail["missing"] == 0


# ----------------------------------------------------------------------------- what cannot be told


def test_rows_that_could_not_be_read_may_be_the_ones_that_lack() -> None:
    events = daily()
    del events[5]
    unread = report(SourceKind.INCOMING, unparsed=1)
    assert name(judged(*events, more=unread)) == (Status.UNKNOWN, "unread")
    del events[9]
    assert name(judged(*events, more=unread)) == (Status.FAIL, "gaps")


def test_a_register_of_few_days_is_no_pass_and_one_of_another_year_says_nothing() -> None:
    few = report(SourceKind.INCOMING, days=PERIOD[-3:])
    assert name(judged(*daily(), more=few)) == (Status.UNKNOWN, "cannot-tell")
    old = [arrived(n + 1, day=dt.date(2025, 3, 1)) for n in range(20)]
    assert name(judged(*old)) == (Status.UNKNOWN, "empty")
    broken = report(SourceKind.INCOMING, failure=Failure(kind=FailureKind.UNPARSABLE, detail="x"))
    with pytest.raises(Unparsable):
        judged(*daily(), more=broken)


@PATIENT
@given(
    st.lists(
        st.builds(
            arrived, st.integers(0, 40), st.integers(0, 41), st.integers(0, 5),
            book=st.sampled_from(["", "A", "B"]), file=st.sampled_from(["x", "y"]),
        ),
        max_size=30,
    )
)  # fmt: skip
def test_a_pass_means_that_nothing_lacks_and_the_order_of_rows_never_matters(
    events: list[DocumentEvent],
) -> None:
    found = judged(*events)
    again = judged(*events[::-1])
    assert (again.status, again.message) == (found.status, found.message)
    if found.status is Status.PASS:
        assert not found.detail["missing"] + found.detail["disordered"]
        assert not found.detail["unnumbered"] + found.detail["total_duplicates"]


# --------------------------------------------------------------------------------------- from files


def read(data: str | bytes, name: str = "so.csv") -> list[DocumentEvent]:
    reading = Reading(
        name=name, zone=ZONE, directory=Directory(AGENCIES, UNIT), finder=Finder(()), columns={}
    )
    return list(read_incoming([entry(name, data)], reading)[0])


@pytest.mark.parametrize(
    ("cell", "arrival", "letter"),
    [
        ("12", 12, ""), ("012", 12, ""), ("12a", 12, "A"), ("12 b", 12, "B"), ("số 12", 12, ""),
        ("12 VB", 12, ""), ("", 0, ""), ("12đ", 12, "D"),
    ],
)  # fmt: skip
def test_arrival_numbers_as_offices_write_them(cell: str, arrival: int, letter: str) -> None:
    (event,) = read(f"{HEAD}\n10/11/2026,{cell},Sở Y tế,5/SYT-VP,10/11/2026\n")
    assert (event.arrival, event.reason) == (arrival, letter)


def test_a_column_names_the_book_and_a_sheet_stands_in_for_it() -> None:
    rows = "Sổ đến HĐND,10/11/2026,1,Sở Y tế,5/SYT-VP,10/11/2026\n"
    (event,) = read(f"Tên sổ,{HEAD}\n{rows}")
    assert event.recipient == "SO DEN HDND"
    head = "".join(text(f"{c}1", name) for c, name in zip("ABCDE", HEAD.split(","), strict=True))
    said = zip("ACDE", ("10/11/2026", "Sở Y tế", "5/SYT-VP", "10/11/2026"), strict=True)
    row = "".join([*(text(f"{c}2", what) for c, what in said), number("B2", 1)])
    book = workbook(sheet(head, row), sheet(head, row))
    assert {e.recipient for e in read(book, "so.xlsx")} == {"#S1", "#S2"}
