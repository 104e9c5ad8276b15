"""The demo's axis: packets with really signed files, a log of the exchange with a real outage."""

from __future__ import annotations

import datetime as dt
import itertools
import random
from collections import Counter
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from asn1crypto import pem
from asn1crypto import x509 as other
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvent, EventKind, SourceReport
from checks.documents.numbers import Finder
from checks.documents.outages import during, outages_of
from checks.documents.seals import Signer
from checks.documents.sources.packets import read_packets
from checks.documents.sources.reading import Reading
from checks.documents.sources.x_road import read_x_road
from checks.files import FileEntry
from checks.model import Status
from inventory.model import Agency, Documents, Unit, UnitKind
from scanner.demo.arrivals import arrivals, incoming_rows
from scanner.demo.authority import Authority
from scanner.demo.axis import BY_PACKETS, outage_of, through_outage
from scanner.demo.casting import cast
from scanner.demo.expect import expect
from scanner.demo.kinds import HostKind
from scanner.demo.mail import mails
from scanner.demo.monitoring import monitoring
from scanner.demo.packets import write_packets
from scanner.demo.papers import Paper, Way, directory, papers
from scanner.demo.pdfs import pdf, signed, with_page
from scanner.demo.plot import AxisStory, DocsStory, Plot, UnitPlot

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
NOW = dt.datetime(2026, 11, 22, 8, 20, tzinfo=ZONE)
PLOT = cast(20, NOW, random.Random(6))  # noqa: S311 - repeatable on purpose


def lots() -> random.Random:
    return random.Random(6)  # noqa: S311 - repeatable on purpose


def authority() -> Authority:
    return Authority(NOW, Ed25519PrivateKey.generate)


def unit_of(story: AxisStory) -> UnitPlot:
    return next(u for u in PLOT.units if u.docs.axis is story)


def sent_by(unit: UnitPlot) -> tuple[Paper, ...]:
    return papers(unit, directory(PLOT.units), NOW, lots())


def reading(unit: UnitPlot) -> Reading:
    agencies = tuple(Agency(code=b.code, name=b.name) for b in directory(PLOT.units))
    own = Unit(
        id=unit.place.code,
        name=unit.place.title,
        kind=UnitKind.WARD,
        documents=Documents(codes=(unit.place.axis_code,)),
    )
    return Reading(
        name="x", zone=ZONE, directory=Directory(agencies, own), finder=Finder(()), columns={}
    )


def entry(path: Path) -> FileEntry:
    return FileEntry(name=path.name, mtime=NOW, data=path.read_bytes())


# ---------------------------------------------------------------------------------------- casting


@pytest.mark.parametrize("units", [20, 126])
def test_every_story_of_the_axis_is_told_by_units_with_nothing_else_wrong(units: int) -> None:
    plot: Plot = cast(units, NOW, lots())
    told = [u for u in plot.units if u.docs.axis is not AxisStory.LIST]
    assert {u.docs.axis for u in told} == set(AxisStory) - {AxisStory.LIST}
    assert {u.docs.story for u in told} == {DocsStory.FINE}
    kinds = {h.id: h.kind for h in plot.hosts} | {"": HostKind.NORMAL}
    assert {kinds[u.docs.mail_host] for u in told} == {HostKind.NORMAL}
    # Some are left that tell no story at all.
    assert any(u.docs == type(u.docs)(mail_host=u.docs.mail_host) for u in plot.units)


def test_the_city_has_a_few_of_each() -> None:
    told = Counter(u.docs.axis for u in cast(126, NOW, lots()).units)
    assert (told[AxisStory.PACKETS], told[AxisStory.UNSIGNED], told[AxisStory.OUTAGE]) == (4, 3, 4)


def test_a_demo_of_three_units_still_has_a_plain_one() -> None:
    units = cast(3, NOW, lots()).units
    assert AxisStory.LIST in {u.docs.axis for u in units}


def test_the_truth_says_what_each_must_end_in() -> None:
    rows = {(r.unit, r.check, r.subject): r for r in expect(PLOT).rows}
    packets, bare, outage = (
        unit_of(s).place.code for s in (AxisStory.PACKETS, AxisStory.UNSIGNED, AxisStory.OUTAGE)
    )
    evidence = "documents.evidence-complete"
    assert rows[packets, "documents.signed", ""].status is Status.PASS
    assert rows[bare, "documents.signed", ""].status is Status.FAIL
    assert rows[outage, "documents.bypass", ""].status is Status.PASS
    assert (packets, evidence, "packets") in rows
    assert (packets, evidence, "gateway") not in rows
    assert (outage, evidence, "x_road") in rows


def test_nothing_of_any_story_happens_in_the_future() -> None:
    bodies = directory(PLOT.units)
    for story in DocsStory:
        for unit, seed in itertools.product(PLOT.units[:3], range(30)):
            told = replace(unit, docs=replace(unit.docs, story=story))
            every = papers(told, bodies, NOW, random.Random(seed))  # noqa: S311 - repeatable
            latest = max(d.sent for p in every for d in p.deliveries)
            assert latest + dt.timedelta(hours=1) < NOW, (story, seed)


