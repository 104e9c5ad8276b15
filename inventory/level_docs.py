"""Blocks of the YAML files about security levels: a person's word, and figures that were reported.

`build_*` turn them to the values of the model; what is wrong goes to `tell`.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Annotated

from inventory.fields import Count, Id, Line, Raw, says
from inventory.model import Attestation, LevelTotals

Tell = Callable[[tuple[str | int, ...], str], None]


class AttestationDoc(Raw, frozen=True):
    """A person's word for what no machine can see; it lapses by itself."""

    control: Annotated[
        Id,
        says(
            "What is attested: `policy`, `training`, …, or `plan.ID` for a measure of the "
            "system's security plan."
        ),
    ]
    explanation: Annotated[str, says("How the person knows.", min_length=1, max_length=4000)]
    attested_by: Annotated[Line, says("Who says so: name and post.", min_length=1)]
    date: Annotated[dt.date, says("Day on which it was said.")]
    valid_for: Annotated[
        dt.timedelta | None, says("How long it holds from that day (`365d`); or `until`.")
    ] = None
    until: Annotated[dt.date | None, says("Last day on which it holds; or `valid_for`.")] = None
    document: Annotated[Line, says("Number of the paper that shows it, if there is one.")] = ""


class LevelTotalsDoc(Raw, frozen=True):
    """Figures on security levels that the unit reported upwards, to be held against the records."""

    document: Annotated[Line, says("Number of the report.")] = ""
    date: Annotated[dt.date | None, says("Day up to which it counts.")] = None
    systems: Annotated[Count | None, says("Systems in all.")] = None
    level_1: Annotated[Count | None, says("Systems of level 1.")] = None
    level_2: Annotated[Count | None, says("Systems of level 2.")] = None
    level_3: Annotated[Count | None, says("Systems of level 3.")] = None
    level_4: Annotated[Count | None, says("Systems of level 4.")] = None
    level_5: Annotated[Count | None, says("Systems of level 5.")] = None
    unclassified: Annotated[Count | None, says("Systems whose level is not determined yet.")] = None
    dossiers: Annotated[Count | None, says("Systems with a level dossier.")] = None
    appraised: Annotated[Count | None, says("Systems whose dossier was appraised.")] = None
    approved: Annotated[Count | None, says("Systems whose level was approved.")] = None
    inspected: Annotated[
        Count | None, says("Systems with an approved level that were inspected.")
    ] = None


def build_attestations(docs: Sequence[AttestationDoc], tell: Tell) -> tuple[Attestation, ...]:
    """The attestations of a unit or system; one without an end, or that ends early, is told."""
    return tuple(
        Attestation(
            control=doc.control,
            explanation=doc.explanation,
            attested_by=doc.attested_by,
            date=doc.date,
            until=_end(doc, lambda message, at=number: tell((at,), message)),  # type: ignore[misc]
            document=doc.document,
        )
        for number, doc in enumerate(docs)
    )


def _end(doc: AttestationDoc, tell: Callable[[str], None]) -> dt.date:
    if (doc.valid_for is None) == (doc.until is None):
        tell("give either valid_for or until: an attestation lapses by itself")
        return doc.date
    if doc.until is not None:
        if doc.until < doc.date:
            tell("until lies before the day of the attestation: correct one of the dates")
        return doc.until
    if doc.valid_for is None or doc.valid_for < dt.timedelta(days=1):
        tell("valid_for must be at least one day, like 365d")
        return doc.date
    try:
        return doc.date + doc.valid_for
    except OverflowError:
        tell("valid_for reaches beyond every calendar: shorten it")
        return doc.date


def build_totals(doc: LevelTotalsDoc | None) -> LevelTotals | None:
    """The reported figures; None when nothing was reported."""
    if doc is None:
        return None
    return LevelTotals(
        document=doc.document,
        date=doc.date,
        systems=doc.systems,
        levels=(doc.level_1, doc.level_2, doc.level_3, doc.level_4, doc.level_5),
        unclassified=doc.unclassified,
        dossiers=doc.dossiers,
        appraised=doc.appraised,
        approved=doc.approved,
        inspected=doc.inspected,
    )
