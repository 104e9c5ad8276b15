"""Synthetic scans for the tests and pictures of the reports: deterministic, no real data."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from checks.evidence import Failure, FailureKind
from checks.model import Message, Severity, Status
from checks.results import (
    EvidenceRef,
    Result,
    Scan,
    ScanInfo,
    TargetOutcome,
    WaiverRef,
    fingerprint,
)
from checks.texts import clean
from inventory.model import (
    BackupSet,
    Inventory,
    Person,
    RestoreTest,
    Selection,
    System,
    Unit,
    UnitKind,
)
from reports.voice import CHECK_TEXTS

UTC = dt.UTC
STARTED = dt.datetime(2026, 11, 22, 19, 0, tzinfo=UTC)
"""02:00 of Monday 23/11/2026 in Hà Nội."""
NOW = dt.datetime(2026, 11, 22, 23, 0, tzinfo=UTC)

_WARDS = (
    "Ba Đình, Ngọc Hà, Giảng Võ, Hoàn Kiếm, Cửa Nam, Phú Thượng, Hồng Hà, Tây Hồ, Bồ Đề, "
    "Việt Hưng, Phúc Lợi, Long Biên, Nghĩa Đô, Cầu Giấy, Yên Hòa, Ô Chợ Dừa, Láng, "
    "Văn Miếu - Quốc Tử Giám, Kim Liên, Đống Đa, Hai Bà Trưng, Vĩnh Tuy, Bạch Mai, Vĩnh Hưng, "
    "Định Công, Tương Mai, Lĩnh Nam, Hoàng Mai, Hoàng Liệt, Yên Sở, Phương Liệt, Khương Đình, "
    "Thanh Xuân, Từ Liêm, Thượng Cát, Đông Ngạc, Xuân Đỉnh, Tây Tựu, Phú Diễn, Xuân Phương, "
    "Tây Mỗ, Đại Mỗ, Thanh Liệt, Kiến Hưng, Hà Đông, Yên Nghĩa, Phú Lương, Sơn Tây, Tùng Thiện, "
    "Dương Nội, Chương Mỹ"
)
_COMMUNES = (
    "Sóc Sơn, Kim Anh, Trung Giã, Đa Phúc, Nội Bài, Đông Anh, Phúc Thịnh, Thư Lâm, Thiên Lộc, "
    "Vĩnh Thanh, Phù Đổng, Thuận An, Gia Lâm, Bát Tràng, Thanh Trì, Đại Thanh, Ngọc Hồi, Nam Phù, "
    "Yên Xuân, Quang Minh, Yên Lãng, Tiến Thắng, Mê Linh, Đoài Phương, Quảng Oai, Cổ Đô, "
    "Minh Châu, Vật Lại, Bất Bạt, Suối Hai, Ba Vì, Yên Bài, Phúc Thọ, Phúc Lộc, Hát Môn, "
    "Đan Phượng, Liên Minh, Ô Diên, Hoài Đức, Dương Hòa, Sơn Đồng, An Khánh, Quốc Oai, Kiều Phú, "
    "Hưng Đạo, Phú Cát, Thạch Thất, Hạ Bằng, Hòa Lạc, Tây Phương, Phú Nghĩa, Xuân Mai, Quảng Bị, "
    "Trần Phú, Hòa Phú, Thanh Oai, Bình Minh, Tam Hưng, Dân Hòa, Thường Tín, Hồng Vân, "
    "Thượng Phúc, Chương Dương, Phú Xuyên, Phượng Dực, Chuyên Mỹ, Đại Xuyên, Vân Đình, Ứng Thiên, "
    "Ứng Hòa, Hòa Xá, Mỹ Đức, Phúc Sơn, Hồng Sơn, Hương Sơn"
)


def unit(code: str = "u1", **fields: Any) -> Unit:
    """A ward of the city, with both posts filled."""
    given: dict[str, Any] = {
        "id": code,
        "name": f"Phường {code}",
        "kind": UnitKind.WARD,
        "parent": "ha-noi",
        "accountable": Person(post="Chủ tịch UBND phường", name="Lê Thị Mẫu"),
        "officer": Person(post="Công chức CNTT", name="Trần Văn Thử"),
    }
    return Unit(**{**given, **fields})


def row(check: str, status: Status | str, unit: str = "u1", **fields: Any) -> Result:
    """One row; an unknown one is unreachable unless told otherwise."""
    status = Status(status)
    given: dict[str, Any] = {
        "system": None,
        "target": f"{unit}-app",
        "subject": "",
        "severity": Severity.MAJOR,
        "message": Message(id="sample.text", args={"text": f"{check} {status}"}),
    }
    if status is Status.UNKNOWN and "failure" not in fields:
        given["failure"] = Failure(kind=FailureKind.UNREACHABLE, detail="10.0.7.1 port 22")
    merged = {**given, **fields}
    mark = fingerprint(check, unit, merged["system"], merged["target"], merged["subject"])
    return Result(check=check, unit=unit, status=status, **{"fingerprint": mark, **merged})


def scan(
    rows: list[Result],
    units: list[Unit] | None = None,
    systems: list[System] | None = None,
    **info: Any,
) -> Scan:
    """A complete scan of whatever units the rows name, under a city that is not counted."""
    named = units if units is not None else [unit(u) for u in dict.fromkeys(r.unit for r in rows)]
    top = [
        Unit(id="ha-noi", name="UBND Thành phố Hà Nội", kind=UnitKind.CITY, external=True),
        Unit(id="ca-ha-noi", name="Công an Thành phố", kind=UnitKind.AGENCY, external=True),
    ]
    given: dict[str, Any] = {
        "id": "2026-11-23",
        "started": STARTED,
        "finished": STARTED + dt.timedelta(minutes=41),
        "tool": "sauro 0.1.0",
        "legal_basis": 2026,
        "timezone": "Asia/Ho_Chi_Minh",
        "selection": Selection(),
        "complete": True,
        "planned": len(rows),
        "judged": sum(r.status not in (Status.UNKNOWN, Status.ERROR) for r in rows),
    }
    return Scan(
        info=ScanInfo(**{**given, **info}),
        inventory=Inventory(
            units={u.id: u for u in [*top, *named]}, systems={s.id: s for s in systems or []}
        ),
        results=tuple(rows),
    )


def waiver(days: int = 20) -> WaiverRef:
    """An accepted risk that ends some days after the scan."""
    return WaiverRef(
        reason="chờ mua sắm",
        document="12/TB-UBND",
        approved_by="Chủ tịch UBND phường",
        owner="Công chức CNTT",
        until=dt.date(2026, 11, 23) + dt.timedelta(days=days),
    )


# ------------------------------------------------------------------------------------------ words

_PARTS = {
    "title": ("Phép kiểm tra mẫu {check}", "Sample check {check}"),
    "remedy": ("Khôi phục lịch sao lưu hằng ngày", "Restore the daily backup schedule"),
    "product": ("Nhật ký sao lưu và biên bản khôi phục thử", "Backup log and restore minutes"),
    "rationale": ("Không có bản sao thì không khôi phục được", "Without copies nothing comes back"),
}


class SampleVoice:
    """The real words where there are any, else samples, so that tests may invent checks."""

    def sentence(self, message: Message, language: str, zone: ZoneInfo) -> str:
        """The text of `text()`, or what the real words say."""
        if message.id == "sample.text":
            return clean(str(message.args["text"]))
        return CHECK_TEXTS.sentence(message, language, zone)

    def say(self, check: str, part: str, language: str) -> str:
        """The check's own words or the same sample for every invented check."""
        found = CHECK_TEXTS.say(check, part, language)
        if found not in ("", clean(check)):
            return found
        return _PARTS[part][language == "en"].format(check=clean(check))

    def mend(self, cause: str, language: str) -> str:
        """The real words."""
        return CHECK_TEXTS.mend(cause, language)


