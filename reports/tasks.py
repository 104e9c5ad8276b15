"""What needs a decision: the gravest task of each unit, in the order that is printed above it."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from checks.model import SEVERITY_ORDER, Severity
from inventory.model import Inventory
from reports.findings import Desk
from reports.model import Clear, Decision, Decisions, Finding, UnitView

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*")
_Ranked = tuple[tuple[int, int, int], Decision]


def decisions(desk: Desk, views: Sequence[UnitView]) -> Decisions:
    """Findings that are overdue or due soon, and units too dark to judge; waived ones never.

    Ordered by severity, level of the system, days overdue; at most one line per unit.
    """
    hosts = _hosts(desk.inventory)
    queues = [q for q in (_waiting(desk, view, hosts) for view in views) if q]
    firsts = [(min(q, key=lambda r: r[0]), len(q) - 1) for q in queues]
    # Stable: equals stay in the order of the units.
    firsts.sort(key=lambda f: f[0][0])
    return Decisions(
        items=tuple(
            msgspec.structs.replace(first, more=more)
            for (_, first), more in firsts[: desk.rules.decisions]
        ),
        total=sum(len(q) for q in queues),
    )


def _hosts(inventory: Inventory) -> frozenset[str]:
    """Every name by which a machine or bucket could stand in a sentence."""
    servers, buckets = inventory.servers.values(), inventory.buckets.values()
    named = {s.id for s in servers} | {s.address for s in servers}
    return frozenset(named | {b.id for b in buckets} | {b.bucket for b in buckets})


def _waiting(desk: Desk, view: UnitView, hosts: frozenset[str]) -> list[_Ranked]:
    soon = -desk.rules.soon_days
    found = [_of(view, f, hosts) for f in view.findings if f.overdue >= soon]
    if view.dark and view.blind:
        found.append(_of_dark(desk, view))
    return found


def _of(view: UnitView, found: Finding, hosts: frozenset[str]) -> _Ranked:
    rank = SEVERITY_ORDER.index(found.severity), -(found.level or 0), -found.overdue
    return rank, Decision(
        unit=view.name,
        anchor=view.anchor,
        task=": ".join(p for p in (_system(view, found), _said(found, hosts)) if p),
        severity=found.severity,
        due=found.due,
        overdue=found.overdue,
        answerable=view.accountable.post,
        authority=_authority(found.clears),
        more=0,
    )


def _said(found: Finding, hosts: frozenset[str]) -> str:
    """What is wrong; where that would name a machine before leaders, what is to be done."""
    words = {word.rstrip(".") for word in _NAME.findall(found.sentence)}
    if hosts.isdisjoint(words):
        return found.sentence.rstrip(".")
    return next((c.text for c in found.clears if c.key == "what"), "") or found.title


def _system(view: UnitView, found: Finding) -> str:
    # The unit's name already stands at the head of the line.
    return found.system.removesuffix(view.name).rstrip(" ,-–") or found.system


def _of_dark(desk: Desk, view: UnitView) -> _Ranked:
    words = desk.words
    first = min(view.blind, key=lambda b: b.due)
    task = words(
        "task_dark",
        unseen=view.rows.error + view.rows.unknown,
        total=view.rows.applicable,
        cause=words(f"cause_{view.cause}"),
    )
    rank = SEVERITY_ORDER.index(Severity.MAJOR), 0, -first.overdue
    return rank, Decision(
        unit=view.name,
        anchor=view.anchor,
        task=task,
        severity=Severity.MAJOR,
        due=first.due,
        overdue=first.overdue,
        answerable=view.accountable.post,
        authority=_authority(first.clears),
        more=0,
    )


def _authority(clears: tuple[Clear, ...]) -> str:
    return next(c.text for c in clears if c.key == "authority")
