"""What remains of a row about documents when its time is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.retention import EXPIRED, expired
from tests.helpers.correspondence import NOW, PATIENT, subject
from tests.helpers.document_events import known, mailed, outage, registered, sent
from tests.helpers.document_scans import rows

LATER = NOW + dt.timedelta(days=200)


def test_of_every_row_counts_stay_and_lines_go() -> None:
    events = known(
        *registered(100), mailed(100), mailed(7777), *registered(101), outage(),
        *registered(102), sent(102, day=dt.date(2026, 11, 19)), *registered(5), sent(8888),
    )  # fmt: skip
    found = rows(events, subject())
    before = str([r.detail for r in found])
    assert {"100/", "101/", "102/", "7777/", "8888/"} <= {w for w in WORDS if w in before}
    for row in found:
        left = expired(row.detail, LATER)
        shown = str(left)
        assert not [w for w in WORDS if w in shown], row.check
        assert left[EXPIRED] == LATER.isoformat()
        for key in ("counts", "covered", "flows", "period", "numerator", "denominator", "total"):
            assert left.get(key) == row.detail.get(key)
        assert expired(left, LATER + dt.timedelta(days=1)) == left


WORDS = ("100/", "101/", "102/", "7777/", "8888/", ".csv:", "sha256", "queue", "place")

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@PATIENT
@given(st.dictionaries(st.sampled_from(["pairs", "x", "counts", "documents"]), json_values))
def test_no_text_outlives_its_time(detail: dict[str, Any]) -> None:
    left = expired(detail, LATER)
    left.pop(EXPIRED)
    assert not [*texts(left)]


def texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [t for part in parts for t in texts(part)]


@pytest.mark.parametrize("key", ["source", "period"])
def test_what_names_no_document_stays(key: str) -> None:
    assert expired({key: ["2026-11-01", "2026-11-02"]}, LATER)[key] == ["2026-11-01", "2026-11-02"]
