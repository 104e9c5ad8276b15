"""Details are optional and hostile: anything of a wrong shape is left out, nothing raises."""

from __future__ import annotations

import datetime as dt
from typing import Any
from unicodedata import category
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from checks.model import Status
from reports import details
from reports.words import Words
from tests.helpers.scans import row

WORDS = Words("vi", ZoneInfo("Asia/Ho_Chi_Minh"))
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)
KEYS = st.sampled_from(["slots", "sizes", "newest", *details._FORMS])


@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_no_detail_of_any_shape_raises(detail: dict[str, Any]) -> None:
    details.strip(detail)
    for size in details.sizes(detail):
        assert 0 <= size < 1e18
    for fact in details.facts(row("a.b", Status.FAIL, detail=detail), WORDS):
        assert not {category(ch) for ch in fact.text} & {"Cc", "Cf", "Cs", "Zl", "Zp"}


def test_a_strip_is_in_the_order_of_time_and_counted() -> None:
    slots = [
        ["2026-11-22T02:00:00+07:00", "missed"],
        ["2026-11-21T02:00:00+07:00", "kept"],
        ["2026-11-20T02:00:00+07:00", "<script>"],
        ["yesterday", "kept"],
        ["2026-11-19T02:00:00", "kept"],
        "kept",
        None,
    ]
    strip = details.strip({"slots": slots})
    assert strip is not None
    assert [state for _, state in strip.slots] == ["unknown", "kept", "missed"]
    assert {c.key: c.n for c in strip.counts} == {"kept": 1, "missed": 1, "unknown": 1}


def test_a_strip_shows_the_newest_slots_only() -> None:
    first = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    slots = [[(first + dt.timedelta(days=i)).isoformat(), "kept"] for i in range(400)]
    strip = details.strip({"slots": slots})
    assert strip is not None
    assert strip.slots[-1][0] == first + dt.timedelta(days=399)
    assert sum(c.n for c in strip.counts) == len(strip.slots) < 100


def test_no_slots_are_no_strip() -> None:
    assert details.strip({}) is None
    assert details.strip({"slots": []}) is None
    assert details.strip({"slots": {"a": 1}}) is None


def test_a_promise_of_working_days_is_no_number_of_hours() -> None:
    for workdays, said in ((True, "mỗi ngày làm việc"), (False, "1 ngày"), ("yes", "1 ngày")):
        asked = row("a.b", Status.FAIL, detail={"promised": 86400, "workdays": workdays})
        assert [f.text for f in details.facts(asked, WORDS)] == [said]


def test_facts_are_figures_with_a_label() -> None:
    detail = {
        "newest": "2026-11-14T02:14:00+07:00",
        "age": 777600,
        "coverage": 0.971,
        "numerator": 198,
        "missed": True,
        "promised": "soon",
        "raw": "password=hunter2",
        "approved": "2026-03-01",
    }
    found = {f.key: f.text for f in details.facts(row("a.b", Status.FAIL, detail=detail), WORDS)}
    assert found == {
        "newest": "02:14 14/11/2026",
        "age": "9 ngày",
        "numerator": "198",
        "coverage": "97%",
        "approved": "01/03/2026",
    }
