"""What the backup of a system lacks to the next security level, from the rows of its own level."""

from __future__ import annotations

from collections.abc import Sequence

from checks.backup.declared import months_later
from checks.backup.duties import first_level
from checks.backup.promise import default_every, default_keep, defaults
from checks.model import Status
from checks.results import Result
from checks.texts import clean
from inventory.model import System
from reports import details
from reports.backups import NO, UNKNOWN, YES, state
from reports.findings import Desk
from reports.model_backup import Duty, NextLevel

Rows = Sequence[Result]

HIGHEST = 5
ALWAYS = (
    "declared",
    "rule-reviewed",
    "recent",
    "periodic",
    "run-succeeded",
    "content-complete",
    "chain-whole",
    "retained",
    "restore-tested",
)
"""Duties of every level."""
ADVISED = ("history-sufficient", "size-plausible", "restore-in-time")
"""Good practice at every level."""
WHOLE = ("declared", "rule-reviewed", "copies", "separate", "offsite")
"""Asked of the system; the others are asked of each of its sets."""


def grades(level: int) -> dict[str, str]:
    """The backup duties of a level: `required`, or `expected` as good practice."""
    found = dict.fromkeys(ALWAYS, "required") | dict.fromkeys(ADVISED, "expected")
    for duty in defaults()["from_level"]:
        if level >= first_level(duty):
            found[duty] = "required"
        elif level >= first_level(duty, "expected"):
            found[duty] = "expected"
    return found


def next_level(desk: Desk, system: System, rows: Rows) -> NextLevel | None:
    """The duties of one level more that are not met, and those of which nobody can tell."""
    if system.level is None or not 0 < system.level < HIGHEST or not rows:
        return None
    exempt = system.backup_exempt
    if exempt is not None and not exempt.servers and not system.backups:
        return None
    level = system.level + 1
    lacking: list[Duty] = []
    unclear: list[Duty] = []
    for name, grade in grades(level).items():
        found = _states(desk, system, rows, name)
        for wanted, into in ((NO, lacking), (UNKNOWN, unclear)):
            about = tuple(clean(s) for s, is_ in found if is_ == wanted)
            if about:
                everywhere = name in WHOLE or len(about) == len(found)
                into.append(_duty(desk, name, grade, () if everywhere else about))
    required = [d for d in (*lacking, *unclear) if d.grade == "required"]
    return NextLevel(
        level=level,
        met=not required,
        missing=tuple(d for d in lacking if d.grade == "required"),
        advised=tuple(d for d in lacking if d.grade != "required"),
        unclear=tuple(unclear),
    )


def _duty(desk: Desk, name: str, grade: str, about: tuple[str, ...]) -> Duty:
    check = f"backup.{name}"
    return Duty(check=check, title=desk.say(check, "title"), grade=grade, subjects=about)


def _states(desk: Desk, system: System, rows: Rows, name: str) -> list[tuple[str, str]]:
    """Each subject of a duty with how it stands; what was not asked is not known."""
    mine = [r for r in rows if r.check == f"backup.{name}"]
    if name in WHOLE:
        found = [(system.id, _seen_from(desk, system, name, r)) for r in mine]
        return found or [(system.id, UNKNOWN)]
    made = []
    for backup in system.backups:
        own = [_seen_from(desk, system, name, r) for r in mine if r.subject == backup.id]
        made += [(backup.id, is_) for is_ in own or [UNKNOWN]]
    return made


def _seen_from(desk: Desk, system: System, name: str, row: Result) -> str:
    """How a row stands at the next level, where some numbers are stricter."""
    here = state(row)
    level = system.level or 0
    if here != YES or row.status is not Status.PASS:
        return here
    if name == "restore-tested":
        return _restored(desk, system, row)
    stricter = {
        "recent": default_every(level + 1) != default_every(level),
        "periodic": default_every(level + 1) != default_every(level),
        "retained": default_keep(level + 1) != default_keep(level),
    }
    # The unit declared no number, so the row was judged by the house's number of a lower level.
    return UNKNOWN if row.detail.get("assumed") is True and stricter.get(name) else YES


def _restored(desk: Desk, system: System, row: Result) -> str:
    """Whether the last good restore would still be in time by the next level's legal number."""
    months = defaults()["restore_months_legal"].get((system.level or 0) + 1)
    if months is None:
        return YES
    proofs = row.detail.get("proofs")
    times = [
        details.moment(p.get("time"))
        for p in (proofs if isinstance(proofs, list | tuple) else ())
        if isinstance(p, dict) and p.get("ok") is True
    ]
    days = [desk.words.date_of(t) for t in times if t is not None]
    if not days:
        return UNKNOWN
    return YES if desk.today <= months_later(max(days), months) else NO
