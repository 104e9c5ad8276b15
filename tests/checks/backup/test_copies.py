"""3-2-1, separation and other sites, over all sets of a system, some of them in the dark."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from checks.backup.copies import CopyOptions, OffsiteOptions, copies, offsite, separate
from checks.backup.places import COPIES, Copies, Place, places_of
from checks.backup.same_data import same_data
from checks.backup.series import BackupSeries, PointState, Repository
from checks.evidence import Answers, Evidence, Failure, FailureKind, Need
from checks.model import Check, Severity, Status, Verdict
from inventory.model import BackupExemption, BackupSet
from tests.helpers.backup_judging import TODAY, a_set, a_system, about, context, judge, said
from tests.helpers.backup_series import DAY, NOW, at, daily, point, series

WHY = Failure(kind=FailureKind.UNREACHABLE, detail="store: refused")
OFF = a_set(id="off", server="", bucket="bucket", kind="s3", path="p/")


def place(device: str = "store", **more: Any) -> Place:
    given: dict[str, Any] = {
        "set": "db",
        "protects": "h",
        "device": device,
        "own_host": device == "h",
        "site": "there" if device == "far" else "here",
        "site_from": "here",
        "fresh": True,
        "age": 3600.0,
    }
    return Place(**given | more)


def of(
    check: Check,
    *places: Place,
    level: int | None = 3,
    dark: Iterable[str] = (),
    options: Any = None,
    sets: tuple[BackupSet, ...] = (a_set(),),
    **more: Any,
) -> Verdict:
    found = Copies(places=places, dark=dict.fromkeys(dark, WHY))
    return judge(check, found, about(a_system(*sets, level=level, **more)), options)


STALE = place("far", fresh=False)


@pytest.mark.parametrize(
    ("places", "level", "dark", "expected"),
    [
        ((place("store"), place("far")), 3, (), ("enough", "pass", None)),
        # Production, a copy beside it, one elsewhere: three copies on two devices.
        ((place("h"), place("far")), 3, (), ("enough", "pass", None)),
        ((place("store"),), 3, (), ("few", "fail", Severity.CRITICAL)),
        ((place("store"), place("store")), 3, (), ("few", "fail", Severity.CRITICAL)),
        ((place("store"), STALE), 3, (), ("few", "fail", Severity.CRITICAL)),
        ((place("store"),), None, (), ("few", "fail", Severity.MINOR)),
        ((place("store"),), 2, (), ("below", "not_applicable", None)),
        ((place("store"), place("far")), 2, (), ("enough", "pass", None)),
        ((place("store"),), 3, ("x",), ("unseen", "unknown", None)),
        ((STALE,), 3, ("x",), ("few", "fail", Severity.CRITICAL)),
        ((place("store"), place("far")), 3, ("x",), ("enough", "pass", None)),
        # The poorest server decides.
        (
            (place("store"), place("far"), place("store", protects="i")),
            3,
            (),
            ("few", "fail", Severity.CRITICAL),
        ),
    ],
)
def test_copies(
    places: tuple[Place, ...], level: int | None, dark: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    assert said(of(copies, *places, level=level, dark=dark)) == expected


def test_how_many_copies_is_a_setting() -> None:
    options = CopyOptions(copies=2, devices=2)
    assert said(of(copies, place("store"), options=options))[0] == "enough"
    assert said(of(copies, place("h"), options=options))[0] == "few"


UNPLACED = place("x", own_host=None, unseen=WHY)


@pytest.mark.parametrize(
    ("places", "level", "dark", "expected"),
    [
        ((place("store"),), 2, (), ("apart", "pass", None)),
        ((place("h"),), 2, (), ("same_host", "fail", Severity.MAJOR)),
        ((place("h"),), 3, (), ("same_host", "fail", Severity.CRITICAL)),
        ((place("h"),), 1, (), ("below", "not_applicable", None)),
        ((place("h"),), None, (), ("same_host", "fail", Severity.MINOR)),
        ((place("h"), place("far")), 2, (), ("apart", "pass", None)),
        ((place("h"), STALE), 2, (), ("stale", "fail", Severity.MAJOR)),
        ((place("h"), UNPLACED), 2, (), ("unseen", "unknown", None)),
        ((place("h"),), 2, ("x",), ("unseen", "unknown", None)),
        # A copy that cannot be placed does not help when it is out of date.
        (
            (place("h"), place("x", own_host=None, unseen=WHY, fresh=False)),
            2,
            (),
            ("same_host", "fail", Severity.MAJOR),
        ),
        # One server is fine, another is not.
        (
            (place("store"), place("i", protects="i", own_host=True)),
            2,
            (),
            ("same_host", "fail", Severity.MAJOR),
        ),
    ],
)
def test_separate(
    places: tuple[Place, ...], level: int | None, dark: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    verdict = of(separate, *places, level=level, dark=dark)
    assert said(verdict) == expected
    if verdict.status is Status.UNKNOWN:
        assert verdict.failure == WHY


@pytest.mark.parametrize(
    ("places", "level", "dark", "expected"),
    [
        ((place("store"), place("far")), 5, (), ("away", "pass", None)),
        ((place("store"),), 5, (), ("one_site", "fail", Severity.CRITICAL)),
        ((place("store"),), 4, (), ("one_site", "fail", Severity.MINOR)),
        ((place("store"),), 3, (), ("one_site", "fail", Severity.MINOR)),
        ((place("store"),), 2, (), ("below", "not_applicable", None)),
        ((place("store"), STALE), 5, (), ("stale", "fail", Severity.CRITICAL)),
        ((place("store", site=""),), 5, (), ("unseen", "unknown", None)),
        ((place("store", site_from=""),), 5, (), ("unseen", "unknown", None)),
        ((place("store", site=""),), 2, (), ("below", "not_applicable", None)),
        ((place("store"),), 5, ("x",), ("unseen", "unknown", None)),
        ((place("store", site=""), place("far")), 5, (), ("away", "pass", None)),
    ],
)
def test_offsite(
    places: tuple[Place, ...], level: int | None, dark: tuple[str, ...], expected: tuple[Any, ...]
) -> None:
    assert said(of(offsite, *places, level=level, dark=dark)) == expected


def test_a_site_that_is_not_declared_is_named() -> None:
    for given, what in (
        ({"site": ""}, "site of its copies"),
        ({"site_from": ""}, "server h: site"),
    ):
        verdict = of(offsite, place("store", **given), level=5)
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED
        assert what in verdict.failure.detail


def test_a_copy_elsewhere_must_be_fresh_by_itself() -> None:
    options = OffsiteOptions(max_age_hours=48)
    for age, expected in ((48 * 3600.0, "away"), (48 * 3600.0 + 1, "stale")):
        assert said(of(offsite, place("far", age=age), level=5, options=options))[0] == expected


@pytest.mark.parametrize("check", [copies, separate, offsite], ids=lambda c: c.id)
def test_a_system_without_sets(check: Check) -> None:
    assert said(of(check, sets=(), level=1))[:2] == ("below", "not_applicable")
    assert said(of(check, sets=(), level=5)) == ("none", "fail", Severity.CRITICAL)
    for until, expected in ((TODAY, "exempt"), (TODAY - DAY, "none")):
        free = BackupExemption(reason="r", document="d", approved_by="a", until=until)
        assert said(of(check, sets=(), level=5, backup_exempt=free))[0] == expected


@pytest.mark.parametrize("check", [copies, separate, offsite], ids=lambda c: c.id)
def test_sets_that_do_not_say_whose_data_they_hold(check: Check) -> None:
    verdict = of(check, sets=(a_set(protects=""),), level=5)
    assert said(verdict)[:2] == ("unseen", "unknown")
    assert verdict.failure is not None
    assert "protects" in verdict.failure.detail


@pytest.mark.parametrize("check", [copies, separate, offsite], ids=lambda c: c.id)
def test_when_nothing_was_seen_nothing_is_said(check: Check) -> None:
    verdict = of(check, dark=("db",), level=1)
    assert (verdict.status, verdict.failure) == (Status.UNKNOWN, WHY)


# ---------------------------------------------------------------------------------------- places


def placed(found: BackupSeries, **more: Any) -> list[Place]:
    backup = a_set(**more)
    subject = about(a_system(backup), backup)
    return list(places_of(context(copies, subject), found))


def test_a_folder_lies_where_it_is_read() -> None:
    (found,) = placed(series(daily(14)))
    assert (found.device, found.own_host, found.site, found.site_from) == (
        "store",
        False,
        "here",
        "here",
    )
    assert found.fresh
    assert found.newest == at("2026-11-22 02:00")
    (found,) = placed(series(daily(14)), server="h")
    assert found.own_host is True
    (found,) = placed(series(daily(14)), server="far")
    assert found.site == "there"
    (found,) = placed(series(daily(14)), site="vault")
    assert found.site == "vault"


def test_a_bucket_is_nobodys_server() -> None:
    (found,) = placed(series(daily(14)), kind="s3", server="", bucket="bucket")
    assert (found.device, found.own_host, found.site) == ("bucket", False, "cloud")


@pytest.mark.parametrize(
    ("repository", "server", "own_host"),
    [
        (Repository(location="sftp:x", remote=True), "h", False),
        (Repository(location="sftp:x", remote=True, server="far"), "h", False),
        # Listed on a backup server, kept on the very server that it protects.
        (Repository(location="sftp:h", remote=True, server="h"), "store", True),
        (Repository(location="/r", remote=False), "h", True),
        (Repository(location="/r", remote=False), "store", False),
        (Repository(location="rclone:x", unseen={"remote": WHY}), "h", None),
    ],
)
def test_where_a_repository_lies(
    repository: Repository, server: str, own_host: bool | None
) -> None:
    (found,) = placed(series(daily(14), repositories=(repository,)), server=server)
    assert found.own_host is own_host
    assert found.unseen == (WHY if own_host is None else None)


def test_without_protects_nobody_knows() -> None:
    (found,) = placed(series(daily(14)), protects="")
    assert found.own_host is None
    assert found.unseen is not None
    assert "protects" in found.unseen.detail


def test_each_repository_is_fresh_by_itself() -> None:
    near = [point(p.start, id=f"n{p.id}", repository="near") for p in daily(14)]
    away = [point(p.start, id=f"a{p.id}", repository="away") for p in daily(3, "2026-11-10 02:00")]
    both = (Repository(id="near", remote=False), Repository(id="away", remote=True, location="x"))
    found = placed(series([*near, *away], repositories=both))
    assert [(p.device, p.fresh) for p in found] == [("store", True), ("x", False)]


def test_points_that_name_no_place_lie_in_the_only_one() -> None:
    one = (Repository(id="near", remote=False),)
    two = (*one, Repository(id="away", remote=True, location="x"))
    assert [p.fresh for p in placed(series(daily(14), repositories=one))] == [True]
    assert [p.fresh for p in placed(series(daily(14), repositories=two))] == [False, False]


# ------------------------------------------------------------------------------------------ fact


def listing(target: str, *names: str) -> Evidence:
    subject = about(a_system(a_set(server=target)), a_set(server=target))
    (asked, *_) = COPIES.requests(subject)
    stamp = int(NOW.timestamp()) - 7 * 3600
    fields = ["root", "/b"]
    for n, name in enumerate(names):
        fields += [f"{stamp - n * 86400} {stamp} 0 1000 {n + 1}", f"/b/{name}"]
    text = "\0".join([*fields, "end", "0", ""])
    return Evidence(
        probe=asked.probe, target=target, key=asked.key, taken=NOW, stdout=text.encode(), exit=0
    )


def read(*sets: BackupSet, evidence: Iterable[Evidence]) -> Copies:
    subject = about(a_system(*sets, level=3))
    return COPIES.parse(context(copies, subject), Answers(evidence))


def test_every_set_is_one_of_several_equals() -> None:
    found = COPIES.requests(about(a_system(a_set(), a_set(id="b", server="far"), OFF)))
    assert {r.target for r in found} == {"store", "far", "bucket"}
    assert Need.REQUIRED not in {r.need for r in found}
    assert {r.target for r in found if r.need is Need.MEMBER} == {"store", "far", "bucket"}


def test_a_set_that_cannot_even_be_asked_is_dark_and_the_others_are_read() -> None:
    bad = a_set(id="bad", kind="tape")
    assert COPIES.requests(about(a_system(bad))) == []
    found = read(a_set(), bad, evidence=[listing("store", "a.dump", "b.dump", "c.dump")])
    assert [p.set for p in found.places] == ["db"]
    assert found.places[0].fresh
    assert found.dark["bad"].kind is FailureKind.NOT_DECLARED


def test_missing_failed_and_unreadable_evidence_is_dark() -> None:
    good = listing("store", "a.dump")
    failed = Evidence(probe=good.probe, target="store", key=good.key, taken=NOW, failure=WHY)
    broken = Evidence(probe=good.probe, target="store", key=good.key, taken=NOW, stdout=b"x")
    assert read(a_set(), evidence=[failed]).dark == {"db": WHY}
    assert read(a_set(), evidence=[]).dark["db"].kind is FailureKind.COMMAND_FAILED
    assert read(a_set(), evidence=[broken]).dark["db"].kind is FailureKind.UNPARSABLE
    assert read(a_set(), evidence=[good]).dark == {}


def test_one_sets_evidence_is_not_read_for_another() -> None:
    found = read(a_set(), a_set(id="b", server="far"), evidence=[listing("store", "a.dump")])
    assert [p.set for p in found.places] == ["db"]
    assert set(found.dark) == {"b"}


def test_a_system_without_sets_asks_nothing() -> None:
    assert COPIES.requests(about(a_system())) == []
    assert read(evidence=[]) == Copies()


# ------------------------------------------------------------------------------- whose data it is


def test_each_data_is_counted_by_itself() -> None:
    base = place("store", set="db", data="db")
    files = place("far", set="files", data="files")
    verdict = of(copies, base, files)
    assert said(verdict) == ("few", "fail", Severity.CRITICAL)
    assert verdict.message.args["set"] == "db"
    assert verdict.detail["counts"] == {"h/db": [2, 2], "h/files": [2, 2]}
    again = place("far", set="db-far", data="db")
    assert said(of(copies, base, again))[0] == "enough"


@pytest.mark.parametrize(("check", "name"), [(separate, "same_host"), (offsite, "one_site")])
def test_other_data_elsewhere_does_not_help(check: Check, name: str) -> None:
    near = place("h", set="db", data="db")
    away = place("far", set="files", data="files")
    verdict = of(check, near, away, level=5)
    assert said(verdict)[0] == name
    assert verdict.message.args["set"] == "db"


def test_a_dark_copy_of_other_data_mends_nothing() -> None:
    def judged(bound: dict[str, str]) -> str:
        found = Copies(places=(place("store", data="db"),), dark={"x": WHY}, bound=bound)
        return str(said(judge(copies, found, about(a_system(a_set(), level=3))))[0])

    assert judged({}) == "unseen"
    assert judged({"x": "db"}) == "unseen"
    assert judged({"x": "files"}) == "few"


def listed(*names: str, size: int = 500, **more: Any) -> BackupSeries:
    points = [point(NOW - n * DAY, size, name=name, **more) for n, name in enumerate(names, 1)]
    return series(points)


ABC, ABD = ("a", "b", "c", "d"), ("a", "b", "c", "e")


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        (listed(*ABC), listed(*ABD), True),
        (listed("a"), listed(*ABC), True),
        (listed("a", "b"), listed("a", "x", "y"), False),
        (listed(*ABC), listed(*ABC, size=501), False),
        (listed(*ABC, size=0), listed(*ABC, size=0), False),
        (listed(*ABC, state=PointState.INVALID), listed(*ABC), False),
        (listed(), listed(), False),
        # What tools say of the content.
        (listed("x", size=1, paths=("/srv",)), listed("y", size=2, paths=("/srv",)), True),
        (listed("x", size=1, paths=("/srv",)), listed("y", size=2, paths=("/srv", "/etc")), False),
        (listed("x", size=1, paths=()), listed("y", size=2, paths=()), False),
        (listed("x", size=1), listed("y", size=2), False),
    ],
)
def test_listings_that_show_the_same_data(one: BackupSeries, two: BackupSeries, same: bool) -> None:
    sets = (a_set(id="one"), a_set(id="two"))
    found = same_data(sets, {"one": one, "two": two})
    assert (found["one"] == found["two"]) == same
    apart = (a_set(id="one"), a_set(id="two", protects="i"))
    assert same_data(apart, {"one": one, "two": two}) == {"one": "one", "two": "two"}


def test_declared_copies_are_one_data_seen_or_not() -> None:
    sets = (a_set(id="late", copy_of="db"), a_set(), a_set(id="far", copy_of="db"), a_set(id="x"))
    assert same_data(sets, {}) == {"late": "late", "db": "late", "far": "late", "x": "x"}


def test_the_fact_binds_what_is_declared_also_in_the_dark() -> None:
    more = (a_set(id="far", server="far", copy_of="db"), a_set(id="x", server="bare"))
    found = read(a_set(), *more, evidence=[listing("store", "a.dump", "b.dump", "c.dump")])
    assert [(p.set, p.data) for p in found.places] == [("db", "db")]
    assert set(found.dark) == {"far", "x"}
    assert found.bound == {"far": "db"}
    both = [listing(s, "a.dump", "b.dump", "c.dump") for s in ("store", "far")]
    found = read(a_set(), a_set(id="two", server="far"), evidence=both)
    assert [(p.set, p.data) for p in found.places] == [("db", "db"), ("two", "db")]