VOICE = SampleVoice()


def text(words: str) -> Message:
    """A message that says exactly these words."""
    return Message(id="sample.text", args={"text": words})


def _said(name: str, **args: str | float) -> Message:
    return Message(id=name, args=args)


_NEWEST = {False: "2026-11-22T17:00:00Z", True: "2026-11-13T17:00:00Z"}
_MESSAGES = {
    "authority": _said(
        "security.level-approved.approval-wrong-authority",
        by="UBND phường",
        level=3,
        expected="UBND Thành phố Hà Nội",
    ),
    "recorded": _said("security.level-recorded.recorded", level=2),
    "recorded bad": _said("security.level-recorded.missing"),
    "approved": _said(
        "security.level-approved.approved", level=2, document="88/QĐ-CAHN", date="2026-03-01"
    ),
    "approved bad": _said(
        "security.level-approved.approval-before-appraisal", date="2026-03-01", other="2026-03-09"
    ),
    "reviewed": _said(
        "security.level-reviewed.reviewed", last="2026-03-01", due="2028-03-01", level=2, months=24
    ),
    "reviewed bad": _said("security.level-reviewed.never", level=2, months=24),
    "declared": _said("backup.declared.complete", count=1),
    "clock": _said("host.clock.right", skew=0.2, uncertainty=0.1, limit=60),
    "fresh": _said("backup.recent.fresh", newest=_NEWEST[False], age=7200, promised=86400),
    "stale": _said("backup.recent.stale", newest=_NEWEST[True], age=784800, promised=86400),
    "kept": _said("backup.periodic.regular", kept=13, expected=13, interval=86400),
    "gaps": _said("backup.periodic.gap", missed=9, expected=13, longest=8),
    "sized": _said("backup.size-plausible.usual", size=1.7e9, share=1.02, usual=1.67e9),
    "blind": _said("engine.missing", kind="unreachable"),
    "na": _said("documents.routed.nothing-due", documents=0),
    "routed": _said(
        "documents.routed.enough",
        numerator=208,
        denominator=212,
        rate=0.981,
        target=0.95,
        coverage=0.97,
    ),
    "short": _said(
        "documents.routed.short",
        numerator=198,
        denominator=212,
        rate=0.934,
        target=0.95,
        coverage=0.97,
    ),
    "bypass": _said("documents.bypass.none", mails=412, coverage=0.97),
    "bypass bad": _said("documents.bypass.found", total=14),
    "evidence": _said(
        "documents.evidence-complete.complete",
        source="văn thư",
        share=0.97,
        last="2026-11-22T09:00:00Z",
    ),
    "crashed": _said("engine.crashed", what="ValueError"),
}


