"""Amavis between two visits of a mail to the tests' own Postfix, on ports of 127.0.0.1.

It is unpacked below `.venv/debian` and not installed: installing starts it. Debian's own settings
are in force but for those that ask this machine for its name and for templates of notices.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from tests.helpers.daemons import answers, end
from tests.helpers.mailserver import GROUP, OWNER, UNPACKED, Postfix, free_ports, postfix, removed

PACKAGE = "amavisd-new"
HERE = """\
use strict;
$daemon_user = '{user}'; $daemon_group = '{group}';
$MYHOME = '{root}/home'; $TEMPBASE = "$MYHOME/tmp"; $ENV{{TMPDIR}} = $TEMPBASE;
$db_home = "$MYHOME/db"; $pid_file = "$MYHOME/pid"; $lock_file = "$MYHOME/lock";
$mydomain = 'hoankiem.gov.vn'; $myhostname = 'mail.hoankiem.gov.vn';
$unix_socketname = undef; $inet_socket_bind = '127.0.0.1'; $inet_socket_port = {port};
$forward_method = 'smtp:[127.0.0.1]:{inner}'; $notify_method = $forward_method;
$DO_SYSLOG = 0; $LOGFILE = "$MYHOME/amavis.log";
$QUARANTINEDIR = undef; $enable_db = 0; $enable_zmq = 0; $file = '';
@local_domains_maps = (['.hoankiem.gov.vn']);
1;
"""
"""Who it is, where everything lies, and no other program to be started."""
MAIN = "content_filter = smtp-amavis:[127.0.0.1]:{port}\n"
SERVICES = """\
smtp-amavis unix - - n - 2 smtp
  -o smtp_send_xforward_command=yes
  -o disable_mime_output_conversion=yes
127.0.0.1:{inner} inet n - n - - smtpd
  -o content_filter=
  -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
"""
"""What Amavis's own README.postfix says for master.cf."""


def installed() -> Path:
    """The root below which its program and modules are."""
    base = UNPACKED / PACKAGE
    if not (base / "usr/sbin/amavisd").exists():
        raise AssertionError("the tests need Amavis: run tools/setup dev")
    return base


class Amavis:
    """Its daemon as a child process; `files` are the texts for /etc/amavis, by their paths."""

    def __init__(self, root: Path, port: int, inner: int, files: Mapping[str, str]) -> None:
        self.root, self.port, self.base = root, port, installed()
        self.home = root / "home"
        for place in (self.home, self.home / "tmp", self.home / "db"):
            place.mkdir()
            shutil.chown(place, OWNER, GROUP)
        own = {"40-here": HERE.format(root=root, port=port, inner=inner, user=OWNER, group=GROUP)}
        own |= {Path(path).name: text for path, text in files.items()}
        theirs = {p.name: p.read_text() for p in self.base.glob("*/*/amavis/conf.d/*")}
        theirs |= {p.name: p.read_text() for p in self.base.glob("etc/amavis/conf.d/*")}
        (root / "etc").mkdir()
        for name, text in (theirs | own).items():
            if not name.startswith(("05-", "30-")):
                (root / "etc" / name).write_text(text, encoding="utf-8")
        self._program = root / "amavisd"
        self._program.write_text(self._script())
        self._program.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None

    def _script(self) -> str:
        """The program with its modules' folders named: it starts itself again by its own name."""
        modules = [self.base / "usr/share/perl5", *self.base.glob("usr/lib/*/perl5/*")]
        head, _, rest = (self.base / "usr/sbin/amavisd").read_text().partition("\n")
        return f"{head}\nuse lib qw({' '.join(map(str, modules))});\n{rest}"

    @property
    def log(self) -> Path:
        """The file that it writes."""
        return self.home / "amavis.log"

    def said(self) -> str:
        """What it wrote anywhere."""
        places = [self.root / "out", self.log]
        return "".join(p.read_text() for p in places if p.exists())

    def start(self) -> None:
        """Start the daemon and wait until it listens."""
        configs = sorted(p.name for p in (self.root / "etc").iterdir())
        command = [str(self._program), "-m", "2"]
        for name in configs:
            command += ["-c", str(self.root / "etc" / name)]
        libraries = self.base.glob("usr/lib/*-linux-gnu*")
        with (self.root / "out").open("wb") as out:
            self._process = subprocess.Popen(
                [*command, "foreground"],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={
                    "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                    "LD_LIBRARY_PATH": ":".join(map(str, libraries)),
                    "TZ": "Asia/Ho_Chi_Minh",
                    "LANG": "C.UTF-8",
                },
                start_new_session=True,
            )
        if not answers(self.port, 60, self._process):
            raise AssertionError(f"Amavis did not start: {self.said()}")

    def stop(self) -> None:
        """End the daemon with everything that it started."""
        end(self._process)


@contextlib.contextmanager
def filtered_postfix(files: Mapping[str, str]) -> Iterator[tuple[Postfix, Amavis]]:
    """A running Postfix that logs no headers, and the Amavis that all its mail passes."""
    port, inner = free_ports(2)
    with contextlib.ExitStack() as stack:
        root = Path(tempfile.mkdtemp(prefix="sauro-amavis-"))
        stack.callback(removed, root)
        root.chmod(0o755)
        main, services = MAIN.format(port=port), SERVICES.format(inner=inner)
        server = stack.enter_context(postfix(main, services=services))
        amavis = Amavis(root, port, inner, files)
        stack.callback(amavis.stop)
        amavis.start()
        yield server, amavis
