"""What the script sends of each kind of log: the needed lines, and they say the same as all."""

from __future__ import annotations

import bz2
import datetime as dt
import lzma
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from checks.documents.evidence import DOCUMENTS, MAILS
from checks.documents.numbers import Finder
from checks.documents.sources.amavis_file import read_amavis
from checks.documents.sources.exchange import read_exchange
from checks.documents.sources.exim import read_exim
from checks.documents.sources.mail_probe import MAIL_LOG, NEEDED, mail_params, script
from checks.documents.sources.mails import MailLog
from checks.documents.sources.postfix import read_postfix
from checks.documents.sources.zimbra import read_zimbra
from checks.evidence import Need
from checks.files import FileEntry, unpack
from inventory.document_docs import MAIL_KINDS
from inventory.model import Documents, MailSource
from tests.checks.documents import test_amavis as amavis
from tests.checks.documents import test_exchange as exchange
from tests.checks.documents import test_exim as exim
from tests.checks.documents import test_zimbra as zimbra
from tests.helpers.correspondence import UNIT, ZONE, gz, subject

SHELLS = [s for s in ("dash", "bash", "busybox") if shutil.which(s)]
FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK", "TTr-UBND-HK"])
Read = Callable[..., MailLog]
NOISE = "2026-11-10T08:00:00+07:00 mx sshd[3]: Accepted publickey for x\n"


def run(path: Path, kind: str, shell: str = "dash") -> subprocess.CompletedProcess[bytes]:
    words = [shell, "sh"] if shell == "busybox" else [shell]
    return subprocess.run(
        [*words, "-c", script(mail_params(kind, str(path)))],
        capture_output=True,
        check=False,
        timeout=60,
    )


def sent(path: Path, kind: str, shell: str = "dash") -> list[FileEntry]:
    done = run(path, kind, shell)
    assert (done.returncode, done.stderr) == (0, b"")
    return unpack(done.stdout)


CASES: dict[str, tuple[str, str, Read, str]] = {
    "amavis": (
        "postfix",
        amavis.filtered(*amavis.path(amavis.NAME), amavis.passed())
        + "2026-11-10T08:00:00+07:00 mx amavis[4312]: (04312-07) Checking: vQ7bT2z [10.0.7.21]\n",
        read_postfix,
        "Checking",
    ),
    "amavis alone": (
        "amavis",
        "".join([*amavis.path(amavis.NAME), amavis.passed()])
        + "2026-11-10T08:00:00+07:00 mx amavis[4312]: (04312-07) Checking: vQ7bT2z [10.0.7.21]\n",
        read_amavis,
        "Checking",
    ),
    "zimbra": (
        "zimbra",
        zimbra.uploaded(zimbra.NAME, zimbra.AT - dt.timedelta(minutes=1))
        + zimbra.sending()
        + zimbra.line("mailop - Adding Message: id=1203, Message-ID=<x@y>")
        + zimbra.line("lmtp - Delivering message: size=1 bytes, nrcpts=1, sender=a@b, msgid=<x>")
        + "java.lang.Exception: x\n\tat a.b(C.java:1)\n",
        read_zimbra,
        "mailop",
    ),
    "exchange": (
        "exchange",
        exchange.log(exchange.row("RECEIVE"), exchange.row("SENDEXTERNAL"), exchange.row("FAIL")),
        read_exchange,
        ",FAIL,",
    ),
    "exim": ("exim", exim.RECORDED.read_text(), read_exim, "Connection refused"),
    "exim syslog": (
        "exim",
        "".join(
            f"Nov 10 08:00:00 mx exim[47]: {x.split(' ', 2)[2]}"
            for x in exim.Mail(name=exim.NAME).lines()
        ),
        read_exim,
        "sshd",
    ),
    "exim with pid and zone": (
        "exim",
        exim.log(exim.Mail(name=exim.NAME)).replace(":00 ", ":00.123 +0700 [4711] "),
        read_exim,
        "sshd",
    ),
}


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("case", CASES)
def test_only_needed_lines_are_sent_and_they_say_the_same(
    tmp_path: Path, case: str, shell: str
) -> None:
    kind, text, read, dropped = CASES[case]
    text = text if kind == "exchange" else text + NOISE
    path = tmp_path / "a.log"
    path.write_text(text, encoding="utf-8", newline="")
    (found,) = sent(path, kind, shell)
    assert dropped not in bytes(found.data).decode()
    whole = FileEntry(name=found.name, mtime=found.mtime, data=text.encode())
    cut_log, whole_log = (read([f], "x", ZONE, FINDER) for f in (found, whole))
    assert (cut_log.events, cut_log.report) == (whole_log.events, whole_log.report)
    assert whole_log.report.mails + whole_log.report.unaddressed > 0


def test_every_kind_of_the_inventory_is_known() -> None:
    assert set(NEEDED) >= set(MAIL_KINDS)  # and those of other logs
    for kind in MAIL_KINDS:
        request = MAIL_LOG.request("s", Need.REQUIRED, **mail_params(kind, "/x"))
        assert request.script == script({"path": "/x", "kind": kind})
        # Python reads them like grep, so nothing in them means something only to one of the two.
        re.compile(NEEDED[kind])
        assert not re.search(r"\\[dswb]|\(\?", NEEDED[kind])


def test_each_kind_is_asked_for_once_and_by_its_own_words() -> None:
    sources = tuple(MailSource(kind=k, server="hk-mail", path=f"/var/log/{k}") for k in MAIL_KINDS)
    subj = subject(replace(UNIT, documents=Documents(mail=sources)))
    asked = DOCUMENTS.requests(subj)
    assert [(r.target, r.params.get("kind", "postfix")) for r in asked] == [
        ("hk-mail", k) for k in MAIL_KINDS
    ]
    assert [r.key for r in MAILS.requests(subj)] == [r.key for r in asked]
    assert len({r.key for r in asked}) == len(MAIL_KINDS)
    for request, kind in zip(asked, MAIL_KINDS, strict=True):
        assert shlex.quote(NEEDED[kind]) in request.script


PACKED: dict[str, Callable[[bytes], bytes]] = {
    "gz": lambda text: gz(text.decode()),
    "bz2": bz2.compress,
    "xz": lzma.compress,
}


@pytest.mark.parametrize("ending", [*PACKED, "zst"])
def test_packed_logs_are_unpacked_on_the_host(tmp_path: Path, ending: str) -> None:
    text = exim.log(exim.Mail(name=exim.NAME)).encode()
    path = tmp_path / f"mainlog.1.{ending}"
    if ending == "zst":
        done = subprocess.run(["zstd", "-qc"], input=text, capture_output=True, check=True)
        path.write_bytes(done.stdout)
    else:
        path.write_bytes(PACKED[ending](text))
    (found,) = sent(path, "exim")
    assert read_exim([found], "x", ZONE, FINDER).report.mails == 1
    path.write_bytes(path.read_bytes()[:-9])
    done_ = run(path, "exim")
    assert (done_.returncode, done_.stderr.decode()) == (1, f"sauro: damaged archive {path}\n")


def test_a_host_without_the_tool_says_which(tmp_path: Path) -> None:
    path = tmp_path / "mainlog.1.zst"
    path.write_bytes(b"x")
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("dash", "grep", "wc", "head", "date", "sed", "printf"):
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    done = subprocess.run(
        ["/bin/dash", "-c", script(mail_params("exim", str(path)))],
        capture_output=True,
        check=False,
        env={**os.environ, "PATH": str(folder)},
    )
    assert (done.returncode, done.stderr.decode()) == (127, "sauro:missing zstd\n")
