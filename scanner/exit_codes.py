"""Exit codes: a promise to scripts and cron jobs."""

from __future__ import annotations

from collections.abc import Iterable

from checks.model import Severity, Status
from checks.results import Result, at_least

CLEAN = 0
FAILURES = 1
UNSEEN = 2


def exit_code(results: Iterable[Result], fail_on: Severity, *, complete: bool = True) -> int:
    """0 clean, 1 failures at or above `fail_on`, 2 something not seen, 3 both.

    Waived rows count for neither, as somebody answers for them. A scan that judged nothing, or
    that stopped early, is never 0.
    """
    judged = False
    bad = 0 if complete else UNSEEN
    for row in results:
        judged = judged or row.status not in (Status.UNKNOWN, Status.ERROR)
        if row.waiver is not None:
            continue
        if row.status is Status.FAIL and at_least(row.severity, fail_on):
            bad |= FAILURES
        elif row.status in (Status.UNKNOWN, Status.ERROR):
            bad |= UNSEEN
    return bad if judged else bad | UNSEEN
