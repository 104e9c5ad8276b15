"""Judging one backup check on made evidence, with every message said in both languages."""

from __future__ import annotations

import datetime as dt
from typing import Any

from checks.backup.places import Copies
from checks.backup.series import BackupSeries
from checks.model import Check, Context, Options, Scope, Severity, Status, Subject, Verdict
from checks.texts import LANGUAGES, render
from inventory.model import BackupSet, Bucket, Inventory, Server, System, Unit, UnitKind
from tests.helpers.backup_series import NOW, UTC

UNIT = Unit(id="u", name="U", kind=UnitKind.WARD)
TODAY = NOW.date()
OLD = dt.date(2025, 1, 1)
"""Long before `NOW`: a set that began then has had time for everything."""


def a_set(**more: Any) -> BackupSet:
    """A daily folder of dumps of server `h`, kept 30 days, read on server `store`."""
    given: dict[str, Any] = {
        "id": "db",
        "system": "s",
        "kind": "directory",
        "server": "store",
        "path": "/b/*.dump",
        "protects": "h",
        "every": "1d",
        "keep": dt.timedelta(days=30),
    }
    return BackupSet(**given | more)


def a_system(*sets: BackupSet, level: int | None = 2, **more: Any) -> System:
    """A system on server `h`."""
    given: dict[str, Any] = {"id": "s", "unit": "u", "name": "S", "owner": "u", "servers": ("h",)}
    return System(**given | {"level": level, "backups": sets} | more)


def about(system: System, backup: BackupSet | None = None) -> Subject:
    """The subject of a system's check, or of one of its sets'; three sites are known."""
    servers = {
        i: Server(id=i, unit="u", address="127.0.0.1", site=site)
        for i, site in (("h", "here"), ("store", "here"), ("far", "there"), ("bare", ""))
    }
    bucket = Bucket(id="bucket", unit="u", bucket="b", site="cloud")
    return Subject(
        scope=Scope.BACKUP if backup else Scope.SYSTEM,
        inventory=Inventory(
            units={"u": UNIT},
            servers=servers,
            buckets={"bucket": bucket},
            systems={"s": system},
        ),
        unit=UNIT,
        target=(backup.server or backup.bucket) if backup else system.id,
        name=backup.id if backup else "",
        system=system,
        backup=backup,
    )


def context(check: Check, subject: Subject, options: Options | None = None) -> Context:
    """The context in which a check judges at `NOW`."""
    return Context(
        now=NOW, zone=UTC, legal_basis=2026, subject=subject, options=options or check.options()
    )


def judge(
    check: Check,
    found: BackupSeries | Copies | None,
    subject: Subject,
    options: Options | None = None,
) -> Verdict:
    """The one verdict of a check, after saying it aloud."""
    facts = () if found is None else (found,)
    (verdict,) = check.judge(context(check, subject, options), *facts)
    assert isinstance(verdict, Verdict)
    for language in LANGUAGES:
        assert render(verdict.message, language, UTC)
    if verdict.status is Status.UNKNOWN:
        assert verdict.failure is not None
        assert verdict.failure.detail
    return verdict


def of_set(
    check: Check,
    series: BackupSeries,
    level: int | None = 2,
    options: Options | None = None,
    **more: Any,
) -> Verdict:
    """A check of scope backup on a series of `a_set(**more)`."""
    backup = a_set(**more)
    return judge(check, series, about(a_system(backup, level=level), backup), options)


def said(verdict: Verdict) -> tuple[str, str, Severity | None]:
    """Message, status and severity in short."""
    return verdict.message.id.rpartition(".")[2], verdict.status.value, verdict.severity