# ----------------------------------------------------------------------------- a city of 126 units


City = tuple[Scan, dict[str, dt.datetime], frozenset[str]]


def city(week: int = 0, more: int = 0) -> City:
    """126 units (and `more` invented ones) with a believable mix; `week` 1 is the one before.

    Gives the scan, when its open findings were first seen, and which of them came back.
    """
    names = [(n, UnitKind.WARD) for n in _WARDS.split(", ")]
    names += [(n, UnitKind.COMMUNE) for n in _COMMUNES.split(", ")]
    names += [(f"Mẫu {n}", UnitKind.COMMUNE) for n in range(1, more + 1)]
    units, systems, rows = [], [], []
    for at, (name, kind) in enumerate(names):
        code = f"{10000 + at:05d}"
        units.append(_unit(code, name, kind))
        mine = _systems(code)
        systems += mine
        rows += _rows(code, mine, week)
    shared = System(
        id="one-stop",
        unit=units[3].id,
        name="Hệ thống một cửa điện tử",
        owner="ha-noi",
        operator=units[3].id,
        security_unit="ca-ha-noi",
        level=3,
        used_by=tuple(u.id for u in units),
        servers=("one-stop-app",),
    )
    bad: dict[str, Any] = {"message": _MESSAGES["authority"]}
    bad["severity"] = Severity.CRITICAL
    rows.append(_judge(shared, "security.level-approved", Status.FAIL, **bad))
    start = STARTED - dt.timedelta(days=7 * week)
    made = scan(
        rows,
        units,
        [*systems, shared],
        started=start,
        finished=start + dt.timedelta(minutes=41),
        simulated=True,
        id=f"2026-11-{23 - 7 * week}",
    )
    opened = {r.fingerprint: _first_seen(r) for r in rows if r.status is Status.FAIL}
    back = frozenset(f for f in opened if _luck(f, "back") < 0.03)
    targets = tuple(
        TargetOutcome(target=i, unit=s.unit, outcome="ok") for s in systems for i in s.servers
    )
    return msgspec.structs.replace(made, targets=targets), opened, back


