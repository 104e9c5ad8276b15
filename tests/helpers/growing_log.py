"""A Postfix log that grows and is rotated, and what the script on its host would send of it."""

from __future__ import annotations

import datetime as dt
import re
import zlib
from collections.abc import Mapping, Sequence

import msgspec

from checks.documents.sources.mail_probe import NEEDED, mail_params
from checks.documents.sources.remembered import Mark
from checks.files import FileEntry
from tests.helpers.correspondence import ZONE

_NEEDED = {kind: re.compile(text.encode()) for kind, text in NEEDED.items()}


class Host(msgspec.Struct):
    """The lines of a log in the order of their times, cut into files at moments of rotation."""

    lines: list[str]
    rotations: list[dt.datetime] = []
    keep: int = 1000
    """Rotated files beyond so many are gone."""
    numbered: bool = True
    """Whether grep can number lines there."""
    kind: str = "postfix"

    def files(self, now: dt.datetime) -> dict[str, list[str]]:
        """The files at a moment, newest first, as logrotate names them."""
        found: list[list[str]] = [[]]
        due = [r for r in self.rotations if r <= now]
        for line in self.lines:
            at = when(line)
            while due and at >= due[0]:
                due.pop(0)
                found.insert(0, [])
            if at <= now:
                found[0].append(line)
        found = [[] for _ in due] + found
        return {
            "mail.log" + (f".{n}" if n else ""): lines
            for n, lines in enumerate(found)
            if n <= self.keep
        }

    def sent(self, now: dt.datetime, mark: Mark | None) -> list[FileEntry]:
        """What the script sends at a moment, whole or from a mark on."""
        asked = mail_params("postfix", "/x", mark.since, ()) if mark else {}
        begins = {b.head: b.line for b in mark.begins} if mark else {}
        return [
            self._entry(name, lines, float(asked.get("since", 0)), begins, now)
            for name, lines in self.files(now).items()
        ]

    def _entry(
        self,
        name: str,
        lines: Sequence[str],
        since: float,
        begins: Mapping[str, int],
        now: dt.datetime,
    ) -> FileEntry:
        mtime = when(lines[-1]) if lines else now
        mtime = mtime.replace(microsecond=0) + dt.timedelta(seconds=1)
        head = str(zlib.crc32(lines[0].encode())) + f"-{len(lines[0])}" if lines else ""
        if mtime.timestamp() < since:
            return FileEntry(name=name, mtime=mtime, data=b"", head=head, skipped=True)
        start = begins.get(head, 1)
        raw = [b"\n"] * (start - 1) + [line.encode() for line in lines[start - 1 :]]
        if self.numbered:
            needed = _NEEDED[self.kind]
            raw = [b"%d:" % n + line for n, line in enumerate(raw, 1) if needed.match(line)]
        return FileEntry(name=name, mtime=mtime, data=b"".join(raw), head=head)


def when(line: str) -> dt.datetime:
    """The time of a line."""
    if line[10] == "T":
        return dt.datetime.fromisoformat(line.split(" ", 1)[0]).astimezone(ZONE)
    return dt.datetime.fromisoformat(line[:19]).replace(tzinfo=ZONE)
