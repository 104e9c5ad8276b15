"""The gateway's export: statuses, columns, senders, times."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import EventKind
from checks.documents.sources import gateway_codes
from checks.documents.sources.gateway import Gateway, read_gateway, status_of
from checks.documents.sources.gateway_codes import Codes
from checks.evidence import Unparsable
from inventory.model import Documents
from tests.helpers.correspondence import AGENCIES, GATEWAY_HEAD, PATIENT, UNIT, ZONE, entry

ROW = "H26.1.2,H26.5,7/QĐ-UBND,Tên,1,2,2026-10-20 08:00:00,2026-10-20 08:05:00,sent,03\n"


def read(data: str | bytes, columns: dict[str, str] | None = None) -> Gateway:
    return read_gateway([entry("sent.csv", data)], "sent.csv", columns or {}, ZONE)


def test_a_row() -> None:
    found = read(GATEWAY_HEAD + ROW)
    (event,) = found.events
    assert (event.kind, str(event.key), event.sender, event.recipient) == (
        EventKind.RECEIVED,
        "07/QD-UBND",
        "H26.1.2",
        "H26.5",
    )
    assert event.time == dt.datetime(2026, 10, 20, 1, tzinfo=dt.UTC)
    assert (event.place.file, event.place.line) == ("sent.csv", 2)
    assert "Tên" not in repr(found)


@pytest.mark.parametrize(
    ("send", "receive", "received", "kind"),
    [
        ("sent", "", "", EventKind.SENT_GATEWAY),
        ("", "", "", EventKind.SENT_GATEWAY),
        ("sent", "01", "", EventKind.RECEIVED),
        ("sent", "03", "", EventKind.RECEIVED),
        ("sent", "Hoàn thành", "", EventKind.RECEIVED),
        ("done", "", "", EventKind.RECEIVED),
        ("sent", "", "2026-10-20 08:05:00", EventKind.RECEIVED),
        ("sent", "16", "", EventKind.RECEIVED),
        ("sent", "02", "", EventKind.REFUSED),
        ("sent", "rejection", "2026-10-20 08:05:00", EventKind.REFUSED),
        ("fail", "", "", EventKind.REFUSED),
        ("Gửi lỗi", "", "", EventKind.REFUSED),
        ("sent", "13", "2026-10-20 08:05:00", EventKind.REVOKED),
        ("sent", "15", "", EventKind.REVOKED),
        ("cancellation", "", "", EventKind.REVOKED),
        ("2", "", "", EventKind.SENT_GATEWAY),  # figures are the receiver's codes only
        ("sent", "null", "null", EventKind.SENT_GATEWAY),
    ],
)
def test_statuses(send: str, receive: str, received: str, kind: EventKind) -> None:
    cells = {"SendStatus": send, "ReceiveStatus": receive, "ReceivedTime": received}
    assert status_of(cells) is kind


def test_kinds_of_business_that_replace() -> None:
    assert status_of({"Business": "1"}) is EventKind.REVOKED
    assert status_of({"Business": "0"}) is EventKind.SENT_GATEWAY


def test_other_senders_and_status_messages_are_left_out() -> None:
    other = ROW.replace("H26.1.2", "H26.9")
    data = GATEWAY_HEAD + ROW + other
    found = read_gateway([entry("s.csv", data)], "s.csv", {}, ZONE, lambda c: c == "H26.1.2")
    assert (len(found.events), found.report.lines) == (1, 1)
    typed = "FromCode,ToCode,Notation,SentTime,MessageType\n"
    line = "H26.1.2,H26.5,7/QĐ-UBND,2026-10-20 08:00:00,{}\n"
    assert len(read(typed + line.format("edoc") + line.format("status")).events) == 1


def test_equal_rows_count_once_and_retries_do_not() -> None:
    later = ROW.replace("2026-10-20 08:00:00", "2026-10-21 08:00:00")
    found = read(GATEWAY_HEAD + ROW + ROW + later)
    assert (len(found.events), found.report.repeated) == (2, 1)


def test_dirty_rows_are_counted() -> None:
    bad = [
        ROW.replace("7/QĐ-UBND", "74fass22"),
        ROW.replace("2026-10-20 08:00:00", "2014/02/30"),
        ROW.replace("H26.5", "null"),
    ]
    found = read(GATEWAY_HEAD + ROW + "".join(bad))
    assert (len(found.events), found.report.unparsed) == (1, 3)
    with pytest.raises(Unparsable, match=r"none of its 3 rows"):
        read(GATEWAY_HEAD + "".join(bad))


def test_number_and_notation_apart_and_other_names() -> None:
    data = "ToCode;CodeNumber;CodeNotation;SentTime\nH26.5;7;QĐ-UBND;46315,5\n"
    assert [str(e.key) for e in read(data).events] == ["07/QD-UBND"]
    mine = "Đến;Số;Lúc\nH26.5;7/QĐ-UBND;20/10/2026 08:00\n"
    columns = {"ToCode": "đến", "Notation": "số", "SentTime": "lúc"}
    assert [str(e.key) for e in read(mine, columns).events] == ["07/QD-UBND"]


def test_the_tables_of_a_provincial_axis_are_read_by_their_own_headers() -> None:
    head = "fromOrganDomain,toOrganDomain,docCode,sentDate,taken,draft\n"
    row = "H26.1.2,{},7/QĐ-UBND,2026-10-20 08:00:00,{},{}\n"
    rows = row.format("H26.5; H26.6", "true", "0") + row.format("H26.7", "false", "0")
    found = read(head + rows + row.format("H26.8", "true", "true"))
    assert [(e.recipient, e.kind) for e in found.events] == [
        ("H26.5", EventKind.RECEIVED),
        ("H26.6", EventKind.RECEIVED),
        ("H26.7", EventKind.SENT_GATEWAY),
    ]
    assert found.report.lines == 2


def test_codes_that_the_directory_does_not_know_are_told() -> None:
    data = GATEWAY_HEAD + ROW + ROW.replace("H26.5", "vxp.saas.03").replace("7/", "8/")
    codes = Codes(Directory(AGENCIES, UNIT))
    found = read_gateway([entry("s.csv", data)], "s.csv", {}, ZONE, codes=codes)
    assert found.report.extra == {
        "unknown_codes": 1,
        "unknown_code_rows": 1,
        "unknown_code_list": ["VXP.SAAS.03"],
    }


def test_codes_without_end_are_counted_and_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_codes, "_KEPT", 2)
    codes = Codes(Directory(AGENCIES, UNIT))
    for code in ("Z1", "Z2", "Z3", "Z1", "Z4", "H26.5", "H26.6", "H26.7", "H26.7"):
        codes.take((code,))
    assert codes.told() == {
        "unknown_codes": 2,
        "unknown_code_rows": 3,
        "unknown_code_list": ["Z1", "Z2"],
        "more_code_rows": 2,
    }


def test_the_units_own_code_is_known_without_a_directory() -> None:
    unit = msgspec.structs.replace(UNIT, documents=Documents(codes=("h26.1.2",)))
    codes = Codes(Directory((), unit))
    read_gateway([entry("s.csv", GATEWAY_HEAD + ROW)], "s.csv", {}, ZONE, codes=codes)
    assert codes.told()["unknown_code_list"] == ["H26.5"]


def test_no_gateway_export() -> None:
    with pytest.raises(
        Unparsable, match=r"^sent.csv:1: no header row .*Notation, SentTime, ToCode"
    ):
        read("a,b\n1,2\n")


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for raw in (data, GATEWAY_HEAD.encode() + data, (GATEWAY_HEAD + ROW).encode() + data):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("sent.csv:")  # noqa: PT017
