"""The page on the axis' files says what the readers do."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from checks.documents import evidence
from checks.documents.agencies import Directory
from checks.documents.numbers import Finder
from checks.documents.sources import (
    edxml,
    edxml_files,
    gateway,
    packets_zip,
    received,
    x_road,
    x_road_outages,
    x_road_records,
)
from checks.documents.sources.edxml_files import Attachments, Budget
from checks.documents.sources.edxml_values import number_of
from checks.documents.sources.reading import Reading
from checks.documents.sources.x_road import read_x_road
from checks.folding import letters, words
from inventory.model import Documents
from scanner.transports import files
from tests.helpers.correspondence import AGENCIES, UNIT, ZONE, entry

PAGE = Path(__file__).parents[3].joinpath("docs/axis-files.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", PAGE, re.DOTALL)


def block(language: str) -> str:
    (found,) = (text for name, text in BLOCKS if name == language)
    return str(found)


def test_the_keys_are_those_of_the_inventory_and_each_has_a_reader() -> None:
    said = set(yaml.safe_load(block("yaml"))["documents"])
    assert said <= set(Documents.__struct_fields__)
    assert said - {"codes"} <= {kind.key for kind in evidence.FILE_KINDS}


def test_the_headers_are_read() -> None:
    sent, came = block("").splitlines()
    known = {alias for names in gateway.ALIASES.values() for alias in names}
    assert {"FROMCODE", "TOCODE", "NOTATION", "SENTTIME"} <= known & set(
        map(words, sent.split(","))
    )
    mine = {letters(header) for header in came.split(",")}
    for ours in ("From", "CreatedTime", "UpdatedTime", "ContentSha256", "Status", "MessageType"):
        assert mine & set(received.ALIASES[ours]), ours
    for header in re.findall(r"`([^`]+)`", PAGE.split("headers of provincial axes")[1])[:10]:
        table = (*gateway.ALIASES.values(), *received.ALIASES.values())
        assert any(letters(header) in names for names in table), header


def test_the_snippet_of_a_packet_is_a_number_a_sender_and_a_recipient() -> None:
    text = f"<e><MessageHeader>{block('xml')}</MessageHeader></e>"
    message = edxml.read_message(text.encode(), Attachments(Budget()))
    key, date = number_of(message.groups["messageheader"][0])
    assert (str(key), str(date)) == ("12/2026/QD-UBND-HK", "2026-11-10")
    assert (message.one("from", "organid"), message.one("to", "organid")) == ("H26.1.2", "H26.5")


def test_the_record_is_a_failed_call() -> None:
    reading = Reading(name="x", zone=ZONE, directory=Directory(AGENCIES, UNIT), finder=Finder(()))
    _, report = read_x_road([entry("x", block("json"))], reading)
    assert (report.extra["calls"], report.extra["calls_failed"]) == (1, 1)


def test_the_limits_are_those_of_the_code() -> None:
    mib = 1024 * 1024
    assert (edxml_files.MOST_MEMBERS, edxml_files.MOST_RATIO) == (1000, 200)
    assert (64 * mib, 256 * mib) == (edxml_files.MOST_PACKED, edxml_files.MOST_UNPACKED)
    assert (40, 200_000, mib) == (edxml.MOST_DEPTH, edxml.MOST_ELEMENTS, edxml.LONGEST_TOKEN)
    assert (files.MOST_FILES, packets_zip.MOST_PACKETS) == (100_000, 100_000)
    assert (evidence.PACKETS.limit, edxml_files.BUDGET) == (2048 * mib, 8192 * mib)
    assert (x_road.MOST_RECORDS, x_road_records.LONGEST) == (3_000_000, 64 * 1024)
    assert (x_road_outages.SHORTEST, x_road_outages.SILENCE) == (15 * 60_000, 60 * 60_000)
    for said in ("1,000 files", "64 MiB packed", "256 MiB", "200 times", "40 levels", "200,000",
                 "100,000 files", "2 GiB", "8 GiB", "3,000,000", "64 KiB each", "15 minutes",
                 "over an\n  hour"):  # fmt: skip
        assert said in PAGE or said.replace("\n  ", " ") in PAGE, said
