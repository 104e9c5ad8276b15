"""One history, told by each tool in its own way, ends in one verdict."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import pytest

from checks.backup.content import chain_whole, run_succeeded
from checks.backup.keeping import automatic, history_sufficient, retained
from checks.backup.recency import periodic, recent, size_plausible
from checks.backup.restore import restore_tested
from checks.backup.series import BackupSeries
from checks.backup.sources.postgresql import ARCHIVER
from checks.backup.sources.registry import SERIES, SOURCES
from checks.evidence import Answers, FailureKind
from checks.model import Check, Context, Severity, Subject
from inventory.model import RestoreTest
from tests.helpers.backup_chains import CHAINS, Link
from tests.helpers.backup_judging import OLD, TODAY, a_set, a_system, about, judge, said
from tests.helpers.backup_saying import Run, answer
from tests.helpers.backup_series import DAY, NOW, UTC, daily
from tests.helpers.backup_told import TELLERS, Size

Expected = dict[Check, tuple[str, str, Any]]
FAIL, GRAVE = "fail", Severity.CRITICAL


def runs(*skip: int, count: int = 31, newest: str = "2026-11-22 02:00") -> list[Run]:
    return [Run(p.start) for p in daily(count, newest, skip)]


def with_newest(**change: Any) -> list[Run]:
    newest, *before = runs()
    return [newest._replace(**change), *before]


TRIED = {"restore_tests": (RestoreTest(date=TODAY - 40 * DAY, result="ok", document="1"),)}
HISTORIES: dict[str, tuple[Sequence[Run], dict[str, Any], Expected]] = {
    "perfect": (
        runs(),
        TRIED,
        {
            recent: ("fresh", "pass", None),
            periodic: ("regular", "pass", None),
            history_sufficient: ("enough", "pass", None),
            retained: ("kept", "pass", None),
            automatic: ("regular", "pass", None),
            restore_tested: ("registered", "pass", None),
        },
    ),
    "stopped": (
        runs(newest="2026-11-17 02:00"),
        {},
        {
            recent: ("stale", FAIL, GRAVE),
            periodic: ("gap", FAIL, GRAVE),
            retained: ("kept", "pass", None),
            restore_tested: ("never", FAIL, GRAVE),
        },
    ),
    "hole": (
        runs(3),
        {},
        {recent: ("fresh", "pass", None), periodic: ("hole", FAIL, Severity.MINOR)},
    ),
    "gap": (
        runs(3, 4),
        {},
        {recent: ("fresh", "pass", None), periodic: ("gap", FAIL, GRAVE)},
    ),
    "pruned early": (runs(count=10), {}, {retained: ("short", FAIL, GRAVE)}),
    "nothing": (
        [],
        {},
        {
            recent: ("none", FAIL, GRAVE),
            periodic: ("none", FAIL, GRAVE),
            retained: ("none", FAIL, GRAVE),
            automatic: ("unseen", "unknown", None),
        },
    ),
    "from the future": (
        [*runs(), Run(NOW + 900 * DAY)],
        {},
        {recent: ("future", FAIL, Severity.MINOR), periodic: ("regular", "pass", None)},
    ),
    # Whether the tool tells the failure or there is nothing at all: the newest good copy is old.
    "last run failed": (
        with_newest(failed=True),
        {},
        {recent: ("stale", FAIL, GRAVE), periodic: ("hole", FAIL, Severity.MINOR)},
    ),
}
BY_HAND: Expected = {automatic: ("by_hand", FAIL, GRAVE)}
"""The one thing in which a person's word differs: it is no machine's."""


def told(name: str, made: Sequence[Run], **more: Any) -> tuple[Subject, BackupSeries]:
    teller = TELLERS[name]
    backup = a_set(
        **{"kind": teller.kind, "path": "", "effective_from": OLD, **teller.keys, **more}
    )
    subject = about(a_system(backup, level=3), backup)
    evidence = list(teller.tell(made))
    # It is told in answer to what is really asked.
    assert {e.probe for e in evidence} <= {r.probe for r in SERIES.requests(subject)}
    now = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    return subject, SERIES.parse(now, Answers(evidence))


def verdicts(name: str, history: Sequence[Run], *checks: Check, **more: Any) -> Expected:
    subject, series = told(name, history, **more)
    return {check: said(judge(check, series, subject)) for check in checks}


def by_id(expected: Expected) -> dict[str, tuple[str, str, Any]]:
    return {check.id: verdict for check, verdict in expected.items()}


def test_every_kind_tells() -> None:
    # borgmatic hands on Borg's own listing.
    assert {t.kind for t in TELLERS.values()} == set(SOURCES) - {"borgmatic"}


@pytest.mark.parametrize("history", HISTORIES)
@pytest.mark.parametrize("name", TELLERS)
def test_whoever_tells_it(name: str, history: str) -> None:
    made, more, expected = HISTORIES[history]
    if TELLERS[name].kind == "register" and history == "perfect":
        expected = expected | BY_HAND
    assert by_id(verdicts(name, made, *expected, **more)) == by_id(expected)


# What some tools do not tell at all. Then the answer is unknown, and says what is missing.


@pytest.mark.parametrize("name", TELLERS)
def test_a_run_that_failed(name: str) -> None:
    subject, series = told(name, with_newest(failed=True))
    verdict = judge(run_succeeded, series, subject)
    if TELLERS[name].failures:
        assert said(verdict) == ("newest", FAIL, GRAVE)
    else:
        assert said(verdict) == ("silent", "unknown", None)
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED
        assert "how the runs ended" in verdict.failure.detail


SHRUNK: dict[Size, Expected] = {
    Size.STORED: {size_plausible: ("tiny", FAIL, GRAVE), recent: ("stale", FAIL, GRAVE)},
    Size.DATA: {size_plausible: ("tiny_data", FAIL, GRAVE), recent: ("stale", FAIL, GRAVE)},
    Size.NONE: {size_plausible: ("none", "unknown", None), recent: ("fresh", "pass", None)},
}


@pytest.mark.parametrize("name", TELLERS)
def test_a_copy_that_is_far_too_small(name: str) -> None:
    size = TELLERS[name].size
    subject, series = told(name, with_newest(size=50))
    found = {check: judge(check, series, subject) for check in SHRUNK[size]}
    assert {c.id: said(v) for c, v in found.items()} == by_id(SHRUNK[size])
    if size is Size.NONE:
        failure = found[size_plausible].failure
        assert failure is not None
        assert failure.kind is FailureKind.TRUNCATED
        assert "size" in failure.detail


@pytest.mark.parametrize("name", TELLERS)
def test_sizes_that_are_as_usual(name: str) -> None:
    size = TELLERS[name].size
    usual = {Size.STORED: "usual", Size.DATA: "usual_data"}
    expected = (usual[size], "pass", None) if size in usual else ("none", "unknown", None)
    assert verdicts(name, runs(), size_plausible) == {size_plausible: expected}


def test_an_archiver_alone_tells_of_no_base_backup() -> None:
    backup = a_set(kind="postgresql", path="", name="postgres", effective_from=OLD)
    subject = about(a_system(backup, level=3), backup)
    state = f'{{"mode": "on", "archived": {NOW.timestamp():.6f}, "failed": null}}'
    now = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    series = SERIES.parse(now, Answers([answer(ARCHIVER, state.encode())]))
    for check in (recent, periodic, size_plausible, run_succeeded, history_sufficient, retained):
        verdict = judge(check, series, subject)
        assert verdict.status.value == "unknown", check.id
        assert verdict.failure is not None
        assert verdict.failure.kind in (FailureKind.TRUNCATED, FailureKind.NOT_DECLARED)


def test_times_are_those_of_the_history() -> None:
    # Not the verdicts alone: a tool that tells another hour would hide behind the grace.
    made = runs()
    starts = sorted(r.start for r in made)
    for name in TELLERS:
        _, series = told(name, made)
        off = [abs(p.start - s) for p, s in zip(series.points, starts, strict=True)]
        assert max(off) <= dt.timedelta(seconds=1), name


# A full copy every week and a part every day between them.


def chain(*gone: int, full: int = 7) -> list[Link]:
    """Three weeks, the oldest first; `gone` are copies that are no longer there."""
    starts = sorted(p.start for p in daily(21))
    links = [
        Link(start, None if n % full == 0 else before)
        for n, (before, start) in enumerate(zip([NOW, *starts], starts, strict=False))
    ]
    return [link for n, link in enumerate(links) if n not in gone]


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        (chain(), ("whole", "pass", None)),
        # The newest week hangs on nothing.
        (chain(14), ("orphan", FAIL, GRAVE)),
        (chain(16), ("orphan", FAIL, GRAVE)),
        # An older week does: today can still be restored.
        (chain(7), ("orphan", FAIL, Severity.MINOR)),
        (chain(full=20), ("whole", "pass", None)),
        (chain(full=30), ("old_full", FAIL, Severity.MINOR)),
        (chain(0, full=30), ("orphan", FAIL, GRAVE)),
    ],
)
@pytest.mark.parametrize("name", CHAINS)
def test_whoever_tells_a_chain(
    name: str, links: list[Link], expected: tuple[str, str, Any]
) -> None:
    teller = TELLERS[name]
    backup = a_set(**{"kind": name, "path": "", "effective_from": OLD, **teller.keys})
    subject = about(a_system(backup, level=3), backup)
    now = Context(now=NOW, zone=UTC, legal_basis=2026, subject=subject)
    series = SERIES.parse(now, Answers(CHAINS[name](links)))
    assert len(series.points) == len(links)
    assert said(judge(chain_whole, series, subject)) == expected
