"""An Exim of its own on a port of 127.0.0.1, with Debian's split configuration and our lines in it.

It is unpacked below `.venv/debian` and not installed: installing starts a mail server and removes
another. Debian's Exim wants an account of its own (`Debian-exim`), which only installing makes:
nss_wrapper lets it see one.
"""

from __future__ import annotations

import contextlib
import getpass
import grp
import os
import pwd
import shutil
import smtplib
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from tests.helpers.daemons import answers, end
from tests.helpers.mailserver import OWNER, UNPACKED, Sink, free_ports, removed

PACKAGE, ACCOUNT = "exim4-daemon-heavy", "Debian-exim"
SECTIONS = ("main", "acl", "router", "transport", "retry", "rewrite", "auth")
"""The folders of conf.d, in the order in which `update-exim4.conf` puts them together."""
HEAD = """\
exim_user = {user}
exim_group = {group}
log_file_path = {root}/log/%slog
pid_file_path = {root}/exim.pid
daemon_smtp_ports = {port}
deliver_drop_privilege = true
smtp_accept_queue_per_connection = 0
tls_advertise_hosts =
timezone = Asia/Ho_Chi_Minh
SPOOLDIR = {root}/spool
CONFDIR = {root}/etc
ETC_MAILNAME = hoankiem.gov.vn
MAIN_HARDCODE_PRIMARY_HOSTNAME = mail.hoankiem.gov.vn
MAIN_KEEP_ENVIRONMENT = LD_LIBRARY_PATH : LD_PRELOAD : ^NSS_WRAPPER_
MAIN_LOCAL_INTERFACES = 127.0.0.1
MAIN_LOCAL_DOMAINS = mail.hoankiem.gov.vn
MAIN_RELAY_TO_DOMAINS =
MAIN_RELAY_NETS = 127.0.0.1
DC_minimaldns = 1
DCconfig_smarthost = 1
DCsmarthost = 127.0.0.1::{sink}
"""
"""What debconf asks for, and where everything lies."""
OURS = {
    "exim_path = /usr/sbin/exim4": "exim_path = {program}",
    "  route_list = * DCsmarthost byname": "  route_list = * DCsmarthost byname\n  self = send",
    "  driver = smtp\n  multi_domain": "  driver = smtp\n  allow_localhost = true\n  multi_domain",
    "/etc/email-addresses": "{root}/email-addresses",
    "F,2h,15m; G,16h,1h,1.5; F,4d,6h": "F,2h,1s",
}
"""What has to be another text: the next server is on this machine too, and nobody waits minutes."""


def installed() -> Path:
    """The root below which Exim's programs are."""
    base = UNPACKED / PACKAGE
    if not (base / "usr/sbin/exim4").exists():
        raise AssertionError("the tests need Exim: run tools/setup dev")
    return base


