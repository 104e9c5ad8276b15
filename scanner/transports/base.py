"""What every transport promises, and the settings that they share."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Annotated, Protocol

import msgspec
from msgspec import Meta

from checks.evidence import Evidence, Failure, FailureKind, Request

Clock = Callable[[], dt.datetime]
"""The wall clock, UTC and aware; tests pass their own."""


class SshLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `ssh:` block of the settings. Times in seconds."""

    workers: Annotated[int, Meta(ge=1, le=512)] = 32
    processes: Annotated[int, Meta(ge=1, le=64)] = 1
    connect_timeout: Annotated[float, Meta(ge=0.1, le=600)] = 10.0
    host_timeout: Annotated[float, Meta(ge=1, le=86400)] = 120.0
    known_hosts: str = "known_hosts"
    config: str = "~/.ssh/config"
    retries: Annotated[int, Meta(ge=0, le=10)] = 1
    """Further tries after a refused or dropped connection; never after a wrong key or login."""


class SizeLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The `limits:` block of the settings, in bytes."""

    section_bytes: Annotated[int, Meta(ge=1024, le=2**30)] = 1_048_576
    host_bytes: Annotated[int, Meta(ge=1024, le=2**34)] = 16_777_216


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
