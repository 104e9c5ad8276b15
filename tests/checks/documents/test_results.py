"""Which result a pair has: paper, groups, outages, two communes, and what never changes it."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checks.documents.events import DocumentEvent, DocumentEvents, EventKind, SourceKind
from checks.documents.packed import Packed
from checks.documents.pairs import NOT_DUE, Result
from checks.documents.routing import bypass, receipts, routed, timely
from checks.evidence import FailureKind
from checks.model import Status, Subject, Verdict
from tests.helpers.correspondence import AGENCIES, CULTURE, HEALTH, PATIENT, POLICE, UNIT, subject
from tests.helpers.document_events import (
    DAY,
    at,
    known,
    mailed,
    one,
    outage,
    posted,
    registered,
    report,
    sent,
)

ROUTED_BEFORE = 30
"""Of the daily documents, 22 October to 20 November."""
X_ROAD = report(SourceKind.GATEWAY, "xroad.json", "x_road")


def counts(
    *events: DocumentEvent | Sequence[DocumentEvent], subj: Subject | None = None, **more: Any
) -> dict[str, int]:
    found: dict[str, int] = one(routed, known(*events, **more), subj).detail["counts"]
    return found


def result_of(*events: DocumentEvent | Sequence[DocumentEvent], **more: Any) -> str:
    """What became of the one pair beside the daily ones."""
    found = counts(*events, **more)
    (name,) = [r.value for r in Result if r is not Result.UNREGISTERED
               and found[r.value] - ROUTED_BEFORE * (r is Result.ROUTED)]  # fmt: skip
    assert found["pairs"] == ROUTED_BEFORE + 1
    return name


# ------------------------------------------------------------------------------------------ paper


def test_a_letter_by_post_is_paper_and_not_routed() -> None:
    assert result_of(registered(100), posted(100)) == "paper"
    assert result_of(registered(100), posted(100), sent(100)) == "routed"
    assert result_of(registered(100), posted(100, "Sở Văn hóa")) == "no_trace"
    assert result_of(registered(100), posted(100, year=2025)) == "no_trace"
    assert result_of(registered(100), posted(100), mailed(100)) == "bypass"


def test_paper_counts_against_the_rate() -> None:
    verdict = one(routed, known(registered(100), posted(100)))
    assert (verdict.detail["numerator"], verdict.detail["denominator"]) == (30, 31)


def test_a_letter_whose_recipient_is_not_said_proves_nothing_for_any() -> None:
    found = counts(registered(100), posted(100, ""), posted(100, "Ông A"))
    assert (found["no_trace"], found["paper"], found["posted_unclear"]) == (1, 0, 1)


# ----------------------------------------------------------------------------------------- groups

GROUPED = tuple(
    msgspec.structs.replace(a, groups=("UBND các xã, phường",)) if a.code > "H26.7" else a
    for a in AGENCIES
)


def test_a_group_is_as_many_pairs_as_it_has_members() -> None:
    rows = registered(100, "Ủy ban nhân dân CÁC XÃ, PHƯỜNG")
    found = counts(rows, sent(100, "H26.8"), subj=subject(agencies=GROUPED))
    assert (found["routed"], found["no_trace"]) == (ROUTED_BEFORE + 1, 1)
    assert (found["recipients_group_expanded"], found.get("recipients_group")) == (1, None)


def test_a_group_does_not_hold_the_unit_itself() -> None:
    everybody = tuple(msgspec.structs.replace(a, groups=("các cơ quan",)) for a in AGENCIES)
    found = counts(registered(100, "Các cơ quan"), subj=subject(agencies=everybody))
    assert found["no_trace"] == len(AGENCIES) - 1


def test_an_unknown_group_is_counted_and_shown_and_people_are_not() -> None:
    rows = registered(100, "UBND các xã, phường", "Các ông Nguyễn Văn A", "Ông Nguyễn Văn B")
    verdict = one(routed, known(rows))
    assert verdict.detail["groups"] == ["UBND các xã, phường"]
    found = verdict.detail["counts"]
    assert (found["recipients_group"], found["recipients_off_axis"]) == (2, 1)


def test_one_agency_under_its_old_and_its_new_code_is_one_recipient() -> None:
    found = counts(registered(100, "Sở Y tế", HEALTH, "000.00.05.H26"), sent(100, "000.00.05.H26"))
    assert (found["pairs"], found["routed"]) == (ROUTED_BEFORE + 1, ROUTED_BEFORE + 1)


# ------------------------------------------------------------------------------------ two communes


def test_the_same_number_and_sign_of_another_commune_is_not_this_document() -> None:
    assert result_of(registered(100), sent(100, sender="H26.8")) == "no_trace"
    assert result_of(registered(100), sent(100, sender="000.00.12.H26")) == "routed"


def test_senders_that_nobody_can_tell_apart_forbid_a_verdict() -> None:
    nobody = subject(msgspec.structs.replace(UNIT, id="x", name="Phường Mới"))
    events = known(sent(100, sender="H26.8"))
    for check in (routed, receipts, timely, bypass):
        verdict = one(check, events, nobody)
        assert verdict.status is Status.UNKNOWN
        assert verdict.message.id.endswith(".no-code")
        assert verdict.failure is not None
        assert verdict.failure.kind is FailureKind.NOT_DECLARED


# ---------------------------------------------------------------------------------------- outages


def exempt(*events: DocumentEvent | Sequence[DocumentEvent], **more: Any) -> tuple[int, int, int]:
    found = counts(*events, **more)
    return found["exempt"], found["exempt_proven"], found["exempt_word"]


def test_an_outage_is_the_units_word_until_logs_prove_or_refute_it() -> None:
    row = registered(100, reason="SU_CO_HE_THONG")
    assert exempt(row) == (1, 0, 1)
    assert exempt(row, outage(), more=(X_ROAD,)) == (1, 1, 0)
    next_day, later = (outage(DAY + dt.timedelta(days=n)) for n in (1, 2))
    assert exempt(row, next_day, more=(X_ROAD,)) == (1, 1, 0)
    assert exempt(row, later, more=(X_ROAD,)) == (0, 0, 0)
    assert exempt(row, more=(X_ROAD,)) == (0, 0, 0)
    assert result_of(row, more=(X_ROAD,)) == "no_trace"
    silent = report(SourceKind.GATEWAY, "xroad.json", "x_road", days=[DAY + dt.timedelta(days=1)])
    assert exempt(row, more=(silent,)) == (1, 0, 1)


def test_a_mail_on_a_day_of_proven_outage_is_exempt_and_on_another_a_bypass() -> None:
    assert exempt(registered(100), mailed(100), outage(), more=(X_ROAD,)) == (1, 1, 0)
    other = outage(DAY + dt.timedelta(days=1))
    assert result_of(registered(100), mailed(100), other, more=(X_ROAD,)) == "bypass"
    free = mailed(100, "gmail.com")
    assert one(bypass, known(registered(100), free)).detail["total"] == 1
    found = one(bypass, known(registered(100), free, outage(), more=(X_ROAD,)))
    assert found.detail["total"] == 0
    assert found.detail["counts"]["free_mail_on_outage"] == 1


@pytest.mark.parametrize("reason", ["MAT", "LUAT_DINH_GIAY", "NGOAI_TRUC"])
def test_other_reasons_are_the_units_word(reason: str) -> None:
    assert exempt(registered(100, reason=reason)) == (1, 0, 1)


def test_no_outage_excuses_a_secret_in_a_mail() -> None:
    events = (registered(100, reason="MAT"), mailed(100), outage())
    assert result_of(*events, more=(X_ROAD,)) == "bypass"
    assert one(bypass, known(*events, more=(X_ROAD,))).detail["bypasses"][0]["secret"] is True


# ----------------------------------------------------------------------- things that must not help


def test_a_mail_of_today_does_not_excuse_a_document_of_long_ago() -> None:
    today = dt.date(2026, 11, 20)
    assert result_of(registered(100), mailed(100, day=today)) == "no_trace"
    assert result_of(registered(100, day=today), mailed(100, day=today)) == "pending"


def test_a_fresh_mail_to_somebody_the_register_does_not_name_says_nothing_yet() -> None:
    today = dt.date(2026, 11, 20)
    found = counts(registered(100), sent(100), mailed(100, "congan.gov.vn", day=today))
    assert (found["pending"], found["routed"]) == (1, ROUTED_BEFORE + 1)


_TO = st.sampled_from([("Sở Y tế",), ("Sở Văn hóa",), ("Sở Y tế", "Công an thành phố"), ("Ông A",)])
_DAYS = st.integers(0, 10).map(lambda n: DAY + dt.timedelta(days=n))
_NUMBERS = st.integers(100, 106)
_ROWS = st.builds(
    lambda n, to, day, why: registered(n, *to, day=day, reason=why),
    _NUMBERS,
    _TO,
    _DAYS,
    st.sampled_from(["", "", "MAT", "NGOAI_TRUC", "SU_CO_HE_THONG"]),
)
_SENT = st.builds(
    lambda n, to, kind, day, clock: [sent(n, to, kind, day, clock)],
    st.integers(100, 108),
    st.sampled_from([HEALTH, CULTURE, POLICE, "000.00.05.H26", "X.9"]),
    st.sampled_from([EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED,
                     EventKind.REVOKED]),
    _DAYS,
    st.sampled_from(["08:00", "15:00"]),
)  # fmt: skip
_MAILS = st.builds(
    lambda n, to, day, clock: [mailed(n, to, day, clock)],
    st.integers(100, 110),
    st.sampled_from(["soyte.gov.vn", "sovanhoa.gov.vn", "congan.gov.vn", "gmail.com", "vnpt.vn"]),
    _DAYS,
    st.sampled_from(["07:00", "16:00"]),
)
_POST = st.builds(lambda n, to: [posted(n, to[0])], _NUMBERS, _TO)
_WORLD = st.lists(_ROWS | _SENT | _MAILS | _POST, max_size=14)


def verdicts(events: DocumentEvents) -> list[tuple[Verdict, dict[str, object]]]:
    found = [one(check, events) for check in (routed, bypass, receipts, timely)]
    return [(v, dict(v.detail)) for v in found]


@settings(PATIENT, max_examples=60)
@given(_WORLD, st.booleans())
def test_counts_always_add_up(world: list[list[DocumentEvent]], down: bool) -> None:
    more = (X_ROAD,) if down else ()
    verdict = one(routed, known(*world, [outage()] * down, more=more))
    found = verdict.detail["counts"]
    every = [r for r in Result if r is not Result.UNREGISTERED]
    assert sum(found[r.value] for r in every) == found["pairs"]
    assert found["due"] == found["pairs"] - sum(found[r.value] for r in NOT_DUE)
    assert verdict.detail["denominator"] == found["due"]
    assert verdict.detail["numerator"] == sum(found[n] for n in ("routed", "copy", "early"))
    assert found["exempt_proven"] + found["exempt_word"] == found["exempt"]
    assert min(found.values()) >= 0


@settings(PATIENT, max_examples=60)
@given(_WORLD, st.lists(_MAILS, min_size=1, max_size=4))
def test_evidence_of_a_bypass_never_turns_a_fail_into_a_pass(
    world: list[list[DocumentEvent]], mails: list[list[DocumentEvent]]
) -> None:
    """Nor raises the rate; on days of proven outage a mail explains, so there are none here."""
    before, after = known(*world), known(*world, *mails)
    for check in (routed, bypass, receipts, timely):
        was, now = one(check, before), one(check, after)
        if was.status is Status.FAIL:
            assert now.status is Status.FAIL
    was, now = one(routed, before), one(routed, after)
    due, later = was.detail["denominator"], now.detail["denominator"]
    assert now.detail["numerator"] * due <= was.detail["numerator"] * later
    assert one(bypass, after).detail["total"] >= one(bypass, before).detail["total"]


@settings(PATIENT, max_examples=40)
@given(_WORLD, st.randoms(use_true_random=False))
def test_the_order_of_events_never_matters(
    world: list[list[DocumentEvent]], shuffler: random.Random
) -> None:
    events = known(*world)
    mixed = list(events.events)
    shuffler.shuffle(mixed)
    other = msgspec.structs.replace(events, events=tuple(mixed))
    assert verdicts(other) == verdicts(events)


@settings(PATIENT, max_examples=40)
@given(_WORLD)
def test_a_source_given_twice_changes_nothing(world: list[list[DocumentEvent]]) -> None:
    events = known(*world)
    twice = msgspec.structs.replace(events, events=(*events.events, *events.events))
    packed = msgspec.structs.replace(events, events=Packed(twice.events))
    assert verdicts(packed) == verdicts(events)
    assert verdicts(twice) == verdicts(events)


def test_a_refusal_told_twice_leaves_the_day_of_sending_as_it_was() -> None:
    """A list and a status message may both tell it; sending anew is another matter."""
    sent_on = [sent(100, kind=EventKind.SENT_GATEWAY, clock="08:00")]
    refused = sent(100, kind=EventKind.REFUSED, day=DAY + dt.timedelta(days=1), clock="08:00")
    again = sent(100, kind=EventKind.SENT_GATEWAY, day=DAY + dt.timedelta(days=2))

    def day(*events: DocumentEvent) -> str:
        (pair,) = one(receipts, known(registered(100), *events)).detail["pairs"]
        return str(pair["sent"])

    assert day(*sent_on, refused) == day(*sent_on, refused, refused) == "2026-11-10"
    assert day(*sent_on, refused, again) == "2026-11-12"


def test_what_was_matched_for_one_scan_is_not_taken_for_another() -> None:
    subj = subject()
    first, second = known(registered(100)), known(registered(100), sent(100))
    assert one(routed, first, subj).detail["counts"]["no_trace"] == 1
    assert one(routed, second, subj).detail["counts"]["no_trace"] == 0
    assert one(routed, first, subj).detail["counts"]["no_trace"] == 1


def test_one_mail_to_fifty_recipients_is_a_pair_for_each_agency_and_no_more() -> None:
    domains = ["soyte.gov.vn", "sovanhoa.gov.vn", "congan.gov.vn", "hoankiem.gov.vn"]
    domains += [f"cty{n}.vn" for n in range(46)]
    mails = [mailed(100, domain) for domain in domains]
    verdict = one(bypass, known(registered(100), mails))
    assert sorted(b["recipient"] for b in verdict.detail["bypasses"]) == [HEALTH, CULTURE, POLICE]
    found = verdict.detail["counts"]
    assert (found["bypass"], found["mails_internal"], found["mails_off_axis"]) == (3, 1, 46)


def test_an_outage_of_several_days_covers_each_of_them() -> None:
    row = registered(100, reason="SU_CO_HE_THONG")
    long = msgspec.structs.replace(
        outage(DAY - dt.timedelta(days=3)), until=at(DAY - dt.timedelta(days=1))
    )
    assert exempt(row, long, more=(X_ROAD,)) == (0, 0, 0)
    longer = msgspec.structs.replace(long, until=at(DAY))
    assert exempt(row, longer, more=(X_ROAD,)) == (1, 1, 0)
