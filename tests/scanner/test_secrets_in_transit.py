"""A secret reaches the tool on the host, and nothing else: no argument, no evidence, no repr."""

from __future__ import annotations

import datetime as dt
import random
from pathlib import Path

import pytest

from checks.evidence import FailureKind, Request, Source
from inventory.model import Inventory, Server
from scanner.collect import Collector
from scanner.shell import Armed, Batch, compose
from scanner.transports.base import SizeLimits, SshLimits
from scanner.transports.secrets import arm

VALUE = "s3cr3t 'quoted' $HOME `id` \\ \"x\""
NOW = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)


def ask(script: str, probe: str = "p", **secrets: str) -> Request:
    return Request(probe=probe, target="here", source=Source.SHELL, script=script, secrets=secrets)


def collector(project: Path) -> Collector:
    known = Inventory(servers={"here": Server(id="here", unit="u", address="", transport="local")})
    return Collector(
        known,
        ssh=SshLimits(),
        limits=SizeLimits(),
        project=project,
        clock=lambda: NOW,
        jitter=random.Random(1),  # noqa: S311
    )


def test_the_tool_gets_it_and_the_next_probe_does_not(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text(VALUE + "\n")
    length = 'printf %s "$RESTIC_PASSWORD" | wc -c; '
    whole = length + f'[ "$RESTIC_PASSWORD" = "$(head -n 1 {tmp_path}/pw)" ] && echo same'
    asked = [
        ask(whole, RESTIC_PASSWORD="file:pw"),  # noqa: S106 - a reference
        ask("echo ${RESTIC_PASSWORD-none}", "q"),
    ]
    first, second = collector(tmp_path).collect("here", asked)
    assert first.stdout.split() == [str(len(VALUE)).encode(), b"same"]
    assert second.stdout == b"none\n"
    assert VALUE.encode() not in first.stdout + first.stderr


def test_it_stands_in_no_process_listing(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("very-long-secret-word\n")
    look = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c long-secret-word"
    (found,) = collector(tmp_path).collect("here", [ask(f"{look}; true", PW="file:pw")])
    # The search's own words are the only place: once in `sh -c`, once in grep, once in timeout.
    assert b"very-long" not in found.stdout
    assert found.failure is None


def test_without_the_secret_nothing_is_asked_and_the_reference_is_named(tmp_path: Path) -> None:
    (found,) = collector(tmp_path).collect("here", [ask("echo ran", PW="file:no-such-file")])
    assert found.failure is not None
    assert found.failure.kind is FailureKind.AUTH
    assert "no-such-file" in found.failure.detail
    assert b"ran" not in found.stdout


def test_a_value_is_never_shown(tmp_path: Path) -> None:
    armed = arm(ask("true", PW="env:PW"), tmp_path, {"PW": VALUE})
    assert isinstance(armed, Armed)
    assert armed.key == ask("true").key
    assert VALUE not in repr(armed)
    batch = Batch(requests=(armed,), nonce="a" * 32, seconds=5, section_bytes=1024, host_bytes=4096)
    assert VALUE not in repr(batch)
    assert b"export PW" in compose(batch)


@pytest.mark.parametrize("reference", ["plain", "env:", "env:NOT_THERE", "command:false"])
def test_a_reference_that_leads_nowhere_is_auth(tmp_path: Path, reference: str) -> None:
    (found,) = collector(tmp_path).collect("here", [ask("echo ran", PW=reference)])
    assert found.failure is not None
    assert found.failure.kind is FailureKind.AUTH
