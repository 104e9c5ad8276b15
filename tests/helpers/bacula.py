"""A Bacula of its own: three daemons on ports of 127.0.0.1, its catalog in SQLite."""

from __future__ import annotations

import contextlib
import shutil
import socket
import sqlite3
import subprocess
from pathlib import Path

from tests.helpers.daemons import answers, end

UNPACKED = Path(__file__).parents[2] / ".venv" / "debian"
"""Where `tools/setup dev` unpacks Bacula; an installed one will do as well."""
TABLES = "usr/share/dbconfig-common/data/bacula-director-sqlite3/install/sqlite3"
PASSWORD = "of-this-test-only"  # noqa: S105

DIRECTOR = """\
Director {{
  Name = test-dir
  DirAddress = 127.0.0.1
  DirPort = {dir}
  QueryFile = /dev/null
  WorkingDirectory = {root}/work
  PidDirectory = {root}/work
  Maximum Concurrent Jobs = 5
  Password = "{password}"
  Messages = Quiet
  FD Connect Timeout = 2
}}
Messages {{ Name = Quiet; append = "{root}/messages.log" = all; catalog = all }}
Catalog {{ Name = MyCatalog; dbname = "bacula"; dbuser = ""; dbpassword = "" }}
Client {{
  Name = motcua-fd
  Address = 127.0.0.1
  FDPort = {fd}
  Catalog = MyCatalog
  Password = "{password}"
  AutoPrune = no
}}
Client {{
  Name = gone-fd
  Address = 127.0.0.1
  FDPort = {nobody}
  Catalog = MyCatalog
  Password = "{password}"
}}
Storage {{
  Name = File
  Address = 127.0.0.1
  SDPort = {sd}
  Password = "{password}"
  Device = FileStorage
  Media Type = File
  Maximum Concurrent Jobs = 5
}}
Pool {{
  Name = Daily
  Pool Type = Backup
  Recycle = yes
  AutoPrune = yes
  Volume Retention = 35 days
  Label Format = "Vol-"
}}
FileSet {{ Name = "Data"; Include {{ Options {{ signature = SHA1 }}; File = {root}/data }} }}
FileSet {{
  Name = "Part"
  Include {{ Options {{ signature = SHA1 }}; File = {root}/data; File = {root}/nothing-here }}
}}
Schedule {{
  Name = "Nightly"
  Run = Level=Incremental daily at 23:05
}}
JobDefs {{
  Name = "Common"
  Type = Backup
  Level = Incremental
  Client = motcua-fd
  FileSet = "Data"
  Storage = File
  Messages = Quiet
  Pool = Daily
}}
Job {{ Name = "motcua-db"; JobDefs = "Common"; Schedule = "Nightly" }}
Job {{ Name = "motcua-part"; JobDefs = "Common"; FileSet = "Part" }}
Job {{ Name = "motcua-gone"; JobDefs = "Common"; Client = gone-fd }}
Job {{ Name = "motcua-slow"; JobDefs = "Common"; RunBeforeJob = "/bin/sleep 60" }}
Job {{ Name = "never-run"; JobDefs = "Common" }}
Job {{ Name = "Restore"; JobDefs = "Common"; Type = Restore; Where = {root}/restored }}
Job {{
  Name = "Verify"
  JobDefs = "Common"
  Type = Verify
  Level = Data
  Verify Job = "motcua-db"
}}
Console {{
  Name = reader
  Password = "{password}"
  CommandACL = list, llist, status, .jobs, .clients
  CatalogACL = *all*
  JobACL = *all*
  ClientACL = *all*
  PoolACL = *all*
  StorageACL = *all*
  FileSetACL = *all*
  ScheduleACL = *all*
}}
Console {{
  Name = blind
  Password = "{password}"
  CommandACL = status
}}
Console {{
  Name = narrow
  Password = "{password}"
  CommandACL = list, llist, status, .jobs, .clients
  CatalogACL = *all*
  JobACL = motcua-part
}}
"""

STORAGE = """\
Storage {{
  Name = test-sd
  SDAddress = 127.0.0.1
  SDPort = {sd}
  WorkingDirectory = {root}/work
  Pid Directory = {root}/work
}}
Director {{ Name = test-dir; Password = "{password}" }}
Device {{
  Name = FileStorage
  Media Type = File
  Archive Device = {root}/volumes
  LabelMedia = yes
  Random Access = yes
  AutomaticMount = yes
  RemovableMedia = no
  AlwaysOpen = no
}}
Messages {{ Name = Standard; director = test-dir = all }}
"""

