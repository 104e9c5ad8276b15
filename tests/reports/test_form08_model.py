"""Form 08 as a value: the period, what counts, what does not, what is missing; nothing guessed."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Message, Severity, Status
from checks.results import Result, WaiverRef
from checks.security.level_record import Criteria, Decision, Inspection, LevelRecord, Plan
from inventory.model import Documents, Letter, Person, Unit, UnitKind
from reports.form08.model import FIGURES, Finish, FormError, Window
from reports.form08.rules import day as written
from reports.form08.rules import law, long_day
from reports.form08.window import window
from tests.helpers.forms import (
    APPRAISAL,
    APPROVAL,
    BEFORE_USE,
    CITY,
    PERIODIC,
    PROPOSAL,
    counts,
    day,
    form,
    keys,
    record,
    scan,
    system,
    unseen,
    ward,
)

D = dt.date


# -------------------------------------------------------------------------------------- the period


@pytest.mark.parametrize(
    ("scanned", "first", "last"),
    [
        (D(2026, 11, 22), D(2025, 12, 15), D(2026, 12, 14)),
        (D(2026, 12, 14), D(2025, 12, 15), D(2026, 12, 14)),
        (D(2026, 12, 15), D(2025, 12, 15), D(2026, 12, 14)),
        (D(2026, 12, 31), D(2025, 12, 15), D(2026, 12, 14)),
        (D(2027, 1, 1), D(2026, 12, 15), D(2027, 12, 14)),
        (D(2028, 2, 29), D(2027, 12, 15), D(2028, 12, 14)),
    ],
)
def test_the_year_of_the_scan_is_the_year_of_the_report(
    scanned: dt.date, first: dt.date, last: dt.date
) -> None:
    assert window(law(), scanned, None, None) == Window(first=first, last=last, legal=True)


def test_one_day_given_puts_the_other_a_year_away() -> None:
    scanned = D(2027, 3, 1)
    legal = Window(first=D(2025, 12, 15), last=D(2026, 12, 14), legal=True)
    assert window(law(), scanned, None, D(2026, 12, 14)) == legal
    assert window(law(), scanned, D(2025, 12, 15), None) == legal
    own = window(law(), scanned, D(2026, 7, 1), None)
    assert (own.first, own.last, own.legal) == (D(2026, 7, 1), D(2027, 6, 30), False)
    assert window(law(), scanned, None, D(2028, 2, 28)).first == D(2027, 3, 1)


def test_a_period_before_the_decree_or_the_wrong_way_round_is_refused() -> None:
    with pytest.raises(FormError, match="first report closes on 2026-12-14"):
        window(law(), D(2025, 11, 1), None, None)
    with pytest.raises(FormError, match="the other way round"):
        window(law(), D(2026, 11, 1), D(2026, 12, 1), D(2026, 11, 1))
    with pytest.raises(FormError, match="another day"):
        window(law(), D(2026, 11, 1), dt.date.max, None)


@given(st.dates(D(2026, 8, 19), D(2400, 1, 1)))
def test_a_legal_period_is_a_year_without_gap(scanned: dt.date) -> None:
    this = window(law(), scanned, None, None)
    after = window(law(), scanned.replace(year=scanned.year + 1, day=1), None, None)
    assert after.first - this.last == dt.timedelta(days=1)
    assert (this.first.month, this.first.day, this.last.month, this.last.day) == (12, 15, 12, 14)


def test_the_day_of_the_scan_is_that_of_its_own_zone() -> None:
    new_year = dt.datetime(2026, 12, 31, 17, 0, tzinfo=dt.UTC)
    assert form(scan(started=new_year)).year == 2027
    assert form(scan(started=new_year - dt.timedelta(seconds=1))).year == 2026


def test_days_are_written_as_decree_30_has_them() -> None:
    assert written(D(2026, 2, 1)) == "01/02/2026"
    assert written(D(2026, 3, 9)) == "09/3/2026"
    assert long_day(D(2025, 12, 15)) == "15 tháng 12 năm 2025"
    assert long_day(D(2026, 1, 5)) == "05 tháng 01 năm 2026"


def test_the_first_report_says_that_its_period_is_older_than_the_decree() -> None:
    assert any("đầu tiên" in n for n in form().notes)
    later = scan(started=dt.datetime(2027, 12, 14, 5, tzinfo=dt.UTC))
    assert not any("đầu tiên" in n for n in form(later).notes)


def test_approvals_on_record_that_the_figure_leaves_out_are_a_number_in_the_notes() -> None:
    by_itself = Decision(document="9/QĐ-UBND", date=APPROVAL.date, by="00070")
    later = Decision(document="90/QĐ-CAHN", date=day("2026-12-15"), by="ca-ha-noi")
    records: dict[str, LevelRecord | None] = {
        "hk-a": record(),
        "hk-b": record("hk-b", approval=by_itself),
        "hk-c": record("hk-c", approval=later),
        "hk-d": record("hk-d", approval=None),
    }
    told = [n for n in form(scan(records)).notes if "level_totals" in n]
    assert len(told) == 1
    assert "2 hệ thống có" in told[0]
    assert "chỉ tính 1: 1 quyết định" in told[0]
    figure = next(f for f in form(scan(records)).figures if f.key == "approved")
    assert len(figure.counted) == 1
    # hk-c was decided after the period, and hk-d never: neither is a decision that was left out.
    rest = {code: records[code] for code in ("hk-a", "hk-c", "hk-d")}
    assert not [n for n in form(scan(rest)).notes if "level_totals" in n]


def test_an_approval_that_nobody_could_judge_is_told_as_that() -> None:
    bare = [system(security_unit="")]
    (told,) = [n for n in form(scan(systems=bare)).notes if "level_totals" in n]
    assert "chỉ tính 0: 0 quyết định" in told
    assert "1 chưa kết luận được" in told


# -------------------------------------------------------------------------------- one system, whole


def test_a_complete_record_fills_the_row_and_every_count() -> None:
    found = form()
    assert counts(found) == dict.fromkeys(FIGURES, (1, 0))
    (row,) = found.rows
    assert (row.number, row.level, row.state, row.plan) == (1, 2, "approved", "partly")
    assert row.decision == "88/QĐ-CAHN ngày 01/3/2026 của Công an Thành phố Hà Nội"
    assert row.regulation == "5/QĐ-UBND ngày 10/01/2026 của Phường Hoàn Kiếm"
    assert (row.approval_expected, row.plan_expected) == (None, D(2027, 6, 30))
    assert row.inspected == ("periodic",)
    assert found.finish == Finish(done=True)
    assert found.lacking == ()


def test_every_figure_names_the_results_that_it_counts() -> None:
    found, of = form(), {}
    stored = {r.fingerprint: r for r in scan().results}
    for figure in found.figures:
        (source,) = figure.counted
        result = stored[source.fingerprint]
        assert (source.check, source.status) == (result.check, result.status.value)
        assert (source.system, source.scan) == ("hk-a", found.scan)
        assert source.evidence == result.evidence[0].sha256
        of[figure.key] = source.check.partition(".")[2]
    assert of == {
        "total": "level-recorded",
        "classified": "level-recorded",
        "dossier": "level-recorded",
        "appraised": "level-approved",
        "approved": "level-approved",
        "inspected": "level-reviewed",
    }


# ---------------------------------------------------------------------------------- the four stages


def _stage(**more: Any) -> tuple[str, tuple[bool, ...]]:
    found = form(scan({"hk-a": record(**more)}))
    assert all(f.unclear == () for f in found.figures)
    return found.rows[0].state, tuple(bool(f.value) for f in found.figures[2:5])


def test_the_state_is_the_highest_step_that_is_proved() -> None:
    none: dict[str, Any] = {"proposal": None, "appraisal": None, "approval": None}
    assert _stage(**none) == ("draft", (False, False, False))
    assert _stage(**none | {"proposal": PROPOSAL}) == ("submitted", (True, False, False))
    assert _stage(approval=None) == ("appraised", (True, True, False))
    assert _stage() == ("approved", (True, True, True))


def test_a_paper_without_number_or_date_is_a_draft() -> None:
    none: dict[str, Any] = {"appraisal": None, "approval": None}
    assert _stage(**none, proposal=Decision(document="12/TTr-UBND"))[0] == "draft"
    assert _stage(**none, proposal=Decision(date=day("2026-02-01")))[0] == "draft"


def test_an_approval_by_the_wrong_body_is_not_counted_and_says_why() -> None:
    wrong = Decision(document="7/QĐ-UBND", date=day("2026-03-01"), by="00070")
    found = form(scan({"hk-a": record(approval=wrong)}))
    assert found.rows[0].state == "appraised"
    assert found.rows[0].decision == ""
    assert counts(found)["approved"] == counts(found)["inspected"] == (0, 0)
    refused = next(x for x in found.lacking if x.key == "lack_refused")
    assert "thẩm quyền" in refused.what
    assert (refused.who, refused.where) == (
        "Công chức CNTT, Phường Hoàn Kiếm",
        "records/hk-a.yaml: approval",
    )


def test_a_swapped_date_or_a_wrong_appraiser_is_not_counted() -> None:
    late = msgspec.structs.replace(APPRAISAL, date=day("2026-03-09"))
    assert _stage(appraisal=late)[1] == (True, True, False)
    stranger = msgspec.structs.replace(APPRAISAL, by="ha-noi")
    assert _stage(appraisal=stranger) == ("submitted", (True, False, False))


def test_a_formal_flaw_leaves_the_approval_counted() -> None:
    found = form(scan({"hk-a": record(proposal=None)}))
    assert found.rows[0].state == "approved"
    assert counts(found)["dossier"] == (1, 0)
    assert keys(found) == ["lack_proposal"]
    (source,) = found.figures[2].counted
    assert source.check == "security.level-approved"


def test_what_was_signed_after_the_period_does_not_count() -> None:
    later = msgspec.structs.replace(APPROVAL, date=day("2026-12-15"))
    days: dict[str, Any] = {"started": dt.datetime(2026, 12, 20, 5, tzinfo=dt.UTC)}
    found = form(scan({"hk-a": record(approval=later)}, **days))
    assert (found.rows[0].state, counts(found)["approved"]) == ("appraised", (0, 0))
    assert found.rows[0].approval_expected == D(2026, 12, 15)
    assert found.finish == Finish(day=D(2026, 12, 15))
    assert keys(found) == ["lack_late", "lack_after"]
    on_time = msgspec.structs.replace(APPROVAL, date=day("2026-12-14"))
    found = form(scan({"hk-a": record(approval=on_time)}, **days))
    assert counts(found)["approved"] == (1, 0)


# ------------------------------------------------------------------------------------ inspections


@pytest.mark.parametrize(
    ("on", "counted"),
    [("2025-12-14", False), ("2025-12-15", True), ("2026-12-14", True), ("2026-12-15", False)],
)
def test_periodic_means_within_the_period(on: str, *, counted: bool) -> None:
    look = msgspec.structs.replace(PERIODIC, date=day(on))
    days: dict[str, Any] = {"started": dt.datetime(2026, 12, 20, 5, tzinfo=dt.UTC)}
    found = form(scan({"hk-a": record(inspections=(look,))}, **days))
    assert counts(found)["inspected"] == (int(counted), 0)
    assert found.rows[0].inspected == (("periodic",) if counted else ())


def test_an_inspection_without_a_document_is_a_word_only() -> None:
    look = msgspec.structs.replace(PERIODIC, document="")
    found = form(scan({"hk-a": record(inspections=(look,))}))
    assert counts(found)["inspected"] == (0, 0)
    assert keys(found) == ["lack_inspection_paper"]
    before_use = msgspec.structs.replace(BEFORE_USE, document="")
    assert keys(form(scan({"hk-a": record(inspections=(before_use,))}))) == keys(found)
    for more in ({"date": day("2025-12-14")}, {"date": day("2027-01-01")}, {"kind": "ad_hoc"}):
        of_no_weight = msgspec.structs.replace(look, **more)
        assert keys(form(scan({"hk-a": record(inspections=(of_no_weight,))}))) == []


def test_before_use_counts_for_ever_and_ad_hoc_never() -> None:
    ad_hoc = Inspection(date=day("2026-05-05"), kind="ad_hoc", document="9/BC-CAHN")
    found = form(scan({"hk-a": record(inspections=(BEFORE_USE, ad_hoc))}))
    assert found.rows[0].inspected == ("before_use",)
    assert counts(found)["inspected"] == (0, 0)
    found = form(scan({"hk-a": record(inspections=(PERIODIC, BEFORE_USE))}))
    assert found.rows[0].inspected == ("before_use", "periodic")


def test_an_inspected_system_that_is_not_approved_is_in_the_table_but_not_in_the_count() -> None:
    found = form(scan({"hk-a": record(approval=None)}))
    assert found.rows[0].inspected == ("periodic",)
    assert counts(found)["inspected"] == (0, 0)


# ---------------------------------------------------------------------------------------- unknown


def test_a_record_that_nobody_could_read_leaves_blanks_and_is_listed() -> None:
    found = form(unseen(scan(), "security.level-recorded"))
    assert counts(found) == {"total": (1, 0)} | dict.fromkeys(FIGURES[1:], (0, 1))
    (row,) = found.rows
    assert (row.level, row.state, row.decision, row.regulation) == (None, "", "", "")
    assert (row.plan, row.inspected) == ("", ())
    assert keys(found) == ["lack_unseen"]
    assert found.finish == Finish()


def test_a_system_without_a_record_is_counted_once_and_proved_to_be_nothing_else() -> None:
    found = form(scan({"hk-a": None}, [system(assessment="")]))
    assert counts(found) == {"total": (1, 0)} | dict.fromkeys(FIGURES[1:], (0, 0))
    assert found.rows[0].state == ""
    (item,) = found.lacking
    assert (item.key, item.where) == ("lack_record", "systems.hk-a.assessment")


def test_the_record_of_another_system_says_nothing_of_this_one() -> None:
    found = form(scan({"hk-a": record("other")}))
    assert counts(found)["approved"] == (0, 0)
    assert found.rows[0].level is None
    assert keys(found) == ["lack_record"]


def test_a_system_that_the_scan_left_out_is_in_the_total_and_unknown_beyond() -> None:
    found = form(scan({"hk-a": record()}, [system("hk-a"), system("hk-b")]))
    assert counts(found) == {"total": (2, 0)} | dict.fromkeys(FIGURES[1:], (1, 1))
    assert keys(found) == ["lack_not_scanned"]
    assert [s.check for s in found.figures[0].counted] == ["security.level-recorded", ""]


def test_an_approval_that_could_not_be_judged_is_unknown_not_approved() -> None:
    blind = system(security_unit="")
    found = form(scan({"hk-a": record()}, [blind]))
    assert counts(found)["approved"] == counts(found)["inspected"] == (0, 1)
    assert counts(found)["appraised"] == (0, 1)
    assert found.rows[0].state == ""
    assert keys(found) == ["lack_security_unit", "lack_unjudged", "lack_expected"]


def _signed(said: str, check: str = "security.record-signed", **more: Any) -> Result:
    given: dict[str, Any] = {
        "system": "hk-a",
        "target": "hk-a",
        "status": Status.FAIL,
        "severity": Severity.MAJOR,
    }
    return Result(
        check=check,
        unit="00070",
        subject="",
        message=Message(id=f"{check}.{said}", args={"who": "A", "count": 7}),
        **(given | more),
    )


@pytest.mark.parametrize("said", ["no-match", "changed", "forged"])
def test_nothing_of_a_forged_record_counts(said: str) -> None:
    found = form(scan(more=[_signed(said)]))
    assert counts(found) == {"total": (1, 0)} | dict.fromkeys(FIGURES[1:], (0, 1))
    assert keys(found) == ["lack_signature"]
    assert found.rows[0].decision == ""
    held = form(scan(more=[_signed(said, status=Status.UNKNOWN)]))
    assert counts(held)["approved"] == (1, 0)


@pytest.mark.parametrize("said", ["changed", "appended", "suspicious", "revoked"])
def test_a_forged_decision_approves_nothing(said: str) -> None:
    found = form(scan(more=[_signed(said, "security.decision-signed")]))
    assert counts(found)["approved"] == counts(found)["inspected"] == (0, 1)
    assert counts(found)["classified"] == counts(found)["dossier"] == (1, 0)
    assert (found.rows[0].state, found.rows[0].decision) == ("", "")
    assert keys(found) == ["lack_unjudged", "lack_expected"]


def test_a_signature_by_a_stranger_is_listed_and_one_that_holds_is_not() -> None:
    assert keys(form(scan(more=[_signed("stranger")]))) == ["lack_finding"]
    holds = _signed("signed-key", status=Status.PASS)
    assert keys(form(scan(more=[holds]))) == []
    unsigned = _signed("missing", severity=Severity.MINOR)
    assert keys(form(scan(more=[unsigned]))) == []


def test_a_level_that_looks_too_low_is_listed() -> None:
    doubt = _signed("too-low", "security.level-plausible")
    assert keys(form(scan(more=[doubt]))) == ["lack_finding"]
    accepted = WaiverRef(
        reason="r", document="d", approved_by="a", owner="o", until=day("2027-01-01")
    )
    for change in (
        {"status": Status.PASS},
        {"status": Status.UNKNOWN},
        {"severity": Severity.MINOR},
        {"waiver": accepted},
        {"check": "security.attestations-valid"},
    ):
        no_doubt: Result = msgspec.structs.replace(doubt, **change)
        assert keys(form(scan(more=[no_doubt]))) == []


def test_figures_that_a_unit_reported_otherwise_are_listed_in_its_own_form() -> None:
    told = _signed("differs", "security.statistics-consistent", system=None, target="00070")
    assert keys(form(scan(more=[told]), unit="00070")) == ["lack_finding_of_unit"]
    assert keys(form(scan(more=[told]), owner="ha-noi")) == []


# ------------------------------------------------------------------------------ days and the plan


def test_the_finish_is_the_latest_day_and_only_known_when_all_are() -> None:
    def found(*expected: str | None) -> Finish:
        records = {
            f"hk-{n}": record(f"hk-{n}", approval=None, approval_expected=day(e) if e else None)
            for n, e in enumerate(expected)
        }
        return form(scan({**records, "done": record("done")})).finish

    assert found("2026-12-20", "2027-01-31", "2026-12-31") == Finish(day=D(2027, 1, 31))
    assert found("2026-12-20", None) == Finish()
    assert found() == Finish(done=True)


def test_a_day_gone_by_is_expected_no_more() -> None:
    late = record(
        approval=None,
        approval_expected=day("2026-12-13"),
        plan=Plan(status="not_started", expected=day("2026-12-01")),
    )
    found = form(scan({"hk-a": late}))
    assert (found.rows[0].approval_expected, found.rows[0].plan_expected) == (None, None)
    assert keys(found) == ["lack_expected_past", "lack_plan_past"]
    today = msgspec.structs.replace(late, approval_expected=day("2026-12-14"))
    assert form(scan({"hk-a": today})).rows[0].approval_expected == D(2026, 12, 14)


def test_a_bare_all_done_is_not_taken() -> None:
    found = form(scan({"hk-a": record(plan=Plan(status="fully"))}))
    assert found.rows[0].plan == ""
    assert "lack_plan_refuted" in keys(found)
    for status in ("not_started", "partly"):
        plan = Plan(status=status, expected=day("2027-01-01"))
        assert form(scan({"hk-a": record(plan=plan)})).rows[0].plan == status
    assert keys(form(scan({"hk-a": record(plan=None)}))) == ["lack_plan", "lack_plan_expected"]


def test_what_a_record_leaves_out_is_listed_with_its_place() -> None:
    bare = record(
        level=None, type="", regulation=None, approval=None, criteria=Criteria(), plan=None
    )
    found = form(scan({"hk-a": bare}, [system(level=None)]))
    places = {x.key: x.where for x in found.lacking}
    assert places == {
        "lack_level": "records/hk-a.yaml: level",
        "lack_type": "records/hk-a.yaml: type",
        "lack_regulation": "records/hk-a.yaml: regulation",
        "lack_unjudged": "records/hk-a.yaml: approval",
        "lack_expected": "records/hk-a.yaml: approval_expected",
        "lack_plan": "records/hk-a.yaml: plan.status",
        "lack_plan_expected": "records/hk-a.yaml: plan.expected",
    }
    assert {x.who for x in found.lacking} == {"Công chức CNTT, Phường Hoàn Kiếm"}
    assert counts(found)["classified"] == (0, 0)


def test_a_claim_that_the_record_does_not_bear_out_is_listed() -> None:
    found = form(scan({"hk-a": record()}, [system(level=1)]))
    assert found.rows[0].level == 2
    assert keys(found) == ["lack_mismatch"]


# -------------------------------------------------------------------------- which systems, whose


def _shared() -> tuple[Any, list[Unit]]:
    """Two owners, three units, a shared system: each system is one unit's and one owner's."""
    b = ward("00071", "Phường Cửa Nam")
    own = ward("so-xd", "Sở Xây dựng", kind=UnitKind.DEPARTMENT)
    systems = [
        system("shared", operator="00070", used_by=("00070", "00071", "so-xd")),
        system("b-own", unit="00071", operator="00071"),
        system("nobody", unit="00071", operator=""),
        system("sxd", unit="so-xd", owner="so-xd", operator="so-xd"),
        system("sxd-b", unit="so-xd", owner="so-xd", operator="00071"),
    ]
    units = [ward(), b, own]
    return scan({s.id: record(s.id) for s in systems}, systems, units), units


def test_each_system_stands_in_one_owners_and_in_one_units_report() -> None:
    found, units = _shared()
    by_unit = [r.system for u in units for r in form(found, unit=u.id).rows]
    by_owner = [r.system for o in ("ha-noi", "so-xd") for r in form(found, owner=o).rows]
    assert sorted(by_unit) == sorted(by_owner) == sorted(found.inventory.systems)
    assert [r.system for r in form(found, unit="00070").rows] == ["shared"]
    assert {r.system for r in form(found, unit="00071").rows} == {"b-own", "nobody", "sxd-b"}


def test_a_user_of_a_shared_system_is_told_that_it_is_not_counted() -> None:
    found, _ = _shared()
    assert any("Hệ thống shared" in n for n in form(found, unit="00071").notes)
    assert not any("shared" in n for n in form(found, unit="00070").notes)


def test_rows_are_numbered_in_vietnamese_order_of_their_operators() -> None:
    found, _ = _shared()
    rows = form(found, owner="ha-noi").rows
    assert [r.number for r in rows] == [1, 2, 3]
    assert [r.operator for r in rows] == ["Phường Cửa Nam", "", "Phường Hoàn Kiếm"]


def test_who_is_asked_about_must_be_said_and_known() -> None:
    found, _ = _shared()
    with pytest.raises(FormError, match=r"2 units own systems \(ha-noi, so-xd\): choose one"):
        form(found)
    with pytest.raises(FormError, match="not both"):
        form(found, owner="ha-noi", unit="00070")
    with pytest.raises(FormError, match="no unit of the scan is called 'xx'"):
        form(found, unit="xx")
    with pytest.raises(FormError, match="no system"):
        form(scan({}, []))
    with pytest.raises(FormError, match="legal_basis: 2026"):
        form(scan(legal_basis=2016))


def test_a_unit_without_systems_reports_none_and_is_told_so() -> None:
    found = form(scan({}, []), unit="00070")
    assert counts(found) == dict.fromkeys(FIGURES, (0, 0))
    assert found.finish == Finish()
    assert "lack_no_systems" in keys(found)


# -------------------------------------------------------------------------- the letter, the bodies


def test_a_wards_letter_goes_to_the_owner_and_is_signed_by_its_chair() -> None:
    letter = form(unit="00070").letter
    assert letter.name == "ỦY BAN NHÂN DÂN\nPHƯỜNG HOÀN KIẾM"
    assert letter.issuer == "Ủy ban nhân dân phường Hoàn Kiếm"
    assert letter.to == ("Ủy ban nhân dân thành phố Hà Nội",)
    assert (letter.power, letter.title) == ("TM. ỦY BAN NHÂN DÂN", "CHỦ TỊCH")
    assert letter.signer == "Lê Thị Mẫu"
    assert form(unit="00070").due == D(2026, 12, 20)


def test_an_owners_letter_goes_to_the_ministry() -> None:
    found = form(owner="ha-noi")
    assert found.letter.to == ("Bộ Công an",)
    assert found.letter.above == ""
    assert found.due == D(2026, 12, 25)
    assert [a.name for a in found.owners] == ["Ủy ban nhân dân thành phố Hà Nội"]
    assert [a.name for a in found.security_units] == ["Công an Thành phố Hà Nội"]


def test_a_departments_letter_names_its_parent_and_what_it_does_not_say_is_listed() -> None:
    own = ward(
        "so-xd",
        "Sở Xây dựng",
        kind=UnitKind.DEPARTMENT,
        letter=Letter(),
        accountable=Person(post="Giám đốc"),
        documents=Documents(signs=("SXD",)),
    )
    found = form(scan({"hk-a": record()}, units=[ward(), own]), unit="so-xd")
    assert found.letter.above == "ỦY BAN NHÂN DÂN\nTHÀNH PHỐ HÀ NỘI"
    assert (found.letter.name, found.letter.sign) == ("SỞ XÂY DỰNG", "SXD")
    assert keys(found)[:3] == ["lack_place", "lack_title", "lack_signer"]


def test_the_declared_letterhead_wins() -> None:
    own = Letter(
        name="VĂN PHÒNG", above="UBND X", sign="VP", place="X", power="TL. CHỦ TỊCH",
        title="CHÁNH VĂN PHÒNG", signer="A", to=("Sở B", "Sở C"), copies=("D",),
    )  # fmt: skip
    letter = form(scan(units=[ward(letter=own)]), unit="00070").letter
    assert (letter.name, letter.above, letter.sign, letter.place) == (
        "VĂN PHÒNG",
        "UBND X",
        "VP",
        "X",
    )
    assert (letter.power, letter.title, letter.signer) == ("TL. CHỦ TỊCH", "CHÁNH VĂN PHÒNG", "A")
    assert (letter.to, letter.copies) == (("Sở B", "Sở C"), ("D",))


def test_what_section_2_asks_of_a_body_and_nobody_declared_is_listed() -> None:
    bare = msgspec.structs.replace(CITY, letter=Letter(), accountable=Person())
    whole = scan()
    units = {**whole.inventory.units, "ha-noi": bare}
    inventory = msgspec.structs.replace(whole.inventory, units=units)
    found = form(msgspec.structs.replace(whole, inventory=inventory), owner="ha-noi")
    assert set(keys(found)) == {
        "lack_sign", "lack_place", "lack_title", "lack_signer",
        "lack_head", "lack_address", "lack_phone", "lack_email",
    }  # fmt: skip
    assert {x.where.split(":")[0] for x in found.lacking} == {"unit ha-noi"}


# ------------------------------------------------------------------------------------ of the scan


def test_a_scan_that_cannot_be_signed_says_why() -> None:
    early = dt.datetime(2026, 11, 22, 5, tzinfo=dt.UTC)
    assert keys(form(scan(started=early))) == ["lack_early"]
    assert keys(form(scan(complete=False))) == ["lack_unfinished"]
    assert keys(form(scan(simulated=True))) == ["lack_simulated"]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_missing_thing_says_who_what_and_where(language: str) -> None:
    wrong = Decision(document="7/QĐ-UBND", date=day("2026-03-01"), by="00070")
    records = {"a": record("a", approval=wrong, plan=None, regulation=None), "b": None}
    found = form(
        scan(records, units=[ward(letter=Letter())], complete=False), language, unit="00070"
    )
    assert len(found.lacking) > 8
    for item in found.lacking:
        assert item.who
        assert item.what
        assert item.where
        assert "{" not in item.what


def test_hostile_names_lose_what_nobody_can_see() -> None:
    evil = "=cmd|' /C calc'!A0\u202egpj\x00\x1b[31m\n<w:t>"
    found = form(scan({"hk-a": record()}, [system(name=evil)], [ward(name=f"Phường {evil}")]))
    row = found.rows[0]
    assert row.name == "=cmd|' /C calc'!A0gpj[31m <w:t>"
    told = msgspec.json.encode(found).decode()
    assert not any(bad in told for bad in ("\\u202e", "\\u0000", "\\u001b", "\u202e", "\x1b"))


def test_odd_details_of_an_old_scan_are_unknown_and_never_a_crash() -> None:
    whole = scan()
    for odd in ({}, {"state": 1, "approved": "x", "reviewed": [1, {"date": 3}], "plan": [],
                     "level": "2", "shortfalls": "x", "appraised": {"date": "31/12", "document": 5},
                     "signatures": {}}):  # fmt: skip
        rows = tuple(msgspec.structs.replace(r, detail=odd) for r in whole.results)
        found = form(msgspec.structs.replace(whole, results=rows))
        assert counts(found)["approved"][0] == 0
        assert found.rows[0].decision == ""
