"""Reported figures against the records: they add up, agree, and leave no system in no bucket."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import FILES, Answers, Evidence, FailureKind, Need
from checks.files import FileEntry, files_request, pack
from checks.model import Context, Message, Scope, Severity, Status, Subject, Verdict
from checks.security.level_record import Inspection, LevelRecord
from checks.security.record import RECORD_FILE
from checks.security.register import REGISTER
from checks.security.rules import LEVELS
from checks.security.totals import BOOK, Book, counts, own_faults, statistics_consistent
from checks.texts import label, render
from inventory.model import FileSource, Inventory, LevelTotals
from tests.helpers.levels import GOOD, SYSTEM, TODAY, UNITS, ZONE, but, day, faults, name

NOW = dt.datetime(2026, 11, 21, 2, tzinfo=ZONE)
DRAFT = but(GOOD, approval=None, appraisal=None)
LOOKED = but(GOOD, inspections=(Inspection(date=day("2026-10-01"), document="40/BC"),))
BOOKED: dict[str, LevelRecord | None] = {
    "a": LOOKED,
    "b": but(GOOD, level=3),
    "c": DRAFT,
    "d": None,
}
RIGHT = LevelTotals(
    systems=4,
    levels=(0, 2, 1, 0, 0),
    unclassified=1,
    dossiers=3,
    appraised=2,
    approved=2,
    inspected=1,
)


def subject(totals: LevelTotals | None = None, register: bool = False, **system: Any) -> Subject:
    unit = msgspec.structs.replace(
        UNITS["hk"],
        level_totals=totals,
        levels=FileSource(path="registers/levels.csv") if register else None,
    )
    systems = {
        i: msgspec.structs.replace(SYSTEM, id=i, name=f"HT {i}", **{"assessment": "", **system})
        for i in "abcd"
    }
    inventory = Inventory(units=UNITS | {"hk": unit}, systems=systems)
    return Subject(scope=Scope.UNIT, inventory=inventory, unit=unit, target="hk")


def judged(
    totals: LevelTotals | None,
    records: dict[str, LevelRecord | None] = BOOKED,
    *,
    register: bool = False,
    **book: Any,
) -> Verdict:
    about = subject(totals, register)
    ctx = Context(now=NOW, zone=ZONE, legal_basis=2026, subject=about)
    made = Book(records=records, **{"unread": {}, **book})
    (found,) = statistics_consistent.judge(ctx, made)
    assert isinstance(found, Verdict)
    for language in ("vi", "en"):
        assert render(found.message, language, ZONE)
        for fault in found.detail.get("shortfalls", []):
            assert render(Message(id=fault["message"], args=fault["args"]), language, ZONE)
    return found


def but_totals(**changes: Any) -> LevelTotals:
    return msgspec.structs.replace(RIGHT, **changes)


def test_figures_that_agree() -> None:
    found = judged(RIGHT)
    assert (found.status, name(found)) == (Status.PASS, "agree")
    assert found.message.args == {"systems": 4, "unclassified": 1, "approved": 2}
    assert found.detail["counted"]["unclassified"] == 1
    # Only what was reported is compared.
    assert judged(LevelTotals(approved=2)).status is Status.PASS


def test_every_system_is_in_exactly_one_bucket() -> None:
    counted = counts(Book(records=BOOKED, unread={"e": "x"}), TODAY)
    classified = sum(counted[f"level-{n}"] for n in LEVELS)
    assert counted["systems"] == classified + counted["unclassified"] + 1


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"systems": 5, "unclassified": 2}, ["differs", "differs"]),
        ({"approved": 3, "appraised": 3}, ["differs", "differs"]),
        ({"inspected": 0}, ["differs"]),
        ({"levels": (0, 3, 0, 0, 0)}, ["differs", "differs"]),
        ({"unclassified": 0}, ["rest", "differs"]),
        ({"unclassified": None}, ["rest"]),
        ({"unclassified": 2}, ["too-many", "differs"]),
        ({"approved": 3, "inspected": 1}, ["grows", "differs"]),
    ],
)
def test_each_way_in_which_figures_are_wrong(changes: dict[str, Any], wanted: list[str]) -> None:
    found = judged(but_totals(**changes))
    assert (found.status, faults(found), found.severity) == (Status.FAIL, wanted, Severity.MAJOR)


def test_a_gap_is_a_number() -> None:
    """47 tasks that are 15, 18, 8 and 5: one stands in no group, and that is said."""
    (found,) = own_faults({"systems": 47, "level-1": 15, "level-2": 18, "level-3": 8, "level-4": 5})
    assert (found.name, found.args["rest"]) == ("rest", 1)


def test_papers_are_counted_up_to_the_day_of_the_report() -> None:
    early = but_totals(date=day("2026-08-31"), approved=0, inspected=0)
    assert judged(early).status is Status.PASS
    on_the_day = but_totals(date=day("2026-09-01"), inspected=0)
    assert judged(on_the_day).status is Status.PASS
    # A report of tomorrow counts what there is today.
    assert judged(but_totals(date=day("2030-01-01"))).detail["on"] == TODAY.isoformat()


def test_an_inspection_counts_from_its_own_day() -> None:
    before, on = but_totals(date=day("2026-09-30"), inspected=0), but_totals(date=day("2026-10-01"))
    assert judged(before).status is Status.PASS
    assert judged(on).status is Status.PASS


@pytest.mark.parametrize(
    ("look", "counted"),
    [
        (Inspection(date=day("2025-12-15"), document="1/BC"), 1),
        (Inspection(date=day("2025-12-14"), document="1/BC"), 0),
        (Inspection(date=day("2026-10-01"), document="1/BC", kind="ad_hoc"), 0),
        (Inspection(date=day("2026-10-01"), document="1/BC", kind="before_use"), 0),
        (Inspection(date=day("2026-10-01"), document=" "), 0),
    ],
)
def test_inspected_means_what_form_08_means(look: Inspection, counted: int) -> None:
    book = Book(records={"a": but(GOOD, inspections=(look,))}, unread={})
    assert counts(book, TODAY)["inspected"] == counted
    # The form's next year begins on 15 December.
    later = counts(book, day("2026-12-15"))
    assert later["inspected"] == 0


def test_a_dossier_is_there_once_it_was_submitted() -> None:
    none = but(GOOD, proposal=None, appraisal=None, approval=None)
    appraised = but(GOOD, proposal=None, appraisal=None)
    book = Book(records={"a": none, "b": appraised}, unread={})
    found = counts(book, TODAY)
    assert (found["dossiers"], found["appraised"], found["approved"]) == (1, 1, 1)


def test_what_cannot_be_read_may_explain_a_difference_and_no_more() -> None:
    records = {i: r for i, r in BOOKED.items() if i != "a"}
    unread = {"a": "records/a.yaml:1: broken"}
    found = judged(RIGHT, records, unread=unread)
    assert (found.status, name(found)) == (Status.UNKNOWN, "unread")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.UNPARSABLE
    # Two more than were counted cannot be one record.
    more = judged(but_totals(approved=3, appraised=3), records, unread=unread)
    assert faults(more) == ["differs", "differs"]
    # The number of systems is known whatever was read.
    assert judged(LevelTotals(systems=5), records, unread=unread).status is Status.FAIL
    # Nothing reported and a register: still not whole.
    assert judged(None, records, unread=unread, register=True).status is Status.UNKNOWN


def test_nothing_reported_is_said_and_a_register_alone_is_counted() -> None:
    found = judged(None)
    assert (found.status, name(found)) == (Status.NOT_APPLICABLE, "nothing-reported")
    assert judged(LevelTotals(document="40/BC")).status is Status.NOT_APPLICABLE
    register = judged(None, register=True)
    assert (register.status, name(register)) == (Status.PASS, "counted")


def test_a_row_of_no_system_is_told() -> None:
    found = judged(RIGHT, strangers=("Hệ thống lạ (levels.csv:4)",), register=True)
    assert (faults(found), found.severity) == (["stranger"], Severity.MINOR)


def test_every_figure_has_words() -> None:
    for figure in counts(Book(records={}, unread={}), TODAY):
        assert label(f"security/total-{figure}", "vi") != f"security/total-{figure}"


figures = st.none() | st.integers(0, 6)


@given(
    st.builds(
        LevelTotals,
        systems=figures,
        levels=st.tuples(figures, figures, figures, figures, figures),
        unclassified=figures,
        dossiers=figures,
        appraised=figures,
        approved=figures,
        inspected=figures,
    )
)
def test_a_pass_means_that_every_figure_is_the_counted_one(totals: LevelTotals) -> None:
    found = judged(totals)
    counted, said = found.detail.get("counted", {}), found.detail.get("reported", {})
    if found.status is Status.PASS:
        assert said
        assert all(counted[name] == count for name, count in said.items())
    if any(counted[name] != count for name, count in said.items()):
        assert found.status is Status.FAIL


# ---------------------------------------------------------------------------------------- the fact


def read(about: Subject, *evidence: Evidence) -> Book:
    return BOOK.parse(
        Context(now=NOW, zone=ZONE, legal_basis=2026, subject=about), Answers(evidence)
    )


def answer(probe: str, key: str, file: str, text: str) -> Evidence:
    data = pack([FileEntry(name=file, mtime=NOW, data=text.encode())])
    return Evidence(probe=probe, target=FILES, key=key, taken=NOW, stdout=data)


def test_records_come_from_files_and_the_register() -> None:
    about = subject(register=True)
    systems = about.inventory.systems
    systems["a"] = msgspec.structs.replace(systems["a"], assessment="records/a.yaml")
    systems["b"] = msgspec.structs.replace(systems["b"], assessment="records/b.yaml")
    asked = BOOK.requests(about)
    assert [r.params["path"] for r in asked] == [
        "records/a.yaml",
        "records/b.yaml",
        "registers/levels.csv",
    ]
    assert {r.need for r in asked} == {Need.OPTIONAL}
    table = "Mã HTTT,Tên hệ thống,Cấp độ\nc,,3\n,HT d,2\n,Hệ thống lạ,1\n"
    key = files_request(RECORD_FILE, "records/a.yaml").key
    book = read(
        about,
        answer(RECORD_FILE.id, key, "records/a.yaml", "system: a\nlevel: 1\n"),
        answer(REGISTER.id, "k", "registers/levels.csv", table),
    )
    assert {i: r.level for i, r in book.records.items() if r} == {"a": 1, "c": 3, "d": 2}
    assert list(book.unread) == ["b"]
    assert book.strangers == ("Hệ thống lạ (registers/levels.csv:4)",)


def test_a_register_that_cannot_be_read_leaves_nothing_unclassified() -> None:
    about = subject(register=True)
    for evidence in ((), (answer(REGISTER.id, "k", "l.csv", "nichts\n"),)):
        book = read(about, *evidence)
        assert book.records == {}
        assert sorted(book.unread) == ["a", "b", "c", "d"]
        assert book.unreadable


def test_a_row_of_another_unit_in_a_shared_register_is_no_stranger() -> None:
    about = subject(register=True)
    about.inventory.systems["z"] = msgspec.structs.replace(SYSTEM, id="z", unit="ca", name="Z")
    book = read(about, answer(REGISTER.id, "k", "l.csv", "Mã HTTT,Cấp độ\nz,3\na,2\n"))
    assert book.strangers == ()
    assert sorted(book.records) == ["a", "b", "c", "d"]
