"""What a signature is worth to the security checks: the verdict, and its plain data for reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from checks.evidence import Evidence, Failure, FailureKind, Unparsable
from checks.files import FileEntry, unpack
from checks.model import Arg, Context, Severity, Verdict, failed, passed, unknown
from checks.signatures.declared import Known
from checks.signatures.model import Fault, Signature
from checks.signatures.trust import KNOWN, Judged, Standing, judge
from checks.texts import clean
from inventory.model import System


class Seal(msgspec.Struct, frozen=True, kw_only=True):
    """One signature with the standing of who made it; None when the signature does not hold."""

    signature: Signature
    judged: Judged | None = None


def units_of(system: System) -> tuple[str, ...]:
    """The units whose signers count for a system."""
    return tuple(u for u in (system.unit, system.owner, system.operator, system.security_unit) if u)


def seals(found: Iterable[Signature], known: Known, ctx: Context) -> tuple[Seal, ...]:
    """Each signature with the standing of its signer."""
    return tuple(
        Seal(signature=s, judged=judge(s, known.trust, ctx.now) if s.holds else None) for s in found
    )


def only_declared(found: Iterable[Seal]) -> tuple[Seal, ...]:
    """The seals with nobody trusted for his certificate's chain alone."""
    return tuple(
        msgspec.structs.replace(
            s, judged=msgspec.structs.replace(s.judged, standing=Standing.STRANGER)
        )
        if s.judged is not None and s.judged.standing is Standing.TRUSTED
        else s
        for s in found
    )


def only_file(evidence: Evidence) -> FileEntry:
    """The one file of an answer; several are `Unparsable`."""
    files = unpack(evidence.stdout)
    if len(files) != 1:
        raise Unparsable(f"{len(files)} files match {evidence.key}; there must be exactly one")
    return files[0]


_WORST = (
    Fault.CHANGED,
    Fault.FORGED,
    Fault.RANGE,
    Fault.UNREADABLE,
    Fault.NO_CERTIFICATE,
    Fault.UNSUPPORTED,
)
_CANNOT_TELL = {
    Fault.NO_CERTIFICATE: FailureKind.NOT_DECLARED,
    Fault.UNSUPPORTED: FailureKind.UNPARSABLE,
}
_BEST = (Standing.DECLARED, Standing.TRUSTED, Standing.STRANGER, Standing.UNCHECKED)


def grave(level: int) -> Severity:
    """How grave a broken signature is at a level."""
    return Severity.CRITICAL if level >= 3 else Severity.MAJOR


def broken_seal(found: Iterable[Seal]) -> Seal | None:
    """The seal with the worst fault, None when all hold."""
    broken = [s for s in found if s.signature.fault is not None]
    return min(broken, key=lambda s: _WORST.index(s.signature.fault or _WORST[-1]), default=None)


def fault_verdict(
    prefix: str, name: str, signature: Signature, detail: dict[str, Any], severity: Severity
) -> Verdict:
    """A failure, or that nothing can be told, for a signature that does not hold."""
    fault = signature.fault or Fault.UNREADABLE
    args: dict[str, Any] = {"who": shown_holder(signature)}
    if fault in (Fault.UNREADABLE, Fault.UNSUPPORTED, Fault.RANGE):
        args = {"reason": signature.reason}
    if fault is Fault.NO_CERTIFICATE or name == "no-match":
        args = {}
    kind = _CANNOT_TELL.get(fault)
    if kind is not None:
        return unknown(kind, f"{prefix}.{name}", detail, **args)
    return failed(f"{prefix}.{name}", detail, severity, **args)


def unread_verdict(prefix: str, failure: Failure, detail: dict[str, Any]) -> Verdict:
    """Nobody is accused while a key or root that might be his cannot be read."""
    found = unknown(failure.kind, f"{prefix}.unread", detail, what=clean(failure.detail))
    return msgspec.structs.replace(found, failure=failure)


def best_seal(found: tuple[Seal, ...]) -> Seal:
    """The seal of a known signer whose dates are in order, if there is one."""
    return min(
        found,
        key=lambda s: (_standing(s) not in KNOWN, not _in_order(s), _BEST.index(_standing(s))),
    )


def _standing(seal: Seal) -> Standing:
    return seal.judged.standing if seal.judged else Standing.UNCHECKED


def _in_order(seal: Seal) -> bool:
    judged = seal.judged
    return judged is not None and not judged.ahead and judged.in_date is not False


def standing_verdict(
    prefix: str,
    seal: Seal,
    detail: dict[str, Any],
    severity: Severity,
    said_too: dict[str, Arg] | None = None,
) -> Verdict:
    """What a signature that holds is worth, by who made it and when.

    `said_too` are further values of the sentences, over `who`.
    """
    standing, judged, signature = _standing(seal), seal.judged, seal.signature
    who: dict[str, Arg] = {"who": shown_signer(seal), **(said_too or {})}
    if standing is Standing.UNCHECKED or judged is None:
        return unknown(FailureKind.NOT_DECLARED, f"{prefix}.unchecked", detail, **who)
    doubt = _doubt(seal, judged)
    if doubt:
        minor = Severity.MINOR if doubt == "weak" else severity
        weak = {"weak": ", ".join(signature.weak)} if doubt == "weak" else {}
        return failed(f"{prefix}.{doubt}", detail, minor, **who, **weak)
    if signature.kind == "ed25519":
        return passed(f"{prefix}.signed-key", detail, **who)
    name = "signed-trusted" if judged.chain == "trusted" else "signed-declared"
    if signature.claimed is None:
        return passed(f"{prefix}.{name}-undated", detail, **who)
    at: dict[str, Arg] = {"at": signature.claimed.isoformat()}
    return passed(f"{prefix}.{name}", detail, **(at | who))


def _doubt(seal: Seal, judged: Judged) -> str:
    """The name of what is wrong about a signature that holds; empty when nothing is."""
    if judged.standing is Standing.STRANGER:
        return "stranger"
    if judged.ahead:
        return "ahead"
    if judged.in_date is False:
        return "out-of-date"
    return "weak" if seal.signature.weak else ""


def shown_holder(signature: Signature) -> str:
    """Name and organisation as the certificate says; a dash without one."""
    person = signature.holder.person if signature.holder else None
    parts = (person.name, person.organisation) if person else ()
    return ", ".join(dict.fromkeys(p for p in parts if p)) or "–"


def shown_signer(seal: Seal) -> str:
    """The declared name and post, else what the certificate says."""
    who = seal.judged.who if seal.judged else None
    if who is None:
        return shown_holder(seal.signature)
    return clean(f"{who.name} ({who.post})" if who.post else who.name, 160)


def said(seal: Seal) -> dict[str, Any]:
    """A seal as plain data for the detail; personal numbers never reach it."""
    signature, judged, holder = seal.signature, seal.judged, seal.signature.holder
    return {
        "kind": signature.kind,
        "holds": signature.holds,
        "fault": signature.fault.value if signature.fault else None,
        "reason": clean(signature.reason) or None,
        "signer": shown_signer(seal),
        "organisation": (holder.person.organisation or None) if holder else None,
        "issuer": (holder.issuer.name or None) if holder else None,
        "certificate_from": holder.not_before.isoformat() if holder else None,
        "certificate_until": holder.not_after.isoformat() if holder else None,
        "signed": signature.claimed.isoformat() if signature.claimed else None,
        "signed_self_reported": signature.kind != "timestamp",
        "standing": judged.standing.value if judged else None,
        "chain": (judged.chain or None) if judged else None,
        "weak": list(signature.weak),
    }
