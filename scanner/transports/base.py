"""What every transport promises, and the settings that they share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from checks.model import Evidence, Failure, FailureKind, Request

Clock = Callable[[], dt.datetime]
"""The wall clock, UTC and aware; tests pass their own."""


class SshLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `ssh:` block of the settings. Times in seconds."""

    workers: int = 32
    processes: int = 1
    connect_timeout: float = 10.0
    host_timeout: float = 120.0
    known_hosts: str = "known_hosts"
    config: str = "~/.ssh/config"
    retries: int = 1
    """Further tries after a refused or dropped connection; never after a wrong key or login."""


class SizeLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `limits:` block of the settings, in bytes."""

    section_bytes: int = 1_048_576
    host_bytes: int = 16_777_216


class Transport(Protocol):
    """One visit to one target.

    `collect` never raises for what the world does: it returns exactly one evidence per request, in
    order, each an answer or a typed failure, within the host's time limit.
    """

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """Ask everything in one go."""
        ...


def all_failed(
    requests: Sequence[Request], kind: FailureKind, detail: str, taken: dt.datetime
) -> list[Evidence]:
    """The evidence of a visit that brought nothing."""
    failure = Failure(kind=kind, detail=detail)
    return [
        Evidence(probe=r.probe, target=r.target, key=r.key, taken=taken, failure=failure)
        for r in requests
    ]
