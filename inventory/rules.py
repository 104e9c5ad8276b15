"""Rules of single values in the inventory; each raises ValueError with the remedy."""

from __future__ import annotations

import base64
import datetime as dt
import posixpath
import re
from collections.abc import Callable
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from inventory.durations import parse_duration
from inventory.problems import did_you_mean, shown

_KEY_TYPE = re.compile(r"(ssh|ecdsa|sk-ssh|sk-ecdsa)-[a-z0-9@.-]+")
_SOME_DAY = dt.datetime(2026, 1, 1)  # noqa: DTZ001 - cron expressions have no zone here


def known(what: str, kinds: tuple[str, ...]) -> Callable[[str], None]:
    """A rule that a word is one of the known kinds."""

    def check(text: str) -> None:
        if text not in kinds:
            near = did_you_mean(text, kinds)
            listed = ", ".join(kinds)
            raise ValueError(f"unknown {what} {shown(text)}; known kinds: {listed}{near}")

    return check


@lru_cache(maxsize=4096)
def every(text: str) -> None:
    """A duration longer than nothing, or a cron expression of five fields that ever fires."""
    if " " not in text.strip():
        try:
            length = parse_duration(text)
        except ValueError as error:
            raise ValueError(f'{error}; or cron with five fields, "0 2 * * *"') from None
        if not length:
            raise ValueError("must be longer than nothing: give a duration like 1d")
        return
    if len(text.split()) != 5:
        raise ValueError(f'cron needs five fields like "0 2 * * *", not {shown(text)}')
    try:
        next(CronSim(text, _SOME_DAY))
    except CronSimError as error:
        raise ValueError(f"{shown(text)} is not a cron expression ({error}): correct it") from None
    except StopIteration:
        raise ValueError(f"the cron expression {shown(text)} never fires: correct it") from None


def host_key(text: str) -> None:
    """A public key as `type base64`, as known_hosts has it; a comment after it is allowed."""
    parts = text.split()
    remedy = "expected the public key as `ssh-ed25519 AAAA…`, as ssh-keyscan prints it"
    if len(parts) < 2 or not _KEY_TYPE.fullmatch(parts[0]):
        raise ValueError(remedy)
    try:
        blob = base64.b64decode(parts[1], validate=True)
    except ValueError:
        raise ValueError(f"{remedy}; its second part is not base64") from None
    # The blob begins with its own type: a length in four bytes, then the name.
    if blob[4 : 4 + len(parts[0])] != parts[0].encode() or len(blob) <= 4 + len(parts[0]):
        raise ValueError(f"{remedy}; the key itself is not of the type {parts[0]}")


def project_path(text: str) -> None:
    """A path inside the project folder: relative, without `..`."""
    if text.startswith(("/", "~")) or "\\" in text:
        raise ValueError(f"expected a path relative to the project folder, not {shown(text)}")
    if ".." in text.split("/") or posixpath.normpath(text).startswith(".."):
        raise ValueError(f"{shown(text)} may lead out of the project folder: remove `..`")


def host_path(text: str) -> None:
    """An absolute path on a host."""
    if not text.startswith("/"):
        raise ValueError(f"expected an absolute path on the server, /…, not {shown(text)}")


@lru_cache(maxsize=512)
def zone(text: str) -> None:
    """A time zone's name."""
    try:
        ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise ValueError(
            f"unknown time zone {shown(text)}: give a name like Asia/Ho_Chi_Minh"
        ) from None
