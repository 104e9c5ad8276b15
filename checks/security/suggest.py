"""The level that the criteria of a system speak for: a suggestion with its ground, no approval.

Every ground of the rule set is met, not met, or cannot be told; what a record does not say is not
taken for `false`. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from checks.security.level_record import Criteria, LevelRecord
from checks.security.rules import Ground, Rules


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """What the criteria give.

    `level` and `ground` are the highest that is met, None when none is; `possible` is the highest
    level that what is missing could still bring, 0 for none; `open` are the grounds above `level`
    that cannot be told.
    """

    level: int | None
    ground: Ground | None
    possible: int
    open: tuple[Ground, ...]

    def missing(self, record: LevelRecord, rules: Rules, above: int) -> tuple[str, ...]:
        """The criteria that are not stated and could bring a level over `above`."""
        found = [
            name
            for ground in self.open
            if ground.level > above
            for name, met in _conditions(ground, record, rules)
            if met is None
        ]
        return tuple(dict.fromkeys(found))


def suggest(record: LevelRecord, rules: Rules, basis: int) -> Suggestion:
    """The suggestion for a record by the rule set of `basis`."""
    told = [(g, _met(g, record, rules)) for g in rules.bases[basis].grounds]
    met = [g for g, is_ in told if is_]
    # Of grounds that give the same level the one that is certain is the better reason.
    best = max(met, key=lambda g: (g.level, g.certain), default=None)
    level = best.level if best else None
    unsure = tuple(g for g, is_ in told if is_ is None and g.level > (level or 0))
    possible = max((g.level for g in (*met, *unsure)), default=0)
    return Suggestion(level=level, ground=best, possible=possible, open=unsure)


def _met(ground: Ground, record: LevelRecord, rules: Rules) -> bool | None:
    found = [met for _, met in _conditions(ground, record, rules)]
    if False in found:
        return False
    return None if None in found else True


def _conditions(
    ground: Ground, record: LevelRecord, rules: Rules
) -> Iterator[tuple[str, bool | None]]:
    """Each criterion of a ground with whether it is met; None when the record does not say."""
    said = record.criteria or Criteria()
    if ground.types:
        yield "type", record.type in ground.types if record.type else None
    for name in ground.all:
        yield name, getattr(said, name)
    if ground.any:
        yield from _one_of(ground.any, said)
    if ground.subjects is not None:
        yield "subjects", None if said.subjects is None else said.subjects >= ground.subjects
    for name, least in (
        ("serves", ground.serves),
        ("harm", ground.harm),
        ("works_grade", ground.works_grade),
    ):
        if least:
            rank, word = rules.ranks[name], getattr(said, name)
            yield name, rank.index(word) >= rank.index(least) if word else None


def _one_of(names: tuple[str, ...], said: Criteria) -> Iterator[tuple[str, bool | None]]:
    values = {name: getattr(said, name) for name in names}
    if True in values.values():
        return
    unsaid = [name for name, value in values.items() if value is None]
    for name in unsaid or names[:1]:
        yield name, None if unsaid else False
