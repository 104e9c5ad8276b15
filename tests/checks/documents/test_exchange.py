"""Exchange message tracking: subjects and recipients, never names."""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.numbers import Finder
from checks.documents.sources.exchange import read_exchange
from checks.documents.sources.mails import MailLog
from checks.evidence import Unparsable
from checks.files import FileEntry
from tests.helpers.correspondence import PATIENT, ZONE, entry, gz

FINDER = Finder(["QĐ-UBND-HK", "BC-UBND-HK"])
NUMBER = "12/QĐ-UBND-HK"
FIELDS = (
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,"
    "source,event-id,internal-message-id,message-id,network-message-id,recipient-address,"
    "recipient-status,total-bytes,recipient-count,related-recipient-address,reference,"
    "message-subject,sender-address,return-path,message-info,directionality,tenant-id,"
    "original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version"
)
HEAD = (
    "\ufeff#Software: Microsoft Exchange Server\r\n#Version: 15.02.1258.012\r\n"
    "#Log-type: Message Tracking Log\r\n#Date: 2026-11-10T01:00:00.002Z\r\n"
    f"#Fields: {FIELDS}\r\n"
)
ID = "13fad5b7-39c5-46e7-130e-08d4a138ac67"
VANTHU = "vanthu@hoankiem.gov.vn"


def row(
    event: str = "SENDEXTERNAL",
    subject: str = f"Gửi Quyết định {NUMBER}",
    to: str = "vanthu@soyte.gov.vn",
    at: str = "2026-11-10T01:00:02.123Z",
    fields: str = FIELDS,
    **more: str,
) -> str:
    source = {"DELIVER": "STOREDRIVER", "NOTIFYMAPI": "STOREDRIVER"}.get(event, "SMTP")
    said = {
        "date-time": at,
        "server-hostname": "EX01",
        "source-context": f'08DE000000000001;{at};0, "queued", ClientType:MOMT',
        "source": source,
        "event-id": event,
        "message-id": "<a1@hoankiem.gov.vn>",
        "network-message-id": ID,
        "recipient-address": to,
        "recipient-status": "250 2.1.5 Recipient OK",
        "total-bytes": "250000",
        "message-subject": subject,
        "sender-address": VANTHU,
        "return-path": VANTHU,
        "custom-data": "S:DeliveryPriority=Normal;S:AMA=SUM|atch=0",
        **{k.replace("_", "-"): v for k, v in more.items()},
    }
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerow([said.get(f, "") for f in fields.split(",")])
    return out.getvalue()


def log(*rows: str) -> str:
    return HEAD + "".join(rows)


def read(*parts: str | bytes | FileEntry, mails: int = 1000, zone: ZoneInfo = ZONE) -> MailLog:
    files = [
        p if isinstance(p, FileEntry) else entry(f"MSGTRK{n}.LOG", p) for n, p in enumerate(parts)
    ]
    return read_exchange(files, "logs/MSGTRK*.LOG", zone, FINDER, mails)


def pairs(found: MailLog) -> list[tuple[str, str]]:
    return [(str(e.key), e.recipient) for e in found.events]


def test_a_mail_of_several_rows_is_one() -> None:
    rows = [
        row("RECEIVE", at="2026-11-10T01:00:00.100Z"),
        row("AGENTINFO", at="2026-11-10T01:00:00.500Z"),
        row("SEND", at="2026-11-10T01:00:01.000Z"),
        row("SENDEXTERNAL"),
        row("DELIVER", to="ketoan@hoankiem.gov.vn", at="2026-11-10T01:00:03.000Z"),
        row("HAREDIRECT", subject="", to="", at="2026-11-10T01:00:03.500Z"),
        row("NOTIFYMAPI", subject="", to="", network_message_id="", at="2026-11-10T01:00:04.000Z"),
    ]
    found = read(log(*rows))
    assert sorted(pairs(found)) == [
        ("12/QD-UBND-HK", "hoankiem.gov.vn"),
        ("12/QD-UBND-HK", "soyte.gov.vn"),
    ]
    assert (found.report.mails, found.report.lines, found.report.unparsed) == (1, 3, 0)
    event = next(e for e in found.events if e.recipient == "soyte.gov.vn")
    assert event.mail is not None
    assert (event.mail.found, event.mail.size, event.mail.sender) == (
        "subject",
        250_000,
        "hoankiem.gov.vn",
    )
    assert event.time == dt.datetime(2026, 11, 10, 1, 0, 1, tzinfo=dt.UTC)


