from __future__ import annotations

import datetime as dt
import inspect
import re
import string
from collections.abc import Iterable
from typing import Any

import msgspec
import pytest

from checks.backup import recency
from checks.backup.history import KIND, merge, remember
from checks.backup.series import BackupPoint, BackupSeries, Listing, PointState
from checks.backup.sources.registry import SERIES
from checks.catalogue import builtin
from checks.evidence import Answers, Evidence, NotDeclared
from checks.model import Check, Context, Memory, Scope, Severity, Status, Subject, Verdict
from checks.texts import LANGUAGES, render, say, words
from inventory.model import BackupSet, Inventory, System, Unit, UnitKind
from tests.helpers.backup_series import DAY, HOUR, NOW, UTC, at, daily, point, series

CHECKS: tuple[Check, ...] = tuple(c for c in builtin().checks if c.family == "backup")
UNIT = Unit(id="u", name="U", kind=UnitKind.WARD)


def subject(level: int | None = 2, **more: Any) -> Subject:
    given = {"id": "db", "system": "s", "kind": "directory", "server": "h", "path": "/b/*.dump"}
    backup = BackupSet(**{**given, "every": "1d", **more})
    system = System(id="s", unit="u", name="S", owner="u", level=level, backups=(backup,))
    inventory = Inventory(units={"u": UNIT}, systems={"s": system})
    return Subject(
        scope=Scope.BACKUP,
        inventory=inventory,
        unit=UNIT,
        target="h",
        name="db",
        system=system,
        backup=backup,
    )


def context(of: Subject | None = None, check: Check = recency.recent) -> Context:
    return Context(
        now=NOW, zone=UTC, legal_basis=2026, subject=of or subject(), options=check.options()
    )


def judge(check: Check, points: Iterable[BackupPoint] | BackupSeries, **more: Any) -> Verdict:
    found = points if isinstance(points, BackupSeries) else series(points)
    (verdict,) = check.judge(context(subject(**more), check), found)
    assert isinstance(verdict, Verdict)
    for language in LANGUAGES:
        assert render(verdict.message, language, UTC)
    if verdict.status is Status.UNKNOWN:
        assert verdict.failure is not None
        assert verdict.failure.detail
    return verdict


def said(verdict: Verdict) -> tuple[str, str, Severity | None]:
    return verdict.message.id.rpartition(".")[2], verdict.status.value, verdict.severity


BAD = point(NOW - HOUR, id="bad", state=PointState.INVALID, name="x.gz", notes=("broken_archive",))
AHEAD = point(NOW + DAY * 900, id="ahead", name="db-2030.dump")
HANGS = point(NOW - DAY * 3, id="hangs", state=PointState.RUNNING)
STOPPED = [*daily(14), *(point(NOW - DAY * k, group="b", id=f"b{k}") for k in range(5, 12))]
CUT = Listing(truncated=True, total=9)
YOUNG = {"effective_from": NOW.date()}


