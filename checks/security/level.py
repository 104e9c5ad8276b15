"""Is the security level of a system recorded, approved by the right authority, and looked after?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

from checks.evidence import FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Options,
    Scope,
    Severity,
    Verdict,
    check,
    failed,
    passed,
    unknown,
)
from checks.security.approval import Case, shortfalls, undeclared, unit_name
from checks.security.detail import level_detail
from checks.security.judging import (
    Shortfall,
    add_months,
    basis_of,
    highest,
    of_other,
    recorded_level,
    severity,
    shortfall,
    today_of,
)
from checks.security.level_record import LevelRecord
from checks.security.record import RECORD, RECORD_IF_DECLARED, REGISTERED
from checks.security.register import differences
from checks.security.register_cells import unit_id
from checks.security.rules import LEVELS, rules
from checks.texts import clean


class ApprovalOptions(Options, frozen=True):
    """Who else may decide.

    `delegates`: per owner id, the units to which it has delegated its decisions in writing.
    `authorities`: per authority (`mps`, `mnd`, `cipher`, `mic`, `pm`) further ids that records use.
    """

    delegates: dict[str, tuple[str, ...]] = {}
    authorities: dict[str, tuple[str, ...]] = {}

    def __post_init__(self) -> None:
        """Refuse an authority that the law does not know."""
        known = [name for name, a in rules().authorities.items() if a.ids]
        for name in self.authorities:
            if name not in known:
                raise ValueError(f"no authority is called {name!r} (known: {', '.join(known)})")


class ReviewOptions(Options, frozen=True):
    """Months between two looks at a level, by level; null takes the default of the rule set."""

    level_1_months: int | None = None
    level_2_months: int | None = None
    level_3_months: int | None = None
    level_4_months: int | None = None
    level_5_months: int | None = None

    def __post_init__(self) -> None:
        """Refuse intervals that are no interval."""
        for level in LEVELS:
            months = self.months(level)
            if months is not None and not 1 <= months <= 120:
                raise ValueError("months must be from 1 to 120")

    def months(self, level: int) -> int | None:
        """What the settings say for a level, or None."""
        found: int | None = getattr(self, f"level_{level}_months")
        return found


@check(
    "security.level-recorded",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 8", "ND331 Art. 21"),
).needs(RECORD_IF_DECLARED, REGISTERED)
def level_recorded(
    ctx: Context, record: LevelRecord | None, registered: LevelRecord | None
) -> Iterable[Verdict]:
    """A record exists, is this system's, and agrees with the inventory and with the register.

    A record file wins over the register; where both say something different, that is told.
    """
    system = ctx.subject.the_system
    grave = severity(ctx, record)
    if record is None:
        yield failed("security.level-recorded.missing", {"claimed": system.level}, grave)
        return
    found = [
        *of_other(ctx, record),
        *_level_faults(ctx, record),
        *_role_faults(ctx, record),
        *_register_faults(record, registered),
    ]
    detail = level_detail(ctx, record)
    if found:
        yield shortfall("security.level-recorded", found, detail, grave)
    elif system.level is None:
        yield unknown(
            FailureKind.NOT_DECLARED,
            "security.level-recorded.not-claimed",
            detail,
            level=record.level or 0,
        )
    else:
        yield passed("security.level-recorded.recorded", detail, level=record.level or 0)


def _level_faults(ctx: Context, record: LevelRecord) -> Iterator[Shortfall]:
    claimed = ctx.subject.the_system.level
    if record.level is None:
        yield Shortfall("no-level")
    elif record.level not in LEVELS:
        yield Shortfall("bad-level", {"level": record.level})
    elif claimed is not None and record.level != claimed:
        name = "record-higher" if record.level > claimed else "record-lower"
        yield Shortfall(name, {"level": record.level, "claimed": claimed})


def _role_faults(ctx: Context, record: LevelRecord) -> Iterator[Shortfall]:
    """Owner, operator and security unit are the inventory's, where both name one."""
    system, inventory = ctx.subject.the_system, ctx.subject.inventory
    for role in ("owner", "operator", "security_unit"):
        said, declared = unit_id(inventory, getattr(record, role)), getattr(system, role)
        if said and declared and said != declared:
            names = {"record": unit_name(inventory, said), "other": unit_name(inventory, declared)}
            yield Shortfall(f"other-{role.replace('_', '-')}", {**names})


def _register_faults(record: LevelRecord, registered: LevelRecord | None) -> Iterator[Shortfall]:
    for found in differences(record, registered) if registered else ():
        said: dict[str, Arg] = {"field": f"security/field-{found.field}"}
        said |= {"record": found.record, "other": found.register}
        yield Shortfall("register-differs", said, grave=False)


