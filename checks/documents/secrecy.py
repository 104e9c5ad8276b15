"""Did anything with a secrecy mark leave by mail or through the axis? Only days and hashes."""

from __future__ import annotations

from collections.abc import Iterator

from checks.documents.agencies import Directory
from checks.documents.events import DocumentEvents, EventKind, MailTrace, Place, SourceKind
from checks.documents.evidence import DOCUMENTS
from checks.documents.judged import LISTED, PeriodOptions, iso, judged, period_of
from checks.documents.lookup import Documents
from checks.documents.packed import events_of
from checks.documents.pairs import SECRET
from checks.evidence import FailureKind
from checks.model import Arg, Context, Scope, Severity, Verdict, check, failed, passed, unknown

_CARRIED = frozenset({
    EventKind.MAILED, EventKind.SENT_GATEWAY, EventKind.RECEIVED, EventKind.REFUSED,
    EventKind.REVOKED,
})  # fmt: skip


class SecretOptions(PeriodOptions, frozen=True):
    """Options of `documents.secret-mark`."""

    header_share: int = 80
    """Percent of mails whose headers must be logged before silence means anything."""


@check(
    "documents.secret-mark",
    Scope.UNIT,
    Severity.CRITICAL,
    controls=("Law 117/2025/QH15", "Decree 30/2020 Art. 15.2, 16.3"),
    options=SecretOptions,
).needs(DOCUMENTS)
def secret_mark(ctx: Context, events: DocumentEvents) -> Iterator[Verdict]:
    """No secrecy mark in a mail, and no document registered as secret in mail or on the axis."""
    own, options = "documents.secret-mark", ctx.opt(SecretOptions)
    found, unclear = _found(ctx, events, options)
    seen = [s for s in events.of(SourceKind.MAIL) if s.failure is None]
    share = events.header_share
    detail = {
        "total": len(found),
        "lines": [{"date": day, "sha256": place.sha256} for day, place in found[:LISTED]],
        "headers_logged": None if share is None else round(share, 4),
    }
    if found:
        by_axis = sum(place.source is SourceKind.GATEWAY for _, place in found)
        yield failed(f"{own}.found", detail, None, total=len(found), gateway=by_axis)
        return
    coverage = judged(ctx, events, options).coverage.mail
    said: dict[str, Arg] = {"coverage": coverage, "floor": ctx.coverage_floor / 100}
    unread = next((s for s in events.of(SourceKind.MAIL) if s.failure is not None), None)
    if unread is not None and unread.failure is not None:
        yield unknown(unread.failure.kind, f"{own}.partly", detail, source=unread.name)
    elif not seen or share is None:
        yield unknown(FailureKind.TRUNCATED, f"{own}.no-mail", detail)
    elif share * 100 < options.header_share:
        yield unknown(FailureKind.TRUNCATED, f"{own}.blind", detail, share=share)
    elif unclear:
        yield unknown(FailureKind.NOT_DECLARED, f"{own}.shared-domain", detail, lines=unclear)
    elif coverage * 100 < ctx.coverage_floor:
        yield unknown(FailureKind.TRUNCATED, f"{own}.cannot-tell", detail, **said)
    else:
        yield passed(f"{own}.none", detail, mails=sum(s.mails for s in seen), coverage=coverage)


def _found(
    ctx: Context, events: DocumentEvents, options: SecretOptions
) -> tuple[list[tuple[str, Place]], int]:
    """Day and line of each, every line once, oldest first; and how many may be another body's."""
    directory = Directory.of(ctx.subject.inventory, ctx.subject.unit)
    unclear: set[str] = set()
    period = period_of(ctx, options)
    rows = events_of(events.events, {EventKind.REGISTERED})
    # All of them or none: a number may be another year's, which was no secret.
    some = any(row.reason == SECRET for row in rows)
    documents = Documents(events.events if some else (), ctx.zone)
    found: dict[str, tuple[str, Place]] = {}
    for event in events_of(events.events, _CARRIED):
        if event.time is None:
            continue
        day = documents.day(event.time)
        if day not in period:
            continue
        marked = event.mail is not None and event.mail.secret
        if not marked and (event.mail is None or not event.mail.weak):
            document = documents.find(event.key, day)
            # A mail that only speaks of a secret document shows nothing of it.
            speaks = event.mail is not None and (event.mail.cites or event.mail.draft)
            marked = document is not None and document.reason == SECRET and not speaks
        if marked and event.mail is not None and _of_others(event.mail, event.recipient, directory):
            unclear.add(event.place.sha256)
        elif marked:
            found.setdefault(event.place.sha256, (str(iso(day)), event.place))
    # Whoever says which mailboxes are his own has said that the others are not.
    others = 0 if directory.knows_senders else len(unclear - found.keys())
    return sorted(found.values(), key=lambda f: (f[0], f[1].sha256)), others


def _of_others(mail: MailTrace, recipient: str, directory: Directory) -> bool:
    """Whether a mail may well be another body's, which shares the domain and the log."""
    sends = directory.is_own_domain(mail.sender) and not directory.shares(mail.sender)
    gets = directory.is_own_domain(recipient) and not directory.shares(recipient)
    if mail.ours or sends or gets:
        return False
    return directory.shares(mail.sender) or directory.shares(recipient)


CHECKS = (secret_mark,)
