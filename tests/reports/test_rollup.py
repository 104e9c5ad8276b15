"""The states of units and areas, and what removing evidence may do to them."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.evidence import Failure, FailureKind
from checks.model import Message, Severity, Status
from checks.results import Result, Tally
from inventory.model import Selection
from reports.rollup import (
    CAUSES,
    base,
    below,
    cause_of,
    causes,
    cell_status,
    main_cause,
    standing,
    unit_status,
)
from tests.helpers.scans import row, scan, unit, waiver

F, E, U, P, N = Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE


def rows(*statuses: Status, severity: Severity = Severity.MAJOR) -> list[Result]:
    return [
        row("backup.recent", s, subject=str(i), severity=severity) for i, s in enumerate(statuses)
    ]


@pytest.mark.parametrize(
    ("statuses", "expected"),
    [
        ([F, E, U, P], F),
        ([E, U, P], E),
        ([P] * 9 + [U], P),
        ([P] * 8 + [U] * 2, P),
        ([P] * 7 + [U] * 2, U),
        ([P, N], P),
        ([N, N], N),
        ([], U),
        ([U, U], U),
    ],
)
def test_a_cell_is_its_worst_open_state(statuses: list[Status], expected: Status) -> None:
    assert cell_status(rows(*statuses), 0.8, dark_unit=False) is expected


def test_a_minor_failure_is_a_note_and_a_waived_one_is_counted_apart() -> None:
    assert cell_status(rows(F, P, severity=Severity.MINOR), 0.8, dark_unit=False) is P
    held = [msgspec.structs.replace(r, waiver=waiver()) for r in rows(F, P)]
    assert cell_status(held, 0.8, dark_unit=False) is P


def test_a_critical_check_that_was_not_seen_leaves_no_conclusion() -> None:
    found = [*rows(*[P] * 30), row("backup.recent", U, subject="x", severity=Severity.CRITICAL)]
    assert cell_status(found, 0.8, dark_unit=False) is U


def test_a_unit_under_the_floor_is_met_nowhere_even_where_all_was_seen() -> None:
    seen = [row("documents.routed", P, subject=str(i)) for i in range(3)]
    dark = [row("backup.recent", U, subject=str(i)) for i in range(5)]
    stands = standing(base(scan([*seen, *dark])), "u1")
    assert stands.dark
    assert P not in stands.cells.values()
    assert stands.status is U


def test_host_rows_count_in_the_coverage_of_a_unit() -> None:
    found = [
        row("security.level-recorded", P),
        row("backup.recent", P),
        row("documents.routed", P),
    ]
    dark = [row("host.clock", U, subject=str(i)) for i in range(2)]
    assert standing(base(scan(found)), "u1").status is P
    assert standing(base(scan([*found, *dark])), "u1").status is U


def test_external_units_are_left_out_with_their_rows() -> None:
    found = [row("backup.recent", F, "out"), row("backup.recent", P, "in")]
    on = base(scan(found, [unit("out", external=True), unit("in")]))
    assert set(on.units) == {"in"}


def test_a_whole_scan_counts_a_unit_without_rows_as_not_seen() -> None:
    on = base(scan([row("backup.recent", P, "a")], [unit("a"), unit("b")]))
    stands = standing(on, "b")
    assert (stands.status, stands.dark) == (U, True)
    assert main_cause(on.rows["b"]) == "no_rows"


def test_a_selected_scan_counts_the_units_it_looked_at() -> None:
    found = [row("backup.recent", P, "a")]
    on = base(scan(found, [unit("a"), unit("b")], selection=Selection(units=("a",))))
    assert set(on.units) == {"a"}


def test_a_choice_of_checks_leaves_out_areas_and_no_units() -> None:
    found = [row("backup.recent", P, "a")]
    on = base(scan(found, [unit("a"), unit("b")], selection=Selection(checks=("backup.*",))))
    assert (set(on.units), on.families) == ({"a", "b"}, ("backup",))


def test_a_row_of_an_unknown_unit_is_kept() -> None:
    on = base(scan([row("backup.recent", F, "ghost")], []))
    assert on.units["ghost"].name == "ghost"


def test_causes_add_up_to_what_was_not_seen() -> None:
    found = [
        *rows(P, F),
        row("backup.recent", E, subject="e"),
        row("backup.recent", U, subject="n", failure=None),
        row("backup.recent", U, subject="s", message=Message(id="engine.not_scanned")),
        row("backup.recent", U, subject="a", failure=Failure(kind=FailureKind.AUTH, detail="")),
    ]
    counts = {c.key: c.n for c in causes(found)}
    assert counts == {"error": 1, "unspecified": 1, "not_scanned": 1, "auth": 1}


def test_every_failure_kind_is_a_cause() -> None:
    for kind in FailureKind:
        assert cause_of(row("a.b", U, failure=Failure(kind=kind, detail=""))) in CAUSES


MANY = st.lists(
    st.builds(
        lambda family, status, severity, n: row(
            f"{family}.x", status, subject=str(n), severity=severity
        ),
        st.sampled_from(["security", "backup", "documents", "host"]),
        st.sampled_from(list(Status)),
        st.sampled_from(list(Severity)),
        st.integers(0, 10**9),
    ),
    max_size=30,
)


@given(MANY)
def test_compliance_never_exceeds_coverage(found: list[Result]) -> None:
    counts = Tally.of(r.status for r in found)
    if counts.applicable:
        assert counts.compliance is not None
        assert counts.coverage is not None
        assert counts.compliance <= counts.coverage


@given(MANY, st.data())
def test_going_dark_never_raises_a_figure(found: list[Result], data: st.DataObject) -> None:
    """Whatever rows lose their evidence: no share rises, and nothing becomes met."""
    if not found:
        return
    lost = {
        i for i in data.draw(st.sets(st.integers(0, len(found) - 1))) if found[i].status in (P, F)
    }
    dark = [
        msgspec.structs.replace(
            r,
            status=U,
            failure=Failure(kind=FailureKind.UNREACHABLE, detail=""),
        )
        if i in lost
        else r
        for i, r in enumerate(found)
    ]
    before, after = standing(base(scan(found)), "u1"), standing(base(scan(dark)), "u1")
    assert (after.rows.compliance or 0) <= (before.rows.compliance or 0)
    assert (after.rows.coverage or 0) <= (before.rows.coverage or 0)
    held = frozenset(found[i].fingerprint for i in lost if found[i].status is F)
    kept = standing(base(scan(dark)), "u1", held)
    assert {f for f, s in kept.cells.items() if s is P} <= {
        f for f, s in before.cells.items() if s is P
    }
    assert kept.status is not P or before.status is P


def test_the_floor_is_a_limit_from_below() -> None:
    assert not below(Tally(passed=8, unknown=2), 0.8)
    assert below(Tally(passed=79, unknown=21), 0.8)
    assert below(Tally(), 0.8)
    assert not below(Tally(not_applicable=3), 0.8)


def test_a_unit_with_no_area_asked_is_not_met() -> None:
    assert unit_status((), dark_unit=False) is U
