"""A server of this machine with one backup set, asked and judged by the real engine."""

from __future__ import annotations

import datetime as dt
import random
import time
from pathlib import Path
from typing import Any

import msgspec

from checks.backup.series import BackupSeries
from checks.backup.sources.registry import SERIES
from checks.catalogue import builtin
from checks.evidence import Answers, Evidence, Request, Unparsable
from checks.model import Context, Scope, Subject
from checks.probes.host import CLOCK
from checks.results import Result
from inventory.model import BackupSet, Inventory, Selection, Server, System, Unit, UnitKind
from scanner.collect import Collector
from scanner.judge import Judge
from scanner.plan import plan
from scanner.transports.base import SizeLimits, SshLimits
from tests.helpers.backup_series import UTC

FIXTURES = Path(__file__).parents[1] / "fixtures" / "evidence"
TAKEN = dt.datetime(2026, 11, 22, 9, 0, tzinfo=dt.UTC)


def backup(kind: str, **more: Any) -> BackupSet:
    """A set read on the server whose data it holds, promised daily."""
    given = {"id": "db", "system": "s", "kind": kind, "server": "h", "protects": "h", "every": "1d"}
    return BackupSet(**(given | more))


def inventory(promised: BackupSet, level: int = 2, **more: Any) -> Inventory:
    """The server `h` is this machine; `other` is elsewhere."""
    servers = {
        "h": Server(id="h", unit="u", address="10.0.7.1", transport="local"),
        "other": Server(id="other", unit="u", address="10.0.7.2"),
    }
    system = System(
        id="s", unit="u", name="S", owner="u", level=level, servers=("h",), backups=(promised,)
    )
    unit = Unit(id="u", name="U", kind=UnitKind.WARD)
    return Inventory(units={"u": unit}, servers=servers, systems={"s": system}, **more)


def subject(promised: BackupSet, **more: Any) -> Subject:
    """The set as checks are asked of it; `more` goes to the inventory."""
    known = inventory(promised, **more)
    return Subject(
        scope=Scope.BACKUP,
        inventory=known,
        unit=known.units["u"],
        target=promised.server,
        name=promised.id,
        system=known.systems["s"],
        backup=promised,
    )


def recorded(probe: str, case: str, taken: dt.datetime = TAKEN) -> Evidence:
    """What a real tool answered, as the script hands it on: its exit code behind its errors."""
    folder = FIXTURES / probe / case
    code = (folder / "exit").read_text().strip() if (folder / "exit").exists() else "0"
    stderr = (folder / "stderr").read_bytes() if (folder / "stderr").exists() else b""
    return Evidence(
        probe=probe,
        target="h",
        key="",
        taken=taken,
        stdout=(folder / "stdout").read_bytes(),
        stderr=stderr + f"sauro-exit {code}\n".encode(),
        exit=0,
    )


def said(probe: str, stdout: bytes = b"", code: int = 0, stderr: bytes = b"") -> Evidence:
    """An invented answer in the same form."""
    return Evidence(
        probe=probe,
        target="h",
        key="",
        taken=TAKEN,
        stdout=stdout,
        stderr=stderr + f"sauro-exit {code}\n".encode(),
        exit=0,
    )


def parsed(promised: BackupSet, *evidence: Evidence, **more: Any) -> BackupSeries:
    """The series that a set's answers say."""
    context = Context(now=TAKEN, zone=UTC, legal_basis=2026, subject=subject(promised, **more))
    return SERIES.parse(context, Answers(evidence))


def asked(promised: BackupSet, probe: str) -> Request:
    """The one request of a probe."""
    (only,) = [r for r in SERIES.requests(subject(promised)) if r.probe == probe]
    return only


def scanned(
    promised: BackupSet, folder: Path, later: dt.timedelta = dt.timedelta(), **more: Any
) -> tuple[dict[str, Result], BackupSeries | None]:
    """The rows of the set's own checks by id, and the series they were judged from.

    `later` is how long after the visit it is judged, as if nothing had happened since; `more` goes
    to the inventory.
    """
    known = inventory(promised, **more)
    checks = [c for c in builtin().checks if c.scope is Scope.BACKUP]
    whole = plan(known, Selection(), checks)
    collector = Collector(
        known,
        ssh=SshLimits(),
        limits=SizeLimits(),
        project=folder,
        clock=lambda: dt.datetime.fromtimestamp(time.time(), dt.UTC),
        jitter=random.Random(7),  # noqa: S311 - nothing is retried here
    )
    found = [
        e for target, wanted in whole.visits.items() for e in collector.collect(target, wanted)
    ]
    collector.close()
    # The host's clock was right at the visit; it says nothing of the time that is imagined.
    found = [
        e if e.probe == CLOCK.id else msgspec.structs.replace(e, taken=e.taken + later)
        for e in found
    ]
    seen = {(e.target, e.key): e for e in found}
    judge = Judge(
        started=TAKEN,
        zone=UTC,
        legal_basis=2026,
        coverage_floor=80,
        options=lambda check: check.options(),
        past=lambda _kind, _subject: (),
    )
    rows = {case.check.id: judge.judge(case, seen).results[0] for case in whole.cases}
    return rows, _series(subject(promised, **more), found)


def _series(asked_of: Subject, found: list[Evidence]) -> BackupSeries | None:
    now = max(e.taken for e in found)
    context = Context(now=now, zone=UTC, legal_basis=2026, subject=asked_of)
    keys = {r.key for r in SERIES.requests(context.subject)}
    try:
        return SERIES.parse(context, Answers(e for e in found if e.key in keys))
    except Unparsable:
        return None
