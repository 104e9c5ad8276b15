"""Encrypted, locked, out of reach: what the stores say, and what they do not show."""

from __future__ import annotations

from typing import Any

import pytest

from checks.backup.safety import LockOptions, encrypted, immutable, protected_from_host
from checks.backup.series import Repository
from checks.evidence import Failure, FailureKind
from checks.model import Check, Severity, Verdict
from tests.helpers.backup_judging import of_set, said
from tests.helpers.backup_series import DAY, NOW, daily, point, series

WHY = Failure(kind=FailureKind.DENIED, detail="s3:GetBucketPolicy")


def repo(**more: Any) -> Repository:
    return Repository(**{"id": "r", "location": "/r"} | more)


def of(
    check: Check, *repositories: Repository, level: int | None = 3, options: Any = None
) -> Verdict:
    return of_set(check, series(daily(14), repositories=repositories), level, options)


@pytest.mark.parametrize(
    ("repositories", "level", "expected"),
    [
        ((repo(encrypted=True),), 3, ("encrypted", "pass", None)),
        ((repo(encrypted=True),), 1, ("encrypted", "pass", None)),
        ((repo(encrypted=False),), 3, ("plain", "fail", Severity.CRITICAL)),
        ((repo(encrypted=False),), 2, ("below", "not_applicable", None)),
        ((repo(encrypted=False),), None, ("plain", "fail", Severity.MINOR)),
        (
            (repo(encrypted=True), repo(id="b", location="/b", encrypted=False)),
            3,
            ("plain", "fail", Severity.CRITICAL),
        ),
        ((repo(encrypted=True), repo(id="b", location="/b")), 3, ("unseen", "unknown", None)),
        ((repo(),), 3, ("unseen", "unknown", None)),
        ((repo(),), 2, ("below", "not_applicable", None)),
        ((), 3, ("unseen", "unknown", None)),
    ],
)
def test_encrypted(
    repositories: tuple[Repository, ...], level: int | None, expected: tuple[Any, ...]
) -> None:
    assert said(of(encrypted, *repositories, level=level)) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [(True, "encrypted"), (False, "plain"), (None, "unseen")],
)
def test_the_newest_point_tells_what_the_place_does_not(state: bool | None, expected: str) -> None:
    points = [*(point(p.start, encrypted=True) for p in daily(14))]
    points[0] = point(points[0].start, encrypted=state)
    assert said(of_set(encrypted, series(points), 3))[0] == expected


@pytest.mark.parametrize(
    ("repositories", "level", "expected"),
    [
        ((repo(immutable=True),), 3, ("locked", "pass", None)),
        ((repo(immutable=True, immutable_days=7.0),), 3, ("locked", "pass", None)),
        ((repo(immutable=True, immutable_days=6.9),), 3, ("short", "fail", Severity.MINOR)),
        ((repo(immutable=False),), 5, ("changeable", "fail", Severity.MINOR)),
        ((repo(immutable=False),), 2, ("below", "not_applicable", None)),
        (
            (repo(immutable=False), repo(id="b", location="/b", immutable=True)),
            3,
            ("locked", "pass", None),
        ),
        ((repo(immutable=False), repo(id="b", location="/b")), 3, ("unseen", "unknown", None)),
        ((repo(),), 3, ("unseen", "unknown", None)),
        ((), 3, ("unseen", "unknown", None)),
    ],
)
def test_immutable(
    repositories: tuple[Repository, ...], level: int | None, expected: tuple[Any, ...]
) -> None:
    assert said(of(immutable, *repositories, level=level)) == expected


@pytest.mark.parametrize(("days", "expected"), [(8, "locked"), (3, "short"), (-1, "changeable")])
def test_the_lock_of_the_newest_copy_counts_over_what_the_bucket_says(
    days: int, expected: str
) -> None:
    newest = point(NOW - DAY / 24, locked_until=NOW + days * DAY)
    made = series([*daily(14), newest], repositories=(repo(immutable=True, immutable_days=30.0),))
    assert said(of_set(immutable, made, 3))[0] == expected


def test_each_place_has_its_own_newest_copy() -> None:
    points = [
        *(point(p.start, id=f"a{p.id}", repository="a", encrypted=True) for p in daily(3)),
        point(NOW - DAY / 24, id="b", repository="b", encrypted=False),
    ]
    both = (repo(id="a", location="/a"), repo(id="b", location="/b"))
    verdict = of_set(encrypted, series(points, repositories=both), 3)
    assert verdict.detail["places"] == {"/a": True, "/b": False}
    assert verdict.message.args["place"] == "/b"


def test_locks_are_said_in_seconds() -> None:
    held = of(immutable, repo(immutable=True, immutable_days=30.0))
    assert held.message.args["length"] == 30 * 86400
    short = of(immutable, repo(immutable=True, immutable_days=3.0))
    assert short.message.args == {"length": 3 * 86400, "needed": 7 * 86400}


def test_what_is_half_seen_names_the_half_that_lacks() -> None:
    half = repo(
        deletable=False, unseen={"public": WHY, "deletable": Failure(kind=WHY.kind, detail="x")}
    )
    assert of(protected_from_host, half).failure == WHY


def test_how_long_is_a_setting() -> None:
    locked = repo(immutable=True, immutable_days=10.0)
    assert said(of(immutable, locked, options=LockOptions(days=30)))[0] == "short"
    assert of(immutable, locked, options=LockOptions(days=30)).detail["assumed"] is False
    assert of(immutable, locked).detail["assumed"] is True


@pytest.mark.parametrize(
    ("repositories", "level", "expected"),
    [
        ((repo(deletable=False),), 3, ("safe", "pass", None)),
        ((repo(deletable=False, public=False),), 1, ("safe", "pass", None)),
        ((repo(deletable=True),), 3, ("deletable", "fail", Severity.MINOR)),
        ((repo(deletable=True),), 2, ("below", "not_applicable", None)),
        ((repo(deletable=True), repo(id="b", deletable=False)), 3, ("safe", "pass", None)),
        # Open to the public is a breach at every level.
        ((repo(deletable=False, public=True),), 1, ("public", "fail", Severity.MAJOR)),
        ((repo(deletable=False, public=True),), 3, ("public", "fail", Severity.CRITICAL)),
        ((repo(deletable=False, unseen={"public": WHY}),), 3, ("unseen", "unknown", None)),
        ((repo(unseen={"deletable": WHY}),), 3, ("unseen", "unknown", None)),
        ((repo(deletable=True), repo(id="b", location="/b")), 3, ("unseen", "unknown", None)),
        ((), 3, ("unseen", "unknown", None)),
    ],
)
def test_protected_from_host(
    repositories: tuple[Repository, ...], level: int | None, expected: tuple[Any, ...]
) -> None:
    assert said(of(protected_from_host, *repositories, level=level)) == expected


@pytest.mark.parametrize(
    ("check", "field"),
    [(encrypted, "encrypted"), (immutable, "immutable"), (protected_from_host, "deletable")],
)
def test_why_nothing_is_known_is_the_sources_word_or_names_the_kind(
    check: Check, field: str
) -> None:
    assert of(check, repo(unseen={field: WHY})).failure == WHY
    silent = of(check, repo()).failure
    assert silent is not None
    assert silent.kind is FailureKind.NOT_DECLARED
    assert "kind directory does not show" in silent.detail
