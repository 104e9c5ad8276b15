"""What the sources that read a tool's JSON records share: typed decoding, clocks, unused keys."""

from __future__ import annotations

import datetime as dt
import re
from typing import TypeVar

import msgspec

from checks.backup.timing import NO_CLOCK, Clockwork, clockwork, from_epoch
from checks.evidence import Answers, Evidence, NotDeclared, Unparsable
from checks.probes.host import CLOCK, read_clock
from checks.texts import clean
from inventory.model import BackupSet

T = TypeVar("T")
_CONTROL = re.compile(r"[\x00-\x1f]")


def decode(evidence: Evidence, kind: type[T]) -> T:
    """A tool's JSON answer as `kind`; bytes that are no text stand for themselves in it.

    Raises:
        Unparsable: it is no JSON, or not of that shape.
    """
    # Messages quote whatever the tool stumbled over, even what it failed to decrypt, and not every
    # tool escapes it.
    text = _CONTROL.sub(" ", bytes(evidence.stdout).decode("utf-8", "replace")).strip()
    try:
        return msgspec.json.decode(text, type=kind, strict=True)
    except (msgspec.DecodeError, RecursionError) as e:
        raise Unparsable(f"{evidence.probe}: {clean(str(e), 200)}") from None


def clock_of(answers: Answers) -> Clockwork:
    """How to read the stamps of the host that answered; without its clock nothing is taken out."""
    evidence = answers.get(CLOCK.id)
    try:
        return clockwork(read_clock(evidence)) if evidence is not None else NO_CLOCK
    except Unparsable:
        return NO_CLOCK


def moment(seconds: float, probe: str) -> dt.datetime:
    """A UTC time of a Unix time in a tool's record.

    Raises:
        Unparsable: no time that could be meant.
    """
    time = from_epoch(seconds)
    if time is None:
        raise Unparsable(f"{probe}: {seconds} is no time of a backup")
    return time


def refuse(backup: BackupSet, *keys: str) -> None:
    """Raise `NotDeclared` when a set has keys that its kind would silently not look at."""
    given = [key for key in keys if getattr(backup, key)]
    if given:
        raise NotDeclared(
            f"backup set {backup.system}/{backup.id}: kind {backup.kind} does not use "
            f"{', '.join(given)}: remove it"
        )


def need_server(backup: BackupSet) -> str:
    """The server of a set, or `NotDeclared`."""
    if not backup.server:
        raise NotDeclared(f"backup set {backup.system}/{backup.id}: server")
    return backup.server
