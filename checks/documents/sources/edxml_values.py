"""The values of an edXML message as ours: numbers, days, codes, changes of recipients."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from checks.dates import read_date
from checks.documents.events import DocumentKey
from checks.documents.numbers import cell_key
from checks.documents.sources.edxml import Group, Message, first
from checks.documents.sources.gateway_codes import bare_code


def number_of(group: Group) -> tuple[DocumentKey | None, dt.date | None]:
    """The number and its day; number and sign may be swapped or both stand in one field."""
    date = read_date(first(group, "promulgationdate"))
    number = first(group, "codenumber")
    sign = first(group, "codenotation").lstrip("/ ")
    texts = [f"{number}/{sign}", number, sign, first(group, "code")]
    if sign[:1].isdigit():
        texts.append(f"{sign}/{number.lstrip('/ ')}")
    for text in texts:
        key = cell_key(text, date.year if date else 0)
        if key is not None:
            return key, date
    return None, date


def codes_of(texts: Iterable[str]) -> list[str]:
    """Agency codes, each once, those that are none left out."""
    return list(dict.fromkeys(code for code in map(bare_code, texts) if code))


def organs_of(groups: Iterable[Group]) -> list[str]:
    """The codes of agencies in several elements."""
    return codes_of(first(group, "organid") for group in groups)


def changes_of(message: Message) -> tuple[list[str], list[str]]:
    """Recipients added to and removed from a document that was sent before."""
    by: dict[str, list[str]] = {"0": [], "1": []}
    for receiver in message.all("receiver"):
        code = bare_code(first(receiver, "organid"))
        if code:
            by.setdefault(first(receiver, "receivertype"), []).append(code)
    return by["1"], by["0"]


def figure(text: str) -> int:
    """A small whole number; 0 when it is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0
