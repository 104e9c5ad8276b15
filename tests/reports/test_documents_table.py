"""The table of documents: every pair in one place, and sums that are shown to be right."""

from __future__ import annotations

import copy
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.pairs import NOT_DUE, ROUTED, Result
from checks.documents.routing import routed
from checks.model import Status
from reports.build import build
from reports.documents import BLOCKS, documents_view
from reports.model import Report
from reports.model_documents import DocumentsView
from reports.to_html import html
from reports.to_json import report_json
from reports.to_terminal import summary_text
from tests.helpers.correspondence import PATIENT
from tests.helpers.document_events import known, mailed, one, posted, registered
from tests.helpers.scans import NOW, VOICE, row, scan, unit

VERDICT = one(
    routed,
    known(
        registered(100),
        mailed(100),
        registered(101, "Sở Y tế", "UBND các xã, phường"),
        posted(101),
        registered(102, reason="LUAT_DINH_GIAY"),
    ),
)


def report(detail: dict[str, Any], language: Any = "vi", status: Status = Status.FAIL) -> Report:
    found = row("documents.routed", status, "u1", detail=detail)
    made = scan([found], [unit("u1")])
    made = msgspec.structs.replace(
        made, info=msgspec.structs.replace(made.info, selection=_one_unit(made.info.selection))
    )
    return build(
        made,
        previous=None,
        opened={},
        reopened=frozenset(),
        now=NOW,
        language=language,
        voice=VOICE,
    )


def _one_unit(selection: Any) -> Any:
    return msgspec.structs.replace(selection, units=("u1",))


def view(detail: dict[str, Any], status: Status = Status.FAIL) -> DocumentsView:
    found = documents_view([row("documents.routed", status, "u1", detail=detail)])
    assert found is not None
    return found


def test_every_result_of_a_pair_stands_in_one_block() -> None:
    every = [name for names in BLOCKS.values() for name in names]
    assert sorted(every) == sorted(r.value for r in Result if r is not Result.UNREGISTERED)
    assert set(BLOCKS["routed"]) == {r.value for r in ROUTED}
    assert set(BLOCKS["not_due"]) == {r.value for r in NOT_DUE}


def test_the_sums_of_a_real_verdict() -> None:
    found = view(VERDICT.detail)
    assert (found.pairs, found.due, found.routed, found.adds_up) == (33, 32, 30, True)
    assert [(b.key, b.n) for b in found.blocks] == [
        ("routed", 30),
        ("not_routed", 2),
        ("not_due", 1),
    ]
    assert found.coverage == found.mail_coverage == 1.0
    assert [c.key for c in found.basis] == ["exempt_word"]
    assert found.groups == ("UBND các xã, phường",)


@pytest.mark.parametrize("name", ["pairs", "due", "bypass", "routed", "exempt"])
def test_sums_that_are_wrong_are_called_wrong(name: str) -> None:
    detail = copy.deepcopy(VERDICT.detail)
    detail["counts"][name] += 1
    assert view(detail).adds_up is False
    assert "CỘNG KHÔNG ĐÚNG" in html(report(detail))
    assert "CỘNG KHÔNG ĐÚNG" in summary_text(report(detail), False, 200)


@pytest.mark.parametrize(
    ("language", "marks"),
    [
        ("vi", ["30 + 2 + 1 = 33 lượt; phải qua trục: 30 + 2 = 32", "gửi vòng ngoài 1",
                "chỉ gửi giấy 1", "theo ghi nhận của đơn vị 1", "nhật ký thư 100%",
                "UBND các xã, phường"]),
        ("en", ["30 + 2 + 1 = 33 transmissions; due: 30 + 2 = 32", "around the system 1",
                "paper only 1", "the unit's own word 1", "the mail log 100%"]),
    ],
)  # fmt: skip
def test_page_and_terminal_show_the_sums_and_the_coverage(language: str, marks: list[str]) -> None:
    made = report(VERDICT.detail, language)
    page = html(made).replace("&#39;", "'")
    shown = " ".join(summary_text(made, False, 300).split())
    for mark in marks:
        assert mark in page
        assert mark in shown


def test_where_nothing_can_be_told_no_rate_is_shown() -> None:
    page = html(report(VERDICT.detail, status=Status.UNKNOWN))
    assert "không kết luận được tỷ lệ qua trục" in page
    assert "30 trên 32" not in page
    assert "30 trên 32" in html(report(VERDICT.detail))


def test_the_json_carries_the_same() -> None:
    (found,) = report_json(report(VERDICT.detail))["units"]
    assert found["documents"]["adds_up"] is True
    assert [b["n"] for b in found["documents"]["blocks"]] == [30, 2, 1]


def test_nothing_counted_is_no_table() -> None:
    assert documents_view([]) is None
    assert documents_view([row("documents.bypass", Status.FAIL, detail=VERDICT.detail)]) is None
    assert "Văn bản đi trong kỳ" not in html(report({}))


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@PATIENT
@given(st.sampled_from(sorted(VERDICT.detail)), _ANY)
def test_no_detail_of_any_shape_costs_the_report(key: str, value: Any) -> None:
    detail = {**copy.deepcopy(VERDICT.detail), key: value}
    found = documents_view([row("documents.routed", Status.FAIL, "u1", detail=detail)])
    assert found is None or found.pairs >= 0 or isinstance(value, dict)
