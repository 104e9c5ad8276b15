"""Reading the pages of a listing several times faster than botocore does.

botocore walks every element of a page by its model and reads every date with a general parser: that
is nine tenths of the time of listing a large bucket. Its own hook lets us take the entries out of
a page before it looks at the rest; whatever we do not understand at once is left to it.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree import ElementTree as ET

from scanner.transports.s3_pages import Client

_FIELDS = frozenset({"Key", "Size", "LastModified", "StorageClass", "ETag"})


def hasten(client: Client) -> None:
    """Let a client of S3 read the entries of `list_objects_v2` by `_take`."""
    client.meta.events.register("before-parse.s3.ListObjectsV2", _take)


def _take(
    response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object
) -> None:
    if response_dict.get("status_code") != 200:
        return
    try:
        # The same parser that botocore would run on the same bytes.
        root = ET.fromstring(response_dict["body"])  # noqa: S314
        rest: list[ET.Element] = []
        entries: list[dict[str, Any]] = []
        for child in root:
            if child.tag.rpartition("}")[2] == "Contents":
                entries.append(_entry(child))
            else:
                rest.append(child)
    except (ET.ParseError, ValueError, KeyError, TypeError, OverflowError):
        return
    if entries:
        root[:] = rest
        response_dict["body"] = ET.tostring(root)
        customized_response_dict["Contents"] = entries


def _entry(element: ET.Element) -> dict[str, Any]:
    """One object as botocore would give it; raises ValueError or KeyError when it is another."""
    found: dict[str, Any] = {}
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name in _FIELDS:
            found[name] = child.text or ""
    found["Size"] = int(found["Size"])
    stamp = dt.datetime.fromisoformat(found["LastModified"])
    if not found["Key"] or stamp.tzinfo is None:
        raise ValueError
    found["LastModified"] = stamp
    return found
