"""The dirt of real packets, and what hostile ones try: each costs only itself."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.events import EventKind
from checks.documents.sources import edxml, edxml_files, packets_zip
from checks.evidence import FailureKind, Unparsable
from tests.helpers.correspondence import PATIENT
from tests.helpers.packet_reading import NUMBER
from tests.helpers.packet_reading import read_packet_files as read
from tests.helpers.packet_reading import said_by_packets as said
from tests.helpers.packets import (
    CULTURE,
    HEALTH,
    OWN,
    PDF,
    document,
    doing,
    receivers,
    replaced,
    status,
    zipped,
)

SENT, RECEIVED, REVOKED = EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REVOKED
SPOILT: list[Callable[[str], Any]] = [
        lambda t: "1212" + t,
        lambda t: "\ufeff" + t,
        lambda t: "\n\n rác \n" + t,
        lambda t: t + "\0rác <x>",
        lambda t: t.replace("e:", "edXML:").replace("edXMLdXML", "edXML"),
        lambda t: t.replace("<e:", "<").replace("</e:", "</"),
        lambda t: t.replace(' xmlns:e="', ' xmlns:other="'),  # a prefix that nobody declared
        lambda t: t.replace('encoding="UTF-8"', "").encode("utf-8"),
        lambda t: t.replace("UTF-8", "UTF-16").encode("utf-16"),
        lambda t: t.replace("UTF-8", "windows-1258").encode("cp1258", "replace"),
        lambda t: t.replace("12</e:CodeNumber><e:CodeNotation>QĐ-UBND-HK<",
                            "QĐ-UBND-HK</e:CodeNumber><e:CodeNotation>12<"),
        lambda t: t.replace("QĐ-UBND-HK<", "12/QĐ-UBND-HK<"),
        lambda t: t.replace(">12<", ">12/QĐ-UBND-HK<").replace("<e:CodeNotation>QĐ-UBND-HK<",
                                                               "<e:CodeNotation>null<"),
        lambda t: t.replace("</e:TraceHeaderList>", "<e:TraceHeader><e:OrganId>null</e:OrganId>"
                            "<e:Timestamp>null</e:Timestamp></e:TraceHeader></e:TraceHeaderList>"),
]  # fmt: skip

# ---------------------------------------------------------------------------------------- dirt


@pytest.mark.parametrize("spoil", SPOILT, ids=map(str, range(len(SPOILT))))
def test_a_dirty_file_says_the_same(spoil: Any) -> None:
    assert said(spoil(document())) in (
        [(SENT, NUMBER, OWN, HEALTH)],
        [(SENT, NUMBER.replace("QD", "Q?D"), OWN, HEALTH)],
    )


def test_text_before_the_xml_is_told() -> None:
    _, report = read("1212" + document(), "\ufeff" + document("13"))
    assert report.extra["text_before_xml"] == 1


BAD = [
    (document("74fass22"), "no number of a document"),
    (document("1223412", "PRO-TEST-CASE1"), "no number of a document"),
    (document(sender=None), "no code of the sender"),
    (document(sender="null"), "no code of the sender"),
    (document(to=(None, "null")), "no code of a recipient"),
    (document(sent=[(OWN, "2026/02/30 08:00:00")]), "no time of sending"),
    (document(sent=()), "no time of sending"),
    (document(sent="0001/01/01 00:00:00"), "no time of sending"),
    (status("03", "", ""), "a status that names no document"),
    (status(by=None), "no code of the sender"),
    ("", "no XML"),
    (b"PK\x03\x04", "a damaged archive"),
    ("<a><b/></a>", "no message header of edXML"),
    (document()[:900], "line 6: unclosed token"),
    (document().replace("</e:From>", "</e:Form>"), "line 5: mismatched tag"),
    (document().replace("UTF-8", "hex"), "an encoding that is not supported"),
    (document().replace("UTF-8", "big5"), "an encoding that is not supported"),
]


@pytest.mark.parametrize(("file", "why"), BAD, ids=map(str, range(len(BAD))))
def test_a_bad_file_is_named_and_costs_only_itself(file: str | bytes, why: str) -> None:
    events, report = read(document("13"), file, document("14"))
    assert [str(e.key) for e in events] == ["13/2026/QD-UBND-HK", "14/2026/QD-UBND-HK"]
    assert (report.lines, report.unparsed) == (3, 1)
    (told,) = report.extra["unreadable"]
    assert told.startswith(f"packets/1.edxml: {why}")
    with pytest.raises(Unparsable, match=r"none of its 1 rows has .*packets/0.edxml: "):
        read(file)


def test_only_the_first_problems_are_named() -> None:
    _, report = read(document(), *(f"bad {n}" for n in range(20)))
    assert (report.unparsed, len(report.extra["unreadable"])) == (20, 5)


def test_an_impossible_day_leaves_the_year_open() -> None:
    (event,), _ = read(document(date="2014/02/30"))
    assert (event.key.year, event.date) == (0, None)


def test_a_message_older_than_its_document_counts_from_the_documents_day() -> None:
    events, report = read(document(sent="2026/09/28 00:00:00"), status(at="2026/11/01 00:00:00"))
    begin = dt.datetime(2026, 11, 9, 17, tzinfo=dt.UTC)
    assert {e.time for e in events} == {begin}
    assert report.extra["older_than_their_document"] == 1
    (event,), _ = read(document(sent="2022/09/28 00:00:00"))  # the day is what is wrong
    assert event.time == dt.datetime(2022, 9, 27, 17, tzinfo=dt.UTC)


def test_a_status_is_never_before_the_sending() -> None:
    events, _ = read(document(sent="2026/11/10 12:00:00"), status(at="2026/11/10 09:00:00"))
    assert len({e.time for e in events}) == 1


def test_a_status_is_held_against_the_first_sending() -> None:
    files = [document(sent=f"2026/11/{day} 08:00:00") for day in (12, 11, 13)]
    events, report = read(*files, status(at="2026/11/11 09:00:00"))
    (event,) = (e for e in events if e.kind is RECEIVED)
    assert event.time == dt.datetime(2026, 11, 11, 2, tzinfo=dt.UTC)
    assert report.extra["status_messages"] == 1


def test_nothing_is_tied_by_an_id_that_is_not_there() -> None:
    nameless = document().replace("H99.9,2014/02/30,7/ABC", "")
    events, report = read(nameless, status(number="", sign="", document_id=""))
    assert (len(events), report.unparsed) == (1, 1)


def test_a_message_without_a_number_stands_where_its_header_begins() -> None:
    plain = status(document_id="abc")
    begin, end = plain.index("<e:Code>"), plain.index("</e:ResponseFor>")
    nameless = plain[:begin] + "<e:DocumentId>abc</e:DocumentId>" + plain[end:]
    events, _ = read(document(document_id="abc"), nameless)
    line = nameless[: nameless.index("<e:MessageHeader>")].count("\n") + 1
    assert [e.place.line for e in events if e.kind is RECEIVED] == [line]


@pytest.mark.parametrize("at", ["", "null", "1970/01/01 00:00:00", "2026/02/30 00:00:00"])
def test_a_status_without_a_time_has_that_of_the_sending(at: str) -> None:
    events, _ = read(document(sent="2026/11/10 12:00:00"), status(at=at))
    assert {e.time for e in events} == {dt.datetime(2026, 11, 10, 5, tzinfo=dt.UTC)}
    events, report = read(document("13"), status(at=at))
    assert len(events) == 1
    assert report.extra["unreadable"] == ["packets/1.edxml: a status without a time"]
    mine = status("03", "55", "SYT-VP", by=OWN, origin=HEALTH, at=at)
    events, report = read(document(), mine)
    assert (len(events), report.unparsed) == (1, 1)


def test_a_status_without_its_packet_shows_a_receipt_and_is_counted() -> None:
    events, report = read(status("03", "99"))
    assert [e.kind for e in events] == [RECEIVED]
    assert report.extra["statuses_without_packet"] == 1


def test_a_status_without_a_sender_code_is_tied_by_its_document_or_not_at_all() -> None:
    assert said(document(), status(origin="null"))[1:] == [(RECEIVED, NUMBER, OWN, HEALTH)]
    by_id = status(number="74fass22", sign="", document_id="abc")
    assert said(document(document_id="abc"), by_id)[1:] == [(RECEIVED, NUMBER, OWN, HEALTH)]
    events, report = read(document(), status("03", "99", origin=None))
    assert (len(events), report.extra["of_others"]) == (1, 1)


def test_codes_of_four_shapes_and_of_two_ages() -> None:
    to = ("000.00.05.H26", "002.00.20.H13", "28.22.H17", "vxp.saas.03", "020100107370")
    events, report = read(document(sender="000.00.12.H26", to=to))
    assert [e.recipient for e in events] == [code.upper() for code in to]
    assert (report.extra["unknown_codes"], len(report.extra["unknown_code_list"])) == (4, 4)


def test_the_same_file_twice_counts_once() -> None:
    events, report = read(document(), document())
    assert (len(events), report.duplicates, report.lines) == (1, 1, 2)


# -------------------------------------------------------------------------------- attachments


def hashes(*files: bytes) -> tuple[list[str], dict[str, Any]]:
    (event,), report = read(document(files=files))
    return event.content.split(), report.extra


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_files_in_archives_and_bare_ones_are_hashed_each_once() -> None:
    archive = zipped({"../../etc/passwd": b"1", "a.pdf": PDF, "d/": b""})
    found, extra = hashes(archive, PDF, b"x" * 3_000_001)
    assert found == [sha(b"1"), sha(PDF), sha(b"x" * 3_000_001)]
    assert "attachments_not_hashed" not in extra


@pytest.mark.parametrize("said_type", ["application/pdf", "text/plain", ""])
def test_what_an_attachment_is_shows_in_its_bytes_and_not_in_its_type(said_type: str) -> None:
    packet = document(files=[zipped({"a.pdf": PDF})]).replace("application/zip", said_type)
    (event,), _ = read(packet)
    assert event.content == sha(PDF)


def test_a_message_of_several_parts_is_read_for_its_envelope() -> None:
    message = (
        'Content-Type: multipart/related; boundary="b"\r\n\r\n--b\r\nContent-Type: text/xml\r\n'
        f"\r\n{document()}\r\n--b\r\nContent-Type: application/pdf\r\n\r\n%PDF-1.4\r\n--b--\r\n"
    )
    events, report = read(message)
    assert [(e.kind, str(e.key)) for e in events] == [(SENT, NUMBER)]
    assert report.extra["text_before_xml"] == 1


def test_an_empty_attachment_is_no_file() -> None:
    assert hashes(b"", PDF) == ([sha(PDF)], {"documents_sent": 1})


def test_a_file_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edxml, "MOST_BYTES", len(document().encode()))
    _, report = read(document(), document("123"))
    assert report.extra["unreadable"][0].startswith("packets/1.edxml: larger than ")


def test_an_archive_in_an_archive_is_one_file() -> None:
    inner = zipped({"a.pdf": PDF})
    assert hashes(zipped({"inner.zip": inner}))[0] == [sha(inner)]


BOMBS = [
    zipped({"a": b"\0" * 30_000_000}),  # ratio
    zipped({f"{n}": b"" for n in range(edxml_files.MOST_MEMBERS + 1)}),
    zipped({"a": b"abc"})[:-10],
    zipped({"a": b"abc" * 99}).replace(b"\x4b\x4c", b"\0\0")[:40] + b"PK\x05\x06" + b"\0" * 18,
    b"PK\x03\x04" + b"\0" * 100,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=map(str, range(len(BOMBS))))
def test_bombs_and_ruins_are_left_out_and_counted(bomb: bytes) -> None:
    found, extra = hashes(PDF, bomb)
    assert found == [sha(PDF)]
    assert extra["attachments_not_hashed"] == 1


def test_sizes_are_limited_for_each_packet_and_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edxml_files, "MOST_PACKED", 50)
    assert hashes(zipped({"a.pdf": PDF}))[1] == {"attachments_not_hashed": 1, "documents_sent": 1}
    monkeypatch.undo()
    monkeypatch.setattr(edxml_files, "MOST_UNPACKED", 10)
    assert hashes(zipped({"a.pdf": PDF}))[1]["attachments_not_hashed"] == 1


@pytest.mark.parametrize("text", ["###", "AAA", "A", "AAAA=AAA", "\u1ea1" * 8])
def test_what_is_no_base64_is_left_out(text: str) -> None:
    packet = document(files=[PDF]).replace("JVBERi0x", text)
    (event,), report = read(packet)
    assert (event.content, report.extra["attachments_not_hashed"]) == ("", 1)


# ----------------------------------------------------------------------------------- archives


def test_packets_in_an_archive_are_read_one_by_one() -> None:
    good = {"a/1.edxml": document().encode(), "2.edxml": b"bad", "a/": b""}
    events, report = read(zipped(good), document("13"))
    assert [e.place.file for e in events] == ["packets/0.edxml:a/1.edxml", "packets/1.edxml"]
    assert report.extra["unreadable"] == ["packets/0.edxml:2.edxml: no XML"]
    assert (report.files, report.lines) == (2, 3)


def test_a_name_of_no_letters_in_an_archive_is_as_good_as_any() -> None:
    data = bytearray(zipped({"?": document().encode()}))
    central = data.index(b"PK\x01\x02")
    data[central + 28] = 0  # the length of the name
    data[central + 46 : central + 47] = b""
    end = data.index(b"PK\x05\x06")
    data[end + 12] -= 1  # the size of the directory
    events, report = read(bytes(data), document("13"))
    assert report.lines == 2
    assert "13/2026/QD-UBND-HK" in {str(e.key) for e in events}


def test_archives_of_too_much_or_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    archive = zipped({"1": document().encode(), "2": document("13").encode()})
    monkeypatch.setattr(packets_zip, "MOST_PACKETS", 1)
    _, report = read(document("14"), archive)
    assert report.extra["unreadable"] == ["packets/1.edxml: an archive of more than 1 files"]
    monkeypatch.undo()
    monkeypatch.setattr(packets_zip, "LARGEST", 100)
    _, report = read(document("14"), archive)
    assert (report.lines, report.unparsed) == (3, 2)


def test_more_than_the_source_may_unpack_is_truncated_and_not_half_an_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(edxml_files.Budget.__init__, "__defaults__", (1000,))
    with pytest.raises(Unparsable, match="unpack to more") as caught:
        read(document(), zipped({"1": document().encode()}))
    assert caught.value.kind is FailureKind.TRUNCATED


# --------------------------------------------------------------------------------- hostile XML

LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]>'
    "<l>&b;&b;&b;</l>"
)
OUTSIDE = '<!DOCTYPE e [<!ENTITY x SYSTEM "file:///etc/passwd">]><e><to>&x;</to></e>'
DTD = '<!DOCTYPE e SYSTEM "http://127.0.0.1:9/x.dtd"><e/>'


HOSTILE = [
    (LAUGHS, "a DTD or an entity"),
    (OUTSIDE, "a DTD or an entity"),
    (DTD, "a DTD or an entity"),
    ("<e>&x;</e>", "undefined entity"),
    ("<a>" * 100_000, "elements nested deeper than 40"),
    ("<e>" + "<a/>" * 300_000, "more than 200000 elements"),
    ("<e>" + "<to/>" * 30_000, "more than 20000 parts"),
    ("<e " + "a" * 3_000_000, "a tag or comment is too long"),
    ("<e><!--" + "a" * 3_000_000, "a tag or comment is too long"),
]


@pytest.mark.parametrize(("file", "why"), HOSTILE, ids=map(str, range(len(HOSTILE))))
def test_hostile_xml_is_refused_at_once(file: str, why: str) -> None:
    _, report = read(document(), file)
    (told,) = report.extra["unreadable"]
    assert why in told
    assert len(told) < 200


def test_long_values_are_cut_and_never_piled_up() -> None:
    events, _ = read(document(sender="H26.1.2" + "x" * 2_000_000, to=("H26.1.2",)), document("13"))
    assert max(len(e.sender) for e in events) < 1000


# ---------------------------------------------------------------------------------------- fuzz

WHOLE = document(
    to=(HEALTH, CULTURE), files=[zipped({"a.pdf": PDF})], business=doing(2, receivers((HEALTH, 0)))
).encode()


@PATIENT
@given(st.binary(max_size=200), st.integers(0, len(WHOLE)), st.integers(0, 60))
def test_any_damage_is_read_or_refused(data: bytes, at: int, cut: int) -> None:
    for raw in (data, WHOLE[:at] + data + WHOLE[at + cut :], zipped({"x": WHOLE})[:at] + data):
        events, report = read(document("13"), raw)
        assert str(events[0].key) == "13/2026/QD-UBND-HK"
        assert report.lines >= 2


@PATIENT
@given(
    st.lists(
        st.builds(
            document,
            number=st.sampled_from(["12", "13", "QĐ", "", "12a", "null", "9" * 30]),
            sign=st.sampled_from(["QĐ-UBND-HK", "12", "", "2026/QĐ-UBND", "12/QĐ"]),
            sender=st.sampled_from([OWN, HEALTH, None, "null", "000.00.12.H26"]),
            to=st.lists(st.sampled_from([OWN, HEALTH, CULTURE, None]), max_size=3),
            date=st.sampled_from(["2026/11/10", "", "9999/12/31", "1900/01/01", "0"]),
            sent=st.sampled_from(["2026/11/10 08:00:00", "", "9999/12/31 23:59:59", "x"]),
            document_id=st.sampled_from(["a", "b", ""]),
            business=st.sampled_from(["", doing(1, "", "a"), doing(2, receivers((HEALTH, 0))),
                                      doing(3, replaced("b"))]),
            paper=st.sampled_from(["0", "1", "²", "9" * 50]),
        )
        | st.builds(
            status,
            code=st.sampled_from(["01", "02", "13", "x", ""]),
            number=st.sampled_from(["12", ""]),
            by=st.sampled_from([OWN, HEALTH, None]),
            origin=st.sampled_from([OWN, HEALTH, None]),
            date=st.sampled_from(["2026/11/10", "9999/12/31"]),
            at=st.sampled_from(["2026/11/10 09:00:00", "", "9999/12/31 23:59:59"]),
            document_id=st.sampled_from(["a", "b", ""]),
        ),
        max_size=6,
    )
)  # fmt: skip
def test_any_messages_together_are_understood_or_counted(files: list[str]) -> None:
    events, report = read(document("99"), *files)
    assert report.lines == len(files) + 1
    assert report.unparsed <= len(files) + sum("ReplacementInfo" in f for f in files)
    assert all(e.time and e.key.number and e.place.sha256 for e in events)
