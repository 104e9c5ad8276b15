"""Squid's access log: how often, and with how many bytes, a unit's desks talk to file services.

Without inspection of TLS a line shows a host and sizes, so this is a volume and never a document.
Bytes *to* the client are what Squid logs by default; those it sent, which are an upload's, stand
there only when the format ends with `%>st`.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from functools import cache
from importlib import resources
from zoneinfo import ZoneInfo

import yaml

from checks.documents.sources.logfiles import in_order
from checks.evidence import Unparsable, Value
from checks.files import FileEntry

LARGE = 1_000_000
"""Bytes of a request from which on it is an upload worth counting."""
_LINE = re.compile(
    rb"^(?:\d+:)?(\d{9,11})\.\d{1,6} +-?\d+ \S+ \S+/\d{3} \d+ [A-Z]{2,20} (\S+) \S+ \S+ \S+"
    rb"(?: (\d{1,15}))?[ \t]*\r?$",
    re.MULTILINE,
)
_HOST = re.compile(rb"(?:[a-z]{2,10}://)?(?:[^/@]*@)?([A-Za-z0-9.-]{1,253})")


class Volume(Value, frozen=True):
    """Connections of one day to one service, and the large uploads among them."""

    day: dt.date
    service: str
    connections: int
    large: int
    large_bytes: int


class Uploads(Value, frozen=True):
    """What the logs of one proxy show; days are those of the project's zone."""

    name: str
    volumes: tuple[Volume, ...] = ()
    sized: bool = False
    """Every line says how much was sent."""


@cache
def services() -> dict[str, str]:
    """The service of each host; sub-domains are those of their parent."""
    text = resources.files("checks.documents").joinpath("file_hosts.yaml").read_text("utf-8")
    said = yaml.safe_load(text)["services"]
    return {host: name for name, one in said.items() for host in one["hosts"]}


def needed() -> str:
    """Which lines are sent, for `grep -E`."""
    hosts = "|".join(host.replace(".", "[.]") for host in services())
    return f"[ ./@]({hosts})[:/ ]"


def service_of(host: str) -> str:
    """The service of a host, empty when it is none of them."""
    labels = host.lower().rstrip(".").split(".")
    known = services()
    tails = (".".join(labels[n:]) for n in range(len(labels)))
    return next((known[tail] for tail in tails if tail in known), "")


def read_squid(files: Sequence[FileEntry], name: str, zone: ZoneInfo) -> Uploads:
    """Read the logs of one proxy; no address of a client is kept.

    Raises:
        Unparsable: a file is a damaged archive, or no line of a file is in Squid's own format.
    """
    seen: dict[tuple[dt.date, str], list[int]] = {}
    sized = True
    ordered, _ = in_order(files, zone)
    for file in ordered:
        read = 0
        for block in file.blocks():
            for found in _LINE.finditer(block):
                read += 1
                host = _HOST.match(found[2])
                service = service_of(host[1].decode("ascii")) if host else ""
                if not service:
                    continue
                day = dt.datetime.fromtimestamp(int(found[1]), zone).date()
                sent = int(found[3]) if found[3] else 0
                sized = sized and found[3] is not None
                volume = seen.setdefault((day, service), [0, 0, 0])
                volume[0] += 1
                if sent >= LARGE:
                    volume[1] += 1
                    volume[2] += sent
        if len(file.data) and not read:
            raise Unparsable(f"{file.name}:1: no line in Squid's own log format")
    volumes = tuple(
        Volume(day=d, service=s, connections=n, large=m, large_bytes=b)
        for (d, s), (n, m, b) in sorted(seen.items())
    )
    return Uploads(name=name, volumes=volumes, sized=sized)
