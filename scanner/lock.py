"""One audit at a time: a lock file that a crash cannot leave shut.

The kernel's lock on the open file is the guard, and ends with the process. What is written in the
file only names the holder. It decides in two cases: when a child of a dead holder still keeps the
kernel's lock, and on file systems that know no such lock.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import msgspec

from scanner.errors import UserError

LOCK_NAME = ".sauro.lock"
"""Usual name of the lock file in the project folder."""

_PROC = Path("/proc")
_PATIENCE = 40
"""Tries, a twentieth of a second apart, to be the only one that looks at the lock."""
_UNSUPPORTED = {errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL}


class BusyError(UserError):
    """Somebody else holds the lock; one line that names the holder."""


class Holder(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who holds a lock. Empty texts: this machine could not tell."""

    pid: int
    host: str = ""
    boot: str = ""
    """Changes with every start of the machine."""
    start: str = ""
    """When the process started, in the machine's own terms: tells a reused pid."""
    since: str = ""
    """When the lock was taken, RFC 3339."""


def this_process(since: str) -> Holder:
    """This process as a holder."""
    pid = os.getpid()
    return Holder(
        pid=pid, host=socket.gethostname(), boot=_boot(), start=_start_of(pid), since=since
    )


def _boot() -> str:
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _stat(pid: int) -> list[str]:
    """State, parent and the rest of what Linux says of a process; empty when it is not there."""
    try:
        stat = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    # The name of the program stands in brackets and may hold anything, brackets too.
    return stat.rpartition(")")[2].split()


def _start_of(pid: int) -> str:
    """When a process started, empty when it is not there or cannot be told."""
    if (_PROC / "self/stat").exists():
        fields = _stat(pid)
        return fields[19] if len(fields) > 19 else ""
    try:
        told = subprocess.run(  # noqa: S603 - fixed program, the argument is a number
            ["/bin/ps", "-o", "lstart=", "-p", str(pid)],
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
            env={"LC_ALL": "C"},
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stdout.strip()


def is_gone(holder: Holder) -> bool:
    """Whether a holder has certainly ended; of another machine's processes nothing is certain."""
    if holder.host and holder.host != socket.gethostname():
        return False
    if holder.boot and holder.boot != _boot():
        return True
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        pass
    if _stat(holder.pid)[:1] in (["Z"], ["X"]):
        return True
    start = _start_of(holder.pid)
    return bool(holder.start and start and start != holder.start)


@contextmanager
def only_one(path: Path, since: str) -> Iterator[Holder | None]:
    """Hold the lock at `path`; gives the holder that crashed before, when there was one.

    Raises:
        BusyError: another process (or another part of this one) holds it.
        UserError: the lock file cannot be made.
    """
    file, crashed = _acquire(path, this_process(since))
    owner = os.getpid()
    try:
        yield crashed
    finally:
        # A forked child that comes by here must not free its parent's lock.
        if os.getpid() == owner:
            _clear(file)
        file.close()


def _acquire(path: Path, me: Holder) -> tuple[IO[bytes], Holder | None]:
    try:
        with _queue(path.parent):
            file = _open(path)
            try:
                before = _read(file)
                file = _guard(path, file, before)
                _write(file, me)
            except BaseException:
                file.close()
                raise
            return file, before
    except OSError as e:
        raise UserError(
            f"lock {path} cannot be made ({e.strerror}): make the project folder writable"
        ) from None


def _guard(path: Path, file: IO[bytes], before: Holder | None) -> IO[bytes]:
    """The file that is now locked: the one given, or a new one in place of a dead holder's."""
    held = _is_held(file)
    if not held and (held is not None or before is None):
        return file
    if before is None or not is_gone(before):
        raise BusyError(_busy(path, before))
    # Children of the dead holder may keep the old file locked for ever: leave it to them.
    file.close()
    path.unlink(missing_ok=True)
    file = _open(path)
    _is_held(file)
    return file


@contextmanager
def _queue(folder: Path) -> Iterator[None]:
    """Let those that look at the lock do so one after the other; held for moments only."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # Somebody may hold the folder for reasons of their own (`flock DIR sauro audit`): then go
        # ahead after a while, as the lock on the file itself still guards.
        for _ in range(_PATIENCE):
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                time.sleep(0.05)
            except OSError as e:
                if e.errno not in _UNSUPPORTED:
                    raise
                break
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> IO[bytes]:
    # A link planted in the folder must not lead the writing elsewhere.
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    return os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)


def _is_held(file: IO[bytes]) -> bool | None:
    """Whether another holds the kernel's lock, else take it; None when there is no such thing."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError as e:
        if e.errno in _UNSUPPORTED:
            return None
        raise
    return False


def _read(file: IO[bytes]) -> Holder | None:
    file.seek(0)
    try:
        holder = msgspec.json.decode(file.read(4096), type=Holder)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return holder if holder.pid > 0 else None


def _write(file: IO[bytes], holder: Holder) -> None:
    file.seek(0)
    file.truncate()
    file.write(msgspec.json.encode(holder) + b"\n")


def _clear(file: IO[bytes]) -> None:
    # The file stays: to remove it would let two processes lock two files of the same name.
    file.truncate(0)
    try:
        fcntl.flock(file, fcntl.LOCK_UN)
    except OSError as e:
        if e.errno not in _UNSUPPORTED:
            raise


def _busy(path: Path, holder: Holder | None) -> str:
    if holder is None:
        return f"another audit holds {path}: wait for it to end"
    where = "" if holder.host == socket.gethostname() else f" on {holder.host[:64]!r}"
    since = f" since {holder.since[:32]}" if holder.since.isprintable() and holder.since else ""
    return f"another audit is running (process {holder.pid}{where}{since}): wait for it to end"
