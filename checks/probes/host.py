"""Probes everybody needs: which machine is this, what does its clock say, in which zone."""

from __future__ import annotations

import datetime as dt
import re
from zoneinfo import ZoneInfo

import msgspec

from checks.evidence import Answers, Evidence, Need, Probe, Request, Unparsable
from checks.model import Context, Fact, Subject
from checks.texts import clean

CLOCK = Probe(
    id="host.clock",
    title="the host's time, offset and zone name",
    # The offset must be read in the host's own zone, but the batch sets TZ=UTC and keeps what it
    # found in SAURO_TZ (empty when it was unset). /etc/localtime is what the C library obeys;
    # /etc/timezone is a note that Debian writes beside it.
    script=lambda _: (
        'if [ -n "$SAURO_TZ" ]; then export TZ="$SAURO_TZ"; else unset TZ; fi\n'
        "date '+epoch=%s.%N\noffset=%z'\n"
        'echo "tz=$SAURO_TZ"\n'
        "printf localtime=; readlink /etc/localtime 2>/dev/null || echo\n"
        "if [ -r /etc/timezone ]; then read -r tz </etc/timezone; fi\n"
        'echo "timezone=$tz"\n'
        ":\n"
    ),
    timeout=5,
)

IDENTITY = Probe(
    id="host.identity",
    title="system name, kernel and release",
    # os-release is read as text, never sourced: it may be anything.
    script=lambda _: (
        "set -- $(uname -snr)\n"
        'echo "hostname=$2"; echo "kernel=$1 $3"\n'
        "printf user=; id -un 2>/dev/null || echo\n"
        "if [ -r /etc/os-release ]; then\n"
        'while IFS= read -r line; do case $line in PRETTY_NAME=*) echo "os=${line#*=}" ;; esac\n'
        "done </etc/os-release\n"
        'elif [ -x /usr/bin/sw_vers ]; then echo "os=macOS $(/usr/bin/sw_vers -productVersion)"; '
        "fi\n"
        ":\n"
    ),
    timeout=5,
)

# `date` without %N prints nothing, `N` or `%N` in its place (musl, BSD, some BusyBox builds).
_EPOCH = re.compile(r"(\d{1,12})(?:\.(?:(\d{1,9})|%?N|))?", re.ASCII)
_OFFSET = re.compile(r"([+-])(\d\d)([0-5]\d)", re.ASCII)
_ZONE = re.compile(r"[A-Za-z0-9_+-]{1,32}(?:/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)
_NOT_PLACES = frozenset({"localtime", "posixrules", "Factory"})
"""Names in a zone database that say nothing of a place."""
_WIDEST = dt.timedelta(hours=15)


class HostClock(msgspec.Struct, frozen=True):
    """A host's clock against the scanner's. `skew` is host minus scanner, in seconds."""

    skew: float
    uncertainty: float
    """Half of the time the answer took, plus what the host's `date` rounds, in seconds."""
    offset: dt.timedelta
    zone: str
    """IANA name when the host names one that exists and fits `offset`, else empty."""


class HostIdentity(msgspec.Struct, frozen=True):
    """Who answered; every text is cleaned, and empty when the host did not say."""

    hostname: str
    kernel: str
    os: str
    user: str


def read_clock(evidence: Evidence) -> HostClock:
    """Parse a `host.clock` answer; the answer was made between sending and `taken`."""
    values = _pairs(evidence)
    epoch = _EPOCH.fullmatch(values.get("epoch", ""))
    if epoch is None:
        raise Unparsable(f"host.clock: no time of day in the answer ({_shown(values, 'epoch')})")
    offset = _offset(values)
    at = float(f"{epoch[1]}.{epoch[2] or 0}")
    # A clock that shows whole seconds is read as the middle of its second.
    rounding = 0.0 if epoch[2] else 0.5
    midpoint = evidence.taken.timestamp() - evidence.seconds / 2
    return HostClock(
        skew=at + rounding - midpoint,
        uncertainty=evidence.seconds / 2 + rounding,
        offset=offset,
        zone=_zone(values, offset, at),
    )


def _offset(values: dict[str, str]) -> dt.timedelta:
    found = _OFFSET.fullmatch(values.get("offset", ""))
    if found is not None:
        size = dt.timedelta(hours=int(found[2]), minutes=int(found[3]))
        if size <= _WIDEST:
            return -size if found[1] == "-" else size
    raise Unparsable(f"host.clock: no offset from UTC in the answer ({_shown(values, 'offset')})")


def _zone(values: dict[str, str], offset: dt.timedelta, at: float) -> str:
    """The zone in force, which is the first of the three that is set at all."""
    _, linked, link = values.get("localtime", "").rpartition("zoneinfo/")
    name = (
        values.get("tz", "").removeprefix(":")
        or (link if linked else "")
        or values.get("timezone", "")
    )
    name = name.rpartition("zoneinfo/")[2].removeprefix("posix/")
    if not _ZONE.fullmatch(name) or name in _NOT_PLACES or name.startswith("right/"):
        return ""
    try:
        then = dt.datetime.fromtimestamp(at, ZoneInfo(name))
    except (KeyError, ValueError, OSError, OverflowError):
        return ""
    # A name that disagrees with the host's own offset is a leftover, not the zone in force.
    return name if then.utcoffset() == offset else ""


def _shown(values: dict[str, str], key: str) -> str:
    return f"{key}={clean(values[key], 40)}" if key in values else f"{key} is missing"


def _pairs(evidence: Evidence) -> dict[str, str]:
    """The `key=value` lines; the first of a key counts."""
    values: dict[str, str] = {}
    for line in bytes(evidence.stdout).decode("utf-8", "replace").split("\n"):
        key, sep, value = line.partition("=")
        if sep:
            values.setdefault(key, value.strip())
    return values


def read_identity(evidence: Evidence) -> HostIdentity:
    """Parse a `host.identity` answer."""
    values = {k: clean(v.strip("\"' "), 120) for k, v in _pairs(evidence).items()}
    if not values.get("hostname"):
        raise Unparsable("host.identity: no host name in the answer")
    return HostIdentity(*(values.get(k, "") for k in ("hostname", "kernel", "os", "user")))


def _identity_if_seen(_: Context, answers: Answers) -> HostIdentity | None:
    evidence = answers.get(IDENTITY.id)
    try:
        return read_identity(evidence) if evidence is not None else None
    except Unparsable:
        return None


def _clock_requests(subject: Subject) -> list[Request]:
    return [CLOCK.request(subject.the_server.id)]


HOST_CLOCK: Fact[HostClock] = Fact(
    id="host.clock",
    requests=_clock_requests,
    parse=lambda _, answers: read_clock(answers.one(CLOCK.id)),
)
"""The clock of a server subject."""

HOST_IDENTITY_IF_SEEN: Fact[HostIdentity | None] = Fact(
    id="host.identity-if-seen",
    requests=lambda subject: [IDENTITY.request(subject.the_server.id, Need.OPTIONAL)],
    parse=_identity_if_seen,
)
"""Who answered, of a server subject; None when that cannot be told."""
