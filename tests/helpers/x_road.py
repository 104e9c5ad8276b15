"""Records of X-Road operational monitoring for tests; members and services are invented."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any

from tests.helpers.correspondence import ZONE

NETWORK = "Server.ServerProxy.NetworkError"
_counter = itertools.count(1)


def stamp(at: str) -> int:
    """Local time as milliseconds since 1970."""
    return int(dt.datetime.fromisoformat(at).replace(tzinfo=ZONE).timestamp() * 1000)


def call(
    at: str,
    fault: str = "",
    *,
    client: str = "H26.1.2",
    service: str = "H26.5",
    side: str = "Client",
    **more: Any,
) -> dict[str, Any]:
    """One record of a call at a local time; with a fault it failed. None takes a field away."""
    time = stamp(at)
    record = {
        "monitoringDataTs": time // 1000 + 5,
        "securityServerInternalIp": "10.0.7.9",
        "securityServerType": side,
        "requestInTs": time,
        "requestOutTs": time + 20,
        "responseInTs": time + 300,
        "responseOutTs": time + 310,
        "clientXRoadInstance": "VN",
        "clientMemberClass": "GOV",
        "clientMemberCode": client,
        "clientSubsystemCode": "QLVB",
        "serviceXRoadInstance": "VN",
        "serviceMemberClass": "GOV",
        "serviceMemberCode": service,
        "serviceSubsystemCode": "QLVB",
        "serviceCode": "sendEdoc",
        "messageId": f"m-{next(_counter)}",
        "requestSize": 120_000,
        "requestAttachmentCount": 1,
        "succeeded": not fault,
        "serviceType": "WSDL",
    }
    if fault:
        record |= {"faultCode": fault, "faultString": 'Lỗi "mạng" {máy} \\ của bà Nguyễn Thị A'}
    return {k: v for k, v in (record | more).items() if v is not None}