@pytest.mark.parametrize(
    ("found", "more", "expected"),
    [
        (daily(14), {}, ("fresh", "pass", None)),
        (daily(14, "2026-11-21 07:00"), {}, ("late", "fail", Severity.MINOR)),
        (daily(14, "2026-11-20 02:00"), {}, ("stale", "fail", Severity.MAJOR)),
        (daily(14, "2026-11-20 02:00"), {"level": 3}, ("stale", "fail", Severity.CRITICAL)),
        (daily(14, "2026-11-20 02:00"), {"level": None}, ("stale", "fail", Severity.MAJOR)),
        ([], {}, ("none", "fail", Severity.MAJOR)),
        ([], YOUNG, ("young", "unknown", None)),
        ([BAD], {}, ("all_invalid", "fail", Severity.MAJOR)),
        ([BAD, *daily(14)], {}, ("newest_invalid", "fail", Severity.MINOR)),
        ([AHEAD, *daily(14)], {}, ("future", "fail", Severity.MINOR)),
        (STOPPED, {}, ("stopped", "fail", Severity.MINOR)),
        ([HANGS], {}, ("stuck", "fail", Severity.MAJOR)),
        ([HANGS, *daily(14, "2026-11-18 02:00")], {}, ("stuck", "fail", Severity.MAJOR)),
        (series([], listing=CUT), {}, ("truncated", "unknown", None)),
        (series(daily(3, "2026-11-10 02:00"), listing=CUT), {}, ("truncated", "unknown", None)),
        (series(daily(14), listing=CUT), {}, ("fresh", "pass", None)),
        ([point(NOW - 30 * HOUR, uncertainty=50400.0)], {}, ("unsure", "unknown", None)),
    ],
)
def test_recent(found: Any, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert said(judge(recency.recent, found, **more)) == expected


@pytest.mark.parametrize(
    ("found", "more", "expected"),
    [
        (daily(14), {}, ("regular", "pass", None)),
        (daily(14, skip=[3]), {}, ("hole", "fail", Severity.MINOR)),
        (daily(14, skip=[3, 4]), {}, ("gap", "fail", Severity.MAJOR)),
        (daily(14, skip=[3, 4]), {"level": 4}, ("gap", "fail", Severity.CRITICAL)),
        (daily(3), {}, ("short_history", "unknown", None)),
        (daily(1), {}, ("short_history", "unknown", None)),
        (daily(1), {"effective_from": dt.date(2026, 1, 1)}, ("gap", "fail", Severity.MAJOR)),
        ([], {}, ("none", "fail", Severity.MAJOR)),
        ([], YOUNG, ("young", "unknown", None)),
        (series([], listing=CUT), {}, ("truncated", "unknown", None)),
        (series(daily(14, skip=[3, 4]), listing=CUT), {}, ("truncated", "unknown", None)),
        (daily(2), {"keep": DAY * 2}, ("short_history", "unknown", None)),
        (
            series(daily(2), known_since=NOW - DAY * 20),
            {"keep": DAY * 2},
            ("too_few", "fail", Severity.MAJOR),
        ),
    ],
)
def test_periodic(found: Any, more: dict[str, Any], expected: tuple[Any, ...]) -> None:
    assert said(judge(recency.periodic, found, **more)) == expected


def sized(*sizes: int, **more: Any) -> list[BackupPoint]:
    return [
        point(NOW - 2 * HOUR - DAY * k, size=size, name=f"{k}.dump", **more)
        for k, size in enumerate(reversed(sizes))
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (sized(100, 100, 100, 100), ("usual", "pass", None)),
        (sized(100, 100, 100, 49), ("small", "fail", Severity.MINOR)),
        (sized(100, 100, 100, 9), ("tiny", "fail", Severity.MAJOR)),
        (sized(100, 100, 100, 0), ("empty", "fail", Severity.MAJOR)),
        (sized(0), ("empty", "fail", Severity.MAJOR)),
        (sized(100, 100), ("short_history", "unknown", None)),
        ([BAD, *sized(100, 100, 100)], ("broken", "fail", Severity.MAJOR)),
        ([], ("none", "unknown", None)),
        ([point(NOW, size=None)], ("none", "unknown", None)),
        (sized(100, 100, 100, 1000), ("usual", "pass", None)),
    ],
)
def test_size_plausible(found: Any, expected: tuple[Any, ...]) -> None:
    assert said(judge(recency.size_plausible, found)) == expected


def protected(*data: int | None, **more: Any) -> list[BackupPoint]:
    return [
        point(NOW - 2 * HOUR - DAY * k, size=None, data=held, name=f"{k}", **more)
        for k, held in enumerate(reversed(data))
    ]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (protected(100, 100, 100, 100), ("usual_data", "pass", None)),
        (protected(100, 100, 100, 49), ("small_data", "fail", Severity.MINOR)),
        (protected(100, 100, 100, 9), ("tiny_data", "fail", Severity.MAJOR)),
        (protected(100, 100, 100, 0), ("empty", "fail", Severity.MAJOR)),
        (protected(100, 100), ("short_history", "unknown", None)),
        (protected(100, 100, 100, None), ("short_history", "unknown", None)),
        (protected(None, None, None), ("none", "unknown", None)),
    ],
)
def test_without_a_stored_size_the_data_that_is_protected_is_compared(
    found: list[BackupPoint], expected: tuple[Any, ...]
) -> None:
    verdict = judge(recency.size_plausible, found)
    assert said(verdict) == expected
    if verdict.status is not Status.UNKNOWN:
        assert verdict.detail["measure"] == "data"
        assert verdict.detail["sizes"][-1][1] == found[0].data


def test_stored_bytes_are_never_compared_with_bytes_of_data() -> None:
    stored = [point(p.start, size=10, data=10**9, group="repo1") for p in daily(9)[1:]]
    parts = [point(p.start + HOUR, size=None, data=10**9, group="repo1") for p in daily(9)[1:]]
    newest = point(NOW - 7 * HOUR, size=10, data=10**9, group="repo1", id="newest")
    verdict = judge(recency.size_plausible, [*stored, *parts, newest])
    assert said(verdict)[:2] == ("usual", "pass")
    less = point(NOW - 6 * HOUR, size=None, data=10, group="repo1", id="less")
    verdict = judge(recency.size_plausible, [*stored, *parts, newest, less])
    assert (said(verdict)[0], verdict.detail["measure"]) == ("tiny_data", "data")
    # A full copy that shrank is not hidden by a part of the usual data made after it.
    shrunk = point(NOW - 8 * HOUR, size=4, data=10**9, group="repo1", id="shrunk")
    after = point(NOW - 7 * HOUR, size=None, data=10**9, group="repo1", id="after")
    verdict = judge(recency.size_plausible, [*stored, *parts, shrunk, after])
    assert (said(verdict)[0], verdict.detail["measure"]) == ("small", "stored")


