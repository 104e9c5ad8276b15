"""A folder of edXML packets: what was sent, received, refused, taken back and delivered."""

from __future__ import annotations

import datetime as dt
import hashlib

import pytest

from checks.documents.events import EventKind, SourceKind
from inventory.model import Unit, UnitKind
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
    soap_status,
    status,
    zipped,
)

SENT, RECEIVED, REFUSED = EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED
REVOKED, DELIVERED, POSTED = EventKind.REVOKED, EventKind.DELIVERED, EventKind.POSTED


def test_a_packet_of_this_unit_was_sent_to_each_recipient() -> None:
    events, report = read(document(to=(HEALTH, CULTURE), files=[zipped({"a.pdf": PDF})]))
    assert [(e.kind, str(e.key), e.sender, e.recipient) for e in events] == [
        (SENT, NUMBER, OWN, HEALTH),
        (SENT, NUMBER, OWN, CULTURE),
    ]
    assert {e.time for e in events} == {dt.datetime(2026, 11, 10, 1, 30, tzinfo=dt.UTC)}
    assert {e.content for e in events} == {hashlib.sha256(PDF).hexdigest()}
    assert {e.date for e in events} == {dt.date(2026, 11, 10)}
    place = events[0].place
    data = document(to=(HEALTH, CULTURE), files=[zipped({"a.pdf": PDF})]).encode()
    line = data[: data.index(b"<e:Code>")].count(b"\n") + 1
    assert (place.source, place.file, place.line) == (
        SourceKind.GATEWAY,
        "packets/0.edxml",
        line,
    )
    assert place.sha256 == hashlib.sha256(data).hexdigest()
    assert (report.kind, report.lines, report.days) == (
        SourceKind.GATEWAY,
        1,
        frozenset({dt.date(2026, 11, 10)}),
    )


def test_nothing_of_subjects_people_and_file_names_is_kept() -> None:
    found = repr(read(document(files=[zipped({"Quyết định.pdf": PDF})]), status()))
    for word in ("lịch họp", "Nguyễn", "Trần", "0912", "Quyết định", "a@b", "024", "Đã tiếp"):
        assert word not in found


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("01", RECEIVED),
        ("02", REFUSED),
        ("03", RECEIVED),
        ("04", RECEIVED),
        ("05", RECEIVED),
        ("06", RECEIVED),
        ("15", REVOKED),
        ("16", RECEIVED),
    ],
)
def test_what_a_recipient_says_of_a_document(code: str, kind: EventKind) -> None:
    assert said(document(), status(code)) == [
        (SENT, NUMBER, OWN, HEALTH),
        (kind, NUMBER, OWN, HEALTH),
    ]


def test_a_status_of_a_code_that_nobody_knows_says_nothing() -> None:
    events, report = read(document(), status("77"))
    assert (len(events), report.extra["unknown_status_codes"]) == (1, 1)


def test_the_order_of_the_files_does_not_matter() -> None:
    files = [document(), status("01"), status("03", at="2026/11/10 10:00:00")]
    assert sorted(said(*files)) == sorted(said(*reversed(files)))


def test_the_status_of_a_provincial_axis_in_a_soap_envelope() -> None:
    answer = soap_status(
        "03", "12/QĐ-UBND-HK", by=HEALTH, origin=OWN, date="10/11/2026", at="11/11/2026 08:00:00"
    )
    assert said(answer) == [(RECEIVED, NUMBER, OWN, HEALTH)]


# ------------------------------------------------------------------------- what is done later


def test_a_document_that_is_taken_back_is_found_by_its_id_and_not_by_what_the_id_says() -> None:
    first = document(document_id="H26.5,2020/01/01,99/BC-SYT", to=(HEALTH, CULTURE))
    back = document(
        "",
        "",
        sent="2026/11/11 08:00:00",
        to=(CULTURE,),
        business=doing(1, document_id="H26.5,2020/01/01,99/BC-SYT"),
    )
    assert said(first, back)[2:] == [(REVOKED, NUMBER, OWN, CULTURE)]
    assert said(back, first)[-1] == (REVOKED, NUMBER, OWN, CULTURE)
    _, report = read(first, document("", "", business=doing(1, document_id="other")))
    assert (report.extra["take_backs_of_unknown"], report.unparsed) == (1, 0)


