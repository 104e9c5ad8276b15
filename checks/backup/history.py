"""Points remembered over scans: pruning thins a tool's list, our own memory keeps the whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence

import msgspec

from checks.backup.series import BackupPoint, BackupSeries, PointState, in_order
from checks.model import Memory

KIND = "backup.point"
_MOST = 500
"""Points of one set that one scan hands on, the newest of them."""
_SAME = dt.timedelta(seconds=2)
_MARGIN = dt.timedelta(days=1)
"""How long before the end of its retention a point may go: pruning rarely waits for the minute."""

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(BackupPoint)


def remember(series: BackupSeries, subject: str) -> list[Memory]:
    """The finished points that are listed now, to be kept beyond this scan."""
    done = [p for p in series.points if p.state is not PointState.RUNNING]
    return [
        Memory(kind=KIND, subject=subject, id=p.id, time=p.start, data=_encoder.encode(p))
        for p in done[-_MOST:]
    ]


def merge(
    series: BackupSeries,
    memories: Iterable[Memory],
    keep: dt.timedelta | None,
    now: dt.datetime,
) -> BackupSeries:
    """Add what earlier scans saw and is no longer listed; say what vanished before its time."""
    seen = list(memories)
    known = [p for p in map(_point, seen) if p is not None]
    series = msgspec.structs.replace(series, points=_still_bad(series.points, known))
    past = _not_listed(series, known)
    vanished: tuple[str, ...] = ()
    # A listing that is not whole cannot show that something is gone.
    if keep is not None and not series.listing.truncated and not series.listing.older:
        good = (p for p in past if p.state is PointState.OK)
        vanished = tuple(p.name for p in good if now < p.start + keep - _MARGIN)
    first = [m.first_seen for m in seen if m.first_seen is not None]
    return msgspec.structs.replace(
        series, past=past, vanished=vanished, known_since=min(first, default=None)
    )


def _point(memory: Memory) -> BackupPoint | None:
    try:
        return _decoder.decode(memory.data)
    except msgspec.DecodeError:
        return None  # of another version; the listing speaks for itself


def _still_bad(
    listed: Iterable[BackupPoint], known: Iterable[BackupPoint]
) -> tuple[BackupPoint, ...]:
    """Only the newest points are looked into: what was found broken then is broken still."""
    bad = {p.id: p for p in known if p.state is PointState.INVALID}
    return tuple(
        msgspec.structs.replace(p, state=PointState.INVALID, notes=bad[p.id].notes)
        if p.id in bad and p.state is PointState.OK and not p.checked
        else p
        for p in listed
    )


def _not_listed(series: BackupSeries, remembered: Iterable[BackupPoint]) -> tuple[BackupPoint, ...]:
    ids = {p.id for p in series.points}
    # A file that was moved, or a clock that was put right, gives another id to the same point.
    starts: Sequence[dt.datetime] = [p.start for p in series.points]
    moments = {round(s.timestamp() / _SAME.total_seconds()) for s in starts}
    past = []
    for point in remembered:
        moment = round(point.start.timestamp() / _SAME.total_seconds())
        if point.id not in ids and moments.isdisjoint((moment - 1, moment, moment + 1)):
            past.append(point)
    return in_order(past)
