"""Does what was once decided still stand: the regulation, the law of its day, no change since?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from checks.evidence import FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    not_applicable,
    passed,
    unknown,
)
from checks.security.detail import level_detail
from checks.security.judging import (
    Shortfall,
    basis_of,
    mark,
    of_other,
    severity,
    shortfall,
    today_of,
)
from checks.security.level_record import Change, LevelRecord, well_formed
from checks.security.record import RECORD
from checks.security.rules import rules
from checks.texts import clean

_REGULATION = "security.regulation-issued"
_CHANGED = "security.redetermination-due"
_TRANSITION = "security.transition"


@check(
    _REGULATION,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 30.7",),
).needs(RECORD)
def regulation_issued(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """The internal security regulation is issued: number, date, not in the future."""
    detail = level_detail(ctx, record)
    faults = [*of_other(ctx, record), *_regulation_faults(ctx, record)]
    if faults:
        yield shortfall(_REGULATION, faults, detail, severity(ctx, record))
        return
    paper = record.regulation
    if paper is None or paper.date is None:
        raise AssertionError("a regulation without shortfalls is complete")
    said = {"document": clean(paper.document, 120), "date": paper.date.isoformat()}
    yield passed(f"{_REGULATION}.issued", detail, **said)


def _regulation_faults(ctx: Context, record: LevelRecord) -> Iterator[Shortfall]:
    paper = record.regulation
    if paper is None:
        yield Shortfall("missing")
        return
    said: dict[str, Arg] = {"document": clean(paper.document.strip(), 120)}
    if paper.date is None:
        yield Shortfall("no-date", said)
    elif paper.date > today_of(ctx):
        yield Shortfall("future", said | {"date": paper.date.isoformat()})
    if not paper.document.strip():
        yield Shortfall("no-number", said, grave=False)
    elif not well_formed(paper.document):
        yield Shortfall("bad-number", said, grave=False)


# ------------------------------------------------------------------------------------- transition


@check(
    _TRANSITION,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 39",),
).needs(RECORD)
def transition(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """A level decided under the old law still stands, and for how long.

    How the months are counted was not checked against the Official Gazette: the sentence says so.
    """
    law, today = rules(), today_of(ctx)
    rule = law.transition
    faults = list(of_other(ctx, record))
    detail = level_detail(ctx, record)
    if faults:
        yield shortfall(_TRANSITION, faults, detail, severity(ctx, record))
        return
    if ctx.legal_basis <= rule.basis:
        yield not_applicable(f"{_TRANSITION}.old-basis")
        return
    paper = record.approval
    if paper is None:
        yield not_applicable(f"{_TRANSITION}.not-approved")
        return
    if paper.date is None and record.legal_basis is None:
        yield unknown(FailureKind.NOT_DECLARED, f"{_TRANSITION}.no-date", detail)
        return
    if basis_of(law, ctx, record) != rule.basis:
        yield not_applicable(f"{_TRANSITION}.new-law")
        return
    said: dict[str, Arg] = {"until": rule.until.isoformat(), "mark": mark(rule.certain)}
    detail |= {"until": rule.until.isoformat(), "certain": rule.certain, "source": rule.source}
    if today > rule.until:
        late = (today - rule.until).days * 86400
        yield failed(f"{_TRANSITION}.over", detail, severity(ctx, record), late=late, **said)
        return
    months = months_left(today, rule.until)
    detail |= {"months_left": months}
    name = "stands" if months else "ending"
    left = (rule.until - today).days
    more: dict[str, Arg] = {"months": months} if months else {"days": left}
    yield passed(f"{_TRANSITION}.{name}", detail, **said, **more)


def months_left(today: dt.date, until: dt.date) -> int:
    """Whole months from a day to the end of the last day, never below 0."""
    after = until + dt.timedelta(days=1)
    months = (after.year - today.year) * 12 + after.month - today.month
    return max(0, months - (after.day < today.day))


# --------------------------------------------------------------------------------- redetermination


@check(
    _CHANGED,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 25",),
).needs(RECORD)
def redetermination_due(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """No change was declared since the approval: one that was asks for a new determination.

    A change of the day of the approval is taken for covered by it. That no change is declared is
    the word of whoever keeps the record, and the sentence says so.
    """
    detail = level_detail(ctx, record)
    faults = list(of_other(ctx, record))
    if faults:
        yield shortfall(_CHANGED, faults, detail, severity(ctx, record))
        return
    if record.approval is None:
        yield not_applicable(f"{_CHANGED}.not-approved")
        return
    approved, today = record.approval.date, today_of(ctx)
    if approved is None or approved > today:
        yield unknown(FailureKind.NOT_DECLARED, f"{_CHANGED}.no-date", detail)
        return
    said: dict[str, Any] = {"date": approved.isoformat()}
    since = [c for c in record.changes if c.date > approved]
    due = sorted((c for c in since if c.date <= today), key=lambda c: c.date)
    planned = min((c for c in since if c.date > today), key=lambda c: c.date, default=None)
    if due:
        detail |= {"due": [c.date.isoformat() for c in due]}
        said |= {"count": len(due), **_of(due[0])}
        yield failed(f"{_CHANGED}.due", detail, severity(ctx, record), **said)
    elif planned:
        yield passed(f"{_CHANGED}.planned", detail, **said, **_of(planned))
    else:
        yield passed(f"{_CHANGED}.unchanged", detail, **said)


def _of(change: Change) -> dict[str, Arg]:
    return {"changed": change.date.isoformat(), "kind": f"security/change-{change.kind}"}


CHECKS: tuple[Check, ...] = (regulation_issued, transition, redetermination_due)
