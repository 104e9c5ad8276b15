"""Planting: from a plot to a folder that is a whole project, with everything its scan will read."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random

import msgspec

from scanner.demo.authority import Authority
from scanner.demo.backups import write_hosts
from scanner.demo.casting import cast
from scanner.demo.decisions import write_decisions
from scanner.demo.documents import write_documents
from scanner.demo.fleet import Fleet, FleetHost
from scanner.demo.keys import NewKey
from scanner.demo.layout import host_home
from scanner.demo.places import Endpoint, Reserved
from scanner.demo.plot import Plot
from scanner.demo.project import USER, Keys, host_key_file, make_keys, write_project
from scanner.demo.records import write_records
from scanner.demo.seals import seal_records

PROCESSES = 2


class Planted(msgspec.Struct, frozen=True):
    """A planted folder: what stands in it and which keys open it."""

    out: Path
    plot: Plot
    keys: Keys


def plan(units: int, now: dt.datetime, zone: dt.tzinfo, random: Random) -> Plot:
    """The plot of a demo; `now` is aware, the plot's is in `zone`."""
    return cast(units, now.astimezone(zone).replace(microsecond=0), random)


def plant(
    out: Path, plot: Plot, endpoints: tuple[Endpoint, ...], random: Random, new_key: NewKey
) -> Planted:
    """Write the folder, which must be empty or absent; deterministic but for `new_key`.

    Raises OSError when it cannot be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    keys = make_keys(plot, new_key)
    write_project(out, plot, keys, endpoints, new_key)
    write_records(out, plot.units, plot.now.date(), random)
    seal_records(out, plot.units, new_key)
    authority = Authority(plot.now, new_key)
    write_decisions(out, plot.units, plot.now, authority)
    write_hosts(out, plot, random)
    write_documents(out, plot, authority, random)
    return Planted(out, plot, keys)


def fleet(planted: Planted, reserved: Reserved) -> Fleet:
    """The servers of a planted folder, not yet started."""
    hosts = tuple(
        FleetHost(
            id=host.id,
            host_key=host_key_file(planted.out, host),
            kind=host.kind,
            home=host_home(planted.out, host.id),
        )
        for host in planted.plot.hosts
    )
    return Fleet(
        hosts,
        reserved,
        user=USER,
        public_key=planted.keys.login.blob,
        folder=planted.out / "keys",
        processes=PROCESSES,
    )
