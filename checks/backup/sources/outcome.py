"""What a listing command answered: its output, its exit code, and why it could not look.

A tool's own sentences tell a wrong password from a repository that is not there, which an exit
code alone does not; so the command's code travels behind its errors, and the parser reads both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from checks.evidence import Evidence, FailureKind, Unparsable
from checks.texts import clean

_DENIED = re.compile(r"(?<!\w)permission denied", re.IGNORECASE)
_LOGIN = re.compile(
    r"(?<!\w)permission denied \((?:publickey|password|keyboard|gssapi)", re.IGNORECASE
)
"""How ssh says that it was not let in."""
_ABSENT = re.compile(
    r"\bsh: (?:line )?(?:[0-9]+: )?([\w.-]+): (?:command )?not found"
    r"|No such file or directory: '([\w-]+)'$"
)
"""A program that a tool needs and cannot start, here or where the copies lie."""
_CODE = re.compile(rb"sauro-exit (\d{1,3})\n?\Z")


def with_code(script: str) -> str:
    """The sh text that runs `script` and succeeds; its exit code stands behind its errors."""
    return f'(\n{script}\n)\necho "sauro-exit $?" >&2'


class Outcome(msgspec.Struct, frozen=True):
    """How a command ended. `errors` is what it wrote to standard error, as it came."""

    code: int
    errors: str

    @property
    def said(self) -> str:
        """The first line of the errors, fit to be shown, and the code."""
        return self._shown(next((line for line in self.errors.splitlines() if line.strip()), ""))

    def about(self, words: re.Pattern[str]) -> str:
        """The first line of the errors in which the words stand, as `said`; empty without one."""
        for line in self.errors.splitlines():
            told = _message(line) if line.lstrip().startswith("{") else line
            found = next((part for part in told.splitlines() if words.search(part)), "")
            if found:
                return self._shown(found)
        return ""

    def _shown(self, line: str) -> str:
        told = _message(line).partition("\n")[0] if line.lstrip().startswith("{") else line.strip()
        ended = f"exit code {self.code}"
        return clean(f"{told} ({ended})") if told else ended


def _message(line: str) -> str:
    """What a tool says that writes its errors as JSON."""
    try:
        return msgspec.json.decode(line, type=_Message).message.strip()
    except msgspec.DecodeError:
        return line


class _Message(msgspec.Struct):
    message: str


def outcome(evidence: Evidence) -> Outcome:
    """How the command of `with_code` ended.

    Raises:
        Unparsable: its exit code is not there.
    """
    found = _CODE.search(evidence.stderr)
    if found is None:
        raise Unparsable(f"{evidence.probe}: no exit code in the answer")
    return Outcome(int(found[1]), evidence.stderr[: found.start()].decode("utf-8", "replace"))


def succeeded(
    evidence: Evidence, refusals: Mapping[str, str], codes: Mapping[int, str], fine: int = 0
) -> Outcome:
    """The outcome of a command that worked (exit code up to `fine`).

    `refusals` are parts of the tool's sentences about passwords and keys, `codes` its exit codes
    for them; each with what is then missing.

    Raises:
        Unparsable: it did not work, with kind `auth` for a refusal or a login that ssh did not get,
            `denied` for a file that may not be read, `missing_tool` for a program that the tool
            needs, else `command_failed`.
    """
    done = outcome(evidence)
    if done.code <= fine:
        return done
    missing = codes.get(done.code) or next(
        (what for words, what in refusals.items() if words in done.errors), ""
    )
    if missing:
        raise Unparsable(f"{missing}: {done.said}", FailureKind.AUTH)
    if login := done.about(_LOGIN):
        raise Unparsable(f"the login where the copies lie: {login}", FailureKind.AUTH)
    if absent := done.about(_ABSENT):
        raise Unparsable(absent, FailureKind.MISSING_TOOL)
    if denied := done.about(_DENIED):
        raise Unparsable(f"the right to read: {denied}", FailureKind.DENIED)
    raise Unparsable(done.said, FailureKind.COMMAND_FAILED)
