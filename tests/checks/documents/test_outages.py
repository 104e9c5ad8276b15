"""An outage of the axis excuses by the minute: what was mailed in it, and what was due in it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from checks.documents.events import DocumentEvent, FoundIn, MailTrace, SourceKind
from checks.documents.outages import during, outages_of
from checks.documents.pairs import Result
from checks.documents.routing import bypass, routed
from tests.helpers.document_events import (
    DAY,
    at,
    known,
    mailed,
    one,
    outage,
    registered,
    report,
    sent,
)

X_ROAD = report(SourceKind.GATEWAY, "xroad.json", "x_road")
NEXT = DAY + dt.timedelta(days=1)
CLAIMED = registered(100, reason="SU_CO_HE_THONG")
MORNING = outage(begin="09:00", end="09:40")


def result_of(*events: DocumentEvent | Sequence[DocumentEvent]) -> str:
    """What became of document 100 for its one recipient, on days that the exchange's log shows."""
    detail = one(routed, known(*events, more=(X_ROAD,))).detail
    (found,) = [p["result"] for p in detail["pairs"]]
    return str(found)


def seconds(mail: DocumentEvent, clock: str) -> DocumentEvent:
    return msgspec.structs.replace(mail, time=at(DAY, clock))


# ------------------------------------------------------------------------------- mails, by minute


@pytest.mark.parametrize(
    ("clock", "result"),
    [
        ("08:59", "bypass"),
        ("08:59:59", "bypass"),
        ("09:00", "exempt"),
        ("09:20", "exempt"),
        ("09:40", "exempt"),
        ("09:40:59", "exempt"),
        ("09:41", "bypass"),
        ("16:00", "bypass"),
    ],
)
def test_only_a_mail_within_the_minutes_of_an_outage_is_exempt(clock: str, result: str) -> None:
    mail = seconds(mailed(100), clock)
    assert result_of(registered(100), mail, MORNING) == result
    free = seconds(mailed(100, "gmail.com"), clock)
    found = one(bypass, known(registered(100), free, MORNING, more=(X_ROAD,))).detail
    assert (found["total"], found["counts"].get("free_mail_on_outage", 0)) == (
        (0, 1) if result == "exempt" else (1, 0)
    )


def test_an_outage_seen_within_a_minute_lasts_all_of_it() -> None:
    late = msgspec.structs.replace(MORNING, time=at(DAY, "09:00:30"), until=at(DAY, "09:40:10.5"))
    assert result_of(registered(100), seconds(mailed(100), "09:00:05"), late) == "exempt"
    assert result_of(registered(100), seconds(mailed(100), "09:40:50"), late) == "exempt"


def test_an_outage_over_midnight_is_one_in_the_zone_of_no_matter_what() -> None:
    """23:50 to 00:20 in Hà Nội is one afternoon in UTC."""
    night = msgspec.structs.replace(MORNING, time=at(DAY, "23:50"), until=at(NEXT, "00:20"))
    assert {t.date() for t in (night.time, night.until) if t} == {DAY}
    for day, clock, result in (
        (DAY, "23:49", "bypass"), (DAY, "23:50", "exempt"), (NEXT, "00:20", "exempt"),
        (NEXT, "00:21", "bypass"),
    ):  # fmt: skip
        assert result_of(registered(100), mailed(100, day=day, clock=clock), night) == result


def test_an_outage_without_an_end_is_proven_for_its_minute_only() -> None:
    instant = msgspec.structs.replace(MORNING, until=None)
    assert result_of(registered(100), mailed(100, clock="09:00"), instant) == "exempt"
    assert result_of(registered(100), mailed(100, clock="09:01"), instant) == "bypass"
    backwards = msgspec.structs.replace(MORNING, until=at(DAY, "08:00"))
    assert outages_of([backwards]) == outages_of([instant])


def test_the_first_mail_decides_whatever_followed() -> None:
    before, within, after = (mailed(100, clock=c) for c in ("08:00", "09:10", "16:00"))
    assert result_of(registered(100), within, after, MORNING) == "exempt"
    assert result_of(registered(100), before, within, MORNING) == "bypass"
    weaker = mailed(100, clock="08:00", trace=MailTrace(found=FoundIn.SUBJECT, size=250_000))
    assert result_of(registered(100), weaker, within, MORNING) == "bypass"


