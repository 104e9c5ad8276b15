"""Visits of this machine that fail in a chosen way, judged by the real engine."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from checks.backup.sources.registry import SERIES
from checks.catalogue import builtin
from checks.evidence import Evidence, Request, Source
from checks.model import Scope
from checks.results import Result
from inventory.model import BackupSet, Bucket, Selection
from scanner.judge import Judge
from scanner.plan import plan
from scanner.shell import Armed
from scanner.shell_words import by_exit, own_words
from scanner.transports.base import SizeLimits
from scanner.transports.files import FilesTransport
from scanner.transports.s3 import S3Transport
from scanner.transports.secrets import arm
from tests.helpers.backup_series import UTC
from tests.helpers.backup_tools import FIXTURES, TAKEN, inventory, subject

_BASICS = (
    *("awk", "basename", "cat", "cut", "date", "df", "dirname", "du", "env", "find", "grep"),
    *("head", "id", "ls", "mkdir", "mktemp", "ps", "readlink", "rm", "sed", "sh", "sort"),
    *("stat", "sudo", "tail", "tr", "uname"),
)


class Said(NamedTuple):
    """What a program answers: its two streams and its exit code."""

    stderr: bytes = b""
    code: int = 1
    stdout: bytes = b""


def recording(probe: str, case: str) -> Said:
    """A recorded answer of the real tool."""
    folder = FIXTURES / probe / case
    errors = (folder / "stderr").read_bytes()
    return Said(errors, int((folder / "exit").read_text()), (folder / "stdout").read_bytes())


class Machine:
    """A machine without backup tools, on which stand-ins may answer; `folder` is the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._programs = folder / "bin"
        self._programs.mkdir()
        self._home = folder / "home"
        self._home.mkdir()
        for name in _BASICS:
            found = shutil.which(name)
            if found:
                (self._programs / name).symlink_to(found)

    def add(self, program: str, said: Said) -> None:
        """A program that answers always the same."""
        kept = self.folder / f"{program}.said"
        kept.mkdir()
        (kept / "stdout").write_bytes(said.stdout)
        (kept / "stderr").write_bytes(said.stderr)
        path = self._programs / program
        path.write_text(
            f"#!/bin/sh\n/bin/cat '{kept}/stdout'\n/bin/cat '{kept}/stderr' >&2\nexit {said.code}\n"
        )
        path.chmod(0o755)

    def visit(
        self, promised: BackupSet, surroundings: Mapping[str, str] | None = None, **more: Bucket
    ) -> list[Evidence]:
        """Everything that a visit brings back for a set; `more` are buckets by id."""
        requests = SERIES.requests(subject(promised, buckets=more))
        sources = {r.source for r in requests}
        found = [self._shell(r, surroundings or {}) for r in requests if r.source is Source.SHELL]
        if Source.FILES in sources:
            found += FilesTransport(self.folder, SizeLimits(), lambda: TAKEN).collect(requests)
        if Source.S3 in sources:
            bucket = more[promised.bucket]
            found += S3Transport(bucket, lambda: TAKEN, 20, self.folder).collect(requests)
        return found

    def _shell(self, request: Request, surroundings: Mapping[str, str]) -> Evidence:
        """One section of a visit, with the failures that the shell transport makes of it."""
        armed = arm(request, self.folder, surroundings)
        secret = armed.variables if isinstance(armed, Armed) else {}
        done = subprocess.run(
            ["/bin/sh", "-c", armed.script],
            env={"PATH": str(self._programs), "HOME": str(self._home), "TZ": "UTC", **secret},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=60,
            check=False,
        )
        errors = done.stderr.decode("utf-8", "replace")
        return Evidence(
            probe=request.probe,
            target=request.target,
            key=request.key,
            taken=TAKEN,
            stdout=done.stdout,
            stderr=done.stderr,
            exit=done.returncode,
            failure=own_words(errors) or by_exit(done.returncode, errors),
        )


def rows_of(promised: BackupSet, evidence: Sequence[Evidence], **more: Bucket) -> dict[str, Result]:
    """The rows of every check that looks at the series of a set, by id."""
    checks = [c for c in builtin().checks if c.scope is Scope.BACKUP and SERIES in c.needs]
    cases = plan(inventory(promised, buckets=more), Selection(), checks).cases
    seen = {(e.target, e.key): e for e in evidence}
    judge = Judge(
        started=TAKEN,
        zone=UTC,
        legal_basis=2026,
        coverage_floor=80,
        options=lambda check: check.options(),
        past=lambda _kind, _subject: (),
    )
    return {case.check.id: judge.judge(case, seen).results[0] for case in cases}
