"""Packed events come back as they went in, each once."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import Counter

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import (
    DocumentEvent,
    DocumentKey,
    EventKind,
    FoundIn,
    MailTrace,
    Place,
    SourceKind,
)
from checks.documents.packed import Joined, Packed, events_of, signs_of
from checks.documents.pair_table import PairTable
from checks.documents.pairs import Basis, Pair, Result
from tests.helpers.correspondence import PATIENT

_TEXT = st.sampled_from(["", "Sở Y tế", "H26.5", "x" * 40])
_EVENTS = st.lists(
    st.builds(
        DocumentEvent,
        kind=st.sampled_from(EventKind),
        key=st.builds(
            DocumentKey,
            number=st.integers(0, 10**6),
            sign=st.sampled_from(["", "QD-UBND", "BC"]),
            suffix=st.sampled_from(["", "A"]),
            year=st.sampled_from([0, 2026]),
        ),
        place=st.builds(
            Place,
            source=st.sampled_from(SourceKind),
            file=st.sampled_from(["a.csv", "b.csv"]),
            line=st.integers(1, 2**32 - 1),
            sha256=st.binary(max_size=9).map(lambda b: hashlib.sha256(b).hexdigest()),
            ref=st.sampled_from(["", "4PbC"]),
        ),
        time=st.none() | st.datetimes(timezones=st.just(dt.UTC)),
        date=st.none() | st.dates(),
        sender=_TEXT,
        recipient=_TEXT,
        reason=_TEXT,
        arrival=st.sampled_from([0, 1, 10**9]),
        content=st.sampled_from(["", "ab"]),
        until=st.none() | st.datetimes(timezones=st.just(dt.UTC)),
        mail=st.none() | st.builds(MailTrace, found=st.sampled_from(FoundIn)),
        mailboxes=st.sampled_from([(), ("0" * 16,), ("0" * 16, "f" * 16)]),
    ),
    max_size=30,
)


def identity(e: DocumentEvent) -> tuple[object, ...]:
    return (
        e.kind,
        e.key,
        e.sender,
        e.recipient,
        e.time,
        e.date,
        e.reason,
        e.arrival,
        e.until,
        e.mailboxes,
    )


@PATIENT
@given(_EVENTS)
def test_what_goes_in_comes_out_once(events: list[DocumentEvent]) -> None:
    first = {identity(e): e for e in reversed(events)}
    want = sorted(first.values(), key=events.index)
    packed = Packed(events)
    assert list(packed) == want
    assert [packed[n] for n in range(-len(want), len(want))] == want + want
    assert packed[1:3] == want[1:3]
    assert signs_of(packed) == signs_of(want)
    joined = Joined([packed, tuple(events)])
    assert list(joined) == want + events
    assert [joined[n] for n in range(len(joined))] == want + events
    kinds = {EventKind.RECEIVED, EventKind.MAILED}
    assert list(events_of(joined, kinds)) == [e for e in want + events if e.kind in kinds]


def test_beyond_the_end_there_is_nothing() -> None:
    for empty in (Packed(), Joined([Packed()])):
        with pytest.raises(IndexError):
            empty[0]
        assert len(empty) == 0


def test_a_closed_sequence_can_be_taken_up_again() -> None:
    key = DocumentKey(number=7, sign="QD")
    where = Place(source=SourceKind.REGISTER, file="a.csv", line=1, sha256="ab" * 32)
    event = DocumentEvent(kind=EventKind.REGISTERED, key=key, place=where, recipient="A")
    packed = Packed([event]).close()
    assert packed.add(msgspec.structs.replace(event, recipient="B"))
    assert [(e.key, e.recipient) for e in packed] == [(key, "A"), (key, "B")]


_PAIRS = st.lists(
    st.builds(
        Pair,
        key=st.builds(DocumentKey, number=st.integers(1, 3), sign=st.just("QD")),
        date=st.dates(),
        recipient=st.sampled_from(["H26.5", "H26.6"]),
        result=st.sampled_from(Result),
        sent=st.none() | st.dates(),
        basis=st.sampled_from(Basis),
    ),
    max_size=12,
)


@PATIENT
@given(_PAIRS)
def test_pairs_come_back_as_they_went_in(pairs: list[Pair]) -> None:
    table = PairTable()
    for pair in pairs:
        table.add(pair)
    assert list(table) == pairs
    assert table[2:] == pairs[2:]
    assert [table[n] for n in range(-len(pairs), 0)] == pairs
    assert table.by_result() == Counter(p.result for p in pairs)
    assert table.by_basis() == Counter(p.basis for p in pairs)
