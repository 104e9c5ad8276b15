"""What led to a verdict about documents, told from stored rows alone."""

from __future__ import annotations

import datetime as dt
import hashlib
import subprocess
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import EventKind, SourceKind
from checks.documents.traces import LINES, TRACED
from checks.documents.went import unpacked
from checks.model import Status
from checks.results import Result, Scan
from inventory.model import Agency
from reports.explain.build import ExplainError, explain
from reports.explain.model import Explanation
from reports.explain.to_text import to_text
from tests.helpers.correspondence import AGENCIES, CULTURE, HEALTH, NOW, PATIENT, subject
from tests.helpers.document_events import (
    DAY,
    MAIL,
    known,
    mailed,
    outage,
    posted,
    registered,
    report,
    secret,
    sent,
)
from tests.helpers.document_scans import rows, scan

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NUMBER = "100/2026/QD-UBND-HK"
HOSTILE = "\x1b[31mred\x1b]0;title\x07\u202e<script>"


def of(*events: Any, more: Any = ()) -> Scan:
    subj = subject()
    return scan(rows(known(*events, more=tuple(more)), subj), subj)


def row_of(found: Scan, check: str) -> Result:
    return next(r for r in found.results if r.check == f"documents.{check}")


def told(found: Scan, check: str, language: str = "en") -> Explanation:
    return explain(found, row_of(found, check).fingerprint, "", language)


def lines(found: Explanation) -> list[str]:
    return to_text(found, "en", ZONE).splitlines()


BYPASS = (*registered(100), mailed(100))


def test_a_bypass_is_told_down_to_the_lines() -> None:
    (case,) = told(of(*BYPASS), "bypass").cases
    assert (case.number, case.result) == (NUMBER, "bypass")
    assert case.recipient == f"{HEALTH} (Sở Y tế)"
    by_source = {s.source: s for s in case.sources}
    assert [ln.place for ln in by_source["register"].lines] == ["register.csv:100"]
    (mail,) = by_source["mails"].lines
    assert mail.place == "mail.csv:100"
    assert len(mail.sha256) == 64
    assert mail.time == dt.datetime(2026, 11, 10, 9, tzinfo=dt.UTC)
    assert "grade A" in mail.grade
    assert "gateway" not in by_source
    assert "no line for the pair" in case.because


@pytest.mark.parametrize(
    ("events", "result", "sources"),
    [
        ((), "no_trace", {"register"}),
        ((sent(100, kind=EventKind.SENT_GATEWAY),), "sent_no_receipt", {"register", "gateway"}),
        ((sent(100, kind=EventKind.REFUSED),), "refused", {"register", "gateway"}),
        ((sent(100, kind=EventKind.REVOKED),), "revoked", {"register", "gateway"}),
        ((posted(100),), "paper", {"register", "post"}),
        ((sent(100), mailed(100)), "copy", {"register", "gateway", "mails"}),
        ((sent(100), mailed(100, clock="09:00")), "early", {"register", "gateway", "mails"}),
    ],
)
def test_every_result_names_its_lines_and_its_rule(
    events: tuple[Any, ...], result: str, sources: set[str]
) -> None:
    found = explain(of(*registered(100), *events), "100/QĐ-UBND-HK", "00070", "vi")
    (case,) = found.cases
    assert case.result == result
    assert {s.source for s in case.sources} == sources
    assert case.title
    assert case.because


def test_what_went_through_is_told_down_to_the_lines_when_it_is_asked_for() -> None:
    packet = sent(100, kind=EventKind.SENT_GATEWAY, clock="14:00")
    receipt = sent(100, clock="15:30")
    found = of(*registered(100), packet, receipt)
    explained = explain(found, "100/QĐ-UBND-HK", "00070", "en")
    (case,) = explained.cases
    assert explained.found
    assert (case.number, case.result, case.date) == (NUMBER, "routed", "2026-11-10")
    assert case.recipient == f"{HEALTH} (Sở Y tế)"
    by_source = {s.source: s.lines for s in case.sources}
    assert set(by_source) == {"register", "gateway"}
    (row,) = by_source["register"]
    assert row.place == "register.csv:100"
    assert [(ln.place, ln.said, ln.time) for ln in by_source["gateway"]] == [
        ("gateway.csv:100", "sent", packet.time),
        ("gateway.csv:100", "with a receipt", receipt.time),
    ]
    for line, event in zip(by_source["gateway"], (packet, receipt), strict=True):
        assert line.sha256 == f"{event.place.sha256[:16]}…"
    assert f"SHA-256 {receipt.place.sha256[:16]}…" in "\n".join(lines(explained))
    # The row itself lists what did not go through.
    assert told(found, "routed").cases == ()


