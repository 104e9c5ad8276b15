"""Are there enough copies of a system, apart from what they protect, and one of them elsewhere?

Judged over all sets of the system, for the data of each protected server by itself: copies of one
say nothing of another. Sets of one server hold the same data when one is declared to be a copy of
the other (`copy_of`), or when their listings show it. Only copies that keep their promise count.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from checks.backup.duties import applies_not, cannot_tell, lacking, undeclared, unseen
from checks.backup.places import COPIES, Copies, Place
from checks.evidence import Failure
from checks.model import Arg, Check, Context, Options, Scope, Severity, Verdict, check, passed

_TCVN_2 = "TCVN 14423:2026 4.11"
_TCVN_3 = "TCVN 14423:2026 5.11"
_TCVN_5 = "TCVN 14423:2026 7.11"


class CopyOptions(Options, frozen=True):
    """How many copies, the running data among them, on how many devices (3-2-1)."""

    copies: int = 3
    devices: int = 2


class OffsiteOptions(Options, frozen=True):
    """`max_age_hours` of the copy at another site; 0 leaves it to the promise of its set."""

    max_age_hours: float = 0


@check(
    "backup.copies",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=(_TCVN_3, "CIS 11.4", "NIST CP-9(3)"),
    options=CopyOptions,
).needs(COPIES)
def copies(context: Context, found: Copies) -> Iterable[Verdict]:
    """Three copies of every server's data on two devices, counting the running data."""
    limits = context.opt(CopyOptions)
    early = _nothing_to_judge(context, "copies", found)
    if early is not None:
        yield early
        return
    counts = {key: _counted(key[0], places) for key, places in _by_data(found).items()}
    poorest = min(counts, key=lambda key: (*counts[key], key))
    number, devices = counts[poorest]
    detail = _detail(found) | {"counts": {"/".join(k): list(c) for k, c in counts.items()}}
    server, data = poorest
    said: dict[str, Arg] = {
        "server": server,
        "set": data,
        "copies": number,
        "devices": devices,
    }
    if number >= limits.copies and devices >= limits.devices:
        yield passed("backup.copies.enough", detail, **said)
        return
    # Each set that could not be seen might be one copy more, on one device more.
    dark = len(_maybe(found, data))
    if dark and number + dark >= limits.copies and devices + dark >= limits.devices:
        yield unseen(context, "copies", _maybe(found, data)[0], detail)
    else:
        wanted: dict[str, Arg] = {"needed": limits.copies, "needed_devices": limits.devices}
        yield lacking(context, "copies", "few", detail, **said, **wanted)


@check(
    "backup.separate",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=(_TCVN_2, "CIS 11.3", "NIST CP-9(3)"),
).needs(COPIES)
def separate(context: Context, found: Copies) -> Iterable[Verdict]:
    """A fresh copy of every server's data lies somewhere else than on that server."""
    early = _nothing_to_judge(context, "separate", found)
    if early is not None:
        yield early
        return
    detail = _detail(found)
    doubtful: Failure | None = None
    for (server, data), places in _by_data(found).items():
        if any(p.fresh and p.own_host is False for p in places):
            continue
        why = _doubt(found, data, places)
        if why is None:
            away = any(p.own_host is False for p in places)
            name = "stale" if away else "same_host"
            yield lacking(context, "separate", name, detail, server=server, set=data)
            return
        doubtful = doubtful or why
    if doubtful is not None:
        yield unseen(context, "separate", doubtful, detail)
    else:
        yield passed("backup.separate.apart", detail)


