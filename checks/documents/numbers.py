"""Finding document numbers (`123/QĐ-UBND`) in subjects, file names and table cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from checks.documents.events import DocumentKey
from checks.evidence import Value
from checks.folding import fold

TYPES = frozenset({
    "NQ", "QD", "CT", "QC", "QYD", "TC", "TB", "HD", "CTR", "KH", "PA", "DA", "BC", "BB", "TTR",
    "CD", "BGN", "BTT", "GUQ", "GM", "GGT", "GNP", "PG", "PC", "PB", "SY", "TRS", "SL", "CV",
    "KL", "TT", "TTLT", "ND",
})  # fmt: skip
"""Abbreviations of document types (Decree 30/2020 Annex III and the ones above it), folded."""

# A pattern that begins with its first digit, and only then looks back, is found much faster.
_PART = r"[A-Z][A-Z0-9&]{0,14}"
_NUMBERED = re.compile(
    r"(\d(?<![0-9A-Z/.,]\d)\d{0,4})([A-D])?\s?/\s?(?:((?:19|20)\d\d)\s?/\s?)?"
    rf"({_PART}(?:\s?-\s?{_PART}){{0,4}})(?![A-Z0-9])"
)
_PARTY = re.compile(
    r"(\d(?<![0-9A-Z/.,]\d)\d{0,4})\s?-\s?([A-Z]{2,4})\s?/\s?"
    r"([A-Z]{2,12}(?:[-.][A-Z0-9]{1,12})?)(?![A-Z0-9])"
)
_TYPE_FIRST = re.compile(
    r"(?<![A-Z0-9])([A-Z]{2,4})\s+(?:SO\s*:?\s*)(\d{1,5})\s?([A-D])?\s+([A-Z]{2,14})(?![A-Z0-9])"
)
_CELL = re.compile(
    r"(?<![0-9A-Z/])(\d{1,6})\s?([A-Z])?\s?/\s?(?:((?:19|20)\d\d)\s?/\s?)?"
    r"([A-Z][A-Z0-9&.]*(?:\s?-\s?[A-Z0-9][A-Z0-9&.]*)*)"
)
_SIGNS = r"(?:SIGNED|DA ?KY|KY ?SO|KYSO|DAKYSO|CKS|SIGN|SAO|COPY|\d{1,2})\)?"
_SIGNED = re.compile(rf"[ ._(\-][ ._(\-]*{_SIGNS}(?:[ ._(\-]+{_SIGNS})*$")
_FORMATS = r"(?:PDF|DOCX?|XLSX?|PPTX?|RTF|ODT|ODS|ZIP|RAR|7Z|P7M|P7S|JPE?G|PNG|TIFF?|EDXML|XML|TXT)"
_EXTENSION = re.compile(rf"\.{_FORMATS}(?:\.{_FORMATS})*$")
_TOKEN = re.compile(r"\d+|[A-Z]+\d*")
_LEAD_INS = frozenset({
    "SO", "CV", "CONG", "VAN", "VB", "FILE", "FW", "FWD",
})  # fmt: skip


class Hit(Value, frozen=True):
    """A number found; `start` and `end` are places in the folded text."""

    key: DocumentKey
    start: int
    end: int
    weak: bool = False
    leading: bool = False


def joined(sign: str) -> str:
    """A folded sign without spaces around its dashes and without dots at its end."""
    return re.sub(r"\s+", "", sign).strip(".-")


def organisations(signs: Iterable[str]) -> frozenset[str]:
    """The parts of signs that name a body or a section: `QĐ-UBND-HK` gives UBND and HK."""
    found: set[str] = set()
    for sign in signs:
        parts = re.split(r"[-/]", joined(fold(sign)))
        found.update(p for p in parts if len(p) > 1 and p not in TYPES)
    return frozenset(found)


def cell_key(text: str, year: int = 0) -> DocumentKey | None:
    """The number of a register or gateway cell, whatever its sign; None when there is none."""
    folded = fold(text)
    party = _PARTY.search(folded)
    if party:
        return DocumentKey(number=int(party[1]), sign=f"{party[2]}/{joined(party[3])}", year=year)
    found = _CELL.search(folded)
    if not found or not int(found[1]):
        return None
    return DocumentKey(
        number=int(found[1]),
        suffix=found[2] or "",
        year=int(found[3] or year),
        sign=_split_sign(joined(found[4])),
    )


def cell_keys(text: str) -> list[DocumentKey]:
    """Every number of a cell that may hold several (`12/QĐ-UBND; 13/QĐ-UBND`), each once."""
    found = (cell_key(part) for part in re.split(r"[;,\n\r]+", text))
    return list(dict.fromkeys(key for key in found if key is not None))


@lru_cache(4096)
def _split_sign(sign: str, orgs: frozenset[str] = frozenset({"UBND", "HDND"})) -> str:
    """`QDUBND` written in one word becomes `QD-UBND`."""
    first, dash, rest = sign.partition("-")
    for kind in TYPES:
        if first.startswith(kind) and first[len(kind) :] in orgs:
            return f"{kind}-{first[len(kind) :]}{dash}{rest}"
    return sign


@lru_cache(4096)
def _credible_sign(written: str, orgs: frozenset[str]) -> str:
    """A sign as it is compared; empty when it is none, for all that these bodies show."""
    sign = _split_sign(joined(written), orgs)
    parts = sign.split("-")
    known = (parts[0] in TYPES and len(parts) > 1) or any(p in orgs for p in parts)
    return sign if known else ""


class Finder:
    """Finds numbers, given the signs that are known: without them, `15/PRO-MAX` is a document."""

    def __init__(self, signs: Iterable[str]) -> None:
        self.signs = frozenset(joined(fold(s)) for s in signs)
        self.orgs = organisations(self.signs)

    def in_text(self, text: str) -> list[Hit]:
        """Numbers in running text, in order; type-before-number hits are weak."""
        return self.in_folded_text(fold(text))

    def in_folded_text(self, folded: str) -> list[Hit]:
        """The same in text that is folded already."""
        hits = [*self._numbered(folded), *_party(folded)] if "/" in folded else []
        if "SO" not in folded:  # nothing for the slowest of the patterns
            return hits if len(hits) < 2 else sorted(hits, key=lambda h: h.start)
        taken = [(h.start, h.end) for h in hits]
        for found in _TYPE_FIRST.finditer(folded):
            if found[1] in TYPES and found[4] in self.orgs and int(found[2]):
                start, end = found.span()
                if not any(a < end and start < b for a, b in taken):
                    key = DocumentKey(
                        number=int(found[2]), suffix=found[3] or "", sign=f"{found[1]}-{found[4]}"
                    )
                    hits.append(Hit(key=key, start=start, end=end, weak=True))
        return sorted(hits, key=lambda h: h.start)

    def _numbered(self, folded: str) -> Iterator[Hit]:
        for found in _NUMBERED.finditer(folded):
            sign = _credible_sign(found[4], self.orgs)
            if sign and int(found[1]):
                key = DocumentKey(
                    number=int(found[1]),
                    suffix=found[2] or "",
                    year=int(found[3] or 0),
                    sign=sign,
                )
                lead = not folded[: found.start()].strip(" [(*:\"'-_.")
                yield Hit(key=key, start=found.start(), end=found.end(), leading=lead)

    def in_name(self, name: str) -> list[Hit]:
        """Numbers in a file name: `123-QD-UBND.signed.pdf`, `41_2025_QĐ-UBND(đã ký).pdf`."""
        return self.in_folded_name(fold(name))

    def in_folded_name(self, folded: str) -> list[Hit]:
        """The same in a name that is folded already."""
        stem = _SIGNED.sub("", _EXTENSION.sub("", folded.rsplit("\\", 1)[-1]))
        tokens = [(m[0], m.start(), m.end()) for m in _TOKEN.finditer(stem)]
        hits: list[Hit] = []
        for at, (token, start, end) in enumerate(tokens):
            if not token.isdigit() or len(token) > 5 or not int(token):
                continue
            hit = self._at(tokens, at, start, end)
            if hit is not None and (not hits or start >= hits[-1].end):
                hits.append(hit)
        return hits

    def _at(self, tokens: list[tuple[str, int, int]], at: int, start: int, end: int) -> Hit | None:
        """The number whose digits are token `at`, when a known sign follows."""
        following = tokens[at + 1 :]
        suffix, year = "", 0
        if following and following[0][0] in "ABCD" and following[0][1] == end:
            suffix, following = following[0][0], following[1:]
        if following and re.fullmatch(r"(?:19|20)\d\d", following[0][0]):
            year, following = int(following[0][0]), following[1:]
        sign, used = self._sign([t for t, _, _ in following])
        if not sign:
            return None
        before = [t for t, _, _ in tokens[:at] if t != "SO"]
        kind = before[-1] if before and before[-1] in TYPES - {"CV"} else ""
        weak = bool(kind) and sign.split("-")[0] in self.orgs  # `QD so 123 UBND`
        key = DocumentKey(
            number=int(tokens[at][0]),
            suffix=suffix,
            year=year,
            sign=f"{kind}-{sign}" if weak else sign,
        )
        return Hit(
            key=key,
            start=start,
            end=following[used - 1][2],
            weak=weak,
            leading=not weak and all(t in _LEAD_INS for t, _, _ in tokens[:at]),
        )

    def _sign(self, tokens: list[str]) -> tuple[str, int]:
        """The longest sign that the tokens start with, and how many of them it takes."""
        for count in range(min(5, len(tokens)), 0, -1):
            sign = _split_sign("-".join(tokens[:count]), self.orgs)
            if sign in self.signs:
                return sign, count
        if not tokens:
            return "", 0
        first = _split_sign(tokens[0], self.orgs)
        if "-" in first:
            return first, 1
        if first in TYPES and len(tokens) > 1 and tokens[1] in self.orgs:
            more = 3 if len(tokens) > 2 and tokens[2] in self.orgs else 2
            return "-".join((first, *tokens[1:more])), more
        if first in self.orgs:
            more = 2 if len(tokens) > 1 and tokens[1] in self.orgs else 1
            return "-".join(tokens[:more]), more
        return "", 0


def _party(folded: str) -> Iterator[Hit]:
    for found in _PARTY.finditer(folded):
        if found[2] in TYPES and int(found[1]):
            key = DocumentKey(number=int(found[1]), sign=f"{found[2]}/{joined(found[3])}")
            yield Hit(key=key, start=found.start(), end=found.end())