def test_of_what_went_through_only_the_latest_are_kept_and_the_note_says_of_how_many() -> None:
    subj = subject()
    few: dict[str, Any] = {"documents.routed": {"went": 8}}
    kept = scan(rows(known(*registered(100), sent(100)), subj, **few), subj)
    assert explain(kept, "40/QĐ-UBND-HK", "00070", "en").found
    lost = explain(kept, "12/QĐ-UBND-HK", "00070", "en")
    assert not lost.found
    assert not lost.cases
    absent = next(n for n in lost.notes if "12/QĐ-UBND-HK" in n)
    assert "31 transmissions" in absent
    assert "latest 8 are" in absent
    assert any("register.csv" in n and "mail.csv" in n for n in lost.notes)
    few["documents.routed"]["went"] = 0
    none = scan(rows(known(), subj, **few), subj)
    assert not explain(none, "40/QĐ-UBND-HK", "00070", "en").found


def test_exempt_by_a_fault_shows_its_proof() -> None:
    exchange = report(SourceKind.GATEWAY, "x-road.json", "x_road")
    events = (*registered(100, reason="SU_CO_HE_THONG"), outage())
    (case,) = explain(of(*events, more=[exchange]), "100/QĐ-UBND-HK", "00070", "en").cases
    assert case.result == "exempt"
    assert ("Reason", "SU_CO_HE_THONG: fault of the system") in case.facts
    assert any(label == "Ground" and "prove" in text for label, text in case.facts)
    (proof,) = [s for s in case.sources if s.source == "outage"]
    (line,) = proof.lines
    assert (line.time, line.until) == (
        dt.datetime(2026, 11, 10, 2, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 10, 10, tzinfo=dt.UTC),
    )


def test_exempt_by_the_registers_word_says_so() -> None:
    events = registered(100, reason="LUAT_DINH_GIAY")
    (case,) = explain(of(*events), "100/QĐ-UBND-HK", "00070", "en").cases
    assert any("no log proves or refutes" in text for _, text in case.facts)
    assert "outage" not in {s.source for s in case.sources}


def test_one_case_for_each_agency() -> None:
    events = (*registered(100, "Sở Y tế", "Sở Văn hóa"), sent(100), mailed(100, "sovanhoa.gov.vn"))
    found = explain(of(*events), "100/QĐ-UBND-HK", "00070", "en")
    by_agency = {c.recipient.split()[0]: c for c in found.cases}
    assert {to: c.result for to, c in by_agency.items()} == {CULTURE: "bypass", HEALTH: "routed"}
    assert set(by_agency[CULTURE].found_in) == {
        f"{r.check}/{r.fingerprint[:4]}"
        for r in of(*events).results
        if r.check in {"documents.routed", "documents.bypass"}
    }


def test_a_shorter_sign_finds_the_longer_and_says_so() -> None:
    found = explain(of(*BYPASS), "100/QĐ-UBND", "00070", "en")
    assert [c.number for c in found.cases] == [NUMBER]
    assert any("begins with it" in n for n in found.notes)
    assert explain(of(*BYPASS), "100/2025/QĐ-UBND-HK", "00070", "en").cases == ()


# ---------------------------------------------------------------------------------------- secrets


@pytest.mark.parametrize(
    "events",
    [
        (*registered(7007), secret(7007)),
        (*registered(7007, reason="MAT"),),
        (*registered(7007, reason="MAT"), mailed(7007)),
        (*registered(7007, reason="MAT"), sent(7007), mailed(7007)),
        (*registered(7007, reason="MAT"), sent(7007, kind=EventKind.SENT_GATEWAY), mailed(7007)),
        (
            *registered(7007, "Sở Y tế", "Sở Văn hóa"),
            sent(7007),
            secret(7007, to="sovanhoa.gov.vn"),
        ),
    ],
    ids=["marked mail", "exempt", "mailed", "mailed and sent", "no receipt", "routed elsewhere"],
)
def test_of_a_secret_only_the_day_and_the_hash(events: tuple[Any, ...]) -> None:
    found = of(*events)
    went = [*unpacked(row_of(found, "routed").detail)]
    assert len(went) > 20
    kept = msgspec.json.encode([*(r.detail for r in found.results), went]).decode()
    # That the series runs up to it tells nothing of the document.
    assert "7007/" not in kept
    assert ":7007" not in kept.replace('"last":7007', "")
    asked = explain(found, "7007/QĐ-UBND-HK", "00070", "en")
    assert not asked.found
    cases = told(found, "routed").cases
    if cases:
        (case,) = [c for c in cases if c.secret]
        assert (case.number, case.recipient, case.sources) == ("", "", ())
        assert case.date == DAY.isoformat()
        assert len(case.sha256) == 64
        assert "7007" not in to_text(told(found, "routed"), "en", ZONE)


