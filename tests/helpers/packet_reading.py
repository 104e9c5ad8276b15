"""Packets read as a unit's source, for tests that look at the events."""

from __future__ import annotations

from typing import Any

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.sources.packets import read_packets
from checks.documents.sources.reading import Reading
from inventory.model import Agency, Unit
from tests.helpers.correspondence import AGENCIES, UNIT, ZONE, entry

NUMBER = "12/2026/QD-UBND-HK"
"""The number of the packets of `tests.helpers.packets`, when nothing else is said."""


def read_packet_files(
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


def said_by_packets(*files: str | bytes, **more: Any) -> list[tuple[EventKind, str, str, str]]:
    """Kind, number, sender and recipient of every event."""
    events, _ = read_packet_files(*files, **more)
    return [(e.kind, str(e.key), e.sender, e.recipient) for e in events]
