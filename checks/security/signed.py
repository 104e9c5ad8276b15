"""Is the file that records a level signed, over these very bytes, by somebody who may sign it?"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from checks.evidence import (
    Answers,
    Failure,
    FailureKind,
    NotDeclared,
    Probe,
    Request,
    Source,
    Unparsable,
)
from checks.files import files_if_any, files_request
from checks.model import (
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
    unknown,
)
from checks.security.record import RECORD_FILE, row_record
from checks.security.register import REGISTER
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
    standing_verdict,
    units_of,
    unread_verdict,
)
from checks.signatures.declared import read_trust, trust_requests
from checks.signatures.detached import cms_signatures, raw_signature
from checks.signatures.model import Fault, Signature
from checks.signatures.trust import KNOWN
from checks.texts import clean

PREFIX = "security.record-signed"
RAW = ".sig"
CMS = ".p7s"
"""Endings of a record's detached signature: Ed25519, and CMS."""

RAW_FILE = Probe(
    id="security.record-sig",
    title="the Ed25519 signature beside a level record, a file of the project",
    source=Source.FILES,
)
CMS_FILE = Probe(
    id="security.record-p7s",
    title="the CMS signature beside a level record, a file of the project",
    source=Source.FILES,
    # Certificates hold identity card numbers.
    sensitive=True,
)


class SignedOptions(Options, frozen=True):
    """From which level on an unsigned record is a failure; below it nothing can be said.

    The house's default: no law asks for a signature of this file.
    """

    required_from: int = 3
    declared_only: bool = False
    """Only signers whom the inventory names count; a chain to a trusted root is not enough."""

    def __post_init__(self) -> None:
        """Refuse what is no level; 6 means never."""
        if not 1 <= self.required_from <= 6:
            raise ValueError("required_from must be a level from 1 to 5, or 6 for never")


class SignedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file with its seals; `unread` are keys and roots that could not be read."""

    name: str
    seals: tuple[Seal, ...] = ()
    unread: tuple[Failure, ...] = ()
    keys: int = 0
    """How many Ed25519 keys there were to compare with."""


def signed_path(subject: Subject) -> str:
    """The file that is signed: the system's record, else the register of its unit, else nothing."""
    register = subject.unit.levels
    return subject.the_system.assessment or (register.path if register else "")


def _record_probe(subject: Subject) -> Probe:
    return RECORD_FILE if subject.the_system.assessment else REGISTER


def _requests(subject: Subject) -> list[Request]:
    path = signed_path(subject)
    if not path:
        raise NotDeclared(f"systems.{subject.the_system.id}.assessment")
    return [
        files_request(_record_probe(subject), path),
        files_if_any(RAW_FILE, path + RAW),
        files_if_any(CMS_FILE, path + CMS),
        *trust_requests(subject.inventory, units_of(subject.the_system)),
    ]


def _parse(ctx: Context, answers: Answers) -> SignedFile:
    subject = ctx.subject
    record = only_file(answers.one(_record_probe(subject).id))
    if not subject.the_system.assessment and row_record(ctx, answers) is None:
        detail = f"{clean(record.name, 120)}: no row about {subject.the_system.id}"
        raise Unparsable(detail, FailureKind.NOT_DECLARED)
    known = read_trust(subject.inventory, units_of(subject.the_system), answers)
    data = bytes(record.data)
    found: list[Signature] = []
    raw, cms = _beside(answers, RAW_FILE), _beside(answers, CMS_FILE)
    if raw is not None:
        found.append(raw_signature(data, raw, known.keys))
    if cms is not None:
        found += cms_signatures(data, cms, known.certificates)
    return SignedFile(
        name=record.name,
        seals=seals(found, known, ctx),
        unread=known.unread,
        keys=sum(isinstance(k, Ed25519PublicKey) for k in known.keys),
    )


def _beside(answers: Answers, probe: Probe) -> bytes | None:
    """The signature file, None when there is none."""
    found = answers.one(probe.id)
    return bytes(only_file(found).data) if len(found.stdout) else None


SIGNED: Fact[SignedFile] = Fact(id="security.signed-record", requests=_requests, parse=_parse)
"""The record's file with its detached signatures; `NotDeclared` when there is no record."""


@check(
    PREFIX,
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=("ND331 Art. 21",),
    options=SignedOptions,
).needs(SIGNED)
def record_signed(ctx: Context, found: SignedFile) -> Iterable[Verdict]:
    """A detached signature beside the record holds over these very bytes, by a known signer.

    Which levels must be signed is the house's default, no law's.
    """
    level = ctx.subject.the_system.level or 0
    if ctx.opt(SignedOptions).declared_only:
        found = msgspec.structs.replace(found, seals=only_declared(found.seals))
    severity = grave(level)
    detail = {"file": clean(found.name), "signatures": [said(s) for s in found.seals]}
    if not found.seals:
        least = ctx.opt(SignedOptions).required_from
        args: dict[str, Any] = {"level": least, "file": clean(found.name + RAW)}
        if level >= least:
            yield failed(f"{PREFIX}.missing", detail, Severity.MINOR, **args)
        else:
            kind = FailureKind.NOT_DECLARED
            yield unknown(kind, f"{PREFIX}.unsigned", detail, **args)
        return
    yield _verdict(found, detail, severity)


def _verdict(found: SignedFile, detail: dict[str, Any], severity: Severity) -> Verdict:
    broken = broken_seal(found.seals)
    if broken is not None:
        fault = broken.signature.fault
        bare = broken.signature.kind == "ed25519" and fault is Fault.FORGED
        if bare and found.unread:
            return unread_verdict(PREFIX, found.unread[0], detail)
        if bare and not found.keys:
            return unknown(FailureKind.NOT_DECLARED, f"{PREFIX}.no-key", detail)
        name = "no-match" if bare else str(fault)
        return fault_verdict(PREFIX, name, broken.signature, detail, severity)
    best = best_seal(found.seals)
    known = best.judged is not None and best.judged.standing in KNOWN
    if found.unread and not known:
        return unread_verdict(PREFIX, found.unread[0], detail)
    return standing_verdict(PREFIX, best, detail, severity)


CHECKS: tuple[Check, ...] = (record_signed,)
