"""The one sentence leaders read first: met, overdue, not seen; at most three clauses."""

from __future__ import annotations

import msgspec

from checks.results import Tally
from reports.model import About, Clause, Open, Seen
from reports.words import Words


class Figures(msgspec.Struct, frozen=True):
    """What the sentence speaks of; `gain` is the change in units that meet all, if comparable."""

    units: Tally
    gain: int | None
    areas: int
    seen: Seen
    open: Open

    @property
    def calm(self) -> bool:
        """Everything met, in time and seen well enough."""
        met = self.units.passed == self.units.applicable
        return met and not self.open.overdue and not self.seen.dark_units


def headline(words: Words, about: About, figures: Figures) -> tuple[Clause, ...]:
    """The sentence as clauses: at most three, headed by the age of the figures when they are old.

    An empty scan says so and gives no figure: there is no 100 % of nothing.
    """
    if not figures.seen.rows.applicable or not figures.areas:
        return (*_old(words, about), Clause(strong=words("head_empty")))
    gain = None if figures.calm else figures.gain
    clauses = (
        *_old(words, about),
        _met(words, figures.units, gain, figures.areas),
        _late(words, figures.open),
        _dark(words, figures.seen),
    )
    return clauses[:3]


def _old(words: Words, about: About) -> tuple[Clause, ...]:
    if about.stale_hours is None:
        return ()
    return (Clause(strong=words("head_stale", n=about.stale_hours)),)


def _met(words: Words, units: Tally, gain: int | None, areas: int) -> Clause:
    met = words("head_met", met=units.passed, total=units.total)
    rest = words(f"head_met_{areas}")
    if gain:
        rest += words("head_up" if gain > 0 else "head_down", n=abs(gain))
    return Clause(strong=met, rest=rest)


def _late(words: Words, open_: Open) -> Clause:
    if not open_.overdue:
        return Clause(strong=words("head_no_overdue"))
    at = words("head_overdue_at", n=open_.overdue_units)
    return Clause(strong=words("head_overdue", n=open_.overdue), rest=at)


def _dark(words: Words, seen: Seen) -> Clause:
    if not seen.dark_units:
        share = words.share(seen.rows.coverage)
        return Clause(strong=words("head_coverage", share=share))
    return Clause(strong=words("head_dark", n=seen.dark_units), rest=words("head_dark_rest"))
