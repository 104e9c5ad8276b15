"""The backup sets of a system as its results tell of them; every detail of a row may be missing."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from checks.backup.notes import remark
from checks.model import STATUS_ORDER, Status
from checks.results import Result
from checks.texts import clean
from inventory.model import BackupSet, System
from reports import details
from reports.findings import Desk, line
from reports.model_backup import BackupView, CopyView

Rows = Sequence[Result]

YES, NO, UNKNOWN, OUT = "yes", "no", "unknown", ""
_PLACED = ("backup.copies", "backup.separate", "backup.offsite")
_MOST_COPIES = 20
_MOST_REMARKS = 20
_MOST_TESTS = 100
_NAME = 120
_USERINFO = re.compile(r"//[^/@\s]*@")


def state(row: Result | None) -> str:
    """Whether what a check asks for is there: `yes`, `no`, `unknown`, or empty when exempt.

    A duty that nobody asks for at the system's level says in its detail what it saw all the same.
    """
    if row is None or row.status in (Status.UNKNOWN, Status.ERROR):
        return UNKNOWN
    if row.status is not Status.NOT_APPLICABLE:
        return YES if row.status is Status.PASS else NO
    lacks = row.detail.get("lacks")
    if not isinstance(lacks, str) or not lacks:
        return OUT
    return UNKNOWN if lacks == "unseen" else NO


def worst_first(rows: Iterable[Result]) -> list[Result]:
    """Rows in the order of their gravity."""
    return sorted(rows, key=lambda r: (STATUS_ORDER.index(r.status), r.check, r.subject))


def backup_views(desk: Desk, system: System, rows: Rows) -> tuple[BackupView, ...]:
    """Every declared set of a system, from the backup rows of that system."""
    whole = {r.check: r for r in rows if r.target == system.id and not r.subject}
    return tuple(
        _view(desk, b, whole, [r for r in rows if r.subject == b.id]) for b in system.backups
    )


def _view(desk: Desk, backup: BackupSet, whole: Mapping[str, Result], rows: Rows) -> BackupView:
    by_check = {r.check: r for r in rows}

    def detail(name: str) -> Mapping[str, Any]:
        row = by_check.get(f"backup.{name}")
        return row.detail if row is not None else {}

    def said(name: str) -> str:
        return state(by_check.get(f"backup.{name}")) or UNKNOWN

    recent = detail("recent")
    age, promised = details.number(recent, "age"), details.number(recent, "promised")
    test = _last_restore(desk, backup, by_check.get("backup.restore-tested"))
    verified = said("integrity-verified")
    tests = _tests(detail("integrity-verified"))
    copies, unseen = _copies(desk, backup, whole, by_check)
    return BackupView(
        id=clean(backup.id),
        kind=clean(backup.kind),
        promised=promised,
        every=clean(backup.every),
        newest=details.moment(recent.get("newest")),
        age=age,
        strip=details.strip(detail("periodic")),
        sizes=details.sizes(detail("size-plausible")),
        restore=test.day if test else None,
        restore_ok=test is not None and test.ok,
        restore_person=test is not None and test.person,
        restore_sample=test is not None and test.kind == "extract",
        restore_document=test.document if test else "",
        lines=tuple(line(desk, r) for r in worst_first(rows) if r.status is not Status.PASS),
        ratio=_ratio(recent),
        workdays=recent.get("workdays") is True,
        promise_assumed=recent.get("assumed") is True,
        verified=verified,
        verified_at=max((t.time for t in tests if t.ok), default=None),
        encrypted=said("encrypted"),
        immutable=said("immutable"),
        protected=said("protected-from-host"),
        copies=copies[:_MOST_COPIES],
        copies_left=max(0, len(copies) - _MOST_COPIES),
        copies_unseen=unseen,
        remarks=_remarks(desk, recent),
    )


def _remarks(desk: Desk, detail: Mapping[str, Any]) -> tuple[str, ...]:
    """What is remarked on the copies, their places and their list; unknown notes are left out."""
    found = detail.get("notes")
    ids = [n for n in found if isinstance(n, str)] if isinstance(found, list | tuple) else []
    said = (remark(n, desk.words.language) for n in ids[:_MOST_REMARKS])
    return tuple(dict.fromkeys(s for s in said if s))


def _ratio(detail: Mapping[str, Any]) -> float | None:
    """Age as the check measured it, to the next slot; else in times of the usual distance."""
    told = details.number(detail, "ratio")
    age, promised = details.number(detail, "age"), details.number(detail, "promised")
    if told is None and age is not None and promised is not None and promised > 0:
        told = age / promised
    return None if told is None else max(0.0, told)


# ------------------------------------------------------------------------- restores, verification


class Test(msgspec.Struct, frozen=True):
    """One record of a verification or a trial restore."""

    time: dt.datetime
    day: dt.date
    ok: bool
    person: bool
    kind: str
    document: str


def _tests(detail: Mapping[str, Any], desk: Desk | None = None) -> list[Test]:
    """The records in a detail, oldest first; one that does not say that it went well did not."""
    found = detail.get("proofs")
    made = []
    for item in found[:_MOST_TESTS] if isinstance(found, list | tuple) else ():
        when = details.moment(item.get("time")) if isinstance(item, Mapping) else None
        if when is None:
            continue
        errors = item.get("errors", 0)
        kind, document = item.get("kind"), item.get("document")
        made.append(
            Test(
                time=when,
                day=desk.words.date_of(when) if desk is not None else when.date(),
                ok=item.get("ok") is True and errors in (0, None),
                # Who cannot be told from a machine is taken for a person.
                person=item.get("person") is not False,
                kind=kind if isinstance(kind, str) else "",
                document=clean(document, _NAME) if isinstance(document, str) else "",
            )
        )
    return sorted(made, key=lambda t: t.time)


def _last_restore(desk: Desk, backup: BackupSet, row: Result | None) -> Test | None:
    """The restore that counts: one that failed and was not mended, else the newest."""
    tests = _tests(row.detail, desk) if row is not None else []
    if not tests:
        days = sorted(backup.restore_tests, key=lambda t: t.date)
        tests = [
            Test(
                time=dt.datetime.combine(t.date, dt.time(), desk.words.zone),
                day=t.date,
                ok=t.result == "ok",
                person=True,
                kind="restore",
                document=clean(t.document, _NAME),
            )
            for t in days
        ]
    bad = [t for t in tests if not t.ok]
    if row is not None and row.message.id == "backup.restore-tested.failed" and bad:
        return bad[-1]
    return tests[-1] if tests else None


# ----------------------------------------------------------------------------------------- copies


def _copies(
    desk: Desk, backup: BackupSet, whole: Mapping[str, Result], rows: Mapping[str, Result]
) -> tuple[tuple[CopyView, ...], str]:
    """Where the copies of a set lie, and why nothing is known of them."""
    told = [whole[c].detail for c in _PLACED if c in whole]
    detail = next((d for d in told if isinstance(d.get("places"), list | tuple)), None)
    if detail is None:
        return (), ""
    mine = [p for p in detail["places"] if isinstance(p, Mapping) and p.get("set") == backup.id]
    dark = detail.get("unseen")
    why = dark.get(backup.id) if isinstance(dark, Mapping) else None
    made = tuple(_copy(desk, backup, p, rows, len(mine) == 1) for p in mine)
    return made, clean(why) if isinstance(why, str) else ""


def _copy(
    desk: Desk,
    backup: BackupSet,
    place: Mapping[str, Any],
    rows: Mapping[str, Result],
    only: bool,
) -> CopyView:
    device, site = _text(place, "device"), _text(place, "site")
    protects = place.get("protects")
    guarded = desk.inventory.servers.get(protects) if isinstance(protects, str) else None
    here = guarded.site if guarded is not None else ""
    encrypted = _stored(rows.get("backup.encrypted"), device, only)
    locked = _stored(rows.get("backup.immutable"), device, only)
    return CopyView(
        device=clean(_USERINFO.sub("//", device), _NAME),
        platform=clean(backup.kind, _NAME),
        site=clean(site, _NAME),
        own_host=_flag(place.get("own_host")),
        elsewhere=site != here if site and here else None,
        fresh=_flag(place.get("fresh")),
        newest=details.moment(place.get("newest")),
        encrypted=_said(_flag(encrypted)),
        immutable=_said(_lasting(locked)),
    )


def _stored(row: Result | None, device: str, only: bool) -> object:
    """What a check found for one place; it may call the place by another name."""
    found = row.detail.get("places") if row is not None else None
    if not isinstance(found, Mapping):
        return None
    if device in found:
        return found[device]
    return next(iter(found.values())) if only and len(found) == 1 else None


def _lasting(days: object) -> bool | None:
    known = details.number({"n": days}, "n")
    return None if known is None else known > 0


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _said(flag: bool | None) -> str:
    return UNKNOWN if flag is None else YES if flag else NO


def _text(place: Mapping[str, Any], key: str) -> str:
    value = place.get(key)
    return value if isinstance(value, str) else ""
