"""Signatures of the demo's level records: whose key made them, and which were tampered with.

Cast after everything else, so that the other stories stay where they are. The counts are for 126
units.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from random import Random

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from msgspec.structs import replace

from scanner.demo.keys import NewKey
from scanner.demo.plot import LevelStory, SealStory, SystemPlot, UnitPlot

_ALL = 126
_COUNTS = {SealStory.FORGED: 4, SealStory.STRANGER: 3, SealStory.UNSIGNED: 6}
_NO_RECORD = (LevelStory.UNASSESSED, LevelStory.LOST_RECORD)
SIGNER = "chu-tich"
"""Id of the one signer that each unit declares: its head."""
FOLDER = "keys/signers"


def with_seals(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Have every record signed but for a few, which are forged, a stranger's, or unsigned.

    Only records that are otherwise in order tell these stories: one fault at a time is clearer.
    """
    fine = [s.id for u in units for s in u.systems if s.story is LevelStory.FINE]
    random.shuffle(fine)
    stories: dict[str, SealStory] = {}
    for story, count in _COUNTS.items():
        for _ in range(max(1, round(count * len(units) / _ALL))):
            # Some must be left that nothing is wrong with.
            if len(fine) > 2:
                stories[fine.pop()] = story

    def told(system: SystemPlot) -> SystemPlot:
        none = system.story in _NO_RECORD
        default = SealStory.UNSIGNED if none else SealStory.SIGNED
        return replace(system, seal=stories.get(system.id, default))

    return tuple(replace(u, systems=tuple(told(s) for s in u.systems)) for u in units)


def public_path(unit: UnitPlot) -> str:
    """Where the inventory says that the head's public key lies."""
    return f"{FOLDER}/{unit.place.code}.pub"


def declared_signer(unit: UnitPlot) -> list[str]:
    """The lines of a unit's file that declare its signer."""
    head = unit.accountable
    key = f"name: {head.name}, post: {head.post}, public_key: {public_path(unit)}"
    return ["", "signers:", f"  {SIGNER}: {{{key}}}"]


def seal_records(out: Path, units: Sequence[UnitPlot], new_key: NewKey) -> None:
    """Make each head's key, sign the records that are there, and tamper with the forged ones."""
    (out / FOLDER).mkdir(mode=0o700, parents=True)
    stranger = new_key()
    for unit in units:
        key = new_key()
        _write_key(out, unit, key)
        for system in unit.systems:
            record = out / "records" / f"{system.id}.yaml"
            if system.seal is SealStory.UNSIGNED or not record.exists():
                continue
            by = stranger if system.seal is SealStory.STRANGER else key
            signature = base64.b64encode(by.sign(record.read_bytes())) + b"\n"
            record.with_name(record.name + ".sig").write_bytes(signature)
            if system.seal is SealStory.FORGED:
                # A later hand: nothing that a reader would notice, one line at the end.
                with record.open("a", encoding="utf-8") as file:
                    file.write("# Đã rà soát.\n")


def _write_key(out: Path, unit: UnitPlot, key: Ed25519PrivateKey) -> None:
    private = out / FOLDER / f"{unit.place.code}.pem"
    private.touch(mode=0o600)
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (out / public_path(unit)).write_bytes(public)