def test_the_row_of_secrecy_marks_gives_days_and_hashes() -> None:
    found = told(of(*registered(7007), secret(7007)), "secret-mark")
    (case,) = found.cases
    assert (case.secret, case.date, case.number) == (True, DAY.isoformat(), "")
    assert case.sha256 in to_text(found, "en", ZONE)
    assert found.total == 1


def test_numbers_given_twice_are_listed_but_those_of_secrets() -> None:
    twice = [*registered(300), *registered(300, day=dt.date(2026, 11, 12))]
    hidden = [*registered(7007, reason="MAT"), *registered(7007, day=dt.date(2026, 11, 12))]
    found = told(of(*twice, *hidden), "numbering")
    assert [(c.number, c.secret) for c in found.cases] == [
        ("300/2026/QD-UBND-HK", False),
        ("", True),
    ]
    assert any("2026-11-10, 2026-11-12" in text for _, text in found.cases[0].facts)


# ------------------------------------------------------------------------------------- being asked


@pytest.mark.parametrize(
    ("asked", "unit", "says"),
    [
        ("100/QĐ-UBND-HK", "", "add --unit ID"),
        ("100/QĐ-UBND-HK", "00071", "no unit is called '00071'"),
        ("documents.bypass/0000", "", "has no row of documents"),
        ("0000", "", "has no row of documents"),
        ("4f", "", "is no id of a row and no document number"),
        ("tiếng Việt", "", "is no id of a row and no document number"),
        ("", "", "is no id of a row and no document number"),
        (HOSTILE, "", "is no id of a row"),
        ("12/", "00070", "is no id of a row"),
    ],
)
def test_what_cannot_be_explained_is_one_line_with_a_remedy(
    asked: str, unit: str, says: str
) -> None:
    with pytest.raises(ExplainError) as caught:
        explain(of(*BYPASS), asked, unit, "en")
    said = str(caught.value)
    assert says in said
    assert "\n" not in said
    assert "\x1b" not in said


def test_an_id_may_be_written_as_the_reports_show_it() -> None:
    found = of(*BYPASS)
    row = row_of(found, "bypass")
    for asked in (row.fingerprint, row.fingerprint[:8], f"documents.bypass/{row.fingerprint[:4]}"):
        (shown,) = explain(found, asked, "", "en").rows
        assert shown.fingerprint == row.fingerprint


def test_an_ambiguous_id_names_the_rows() -> None:
    found = of(*BYPASS)
    twins = [
        msgspec.structs.replace(r, fingerprint=f"abcd{n:012x}") for n, r in enumerate(found.results)
    ]
    with pytest.raises(ExplainError, match="give more of the id"):
        explain(msgspec.structs.replace(found, results=tuple(twins)), "abcd", "", "en")


def test_a_row_of_another_family_is_none_of_ours() -> None:
    found = of(*BYPASS)
    other = msgspec.structs.replace(
        found.results[0], check="backup.recent", fingerprint="feed000000000000"
    )
    with pytest.raises(ExplainError, match="it is a row of backup"):
        explain(msgspec.structs.replace(found, results=(other,)), "feed", "", "en")


# -------------------------------------------------------------------------------------- the limits


def test_long_lists_are_cut_and_the_total_is_said() -> None:
    events = [e for n in range(500, 500 + TRACED + 7) for e in registered(n)]
    found = told(of(*events), "routed")
    assert (len(found.cases), found.total) == (TRACED, TRACED + 7)
    assert any(f"{TRACED} of {TRACED + 7} cases" in n for n in found.notes)


def test_many_lines_of_one_pair_are_cut_and_counted() -> None:
    tries = [sent(100, kind=EventKind.REFUSED, clock=f"{8 + n:02}:00") for n in range(LINES + 3)]
    (case,) = explain(of(*registered(100), *tries), "100/QĐ-UBND-HK", "00070", "en").cases
    (gateway,) = [s for s in case.sources if s.source == "gateway"]
    assert (len(gateway.lines), gateway.total) == (LINES, LINES + 3)


def test_a_unit_that_could_not_be_compared_says_why() -> None:
    subj = subject()
    bare = known(sources=(MAIL,))
    unread = [
        msgspec.structs.replace(r, status=Status.UNKNOWN, detail={})
        for r in rows(bare, subj)
        if r.check == "documents.routed"
    ]
    found = explain(scan(unread, subj), "100/QĐ-UBND-HK", "00070", "en")
    assert not found.found
    assert any("could not compare" in n for n in found.notes)


