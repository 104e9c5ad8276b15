"""Words in two languages: the same keys, the same places, numbers and dates as each writes them."""

from __future__ import annotations

import datetime as dt
import re
import string
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from checks.evidence import FailureKind
from checks.model import Severity, Status
from inventory.model import UnitKind
from reports.details import _FORMS, SLOT_STATES
from reports.findings import CLEARS
from reports.model import FAMILIES
from reports.rollup import CAUSES
from reports.words import Words, load

VN = ZoneInfo("Asia/Ho_Chi_Minh")


def phrases(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value.values())


def places(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_languages_have_the_same_keys_and_places() -> None:
    vi, en = load("vi"), load("en")
    assert set(vi) == set(en)
    for key in vi:
        for phrase in phrases(en[key]):
            assert places(phrase) == places(phrases(vi[key])[0]), key


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_word_that_the_values_can_ask_for_is_there(language: str) -> None:
    words = load(language)
    keys = [f"status_{s}" for s in Status] + [f"severity_{s}" for s in Severity]
    keys += [f"family_{f}" for f in FAMILIES] + [f"kind_{k}" for k in UnitKind]
    keys += [f"cause_{c}" for c in CAUSES] + [f"slot_{s}" for s in SLOT_STATES]
    keys += [f"fact_{f}" for f in _FORMS]
    keys += [f"{p}_{c}" for c in CLEARS for p in ("clear", "missing")]
    kinds = {k.value for k in FailureKind}
    keys += [f"mend_{c}" for c in CAUSES if c not in kinds]
    keys += [f"none_{r}" for r in ("first", "partial", "previous_partial", "selection")]
    assert [k for k in keys if k not in words] == []


def test_no_phrase_is_left_over() -> None:
    """Every key is used somewhere, by its name or by the part before the first underscore."""
    folder = Path(__file__).parents[2] / "reports"
    files = [*folder.glob("*.py"), *(folder / "templates").glob("*.j2")]
    text = "\n".join(f.read_text(encoding="utf-8") for f in files)
    made = set(re.findall(r'["\'](\w+_)["\'{]', text)) | set(re.findall(r'"(\w+_)\{', text))
    unused = [
        k
        for k in load("vi")
        if f'"{k}"' not in text
        and f"'{k}'" not in text
        and not any(k.startswith(prefix) for prefix in made)
    ]
    assert unused == []


def test_numbers_and_days() -> None:
    vi, en = Words("vi", VN), Words("en", VN)
    assert (vi.number(1234567), en.number(1234567)) == ("1.234.567", "1,234,567")
    assert (vi.number(2.5), en.number(2.5), vi.number(2.0)) == ("2,5", "2.5", "2")
    assert vi.number(-3) == "−3"
    day = dt.date(2026, 2, 3)
    assert (vi.day(day), en.day(day)) == ("03/02/2026", "3 Feb 2026")
    assert (vi.short_day(day), en.short_day(day)) == ("03/02", "3 Feb")
    late = dt.datetime(2026, 11, 22, 19, 0, tzinfo=dt.UTC)
    assert (vi.moment(late), vi.date_of(late)) == ("02:00 23/11/2026", dt.date(2026, 11, 23))


def test_one_and_other() -> None:
    en = Words("en", VN)
    assert (en("unit_open", n=1), en("unit_open", n=2)) == ("1 task open", "2 tasks open")


def test_words_from_outside_cannot_format_anything() -> None:
    words = Words("vi", VN)
    hostile = "{n.__class__} \x1b[31m \u202e"
    assert words("cut", moment=hostile) == "Chốt số liệu {n.__class__} [31m "


def test_a_change_is_a_word_not_only_a_sign() -> None:
    words = Words("vi", VN)
    assert [words.change(n) for n in (2, 0, -2)] == ["tăng 2", "không đổi", "giảm 2"]


def test_due_days_in_words() -> None:
    words = Words("vi", VN)
    day = dt.date(2026, 11, 25)
    assert words.due(day, 6) == "Quá hạn 6 ngày"
    assert words.due(day, 0) == "Hạn hôm nay"
    assert words.due(day, -2) == "Hạn 25/11"


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ValueError, match="no such language"):
        load("../vi")
