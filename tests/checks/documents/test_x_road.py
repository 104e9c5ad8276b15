"""X-Road's own monitoring: volume, days that were watched, outages from–to; never a document."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tracemalloc
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources import gateway_codes, x_road, x_road_calls, x_road_records
from checks.documents.sources.reading import Reading
from checks.documents.sources.x_road import read_x_road
from checks.evidence import FailureKind, Unparsable
from inventory.model import Unit, UnitKind
from tests.helpers.correspondence import AGENCIES, PATIENT, UNIT, ZONE, entry
from tests.helpers.x_road import NETWORK, call, stamp

Records = Sequence[dict[str, Any]]


def read(*files: str | bytes, unit: Unit = UNIT) -> tuple[list[DocumentEvent], SourceReport]:
    reading = Reading(
        name="opmon/*", zone=ZONE, directory=Directory(AGENCIES, unit), finder=Finder(())
    )
    found = [entry(f"opmon/{n}.json", data) for n, data in enumerate(files)]
    events, report = read_x_road(found, reading)
    return list(events), report


def of(*records: dict[str, Any], unit: Unit = UNIT) -> tuple[list[DocumentEvent], SourceReport]:
    return read(json.dumps(records, ensure_ascii=False), unit=unit)


def failures(*times: str) -> list[dict[str, Any]]:
    return [call(at, NETWORK) for at in times]


GOOD = [call("2026-11-10 08:00"), call("2026-11-11 08:00", service="H26.6")]
SHAPES: dict[str, Callable[[Records], str | bytes]] = {
    "array": json.dumps,
    "lines": lambda r: "\n".join(map(json.dumps, r)),
    "answer": lambda r: json.dumps({"records": r, "nextRecordsFrom": 5}),
    "pretty": lambda r: json.dumps({"records": r}, indent=2, ensure_ascii=False),
    "wrapped": lambda r: json.dumps({"hits": {"hits": [{"_id": "a{", "_source": x} for x in r]}}),
    "crlf, BOM": lambda r: ("\ufeff" + "\r\n".join(map(json.dumps, r)) + "\r\n").encode(),
    "UTF-16": lambda r: json.dumps(r).encode("utf-16"),
    "text times": lambda r: json.dumps([{**x, "requestInTs": str(x["requestInTs"])} for x in r]),
}


@pytest.mark.parametrize("shape", list(SHAPES))
def test_every_shape_says_the_same(shape: str) -> None:
    records = [*GOOD, *failures("2026-11-12 09:00", "2026-11-12 09:20")]
    events, report = read(SHAPES[shape](records))
    assert [e.kind for e in events] == [EventKind.OUTAGE]
    assert (report.lines, report.unparsed, report.extra["calls"]) == (4, 0, 4)
    assert report.days == frozenset(dt.date(2026, 11, d) for d in (10, 11, 12))


def test_calls_are_volume_and_never_documents() -> None:
    events, report = of(*GOOD, call("2026-11-12 08:00", client="H26.7", service="H26.1.2"))
    assert events == []
    assert report.kind is SourceKind.GATEWAY
    assert report.extra["calls_by_partner"] == [
        {"code": "H26.5", "direction": "out", "calls": 1, "failed": 0},
        {"code": "H26.6", "direction": "out", "calls": 1, "failed": 0},
        {"code": "H26.7", "direction": "in", "calls": 1, "failed": 0},
    ]
    assert report.extra["services"] == {"sendEdoc": 3}
    assert (report.first, report.last) == (
        dt.datetime(2026, 11, 10, 1, tzinfo=dt.UTC),
        dt.datetime(2026, 11, 12, 1, tzinfo=dt.UTC),
    )


def test_an_outage_lasts_from_the_first_failed_call_to_the_last() -> None:
    (event,), report = of(
        *GOOD,
        *failures("2026-11-12 09:00", "2026-11-12 09:30", "2026-11-12 10:05"),
        call("2026-11-12 10:06"),
    )
    begin = dt.datetime(2026, 11, 12, 2, tzinfo=dt.UTC)
    assert (event.kind, event.time, event.until, event.reason) == (
        EventKind.OUTAGE,
        begin,
        begin + dt.timedelta(minutes=65),
        "SERVER_SERVERPROXY_NETWORKERROR",
    )
    assert (event.key.number, event.key.sign, event.recipient) == (0, "", "")
    assert report.extra["outages"] == [
        ["2026-11-12T02:00:00+00:00", "2026-11-12T03:05:00+00:00", 3]
    ]
    assert (report.extra["days_with_failures"], report.extra["calls_failed"]) == (1, 3)
    assert "days_with_failures_only" not in report.extra


def test_an_outage_has_its_place_and_nothing_of_what_the_fault_says() -> None:
    lines = [json.dumps(r, ensure_ascii=False) for r in
             [*GOOD, *failures("2026-11-12 09:00", "2026-11-12 09:30")]]  # fmt: skip
    (event,), report = read("\n".join(lines))
    assert (event.place.file, event.place.line) == ("opmon/0.json", 3)
    assert event.place.sha256 == hashlib.sha256(lines[2].encode()).hexdigest()
    assert event.place.ref == json.loads(lines[2])["messageId"]
    assert "Nguyễn" not in repr((event, report))
    assert "10.0.7.9" not in repr((event, report))


def test_a_call_that_worked_in_between_ends_an_outage() -> None:
    records = [
        *failures("2026-11-12 09:00", "2026-11-12 09:10"),
        call("2026-11-12 09:12"),
        *failures("2026-11-12 09:14", "2026-11-12 09:20"),
    ]
    events, report = of(*records)
    assert (events, report.extra["short_failures"], report.extra["total_outages"]) == ([], 2, 0)


def test_between_two_failures_hours_apart_nobody_knows() -> None:
    events, report = of(*failures("2026-11-12 09:00", "2026-11-12 17:00"))
    assert (events, report.extra["short_failures"]) == ([], 2)
    assert report.extra["days_with_failures_only"] == 1
    assert len(of(*failures("2026-11-12 09:00", "2026-11-12 10:00"))[0]) == 1


def test_an_outage_over_midnight_is_one() -> None:
    (event,), _ = of(*failures("2026-11-12 23:30", "2026-11-13 00:15"))
    midnight = dt.datetime(2026, 11, 12, 17, tzinfo=dt.UTC)
    assert event.time == midnight - dt.timedelta(minutes=30)
    assert event.until == midnight + dt.timedelta(minutes=15)


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("Client.InvalidRequest", {}),
        ("Server.ServerProxy.AccessDenied", {}),
        ("Server.ServerProxy.UnknownService", {}),
        ("Server.ServerProxy.OpMonitor.InvalidClientIdentifier", {}),
        ("", {"succeeded": False, "statusCode": 404}),
        ("", {"succeeded": False}),
        ("", {"succeeded": None}),
    ],
)
def test_a_bad_request_or_an_unclear_end_is_no_outage(fault: str, more: dict[str, Any]) -> None:
    records = [call(f"2026-11-12 09:{n:02}", fault, **more) for n in range(0, 60, 10)]
    events, report = of(*records)
    assert events == []
    assert report.extra.get("calls_refused", 0) + report.extra.get("calls_unclear", 0) == 6
    # Nor does it end one.
    outage = failures("2026-11-12 08:55", "2026-11-12 09:15")
    assert len(of(*records, *outage)[0]) == 1


@pytest.mark.parametrize(
    ("fault", "more"),
    [
        ("Server.ClientProxy.NetworkError", {}),
        ("Server.ClientProxy.SslAuthenticationFailed", {}),
        ("Server.ServerProxy.ServiceFailed.HttpError", {}),
        ("Server.ClientProxy.CannotCreateSignature", {}),
        ("", {"succeeded": False, "statusCode": 503}),
    ],
)
def test_faults_of_servers_and_networks_are_outages(fault: str, more: dict[str, Any]) -> None:
    records = [call(f"2026-11-12 09:{n:02}", fault, **more) for n in range(0, 60, 10)]
    (event,), _ = of(*records)
    assert event.reason


def test_both_records_of_a_call_count_once_and_the_graver_one_wins() -> None:
    one = call("2026-11-12 09:00", messageId="a")
    both = [one, call("2026-11-12 09:00:00.200", NETWORK, messageId="a", side="Producer")]
    for records in (both, both[::-1]):
        _, report = of(*records)
        assert (report.extra["calls"], report.extra["calls_failed"], report.repeated) == (1, 1, 1)
        assert report.extra["calls_by_partner"][0]["failed"] == 1
    same = [call("2026-11-12 09:00", messageId="a", xRequestId=x) for x in ("1", "2", "2")]
    assert of(*same)[1].extra["calls"] == 2  # a retry is a call of its own
    nameless = [call("2026-11-12 09:00", messageId=None, requestSize=n) for n in (1, 2, 2)]
    assert of(*nameless)[1].extra["calls"] == 2


def test_of_both_records_the_earlier_time_counts() -> None:
    late = call("2026-11-12 09:40", NETWORK, messageId="a", side="Producer")
    early = call("2026-11-12 09:00", NETWORK, messageId="a")
    other = call("2026-11-12 09:20", NETWORK)
    (event,), _ = of(late, other, early)
    begin = dt.datetime(2026, 11, 12, 2, tzinfo=dt.UTC)
    assert (event.time, event.until) == (begin, begin + dt.timedelta(minutes=20))


def test_the_place_of_an_outage_is_found_however_many_calls_failed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(x_road, "_FAULTS", 1)
    records = failures("2026-11-13 09:30", "2026-11-12 09:30", "2026-11-12 09:00")
    (event,), report = read(json.dumps(GOOD), "\n".join(map(json.dumps, records)))
    assert event.time == dt.datetime(2026, 11, 12, 2, tzinfo=dt.UTC)
    assert (event.place.file, event.place.line) == ("opmon/1.json", 3)
    assert event.place.ref == records[2]["messageId"]
    assert report.extra["short_failures"] == 1


def test_calls_about_the_exchange_itself_show_nothing() -> None:
    own = call("2026-11-12 09:00", serviceCode="getSecurityServerOperationalData")
    _, report = of(*GOOD, own)
    assert (report.extra["calls"], report.extra["calls_about_the_exchange"]) == (2, 1)
    assert dt.date(2026, 11, 12) not in report.days
    assert of(own)[1].last is None


def test_members_are_agencies_by_their_codes_old_and_new_or_by_their_subsystem() -> None:
    records = [
        call("2026-11-12 09:00", client="000.00.12.h26", service="000.00.05.H26"),
        call("2026-11-12 09:01", service="H26.5"),
        call("2026-11-12 09:02", service="VN-LGSP", serviceSubsystemCode="H26.5"),
        call("2026-11-12 09:03", service="K01"),
    ]
    _, report = of(*records)
    assert [(p["code"], p["calls"]) for p in report.extra["calls_by_partner"]] == [
        ("H26.5", 3),
        ("K01", 1),
    ]
    assert report.extra["unknown_code_list"] == ["K01"]


def test_of_a_shared_server_only_this_units_calls_count() -> None:
    others = [call(f"2026-11-12 09:{n:02}", client="H26.7") for n in range(0, 60, 5)]
    outage = failures("2026-11-12 09:00", "2026-11-12 09:30")
    events, report = of(*others, *outage)
    assert (len(events), report.extra["calls"], report.extra["calls_of_others"]) == (1, 2, 12)
    nobody = Unit(id="zz", name="Không rõ", kind=UnitKind.WARD)
    events, report = of(*others, *outage, unit=nobody)
    assert (events, report.extra["calls"]) == ([], 14)
    assert report.extra["own_members_unknown"] is True


# ---------------------------------------------------------------------------------------- dirt


def test_damaged_lines_cost_only_themselves() -> None:
    lines = [json.dumps(r) for r in (*GOOD, call("2026-11-12 08:00"))]
    lines[1] = lines[1][:200]
    lines += ['{"a": "b', '{"requestInTs": 5}', '{"requestInTs": "x"}', "null", '"{"', "{}"]
    _, report = read("\n".join(lines))
    assert (report.extra["calls"], report.unparsed) == (2, 5)
    with pytest.raises(Unparsable, match=r"opmon/\*: none of its 1 rows has a time of a call"):
        read("{}")


def test_an_empty_answer_is_empty_and_no_fault() -> None:
    for empty in ('{"records": []}', "[]", "", "\n"):
        events, report = read(empty)
        assert (events, report.lines, report.last) == ([], 0, None)


def test_braces_and_quotes_in_texts_are_no_records() -> None:
    texts = ['}{"requestInTs":1}', '\\"}', "\\", '{"a":"\\\\', "\u2028{", "a\nb\x00"]
    records = [call("2026-11-12 08:00", NETWORK, faultString=t) for t in texts]
    for shape in SHAPES.values():
        _, report = read(shape(records))
        assert (report.extra["calls"], report.unparsed) == (len(texts), 0)


def test_windows_never_cut_a_record(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["\\" * 9, '"' * 9, '\\"}{' * 4]
    records = [call(f"2026-11-12 08:{n:02}", NETWORK, faultString=texts[n % 3]) for n in range(50)]
    longest = max(len(json.dumps(r)) for r in records)
    for window in range(longest + 2, longest + 60, 3):
        monkeypatch.setattr(x_road_records, "WINDOW", window)
        _, report = read(json.dumps(records))
        assert (report.extra["calls"], report.unparsed) == (50, 0)


def test_what_is_too_long_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_road_records, "WINDOW", 4000)
    monkeypatch.setattr(x_road_records, "LONGEST", 2000)
    long = call("2026-11-12 08:00", messageIssue="x" * 50_000)
    longer = call("2026-11-12 08:00", messageIssue="x" * 2_000)
    _, report = read(json.dumps([GOOD[0], long, longer, GOOD[1]]))
    assert (report.extra["calls"], report.unparsed) == (2, 2)


HOSTILE = {
    "no line end, no brace": b"[" + b"1," * 4_000_000,
    "open string": b'{"a": "' + b"x" * 8_000_000,
    "escapes": b'{"a": "' + b'\\"{' * 2_000_000,
    "open escapes": b'{\\"' * 2_000_000,
    "quotes": b'{"' * 3_000_000,
    "nested": b"[" * 3_000_000 + b"{" * 3_000_000,
    "backslashes": b'"\\\n' * 2_000_000,
    "zeros": b"\0" * 8_000_000,
}


@pytest.mark.parametrize("name", list(HOSTILE))
@pytest.mark.timeout(60)
def test_hostile_files_take_time_by_their_length_only(name: str) -> None:
    data = HOSTILE[name] + json.dumps([GOOD[0]]).encode()
    try:
        _, report = read(data, "\n" + json.dumps(GOOD[1]))
    except Unparsable:
        pytest.fail("the good file must survive")
    assert report.extra["calls"] >= 1


def test_a_long_file_without_line_ends_takes_no_memory() -> None:
    record = json.dumps(GOOD[0]).encode()
    data = b"[" + (record + b",") * 20_000 + record + b"]"
    found = entry("opmon/0.json", data)
    tracemalloc.start()
    count = sum(f.record is not None for f in x_road_records.records_of(found))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 20_001
    assert len(data) > 12_000_000
    assert peak < 3_000_000


def test_more_records_than_can_be_compared_are_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_road, "MOST_RECORDS", 1)
    with pytest.raises(Unparsable, match="more than 1 records; hand over shorter") as caught:
        of(*GOOD)
    assert caught.value.kind is FailureKind.TRUNCATED


def test_partners_beyond_the_limit_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_road_calls, "_PARTNERS", 2)
    records = [call("2026-11-12 08:00", service=f"Z{n}") for n in range(5)]
    _, report = of(*records)
    assert [(p["code"], p["calls"]) for p in report.extra["calls_by_partner"]] == [
        ("", 3),
        ("Z0", 1),
        ("Z1", 1),
    ]


def test_a_wide_file_that_is_too_large_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(x_road_records, "MOST_WIDE", 100)
    with pytest.raises(Unparsable, match=r"^opmon/0.json: too large for UTF-16; save it as UTF-8"):
        read(json.dumps(GOOD).encode("utf-16"))


def test_long_names_are_cut_before_they_are_kept() -> None:
    records = [
        call("2026-11-12 08:00", service=f"{n}" + "Z" * 30_000, serviceCode=f"{n}" + "s" * 30_000)
        for n in range(3)
    ]
    _, report = of(*records)
    assert report.extra["calls"] == 3
    assert [len(name) for name in report.extra["services"]] == [100] * 3
    assert gateway_codes.bare_code(" h26.5" + "x" * 1000) == "H26.5" + "X" * 95


@PATIENT
@given(st.binary(max_size=300), st.integers(0, 900))
def test_any_bytes_are_read_or_refused(data: bytes, at: int) -> None:
    good = json.dumps(GOOD).encode()
    for raw in (data, good[:at] + data + good[at:], data + b"\n" + good):
        try:
            _, report = read(raw)
        except Unparsable as e:
            assert str(e).startswith("opmon/")  # noqa: PT017
        else:
            assert report.files == 1
            json.dumps(report.extra)


@PATIENT
@given(
    st.lists(
        st.dictionaries(
            st.sampled_from(["a", "b{"]),
            st.text(max_size=8) | st.integers() | st.booleans() | st.none(),
            max_size=3,
        ),
        max_size=6,
    ),
    st.integers(8, 60),
)
def test_every_object_is_found_with_its_line(objects: list[dict[str, Any]], window: int) -> None:
    before = x_road_records.WINDOW
    lines = [json.dumps(o, ensure_ascii=False) for o in objects]
    try:
        x_road_records.WINDOW = max(window, *(len(x.encode()) + 1 for x in lines), 8)
        found = list(x_road_records.records_of(entry("x", "\n".join(lines))))
    finally:
        x_road_records.WINDOW = before
    assert [(f.line, f.raw.decode()) for f in found] == list(enumerate(lines, 1))


@PATIENT
@given(st.lists(st.tuples(st.integers(0, 200), st.booleans()), max_size=30))
def test_an_outage_holds_no_call_that_worked(calls: list[tuple[int, bool]]) -> None:
    begin = stamp("2026-11-12 00:00")
    records = [
        call("2026-11-12 00:00", NETWORK if bad else "", requestInTs=begin + minute * 60_000)
        for minute, bad in calls
    ]
    events, _ = of(*records)
    fine = [begin + minute * 60_000 for minute, bad in calls if not bad]
    for event in events:
        assert event.time is not None
        assert event.until is not None
        assert event.until - event.time >= dt.timedelta(minutes=15)
        start, end = (t.timestamp() * 1000 for t in (event.time, event.until))
        assert not any(start < time < end for time in fine)
