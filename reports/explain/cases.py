"""The cases in the details of rows: read from JSON of any version, never trusted, never raising."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from checks.documents.events import DocumentKey
from checks.documents.numbers import cell_key
from checks.pseudonyms import MORE, SHOWN
from checks.results import Result
from checks.texts import clean
from inventory.model import Inventory
from reports.details import moment
from reports.explain.model import Case, Lines, LineView
from reports.explain.words import rule, secret, term

_TELLING = ("key", "secret", "place", "sha256")
"""What makes an entry of a list one document's."""
_SOURCES = ("register", "gateway", "mails", "post")
_RESULTS = {"documents.unregistered": "unregistered"}
_HASH = re.compile(r"[0-9a-f]{16}")
Entry = Mapping[str, Any]


def entries(row: Result) -> Iterator[Entry]:
    """Everything that a row lists, one mapping each."""
    marked = {"secret": True} if row.check == "documents.secret-mark" else {}
    for listed in row.detail.values():
        for each in listed if isinstance(listed, list | tuple) else ():
            if isinstance(each, Mapping) and any(name in each for name in _TELLING):
                yield {**each, **marked}


def text(entry: Entry, key: str) -> str:
    """A text of an entry made harmless; empty when it is none."""
    value = entry.get(key)
    return clean(value) if isinstance(value, str) else ""


def key_of(entry: Entry) -> DocumentKey | None:
    """The number that an entry speaks of; None of a secret or when there is none."""
    return None if entry.get("secret") else cell_key(text(entry, "key"))


def hashes(entry: Entry) -> list[str]:
    """The keyed hashes of the mailboxes that a line reached; what is none is left out."""
    found = entry.get("mailboxes")
    listed = found if isinstance(found, list | tuple) else ()
    return [h for h in listed if isinstance(h, str) and (h == MORE or _HASH.fullmatch(h))]


def short(mailbox: str) -> str:
    """A hash as people are shown it."""
    return "…" if mailbox == MORE else mailbox[:SHOWN]


class Cases:
    """Makes cases of entries, in one language."""

    def __init__(self, inventory: Inventory, language: str) -> None:
        self._language = language
        self._names = {a.code.upper(): clean(a.name) for a in inventory.agencies if a.name}

    def case(self, entry: Entry, row: Result, code: str) -> Case:
        """One entry of a row as a case; of a secret only the day and the hash."""
        if entry.get("secret"):
            title, because = secret(self._language)
            return Case(
                date=text(entry, "date"), title=title, because=because, secret=True,
                sha256=text(entry, "sha256"), found_in=(code,),
            )  # fmt: skip
        result = text(entry, "result") or _RESULTS.get(row.check, "")
        title, because = rule(result, self._language) if result else ("", "")
        return Case(
            number=text(entry, "key"),
            date=text(entry, "date"),
            recipient=self._named(text(entry, "recipient")),
            result=result,
            title=title,
            because=because,
            sources=tuple(self._sources(entry, row.check)),
            facts=tuple(self._facts(entry)),
            found_in=(code,),
        )

    def _named(self, code: str) -> str:
        name = self._names.get(code.upper(), "")
        return f"{code} ({name})" if name else code

    def _sources(self, entry: Entry, check: str) -> Iterator[Lines]:
        for source in _SOURCES:
            lines = self._lines(entry.get(source))
            if lines:
                yield self._listed(source, lines, entry.get(f"total_{source}"))
        exempt = entry.get("exempt")
        if isinstance(exempt, Mapping) and (lines := self._lines(exempt.get("proof"))):
            yield self._listed("outage", lines, None)
        if text(entry, "place"):
            source = "mails" if text(entry, "mailed") or text(entry, "queue_id") else "gateway"
            lines = [self._line(entry), *self._lines(entry.get("also"))]
            total = entry.get("total_also")
            yield self._listed("mails" if check == "documents.bypass" else source,
                               lines, total + 1 if isinstance(total, int) else None)  # fmt: skip

    def _listed(self, source: str, lines: list[LineView], total: object) -> Lines:
        count = total if isinstance(total, int) and total > len(lines) else len(lines)
        title = term("sources", source, self._language)
        return Lines(source=source, title=title, lines=tuple(lines), total=count)

    def _lines(self, value: object) -> list[LineView]:
        if not isinstance(value, list | tuple):
            return []
        return [self._line(each) for each in value if isinstance(each, Mapping)]

    def _line(self, entry: Entry) -> LineView:
        said, grade = text(entry, "said"), text(entry, "grade")
        return LineView(
            place=text(entry, "place"),
            sha256=text(entry, "sha256"),
            time=moment(entry.get("time") or entry.get("mailed")),
            until=moment(entry.get("until")),
            said=term("said", said, self._language) if said else "",
            queue_id=text(entry, "queue_id"),
            grade=term("grades", grade, self._language) if grade else "",
            mailboxes=tuple(short(h) for h in hashes(entry)),
        )

    def _facts(self, entry: Entry) -> Iterator[tuple[str, str]]:
        language = self._language
        exempt = entry.get("exempt")
        if isinstance(exempt, Mapping):
            reason, basis = text(exempt, "reason"), text(exempt, "basis")
            said = f"{reason}: {term('reasons', reason, language)}"
            yield term("facts", "reason", language), said
            yield term("facts", "basis", language), term("bases", basis, language)
        for key in ("sent", "from", "delivered", "entered"):
            if text(entry, key):
                value = text(entry, key)
                yield term("facts", key, language), self._named(value) if key == "from" else value
        if text(entry, "state"):
            yield term("facts", "state", language), term("states", text(entry, "state"), language)
        dates = entry.get("dates")
        if isinstance(dates, list | tuple):
            shown = ", ".join(clean(d) for d in dates if isinstance(d, str))
            yield term("facts", "dates", language), shown
