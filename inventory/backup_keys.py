"""Which keys a kind of backup set needs, and what the values of one set must not be together."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import NamedTuple

from inventory import rules
from inventory.schema import BackupDoc

TellKey = Callable[[str, str], None]
"""Reports a problem of a set at one of its keys; an empty key is the set itself."""

_TOOL_KEYS = ("repository", "name", "match", "run_as", "password_file", "password")
_CREDENTIALS = re.compile(r"//[^/@\s]*:[^/@\s]+@")


class Keys(NamedTuple):
    """Keys of one kind. Of each group of `needs` at least one key must be there."""

    needs: tuple[tuple[str, ...], ...]
    refuses: tuple[str, ...] = ()
    """Keys that this kind would silently not look at."""
    in_project: bool = False
    """Its path is a file of the project, not one on a server."""


_AWS_IGNORES = tuple(key for key in _TOOL_KEYS if key != "name")
_BY_REPOSITORY = Keys((("server",), ("repository",)), ("bucket",))
_BY_NAME = Keys((("server",), ("name",)), ("bucket",))
_BY_PATH = Keys((("server",), ("path",)), ("bucket",))
_BY_FILE = Keys(
    (("path",),),
    ("server", "bucket", "repository", "run_as", "password_file", "password"),
    in_project=True,
)
_OTHERS = Keys((("server",), ("repository", "name", "path")), ("bucket",))
KEYS: dict[str, Keys] = {
    "aws-backup": Keys((("bucket",), ("name",)), ("server", "path", *_AWS_IGNORES)),
    # A console obeys `@exec`: whoever may run it by sudo may run anything.
    "bacula": _BY_NAME._replace(refuses=("bucket", "path", "run_as", "password_file", "password")),
    "barman": _BY_NAME,
    "borg": _BY_REPOSITORY,
    "borgmatic": _BY_REPOSITORY,
    "directory": Keys(_BY_PATH.needs, ("bucket", *_TOOL_KEYS)),
    "duplicity": _BY_REPOSITORY,
    "kopia": Keys((("server",),), ("bucket",)),
    "mariadb-backup": _BY_PATH,
    "pgbackrest": _BY_NAME,
    "proxmox": Keys((("repository", "path"),), ("bucket",), in_project=True),
    "rclone": _BY_REPOSITORY,
    "register": _BY_FILE._replace(refuses=(*_BY_FILE.refuses, "match")),
    "restic": _BY_REPOSITORY,
    "s3": Keys((("bucket",),), ("server", *_TOOL_KEYS)),
    "veeam": _BY_FILE,
    "wal-g": Keys((("server",),), ("bucket",)),
    "windows-backup": _BY_FILE,
}
"""Keys of the kinds that differ from the rest, which need a server and something to look for."""

_WHERE = {
    "server": "is read on a server",
    "bucket": "reads a bucket",
    "path": "reads a folder",
    "repository": "reads a repository",
    "name": "reads what the tool keeps under a name (stanza, server, job)",
}


def check_keys(doc: BackupDoc, tell: TellKey) -> None:
    """Report keys that are missing for the kind, that it never looks at, or that contradict."""
    keys = KEYS.get(doc.kind, _OTHERS)
    for group in keys.needs:
        if not any(getattr(doc, key) for key in group):
            named = " or ".join(f"'{key}'" for key in group)
            where = "reads a file of the project" if keys.in_project else _WHERE[group[0]]
            tell("", f"kind {doc.kind} {where}: the key {named} is missing, add it")
    for key in keys.refuses:
        if getattr(doc, key):
            tell(key, _refused(doc.kind, key))
    _check_values(doc, tell)


def _refused(kind: str, key: str) -> str:
    if kind == "s3" and key == "server":
        return "kind s3 reads a bucket, not a server: remove this"
    if key in ("server", "bucket") and KEYS[kind].in_project:
        return f"kind {kind} reads a file of the project, not a {key}: remove this"
    if key == "bucket":
        return f"kind {kind} is read on a server: remove this, or make it kind s3"
    return f"kind {kind} does not use this: remove it"


def _check_values(doc: BackupDoc, tell: TellKey) -> None:
    if doc.path and doc.kind != "s3":
        in_project = KEYS.get(doc.kind, _OTHERS).in_project
        _rule(rules.project_path if in_project else rules.host_path, "path", doc.path, tell)
    if doc.password_file:
        _rule(rules.host_path, "password_file", doc.password_file, tell)
    if doc.password and doc.password_file:
        tell("password", "stands beside password_file: keep the one that is used")
    elif doc.password and doc.run_as:
        message = "sudo takes the environment away, so with run_as it cannot reach the tool: "
        tell("password", message + "give password_file on the server instead")
    for key in ("repository", "name"):
        value: str = getattr(doc, key)
        if value.startswith("-"):
            tell(key, "begins with a hyphen, which a program takes for an option: correct it")
    if _CREDENTIALS.search(doc.repository):
        # Never repeated: the message would carry the password on.
        message = "holds a password: take it out, and give password_file or password instead"
        tell("repository", message)
    for key in ("restore_within", "restore_every"):
        if getattr(doc, key) == dt.timedelta():
            tell(key, "must be longer than nothing: give a duration like 4h or 90d")


def _rule(rule: Callable[[str], None], key: str, text: str, tell: TellKey) -> None:
    try:
        rule(text)
    except ValueError as error:
        tell(key, str(error))
