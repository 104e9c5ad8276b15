"""Holding a scan against the planted truth: every way to differ is found, agreement is silent."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from checks.evidence import Failure, FailureKind
from checks.model import Message, Severity, Status
from checks.results import Result, Scan, ScanInfo, WaiverRef
from inventory.model import Inventory, Selection
from scanner.demo.casting import cast
from scanner.demo.expect import expect
from scanner.demo.plot import Plot
from scanner.demo.table import label, table
from scanner.demo.truth import (
    Expected,
    Planted,
    Truth,
    compare,
    describe,
    read_truth,
    write_truth,
)

NOW = dt.datetime(2026, 11, 22, 8, 20, tzinfo=ZoneInfo("Asia/Ho_Chi_Minh"))
WANT = Expected(
    check="backup.recent",
    unit="00004",
    system="s",
    target="h",
    subject="db",
    status=Status.FAIL,
    severity=Severity.MAJOR,
    planted="backup.stale",
)
FINE = Expected(check="host.clock", unit="00004", target="h", status=Status.PASS)
TRUTH = Truth(planted=(Planted("backup.stale", "s/db"),), rows=(WANT, FINE))


def row_of(want: Expected) -> Result:
    waiver = WaiverRef(reason="r", document="d", approved_by="a", owner="o", until=dt.date.max)
    failure = Failure(kind=FailureKind(want.failure), detail="x") if want.failure else None
    return Result(
        check=want.check,
        unit=want.unit,
        system=want.system or None,
        target=want.target,
        subject=want.subject,
        status=want.status,
        severity=Severity(want.severity) if want.severity else Severity.MINOR,
        message=Message(id="engine.silent"),
        failure=failure,
        waiver=waiver if want.waived else None,
    )


def scan_of(*rows: Result) -> Scan:
    info = ScanInfo(
        id="x",
        started=NOW,
        tool="t",
        legal_basis=2026,
        timezone="Asia/Ho_Chi_Minh",
        selection=Selection(),
    )
    return Scan(info=info, inventory=Inventory(), results=rows)


def test_a_scan_that_says_what_was_planted_has_no_differences() -> None:
    found = compare(TRUTH, scan_of(row_of(WANT), row_of(FINE)))
    assert not found
    assert (found.wrong, found.rows) == (0, 2)
    assert [(line.kind, line.planted, line.agreeing) for line in found.lines] == [
        ("backup.stale", 1, 1),
        ("", 1, 1),
    ]
    assert table(found, "en")[-1] == "All 2 rows agree."


def test_a_row_that_was_left_out_is_missing() -> None:
    found = compare(TRUTH, scan_of(row_of(FINE)))
    assert found.missing == (WANT,)
    assert describe(found) == ["missing: backup.recent 00004/s/h/db: fail"]


def test_a_row_that_nobody_planted_is_unexpected() -> None:
    more = replace(row_of(FINE), target="ghost")
    found = compare(TRUTH, scan_of(row_of(WANT), row_of(FINE), more))
    assert found.unexpected == (more,)


def test_a_row_that_stands_twice_is_told() -> None:
    found = compare(TRUTH, scan_of(row_of(WANT), row_of(WANT), row_of(FINE)))
    assert found.twice == (WANT.key,)
    assert found


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": Status.PASS},
        {"severity": Severity.MINOR},
        {"waiver": row_of(replace(WANT, waived=True)).waiver},
    ],
)
def test_another_verdict_is_different(wrong: dict[str, object]) -> None:
    found = compare(TRUTH, scan_of(replace(row_of(WANT), **wrong), row_of(FINE)))
    assert [pair.expected for pair in found.different] == [WANT]
    assert "planted backup.stale → fail major" in describe(found)[0]
    assert "DIFFERENT: 1 rows" in "\n".join(table(found, "en"))
    assert "✗" in "\n".join(table(found, "vi"))


def test_the_kind_of_failure_counts_and_a_missing_waiver_too() -> None:
    want = replace(WANT, status=Status.UNKNOWN, severity="", failure="auth", waived=True)
    truth = Truth(planted=(), rows=(want,))
    assert not compare(truth, scan_of(row_of(want)))
    assert compare(truth, scan_of(row_of(replace(want, failure="timeout"))))
    assert compare(truth, scan_of(row_of(replace(want, waived=False))))


def test_a_long_list_of_differences_is_cut_and_counted() -> None:
    rows = tuple(replace(FINE, target=f"h{n}") for n in range(30))
    said = describe(compare(Truth((), rows), scan_of()), most=5)
    assert len(said) == 6
    assert said[-1] == "… and 25 more"


def test_a_truth_is_kept_and_read_back(tmp_path: Path) -> None:
    write_truth(tmp_path / "truth.json", TRUTH)
    assert read_truth(tmp_path / "truth.json") == TRUTH


# ------------------------------------------------------------------------- the truth of a world


def world(units: int = 126) -> Plot:
    return cast(units, NOW, random.Random(6))  # noqa: S311 - repeatable on purpose


def test_every_row_of_a_world_is_expected_once() -> None:
    plot = world()
    truth = expect(plot)
    keys = [row.key for row in truth.rows]
    assert len(keys) == len(set(keys))
    systems = [s for u in plot.units for s in u.systems]
    sets = [b for s in systems for b in s.sets]
    by_check = [row.check for row in truth.rows]
    assert by_check.count("host.clock") == len(plot.hosts) == 200
    assert by_check.count("security.level-approved") == len(systems)
    assert by_check.count("backup.declared") == len(systems)
    assert by_check.count("backup.periodic") == len(sets)
    assert by_check.count("documents.routed") == by_check.count("documents.bypass") == 126


def test_every_planted_thing_but_a_waiver_makes_some_row_other_than_pass() -> None:
    truth = expect(world())
    # A level under the old law is no fault while the transition lasts; its rows are named all the
    # same.
    kinds = {p.kind for p in truth.planted} - {"level.old_law"}
    for kind in {k for k in kinds if not k.startswith("waiver.")}:
        rows = [row for row in truth.rows if row.planted == kind]
        assert any(row.status is not Status.PASS for row in rows), kind


def test_what_is_not_planted_must_pass_and_unknown_names_its_failure() -> None:
    for row in expect(world()).rows:
        assert row.planted or row.status in (Status.PASS, Status.NOT_APPLICABLE)
        if row.status is Status.UNKNOWN and row.planted != "backup.never":
            assert row.failure, row


def test_a_holding_waiver_is_expected_and_an_expired_one_is_not() -> None:
    truth = expect(world())
    waived = [row for row in truth.rows if row.waived]
    assert {row.check for row in waived} >= {"backup.recent", "backup.periodic"}
    assert len({(row.system, row.subject) for row in waived}) == 1
    assert not {row.status for row in waived} & {Status.PASS, Status.NOT_APPLICABLE}
    states = [p.kind for p in truth.planted if p.kind.startswith("waiver.")]
    assert sorted(states) == ["waiver.expired", "waiver.valid"]


def test_every_planted_kind_has_a_name_in_both_languages() -> None:
    for kind in {p.kind for p in expect(world()).planted}:
        assert label(kind, "vi") != label(kind, "en")
