"""From which security level on a duty holds, how grave a breach is, and how to say what lacks."""

from __future__ import annotations

from typing import Any

from checks.backup.promise import defaults
from checks.evidence import Failure, FailureKind
from checks.model import Arg, Context, Message, Severity, Status, Verdict


def severity_at(level: int | None) -> Severity:
    """How grave a failing backup is: backup is a statutory measure from level 3 on."""
    return Severity.CRITICAL if level is not None and level >= 3 else Severity.MAJOR


def first_level(duty: str, grade: str = "required") -> int:
    """The level from which a duty is `required`, or `expected` as good practice; 6 for none."""
    found: int = defaults()["from_level"][duty].get(grade, 6)
    return found


def breach(duty: str, level: int | None) -> Severity | None:
    """How grave it is to lack something at a level; None when nobody asks for it there.

    A system whose level is not recorded is asked, and its shortfall is a lesser one.
    """
    if level is None:
        return Severity.MINOR
    if level >= first_level(duty):
        return severity_at(level)
    return Severity.MINOR if level >= first_level(duty, "expected") else None


def lacking(context: Context, duty: str, name: str, detail: dict[str, Any], **args: Arg) -> Verdict:
    """A shortfall that was seen: a failure where the duty holds, else not applicable, with proof.

    `name` is the message of the failure; the check's message `below` stands where nobody asks.
    """
    level = context.subject.the_system.level
    severity = breach(duty, level)
    if severity is None:
        return _below(context, duty, detail | {"lacks": name})
    return Verdict(
        status=Status.FAIL,
        message=Message(id=f"backup.{duty}.{name}", args=args),
        detail=detail,
        severity=severity,
    )


def unseen(context: Context, duty: str, failure: Failure, detail: dict[str, Any]) -> Verdict:
    """Nothing was seen that could tell: unknown where the duty holds, else not applicable."""
    level = context.subject.the_system.level
    if duty in defaults()["from_level"] and breach(duty, level) is None:
        return _below(context, duty, detail | {"lacks": "unseen", "why": failure.detail})
    return cannot_tell(f"backup.{duty}.unseen", failure, detail, kind=failure.kind.value)


def cannot_tell(message: str, failure: Failure, detail: dict[str, Any], **args: Arg) -> Verdict:
    """Unknown, with the reason in a sentence and as a failure."""
    return Verdict(
        status=Status.UNKNOWN,
        message=Message(id=message, args=args),
        detail=detail,
        failure=failure,
    )


def undeclared(what: str) -> Failure:
    """What the inventory would have to say."""
    return Failure(kind=FailureKind.NOT_DECLARED, detail=what)


def applies_not(message: str, detail: dict[str, Any], **args: Arg) -> Verdict:
    """Does not apply, with its proof in the message and the detail."""
    said = Message(id=message, args=args)
    return Verdict(status=Status.NOT_APPLICABLE, message=said, detail=detail)


def _below(context: Context, duty: str, detail: dict[str, Any]) -> Verdict:
    first = min(first_level(duty), first_level(duty, "expected"))
    level = context.subject.the_system.level or 0
    return applies_not(
        f"backup.{duty}.below", detail | {"from_level": first}, level=level, first=first
    )
