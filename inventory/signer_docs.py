"""Who signs, in the YAML files: people and their keys, and how the blocks become values."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated

from inventory.fields import Line, ProjectPath, Raw, says
from inventory.model import Signer

Tell = Callable[[str, str], None]
"""Reports a problem of the signer with this id."""


class SignerDoc(Raw, frozen=True):
    """Somebody who may sign level records and decisions; give his key or his certificate."""

    name: Annotated[Line, says("Name, or the name of the organisation's seal.", min_length=1)]
    post: Annotated[Line, says("Post.")] = ""
    public_key: Annotated[
        ProjectPath,
        says("File of the public key (Ed25519, PEM or `ssh-ed25519 …`), never the private one."),
    ] = ""
    certificate: Annotated[
        ProjectPath, says("File of the X.509 certificate, PEM or DER, for CMS and PDF signatures.")
    ] = ""


def build_signers(docs: Mapping[str, SignerDoc], tell: Tell) -> tuple[Signer, ...]:
    """The signers of a unit, in order; one with no key or with two is told."""
    for signer_id, doc in docs.items():
        if bool(doc.public_key) == bool(doc.certificate):
            tell(signer_id, "give either public_key or certificate: one signer, one key")
    return tuple(
        Signer(
            id=signer_id,
            name=doc.name,
            post=doc.post,
            public_key=doc.public_key,
            certificate=doc.certificate,
        )
        for signer_id, doc in docs.items()
    )
