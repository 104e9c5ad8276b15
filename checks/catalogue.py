"""Which checks there are: an explicit list of topic modules, plus entry points from outside."""

from __future__ import annotations

import datetime as dt
import fnmatch
from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any, get_args

import msgspec

from checks import texts
from checks.model import Check, Options
from inventory.durations import parse_duration

GROUP = "sauro.checks"
"""Entry points of this group load to a tuple of `Check` each."""


class Catalogue(msgspec.Struct, frozen=True):
    """Checks in the order in which they are listed; ids are unique (see `catalogue_of`)."""

    checks: tuple[Check, ...] = ()

    def ids(self) -> tuple[str, ...]:
        """Every id, in order."""
        return tuple(c.id for c in self.checks)

    def get(self, check_id: str) -> Check | None:
        """The check with this id, or None."""
        return next((c for c in self.checks if c.id == check_id), None)

    def __getitem__(self, check_id: str) -> Check:
        """The check with this id; KeyError when there is none."""
        found = self.get(check_id)
        if found is None:
            raise KeyError(check_id)
        return found

    def matching(self, patterns: Iterable[str]) -> tuple[Check, ...]:
        """The checks that match one of the shell-style patterns; all of them when there is none.

        A pattern that matches nothing is a typing mistake and raises ValueError.
        """
        wanted = tuple(patterns)
        for pattern in wanted:
            if not any(fnmatch.fnmatchcase(i, pattern) for i in self.ids()):
                raise ValueError(f"no check matches {pattern!r}; `sauro checks list` shows them")
        return tuple(
            c
            for c in self.checks
            if not wanted or any(fnmatch.fnmatchcase(c.id, p) for p in wanted)
        )

    def options(self, policy: Mapping[str, Any]) -> dict[str, Options]:
        """The options of every check by id; ValueError names the first mistake of the policy."""
        for check_id in policy:
            if self.get(check_id) is None:
                raise ValueError(
                    f"policy: no check is called {check_id!r}; `sauro checks list` shows them"
                )
        return {c.id: options_for(c, policy) for c in self.checks}


def catalogue_of(checks: Iterable[Check]) -> Catalogue:
    """A catalogue of these checks; ValueError when two share an id."""
    listed = tuple(checks)
    seen: set[str] = set()
    for c in listed:
        if c.id in seen:
            raise ValueError(f"two checks are called {c.id!r}: ids must be unique")
        seen.add(c.id)
    return Catalogue(listed)


def builtin() -> Catalogue:
    """The checks that ship with the product. Topic modules load here and not before."""
    from checks.backup import (  # noqa: PLC0415
        content,
        copies,
        declared,
        keeping,
        recency,
        restore,
        safety,
    )
    from checks.documents import (  # noqa: PLC0415
        completeness,
        entries,
        registers,
        routing,
        secrecy,
        uploads,
    )
    from checks.documents import signed as documents_signed  # noqa: PLC0415
    from checks.probes import checks as host  # noqa: PLC0415
    from checks.security import (  # noqa: PLC0415
        attested,
        decision,
        dossier,
        level,
        plan,
        plausible,
        signed,
        standing,
        totals,
    )

    backup = (declared, recency, keeping, content, copies, safety, restore)
    security = (level, plausible, standing, dossier, plan, signed, decision, attested, totals)
    registered = (registers, entries)
    documents = (completeness, routing, *registered, secrecy, documents_signed, uploads)
    topics = (host, *security, *backup, *documents)
    return catalogue_of(c for topic in topics for c in topic.CHECKS)


def full(outside: Iterable[metadata.EntryPoint] | None = None) -> Catalogue:
    """The built-in checks and those of installed entry points.

    `outside` stands in for the installed ones. ValueError names an entry that does not load, holds
    anything but checks, or takes an id that is already taken.
    """
    found = metadata.entry_points(group=GROUP) if outside is None else outside
    known = builtin()
    for entry in sorted(found, key=lambda e: (e.name, e.value)):
        try:
            known = catalogue_of((*known.checks, *_loaded(entry)))
        except ValueError as e:
            raise ValueError(f"checks from outside, entry point {entry.name!r}: {e}") from e
    return known


def _loaded(entry: metadata.EntryPoint) -> tuple[Check, ...]:
    try:
        value = entry.load()
    except Exception as e:  # code of others may raise anything at import
        raise ValueError(f"{entry.value} does not load: {type(e).__name__}: {e}") from e
    if not isinstance(value, tuple) or not all(isinstance(c, Check) for c in value):
        raise ValueError(f"{entry.value} is not a tuple of checks")
    for c in value:
        if not worded(c.id):
            raise ValueError(f"{c.id} has no words: name its texts in the group {texts.GROUP!r}")
    return value


def worded(check_id: str) -> bool:
    """Whether every part that a report prints stands in the texts, in every language."""
    parts = ("title", "rationale", "remedy", "product")
    try:
        return all(texts.say(check_id, part, lang) for part in parts for lang in texts.LANGUAGES)
    except (KeyError, TypeError, OSError, ImportError):
        return False


def options_for(check: Check, policy: Mapping[str, Any]) -> Options:
    """The thresholds of one check: the house's, overridden by `policy[check id]` of the settings.

    `policy` is the whole block `{check id: {name: value}}`; entries of other checks are left alone
    (`Catalogue.options` looks at all of them). Lengths of time are written `90s 15m 3h 1d 2w`.
    ValueError names the check, the option and the mistake.
    """
    raw = policy.get(check.id)
    if raw is None:
        return check.options()
    if not isinstance(raw, Mapping):
        raise ValueError(f"policy: {check.id}: must be a mapping of options")  # noqa: TRY004
    fields = {f.encode_name: f for f in msgspec.structs.fields(check.options)}
    values = {}
    for name, value in raw.items():
        if name not in fields:
            known = ", ".join(fields) or "none"
            raise ValueError(f"policy: {check.id}: no option is called {name!r} (known: {known})")
        try:
            values[name] = _length(value) if _is_length(fields[name].type) else value
        except ValueError as e:
            raise ValueError(f"policy: {check.id}.{name}: {e}") from e
    try:
        return msgspec.convert(values, check.options, strict=True)
    except msgspec.ValidationError as e:
        what, _, place = str(e).partition(" - at `$.")
        where = f"{check.id}.{place.rstrip('`')}" if place else check.id
        raise ValueError(f"policy: {where}: {what}") from e


def _is_length(kind: Any) -> bool:  # noqa: ANN401 - an annotation may be any object
    return kind is dt.timedelta or dt.timedelta in get_args(kind)


def _length(value: object) -> object:
    return parse_duration(value) if isinstance(value, str) else value
