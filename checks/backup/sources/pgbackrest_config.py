"""Where the repositories of pgBackRest lie, from the harmless lines of its configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from checks.backup.series import Repository
from checks.backup.sources.repository import describe
from checks.evidence import Answers, Evidence, Failure, FailureKind, Probe
from checks.model import Subject

_USUAL = "/etc/pgbackrest/pgbackrest.conf /etc/pgbackrest.conf /etc/pgbackrest/conf.d/*.conf"
_KEYS = "host|path|type|s3-bucket|s3-endpoint|azure-container|gcs-bucket|sftp-host"
_DEFAULT_PATH = "/var/lib/pgbackrest"

# Lines are let out by name, never kept in: passwords and keys stand in the same file.
_READ = r"""
for f in FILES; do
  [ -e "$f" ] || continue
  if [ ! -r "$f" ]; then echo "sauro:denied read permission on $f" >&2; exit 77; fi
  echo read
  sed -n -E -e 's/^[[:space:]]*(\[[^]]*\]).*/\1/p' \
    -e 's/^[[:space:]]*(repo[0-9]*-(KEYS))[[:space:]]*=[[:space:]]*/\1=/p' "$f"
done
{ echo DEFAULT; cat FILES 2>/dev/null |
    sed -n -E 's/^[[:space:]]*repo[0-9]*-path[[:space:]]*=[[:space:]]*//p'
} | sort -u | while IFS= read -r d; do
  printf 'mount %s=%s\n' "$d" "$(df -PT "$d" 2>/dev/null | tail -n 1)"
done
"""


def _script(params: Mapping[str, str]) -> str:
    path = params.get("path")
    return (
        _READ.replace("FILES", shlex.quote(path) if path else _USUAL)
        .replace("KEYS", _KEYS)
        .replace("DEFAULT", _DEFAULT_PATH)
    )


CONFIG = Probe(
    id="backup.pgbackrest-config",
    title="where the repositories of pgBackRest lie (host, path and type only)",
    script=_script,
    timeout=10,
    limit=262_144,
)


def repositories(
    subject: Subject, answers: Answers, ciphers: Mapping[str, str]
) -> tuple[Repository, ...]:
    """One repository per key of `ciphers`; where it lies is None when the file cannot be read."""
    evidence = answers.get(CONFIG.id)
    settings: dict[str, str] = {}
    if evidence is not None:
        text = bytes(evidence.stdout).decode("utf-8", "replace")
        settings = _settings(text, subject.the_backup.name)
    if evidence is None or not settings:
        failed = [e.failure for e in answers.failures() if e.probe == CONFIG.id and e.failure]
        why = failed[0] if failed else _UNREAD
        return tuple(_unseen(key, cipher, why) for key, cipher in ciphers.items())
    return tuple(
        _repository(_Told(subject, evidence, settings), key, cipher)
        for key, cipher in ciphers.items()
    )


class _Told(NamedTuple):
    subject: Subject
    evidence: Evidence
    settings: Mapping[str, str]


_UNREAD = Failure(kind=FailureKind.NOT_DECLARED, detail="no configuration of pgBackRest was found")


def _settings(text: str, stanza: str) -> dict[str, str]:
    """`repoN-option` to value as they hold for a stanza; nothing when no file was there."""
    found: dict[str, dict[str, str]] = {}
    section, seen = "", False
    for line in text.splitlines():
        if line == "read":
            section, seen = "", True
        elif line.startswith("mount "):
            key, _, value = line.partition("=")
            found.setdefault("", {})[key] = value
        elif line.startswith("["):
            section = line[1:-1]
        else:
            key, _, value = line.partition("=")
            if section:
                found.setdefault(section, {})[re.sub(r"^repo-", "repo1-", key)] = value.strip()
    if not seen:
        return {}
    sections = ("", "global", "global:info", stanza, f"{stanza}:info")
    return {key: value for name in sections for key, value in found.get(name, {}).items()}


def _unseen(key: str, cipher: str, why: Failure) -> Repository:
    return Repository(
        id=key,
        location=f"repo{key}",
        platform="pgbackrest",
        encrypted=_encrypted(cipher),
        unseen={"remote": why, "server": why, "immutable": why, "deletable": why},
    )


def _encrypted(cipher: str) -> bool | None:
    return cipher != "none" if cipher else None


def _repository(told: _Told, key: str, cipher: str) -> Repository:
    def of(option: str) -> str:
        return told.settings.get(f"repo{key}-{option}", "")

    kind, host = of("type") or "posix", of("host") or of("sftp-host")
    path = of("path") or _DEFAULT_PATH
    store = of("s3-bucket") or of("azure-container") or of("gcs-bucket")
    if kind == "s3":
        address = f"s3:{of('s3-endpoint') or 's3'}/{store}{path}"
    elif store:
        address = f"{'gs' if kind == 'gcs' else kind}:{store}:{path}"
    else:
        address = f"{host}:{path}" if host else path
    mount = told.settings.get(f"mount {path}", "").encode()
    place = msgspec.structs.replace(told.evidence, stdout=mount)
    platform = kind if store else "pgbackrest"
    found = describe(told.subject, address, platform, place)
    return msgspec.structs.replace(found, id=key, encrypted=_encrypted(cipher))
