"""What a report's page of a system needs of its level record, as plain data."""

from __future__ import annotations

import datetime as dt
from typing import Any

from checks.model import Context
from checks.security.approval import unit_name
from checks.security.level_record import Decision, LevelRecord
from checks.texts import clean


def level_detail(ctx: Context, record: LevelRecord) -> dict[str, Any]:
    """Levels, state, and every paper with number and date; dates ISO, None for what is not there.

    `state` is where the dossier stands, in the words of Form 08: `draft`, `submitted`,
    `appraised`, `approved`. `reviewed` are the inspections and `changes` the declared changes,
    oldest first; `owner`, `operator` and `security_unit` are the record's own, by name.
    """
    system = ctx.subject.the_system
    plan = record.plan
    return {
        "level": record.level,
        "claimed": system.level,
        "type": record.type or None,
        "proposed_level": record.proposed_level,
        "approved_level": record.approved_level,
        "owner": _unit(ctx, record.owner),
        "operator": _unit(ctx, record.operator),
        "security_unit": _unit(ctx, record.security_unit),
        "legal_basis": record.legal_basis,
        "state": _state(record),
        "proposed": _paper(ctx, record.proposal),
        "regulation": _paper(ctx, record.regulation),
        "appraised": _paper(ctx, record.appraisal),
        "approved": _paper(ctx, record.approval),
        "approval_expected": _iso(record.approval_expected),
        "reviewed": [
            {
                "date": i.date.isoformat(),
                "kind": i.kind,
                "by": unit_name(ctx.subject.inventory, i.by) or None,
                "document": clean(i.document, 120) or None,
            }
            for i in sorted(record.inspections, key=lambda i: i.date)
        ],
        "changes": [
            {"date": c.date.isoformat(), "kind": c.kind, "note": clean(c.note, 200) or None}
            for c in sorted(record.changes, key=lambda c: c.date)
        ],
        "plan": {"status": plan.status or None, "expected": _iso(plan.expected)} if plan else None,
    }


def _state(record: LevelRecord) -> str:
    if record.approval is not None:
        return "approved"
    if record.appraisal is not None:
        return "appraised"
    return "submitted" if record.proposal is not None else "draft"


def _paper(ctx: Context, paper: Decision | None) -> dict[str, Any] | None:
    if paper is None:
        return None
    return {
        "document": clean(paper.document, 120) or None,
        "date": _iso(paper.date),
        "by": unit_name(ctx.subject.inventory, paper.by.strip()) or None,
    }


def _unit(ctx: Context, said: str) -> str | None:
    return unit_name(ctx.subject.inventory, said.strip()) or None


def _iso(date: dt.date | None) -> str | None:
    return date.isoformat() if date else None
