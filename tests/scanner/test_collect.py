"""Every target goes to its transport, and a fault in one is a row, not a crash."""

from __future__ import annotations

import datetime as dt
import logging
import pickle
import random
from pathlib import Path

import pytest

from checks.evidence import FILES, Evidence, FailureKind, Request, Source
from inventory.model import Bucket, Inventory, Server
from scanner.collect import Collector
from scanner.transports.base import SizeLimits, SshLimits

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def clock() -> dt.datetime:
    return NOW


def server(name: str, transport: str) -> Server:
    return Server(id=name, unit="u", address="127.0.0.1", transport=transport)  # type: ignore[arg-type]


@pytest.fixture
def collector(tmp_path: Path) -> Collector:
    servers = [server("here", "local"), server("sealed", "bundle"), server("far", "ssh")]
    return Collector(
        Inventory(
            servers={s.id: s for s in servers},
            buckets={"b": Bucket(id="b", unit="u", bucket="b")},
        ),
        ssh=SshLimits(config="", retries=0),
        limits=SizeLimits(),
        project=tmp_path,
        clock=clock,
        jitter=random.Random(1),  # noqa: S311
    )


def shell(target: str, script: str = "echo a") -> Request:
    return Request(probe="p", target=target, source=Source.SHELL, script=script)


def only(found: list[Evidence]) -> Evidence:
    assert len(found) == 1
    return found[0]


def failure(found: list[Evidence]) -> tuple[FailureKind, str]:
    said = only(found).failure
    assert said is not None
    return said.kind, said.detail


def test_each_target_goes_to_its_transport(collector: Collector, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("x")
    files = Request(probe="p", target=FILES, source=Source.FILES, params={"path": "a.csv"})
    assert only(collector.collect("here", [shell("here")])).stdout == b"a\n"
    assert only(collector.collect(FILES, [files])).stdout.endswith(b"\nx")
    sealed = failure(collector.collect("sealed", [shell("sealed")]))
    assert sealed == (FailureKind.NOT_DECLARED, "no bundle was imported for sealed")
    assert failure(collector.collect("nobody", [shell("nobody")]))[0] is FailureKind.NOT_DECLARED
    # Whatever answers on port 22 here, its key is not known or nothing listens.
    far = failure(collector.collect("far", [shell("far")]))[0]
    assert far in (FailureKind.HOST_KEY, FailureKind.UNREACHABLE)
    assert collector.collect("here", []) == []


@pytest.mark.parametrize("fault", ["raises", "forgets", "mixes"])
def test_a_fault_of_ours_is_a_failure_with_its_trace_in_the_log(
    collector: Collector,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(_: object, requests: list[Request]) -> list[Evidence]:
        if fault == "raises":
            raise ZeroDivisionError("\x1b[31mred")
        found = [Evidence(probe="p", target="here", key=r.key, taken=NOW) for r in requests]
        return found[1:] if fault == "forgets" else found[::-1]

    monkeypatch.setattr("scanner.transports.local.LocalTransport.collect", broken)
    requests = [shell("here"), Request(probe="q", target="here", source=Source.SHELL)]
    with caplog.at_level(logging.ERROR):
        found = collector.collect("here", requests)
    assert [e.key for e in found] == ["p", "q"]
    assert {e.failure.kind for e in found if e.failure} == {FailureKind.COMMAND_FAILED}
    assert found[0].failure is not None
    assert found[0].failure.detail.startswith("fault in the scanner: ")
    assert "\x1b" not in found[0].failure.detail
    assert "Traceback" in caplog.text


def test_a_copy_for_another_process_works(collector: Collector) -> None:
    copy = pickle.loads(pickle.dumps(collector))  # noqa: S301 - our own
    assert only(copy.collect("here", [shell("here")])).stdout == b"a\n"
    copy.close()
    collector.close()
