"""A Postfix of its own on ports of 127.0.0.1, and whom it delivers to.

It is unpacked below `.venv/debian` and not installed: installing starts a mail server.
"""

from __future__ import annotations

import contextlib
import shutil
import smtplib
import socket
import socketserver
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.helpers.daemons import answers, end

UNPACKED = Path(__file__).parents[2] / ".venv" / "debian"
"""Where `tools/setup dev` unpacks Postfix; an installed one will do as well."""
OWNER, GROUP = "uucp", "news"
"""An account and a group that Debian has and nothing uses: Postfix wants two of its own."""

MAIN = """\
compatibility_level = 3.6
queue_directory = {root}/spool
command_directory = {base}/usr/sbin
daemon_directory = {base}/usr/lib/postfix/sbin
shlib_directory = {base}/usr/lib/postfix
data_directory = {root}/data
meta_directory = {root}/etc
mail_owner = {owner}
setgid_group = {group}
default_privs = nobody
myhostname = mail.hoankiem.gov.vn
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
relayhost = [127.0.0.1]:{sink}
smtp_dns_support_level = disabled
smtp_host_lookup = native
minimal_backoff_time = 1s
maximal_backoff_time = 1s
queue_run_delay = 1s
maillog_file = {root}/log/mail.log
maillog_file_prefixes = {root}/log
import_environment = MAIL_CONFIG LD_LIBRARY_PATH TZ
"""
MASTER = """\
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
QUEUES = "active bounce corrupt defer deferred flush hold incoming private saved trace"


def installed() -> Path:
    """The root below which Postfix's programs are."""
    for base in (UNPACKED, Path("/")):
        if (base / "usr/lib/postfix/sbin/master").exists():
            return base
    raise AssertionError("the tests need Postfix: run tools/setup dev")


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def removed(root: Path) -> None:
    """Remove the folder of a server that was ended: what it had started dies a moment later."""
    deadline = time.monotonic() + 5
    while True:
        try:
            shutil.rmtree(root)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


class _Session(socketserver.StreamRequestHandler):
    """Refuses recipients whose name begins with `bounce`; those with `later` the first time."""

    server: Sink

    def handle(self) -> None:
        self.wfile.write(b"220 sink ESMTP\r\n")
        data = False
        for raw in self.rfile:
            line = raw.strip().upper()
            if data:
                data = line != b"."
                answer = b"" if data else b"250 2.0.0 Ok: queued as 4PbC4z6W5Qz3tG3"
            elif line.startswith(b"RCPT"):
                answer = self.server.recipient(line)
            elif line == b"DATA":
                data, answer = True, b"354 go on"
            elif line == b"QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                answer = b"250 8BITMIME"
            if answer:
                self.wfile.write(answer + b"\r\n")


class Sink(socketserver.ThreadingTCPServer):
    """Takes every mail and throws it away."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Session)
        self._seen: set[bytes] = set()

    def recipient(self, line: bytes) -> bytes:
        if b"<BOUNCE" in line:
            return b"550 5.1.1 no such user"
        if b"<LATER" in line and line not in self._seen:
            self._seen.add(line)
            return b"451 4.3.0 try again"
        return b"250 ok"


class Postfix:
    """Its daemons as child processes; `extra` is (lines of main.cf, of master.cf)."""

    def __init__(
        self, root: Path, sink: int, extra: tuple[str, str], files: dict[str, str]
    ) -> None:
        self.root, self.base = root, installed()
        (self.port,) = free_ports(1)
        for name in ("etc", "log", "data", "spool"):
            (root / name).mkdir()
        names = {"root": root, "base": self.base, "owner": OWNER, "group": GROUP}
        main = MAIN.format(sink=sink, **names) + extra[0]
        self._write("main.cf", main)
        self._write("master.cf", MASTER.format(port=self.port) + extra[1])
        for name, text in files.items():
            self._write(name, text)
        self._write("dynamicmaps.cf", "pcre postfix-pcre.so dict_pcre_open\n")
        self._folders()
        self._process: subprocess.Popen[bytes] | None = None

    def _write(self, name: str, text: str) -> None:
        (self.root / "etc" / name).write_text(text, encoding="utf-8")

    def _folders(self) -> None:
        for name in (*QUEUES.split(), "maildrop", "public", "pid"):
            (self.root / "spool" / name).mkdir()
        for name in (*QUEUES.split(), "maildrop", "public"):
            shutil.chown(self.root / "spool" / name, OWNER, GROUP)
        shutil.chown(self.root / "data", OWNER)

    def environment(self) -> dict[str, str]:
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LD_LIBRARY_PATH": str(self.base / "usr/lib/postfix"),
            "MAIL_CONFIG": str(self.root / "etc"),
            "TZ": "Asia/Ho_Chi_Minh",
        }

    def start(self) -> None:
        """Start the daemons and wait until they listen."""
        with (self.root / "master.out").open("wb") as out:
            self._process = subprocess.Popen(
                [self.base / "usr/lib/postfix/sbin/master", "-c", self.root / "etc", "-d"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )
        if not answers(self.port, 20, self._process):
            raise AssertionError(f"Postfix did not start: {self.said()}")

    def said(self) -> str:
        log = self.root / "log" / "mail.log"
        return (self.root / "master.out").read_text() + (log.read_text() if log.exists() else "")

    def send(
        self, message: bytes, to: Sequence[str], sender: str = "vanthu@hoankiem.gov.vn"
    ) -> None:
        """Hand one mail in, as a mail program would."""
        with smtplib.SMTP("127.0.0.1", self.port, local_hostname="pc-7", timeout=20) as smtp:
            smtp.sendmail(sender, list(to), message)

    def log(self, ended: int) -> str:
        """The log, once so many mails were removed from the queue."""
        deadline = time.monotonic() + 30
        text = ""
        while time.monotonic() < deadline:
            text = self.said()
            if text.count(": removed\n") >= ended:
                return (self.root / "log" / "mail.log").read_text()
            time.sleep(0.1)
        raise AssertionError(f"not {ended} mails went through: {text}")

    def stop(self) -> None:
        """End the daemons with everything that they started."""
        end(self._process)


@contextlib.contextmanager
def postfix(
    extra: str = "", files: dict[str, str] | None = None, services: str = ""
) -> Iterator[Postfix]:
    """A running Postfix with these lines in main.cf and master.cf and these files beside them."""
    # Not below pytest's folder, into which only its owner may look.
    root = Path(tempfile.mkdtemp(prefix="sauro-postfix-"))
    root.chmod(0o755)
    with Sink() as sink:
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        lines = (extra.format(etc=root / "etc"), services)
        server = Postfix(root, sink.server_address[1], lines, files or {})
        try:
            server.start()
            yield server
        finally:
            server.stop()
            sink.shutdown()
            shutil.rmtree(root)
