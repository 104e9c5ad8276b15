"""Level records of the demo: one YAML file per assessed system, by the story of its level."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from random import Random

from scanner.demo.dossiers import dossier_lines, plan_lines, write_dossiers
from scanner.demo.names import CITY, POLICE
from scanner.demo.plot import LevelStory, PaperStory, SystemPlot, TotalsStory, UnitPlot
from scanner.demo.systems import KINDS, YEARLY_LEVEL

HEADER = "# Dữ liệu mô phỏng: đơn vị có thật, mọi số liệu, văn bản và con người là giả định.\n"


def record_path(system: SystemPlot) -> str:
    """Where the inventory says that a system's record lies; empty when none was ever made."""
    return "" if system.story is LevelStory.UNASSESSED else f"records/{system.id}.yaml"


def recorded_level(system: SystemPlot) -> int:
    """The level that the record says."""
    level = KINDS[system.kind].level
    return level + 1 if system.story is LevelStory.CLAIMED_LOW else level


def totals_lines(unit: UnitPlot) -> list[str]:
    """The lines of a unit's file about the figures that it reported upwards."""
    if unit.totals is TotalsStory.NONE:
        return []
    kept = [s for s in unit.systems if record_path(s)]
    levels = [recorded_level(s) for s in kept]
    approved = sum(s.approved is not None for s in kept)
    figures = {
        "systems": len(unit.systems) + (unit.totals is TotalsStory.WRONG),
        **{f"level_{n}": levels.count(n) for n in range(1, 6)},
        "unclassified": len(unit.systems) - len(kept),
        "dossiers": len(kept),
        "appraised": approved,
        "approved": approved,
    }
    return ["", f"level_totals: {{{', '.join(f'{k}: {v}' for k, v in figures.items())}}}"]


def write_records(out: Path, units: tuple[UnitPlot, ...], today: dt.date, random: Random) -> None:
    """Write every record that exists, and the dossiers."""
    (out / "records").mkdir()
    write_dossiers(out, (s for u in units for s in u.systems if record_path(s)))
    for unit in units:
        for system in unit.systems:
            if system.story not in (LevelStory.UNASSESSED, LevelStory.LOST_RECORD):
                text = record(unit, system, today, random)
                (out / record_path(system)).write_text(text, encoding="utf-8")


def record(unit: UnitPlot, system: SystemPlot, today: dt.date, random: Random) -> str:
    """The text of a level record."""
    proposed = (system.approved or today) - dt.timedelta(days=50)
    number = random.randint(11, 90)
    lines = [
        f"system: {system.id}",
        f"level: {recorded_level(system)}",
        f"type: {KINDS[system.kind].type}",
        f"criteria: {{{_criteria(system)}}}",
        f"proposal: {{document: {number}/TTr-{unit.place.sign}, date: {proposed}}}",
    ]
    if system.approved is None:
        expected = today + dt.timedelta(days=70)
        lines.append(f"approval_expected: {today + dt.timedelta(days=40)}")
        lines.append(f"plan: {{status: not_started, expected: {expected}}}")
    else:
        lines += _decided(unit, system, system.approved, random)
        lines += _follow_up(system, system.approved, today, random)
    lines += dossier_lines(system)
    return HEADER + "\n".join(lines) + "\n"


def _criteria(system: SystemPlot) -> str:
    kind = KINDS[system.kind]
    truth = {
        "personal_data": str(kind.personal_data).lower(),
        "subjects": str(kind.subjects),
        "private_data": "false",
        "sensitive_data": "false",
        "state_secret": "false",
        "harm": "harm",
        "procedures": str(kind.procedures).lower(),
        "conditional_business": "false",
        "serves": kind.serves,
    }
    if system.story is LevelStory.CLAIMED_LOW or system.paper is PaperStory.TOO_LOW:
        key, _, value = kind.truly.partition(": ")
        truth[key] = value
    return ", ".join(f"{key}: {value}" for key, value in truth.items())


def _decided(unit: UnitPlot, system: SystemPlot, approved: dt.date, random: Random) -> list[str]:
    late = system.story is LevelStory.REGULATION_LATE
    regulated = approved + dt.timedelta(days=35 if late else -80)
    swapped = system.paper is PaperStory.DATES_SWAPPED
    appraised = approved + dt.timedelta(days=9 if swapped else -12)
    by, sign = POLICE, "QĐ-CAHN"
    if recorded_level(system) >= YEARLY_LEVEL:
        by, sign = CITY, "QĐ-UBND"
    if system.story is LevelStory.WRONG_AUTHORITY:
        by, sign = unit.place.code, f"QĐ-{unit.place.sign}"
    rule, opinion, decision = (random.randint(100, 900) for _ in range(3))
    issued = f'by: "{unit.place.code}", document: {rule}/QĐ-{unit.place.sign}'
    return [
        f"regulation: {{{issued}, date: {regulated}}}",
        f"appraisal: {{by: {POLICE}, document: {opinion}/BC-CAHN, date: {appraised}}}",
        f'approval: {{by: "{by}", document: {decision}/{sign}, date: {approved}}}',
    ]


def _follow_up(system: SystemPlot, approved: dt.date, today: dt.date, random: Random) -> list[str]:
    lines = plan_lines(system, today, random)
    inspected = today - dt.timedelta(days=random.randint(20, 55))
    if system.story is LevelStory.FINE and inspected > approved and random.random() < 0.5:
        number = random.randint(100, 900)
        lines += [
            "inspections:",
            f"  - {{date: {inspected}, kind: periodic, by: {POLICE}, document: {number}/BC-CAHN}}",
        ]
    if system.paper is PaperStory.CHANGED_SINCE:
        day = today - dt.timedelta(days=random.randint(5, 50))
        lines += [
            "changes:",
            f"  - {{date: {day}, kind: connection, note: Nối với kho dùng chung}}",
        ]
    return lines
