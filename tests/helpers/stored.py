"""Values to store: a few plain ones, and strategies for odd ones."""

from __future__ import annotations

import datetime as dt
from typing import Any

from hypothesis import strategies as st

from checks.evidence import Evidence, Failure, FailureKind
from checks.model import Memory, Message, Severity, Status
from checks.results import (
    EvidenceRef,
    Result,
    ScanInfo,
    TargetOutcome,
    WaiverRef,
    fingerprint,
)
from inventory.model import Inventory, Selection, Server, Unit, UnitKind

START = dt.datetime(2026, 11, 21, 2, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)
INVENTORY = Inventory(
    units={"00070": Unit(id="00070", name="Phường Hoàn Kiếm", kind=UnitKind.WARD)},
    servers={"hk-app-01": Server(id="hk-app-01", unit="00070", address="10.0.7.1")},
)


def info(number: int = 0, *, simulated: bool = False, **selection: tuple[str, ...]) -> ScanInfo:
    """An unfinished scan, started `number` hours after the first."""
    started = START + number * HOUR
    return ScanInfo(
        id=f"{started:%Y%m%dT%H%M%SZ}-{number:06x}",
        started=started,
        tool="sauro 0",
        legal_basis=2026,
        timezone="Asia/Ho_Chi_Minh",
        selection=Selection(**selection),
        simulated=simulated,
    )


def row(name: str, status: Status = Status.FAIL, *, check: str = "host.clock") -> Result:
    """A row about one target."""
    return Result(
        check=check,
        unit="00070",
        system=None,
        target=name,
        subject="",
        status=status,
        severity=Severity.MAJOR,
        message=Message(id=f"{check}.said", args={"n": 1}),
        fingerprint=fingerprint(check, "00070", None, name, ""),
    )


def mark(name: str) -> str:
    """Fingerprint of `row(name)`."""
    return row(name).fingerprint


def answer(target: str, stdout: bytes = b"ok\n", *, key: str = "host.clock") -> Evidence:
    """What one request brought."""
    return Evidence(probe=key, target=target, key=key, taken=START, stdout=stdout, exit=0)


def outcome(target: str) -> TargetOutcome:
    """A visit that went well."""
    return TargetOutcome(target=target, unit="00070", outcome="ok", seconds=0.4)


# Text as hosts and files bring it: any code point but halves of surrogate pairs, NUL included.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
moments = st.datetimes(
    START.replace(year=1900, tzinfo=None),
    START.replace(year=9000, tzinfo=None),
    timezones=st.just(dt.UTC),
)
json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
failures = st.builds(Failure, kind=st.sampled_from(FailureKind), detail=texts)
results = st.builds(
    Result,
    check=texts,
    unit=texts,
    system=st.none() | texts,
    target=texts,
    subject=texts,
    status=st.sampled_from(Status),
    severity=st.sampled_from(Severity),
    message=st.builds(Message, id=texts, args=st.dictionaries(texts, texts | st.floats(0, 1))),
    detail=st.dictionaries(texts, json_values, max_size=4),
    failure=st.none() | failures,
    evidence=st.lists(
        st.builds(EvidenceRef, probe=texts, target=texts, sha256=texts, taken=moments), max_size=2
    ).map(tuple),
    waiver=st.none()
    | st.builds(
        WaiverRef,
        reason=texts,
        document=texts,
        approved_by=texts,
        owner=texts,
        until=st.dates(),
    ),
    fingerprint=texts,
)
memories = st.builds(
    Memory,
    kind=st.just("backup.points"),
    subject=texts,
    id=texts,
    time=moments,
    data=st.binary(max_size=40),
    first_seen=moments,
    last_seen=moments,
)
evidence = st.builds(
    Evidence,
    probe=texts,
    target=texts,
    key=texts,
    taken=moments,
    stdout=st.binary(max_size=2000),
    stderr=st.binary(max_size=50),
    exit=st.none() | st.integers(0, 255),
    failure=st.none() | failures,
    seconds=st.floats(0, 100),
)
