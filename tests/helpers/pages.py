"""Reports made into pages, shared by the tests of the HTML."""

from __future__ import annotations

from functools import cache
from typing import Any

from lxml import html as lxml_html

from checks.results import Scan
from reports.build import build
from reports.model import Report
from reports.to_html import html
from tests.helpers.scans import NOW, VOICE, city


def report_of(scan: Scan, **given: Any) -> Report:
    """A report in Vietnamese with sample words, unless told otherwise."""
    fields: dict[str, Any] = {
        "previous": None,
        "opened": {},
        "reopened": frozenset(),
        "now": NOW,
        "language": "vi",
        "voice": VOICE,
    }
    return build(scan, **{**fields, **given})


@cache
def city_report(language: Any = "vi", more: int = 0) -> Report:
    """The city of 126 units, compared with the week before."""
    made, opened, back = city(more=more)
    previous = city(1, more)[0]
    return report_of(made, previous=previous, opened=opened, reopened=back, language=language)


@cache
def city_page(language: str = "vi", more: int = 0) -> str:
    """The page of the city."""
    return html(city_report(language, more))


def parse(page: str) -> Any:
    """The page as a tree, parsed as a browser would."""
    return lxml_html.document_fromstring(page)
