"""The law on security levels as frozen values, loaded from `rules.yaml` beside this module."""

from __future__ import annotations

import datetime as dt
from functools import cache
from importlib import resources

import msgspec
import yaml

LEVELS = (1, 2, 3, 4, 5)


class Data(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """Base of the rule values."""


class Source(Data, frozen=True):
    """A law, decree, circular or standard; `title` by language."""

    title: dict[str, str]
    in_force: dt.date | None = None


class Authority(Data, frozen=True):
    """Somebody who appraises or approves: `label` for sentences, `ids` that a record may use."""

    label: str
    ids: tuple[str, ...] = ()


class LevelRule(Data, frozen=True):
    """Who may appraise and who may approve one level: keys of `Rules.authorities`."""

    appraises: tuple[str, ...]
    approves: tuple[str, ...]
    source: str
    certain: bool = True


class Ground(Data, frozen=True):
    """Why a system has at least a level: met when every condition that it gives is met.

    `all` and `any` name criteria that are true; `serves`, `harm` and `works_grade` the least word
    of their rank.
    """

    id: str
    level: int
    article: str
    types: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    any: tuple[str, ...] = ()
    subjects: int | None = None
    serves: str = ""
    harm: str = ""
    works_grade: str = ""
    certain: bool = True


class NeededPart(Data, frozen=True):
    """A part that the dossier has from a level on."""

    part: str
    from_level: int
    article: str
    certain: bool = True


class Basis(Data, frozen=True):
    """A rule set; it holds for decisions dated on or after `start`."""

    start: dt.date = msgspec.field(name="from")
    sources: tuple[str, ...]
    levels: dict[int, LevelRule]
    regulation_before_approval: bool
    independent_appraisal: bool
    dossier: tuple[NeededPart, ...]
    grounds: tuple[Ground, ...]


class Transition(Data, frozen=True):
    """Until when (inclusive) decisions under an old basis stand without more ado.

    `building_until` is the last day of such a decision for a system that was being built.
    """

    basis: int
    until: dt.date
    building_until: dt.date
    source: str
    certain: bool = True


class Attestable(Data, frozen=True):
    """What a person attests for a unit; the word holds for `months` at most."""

    months: int
    source: str
    house_default: bool = False


class Rules(Data, frozen=True):
    """All of `rules.yaml`. `review_months` is the house's default by level.

    `ranks` order the words of a criterion from the least to the gravest.
    """

    sources: dict[str, Source]
    authorities: dict[str, Authority]
    bases: dict[int, Basis]
    transition: Transition
    review_months: dict[int, int]
    ranks: dict[str, tuple[str, ...]]
    attested: dict[str, Attestable]
    forms: dict[str, dict[str, str]]

    def basis_of(self, legal_basis: int, decided: dt.date | None) -> int:
        """The basis that a decision of this date is judged by, in a scan under `legal_basis`.

        A decision older than the scan's basis is judged by the law of its own day.
        """
        if decided is None or decided >= self.bases[legal_basis].start:
            return legal_basis
        older = [year for year, b in self.bases.items() if b.start <= decided]
        return max(older, default=min(self.bases))


@cache
def rules() -> Rules:
    """The rules that ship with the product."""
    text = resources.files("checks.security").joinpath("rules.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), Rules)
