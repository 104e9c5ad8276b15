"""Does the level fit what the system does? A suggestion from the criteria; nothing is approved."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from checks.evidence import FailureKind
from checks.model import Check, Context, Scope, Severity, Verdict, check, passed, unknown
from checks.security.detail import level_detail
from checks.security.judging import (
    Shortfall,
    basis_of,
    mark,
    of_other,
    recorded_level,
    severity,
    shortfall,
)
from checks.security.level_record import LevelRecord
from checks.security.record import RECORD
from checks.security.rules import LEVELS, Ground, rules
from checks.security.suggest import Suggestion, suggest

_ID = "security.level-plausible"


@check(
    _ID,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 8", "ND331 Art. 11-15"),
).needs(RECORD)
def level_plausible(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """The level recorded is not below the one that the stated criteria speak for.

    The criteria are judged by the law of the decision's day. A higher level than suggested passes:
    whoever is competent may ask for more.
    """
    law = rules()
    basis = basis_of(law, ctx, record)
    found = suggest(record, law, basis)
    detail = level_detail(ctx, record) | _detail(found, basis)
    level = _stated(ctx, record)
    if level is None:
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.no-level", detail)
        return
    faults = [*of_other(ctx, record), *_faults(ctx, record, found, level)]
    if faults:
        yield shortfall(_ID, faults, detail, severity(ctx, record))
        return
    missing = found.missing(record, law, level)
    if missing:
        said: dict[str, Any] = {
            "level": level,
            "possible": found.possible,
            "what": ",".join(f"security/criterion-{m}" for m in missing),
        }
        detail |= {"missing": list(missing)}
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.criteria-missing", detail, **said)
    elif found.ground is None:
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.no-ground", detail, level=level)
    else:
        name = "higher" if level > (found.level or 0) else "fits"
        yield passed(f"{_ID}.{name}", detail, level=level, **_reason(found.ground))


def _stated(ctx: Context, record: LevelRecord) -> int | None:
    recorded = recorded_level(record)
    claimed = ctx.subject.the_system.level
    return recorded if recorded is not None else claimed if claimed in LEVELS else None


def _faults(
    ctx: Context, record: LevelRecord, found: Suggestion, level: int
) -> Iterator[Shortfall]:
    if found.ground is not None and level < found.ground.level:
        yield Shortfall("too-low", {"level": level, **_reason(found.ground)})
    used_by = len(set(ctx.subject.the_system.used_by))
    serves = record.criteria.serves if record.criteria else ""
    if record.type == "infrastructure" and serves == "one_agency" and used_by > 1:
        # The inventory itself says that the criterion is not true.
        yield Shortfall("serves-more", {"count": used_by}, grave=level < 3)


def _reason(ground: Ground) -> dict[str, Any]:
    return {
        "suggested": ground.level,
        "ground": f"security/ground-{ground.id}",
        "article": f"security/{ground.article}",
        "mark": mark(ground.certain),
    }


def _detail(found: Suggestion, basis: int) -> dict[str, Any]:
    ground = found.ground
    return {
        "basis": basis,
        "suggested": found.level,
        "ground": ground.id if ground else None,
        "article": ground.article if ground else None,
        "certain": ground.certain if ground else None,
        "possible": found.possible,
    }


CHECKS: tuple[Check, ...] = (level_plausible,)
