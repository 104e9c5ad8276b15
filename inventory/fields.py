"""Types of single keys of the YAML files, and the base of their blocks; shared by every schema."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta

from inventory import rules

ID_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
_ID_WORDS = "an id: letters, digits, dot, underscore and hyphen, beginning with a letter or digit"
_NO_LINES = r"^[^\x00-\x1f\x7f]*$"

Id = Annotated[str, Meta(pattern=ID_PATTERN, max_length=128, extra={"what": _ID_WORDS})]
Line = Annotated[str, Meta(pattern=_NO_LINES, max_length=1000, extra={"what": "one line of text"})]
ProjectPath = Annotated[
    str,
    Meta(pattern=_NO_LINES, min_length=1, max_length=1000, extra={"check": rules.project_path}),
]
Secret = Annotated[
    str,
    Meta(
        pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|command:.+)$",
        extra={
            "secret": True,
            "what": "a reference to the secret (env:NAME, file:PATH or command:…), "
            "never the secret itself: move it there",
        },
    ),
]
Account = Annotated[
    str,
    Meta(
        pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*\$?$",
        max_length=64,
        extra={"what": "the name of an account on the server"},
    ),
]
Login = Annotated[str, Meta(pattern=r"^[^\s:/@-][^\s:/@]*$", extra={"what": "a login name"})]
Port = Annotated[int, Meta(ge=1, le=65535)]
Level = Annotated[int, Meta(ge=1, le=5)]
Percent = Annotated[int, Meta(ge=0, le=100)]
Count = Annotated[int, Meta(ge=0)]


class Raw(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of every block of the file: keys that are not listed are refused."""


def says(words: str, **limits: Any) -> Meta:  # noqa: ANN401 - Meta's own arguments
    """What a key means, with its limits."""
    return Meta(description=words, **limits)
