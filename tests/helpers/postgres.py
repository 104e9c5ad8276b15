"""A real PostgreSQL of its own, reached over a unix socket only, for the tests of its backups."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

_OTHERS = "postgres"


def account() -> str:
    """Who runs the database: root may not, and hands over to the account of the Debian package."""
    return _OTHERS if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name


def as_owner(*command: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command as the owner of the database."""
    switch = ["runuser", "-u", _OTHERS, "--"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*switch, *command], capture_output=True, text=True, cwd="/", check=False, errors="replace"
    )
    assert not check or done.returncode == 0, (command, done.stdout, done.stderr)
    return done


def programs() -> Path:
    """The folder of the server's programs, the newest that is installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.fail("the tests need the Debian package postgresql: run `tools/setup dev`")
    return found[-1].parent


def in_memory(needed: int = 400_000_000) -> str | None:
    """A file system in memory with that much room (bytes): backup tools sync all they write."""
    place = Path("/dev/shm")
    roomy = place.is_dir() and os.access(place, os.W_OK) and shutil.disk_usage(place).free > needed
    return str(place) if roomy else None


@contextmanager
def owned_folder(prefix: str) -> Iterator[Path]:
    """A folder of the database's owner, short enough for a socket; pytest's own is closed to it."""
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=in_memory()))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _OTHERS, _OTHERS)
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Cluster:
    """A running server in `folder/data`, its socket in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"

    def start(self, *settings: str) -> None:
        """Make and start it with lines of postgresql.conf."""
        tools = programs()
        options = (
            "-A",
            "trust",
            "-U",
            "postgres",
            "--data-checksums",
            "--no-sync",
            "--wal-segsize=1",
        )
        as_owner(str(tools / "initdb"), "-D", str(self.data), *options)
        lines = [
            "listen_addresses = ''",
            f"unix_socket_directories = '{self.folder}'",
            "fsync = off",
            "full_page_writes = on",
            "shared_buffers = 16MB",
            "min_wal_size = 2MB",
            "max_wal_size = 16MB",
            *settings,
        ]
        with (self.data / "postgresql.conf").open("a") as file:
            file.write("\n".join(lines) + "\n")
        self._control("start")

    def stop(self) -> None:
        """End it at once."""
        self._control("stop", "-m", "immediate", check=False)

    def _control(self, what: str, *more: str, check: bool = True) -> None:
        program = str(programs() / "pg_ctl")
        # The server must not hold the pipes of the test.
        log = str(self.folder / "server.log")
        as_owner(program, "-D", str(self.data), "-l", log, "-w", *more, what, check=check)

    def sql(self, *statements: str) -> str:
        """Run statements; what the last one answers, unaligned."""
        commands: Sequence[str] = [word for s in statements for word in ("-c", s)]
        where = ("-h", str(self.folder), "-U", "postgres", "-d", "postgres")
        return as_owner("psql", "-XqAt", *where, *commands).stdout.strip()


@contextmanager
def cluster(prefix: str, *settings: str) -> Iterator[Cluster]:
    """A running server that is gone afterwards."""
    with owned_folder(prefix) as folder:
        made = Cluster(folder)
        try:
            made.start(*(s.replace("FOLDER", str(folder)) for s in settings))
            yield made
        finally:
            made.stop()