def test_a_copy_without_any_data_is_no_copy() -> None:
    nothing = point(NOW - HOUR, size=None, data=0, id="nothing")
    assert said(judge(recency.recent, [nothing]))[0] == "all_invalid"


def test_a_small_database_that_shrank_is_not_hidden_by_a_big_one() -> None:
    big = [point(p.start, size=10**9, group="big") for p in daily(9)]
    small = [point(p.start + HOUR, size=100, group="small", id=f"s{p.id}") for p in daily(9)[1:]]
    shrunk = point(NOW - 8 * HOUR, size=1, group="small", id="shrunk")
    verdict = judge(recency.size_plausible, [*big, *small, shrunk])
    assert said(verdict)[0] == "tiny"
    assert verdict.detail["median"] == 100


def test_a_file_of_another_kind_long_ago_is_not_judged_as_the_newest() -> None:
    old = point(NOW - DAY * 60, size=0, group="manual", id="old")
    assert said(judge(recency.size_plausible, [old, *daily(9)]))[0] == "usual"


@pytest.mark.parametrize(
    ("found", "every", "message", "shown"),
    [
        (daily(14), "0 2 * * *", "fresh", "hạn 1 ngày"),
        (daily(14), "0 2 * * 1-5", "fresh_workdays", "hạn: mỗi ngày làm việc"),
        (daily(14, "2026-11-12 02:00"), "0 2 * * 1-5", "stale_workdays", "ngày làm việc"),
        ([BAD, *daily(14)], "0 2 * * 1-5", "newest_invalid_workdays", "ngày làm việc"),
        ([BAD, *daily(14)], "0 2 * * *", "newest_invalid", "hạn 1 ngày"),
    ],
)
def test_a_promise_by_cron_is_told_by_its_usual_distance(
    found: list[BackupPoint], every: str, message: str, shown: str
) -> None:
    # The machine runs two minutes behind its slot.
    moved = [msgspec.structs.replace(p, start=p.start + dt.timedelta(minutes=2)) for p in found]
    verdict = judge(recency.recent, moved, every=every)
    assert said(verdict)[0] == message
    assert shown in render(verdict.message, "vi", UTC)
    assert verdict.detail["promised"] == 86400.0
    assert verdict.detail["workdays"] is ("workdays" in message)


def test_a_rhythm_of_some_minutes_less_than_a_day_is_called_a_day() -> None:
    for minutes, told in ((0, 86400), (2, 86400), (-20, 86400), (60, 82800)):
        drift = [
            point(NOW - 2 * HOUR - (DAY - dt.timedelta(minutes=minutes)) * k) for k in range(14)
        ]
        verdict = judge(recency.periodic, drift)
        assert said(verdict)[0] == "regular"
        assert verdict.message.args["interval"] == told
        assert verdict.detail["median_interval"] == 86400 - minutes * 60


def test_what_is_promised_is_told_without_a_copy_too() -> None:
    for every, seconds in (("0 2 * * *", 86400.0), ("0 2 * * 0", 604800.0), ("12h", 43200.0)):
        assert judge(recency.recent, [], every=every).detail["promised"] == seconds


def test_a_late_copy_of_working_days_says_so() -> None:
    now = at("2026-11-20 03:00")
    (verdict,) = recency.recent.judge(
        msgspec.structs.replace(context(subject(every="0 2 * * 1-5")), now=now),
        series(daily(14, "2026-11-19 02:00")),
    )
    assert said(verdict) == ("late_workdays", "fail", Severity.MINOR)


def test_the_details_that_reports_draw() -> None:
    recent = judge(recency.recent, daily(14)).detail
    assert recent["newest"] == "2026-11-22T02:00:00+00:00"
    assert (recent["age"], recent["promised"], recent["grace"]) == (25200.0, 86400.0, 10800.0)
    assert recent["ratio"] == pytest.approx(7 / 24)
    assert recent["due"] == "2026-11-23T02:00:00+00:00"
    periodic = judge(recency.periodic, daily(14, skip=[3])).detail
    assert len(periodic["slots"]) == 14
    assert periodic["slots"][-1] == ["2026-11-22T02:00:00+00:00", "kept"]
    assert [s for _, s in periodic["slots"]].count("missed") == 1
    assert (periodic["expected"], periodic["kept"], periodic["missed"]) == (7, 6, 1)
    assert (periodic["longest_gap"], periodic["every"]) == (172800.0, "1d")
    assert periodic["assumed"] is False
    size = judge(recency.size_plausible, daily(14)).detail
    assert size["sizes"][-1] == ["2026-11-22T02:00:00+00:00", 1000]
    assert (len(size["sizes"]), size["median"]) == (14, 1000)


