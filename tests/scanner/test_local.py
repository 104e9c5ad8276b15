"""The scanner's own machine: the same script, and nothing survives its deadline."""

from __future__ import annotations

import datetime as dt

import msgspec

from checks.evidence import Evidence, FailureKind, Request, Source
from scanner.transports.base import SizeLimits
from scanner.transports.local import LocalTransport


def ask(script: str, probe: str = "p", **fields: object) -> Request:
    request = Request(probe=probe, target="here", source=Source.SHELL, script=script)
    return msgspec.structs.replace(request, **fields)


def collect(requests: list[Request], timeout: float = 60) -> list[Evidence]:
    transport = LocalTransport(
        SizeLimits(section_bytes=10_000, host_bytes=100_000),
        lambda: dt.datetime.now(dt.UTC),  # noqa: TID251 - a real shell has a real clock
        timeout,
    )
    found = transport.collect(requests)
    assert [e.key for e in found] == [r.key for r in requests]
    return found


def kinds(found: list[Evidence]) -> list[FailureKind | None]:
    return [e.failure.kind if e.failure else None for e in found]


def test_good_and_bad_sections_each_get_their_own() -> None:
    found = collect(
        [
            ask("echo a; echo b >&2"),
            ask("no-such-tool"),
            ask("sleep 30", timeout=1),
            ask("cat /dev/zero"),
            ask("pwd", "q"),
        ]
    )
    assert (found[0].stdout, found[0].stderr) == (b"a\n", b"b\n")
    assert kinds(found) == [
        None,
        FailureKind.MISSING_TOOL,
        FailureKind.TIMEOUT,
        FailureKind.TRUNCATED,
        None,
    ]
    assert found[4].stdout == b"/\n"


def test_a_script_larger_than_any_pipe_goes_in_while_the_answer_comes_out() -> None:
    requests = [ask(f"# {'x' * 50_000}\nhead -c 9000 /dev/zero", f"p{i}") for i in range(10)]
    found = collect(requests)
    assert kinds(found) == [None] * 10
    assert all(e.stdout == bytes(9000) for e in found)


def test_the_deadline_ends_the_whole_group() -> None:
    # A section that escapes its own limit by a session of its own still ends the visit in time.
    found = collect([ask("echo a", "a"), ask("setsid sleep 20", timeout=1)], timeout=4)
    assert found[1].failure is not None
    assert found[1].failure.kind is FailureKind.TIMEOUT


def test_a_stream_is_a_view() -> None:
    found = collect([ask("seq 1 400000", stream=True, limit=10_000_000)])
    assert isinstance(found[0].stdout, memoryview)
    assert bytes(found[0].stdout).endswith(b"\n400000\n")