def _luck(*names: object) -> float:
    """A number in 0..1 that hangs on the names only."""
    return random.Random("/".join(map(str, names))).random()  # noqa: S311 - a fixed picture


def _first_seen(row: Result) -> dt.datetime:
    allowed = {Severity.CRITICAL: 3, Severity.MAJOR: 7, Severity.MINOR: 30, Severity.INFO: 90}
    days = int(_luck(row.fingerprint, "age") * allowed[row.severity])
    if _luck(row.fingerprint, "late") < 0.18:
        days = allowed[row.severity] + 1 + int(_luck(row.fingerprint, "by") * 20)
    return STARTED - dt.timedelta(days=days)


def _unit(code: str, name: str, kind: UnitKind) -> Unit:
    word = {"ward": "phường", "commune": "xã"}[kind.value]
    return unit(
        code,
        name=f"{word.capitalize()} {name}",
        kind=kind,
        accountable=Person(post=f"Chủ tịch UBND {word}", name="Nguyễn Văn Mẫu"),
        officer=Person(post="Công chức CNTT", name="Trần Thị Thử")
        if _luck(code, "officer") > 0.1
        else Person(),
    )


def _systems(code: str) -> list[System]:
    test = RestoreTest(date=dt.date(2026, 9, 3), result="ok")
    return [
        System(
            id=f"{code}-{key}",
            unit=code,
            name=name,
            owner="ha-noi",
            operator=code,
            security_unit="ca-ha-noi",
            level=level,
            servers=(f"{code}-{key}-1",),
            backups=(
                BackupSet(
                    id="database",
                    system=f"{code}-{key}",
                    kind="directory",
                    every="1d",
                    server=f"{code}-{key}-1",
                    path="/srv/backups",
                    restore_tests=(test,) if _luck(code, key, "test") > 0.3 else (),
                ),
            ),
        )
        for key, name, level in (("nas", "Kho tệp nội bộ", 2), ("portal", "Trang thông tin", 1))
    ]


def _judge(system: System, check: str, status: Status, subject: str = "", **fields: Any) -> Result:
    target = system.servers[0] if check.startswith(("backup", "host")) else system.id
    taken = STARTED + dt.timedelta(minutes=int(40 * _luck(system.id, "taken")))
    evidence = EvidenceRef(probe=check, target=target, sha256="4f2a" * 16, taken=taken)
    seen = status not in (Status.UNKNOWN, Status.ERROR)
    given = {"evidence": (evidence,) if seen else ()}
    of = {"system": system.id, "target": target, "subject": subject}
    return row(check, status, system.unit, **{**given, **of, **fields})


def _rows(code: str, systems: list[System], week: int) -> list[Result]:
    kinds = (
        FailureKind.UNREACHABLE,
        FailureKind.UNREACHABLE,
        FailureKind.AUTH,
        FailureKind.HOST_KEY,
    )
    dark = _luck(code, "dark") < (0.07 if week == 0 else 0.05)
    kind = kinds[int(_luck(code, "kind") * 4)] if dark else None
    found = []
    for system in systems:
        for check in ("recorded", "approved", "reviewed"):
            bad = _bad(week, 0.07, system.id, check)
            said = _MESSAGES[f"{check} bad" if bad else check]
            status = Status.FAIL if bad else Status.PASS
            found.append(_judge(system, f"security.level-{check}", status, message=said))
        found += _backups(system, kind, week)
    return found + _documents(code, week)


def _bad(week: int, share: float, *names: object) -> bool:
    """Whether something is wrong; nine in ten stay as they were a week ago."""
    moves = _luck(*names, "moves") < 0.1
    return _luck(*names, "bad", week if moves else "") < share * (1 + 1.6 * week * moves)


