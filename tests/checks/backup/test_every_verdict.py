"""Whatever a source says, every backup check gives one verdict that can be said aloud."""

from __future__ import annotations

import datetime as dt
import inspect
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.backup import content, copies, declared, keeping, recency, restore, safety
from checks.backup.places import Copies, places_of
from checks.backup.series import (
    Archive,
    BackupPoint,
    BackupSeries,
    Listing,
    Origin,
    PointKind,
    PointState,
    Proof,
    ProofKind,
    Repository,
    in_order,
)
from checks.evidence import Failure, FailureKind
from checks.model import Check, Scope, Status
from checks.texts import words
from inventory.model import RestoreTest
from tests.helpers.backup_judging import TODAY, a_set, a_system, about, context, judge
from tests.helpers.backup_series import NOW

TOPICS = (declared, recency, keeping, content, copies, safety, restore)
OF_SETS = [c for t in TOPICS for c in t.CHECKS if c.scope is Scope.BACKUP]
OVER_SETS = copies.CHECKS

seldom = st.none() | st.booleans()
count = st.none() | st.integers(0, 10**6)
when = st.integers(-900 * 24, 3 * 24).map(lambda hours: NOW + dt.timedelta(hours=hours))
ever = st.none() | when
failure = st.builds(Failure, kind=st.sampled_from(FailureKind), detail=st.just("a right"))
text = st.text(max_size=8)
ids = st.sampled_from(["", "a", "b", "c", "d"])
fields = st.sampled_from(
    ["encrypted", "immutable", "deletable", "public", "remote", "proofs", "restores"]
)
points = st.builds(
    BackupPoint,
    id=st.uuids().map(str) | ids,
    start=when,
    uncertainty=st.sampled_from([1.0, 50_400.0]),
    size=count,
    state=st.sampled_from(PointState),
    origin=st.sampled_from(Origin),
    name=text,
    checked=st.booleans(),
    group=ids,
    kind=st.sampled_from(PointKind),
    base=ids,
    repository=ids,
    paths=st.none() | st.lists(text, max_size=3).map(tuple),
    files=count,
    data=count,
    errors=st.integers(0, 2),
    encrypted=seldom,
    verified=seldom,
    locked_until=ever,
)
repositories = st.builds(
    Repository,
    id=ids,
    location=text,
    server=st.sampled_from(["", "h", "far", "elsewhere"]),
    remote=seldom,
    encrypted=seldom,
    immutable=seldom,
    immutable_days=st.none() | st.floats(0, 1e9),
    public=seldom,
    deletable=seldom,
    expires_days=st.none() | st.floats(0, 1e6),
    unseen=st.dictionaries(fields, failure, max_size=3),
)
proofs = st.builds(
    Proof,
    kind=st.sampled_from(ProofKind),
    time=when,
    ok=st.booleans(),
    errors=st.integers(0, 2),
    seconds=st.none() | st.floats(0, 1e7),
    person=st.booleans(),
    document=text,
)
serieses = st.builds(
    BackupSeries,
    asset=st.just("db"),
    source=st.just("tool"),
    points=st.lists(points, max_size=8).map(in_order),
    past=st.lists(points, max_size=4).map(in_order),
    vanished=st.lists(text, max_size=2).map(tuple),
    known_since=ever,
    listing=st.builds(Listing, truncated=st.booleans(), older=st.integers(0, 2)),
    repositories=st.lists(repositories, max_size=3).map(tuple),
    proofs=st.lists(proofs, max_size=3).map(tuple),
    archive=st.none() | st.builds(Archive, last=ever, failing_since=ever, gaps=count),
    scheduled=seldom,
)
sets = st.fixed_dictionaries(
    {
        "every": st.sampled_from(["", "1h", "1d", "4w", "0 22 * * 1-5"]),
        "keep": st.none() | st.integers(1, 400).map(lambda d: dt.timedelta(days=d)),
        "effective_from": st.none() | st.integers(0, 500).map(lambda d: TODAY - dt.timedelta(d)),
        "protects": st.sampled_from(["", "h", "store"]),
        "site": st.sampled_from(["", "x"]),
        "restore_every": st.none() | st.integers(1, 999).map(lambda d: dt.timedelta(days=d)),
        "restore_tests": st.lists(
            st.builds(
                RestoreTest,
                date=st.integers(-9, 900).map(lambda d: TODAY - dt.timedelta(d)),
                result=st.sampled_from(["ok", "failed"]),
                minutes=st.none() | st.integers(0, 10**6),
            ),
            max_size=2,
        ).map(tuple),
    }
)
levels = st.sampled_from([None, 1, 2, 3, 4, 5])


@settings(max_examples=150, deadline=None)
@given(made=serieses, keys=sets, level=levels)
def test_every_check_of_a_set_speaks(
    made: BackupSeries, keys: dict[str, Any], level: int | None
) -> None:
    backup = a_set(**keys)
    subject = about(a_system(backup, level=level), backup)
    found = {check.id: judge(check, made, subject) for check in OF_SETS}
    restored = [p for p in made.proofs if p.kind in (ProofKind.EXTRACT, ProofKind.RESTORE)]
    if not restored and not keys["restore_tests"]:
        assert found["backup.restore-tested"].status is not Status.PASS
    if not made.points:
        fine = {i for i, v in found.items() if v.status is Status.PASS}
        assert fine <= {
            "backup.history-sufficient",  # what earlier scans saw
            *("backup.encrypted", "backup.immutable", "backup.protected-from-host"),
            *("backup.integrity-verified", "backup.restore-tested", "backup.restore-in-time"),
        }
        assert found["backup.recent"].status in (Status.FAIL, Status.UNKNOWN)


@settings(max_examples=150, deadline=None)
@given(
    made=serieses,
    keys=sets,
    level=levels,
    dark=st.dictionaries(st.sampled_from(["x", "y"]), failure, max_size=2),
)
def test_every_check_over_sets_speaks(
    made: BackupSeries, keys: dict[str, Any], level: int | None, dark: dict[str, Failure]
) -> None:
    backup = a_set(**keys)
    system = a_system(backup, level=level)
    places = tuple(places_of(context(copies.copies, about(system, backup)), made))
    found = Copies(places=places, dark=dark)
    for check in OVER_SETS:
        verdict = judge(check, found, about(system))
        if verdict.status is Status.PASS:
            assert any(p.fresh for p in places)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda t: t.__name__)
def test_no_words_are_left_over(topic: Any) -> None:
    source = inspect.getsource(topic)
    checks: tuple[Check, ...] = topic.CHECKS
    said_elsewhere = {"below", "unseen"}  # in `duties`
    for check in checks:
        for name in set(words(check.id)["messages"]) - said_elsewhere:
            stem = name.removesuffix("_assumed")
            assert re.search(rf"[\".'{{}}]{stem}\b", source), f"{check.id}.{name}"
