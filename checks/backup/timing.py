"""From the stamps of a point to one UTC time with its uncertainty, pure.

A time may be written without a zone, by a clock that is wrong, on a file that was copied or
touched since. Where two stamps disagree the older one is kept: it can only make a backup look
worse than it is.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import msgspec

from checks.backup.names import Named
from checks.backup.series import Origin
from checks.probes.host import HostClock

UNKNOWN_ZONE = 14 * 3600.0
"""Seconds by which a time of an unknown zone may be off."""
HALF_DAY = 12 * 3600.0
AGREE = dt.timedelta(hours=12)
"""Stamps of one point that lie further apart than this tell of a copy, a rename or a touch."""
_SKEW_FROM = 5.0
_EARLIEST = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)
FIRST = dt.datetime(1900, 1, 1, tzinfo=dt.UTC)
LATEST = dt.datetime(9000, 1, 1, tzinfo=dt.UTC)
"""Stamps outside these two are no times that could be meant, and would break reckoning."""


class Stamp(msgspec.Struct, frozen=True):
    """A moment (UTC) that is right within `uncertainty` seconds."""

    time: dt.datetime
    uncertainty: float = 1.0


class Chosen(msgspec.Struct, frozen=True):
    """The time of a point, and why this one."""

    start: dt.datetime
    uncertainty: float
    origin: Origin
    notes: tuple[str, ...] = ()


class Clockwork(msgspec.Struct, frozen=True, kw_only=True):
    """How to read the stamps of one listing. `zone` None means that the zone is not known."""

    zone: dt.tzinfo | None = None
    zone_name: str = ""
    zone_doubt: float = 0.0
    """Further uncertainty of naive times, in seconds (only the present offset is known)."""
    skew: float = 0.0
    """Seconds the clock is ahead; taken from every stamp of it."""
    skew_doubt: float = 0.0

    def local(self, naive: dt.datetime) -> Stamp:
        """A wall-clock time of this host, as UTC: earlier at a fold, shifted on at a gap."""
        if self.zone is None:
            return Stamp(naive.replace(tzinfo=dt.UTC), UNKNOWN_ZONE)
        early = naive.replace(tzinfo=self.zone, fold=0)
        late = naive.replace(tzinfo=self.zone, fold=1)
        utc = early.astimezone(dt.UTC)
        fold = (late.astimezone(dt.UTC) - utc).total_seconds()
        # At a gap fold=0 reads the time with the offset before it: that is the shift forward.
        doubt = max(1.0, self.zone_doubt, fold)
        return self.true(utc, doubt)

    def true(self, stamped: dt.datetime, doubt: float = 1.0) -> Stamp:
        """A UTC stamp of this clock with its skew taken out."""
        if not self.skew:
            return Stamp(stamped, doubt)
        return Stamp(stamped - dt.timedelta(seconds=self.skew), doubt + self.skew_doubt)


NO_CLOCK = Clockwork()
"""Nothing is known of the clock: naive times are taken as UTC, within 14 hours."""


def clockwork(clock: HostClock | None) -> Clockwork:
    """How to read a host's stamps, given what `host.clock` said (None: it did not answer)."""
    if clock is None:
        return NO_CLOCK
    zone, name, doubt = _zone(clock)
    skewed = abs(clock.skew) > _SKEW_FROM + clock.uncertainty
    return Clockwork(
        zone=zone,
        zone_name=name,
        zone_doubt=doubt,
        skew=clock.skew if skewed else 0.0,
        skew_doubt=clock.uncertainty if skewed else 0.0,
    )


def _zone(clock: HostClock) -> tuple[dt.tzinfo, str, float]:
    if clock.zone:
        try:
            return ZoneInfo(clock.zone), clock.zone, 0.0
        except (ValueError, OSError, KeyError):  # not a name of the database
            pass
    fixed = dt.timezone(clock.offset)
    # Only today's offset is known: the point may be from the other side of a clock change.
    return fixed, fixed.tzname(None), 3600.0


def from_epoch(seconds: float) -> dt.datetime | None:
    """A UTC time of a Unix time; None when it is no time that could be meant."""
    try:
        time = dt.datetime.fromtimestamp(seconds, dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
    return time if FIRST < time < LATEST else None


def read_name(named: Named, clocks: Clockwork) -> Stamp | None:
    """The moment a name speaks of; a whole day is its noon, within twelve hours."""
    if not dt.MINYEAR + 1 < named.time.year < dt.MAXYEAR:
        return None
    if named.time.tzinfo is not None:
        return clocks.true(named.time.astimezone(dt.UTC))
    if not named.whole_day:
        return clocks.local(named.time)
    noon = clocks.local(named.time + dt.timedelta(hours=12))
    return Stamp(noon.time, max(noon.uncertainty, HALF_DAY))


def choose(
    file: Stamp, name: Stamp | None, content: Stamp | None, file_origin: Origin = Origin.MTIME
) -> Chosen:
    """The time of a point from its stamps: content, then name, then the file's own time.

    `file` is when the file was last written or stored, `content` the completion mark inside.
    """
    known = content or name
    if known is None:
        return Chosen(file.time, file.uncertainty, file_origin)
    notes: tuple[str, ...] = ()
    slack = AGREE + dt.timedelta(seconds=known.uncertainty if known.uncertainty > 60 else 0)
    origin = Origin.CONTENT if content else Origin.NAME
    if file.time - known.time > slack:
        notes = ("copied_or_touched",)
    elif known.time - file.time > slack and file.time > _EARLIEST:
        return Chosen(file.time, file.uncertainty, file_origin, ("named_newer_than_file",))
    elif known.uncertainty > 60 and file.time > _EARLIEST:
        # The name only says roughly when, and the file's own time agrees with it.
        return Chosen(file.time, file.uncertainty, file_origin)
    if content and name:
        return _content_and_name(content, name, notes)
    time = known.time if file.time < _EARLIEST else min(known.time, file.time)
    return Chosen(time, known.uncertainty, origin, notes)


def _content_and_name(content: Stamp, name: Stamp, notes: tuple[str, ...]) -> Chosen:
    """The mark is the end of the dump; a name just before it is its start."""
    if name.uncertainty <= 60 and name.time <= content.time:
        if content.time - name.time > dt.timedelta(days=1):
            notes = (*notes, "named_older_than_content")
        return Chosen(name.time, max(name.uncertainty, content.uncertainty), Origin.CONTENT, notes)
    if name.time - content.time > AGREE + dt.timedelta(seconds=name.uncertainty):
        notes = (*notes, "named_newer_than_content")
    return Chosen(content.time, content.uncertainty, Origin.CONTENT, notes)
