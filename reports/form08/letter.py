"""How the letter begins and ends, from what the inventory says of its sender; nothing is guessed.

Only what Decree 30 fixes for a body of this kind is filled in; the rest stays empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from checks.texts import clean
from inventory.model import Inventory, Unit, UnitKind
from reports.form08.model import Agency, Ask, Letterhead
from reports.form08.rules import form, law

COMMITTEES = (UnitKind.CITY, UnitKind.WARD, UnitKind.COMMUNE, UnitKind.SPECIAL_ZONE)
"""Kinds whose letters a People's Committee signs."""
_PREFIXES = ("ủy ban nhân dân ", "uỷ ban nhân dân ", "ubnd ")


def letterhead(
    inventory: Inventory, sender: Unit, ask: Ask, owners: Sequence[Agency]
) -> Letterhead:
    """The head and foot of the letter of one sender."""
    said = sender.letter
    power, title = _signature(sender)
    to = said.to or ((law().addressee,) if ask.owner else tuple(o.name for o in owners))
    return Letterhead(
        issuer=issuer(sender),
        above=clean(said.above) or _above(inventory, sender),
        name=clean(said.name) or _heading(sender),
        sign=clean(said.sign) or _first_sign(sender),
        place=clean(said.place),
        to=tuple(clean(t) for t in to if t),
        copies=tuple(clean(c) for c in said.copies),
        power=power,
        title=title,
        signer=clean(said.signer or sender.accountable.name),
    )


def issuer(unit: Unit) -> str:
    """The name of a body within a sentence: `Ủy ban nhân dân phường Láng`."""
    if unit.kind not in COMMITTEES:
        return clean(unit.name)
    place = _place_name(unit)
    return f"{form('committee').capitalize()} {place[:1].lower()}{place[1:]}"


def _place_name(unit: Unit) -> str:
    name = clean(unit.name).strip()
    if unit.kind in COMMITTEES:
        for prefix in _PREFIXES:
            if name.lower().startswith(prefix):
                return name[len(prefix) :]
    return name


def _above(inventory: Inventory, unit: Unit) -> str:
    """A committee's letterhead names nobody above it; other bodies' name their parent."""
    parent = inventory.units.get(unit.parent)
    return "" if unit.kind in COMMITTEES or parent is None else _heading(parent)


def _heading(unit: Unit) -> str:
    """A body's name in capitals; a committee's on two lines."""
    place = _place_name(unit).upper()
    return f"{form('committee')}\n{place}" if unit.kind in COMMITTEES else place


def _first_sign(unit: Unit) -> str:
    signs = unit.documents.signs if unit.documents else ()
    return clean(signs[0]) if signs else ""


def _signature(unit: Unit) -> tuple[str, str]:
    """Power and title: as declared, else those of the chair of a committee who answers for it."""
    said = unit.letter
    if said.title or said.power:
        return clean(said.power), clean(said.title)
    chair = form("chair")
    if unit.kind in COMMITTEES and unit.accountable.post.upper().startswith(chair):
        return form("behalf"), chair
    return "", ""
