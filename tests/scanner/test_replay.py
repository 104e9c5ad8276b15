"""Recorded evidence answers like a visit; what was not recorded is said to be stale."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from checks.evidence import Evidence, FailureKind, Request, Source, Unparsable
from scanner.transports.replay import ReplayTransport, load_recorded, save_recorded

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)


def evidence(stdout: bytes, hours: int = 0, **params: str) -> Evidence:
    request = ask(**params)
    taken = NOW + dt.timedelta(hours=hours)
    return Evidence(probe="p", target="srv", key=request.key, taken=taken, stdout=stdout, exit=0)


def ask(**params: str) -> Request:
    return Request(probe="p", target="srv", source=Source.SHELL, params=params)


def test_the_latest_recording_of_a_key_answers() -> None:
    transport = ReplayTransport(
        [evidence(b"new", 2), evidence(b"old", 1), evidence(b"other", path="/x")], lambda: NOW
    )
    found = transport.collect([ask(path="/x"), ask(), ask(path="/y")])
    assert [e.stdout for e in found] == [b"other", b"new", b""]
    assert found[2].failure is not None
    assert found[2].failure.kind is FailureKind.STALE
    assert found[2].key == "p?path=/y"


@pytest.mark.parametrize("name", ["a.json", "a.msgpack"])
def test_any_bytes_survive_a_file(tmp_path: Path, name: str) -> None:
    recorded = [evidence(bytes(range(256)))]
    save_recorded(tmp_path / name, recorded)
    assert load_recorded(tmp_path) == recorded


@pytest.mark.parametrize("name", ["a.json", "a.msgpack"])
def test_a_damaged_recording_is_named(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b'[{"probe": 1')
    with pytest.raises(Unparsable, match=name):
        load_recorded(tmp_path)