@pytest.mark.parametrize("day", [dt.date(2026, 11, 22), dt.date(2027, 1, 6), dt.date(2027, 1, 20)])
def test_a_register_that_skips_an_arrival_number_skips_one_and_shows_it(day: dt.date) -> None:
    now = dt.datetime.combine(day, dt.time(8, 20), ZONE)
    unit = unit_of(AxisStory.OUTAGE)
    came = arrivals(unit, directory(PLOT.units), now, lots())
    told = incoming_rows(came, skips=True)
    whole = incoming_rows(came, skips=False)

    def numbers(rows: list[tuple[str, ...]]) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row in rows:
            found.setdefault(row[0][-4:], []).append(int(row[1]))
        return found

    assert all(n == [*range(1, len(n) + 1)] for n in numbers(whole).values())
    gaps = {year: {*range(min(n), max(n) + 1)} - {*n} for year, n in numbers(told).items()}
    assert sum(map(len, gaps.values())) == 1
    assert all(min(n) == 1 for n in numbers(told).values())


# ---------------------------------------------------------------------------------------- packets


@pytest.fixture(scope="module", params=BY_PACKETS)
def packed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[UnitPlot, tuple[Paper, ...], list[DocumentEvent], SourceReport]:
    unit = unit_of(request.param)
    sent = sent_by(unit)
    folder = tmp_path_factory.mktemp("packets") / "p"
    write_packets(folder, unit, sent, authority(), lots())
    events, report = read_packets([entry(p) for p in sorted(folder.iterdir())], reading(unit))
    return unit, sent, list(events), report


Packed = tuple[UnitPlot, tuple[Paper, ...], list[DocumentEvent], SourceReport]


def test_every_delivery_is_in_a_packet_and_every_receipt_in_a_status(packed: Packed) -> None:
    _, sent, events, report = packed
    ways = (Way.GATEWAY, Way.COPY)
    planted = {(p.number, d.to.code) for p in sent for d in p.deliveries if d.way in ways}
    for kind in (EventKind.SENT_GATEWAY, EventKind.RECEIVED):
        assert {(e.key.number, e.recipient) for e in events if e.kind is kind} == planted
    assert report.unparsed == 0
    assert {e.key.year for e in events} == {2026}


def test_the_files_are_signed_by_the_head_and_by_the_body_but_where_that_is_the_story(
    packed: Packed,
) -> None:
    unit, _, _, report = packed
    assert report.seals is not None
    made = Counter(
        frozenset(m.signer for m in sheet.marks if not m.fault)
        for packet in report.seals.packets
        for sheet in packet.sheets
    )
    both = frozenset({Signer.PERSON, Signer.ORGANISATION})
    bare = made[frozenset({Signer.PERSON})]
    assert set(made) <= {both, frozenset({Signer.PERSON})}
    if unit.docs.axis is AxisStory.UNSIGNED:
        assert made.total() // 10 < bare < made.total() // 2
    else:
        assert not bare


def test_another_program_finds_the_signatures_whole_and_trusted() -> None:
    made = authority()
    head = made.issue("Nguyễn Văn Mẫu", "UBND phường X")
    office = made.issue("UBND phường X", "UBND phường X")
    file = signed(signed(pdf("Van ban"), head, NOW), office, NOW)
    context = ValidationContext(
        trust_roots=[other.Certificate.load(pem.unarmor(made.pem)[2])], allow_fetching=False
    )

    def found(data: bytes) -> list[tuple[bool, bool, bool]]:
        each = PdfFileReader(BytesIO(data)).embedded_signatures
        told = [validate_pdf_signature(s, context) for s in each]
        return [(s.intact and s.valid, s.trusted, s.bottom_line) for s in told]

    assert found(file) == [(True, True, True)] * 2
    changed = found(with_page(file, "Khac"))
    assert not any(good for _, _, good in changed)
    cut = file.replace(b"Van ban", b"Van bAn", 1)
    assert [whole for whole, _, _ in found(cut)] == [False, False]


# ------------------------------------------------------------------------------------- the outage


def test_what_is_mailed_in_the_outage_went_while_the_log_shows_failures_only() -> None:
    unit = unit_of(AxisStory.OUTAGE)
    sent = through_outage(sent_by(unit))
    log = monitoring(unit, directory(PLOT.units), sent, NOW, lots())
    events, report = read_x_road(
        [FileEntry(name="m.json", mtime=NOW, data=log.encode())], reading(unit)
    )
    (outage,) = outages_of(events)
    begin, end = outage_of(sent)
    assert (outage.begin, outage.end - dt.timedelta(minutes=1)) == (begin, end)
    assert report.extra["total_outages"] == 1
    day = [begin.date()]
    out = [m for m in mails(unit.place.domain, sent, day, ZONE, lots()) if m.attachment]
    carried = [m for m in out if m.time.date() == begin.date()]
    planted = [d for p in sent if p.date == begin.date() for d in p.deliveries]
    assert len(carried) == len(planted) >= 1
    assert all(during((outage,), m.time) for m in carried)
    assert {d.way for d in planted} == {Way.MAIL}
