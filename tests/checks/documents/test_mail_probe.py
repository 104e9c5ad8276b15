"""The script that reads a mail log on a server, run by the shells and tools that hosts have."""

from __future__ import annotations

import datetime as dt
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources.mail_probe import LIMIT, MAIL_LOG, quoted_pattern, script
from checks.documents.sources.postfix import read_postfix
from checks.files import FileEntry, unpack
from tests.helpers.correspondence import PATIENT, ZONE, Mail, daily_mails, entry, gz, log

SHELLS = [s for s in ("dash", "bash") if shutil.which(s)]
NUMBER = "12/QĐ-UBND-HK"
NOISE = (
    "2026-11-10T08:00:00.000000+07:00 mx sshd[3]: Accepted publickey for x\n"
    "2026-11-10T08:00:00.000000+07:00 mx postfix/smtpd[9]: connect from pc-7[10.0.7.21]\n"
    "2026-11-10T08:00:00.000000+07:00 mx postfix/smtpd[9]: NOQUEUE: reject: RCPT from x[1.2.3.4]\n"
    "2026-11-10T08:00:00.000000+07:00 mx dovecot: imap(a)<3><x>: from=<x> removed\n"
)


def run(
    path: str, shell: str = "dash", env: dict[str, str] | None = None
) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [shell, "-c", script({"path": path})],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **(env or {})},
    )


def files(path: str, shell: str = "dash", env: dict[str, str] | None = None) -> list[FileEntry]:
    done = run(path, shell, env)
    assert (done.returncode, done.stderr) == (0, b"")
    return unpack(done.stdout)


@pytest.mark.parametrize("shell", SHELLS)
def test_only_needed_lines_are_sent_and_they_say_the_same(tmp_path: Path, shell: str) -> None:
    text = NOISE + log(*daily_mails(days=3)) + NOISE + log(Mail("2026-11-20T08:00:00", NUMBER))
    (tmp_path / "mail.log").write_text(text)
    (found,) = files(f"{tmp_path}/mail.log", shell)
    assert found.name == f"{tmp_path}/mail.log"
    sent = bytes(found.data).decode()
    assert "connect from" not in sent
    assert "dovecot" not in sent
    finder = Finder(["QĐ-UBND-HK"])
    cut = read_postfix([found], "x", ZONE, finder)
    whole = read_postfix([entry(found.name, text)], "x", ZONE, finder)
    assert cut == whole
    assert (cut.report.mails, len(cut.events)) == (4, 1)


def test_old_stamps_are_sent_too(tmp_path: Path) -> None:
    text = "Nov  9 08:00:00 mx postfix/qmgr[1]: 8F2E6C: removed\nNov  9 08:00:00 mx cron[1]: x\n"
    (tmp_path / "mail.log").write_text(text)
    (found,) = files(f"{tmp_path}/mail.log")
    assert bytes(found.data) == b"1:" + text.encode().splitlines(keepends=True)[0]


def test_rotated_and_compressed_files_of_a_pattern(tmp_path: Path) -> None:
    mails = [Mail(f"2026-11-{n}T08:00:00", NUMBER) for n in (18, 19, 20)]
    (tmp_path / "mail.log.2.gz").write_bytes(gz(log(mails[0])))
    (tmp_path / "mail.log.1").write_text(log(mails[1]))
    (tmp_path / "mail.log").write_text(log(mails[2]))
    (tmp_path / "other.log").write_text("x")
    (tmp_path / "mail.log.d").mkdir()
    found = files(f"{tmp_path}/mail.log*")
    assert [Path(f.name).name for f in found] == ["mail.log", "mail.log.1", "mail.log.2.gz"]
    report = read_postfix(found, "x", ZONE, Finder([])).report
    assert (report.mails, report.files) == (3, 3)


def test_the_time_of_the_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text("")
    when = dt.datetime(2025, 3, 4, 5, 6, 7, tzinfo=ZoneInfo("UTC"))
    os.utime(path, (when.timestamp(), when.timestamp()))
    (found,) = files(str(path), env={"TZ": "Asia/Ho_Chi_Minh"})
    assert (found.mtime, bytes(found.data)) == (when, b"")


