"""To how many mailboxes went the documents that went around: hashes are counted, no name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

from msgspec.structs import replace

from checks.documents.events import DocumentKey
from checks.documents.grading import Graded
from checks.documents.pairs import Bypass
from checks.pseudonyms import MORE

RECIPIENTS = 20
"""Recipients of which the mailboxes are counted in a row, those with the most documents first."""
MAILBOXES = 10
"""Mailboxes listed for one recipient, those with the most documents first."""

_Which = tuple[DocumentKey, str]


def with_others(bypasses: Iterable[Bypass], mails: Iterable[Graded]) -> list[Bypass]:
    """Each way around with the other mails that carried the same document to the same recipient."""
    found = list(bypasses)
    wanted: dict[_Which, list[Graded]] = {(_document(b.mail), b.recipient): [] for b in found}
    for mail in mails:
        among = wanted.get((_document(mail), mail.recipient))
        if among is not None:
            among.append(mail)
    return [_with(b, wanted[_document(b.mail), b.recipient]) for b in found]


def _document(mail: Graded) -> DocumentKey:
    return mail.key if mail.document is None else mail.document.key


def _with(bypass: Bypass, mails: Iterable[Graded]) -> Bypass:
    others = [m for m in mails if m is not bypass.mail]
    if bypass.secret or not others:
        return bypass
    others.sort(key=lambda m: (m.time, m.place.file, m.place.line))
    return replace(bypass, others=tuple(others))


def reached(bypasses: Iterable[Bypass]) -> dict[str, Any]:
    """What a row shows of them: for each recipient how many documents went to how many mailboxes.

    Empty where no hash was made. Of secret documents nothing is counted. `more` says that a mail
    went to more mailboxes than are kept, so that the number is the least there can be.
    """
    documents: dict[str, set[DocumentKey]] = {}
    counts: dict[str, Counter[str]] = {}
    for bypass in bypasses:
        boxes = {h for mail in (bypass.mail, *bypass.others) for h in mail.mailboxes}
        if boxes and not bypass.secret:
            documents.setdefault(bypass.recipient, set()).add(bypass.key)
            counts.setdefault(bypass.recipient, Counter()).update(boxes)
    shown = [_entry(to, len(documents[to]), counts[to]) for to in counts]
    shown.sort(key=lambda e: (-e["documents"], -e["mailboxes"], e["recipient"]))
    if not shown:
        return {}
    return {"reached": shown[:RECIPIENTS], "total_reached": len(shown)}


def _entry(recipient: str, documents: int, counts: Counter[str]) -> dict[str, Any]:
    more = counts.pop(MORE, 0) > 0
    listed = sorted(counts.items(), key=lambda c: (-c[1], c[0]))[:MAILBOXES]
    return {
        "recipient": recipient,
        "documents": documents,
        "mailboxes": len(counts),
        "listed": [{"mailbox": box, "documents": n} for box, n in listed],
        **({"more": True} if more else {}),
    }
