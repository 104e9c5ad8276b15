"""What simply went through: packed into one text, unpacked for who asks, never trusted."""

from __future__ import annotations

import base64
import datetime as dt
import zlib
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.pairs import Result
from checks.documents.retention import expired
from checks.documents.routing import routed
from checks.documents.went import HASH, KEY, packed, unpacked
from reports.to_json import encode, jsonl, scan_json
from tests.helpers.correspondence import NOW, PATIENT, subject
from tests.helpers.document_events import DAY, known, one, registered, sent
from tests.helpers.document_scans import rows, scan


def test_the_latest_are_kept_and_each_comes_back_as_it_was() -> None:
    detail = one(routed, known(registered(100), sent(100)), went=12).detail
    went = [*unpacked(detail)]
    assert len(went) == 12
    dates = [w["date"] for w in went]
    assert dates == sorted(dates, reverse=True)
    assert dates[0] == "2026-11-20"
    (mine,) = [w for w in went if w["key"] == "100/2026/QD-UBND-HK"]
    row, event = registered(100)[0].place, sent(100)
    assert event.time is not None
    assert mine == {
        "key": "100/2026/QD-UBND-HK",
        "date": "2026-11-10",
        "recipient": "H26.5",
        "result": "routed",
        "sent": "2026-11-10",
        "register": [{"place": "register.csv:100", "sha256": f"{row.sha256[:HASH]}…"}],
        "gateway": [
            {
                "place": "gateway.csv:100",
                "sha256": f"{event.place.sha256[:HASH]}…",
                "time": event.time.isoformat(),
                "said": "received",
            }
        ],
    }


def test_only_what_simply_went_through_is_among_them() -> None:
    detail = one(routed, known(registered(100), registered(101), sent(101))).detail
    assert len([*unpacked(detail)]) == detail["counts"][Result.ROUTED.value] == 31
    assert "100/2026/QD-UBND-HK" not in {w["key"] for w in unpacked(detail)}


def test_none_is_kept_when_none_is_wanted() -> None:
    for went in (0, -3):
        assert not [*unpacked(one(routed, known(), went=went).detail)]


def test_they_end_with_the_other_lines_and_stand_in_no_report() -> None:
    subj = subject()
    found = scan(rows(known(registered(100), sent(100)), subj), subj)
    row = next(r for r in found.results if r.check == "documents.routed")
    assert [*unpacked(row.detail)]
    assert KEY not in expired(row.detail, NOW + dt.timedelta(days=200))
    text = encode(scan_json(found, "vi")).decode() + "".join(jsonl(found, "vi"))
    assert '"total_pairs"' in text
    assert f'"{KEY}"' not in text


def test_a_thousand_take_little_room() -> None:
    pairs = []
    for n in range(1, 1001):
        pairs += [*registered(n), sent(n, day=DAY)]
    detail = one(routed, known(pairs)).detail
    assert len([*unpacked(detail)]) > 900
    assert len(detail[KEY]) < 60 * 1000


def _tampered(value: object) -> str:
    return base64.b85encode(zlib.compress(msgspec.json.encode(value))).decode()


@pytest.mark.parametrize(
    "stored",
    [
        None, 7, "", "x", "not base 85 \N{SNOWMAN}", base64.b85encode(b"no zlib").decode(),
        _tampered({"a": 1}), _tampered([["12", 3]]), _tampered([None]),
        base64.b85encode(zlib.compress(b"[" * 10_000)).decode(),
        base64.b85encode(zlib.compress(b"[]")[:-6]).decode(),
    ],
)  # fmt: skip
def test_what_is_no_such_text_is_nothing(stored: object) -> None:
    assert [*unpacked({KEY: stored})] == []


@PATIENT
@given(st.text(max_size=200) | st.binary(max_size=99).map(lambda b: base64.b85encode(b).decode()))
def test_no_text_breaks_who_asks(text: str) -> None:
    assert [*unpacked({KEY: text})] == []


_LINES = st.lists(
    st.fixed_dictionaries({"place": st.text(max_size=9), "sha256": st.just("ab" * 32)}), max_size=3
)


@PATIENT
@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "key": st.text(max_size=9),
                "date": st.just("2026-11-10"),
                "recipient": st.text(max_size=9),
                "sent": st.none() | st.just("2026-11-11"),
                "register": _LINES,
            }
        )
        | st.just({"secret": True, "date": "2026-11-10", "sha256": "ab" * 32}),
        max_size=5,
    )
)
def test_whatever_a_pair_says_comes_back_and_a_secret_does_not(
    entries: list[dict[str, Any]],
) -> None:
    found = [*unpacked({KEY: packed(entries)})]
    plain = [e for e in entries if "secret" not in e]
    assert [(w["key"], w["recipient"], len(w["register"])) for w in found] == [
        (e["key"], e["recipient"], len(e["register"])) for e in plain
    ]
