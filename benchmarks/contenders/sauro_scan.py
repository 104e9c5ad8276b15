"""This scanner, the whole way: plan, visit, judge, store. Its project stands beside the task."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import msgspec
from common import measure

from inventory.model import Selection
from scanner import app
from scanner.project import open_project
from scanner.store.database import Store


def scan(given: dict[str, Any]) -> int:
    project = open_project(Path(given["project"]))
    ssh = msgspec.structs.replace(
        project.settings.ssh, workers=given["workers"], processes=given.get("processes", 1)
    )
    settings = msgspec.structs.replace(project.settings, ssh=ssh)
    project = msgspec.structs.replace(project, settings=settings)
    with Store.open(given["store"]) as store:
        found = app.scan(project, store, Selection())
    for outcome in found.targets:
        if outcome.outcome != "ok":
            print(outcome, file=sys.stderr)
    return sum(o.outcome == "ok" for o in found.targets)


if __name__ == "__main__":  # worker processes import this file again
    measure(scan)
