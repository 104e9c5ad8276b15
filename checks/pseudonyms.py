"""Addresses as keyed hashes: a mailbox is recognised when it comes again, and nobody is named.

A plain hash of an address is found out by trying addresses; one made with a key only by whoever has
the key. It lies in the store, one for each project, and goes nowhere else.
"""

from __future__ import annotations

import hashlib
import hmac
import unicodedata
from collections.abc import Iterable

KEY_BYTES = 32
"""Random bytes of a key."""
SHOWN = 8
"""Characters of a hash that people are shown."""
MOST = 100
"""Hashes kept of one mail and domain."""
MORE = "+"
"""Stands last among hashes when there were more than `MOST`."""
_KEPT = 16
"""Characters of a hash that are kept: 64 bits."""
_AROUND = "<>\ufeff"


class Pseudonyms:
    """Makes hashes with one key, which it neither shows nor lets be written as JSON."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        """Raise ValueError unless the key has `KEY_BYTES` bytes."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, not {len(key)}")
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(…)"

    @property
    def name(self) -> str:
        """Tells one key from another and nothing of either: 8 hex digits."""
        return self.of(b"")[:SHOWN]

    def of(self, address: bytes) -> str:
        """The hash of an address, 16 hex digits; all ways to write an address have the same."""
        made = hmac.new(self._key, normal(address), hashlib.sha256)
        return made.hexdigest()[:_KEPT]


def normal(address: bytes) -> bytes:
    """An address without spaces and angle brackets around it, in lower case, in UTF-8.

    The part before the `@` is folded as well: hardly any server tells `An@` from `an@`, and two
    hashes for one mailbox would hide what comes again. What follows a `+` stays.
    """
    # What is no UTF-8 stays as it is, so that two addresses never become one.
    text = address.decode("utf-8", "surrogateescape")
    while (bare := text.strip().strip(_AROUND)) != text:
        text = bare
    lower = unicodedata.normalize("NFC", text.lower())
    return lower.encode("utf-8", "surrogateescape")


def bounded(hashes: Iterable[str]) -> tuple[str, ...]:
    """Different hashes in order, the first `MOST`; of more than that the last says so."""
    every = set(hashes)
    found = sorted(every - {MORE})
    cut = len(found) > MOST or MORE in every
    return (*found[:MOST], MORE) if cut else tuple(found)
