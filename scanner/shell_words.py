"""What a section's exit code and errors mean: the kinds of failure of the contract."""

from __future__ import annotations

import re

import msgspec

from checks.evidence import Failure, FailureKind
from checks.texts import clean

_MISSING = re.compile(r"^sauro:missing\s+(\S.*)$", re.MULTILINE)
_DENIED = re.compile(r"^sauro:denied\s+(\S.*)$", re.MULTILINE)
_AUTH = re.compile(r"^sauro:auth\s+(\S.*)$", re.MULTILINE)
_NOT_FOUND = re.compile(r"([^\s:'\"‘’]+)['\"’]?: (?:command )?not found", re.MULTILINE)
_NO_SUCH = re.compile(r"['\"‘]?([^\s:'\"‘’]+)['\"’]?: No such file", re.MULTILINE)
_REFUSED = re.compile(
    r"^.*(?:permission denied|operation not permitted|a password is required"
    r"|is not allowed to (?:run|execute)|not in the sudoers file).*$",
    re.IGNORECASE | re.MULTILINE,
)
_LOGIN = re.compile(r"permission denied \((?:publickey|password|keyboard|gssapi)", re.IGNORECASE)
"""How a further ssh, from the host to where its copies lie, says that it was not let in."""


def fail(kind: FailureKind, detail: str) -> Failure:
    """A failure whose detail came from a host: made harmless to show."""
    return Failure(kind=kind, detail=clean(detail))


_OWN_WORDS = (
    (_MISSING, FailureKind.MISSING_TOOL),
    (_DENIED, FailureKind.DENIED),
    (_AUTH, FailureKind.AUTH),
)


def own_words(said: str) -> Failure | None:
    """What a probe's script says of itself, or a program of a refusal; None when neither."""
    for pattern, kind in _OWN_WORDS:
        found = pattern.search(said)
        if found:
            return fail(kind, found[1].strip())
    # Whatever the exit code: a listing that was refused a part is not the whole listing.
    refused = _REFUSED.search(said)
    if refused is None:
        return None
    line = _sentence(refused[0].strip())
    return fail(FailureKind.AUTH if _LOGIN.search(line) else FailureKind.DENIED, line)


def _sentence(line: str) -> str:
    """The refusal in a line of errors; some programs write JSON with a whole traceback in it."""
    if not line.startswith("{"):
        return line
    try:
        message = msgspec.json.decode(line, type=_Logged).message
    except msgspec.DecodeError:
        return line
    found = _REFUSED.search(message)
    return found[0].strip() if found else line


class _Logged(msgspec.Struct):
    message: str


def by_exit(code: int | None, said: str) -> Failure | None:
    """What an exit code means, with the first line of the errors; None for success."""
    if code == 0:
        return None
    first = next((line.strip() for line in said.splitlines() if line.strip()), "")
    if code == 127:
        found = _NOT_FOUND.search(said) or _NO_SUCH.search(said)
        return fail(FailureKind.MISSING_TOOL, found[1] if found else first or "unknown command")
    if code == 126:
        return fail(FailureKind.DENIED, first or "a command may not be executed")
    ended = "ended without an exit code" if code is None else f"exit code {code}"
    if code is not None and code > 128:
        ended += f" (signal {code - 128})"
    return fail(FailureKind.COMMAND_FAILED, f"{first} ({ended})" if first else ended)