def test_no_number_of_mails_counts_as_headers() -> None:
    """Exchange cannot show names, however small the mails are."""
    rows = [row(network_message_id=f"id-{n}", total_bytes="900") for n in range(9)]
    report = read(log(*rows)).report
    assert (report.mails, report.mails_with_subjects) == (9, 9)
    assert (report.mails_with_names, report.mails_with_headers) == (0, 0)


def test_subjects_switched_off() -> None:
    found = read(log(row(subject="")))
    assert (found.events, found.report.mails, found.report.mails_with_subjects) == ((), 1, 0)


def test_times_are_utc_whatever_the_zone() -> None:
    for zone in ("Asia/Ho_Chi_Minh", "UTC"):
        for stamp in ("2026-11-10T01:00:02.123Z", "2026-11-10T01:00:02.123"):
            (event,) = read(log(row(at=stamp)), zone=ZoneInfo(zone)).events
            assert event.time == dt.datetime(2026, 11, 10, 1, 0, 2, 123000, tzinfo=dt.UTC)
    late = read(log(row(at="2026-11-10T20:00:00.000Z"))).report
    assert late.days == frozenset({dt.date(2026, 11, 11)})  # the day in Hà Nội


def test_quotes_and_commas_shift_no_column() -> None:
    subject = f'"Kính gửi", số {NUMBER}, "hỏa tốc" ,SEND, x'
    (event,) = read(log(row(subject=subject))).events
    assert event.recipient == "soyte.gov.vn"
    # The word of an event in another column is no event.
    found = read(log(row("RECEIVE", subject=f"{NUMBER} ,SEND, x"), row("RECEIVE", to="a,SEND,b")))
    assert (found.events, found.report.lines) == ((), 0)


def test_the_order_of_columns_is_that_of_the_file() -> None:
    turned = ",".join(reversed(FIELDS.split(",")))
    text = HEAD.replace(FIELDS, turned) + row(fields=turned)
    assert pairs(read(text)) == [("12/QD-UBND-HK", "soyte.gov.vn")]
    # And it may change in the middle, when the server was updated.
    both = log(row()) + f"#Fields: {turned}\r\n" + row(fields=turned, network_message_id="other")
    assert read(both).report.mails == 2


def test_exchange_2010_has_no_network_message_id() -> None:
    old = FIELDS.replace("network-message-id,", "")
    text = HEAD.replace(FIELDS, old) + row(fields=old) + row("DELIVER", fields=old)
    assert read(text).report.mails == 1


@pytest.mark.parametrize("missing", ["event-id", "message-subject", "recipient-address"])
def test_a_missing_column_is_named(missing: str) -> None:
    text = log(row()).replace(f"{missing},", "")
    with pytest.raises(Unparsable, match=rf"^MSGTRK0.LOG:5: #Fields: names no column {missing}$"):
        read(text)


def test_rows_without_a_head() -> None:
    text = log(row()).replace("#Fields:", "#Feld:")
    with pytest.raises(Unparsable, match=r"^MSGTRK0.LOG:6: a row before any line #Fields:"):
        read(text)
    with pytest.raises(Unparsable, match=r"^MSGTRK0.LOG:1: no line #Fields:"):
        read("hello,SEND,you\r\n")


def test_the_columns_of_one_file_are_not_those_of_the_next() -> None:
    second = "#Date: 2026-11-11T01:00:00.000Z\r\n" + row(at="2026-11-11T01:00:02.123Z")
    with pytest.raises(Unparsable, match=r"^MSGTRK1.LOG:2: a row before any line #Fields:"):
        read(log(row()), second)


