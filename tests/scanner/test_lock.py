"""One audit at a time, and no lock that outlives its holder."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from scanner import lock
from scanner.errors import UserError
from scanner.lock import BusyError, Holder, is_gone, only_one, this_process

SINCE = "2026-11-21T02:00:00+00:00"
HOLD = """
import os, sys, time
from pathlib import Path
from scanner.lock import only_one
with only_one(Path(sys.argv[1]), "2026-11-20T01:00:00+00:00"):
    if "fork" in sys.argv and os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(600)
    if "fork" not in sys.argv:
        print("held", flush=True)
    sys.stdin.read()
"""


@contextmanager
def holder(path: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Another process that holds the lock until it is killed, and what it said."""
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path), *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    with child:
        assert child.stdout is not None
        try:
            yield child, child.stdout.readline().strip()
        finally:
            child.kill()


def busy(path: Path) -> str:
    with pytest.raises(BusyError) as caught, only_one(path, SINCE):
        pass
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_second_is_told_who_holds_it(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as (child, _):
        said = busy(path)
    assert f"process {child.pid} since 2026-11-20T01:00:00" in said
    assert issubclass(BusyError, UserError)


def test_it_is_free_again_afterwards_and_nobody_crashed(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    for _ in range(3):
        with only_one(path, SINCE) as crashed:
            assert crashed is None
            assert f"process {os.getpid()}" in busy(path)
    assert path.read_bytes() == b""


def test_it_is_free_again_after_an_error(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with pytest.raises(KeyError), only_one(path, SINCE):
        raise KeyError
    with only_one(path, SINCE) as crashed:
        assert crashed is None


def test_a_holder_that_was_killed_is_taken_over_and_named(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path) as (child, _):
        child.send_signal(signal.SIGKILL)
        child.wait()
        with only_one(path, SINCE) as crashed:
            assert crashed is not None
            assert crashed.pid == child.pid
            busy(path)
    with only_one(path, SINCE) as crashed:
        assert crashed is None


def test_orphans_of_a_killed_holder_do_not_keep_it_shut(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with holder(path, "fork") as (child, orphan):
        assert f"process {child.pid}" in busy(path)
        child.send_signal(signal.SIGKILL)
        child.wait()
        try:
            with path.open("rb") as file, pytest.raises(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            with only_one(path, SINCE) as crashed:
                assert crashed is not None
                assert f"process {os.getpid()}" in busy(path)
        finally:
            os.kill(int(orphan), signal.SIGKILL)


def test_a_forked_child_does_not_free_the_lock_of_its_parent(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    program = """
import os, sys
from pathlib import Path
from scanner.lock import only_one, BusyError
path = Path(sys.argv[1])
with only_one(path, ""):
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    try:
        with only_one(path, ""):
            print("free")
    except BusyError:
        print("busy")
"""
    told = subprocess.run(
        [sys.executable, "-c", program, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert told.stdout == "busy\n"


def test_many_at_once_and_only_one_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    path.write_bytes(msgspec.json.encode(Holder(pid=2**22 + 5)))
    program = """
import sys
from pathlib import Path
from scanner.lock import only_one, BusyError
sys.stdin.readline()
try:
    with only_one(Path(sys.argv[1]), ""):
        print("in", flush=True)
        sys.stdin.readline()
except BusyError:
    print("busy", flush=True)
    sys.stdin.readline()
"""
    children = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for _ in range(4)
    ]
    told = []
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    for child in children:
        assert child.stdout is not None
        told.append(child.stdout.readline().strip())
    for child in children:
        child.communicate("end\n")
    assert sorted(told) == ["busy", "busy", "busy", "in"]


# --------------------------------------------------------------------------- who is certainly gone


def test_this_process_is_not_gone() -> None:
    me = this_process(SINCE)
    assert me.pid == os.getpid()
    assert not is_gone(me)


def test_a_reused_number_is_not_the_holder() -> None:
    me = this_process(SINCE)
    assert me.start
    assert is_gone(msgspec.structs.replace(me, start="1"))
    assert not is_gone(msgspec.structs.replace(me, start=""))


def test_a_restart_of_the_machine_ends_everybody() -> None:
    assert is_gone(msgspec.structs.replace(this_process(SINCE), boot="another"))


def test_of_another_machine_nothing_is_certain() -> None:
    me = this_process(SINCE)
    assert not is_gone(msgspec.structs.replace(me, host="elsewhere", boot="b", pid=2**22 + 5))


def test_the_dead_that_nobody_has_buried_are_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert is_gone(Holder(pid=child.pid))
    child.wait()
    assert is_gone(Holder(pid=child.pid))


def test_without_proc_the_start_is_asked_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_PROC", tmp_path)
    me = this_process(SINCE)
    assert me.boot == ""
    assert not is_gone(me)
    assert is_gone(msgspec.structs.replace(me, pid=2**22 + 5))


# --------------------------------------------------------------- odd file systems, odd lock files


@pytest.fixture
def no_flock(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)


@pytest.mark.usefixtures("no_flock")
def test_without_locks_of_the_kernel_the_written_holder_counts(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with only_one(path, SINCE):
        assert f"process {os.getpid()}" in busy(path)
    with only_one(path, SINCE) as crashed:
        assert crashed is None
    path.write_bytes(msgspec.json.encode(Holder(pid=2**22 + 5)))
    with only_one(path, SINCE) as crashed:
        assert crashed == Holder(pid=2**22 + 5)


@pytest.mark.parametrize(
    "content", [b"", b"\0" * 9999, b"12345", b'{"pid": -1}', b'{"pid": "x"}', b'{"pid": 1e99}']
)
def test_a_lock_file_with_anything_in_it_is_only_a_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "lock"
    path.write_bytes(content)
    with only_one(path, SINCE) as crashed:
        assert crashed is None
        path.write_bytes(content)
        assert str(path) in busy(path)


def test_a_hostile_holder_cannot_write_on_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with only_one(path, SINCE):
        path.write_bytes(
            msgspec.json.encode(Holder(pid=os.getpid(), host="\x1b[31m\n", since="\x1b]0;x\n"))
        )
        assert busy(path).isprintable()


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("keep")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    with pytest.raises(UserError, match="cannot be made"), only_one(tmp_path / "lock", SINCE):
        pass
    assert (tmp_path / "precious").read_text() == "keep"


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be made"), only_one(tmp_path / "no/lock", SINCE):
        pass


def test_a_folder_that_somebody_else_holds_delays_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "_PATIENCE", 2)
    handle = os.open(tmp_path, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    with only_one(tmp_path / "lock", SINCE):
        busy(tmp_path / "lock")
    os.close(handle)
