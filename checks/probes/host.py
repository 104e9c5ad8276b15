"""Probes everybody needs: which machine is this, what does its clock say, in which zone."""

from __future__ import annotations

import datetime as dt

import msgspec

from checks.model import Answers, Context, Evidence, Fact, Need, Probe, Request, Subject, Unparsable

CLOCK = Probe(
    id="host.clock",
    title="the host's time, offset and zone name",
    # The zone must be read before the batch sets TZ=UTC, so the batch keeps the original in
    # SAURO_TZ (empty when it was unset).
    script=lambda _: (
        "date -u '+epoch=%s.%N'\n"
        'if [ -n "$SAURO_TZ" ]; then export TZ="$SAURO_TZ"; else unset TZ; fi\n'
        "date '+offset=%z'\n"
        'if [ -n "$SAURO_TZ" ]; then echo "zone=$SAURO_TZ"\n'
        'elif [ -r /etc/timezone ]; then echo "zone=$(cat /etc/timezone)"\n'
        'else echo "zone=$(readlink /etc/localtime)"; fi\n'
    ),
    timeout=5,
)

IDENTITY = Probe(
    id="host.identity",
    title="system name, kernel and release",
    script=lambda _: (
        'echo "hostname=$(uname -n)"\n'
        'echo "kernel=$(uname -sr)"\n'
        'if [ -r /etc/os-release ]; then . /etc/os-release; echo "os=$PRETTY_NAME"; fi\n'
        'echo "user=$(id -un)"\n'
    ),
    timeout=5,
)


class HostClock(msgspec.Struct, frozen=True):
    """A host's clock against the scanner's. `skew` is host minus scanner, in seconds."""

    skew: float
    uncertainty: float
    """Half of the time the answer took, plus what the host's `date` rounds, in seconds."""
    offset: dt.timedelta
    zone: str
    """IANA name when the host knows one, else empty."""


class HostIdentity(msgspec.Struct, frozen=True):
    """Who answered."""

    hostname: str
    kernel: str
    os: str
    user: str


def read_clock(evidence: Evidence) -> HostClock:
    """Parse a `host.clock` answer; the answer was made between sending and `taken`."""
    values = _pairs(evidence)
    try:
        epoch_text = values["epoch"].removesuffix(".%N").removesuffix(".N")
        epoch = float(epoch_text)
        offset = dt.datetime.strptime(values["offset"], "%z").utcoffset() or dt.timedelta()
    except (KeyError, ValueError) as e:
        raise Unparsable(f"host.clock: {e}") from None
    zone = values.get("zone", "").partition("zoneinfo/")[2] or values.get("zone", "")
    midpoint = evidence.taken.timestamp() - evidence.seconds / 2
    rounding = 0.0 if "." in epoch_text else 1.0
    return HostClock(
        skew=epoch - midpoint,
        uncertainty=evidence.seconds / 2 + rounding,
        offset=offset,
        zone="" if zone.startswith(("/", ":")) else zone,
    )


def _pairs(evidence: Evidence) -> dict[str, str]:
    lines = bytes(evidence.stdout).decode("utf-8", "replace").splitlines()
    return {k: v.strip() for k, sep, v in (line.partition("=") for line in lines) if sep}


def _identity(_: Context, answers: Answers) -> HostIdentity:
    values = _pairs(answers.one(IDENTITY.id))
    if "hostname" not in values:
        raise Unparsable("host.identity: no host name in the answer")
    return HostIdentity(*(values.get(k, "") for k in ("hostname", "kernel", "os", "user")))


def _clock_requests(subject: Subject) -> list[Request]:
    return [
        CLOCK.request(subject.the_server.id),
        IDENTITY.request(subject.the_server.id, Need.OPTIONAL),
    ]


HOST_CLOCK: Fact[HostClock] = Fact(
    id="host.clock",
    requests=_clock_requests,
    parse=lambda _, answers: read_clock(answers.one(CLOCK.id)),
)
"""The clock of a server subject."""

HOST_IDENTITY: Fact[HostIdentity] = Fact(
    id="host.identity",
    requests=lambda subject: [IDENTITY.request(subject.the_server.id)],
    parse=_identity,
)
"""Who answered, of a server subject."""
