"""Sequences of numbers: whatever the register holds, what is called missing is missing."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import DocumentKey
from checks.documents.lookup import Document
from checks.documents.series import faults_of, series_of
from tests.helpers.correspondence import PATIENT

_DOCUMENTS = st.lists(
    st.builds(
        lambda number, sign, suffix, date: Document(
            key=DocumentKey(number=number, sign=sign, suffix=suffix, year=date.year), date=date
        ),
        number=st.integers(1, 60),
        sign=st.sampled_from(["QD", "BC", "TTR", "NQ/TU"]),
        suffix=st.sampled_from(["", "", "A"]),
        date=st.dates(dt.date(2025, 12, 1), dt.date(2026, 2, 1)),
    ),
    max_size=40,
    unique_by=lambda d: d.key,
)


@PATIENT
@given(_DOCUMENTS)
def test_every_document_is_in_one_series_and_no_gap_holds_one(documents: list[Document]) -> None:
    found = series_of(documents)
    assert sorted(d.key.number for s in found for d in s.documents) == sorted(
        d.key.number for d in documents
    )
    begins = min((d.date for d in documents), default=dt.date(2026, 1, 1))
    for series in found:
        assert {d.key.year for d in series.documents} == {series.year}
        faults = faults_of(series, begins)
        missing = {n for first, last in faults.gaps for n in range(first, last + 1)}
        assert len(missing) == faults.missing
        assert not missing & series.numbers
        assert not missing or max(missing) < max(series.numbers)
        assert 0 <= faults.disordered < max(1, len(series.documents))


@PATIENT
@given(_DOCUMENTS)
def test_joining_signs_never_adds_a_gap(documents: list[Document]) -> None:
    """What counts together misses no more numbers than its signs do one by one."""

    def missing(numbers: set[int]) -> int:
        return max(numbers) - min(numbers) + 1 - len(numbers)

    for series in series_of(documents):
        apart = [
            {d.key.number for d in series.documents if d.key.sign == sign} for sign in series.signs
        ]
        assert missing(series.numbers) <= sum(map(missing, apart))
