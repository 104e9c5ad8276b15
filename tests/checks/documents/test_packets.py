"""A folder of edXML packets: what was sent, received, refused, taken back, delivered; and its dirt."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources import edxml_files, packets_zip
from checks.documents.sources.packets import read_packets
from checks.documents.sources.reading import Reading
from checks.evidence import FailureKind, Unparsable
from inventory.model import Agency, Unit, UnitKind
from tests.helpers.correspondence import AGENCIES, PATIENT, UNIT, ZONE, entry
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


def read(
    *files: str | bytes, unit: Unit = UNIT, agencies: tuple[Agency, ...] = AGENCIES
) -> tuple[list[DocumentEvent], SourceReport]:
    reading = Reading(
        name="packets/*",
        zone=ZONE,
        directory=Directory(agencies, unit),
        finder=Finder(()),
    )
    events, report = read_packets(
        [entry(f"packets/{n}.edxml", data) for n, data in enumerate(files)], reading
    )
    return list(events), report


def said(*files: str | bytes, **more: Any) -> list[tuple[EventKind, str, str, str]]:
    """Kind, number, sender and recipient of every event."""
    events, _ = read(*files, **more)
    return [(e.kind, str(e.key), e.sender, e.recipient) for e in events]


NUMBER = "12/2026/QD-UBND-HK"


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
        {dt.date(2026, 11, 10)},
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
        ("13", REVOKED),
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