def test_fifty_recipients_in_one_row() -> None:
    to = ";".join(f"p{n}@d{n % 5}.gov.vn" for n in range(50)) + ";/o=HK/ou=x/cn=noi-bo"
    assert sorted(e.recipient for e in read(log(row(to=to))).events) == [
        f"d{n}.gov.vn" for n in range(5)
    ]


@pytest.mark.parametrize("event", ["FAIL", "DEFER", "DSN", "SUBMIT", "RECEIVE", "EXPAND", "DROP"])
def test_only_what_left_or_arrived_counts(event: str) -> None:
    found = read(log(row(event)))
    assert (found.events, found.report.mails) == ((), 0)


def test_deferred_then_sent_the_next_day() -> None:
    rows = [row("RECEIVE"), row("DEFER"), row(at="2026-11-11T01:00:02.000Z")]
    (event,) = read(log(*rows)).events
    assert event.time == dt.datetime(2026, 11, 11, 1, 0, 2, tzinfo=dt.UTC)


def test_bounces_and_the_server_itself_are_marked() -> None:
    for more in (
        {"return_path": "<>"},
        {"sender_address": "MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@hoankiem.gov.vn"},
        {"sender_address": "no-reply@edoc.gov.vn"},
    ):
        (event,) = read(log(row(**more))).events
        assert event.mail is not None
        assert event.mail.automatic, more


def test_place_and_hash_are_of_the_raw_row() -> None:
    text = log(row("RECEIVE"), row())
    (event,) = read(text).events
    assert (event.place.line, event.place.ref) == (7, ID)
    raw = text.split("\r\n")[6]
    assert event.place.sha256 == hashlib.sha256(raw.encode()).hexdigest()
    numbered = "".join(
        f"{n}:{line}\n" for n, line in enumerate(text.split("\r\n"), 1) if n in (5, 7)
    )
    assert read(numbered).events[0].place == event.place


def test_rotated_files_duplicates_and_two_servers() -> None:
    one = log(row())
    two = log(row("DELIVER", to="x@congan.gov.vn", at="2026-11-10T02:00:02.000Z")).replace(
        "#Date: 2026-11-10T01", "#Date: 2026-11-10T02"
    )
    found = read(two, one, gz(one), one)
    assert (found.report.mails, found.report.files, found.report.duplicates) == (1, 2, 2)
    assert [e.recipient for e in found.events] == ["soyte.gov.vn", "congan.gov.vn"]


def test_damaged_rows_are_counted() -> None:
    text = log('2026-11-10T01:00:00.002Z,"unclosed,SEND,\r\n', "x,SEND,y\r\n", row())
    found = read(text)
    assert (len(found.events), found.report.unparsed) == (1, 2)
    long = row(subject="x" * 300_000)
    assert read(log(long)).report.unparsed == 1
    assert read(log(row(total_bytes="9" * 40))).events[0].mail.size == 0  # type: ignore[union-attr]
    assert read(log(row(at="gestern"))).report.unparsed == 1


def test_open_mails_are_bounded() -> None:
    rows = [row(subject=f"{n}/QĐ-UBND-HK", network_message_id=f"id-{n}") for n in range(1, 20)]
    found = read(log(*rows), mails=3)
    assert (len(found.events), found.report.mails) == (19, 19)


def test_no_text_or_address_leaves_the_parser() -> None:
    shown = repr(read(log(row(subject=f"Bí mật nhà bếp {NUMBER}"))))
    assert "bếp" not in shown
    assert "vanthu" not in shown


@PATIENT
@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    text = log(row()).encode()
    for raw in (data, text + data, text[:900] + data + text[900:], text.replace(b",", data[:2])):
        try:
            assert read(raw).report.files == 1
        except Unparsable as e:
            assert str(e).startswith("MSGTRK0.LOG:")  # noqa: PT017