@check(
    "backup.offsite",
    Scope.SYSTEM,
    Severity.MAJOR,
    controls=(_TCVN_5, "CIS 11.4", "NIST CP-9(3)", "AWS Backup 6"),
    options=OffsiteOptions,
).needs(COPIES)
def offsite(context: Context, found: Copies) -> Iterable[Verdict]:
    """A copy of every server's data lies at another site, fresh by itself."""
    early = _nothing_to_judge(context, "offsite", found)
    if early is not None:
        yield early
        return
    detail = _detail(found)
    limit = context.opt(OffsiteOptions).max_age_hours * 3600
    doubtful: Failure | None = None
    for (server, data), places in _by_data(found).items():
        elsewhere = [p for p in places if p.site and p.site_from and p.site != p.site_from]
        if any(p.fresh and not (limit and (p.age or 0) > limit) for p in elsewhere):
            continue
        why = _siteless(server, places, elsewhere) or next(iter(_maybe(found, data)), None)
        if why is None:
            name = "stale" if elsewhere else "one_site"
            yield lacking(context, "offsite", name, detail, server=server, set=data)
            return
        doubtful = doubtful or why
    if doubtful is not None:
        yield unseen(context, "offsite", doubtful, detail)
    else:
        yield passed("backup.offsite.away", detail)


CHECKS: tuple[Check, ...] = (copies, separate, offsite)


def _nothing_to_judge(context: Context, name: str, found: Copies) -> Verdict | None:
    """The verdict of a system without sets, or whose sets do not say whose data they hold."""
    system = context.subject.the_system
    exempt = system.backup_exempt
    today = context.now.astimezone(context.zone).date()
    if not system.backups:
        if exempt is not None and not exempt.servers and today <= exempt.until:
            said = {"until": exempt.until.isoformat(), "document": exempt.document}
            return applies_not(f"backup.{name}.exempt", {}, **said)
        return lacking(context, name, "none", {})
    vague = [b.id for b in system.backups if not b.protects]
    if vague and len(vague) == len(system.backups):
        what = f"system {system.id}: protects, of the sets {', '.join(vague)}"
        return unseen(context, name, undeclared(what), {"without_server": vague})
    if not found.places:
        return cannot_tell(
            f"backup.{name}.unseen", _why_dark(found), {}, kind=_why_dark(found).kind.value
        )
    return None


def _by_data(found: Copies) -> dict[tuple[str, str], list[Place]]:
    """The places of each server's data, keyed by the server and the set that stands for it."""
    data: dict[tuple[str, str], list[Place]] = {}
    for place in found.places:
        if place.protects:
            data.setdefault((place.protects, place.data or place.set), []).append(place)
    return data


def _maybe(found: Copies, data: str) -> list[Failure]:
    """Why each set that may hold copies of this data could not be seen; others are declared."""
    return [why for name, why in found.dark.items() if found.bound.get(name, data) == data]


def _counted(server: str, places: Iterable[Place]) -> tuple[int, int]:
    """Copies of a server's data, the running data among them, and the devices that hold them."""
    devices = {p.device for p in places if p.fresh}
    return 1 + len(devices), len(devices | {server})


def _doubt(found: Copies, data: str, places: Iterable[Place]) -> Failure | None:
    """Why another place cannot be ruled out: one that was not seen, or that cannot be located."""
    for place in places:
        if place.fresh and place.own_host is None:
            return place.unseen
    return next(iter(_maybe(found, data)), None)


def _siteless(server: str, places: Iterable[Place], elsewhere: Iterable[Place]) -> Failure | None:
    if any(True for _ in elsewhere):
        return None
    for place in places:
        if not place.site_from:
            return undeclared(f"server {server}: site")
        if not place.site:
            return undeclared(f"backup set {place.set}: site of its copies")
    return None


def _why_dark(found: Copies) -> Failure:
    return next(iter(found.dark.values()), None) or undeclared("protects")


def _detail(found: Copies) -> dict[str, Any]:
    return {
        "places": [
            {
                "set": p.set,
                "data": p.data or p.set,
                "protects": p.protects,
                "device": p.device,
                "own_host": p.own_host,
                "site": p.site,
                "fresh": p.fresh,
                "newest": p.newest.isoformat() if p.newest else None,
                "age": p.age,
            }
            for p in found.places
        ],
        "unseen": {name: failure.detail for name, failure in found.dark.items()},
    }
