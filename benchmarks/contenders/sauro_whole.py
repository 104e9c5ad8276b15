"""The scan of `sauro_scan.py`, with everything loaded that it needs."""

from __future__ import annotations

import resource
import sys
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy.dialects.sqlite  # noqa: F401 - else loaded when the store is opened
from common import VISITS, measure

import scanner.transports.ssh  # noqa: F401 - else loaded at the first visit
from checks import catalogue
from inventory.model import Selection
from scanner import app
from scanner.project import open_project
from scanner.store.database import Store

catalogue.full()


def scan(given: dict[str, Any], more: dict[str, float]) -> int:
    project = open_project(Path(given["project"]))
    more["load"] = _spent() - more["began"]
    ssh = msgspec.structs.replace(
        project.settings.ssh,
        workers=given["workers"],
        processes=given.get("processes", 1),
        host_timeout=given.get("host_timeout", project.settings.ssh.host_timeout),
    )
    settings = msgspec.structs.replace(project.settings, ssh=ssh)
    project = msgspec.structs.replace(project, settings=settings)
    selection = Selection(servers=tuple(given["servers"])) if "servers" in given else Selection()
    with Store.open(given["store"]) as store:
        scanned = app.scan(project, store, selection)
        outcomes = store.targets(scanned.info.id)
    for outcome in outcomes:
        if outcome.outcome != "ok":
            print(outcome, file=sys.stderr)
    VISITS.extend(outcome.seconds for outcome in outcomes)
    more["longest"] = max(outcome.seconds for outcome in outcomes)
    more["late"] = sum(outcome.seconds > ssh.host_timeout for outcome in outcomes)
    return sum(o.outcome == "ok" for o in outcomes)


def _spent() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF)
    return own.ru_utime + own.ru_stime


def main() -> None:
    """Scan and print the figures."""
    figures: dict[str, float] = {"began": _spent()}
    measure(lambda given: scan(given, figures), figures)
