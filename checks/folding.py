"""One table that makes Vietnamese text comparable: no accents, upper case, plain signs."""

from __future__ import annotations

import re
import unicodedata

_LETTERS = (*range(0xC0, 0x250), *range(0x1E00, 0x1F00))
_DASHES = (*range(0x2010, 0x2016), 0x2212, 0xFE58, 0xFE63, 0xFF0D)
_SLASHES = (0x2044, 0x2215, 0xFF0F)
_SPACES = (0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0x09)
_NOTHING = (
    *range(0x300, 0x370),
    *range(0x200B, 0x2010),
    0x2060,
    0xFEFF,
    0xAD,
    *range(0x202A, 0x202F),
)


def _table() -> dict[int, str | None]:
    table: dict[int, str | None] = {}
    for code in _LETTERS:
        base = unicodedata.normalize("NFD", chr(code))[0]
        if base.isascii():
            table[code] = base
    # A full-width sign stands 0xFEE0 above its ASCII twin.
    table |= {code: chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5F)}
    table |= dict.fromkeys(_DASHES, "-")
    table |= dict.fromkeys(_SLASHES, "/")
    table |= dict.fromkeys(_SPACES, " ")
    table |= dict.fromkeys(_NOTHING, None)
    # Four ways to write the same letter; U+00D0 (Eth) is a common slip for U+0110.
    table |= dict.fromkeys(map(ord, "ĐÐƉ"), "D") | {ord("đ"): "d", ord("ð"): "d"}
    return table


_FOLD = _table()
_NOT_LETTERS = re.compile(r"[^A-Z]+")
_NOT_WORD = re.compile(r"[^A-Z0-9]+")


def fold(text: str) -> str:
    """Accents, dashes, slashes and spaces made plain, zero-width characters gone, upper case."""
    if text.isascii():  # what the table does there, many times faster
        return text.replace("\t", " ").upper()
    return text.translate(_FOLD).upper()


def letters(text: str) -> str:
    """Only the folded letters: what headers of tables are compared by."""
    return _NOT_LETTERS.sub("", fold(text))


def words(text: str) -> str:
    """Folded words with single spaces between them: what names are compared by."""
    return words_of(fold(text))


def words_of(folded: str) -> str:
    """The words of text that is folded already, with single spaces between them."""
    return _NOT_WORD.sub(" ", folded).strip()
