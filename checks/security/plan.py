"""Is the security plan carried out? From what people attest, never from a bare "all done"."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from checks.evidence import FailureKind
from checks.model import Arg, Check, Context, Scope, Severity, Verdict, check, passed, unknown
from checks.security.attested import PLAN, Word, newest, word_of
from checks.security.detail import level_detail
from checks.security.judging import HOUSE, Shortfall, of_other, severity, shortfall, today_of
from checks.security.level_record import LevelRecord, Measure, Plan, PlanStatus
from checks.security.record import RECORD
from checks.security.rules import rules
from checks.texts import clean
from inventory.model import Attestation

_ID = "security.plan-implemented"
_RANK: tuple[PlanStatus, ...] = ("not_started", "partly", "fully")


class Step(msgspec.Struct, frozen=True):
    """A measure of the plan and the word that speaks for it, None when nobody gave one."""

    measure: Measure
    word: Word | None

    @property
    def name(self) -> str:
        """What it is called in sentences."""
        return clean(self.measure.name or self.measure.id, 120)


def steps(plan: Plan, attested: Iterable[Attestation], today: dt.date) -> tuple[Step, ...]:
    """Every measure with its word: the record's own or the inventory's, whichever holds."""
    rule, told = rules().attested[PLAN], tuple(attested)
    found = []
    for measure in plan.measures:
        words = [word_of(a, rule) for a in told if a.control == f"{PLAN}.{measure.id.strip()}"]
        words += [word_of(measure.done, rule)] if measure.done else []
        found.append(Step(measure, newest(words, today)))
    return tuple(found)


def reached(told: tuple[Step, ...], today: dt.date) -> PlanStatus | None:
    """How far the plan is carried out by the words that hold, None when it lists no measure.

    A word that lapsed does not count, but what was once attested was begun.
    """
    if not told:
        return None
    holding = sum(s.word is not None and s.word.holds(today) for s in told)
    if holding == len(told):
        return "fully"
    begun = any(s.word is not None and s.word.date <= today for s in told)
    return "partly" if begun else "not_started"


@check(
    _ID,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 28", "ND331 Art. 30", "ND331 Annex, Form 08 (10)"),
).needs(RECORD)
def plan_implemented(ctx: Context, record: LevelRecord) -> Iterable[Verdict]:
    """All measures of the plan are carried out, by words that hold; a bare "all done" is unknown.

    Some measures done and the rest in time is a lesser shortfall; late, without a date, lapsed or
    overstated is a grave one.
    """
    today, grave = today_of(ctx), severity(ctx, record)
    detail = level_detail(ctx, record)
    plan, other = record.plan, list(of_other(ctx, record))
    if other or plan is None:
        yield shortfall(_ID, other or [Shortfall("missing")], detail, grave)
        return
    attested = (*ctx.subject.the_system.attestations, *ctx.subject.unit.attestations)
    told = steps(plan, attested, today)
    status = reached(told, today)
    detail |= _detail(plan, told, status, today)
    if status is None and plan.status in ("", "fully"):
        name = "only-word" if plan.status else "no-measures"
        yield unknown(FailureKind.NOT_DECLARED, f"{_ID}.{name}", detail)
        return
    counted = status or plan.status
    if counted == "fully":
        end = min(s.word.until for s in told if s.word and s.word.until)
        yield passed(f"{_ID}.fully", detail, count=len(told), until=end.isoformat())
        return
    yield shortfall(_ID, list(_faults(plan, told, status, today)), detail, grave)


def _faults(
    plan: Plan, told: tuple[Step, ...], status: PlanStatus | None, today: dt.date
) -> Iterator[Shortfall]:
    counted = status or plan.status
    for step in told:
        word = step.word
        if word is not None and word.until is not None and word.until < today:
            yield Shortfall("expired", _lapsed(step, word, word.until))
    if status is not None and plan.status and _RANK.index(plan.status) > _RANK.index(status):
        said: dict[str, Arg] = {
            "said": f"security/plan-{plan.status}",
            "found": f"security/plan-{status}",
        }
        yield Shortfall("overstated", said)
    done = sum(s.word is not None and s.word.holds(today) for s in told)
    said = {"done": done, "count": len(told)} if told else {}
    name = "partly" if counted == "partly" else "not-started"
    suffix = "" if told else "-word"
    if plan.expected is None:
        yield Shortfall("no-date")
    elif plan.expected < today:
        late = (today - plan.expected).days * 86400
        yield Shortfall("late", {"expected": plan.expected.isoformat(), "late": late})
    yield Shortfall(f"{name}{suffix}", said, grave=name == "not-started")


def _lapsed(step: Step, word: Word, until: dt.date) -> dict[str, Arg]:
    house = word.cut and rules().attested[PLAN].house_default
    return {
        "measure": step.name,
        "by": word.by,
        "until": until.isoformat(),
        "mark": HOUSE if house else "",
    }


def _detail(
    plan: Plan, told: tuple[Step, ...], status: PlanStatus | None, today: dt.date
) -> dict[str, Any]:
    return {
        "plan": {
            "status": status or plan.status or None,
            "reported": plan.status or None,
            "expected": plan.expected.isoformat() if plan.expected else None,
            "document": clean(plan.document, 120) or None,
            "measures": [
                {
                    "id": clean(s.measure.id, 120),
                    "name": s.name,
                    "done": s.word is not None and s.word.holds(today),
                    "how": "attested" if s.word else None,
                    "attested_by": s.word.by if s.word else None,
                    "until": s.word.until.isoformat() if s.word and s.word.until else None,
                }
                for s in told
            ],
        }
    }


CHECKS: tuple[Check, ...] = (plan_implemented,)
