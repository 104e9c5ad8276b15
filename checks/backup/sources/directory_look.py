"""What a host tells of the content of dumps: lines `key=value`, never a byte of the content."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping

import msgspec

from checks.backup.names import base
from checks.evidence import Evidence, Unparsable

CIPHERS = frozenset({"age", "ansible-vault", "luks", "openpgp", "openssl", "7z"})
"""What the beginning of a file can be known to be encrypted with."""
_COMPLETED = re.compile(r"(\d{4})-(\d\d)-(\d\d) +(\d{1,2}):(\d\d):(\d\d)", re.ASCII)


class Look(msgspec.Struct, frozen=True):
    """What looking into a file told. `bad` says why it is no backup; `sure` that it is whole."""

    bad: str = ""
    sure: bool = False
    completed: dt.datetime | None = None
    """The time in the completion mark, naive: the writer's local time."""
    note: str = ""
    done: bool = False
    """The file was opened and read."""
    verified: bool | None = None
    """All of it was unpacked, and its checksum is right; or it is broken."""
    cipher: str = ""
    """What it is encrypted with, as its first bytes say."""
    plain: bool = False
    """It is known to be readable by anybody who gets it."""


def read_content(evidence: Evidence) -> dict[str, Look]:
    """What was told of each file that was opened, by name; a broken answer tells nothing more."""
    root = b""
    names: list[str] = []
    blocks: list[dict[str, str]] = []
    for key, value in pairs_of(evidence, strict=False):
        if key == b"root":
            root = value
        elif key == b"file":
            names.append(below(root, value))
        elif key == b"marks":
            blocks = _blocks(text_of(value))
    blocks += [{}] * (len(names) - len(blocks))
    return {name: _look(told) for name, told in zip(names, blocks, strict=False)}


def _blocks(text: str) -> list[dict[str, str]]:
    """What was told of each file, in order. Of heads the first counts, of all else the last."""
    blocks: list[dict[str, str]] = []
    for line in text.splitlines():
        key, _, value = line.partition("=")
        if line == "file":
            blocks.append({})
        elif blocks and (key != "head" or key not in blocks[-1]):
            blocks[-1][key] = value
    return blocks


def pairs_of(evidence: Evidence, *, strict: bool = True) -> Iterator[tuple[bytes, bytes]]:
    """The NUL-ended fields of an answer, two by two; `strict` refuses one that broke off."""
    fields = bytes(evidence.stdout).split(b"\0")
    if strict and (len(fields) % 2 == 0 or fields[-1].strip()):
        raise Unparsable(f"{evidence.probe}: the answer is not made of pairs")
    yield from zip(fields[:-1:2], fields[1::2], strict=False)


def below(root: bytes, path: bytes) -> str:
    """A path from its root on: a date in the folder's own path says nothing of its files."""
    folder = root.rstrip(b"/") + b"/"
    if path.startswith(folder):
        return text_of(path.removeprefix(folder))
    return base(text_of(path))


def text_of(raw: bytes) -> str:
    """Bytes of a host as text, each odd one escaped."""
    return raw.decode("utf-8", "backslashreplace")


def _look(values: Mapping[str, str]) -> Look:
    if values.get("look") != "done":
        return Look(note="content_not_read")
    head, mark = values.get("head"), values.get("mark")
    bad = ""
    if values.get("rc", "0") != "0" or values.get("tar_rest", "0") != "0":
        bad = "broken_archive"
    elif values.get("empty"):
        bad = "empty_archive"
    elif head is not None and mark != head:
        bad = "no_completion_mark"
    cipher = values.get("cipher", "")
    return Look(
        bad=bad,
        sure=not bad and (mark is not None or "tar_rest" in values),
        completed=_completed(values.get("completed", "")) if not bad else None,
        done=True,
        verified=_verified(bad, packed="packed" in values),
        cipher=cipher if cipher in CIPHERS else "",
        plain=bool({"head", "tar_rest", "readable"} & set(values)) and not cipher,
    )


def _verified(bad: str, *, packed: bool) -> bool | None:
    if bad:
        return None if bad == "empty_archive" else False
    return True if packed else None


def _completed(text: str) -> dt.datetime | None:
    match = _COMPLETED.match(text)
    try:
        return dt.datetime(*(int(g) for g in match.groups())) if match else None  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
