"""Whom the inventory names as signers: their keys and roots as evidence, read to a `Trust`.

General for every family: give the ids of the units whose word counts for a file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache

from checks.evidence import Answers, Evidence, Failure, Need, Probe, Request, Source, Unparsable
from checks.files import files_request, unpack
from checks.signatures.ber import Unreadable
from checks.signatures.certificates import (
    PublicKey,
    certificate,
    certificates,
    key_digest,
    key_of,
    public_key,
)
from checks.signatures.model import Value
from checks.signatures.trust import Declared, Trust
from inventory.model import Inventory, Signer

SIGNER_KEY = Probe(
    id="signatures.key",
    title="public key or certificate of a declared signer, a file of the project",
    source=Source.FILES,
)
TRUST_ROOT = Probe(
    id="signatures.root",
    title="certificates of an authority that is trusted, a file of the project",
    source=Source.FILES,
)


class Known(Value, frozen=True):
    """What the inventory's signers and roots came to. `unread` are files that could not be read.

    While a file is unread nobody can be called a stranger: it might have been his.
    """

    trust: Trust
    keys: tuple[PublicKey, ...] = ()
    certificates: tuple[bytes, ...] = ()
    unread: tuple[Failure, ...] = ()


def with_those_above(inventory: Inventory, units: Iterable[str]) -> tuple[str, ...]:
    """The units and every unit above them, each once."""
    found: dict[str, None] = {}
    for unit in units:
        at = unit
        while at in inventory.units and at not in found:
            found[at] = None
            at = inventory.units[at].parent
    return tuple(found)


def signers_of(inventory: Inventory, units: Iterable[str]) -> tuple[Signer, ...]:
    """Who may sign for these units: their own signers and those of every unit above."""
    above = with_those_above(inventory, units)
    return tuple(s for unit in above for s in inventory.units[unit].signers)


def roots_of(inventory: Inventory, units: Iterable[str]) -> tuple[str, ...]:
    """Paths of the roots that these units and those above them trust, each once."""
    above = with_those_above(inventory, units)
    return tuple(dict.fromkeys(r for unit in above for r in inventory.units[unit].trust_roots))


def trust_requests(inventory: Inventory, units: Iterable[str]) -> list[Request]:
    """What to read of signers and roots; all optional, for a missing one is `Known.unread`."""
    units = tuple(units)
    keys = [_key_request(s) for s in signers_of(inventory, units)]
    roots = [files_request(TRUST_ROOT, path, Need.OPTIONAL) for path in roots_of(inventory, units)]
    return list({r.key: r for r in [*keys, *roots]}.values())


def _key_request(signer: Signer) -> Request:
    return files_request(SIGNER_KEY, signer.public_key or signer.certificate, Need.OPTIONAL)


def read_trust(inventory: Inventory, units: Iterable[str], answers: Answers) -> Known:
    """Whom to believe for these units, from the answers to `trust_requests`; never raises."""
    units = tuple(units)
    read = _Read(answers)
    declared: list[Declared] = []
    keys: list[PublicKey] = []
    certified: list[bytes] = []
    for signer in signers_of(inventory, units):
        for data in read.files(_key_request(signer)):
            try:
                key, der = _key(data, certified=bool(signer.certificate))
            except Unreadable as e:
                read.fail(f"{signer.public_key or signer.certificate}: {e}")
                continue
            keys.append(key)
            certified += [der] if der else []
            declared.append(
                Declared(id=signer.id, key=key_digest(key), name=signer.name, post=signer.post)
            )
    roots: list[bytes] = []
    for path in roots_of(inventory, units):
        for data in read.files(files_request(TRUST_ROOT, path, Need.OPTIONAL)):
            try:
                roots += _certificates(data)
            except Unreadable as e:
                read.fail(f"{path}: {e}")
    return Known(
        trust=Trust(declared=tuple(declared), roots=tuple(dict.fromkeys(roots))),
        keys=tuple(keys),
        certificates=tuple(certified),
        unread=tuple(read.unread),
    )


class _Read:
    """The files of some answers, and what could not be read."""

    def __init__(self, answers: Answers) -> None:
        self._by_key: dict[str, Evidence] = {}
        for probe in (SIGNER_KEY.id, TRUST_ROOT.id):
            self._by_key |= {e.key: e for e in answers.all(probe)}
        self._failed = {e.key: e.failure for e in answers.failures() if e.failure}
        self.unread: list[Failure] = []

    def fail(self, detail: str) -> None:
        kind = Unparsable("").kind
        self.unread.append(Failure(kind=kind, detail=detail))

    def files(self, request: Request) -> Iterator[bytes]:
        found = self._by_key.get(request.key)
        if found is None:
            failure = self._failed.get(request.key)
            if failure is not None:
                self.unread.append(failure)
            else:
                self.fail(f"{request.params['path']}: no answer")
            return
        for entry in unpack(found.stdout):
            yield bytes(entry.data)


@lru_cache(maxsize=512)
def _certificates(data: bytes) -> tuple[bytes, ...]:
    # Hundreds of systems trust the same few roots.
    return certificates(data)


@lru_cache(maxsize=512)
def _key(data: bytes, *, certified: bool) -> tuple[PublicKey, bytes]:
    """The key of a signer's file, and his certificate (DER) when that is what it holds."""
    if not certified:
        return public_key(data), b""
    found = certificates(data)[0]
    key = key_of(certificate(found))
    if key is None:
        raise Unreadable("the key of the certificate is of a kind that is not read")
    return key, found
