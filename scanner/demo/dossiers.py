"""What befell the papers of levels after they were drawn up; and the files of the dossiers.

Cast last, so that the other stories stay where they are. The counts are for 126 units.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

from msgspec.structs import replace

from scanner.demo.plot import (
    LevelStory,
    PaperStory,
    SystemPlot,
    TotalsStory,
    UnitPlot,
    WordStory,
)
from scanner.demo.systems import KINDS

_ALL = 126
_COUNTS = {
    PaperStory.TOO_LOW: 5,
    PaperStory.DATES_SWAPPED: 4,
    PaperStory.CHANGED_SINCE: 5,
    PaperStory.DOSSIER_ALTERED: 4,
    PaperStory.OLD_LAW: 6,
    PaperStory.PLAN_PARTLY: 8,
    PaperStory.PLAN_LAPSED: 5,
}
_WRONG_TOTALS = 5
_WORDS = {WordStory.LAPSED: 6, WordStory.SILENT: 4}
MEASURES = {
    "mfa": "Xác thực đa yếu tố cho quản trị",
    "nhat-ky": "Lưu nhật ký hệ thống",
    "ma-doc": "Phòng chống mã độc trên máy chủ",
}
"""Measures of every plan of the demo."""
_CLEAR = (LevelStory.FINE, LevelStory.REVIEW_OVERDUE)
"""Stories beside which another one can be told."""
_OLD_LAW_ENDED = dt.date(2026, 6, 30)
PARTS = ("overview", "design", "statement", "plan")
"""Parts of a dossier below level 4."""


def with_papers(units: Sequence[UnitPlot], random: Random) -> tuple[UnitPlot, ...]:
    """Give some systems with an approved level one more story."""
    free = [s for u in units for s in u.systems if s.story in _CLEAR]
    random.shuffle(free)
    told: dict[str, PaperStory] = {}
    for story, count in _COUNTS.items():
        for _ in range(max(1, round(count * len(units) / _ALL))):
            fit = next((s for s in free if s.id not in told and _fits(s, story)), None)
            if fit is not None:
                told[fit.id] = story
    spoken, reported = _spoken(units, random), _reported(units, random)
    return tuple(
        replace(
            u,
            systems=tuple(_told(s, told, random) for s in u.systems),
            words=spoken.get(u.place.code, WordStory.FINE),
            totals=reported.get(u.place.code, TotalsStory.NONE),
        )
        for u in units
    )


def _spoken(units: Sequence[UnitPlot], random: Random) -> dict[str, WordStory]:
    codes = [u.place.code for u in units]
    random.shuffle(codes)
    stories = [s for s, n in _WORDS.items() for _ in range(max(1, round(n * len(units) / _ALL)))]
    # One unit at least whose word stands.
    return dict(zip(codes[1:], stories, strict=False))


def _reported(units: Sequence[UnitPlot], random: Random) -> dict[str, TotalsStory]:
    """A third of the units report right figures, some wrong ones, the others none."""
    codes = [u.place.code for u in units if not _lost(u)]
    random.shuffle(codes)
    wrong = max(1, round(_WRONG_TOTALS * len(units) / _ALL))
    stories = [TotalsStory.WRONG] * wrong + [TotalsStory.RIGHT] * (len(units) // 3)
    return dict(zip(codes, stories, strict=False))


def _lost(unit: UnitPlot) -> bool:
    return any(s.story is LevelStory.LOST_RECORD for s in unit.systems)


def _fits(system: SystemPlot, story: PaperStory) -> bool:
    if story is PaperStory.TOO_LOW:
        return bool(KINDS[system.kind].truly)
    return story is not PaperStory.OLD_LAW or system.story is LevelStory.FINE


def _told(system: SystemPlot, told: dict[str, PaperStory], random: Random) -> SystemPlot:
    story = told.get(system.id, PaperStory.FINE)
    if story is not PaperStory.OLD_LAW:
        return replace(system, paper=story)
    approved = _OLD_LAW_ENDED - dt.timedelta(days=random.randint(0, 30))
    return replace(system, paper=story, approved=approved)


# ----------------------------------------------------------------------------------------- words


def plan_lines(system: SystemPlot, today: dt.date, random: Random) -> list[str]:
    """The lines of a level record about its plan, each measure with who says that it is done."""
    partly = system.paper is PaperStory.PLAN_PARTLY
    expected = f", expected: {today + dt.timedelta(days=90)}" if partly else ""
    status = "partly" if partly else "fully"
    lines = ["plan:", f"  status: {status}"]
    lines += [f"  {expected.removeprefix(', ')}"] if expected else []
    lines.append("  measures:")
    for number, (measure, name) in enumerate(MEASURES.items()):
        said = today - dt.timedelta(days=random.randint(40, 200))
        until = today + dt.timedelta(days=random.randint(30, 120))
        if number == 1 and system.paper is PaperStory.PLAN_LAPSED:
            until = today - dt.timedelta(days=random.randint(3, 30))
        who = f"attested_by: Tổ công nghệ thông tin, date: {said}, until: {until}"
        done = f", done: {{{who}}}" if not (partly and number == 2) else ""
        lines.append(f"    - {{id: {measure}, name: {name}{done}}}")
    return lines


def attestation_lines(unit: UnitPlot, today: dt.date) -> list[str]:
    """The lines of a unit's file about what its people attest."""
    if unit.words is WordStory.SILENT:
        return []
    said = today - dt.timedelta(days=150)
    lapsed = unit.words is WordStory.LAPSED
    lines = ["", "attestations:"]
    for control, text in (
        ("policy", "Quy chế bảo đảm an ninh mạng đã ban hành"),
        ("training", "Đã tập huấn cho toàn thể cán bộ"),
    ):
        ended = lapsed and control == "training"
        until = today + dt.timedelta(days=-12 if ended else 120)
        lines.append(
            f"  - {{control: {control}, explanation: {text} (giả định), "
            f"attested_by: {unit.officer.post}, date: {said}, until: {until}}}"
        )
    return lines


# ---------------------------------------------------------------------------------------- files


def part_file(system: SystemPlot, part: str) -> str:
    """Where a part of a dossier lies, relative to the project."""
    return f"dossier/{system.id}/{part}.txt"


def _text(system: SystemPlot, part: str) -> str:
    return f"Dữ liệu mô phỏng: hồ sơ cấp độ của {system.id}, phần {part}.\n"


def dossier_lines(system: SystemPlot) -> list[str]:
    """The lines of a level record that list the dossier as approved."""
    lines = ["dossier:"]
    for part in PARTS:
        digest = hashlib.sha256(_text(system, part).encode()).hexdigest()
        where = f"part: {part}, file: {part_file(system, part)}"
        lines.append(f'  - {{{where}, sha256: "{digest}"}}')
    return lines


def write_dossiers(out: Path, systems: Iterable[SystemPlot]) -> None:
    """Write the files, one of them altered where the story says so."""
    for system in systems:
        for part in PARTS:
            path = out / part_file(system, part)
            path.parent.mkdir(parents=True, exist_ok=True)
            text = _text(system, part)
            if system.paper is PaperStory.DOSSIER_ALTERED and part == "plan":
                text += "Sửa sau khi phê duyệt.\n"
            path.write_text(text, encoding="utf-8")
