"""Exit codes are a promise; every combination stands here."""

from __future__ import annotations

import datetime as dt

import pytest

from checks.model import Message, Severity, Status
from checks.results import Result, WaiverRef
from scanner.exit_codes import exit_code

WAIVER = WaiverRef(
    reason="r", document="d", approved_by="a", owner="o", until=dt.date(2026, 12, 31)
)


def row(
    status: Status, severity: Severity = Severity.MAJOR, waiver: WaiverRef | None = None
) -> Result:
    return Result(
        check="host.test",
        unit="u",
        system=None,
        target="t",
        subject="",
        status=status,
        severity=severity,
        message=Message(id="engine.silent"),
        waiver=waiver,
    )


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([row(Status.PASS)], 0),
        ([row(Status.PASS), row(Status.NOT_APPLICABLE)], 0),
        ([row(Status.FAIL)], 1),
        ([row(Status.FAIL, Severity.MINOR)], 0),
        ([row(Status.PASS), row(Status.UNKNOWN)], 2),
        ([row(Status.PASS), row(Status.ERROR)], 2),
        ([row(Status.FAIL), row(Status.UNKNOWN)], 3),
        ([row(Status.FAIL, Severity.MINOR), row(Status.UNKNOWN)], 2),
        ([row(Status.FAIL, waiver=WAIVER)], 0),
        ([row(Status.PASS), row(Status.UNKNOWN, waiver=WAIVER)], 0),
        ([], 2),
        ([row(Status.UNKNOWN, waiver=WAIVER)], 2),
    ],
)
def test_codes(rows: list[Result], code: int) -> None:
    assert exit_code(rows, Severity.MAJOR) == code


def test_an_unfinished_scan_is_never_clean() -> None:
    assert exit_code([row(Status.PASS)], Severity.MAJOR, complete=False) == 2
    assert exit_code([row(Status.FAIL)], Severity.MAJOR, complete=False) == 3


def test_the_threshold_can_be_lowered() -> None:
    assert exit_code([row(Status.FAIL, Severity.MINOR)], Severity.MINOR) == 1
    assert exit_code([row(Status.FAIL)], Severity.CRITICAL) == 0
