"""What a section's errors mean, in the words of the programs themselves."""

from __future__ import annotations

import json

import pytest

from checks.evidence import FailureKind
from scanner.shell_words import by_exit, own_words

TRACE = "Traceback (most recent call last):\n" + "  File x, line 1\n" * 50
OPEN = "PermissionError: [Errno 13] Permission denied: '/srv/backup/config'"


def logged(message: str) -> str:
    return json.dumps({"type": "log_message", "message": message, "levelname": "ERROR"})


@pytest.mark.parametrize(
    ("said", "kind", "detail"),
    [
        ("sauro:missing restic", FailureKind.MISSING_TOOL, "restic"),
        ("ls: /x: Permission denied\n", FailureKind.DENIED, "ls: /x: Permission denied"),
        # One sentence, and not the program's innards around it.
        (logged(f"{TRACE}{OPEN}\nPlatform: Linux\n"), FailureKind.DENIED, OPEN),
        (logged("cut")[:-1] + " permission denied", FailureKind.DENIED, None),
        ('{"a": "permission denied"}', FailureKind.DENIED, '{"a": "permission denied"}'),
        # The host itself was not let in where its copies lie: a key is missing, not a right here.
        (
            "b@store: Permission denied (publickey,password).",
            FailureKind.AUTH,
            "b@store: Permission denied (publickey,password).",
        ),
        (
            logged("Remote: b@store: Permission denied (publickey)."),
            FailureKind.AUTH,
            "Remote: b@store: Permission denied (publickey).",
        ),
    ],
)
def test_refusals(said: str, kind: FailureKind, detail: str | None) -> None:
    failure = own_words(f"first line\n{said}\nlast line\n")
    assert failure is not None
    assert failure.kind is kind
    assert detail is None or failure.detail == detail


def test_other_errors_are_for_the_exit_code() -> None:
    assert own_words("warning: slow\n") is None
    assert by_exit(0, "warning: slow\n") is None
    failure = by_exit(3, "broken\n")
    assert failure is not None
    assert failure.kind is FailureKind.COMMAND_FAILED
