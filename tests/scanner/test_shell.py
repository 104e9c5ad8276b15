"""One script, one answer: any bytes survive, every way to fail has its kind."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
import time
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.evidence import Evidence, FailureKind, Request, Source
from checks.probes.host import CLOCK, read_clock
from scanner.shell import STDERR_BYTES, Answer, Batch, compose, quote, shown, split

TAKEN = dt.datetime(2026, 11, 21, 2, 0, tzinfo=dt.UTC)
NONCE = "0123456789abcdef" * 2
SHELLS = ["dash", "bash", "bash --posix", "busybox sh", "mksh", "ksh", "zsh --emulate sh"]
SHELLS = [s for s in SHELLS if shutil.which(s.split()[0])]


def ask(script: str, probe: str = "p", **fields: object) -> Request:
    request = Request(probe=probe, target="srv", source=Source.SHELL, script=script)
    return msgspec.structs.replace(request, **fields)


def batch(*requests: Request, seconds: float = 60, section: int = 100_000) -> Batch:
    return Batch(
        requests=requests,
        nonce=NONCE,
        seconds=seconds,
        section_bytes=section,
        host_bytes=10_000_000,
    )


def run(
    asked: Batch,
    shell: str = "sh",
    edit: tuple[str, str] = ("", ""),
    environment: dict[str, str] | None = None,
    before: str = "",
) -> list[Evidence]:
    script = before + compose(asked).decode().replace(*edit)
    began = time.monotonic()
    done = subprocess.run(
        [*shell.split(), "-s"],
        input=script.encode(),
        capture_output=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environment or {})},
    )
    answer = Answer(
        stdout=done.stdout,
        stderr=done.stderr,
        taken=dt.datetime.now(dt.UTC),  # noqa: TID251 - a real shell has a real clock
        seconds=time.monotonic() - began,
        exit=done.returncode,
    )
    found = split(asked, answer)
    assert [e.key for e in found] == [r.key for r in asked.requests]
    return found


def kind(evidence: Evidence) -> FailureKind | None:
    return evidence.failure.kind if evidence.failure else None


def detail(evidence: Evidence) -> str:
    assert evidence.failure is not None
    return evidence.failure.detail


# ------------------------------------------------------------------------------ in every shell


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_runs_every_kind_of_section(shell: str) -> None:
    found = run(
        batch(
            ask("printf 'a\\000b'; echo warn >&2"),
            ask("echo oops >&2; exit 3"),
            ask("no-such-tool --x"),
            ask("sleep 30; echo late", timeout=1),
            ask("cat /dev/zero", limit=1000),
            ask('echo "$LC_ALL $TZ"; cat'),
            ask("echo last"),
        ),
        shell,
    )
    kinds = [kind(e) for e in found]
    assert (found[0].stdout, found[0].stderr, found[0].exit, kinds[0]) == (
        b"a\0b",
        b"warn\n",
        0,
        None,
    )
    assert kinds[1:5] == [
        FailureKind.COMMAND_FAILED,
        FailureKind.MISSING_TOOL,
        FailureKind.TIMEOUT,
        FailureKind.TRUNCATED,
    ]
    assert detail(found[1]) == "oops (exit code 3)"
    assert detail(found[2]) == "no-such-tool"
    assert found[5].stdout in (b"C.UTF-8 UTC\n", b"C UTC\n")
    assert found[6].stdout == b"last\n"


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize(
    "edit",
    [("*kill-after*)", "*no-such-word*)"), ("", "")],
    ids=["watchdog", "timeout"],
)
def test_a_time_limit_ends_a_whole_family_of_processes(shell: str, edit: tuple[str, str]) -> None:
    # The grandchild holds the pipe open: unless it ends too, the next section never starts.
    # A length of this process's own: another test process may run the same just now.
    nap = f"sleep 41.{os.getpid()}"
    slow = ask(f"({nap}; echo late) & {nap}; echo late", timeout=1)
    found = run(batch(slow, ask("echo next")), shell, edit)
    assert kind(found[0]) is FailureKind.TIMEOUT
    assert found[1].stdout == b"next\n"
    left = subprocess.run(["pgrep", "-xf", nap], capture_output=True, check=False)
    assert left.stdout == b""


@pytest.mark.parametrize("shell", [s for s in SHELLS if s.startswith(("bash", "mksh", "zsh"))])
def test_without_timeout_and_setsid_job_control_gives_the_group(shell: str) -> None:
    slow = ask("(sleep 42.5; echo late) & sleep 42.5; echo late", timeout=1)
    asked = batch(slow, ask("echo next; exit 4"))
    script = compose(asked).decode().replace("*kill-after*)", "*no-such-word*)")
    script = script.replace("command -v setsid", "command -v no-such-setsid")
    done = subprocess.run(
        [*shell.split(), "-s"], input=script.encode(), capture_output=True, timeout=30, check=False
    )
    answer = Answer(stdout=done.stdout, stderr=done.stderr, taken=TAKEN, seconds=5)
    found = split(asked, answer)
    assert kind(found[0]) is FailureKind.TIMEOUT
    assert (found[1].stdout, found[1].exit) == (b"next\n", 4)


def test_the_watchdog_of_a_quick_section_leaves_nothing_behind() -> None:
    found = run(batch(ask("echo ok", timeout=37)), "sh", ("*kill-after*)", "*no-such-word*)"))
    assert found[0].stdout == b"ok\n"
    for _ in range(200):
        left = subprocess.run(["pgrep", "-xf", "sleep 37"], capture_output=True, check=False)
        if not left.stdout:
            return
        time.sleep(0.05)
    raise AssertionError(left.stdout)


# ---------------------------------------------------------------------------------- round trips


def _octal(data: bytes) -> str:
    return "".join(f"\\{byte:03o}" for byte in data)


blobs = st.binary(max_size=300) | st.sampled_from(
    [b"sauro:" + NONCE.encode()[:-1], b"sauro:x close 0 1 1 1\n", b"\n\n", b"$(id)'\"`\\"]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(blobs, blobs, st.integers(0, 120)), min_size=1, max_size=4))
def test_any_bytes_on_both_streams_come_back(sections: list[tuple[bytes, bytes, int]]) -> None:
    requests = [
        ask(f"printf '{_octal(out)}'; printf '{_octal(err)}' >&2; exit {code}", f"p{i}")
        for i, (out, err, code) in enumerate(sections)
    ]
    found = run(batch(*requests))
    for (out, err, code), evidence in zip(sections, found, strict=True):
        # A shell keeps no NUL bytes in a variable; whoever reads error text misses nothing.
        seen = (evidence.stdout, evidence.stderr, evidence.exit)
        assert seen == (out, err.replace(b"\0", b""), code)


@pytest.mark.parametrize("shell", SHELLS)
def test_every_byte_comes_back_in_every_shell(shell: str) -> None:
    every = _octal(bytes(range(256)))
    found = run(batch(ask(f"printf '{every}'; printf '{every}\\n\\n' >&2; exit 7")), shell)[0]
    assert found.stdout == bytes(range(256))
    assert found.stderr.replace(b"\0", b"") == bytes(range(1, 256)) + b"\n\n"
    assert found.exit == 7


@given(st.binary(max_size=400), st.binary(max_size=400))
def test_no_answer_whatsoever_crashes_or_passes(out: bytes, err: bytes) -> None:
    asked = batch(ask("x"), ask("y", stream=True))
    found = split(asked, Answer(stdout=out, stderr=err, taken=TAKEN, seconds=1))
    assert len(found) == 2
    assert all(e.failure for e in found)


@given(st.data())
def test_an_answer_cut_anywhere_never_passes_a_cut_section(data: st.DataObject) -> None:
    m = b"sauro:" + NONCE.encode()
    asked = batch(ask("x"), ask("y"))
    body = b"".join(
        b"%s open %d\n%s%s close %d 9 5.00 5.10\nw%s exit 0\n\n%s errors %d\n"
        % (m, i, text, m, i, m, m, i)
        for i, text in enumerate((b"AA", b"BBBB"))
    )
    whole = body + b"%s end 5.21\n" % m
    cut = data.draw(st.integers(0, len(whole)))
    found = split(asked, Answer(stdout=whole[:cut], stderr=b"", taken=TAKEN, seconds=1))
    for evidence, expected in zip(found, (b"AA", b"BBBB"), strict=True):
        seen = (evidence.stdout, evidence.stderr)
        assert evidence.failure is not None or seen == (expected, b"w")


@given(st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=40))
def test_quoted_values_stay_one_word(value: str) -> None:
    script = f"printf %s {quote(value)}"
    done = subprocess.run(["sh", "-c", script], capture_output=True, check=True)
    assert done.stdout == value.encode()


# ------------------------------------------------------------------------------------- failures


@pytest.mark.parametrize(
    ("script", "expected", "words"),
    [
        ("echo sauro:missing restic >&2", FailureKind.MISSING_TOOL, "restic"),
        ("echo 'sauro:denied /srv/x' >&2; exit 1", FailureKind.DENIED, "/srv/x"),
        ("echo 'ls: /srv: Permission denied' >&2; exit 2", FailureKind.DENIED, "ls: /srv: Perm"),
        ("echo part; echo 'find: /a: Permission denied' >&2", FailureKind.DENIED, "find: /a"),
        ("echo 'sudo: a password is required' >&2; exit 1", FailureKind.DENIED, "password"),
        ("exit 126", FailureKind.DENIED, "executed"),
        ("exit 5", FailureKind.COMMAND_FAILED, "exit code 5"),
        ("kill -9 $$", FailureKind.COMMAND_FAILED, "signal 9"),
        ("kill -TERM $$", FailureKind.COMMAND_FAILED, "signal 15"),
        ("exit 124", FailureKind.COMMAND_FAILED, "exit code 124"),
        ("printf '\\033[31mred\\033[0m\\n' >&2; exit 1", FailureKind.COMMAND_FAILED, "[31mred[0m"),
        ("yes >&2", FailureKind.TRUNCATED, "errors"),
        ("if", FailureKind.COMMAND_FAILED, ""),
    ],
)
def test_failures_are_typed_and_named(script: str, expected: FailureKind, words: str) -> None:
    found = run(batch(ask(script), ask("echo next")))
    assert kind(found[0]) is expected
    assert words in detail(found[0])
    assert "\033" not in detail(found[0])
    assert found[1].stdout == b"next\n"


def test_a_script_cannot_break_out_of_its_section() -> None:
    wild = ["}; } ) exit 9", "exec >&- 2>&-; exit 0", "exit 0; '"]
    found = run(batch(*(ask(w, f"w{i}", timeout=2) for i, w in enumerate(wild)), ask("echo next")))
    assert found[-1].stdout == b"next\n"


def test_forged_markers_of_another_nonce_are_plain_output() -> None:
    other = "f" * 32
    forged = f"sauro:{other} close 0 9 1 1\nsauro:{other} open 1\nfine\nsauro:{other} end 1\n"
    found = run(batch(ask(f"printf %s {quote(forged)}; exit 1"), ask("echo real")))
    assert found[0].stdout.decode() == forged
    assert kind(found[0]) is FailureKind.COMMAND_FAILED
    assert found[1].stdout == b"real\n"


def test_a_section_cannot_see_the_nonce() -> None:
    peek = "cat /proc/self/environ /proc/$PPID/cmdline /proc/$PPID/environ; set; env"
    found = run(batch(ask(peek)))
    assert NONCE.encode() not in found[0].stdout
    assert len(found[0].stdout) > 100


def test_the_whole_batch_stops_in_time_and_says_what_was_left_out() -> None:
    slow = [ask("sleep 20", f"s{i}") for i in range(4)]
    found = run(batch(ask("echo first"), *slow, seconds=2))
    assert found[0].stdout == b"first\n"
    assert {kind(e) for e in found[1:]} == {FailureKind.TIMEOUT}
    assert "no time was left" in detail(found[-1])


def test_exactly_the_limit_is_whole_and_one_more_is_truncated() -> None:
    requests = [ask(f"head -c {n} /dev/zero", f"n{n}", limit=500) for n in (499, 500, 501)]
    found = run(batch(*requests))
    assert [len(e.stdout) for e in found] == [499, 500, 0]
    assert [kind(e) for e in found] == [None, None, FailureKind.TRUNCATED]


def test_a_flood_of_ten_gigabytes_ends_at_its_source() -> None:
    flood = ask("head -c 10000000000 /dev/zero; echo done >&2", timeout=15)
    found = run(batch(flood, ask("echo next")))
    assert kind(found[0]) is FailureKind.TRUNCATED
    assert found[1].stdout == b"next\n"
    assert found[0].seconds < 10


def test_what_a_login_shell_prints_first_is_no_answer() -> None:
    noise = "echo 'Welcome! sauro: open 0'; echo 'stdin: is not a tty' >&2\n"
    found = run(batch(ask("echo real; echo err >&2")), before=noise)
    assert (found[0].stdout, found[0].stderr) == (b"real\n", b"err\n")


def test_a_script_that_arrives_cut_runs_nothing(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    script = compose(batch(ask(f"touch {mark}")))
    for cut in range(0, len(script) - 5, 97):
        subprocess.run(["sh", "-s"], input=script[:cut], capture_output=True, check=False)
        assert not mark.exists()


def test_nothing_is_written_on_the_host(tmp_path: Path) -> None:
    found = run(
        batch(ask("echo a", limit=10), ask("yes", limit=100_000, stream=True)),
        environment={"HOME": str(tmp_path), "TMPDIR": str(tmp_path)},
    )
    assert found[0].stdout == b"a\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("out", "err", "code", "words"),
    [
        (b"This account is currently not available.\n", b"", 1, "not available"),
        (b"", b"", 0, "answered nothing"),
        (b"\x1b[2J1) backup 2) reboot\nchoose: ", b"", None, "1) backup"),
    ],
)
def test_an_account_that_runs_something_else_says_so(
    out: bytes, err: bytes, code: int | None, words: str
) -> None:
    answer = Answer(stdout=out, stderr=err, taken=TAKEN, seconds=1, exit=code)
    found = split(batch(ask("x")), answer)[0]
    assert kind(found) is FailureKind.COMMAND_FAILED
    assert words in detail(found)
    assert "\x1b" not in detail(found)


# ----------------------------------------------------------------------------------------- time


def test_a_clock_read_early_in_a_long_visit_is_placed_early() -> None:
    found = run(batch(CLOCK.request("srv"), ask("sleep 2", timeout=9)))
    clock = read_clock(found[0])
    assert abs(clock.skew) <= clock.uncertainty
    assert clock.uncertainty < 1


def test_the_zone_of_the_host_survives() -> None:
    found = run(batch(CLOCK.request("srv")), environment={"TZ": "Asia/Ho_Chi_Minh"})
    clock = read_clock(found[0])
    assert (clock.zone, clock.offset) == ("Asia/Ho_Chi_Minh", dt.timedelta(hours=7))


@given(st.tuples(*[st.floats(0, 1e9).map(lambda x: round(x, 2))] * 3))
def test_times_that_a_host_invents_stay_within_the_visit(times: tuple[float, ...]) -> None:
    m = b"sauro:" + NONCE.encode()
    began, ended, total = (f"{t:.2f}".encode() for t in times)
    out = b"%s open 0\n%s close 0 0 9 %s %s\n\n%s errors 0\n%s end %s\n" % (
        *(m, m, began, ended),
        *(m, m, total),
    )
    found = split(batch(ask("x")), Answer(stdout=out, stderr=b"", taken=TAKEN, seconds=4))[0]
    assert TAKEN - dt.timedelta(seconds=4) <= found.taken <= TAKEN
    assert 0 <= found.seconds <= 4


def test_what_runs_can_be_shown() -> None:
    assert shown(ask("\necho 1\n")) == "echo 1"
    files = Request(probe="f", target="files", source=Source.FILES, params={"path": "a b.csv"})
    assert shown(files) == "files: path='a b.csv'"
    assert STDERR_BYTES < 10_000
