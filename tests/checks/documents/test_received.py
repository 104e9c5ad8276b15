"""The gateway's list of deliveries: who sent, when, which packet; never a guessed number."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources.reading import Reading
from checks.documents.sources.received import read_received
from checks.evidence import Unparsable
from inventory.model import Agency
from tests.helpers.correspondence import AGENCIES, PATIENT, UNIT, ZONE, entry

HEAD = (
    "Id,From,ContentLength,ContentSha256,CreatedTime,UpdatedTime,Status,StatusDesc,MessageType,"
    "VersionSdk\n"
)
DIGEST = hashlib.sha256(b"packet").hexdigest()
ROW = f"17,H26.5,5120,{DIGEST},2026-11-09 08:00:00,2026-11-09 08:01:00,done,Đã nhận,edoc,2.0.1\n"
OLD_AND_NEW = Agency(code="H26.11", old_codes=("000.00.99.H26",), name="Sở Một")
ALSO = Agency(code="H26.12", old_codes=("000.00.99.H26",), name="Sở Hai")


def read(
    data: str | bytes,
    columns: dict[str, str] | None = None,
    agencies: tuple[Agency, ...] = AGENCIES,
) -> tuple[list[DocumentEvent], SourceReport]:
    reading = Reading(
        name="in.csv",
        zone=ZONE,
        directory=Directory(agencies, UNIT),
        finder=Finder({"BC-SYT"}),
        columns=columns or {},
    )
    events, report = read_received([entry("in.csv", data)], reading)
    return list(events), report


def test_a_delivery_has_its_sender_its_time_and_the_hash_of_its_packet() -> None:
    (event,), report = read(HEAD + ROW)
    assert (event.kind, event.sender, event.key.number, event.content) == (
        EventKind.DELIVERED,
        "H26.5",
        0,
        DIGEST,
    )
    assert event.time == dt.datetime(2026, 11, 9, 1, tzinfo=dt.UTC)
    assert (event.place.source, event.place.line, event.place.ref) == (SourceKind.GATEWAY, 2, "17")
    assert report.extra == {"delivered": 1, "without_number": 1}


def test_an_old_code_is_the_present_agencys_and_a_doubtful_one_nobodys() -> None:
    rows = [ROW.replace("H26.5", code) for code in ("000.00.05.h26", "000.00.99.H26", "X.1.2")]
    events, report = read(HEAD + "".join(rows), agencies=(*AGENCIES, OLD_AND_NEW, ALSO))
    assert [e.sender for e in events] == ["H26.5", "000.00.99.H26", "X.1.2"]
    assert report.extra["ambiguous_code_list"] == ["000.00.99.H26"]
    assert (report.extra["unknown_codes"], report.extra["unknown_code_list"]) == (1, ["X.1.2"])


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (",02,", "refused"),
        (",rejection,", "refused"),
        (",fail,", "refused"),
        (",cancellation,", "given_back"),
        (",15,", "given_back"),
        (",2,", "delivered"),  # a figure of the software's own
        (",processing,", "delivered"),
        (",,", "delivered"),
    ],
)
def test_what_was_refused_or_given_back_was_not_delivered(said: str, why: str) -> None:
    row = ROW.replace(",done,Đã nhận,", said + ",")
    events, report = read(HEAD + ROW.replace("17,", "18,") + row)
    assert report.extra[why] == (2 if why == "delivered" else 1)
    assert {e.place.line for e in events} <= {2, 3}
    assert any(e.place.line == 2 for e in events)


def test_status_messages_and_own_packets_are_no_deliveries() -> None:
    rows = ROW + ROW.replace("edoc", "status") + ROW.replace("H26.5", "000.00.12.H26")
    events, report = read(HEAD + rows)
    assert len(events) == 1
    assert (report.extra["status_messages"], report.extra["own_packets"]) == (1, 1)


def test_a_number_of_a_column_or_at_the_head_of_a_title_but_never_from_inside_it() -> None:
    head = "From,CreatedTime,Title,Số ký hiệu,Ngày văn bản\n"
    row = "H26.5,2026-11-09 08:00:00,{},{},06/11/2026\n"
    rows = row.format("x", "55/SYT-VP") + row.format("56/BC-SYT về y tế", "")
    rows += row.format("Trả lời 57/BC-SYT", "")
    events, report = read(head + rows)
    assert [str(e.key) for e in events] == ["55/2026/SYT-VP", "56/BC-SYT", "00/"]
    assert report.extra["without_number"] == 1
    assert "trả lời" not in repr(events).lower()


def test_names_of_senders_vietnamese_headers_and_a_mapping() -> None:
    data = "Đơn vị gửi;Ngày nhận;Mã băm\nSở Y tế;09/11/2026 08:00;xyz\n"
    (event,), _ = read(data)
    assert (event.sender, event.content) == ("H26.5", "")
    raw = base64.b64encode(hashlib.sha256(b"packet").digest()).decode()
    mine = f"Ai;Lúc;Dấu vân tay\nH26.5;09/11/2026 08:00;{raw}\n"
    columns = {"From": "ai", "CreatedTime": "lúc", "ContentSha256": "dấu vân tay"}
    (event,), _ = read(mine, columns)
    assert event.content == DIGEST


def test_rows_without_a_sender_or_a_time_are_counted() -> None:
    bad = [ROW.replace("H26.5", "null"), ROW.replace("2026-11-09", "2026-02-30")]
    events, report = read(HEAD + ROW + "".join(bad))
    assert (len(events), report.unparsed) == (1, 2)
    with pytest.raises(Unparsable, match=r"none of its 2 rows has a sender and a time"):
        read(HEAD + "".join(bad))
    with pytest.raises(Unparsable, match=r"^in.csv:1: no header row .*CreatedTime, From"):
        read("a,b\n1,2\n")


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused_with_a_place(data: bytes) -> None:
    for raw in (data, HEAD.encode() + data, (HEAD + ROW).encode() + data):
        try:
            _, report = read(raw)
        except Unparsable as e:
            assert str(e).startswith("in.csv")  # noqa: PT017
        else:
            assert report.files == 1
            msgspec.json.encode(report.extra)
