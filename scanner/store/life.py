"""The life of findings, from the turns of their state. Pure.

A turn is (time, state), written only when the state of a fingerprint differs from the one before:
`fail`, `dark` (unknown or error: not seen), `pass`, or `none` (proved not to apply). Times are in
any unit that compares; turns are in the order of their times.
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.model import Status

Turns = Sequence[tuple[int, str]]

STATE = {
    Status.FAIL: "fail",
    Status.ERROR: "dark",
    Status.UNKNOWN: "dark",
    Status.PASS: "pass",
    Status.NOT_APPLICABLE: "none",
}
"""The state that a row's status stands for; of several rows of one fingerprint the worst."""


def open_since(turns: Turns, now: int) -> int:
    """Start of the unbroken time without a pass that reaches `now`; `now` when nothing is known."""
    start = now
    for when, state in reversed(turns):
        if state not in {"fail", "dark"}:
            break
        start = when
    return start


def came_back(turns: Turns) -> bool:
    """Whether it failed, was then seen to pass, and fails again at the end."""
    seen = [state for _, state in turns]
    if not seen or seen[-1] != "fail" or "fail" not in seen[:-1]:
        return False
    return "pass" in seen[seen.index("fail") :]


def open_in_the_dark(turns: Turns) -> bool:
    """Whether it cannot be seen at the end but failed when it was last seen."""
    if not turns or turns[-1][1] != "dark":
        return False
    return next((state for _, state in reversed(turns) if state != "dark"), "") == "fail"
