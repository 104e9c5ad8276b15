"""Mailboxes by their keyed hashes: in explanations, over scans, and asked for by an address."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from checks.model import Status
from checks.pseudonyms import MORE, Pseudonyms
from checks.results import Result, Scan, ScanInfo
from reports.details import facts
from reports.explain.build import explain
from reports.explain.mailbox import MailboxTraces, to_text, traces_of
from reports.explain.model import Explanation
from reports.explain.sightings import sightings
from reports.explain.to_text import to_text as explained
from reports.words import Words
from tests.helpers import scans
from tests.helpers.correspondence import HEALTH, NOW, PATIENT, PSEUDONYMS, subject
from tests.helpers.document_events import known, mailed, registered, secret, sent
from tests.helpers.document_scans import rows, scan

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
ADDRESS = b"tran.an@gmail.com"
AN, BINH = PSEUDONYMS.of(ADDRESS), PSEUDONYMS.of(b"binh@gmail.com")
LATER = NOW + dt.timedelta(days=3)


def of(*events: Any, now: dt.datetime = NOW, scan_id: str = "scan-1") -> Scan:
    subj = subject()
    return scan(rows(known(*events), subj, now), subj, now, scan_id)


def free(number: int, *mailboxes: str, **more: Any) -> Any:
    return mailed(number, "gmail.com", mailboxes=mailboxes, **more)


def kept(*found: Scan) -> list[tuple[ScanInfo, Result]]:
    """The rows of scans as the store gives them, the newest first."""
    return [(s.info, row) for s in reversed(found) for row in s.results]


FIRST = of(*registered(100), free(100, AN))
SECOND = of(
    *registered(100), free(100, AN), *registered(101), free(101, AN, BINH, clock="20:00"),
    now=LATER, scan_id="scan-2",
)  # fmt: skip


def told(found: Scan, *past: Scan, language: str = "en") -> Explanation:
    row = next(r for r in found.results if r.check == "documents.bypass")

    def earlier(unit: str) -> Iterator[tuple[ScanInfo, Result]]:
        return (pair for pair in kept(*past) if pair[1].unit == unit)

    return explain(found, row.fingerprint, "", language, earlier)


def test_a_bypass_shows_the_beginning_of_the_hash() -> None:
    found = told(FIRST)
    (case,) = found.cases
    (mails,) = [s for s in case.sources if s.source == "mails"]
    assert mails.lines[0].mailboxes == (AN[:8],)
    for language, word in (("vi", "hộp thư"), ("en", "mailbox")):
        text = explained(found, language, ZONE)
        assert f"{word} {AN[:8]} ·" in text
        assert AN not in text


def test_more_mails_of_a_document_are_lines_with_their_own_mailboxes() -> None:
    found = told(of(*registered(100), free(100, AN), free(100, BINH, clock="17:00")))
    (mails,) = [s for s in found.cases[0].sources if s.source == "mails"]
    assert [line.mailboxes for line in mails.lines] == [(AN[:8],), (BINH[:8],)]
    assert mails.total == 2


def test_a_pair_shows_each_mail_once() -> None:
    events = (*registered(100), mailed(100, mailboxes=(AN,)),
              mailed(100, mailboxes=(BINH,), clock="17:00"))  # fmt: skip
    found = explain(of(*events), "100/QĐ-UBND-HK", "00070", "en")
    (case,) = found.cases
    (mails,) = [s for s in case.sources if s.source == "mails"]
    assert [line.mailboxes for line in mails.lines] == [(AN[:8],), (BINH[:8],)]
    assert (case.recipient.split()[0], mails.total) == (HEALTH, 2)


def test_a_mailbox_that_comes_again_is_recognised_over_scans() -> None:
    alone = told(FIRST, FIRST)
    assert not [f for case in alone.cases for f in case.facts if AN[:8] in f[0]]
    found = told(FIRST, FIRST, SECOND)
    ((_, said),) = [f for case in found.cases for f in case.facts if AN[:8] in f[0]]
    assert "2 documents" in said
    assert not [f for case in found.cases for f in case.facts if BINH[:8] in f[0]]
    both = [f for case in told(SECOND, FIRST, SECOND).cases for f in case.facts]
    assert [label for label, _ in both] == [f"Mailbox {AN[:8]}"] * 2


def test_a_mail_that_two_scans_saw_is_one() -> None:
    seen = sightings(kept(FIRST, SECOND))
    assert [s.number for s in seen[AN]] == ["100/2026/QD-UBND-HK", "101/2026/QD-UBND-HK"]
    assert {s.scan for s in seen[AN]} == {"scan-2"}
    assert MORE not in sightings(kept(of(*registered(100), free(100, AN, MORE))))


def test_copies_and_early_mails_are_traces_as_well() -> None:
    found = of(*registered(100), sent(100), mailed(100, mailboxes=(AN,)))
    (one,) = sightings(kept(found))[AN]
    assert (one.recipient, one.number) == (HEALTH, "100/2026/QD-UBND-HK")
    assert "Routed, and mailed as well" in to_text(asked(found), "en", ZONE)


def test_a_secret_document_leaves_no_trace_of_its_mailbox() -> None:
    found = of(*registered(107), secret(107, to="gmail.com", mailboxes=(AN,)))
    assert sightings(kept(found)) == {}
    for line in ({"mailboxes": [AN]}, {"mails": [{"mailboxes": [AN]}]}):
        detail: dict[str, Any] = {"bypasses": [{"key": "107/QD-UBND-HK", **line}]}
        row = msgspec.structs.replace(FIRST.results[0], check="documents.bypass", detail=detail)
        assert set(sightings([(FIRST.info, row)])) == {AN}
        detail["bypasses"][0]["secret"] = True
        assert sightings([(FIRST.info, row)]) == {}, "whoever wrote the row"


# ------------------------------------------------------------------------------------- an address


def asked(*found: Scan, key: Pseudonyms = PSEUDONYMS, address: bytes = ADDRESS) -> MailboxTraces:
    return traces_of(address, key, kept(*found))


def test_an_address_finds_its_mails_however_it_is_written() -> None:
    found = asked(FIRST, SECOND, address=b" <Tran.An@GMAIL.com>\r\n")
    assert (found.mailbox, found.scans, found.unsearched) == (AN[:8], 2, 0)
    assert (found.documents, found.units, found.total) == (2, 1, 2)
    newest, oldest = found.mails
    assert (newest.number[:3], oldest.number[:3]) == ("101", "100")
    assert oldest.place == "mail.csv:100"
    for language in ("vi", "en"):
        text = to_text(found, language, ZONE)
        assert AN[:8] in text
        assert "101/2026/QD-UBND-HK" in text
        assert "tran" not in text.lower()
    assert b"tran" not in msgspec.json.encode(found).lower()


def test_another_address_is_not_found_and_nothing_is_proven() -> None:
    found = asked(FIRST, SECOND, address=b"other@gmail.com")
    assert not found.found
    assert "does not prove" in to_text(found, "en", ZONE)
    assert "không chứng minh" in to_text(found, "vi", ZONE)


def test_scans_of_another_key_are_not_searched_and_it_is_said() -> None:
    other = Pseudonyms(b"o" * 32)
    found = asked(FIRST, SECOND, key=other)
    assert (found.scans, found.unsearched, found.found) == (0, 2, False)
    assert "could NOT be searched: 2 " in to_text(found, "en", ZONE)


def test_scans_without_bypass_were_searched_too() -> None:
    assert asked(of()).scans == 1


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=9) | st.sampled_from([AN, MORE, "mail.log:1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "mailboxes", "also", "mails", "time", "place"]), inner
        )
    ),
    max_leaves=12,
)


@PATIENT
@given(st.dictionaries(st.sampled_from(["bypasses", "pairs", "hashed_with"]), st.lists(_JSON)))
def test_rows_of_any_shape_are_read(detail: dict[str, Any]) -> None:
    row = msgspec.structs.replace(FIRST.results[0], check="documents.bypass", detail=detail)
    found = traces_of(ADDRESS, PSEUDONYMS, [(FIRST.info, row)])
    assert found.total <= 100
    to_text(found, "vi", ZONE)


# ------------------------------------------------------------------------------------ on the card


def card(*entries: Any, total: int = 1, language: str = "vi") -> str:
    detail = {"reached": list(entries), "total_reached": total}
    found = facts(scans.row("documents.bypass", Status.FAIL, detail=detail), Words(language, ZONE))
    return "".join(f.text for f in found if f.key == "reached")


def test_the_card_says_how_many_documents_went_to_how_many_mailboxes() -> None:
    entry = {"recipient": "gmail.com", "documents": 4, "mailboxes": 2}
    assert card(entry) == "gmail.com: 4 văn bản tới 2 hộp thư"
    assert card({**entry, "more": True}) == "gmail.com: 4 văn bản tới ít nhất 2 hộp thư"
    assert card(entry, total=2).endswith("; …")
    assert card(entry, language="en") == "gmail.com: documents 4, mailboxes 2"
    assert card(None, {"recipient": "x"}, {**entry, "mailboxes": -1}, total=0) == ""
