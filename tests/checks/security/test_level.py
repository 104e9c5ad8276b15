"""The three level checks: every shortfall alone, several together, and the edges of the dates."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.catalogue import options_for
from checks.evidence import FailureKind
from checks.model import Context, Scope, Severity, Status, Subject
from checks.security.approval import Case, shortfalls
from checks.security.judging import add_months
from checks.security.level import CHECKS, level_approved, level_recorded, level_reviewed
from checks.security.level_record import Decision, Inspection, LevelRecord, Plan
from checks.security.rules import rules
from inventory.model import Inventory
from tests.helpers.levels import (
    GOOD,
    OLD,
    SYSTEM,
    TODAY,
    UNITS,
    but,
    day,
    faults,
    judge,
    name,
    paper,
)

# ------------------------------------------------------------------------------- level-recorded


def test_a_recorded_level_that_agrees_passes() -> None:
    found = judge(level_recorded, GOOD, None)
    assert (found.status, name(found)) == (Status.PASS, "recorded")


def test_no_record_is_a_failure_that_was_seen() -> None:
    found = judge(level_recorded, None, None, assessment="")
    assert (found.status, name(found), found.severity) == (
        Status.FAIL,
        "missing",
        Severity.MAJOR,
    )
    assert judge(level_recorded, None, None, assessment="", level=3).severity is Severity.CRITICAL
    assert judge(level_recorded, None, None, assessment="", level=None).severity is Severity.MAJOR


@pytest.mark.parametrize(
    ("record", "claimed", "wanted", "severity"),
    [
        (but(GOOD, system=""), 2, "no-system", "major"),
        (but(GOOD, system="other"), 2, "other-system", "major"),
        (but(GOOD, system="SYS"), 2, "other-system", "major"),
        (but(GOOD, level=None), 2, "no-level", "major"),
        (but(GOOD, level=None), 4, "no-level", "critical"),
        (but(GOOD, level=0), 2, "bad-level", "major"),
        (but(GOOD, level=6), 2, "bad-level", "major"),
        (but(GOOD, level=-1), 2, "bad-level", "major"),
        (but(GOOD, level=3), 2, "record-higher", "critical"),
        (but(GOOD, level=2), 1, "record-higher", "major"),
        (but(GOOD, level=1), 2, "record-lower", "major"),
        (but(GOOD, level=2), 3, "record-lower", "critical"),
    ],
)
def test_a_record_that_does_not_fit_fails(
    record: LevelRecord, claimed: int, wanted: str, severity: str
) -> None:
    found = judge(level_recorded, record, None, level=claimed)
    assert (found.status, name(found), found.severity) == (Status.FAIL, wanted, severity)


def test_without_a_claim_there_is_nothing_to_agree_with() -> None:
    found = judge(level_recorded, GOOD, None, level=None)
    assert (found.status, name(found)) == (Status.UNKNOWN, "not-claimed")
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED
    # A fault that was seen is still a failure.
    assert judge(level_recorded, but(GOOD, level=9), None, level=None).status is Status.FAIL


def test_both_faults_are_listed() -> None:
    assert faults(judge(level_recorded, but(GOOD, system="x", level=7), None)) == [
        "other-system",
        "bad-level",
    ]


# ------------------------------------------------------------------------------- level-approved


@pytest.mark.parametrize(
    ("level", "appraiser", "approver"),
    [
        (1, "ca", "ca"),
        (2, "ca", "ca"),
        (3, "ca", "ha-noi"),
        (4, "mps", "ha-noi"),
        (4, "BCA", "ha-noi"),
        (4, "bqp", "ha-noi"),
        (5, "bo-cong-an", "pm"),
        (5, "mps", "TTg"),
    ],
)
def test_the_right_authority_passes(level: int, appraiser: str, approver: str) -> None:
    record = but(GOOD, level=level, appraisal={"by": appraiser}, approval={"by": approver})
    found = judge(level_approved, record, level=level)
    assert (found.status, name(found)) == (Status.PASS, "approved")
    assert found.detail["basis"] == 2026


@pytest.mark.parametrize(
    ("level", "appraiser", "approver", "wanted"),
    [
        (1, "ca", "ha-noi", ["approval-wrong-authority"]),
        (2, "ca", "hk", ["approval-wrong-authority"]),
        (2, "hk", "ca", ["appraisal-wrong-authority"]),
        (2, "ha-noi", "ha-noi", ["approval-wrong-authority", "appraisal-wrong-authority"]),
        (3, "ca", "ca", ["approval-wrong-authority"]),
        (3, "ca", "hk", ["approval-wrong-authority"]),
        (3, "mps", "ha-noi", ["appraisal-wrong-authority"]),
        (4, "ca", "ha-noi", ["appraisal-wrong-authority"]),
        (4, "mic", "ha-noi", ["appraisal-wrong-authority"]),
        (4, "mps", "mps", ["approval-wrong-authority"]),
        (5, "mps", "ha-noi", ["approval-wrong-authority"]),
        (2, "", "ca", ["appraisal-no-authority"]),
        (2, "ca", "  ", ["approval-no-authority"]),
    ],
)
def test_the_wrong_authority_fails(
    level: int, appraiser: str, approver: str, wanted: list[str]
) -> None:
    record = but(GOOD, level=level, appraisal={"by": appraiser}, approval={"by": approver})
    found = judge(level_approved, record, level=level)
    assert found.status is Status.FAIL
    assert faults(found) == wanted
    assert found.severity == (Severity.CRITICAL if level >= 3 else Severity.MAJOR)


def test_the_sentence_names_units_by_name() -> None:
    found = judge(level_approved, but(GOOD, approval={"by": "hk"}))
    assert found.message.args["by"] == "Phường Hoàn Kiếm"
    assert found.message.args["expected"] == "Công an Thành phố"


def test_the_text_of_a_record_is_cleaned() -> None:
    evil = "\x1b[31m<script>\u202e" + "x" * 500
    found = judge(level_approved, but(GOOD, approval={"by": evil, "document": evil}, system=evil))
    said = str(found)
    assert "\\x1b" not in said
    assert "\\u202e" not in said
    assert "x" * 200 not in said


def test_a_delegate_decides_in_the_owners_stead() -> None:
    record = but(GOOD, level=3, approval={"by": "so-khcn"})
    options = {"delegates": {"ha-noi": ["so-khcn"]}}
    assert judge(level_approved, record, level=3).status is Status.FAIL
    assert judge(level_approved, record, level=3, options=options).status is Status.PASS
    # Only for the owner that delegated, and only for what the owner decides.
    other = {"delegates": {"hai-phong": ["so-khcn"]}}
    assert judge(level_approved, record, level=3, options=other).status is Status.FAIL
    low = but(GOOD, approval={"by": "so-khcn"})
    assert judge(level_approved, low, options=options).status is Status.FAIL


def test_an_authority_may_have_further_ids() -> None:
    record = but(GOOD, level=4, appraisal={"by": "G01"}, approval={"by": "ha-noi"})
    assert judge(level_approved, record, level=4).status is Status.FAIL
    options = {"authorities": {"mps": ["G01"]}}
    assert judge(level_approved, record, level=4, options=options).status is Status.PASS
    with pytest.raises(ValueError, match="no authority is called 'mp'"):
        judge(level_approved, record, options={"authorities": {"mp": ["G01"]}})


def test_who_runs_a_system_does_not_appraise_it() -> None:
    own = but(GOOD, appraisal={"by": "ca"}, approval={"by": "ca"})
    found = judge(level_approved, own, operator="ca")
    assert faults(found) == ["appraisal-not-independent"]
    council = but(GOOD, appraisal={"by": "hoi-dong-tham-dinh"})
    assert judge(level_approved, council, operator="ca").status is Status.PASS
    # With an operator of its own, only the designated unit appraises.
    assert faults(judge(level_approved, council)) == ["appraisal-wrong-authority"]
    # A ministry that runs nothing here is unaffected.
    high = but(GOOD, level=4, appraisal={"by": "mps"}, approval={"by": "ha-noi"})
    assert judge(level_approved, high, operator="ca", level=4).status is Status.PASS


def test_an_undeclared_security_unit_is_unknown_not_wrong() -> None:
    found = judge(level_approved, GOOD, security_unit="")
    assert (found.status, name(found)) == (Status.UNKNOWN, "undeclared")
    assert found.message.args["what"] == "systems.sys.security_unit"
    assert found.failure is not None
    assert found.failure.kind is FailureKind.NOT_DECLARED
    # What was seen to be wrong stays a failure.
    assert judge(level_approved, but(GOOD, approval=None), security_unit="").status is Status.FAIL
    # Levels 4 and 5 do not need it.
    high = but(GOOD, level=4, appraisal={"by": "mps"}, approval={"by": "ha-noi"})
    assert judge(level_approved, high, security_unit="", level=4).status is Status.PASS


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"approval": None}, ["approval-missing"]),
        ({"appraisal": None}, ["appraisal-missing"]),
        ({"approval": {"document": ""}}, ["approval-no-number"]),
        ({"approval": {"document": "   "}}, ["approval-no-number"]),
        ({"approval": {"document": "QĐ 88"}}, ["approval-bad-number"]),
        ({"approval": {"document": "88-QĐ/TU"}}, ["approval-bad-number"]),
        ({"approval": {"date": None}}, ["approval-no-date"]),
        ({"approval": {"date": day("2026-11-22")}}, ["approval-future"]),
        ({"regulation": {"date": day("2027-01-01")}}, ["approval-before-regulation"]),
        ({"regulation": {"date": day("2026-09-02")}}, ["approval-before-regulation"]),
        ({"appraisal": {"date": day("2026-07-31")}}, ["appraisal-before-proposal"]),
        ({"appraisal": {"date": day("2026-09-02")}}, ["approval-before-appraisal"]),
        (
            {"appraisal": {"date": None}, "proposal": {"date": day("2026-09-02")}},
            ["approval-before-proposal", "appraisal-no-date"],
        ),
        ({"system": "other"}, ["other-system"]),
        ({"system": ""}, ["no-system"]),
    ],
)
def test_each_grave_shortfall(changes: dict[str, Any], wanted: list[str]) -> None:
    found = judge(level_approved, but(GOOD, **changes))
    assert found.status is Status.FAIL
    assert set(wanted) <= set(faults(found))
    assert name(found) == faults(found)[0]
    assert found.severity is Severity.MAJOR
    assert set(faults(found)) == set(wanted)


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"proposal": None}, "proposal-missing"),
        ({"proposal": {"document": ""}}, "proposal-no-number"),
        ({"proposal": {"document": "??"}}, "proposal-bad-number"),
        ({"proposal": {"date": None}}, "proposal-no-date"),
        ({"appraisal": {"document": ""}}, "appraisal-no-number"),
        ({"appraisal": {"document": "??"}}, "appraisal-bad-number"),
        ({"appraisal": {"date": None}}, "appraisal-no-date"),
    ],
)
def test_a_formal_shortfall_is_minor_at_any_level(changes: dict[str, Any], wanted: str) -> None:
    for level, approver in ((2, "ca"), (3, "ha-noi")):
        record = but(but(GOOD, **changes), level=level, approval={"by": approver})
        found = judge(level_approved, record, level=level)
        assert (found.status, faults(found)) == (Status.FAIL, [wanted])
        assert found.severity is Severity.MINOR


def test_several_shortfalls_stand_worst_first() -> None:
    record = but(
        GOOD,
        proposal=None,
        regulation=None,
        appraisal={"by": "hk", "document": "?"},
        approval={"by": "hk", "document": ""},
    )
    found = judge(level_approved, record)
    assert faults(found) == [
        "approval-no-number",
        "approval-wrong-authority",
        "appraisal-wrong-authority",
        "appraisal-bad-number",
        "proposal-missing",
    ]
    assert name(found) == "approval-no-number"


def test_an_empty_record_lacks_everything() -> None:
    found = judge(level_approved, LevelRecord(system="sys", level=2))
    assert faults(found) == [
        "approval-missing",
        "appraisal-missing",
        "proposal-missing",
    ]


def test_without_a_dated_regulation_the_order_cannot_be_told() -> None:
    for regulation in (None, Decision(document="05/QĐ-UBND")):
        found = judge(level_approved, but(GOOD, regulation=regulation))
        assert (found.status, name(found)) == (Status.UNKNOWN, "regulation-undated")
        # What was seen to be wrong stays a failure.
        wrong = but(GOOD, regulation=regulation, approval={"by": "hk"})
        assert judge(level_approved, wrong).status is Status.FAIL


def test_a_law_may_ask_for_no_regulation_before() -> None:
    law = rules()
    lax = msgspec.structs.replace(law.bases[2026], regulation_before_approval=False)
    case = Case(
        record=but(GOOD, regulation=paper("05/QĐ-UBND", "2026-10-01")),
        level=2,
        system=SYSTEM,
        inventory=Inventory(units=UNITS),
        rules=law,
        basis=law.bases[2026],
        today=TODAY,
    )
    assert shortfalls(case) != []
    assert shortfalls(msgspec.structs.replace(case, basis=lax)) == []


def test_papers_of_one_day_are_in_order() -> None:
    same = {"date": day("2026-09-01")}
    record = but(GOOD, proposal=same, regulation=same, appraisal=same, approval=same)
    assert judge(level_approved, record).status is Status.PASS


def test_today_is_not_the_future() -> None:
    record = but(GOOD, approval={"date": TODAY})
    assert judge(level_approved, record).status is Status.PASS
    # The project's day counts: 18:00 UTC is tomorrow in Hà Nội.
    subject = Subject(
        scope=Scope.SYSTEM,
        inventory=Inventory(units=UNITS, systems={"sys": SYSTEM}),
        unit=UNITS["hk"],
        target="sys",
        system=SYSTEM,
    )
    for zone, status in (("Asia/Ho_Chi_Minh", Status.PASS), ("UTC", Status.FAIL)):
        context = Context(
            now=dt.datetime(2026, 11, 20, 18, 0, tzinfo=dt.UTC),
            zone=ZoneInfo(zone),
            legal_basis=2026,
            subject=subject,
            options=options_for(level_approved, {}),
        )
        (found,) = level_approved.judge(context, record)
        assert found.status is status


@pytest.mark.parametrize("level", [None, 0, 6])
def test_without_a_level_the_authority_cannot_be_told(level: int | None) -> None:
    found = judge(level_approved, but(GOOD, level=level))
    assert (found.status, name(found)) == (Status.UNKNOWN, "no-level")


def test_an_old_decision_stands_while_the_transition_lasts() -> None:
    found = judge(level_approved, OLD)
    assert (found.status, name(found)) == (Status.PASS, "approved-transition")
    assert found.message.args["until"] == "2027-06-30"
    assert (found.detail["basis"], found.detail["transition_until"]) == (2016, "2027-06-30")
    assert judge(level_approved, GOOD).detail["transition_until"] is None
    assert judge(level_approved, OLD, today=day("2027-06-30")).status is Status.PASS
    # That it is over then is said by `security.transition`.
    assert judge(level_approved, OLD, today=day("2027-07-01")).status is Status.PASS


def test_a_decision_of_the_first_new_day_is_new() -> None:
    record = but(OLD, approval={"date": day("2026-07-01")})
    assert name(judge(level_approved, record)) == "approved"


def test_an_old_decision_is_judged_by_the_old_authorities() -> None:
    record = but(OLD, level=4, appraisal={"by": "mic"}, approval={"by": "ha-noi"})
    assert name(judge(level_approved, record, level=4)) == "approved-transition"
    wrong = but(OLD, approval={"by": "hk"})
    assert name(judge(level_approved, wrong)) == "approval-wrong-authority"


def test_who_approves_high_levels_under_the_old_law_is_marked_as_not_checked() -> None:
    record = but(OLD, level=5, appraisal={"by": "mic"}, approval={"by": "hk"})
    assert faults(judge(level_approved, record, level=5)) == ["approval-wrong-authority-unsure"]
    bare = but(OLD, level=4, appraisal={"by": ""}, approval={"by": "ha-noi"})
    assert faults(judge(level_approved, bare, level=4)) == ["appraisal-no-authority-unsure"]


def test_the_decision_names_the_level_of_the_record() -> None:
    found = judge(level_approved, but(GOOD, approval={"level": 1}))
    assert (found.status, faults(found)) == (Status.FAIL, ["approval-other-level"])
    assert found.message.args == {"named": 1, "level": 2}
    assert judge(level_approved, but(GOOD, approval={"level": 2})).status is Status.PASS
    # A higher level may have been proposed than was approved, and the other way round.
    assert judge(level_approved, but(GOOD, proposal={"level": 3})).status is Status.PASS


@pytest.mark.parametrize(
    ("decided", "claimed", "wanted", "basis"),
    [
        ("2026-06-30", 2016, [], 2016),
        ("2026-06-30", 2026, ["approval-law-too-new"], 2016),
        ("2026-07-01", 2026, [], 2026),
        ("2026-07-01", 2016, [], 2016),
        ("2026-12-31", 2016, [], 2016),
        ("2027-01-01", 2016, ["approval-law-too-old"], 2016),
        ("2027-01-01", None, [], 2026),
    ],
)
def test_the_law_that_a_record_names_was_in_force(
    decided: str, claimed: int | None, wanted: list[str], basis: int
) -> None:
    record = but(OLD, legal_basis=claimed, approval={"date": day(decided)})
    found = judge(level_approved, record, today=day("2027-02-01"))
    assert (faults(found), found.detail["basis"]) == (wanted, basis)
    if wanted:
        formal = wanted == ["approval-law-too-new"]
        assert found.severity is (Severity.MINOR if formal else Severity.MAJOR)


def test_the_unit_that_runs_the_system_by_the_record_does_not_appraise_it() -> None:
    record = but(GOOD, operator="ca")
    assert faults(judge(level_approved, record, operator="")) == ["appraisal-not-independent"]
    # The inventory wins over the record.
    assert judge(level_approved, record).status is Status.PASS


def test_under_the_old_basis_there_is_no_transition() -> None:
    for record in (OLD, GOOD):
        found = judge(level_approved, record, basis=2016)
        assert (name(found), found.detail["basis"]) == ("approved", 2016)


# ------------------------------------------------------------------------------- level-reviewed


@pytest.mark.parametrize(("level", "months"), [(1, 24), (2, 24), (3, 12), (4, 12), (5, 6)])
def test_the_interval_follows_the_level_to_the_day(level: int, months: int) -> None:
    record = but(GOOD, level=level)
    due = add_months(day("2026-09-01"), months)
    on = judge(level_reviewed, record, today=due, level=level)
    assert (on.status, name(on)) == (Status.PASS, "reviewed")
    assert (on.detail["due"], on.detail["house_default"]) == (due.isoformat(), True)
    after = judge(level_reviewed, record, today=due + dt.timedelta(days=1), level=level)
    assert (after.status, name(after)) == (Status.FAIL, "overdue")
    assert after.message.args["late"] == 86400
    assert after.severity == (Severity.CRITICAL if level >= 3 else Severity.MAJOR)


def test_the_higher_of_two_levels_sets_the_interval() -> None:
    late = day("2027-09-02")
    assert judge(level_reviewed, GOOD, today=late, level=3).status is Status.FAIL
    assert judge(level_reviewed, but(GOOD, level=3), today=late, level=2).status is Status.FAIL
    assert judge(level_reviewed, GOOD, today=late, level=2).status is Status.PASS
    assert (
        judge(level_reviewed, but(GOOD, level=9), today=late, level=None).status is Status.UNKNOWN
    )


def test_the_settings_set_their_own_interval_and_the_sentence_says_so() -> None:
    options = {"level_2_months": 1}
    found = judge(level_reviewed, GOOD, options=options)
    assert (found.status, name(found)) == (Status.FAIL, "overdue-own")
    assert found.detail["house_default"] is False
    assert name(judge(level_reviewed, GOOD, options={"level_2_months": 3})) == "reviewed-own"
    assert name(judge(level_reviewed, GOOD, options={"level_3_months": 1})) == "reviewed"
    for months in (0, -1, 121):
        with pytest.raises(ValueError, match="from 1 to 120"):
            judge(level_reviewed, GOOD, options={"level_1_months": months})


def look(date: str, document: str = "40/BC-CAHN") -> Inspection:
    return Inspection(date=day(date), document=document)


def test_an_inspection_renews_the_interval() -> None:
    record = but(GOOD, inspections=(look("2027-03-01"), look("2026-12-01")))
    found = judge(level_reviewed, record, today=day("2028-10-01"))
    assert found.status is Status.PASS
    assert found.detail["last"] == "2027-03-01"
    assert [i["date"] for i in found.detail["reviewed"]] == ["2026-12-01", "2027-03-01"]


def test_an_inspection_in_the_future_has_not_happened() -> None:
    record = but(GOOD, approval={"date": day("2020-01-01")}, inspections=(look("2026-11-22"),))
    found = judge(level_reviewed, record)
    assert (found.status, found.detail["last"]) == (Status.FAIL, "2020-01-01")


def test_an_inspection_without_a_document_does_not_count() -> None:
    old = but(GOOD, approval={"date": day("2020-01-01")})
    found = judge(level_reviewed, but(old, inspections=(look("2026-11-01", " "),)))
    assert (found.status, name(found)) == (Status.FAIL, "undocumented")
    assert found.message.args["date"] == "2026-11-01"
    # One that would not have helped is not worth a word.
    assert name(judge(level_reviewed, but(old, inspections=(look("2021-01-01", ""),)))) == "overdue"


@pytest.mark.parametrize(
    "record",
    [
        but(GOOD, approval=None),
        but(GOOD, approval={"date": None}),
        but(GOOD, approval={"date": day("2026-11-22")}),
        but(GOOD, approval=None, inspections=(look("2026-11-22"),)),
        but(GOOD, approval=None, inspections=(look("2026-11-20", ""),)),
    ],
)
def test_never_looked_at(record: LevelRecord) -> None:
    found = judge(level_reviewed, record)
    assert (found.status, name(found)) == (Status.FAIL, "never")


def test_a_record_of_another_system_proves_no_review() -> None:
    assert name(judge(level_reviewed, but(GOOD, system="other"))) == "other-system"


@pytest.mark.parametrize(
    ("start", "months", "wanted"),
    [
        ("2026-08-31", 6, "2027-02-28"),
        ("2027-08-31", 6, "2028-02-29"),
        ("2024-02-29", 12, "2025-02-28"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-01-31", 120, "2036-01-31"),
        ("2026-11-30", 1, "2026-12-30"),
    ],
)
def test_months_are_calendar_months(start: str, months: int, wanted: str) -> None:
    assert add_months(day(start), months) == day(wanted)


# ------------------------------------------------------------------------------------ all of them


def test_the_detail_holds_what_a_page_of_the_system_needs() -> None:
    record = but(
        GOOD,
        plan=Plan(status="partly", expected=day("2026-12-31")),
        inspections=(Inspection(date=day("2026-10-01"), by="ca", document="40/BC-CAHN"),),
    )
    for check in CHECKS:
        more = (None,) if check is level_recorded else ()
        detail = judge(check, record, *more).detail
        assert detail["level"] == detail["claimed"] == 2
        assert detail["state"] == "approved"
        assert detail["proposed"]["document"] == "12/TTr-UBND"
        assert detail["appraised"] == {
            "document": "31/BC-CAHN",
            "date": "2026-08-20",
            "by": "Công an Thành phố",
        }
        assert detail["approved"]["date"] == "2026-09-01"
        assert detail["regulation"]["date"] == "2026-07-10"
        assert detail["reviewed"] == [
            {
                "date": "2026-10-01",
                "kind": "periodic",
                "by": "Công an Thành phố",
                "document": "40/BC-CAHN",
            }
        ]
        assert detail["plan"] == {"status": "partly", "expected": "2026-12-31"}


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, "approved"),
        ({"approval": None}, "appraised"),
        ({"approval": None, "appraisal": None}, "submitted"),
        ({"approval": None, "appraisal": None, "proposal": None}, "draft"),
    ],
)
def test_where_the_dossier_stands(changes: dict[str, Any], state: str) -> None:
    assert judge(level_recorded, but(GOOD, **changes), None).detail["state"] == state


days = st.none() | st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1))
who = st.sampled_from(["", "ca", "hk", "ha-noi", "mps", "pm", "khác"])
number = st.sampled_from(["", "88/QĐ-CAHN", "??", "{x}", "a" * 400])
papers = st.none() | st.builds(Decision, document=number, date=days, by=who)
records = st.builds(
    LevelRecord,
    system=st.sampled_from(["sys", "", "other"]),
    level=st.none() | st.integers(-1, 7),
    proposal=papers,
    regulation=papers,
    appraisal=papers,
    approval=papers,
    inspections=st.lists(
        st.builds(
            Inspection, date=st.dates(dt.date(2015, 1, 1), dt.date(2030, 1, 1)), document=number
        ),
        max_size=2,
    ).map(tuple),
)
systems = st.fixed_dictionaries(
    {
        "level": st.none() | st.integers(1, 5),
        "security_unit": st.sampled_from(["", "ca"]),
        "operator": st.sampled_from(["", "hk", "ca"]),
    }
)


@given(records, systems, st.sampled_from([2016, 2026]))
def test_any_record_gets_one_sentence_from_each_check(
    record: LevelRecord, system: dict[str, Any], basis: int
) -> None:
    for check in CHECKS:
        more = (None,) if check is level_recorded else ()
        found = judge(check, record, *more, basis=basis, **system)
        assert (found.status is Status.FAIL) == (found.severity is not None)
        assert (found.status is Status.UNKNOWN) == (found.failure is not None)


@given(records, st.sampled_from(["proposal", "regulation", "appraisal", "approval"]))
def test_taking_a_paper_away_never_brings_a_pass(record: LevelRecord, part: str) -> None:
    less = but(record, **{part: None})
    assert judge(level_approved, less).status is not Status.PASS
