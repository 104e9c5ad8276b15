"""Recorded answers in place of a visit: fixtures, sealed bundles, old scans judged again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec

from checks.evidence import Evidence, FailureKind, Request, Unparsable
from scanner.transports.base import Clock, all_failed


class ReplayTransport:
    """Answers from evidence that was recorded; the latest of several with one key counts."""

    def __init__(self, recorded: Iterable[Evidence], clock: Clock) -> None:
        self._clock = clock
        self._found: dict[tuple[str, str], Evidence] = {}
        for evidence in sorted(recorded, key=lambda e: e.taken):
            self._found[evidence.target, evidence.key] = evidence

    def collect(self, requests: Sequence[Request]) -> list[Evidence]:
        """What was recorded for each request, else a failure of kind `stale`."""
        return [self._found.get((r.target, r.key)) or self._missing(r) for r in requests]

    def _missing(self, request: Request) -> Evidence:
        detail = f"{request.probe} of {request.target} was not recorded"
        return all_failed([request], FailureKind.STALE, detail, self._clock())[0]


def load_recorded(folder: Path) -> list[Evidence]:
    """The evidence in every `*.msgpack` and `*.json` file of a folder, each a list.

    Raises:
        Unparsable: a file is not a list of evidence; the message names it.
    """
    found: list[Evidence] = []
    for path in sorted(folder.iterdir()):
        try:
            if path.suffix == ".json":
                found += msgspec.json.decode(path.read_bytes(), type=list[Evidence])
            elif path.suffix == ".msgpack":
                found += msgspec.msgpack.decode(path.read_bytes(), type=list[Evidence])
        except (msgspec.MsgspecError, UnicodeDecodeError) as e:
            raise Unparsable(f"{path}: not a list of evidence: {e}") from None
    return found


def save_recorded(path: Path, evidence: Sequence[Evidence]) -> None:
    """Write a list of evidence, as msgpack or, when the name ends in `.json`, as JSON."""
    encode = msgspec.json.encode if path.suffix == ".json" else msgspec.msgpack.encode
    path.write_bytes(encode(list(evidence)))
