"""References to secrets (`env:NAME`, `file:PATH`, `command:…`), resolved when they are used.

A secret is returned and nowhere kept, logged or put into an error.
"""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from checks.evidence import Request
from scanner.shell import Armed, quote

_MOST_BYTES = 65_536


class NoSecret(Exception):  # noqa: N818 - says what it is
    """A reference leads to no secret; the text says why without showing anything of it."""


def resolve(
    reference: str, project: Path, environment: Mapping[str, str], timeout: float = 10.0
) -> str:
    """The first line of what a reference leads to, without surrounding blanks.

    Paths are relative to the project folder, in which commands run too (no shell, `timeout` s).

    Raises:
        NoSecret: there is nothing there.
    """
    kind, _, rest = reference.partition(":")
    if kind == "env":
        found = environment.get(rest, "")
    elif kind == "file":
        found = _file(project / Path(rest).expanduser())
    elif kind == "command":
        found = _command(rest, project, timeout)
    else:
        raise NoSecret("a secret is given as env:NAME, file:PATH or command:…, never itself")
    secret = found.strip().splitlines()[0].strip() if found.strip() else ""
    if not secret:
        raise NoSecret(f"{_shown(kind, rest)} is not set or empty")
    return secret


def arm(request: Request, project: Path, environment: Mapping[str, str]) -> Request:
    """The request with what its secrets lead to; without them it only says what is missing."""
    if not request.secrets:
        return request
    try:
        found = {
            name: resolve(reference, project, environment)
            for name, reference in request.secrets.items()
        }
    except NoSecret as e:
        said = quote(f"sauro:auth {e}")
        return msgspec.structs.replace(request, script=f"echo {said} >&2; exit 77", secrets={})
    return Armed(**{**msgspec.structs.asdict(request), "secrets": {}}, variables=found)


def _shown(kind: str, rest: str) -> str:
    """A reference without a command's arguments, which may hold what must not be shown."""
    words = rest.split(maxsplit=1)
    return f"{kind}:{words[0] if kind == 'command' and words else rest}"


def _file(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_BYTES).decode("utf-8", "replace")
    except OSError as e:
        raise NoSecret(f"file:{path} cannot be read: {e.strerror}") from None


def _command(text: str, project: Path, timeout: float) -> str:
    name = _shown("command", text)
    try:
        done = subprocess.run(  # noqa: S603 - the inventory's own word, no shell
            shlex.split(text),
            cwd=project,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NoSecret(f"{name} gave no answer within {timeout:.0f} s") from None
    except (OSError, ValueError, IndexError) as e:
        why = e.strerror if isinstance(e, OSError) else "it is no command"
        raise NoSecret(f"{name} cannot be run: {why}") from None
    if done.returncode:
        raise NoSecret(f"{name} ended with exit code {done.returncode}")
    return done.stdout[:_MOST_BYTES].decode("utf-8", "replace")
