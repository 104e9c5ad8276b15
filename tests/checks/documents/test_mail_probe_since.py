"""The script that reads a mail log on a server, asked for what followed a scan only."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from checks.documents.sources.mail_probe import mail_params, script
from checks.files import FileEntry, unpack
from tests.checks.documents.test_mail_probe import tools
from tests.helpers.correspondence import Mail, daily_mails, gz, log

SHELLS = [s for s in ("dash", "bash", "busybox") if shutil.which(s)]
SINCE = dt.datetime(2026, 11, 14, tzinfo=dt.UTC)
PLAIN = "2026-11-10T08:00:00+07:00 mx sshd[3]: Accepted publickey for x\n"


def sent(
    path: Path,
    begins: list[tuple[str, int]],
    shell: str = "dash",
    env: dict[str, str] | None = None,
) -> list[FileEntry]:
    words = [shell, "sh"] if shell == "busybox" else [shell]
    done = subprocess.run(
        [*words, "-c", script(mail_params("postfix", str(path), SINCE, begins))],
        capture_output=True,
        check=False,
        timeout=60,
        env={**os.environ, **(env or {})},
    )
    assert (done.returncode, done.stderr) == (0, b"")
    return unpack(done.stdout)


def touch(path: Path, day: int) -> None:
    os.utime(path, (dt.datetime(2026, 11, day, tzinfo=dt.UTC).timestamp(),) * 2)


def text(days: int = 6) -> str:
    return "".join(PLAIN + log(mail) for mail in daily_mails(days=days))


def whole(path: Path, shell: str = "dash") -> bytes:
    touch(path, 20)
    (found,) = sent(path, [], shell)
    return bytes(found.data)


@pytest.mark.parametrize("shell", SHELLS)
@pytest.mark.parametrize("name", ["mail.log", "mail.log.1.gz"])
def test_lines_before_are_left_out_and_the_others_keep_their_numbers(
    tmp_path: Path, shell: str, name: str
) -> None:
    path = tmp_path / name
    path.write_bytes(gz(text()) if name.endswith("gz") else text().encode())
    every = whole(path, shell)
    (found,) = sent(path, [], shell)
    for line in (1, 2, 9, 20):
        (cut,) = sent(path, [("7-7", 3), (found.head, line)], shell)
        kept = [x for x in every.splitlines(keepends=True) if int(x.split(b":")[0]) >= line]
        assert bytes(cut.data) == b"".join(kept)
        assert cut.head == found.head
    (none,) = sent(path, [(found.head, 10_000)], shell)
    assert bytes(none.data) == b""


def test_a_host_whose_grep_cannot_sends_the_lines_before_as_empty_ones(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(text())
    touch(path, 20)
    names = ("dash", "wc", "head", "date", "sed", "printf", "cksum", "tail", "tr")
    env = tools(tmp_path / "bin", *names)
    (found,) = sent(path, [], "/bin/dash", env)
    (cut,) = sent(path, [(found.head, 9)], "/bin/dash", env)
    lines = text().splitlines(keepends=True)
    assert bytes(cut.data).decode() == "\n" * 8 + "".join(lines[8:])


def test_the_first_line_tells_a_file_whatever_it_is_called(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(text())
    (tmp_path / "b.log.gz").write_bytes(gz(text(6) + "more\n"))
    (tmp_path / "c.log").write_text("x" + text())
    (tmp_path / "d.log").write_text("")
    for path in tmp_path.iterdir():
        touch(path, 20)
    a, b, c, d = (f.head for f in sent(tmp_path / "*", []))
    assert a == b != c
    assert "" not in (a, c)
    assert d == ""


def test_a_host_without_cksum_tells_no_file(tmp_path: Path) -> None:
    path = tmp_path / "mail.log"
    path.write_text(text())
    touch(path, 20)
    env = tools(tmp_path / "bin", "dash", "grep", "wc", "head", "date", "sed", "printf")
    (found,) = sent(path, [("1-1", 5)], "/bin/dash", env)
    assert found.head == ""
    assert bytes(found.data) == whole(path)


@pytest.mark.parametrize("shell", SHELLS)
def test_files_written_before_are_only_named(tmp_path: Path, shell: str) -> None:
    for day, name in ((20, "mail.log"), (14, "mail.log.1"), (13, "mail.log.2.gz")):
        path = tmp_path / name
        data = log(Mail(f"2026-11-{day}T05:00:00"))
        path.write_bytes(gz(data) if name.endswith("gz") else data.encode())
        touch(path, day)
    new, edge, old = sent(tmp_path / "mail.log*", [], shell)
    assert [f.skipped for f in (new, edge, old)] == [False, False, True]
    assert (bytes(old.data), bool(old.head)) == (b"", True)
    assert new.data
    assert edge.data


def test_a_damaged_archive_that_is_not_needed_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "mail.log.9.gz").write_bytes(gz("x" * 5000)[:30])
    touch(tmp_path / "mail.log.9.gz", 1)
    (tmp_path / "mail.log").write_text(text())
    touch(tmp_path / "mail.log", 20)
    assert [f.skipped for f in sent(tmp_path / "mail.log*", [])] == [False, True]


@pytest.mark.parametrize("begins", ["1-1:x", "1-1:2) rm -rf / ;; x", "$(id):1", "1:1", "1-1:2;"])
def test_only_checksums_and_lines_come_into_the_script(begins: str) -> None:
    with pytest.raises(ValueError, match="begins"):
        script({"path": "/var/log/mail.log", "since": "1", "begins": begins})
    with pytest.raises(ValueError, match="invalid literal"):
        script({"path": "/x", "since": "1; id"})


def test_without_a_mark_the_script_is_the_same_for_all() -> None:
    assert script(mail_params("postfix", "/x")) == script({"path": "/x"})
    assert mail_params("postfix", "/x") == {"path": "/x"}
