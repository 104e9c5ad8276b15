"""Operational monitoring of X-Road in the demo: who called whom, and an outage among the calls."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any

from scanner.demo.axis import outage_of
from scanner.demo.papers import Body, Paper, body_of, working_days
from scanner.demo.plot import UnitPlot

_EVERY = dt.timedelta(minutes=20)
"""Between two calls that fail: less than the hour after which nobody knows what was in between."""


def monitoring(
    unit: UnitPlot, bodies: Sequence[Body], sent: Sequence[Paper], now: dt.datetime, random: Random
) -> str:
    """The records of a unit's server as JSON; `now` is aware."""
    own = body_of(unit.place)
    others = [body for body in bodies if body.code != own.code]
    begin, end = outage_of(sent)
    records = []
    for day in working_days(now.date()):
        for hour in random.sample(range(8, 17), 3):
            minute = dt.time(hour, random.randint(0, 59), tzinfo=now.tzinfo)
            at = dt.datetime.combine(day, minute)
            if not begin <= at <= end:
                records.append(_record(own, random.choice(others), at, random))
    for at in _failing(begin, end):
        record = _record(own, random.choice(others), at, random)
        fault = {"succeeded": False, "faultCode": "Server.ServerProxy.NetworkError"}
        records.append(record | fault)
    records.sort(key=lambda record: record["requestInTs"])
    return json.dumps({"records": records}, indent=1) + "\n"


def _failing(begin: dt.datetime, end: dt.datetime) -> Iterator[dt.datetime]:
    at = begin
    while at < end:
        yield at
        at += _EVERY
    yield end


def _record(own: Body, to: Body, at: dt.datetime, random: Random) -> dict[str, Any]:
    time = int(at.timestamp() * 1000)
    return {
        "monitoringDataTs": time // 1000 + 5,
        "securityServerType": "Client",
        "requestInTs": time,
        "responseOutTs": time + random.randint(90, 900),
        "clientXRoadInstance": "VN",
        "clientMemberClass": "GOV",
        "clientMemberCode": own.code,
        "clientSubsystemCode": "QLVB",
        "serviceXRoadInstance": "VN",
        "serviceMemberClass": "GOV",
        "serviceMemberCode": to.code,
        "serviceSubsystemCode": "QLVB",
        "serviceCode": "sendEdoc",
        "messageId": f"{random.getrandbits(64):016x}",
        "requestSize": random.randint(40_000, 900_000),
        "succeeded": True,
    }
