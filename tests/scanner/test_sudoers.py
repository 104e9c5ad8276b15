"""Exact rules, and nothing in an argument that sudo would read as its own."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from checks.evidence import Request, Source
from scanner.sudoers import rules

ASK = Request(probe="p", target="t", source=Source.SHELL)


def ask(*sudo: str) -> Request:
    return msgspec.structs.replace(ASK, sudo=sudo)


def test_each_command_stands_once_with_its_arguments() -> None:
    requests = [ask("barman", "barman", "list-backup", "all"), ask(), ask("root", "/sbin/x")]
    assert rules("sauro", [*requests, *requests]) == [
        "sauro ALL=(barman) NOPASSWD: /usr/bin/barman list-backup all",
        'sauro ALL=(root) NOPASSWD: /sbin/x ""',
    ]


@pytest.mark.parametrize("argument", ["--repo=a,b", "a*", "x y", "k=v:w", "#1", "a\\b", "(q)", ""])
def test_no_argument_means_more_than_itself(tmp_path: Path, argument: str) -> None:
    (line,) = rules("sauro", [ask("root", "env", argument)])
    assert "ALL=(root)" in line
    visudo = shutil.which("visudo", path="/usr/sbin:/usr/bin:/sbin:/bin")
    assert visudo is not None, "the Debian package sudo is needed"
    path = tmp_path / "rule"
    path.write_text(line + "\n")
    path.chmod(0o440)
    checked = subprocess.run([visudo, "-cf", path], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr
