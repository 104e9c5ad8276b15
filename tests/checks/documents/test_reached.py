"""How many documents went to how many mailboxes: counted beside the pairs, changing nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from checks.documents.events import DocumentEvent, FoundIn, MailTrace
from checks.documents.reached import MAILBOXES, RECIPIENTS
from checks.documents.routing import bypass, routed
from checks.documents.traces import LINES
from checks.pseudonyms import MORE
from tests.helpers.correspondence import HEALTH, PSEUDONYMS
from tests.helpers.document_events import known, mailed, one, registered, sent

AN, BINH, CHI = (f"{c * 16}" for c in "abc")


def detail(*events: DocumentEvent | list[DocumentEvent]) -> dict[str, Any]:
    return one(bypass, known(*events)).detail


def free(number: int, *mailboxes: str, **more: Any) -> DocumentEvent:
    return mailed(number, "gmail.com", mailboxes=mailboxes, **more)


def test_four_documents_to_two_mailboxes() -> None:
    found = detail(
        *[registered(n) for n in (100, 101, 102, 103)],
        free(100, AN), free(101, AN), free(102, AN, BINH), free(103, BINH),
    )  # fmt: skip
    (entry,) = found["reached"]
    assert entry == {
        "recipient": "gmail.com",
        "documents": 4,
        "mailboxes": 2,
        "listed": [{"mailbox": AN, "documents": 3}, {"mailbox": BINH, "documents": 2}],
    }
    assert found["total_reached"] == 1
    assert [b["mailboxes"] for b in found["bypasses"]] == [[AN], [AN], [AN, BINH], [BINH]]


def test_every_recipient_is_counted_apart_the_most_documents_first() -> None:
    found = detail(
        registered(100), registered(101), registered(102),
        mailed(100, mailboxes=(AN,)), mailed(101, mailboxes=(AN,)), free(102, CHI),
    )  # fmt: skip
    counted = [(e["recipient"], e["documents"], e["mailboxes"]) for e in found["reached"]]
    assert counted == [(HEALTH, 2, 1), ("gmail.com", 1, 1)]


def test_all_mails_of_a_document_count_and_each_is_told_with_its_own() -> None:
    found = detail(registered(100), free(100, AN), free(100, BINH, clock="17:00"))
    (entry,) = found["reached"]
    assert (entry["documents"], entry["mailboxes"]) == (1, 2)
    (shown,) = found["bypasses"]
    assert shown["mailboxes"] == [AN]
    assert [line["mailboxes"] for line in shown["also"]] == [[BINH]]
    assert found["total"] == 1, "two mails of one document to one domain are one way around"


def test_of_many_mails_some_are_told_and_how_many_there_were() -> None:
    mails = [free(100, f"{n:016x}", clock=f"16:{n:02}") for n in range(LINES + 3)]
    (shown,) = detail(registered(100), *mails)["bypasses"]
    assert len(shown["also"]) == LINES
    assert shown["total_also"] == LINES + 2


def test_two_mails_of_one_second_are_one_way_and_two_mailboxes() -> None:
    found = detail(registered(100), free(100, AN), free(100, BINH))
    (shown,) = found["bypasses"]
    assert shown["mailboxes"] == [AN, BINH]
    assert "also" not in shown


def test_a_mail_that_two_logs_tell_of_is_one() -> None:
    found = detail(registered(100), free(100, AN), free(100, AN))
    (entry,) = found["reached"]
    assert entry["listed"] == [{"mailbox": AN, "documents": 1}]


def test_a_number_that_nobody_registered_counts_with_its_mailboxes() -> None:
    found = detail(registered(100), mailed(400, mailboxes=(AN,)), free(401, BINH))
    shown = {b["key"]: (b["result"], b["mailboxes"]) for b in found["bypasses"]}
    assert shown["400/2026/QD-UBND-HK"] == ("unregistered", [AN])
    assert {e["recipient"]: e["mailboxes"] for e in found["reached"]} == {HEALTH: 1, "gmail.com": 1}


def test_of_a_secret_document_no_mailbox_is_told() -> None:
    marked = MailTrace(found=FoundIn.NAME, leading=True, secret=True)
    found = detail(
        registered(107), registered(100), free(100, BINH),
        free(107, AN, trace=marked), mailed(107, mailboxes=(CHI,)),
    )  # fmt: skip
    assert found["total"] == 3
    assert "107/" not in msgspec.json.encode(found).decode(), "by its other mail neither"
    told = msgspec.json.encode(found).decode()
    assert BINH in told
    assert AN not in told
    assert CHI not in told
    registered_secret = detail(registered(109, reason="MAT"), mailed(109, mailboxes=(CHI,)))
    assert registered_secret["total"] == 1
    assert CHI not in msgspec.json.encode(registered_secret).decode()
    assert "reached" not in registered_secret


@pytest.mark.parametrize("to", ["gmail.com", "soyte.gov.vn", "example.vn"])
def test_a_mark_on_one_mail_hides_what_nobody_registered(to: str) -> None:
    marked = MailTrace(found=FoundIn.NAME, leading=True, secret=True)
    mails = (mailed(400, mailboxes=(AN,)),
             mailed(400, to, clock="18:00", trace=marked, mailboxes=(BINH,)))  # fmt: skip
    found = detail(registered(100), *mails)
    told = msgspec.json.encode(found).decode()
    assert not [w for w in ("400/", AN, BINH) if w in told]
    assert found["bypasses"][0]["secret"]
    assert AN in msgspec.json.encode(detail(registered(100), mails[0])).decode()


def test_more_mailboxes_than_are_kept_are_said_to_be_the_least() -> None:
    (entry,) = detail(registered(100), free(100, AN, MORE))["reached"]
    assert (entry["mailboxes"], entry["more"]) == (1, True)


def test_without_hashes_nothing_is_said_of_mailboxes() -> None:
    found = detail(registered(100), free(100))
    assert "reached" not in found
    assert "mailboxes" not in found["bypasses"][0]


def test_a_row_says_with_which_key_even_when_nothing_went_around() -> None:
    assert detail()["hashed_with"] == PSEUDONYMS.name


def test_lists_have_their_limits() -> None:
    boxes = tuple(f"{n:016x}" for n in range(MAILBOXES + 5))
    (entry,) = detail(registered(100), free(100, *boxes))["reached"]
    assert (entry["mailboxes"], len(entry["listed"])) == (MAILBOXES + 5, MAILBOXES)
    domains = [f"gmx{n}.com" for n in range(RECIPIENTS + 3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("checks.documents.agencies.FREE_MAIL", frozenset(domains))
        found = detail(registered(100), *[mailed(100, d, mailboxes=(AN,)) for d in domains])
    assert (len(found["reached"]), found["total_reached"]) == (RECIPIENTS, RECIPIENTS + 3)


def test_hashes_change_no_result_and_no_count() -> None:
    def told(*boxes: str) -> list[Any]:
        trace = MailTrace(found=FoundIn.SUBJECT, size=250_000)
        events = known(
            registered(100), registered(101), registered(102), sent(102),
            mailed(100, mailboxes=boxes), free(101, *boxes), free(101, *boxes, clock="18:00"),
            mailed(102, mailboxes=boxes, trace=trace), mailed(300, mailboxes=boxes),
        )  # fmt: skip
        found = [one(bypass, events), one(routed, events)]
        keys = ("total", "counts", "numerator", "denominator", "flows", "total_pairs")
        return [(v.status, v.message, {k: v.detail.get(k) for k in keys}) for v in found]

    assert told() == told(AN) == told(AN, BINH)


def test_the_traced_mails_of_a_pair_have_their_mailboxes() -> None:
    found = one(routed, known(registered(100), sent(100), mailed(100, mailboxes=(AN,)))).detail
    (pair,) = found["pairs"]
    assert pair["result"] == "copy"
    assert [m["mailboxes"] for m in pair["mails"]] == [[AN]]
