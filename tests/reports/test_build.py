"""The report's figures: every sum closes, whatever the scan; and what each class means."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.evidence import Failure, FailureKind
from checks.model import Severity, Status
from checks.results import Result, Scan
from inventory.model import Person, Selection, Server, System, UnitKind
from reports.build import build
from reports.model import Report
from tests.helpers.scans import NOW, STARTED, VOICE, city, row, scan, unit, waiver

F, E, U, P, N = Status.FAIL, Status.ERROR, Status.UNKNOWN, Status.PASS, Status.NOT_APPLICABLE
WEEK = dt.timedelta(days=7)


def report(made: Scan, previous: Scan | None = None, **given: Any) -> Report:
    fields: dict[str, Any] = {
        "opened": {},
        "reopened": frozenset(),
        "now": NOW,
        "language": "vi",
        "voice": VOICE,
    }
    return build(made, previous=previous, **{**fields, **given})


def said(r: Report) -> str:
    return ". ".join(c.strong + c.rest for c in r.headline)


def sums_close(r: Report) -> None:
    """What every reader of the page may add up."""
    units = len(r.units)
    assert r.units_by_status.total == units
    assert sum(k.n for k in r.kinds) == units
    for area in r.areas:
        assert area.units.total == units
    rows = r.seen.rows
    assert rows.total == sum(u.rows.total for u in r.units)
    assert sum(c.n for c in r.seen.causes) == rows.applicable - rows.seen
    assert sum(c.n for c in r.seen.unit_causes) == r.seen.dark_units == sum(u.dark for u in r.units)
    assert r.open.total == sum(u.open for u in r.units)
    assert r.open.overdue == sum(u.overdue for u in r.units)
    assert sorted(r.attention) == list(range(units))
    for u in r.units:
        assert u.open == len(u.findings) + len(u.waived)
        assert sum(len(b.rows) for b in u.blind) == u.rows.unknown + u.rows.error
        assert len(u.passed) == u.rows.passed
        assert len(u.not_applicable) == u.rows.not_applicable
        shown = sum(f.status is F for f in (*u.findings, *u.waived))
        assert shown == u.rows.fail
        if u.dark:
            assert u.status is not P
            assert all(c.status is not P for c in u.cells)
    c = r.changes
    if c is not None:
        assert c.now == c.before + c.new + c.reopened - c.fixed - c.gone == r.open.total


CHECKS = ["security.a", "backup.b", "documents.c", "host.d"]
ROW = st.tuples(
    st.sampled_from(["u1", "u2", "u3"]),
    st.sampled_from(CHECKS),
    st.integers(0, 3),
    st.sampled_from(list(Status)),
    st.sampled_from(list(Severity)),
    st.booleans(),
)
ROWS = st.lists(ROW, max_size=25, unique_by=lambda r: r[:3])


def rows_of(drawn: list[tuple[Any, ...]]) -> list[Result]:
    return [
        row(c, s, u, subject=str(n), severity=v, waiver=waiver() if held else None)
        for u, c, n, s, v, held in drawn
    ]


@settings(max_examples=60)
@given(ROWS, ROWS, st.data())
def test_sums_close_for_any_two_scans(
    now: list[tuple[Any, ...]], old: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    units = [unit("u1"), unit("u2"), unit("u3")]
    mine, before = rows_of(now), rows_of(old)
    marks = sorted({r.fingerprint for r in (*mine, *before)})
    opened: Mapping[str, dt.datetime] = {
        m: STARTED - data.draw(st.integers(0, 30)) * dt.timedelta(days=1)
        for m in marks
        if data.draw(st.booleans())
    }
    back, dark, earlier = (
        frozenset(m for m in marks if data.draw(st.booleans())) for _ in range(3)
    )
    life: dict[str, Any] = {
        "opened": opened,
        "reopened": back,
        "dark_open": dark,
        "dark_open_before": earlier,
    }
    previous = scan(before, units, started=STARTED - WEEK)
    sums_close(report(scan(mine, units), previous, **life))
    sums_close(report(scan(mine, units), None, **life))


@settings(max_examples=60)
@given(ROWS, st.data())
def test_a_scan_that_sees_less_never_counts_more_units_as_met(
    drawn: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    seen = rows_of(drawn)
    lost = [data.draw(st.booleans()) and r.status in (P, F) for r in seen]
    blind = Failure(kind=FailureKind.UNREACHABLE, detail="")
    dark = [
        msgspec.structs.replace(r, status=U, failure=blind) if gone else r
        for r, gone in zip(seen, lost, strict=True)
    ]
    units = [unit("u1"), unit("u2"), unit("u3")]
    previous = scan(seen, units, started=STARTED - WEEK)
    before, after = report(previous), report(scan(dark, units), previous)
    assert after.units_by_status.passed <= before.units_by_status.passed
    for a, b in zip(after.areas, before.areas, strict=True):
        assert a.units.passed <= b.units.passed
    assert after.open.total == before.open.total, "what went dark is still open"


def test_the_city_adds_up() -> None:
    made, opened, back = city()
    r = report(made, city(1)[0], opened=opened, reopened=back)
    sums_close(r)
    assert len(r.units) == 126
    assert {k.key: k.n for k in r.kinds} == {"ward": 51, "commune": 75}
    assert r.changes is not None
    assert r.place == "UBND Thành phố Hà Nội"


# ------------------------------------------------------------------------------------ the classes


def test_each_class_of_change() -> None:
    old = [
        row("backup.a", F),
        row("backup.b", F),
        row("backup.c", P),
        row("backup.d", P),
        row("backup.e", F),
        row("backup.g", U),
        row("backup.h", F),
    ]
    now = [
        row("backup.a", P),
        row("backup.b", U),
        row("backup.c", F),
        row("backup.d", F),
        row("backup.e", F),
        row("backup.g", P),
        row("backup.h", N),
    ]
    again = frozenset({now[3].fingerprint})
    r = report(scan(now), scan(old, started=STARTED - WEEK), reopened=again)
    c = r.changes
    assert c is not None
    assert (c.before, c.fixed, c.new, c.reopened, c.gone, c.now) == (4, 1, 1, 1, 1, 4)
    assert (c.rows_lost, c.rows_regained) == (1, 1)
    assert r.open.dark == 1
    found = {f.check: f for f in r.units[0].findings}
    assert found["backup.b"].dark
    assert found["backup.c"].new
    assert found["backup.d"].reopened


def test_a_failure_that_goes_dark_does_not_become_met() -> None:
    """Coverage stays over the floor, and still the open finding holds the unit."""
    only = Selection(checks=("backup.*",))
    seen = [row("backup.a", P, subject=str(i)) for i in range(9)]
    old = scan([*seen, row("backup.b", F)], selection=only, started=STARTED - WEEK)
    now = scan([*seen, row("backup.b", U)], selection=only)
    r = report(now, old)
    assert (r.units[0].dark, r.units[0].status) == (False, U)
    assert report(now).units[0].status is P, "without a history a single gap is within the floor"


def test_a_row_that_left_the_scan_is_gone_not_mended() -> None:
    old = [row("backup.a", F, subject="x"), row("backup.a", P, subject="y")]
    c = report(scan(old[1:]), scan(old, started=STARTED - WEEK)).changes
    assert c is not None
    assert (c.fixed, c.gone) == (0, 1)


def test_a_finding_dark_for_two_scans_is_still_open() -> None:
    old, now = row("backup.a", U), row("backup.a", U)
    mark = frozenset({now.fingerprint})
    previous = scan([old], started=STARTED - WEEK)
    opened = {now.fingerprint: STARTED - 3 * WEEK}
    r = report(scan([now]), previous, opened=opened, dark_open=mark)
    assert r.changes is not None
    assert (r.changes.before, r.changes.now) == (1, 1)
    assert r.open.total == r.open.dark == r.open.overdue == 1
    assert r.units[0].cells[1].last_fail == STARTED - 3 * WEEK
    first = report(scan([now]), opened=opened, dark_open=mark)
    assert first.open.total == 1


def test_what_never_failed_is_not_open_however_long_it_is_dark() -> None:
    now = row("backup.a", U)
    opened = {now.fingerprint: STARTED - 3 * WEEK}
    for previous in (None, scan([row("backup.a", U)], started=STARTED - WEEK)):
        assert report(scan([now]), previous, opened=opened).open.total == 0


@pytest.mark.parametrize(
    ("status", "moved"), [(F, {}), (P, {"fixed": 1, "now": 0}), (U, {}), (N, {"gone": 1, "now": 0})]
)
def test_what_was_open_in_the_dark_before(status: Status, moved: dict[str, int]) -> None:
    """Failed long ago, unseen in the last scan: failing again is no news, passing is a mend."""
    old, now = row("backup.a", U), row("backup.a", status)
    mark = frozenset({old.fingerprint})
    c = report(
        scan([now]), scan([old], started=STARTED - WEEK), dark_open_before=mark, reopened=mark
    ).changes
    assert c is not None
    expected = {"before": 1, "new": 0, "reopened": 0, "fixed": 0, "gone": 0, "now": 1, **moved}
    assert {k: getattr(c, k) for k in expected} == expected


@pytest.mark.parametrize(
    ("mine", "other", "reason"),
    [
        ({"complete": False}, {}, "partial"),
        ({}, {"complete": False}, "previous_partial"),
        ({"selection": Selection(units=("u1",))}, {}, "selection"),
    ],
)
def test_what_cannot_be_compared_is_not(
    mine: dict[str, Any], other: dict[str, Any], reason: str
) -> None:
    rows = [row("backup.a", F)]
    r = report(scan(rows, **mine), scan(rows, started=STARTED - WEEK, **other))
    assert (r.changes, r.no_changes) == (None, reason)
    assert all(a.change is None for a in r.areas)
    assert all(not u.trend for u in r.units)


def test_a_first_report_says_so() -> None:
    r = report(scan([row("backup.a", F)]))
    assert (r.changes, r.no_changes) == (None, "first")


@pytest.mark.parametrize(
    ("other", "note"),
    [({"legal_basis": 2016}, "note_basis"), ({"coverage_floor": 90}, "note_floor")],
)
def test_another_rule_breaks_the_line(other: dict[str, Any], note: str) -> None:
    rows = [row("backup.a", P)]
    r = report(scan(rows), scan(rows, started=STARTED - WEEK, **other))
    assert r.changes is not None
    assert r.changes.notes == (note,)
    assert all(a.change is None for a in r.areas)


def test_another_list_of_units_is_not_progress() -> None:
    one, two = row("backup.a", P, "a"), row("backup.a", P, "b")
    r = report(scan([one, two]), scan([one], started=STARTED - WEEK))
    assert r.changes is not None
    assert r.changes.notes == ("note_units",)
    assert "tăng" not in said(r)
    assert {u.id: u.trend for u in r.units} == {"a": "trend_same", "b": "trend_new"}


def test_a_unit_is_compared_with_its_own_past() -> None:
    def of(status: Status, seen: bool = True) -> list[Result]:
        rest = P if seen else U
        return [row("backup.a", status), *(row("backup.b", rest, subject=str(i)) for i in range(4))]

    def trend(now: list[Result], old: list[Result]) -> str:
        return report(scan(now), scan(old, started=STARTED - WEEK)).units[0].trend

    # The rest of the unit has no rows, so its state would be unknown: ask for backup only.
    only = Selection(checks=("backup.*",))

    def asked(now: list[Result], old: list[Result]) -> str:
        mine = scan(now, selection=only)
        return report(mine, scan(old, selection=only, started=STARTED - WEEK)).units[0].trend

    assert asked(of(P), of(F)) == "trend_better"
    assert asked(of(F), of(P)) == "trend_worse"
    assert asked(of(P), of(P)) == "trend_same"
    assert asked(of(P, seen=False), of(P)) == "trend_lost"
    assert asked(of(P), of(P, seen=False)) == "trend_back"
    assert trend(of(P), of(F)) == "trend_other"


# --------------------------------------------------------------------------------- the headline


def test_the_headline_says_met_overdue_not_seen() -> None:
    made, opened, back = city()
    text = said(report(made, city(1)[0], opened=opened, reopened=back))
    assert text.startswith("41/126 đơn vị đạt cả ba nội dung")
    assert "17 việc quá hạn tại 14 đơn vị" in text
    assert "8 đơn vị chưa quan sát đủ" in text


def full(status: Status = P) -> list[Result]:
    return [row(c, status) for c in ("security.a", "backup.b", "documents.c")]


def test_a_calm_week() -> None:
    r = report(scan(full()), scan(full(), started=STARTED - WEEK))
    assert said(r) == "1/1 đơn vị đạt cả ba nội dung. Không có việc quá hạn. Mức quan sát 100%"
    assert (r.decisions.items, r.decisions.total) == ((), 0)


def test_nothing_scanned_has_no_figure() -> None:
    for empty in (scan([]), scan([row("backup.a", N)])):
        text = said(report(empty))
        assert "chưa có số liệu" in text
        assert "%" not in text


@pytest.mark.parametrize(("hours", "old"), [(26.6, None), (27.8, 27)])
def test_old_figures_are_headed_by_their_age(hours: float, old: int | None) -> None:
    finished = NOW - dt.timedelta(hours=hours) + dt.timedelta(minutes=40)
    r = report(scan(full(), finished=finished))
    assert r.about.stale_hours == old
    assert said(r).startswith("Số liệu cũ") == (old is not None)
    assert len(r.headline) == 3


def test_english() -> None:
    made, opened, back = city()
    text = said(report(made, city(1)[0], opened=opened, reopened=back, language="en"))
    assert text.startswith("41 of 126 units meet all three areas")
    assert "17 tasks overdue in 14 units" in text


# ------------------------------------------------------------------------------------ the tasks


def one_stop(**fields: Any) -> System:
    given: dict[str, Any] = {
        "id": "one-stop",
        "unit": "u1",
        "name": "Một cửa",
        "owner": "ha-noi",
        "security_unit": "ca-ha-noi",
        "level": 2,
        "servers": ("u1-app",),
    }
    return System(**{**given, **fields})


def clears(r: Report) -> dict[str, str]:
    return {c.key: c.text for c in r.units[0].findings[0].clears}


@pytest.mark.parametrize(
    ("check", "level", "decides"),
    [
        ("backup.a", 2, "Công an Thành phố"),
        ("security.a", 3, "UBND Thành phố Hà Nội"),
        ("documents.a", 2, "UBND Thành phố Hà Nội"),
    ],
)
def test_six_clears(check: str, level: int, decides: str) -> None:
    found = row(check, F, system="one-stop", severity=Severity.CRITICAL)
    r = report(
        scan([found], systems=[one_stop(level=level)]),
        opened={found.fingerprint: STARTED - dt.timedelta(days=9)},
    )
    task = r.units[0].findings[0]
    assert clears(r) == {
        "who": "Công chức CNTT",
        "what": "Khôi phục lịch sao lưu hằng ngày",
        "when": "17/11/2026",
        "answerable": "Chủ tịch UBND phường",
        "product": "Nhật ký sao lưu và biên bản khôi phục thử",
        "authority": decides,
    }
    assert (task.clear_count, task.overdue) == (6, 6)
    assert (task.system, task.level) == ("Một cửa", level)


def test_a_missing_clear_is_counted_as_missing() -> None:
    found = row("backup.a", F, system="one-stop")
    bare = unit("u1", officer=Person(), accountable=Person(name="Lê Thị Mẫu"))
    r = report(scan([found], [bare], [one_stop(security_unit="nobody")]))
    task = r.units[0].findings[0]
    assert {c.key for c in task.clears if not c.text} == {"who", "authority"}
    assert task.clear_count == 4
    assert r.open.clear == 0
    assert r.decisions.items[0].answerable == "", "a person is not named above the unit's section"


def test_a_blind_spot_is_one_task_per_cause_and_target() -> None:
    dark = [row("backup.a", U, subject=str(i)) for i in range(4)]
    key = row("backup.b", U, failure=Failure(kind=FailureKind.HOST_KEY, detail="k"))
    r = report(scan([*dark, key]))
    tasks = r.units[0].blind
    assert [(b.cause, len(b.rows)) for b in tasks] == [("unreachable", 4), ("host_key", 1)]
    what = {b.cause: next(c.text for c in b.clears if c.key == "what") for b in tasks}
    assert "khóa" in what["host_key"]
    assert all(b.clear_count == 6 for b in tasks)


def test_a_check_that_cannot_tell_is_quoted_not_named() -> None:
    own = Failure(kind=FailureKind.TRUNCATED, detail="sample.text")
    (task,) = report(scan([row("backup.a", U, failure=own)])).units[0].blind
    assert task.detail == "backup.a unknown"


def test_a_blind_spot_is_due_from_when_it_went_dark() -> None:
    dark = row("backup.a", U)
    r = report(scan([dark]), opened={dark.fingerprint: STARTED - 2 * WEEK})
    assert r.units[0].blind[0].overdue == 7
    assert r.open.overdue == 0, "a blind spot is not a finding"


def test_a_waived_finding_keeps_its_status_and_is_counted_apart() -> None:
    found = row("backup.a", F, severity=Severity.CRITICAL, waiver=waiver(20))
    r = report(scan([found]), opened={found.fingerprint: STARTED - 3 * WEEK})
    u = r.units[0]
    assert (u.rows.fail, u.waived_rows, u.findings) == (1, 1, ())
    assert (r.open.total, r.open.waived, r.open.overdue) == (1, 1, 0)
    assert u.waived[0].waiver is not None
    assert u.waived[0].waiver.days_left == 20
    assert r.deadlines.waivers == 1
    assert r.decisions.total == 0


def test_deadlines() -> None:
    soon, later = row("backup.a", F), row("backup.b", F, severity=Severity.INFO)
    r = report(scan([soon, later]))
    assert r.deadlines.due_soon == 1
    assert r.deadlines.cutoff == dt.date(2026, 12, 14)
    assert r.deadlines.cutoff_days == 21


def test_decisions_are_ordered_by_the_printed_rule_one_per_unit() -> None:
    systems = [
        one_stop(id=f"s{i}", unit=u, level=n) for i, (u, n) in enumerate([("a", 1), ("b", 3)])
    ]
    grave = {"severity": Severity.CRITICAL}
    rows = [
        row("backup.a", F, "a", system="s0", **grave),
        row("backup.b", F, "a", system="s0"),
        row("backup.a", F, "b", system="s1", **grave),
        row("backup.a", F, "c"),
        row("backup.a", F, "d"),
    ]
    late = {rows[4].fingerprint: STARTED - 4 * WEEK}
    found = report(scan(rows, systems=systems), opened=late).decisions
    assert [(d.unit, d.more) for d in found.items] == [
        ("Phường b", 0),
        ("Phường a", 1),
        ("Phường d", 0),
        ("Phường c", 0),
    ]
    assert found.total == 5


def test_a_decision_does_not_say_the_unit_twice() -> None:
    found = row("backup.a", F, system="one-stop")
    named = one_stop(name="Một cửa điện tử Phường u1")
    task = report(scan([found], systems=[named])).decisions.items[0].task
    assert task == "Một cửa điện tử: backup.a fail"


def test_a_decision_names_no_machine() -> None:
    made = scan([row("backup.a", F)])
    assert report(made).decisions.items[0].task == "backup.a fail"
    # A machine whose name stands in the sentence: what is to be done stands there instead.
    machine = Server(id="backup.a", unit="u1", address="10.0.0.1")
    known = msgspec.structs.replace(made.inventory, servers={machine.id: machine})
    found = report(msgspec.structs.replace(made, inventory=known))
    (task,) = [d.task for d in found.decisions.items]
    assert "backup.a" not in task.split()
    (what,) = [c.text for u in found.units for f in u.findings for c in f.clears if c.key == "what"]
    assert task == what


def test_at_most_seven_decisions() -> None:
    rows = [row("backup.a", F, f"u{i}") for i in range(12)]
    found = report(scan(rows)).decisions
    assert (len(found.items), found.total) == (7, 12)


def test_a_shared_system_is_counted_where_it_is_judged_only() -> None:
    shared = one_stop(unit="a", used_by=("a", "b"), level=3)
    bad = row("backup.a", F, "a", system="one-stop")
    r = report(scan([bad, row("backup.b", P, "b")], systems=[shared]))
    a, b = r.units
    assert (a.rows.fail, b.rows.fail) == (1, 0)
    assert [s.users for s in a.systems] == [1]
    assert [(s.name, s.status, s.judged_at) for s in b.shared] == [("Một cửa", F, "Phường a")]


def test_units_stand_by_kind_then_by_name() -> None:
    names = [
        unit("3", name="Xã Ba Vì", kind=UnitKind.COMMUNE),
        unit("2", name="Phường Đống Đa"),
        unit("1", name="Phường Cầu Giấy"),
        unit("5", name="Phường Cầu Giấy"),
        unit("4", name="Sở Y tế", kind=UnitKind.DEPARTMENT),
    ]
    r = report(scan([row("backup.a", P, u.id) for u in names], names))
    assert [u.id for u in r.units] == ["4", "1", "5", "2", "3"]


def test_the_median_is_of_units_of_the_kind() -> None:
    rows = [row("backup.a", F, f"u{i}", subject=str(n)) for i in range(3) for n in range(i + 1)]
    assert [u.median_open for u in report(scan(rows)).units] == [2, 2, 2]
    assert report(scan(rows[:3])).units[0].median_open is None


def test_the_week_is_the_one_that_the_scan_closes() -> None:
    about = report(scan([])).about
    assert (about.week, about.week_year) == (47, 2026)
    assert (about.first_day, about.last_day) == (dt.date(2026, 11, 16), dt.date(2026, 11, 22))
    new_year = dt.datetime(2027, 1, 3, 19, 0, tzinfo=dt.UTC)
    about = report(scan([], started=new_year, finished=new_year)).about
    assert (about.week, about.week_year) == (53, 2026)
