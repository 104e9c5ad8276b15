"""Real OpenSSH servers on loopback, each with its own keys and configuration, ended by pid."""

from __future__ import annotations

import getpass
import os
import re
import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


def keygen(path: Path, kind: str = "ed25519", passphrase: str = "") -> str:
    """Make a key pair; the public key as `type base64`."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-C", "", "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path.with_suffix(".pub").read_text().strip()


def keygen_once(path: Path) -> str:
    """The public key of a pair that is made when it is not there yet."""
    public = path.with_suffix(".pub")
    return public.read_text().strip() if public.exists() else keygen(path)


def fingerprint(path: Path) -> str:
    """What `ssh-keygen -l` says of a key: `SHA256:…`."""
    command = ["ssh-keygen", "-l", "-f", str(path)]
    said = subprocess.run(command, check=True, capture_output=True, text=True)
    return said.stdout.split()[1]


def free_port(address: str) -> int:
    """A port on which nothing listens just now."""
    with socket.socket() as sock:
        sock.bind((address, 0))
        port: int = sock.getsockname()[1]
        return port


class Sshd:
    """One server; use it as a context manager.

    `options` are further lines of sshd_config; `host_keys` are private key files.
    """

    def __init__(
        self,
        folder: Path,
        host_keys: list[Path],
        authorized: str,
        address: str = "127.0.0.1",
        options: str = "",
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.address = address
        self.port = free_port(address)
        self.user = getpass.getuser()
        self.log = folder / "sshd.log"
        keys = folder / "authorized_keys"
        keys.write_text(authorized + "\n")
        keys.chmod(0o600)
        self._config = folder / "sshd_config"
        self._config.write_text(
            f"ListenAddress {address}\nPort {self.port}\nPidFile none\nUsePAM no\nUseDNS no\n"
            f"StrictModes no\nLogLevel VERBOSE\nAuthorizedKeysFile {keys}\n"
            "PasswordAuthentication no\nKbdInteractiveAuthentication no\nMaxStartups 500\n"
            # Bash then leaves out ~/.bashrc: what stands there is the affair of the machine.
            "SetEnv SHLVL=1\n" + "".join(f"HostKey {key}\n" for key in host_keys) + options
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Sshd:
        if os.geteuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with self.log.open("wb") as log:
            command = [SSHD, "-D", "-e", "-f", str(self._config)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=log)
        self._await()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        assert self._process is not None
        self._process.terminate()
        self._process.wait()

    def _await(self) -> None:
        for _ in range(500):
            if "Server listening" in self.said():
                return
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            time.sleep(0.01)
        raise AssertionError(self.said())

    def said(self) -> str:
        """The log so far."""
        return self.log.read_text(errors="replace")

    def count(self, pattern: str) -> int:
        """How many lines of the log match."""
        return sum(bool(re.search(pattern, line)) for line in self.said().splitlines())

    @property
    def connections(self) -> int:
        """Accepted TCP connections so far."""
        return self.count(r"^Connection from ")

    @property
    def execs(self) -> int:
        """Commands and shells started so far."""
        return self.count(r"^Starting session: ")