def test_a_mail_beside_the_axis_is_a_copy_outage_or_not() -> None:
    events = (registered(100), sent(100), mailed(100, clock="09:10"), MORNING)
    assert one(routed, known(*events, more=(X_ROAD,))).detail["counts"]["early"] == 1


# -------------------------------------------------------- documents whose register names an outage


def test_a_document_had_time_until_the_end_of_the_next_working_day() -> None:
    assert result_of(CLAIMED, MORNING) == "exempt"
    assert result_of(CLAIMED, outage(NEXT, "23:50", "23:59")) == "exempt"
    last = msgspec.structs.replace(
        MORNING, time=at(NEXT + dt.timedelta(days=1), "00:00"), until=None
    )
    assert result_of(CLAIMED, last) == "no_trace"
    eve = msgspec.structs.replace(
        MORNING, time=at(DAY - dt.timedelta(days=1), "23:00"), until=at(DAY, "00:00")
    )
    assert result_of(CLAIMED, eve) == "exempt"
    assert result_of(CLAIMED, outage(DAY - dt.timedelta(days=1), "23:00", "23:59")) == "no_trace"


@pytest.mark.parametrize(
    ("day", "clock", "result"),
    [
        (DAY, "08:59", "bypass"),
        (DAY, "09:00", "exempt"),
        (DAY, "16:00", "exempt"),
        (NEXT, "23:59", "exempt"),
        (NEXT + dt.timedelta(days=1), "00:00", "bypass"),
    ],
)
def test_the_outage_that_a_register_names_must_come_before_the_mail(
    day: dt.date, clock: str, result: str
) -> None:
    assert result_of(CLAIMED, mailed(100, day=day, clock=clock), MORNING) == result


def test_where_no_log_shows_the_days_the_registers_word_stands() -> None:
    mail = mailed(100, clock="08:00")
    detail = one(routed, known(CLAIMED, mail, MORNING)).detail
    assert [(p["result"], p["exempt"]["basis"]) for p in detail["pairs"]] == [("exempt", "word")]


def test_no_outage_lets_a_mail_with_a_secrecy_mark_go() -> None:
    marked = mailed(
        100, clock="09:10", trace=MailTrace(found=FoundIn.NAME, size=9, leading=True, secret=True)
    )
    for row in (registered(100), CLAIMED):
        found = one(routed, known(row, marked, MORNING, more=(X_ROAD,))).detail["counts"]
        assert (found["bypass"], found["exempt"]) == (1, 0)


# ------------------------------------------------------------------------------ what is shown of it


@pytest.mark.parametrize("row", [registered(100), CLAIMED], ids=["no reason", "reason"])
def test_the_proof_is_the_line_of_the_outage_from_when_to_when(row: list[DocumentEvent]) -> None:
    other = outage(begin="15:00", end="15:30")
    detail = one(
        routed, known(row, mailed(100, clock="15:10"), other, MORNING, more=(X_ROAD,))
    ).detail
    (proof,) = detail["pairs"][0]["exempt"]["proof"]
    assert (proof["time"], proof["until"]) == (
        at(DAY, "15:00").isoformat(),
        at(DAY, "15:30").isoformat(),
    )
    assert proof["sha256"] == other.place.sha256


def test_an_outage_of_the_next_day_is_shown_as_the_proof_it_is() -> None:
    tomorrow = outage(NEXT)
    detail: dict[str, Any] = one(routed, known(CLAIMED, tomorrow, more=(X_ROAD,))).detail
    (proof,) = detail["pairs"][0]["exempt"]["proof"]
    assert proof["sha256"] == tomorrow.place.sha256


def test_outages_that_touch_are_one_and_the_order_of_lines_never_matters() -> None:
    parts = [outage(begin="09:00", end="09:19"), outage(begin="09:20", end="09:40"), MORNING]
    assert outages_of(parts) == outages_of(parts[::-1]) == outages_of([MORNING])
    apart = outages_of([outage(begin="11:00", end="11:30"), MORNING])
    assert len(apart) == 2
    assert [during(apart, at(DAY, c)) for c in ("08:00", "10:00", "12:00")] == [None] * 3
    assert during(apart, at(DAY, "11:30")) is apart[1]


def test_every_result_is_still_one_of_those_that_add_up() -> None:
    found = one(routed, known(CLAIMED, mailed(100), MORNING, more=(X_ROAD,))).detail["counts"]
    every = [r for r in Result if r is not Result.UNREGISTERED]
    assert sum(found[r.value] for r in every) == found["pairs"]
