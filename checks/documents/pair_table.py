"""Pairs by the million in little memory: columns of numbers, made into pairs when asked for."""

from __future__ import annotations

import datetime as dt
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import overload

from checks.documents.events import DocumentKey
from checks.documents.grading import Graded
from checks.documents.pairs import Basis, Pair, Result

_RESULTS, _BASES = tuple(Result), tuple(Basis)
_RESULT = {result: n for n, result in enumerate(_RESULTS)}
_BASIS = {basis: n for n, basis in enumerate(_BASES)}


class PairTable(Sequence[Pair]):
    """A growing sequence of pairs, about 15 bytes each beside their documents."""

    def __init__(self) -> None:
        self._keys: list[DocumentKey] = []
        self._dates = array("i")
        self._codes: list[str] = []
        self._known: dict[str, int] = {}
        self._document, self._code, self._sent = array("I"), array("I"), array("i")
        self._results, self._bases = bytearray(), bytearray()
        self._mails: dict[int, Graded] = {}

    def add(self, pair: Pair) -> None:
        """Take in a pair; those of one document follow each other."""
        if not self._keys or self._keys[-1] is not pair.key:
            self._keys.append(pair.key)
            self._dates.append(pair.date.toordinal())
        code = self._known.get(pair.recipient)
        if code is None:
            code = self._known[pair.recipient] = len(self._codes)
            self._codes.append(pair.recipient)
        if pair.mail is not None:
            self._mails[len(self._results)] = pair.mail
        self._document.append(len(self._keys) - 1)
        self._code.append(code)
        self._sent.append(0 if pair.sent is None else pair.sent.toordinal())
        self._results.append(_RESULT[pair.result])
        self._bases.append(_BASIS[pair.basis])

    def by_result(self) -> Counter[Result]:
        """How many pairs have each result."""
        return Counter({_RESULTS[n]: count for n, count in Counter(self._results).items()})

    def by_basis(self) -> Counter[Basis]:
        """How many pairs rest on each basis."""
        return Counter({_BASES[n]: count for n, count in Counter(self._bases).items()})

    def __len__(self) -> int:
        return len(self._results)

    def __iter__(self) -> Iterator[Pair]:
        return map(self._pair, range(len(self._results)))

    @overload
    def __getitem__(self, at: int) -> Pair: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Pair]: ...
    def __getitem__(self, at: int | slice) -> Pair | Sequence[Pair]:
        found = range(len(self._results))[at]
        return self._pair(found) if isinstance(found, int) else [self._pair(n) for n in found]

    def _pair(self, n: int) -> Pair:
        document, sent = self._document[n], self._sent[n]
        return Pair(
            key=self._keys[document],
            date=dt.date.fromordinal(self._dates[document]),
            recipient=self._codes[self._code[n]],
            result=_RESULTS[self._results[n]],
            mail=self._mails.get(n),
            sent=dt.date.fromordinal(sent) if sent else None,
            basis=_BASES[self._bases[n]],
        )
