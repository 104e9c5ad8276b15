"""A log cut by time: what of it is remembered from earlier scans, and what is read again.

A mail counts in the stretch in which its first line lies, with all that came of it later. Stretches
are cut at whole hours, and a line lies where the hour of its stamp does.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterable
from zoneinfo import ZoneInfo

from checks.documents.sources.mails import Counted, MailLog, Tally


def sum_of(parts: Iterable[Counted]) -> Counted:
    """Several counts as one."""
    total = Tally(ZoneInfo("UTC"))
    for part in parts:
        total.take(part)
    return total.counted()


class Stretches:
    """The tallies of the stretches between some cuts, and what is known of the time before.

    What began before `since` is in `known` already and counts no more. `later` says, for the scan
    after this one, from when on it will read, and from when on what it reads will count.
    """

    def __init__(
        self,
        make: Callable[[], Tally],
        cuts: Iterable[dt.datetime] = (),
        *,
        since: dt.datetime | None = None,
        known: Iterable[Counted] = (),
        later: tuple[dt.datetime, dt.datetime] | None = None,
    ) -> None:
        self.cuts = sorted(set(cuts))
        self.tallies = [make() for _ in range(len(self.cuts) + 1)]
        self.crossed: set[dt.datetime] = set()
        """Cuts before which a host's log went back: they part nothing."""
        self.begins: dict[str, int] = {}
        """By file the number of the first line that a later scan will read."""
        self.torn = False
        """A mail handed from one id to the next began too early for a later scan to see that."""
        self._make = make
        self._known = tuple(known)
        self._from = 0 if since is None else bisect_right(self.cuts, since)
        self._later = [bisect_right(self.cuts, cut) for cut in later] if later else None
        self._of_host: dict[bytes, int] = {}

    def at(self, time: dt.datetime, stamp: bytes, host: bytes) -> int:
        """The number of the stretch in which a line of this time (UTC) and stamp lies."""
        # The hour as the stamp tells it, so that it does not matter which of its lines came first.
        minute = int(stamp[14:16]) if stamp[13:14] == b":" and stamp[14:16].isdigit() else 0
        now = bisect_right(self.cuts, time - dt.timedelta(minutes=minute))
        before = self._of_host.get(host, 0)
        if now < before:
            self.crossed.update(self.cuts[now:before])
        else:
            self._of_host[host] = now
        return now

    def begin(self, now: int, file: str, line: Callable[[], int]) -> None:
        """A file has come to this stretch; `line` is asked for only when it matters."""
        if self._later and now >= self._later[0] and file not in self.begins:
            self.begins[file] = line()

    def handed_on(self, outer: Tally, inner: Tally) -> None:
        """A mail that began in one stretch goes on under an id that began in another."""
        if outer is inner or not self._later:
            return
        first, second = self.tallies.index(outer), self.tallies.index(inner)
        self.torn = self.torn or (first < self._later[0] and second >= self._later[1])

    def know(self, more: Counted) -> None:
        """Add what is known of the time before from elsewhere."""
        self._known = (*self._known, more)

    @property
    def goes_on(self) -> bool:
        """Whether an earlier scan knows the time before, so that only the rest is read."""
        return bool(self._known)

    @property
    def lines(self) -> int:
        """Lines of all stretches that were read."""
        return sum(tally.lines for tally in self.tallies)

    @property
    def dropped(self) -> int:
        """Mails given up in all stretches that were read."""
        return sum(tally.dropped for tally in self.tallies)

    def until(self, cut: dt.datetime) -> Counted:
        """All that is known of what began before a cut."""
        early = self.tallies[self._from : bisect_right(self.cuts, cut)]
        return self._sum(self._known, early).counted()

    def after(self, cut: dt.datetime) -> Counted:
        """What began at a cut or later, as far as it counts."""
        start = max(self._from, bisect_right(self.cuts, cut))
        return self._sum((), self.tallies[start:]).counted()

    def all(self) -> Counted:
        """Everything that is known."""
        return self._sum(self._known, self.tallies[self._from :]).counted()

    def log(self, name: str, files: int, duplicates: int) -> MailLog:
        """Everything that is known, as values."""
        if len(self.tallies) == 1 and not self._known:
            return self.tallies[0].log(name, files, duplicates)
        return self._sum(self._known, self.tallies[self._from :]).log(name, files, duplicates)

    def _sum(self, known: Iterable[Counted], tallies: Iterable[Tally]) -> Tally:
        total = self._make()
        for one in (*known, *(tally.counted() for tally in tallies)):
            total.take(one)
        return total
