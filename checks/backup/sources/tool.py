"""Running a backup tool's listing command on a host: read-only, as the right account, quoted."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from checks.evidence import NotDeclared
from inventory.model import BackupSet


def run(backup: BackupSet, program: Sequence[str]) -> str:
    """The sh text that runs `program` with its fixed arguments, by sudo when the set says so.

    A program that is not there, and an account that sudo does not allow, are said on standard
    error in the words that become `missing_tool` and `denied`. Variables that are no secrets stand
    in the program itself: `("env", "BORG_…=yes", "borg", …)`.
    """
    tool = next(word for word in program if word != "env" and "=" not in word)
    line = " ".join(shlex.quote(word) for word in program)
    present = _present(tool)
    if not backup.run_as:
        return f"{present}\n{line}"
    account = shlex.quote(backup.run_as)
    refused = _said("denied", f"sudo -u {backup.run_as} {' '.join(program)}")
    return (
        f"{present}\n{_present('sudo')}\n"
        f"sudo -n -u {account} -l {line} >/dev/null 2>&1 || {{ echo {refused} >&2; exit 77; }}\n"
        f"sudo -n -u {account} {line}"
    )


def sudo_rule(backup: BackupSet, program: Sequence[str]) -> tuple[str, ...]:
    """What `Request.sudo` holds for such a run."""
    return (backup.run_as, *program) if backup.run_as else ()


def password_environ(backup: BackupSet, variable: str) -> dict[str, str]:
    """`Request.secrets` for a password that the scanner knows.

    Raises:
        NotDeclared: the set wants it under another account, where sudo takes the environment away.
    """
    if not backup.password:
        return {}
    if backup.run_as:
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: password with run_as cannot reach the tool; "
            "give password_file on the server instead"
        )
    return {variable: backup.password}


def _present(tool: str) -> str:
    missing = _said("missing", tool)
    return f"command -v {shlex.quote(tool)} >/dev/null 2>&1 || {{ echo {missing} >&2; exit 127; }}"


def _said(what: str, name: str) -> str:
    return shlex.quote(f"sauro:{what} {name}")
