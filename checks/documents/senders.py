"""Whose mail it is, where several bodies share one mail domain and one log.

Most communes of a city write as `…@city.gov.vn` through one server, and their documents have the
same numbers and signs (`12/QĐ-UBND`). There the domain says nothing: only the mailbox does, by the
addresses that a unit declares. An address itself is not kept, only whether it is one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from checks.pseudonyms import Pseudonyms, normal

_LONGEST = 320
"""Bytes of an address; a longer one is nobody's."""


class Senders:
    """The mailboxes that a unit declares as its own: addresses in which `*` is any text."""

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self.patterns = tuple(sorted({normal(p.encode()).decode() for p in patterns}))
        parts = (b"[^@]*".join(map(re.escape, p.encode().split(b"*"))) for p in self.patterns)
        self._all = re.compile(b"|".join(parts)) if self.patterns else None

    def own(self, address: bytes) -> bool:
        """Whether an address, written in any way, is one of them."""
        if self._all is None or len(address) > _LONGEST:
            return False
        return self._all.fullmatch(normal(address)) is not None


ANYBODY = Senders(["*@*"])
"""Every mailbox."""


class Addresses(msgspec.Struct, frozen=True, kw_only=True):
    """What becomes of addresses when a log is read; they themselves are dropped."""

    pseudonyms: Pseudonyms | None = None
    """Makes keyed hashes of recipients' addresses; without it none is made."""
    senders: Senders = Senders()
    """Knows the unit's own mailboxes."""


NO_ADDRESSES = Addresses()
"""No hashes, and nobody's mailbox is known."""
