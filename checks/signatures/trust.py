"""Who may sign: declared keys and certificates, and chains to the roots that a project trusts.

A signature that holds says only that some key made it. Whose key that is stands here.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum
from typing import Any

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509 import verification as verifying
from cryptography.x509.oid import SignatureAlgorithmOID

from checks.signatures.ber import Unreadable
from checks.signatures.certificates import certificate, quiet, reason
from checks.signatures.model import Signature, Value

_DEEPEST_CHAIN = 6
_NOT_CHECKED = "not-checked"
_LEEWAY = dt.timedelta(hours=24)
"""How far a signer's clock may run ahead: people's machines do."""


class Declared(Value, frozen=True):
    """Somebody whom the inventory names as a signer; `key` is SHA-256 in hex of the public key."""

    id: str
    key: str
    name: str = ""
    post: str = ""


class Trust(Value, frozen=True):
    """Whom to believe: declared signers, and roots as DER; either may be empty."""

    declared: tuple[Declared, ...] = ()
    roots: tuple[bytes, ...] = ()


class Standing(StrEnum):
    """What is known of the signer."""

    DECLARED = "declared"
    """The inventory names his key."""
    TRUSTED = "trusted"
    """His certificate leads to a root that the project trusts."""
    STRANGER = "stranger"
    """Neither, though there was something to compare with."""
    UNCHECKED = "unchecked"
    """Nobody was declared and no root was given, or the chain is of a kind that is not read."""


KNOWN = (Standing.DECLARED, Standing.TRUSTED)
"""Those whose signature counts."""


class Judged(Value, frozen=True):
    """The standing of one signer. `chain` says whether a chain was verified, or why it was not."""

    standing: Standing
    who: Declared | None = None
    chain: str = ""
    """`trusted`, `not-checked` (and why), one line on why no chain holds; empty for a bare key."""
    at: dt.datetime | None = None
    """The moment for which certificate dates were judged."""
    in_date: bool | None = None
    """Whether the certificate was valid at that moment; None for bare keys."""
    ahead: bool = False
    """The signing time lies in the future."""


def judge(signature: Signature, trust: Trust, now: dt.datetime) -> Judged:
    """What is known of who made a signature that holds.

    Dates are judged at the signing time that the signer claims, as nothing better is known here,
    and at `now` (aware) without one. Never raises.
    """
    who = next((d for d in trust.declared if d.key and d.key == signature.key), None)
    if signature.holder is None:
        return Judged(standing=_standing(who, "", trust, bare=True), who=who)
    ahead = signature.claimed is not None and signature.claimed > now + _LEEWAY
    at = signature.claimed if signature.claimed and not ahead else now
    chain = _chain(signature, trust.roots, at)
    holder = signature.holder
    return Judged(
        standing=_standing(who, chain, trust),
        who=who,
        chain=chain,
        at=at,
        in_date=holder.not_before <= at <= holder.not_after,
        ahead=ahead,
    )


def _standing(who: Declared | None, chain: str, trust: Trust, *, bare: bool = False) -> Standing:
    if who is not None:
        return Standing.DECLARED
    if chain == "trusted":
        return Standing.TRUSTED
    if trust.roots and not bare:
        return Standing.UNCHECKED if chain.startswith(_NOT_CHECKED) else Standing.STRANGER
    return Standing.STRANGER if trust.declared else Standing.UNCHECKED


def _chain(signature: Signature, roots: tuple[bytes, ...], at: dt.datetime) -> str:
    if not roots or signature.holder is None:
        return _NOT_CHECKED
    try:
        with quiet():
            _verify(signature.holder.der, signature.others, roots, at)
    except verifying.VerificationError as e:
        if _unknown_to_the_verifier(signature.holder.der):
            return f"{_NOT_CHECKED}: authorities with Ed25519 keys are not read here"
        return f"no chain to a trusted root: {reason(e)}"
    except (ValueError, TypeError, UnsupportedAlgorithm) as e:
        return f"{_NOT_CHECKED}: {reason(e)}"
    return "trusted"


def _unknown_to_the_verifier(leaf: bytes) -> bool:
    # It knows what web servers may use, and refuses whatever else by the same error as a forgery.
    return certificate(leaf).signature_algorithm_oid == SignatureAlgorithmOID.ED25519


def _verify(
    leaf: bytes, others: tuple[bytes, ...], roots: tuple[bytes, ...], at: dt.datetime
) -> None:
    between = []
    for der in others:
        try:
            between.append(certificate(der))
        except Unreadable:
            continue  # What cannot be read leads nowhere.
    # The rules of web servers do not fit people: no host name, other key usages.
    people = verifying.ExtensionPolicy.permit_all().may_be_present(
        x509.KeyUsage, verifying.Criticality.AGNOSTIC, _may_sign
    )
    authorities = (
        verifying.ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, verifying.Criticality.AGNOSTIC, _may_certify)
        .may_be_present(x509.KeyUsage, verifying.Criticality.AGNOSTIC, _may_sign_certificates)
    )
    verifier = (
        verifying.PolicyBuilder()
        .store(verifying.Store([certificate(r) for r in roots]))
        .time(at.replace(tzinfo=None) if at.tzinfo is None else at.astimezone(dt.UTC))
        .max_chain_depth(_DEEPEST_CHAIN)
        .extension_policies(ca_policy=authorities, ee_policy=people)
        .build_client_verifier()
    )
    verifier.verify(certificate(leaf), between)


def _may_sign(_: verifying.Policy, __: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not (usage.digital_signature or usage.content_commitment):
        raise ValueError("the certificate is not for signing")


def _may_certify(_: Any, __: Any, constraints: x509.BasicConstraints) -> None:  # noqa: ANN401
    if not constraints.ca:
        raise ValueError("an issuer on the way is no authority")


def _may_sign_certificates(_: Any, __: Any, usage: x509.KeyUsage | None) -> None:  # noqa: ANN401
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("an issuer on the way may not certify")
