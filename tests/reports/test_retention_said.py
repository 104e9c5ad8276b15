"""Reports say until when the details about documents are kept, and that they were removed."""

from __future__ import annotations

import datetime as dt

import msgspec
import pytest

from checks.results import Scan
from reports.to_html import html
from reports.to_json import scan_json
from tests.helpers.pages import report_of
from tests.helpers.scans import STARTED, VOICE, scan

UNTIL = STARTED + dt.timedelta(days=180)


def made(**times: dt.datetime) -> Scan:
    found = scan([])
    return msgspec.structs.replace(found, info=msgspec.structs.replace(found.info, **times))


@pytest.mark.parametrize(
    ("language", "kept", "gone"),
    [
        ("vi", "được lưu trong kho dữ liệu đến 22/05/2027", "bị xóa ngày 22/05/2027"),
        ("en", "kept in the store until 22 May 2027", "were removed on 22 May 2027"),
    ],
)
def test_the_page_says_the_day_in_the_projects_zone(language: str, kept: str, gone: str) -> None:
    # 19:00 UTC of the 21st is the 22nd in Hà Nội.
    promised = html(report_of(made(documents_until=UNTIL), language=language))
    assert kept in promised
    assert gone not in promised
    ended = html(report_of(made(documents_until=UNTIL, documents_ended=UNTIL), language=language))
    assert gone in ended
    assert kept not in ended
    neither = html(report_of(made(), language=language))
    assert kept not in neither
    assert gone not in neither


def test_the_json_says_both_moments() -> None:
    head = scan_json(made(documents_until=UNTIL), "vi", VOICE)["scan"]
    assert head["documents_until"] == "2027-05-21T19:00:00Z"
    assert head["documents_ended"] is None
