"""The sources of the axis together, from the inventory's keys to the pairs."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import pytest

from checks.documents.agencies import Directory
from checks.documents.completeness import evidence_complete
from checks.documents.coverage import Period
from checks.documents.events import DocumentEvents, EventKind
from checks.documents.evidence import DOCUMENTS, ROUTES
from checks.documents.flows import untold
from checks.documents.registers import incoming_registered
from checks.documents.routing import routed
from checks.documents.went import unpacked
from checks.evidence import Answers, Failure, FailureKind, NotDeclared
from checks.model import Status, Subject
from checks.texts import render
from inventory.model import Documents, FileSource
from tests.helpers.correspondence import (
    GATEWAY_HEAD,
    REGISTER_HEAD,
    UNIT,
    ZONE,
    answer,
    context,
    entry,
    gateway,
    register,
    subject,
)
from tests.helpers.packets import HEALTH, OWN, document, status, zipped
from tests.helpers.x_road import NETWORK, call


def _packets() -> Iterator[tuple[str, bytes]]:
    """Of each day one that this unit sent, its receipt, and one that came."""
    for n in range(1, 20):
        day = f"2026/11/{n:02}"
        yield f"{n}out.edxml", document(str(n), date=day, sent=f"{day} 08:00:00").encode()
        yield f"{n}done.edxml", status("03", str(n), date=day, at=f"{day} 10:00:00").encode()
        theirs = document(
            str(n), "SYT-VP", sender=HEALTH, to=(OWN,), date=day, sent=f"{day} 09:00:00"
        )
        yield f"{n}in.edxml", theirs.encode()


FILES: dict[str, str | bytes] = {
    "register": REGISTER_HEAD
    + register(
        *((f"{n}/QĐ-UBND-HK", f"{n:02}/11/2026", "Sở Y tế") for n in range(1, 20)),
    ),
    "gateway": GATEWAY_HEAD
    + gateway(
        *((f"{n}/QĐ-UBND-HK", HEALTH, f"2026-11-{n:02} 08:00:00", "03") for n in range(1, 20)),
    ),
    "incoming": "Ngày đến,Số đến,Tác giả,Số ký hiệu,Ngày tháng\n"
    + "".join(f"{n}/11/2026,{n},Sở Y tế,{n}/SYT-VP,{n}/11/2026\n" for n in range(1, 20)),
    "received": "From,CreatedTime,Số ký hiệu\n"
    + "".join(f"H26.5,2026-11-{n:02} 09:00:00,{n}/SYT-VP\n" for n in range(1, 20)),
    "x_road": json.dumps([call(f"2026-11-{n:02} 08:00") for n in range(1, 20)]),
    "packets": zipped(dict(_packets())),
}


def unit_of(*keys: str) -> Subject:
    sources: dict[str, Any] = {key: FileSource(path=f"{key}/*") for key in keys}
    said = Documents(signs=("UBND-HK",), **sources)
    return subject(msgspec.structs.replace(UNIT, documents=said))


def answers(subj: Subject, changed: Mapping[str, str | bytes | Failure]) -> Answers:
    found = []
    for request in DOCUMENTS.requests(subj):
        key = request.params["path"].partition("/")[0]
        data = changed.get(key, FILES[key])
        files = data if isinstance(data, Failure) else [entry(f"{key}/1", data)]
        found.append(answer(request, files))
    return Answers(found)


def events_of(subj: Subject, changed: Mapping[str, str | bytes | Failure]) -> DocumentEvents:
    ctx = context(subj, evidence_complete.options())
    return DOCUMENTS.parse(ctx, answers(subj, changed))


def test_packets_alone_show_the_same_as_an_export() -> None:
    found = {}
    for key in ("gateway", "packets"):
        subj = unit_of("register", key)
        ctx = context(subj, routed.options(period_days=18))
        (verdict,) = routed.judge(ctx, None, events_of(subj, {}))
        found[key] = {k: verdict.detail[k] for k in ("numerator", "denominator", "counts")}
        assert verdict.status is Status.PASS
        assert verdict.detail["numerator"] >= 15
    assert found["packets"] == found["gateway"]


def test_what_went_through_is_told_by_the_packet_and_its_receipt() -> None:
    subj = unit_of("register", "packets")
    (verdict,) = routed.judge(
        context(subj, routed.options(period_days=18)), None, events_of(subj, {})
    )
    (mine,) = [w for w in unpacked(verdict.detail) if w["key"] == "12/2026/QD-UBND-HK"]
    assert [line["place"] for line in mine["register"]] == ["register/1:13"]
    assert [(line["place"].rpartition(":")[0], line["said"]) for line in mine["gateway"]] == [
        ("packets/1:12out.edxml", "sent_gateway"),
        ("packets/1:12done.edxml", "received"),
    ]


def test_packets_and_an_export_together_count_once() -> None:
    one, both = unit_of("register", "gateway"), unit_of("register", "gateway", "packets")
    said = [
        next(iter(routed.judge(context(s, routed.options(period_days=18)), None, events_of(s, {}))))
        for s in (one, both)
    ]
    assert said[0].detail["counts"] == said[1].detail["counts"]


def test_what_lists_the_sending_is_required_and_one_is_enough() -> None:
    def asked(*keys: str) -> list[str]:
        return [r.params["path"] for r in ROUTES.requests(unit_of(*keys))]

    assert asked("register", "packets") == ["register/*", "packets/*"]
    assert asked("register", "packets", "gateway") == ["register/*", "gateway/*", "packets/*"]
    for keys in (("register",), ("register", "received"), ("register", "x_road")):
        with pytest.raises(NotDeclared, match=r"documents\.gateway or documents\.packets of unit"):
            asked(*keys)


def test_what_the_exchange_carried_never_routes_a_document() -> None:
    subj = unit_of("register", "gateway", "x_road", "received")
    events = events_of(subj, {"gateway": GATEWAY_HEAD})
    assert {e.kind for e in events.events} <= {EventKind.REGISTERED, EventKind.DELIVERED}
    (verdict,) = routed.judge(context(subj, routed.options(period_days=18)), None, events)
    assert verdict.detail["counts"]["routed"] == 0
    assert verdict.status is not Status.PASS


@pytest.mark.parametrize("key", ["received", "packets"])
def test_deliveries_are_held_against_the_incoming_register(key: str) -> None:
    subj = unit_of("incoming", key)
    ctx = context(subj, incoming_registered.options(period_days=18))
    (verdict,) = incoming_registered.judge(ctx, None, events_of(subj, {}))
    assert (verdict.status, verdict.detail["deliveries"]) == (Status.PASS, 17)
    assert verdict.detail["numerator"] == verdict.detail["denominator"] >= 15
    missing = FILES["incoming"].replace("7/SYT-VP", "700/SYT-VP")  # type: ignore[arg-type]
    (verdict,) = incoming_registered.judge(ctx, None, events_of(subj, {"incoming": missing}))
    assert [d["key"] for d in verdict.detail["documents"]] == [
        f"{n:02}/2026/SYT-VP" if key == "packets" else f"{n:02}/SYT-VP" for n in (7, 17)
    ]


def test_a_row_for_each_source_with_its_own_figures() -> None:
    subj = unit_of("register", "gateway", "packets", "received", "x_road")
    outage = [call("2026-11-18 09:00", NETWORK), call("2026-11-18 09:40", NETWORK)]
    changed = {"x_road": json.dumps([*json.loads(str(FILES["x_road"])), *outage])}
    events = events_of(subj, changed)
    ctx = context(subj, evidence_complete.options())
    rows = {v.subject: v for v in evidence_complete.judge(ctx, events)}
    assert rows["packets"].detail["documents_delivered"] == 19
    assert rows["received"].detail["delivered"] == 19
    assert rows["x_road"].detail["total_outages"] == 1
    assert len([e for e in events.events if e.kind is EventKind.OUTAGE]) == 1


def test_what_cannot_be_read_or_is_too_much_says_which_kind_of_failure() -> None:
    subj = unit_of("register", "gateway", "packets", "received", "x_road")
    failure = Failure(kind=FailureKind.TRUNCATED, detail="more than 100000 files match packets/*")
    events = events_of(subj, {"packets": failure, "received": "a,b\n", "x_road": "{}"})
    kinds = {s.key: s.failure.kind for s in events.sources if s.failure}
    assert kinds == {
        "packets": FailureKind.TRUNCATED,
        "received": FailureKind.UNPARSABLE,
        "x_road": FailureKind.UNPARSABLE,
    }


@pytest.mark.parametrize("key", ["received", "x_road"])
def test_what_came_in_or_how_the_exchange_worked_lists_nothing_that_was_sent(key: str) -> None:
    subj = unit_of("register", key)
    ctx = context(subj, evidence_complete.options(period_days=18))
    rows = {v.subject: v for v in evidence_complete.judge(ctx, events_of(subj, {}))}
    assert rows["gateway"].message.id == "documents.evidence-complete.missing-gateway"
    for language in ("vi", "en"):
        sentence = render(rows["gateway"].message, language, ZONE)
        assert "documents.gateway" in sentence
        assert "documents.packets" in sentence
    assert rows[key].status is Status.PASS
    subj = unit_of("register", "packets")
    rows = {v.subject: v for v in evidence_complete.judge(ctx, events_of(subj, {}))}
    assert rows["gateway"].status is Status.PASS


def test_a_row_of_the_list_is_the_packet_that_has_its_hash() -> None:
    packet = document(
        "7", "SYT-VP", sender=HEALTH, to=(OWN,), date="2026/11/10", sent="2026/11/10 09:00:00"
    ).encode()
    hashes = [hashlib.sha256(packet).hexdigest(), hashlib.sha256(b"another").hexdigest()]
    rows = "".join(f"H26.5,2026-11-10 09:00:0{n},{h}\n" for n, h in enumerate(hashes))
    subj = unit_of("received", "packets")
    events = events_of(
        subj, {"packets": packet, "received": "From,CreatedTime,ContentSha256\n" + rows}
    )
    directory = Directory(subj.inventory.agencies, subj.unit)
    period = Period(start=dt.date(2026, 11, 1), end=dt.date(2026, 11, 20))
    assert list(untold(events, directory, period, ZONE)) == [
        (dt.date(2026, 11, 10), HEALTH, "*", "not_told")
    ]
