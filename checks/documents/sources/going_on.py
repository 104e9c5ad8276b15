"""Reading a mail log with what an earlier scan remembers of it: on from there, or anew."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec

from checks.documents.retention import LINES_CHANGED
from checks.documents.sources.mails import Counted, MailLog, Tally
from checks.documents.sources.reading import Reading
from checks.documents.sources.remembered import (
    OLDEST,
    VERSION,
    Mark,
    Remembered,
    begin_of,
    fallen,
    knowing,
    later,
    renamed,
    without_old,
)
from checks.documents.sources.stretches import Stretches, sum_of
from checks.evidence import AskWhole
from checks.files import FileEntry

ReadLog = Callable[[Sequence[FileEntry], Reading, Stretches], MailLog]
"""Reads the files of one log and takes what is read apart by time."""
_KEPT = dt.timedelta(days=2)
"""No rotation removes a file so soon after its last line."""
_TOLD = dt.timedelta(days=90)
"""How long it is said that lines were found changed."""


class LogReader:
    """Reads the files of one log, given what is remembered of it.

    `resumed` says that the files were asked for from where the memory ends. `now` is when they were
    read. Afterwards `memory` is what to remember next.
    """

    def __init__(
        self, read: ReadLog, past: Remembered | None, *, resumed: bool, now: dt.datetime
    ) -> None:
        self._read_log = read
        self._past = past
        self._resumed = resumed
        self._now = now
        self.memory: Remembered | None = None

    def read(self, files: Sequence[FileEntry], reading: Reading) -> MailLog:
        """What the log says, remembered mails included.

        Raises:
            AskWhole: the files were asked for from where the memory ends, and do not fit it.
            Unparsable: as the reader of the log.
        """
        here = [f for f in files if not f.skipped]
        past = self._past
        if past is None:
            if self._resumed:
                raise AskWhole(f"{reading.name}: what was remembered of it is not there")
            return self._anew(here, reading)
        why = ""
        if past.knows != _known(reading):
            why = "what is looked for has changed"
        elif not past.mark.begins:
            why = "it could not be parted by time"
        elif fallen(here, past.mark):
            why = "lines that were read before have changed or are gone"
        elif (found := self._on(past, files, reading)) is not None:
            return found
        if self._resumed:
            raise AskWhole(f"{reading.name}: {why or 'its times go back'}")
        return self._anew(here, reading)

    # ------------------------------------------------------------------------------- two ways

    def _on(self, past: Remembered, files: Sequence[FileEntry], reading: Reading) -> MailLog | None:
        """From where the memory ends; None when the log goes back behind that."""
        here = [f for f in files if not f.skipped]
        past = _with_names_of(past, files)
        ahead = later(here, reading.zone, past)
        stretches = _stretches(reading, past, ahead)
        done = self._read_log(here, reading, stretches)
        if past.until in stretches.crossed:
            return None
        # Where the log cannot be parted anew, what is known stays true.
        memory = self._next(here, reading, stretches, ahead) or past
        self.memory = msgspec.structs.replace(
            memory, names=past.names, known_since=past.known_since, changed=past.changed
        )
        extra = {"remembered_since": past.known_since, "read_from": past.mark.since}
        files_now = done.report.files + len(files) - len(here)
        return self._told(done, extra, files_now, past.changed)

    def _anew(self, files: Sequence[FileEntry], reading: Reading) -> MailLog:
        """The whole log, and what is remembered and no longer stands in it."""
        ahead = later(files, reading.zone, None)
        stretches = _stretches(reading, None, ahead)
        done = self._read_log(files, reading, stretches)
        changed, since = None, self._now
        past = self._past
        if past is not None:
            changed, since = self._changed(past, files, done), past.known_since
            same = past.knows == _known(reading)
            stretches.know(_carried(_with_names_of(past, files), done, files, same))
            done = stretches.log(reading.name, done.report.files, done.report.duplicates)
        memory = self._next(files, reading, stretches, ahead)
        if memory is None:  # read whole next time, and what was found stays found
            memory = self._remembered(files, reading, stretches.all(), Counted())
        self.memory = msgspec.structs.replace(memory, known_since=since, changed=changed)
        return self._told(done, {}, done.report.files, changed)

    def _changed(
        self, past: Remembered, files: Sequence[FileEntry], done: MailLog
    ) -> dt.datetime | None:
        """When it was found that lines which had been read are no longer as they were."""
        heads = {f.head for f in files if f.head}
        first = done.report.first
        for each in fallen(files, past.mark) if heads else ():
            # Files go in the order of their age, and hardly within days of their last line.
            last = each.last or self._now
            rotated = first is not None and last < first and last < self._now - _KEPT
            if each.head in heads or not rotated:
                return self._now
        return past.changed

    def _told(
        self, done: MailLog, extra: dict[str, dt.datetime], files: int, changed: dt.datetime | None
    ) -> MailLog:
        said = {key: time.isoformat() for key, time in extra.items()}
        if changed is not None and self._now - changed <= _TOLD:
            said[LINES_CHANGED] = changed.isoformat()
        report = msgspec.structs.replace(
            done.report, files=files, extra={**done.report.extra, **said}
        )
        return msgspec.structs.replace(done, report=report)

    # ---------------------------------------------------------------------------- what is next

    def _next(
        self,
        files: Sequence[FileEntry],
        reading: Reading,
        stretches: Stretches,
        ahead: tuple[dt.datetime, dt.datetime] | None,
    ) -> Remembered | None:
        """What to remember; None when the log cannot be parted at the mark."""
        if ahead is None or ahead[1] in stretches.crossed or stretches.torn or stretches.dropped:
            return None
        by_name = {f.name: f for f in files}
        begins = [
            begin_of(by_name[name], line, reading.zone) for name, line in stretches.begins.items()
        ]
        told = tuple(b for b in begins if b is not None)
        if not told or len(told) != len(begins):
            return None
        early, late = stretches.until(ahead[1]), stretches.after(ahead[1])
        return msgspec.structs.replace(
            self._remembered(files, reading, early, late),
            mark=Mark(version=VERSION, since=ahead[0], begins=told),
            until=ahead[1],
        )

    def _remembered(
        self, files: Sequence[FileEntry], reading: Reading, base: Counted, rest: Counted
    ) -> Remembered:
        """A memory without a mark."""
        return Remembered(
            mark=Mark(version=VERSION, since=self._now, begins=()),
            until=self._now,
            knows=_known(reading),
            base=without_old(base, self._now - OLDEST, reading.zone),
            rest=rest,
            names=_names(files),
            known_since=self._now,
        )


def _stretches(
    reading: Reading, past: Remembered | None, ahead: tuple[dt.datetime, dt.datetime] | None
) -> Stretches:
    return Stretches(
        lambda: Tally(reading.zone, reading.addresses),
        (*(ahead or ()), *([past.until] if past else [])),
        since=past.until if past else None,
        known=[past.base] if past else [],
        later=ahead,
    )


def _known(reading: Reading) -> str:
    hashes, senders = reading.addresses.pseudonyms, reading.addresses.senders
    key = hashes.of(b"") if hashes else ""
    return knowing(reading.finder.signs, reading.zone, key, senders.patterns)


def _names(files: Sequence[FileEntry]) -> dict[str, str]:
    return {f.name: f.head for f in files}


def _with_names_of(past: Remembered, files: Sequence[FileEntry]) -> Remembered:
    """The same under the names that the files have now."""

    def now(counted: Counted) -> Counted:
        events = renamed(counted.events, past.names, files)
        return msgspec.structs.replace(counted, events=events)

    return msgspec.structs.replace(
        past, base=now(past.base), rest=now(past.rest), names=_names(files)
    )


def _carried(past: Remembered, done: MailLog, files: Sequence[FileEntry], same: bool) -> Counted:
    """What is remembered and cannot be read any more: found once, it stays found.

    Days count as seen only when what was looked for then is what is looked for now (`same`).
    """
    first, known = done.report.first, sum_of((past.base, past.rest))
    found = {(e.place.sha256, e.key, e.recipient) for e in done.events}
    events = tuple(e for e in known.events if (e.place.sha256, e.key, e.recipient) not in found)
    if not same:
        if not fallen(files, past.mark):
            # Where the line can still be read, what is found in it now counts.
            events = tuple(e for e in events if first is None or (e.time and e.time < first))
        return Counted(events=events)
    if first is None or (known.last is not None and known.last < first):
        # Nothing of what was read then is in the log now: all of it counts.
        return msgspec.structs.replace(known, events=events)
    return Counted(
        events=events, days=known.days, hours=known.hours, first=known.first, last=known.last
    )