def test_without_a_frequency_the_house_default_of_the_level_is_assumed_and_said() -> None:
    detail = judge(recency.periodic, daily(14), every="").detail
    assert (detail["assumed"], detail["every"]) == (True, "7d")
    assert judge(recency.recent, daily(14), every="", level=3).detail["every"] == "1d"


# ------------------------------------------------------------------------------------------ words


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.id)
def test_every_check_has_its_words_in_both_languages(check: Check) -> None:
    for part in ("title", "rationale", "remedy", "product"):
        texts = {language: say(check.id, part, language) for language in LANGUAGES}
        assert texts["vi"] != texts["en"]
    for message in words(check.id)["messages"].values():
        fields = [
            sorted((f, s or "") for _, f, s, _ in string.Formatter().parse(message[lang]) if f)
            for lang in LANGUAGES
        ]
        assert fields[0] == fields[1]


def test_every_message_is_used_and_every_used_one_has_its_words() -> None:
    source = "".join(inspect.getsource(module) for module in (recency,))
    ids = "|".join(re.escape(c.id) for c in recency.CHECKS)
    used = set(re.findall(rf'"((?:{ids})\.[a-z_]+)"', source))
    assert used == {f"{c.id}.{n}" for c in recency.CHECKS for n in words(c.id)["messages"]}


# --------------------------------------------------------------------------------- facts, history


def test_what_is_not_declared_is_said_before_anything_is_asked() -> None:
    wrong: list[tuple[dict[str, Any], str]] = [
        ({"kind": "tape"}, "kind 'tape' is not known"),
        ({"server": ""}, "s/db: server"),
        ({"kind": "s3"}, "s/db: bucket"),
        ({"path": ""}, "s/db: path"),
        ({"path": "/b/*/x.dump"}, "pattern in its last part"),
        ({"path": "/b\n/x"}, "line breaks"),
        ({"every": "often"}, "neither a duration"),
    ]
    for given, what in wrong:
        with pytest.raises(NotDeclared, match=what):
            SERIES.requests(subject(**given))


def test_points_are_remembered_and_come_back_when_the_listing_has_lost_them() -> None:
    earlier = series(daily(10))
    kept = remember(earlier, "backup/u/s/h/db")
    assert {m.kind for m in kept} == {KIND}
    assert len({m.id for m in kept}) == 10
    seen = [
        Memory(
            kind=m.kind,
            subject=m.subject,
            id=m.id,
            time=m.time,
            data=m.data,
            first_seen=at("2026-11-15 03:00"),
        )
        for m in kept
    ]
    now = series(daily(4))
    merged = merge(now, seen, None, NOW)
    assert (len(merged.past), merged.vanished) == (6, ())
    assert merged.known_since == at("2026-11-15 03:00")
    lost = merge(now, seen, DAY * 7, NOW)
    assert len(lost.vanished) == 2
    assert merge(series(daily(4), listing=CUT), seen, DAY * 7, NOW).vanished == ()
    odd = Memory(kind=KIND, subject="x", id="x", time=NOW, data=b"{")
    assert merge(now, [odd], None, NOW).past == ()


def test_a_point_whose_time_is_read_anew_is_still_the_same_point() -> None:
    before = point(at("2026-11-20 09:00"), id="1:2")
    after = point(at("2026-11-20 02:00"), id="1:2")
    assert merge(series([after]), remember(series([before]), "x"), DAY * 30, NOW).past == ()


def test_running_points_are_not_remembered() -> None:
    assert [m.id for m in remember(series([BAD, HANGS]), "x")] == ["bad"]


def test_what_was_found_broken_stays_broken_when_it_is_no_longer_opened() -> None:
    listed = [*daily(14)[:3], point(at("2026-11-19 02:00")), *daily(14)[4:]]
    broken = msgspec.structs.replace(
        listed[3], state=PointState.INVALID, notes=("no_completion_mark",)
    )
    known = remember(series([broken]), "x")
    (again,) = (p for p in merge(series(listed), known, None, NOW).points if p.id == broken.id)
    assert (again.state, again.notes) == (PointState.INVALID, ("no_completion_mark",))
    opened = msgspec.structs.replace(listed[3], checked=True)
    (fine,) = merge(series([opened]), known, None, NOW).points
    assert fine.state is PointState.OK
    assert merge(series([]), known, DAY * 30, NOW).vanished == ()


def test_an_answer_without_a_listing_is_no_series() -> None:
    evidence = Evidence(probe="other", target="h", key="other", taken=NOW)
    with pytest.raises(Exception, match="no answer"):
        SERIES.parse(context(), Answers([evidence]))