@check(
    "security.level-approved",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 18", "ND331 Art. 20", "ND331 Art. 30.7"),
    options=ApprovalOptions,
).needs(RECORD)
def level_approved(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """The right authority approved it, on complete papers that follow one another in order.

    A decision older than the scan's legal basis is judged by the law of its own day and passes
    with a note; how long it stands is `security.transition`'s, the regulation itself
    `security.regulation-issued`'s.
    """
    law, detail = rules(), level_detail(ctx, record)
    level = recorded_level(record)
    if level is None:
        yield unknown(FailureKind.NOT_DECLARED, "security.level-approved.no-level", detail)
        return
    basis = basis_of(law, ctx, record)
    case = Case(
        record=record,
        level=level,
        system=ctx.subject.the_system,
        inventory=ctx.subject.inventory,
        rules=law,
        basis=law.bases[basis],
        today=today_of(ctx),
        delegates=ctx.opt(ApprovalOptions).delegates,
        further=ctx.opt(ApprovalOptions).authorities,
    )
    old = basis != ctx.legal_basis
    until = law.transition.until
    found = [*of_other(ctx, record), *shortfalls(case)]
    detail |= {"basis": basis, "transition_until": until.isoformat() if old else None}
    missing = undeclared(case)
    if found:
        yield shortfall("security.level-approved", found, detail, severity(ctx, record))
    elif missing:
        yield unknown(
            FailureKind.NOT_DECLARED, "security.level-approved.undeclared", detail, what=missing
        )
    elif case.basis.regulation_before_approval and case.date("regulation") is None:
        yield unknown(
            FailureKind.NOT_DECLARED, "security.level-approved.regulation-undated", detail
        )
    else:
        said: dict[str, Any] = {"until": until.isoformat()} if old else {}
        name = "approved-transition" if old else "approved"
        yield passed(f"security.level-approved.{name}", detail, **_approval_args(record), **said)


def _approval_args(record: LevelRecord) -> dict[str, Any]:
    paper = record.approval
    if paper is None or paper.date is None:
        raise AssertionError("an approval without shortfalls is complete")
    return {
        "level": record.level or 0,
        "document": clean(paper.document, 120),
        "date": paper.date.isoformat(),
    }


@check(
    "security.level-reviewed",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 25", "ND331 Art. 28.5", "ND331 Art. 31.2"),
    options=ReviewOptions,
).needs(RECORD)
def level_reviewed(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """The approval or the last documented inspection is within the interval of the level.

    The law gives no number: the interval is the house's default unless the settings say theirs,
    and the sentence says which. A date in the future is no look, nor is one without a document.
    """
    today, detail = today_of(ctx), level_detail(ctx, record)
    grave = severity(ctx, record)
    other = list(of_other(ctx, record))
    if other:
        yield shortfall("security.level-reviewed", other, detail, grave)
        return
    level = highest(ctx, record)
    if level is None:
        yield unknown(FailureKind.NOT_DECLARED, "security.level-reviewed.no-level", detail)
        return
    own = ctx.opt(ReviewOptions).months(level)
    months = rules().review_months[level] if own is None else own
    suffix = "" if own is None else "-own"
    said: dict[str, Any] = {"months": months, "level": level}
    last = _last_look(record, today)
    detail |= {"months": months, "house_default": own is None}
    if last is None:
        yield failed("security.level-reviewed.never", detail, grave, **said)
        return
    due = add_months(last, months)
    detail |= {"last": last.isoformat(), "due": due.isoformat()}
    said |= {"last": last.isoformat(), "due": due.isoformat()}
    if today <= due:
        yield passed(f"security.level-reviewed.reviewed{suffix}", detail, **said)
        return
    word = _undocumented(record, last, today)
    if word is not None and today <= add_months(word, months):
        said |= {"date": word.isoformat()}
        yield failed("security.level-reviewed.undocumented", detail, grave, **said)
        return
    said |= {"late": (today - due).days * 86400}
    yield failed(f"security.level-reviewed.overdue{suffix}", detail, grave, **said)


def _last_look(record: LevelRecord, today: dt.date) -> dt.date | None:
    approved = record.approval.date if record.approval else None
    looks = [i.date for i in record.inspections if i.document.strip()]
    looks += [approved] if approved else []
    return max((d for d in looks if d <= today), default=None)


def _undocumented(record: LevelRecord, last: dt.date, today: dt.date) -> dt.date | None:
    """The newest inspection that would count if it named a document."""
    looks = (i.date for i in record.inspections if not i.document.strip())
    return max((d for d in looks if last < d <= today), default=None)


CHECKS: tuple[Check, ...] = (level_recorded, level_approved, level_reviewed)
