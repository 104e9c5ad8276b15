"""Open findings and blind spots of a unit as tasks with their six clears."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

import msgspec

from checks.model import SEVERITY_ORDER, Status
from checks.results import Result
from checks.texts import clean
from inventory.index import index_of
from inventory.model import Inventory, Person, System, Unit
from reports import details
from reports.changes import Ledger
from reports.model import Blind, Clear, Finding, Proof, WaiverView
from reports.model_backup import Line
from reports.rollup import UNSEEN, cause_of
from reports.rules import Rules
from reports.voice import Voice
from reports.words import Words

CLEARS = ("who", "what", "when", "answerable", "product", "authority")
_OWNER_DECIDES = 3
"""From this level on the system's owner approves; below, its security unit."""


class Desk(msgspec.Struct, frozen=True):
    """What is needed to turn rows into tasks."""

    inventory: Inventory
    book: Ledger
    opened: Mapping[str, dt.datetime]
    reopened: frozenset[str]
    started: dt.datetime
    today: dt.date
    words: Words
    voice: Voice
    rules: Rules

    def sentence(self, row: Result) -> str:
        """What a row says."""
        return self.voice.sentence(row.message, self.words.language, self.words.zone)

    def say(self, check: str, part: str) -> str:
        """One of a check's texts."""
        return self.voice.say(check, part, self.words.language)


def line(desk: Desk, row: Result) -> Line:
    """A row in one line."""
    return Line(
        check=clean(row.check),
        status=row.status,
        title=desk.say(row.check, "title"),
        sentence=desk.sentence(row),
        subject=subject(row),
        waived=row.waiver is not None,
    )


def subject(row: Result) -> str:
    """What a row speaks of, as the inventory calls it."""
    return clean("/".join(p for p in (row.target, row.subject) if p))


def finding(desk: Desk, unit: Unit, row: Result) -> Finding:
    """A row whose finding is open, failing now or out of sight."""
    mark = row.fingerprint
    opened = desk.opened.get(mark, desk.started)
    due = desk.rules.due(desk.words.date_of(opened), row.severity)
    system = system_of(desk.inventory, row)
    return Finding(
        fingerprint=mark,
        check=clean(row.check),
        family=row.family,
        status=row.status,
        severity=row.severity,
        title=desk.say(row.check, "title"),
        sentence=desk.sentence(row),
        rationale=desk.say(row.check, "rationale"),
        subject=subject(row),
        system=clean(system.name) if system else "",
        level=system.level if system else None,
        opened=opened,
        due=due,
        overdue=(desk.today - due).days,
        new=mark in desk.book.new,
        reopened=mark in desk.reopened,
        dark=row.status is not Status.FAIL,
        clears=_clears(desk, unit, row, due),
        facts=details.facts(row, desk.words),
        proofs=_proofs(row),
        waiver=_waiver(desk, row),
    )


def _proofs(row: Result) -> tuple[Proof, ...]:
    return tuple(
        Proof(probe=clean(e.probe), target=clean(e.target), taken=e.taken, sha256=clean(e.sha256))
        for e in row.evidence[:8]
    )


def _waiver(desk: Desk, row: Result) -> WaiverView | None:
    if row.waiver is None:
        return None
    return WaiverView(
        document=clean(row.waiver.document),
        owner=clean(row.waiver.owner),
        approved_by=clean(row.waiver.approved_by),
        reason=clean(row.waiver.reason),
        until=row.waiver.until,
        days_left=(row.waiver.until - desk.today).days,
    )


def order(found: Finding) -> tuple[int, int, int, str, str]:
    """Severity, then level of the system, then days overdue; the rest only breaks ties."""
    return (
        SEVERITY_ORDER.index(found.severity),
        -(found.level or 0),
        -found.overdue,
        found.title,
        found.fingerprint,
    )


def blind(desk: Desk, unit: Unit, rows: Iterable[Result]) -> tuple[Blind, ...]:
    """Rows without a verdict, one task per cause and target, the gravest first."""
    groups: dict[tuple[str, str], list[Result]] = defaultdict(list)
    for row in rows:
        if row.status in UNSEEN:
            groups[cause_of(row), row.target].append(row)
    made = [_blind(desk, unit, cause, group) for (cause, _), group in groups.items()]
    return tuple(sorted(made, key=lambda b: (SEVERITY_ORDER.index(b.severity), b.due, b.target)))


def _blind(desk: Desk, unit: Unit, cause: str, group: list[Result]) -> Blind:
    gravest = min(group, key=lambda r: SEVERITY_ORDER.index(r.severity))
    since = min(desk.opened.get(r.fingerprint, desk.started) for r in group)
    due = desk.rules.due(desk.words.date_of(since), gravest.severity)
    said = {_why(desk, r) for r in group}
    return Blind(
        cause=cause,
        status=gravest.status,
        severity=gravest.severity,
        target=clean(gravest.target),
        detail=said.pop() if len(said) == 1 else "",
        since=since,
        due=due,
        overdue=(desk.today - due).days,
        clears=_clears(desk, unit, gravest, due),
        rows=tuple(line(desk, r) for r in group),
    )


def _why(desk: Desk, row: Result) -> str:
    if row.failure is None:
        return ""
    # A check that could not tell names its own message: say the sentence, not its id.
    if row.failure.detail == row.message.id:
        return desk.sentence(row).rstrip(".")
    return clean(row.failure.detail)


def system_of(inventory: Inventory, row: Result) -> System | None:
    """The system a row speaks of; for a row of a server, the gravest system that runs on it."""
    if row.system:
        return inventory.systems.get(row.system)
    return max(
        index_of(inventory).systems_on.get(row.target, ()), key=lambda s: s.level or 0, default=None
    )


# -------------------------------------------------------------------------------- the six clears


def _clears(desk: Desk, unit: Unit, row: Result, due: dt.date) -> tuple[Clear, ...]:
    words = desk.words
    seen = row.status is Status.FAIL
    if seen:
        what, product = desk.say(row.check, "remedy"), desk.say(row.check, "product")
    else:
        cause = cause_of(row)
        what = desk.voice.mend(cause, words.language) or words(f"mend_{cause}")
        product = words("product_seen")
    officer, head = _post(unit.officer), _post(unit.accountable)
    return (
        Clear(key="who", text=officer[0], name=officer[1]),
        Clear(key="what", text=what),
        Clear(key="when", text=words.day(due)),
        Clear(key="answerable", text=head[0], name=head[1]),
        Clear(key="product", text=product),
        Clear(key="authority", text=authority(desk.inventory, unit, row)),
    )


def _post(person: Person) -> tuple[str, str]:
    post, name = clean(person.post), clean(person.name)
    # Somebody named without a post is still a clear answer.
    return (post, name) if post else (name, "")


def authority(inventory: Inventory, unit: Unit, row: Result) -> str:
    """Name of the body that decides on a row, empty when the inventory does not say.

    Documents: the parent unit. Otherwise the system's security unit, from level 3 on its owner.
    """
    system = None if row.family == "documents" else system_of(inventory, row)
    if system is None:
        return unit_name(inventory, unit.parent)
    decides = system.owner if (system.level or 0) >= _OWNER_DECIDES else system.security_unit
    return unit_name(inventory, decides)


def unit_name(inventory: Inventory, unit: str) -> str:
    """The name of a unit, empty when there is none."""
    found = inventory.units.get(unit)
    return clean(found.name) if found else ""