def test_a_unit_out_of_the_scan_is_said() -> None:
    subj = subject()
    with pytest.raises(ExplainError, match="did not look at the documents of unit 00070"):
        explain(scan([], subj), "100/QĐ-UBND-HK", "00070", "en")


# ----------------------------------------------------------------------------------- hostile text


def test_nothing_hostile_reaches_the_terminal() -> None:
    """Files on a host may be called anything; a stored detail may have any shape."""
    found = of(*BYPASS)
    row = row_of(found, "bypass")
    pair = {"key": NUMBER, "recipient": HEALTH, "result": HOSTILE, "date": HOSTILE}
    bad = {**pair, "register": [{"place": f"/var/{HOSTILE}:1", "sha256": HOSTILE}], "mails": 7}
    odd = {
        "bypasses": [bad, 3, None, {"secret": True}],
        "period": 5,
        "counts": [HOSTILE],
        "gaps": 1,
    }
    agency = Agency(code=HEALTH, name=f"Sở {HOSTILE}")
    inventory = msgspec.structs.replace(found.inventory, agencies=(agency, *AGENCIES[2:]))
    hostile = msgspec.structs.replace(
        found,
        results=(msgspec.structs.replace(row, detail=odd),),
        inventory=inventory,
    )
    shown = explain(hostile, row.fingerprint, "", "vi")
    for text in (to_text(shown, "vi", ZONE), msgspec.json.encode(shown).decode()):
        assert not {"\x1b", "\x07", "\u202e"} & set(text)
    assert len(shown.cases) == 2


KEYS = st.sampled_from([
    "pairs", "bypasses", "documents", "lines", "duplicates", "key", "secret", "place", "sha256",
    "mails", "register", "gateway", "exempt", "proof", "date", "dates", "state", "recipient",
    "time", "period", "counts", "covered", "gaps", "coverage", "total", "total_pairs", "expired",
    "flows",
])  # fmt: skip
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
    | st.sampled_from([NUMBER, HOSTILE, "2026-11-10", "bypass", "9" * 5000]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=20,
)  # fmt: skip


@PATIENT
@given(st.dictionaries(KEYS, VALUES, max_size=8), st.sampled_from(["routed", "bypass", "x"]))
def test_a_stored_detail_may_be_anything(detail: dict[str, Any], check: str) -> None:
    base = of_nothing()
    row = msgspec.structs.replace(base.results[0], check=f"documents.{check}", detail=detail)
    found = msgspec.structs.replace(base, results=(row,))
    for asked, unit in ((row.fingerprint, ""), ("100/QĐ-UBND-HK", "00070")):
        shown = explain(found, asked, unit, "vi")
        text = to_text(shown, "vi", ZONE) + msgspec.json.encode(shown).decode()
        assert not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize("share", [float("inf"), float("nan"), -1, 10**400, 2])
def test_a_share_that_is_none_is_left_out(share: float) -> None:
    base = of_nothing()
    row = msgspec.structs.replace(
        row_of(base, "routed"),
        detail={"period": [1, 2], "coverage": share, "covered": {"mail": share}},
    )
    found = explain(msgspec.structs.replace(base, results=(row,)), row.fingerprint, "", "en")
    assert not any("%" in text for _, text in found.facts)


@cache
def of_nothing() -> Scan:
    return of()


def test_both_languages_have_every_word() -> None:
    found = of(*BYPASS, *registered(101), *registered(102, reason="NGOAI_TRUC"))
    vi, en = told(found, "routed", "vi"), told(found, "routed", "en")
    assert [c.result for c in vi.cases] == [c.result for c in en.cases]
    assert "Gửi vòng ngoài hệ thống" in to_text(vi, "vi", ZONE)
    assert "Gửi" not in to_text(en, "en", ZONE)
    assert lines(en)[0].startswith("Explanation of ")


def test_the_moment_of_the_scan_is_in_the_projects_zone() -> None:
    assert any("17:00 20 Nov 2026" in line for line in lines(told(of(*BYPASS), "bypass")))
    assert dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC) == NOW


def test_the_hash_of_a_line_is_found_as_the_explanation_says(tmp_path: Path) -> None:
    """The command is the one printed, with the file and line put in."""
    note = next(n for n in told(of(*BYPASS), "bypass").notes if "sha256sum" in n)
    log = tmp_path / "mail.log"
    log.write_bytes("dòng một\r\ndòng hai\r\n".encode())
    command = note.split("For example: ")[1].split(" (compressed")[0]
    command = command.replace("LINE", "2").replace("FILE", str(log))
    said = subprocess.run(command, shell=True, capture_output=True, text=True, check=True).stdout
    assert said.split()[0] == hashlib.sha256("dòng hai".encode()).hexdigest()
