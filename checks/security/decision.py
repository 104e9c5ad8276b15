"""Is the PDF of the decision on a level signed, intact, covered whole, and by whom?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

import msgspec

from checks.evidence import Answers, Failure, FailureKind, Need, Probe, Request, Source, Unparsable
from checks.files import files_request
from checks.model import (
    Arg,
    Check,
    Context,
    Fact,
    Options,
    Scope,
    Severity,
    Subject,
    Verdict,
    check,
    failed,
    not_applicable,
    unknown,
)
from checks.security.level_record import LevelRecord
from checks.security.record import RECORD_IF_DECLARED
from checks.security.seals import (
    Seal,
    best_seal,
    broken_seal,
    fault_verdict,
    grave,
    only_declared,
    only_file,
    said,
    seals,
    shown_signer,
    standing_verdict,
    units_of,
    unread_verdict,
)
from checks.signatures import pades
from checks.signatures.ber import Unreadable
from checks.signatures.declared import read_trust, trust_requests
from checks.signatures.model import Signature
from checks.signatures.pdf import MOST_BYTES, UNCHECKED, PdfSignatures, read_pdf
from checks.signatures.trust import KNOWN, Standing
from checks.texts import clean

PREFIX = "security.decision-signed"
PARTS = ("decision", "approval")
"""Words under which a record's dossier names the file of the decision."""

DECISION_FILE = Probe(
    id="security.decision",
    title="the signed PDF of the decision on a level, a file of the project",
    source=Source.FILES,
    limit=MOST_BYTES,
    stream=True,
    # It names people, and its certificates hold identity card numbers.
    sensitive=True,
)


class DecisionOptions(Options, frozen=True):
    """From which level on a signed PDF of the decision is asked for; 6 means never.

    The house's default: a decision on paper is as good in law, but no machine can verify it.
    """

    required_from: int = 6
    declared_only: bool = False
    """Only signers whom the inventory names count; a chain to a trusted root is not enough."""

    def __post_init__(self) -> None:
        """Refuse what is no level."""
        if not 1 <= self.required_from <= 6:
            raise ValueError("required_from must be a level from 1 to 5, or 6 for never")


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One signature of the PDF; `full` is None where only the light check ran."""

    seal: Seal
    end: int
    added: int
    person: bool
    """Not the time stamp of a service."""
    full: pades.Full | None = None


class DecisionFile(msgspec.Struct, frozen=True, kw_only=True):
    """The PDF with its signatures, in the order in which they were made."""

    name: str
    marks: tuple[Mark, ...] = ()
    unread: tuple[Failure, ...] = ()
    validated: bool = False
    """The full validation ran; `problem` says why it did not, when it was tried."""
    problem: str = ""


def _requests(subject: Subject) -> list[Request]:
    path = subject.the_system.decision
    if not path:
        return []
    trust = trust_requests(subject.inventory, units_of(subject.the_system))
    return [files_request(DECISION_FILE, path, Need.REQUIRED), *trust]


def _parse(ctx: Context, answers: Answers) -> DecisionFile | None:
    system = ctx.subject.the_system
    if not system.decision:
        return None
    file = only_file(answers.one(DECISION_FILE.id))
    known = read_trust(ctx.subject.inventory, units_of(system), answers)
    try:
        light = read_pdf(file.data)
    except Unreadable as e:
        raise Unparsable(f"{file.name}: {e}") from None
    full, problem = _full(light, bytes(file.data), known.trust.roots, ctx.now)
    judged = seals((_at_its_time(s.signature, s.claimed) for s in light.signatures), known, ctx)
    marks = (
        Mark(
            seal=_fully_trusted(seal, full.get(s.end) if full else None),
            end=s.end,
            added=s.added,
            person=s.signature.kind != "timestamp",
            full=full.get(s.end) if full else None,
        )
        for s, seal in zip(light.signatures, judged, strict=True)
    )
    return DecisionFile(
        name=file.name,
        marks=tuple(marks),
        unread=known.unread,
        validated=full is not None,
        problem=problem,
    )


def _at_its_time(signature: Signature, claimed: dt.datetime | None) -> Signature:
    # A PDF may say the time beside the signature instead of in it; both are the signer's word.
    return msgspec.structs.replace(signature, claimed=claimed)


def _full(
    light: PdfSignatures, data: bytes, roots: tuple[bytes, ...], now: dt.datetime
) -> tuple[dict[int, pades.Full] | None, str]:
    if not light.people or not pades.available():
        return None, ""
    claimed = {s.end: s.claimed for s in light.people}
    try:
        return pades.validate(data, roots, claimed, now), ""
    except Unreadable as e:
        return None, str(e)


def _fully_trusted(seal: Seal, full: pades.Full | None) -> Seal:
    """What the full validation adds: a chain that the light check could not follow, or a stamp."""
    judged = seal.judged
    if full is None or judged is None or not full.trusted:
        return seal
    standing = Standing.TRUSTED if judged.standing not in KNOWN else judged.standing
    return msgspec.structs.replace(
        seal, judged=msgspec.structs.replace(judged, standing=standing, chain="trusted")
    )


DECISION: Fact[DecisionFile | None] = Fact(
    id="security.decision-file", requests=_requests, parse=_parse
)
"""The decision's PDF with its signatures; None when the inventory names none."""