def test_a_take_back_with_a_number_of_its_own_means_that_document() -> None:
    back = document(to=(HEALTH,), sent="2026/11/11 08:00:00", business=doing(1))
    assert said(document(to=(HEALTH, CULTURE)), back)[2:] == [(REVOKED, NUMBER, OWN, HEALTH)]


def test_an_id_that_two_documents_share_ties_nothing() -> None:
    back = document("", "", business=doing(1, document_id="same"))
    files = [document(document_id="same"), document("13", document_id="same"), back]
    events, report = read(*files)
    assert REVOKED not in {e.kind for e in events}
    assert report.extra["take_backs_of_unknown"] == 1


def test_recipients_added_and_removed() -> None:
    changed = document(
        to=(), sent="2026/11/12 08:00:00", business=doing(2, receivers((CULTURE, 1), (HEALTH, 0)))
    )
    assert sorted(said(document(), changed)[1:]) == sorted(
        [
            (SENT, NUMBER, OWN, CULTURE),
            (REVOKED, NUMBER, OWN, HEALTH),
        ]
    )


def test_a_recipient_that_is_only_removed_was_sent_nothing() -> None:
    changed = document(
        to=(CULTURE,), sent="2026/11/12 08:00:00", business=doing(2, receivers((HEALTH, 0)))
    )
    events, report = read(document(), changed, status())
    assert [e.kind for e in events] == [SENT, REVOKED, RECEIVED]
    assert report.extra == {"documents_sent": 1, "status_messages": 1}
    assert report.repeated == 0


def test_a_replaced_document_is_taken_back_where_the_message_says() -> None:
    old = document(document_id="old", to=(HEALTH, CULTURE))
    new = document("15", to=(HEALTH,), business=doing(3, replaced("old", HEALTH)))
    assert said(old, new)[2:] == [
        (SENT, "15/2026/QD-UBND-HK", OWN, HEALTH),
        (REVOKED, NUMBER, OWN, HEALTH),
    ]


def test_paper_beside_the_electronic_document() -> None:
    assert said(document(paper="2")) == [
        (SENT, NUMBER, OWN, HEALTH),
        (POSTED, NUMBER, OWN, HEALTH),
    ]
    assert said(document(paper="-1")) == said(document(paper="null")) == said(document())


# ---------------------------------------------------------------------------------- deliveries

THEIRS = {"number": "55", "sign": "SYT-VP", "sender": HEALTH}


def test_a_packet_to_this_unit_was_delivered_when_this_unit_got_it() -> None:
    sent = [(HEALTH, "2026/11/09 16:00:00"), (None, "2026/11/09 16:01:00")]
    theirs = document(to=(CULTURE, "000.00.12.H26"), sent=sent, **THEIRS)  # type: ignore[arg-type]
    (event,), report = read(theirs)
    assert report.extra == {"documents_delivered": 1, "older_than_their_document": 1}
    assert (event.kind, event.sender, str(event.key)) == (DELIVERED, HEALTH, "55/2026/SYT-VP")
    assert event.time == dt.datetime(2026, 11, 9, 17, tzinfo=dt.UTC)  # the document's day
    sent.append((OWN, "2026/11/11 07:00:00"))
    (event,), _ = read(document(to=(OWN,), sent=sent, **THEIRS))  # type: ignore[arg-type]
    assert event.time == dt.datetime(2026, 11, 11, tzinfo=dt.UTC)