FILES = """\
Director {{ Name = test-dir; Password = "{password}" }}
FileDaemon {{
  Name = motcua-fd
  FDAddress = 127.0.0.1
  FDPort = {fd}
  WorkingDirectory = {root}/work
  Pid Directory = {root}/work
}}
Messages {{ Name = Standard; director = test-dir = all }}
"""

CONSOLE = """\
Director {{ Name = test-dir; DIRport = {dir}; address = 127.0.0.1; Password = "{password}" }}
"""

NAMED = """\
Director {{ Name = test-dir; DIRport = {dir}; address = 127.0.0.1; Password = "not used" }}
Console {{ Name = {name}; Password = "{password}"; Director = test-dir }}
"""


def environment() -> dict[str, str]:
    """PATH and LD_LIBRARY_PATH with which Bacula's programs start."""
    folders = [UNPACKED / "usr" / "sbin", UNPACKED / "usr" / "bin"]
    libraries = [UNPACKED / "usr" / "lib" / "bacula", *(UNPACKED / "usr" / "lib").glob("*-linux-*")]
    libraries += (UNPACKED / "lib").glob("*-linux-*")
    path = ":".join([*map(str, folders), "/usr/sbin", "/usr/bin", "/sbin", "/bin"])
    return {"PATH": path, "LD_LIBRARY_PATH": ":".join(map(str, libraries))}


def program(name: str) -> str:
    """Where a program of Bacula is."""
    found = shutil.which(name, path=environment()["PATH"])
    assert found, f"the tests need Bacula ({name}): run tools/setup dev"
    return found


def _tables() -> str:
    found = [root / TABLES for root in (UNPACKED, Path("/")) if (root / TABLES).exists()]
    return found[0].read_text(encoding="utf-8")


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


class Bacula:
    """Three daemons as child processes in the foreground; `stop` ends them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._processes: list[subprocess.Popen[bytes]] = []
        for name in ("work", "volumes", "data"):
            (root / name).mkdir(parents=True)
        ports = dict(zip(("dir", "sd", "fd", "nobody"), _free_ports(4), strict=True))
        self._ports = ports
        texts = {
            "dir": DIRECTOR,
            "sd": STORAGE,
            "fd": FILES,
            "console": CONSOLE,
            "reader": NAMED,
            "blind": NAMED,
            "narrow": NAMED,
        }
        for name, text in texts.items():
            filled = text.format(root=root, password=PASSWORD, name=name, **ports)
            (root / f"{name}.conf").write_text(filled, encoding="utf-8")
        with contextlib.closing(sqlite3.connect(root / "work" / "bacula.db")) as catalog:
            catalog.executescript(_tables())

    def conf(self, console: str) -> str:
        """Configuration of a console: `reader` may only list, `narrow` and `blind` not even all."""
        return str(self.root / f"{console}.conf")

    def changed(self, console: str, old: str, new: str) -> str:
        """Another configuration like that of the console, with some text replaced."""
        path = self.root / f"{console}-{len(list(self.root.iterdir()))}.conf"
        path.write_text(Path(self.conf(console)).read_text().replace(old, new))
        return str(path)

    @property
    def unused_port(self) -> int:
        """A port of 127.0.0.1 on which nobody listens."""
        return self._ports["nobody"]

    @property
    def port(self) -> int:
        """The Director's port."""
        return self._ports["dir"]

    def start(self) -> None:
        """Start the daemons and wait until they listen."""
        for name in ("sd", "fd", "dir"):
            with (self.root / f"{name}.out").open("wb") as out:
                started = subprocess.Popen(
                    [program(f"bacula-{name}"), "-f", "-c", self.conf(name)],
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=subprocess.STDOUT,
                    env=environment(),
                    start_new_session=True,
                )
            self._processes.append(started)
        for name in ("sd", "fd", "dir"):
            self._wait(self._ports[name])

    def _wait(self, port: int) -> None:
        if answers(port, 20):
            return
        said = "".join(p.read_text() for p in self.root.glob("*.out"))
        raise AssertionError(f"no answer on port {port}: {said}")

    def stop(self) -> None:
        """End the daemons with everything that they started; nothing waits for a running job."""
        end(*self._processes)
        self._processes.clear()

    def console(self, *commands: str) -> str:
        """What the console that may do everything answers."""
        done = subprocess.run(
            [program("bconsole"), "-n", "-c", self.conf("console")],
            input="\n".join(commands).encode() + b"\n",
            capture_output=True,
            check=False,
            timeout=60,
            env=environment(),
        )
        return done.stdout.decode("utf-8", "replace")