@pytest.mark.parametrize(
    "name",
    [
        "it's $(touch hacked) `touch hacked`;&|.log",
        'quo"te\\back.log',
        "-n.log",
        "a b.log",
        "{a,b}.log",
        "~.log",
        "!x#.log",
        "$HOME.log",
        "nhật ký.log",
    ],
)
def test_names_are_quoted_whatever_they_hold(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(log(Mail("2026-11-20T08:00:00", NUMBER)))
    (found,) = files(f"{tmp_path}/{name}")
    assert found.name == f"{tmp_path}/{name}"
    assert len(list(tmp_path.iterdir())) == 1


def test_globbing_happens_in_the_declared_pattern_only(tmp_path: Path) -> None:
    for name in ("mail.log", "mail.err", "ma?l.log"):
        (tmp_path / name).write_text("")
    assert len(files(f"{tmp_path}/mail.[el]*")) == 2
    assert len(files(f"{tmp_path}/ma?l.log")) == 2
    assert run(f"{tmp_path}/[!m]*").returncode == 1


@given(st.text(alphabet="ab'\"\\$`;&|<>(){}~#!=-* ?[]^\n", min_size=1, max_size=20))
@settings(PATIENT, max_examples=30)
def test_a_pattern_is_one_word_and_runs_nothing(pattern: str) -> None:
    done = subprocess.run(
        ["dash", "-fc", f"printf '%s\\n' {quoted_pattern(pattern)} | wc -l"],
        capture_output=True,
        check=True,
        cwd="/var/empty" if Path("/var/empty").exists() else "/",
    )
    assert done.stderr == b""
    assert int(done.stdout) == pattern.count("\n") + 1


def test_nothing_there(tmp_path: Path) -> None:
    done = run(f"{tmp_path}/mail.log*")
    assert (done.returncode, done.stdout) == (1, b"")
    assert done.stderr.decode() == f"sauro: no file matches {tmp_path}/mail.log*\n"
    assert run("/nonexistent/dir/mail.log").returncode == 1


def as_nobody(path: str) -> subprocess.CompletedProcess[bytes]:
    """Root reads everything, so the script runs as somebody else."""
    return subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            "dash",
            "-c",
            script({"path": path}),
        ],
        capture_output=True,
        check=False,
        timeout=60,
    )


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="needs another user")
def test_no_right_to_read_is_named(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == os.getuid() and folder != Path("/"):
            folder.chmod(folder.stat().st_mode | 0o055)
    path = tmp_path / "mail.log"
    path.write_text("x")
    path.chmod(0o600)
    done = as_nobody(str(path))
    assert (done.returncode, done.stderr.decode()) == (77, f"sauro:denied {path}\n")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    done = as_nobody(f"{closed}/mail.log*")
    assert (done.returncode, done.stderr.decode()) == (77, f"sauro:denied {closed}\n")


def test_a_damaged_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "mail.log.gz").write_bytes(gz("x" * 5000)[:30])
    done = run(f"{tmp_path}/mail.log.gz")
    assert (done.returncode, done.stderr.decode()) == (
        1,
        f"sauro: damaged archive {tmp_path}/mail.log.gz\n",
    )


def tools(folder: Path, *names: str) -> dict[str, str]:
    """A PATH with these tools only."""
    folder.mkdir()
    for name in names:
        (folder / name).symlink_to(shutil.which(name) or "/bin/false")
    return {"PATH": str(folder)}


def test_a_host_without_gzip(tmp_path: Path) -> None:
    (tmp_path / "mail.log.gz").write_bytes(gz("x"))
    env = tools(tmp_path / "bin", "dash", "grep", "wc", "head", "date", "sed", "printf")
    done = run(f"{tmp_path}/mail.log.gz", "/bin/dash", env)
    assert (done.returncode, done.stderr.decode()) == (127, "sauro:missing gzip\n")


def test_a_host_whose_grep_cannot_sends_everything(tmp_path: Path) -> None:
    text = NOISE + log(Mail("2026-11-20T08:00:00", NUMBER))
    (tmp_path / "mail.log").write_text(text)
    env = tools(tmp_path / "bin", "dash", "wc", "head", "date", "sed", "printf")
    (found,) = files(f"{tmp_path}/mail.log", "/bin/dash", env=env)
    assert bytes(found.data).decode() == text


def test_a_growing_log_is_cut_where_it_was(tmp_path: Path) -> None:
    """The writer never stops; what is sent still has the length that was announced."""
    path = tmp_path / "mail.log"
    line = log(Mail("2026-11-20T08:00:00", NUMBER))
    path.write_text(line * 200)
    grow = f"while :; do echo grown >>{shlex.quote(str(path))}; done"
    writer = subprocess.Popen(["dash", "-c", grow])
    try:
        (found,) = files(str(path))
    finally:
        writer.kill()
        writer.wait()
    assert bytes(found.data).count(b"removed") >= 200


def test_binary_junk_and_long_lines_do_not_stop_it(tmp_path: Path) -> None:
    good = log(Mail("2026-11-20T08:00:00", NUMBER)).encode()
    junk = bytes(range(256)).replace(b"\n", b"") * 4000 + b"\n"
    (tmp_path / "mail.log").write_bytes(junk + good + b"\0\0\n" + good)
    (found,) = files(f"{tmp_path}/mail.log")
    assert bytes(found.data).count(b"removed") == 2


def test_the_script_only_reads() -> None:
    text = script({"path": "/var/log/mail.log"})
    assert not re.search(r"\b(rm|mv|cp|tee|mktemp|touch|chmod|sudo|eval)\b", text)
    assert not re.search(
        r">\s*[\"$/a-z]", text.replace("2>/dev/null", "").replace(">/dev/null", "")
    )
    assert (MAIL_LOG.limit, MAIL_LOG.stream, MAIL_LOG.sensitive) == (LIMIT, True, True)
    assert MAIL_LOG.request("s", path="/x").script == script({"path": "/x"})


def test_a_search_that_breaks_is_told(tmp_path: Path) -> None:
    """Such as one that runs out of memory in a file without line ends."""
    (tmp_path / "mail.log").write_text("x\n")
    env = tools(tmp_path / "bin", "dash", "wc", "head", "date", "sed", "printf")
    grep = tmp_path / "bin" / "grep"
    grep.write_text('#!/bin/dash\nread -r line\n[ "$2" = x ] || exit 2\n')
    grep.chmod(0o755)
    done = run(f"{tmp_path}/mail.log", "/bin/dash", env)
    assert (done.returncode, done.stderr.decode()) == (
        1,
        f"sauro: {tmp_path}/mail.log could not be searched\n",
    )
