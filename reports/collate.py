"""The order of the Vietnamese alphabet: letters first, then tones, then case."""

from __future__ import annotations

from functools import lru_cache
from unicodedata import normalize

_LETTERS = {c: i for i, c in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
# Combining marks in the order of the tones: (none), grave, hook above, tilde, acute, dot below.
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
_SHAPES = frozenset("\u031b\u0306\u0302")
"""Breve, circumflex, horn: they make a letter of its own, so they stay on it."""

Key = tuple[tuple[tuple[int, int], ...], tuple[int, ...], tuple[bool, ...], str]


@lru_cache(maxsize=8192)
def vi_key(text: str) -> Key:
    """Sort key: punctuation before digits before letters; đ after d, tones only break ties."""
    letters: list[tuple[int, int]] = []
    tones: list[int] = []
    upper: list[bool] = []
    for sign in normalize("NFC", text):
        whole = normalize("NFD", sign)
        first, marks = whole[0], whole[1:]
        letter = normalize("NFC", first + "".join(m for m in marks if m in _SHAPES))
        small = letter.lower()
        if small in _LETTERS:
            letters.append((2, _LETTERS[small]))
        else:
            letters.append((1 if sign.isdigit() else 0, ord(sign)))
        tones.append(next((_TONES[m] for m in marks if m in _TONES), 0))
        upper.append(letter != small)
    return tuple(letters), tuple(tones), tuple(upper), text
