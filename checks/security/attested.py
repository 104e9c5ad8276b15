"""A person's word for what no machine can see: is it given, and does it still hold?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from checks.evidence import Failure, FailureKind
from checks.model import (
    Arg,
    Check,
    Context,
    Message,
    Scope,
    Severity,
    Status,
    Verdict,
    check,
)
from checks.security.judging import HOUSE, add_months, today_of
from checks.security.level_record import Done
from checks.security.rules import Attestable, rules
from checks.texts import clean
from inventory.index import index_of
from inventory.model import Attestation

_ID = "security.attestations-valid"
PLAN = "plan"
"""Control of the measures of plans: `plan.ID`; each is judged with its plan."""


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's word, with the last day on which it counts; None when it names no end.

    `cut` says that a rule ends it before its own day.
    """

    by: str
    date: dt.date
    until: dt.date | None
    document: str = ""
    cut: bool = False

    def holds(self, today: dt.date) -> bool:
        """Whether it counts on a day; a word without an end never does."""
        return self.until is not None and self.date <= today <= self.until


def word_of(said: Attestation | Done, rule: Attestable | None) -> Word:
    """A word with its end: its own, or the longest that the rule lets it hold."""
    own = said.until
    if isinstance(said, Done) and said.valid_for is not None:
        end = _after(said.date, said.valid_for)
        own = min(own, end) if own else end
    longest = _months_after(said.date, rule.months) if rule else None
    cut = own is not None and longest is not None and longest < own
    return Word(
        by=clean(said.attested_by, 120),
        date=said.date,
        until=longest if cut else own,
        document=clean(said.document, 120),
        cut=cut,
    )


def _after(day: dt.date, length: dt.timedelta) -> dt.date:
    return dt.date.max if length > dt.date.max - day else day + length


def _months_after(day: dt.date, months: int) -> dt.date:
    return add_months(day, months) if day.year < 9000 else dt.date.max


def newest(words: Iterable[Word], today: dt.date) -> Word | None:
    """The word that speaks for a control: one that holds, else the last given, None of none."""
    return max(words, key=lambda w: (w.holds(today), w.date <= today, w.date), default=None)


@check(
    _ID,
    Scope.UNIT,
    Severity.MAJOR,
    controls=("ND331 Art. 31", "TCVN 14423:2026"),
).needs()
def attestations_valid(ctx: Context) -> Iterable[Verdict]:
    """What only people can tell is attested and the word has not lapsed; one row per control.

    A pass is a person's word, and the sentence says whose. What nobody attested is not known.
    """
    law, today, unit = rules().attested, today_of(ctx), ctx.subject.unit
    for control in law:
        if control != PLAN:
            yield _verdict(control, _words(unit.attestations, control), today, needed=True)
    own = {a.control for a in unit.attestations if not _elsewhere(a.control)}
    for control in sorted(own):
        yield _verdict(control, _words(unit.attestations, control), today, needed=False)
    for system in index_of(ctx.subject.inventory).systems_of.get(unit.id, ()):
        for control in sorted({a.control for a in system.attestations}):
            if not control.startswith(f"{PLAN}."):
                words = _words(system.attestations, control)
                yield _verdict(control, words, today, needed=False, system=system.id)


def _elsewhere(control: str) -> bool:
    return control in rules().attested or control.startswith(f"{PLAN}.")


def _words(said: Sequence[Attestation], control: str) -> list[Word]:
    rule = rules().attested.get(control)
    return [word_of(a, rule) for a in said if a.control == control]


def _verdict(
    control: str, words: list[Word], today: dt.date, *, needed: bool, system: str = ""
) -> Verdict:
    known = control in rules().attested
    said: dict[str, Arg] = {"what": f"security/control-{control}" if known else clean(control)}
    subject = f"{system}/{control}" if system else control
    word = newest(words, today)
    if word is None or word.until is None:
        message = Message(id=f"{_ID}.missing", args=said)
        return Verdict(
            status=Status.UNKNOWN,
            message=message,
            failure=Failure(kind=FailureKind.NOT_DECLARED, detail=f"attestations: {control}"),
            subject=subject,
        )
    said |= {"by": word.by, "date": word.date.isoformat(), "until": word.until.isoformat()}
    detail = dict(_told(control, word))
    name, status = "attested", Status.PASS
    if word.date > today:
        name, status = "future", Status.FAIL
        del said["until"]
    elif not word.holds(today):
        name, status = "expired", Status.FAIL
        house = word.cut and known and rules().attested[control].house_default
        said |= {"late": (today - word.until).days * 86400, "mark": HOUSE if house else ""}
    severity = Severity.MAJOR if needed else Severity.MINOR
    return Verdict(
        status=status,
        message=Message(id=f"{_ID}.{name}", args=said),
        detail=detail,
        severity=severity if status is Status.FAIL else None,
        subject=subject,
    )


def _told(control: str, word: Word) -> Iterator[tuple[str, object]]:
    yield "control", clean(control, 120)
    yield "attested_by", word.by
    yield "date", word.date.isoformat()
    yield "until", word.until.isoformat() if word.until else None
    yield "document", word.document or None
    yield "how", "attested"


CHECKS: tuple[Check, ...] = (attestations_valid,)
