"""What every reader of a documents source is given, and what it brings back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from zoneinfo import ZoneInfo

import msgspec

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, SourceReport
from checks.documents.numbers import Finder
from checks.documents.senders import NO_ADDRESSES, Addresses
from checks.documents.sources.uploads import Join
from checks.files import FileEntry


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What a reader may know: nothing else reaches it."""

    name: str
    """How the source is called in rows and problems."""
    zone: ZoneInfo
    """Of times without an offset."""
    directory: Directory
    finder: Finder
    """Knows the signs of the register and the directory."""
    columns: Mapping[str, str] = {}
    """`{ours: theirs}`."""
    join: Join = msgspec.field(default_factory=Join)
    """Where the mail logs of one unit tell each other of the same mail."""
    addresses: Addresses = NO_ADDRESSES
    """What is made of the addresses of mails."""


Read = tuple[Sequence[DocumentEvent], SourceReport]
"""The events of a source (`packed.Packed` where there may be millions), and the report on it."""

Reader = Callable[[Sequence[FileEntry], Reading], Read]
"""Reads the files of one source; raises `Unparsable` with file and line."""
