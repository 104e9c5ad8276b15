"""Sentences that both files of Form 08 say."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from zoneinfo import ZoneInfo

from checks.texts import moment
from reports.form08.model import Figure, Finish, Form08
from reports.form08.rules import Words, day, form


def finish_said(finish: Finish) -> str:
    """When all levels will be approved; empty when nobody knows."""
    if finish.done:
        return form("finish_done")
    return day(finish.day) if finish.day else ""


def intro(found: Form08, words: Words) -> str:
    """Where the figures come from: scan, time, rules, digest, period."""
    zone = ZoneInfo(found.timezone)
    return words(
        "source_intro",
        scan=found.scan,
        moment=moment(found.scanned, found.language, zone),
        basis=found.legal_basis,
        tool=found.tool,
        digest=found.digest,
        first=found.window.first,
        last=found.window.last,
        until=found.until,
    )


def of_simulated(found: Form08) -> str:
    """The warning on every page of a simulated scan; empty otherwise."""
    return f"[{form('simulated')}]" if found.simulated else ""


def counted(figure: Figure, words: Words) -> str:
    """A count, with how many more nobody can tell."""
    if not figure.unclear:
        return f"{figure.value:02d}" if figure.value else "0"
    more = words("uncertain", n=len(figure.unclear))
    return f"{figure.value:02d} ({more})" if figure.value else f"{form('blank')} ({more})"


def ranges(numbers: Iterable[int]) -> str:
    """`1–3, 5, 7–9`: numbers in rising order, neighbours drawn together."""
    groups: list[tuple[int, int]] = []
    for n in sorted(numbers):
        if groups and n == groups[-1][1] + 1:
            groups[-1] = (groups[-1][0], n)
        else:
            groups.append((n, n))
    return ", ".join(str(a) if a == b else f"{a}–{b}" for a, b in groups)


def local(value: dt.datetime, timezone: str) -> dt.date:
    """The calendar day of a moment in a zone."""
    return value.astimezone(ZoneInfo(timezone)).date()
