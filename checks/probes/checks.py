"""Checks of the machines themselves."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from checks.evidence import FailureKind
from checks.model import (
    Check,
    Context,
    Options,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    passed,
    unknown,
)
from checks.probes.host import HOST_CLOCK, HOST_IDENTITY_IF_SEEN, HostClock, HostIdentity


class ClockOptions(Options, frozen=True):
    """From how much skew on a clock is wrong, in seconds."""

    minor_seconds: float = 60.0
    major_seconds: float = 300.0

    def __post_init__(self) -> None:
        """Refuse limits that no clock can meet or that stand in the wrong order."""
        if not 0 < self.minor_seconds <= self.major_seconds < math.inf:
            raise ValueError("must be 0 < minor_seconds <= major_seconds")


@check(
    "host.clock",
    Scope.SERVER,
    Severity.MINOR,
    controls=("TCVN 14423:2026 x.8", "CIS 8.4"),
    options=ClockOptions,
).needs(HOST_CLOCK, HOST_IDENTITY_IF_SEEN)
def host_clock(ctx: Context, clock: HostClock, identity: HostIdentity | None) -> Iterable[Verdict]:
    """The clock agrees with the scanner's.

    The true skew lies within `skew` ± `uncertainty`. Only what holds over that whole range is
    said: a pass needs all of it under the minor limit, a failure all of it at or over a limit, and
    the major severity all of it at or over the major one. Anything else is unknown (`timeout`: the
    answer took too long to measure by).
    """
    limits = ctx.opt(ClockOptions)
    least = max(0.0, abs(clock.skew) - clock.uncertainty)
    most = abs(clock.skew) + clock.uncertainty
    detail = _clock_detail(clock, identity)
    # Rounded outwards, so that the sentence never claims more than was measured.
    said: dict[str, Any] = {
        "skew": round(abs(clock.skew)),
        "uncertainty": math.ceil(clock.uncertainty),
        "limit": limits.minor_seconds,
    }
    if least >= limits.minor_seconds:
        severity = Severity.MAJOR if least >= limits.major_seconds else Severity.MINOR
        message = "host.clock.fast" if clock.skew > 0 else "host.clock.slow"
        yield failed(message, detail, severity, **said)
    elif most < limits.minor_seconds:
        yield passed("host.clock.right", detail, **said)
    else:
        yield unknown(FailureKind.TIMEOUT, "host.clock.unsure", detail, **said)


def _clock_detail(clock: HostClock, identity: HostIdentity | None) -> dict[str, Any]:
    return {
        "skew_seconds": round(clock.skew, 3),
        "uncertainty_seconds": round(clock.uncertainty, 3),
        "offset_minutes": round(clock.offset.total_seconds() / 60),
        "zone": clock.zone or None,
        "hostname": identity.hostname if identity else None,
        "kernel": identity.kernel if identity else None,
        "os": identity.os if identity else None,
    }


CHECKS: tuple[Check, ...] = (host_clock,)