def _backups(system: System, dark: FailureKind | None, week: int) -> list[Result]:
    rows = [_judge(system, "backup.declared", Status.PASS, message=_MESSAGES["declared"])]
    checks = ("host.clock", "backup.recent", "backup.periodic", "backup.size-plausible")
    if dark:
        gone: dict[str, Any] = {
            "failure": Failure(kind=dark, detail=system.servers[0]),
            "message": _MESSAGES["blind"],
        }
        return rows + [
            _judge(system, c, Status.UNKNOWN, "" if c == "host.clock" else "database", **gone)
            for c in checks
        ]
    stale = _bad(week, 0.1, system.id, "stale")
    held = waiver(int(_luck(system.id) * 60)) if _luck(system.id, "waived") < 0.1 else None
    status = Status.FAIL if stale else Status.PASS
    recent, periodic, sized = _backup_details(stale)
    said = ("stale", "gaps") if stale else ("fresh", "kept")
    return [
        *rows,
        _judge(system, "host.clock", Status.PASS, message=_MESSAGES["clock"]),
        _judge(
            system,
            "backup.recent",
            status,
            "database",
            detail=recent,
            severity=Severity.CRITICAL,
            message=_MESSAGES[said[0]],
            waiver=held if stale else None,
        ),
        _judge(
            system,
            "backup.periodic",
            status,
            "database",
            detail=periodic,
            message=_MESSAGES[said[1]],
            waiver=held if stale else None,
        ),
        _judge(
            system,
            "backup.size-plausible",
            Status.PASS,
            "database",
            detail=sized,
            message=_MESSAGES["sized"],
        ),
    ]


def _backup_details(stale: bool) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
    states = ["kept"] * 13 + ["pending"]
    if stale:
        states = ["kept", "suspect", "missed", "late", "kept", *["missed"] * 8, "unknown"]
    when = [(STARTED - dt.timedelta(days=13 - i)).isoformat() for i in range(14)]
    days = 9 if stale else 0
    recent = {
        "newest": (STARTED - dt.timedelta(days=days, hours=2)).isoformat(),
        "age": days * 86400 + 7200,
        "promised": 86400,
    }
    periodic = {
        "slots": [list(pair) for pair in zip(when, states, strict=True)],
        "expected": 13,
        "kept": states.count("kept"),
        "missed": states.count("missed"),
        "longest_gap": 86400 * (days + 1),
    }
    grown = [1.5e9 + 1e8 * (i % 4) + 2e7 * i for i in range(13)]
    return recent, periodic, {"sizes": [list(p) for p in zip(when, grown, strict=False)]}


def _documents(code: str, week: int) -> list[Result]:
    luck = _luck(code, "documents")
    if luck > 0.98:
        none = {"target": code, "message": _MESSAGES["na"]}
        checks = ("documents.routed", "documents.bypass", "documents.evidence-complete")
        return [row(c, Status.NOT_APPLICABLE, code, **none) for c in checks]
    blind = luck > 0.8
    bad = _bad(week, 0.13, code, "routed")
    routed = Status.UNKNOWN if blind else Status.FAIL if bad else Status.PASS
    minor = Status.FAIL if _bad(week, 0.12, code, "bypass") else Status.PASS
    error = Status.ERROR if 0.78 < luck < 0.8 else Status.PASS
    failure = Failure(kind=FailureKind.NOT_DECLARED, detail="documents.gateway")
    said = "blind" if blind else "short" if bad else "routed"
    return [
        row(
            "documents.routed",
            routed,
            code,
            target=code,
            severity=Severity.CRITICAL,
            failure=failure if blind else None,
            message=_MESSAGES[said],
            detail={"numerator": 198, "denominator": 212, "coverage": 0.97},
        ),
        row(
            "documents.bypass",
            minor,
            code,
            target=code,
            severity=Severity.MINOR,
            message=_MESSAGES["bypass bad" if minor is Status.FAIL else "bypass"],
        ),
        row(
            "documents.evidence-complete",
            error,
            code,
            target=code,
            message=_MESSAGES["crashed" if error is Status.ERROR else "evidence"],
        ),
    ]