class Exim:
    """Its daemon as a child process; `files` are the texts for /etc/exim4, by their paths."""

    def __init__(self, root: Path, sink: int, files: Mapping[str, str]) -> None:
        self.root, self.base = root, installed()
        (self.port,) = free_ports(1)
        user = OWNER if os.geteuid() == 0 else getpass.getuser()
        group = OWNER if os.geteuid() == 0 else grp.getgrgid(os.getegid()).gr_name
        self._accounts(user, group)
        for name in ("log", "spool"):
            (root / name).mkdir()
            if os.geteuid() == 0:
                shutil.chown(root / name, user, group)
        shutil.copytree(self.base / "etc/exim4/conf.d", root / "etc/conf.d")
        (root / "email-addresses").write_text("")
        for path, text in files.items():
            place = root / "etc" / Path(path).relative_to("/etc/exim4")
            place.write_text(text.replace("/etc/exim4", f"{root}/etc"), encoding="utf-8")
        head = HEAD.format(root=root, user=user, group=group, port=self.port, sink=sink)
        self._config = root / "exim.conf"
        self._config.write_text(head + self._parts(), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None
        self._smtp: smtplib.SMTP | None = None

    def _accounts(self, user: str, group: str) -> None:
        """The accounts of this machine, and Exim's beside them with the numbers of another."""
        uid, gid = pwd.getpwnam(user).pw_uid, grp.getgrnam(group).gr_gid
        users = [p for p in pwd.getpwall() if p.pw_name != ACCOUNT]
        groups = [g for g in grp.getgrall() if g.gr_name != ACCOUNT]
        passwd = [f"{p.pw_name}:x:{p.pw_uid}:{p.pw_gid}::{p.pw_dir}:{p.pw_shell}" for p in users]
        passwd.append(f"{ACCOUNT}:x:{uid}:{gid}::/:/usr/sbin/nologin")
        names = [f"{g.gr_name}:x:{g.gr_gid}:{','.join(g.gr_mem)}" for g in groups]
        names.append(f"{ACCOUNT}:x:{gid}:")
        (self.root / "passwd").write_text("\n".join(passwd) + "\n", encoding="utf-8")
        (self.root / "group").write_text("\n".join(names) + "\n", encoding="utf-8")

    def _parts(self) -> str:
        folders = [self.root / "etc/conf.d" / section for section in SECTIONS]
        text = "\n".join(p.read_text() for f in folders for p in sorted(f.iterdir()))
        for theirs, ours in OURS.items():
            assert theirs in text, theirs
            text = text.replace(theirs, ours.format(program=self.program, root=self.root))
        return text

    @property
    def program(self) -> Path:
        """The daemon's file."""
        return self.base / "usr/sbin/exim4"

    def environment(self) -> dict[str, str]:
        """What it finds its libraries and accounts by."""
        found = [self.base / "usr/lib", *(self.base / "usr/lib").glob("*-linux-gnu*")]
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "LD_LIBRARY_PATH": ":".join(map(str, found)),
            "LD_PRELOAD": str(next(UNPACKED.glob("usr/lib/*/libnss_wrapper.so"))),
            "NSS_WRAPPER_PASSWD": str(self.root / "passwd"),
            "NSS_WRAPPER_GROUP": str(self.root / "group"),
        }

    def start(self) -> None:
        """Start the daemon, which looks at its queue every second, and wait until it listens."""
        with (self.root / "out").open("wb") as out:
            self._process = subprocess.Popen(
                [self.program, "-C", self._config, "-bdf", "-q1s"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self.environment(),
                start_new_session=True,
            )
        if not answers(self.port, 20, self._process):
            raise AssertionError(f"Exim did not start: {self.said()}")

    def said(self) -> str:
        """What it wrote anywhere."""
        logs = [self.root / "out", *sorted((self.root / "log").iterdir())]
        return "".join(p.read_text() for p in logs)

    def send(
        self, message: bytes, to: Sequence[str], sender: str = "vanthu@hoankiem.gov.vn"
    ) -> None:
        """Hand one mail in, all over one connection: Exim takes its time to end one."""
        if self._smtp is None:
            self._smtp = smtplib.SMTP("127.0.0.1", self.port, local_hostname="pc-7", timeout=20)
        self._smtp.sendmail(sender, list(to), message)

    def log(self, ended: int) -> str:
        """The main log, once so many mails were completed."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            log = self.root / "log" / "mainlog"
            if log.exists() and log.read_text().count(" Completed\n") >= ended:
                return log.read_text()
            time.sleep(0.1)
        raise AssertionError(f"not {ended} mails went through: {self.said()}")

    def stop(self) -> None:
        """End the daemon with everything that it started."""
        if self._smtp is not None:
            self._smtp.close()
        end(self._process)


@contextlib.contextmanager
def exim(files: Mapping[str, str]) -> Iterator[Exim]:
    """A running Exim with these files in its /etc/exim4."""
    # Not below pytest's folder, into which only its owner may look.
    with contextlib.ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="sauro-exim-"))
        stack.callback(removed, root)
        root.chmod(0o755)
        sink = stack.enter_context(Sink())
        threading.Thread(target=sink.serve_forever, daemon=True).start()
        stack.callback(sink.shutdown)
        server = Exim(root, sink.server_address[1], files)
        stack.callback(server.stop)
        server.start()
        yield server
