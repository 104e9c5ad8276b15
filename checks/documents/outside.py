"""Mail outside the pairs: own numbers that nobody registered, and free mail services."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol

import msgspec

from checks.documents.agencies import Where
from checks.documents.carried import Carried
from checks.documents.events import DocumentKey, Place
from checks.documents.grading import Graded
from checks.documents.outages import during
from checks.documents.pairs import SECRET, Bypass, Pair, Result, Rules, Unlisted


class Believed(Protocol):
    """Up to when the sources can be believed."""

    @property
    def rules(self) -> Rules:
        """The limits of the matching."""

    def settled(self, day: dt.date) -> bool:
        """Whether a gateway row for this day would be there by now."""

    def registered(self, day: dt.date) -> bool:
        """Whether a register row for this day would be there by now."""


def bypasses_of(pairs: Iterable[Pair]) -> Iterator[Bypass]:
    """The pairs that a mail carried in place of the gateway."""
    for pair in pairs:
        mail = pair.mail
        if pair.result is Result.BYPASS and mail is not None:
            yield Bypass(
                key=pair.key,
                result=Result.BYPASS,
                recipient=pair.recipient,
                mail=mail,
                date=pair.date,
                secret=_is_secret(mail),
            )


def _is_secret(mail: Graded) -> bool:
    return mail.secret or (mail.document is not None and mail.document.reason == SECRET)


class Outside:
    """Mails beside the pairs; every one is counted somewhere."""

    def __init__(
        self, mails: Sequence[Graded], carried: Carried, horizon: Believed, counts: Counter[str]
    ) -> None:
        self._mails = sorted(mails, key=lambda m: (m.time, m.rank, m.place.file, m.place.line))
        self._carried = carried
        self._horizon = horizon
        self._counts = counts
        counts["gateway_unregistered"] = len(carried.loose)

    def unregistered(self) -> list[Bypass]:
        """Own numbers mailed out that the register does not have: one for each number and place."""
        on_gateway = {
            (k.series, c) for k, found in self._carried.loose.items() for c in found.codes
        }
        found: dict[tuple[DocumentKey, str], Bypass] = {}
        for mail in self._mails:
            pair = mail.key, mail.recipient
            if mail.document is not None or pair in found:
                continue
            if (mail.key.series, mail.recipient) in on_gateway:
                self._counts["unregistered_on_gateway"] += 1
            elif not self._horizon.registered(mail.day):
                self._counts["mails_pending"] += 1
            else:
                found[pair] = Bypass(
                    key=mail.key,
                    result=Result.UNREGISTERED,
                    recipient=mail.recipient,
                    mail=mail,
                    date=None,
                    secret=mail.secret,
                )
        return list(found.values())

    def unlisted(self) -> list[Unlisted]:
        """Own numbers on the gateway or in mail that the register should have by now."""
        rows: dict[DocumentKey, list[tuple[dt.datetime, dt.date, Place]]] = {}
        secret: set[DocumentKey] = set()
        for mail in self._mails:
            if mail.document is None and self._horizon.registered(mail.day):
                key = msgspec.structs.replace(mail.key, year=mail.key.year or mail.day.year)
                rows.setdefault(key, []).append((mail.time, mail.day, mail.place))
                if mail.secret:
                    secret.add(key)
        for loose in self._carried.loose.values():
            if self._horizon.registered(loose.day):
                rows.setdefault(loose.key, []).append((loose.time, loose.day, loose.place))
        found = []
        for key, seen in rows.items():
            _, day, place = min(seen, key=lambda row: (row[0], row[2].file, row[2].line))
            found.append(Unlisted(key=key, day=day, place=place, secret=key in secret))
        return sorted(found, key=lambda u: (u.day, str(u.key)))

    def free_mail(self, pairs: Iterable[Pair]) -> list[Bypass]:
        """Mail to a free service stands for an agency only when some agency got nothing else."""
        free = [m for m in self._mails if m.document is not None and m.where is Where.FREE]
        documents = {m.document.key for m in free if m.document is not None}
        missing = {
            pair.key
            for pair in (pairs if documents else ())
            if pair.key in documents and pair.result in {Result.NO_TRACE, Result.BYPASS}
        }
        found: dict[tuple[DocumentKey, str], Bypass] = {}
        for mail in free:
            document = mail.document
            if document is None or document.key not in missing:
                self._counts["free_mail_copies"] += 1
            elif during(self._horizon.rules.outages, mail.time) and not _is_secret(mail):
                self._counts["free_mail_on_outage"] += 1
            else:
                bypass = Bypass(
                    key=document.key,
                    result=Result.BYPASS,
                    recipient=mail.recipient,
                    mail=mail,
                    date=document.date,
                    secret=_is_secret(mail),
                )
                found.setdefault((document.key, mail.recipient), bypass)
        return list(found.values())
