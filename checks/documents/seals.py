"""What the files attached to packets say of who signed them, as small values without personal data.

Certificates are kept once for each signer and only in memory; nothing of them is ever stored.
"""

from __future__ import annotations

import datetime as dt
from enum import StrEnum

from checks.evidence import Value
from checks.signatures.model import Signature


class Signer(StrEnum):
    """Whose certificate made a signature, as far as the certificate tells."""

    PERSON = "person"
    ORGANISATION = "organisation"
    SERVICE = "service"
    """A time stamp service: it says when, not who agreed."""
    UNTOLD = "untold"


class Mark(Value, frozen=True, gc=False):
    """One signature on an attached PDF."""

    signer: Signer = Signer.UNTOLD
    key: str = ""
    """SHA-256 (hex) of the signer's certificate, to be found among `Sealed.signers`."""
    fault: str = ""
    """A word of `checks.signatures.model.Fault`; empty when digest and signature hold."""
    added: int = 0
    """Bytes of the file after what it covers."""
    claimed: dt.datetime | None = None
    """When it was signed, by the signer's own clock."""
    stamped: bool = False
    """It carries a time stamp of a service, which is not verified here."""
    weak: bool = False
    """Made by an algorithm or a key below the state of the art."""


class Sheet(Value, frozen=True, gc=False):
    """One attached file. `problem` is one line on why a PDF could not be read."""

    pdf: bool = False
    marks: tuple[Mark, ...] = ()
    problem: str = ""


class Packet(Value, frozen=True, gc=False):
    """The files of one packet that this unit sent; `sha256` is that of its events' places."""

    sha256: str
    sheets: tuple[Sheet, ...] = ()
    lost: int = 0
    """Attachments that are damaged or too large to look into."""


class Sealed(Value, frozen=True):
    """The attachments of a folder of packets."""

    packets: tuple[Packet, ...] = ()
    signers: dict[str, Signature] = {}
    """One signature of each certificate, by its `Mark.key`: for the chain of trust."""
