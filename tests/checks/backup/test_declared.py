"""A written rule, every server bound or exempted, exemptions that lapse to the day."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.backup.declared import RuleOptions, declared, months_later, rule_reviewed
from checks.evidence import FailureKind
from checks.model import Severity, Verdict
from inventory.model import BackupExemption, BackupRule, BackupSet
from tests.helpers import backup_judging as helper
from tests.helpers.backup_judging import TODAY, a_set, a_system, about, judge, said
from tests.helpers.backup_series import NOW

DAY = dt.timedelta(days=1)
RULE = BackupRule(document="07/QĐ-UBND", date=TODAY - 100 * DAY)


def exempt(until: dt.date, *servers: str) -> BackupExemption:
    return BackupExemption(
        reason="r", document="9/QĐ", approved_by="Chủ tịch", until=until, servers=servers
    )


def of(*sets: BackupSet, level: int | None = 2, **more: Any) -> Verdict:
    return judge(
        declared, None, about(a_system(*sets, level=level, **{"backup_rule": RULE} | more))
    )


FULL = a_set()
OTHER = a_set(id="b", protects="i")
VAGUE = a_set(id="c", protects="")
UNTIMED = a_set(id="d", every="")
TWO: dict[str, Any] = {"servers": ("h", "i")}


@pytest.mark.parametrize(
    ("sets", "more", "expected"),
    [
        ((FULL,), {}, ("complete", "pass", None)),
        ((FULL, OTHER), TWO, ("complete", "pass", None)),
        ((), {}, ("none", "fail", Severity.MAJOR)),
        ((), {"level": 3}, ("none", "fail", Severity.CRITICAL)),
        ((), {"level": None}, ("none", "fail", Severity.MAJOR)),
        ((FULL,), TWO, ("unbound", "fail", Severity.MAJOR)),
        ((FULL,), TWO | {"level": 4}, ("unbound", "fail", Severity.CRITICAL)),
        ((VAGUE,), TWO, ("vague", "unknown", None)),
        ((FULL, VAGUE), TWO, ("vague", "unknown", None)),
        ((FULL, UNTIMED), {}, ("no_frequency", "fail", Severity.MINOR)),
        ((FULL,), {"backup_rule": None}, ("no_rule", "fail", Severity.MINOR)),
        ((FULL,), {"backup_rule": None, "level": 3}, ("no_rule", "fail", Severity.MAJOR)),
    ],
)
def test_declared(
    sets: tuple[BackupSet, ...], more: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert said(of(*sets, **more)) == expected


@pytest.mark.parametrize(
    ("until", "expected"),
    [(TODAY - DAY, "fail"), (TODAY, "pass"), (TODAY + DAY, "pass")],
)
def test_an_exemption_holds_through_its_last_day(until: dt.date, expected: str) -> None:
    whole = of(backup_exempt=exempt(until))
    assert said(whole)[:2] == ("exempt" if expected == "pass" else "lapsed", expected)
    one = of(FULL, **TWO, backup_exempt=exempt(until, "i"))
    assert said(one)[:2] == ("complete" if expected == "pass" else "exemption_lapsed", expected)


def test_the_day_is_that_of_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    # 09:00 in UTC is the next day in the Line Islands, where the exemption is over.
    monkeypatch.setattr(helper, "UTC", ZoneInfo("Pacific/Kiritimati"))
    assert said(of(backup_exempt=exempt(TODAY)))[:2] == ("exempt", "pass")
    monkeypatch.setattr(helper, "NOW", NOW + dt.timedelta(hours=2))
    assert said(of(backup_exempt=exempt(TODAY)))[:2] == ("lapsed", "fail")


def test_exempting_some_servers_does_not_exempt_a_system_without_sets() -> None:
    assert said(of(**TWO, backup_exempt=exempt(TODAY, "i")))[0] == "none"
    assert said(of(**TWO, backup_exempt=exempt(TODAY, "i", "h")))[0] == "exempt"


def test_a_lapsed_exemption_is_not_blamed_for_a_server_it_never_named() -> None:
    assert said(of(FULL, **TWO, backup_exempt=exempt(TODAY - DAY, "x")))[0] == "unbound"


def reviewed(rule: BackupRule | None, level: int | None = 2, months: int | None = None) -> Verdict:
    system = a_system(FULL, level=level, backup_rule=rule)
    return judge(rule_reviewed, None, about(system), RuleOptions(months=months))


@pytest.mark.parametrize(
    ("rule", "level", "expected"),
    [
        (RULE, 2, ("current", "pass", None)),
        (BackupRule(document="d", date=dt.date(2025, 11, 22)), 2, ("current", "pass", None)),
        (
            BackupRule(document="d", date=dt.date(2025, 11, 21)),
            2,
            ("overdue", "fail", Severity.MINOR),
        ),
        (
            BackupRule(document="d", date=dt.date(2025, 11, 21)),
            3,
            ("overdue", "fail", Severity.MAJOR),
        ),
        (
            BackupRule(document="d", date=dt.date(2020, 1, 1), reviewed=TODAY - DAY),
            2,
            ("current", "pass", None),
        ),
        (BackupRule(document="d", date=TODAY + DAY), 2, ("future", "fail", Severity.MINOR)),
        (None, 2, ("no_rule", "unknown", None)),
    ],
)
def test_rule_reviewed(rule: BackupRule | None, level: int, expected: tuple[Any, ...]) -> None:
    verdict = reviewed(rule, level)
    assert said(verdict) == expected
    if rule is None:
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED
        assert "backup_rule" in verdict.failure.detail


def test_the_settings_may_ask_for_another_interval() -> None:
    assert said(reviewed(RULE, months=3))[0] == "overdue"
    assert reviewed(RULE, months=3).detail["assumed"] is False
    assert reviewed(RULE).detail["assumed"] is True
    with pytest.raises(ValueError, match="months"):
        RuleOptions(months=0)
    with pytest.raises(ValueError, match="months"):
        RuleOptions(months=121)
    assert (RuleOptions(months=1).months, RuleOptions(months=120).months) == (1, 120)


def test_a_rule_of_today_is_current() -> None:
    assert said(reviewed(BackupRule(document="d", date=TODAY)))[0] == "current"


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2025-01-31", 1, "2025-02-28"),
        ("2024-01-31", 1, "2024-02-29"),
        ("2025-12-01", 1, "2026-01-01"),
        ("2025-06-30", 12, "2026-06-30"),
        ("9999-12-31", 12, "9999-12-31"),
    ],
)
def test_months_later(day: str, months: int, expected: str) -> None:
    assert months_later(dt.date.fromisoformat(day), months).isoformat() == expected