@check(
    PREFIX,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 20", "ND30 Art. 5"),
    options=DecisionOptions,
).needs(DECISION, RECORD_IF_DECLARED)
def decision_signed(
    ctx: Context, found: DecisionFile | None, record: LevelRecord | None
) -> Iterable[Verdict]:
    """The PDF is signed by somebody known, intact, and nothing was added after the last signature.

    Without an electronic decision there is nothing to verify, unless the settings ask for one.
    """
    options = ctx.opt(DecisionOptions)
    if found is None:
        yield _none(ctx, options.required_from, record)
        return
    if options.declared_only:
        found = _without_chains(found)
    detail = _detail(found)
    people = tuple(m for m in found.marks if m.person)
    if not people:
        yield failed(f"{PREFIX}.unsigned", detail, Severity.MINOR, file=clean(found.name))
        return
    severity = grave(ctx.subject.the_system.level or 0)
    yield (
        _broken(found, detail, severity)
        or _altered(found, people, detail, severity)
        or _worth(found, people, detail, severity)
    )


def _none(ctx: Context, least: int, record: LevelRecord | None) -> Verdict:
    parts = record.dossier if record else ()
    named = [p.file for p in parts if p.part in PARTS and p.file.lower().endswith(".pdf")]
    if named:
        key = f"systems.{ctx.subject.the_system.id}.decision"
        kind = FailureKind.NOT_DECLARED
        return unknown(kind, f"{PREFIX}.named", file=clean(named[0]), key=key)
    if (ctx.subject.the_system.level or 0) >= least:
        return failed(f"{PREFIX}.missing", severity=Severity.MINOR, level=least)
    return not_applicable(f"{PREFIX}.none")


def _without_chains(found: DecisionFile) -> DecisionFile:
    marks = tuple(
        msgspec.structs.replace(m, seal=s)
        for m, s in zip(found.marks, only_declared(m.seal for m in found.marks), strict=True)
    )
    return msgspec.structs.replace(found, marks=marks)


def _broken(found: DecisionFile, detail: dict[str, Any], severity: Severity) -> Verdict | None:
    broken = broken_seal(m.seal for m in found.marks)
    if broken is not None:
        signature = broken.signature
        return fault_verdict(PREFIX, str(signature.fault), signature, detail, severity)
    for mark in found.marks:
        if mark.full is not None and not mark.full.intact:
            return failed(f"{PREFIX}.changed", detail, severity, who=shown_signer(mark.seal))
        if mark.full is not None and mark.full.revoked:
            return failed(f"{PREFIX}.revoked", detail, severity, who=shown_signer(mark.seal))
    return None


def _altered(
    found: DecisionFile, people: tuple[Mark, ...], detail: dict[str, Any], severity: Severity
) -> Verdict | None:
    """Something was added that no signature covers, or that is no mere signature."""
    if found.validated and not all(m.full is not None and m.full.harmless for m in people):
        return failed(f"{PREFIX}.suspicious", detail, severity)
    last = people[-1]
    if not last.added or last.full is not None:
        return None
    if any(m.added == 0 for m in found.marks):
        # Long-term proof adds a time stamp of the whole; what else was added is not seen here.
        kind = FailureKind.MISSING_TOOL
        return unknown(kind, f"{PREFIX}.extended", detail, who=shown_signer(last.seal))
    return failed(f"{PREFIX}.appended", detail, severity, count=last.added)


def _worth(
    found: DecisionFile, people: tuple[Mark, ...], detail: dict[str, Any], severity: Severity
) -> Verdict:
    """By the signers of the last state of the file: who signed an earlier one did not see it."""
    end = people[-1].end
    last = best_seal(tuple(m.seal for m in people if m.end == end))
    known = last.judged is not None and last.judged.standing in KNOWN
    if found.unread and not known:
        return unread_verdict(PREFIX, found.unread[0], detail)
    everyone = "; ".join(dict.fromkeys(shown_signer(m.seal) for m in people))
    depth = "full" if found.validated else "light"
    more: dict[str, Arg] = {"count": len(people), "depth": f"security/pdf-{depth}"}
    more |= _clock(next(m for m in people if m.seal is last))
    if known:
        more["who"] = clean(everyone, 240)
    return standing_verdict(PREFIX, last, detail, severity, more)


def _clock(mark: Mark) -> dict[str, Arg]:
    """Whose word the signing time is."""
    stamped = mark.full.stamped if mark.full else None
    if stamped is None:
        return {"clock": "security/clock-signer"}
    return {"clock": "security/clock-service", "at": stamped.isoformat()}


def _detail(found: DecisionFile) -> dict[str, Any]:
    """Plain data for reports; what was not checked is named."""
    return {
        "file": clean(found.name),
        "signatures": [
            said(m.seal)
            | {
                "added_after": m.added,
                "covers_whole_file": m.added == 0 and m.seal.signature.holds,
                "time_stamp": _iso(m.full.stamped if m.full else None),
                "problem": (m.full.problem or None) if m.full else None,
            }
            for m in found.marks
        ],
        "validated": "full" if found.validated else "light",
        "not_checked": ["revocation-online"] if found.validated else list(UNCHECKED),
        "problem": clean(found.problem) or None,
    }


def _iso(at: dt.datetime | None) -> str | None:
    return at.isoformat() if at else None


CHECKS: tuple[Check, ...] = (decision_signed,)