def test_of_several_traces_the_units_own_first_one_counts_and_else_the_nearest() -> None:
    others = [(None, "2026/11/10 09:00:00"), ("G22.1", "2026/11/10 08:00:00")]
    mine = [(OWN, "2026/11/10 11:00:00"), (OWN, "2026/11/10 10:00:00")]
    for sender, to, traces, hour in (
        (OWN, HEALTH, others, 8),
        (OWN, HEALTH, [*others, *mine], 10),
        (HEALTH, OWN, others, 9),
        (HEALTH, OWN, [*others, *mine], 10),
    ):
        (event,), _ = read(document(sender=sender, to=(to,), sent=traces))
        assert event.time == dt.datetime(2026, 11, 10, hour - 7, tzinfo=dt.UTC)


def test_what_this_unit_says_of_anothers_document_shows_its_delivery() -> None:
    mine = status("03", "55", "SYT-VP", by=OWN, origin=HEALTH)
    assert said(mine) == [(DELIVERED, "55/2026/SYT-VP", HEALTH, "")]


@pytest.mark.parametrize("code", ["02", "15"])
def test_what_this_unit_refused_or_gave_back_need_not_be_registered(code: str) -> None:
    theirs = document(to=(OWN,), **THEIRS)  # type: ignore[arg-type]
    events, report = read(
        theirs, status(code, "55", "SYT-VP", by=OWN, origin="000.00.05.H26"), document()
    )
    assert [e.kind for e in events] == [SENT]
    assert report.extra["deliveries_taken_back"] == 1


@pytest.mark.parametrize("what", [doing(1), doing(2, receivers((OWN, 0)))])
def test_what_the_sender_took_back_need_not_be_registered(what: str) -> None:
    theirs = document(to=(OWN,), **THEIRS)  # type: ignore[arg-type]
    back = document(to=(OWN,), business=what, **THEIRS)  # type: ignore[arg-type]
    for files in ((theirs, back), (back, theirs)):
        assert said(document(), *files) == [(SENT, NUMBER, OWN, HEALTH)]


def test_a_sender_asks_for_its_document_back_from_the_agency_that_the_status_names() -> None:
    asked = status("13", by="000.00.12.H26", origin=CULTURE)
    found = said(document(to=(HEALTH, CULTURE)), asked)
    assert found[2:] == [(REVOKED, NUMBER, "000.00.12.H26", CULTURE)]
    theirs = document(to=(OWN,), **THEIRS)  # type: ignore[arg-type]
    back = status("13", "55", "SYT-VP", by="000.00.05.H26", origin=OWN)
    assert said(document(), theirs, back) == [(SENT, NUMBER, OWN, HEALTH)]


@pytest.mark.parametrize("origin", [OWN, "000.00.12.H26", None])
def test_a_sender_that_does_not_say_from_whom_it_wants_it_back(origin: str | None) -> None:
    events, report = read(document(), status("13", by=OWN, origin=origin))
    assert [e.kind for e in events] == [SENT]
    assert report.extra["said_by_the_sender"] == 1


def test_what_others_ask_back_from_others_is_not_this_units() -> None:
    events, report = read(document(), status("13", by=HEALTH, origin=CULTURE))
    assert ([e.kind for e in events], report.extra["of_others"]) == ([SENT], 1)


def test_a_recipient_that_was_added_got_the_document() -> None:
    added = document(to=(), business=doing(2, receivers((OWN, 1))), **THEIRS)  # type: ignore[arg-type]
    assert said(added) == [(DELIVERED, "55/2026/SYT-VP", HEALTH, "")]


def test_what_others_write_to_others_is_counted_and_left_out() -> None:
    theirs = document(to=(CULTURE,), **THEIRS)  # type: ignore[arg-type]
    events, report = read(document(), theirs, status(by=CULTURE, origin=HEALTH))
    assert (len(events), report.extra["of_others"]) == (1, 2)


def test_without_known_codes_every_packet_is_one_that_was_sent() -> None:
    nobody = Unit(id="zz", name="Không rõ", kind=UnitKind.WARD)
    theirs = document(to=(OWN,), **THEIRS)  # type: ignore[arg-type]
    assert said(theirs, unit=nobody) == [(SENT, "55/2026/SYT-VP", HEALTH, OWN)]
